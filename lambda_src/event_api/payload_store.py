"""Payloads that are too large for an item of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from event_api.events import EventReference
    from event_api.role_clients import RoleClients

INLINE_BYTES: Final = 16 * 1024
"""Up to here a payload stays in its item: DynamoDB bills every later update of the item for its whole size."""


class PayloadStore:
    """One object per large payload, in a bucket whose life-cycle rule removes it with the event.

    Args:
        clients: The factory; the role behind it may put and get objects of the bucket.
        bucket: The bucket's name.
    """

    def __init__(self, clients: RoleClients, bucket: str) -> None:
        self._clients = clients
        self._bucket = bucket

    def put(self, reference: EventReference, data: bytes) -> None:
        """Store a payload.

        Raises:
            AWS_ERRORS: It was not stored.
        """
        self._clients.client("s3").put_object(
            Bucket=self._bucket, Key=_key(reference), Body=data, ContentType="application/json"
        )

    def get(self, reference: EventReference) -> bytes:
        """Read a payload.

        Raises:
            AWS_ERRORS: It could not be read, or is not there.
        """
        return self._clients.client("s3").get_object(Bucket=self._bucket, Key=_key(reference))["Body"].read()


def _key(reference: EventReference) -> str:
    return f"{reference.tenant_id}/{reference.event_id}"
