"""What the rule packs find stops synthesis, and each exception is one of those listed here."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from credential_rules.ledger import as_markdown, read_acknowledgements
from stacks.dependency_layer import ROOT
from tests.stacks.cloud_assembly import STACKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stacks.cloud_assembly import Assembly

SOLUTIONS = "AwsSolutions"
CREDENTIALS = "CredentialChecks"
ANY_RESOURCE = "AwsSolutions::AwsSolutions-IAM5[Resource::*]"
INTERFACES = "AwsSolutions::AwsSolutions-IAM5[Resource::arn:aws:ec2:<AWS::Region>:<AWS::AccountId>:network-interface/*]"
PAYLOADS = (
    "AwsSolutions::AwsSolutions-IAM5"
    "[Resource::arn:aws:s3:::rolebound-{environment}-<AWS::AccountId>-<AWS::Region>-payloads/*]"
)

ACKNOWLEDGED = {
    ("Data/Payloads/Resource", "AwsSolutions::AwsSolutions-S1"),
    ("Network/PrefixLists/Finder/Role/DefaultPolicy/Resource", ANY_RESOURCE),
    ("Network/DefaultGroup/Closer/Role/DefaultPolicy/Resource", ANY_RESOURCE),
    ("Api/Api/Role/DefaultPolicy/Resource", ANY_RESOURCE),
    ("Api/Api/Role/DefaultPolicy/Resource", INTERFACES),
    ("Api/Api/Role/DefaultPolicy/Resource", PAYLOADS),
    ("Api/Authorizer/Role/DefaultPolicy/Resource", ANY_RESOURCE),
    ("Api/Authorizer/Role/DefaultPolicy/Resource", INTERFACES),
    ("Api/Worker/Role/DefaultPolicy/Resource", ANY_RESOURCE),
    ("Api/Worker/Role/DefaultPolicy/Resource", INTERFACES),
    ("Api/Sweeper/Role/DefaultPolicy/Resource", ANY_RESOURCE),
    ("Api/Sweeper/Role/DefaultPolicy/Resource", INTERFACES),
    ("Api/HttpApi/Api/GET--v1--health/Resource", "AwsSolutions::AwsSolutions-APIG4"),
}
"""Every finding that is accepted: on which resource, and which. A new one is added here in sight of a reviewer."""

OF_THE_CDK = {
    ("Network/Vpc/Flow", "CloudFormation-Validate::F3002"),
    ("Network/Vpc/Flow", "CloudFormation-Validate::F3003"),
}
"""What the flow log's construct brings along itself; it hides nothing here."""

APP = "the app"
LOCALLY = {
    ("Network/Vpc/Resource", "AwsSolutions::AwsSolutions-VPC7"),
    (APP, "CredentialChecks::function-reaches-what-it-may-call"),
}
"""The local AWS takes no flow log and no rules between groups, and carries no packets that either would matter to."""

EVERY = ("dev", "prod", "small", "x86", "local")


@pytest.fixture(params=EVERY)
def any_deployment(request: pytest.FixtureRequest) -> Assembly:
    """Each deployment, the local one included."""
    assembly: Assembly = request.getfixturevalue(request.param)
    return assembly


def _expected(assembly: Assembly) -> set[tuple[str, str]]:
    environment = assembly.context.get("environment", "dev")
    more = LOCALLY if assembly.context.get("target") == "local" else set()
    return {(path, rule.replace("{environment}", environment)) for path, rule in ACKNOWLEDGED | more}


def _recorded(assembly: Assembly) -> Iterator[tuple[str, str, list[str]]]:
    """Give each accepted finding as synthesis recorded it: where it is acknowledged, under which name, what it is of."""
    parts = {assembly.stack(part): part for part in STACKS}
    for pack in assembly.report.values():
        for violation in pack["suppressedViolations"]:
            # An acknowledgement at the app stands nowhere in particular.
            stack, _, rest = violation.get("acknowledgedAt", "").partition("/")
            at = f"{parts[stack]}/{rest}" if stack else APP
            of = [construct["constructPath"] for construct in violation["violatingConstructs"]]
            for name, part in parts.items():
                of = [path.replace(f"{name}/", f"{part}/") for path in of]
            yield at, assembly.without_place(violation["acknowledgedId"]), of


def test_the_solution_checks_run_and_find_nothing(any_deployment: Assembly) -> None:
    """With every combination of settings that changes the templates. That they look is shown by what was accepted."""
    pack = any_deployment.report[SOLUTIONS]
    assert pack["conclusion"] == "success"
    assert pack["suppressedViolations"]


