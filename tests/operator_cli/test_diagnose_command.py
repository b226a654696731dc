"""`rolebound diagnose`: what it prints."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from operator_cli.__main__ import main
from operator_cli.commands.diagnose import _named_region, examine, tell
from operator_cli.diagnosis.cause import Slug
from operator_cli.diagnosis.conclusion import as_json
from operator_cli.diagnosis.deployed_function import permissions
from operator_cli.exit_status import ExitStatus
from operator_cli.output import Output
from tests.operator_cli.diagnosis.faults import FAULTS
from tests.operator_cli.diagnosis.recorded import NAME, Recorded

if TYPE_CHECKING:
    from tests.operator_cli.conftest import Said


def told(recorded: Recorded) -> str:
    """Give what is printed of the recorded function, into a file."""
    stdout = io.StringIO()
    tell(examine(recorded, NAME), Output(stdout=stdout, stderr=io.StringIO(), environ={}))
    return stdout.getvalue()


def test_a_cause_is_told_with_its_evidence_and_what_to_do(no_secret_printed: Said) -> None:
    """One line each, so that they can be searched; no colour in a file."""
    recorded = Recorded()
    FAULTS["key-without-token"].plant(recorded)
    FAULTS["no-queue-endpoint"].plant(recorded)
    recorded.logs("An error occurred (InvalidClientTokenId) when calling the SendMessage operation")
    text = told(recorded)
    no_secret_printed.see(text)
    lines = text.splitlines()
    assert lines[0] == "arn:aws:lambda:eu-west-1:123456789012:function:events-api"
    assert "1. explicit-key-without-token  certain" in lines
    assert "2. missing-endpoint  likely" in lines
    assert any(line.startswith("   evidence  app/other.py:5, app/other.py:6: ") for line in lines)
    assert any(line.startswith("   do next   Create clients without credentials") for line in lines)
    assert "\x1b" not in text


def test_what_cannot_be_told_is_told_with_the_permission_that_it_needs() -> None:
    """It stands apart from the causes."""
    recorded = Recorded()
    recorded.refused = {"iam:GetRolePolicy"}
    text = told(recorded)
    assert "Cannot tell" in text
    assert "Needs iam:GetRolePolicy." in text
    assert "Nothing wrong" not in text


def test_a_healthy_function_is_said_to_be_so() -> None:
    """In one sentence."""
    assert "Nothing wrong" in told(Recorded())


def test_the_permissions_are_printed_without_asking_anybody(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever lacks them cannot ask."""
    assert main(["diagnose", "--permissions", "events-api"]) == ExitStatus.GOOD
    assert json.loads(capsys.readouterr().out) == permissions("events-api")


def test_no_function_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """With the command line that is meant."""
    assert main(["diagnose"]) == ExitStatus.WRONG_USAGE
    assert "rolebound diagnose FUNCTION" in capsys.readouterr().err


def test_errors_of_another_kind_are_named_and_what_was_judged_is_said_to_be_right() -> None:
    """Each invocation fails, and not with AWS: that is no "nothing wrong". Type and first line, without their secrets."""
    recorded = Recorded()
    recorded.logs(
        "[ERROR] KeyError: 'ORDER_ID'\nTraceback (most recent call last):\n  File ...",
        "[ERROR] OperationalError: connection to postgres://ada:hunter2-Kx@10.0.0.5:5432/db failed: Connection timed out\n",
    )
    diagnosis = examine(recorded, NAME)
    assert not diagnosis.is_healthy
    assert [cause.slug for cause in diagnosis.causes] == [Slug.NOT_CREDENTIALS]
    text = told(recorded)
    assert "Nothing wrong with credentials, network path or permissions, as far as they were read." in text
    assert "KeyError: 'ORDER_ID'" in text
    assert "OperationalError: connection to postgres://" in text
    assert "hunter2" not in text + json.dumps(as_json(diagnosis))


def test_an_error_of_another_kind_beside_one_of_credentials_is_its_echo() -> None:
    """The program's own exception says less than AWS's."""
    recorded = Recorded()
    recorded.logs(
        "An error occurred (ExpiredToken) when calling the PutItem operation", "[ERROR] OrderFailed: could not store"
    )
    assert "another kind" not in told(recorded)


@pytest.mark.parametrize(
    ("function", "variables", "region"),
    [
        (NAME, {"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        (NAME, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}, "eu-west-1"),
        (NAME, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        (NAME, {"AWS_DEFAULT_REGION": "us-east-1"}, None),
        (f"arn:aws:lambda:eu-north-1:123456789012:function:{NAME}", {"AWS_REGION": "eu-west-1"}, "eu-north-1"),
    ],
)
def test_the_region_is_the_one_that_the_operator_set(
    function: str, variables: dict[str, str], region: str | None
) -> None:
    """As for a deployment; and where boto3 would take another, it is said."""
    stderr = io.StringIO()
    assert _named_region(function, Output(stdout=io.StringIO(), stderr=stderr, environ=variables)) == region
    differs = region == "eu-west-1" != variables.get("AWS_DEFAULT_REGION")
    assert ("from AWS_REGION" in stderr.getvalue()) == differs
