"""The worker: messages in, the ones to be delivered again out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from event_api.event_store import EventStore
from event_api.events import EventReference, new_event_id, parse_event
from event_api.role_clients import RoleClients
from tests.lambda_src.conftest import Context
from tests.lambda_src.event_table import EventTable
from tests.lambda_src.made_up import KEY_ID, REGION, SECRET, TOKEN, traces
from tests.lambda_src.recording_server import RecordingServer, fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from tests.lambda_src.conftest import Output

_EVENT = parse_event(b'{"type":"order.created","data":7}')
_NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def table(deployed: RecordingServer) -> EventTable:
    """Give the table that the worker writes to."""
    return EventTable(deployed)


def _stored(count: int) -> list[EventReference]:
    store = EventStore(RoleClients(REGION), "events")
    references = [EventReference(tenant_id="acme", event_id=new_event_id()) for _ in range(count)]
    for reference in references:
        store.put(reference, _EVENT, inline=True, request_id=reference.event_id, now=_NOW, retention=timedelta(days=1))
    return references


def _batch(*bodies: EventReference | str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m-{number}",
                "body": body if isinstance(body, str) else msgspec.json.encode(body).decode(),
                "eventSource": "aws:sqs",
            }
            for number, body in enumerate(bodies)
        ]
    }


def _failures(*numbers: int) -> dict[str, list[dict[str, str]]]:
    return {"batchItemFailures": [{"itemIdentifier": f"m-{number}"} for number in numbers]}


def test_a_batch_makes_its_events_available(table: EventTable, start: Callable[[str], ModuleType]) -> None:
    """Nothing is delivered again."""
    references = _stored(3)

    assert start("worker").handler(_batch(*references), Context()) == _failures()

    assert {item["status"]["S"] for item in table.items.values()} == {"available"}


def test_a_message_that_arrives_twice_does_no_harm(table: EventTable, start: Callable[[str], ModuleType]) -> None:
    """In one batch, in two, or after the event expired: it is done, not failed."""
    (reference,) = _stored(1)
    gone = EventReference(tenant_id="acme", event_id=new_event_id())
    worker = start("worker")

    assert worker.handler(_batch(reference, reference, gone), Context()) == _failures()
    assert worker.handler(_batch(reference), Context()) == _failures()

    assert table.only()["status"] == {"S": "available"}


@pytest.mark.parametrize(
    "poison", ["", "not JSON", "{}", '{"tenant_id":"acme","event_id":7}', '{"tenant_id":"\ud800","event_id":"e"}']
)
def test_a_poison_message_fails_alone(
    poison: str, table: EventTable, start: Callable[[str], ModuleType], output: Callable[[], Output]
) -> None:
    """It goes to the dead-letter queue after its deliveries; its neighbours are worked on."""
    one, other = _stored(2)

    assert start("worker").handler(_batch(one, poison, other), Context()) == _failures(1)

    assert {item["status"]["S"] for item in table.items.values()} == {"available"}
    (line,) = output().logs
    assert line["message_id"] == "m-1"
    assert "dead-letter queue" in line["message"]


def test_a_message_whose_write_fails_is_delivered_again(
    table: EventTable, deployed: RecordingServer, start: Callable[[str], ModuleType], output: Callable[[], Output]
) -> None:
    """Only that one; a fault that is not of the credentials does not end the batch."""
    references = _stored(3)
    deployed.script("UpdateItem", table.update, fault("ValidationException"), table.update)

    assert start("worker").handler(_batch(*references), Context()) == _failures(1)

    assert sorted(item["status"]["S"] for item in table.items.values()) == ["accepted", "available", "available"]
    assert len(output().logs) == 1


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException"])
def test_a_credential_fault_ends_the_batch_after_one_request(
    code: str,
    table: EventTable,
    deployed: RecordingServer,
    start: Callable[[str], ModuleType],
    output: Callable[[], Output],
) -> None:
    """The rest would fail in the same way: all that is left is delivered again, with one line and one metric."""
    references = _stored(4)
    deployed.script("UpdateItem", table.update, fault(code, f"x-amz-security-token:{TOKEN}"))

    assert start("worker").handler(_batch(*references), Context()) == _failures(1, 2, 3)

    assert len(deployed.of("UpdateItem")) == 2
    written = output()
    assert len(written.logs) == 1
    assert len(written.metrics) == 1
    assert TOKEN not in written.text


def test_what_time_does_not_allow_is_delivered_again(
    table: EventTable, deployed: RecordingServer, start: Callable[[str], ModuleType]
) -> None:
    """A worker that is stopped in the middle would have the whole batch delivered again, its good part included."""
    references = _stored(4)

    answer = start("worker").handler(_batch(*references), Context(remaining=(60_000, 60_000, 10_000), asked=[]))

    assert answer == _failures(2, 3)
    assert len(deployed.of("UpdateItem")) == 2
    assert sorted(item["status"]["S"] for item in table.items.values()) == ["accepted"] * 2 + ["available"] * 2


def test_bad_credentials_are_told_with_the_first_batch(
    deployed: RecordingServer,
    start: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    output: Callable[[], Output],
) -> None:
    """Start-up does not crash; the whole batch is kept, with one line and one metric, and nothing is sent."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "")
    worker = start("worker")
    reference = EventReference(tenant_id="acme", event_id=new_event_id())

    assert worker.handler(_batch(reference, reference), Context()) == _failures(0, 1)

    written = output()
    (line,) = written.logs
    assert (line["failure"], line["code"]) == ("credentials", "SessionTokenMissing")
    assert len(written.metrics) == 1
    assert deployed.requests == []
    assert traces(written.text, key_id=KEY_ID, secrets=(SECRET,)) == []
