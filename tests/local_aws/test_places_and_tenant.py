"""Where a local AWS lies, and the key that its demo tenant gets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from local_aws import tenant
from local_aws.errors import LocalAwsError
from local_aws.places import Places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def test_the_state_directory_is_dot_local_unless_named() -> None:
    """`ROLEBOUND_LOCAL_DIR` may be relative to the project or absolute; empty means unset."""
    project = Path("/project")
    assert Places.from_environment({}, project).directory == project / ".local"
    assert Places.from_environment({"ROLEBOUND_LOCAL_DIR": ""}, project).directory == project / ".local"
    assert Places.from_environment({"ROLEBOUND_LOCAL_DIR": ".local/test"}, project).directory == project / ".local/test"
    assert Places.from_environment({"ROLEBOUND_LOCAL_DIR": "/other"}, project).directory == Path("/other")


def test_a_message_has_its_three_parts_and_the_log() -> None:
    """What is wrong, why it matters, what to do, and where to read more."""
    text = str(LocalAwsError("It broke.", why="You wait.", next_step="Run `make up`.", log=Path("/log")))
    assert text.splitlines() == [
        "It broke.",
        "  Why it matters: You wait.",
        "  What to do:     Run `make up`.",
        "  Log:            /log",
    ]


class KeyTable:
    """Stands in for the cloud: one table in memory."""

    def __init__(self) -> None:
        self.items: dict[str, Mapping[str, AttributeValueTypeDef]] = {}

    def put_item(self, table: str, item: Mapping[str, AttributeValueTypeDef]) -> None:
        """Keep the item under its key id."""
        assert table == "keys"
        self.items[item["key_id"]["S"]] = item

    def get_item(
        self, table: str, key: Mapping[str, AttributeValueTypeDef]
    ) -> Mapping[str, AttributeValueTypeDef] | None:
        """Find an item by its key id."""
        assert table == "keys"
        return self.items.get(key["key_id"]["S"])


def test_the_demo_tenant_keeps_its_key() -> None:
    """A second `make up` prints the same key, so that what was copied still works."""
    table = KeyTable()
    first = tenant.ensure_api_key(table, "keys", previous=None, now=NOW)
    assert tenant.ensure_api_key(table, "keys", previous=first, now=NOW) == first
    assert len(table.items) == 1


def test_a_key_that_is_gone_or_disabled_is_replaced() -> None:
    """After `make down`, or when somebody disabled it, a new key is made."""
    table = KeyTable()
    first = tenant.ensure_api_key(table, "keys", previous=None, now=NOW)
    (key_id,) = table.items
    table.items[key_id] = {**table.items[key_id], "enabled": {"BOOL": False}}
    second = tenant.ensure_api_key(table, "keys", previous=first, now=NOW)
    assert second != first
    table.items.clear()
    assert tenant.ensure_api_key(table, "keys", previous=second, now=NOW) != second


def test_only_a_hash_of_the_key_is_stored() -> None:
    """The secret cannot be read from the table."""
    table = KeyTable()
    key = tenant.ensure_api_key(table, "keys", previous=None, now=NOW)
    assert key.split("_", 2)[2] not in str(table.items)
