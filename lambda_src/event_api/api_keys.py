"""API keys: minted once, shown once, stored as a hash.

A key is ``rb_<key id>_<secret>``. The id finds the item and may be logged; the secret is 32 random bytes, so a plain
SHA-256 protects it: there is nothing to guess.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

from event_api.events import timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

_FORM: Final = re.compile(r"rb_([a-z2-7]{12})_([A-Za-z0-9_-]{43})", re.ASCII)
_TENANT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


class InvalidTenant(Exception):
    """A tenant's id that cannot be used."""


class MintedKey(NamedTuple):
    """A new key and the item to store for it. The key cannot be found again from the item."""

    api_key: str
    item: dict[str, AttributeValueTypeDef]


def mint(tenant_id: str, now: datetime) -> MintedKey:
    """Make a key for a tenant.

    Args:
        tenant_id: Lower-case letters, digits and hyphens, 63 at most.
        now: The moment written into the item.

    Returns:
        The key, to be shown once, and the item for the API-key table, in DynamoDB's attribute form.

    Raises:
        InvalidTenant: The tenant's id is of another form.
    """
    if not _TENANT.fullmatch(tenant_id):
        raise InvalidTenant(
            f"{tenant_id!r} is no tenant id: it would end up in keys of the table and the bucket. Use lower-case "
            "letters, digits and hyphens, 63 at most, beginning with a letter or digit."
        )
    key_id = base64.b32encode(secrets.token_bytes(8)).decode().lower()[:12]
    secret = secrets.token_urlsafe(32)
    return MintedKey(
        api_key=f"rb_{key_id}_{secret}",
        item={
            "key_id": {"S": key_id},
            "tenant_id": {"S": tenant_id},
            "secret_sha256": {"S": _digest(secret)},
            "created_at": {"S": timestamp(now)},
            "enabled": {"BOOL": True},
        },
    )


def tenant_of(api_key: str, *, dynamodb: DynamoDBClient, table: str) -> str | None:
    """Say whose key this is.

    Args:
        api_key: What the client sent.
        dynamodb: A client that may get items of the API-key table.
        table: The API-key table's name.

    Returns:
        The tenant's id; ``None`` for a key that is malformed (no call is made), unknown, wrong or disabled.

    Raises:
        AWS_ERRORS: The table could not be read.
    """
    form = _FORM.fullmatch(api_key)
    if form is None:
        return None
    key_id, secret = form.groups()
    item = dynamodb.get_item(
        TableName=table,
        Key={"key_id": {"S": key_id}},
        ProjectionExpression="tenant_id, secret_sha256, enabled",
    ).get("Item")
    if item is None or not item.get("enabled", {}).get("BOOL", False):
        return None
    if not hmac.compare_digest(item["secret_sha256"]["S"], _digest(secret)):
        return None
    return item["tenant_id"]["S"]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii")).hexdigest()
