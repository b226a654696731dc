"""What the events table holds, whatever gets lost between it and the function."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from event_api.event_store import PENDING_SHARDS, RESEND_AFTER, EventIdTaken, EventStore, PendingEvent
from event_api.events import EventReference, Status, new_event_id, parse_event, timestamp
from event_api.role_clients import AWS_ERRORS, RoleClients
from tests.lambda_src.event_table import EventTable
from tests.lambda_src.made_up import REGION
from tests.lambda_src.recording_server import Answer, Recorded, RecordingServer, fault

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("runtime")

_NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
_DUE = _NOW + RESEND_AFTER
_EVENT = parse_event(b'{"type":"order.created","data":{"id":7}}')
_REFERENCE = EventReference(tenant_id="acme", event_id="01ARZ3NDEKTSV4RRFFQ69G5FAV")


@pytest.fixture
def table(aws: RecordingServer) -> EventTable:
    """Give the table that the store works on; a page of a query holds two items."""
    return EventTable(aws, page_size=2)


@pytest.fixture
def store(table: EventTable) -> EventStore:
    """Give the store under test."""
    del table
    return EventStore(RoleClients(REGION), "events")


def _put(
    store: EventStore, reference: EventReference = _REFERENCE, *, request_id: str = "request-1", inline: bool = True
) -> None:
    store.put(reference, _EVENT, inline=inline, request_id=request_id, now=_NOW, retention=timedelta(days=30))


def _losing_the_first_answer(answer: Callable[[Recorded], Answer]) -> tuple[Callable[[Recorded], Answer], ...]:
    """Do what is asked, but let the first answer get lost."""

    def lost(request: Recorded) -> Answer:
        answer(request)
        return Answer(drop=True)

    return lost, answer


def test_a_stored_event_is_read_back(store: EventStore, table: EventTable) -> None:
    """Type, status, times and payload as they were accepted; and a time to be forgotten."""
    _put(store)

    stored = store.get(_REFERENCE)

    assert stored is not None
    assert (stored.type, stored.status, stored.data) == ("order.created", Status.ACCEPTED, b'{"id":7}')
    assert (stored.accepted_at, stored.available_at) == ("2026-11-01T12:00:00.000Z", None)
    assert table.only()["expires_at"] == {"N": str(int((_NOW + timedelta(days=30)).timestamp()))}


def test_a_payload_that_lies_elsewhere_is_not_in_the_item(store: EventStore, table: EventTable) -> None:
    """The reader is told to look in the bucket."""
    _put(store, inline=False)

    stored = store.get(_REFERENCE)

    assert stored is not None
    assert stored.data is None
    assert base64.b64encode(b'{"id":7}').decode() not in str(table.only())


def test_an_event_is_its_tenants_alone(store: EventStore) -> None:
    """Another tenant with the right id finds nothing."""
    _put(store)

    assert store.get(EventReference(tenant_id="other", event_id=_REFERENCE.event_id)) is None


def test_a_read_sees_what_was_just_written(store: EventStore, aws: RecordingServer) -> None:
    """Who was answered 202 can read the event at once: reads are consistent."""
    store.get(_REFERENCE)

    assert aws.requests[0].json["ConsistentRead"] is True


def test_a_write_whose_answer_got_lost_succeeds_when_the_sdk_repeats_it(
    store: EventStore, table: EventTable, aws: RecordingServer
) -> None:
    """The repetition finds its own request's item and is no conflict: the event is stored once."""
    aws.script("PutItem", *_losing_the_first_answer(table.put))

    _put(store)

    assert aws.operations == ["PutItem", "PutItem"]
    assert aws.requests[0].body == aws.requests[1].body
    assert table.only()["status"] == {"S": "accepted"}


def test_a_write_that_arrives_late_does_not_undo_what_followed(
    store: EventStore, table: EventTable, aws: RecordingServer
) -> None:
    """The first attempt may reach the table after the second succeeded and the event became available."""
    _put(store)
    late = aws.requests[0]
    store.make_available(_REFERENCE, _NOW)

    table.put(late)

    assert table.only()["status"] == {"S": "available"}
    assert "pending" not in table.only()


def test_an_id_that_is_in_use_is_told_and_nothing_is_overwritten(store: EventStore, table: EventTable) -> None:
    """Another request's event stays as it is."""
    _put(store, request_id="request-1")

    with pytest.raises(EventIdTaken, match=r"Nothing was stored\. Send the event again"):
        _put(store, request_id="request-2")

    assert table.only()["request_id"] == {"S": "request-1"}


