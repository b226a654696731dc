"""The sweeper: sends again what was accepted and did not become available in time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from event_api.event_queue import EventQueue
from event_api.event_store import EventStore
from event_api.role_clients import AWS_ERRORS, WORST_CALL_SECONDS, RoleClients
from event_api.settings import required
from event_api.telemetry import CallFailed, count, logger, make_at_start_up, report

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_MILLISECONDS: Final = 1000
_CALLS_PER_EVENT: Final = 2

_clients: Final = RoleClients(required("AWS_REGION"))
_store: Final = EventStore(_clients, required("EVENTS_TABLE"))
_queue: Final = EventQueue(_clients, required("EVENT_QUEUE_URL"))
make_at_start_up(_clients, "dynamodb", "sqs")


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Sweep once. What time does not allow is left to the next sweep.

    Returns:
        ``resent``: how many references went to the queue.

    Raises:
        CallFailed: The sweep could not go on; what was resent stays resent.
    """
    logger.append_keys(request_id=context.aws_request_id)
    resent = 0
    try:
        for event in _store.pending(datetime.now(UTC)):
            if context.get_remaining_time_in_millis() < _CALLS_PER_EVENT * WORST_CALL_SECONDS * _MILLISECONDS:
                break
            if _store.claim_resend(event, now=datetime.now(UTC)):
                _queue.send(event.reference)
                resent += 1
    except AWS_ERRORS as error:
        raise CallFailed(report(error)) from None
    finally:
        if resent:
            logger.info("Sent events again", extra={"resent": resent})
            count("EventsResent", resent)
    return {"resent": resent}
