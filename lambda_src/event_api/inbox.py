"""What the service promises: an accepted event reaches its tenant's inbox, once, whatever fails on the way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from event_api.events import Event, EventInput, EventReference, is_event_id, new_event_id
from event_api.payload_store import INLINE_BYTES
from event_api.role_clients import AWS_ERRORS
from event_api.telemetry import report

if TYPE_CHECKING:
    from datetime import timedelta

    from event_api.event_queue import EventQueue
    from event_api.event_store import EventStore
    from event_api.payload_store import PayloadStore


class EventNotFound(Exception):
    """This tenant has no event of this id."""


class Inbox:
    """Accepts and gives events of all tenants.

    Args:
        store: The events table.
        payloads: Where large payloads go.
        queue: The event queue.
        retention: How long an event is kept from its acceptance.
    """

    def __init__(self, store: EventStore, payloads: PayloadStore, queue: EventQueue, retention: timedelta) -> None:
        self._store = store
        self._payloads = payloads
        self._queue = queue
        self._retention = retention

    def accept(self, tenant_id: str, event: EventInput, *, request_id: str) -> EventReference:
        """Take a tenant's event.

        Once this returns, the event is in the table. If the queue could not be told, that is reported and the
        sweeper tells it later: the client need not know.

        Args:
            tenant_id: Whose event it is, from the authorizer.
            event: What the client sent.
            request_id: The request that brings it.

        Returns:
            The new event's reference.

        Raises:
            AWS_ERRORS: It was not stored, as far as is known.
            EventIdTaken: It was not stored.
        """
        reference = EventReference(tenant_id=tenant_id, event_id=new_event_id())
        data = bytes(event.data)
        inline = len(data) <= INLINE_BYTES
        if not inline:
            # Before the item: an item without its payload would be a promise broken, an object without
            # its item only waits for the bucket's life-cycle rule.
            self._payloads.put(reference, data)
        self._store.put(
            reference,
            event,
            inline=inline,
            request_id=request_id,
            now=datetime.now(UTC),
            retention=self._retention,
        )
        try:
            self._queue.send(reference)
        except AWS_ERRORS as error:
            report(error)
        return reference

    def read(self, tenant_id: str, event_id: str) -> Event:
        """Give one of the tenant's events.

        Raises:
            EventNotFound: The tenant has none of this id.
            AWS_ERRORS: It could not be read.
        """
        reference = EventReference(tenant_id=tenant_id, event_id=event_id)
        stored = self._store.get(reference) if is_event_id(event_id) else None
        if stored is None:
            raise EventNotFound(
                "There is no event of this id. It may have expired, or belong to another API key's tenant. "
                "Check the id that POST /v1/events gave."
            )
        data = stored.data if stored.data is not None else self._payloads.get(reference)
        return stored.with_data(event_id, data)
