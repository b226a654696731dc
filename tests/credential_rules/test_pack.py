"""In an app: what is rendered is what is judged, and an acknowledgement is an entry with an owner and an end."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from credential_rules import ledger
from credential_rules.registry import all_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs import Construct

    Synthesise = Callable[..., dict[str, Any]]

TODAY = date(2026, 11, 20)
OPTIONS: dict[str, Any] = {
    "today": lambda: TODAY,
    "rules": [
        rule
        for rule in all_rules()
        if rule.slug in {"no-iam-users", "no-wildcard-actions", "code-holds-no-credentials"}
    ],
}
REASON = "moves away in spring (owner: platform-team, expires: 2027-03-31)"


def user(scope: Construct, name: str = "User") -> Any:  # noqa: ANN401 (a jsii construct)
    """A construct that `no-iam-users` refuses."""
    from aws_cdk import CfnResource  # noqa: PLC0415 (starts Node)

    return CfnResource(scope, name, type="AWS::IAM::User")


def acknowledge(construct: Construct, rule: str = "CredentialChecks::no-iam-users", reason: str = REASON) -> None:
    """Acknowledges a rule the way CDK does it."""
    from aws_cdk import Acknowledgment, Validations  # noqa: PLC0415 (starts Node)

    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def names(report: dict[str, Any]) -> list[str]:
    """The rules that were violated."""
    return sorted({violation["ruleName"] for violation in report["violations"]})


def test_findings_carry_construct_path_property_and_remedy(synthesise: Synthesise) -> None:
    """Through L2, raw override, nested stack and stage: each finding leads to its construct and its property."""

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)
        from aws_cdk import aws_iam as iam  # noqa: PLC0415 (starts Node)

        stack = cdk.Stack(app, "Main")
        iam.User(stack, "Typed")
        late = cdk.CfnResource(stack, "Late", type="AWS::SQS::Queue")
        late.add_override("Type", "AWS::IAM::User")
        role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        role.add_to_policy(
            iam.PolicyStatement(actions=["sqs:SendMessage", "sqs:*"], resources=["arn:aws:sqs:eu-west-1:1:q"])
        )
        user(cdk.NestedStack(stack, "Nested"), "Inner")
        user(cdk.Stack(cdk.Stage(app, "Prod"), "Staged"), "Deep")
        cdk.CfnOutput(stack, "Unrelated", value="x")

    def whole(app: Any) -> None:  # noqa: ANN401 (jsii)
        fill(app)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)

        from credential_rules.pack import CredentialChecks  # noqa: PLC0415 (starts Node)

        cdk.Validations.of(app).add_plugins(CredentialChecks(app, **OPTIONS))

    report = synthesise(whole, **OPTIONS)
    assert report["failed"]
    found = {
        construct["constructPath"]: (
            violation["ruleName"],
            construct.get("cloudFormationResource", {}).get("propertyPaths"),
        )
        for violation in report["violations"]
        for construct in violation["violatingConstructs"]
    }
    assert found["Main/Typed/Resource"][0] == "no-iam-users"
    assert found["Main/Late"][0] == "no-iam-users"
    assert found["Main/Nested/Inner"][0] == "no-iam-users"
    assert found["Prod/Staged/Deep"][0] == "no-iam-users"
    assert found["Main/Role/DefaultPolicy/Resource"] == (
        "no-wildcard-actions",
        ["Properties.PolicyDocument.Statement.0.Action.1"],
    )
    assert all(violation["suggestedFix"] for violation in report["violations"])


def test_rule_on_typed_properties_passes_what_the_pack_refuses(synthesise: Synthesise) -> None:
    """The trap: jsii gives `{}` for an L2 function's environment, so a rule written the documented way sees nothing."""
    seen: list[object] = []

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)
        from aws_cdk import aws_lambda  # noqa: PLC0415 (starts Node)

        stack = cdk.Stack(app, "Main")
        function = aws_lambda.Function(
            stack,
            "F",
            runtime=aws_lambda.Runtime.PYTHON_3_14,
            handler="index.handler",
            code=aws_lambda.Code.from_inline('KEY = "AKIAIOSFODNN7EXAMPLE"'),
            environment={"TABLE": "events"},
        )
        typed = function.node.default_child
        assert isinstance(typed, aws_lambda.CfnFunction)
        seen.append(stack.resolve(typed.environment))

    report = synthesise(fill, **OPTIONS)
    assert seen == [{}]
    assert names(report) == ["code-holds-no-credentials"]
    (violation,) = report["violations"]
    assert "…MPLE" in violation["description"]
    assert "AKIAIOSFODNN7" not in json.dumps(report, default=str)


