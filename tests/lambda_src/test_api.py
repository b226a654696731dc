"""The API function: every operation, and every way in which one can fail."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from event_api.events import MAX_BODY_BYTES
from tests.lambda_src.conftest import Context
from tests.lambda_src.event_table import EventTable
from tests.lambda_src.made_up import KEY_ID, LONG_LIVED_KEY_ID, SECRET, TOKEN, traces
from tests.lambda_src.recording_server import DROPPED, ROLE_ARN, Answer, Recorded, RecordingServer, fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from tests.lambda_src.conftest import Output

_BODY = '{"type":"order.created","data":{"id": 7}}'
_QUOTED = f"The Canonical String should have been 'x-amz-security-token:{TOKEN}'"


class Api:
    """The function, asked as API Gateway asks it."""

    def __init__(self, module: ModuleType) -> None:
        self._handler = module.handler

    def __call__(self, route: str, **event: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of an event
        """Send one request of the tenant acme."""
        response: dict[str, Any] = self._handler(
            {
                "version": "2.0",
                "routeKey": route,
                "requestContext": {"requestId": "request-1", "authorizer": {"lambda": {"tenant_id": "acme"}}},
                "isBase64Encoded": False,
                **event,
            },
            Context(),
        )
        return response

    def accept(self, body: str = _BODY) -> dict[str, Any]:
        """Send an event."""
        return self("POST /v1/events", body=body)

    def read(self, event_id: str) -> dict[str, Any]:
        """Ask for an event."""
        return self("GET /v1/events/{id}", pathParameters={"id": event_id})


@pytest.fixture
def table(deployed: RecordingServer) -> EventTable:
    """Give the table behind the function."""
    return EventTable(deployed)


@pytest.fixture
def api(table: EventTable, start: Callable[[str], ModuleType]) -> Api:
    """Start the function in good health."""
    del table
    return Api(start("api"))


def _body(response: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(response["body"])
    return body


def _assert_problem(response: dict[str, Any], slug: str, status: int, *, retry: bool = False) -> None:
    assert response["statusCode"] == status
    assert response["headers"]["content-type"] == "application/problem+json"
    assert ("retry-after" in response["headers"]) is retry
    body = _body(response)
    assert body["type"] == f"urn:rolebound:problem:{slug}"
    assert body["status"] == status
    assert body["request_id"] == "request-1"
    assert body["title"]
    assert body["detail"]


def test_an_event_is_accepted_and_told_where_it_is(api: Api, table: EventTable) -> None:
    """202 with the id and the path under which it can be read; the request's id is kept with it."""
    response = api.accept()

    assert response["statusCode"] == 202
    body = _body(response)
    assert body == {"id": body["id"], "status": "accepted"}
    assert response["headers"]["location"] == f"/v1/events/{body['id']}"
    assert list(table.items) == [("acme", body["id"])]
    assert table.only()["request_id"] == {"S": "request-1"}


def test_an_accepted_event_can_be_read_back_byte_for_byte(api: Api) -> None:
    """Type, status and times beside the very bytes of the payload."""
    data = '{"id": 1.0000, "name":"\\u00e9é", "id":2}'
    accepted = _body(api.accept(f'{{"type":"order.created","data":{data}}}'))

    response = api.read(accepted["id"])

    assert response["statusCode"] == 200
    assert f'"data":{data}' in response["body"]
    event = _body(response)
    assert (event["id"], event["type"], event["status"]) == (accepted["id"], "order.created", "accepted")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["accepted_at"])
    assert "available_at" not in event


def test_a_body_in_base64_is_an_event_as_well(api: Api) -> None:
    """API Gateway encodes the body of a request whose content type it does not know."""
    response = api("POST /v1/events", body=base64.b64encode(_BODY.encode()).decode(), isBase64Encoded=True)

    assert response["statusCode"] == 202


