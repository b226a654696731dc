"""What the rule packs find stops synthesis, and each exception is one of those listed here."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stacks.cloud_assembly import Assembly

SOLUTIONS = "AwsSolutions"
ANY_RESOURCE = "AwsSolutions::AwsSolutions-IAM5[Resource::*]"
INTERFACES = "AwsSolutions::AwsSolutions-IAM5[Resource::arn:aws:ec2:<AWS::Region>:<AWS::AccountId>:network-interface/*]"
PAYLOADS = (
    "AwsSolutions::AwsSolutions-IAM5"
    "[Resource::arn:aws:s3:::rolebound-{environment}-<AWS::AccountId>-<AWS::Region>-payloads/*]"
)

ACKNOWLEDGED = {
    ("Data/Payloads/Resource", "AwsSolutions::AwsSolutions-S1"),
    ("Network/PrefixLists/Finder/Role/DefaultPolicy/Resource", ANY_RESOURCE),
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

LOCALLY = {("Network/Vpc/Resource", "AwsSolutions::AwsSolutions-VPC7")}
"""The local AWS takes no flow log."""

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


def _part_of(assembly: Assembly, path: str) -> str:
    stack, _, rest = path.partition("/")
    return f"{stack.rpartition('-')[2]}/{rest}" if stack.startswith("Rolebound-") else f"{assembly.folder}/{path}"


def test_the_solution_checks_run_and_find_nothing(any_deployment: Assembly) -> None:
    """With every combination of settings that changes the templates."""
    pack = any_deployment.report[SOLUTIONS]
    assert pack["conclusion"] == "success"
    assert pack["violations"] == []
    # They did look: this many findings were accepted.
    assert pack["suppressedViolations"]


def test_no_pack_finds_anything(any_deployment: Assembly) -> None:
    """CloudFormation's own validation and whatever pack is added later included."""
    for name, pack in any_deployment.report.items():
        assert pack["conclusion"] == "success", name
        assert pack["violations"] == [], name


def test_the_accepted_findings_are_those_listed_here(any_deployment: Assembly) -> None:
    """As recorded by synthesis: a new exception fails this test until somebody has read it."""
    recorded = {
        (
            _part_of(any_deployment, violation["acknowledgedAt"]),
            any_deployment.without_place(violation["acknowledgedId"]),
        )
        for pack in any_deployment.report.values()
        for violation in pack["suppressedViolations"]
    }
    assert recorded == _expected(any_deployment)


def test_no_acknowledgement_is_unused(any_deployment: Assembly) -> None:
    """One that hides nothing would hide the next finding that appears there."""
    stated = {(path, any_deployment.without_place(rule)) for path, rule, _ in any_deployment.acknowledgements()}
    assert stated - OF_THE_CDK == _expected(any_deployment)


def test_an_acknowledgement_stands_on_the_one_resource_that_the_finding_is_about(any_deployment: Assembly) -> None:
    """On a construct, a stack or the app it would hide findings that nobody has seen yet."""
    for pack in any_deployment.report.values():
        for violation in pack["suppressedViolations"]:
            paths = [construct["constructPath"] for construct in violation["violatingConstructs"]]
            assert paths == [violation["acknowledgedAt"]]


def test_an_acknowledgement_has_a_pack_a_reason_an_owner_and_an_end(any_deployment: Assembly) -> None:
    """Without the pack it would hide the finding unrecorded; without an end nobody would ever remove it."""
    for path, rule, reason in any_deployment.acknowledgements():
        if (path, rule) in OF_THE_CDK:
            continue
        assert re.fullmatch(r"[A-Za-z]+::\S+", rule)
        assert re.fullmatch(r".{20,} \(owner: [^,()]+, expires: \d{4}-\d\d-\d\d\)", reason), reason


REFUSED = {
    "Refused/Queue": "The SQS queue does not require requests to use SSL.",
    "Refused/Group": "The Security Group allows for 0.0.0.0/0 or ::/0 inbound access.",
    "Refused/Vpc": "The VPC does not have an associated Flow Log.",
}
"""What is wrong with the stack that `cut_off/synthesise.py` adds to the app, in the words of the finding."""


def test_a_bad_stack_does_not_synthesise_and_is_told_why(cut_off: Path) -> None:
    """The packs see what is added to the app later, and a rule that only crashed would not say these words."""
    said = (cut_off / "said.txt").read_text(encoding="utf-8")
    assert "Refused: ValidationFailed" in said
    for words in REFUSED.values():
        assert f"ERROR {words} ({SOLUTIONS})" in said


def test_a_bad_stack_is_refused_for_its_own_faults_only(cut_off: Path) -> None:
    """The rest of the app passes as it does alone, and each finding names the construct at fault."""
    report = json.loads((cut_off / "out-refused" / "validation-report.json").read_text(encoding="utf-8"))
    (pack,) = (pack for pack in report["pluginReports"] if pack["pluginName"] == SOLUTIONS)
    assert pack["conclusion"] == "failure"
    found = {
        (construct["constructPath"], violation["description"])
        for violation in pack["violations"]
        for construct in violation["violatingConstructs"]
    }
    assert found >= set(REFUSED.items())
    assert {path.partition("/")[0] for path, _ in found} == {"Refused"}