def test_source_of_an_asset_is_reported_on_its_function(synthesise: Synthesise, tmp_path_factory: Any) -> None:  # noqa: ANN401
    """The code is found through the asset's manifest, and named by file and line."""
    code = tmp_path_factory.mktemp("code")
    (code / "app.py").write_text('import boto3\nKEY = "AKIAIOSFODNN7EXAMPLE"\n')

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)
        from aws_cdk import aws_lambda  # noqa: PLC0415 (starts Node)

        aws_lambda.Function(
            cdk.Stack(app, "Main"),
            "F",
            runtime=aws_lambda.Runtime.PYTHON_3_14,
            handler="app.handler",
            code=aws_lambda.Code.from_asset(str(code)),
        )

    (violation,) = synthesise(fill, **OPTIONS)["violations"]
    assert "app.py:2: The source holds the AWS access key id …MPLE" in violation["description"]
    assert violation["violatingConstructs"][0]["constructPath"] == "Main/F/Resource"


def test_cannot_tell_is_shown_and_does_not_fail(synthesise: Synthesise, include_template: Any) -> None:  # noqa: ANN401
    """What only the deployment decides is a warning: nobody could repair the template for it."""
    rule = next(rule for rule in all_rules() if rule.slug == "no-wildcard-actions")
    example = next(example for example in rule.bad if example.severity == "cannot-tell")

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        from credential_rules.reader import parse  # noqa: PLC0415 (beside its only use)

        include_template(app, "Main", parse(example.text))

    report = synthesise(fill, **OPTIONS)
    assert not report["failed"]
    assert [violation["severity"] for violation in report["violations"]] == ["warning"]


def test_an_app_that_refuses_doubt_fails_for_what_cannot_be_told(synthesise: Synthesise, include_template: Any) -> None:  # noqa: ANN401
    """Where everything can be known, a doubt is damage, and must not end in "passes every rule"."""
    rule = next(rule for rule in all_rules() if rule.slug == "no-wildcard-actions")
    example = next(example for example in rule.bad if example.severity == "cannot-tell")

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        from credential_rules.reader import parse  # noqa: PLC0415 (beside its only use)

        include_template(app, "Main", parse(example.text))

    report = synthesise(fill, refuse_doubt=True, **OPTIONS)
    assert report["failed"]
    assert [violation["severity"] for violation in report["violations"]] == ["error"]


@pytest.mark.parametrize(("options", "failed"), [({}, False), ({"refuse_doubt": True}, True)])
def test_source_that_is_no_python_fails_where_doubt_is_refused(
    options: dict[str, bool],
    failed: bool,  # noqa: FBT001 (the answer that is expected)
    synthesise: Synthesise,
    tmp_path_factory: Any,  # noqa: ANN401 (pytest's)
) -> None:
    """Somebody's vendored file is a warning; where all code is one's own, nothing unread may pass."""
    code = tmp_path_factory.mktemp("code")
    (code / "app.py").write_text("def handler(event, context):\n    return {}\n")
    (code / "broken.py").write_text("def handler((event):\n")

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)
        from aws_cdk import aws_lambda  # noqa: PLC0415 (starts Node)

        aws_lambda.Function(
            cdk.Stack(app, "Main"),
            "F",
            runtime=aws_lambda.Runtime.PYTHON_3_14,
            handler="app.handler",
            code=aws_lambda.Code.from_asset(str(code)),
        )

    report = synthesise(fill, **options, **OPTIONS)
    assert report["failed"] is failed
    (violation,) = report["violations"]
    assert "broken.py: This is no valid Python in line 1" in violation["description"]


@pytest.mark.parametrize("at", ["construct", "stack", "app"])
def test_acknowledged_finding_passes_and_is_recorded(at: str, synthesise: Synthesise) -> None:
    """An owner and a date: synth succeeds, and CDK's report keeps the reason."""

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)

        stack = cdk.Stack(app, "Main")
        places = {"construct": user(stack), "stack": stack, "app": app}
        acknowledge(places[at])

    report = synthesise(fill, **OPTIONS)
    assert report["violations"] == []
    assert not report["failed"]
    assert [violation["reason"] for violation in report["suppressed"]] == [REASON]


