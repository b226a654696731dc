"""The demo tenant of a local AWS and its API key."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Protocol

from local_aws.places import PROJECT

# The functions' code is deployed, not installed; a key is made by the code that will check it.
sys.path.append(str(PROJECT / "lambda_src"))

from event_api import api_keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

DEMO_TENANT = "demo"

_KEY_ID = re.compile(r"rb_([a-z2-7]{12})_")


class Tables(Protocol):
    """What is needed of the cloud here."""

    def put_item(self, table: str, item: Mapping[str, AttributeValueTypeDef]) -> None:
        """Write one item."""

    def get_item(
        self, table: str, key: Mapping[str, AttributeValueTypeDef]
    ) -> Mapping[str, AttributeValueTypeDef] | None:
        """Read one item; `None` if it is not there."""


def ensure_api_key(tables: Tables, table: str, *, previous: str | None, now: datetime) -> str:
    """The demo tenant's API key: the previous one if its item is still there, else a new one.

    Args:
        tables: The tables of the local AWS.
        table: The API-key table.
        previous: The key that was handed out last time, if any.
        now: The moment that a new key is said to be made.
    """
    found = _KEY_ID.match(previous or "")
    if previous and found:
        item = tables.get_item(table, {"key_id": {"S": found[1]}})
        if item is not None and item.get("enabled", {}).get("BOOL"):
            return previous
    minted = api_keys.mint(DEMO_TENANT, now)
    tables.put_item(table, minted.item)
    return minted.api_key