def test_an_event_becomes_available_once(store: EventStore, table: EventTable) -> None:
    """A message that arrives twice changes the item once, and takes it out of the pending index."""
    _put(store)

    assert store.make_available(_REFERENCE, _NOW) is True
    assert store.make_available(_REFERENCE, _NOW + timedelta(hours=1)) is False

    item = table.only()
    assert item["status"] == {"S": "available"}
    assert item["available_at"] == {"S": timestamp(_NOW)}
    assert not {"pending", "resend_at", "resends"} & set(item)


def test_an_event_that_was_forgotten_does_not_come_back(store: EventStore, table: EventTable) -> None:
    """A late message for an expired event makes no new item of it."""
    assert store.make_available(_REFERENCE, _NOW) is False

    assert table.items == {}


def test_a_lost_answer_leaves_an_event_available(store: EventStore, table: EventTable, aws: RecordingServer) -> None:
    """The SDK's repetition finds it done: that is no failure."""
    _put(store)
    aws.script("UpdateItem", *_losing_the_first_answer(table.update))

    store.make_available(_REFERENCE, _NOW)

    assert table.only()["status"] == {"S": "available"}


def test_what_is_due_is_found_in_every_shard_and_on_every_page(store: EventStore, table: EventTable) -> None:
    """No accepted event is forgotten, however many there are; what is not yet due or is available is left alone."""
    references = [EventReference(tenant_id="acme", event_id=new_event_id()) for _ in range(60)]
    for reference in references:
        _put(store, reference)
    store.make_available(references[0], _NOW)
    shards = {item["pending"]["S"] for item in table.items.values() if "pending" in item}

    assert shards == {str(shard) for shard in range(PENDING_SHARDS)}
    assert list(store.pending(_DUE - timedelta(milliseconds=1))) == []
    due = list(store.pending(_DUE))
    assert sorted(event.reference.event_id for event in due) == sorted(one.event_id for one in references[1:])
    assert {(event.resend_at, event.resends) for event in due} == {(timestamp(_DUE), 0)}


def test_two_sweepers_share_out_an_event(store: EventStore) -> None:
    """Only one of those who saw it due gets the turn."""
    _put(store)
    (due,) = store.pending(_DUE)

    assert store.claim_resend(due, _DUE) is True
    assert store.claim_resend(due, _DUE) is False


def test_an_event_that_became_available_is_not_sent_again(store: EventStore, table: EventTable) -> None:
    """The index may lag behind: the turn is refused, and the item is not touched."""
    _put(store)
    (due,) = store.pending(_DUE)
    store.make_available(_REFERENCE, _NOW)

    assert store.claim_resend(due, _DUE) is False
    assert "resend_at" not in table.only()


def test_the_wait_doubles_up_to_an_hour(store: EventStore) -> None:
    """A queue that is only slow is not flooded, and an event is never given up."""
    _put(store)
    now, waits = _DUE, []
    for _ in range(12):
        (due,) = store.pending(now)
        assert store.claim_resend(due, now) is True
        (due,) = store.pending(now + timedelta(days=1))
        waits.append((datetime.fromisoformat(due.resend_at) - now).total_seconds() / 60)
        now = datetime.fromisoformat(due.resend_at)

    assert waits == [4, 8, 16, 32, *[60] * 8]


_ACTIONS: dict[str, Callable[[EventStore], object]] = {
    "put": _put,
    "get": lambda store: store.get(_REFERENCE),
    "make_available": lambda store: store.make_available(_REFERENCE, _NOW),
    "pending": lambda store: list(store.pending(_NOW)),
    "claim_resend": lambda store: store.claim_resend(PendingEvent(_REFERENCE, timestamp(_NOW), 0), _NOW),
    "probe": lambda store: store.probe(),
}


@pytest.mark.parametrize("action", _ACTIONS)
def test_a_refused_call_is_never_taken_for_an_answer(action: str, store: EventStore, aws: RecordingServer) -> None:
    """Only a failed condition is an answer; whatever else goes wrong is raised."""
    for operation in ("PutItem", "GetItem", "UpdateItem", "Query"):
        aws.script(operation, fault("AccessDeniedException", "User: arn:… is not authorized"))

    with pytest.raises(AWS_ERRORS):
        _ACTIONS[action](store)

    assert len(aws.requests) == 1


def test_a_probe_asks_for_a_key_that_no_tenant_can_have(store: EventStore, aws: RecordingServer) -> None:
    """Readiness reads nobody's event."""
    store.probe()

    assert aws.operations == ["GetItem"]
    assert aws.requests[0].json["Key"]["tenant_id"]["S"].startswith("-")
