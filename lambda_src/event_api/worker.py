"""The worker: makes events available as their references arrive from the queue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from event_api.event_queue import InvalidReference, parse_reference
from event_api.event_store import EventStore
from event_api.role_clients import AWS_ERRORS, WORST_CALL_SECONDS, RoleClients
from event_api.settings import required
from event_api.telemetry import logger, make_at_start_up, report

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_MILLISECONDS: Final = 1000

_clients: Final = RoleClients(required("AWS_REGION"))
_store: Final = EventStore(_clients, required("EVENTS_TABLE"))
make_at_start_up(_clients, "dynamodb")


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Work on a batch of messages.

    A credential fault ends the batch: the rest would fail in the same way, one log line each. So does a lack of time:
    of a worker that Lambda stops, every message is delivered again.

    Returns:
        The messages to be delivered again, in the form of ``ReportBatchItemFailures``.
    """
    logger.append_keys(request_id=context.aws_request_id)
    records: list[dict[str, Any]] = event["Records"]
    failed: list[str] = []
    for position, record in enumerate(records):
        if context.get_remaining_time_in_millis() < WORST_CALL_SECONDS * _MILLISECONDS:
            logger.warning("No time for the rest of the batch", extra={"left": len(records) - position})
            failed.extend(left["messageId"] for left in records[position:])
            break
        try:
            _store.make_available(parse_reference(record["body"]), now=datetime.now(UTC))
        except InvalidReference as error:
            logger.error(str(error), extra={"message_id": record["messageId"]})
            failed.append(record["messageId"])
        except AWS_ERRORS as error:
            failure = report(error)
            if failure.is_credential_fault:
                failed.extend(left["messageId"] for left in records[position:])
                break
            failed.append(record["messageId"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
