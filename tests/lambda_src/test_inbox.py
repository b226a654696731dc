"""An accepted event is in the table, whatever fails on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from event_api.event_queue import EventQueue, parse_reference
from event_api.event_store import EventStore
from event_api.events import EventReference, is_event_id, parse_event
from event_api.inbox import EventNotFound, Inbox
from event_api.payload_store import INLINE_BYTES, PayloadStore
from event_api.role_clients import AWS_ERRORS, RoleClients
from tests.lambda_src.event_table import EventTable
from tests.lambda_src.made_up import REGION
from tests.lambda_src.recording_server import DROPPED, Answer, Recorded, RecordingServer, fault, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lambda_src.conftest import Output

pytestmark = pytest.mark.usefixtures("runtime")

_SMALL = parse_event(b'{"type":"order.created","data":{"id": 7}}')


def _event_of(size: int) -> bytes:
    return b'{"type":"order.created","data":"' + b"x" * (size - 2) + b'"}'


@pytest.fixture
def table(aws: RecordingServer) -> EventTable:
    """Give the table behind the inbox."""
    return EventTable(aws)


@pytest.fixture
def inbox(table: EventTable) -> Inbox:
    """Give the inbox under test."""
    del table
    clients = RoleClients(REGION)
    return Inbox(
        EventStore(clients, "events"),
        PayloadStore(clients, "payloads"),
        EventQueue(clients, "https://sqs.us-east-1.amazonaws.com/123456789012/events"),
        retention=timedelta(days=30),
    )


def test_an_event_is_stored_before_it_is_announced(inbox: Inbox, table: EventTable, aws: RecordingServer) -> None:
    """The worker never meets a reference to an event that is not there."""
    reference = inbox.accept("acme", _SMALL, request_id="request-1")

    assert aws.operations == ["PutItem", "SendMessage"]
    assert is_event_id(reference.event_id)
    assert list(table.items) == [("acme", reference.event_id)]
    assert parse_reference(aws.requests[1].json["MessageBody"]) == reference


@pytest.mark.parametrize(
    ("size", "operations"),
    [
        (INLINE_BYTES, ["PutItem", "SendMessage"]),
        (INLINE_BYTES + 1, ["PUT payloads", "PutItem", "SendMessage"]),
    ],
)
def test_a_large_payload_is_in_the_bucket_before_the_item_points_at_it(
    size: int, operations: list[str], inbox: Inbox, aws: RecordingServer
) -> None:
    """An item without its payload would be a promise broken."""
    inbox.accept("acme", parse_event(_event_of(size)), request_id="request-1")

    assert aws.operations == operations


@pytest.mark.parametrize("size", [9, INLINE_BYTES + 1])
def test_a_payload_is_given_back_byte_for_byte(size: int, inbox: Inbox, aws: RecordingServer) -> None:
    """From the table or from the bucket: what comes back is what was sent."""
    event = parse_event(_event_of(size))
    stored: list[bytes] = []

    def keep(request: Recorded) -> Answer:
        stored.append(request.body)
        return Answer()

    aws.script("PUT payloads", keep)
    aws.script("GET payloads", lambda _: Answer(body=stored[0]))
    reference = inbox.accept("acme", event, request_id="request-1")

    given = inbox.read("acme", reference.event_id)

    assert bytes(given.data) == bytes(event.data)
    assert {request.path for request in aws.requests if "payloads" in request.operation} <= {
        f"/payloads/acme/{reference.event_id}",
        f"/payloads/acme/{reference.event_id}?x-id=GetObject",
    }


@pytest.mark.parametrize(
    "answer",
    [
        fault("AccessDenied", status=403),
        fault("InvalidClientTokenId", status=403),
        DROPPED,
    ],
    ids=["denied", "unknown signer", "dropped"],
)
def test_a_queue_that_cannot_be_told_does_not_fail_a_stored_event(
    answer: Answer | Callable[[Recorded], Answer],
    inbox: Inbox,
    table: EventTable,
    aws: RecordingServer,
    output: Callable[[], Output],
) -> None:
    """It waits in the pending index for the sweeper; the operators are told, the client need not know."""
    aws.script("SendMessage", answer)

    reference = inbox.accept("acme", _SMALL, request_id="request-1")

    assert ("acme", reference.event_id) in table.items
    assert "pending" in table.only()
    assert len(output().logs) == 1


def test_an_answer_that_is_none_leaves_the_event_to_the_sweeper(
    inbox: Inbox, table: EventTable, aws: RecordingServer
) -> None:
    """The SDK takes any 200 for a success: only the worker takes an event out of the pending index."""
    aws.script("SendMessage", text("<html>"))

    inbox.accept("acme", _SMALL, request_id="request-1")

    assert "pending" in table.only()


@pytest.mark.parametrize("operation", ["PutItem", "PUT payloads"])
def test_an_event_that_is_not_stored_is_not_announced(operation: str, inbox: Inbox, aws: RecordingServer) -> None:
    """No message goes out for what may not be there."""
    aws.script(operation, fault("AccessDenied", status=403))

    with pytest.raises(AWS_ERRORS):
        inbox.accept("acme", parse_event(_event_of(INLINE_BYTES + 1)), request_id="request-1")

    assert "SendMessage" not in aws.operations


@pytest.mark.parametrize(
    "event_id", ["", "..", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01arz3ndektsv4rrffq69g5fav", "../other/01ARZ3NDEKTSV4RRFFQ69"]
)
def test_what_is_no_id_is_not_looked_up(event_id: str, inbox: Inbox, aws: RecordingServer) -> None:
    """It is told as unknown without a request: nothing of it reaches a key."""
    with pytest.raises(EventNotFound, match="Check the id"):
        inbox.read("acme", event_id)

    assert aws.requests == []


def test_another_tenants_event_is_not_there(inbox: Inbox) -> None:
    """The right id with another API key is answered as if there were no such event."""
    reference = inbox.accept("acme", _SMALL, request_id="request-1")

    with pytest.raises(EventNotFound):
        inbox.read("other", reference.event_id)


def test_an_unknown_event_is_told_with_what_to_check(inbox: Inbox) -> None:
    """It may have expired, or never been."""
    with pytest.raises(EventNotFound, match="may have expired"):
        inbox.read("acme", EventReference("acme", "01ARZ3NDEKTSV4RRFFQ69G5FAV").event_id)
