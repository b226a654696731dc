"""The API function: one entry of ``ROUTES`` per operation. API Gateway has matched the route already."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from event_api.event_queue import EventQueue
from event_api.event_store import EventIdTaken, EventStore
from event_api.events import EventTooLarge, InvalidEvent, Status, parse_event
from event_api.http_api import MalformedBody, Problem, Request, Response, json_response, parse_request
from event_api.inbox import EventNotFound, Inbox
from event_api.payload_store import PayloadStore
from event_api.role_clients import AWS_ERRORS, FailureKind, RoleClients
from event_api.settings import required
from event_api.telemetry import logger, make_at_start_up, report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

_clients: Final = RoleClients(required("AWS_REGION"))
_store: Final = EventStore(_clients, required("EVENTS_TABLE"))
_queue: Final = EventQueue(_clients, required("EVENT_QUEUE_URL"))
_inbox: Final = Inbox(
    _store,
    PayloadStore(_clients, required("PAYLOAD_BUCKET")),
    _queue,
    retention=timedelta(days=int(required("RETENTION_DAYS"))),
)
_ASKS_STS: Final = os.environ.get("ROLE_CHECK") != "off"
"""Off in a deployment without an endpoint for STS, where the question would hang and the service never be ready."""

make_at_start_up(_clients, "dynamodb", "sqs")


def _accept(request: Request) -> Response:
    reference = _inbox.accept(request.tenant_id, parse_event(request.body), request_id=request.request_id)
    return json_response(
        202,
        {"id": reference.event_id, "status": Status.ACCEPTED},
        location=f"/v1/events/{reference.event_id}",
    )


def _read(request: Request) -> Response:
    return json_response(200, _inbox.read(request.tenant_id, request.path.get("id", "")))


def _health(_request: Request) -> Response:
    return json_response(200, {"status": "ok"})


def _ready(_request: Request) -> Response:
    checks: dict[str, Callable[[], object]] = {
        "role": lambda: _clients.client("sts").get_caller_identity()["Arn"],
        "table": _store.probe,
        "queue": _queue.probe,
    }
    if not _ASKS_STS:
        del checks["role"]
    # Side by side: three closed paths together must be told within the function's time-out.
    with ThreadPoolExecutor(len(checks)) as pool:
        outcomes = list(pool.map(_outcome, checks.values()))
    answers = {name: _verdict(outcome) for name, outcome in zip(checks, outcomes, strict=True)}
    ready = all(answer["reachable"] for answer in answers.values())
    return json_response(200 if ready else 503, {"status": "ready" if ready else "not ready", "checks": answers})


def _outcome(check: Callable[[], object]) -> object:
    try:
        return check()
    except AWS_ERRORS as error:
        return error


def _verdict(outcome: object) -> dict[str, object]:
    # In one thread: two metrics that are printed at the same moment would share a line, and be lost.
    if isinstance(outcome, Exception):
        failure = report(outcome)
        return {"reachable": False, "failure": failure.kind, "code": failure.code}
    return {"reachable": True, **({"arn": outcome} if outcome else {})}


ROUTES: Final[Mapping[str, Callable[[Request], Response]]] = {
    "POST /v1/events": _accept,
    "GET /v1/events/{id}": _read,
    "GET /v1/health": _health,
    "GET /v1/ready": _ready,
}
"""Every operation, under the route key that API Gateway knows it by."""


def handler(event: dict[str, Any], context: LambdaContext) -> Response:
    """Answer one request; every failure is a problem document, none an exception.

    Args:
        event: API Gateway's event, payload format 2.0.
        context: Lambda's.
    """
    request_id = str((event.get("requestContext") or {}).get("requestId") or context.aws_request_id)
    logger.append_keys(request_id=request_id)
    operation = ROUTES.get(event.get("routeKey", ""))
    try:
        return operation(parse_request(event)) if operation else _NO_SUCH_OPERATION.response(request_id)
    except Exception as error:  # noqa: BLE001 - this is the edge: whatever it was, the client gets a document
        return _problem(error).response(request_id)


_NO_SUCH_OPERATION: Final = Problem(
    "no-such-operation", 404, "There is no such operation", "Nothing was done. GET /v1/health is one that exists."
)

_INTERNAL: Final = Problem(
    "internal",
    500,
    "The service failed",
    "The cause is in the service's log under this request_id. Nothing is known to have been stored.",
)

_UNAVAILABLE: Final = Problem(
    "unavailable",
    503,
    "The service cannot reach what it needs",
    "Nothing is known to have been stored. Send the request again; an event that was stored twice has two ids.",
    retry_after=2,
)


def _problem(error: Exception) -> Problem:
    """Say as much as a client can use: what is wrong with the service's own identity is for its operators."""
    match error:
        case EventTooLarge():
            return Problem("event-too-large", 413, "The event is too large", str(error))
        case InvalidEvent() | MalformedBody():
            return Problem("invalid-event", 400, "The body is no event", str(error))
        case EventNotFound():
            return Problem("event-not-found", 404, "There is no such event", str(error))
        case EventIdTaken():
            return Problem("conflict", 409, "The event could not be stored", str(error), retry_after=1)
    if isinstance(error, AWS_ERRORS):
        passing = report(error).kind in {FailureKind.THROTTLED, FailureKind.UNAVAILABLE}
        return _UNAVAILABLE if passing else _INTERNAL
    logger.error("A fault of this service", exc_info=error)
    return _INTERNAL