@pytest.mark.parametrize(
    ("rule", "reason", "kind", "says"),
    [
        ("CredentialChecks::no-iam-users", "because", "acknowledgement-is-well-formed", "who owns it and when it ends"),
        (
            "CredentialChecks::no-iam-users",
            "x (owner: a, expires: 2026-02-30)",
            "acknowledgement-is-well-formed",
            "when it ends",
        ),
        ("no-iam-users", REASON, "acknowledgement-is-well-formed", "names no pack"),
        (
            "CredentialChecks::no-iam-users",
            "x (owner: a, expires: 2026-11-19)",
            "acknowledgement-is-current",
            "expired on 2026-11-19",
        ),
        ("CredentialChecks::no-wildcard-actions", REASON, "acknowledgement-is-used", "covers no finding"),
        ("AwsSolutions::AwsSolutions-IAM5", "because", "acknowledgement-is-well-formed", "who owns it"),
    ],
)
@pytest.mark.parametrize("at", ["construct", "app"])
def test_bad_acknowledgement_fails_synth(
    at: str, rule: str, reason: str, kind: str, says: str, *, synthesise: Synthesise
) -> None:
    """Without pack, owner or date, expired, or covering nothing: a finding of its own."""

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)

        construct = user(cdk.Stack(app, "Main"))
        acknowledge(construct if at == "construct" else app, rule, reason)

    report = synthesise(fill, **OPTIONS)
    assert report["failed"]
    assert says in "\n".join(v["description"] for v in report["violations"] if v["ruleName"] == kind)


def test_the_ledger_itself_cannot_be_acknowledged(synthesise: Synthesise) -> None:
    """Otherwise one entry would hide that all others have expired."""

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)

        user(cdk.Stack(app, "Main"))
        acknowledge(app, "CredentialChecks::acknowledgement-is-current")

    report = synthesise(fill, **OPTIONS)
    assert report["failed"]
    assert "no acknowledgement would ever expire" in report["message"]


def test_ledger_after_synth_knows_what_every_pack_used(synthesise: Synthesise) -> None:
    """What other packs found is known only when all have run; then their unused entries are found too."""

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)

        stack = cdk.Stack(app, "Main")
        construct = user(stack)
        acknowledge(construct)
        acknowledge(construct, "AwsSolutions::AwsSolutions-IAM5")

    folder = synthesise(fill, **OPTIONS)["folder"]
    problems = ledger.problems_after_synth(folder, TODAY)
    assert [(problem.kind, problem.acknowledgement.id) for problem in problems] == [
        ("acknowledgement-is-used", "AwsSolutions::AwsSolutions-IAM5")
    ]
    table = ledger.as_markdown(ledger.read_acknowledgements(folder))
    assert (
        "| `CredentialChecks::no-iam-users` | `Main/User` | moves away in spring | platform-team | 2027-03-31 |"
        in table
    )


def staged(app: Any, *names_of_stages: str) -> dict[str, Any]:  # noqa: ANN401 (jsii)
    """Stages with one stack each; every stack holds a user, and a nested stack with another."""
    import aws_cdk as cdk  # noqa: PLC0415 (starts Node)

    stacks: dict[str, Any] = {}
    for name in names_of_stages:
        stacks[name] = stack = cdk.Stack(cdk.Stage(app, name), "Main")
        user(stack)
        user(cdk.NestedStack(stack, "Nested"), "Inner")
    return stacks


@dataclass
class Context:
    """What CDK hands to a plugin: the stacks that were just synthesised, and the app."""

    stack_templates: list[SimpleNamespace]
    app_construct: Any


@dataclass
class Assembly:
    """A synthesised app that nothing has judged yet."""

    folder: Path
    app: Any

    def template(self, stage: str) -> Path:
        """The template of a stage's stack."""
        found = (self.folder / f"assembly-{stage}").glob("*.template.json")
        return next(file for file in found if ".nested." not in file.name)

    def judged(self, *stages: str) -> Any:  # noqa: ANN401 (jsii)
        """What the pack says when CDK hands it the stacks of these stages."""
        from credential_rules.pack import CredentialChecks  # noqa: PLC0415 (starts Node)

        given = [
            SimpleNamespace(template_path=str(self.template(stage)), stack_construct_path=f"{stage}/Main")
            for stage in stages
        ]
        return CredentialChecks(self.app, **OPTIONS).validate(Context(given, self.app))  # type: ignore[arg-type]


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    """An app of three stages."""
    import aws_cdk as cdk  # noqa: PLC0415 (starts Node)

    folder = tmp_path / "cdk.out"
    app = cdk.App(outdir=str(folder), builtin_cloud_formation_validation=False, analytics_reporting=False)
    staged(app, "A", "B", "C")
    app.synth()
    return Assembly(folder, app)


OPENED: list[Path] = []


@pytest.fixture
def opened() -> Iterator[list[Path]]:
    """The files that are opened meanwhile."""
    OPENED.clear()
    OPENED.append(Path())
    yield OPENED
    OPENED.clear()


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if OPENED and event == "open" and isinstance(arguments[0], str):
        OPENED.append(Path(arguments[0]))


sys.addaudithook(_note)


