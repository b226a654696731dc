"""What this project grew from, judged: the reported incident's template, network, role and code, and its specimen.

The findings are exactly those that explain it, and none that a reader of the incident would have to wave away.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from credential_rules.engine import check
from credential_rules.registry import all_rules

if TYPE_CHECKING:
    from credential_rules.engine import Report

SEEDS: Final = Path(__file__).with_name("seeds")
SPECIMEN: Final = Path(__file__).parents[2] / "local_aws" / "incident" / "seed_function"

HARVESTS: Final = {
    ("settings.py", "aws_access_key_id: str | None = None"),
    ("settings.py", "aws_secret_access_key: str | None = None"),
}
PASSES_ON: Final = {
    ("clients.py", 'client_kwargs["aws_access_key_id"] = settings.aws_access_key_id'),
    ("clients.py", 'client_kwargs["aws_secret_access_key"] = settings.aws_secret_access_key'),
    ("clients.py", 'resource_kwargs["aws_access_key_id"] = settings.aws_access_key_id'),
    ("clients.py", 'resource_kwargs["aws_secret_access_key"] = settings.aws_secret_access_key'),
}
TRIES_AGAIN: Final = {
    ("queue_service.py", "if error_code in ['InvalidClientTokenId', 'UnrecognizedClientException']:"),
}


def judged(*paths: Path) -> Report:
    """Every rule's report, which names no file that could not be read."""
    report = check(paths, all_rules())
    assert report.errors == {}
    return report


def in_template(report: Report) -> set[tuple[str, str, str, str]]:
    """Rule, severity, resource and property of each finding."""
    return {(found.rule, found.severity, found.resource, found.location) for found in report.findings}


def in_code(report: Report) -> set[tuple[str, str, str]]:
    """Rule, file and line of each finding, the line as it reads."""
    found = set()
    for one in report.findings:
        path, _, number = one.location.rpartition(":")
        line = Path(path).read_text(encoding="utf-8").splitlines()[int(number) - 1]
        found.add((one.rule, Path(path).name, line.strip()))
    return found


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """The seeds' Python, under names by which it is read; here it is text, for it is not ours to lint."""
    for file in SEEDS.glob("*.py.txt"):
        shutil.copy(file, tmp_path / file.name.removesuffix(".txt"))
    return tmp_path


def test_network_of_the_incident_lacks_policies_and_a_closed_group() -> None:
    """Three endpoints without policies, and a group that lets everything out. Their private DNS and ingress are right."""
    assert in_template(judged(SEEDS / "network.yaml")) == {
        ("endpoint-has-scoped-policy", "error", "DynamodbEndpoint", ""),
        ("endpoint-has-scoped-policy", "error", "SqsEndpoint", ""),
        ("endpoint-has-scoped-policy", "error", "StsEndpoint", ""),
        ("no-way-out", "error", "EndpointSecurityGroup", "Properties.SecurityGroupEgress.0.CidrIp"),
    }


def test_role_of_the_incident_is_account_wide() -> None:
    """Every queue, table, network interface and log of the account; its trust and its actions are right."""
    resource = "Properties.Policies.0.PolicyDocument.Statement.{}.Resource"
    report = judged(SEEDS / "role.json")
    assert in_template(report) == {
        ("no-wildcard-resources", "error", "ApiRole", resource.format(statement)) for statement in range(4)
    }
    messages = "\n".join(found.message for found in report.findings)
    for arn in ("arn:aws:sqs:us-east-1:*:*", "arn:aws:dynamodb:us-east-1:*:*", "arn:aws:logs:*:*:*"):
        assert f"'{arn}', which is every resource of that kind" in messages


def test_function_of_the_incident_sets_a_reserved_variable() -> None:
    """AWS_REGION cannot be deployed. Whether it reaches its queue cannot be told without the network's template."""
    assert in_template(judged(SEEDS / "function.yaml")) == {
        ("no-reserved-lambda-environment", "error", "ApiFunction", "Properties.Environment.Variables.AWS_REGION"),
        ("function-reaches-what-it-may-call", "cannot-tell", "ApiFunction", "Properties.VpcConfig.SubnetIds"),
    }


def test_code_of_the_incident_drops_the_session_token(code: Path) -> None:
    """Where the keys are picked up, where they are handed on without their token, and the retry that cannot help."""
    report = judged(*(code / name for name in ("settings.py", "clients.py", "queue_service.py")))
    assert in_code(report) == {("code-uses-its-role", *line) for line in HARVESTS | PASSES_ON | TRIES_AGAIN}
    passed = [found.message for found in report.findings if "clients.py" in found.location]
    assert all("without a session token" in message for message in passed)


def test_quick_question_is_about_its_retry_only(code: Path) -> None:
    """Its clients are made without credentials, which is right: what the question leaves out is the fault."""
    report = judged(*(code / f"quick_question_{part}.py" for part in ("clients", "retry")))
    ((rule, file, line),) = in_code(report)
    assert (rule, file) == ("code-uses-its-role", "quick_question_retry.py")
    assert line.startswith("if e.response['Error']['Code'] in ")


def test_good_advice_of_the_seeds_passes(code: Path) -> None:
    """A function without keys in its environment, and a client without keys."""
    assert judged(SEEDS / "integrating_with_aws.yaml", code / "integrating_with_aws.py").findings == []


def test_specimen_shows_the_same_faults() -> None:
    """What `make incident` runs is what the rules refuse: harvested, handed on twice, retried, and nothing else."""
    report = judged(SPECIMEN)
    assert {(rule, file) for rule, file, _ in in_code(report)} == {
        ("code-uses-its-role", "settings.py"),
        ("code-uses-its-role", "aws.py"),
        ("code-uses-its-role", "queue_service.py"),
    }
    assert {line for _, file, line in in_code(report) if file == "aws.py"} == {line for _, line in PASSES_ON}


def test_all_of_the_incident_in_one_run_adds_nothing(code: Path) -> None:
    """Read together, the parts explain each other: no part becomes wrong because another is there."""
    parts = [SEEDS / "network.yaml", SEEDS / "role.json", SEEDS / "function.yaml", code]
    together = judged(*parts)
    alone = [found for part in parts for found in judged(part).findings]
    assert {(found.rule, found.resource, found.location) for found in together.findings} <= {
        (found.rule, found.resource, found.location) for found in alone
    }
