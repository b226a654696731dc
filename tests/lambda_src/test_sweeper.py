"""The sweeper: what was accepted and got lost goes to the queue again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from event_api.event_queue import parse_reference
from event_api.event_store import EventStore
from event_api.events import EventReference, new_event_id, parse_event
from event_api.role_clients import RoleClients
from event_api.telemetry import CallFailed
from tests.lambda_src.conftest import Context
from tests.lambda_src.event_table import EventTable
from tests.lambda_src.made_up import KEY_ID, REGION, SECRET, TOKEN, traces
from tests.lambda_src.recording_server import Answer, Recorded, RecordingServer, fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from tests.lambda_src.conftest import Output

_EVENT = parse_event(b'{"type":"order.created","data":7}')


@pytest.fixture
def table(deployed: RecordingServer) -> EventTable:
    """Give the table that the sweeper reads."""
    return EventTable(deployed)


def _lost(count: int, ago: timedelta = timedelta(hours=1)) -> list[EventReference]:
    store = EventStore(RoleClients(REGION), "events")
    references = [EventReference(tenant_id="acme", event_id=new_event_id()) for _ in range(count)]
    for reference in references:
        store.put(
            reference,
            _EVENT,
            inline=True,
            request_id=reference.event_id,
            now=datetime.now(UTC) - ago,
            retention=timedelta(days=1),
        )
    return references


def test_what_is_due_is_sent_again(
    table: EventTable, deployed: RecordingServer, start: Callable[[str], ModuleType], output: Callable[[], Output]
) -> None:
    """Every lost event's reference goes to the queue, once a turn; how many is told and counted."""
    references = _lost(3)
    sweeper = start("sweeper")

    assert sweeper.handler({}, Context()) == {"resent": 3}
    assert sweeper.handler({}, Context()) == {"resent": 0}

    sent = [parse_reference(message.json["MessageBody"]) for message in deployed.of("SendMessage")]
    assert sorted(one.event_id for one in sent) == sorted(one.event_id for one in references)
    assert {item["resends"]["N"] for item in table.items.values()} == {"1"}
    (metric,) = output().metrics
    assert metric["EventsResent"] == [3.0]


def test_what_may_still_be_on_its_way_is_left_alone(
    table: EventTable, deployed: RecordingServer, start: Callable[[str], ModuleType], output: Callable[[], Output]
) -> None:
    """An event of a minute ago is not late."""
    del table
    _lost(2, ago=timedelta(minutes=1))

    assert start("sweeper").handler({}, Context()) == {"resent": 0}

    assert deployed.of("SendMessage") == []
    assert output().metrics == []


def test_the_turn_is_taken_before_the_message_is_sent(
    table: EventTable, deployed: RecordingServer, start: Callable[[str], ModuleType]
) -> None:
    """The other way round two sweepers would send the same event."""
    del table
    _lost(2)

    start("sweeper").handler({}, Context())

    done = [operation for operation in deployed.operations if operation in {"UpdateItem", "SendMessage"}]
    assert done == ["UpdateItem", "SendMessage"] * 2


def test_an_event_whose_turn_another_took_is_skipped(
    table: EventTable, deployed: RecordingServer, start: Callable[[str], ModuleType]
) -> None:
    """A failed condition is no failure: the next event follows."""
    _lost(2)
    deployed.script("UpdateItem", fault("ConditionalCheckFailedException"), table.update)

    assert start("sweeper").handler({}, Context()) == {"resent": 1}

    assert len(deployed.of("SendMessage")) == 1


def test_it_stops_while_there_is_time_for_what_it_has_begun(
    table: EventTable, deployed: RecordingServer, start: Callable[[str], ModuleType]
) -> None:
    """What time does not allow is left to the next sweep, unclaimed."""
    _lost(3)

    assert start("sweeper").handler({}, Context(remaining=(60_000, 5_000), asked=[])) == {"resent": 1}

    assert len(deployed.of("UpdateItem")) == 1
    assert sorted(item["resends"]["N"] for item in table.items.values()) == ["0", "0", "1"]


@pytest.mark.parametrize("operation", ["Query", "UpdateItem", "SendMessage"])
@pytest.mark.parametrize(("code", "metrics"), [("InvalidSignatureException", 1), ("AccessDeniedException", 0)])
def test_a_refused_call_ends_the_sweep_and_quotes_nothing(
    operation: str,
    code: str,
    metrics: int,
    *,
    table: EventTable,
    deployed: RecordingServer,
    start: Callable[[str], ModuleType],
    output: Callable[[], Output],
) -> None:
    """The sweep fails, so that its alarm tells; what Lambda logs of the exception holds no token."""
    del table
    _lost(2)
    deployed.script(operation, fault(code, f"should have been 'x-amz-security-token:{TOKEN}'"))

    with pytest.raises(CallFailed, match=code) as failure:
        start("sweeper").handler({}, Context())

    assert len(deployed.of(operation)) == 1
    written = output()
    assert len(written.logs) == 1
    assert len(written.metrics) == metrics
    assert traces(str(failure.value) + written.text, key_id=KEY_ID, secrets=(SECRET, TOKEN)) == []
    assert failure.value.__suppress_context__


def test_what_was_sent_before_a_failure_is_counted(
    table: EventTable, deployed: RecordingServer, start: Callable[[str], ModuleType], output: Callable[[], Output]
) -> None:
    """The count tells what really went to the queue."""
    del table
    _lost(2)

    def once(_: Recorded) -> Answer:
        deployed.script("SendMessage", fault("AccessDenied", status=403))
        return Answer(body=b"{}")

    deployed.script("SendMessage", once)

    with pytest.raises(CallFailed):
        start("sweeper").handler({}, Context())

    assert [metric["EventsResent"] for metric in output().metrics] == [[1.0]]


def test_bad_credentials_are_told_with_the_first_sweep(
    deployed: RecordingServer,
    start: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    output: Callable[[], Output],
) -> None:
    """Start-up does not crash; one line, one metric, and nothing is sent."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "")
    sweeper = start("sweeper")

    with pytest.raises(CallFailed, match="SessionTokenMissing"):
        sweeper.handler({}, Context())

    written = output()
    (line,) = written.logs
    assert (line["failure"], line["code"]) == ("credentials", "SessionTokenMissing")
    assert len(written.metrics) == 1
    assert deployed.requests == []
