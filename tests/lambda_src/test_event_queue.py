"""References on their way through the queue."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_api.event_queue import EventQueue, InvalidReference, parse_reference
from event_api.events import EventReference
from event_api.role_clients import RoleClients
from tests.lambda_src.made_up import REGION
from tests.lambda_src.recording_server import RecordingServer  # noqa: TC001 - pytest reads it

_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/events"
_REFERENCE = EventReference(tenant_id="acme", event_id="01ARZ3NDEKTSV4RRFFQ69G5FAV")


@pytest.mark.usefixtures("runtime")
def test_what_is_sent_is_what_the_worker_reads(aws: RecordingServer) -> None:
    """A message is the reference and nothing else: never a payload."""
    EventQueue(RoleClients(REGION), _URL).send(_REFERENCE)

    (message,) = aws.of("SendMessage")
    assert message.json["QueueUrl"] == _URL
    assert parse_reference(message.json["MessageBody"]) == _REFERENCE
    assert json.loads(message.json["MessageBody"]) == {
        "tenant_id": "acme",
        "event_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    }


@pytest.mark.usefixtures("runtime")
def test_a_probe_needs_no_more_than_to_read_the_queues_name(aws: RecordingServer) -> None:
    """Readiness sends nothing and receives nothing."""
    EventQueue(RoleClients(REGION), _URL).probe()

    assert aws.operations == ["GetQueueAttributes"]
    assert aws.requests[0].json == {"QueueUrl": _URL, "AttributeNames": ["QueueArn"]}


@given(st.text())
@example("")
@example("null")
@example("{}")
@example('{"tenant_id":"acme"}')
@example('{"tenant_id":"acme","event_id":7}')
@example('{"tenant_id":"acme","event_id":"e","data":"payload"}')
@example('{"tenant_id":"\ud800","event_id":"e"}')
@example("[" * 100_000)
@example('{"tenant_id":' + "[" * 100_000)
def test_a_message_of_a_stranger_is_told_as_one(body: str) -> None:
    """Whatever lies in the queue, reading it gives a reference or one error, which says where it goes."""
    with pytest.raises(InvalidReference, match="goes to the dead-letter queue"):
        parse_reference(body)