def test_an_event_is_accepted_although_the_queue_cannot_be_told(
    api: Api, table: EventTable, deployed: RecordingServer, output: Callable[[], Output]
) -> None:
    """What is stored is answered 202: the sweeper tells the queue later."""
    deployed.script("SendMessage", fault("InvalidClientTokenId", status=403))

    response = api.accept()

    assert response["statusCode"] == 202
    assert "pending" in table.only()
    assert deployed.operations == ["PutItem", "SendMessage"]
    (line,) = output().logs
    assert (line["failure"], line["request_id"]) == ("credentials", "request-1")


def test_an_event_whose_stores_answer_got_lost_is_accepted_once(
    api: Api, table: EventTable, deployed: RecordingServer
) -> None:
    """The SDK repeats the write, finds its own item, and the client gets its one 202."""

    def lost(request: Recorded) -> Answer:
        table.put(request)
        return DROPPED

    deployed.script("PutItem", lost, table.put)

    response = api.accept()

    assert response["statusCode"] == 202
    assert list(table.items) == [("acme", _body(response)["id"])]
    assert deployed.operations == ["PutItem", "PutItem", "SendMessage"]


def test_health_makes_no_call(api: Api, deployed: RecordingServer) -> None:
    """It tells that the function runs, and nothing about AWS."""
    response = api("GET /v1/health")

    assert (response["statusCode"], _body(response)) == (200, {"status": "ok"})
    assert deployed.requests == []


def test_readiness_tells_the_role_and_what_is_reached(api: Api, deployed: RecordingServer) -> None:
    """The role's ARN by STS, one cheap call to table and queue each."""
    response = api("GET /v1/ready")

    assert response["statusCode"] == 200
    assert _body(response) == {
        "status": "ready",
        "checks": {
            "role": {"reachable": True, "arn": ROLE_ARN},
            "table": {"reachable": True},
            "queue": {"reachable": True},
        },
    }
    assert sorted(deployed.operations) == ["GetCallerIdentity", "GetItem", "GetQueueAttributes"]


@pytest.mark.parametrize(("setting", "asks"), [(None, True), ("on", True), ("", True), ("oof", True), ("off", False)])
def test_readiness_asks_sts_unless_it_is_told_not_to(
    setting: str | None,
    table: EventTable,
    deployed: RecordingServer,
    start: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    *,
    asks: bool,
) -> None:
    """A deployment that saved the endpoint of STS leaves the question out; a misspelt setting does not."""
    del table
    if setting is not None:
        monkeypatch.setenv("ROLE_CHECK", setting)

    response = Api(start("api"))("GET /v1/ready")

    assert response["statusCode"] == 200
    assert ("role" in _body(response)["checks"]) is asks
    assert ("GetCallerIdentity" in deployed.operations) is asks


def test_readiness_tells_which_part_is_out_of_reach(
    api: Api, deployed: RecordingServer, output: Callable[[], Output]
) -> None:
    """503 with the kind and code of what failed, and the rest as it is."""
    deployed.script("GetQueueAttributes", fault("AccessDenied", status=403))

    response = api("GET /v1/ready")

    assert response["statusCode"] == 503
    body = _body(response)
    assert body["status"] == "not ready"
    assert body["checks"]["queue"] == {"reachable": False, "failure": "denied", "code": "AccessDenied"}
    assert body["checks"]["table"] == {"reachable": True}
    (line,) = output().logs
    assert line["operation"] == "GetQueueAttributes"


def _refused_together(deployed: RecordingServer) -> None:
    """Answer the three checks only once all three have been asked."""
    together = threading.Barrier(3)

    def refuse(request: Recorded) -> Answer:
        together.wait(timeout=2)
        return fault("InvalidClientTokenId", status=403)(request)

    for operation in ("GetCallerIdentity", "GetItem", "GetQueueAttributes"):
        deployed.script(operation, refuse)


def test_parts_that_are_out_of_reach_together_are_told_together(api: Api, deployed: RecordingServer) -> None:
    """The checks run side by side: three closed paths must be told before the function's time is up."""
    api("GET /v1/ready")
    _refused_together(deployed)

    checks = _body(api("GET /v1/ready"))["checks"]

    refused = {"reachable": False, "failure": "credentials", "code": "InvalidClientTokenId"}
    assert checks == {"role": refused, "table": refused, "queue": refused}


