"""What an event is, from the client's JSON to the stored form."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec

MAX_BODY_BYTES: Final = 256 * 1024
"""The largest request body. What is larger belongs in the client's own bucket, with a link in the event."""

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID_LENGTH: Final = 26


class InvalidEvent(Exception):
    """A body that is no event. The text names the field and what is allowed there."""


class EventTooLarge(Exception):
    """A body of more than ``MAX_BODY_BYTES``."""


class Status(StrEnum):
    """How far an event has come."""

    ACCEPTED = "accepted"
    """Stored; it will be made available, whatever fails meanwhile."""
    AVAILABLE = "available"
    """In the tenant's inbox."""


class EventInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends.

    Attributes:
        type: What happened, such as ``order.created``: letters, digits, dot, hyphen, underscore; 128 at most.
        data: The payload: any JSON value whose numbers a double can hold, kept byte for byte.
    """

    type: Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    data: msgspec.Raw

    def __post_init__(self) -> None:
        # In Python's dialect the pattern's $ also matches before a line break at the end.
        if self.type.endswith("\n"):
            raise ValueError("`type` ends in a line break")


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event as a client reads it.

    Attributes:
        id: Sorts by the time of acceptance among one tenant's events.
        accepted_at: RFC 3339, UTC, milliseconds.
        available_at: As ``accepted_at``; absent until the event is available.
    """

    id: str
    type: str
    data: msgspec.Raw
    status: Status
    accepted_at: str
    available_at: str | None = None


class EventReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What travels through the queue: never the payload."""

    tenant_id: str
    event_id: str


_input_decoder: Final = msgspec.json.Decoder(EventInput)


def parse_event(body: bytes) -> EventInput:
    """Read a request body.

    Args:
        body: UTF-8 JSON.

    Returns:
        A valid event.

    Raises:
        EventTooLarge: More than ``MAX_BODY_BYTES``.
        InvalidEvent: Not JSON, or not of an event's form.
    """
    if len(body) > MAX_BODY_BYTES:
        raise EventTooLarge(
            f"The body has {len(body)} bytes; {MAX_BODY_BYTES} are allowed, so that every event can be stored and "
            "leased in one piece. Store the payload elsewhere and send a link to it."
        )
    try:
        event = _input_decoder.decode(body)
        # Raw skips over the payload: only a full pass shows that it is JSON a client can read back.
        msgspec.json.decode(event.data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidEvent(
            f"The body is no event: {error}. Nothing was stored. Send a JSON object such as "
            '{"type": "order.created", "data": {"id": 7}}.'
        ) from error
    except RecursionError as error:
        raise InvalidEvent(
            "The body is no event: its data is nested too deeply to be read. Nothing was stored. Flatten it."
        ) from error
    return event


def new_event_id() -> str:
    """Make an id: a ULID, whose first 48 bits are the time in milliseconds and the other 80 random."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(5 * (_ID_LENGTH - 1), -1, -5))


def is_event_id(text: str) -> bool:
    """True for text of the form that ``new_event_id`` gives."""
    return len(text) == _ID_LENGTH and text[0] <= "7" and all(letter in _CROCKFORD for letter in text)


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC with milliseconds: sorts as text in the order of time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
