"""Composition root: settings → stacks → rule packs → synth. It makes no AWS call."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from aws_cdk import App, Environment, RemovalPolicy, Tags, Validations
from aws_cdk import aws_lambda as lambda_
from aws_cdk.region_info import RegionInfo
from cdk_nag import AwsSolutionsChecks  # noqa: TID251 - rule packs are attached here and nowhere else

from credential_rules.pack import CredentialChecks
from stacks.access import access_table
from stacks.api_stack import ApiStack
from stacks.constructs.role_function import Runtime
from stacks.data_stack import DataStack
from stacks.dependency_layer import ROOT, LayerMissing, layer_folder
from stacks.local_target import endpoints_to_ask_for, leave_out_network_only
from stacks.network_stack import NetworkStack
from stacks.permissions_boundary import bound_every_role
from stacks.settings import LOG_RETENTION, InvalidSetting, Removal, Settings, Target
from stacks.stores import Stores

if TYPE_CHECKING:
    from collections.abc import Mapping


def build_app(outdir: str | None = None, context: Mapping[str, Any] | None = None) -> App:
    """Build the whole application, ready for ``synth()``.

    Args:
        outdir: Where the cloud assembly goes; ``None`` for the CDK's default.
        context: Settings, over those of ``cdk.json`` and under those of the CDK command line.

    Raises:
        InvalidSetting: A setting is unknown or has a value that is not allowed.
        LayerMissing: The functions' third-party code has not been built.
    """
    defaults = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(outdir=outdir, context={**defaults, **(context or {})}, analytics_reporting=False)
    settings = Settings.from_context(
        app.node.get_all_context(), regions=lambda: [region.name for region in RegionInfo.regions]
    )
    where = Environment(account=settings.account, region=settings.region)
    runtime = Runtime(
        source=ROOT / "lambda_src",
        architecture=lambda_.Architecture.custom(settings.architecture),
        log_retention=LOG_RETENTION[settings.log_retention_days],
        removal=RemovalPolicy.RETAIN if settings.removal_policy is Removal.RETAIN else RemovalPolicy.DESTROY,
    )

    name = f"Rolebound-{settings.environment}"
    access = access_table(Stores.of(settings))
    network = NetworkStack(app, f"{name}-Network", settings=settings, access=access, runtime=runtime, env=where)
    endpoints = endpoints_to_ask_for(settings.target, network.endpoint_ids)
    data = DataStack(app, f"{name}-Data", settings=settings, access=access, endpoints=endpoints, env=where)
    data.add_stack_dependency(network, "The stores' policies ask for the endpoints")
    api = ApiStack(
        app,
        f"{name}-Api",
        settings=settings,
        data=data,
        placement=network.placement,
        access=access,
        runtime=runtime,
        dependencies=layer_folder(settings.target, settings.architecture),
        env=where,
    )

    bound_every_role((network, data, api), settings)
    Tags.of(app).add("project", "rolebound")
    Tags.of(app).add("environment", settings.environment)
    if settings.target is Target.LOCAL:
        leave_out_network_only(app)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), CredentialChecks(app, refuse_doubt=True))
    return app


if __name__ == "__main__":
    try:
        build_app().synth()
    except (InvalidSetting, LayerMissing) as error:
        sys.exit(f"rolebound: {error}")