def test_no_pack_finds_anything(any_deployment: Assembly) -> None:
    """Our own and CloudFormation's validation included; the report names a pack only if it has something to say."""
    for name, pack in any_deployment.report.items():
        assert pack["conclusion"] == "success", name
        assert pack["violations"] == [], name


def test_the_accepted_findings_are_those_listed_here(any_deployment: Assembly) -> None:
    """As recorded by synthesis: a new exception fails this test until somebody has read it."""
    assert {(at, rule) for at, rule, _ in _recorded(any_deployment)} == _expected(any_deployment)


def test_no_acknowledgement_is_unused(any_deployment: Assembly) -> None:
    """One that hides nothing would hide the next finding that appears there."""
    stated = {(path, any_deployment.without_place(rule)) for path, rule, _ in any_deployment.acknowledgements()}
    assert stated - OF_THE_CDK == {(path, rule) for path, rule in _expected(any_deployment) if path != APP}


def test_an_acknowledgement_stands_on_the_one_resource_that_the_finding_is_about(any_deployment: Assembly) -> None:
    """On a construct, a stack or the app it would hide findings that nobody has seen yet: only locally there is one."""
    for at, rule, found_at in _recorded(any_deployment):
        assert found_at == [at] or (at, rule) in LOCALLY


def test_nothing_is_acknowledged_for_the_whole_app_but_locally(any_deployment: Assembly) -> None:
    """What is deployed to AWS has no exception that covers more than its own resource."""
    whole = {rule for at, rule, _ in _recorded(any_deployment) if at == APP}
    assert bool(whole) == (any_deployment.context.get("target") == "local")


def test_an_acknowledgement_has_a_pack_a_reason_an_owner_and_an_end(any_deployment: Assembly) -> None:
    """Without the pack it would hide the finding unrecorded; without an end nobody would ever remove it."""
    for path, rule, reason in any_deployment.acknowledgements():
        if (path, rule) in OF_THE_CDK:
            continue
        assert re.fullmatch(r"[A-Za-z]+::\S+", rule)
        assert re.fullmatch(r".{20,} \(owner: [^,()]+, expires: \d{4}-\d\d-\d\d\)", reason), reason


REFUSED = {
    ("Refused/Queue", "The SQS queue does not require requests to use SSL.", SOLUTIONS),
    ("Refused/Group", "The Security Group allows for 0.0.0.0/0 or ::/0 inbound access.", SOLUTIONS),
    ("Refused/Vpc", "The VPC does not have an associated Flow Log.", SOLUTIONS),
    (
        "Refused/User",
        "'User' is an IAM user: its keys and password are valid until somebody removes them.",
        CREDENTIALS,
    ),
}
"""What is wrong with the stack that `cut_off/synthesise.py` adds to the app, in the words of the finding."""


def test_a_bad_stack_does_not_synthesise_and_is_told_why(cut_off: Path) -> None:
    """The packs see what is added to the app later, and a rule that only crashed would not say these words."""
    said = (cut_off / "said.txt").read_text(encoding="utf-8")
    assert "Refused: ValidationFailed" in said
    for _, words, pack in REFUSED:
        assert f"ERROR {words} ({pack})" in said


def test_a_bad_stack_is_refused_for_its_own_faults_only(cut_off: Path) -> None:
    """The rest of the app passes as it does alone, and each finding names the construct at fault."""
    report = json.loads((cut_off / "out-refused" / "validation-report.json").read_text(encoding="utf-8"))
    failed = {pack["pluginName"] for pack in report["pluginReports"] if pack["conclusion"] == "failure"}
    assert failed == {SOLUTIONS, CREDENTIALS}
    found = {
        (construct["constructPath"], violation["description"], pack["pluginName"])
        for pack in report["pluginReports"]
        for violation in pack["violations"]
        for construct in violation["violatingConstructs"]
    }
    assert found >= REFUSED
    assert {path.partition("/")[0] for path, _, _ in found} == {"Refused"}


def test_page_of_acknowledgements_is_fresh(dev: Assembly) -> None:
    """docs/acknowledgements.md lists what `cdk.json` alone gives; `make docs` writes it."""
    written = (ROOT / "docs" / "acknowledgements.md").read_text(encoding="utf-8")
    assert written == as_markdown(read_acknowledgements(dev.folder))
