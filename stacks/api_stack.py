"""The functions, their roles and grants, the HTTP API in front of them, and the alarms behind them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from stacks.access import Path, key_uses
from stacks.acknowledgements import acknowledge_wildcard
from stacks.constructs.event_http_api import EventHttpApi
from stacks.constructs.monitoring import Monitoring
from stacks.constructs.role_function import RoleFunction
from stacks.constructs.timer import Timer
from stacks.data_stack import WORKER_TIMEOUT
from stacks.settings import Function, Service

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Sequence

    from constructs import Construct

    from stacks.access import Access
    from stacks.constructs.role_function import Placement, Runtime
    from stacks.data_stack import DataStack
    from stacks.settings import Settings

_API_TIMEOUT: Final = Duration.seconds(28)
"""Longer than the slowest call of the client factory, shorter than the 30 s that API Gateway waits.

For an authorizer it waits only 10 s. The function goes on all the same, so that its log says which call hung.
"""

_SWEEP_EVERY: Final = Duration.minutes(1)

_SWEEP_TIMEOUT: Final = Duration.minutes(5)
"""Long enough that slow calls do not end a sweep at its first events. Sweeps may overlap: each event is claimed first."""


class ApiStack(Stack):
    """Everything that runs.

    Attributes:
        functions: Each function with its role and log group.
    """

    functions: dict[Function, RoleFunction]

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        data: DataStack,
        placement: Placement,
        access: Sequence[Access],
        runtime: Runtime,
        dependencies: pathlib.Path,
        **kwargs: Any,  # noqa: ANN401 - StackProps, handed through
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        layer = lambda_.LayerVersion(
            self,
            "Dependencies",
            layer_version_name=f"{settings.prefix}-dependencies",
            code=lambda_.Code.from_asset(str(dependencies)),
            description="Third-party code, from wheels by hash",
            compatible_architectures=[runtime.architecture],
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_14],
            removal_policy=runtime.removal,
        )
        with_dependencies = replace(runtime, layers=(layer,))

        def role_function(
            function: Function, description: str, timeout: Duration, variables: dict[str, str]
        ) -> RoleFunction:
            return RoleFunction(
                self,
                function.capitalize(),
                entry=function,
                function_name=settings.function_name(function),
                role_name=settings.role_name(function),
                description=description,
                runtime=with_dependencies,
                timeout=timeout,
                memory_mb=512,
                placement=placement,
                environment={
                    "ROLEBOUND_ENVIRONMENT": settings.environment,
                    "POWERTOOLS_SERVICE_NAME": function,
                    **variables,
                },
            )

        events = {"EVENTS_TABLE": data.events.table_name}
        queue = {"EVENT_QUEUE_URL": data.event_queue.queue_url}
        self.functions = {
            Function.API: role_function(
                Function.API,
                "Accepts events and gives them to their tenants",
                _API_TIMEOUT,
                {
                    **events,
                    **queue,
                    "PAYLOAD_BUCKET": data.payloads.bucket_name,
                    "RETENTION_DAYS": str(settings.event_retention_days),
                    "ROLE_CHECK": "on" if Service.STS in settings.endpoints else "off",
                },
            ),
            Function.AUTHORIZER: role_function(
                Function.AUTHORIZER,
                "Turns an API key into a tenant",
                _API_TIMEOUT,
                {"API_KEYS_TABLE": data.api_keys.table_name},
            ),
            Function.WORKER: role_function(
                Function.WORKER, "Makes accepted events available", WORKER_TIMEOUT, {**events}
            ),
            Function.SWEEPER: role_function(
                Function.SWEEPER, "Sends again what got lost on the way", _SWEEP_TIMEOUT, {**events, **queue}
            ),
        }

        for entry in access:
            if entry.needs_grant:
                self.functions[entry.function].role.add_to_policy(
                    iam.PolicyStatement(actions=list(entry.actions), resources=[entry.resource])
                )
            if entry.path is Path.LAMBDA:
                self.functions[entry.function].keep_from_code(*entry.actions)
            if entry.service is Service.S3:
                acknowledge_wildcard(
                    self.functions[entry.function].role.node.find_child("DefaultPolicy"),
                    entry.resource,
                    "The objects are made as events arrive, under their tenant's and their own id.",
                )

        if data.key is not None:
            for (function, service), actions in key_uses(access).items():
                self.functions[function].role.add_to_policy(
                    iam.PolicyStatement(
                        actions=sorted(actions),
                        resources=[data.key.key_arn],
                        conditions={"StringEquals": {"kms:ViaService": f"{service}.{self.region}.{self.url_suffix}"}},
                    )
                )

        worker = self.functions[Function.WORKER]
        mapping = lambda_.EventSourceMapping(
            self,
            "EventQueueToWorker",
            target=worker.function,
            event_source_arn=data.event_queue.queue_arn,
            batch_size=10,
            report_batch_item_failures=True,
        )
        # Lambda tries the role's permission on the queue when the mapping is made.
        mapping.node.add_dependency(worker.role)

        Timer(
            self,
            "Sweep",
            every=_SWEEP_EVERY,
            target=self.functions[Function.SWEEPER].function,
            description="Looks for accepted events that did not become available",
        )

        api = EventHttpApi(
            self,
            "HttpApi",
            name=settings.prefix,
            handler=self.functions[Function.API].function,
            authorizer=self.functions[Function.AUTHORIZER].function,
            log_retention=runtime.log_retention,
            log_removal=runtime.removal,
        )

        Monitoring(
            self,
            "Monitoring",
            name=settings.prefix,
            environment=settings.environment,
            functions={name: entry.function for name, entry in self.functions.items()},
            event_queue=data.event_queue,
            dead_letters=data.dead_letters,
            http_api=api.http_api,
            topic_arn=settings.alarm_topic,
        )

        CfnOutput(self, "ApiUrl", value=api.url)
        CfnOutput(self, "ApiId", value=api.http_api.api_id)
