"""The events table: what was accepted is here, and nowhere else first.

One item per event under (``tenant_id``, ``event_id``). While an event is not yet available its item also carries
``pending`` and ``resend_at``, the keys of the sparse index from which the sweeper finds what got lost on the way.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from event_api.events import Event, EventInput, EventReference, Status, timestamp
from event_api.role_clients import condition_failed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from event_api.role_clients import RoleClients

PENDING_INDEX: Final = "pending"

PENDING_SHARDS: Final = 8
"""Partitions of the index. One would cap the whole table at the write rate of one partition."""

RESEND_AFTER: Final = timedelta(minutes=2)
"""How long an accepted event may be on its way before the sweeper sends it again."""

_LONGEST_WAIT: Final = timedelta(hours=1)
_DOUBLINGS: Final = 8
_PROBE: Final = EventReference(tenant_id="-probe-", event_id="-probe-")


class EventIdTaken(Exception):
    """Another event has this id: 80 random bits were drawn twice, or an id was reused."""


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event that is not yet available.

    Attributes:
        resend_at: When it is due to be sent again, as written in the item.
        resends: How often it was sent again before.
    """

    reference: EventReference
    resend_at: str
    resends: int


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the table has it.

    Attributes:
        data: The payload; ``None`` where it lies in the payload bucket.
    """

    type: str
    status: Status
    accepted_at: str
    available_at: str | None
    data: bytes | None

    def with_data(self, event_id: str, data: bytes) -> Event:
        """Give the client's view."""
        return Event(
            id=event_id,
            type=self.type,
            data=msgspec.Raw(data),
            status=self.status,
            accepted_at=self.accepted_at,
            available_at=self.available_at,
        )