class _SlowStream(io.StringIO):
    """Lets other threads in between two writes."""

    def write(self, text: str) -> int:
        time.sleep(0.05)
        return super().write(text)


def test_metrics_of_checks_that_fail_at_the_same_moment_stay_whole_lines(api: Api, deployed: RecordingServer) -> None:
    """CloudWatch reads a metric from a line of its own; two in one line are lost."""
    api("GET /v1/ready")
    _refused_together(deployed)
    stream = _SlowStream()

    with contextlib.redirect_stdout(stream):
        api("GET /v1/ready")

    assert [json.loads(line)["CredentialErrors"] for line in stream.getvalue().splitlines()] == [[1.0]] * 3


@pytest.mark.parametrize(
    "event",
    [
        {"body": ""},
        {"body": None},
        {"body": "not JSON"},
        {"body": '{"type":"a"}'},
        {"body": '{"type":"a b","data":1}'},
        {"body": '{"type":"a","data":NaN}'},
        {"body": '{"type":"a","data":' + "[" * 100_000},
        {"body": "\ud800"},
        {"body": "?", "isBase64Encoded": True},
        {"body": "é", "isBase64Encoded": True},
        {"body": base64.b64encode(b"\xff\xfe").decode(), "isBase64Encoded": True},
    ],
    ids=lambda event: str(event)[:40].encode("ascii", "replace").decode(),
)
def test_what_is_no_event_is_refused_with_the_reason(
    event: dict[str, Any], api: Api, deployed: RecordingServer
) -> None:
    """The client's own fault: 400, and nothing was asked of AWS."""
    _assert_problem(api("POST /v1/events", **event), "invalid-event", 400)
    assert deployed.requests == []


def test_an_event_that_is_too_large_is_refused_with_the_limit(api: Api, deployed: RecordingServer) -> None:
    """413 with both numbers; nothing was asked of AWS."""
    response = api.accept('{"type":"a","data":"' + "x" * MAX_BODY_BYTES + '"}')

    _assert_problem(response, "event-too-large", 413)
    assert str(MAX_BODY_BYTES) in _body(response)["detail"]
    assert deployed.requests == []


@pytest.mark.parametrize("event_id", ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense", "", "../x"])
def test_an_unknown_event_is_not_found(event_id: str, api: Api) -> None:
    """Unknown, malformed and another tenant's ids are answered alike."""
    _assert_problem(api.read(event_id), "event-not-found", 404)


def test_another_tenants_event_is_not_found(api: Api) -> None:
    """The answer does not tell that it exists."""
    event_id = _body(api.accept())["id"]

    response = api(
        "GET /v1/events/{id}",
        pathParameters={"id": event_id},
        requestContext={"requestId": "request-1", "authorizer": {"lambda": {"tenant_id": "other"}}},
    )

    _assert_problem(response, "event-not-found", 404)


@pytest.mark.parametrize("route", ["$default", "DELETE /v1/events", "GET /v1/events", "", "GET /v1/events/{id}/"])
def test_an_unknown_operation_is_told_as_one(route: str, api: Api) -> None:
    """A route that was deployed without code does not look like a missing event."""
    _assert_problem(api(route), "no-such-operation", 404)


def test_an_id_that_is_in_use_is_a_conflict_that_passes(api: Api, deployed: RecordingServer) -> None:
    """Nothing was stored, and the next attempt draws another id."""
    deployed.script("PutItem", fault("ConditionalCheckFailedException"))

    _assert_problem(api.accept(), "conflict", 409, retry=True)
    assert deployed.operations == ["PutItem"]


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "ExpiredTokenException",
        "ResourceNotFoundException",
        "ValidationException",
    ],
)
@pytest.mark.parametrize("operation", ["PutItem", "GetItem"])
def test_a_fault_of_the_deployment_is_the_services_failure(
    operation: str, code: str, api: Api, deployed: RecordingServer
) -> None:
    """500 after one request: neither client nor SDK can mend it by repeating, and neither is told details."""
    deployed.script(operation, fault(code, _QUOTED))

    response = api.accept() if operation == "PutItem" else api.read("01ARZ3NDEKTSV4RRFFQ69G5FAV")

    _assert_problem(response, "internal", 500)
    assert deployed.operations == [operation]
    assert TOKEN not in response["body"]
    assert code not in response["body"]


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "InternalServerError"])
def test_a_fault_that_passes_is_told_with_a_time_to_come_back(code: str, api: Api, deployed: RecordingServer) -> None:
    """503: the same request may succeed in a moment."""
    deployed.script("PutItem", fault(code, status=500 if code.startswith("Internal") else 400))

    _assert_problem(api.accept(), "unavailable", 503, retry=True)
    assert "SendMessage" not in deployed.operations


