"""The deployment's helper: names prefix lists, and never leaves CloudFormation without an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.lambda_src.conftest import Context
from tests.lambda_src.made_up import KEY_ID, SECRET, TOKEN, traces
from tests.lambda_src.recording_server import DROPPED, Answer, Recorded, RecordingServer, fault, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_ASK = "DescribeManagedPrefixLists"
_NAMES = ["com.amazonaws.us-east-1.s3", "com.amazonaws.us-east-1.dynamodb"]


def _found(*entries: tuple[str, str]) -> Answer:
    items = "".join(
        f"<item><prefixListId>{found}</prefixListId><prefixListName>{name}</prefixListName></item>"
        for name, found in entries
    )
    return text(f"<R><requestId>r</requestId><prefixListSet>{items}</prefixListSet></R>")


_BOTH = _found((_NAMES[0], "pl-1"), (_NAMES[1], "pl-2"))


def _request(server: RecordingServer, **changes: object) -> dict[str, Any]:
    return {
        "RequestType": "Create",
        "ResponseURL": f"{server.url}/cloudformation?signature=made-up",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/network/1",
        "RequestId": "cloudformation-1",
        "LogicalResourceId": "PrefixLists",
        "ResourceProperties": {"Names": _NAMES},
    } | changes


def _answer(server: RecordingServer) -> dict[str, Any]:
    (answer,) = server.of("PUT cloudformation")
    assert answer.path == "/cloudformation?signature=made-up"
    told = answer.json
    assert told["StackId"] == "arn:aws:cloudformation:us-east-1:123456789012:stack/network/1"
    assert told["RequestId"] == "cloudformation-1"
    assert told["LogicalResourceId"] == "PrefixLists"
    assert told["PhysicalResourceId"] == "gateway-prefix-lists"
    assert len(answer.body) < 4096
    return told


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_the_ids_are_told_by_service(kind: str, deployed: RecordingServer, start: Callable[[str], ModuleType]) -> None:
    """The template reads them as attributes named after the service."""
    deployed.script(_ASK, _BOTH)

    start("prefix_lists").handler(_request(deployed, RequestType=kind), Context())

    told = _answer(deployed)
    assert told["Status"] == "SUCCESS"
    assert told["Data"] == {"s3": "pl-1", "dynamodb": "pl-2"}


def test_a_deletion_asks_nothing(deployed: RecordingServer, start: Callable[[str], ModuleType]) -> None:
    """A stack can be deleted whatever has become of the role's permissions."""
    start("prefix_lists").handler(_request(deployed, RequestType="Delete"), Context())

    assert _answer(deployed)["Status"] == "SUCCESS"
    assert deployed.operations == ["PUT cloudformation"]


_REFUSALS: dict[str, tuple[Answer | Callable[[Recorded], Answer], str]] = {
    "denied": (fault("UnauthorizedOperation", "You are not authorized", status=403), "UnauthorizedOperation"),
    "unknown signer": (fault("AuthFailure", f"x-amz-security-token:{TOKEN}", status=401), "AuthFailure"),
    "dropped": (DROPPED, "ConnectionClosedError"),
    "a web page": (text(f"<html>{TOKEN}"), "ResponseParserError"),
    "one is missing": (_found((_NAMES[0], "pl-1")), "com.amazonaws.us-east-1.dynamodb"),
    "none": (_found(), "com.amazonaws.us-east-1.s3"),
}


@pytest.mark.parametrize(("answer", "reason"), _REFUSALS.values(), ids=_REFUSALS)
def test_a_failure_is_answered_with_its_reason(
    answer: Answer, reason: str, deployed: RecordingServer, start: Callable[[str], ModuleType]
) -> None:
    """The deployment fails at once and says why; without an answer it would wait for an hour."""
    deployed.script(_ASK, answer)

    start("prefix_lists").handler(_request(deployed), Context())

    told = _answer(deployed)
    assert told["Status"] == "FAILED"
    assert reason in told["Reason"]
    assert traces(str(told), key_id=KEY_ID, secrets=(SECRET, TOKEN)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"ResourceProperties": {}},
        {"ResourceProperties": None},
        {"ResourceProperties": {"Names": None}},
        {"ResourceProperties": {"Names": "com.amazonaws.us-east-1.s3"}},
        {"ResourceProperties": {"Names": [7]}},
        {"ResourceProperties": {"Names": ["\ud800"]}},
    ],
    ids=ascii,
)
def test_a_malformed_request_is_answered_as_well(
    changes: dict[str, Any],
    deployed: RecordingServer,
    start: Callable[[str], ModuleType],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A mistake in the template is told in the deployment, not by an hour's silence."""
    start("prefix_lists").handler(_request(deployed, **changes), Context())

    told = _answer(deployed)
    assert told["Status"] == "FAILED"
    # A reason that points at the log has left its trace there.
    assert ("/aws/lambda/under-test" in told["Reason"]) == ("Traceback" in caplog.text)
    assert told["Reason"]


def test_bad_credentials_are_the_reason_of_a_failed_deployment(
    deployed: RecordingServer, start: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start-up does not crash, since then nobody would answer."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "")

    start("prefix_lists").handler(_request(deployed), Context())

    told = _answer(deployed)
    assert told["Status"] == "FAILED"
    assert "SessionTokenMissing: The key in the environment" in told["Reason"]
    assert deployed.operations == ["PUT cloudformation"]


def test_an_answer_that_does_not_arrive_fails_the_invocation(
    deployed: RecordingServer, start: Callable[[str], ModuleType]
) -> None:
    """Lambda then invokes the function again, which is CloudFormation's second chance."""
    deployed.script(_ASK, _BOTH)
    deployed.script("PUT cloudformation", Answer(status=503))

    with pytest.raises(OSError, match="503"):
        start("prefix_lists").handler(_request(deployed), Context())
