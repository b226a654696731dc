"""What the tests of the rules share: templates from text, and apps that are really synthesised."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from credential_rules.index import Index
from credential_rules.reader import read_template

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from credential_rules.template import Template


@pytest.fixture
def template(tmp_path: Path) -> Callable[..., Template]:
    """Reads a template from its text; `name` tells several apart."""

    def read(text: str, name: str = "template.yaml") -> Template:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        found = read_template(file)
        Index([found])
        return found

    return read


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """Synthesises an app that a function fills, with the pack, and answers what CDK reports of it.

    Gives `violations` and `suppressed` as CDK writes them, whether synth `failed` with which `message`, and the assembly's `folder`.
    """

    def synth(fill: Callable[[Any], None], **options: Any) -> dict[str, Any]:  # noqa: ANN401 (the pack's options)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node: only for the tests that need it)

        from credential_rules.pack import CredentialChecks  # noqa: PLC0415 (as above)

        folder = tmp_path_factory.mktemp("app") / "cdk.out"
        app = cdk.App(outdir=str(folder), builtin_cloud_formation_validation=False, analytics_reporting=False)
        fill(app)
        # A stage is judged by itself: examples of one app do not see each other's exports.
        scopes = [child for child in app.node.children if cdk.Stage.is_stage(child)] or [app]
        for scope in scopes:
            cdk.Validations.of(scope).add_plugins(CredentialChecks(scope, **options))
        message = ""
        try:
            app.synth()
        except RuntimeError as error:
            if "ValidationFailed" not in str(error):
                raise
            message = str(error)
        file = folder / "validation-report.json"
        reports = json.loads(file.read_text(encoding="utf-8"))["pluginReports"] if file.is_file() else []
        ours = [report for report in reports if report["pluginName"] == "CredentialChecks"]
        assert bool(message) == any(report["conclusion"] == "failure" for report in ours)
        return {
            "folder": folder,
            "failed": bool(message),
            "message": message,
            "violations": [violation for report in ours for violation in report["violations"]],
            "suppressed": [violation for report in ours for violation in report.get("suppressedViolations", [])],
        }

    return synth


@pytest.fixture(scope="session")
def include_template(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Adds a stack to an app that holds a given template, resource by resource."""

    def include(app: Any, name: str, raw: dict[str, Any]) -> Any:  # noqa: ANN401 (jsii types)
        import aws_cdk as cdk  # noqa: PLC0415 (as above)
        from aws_cdk import cloudformation_include  # noqa: PLC0415 (as above)

        # Under a type that CDK does not know it leaves properties as they are; the real type comes back below.
        hidden = {key: {**resource, "Type": "Raw::As::Written"} for key, resource in raw["Resources"].items()}
        file = tmp_path_factory.mktemp("raw") / "template.json"
        file.write_text(json.dumps({**raw, "Resources": hidden}), encoding="utf-8")
        stack = cdk.Stack(app, name, synthesizer=cdk.LegacyStackSynthesizer())
        included = cloudformation_include.CfnInclude(stack, "Raw", template_file=str(file))
        for key, resource in raw["Resources"].items():
            included.get_resource(key).add_override("Type", resource["Type"])
        return stack

    return include