def test_a_failed_call_is_one_log_line_under_the_requests_id(
    api: Api, deployed: RecordingServer, output: Callable[[], Output]
) -> None:
    """The client's request id leads to the line; the line to AWS's own request id. No token, no payload."""
    deployed.script("PutItem", fault("InvalidSignatureException", _QUOTED))

    api.accept('{"type":"a","data":"made-up-payload"}')

    written = output()
    (line,) = written.logs
    assert line["request_id"] == "request-1"
    assert line["aws_request_id"] == "request-of-the-server"
    assert (line["operation"], line["code"]) == ("PutItem", "InvalidSignatureException")
    assert len(written.metrics) == 1
    assert traces(written.text, key_id=KEY_ID, secrets=(SECRET, TOKEN, "made-up-payload")) == []


def test_a_fault_of_our_own_is_a_document_and_a_log_line(api: Api, output: Callable[[], Output]) -> None:
    """An item that nobody foresaw crashes one request, told as 500, with the trace in the log."""
    response = api("POST /v1/events", body={"not": "text"})

    _assert_problem(response, "internal", 500)
    (line,) = output().logs
    assert line["level"] == "ERROR"
    assert "Traceback" in line["exception"]


def test_a_request_without_an_id_is_told_by_the_invocation(api: Api) -> None:
    """A document always carries an id that leads to the log."""
    response = api("$default", requestContext={})

    assert _body(response)["request_id"] == "invocation-1"


_BAD_STARTS: dict[str, tuple[dict[str, str], str]] = {
    "a user's key": ({"AWS_ACCESS_KEY_ID": LONG_LIVED_KEY_ID}, "LongLivedKey"),
    "no token": ({"AWS_SESSION_TOKEN": ""}, "SessionTokenMissing"),
    "a token with a line break": ({"AWS_SESSION_TOKEN": TOKEN + "\n"}, "UnusableKey"),
    "a profile": ({"AWS_PROFILE": "work"}, "LeftoverProfile"),
    "a foreign endpoint": ({"AWS_ENDPOINT_URL_DYNAMODB": "https://evil.example"}, "ForeignEndpoint"),
    "a bad region": ({"AWS_REGION": "nowhere"}, "UnusableRegion"),
}


@pytest.mark.parametrize(("environ", "code"), _BAD_STARTS.values(), ids=_BAD_STARTS)
def test_bad_credentials_do_not_crash_start_up_and_are_told_at_the_first_request(
    environ: dict[str, str],
    code: str,
    *,
    deployed: RecordingServer,
    start: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    output: Callable[[], Output],
) -> None:
    """One line with cause and cure, one metric, a document for the client; nothing is sent and nothing repeated."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    api = Api(start("api"))
    assert output().logs == []

    response = api.accept()

    _assert_problem(response, "internal", 500)
    written = output()
    (line,) = written.logs
    assert (line["failure"], line["code"], line["request_id"]) == ("credentials", code, "request-1")
    assert len(written.metrics) == 1
    assert deployed.requests == []
    assert traces(written.text + response["body"], key_id=KEY_ID, secrets=(SECRET, TOKEN)) == []
    assert api("GET /v1/health")["statusCode"] == 200
