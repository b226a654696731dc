"""What an operator learns from a failed call."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError  # noqa: TID251 - what clients raise

from event_api.role_clients import CredentialsUnreachable, FailureKind, LongLivedKey, SessionTokenMissing
from event_api.telemetry import CREDENTIAL_ERRORS, METRIC_NAMESPACE, CallFailed, count, report
from tests.lambda_src.made_up import SECRET, TOKEN, told_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lambda_src.conftest import Output

_ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLEBOUND_ENVIRONMENT", "production")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "worker")


def _answered(code: str, status: int, message: str = "in the service's words") -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "request-7"},
    }
    return ClientError(response, "SendMessage")


_CREDENTIAL_FAULTS = {
    "an unknown signer": (_answered("InvalidClientTokenId", 403, f"x-amz-security-token:{TOKEN}"), "credentials"),
    "a wrong signature": (_answered("SignatureDoesNotMatch", 403, f"x-amz-security-token:{TOKEN}"), "credentials"),
    "an expired signer": (_answered("ExpiredToken", 403, f"x-amz-security-token:{TOKEN}"), "expired"),
}


@pytest.mark.parametrize(("error", "kind"), _CREDENTIAL_FAULTS.values(), ids=_CREDENTIAL_FAULTS)
def test_a_credential_fault_is_one_log_line_and_one_metric(
    error: ClientError, kind: str, output: Callable[[], Output]
) -> None:
    """The line says which call, which code and which request; the metric feeds the alarm; neither holds a token."""
    report(error)

    written = output()
    (line,) = written.logs
    assert line["level"] == "ERROR"
    assert line["failure"] == kind
    assert line["code"] == error.response["Error"]["Code"]
    assert line["operation"] == "SendMessage"
    assert line["aws_request_id"] == "request-7"
    assert "Look for code" in line["message"]
    (metric,) = written.metrics
    assert metric[CREDENTIAL_ERRORS] == [1.0]
    assert TOKEN not in written.text


@pytest.mark.parametrize("refusal", [LongLivedKey, SessionTokenMissing, CredentialsUnreachable])
def test_a_refusal_of_the_factory_is_a_credential_fault(refusal: type[Exception], output: Callable[[], Output]) -> None:
    """No request was made, so there is no operation; the text with cause and cure is the message."""
    report(refusal("what is wrong, why, and what to do"))

    written = output()
    (line,) = written.logs
    assert (line["failure"], line["code"]) == ("credentials", refusal.__name__)
    assert line["message"] == "what is wrong, why, and what to do"
    assert len(written.metrics) == 1


_OTHER_FAULTS = {
    "a denial": (_answered("AccessDenied", 403), FailureKind.DENIED),
    "a throttle": (_answered("ThrottlingException", 400), FailureKind.THROTTLED),
    "a missing table": (_answered("ResourceNotFoundException", 400), FailureKind.MISSING),
    "a wrong parameter": (_answered("ValidationException", 400), FailureKind.INVALID),
    "an outage": (_answered("InternalError", 500), FailureKind.UNAVAILABLE),
    "silence": (ReadTimeoutError(endpoint_url="https://sqs.us-east-1.amazonaws.com"), FailureKind.UNAVAILABLE),
    "a fault of ours": (ZeroDivisionError("division by zero"), FailureKind.UNAVAILABLE),
}


@pytest.mark.parametrize(("error", "kind"), _OTHER_FAULTS.values(), ids=_OTHER_FAULTS)
def test_another_fault_is_one_log_line_and_no_metric(
    error: Exception, kind: FailureKind, output: Callable[[], Output]
) -> None:
    """The credential alarm stays quiet about what credentials have nothing to do with."""
    assert report(error).kind is kind

    written = output()
    (line,) = written.logs
    assert line["level"] == "WARNING"
    assert line["failure"] == kind
    assert line["message"]
    assert written.metrics == []


def test_the_metric_carries_the_dimensions_that_the_alarm_asks_for(output: Callable[[], Output]) -> None:
    """Namespace, name and dimensions are those of the monitoring construct: with any other the alarm never fires."""
    asked = _metric_of_the_alarm()

    report(_answered("InvalidClientTokenId", 403))

    (metric,) = output().metrics
    (directive,) = metric["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == METRIC_NAMESPACE == asked["namespace"]
    assert directive["Metrics"] == [{"Name": asked["name"], "Unit": "Count"}]
    (dimensions,) = directive["Dimensions"]
    assert sorted(dimensions) == sorted(asked["dimensions"])
    assert {name: metric[name] for name in dimensions} == {"environment": "production", "service": "worker"}


def _metric_of_the_alarm() -> dict[str, Any]:
    """Read the construct's source: importing it would start jsii."""
    tree = ast.parse((_ROOT / "stacks/constructs/monitoring.py").read_text())
    constants = {
        node.target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    (call,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and any(
            keyword.arg == "metric_name"
            and isinstance(keyword.value, ast.Constant)
            and keyword.value.value == CREDENTIAL_ERRORS
            for keyword in node.keywords
        )
    )
    arguments = {keyword.arg: keyword.value for keyword in call.keywords}
    namespace, dimensions = arguments["namespace"], arguments["dimensions_map"]
    assert isinstance(namespace, ast.Name)
    assert isinstance(dimensions, ast.Dict)
    return {
        "namespace": constants[namespace.id],
        "name": CREDENTIAL_ERRORS,
        "dimensions": [key.value for key in dimensions.keys if isinstance(key, ast.Constant)],
    }


def test_a_count_is_published_at_once(output: Callable[[], Output]) -> None:
    """A crash afterwards does not lose it."""
    count("EventsResent", 3)

    (metric,) = output().metrics
    assert metric["EventsResent"] == [3.0]


_FUNCTION = """
from event_api.role_clients import LongLivedKey
from event_api.telemetry import report

report(LongLivedKey("what is wrong"))
"""


def test_the_log_names_the_function_that_wrote_it() -> None:
    """The service of a line is the one of the metric's dimension: the alarm leads to the log."""
    environ = {**os.environ, "PYTHONPATH": str(_ROOT / "lambda_src")}
    done = subprocess.run([sys.executable, "-c", _FUNCTION], env=environ, capture_output=True, text=True, check=True)

    line, metric = sorted(map(json.loads, done.stdout.splitlines()), key=lambda entry: "_aws" in entry)
    assert line["service"] == metric["service"] == "worker"


def test_what_a_handler_raises_after_a_report_quotes_no_service() -> None:
    """Lambda logs the text of whatever a handler raises; a service may have quoted the session token in its own."""
    raised = CallFailed(report(_answered("SignatureDoesNotMatch", 403, f"x-amz-security-token:{TOKEN} {SECRET}")))

    told = told_by(raised)
    assert TOKEN not in told
    assert SECRET not in told
    for part in ("SendMessage", "SignatureDoesNotMatch", "request-7", "failure=credentials"):
        assert part in str(raised)