class EventStore:
    """Reads and writes events of all tenants.

    Args:
        clients: The factory; each method says what the role behind it must be allowed.
        table: The events table's name.
    """

    def __init__(self, clients: RoleClients, table: str) -> None:
        self._clients = clients
        self._table = table

    def put(
        self,
        reference: EventReference,
        event: EventInput,
        *,
        inline: bool,
        request_id: str,
        now: datetime,
        retention: timedelta,
    ) -> None:
        """Store a new event, once (``dynamodb:PutItem``).

        Args:
            reference: The new event's key.
            event: What the client sent.
            inline: Whether the payload goes into the item.
            request_id: The request that brings it. A repetition by the SDK, whose first answer was lost, is
                recognised by it and succeeds, unless the event has gone on meanwhile: a first attempt that arrives
                last undoes nothing.
            now: The moment of acceptance.
            retention: After this the table forgets the event.

        Raises:
            EventIdTaken: The key holds an event of another request.
            AWS_ERRORS: It was not stored, as far as is known.
        """
        try:
            self._clients.client("dynamodb").put_item(
                TableName=self._table,
                Item={
                    "tenant_id": {"S": reference.tenant_id},
                    "event_id": {"S": reference.event_id},
                    "type": {"S": event.type},
                    **({"data": {"B": bytes(event.data)}} if inline else {}),
                    "status": {"S": Status.ACCEPTED.value},
                    "accepted_at": {"S": timestamp(now)},
                    "request_id": {"S": request_id},
                    "pending": {"S": _shard(reference)},
                    "resend_at": {"S": timestamp(now + RESEND_AFTER)},
                    "resends": {"N": "0"},
                    "expires_at": {"N": str(int((now + retention).timestamp()))},
                },
                ConditionExpression=(
                    "attribute_not_exists(event_id) OR (request_id = :request_id AND #status = :accepted)"
                ),
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":request_id": {"S": request_id},
                    ":accepted": {"S": Status.ACCEPTED.value},
                },
            )
        except Exception as error:
            if condition_failed(error):
                raise EventIdTaken(
                    f"The event id {reference.event_id} is in use. Nothing was stored. Send the event again."
                ) from error
            raise

    def get(self, reference: EventReference) -> StoredEvent | None:
        """Read an event (``dynamodb:GetItem``).

        Returns:
            The event; ``None`` where this tenant has none of this id.

        Raises:
            AWS_ERRORS: The table could not be read.
        """
        item = (
            self._clients.client("dynamodb")
            .get_item(TableName=self._table, Key=_key(reference), ConsistentRead=True)
            .get("Item")
        )
        if item is None:
            return None
        return StoredEvent(
            type=item["type"]["S"],
            status=Status(item["status"]["S"]),
            accepted_at=item["accepted_at"]["S"],
            available_at=item["available_at"]["S"] if "available_at" in item else None,
            data=bytes(item["data"]["B"]) if "data" in item else None,
        )

    def make_available(self, reference: EventReference, now: datetime) -> bool:
        """Put an accepted event into its tenant's inbox, once (``dynamodb:UpdateItem``).

        Returns:
            True if it was done now; false if it had been done before, or the event has expired.

        Raises:
            AWS_ERRORS: It was not done, as far as is known.
        """
        try:
            self._clients.client("dynamodb").update_item(
                TableName=self._table,
                Key=_key(reference),
                UpdateExpression="SET #status = :available, available_at = :now REMOVE pending, resend_at, resends",
                ConditionExpression="#status = :accepted",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":accepted": {"S": Status.ACCEPTED.value},
                    ":available": {"S": Status.AVAILABLE.value},
                    ":now": {"S": timestamp(now)},
                },
            )
        except Exception as error:
            if condition_failed(error):
                return False
            raise
        return True

    def pending(self, now: datetime) -> Iterator[PendingEvent]:
        """Find what is due to be sent again (``dynamodb:Query`` on the pending index).

        Yields:
            Due events, oldest first within each shard.

        Raises:
            AWS_ERRORS: The index could not be read.
        """
        pages = self._clients.client("dynamodb").get_paginator("query")
        for shard in range(PENDING_SHARDS):
            for page in pages.paginate(
                TableName=self._table,
                IndexName=PENDING_INDEX,
                KeyConditionExpression="pending = :shard AND resend_at <= :now",
                ExpressionAttributeValues={":shard": {"S": str(shard)}, ":now": {"S": timestamp(now)}},
            ):
                for item in page["Items"]:
                    yield PendingEvent(
                        EventReference(tenant_id=item["tenant_id"]["S"], event_id=item["event_id"]["S"]),
                        resend_at=item["resend_at"]["S"],
                        resends=int(item["resends"]["N"]),
                    )

    def claim_resend(self, event: PendingEvent, now: datetime) -> bool:
        """Take the turn to send an event again, and put off the next one (``dynamodb:UpdateItem``).

        The wait doubles with every turn, so that a queue that is only slow is not flooded.

        Returns:
            True if the turn is the caller's; false if the event became available or another sweeper was faster.

        Raises:
            AWS_ERRORS: The table could not be written.
        """
        wait = min(RESEND_AFTER * 2 ** min(event.resends + 1, _DOUBLINGS), _LONGEST_WAIT)
        try:
            self._clients.client("dynamodb").update_item(
                TableName=self._table,
                Key=_key(event.reference),
                UpdateExpression="SET resends = resends + :one, resend_at = :next",
                ConditionExpression="resend_at = :seen",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":seen": {"S": event.resend_at},
                    ":next": {"S": timestamp(now + wait)},
                },
            )
        except Exception as error:
            if condition_failed(error):
                return False
            raise
        return True

    def probe(self) -> None:
        """Make one cheap call (``dynamodb:GetItem`` of a key that no tenant can have).

        Raises:
            AWS_ERRORS: The table cannot be reached or read.
        """
        self._clients.client("dynamodb").get_item(
            TableName=self._table, Key=_key(_PROBE), ProjectionExpression="event_id"
        )


def _key(reference: EventReference) -> dict[str, AttributeValueTypeDef]:
    return {"tenant_id": {"S": reference.tenant_id}, "event_id": {"S": reference.event_id}}


def _shard(reference: EventReference) -> str:
    digest = hashlib.sha256(f"{reference.tenant_id}/{reference.event_id}".encode()).digest()
    return str(digest[0] % PENDING_SHARDS)