def test_a_file_is_read_once_and_another_stage_not_at_all(assembly: Assembly, opened: list[Path]) -> None:
    """An app of many stages, each judged by itself, costs what its stages cost: none reads what lies beside it."""
    report = assembly.judged("B")
    assert sorted({one.rule_name for one in report.violations}) == ["no-iam-users"]
    of_assembly = [
        path for path in opened if assembly.folder in path.parents and path.parts[-2].startswith("assembly-")
    ]
    assert assembly.template("B") in of_assembly
    assert any(path.name.endswith(".nested.template.json") for path in of_assembly)
    assert {path.parent.name for path in of_assembly} == {"assembly-B"}
    assert len(of_assembly) == len(set(of_assembly))
    del opened[1:]
    assembly.judged("A", "B", "C")
    of_assembly = [path for path in opened if assembly.folder in path.parents]
    assert len(of_assembly) == len(set(of_assembly))
    assert {path.parent.name for path in of_assembly} >= {"assembly-A", "assembly-B", "assembly-C"}


def test_an_unreadable_template_is_reported_by_its_own_stage(assembly: Assembly) -> None:
    """Once, where it is: the other stages are judged as if it were whole, and its own is not passed."""
    assembly.template("B").write_bytes(b"\x7fELF\0")
    assert {one.rule_name for one in assembly.judged("A").violations} == {"no-iam-users"}
    report = assembly.judged("B")
    (unread,) = (one for one in report.violations if one.rule_name == "everything-was-judged")
    assert "binary" in unread.description
    assert unread.severity == "error"
    assert [at.construct_path for at in unread.violating_resources] == ["B/Main"]
    assert not report.success
    together = assembly.judged("A", "B", "C")
    assert [one.description for one in together.violations if one.rule_name == "everything-was-judged"] == [
        unread.description
    ]


def test_a_damaged_resource_fails_synth_and_the_others_are_judged(assembly: Assembly) -> None:
    """By name, at its stack; nobody takes the rest of the stack for passed."""
    file = assembly.template("B")
    raw = json.loads(file.read_text(encoding="utf-8"))
    raw["Resources"]["Damaged"] = {"Properties": {}}
    file.write_text(json.dumps(raw), encoding="utf-8")
    report = assembly.judged("B")
    (unread,) = (one for one in report.violations if one.rule_name == "everything-was-judged")
    assert "Resource 'Damaged' (line 1) has no 'Type'" in unread.description
    assert [at.construct_path for at in unread.violating_resources] == ["B/Main"]
    assert not report.success
    assert len([one for one in report.violations if one.rule_name == "no-iam-users"]) == 2


def test_a_stack_that_no_manifest_names_is_reported(assembly: Assembly) -> None:
    """What CDK hands over and nobody read was not judged."""
    (assembly.folder / "assembly-B" / "manifest.json").write_text('{"artifacts": {}}')
    report = assembly.judged("A", "B")
    (unread,) = (one for one in report.violations if one.rule_name == "everything-was-judged")
    assert "no manifest names" in unread.description
    assert [at.construct_path for at in unread.violating_resources] == ["B/Main"]


def test_an_unreadable_manifest_is_reported(assembly: Assembly) -> None:
    """Its stacks were not judged."""
    (assembly.folder / "assembly-B" / "manifest.json").write_text("{")
    report = assembly.judged("B")
    assert not report.success
    assert any("manifest.json" in one.description for one in report.violations)


@pytest.mark.parametrize("at", ["stack", "stage", "app"])
def test_an_acknowledgement_is_not_called_unused_by_stages_that_it_is_not_for(at: str, synthesise: Synthesise) -> None:
    """Each stage with a pack of its own: what one of them uses, the others do not refuse."""

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)

        user(stack := cdk.Stack(cdk.Stage(app, "A"), "Main"))
        cdk.CfnResource(cdk.Stack(cdk.Stage(app, "B"), "Main"), "Queue", type="AWS::SQS::Queue")
        acknowledge({"stack": stack, "stage": stack.node.scope, "app": app}[at])

    report = synthesise(fill, **OPTIONS)
    assert report["violations"] == []
    assert not report["failed"]


@pytest.mark.parametrize("at", ["stack", "stage"])
def test_an_acknowledgement_that_its_own_stage_does_not_use_is_refused(at: str, synthesise: Synthesise) -> None:
    """Once: not by the other stages as well."""

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)

        for name in ("A", "B"):
            cdk.CfnResource(cdk.Stack(cdk.Stage(app, name), "Main"), "Queue", type="AWS::SQS::Queue")
        stage = app.node.find_child("A")
        acknowledge(stage.node.find_child("Main") if at == "stack" else stage)

    assert [violation["ruleName"] for violation in synthesise(fill, **OPTIONS)["violations"]] == [
        "acknowledgement-is-used"
    ]
