"""The event queue: carries references to stored events, never payloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from event_api.events import EventReference

if TYPE_CHECKING:
    from event_api.role_clients import RoleClients

_decoder = msgspec.json.Decoder(EventReference)


class InvalidReference(Exception):
    """A message that did not come from this queue's senders."""


class EventQueue:
    """Sends references and tells whether the queue can be reached.

    Args:
        clients: The factory; the role behind it may send to the queue and read its attributes.
        url: The queue's URL.
    """

    def __init__(self, clients: RoleClients, url: str) -> None:
        self._clients = clients
        self._url = url

    def send(self, reference: EventReference) -> None:
        """Put one reference on the queue.

        Raises:
            AWS_ERRORS: The queue did not take it.
        """
        self._clients.client("sqs").send_message(
            QueueUrl=self._url, MessageBody=msgspec.json.encode(reference).decode()
        )

    def probe(self) -> None:
        """Make one cheap call.

        Raises:
            AWS_ERRORS: The queue cannot be reached or read.
        """
        self._clients.client("sqs").get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])


def parse_reference(body: str) -> EventReference:
    """Read a message's body.

    Raises:
        InvalidReference: It is no reference.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidReference(
            f"The message is no event reference: {error}. It cannot be worked on and goes to the dead-letter queue. "
            "Find out who else may send to this queue; its policy should admit only our roles."
        ) from error
