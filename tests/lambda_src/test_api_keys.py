"""API keys, from minting to the tenant they stand for."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from event_api.api_keys import InvalidTenant, MintedKey, mint, tenant_of
from event_api.role_clients import AWS_ERRORS, RoleClients
from tests.lambda_src.made_up import REGION
from tests.lambda_src.recording_server import RecordingServer, fault, ok

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

pytestmark = pytest.mark.usefixtures("runtime")

_NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)

# The server and the client hold nothing that one example could leave to the next.
_one_server = settings(
    max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def dynamodb(aws: RecordingServer) -> DynamoDBClient:
    """Give a client of the key table."""
    del aws
    return RoleClients(REGION).client("dynamodb")


def _stored(minted: MintedKey, **changes: dict[str, Any] | None) -> dict[str, Any]:
    item = {**minted.item, **changes}
    return {"Item": {name: value for name, value in item.items() if value is not None}}


def test_a_minted_key_leads_to_its_tenant(aws: RecordingServer, dynamodb: DynamoDBClient) -> None:
    """One read of the key's item, by its id, answers whose it is."""
    minted = mint("acme", _NOW)
    aws.script("GetItem", ok(_stored(minted)))

    assert tenant_of(minted.api_key, dynamodb=dynamodb, table="api-keys") == "acme"

    (read,) = aws.requests
    assert read.json["TableName"] == "api-keys"
    assert read.json["Key"] == {"key_id": minted.item["key_id"]}


def test_the_secret_is_neither_stored_nor_sent(aws: RecordingServer, dynamodb: DynamoDBClient) -> None:
    """Whoever reads the table or the traffic to it cannot make a key from what is there."""
    minted = mint("acme", _NOW)
    secret = minted.api_key.split("_", 2)[2]
    aws.script("GetItem", ok(_stored(minted)))

    tenant_of(minted.api_key, dynamodb=dynamodb, table="api-keys")

    assert secret not in json.dumps(minted.item)
    assert secret.encode() not in aws.requests[0].body
    assert re.fullmatch("[0-9a-f]{64}", minted.item["secret_sha256"]["S"])


@given(tenant=st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True))
def test_a_key_and_its_item_have_the_documented_form(tenant: str) -> None:
    """The item holds what the authorizer needs, and the moment of minting."""
    minted = mint(tenant, _NOW)

    assert re.fullmatch(r"rb_[a-z2-7]{12}_[A-Za-z0-9_-]{43}", minted.api_key)
    assert minted.api_key.split("_")[1] == minted.item["key_id"]["S"]
    assert minted.item["tenant_id"] == {"S": tenant}
    assert minted.item["created_at"] == {"S": "2026-11-01T12:00:00.000Z"}
    assert minted.item["enabled"] == {"BOOL": True}
    assert set(minted.item) == {"key_id", "tenant_id", "secret_sha256", "created_at", "enabled"}


def test_no_two_keys_are_alike() -> None:
    """Ids and secrets are drawn anew each time."""
    minted = [mint("acme", _NOW) for _ in range(200)]

    assert len({key.item["key_id"]["S"] for key in minted}) == 200
    assert len({key.item["secret_sha256"]["S"] for key in minted}) == 200


@given(st.text(max_size=70))
@example("")
@example("Acme")
@example("acme/other")
@example("acme\n")
@example("-probe-")
@example("a" * 64)
@example("٣")
def test_exactly_the_documented_form_is_a_tenant(tenant: str) -> None:
    """A tenant's id becomes part of keys: nothing in it can reach into another tenant's."""
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", tenant):
        assert mint(tenant, _NOW).item["tenant_id"] == {"S": tenant}
    else:
        with pytest.raises(InvalidTenant, match="Use lower-case letters, digits and hyphens"):
            mint(tenant, _NOW)


@_one_server
@given(position=st.integers(0, 42), letter=st.sampled_from("ABCxyz019-_"))
def test_a_key_with_one_letter_changed_is_nobodys(
    position: int, letter: str, aws: RecordingServer, dynamodb: DynamoDBClient
) -> None:
    """Every letter of the secret counts, the last one included."""
    minted = mint("acme", _NOW)
    aws.script("GetItem", ok(_stored(minted)))
    head, secret = minted.api_key[:16], minted.api_key[16:]
    tampered = head + secret[:position] + letter + secret[position + 1 :]

    expected = "acme" if tampered == minted.api_key else None
    assert tenant_of(tampered, dynamodb=dynamodb, table="api-keys") == expected


def test_the_secret_of_another_key_opens_nothing(aws: RecordingServer, dynamodb: DynamoDBClient) -> None:
    """A key's id and another key's secret make no key."""
    theirs, ours = mint("them", _NOW), mint("us", _NOW)
    aws.script("GetItem", ok(_stored(theirs)))

    assert tenant_of(theirs.api_key[:16] + ours.api_key[16:], dynamodb=dynamodb, table="api-keys") is None


@_one_server
@given(key=st.text() | st.from_regex(r"rb_[a-z2-7]{11,13}_[A-Za-z0-9_-]{42,44}.?", fullmatch=True))
@example(key="")
@example(key="Bearer rb_abcdefghijkl_" + "A" * 43)
@example(key="rb_abcdefghijkl_" + "A" * 43 + "\n")
@example(key="rb_ABCDEFGHIJKL_" + "A" * 43)
@example(key="rb_abcdefghijkl_" + "é" * 43)
@example(key="rb_abcdefghijkl_" + "A" * 43 + ",rb_abcdefghijkl_" + "A" * 43)
def test_a_malformed_key_costs_no_request(key: str, aws: RecordingServer, dynamodb: DynamoDBClient) -> None:
    """Noise at the door is refused without asking the table."""
    before = len(aws.requests)
    well_formed = re.fullmatch(r"rb_[a-z2-7]{12}_[A-Za-z0-9_-]{43}", key) is not None

    assert tenant_of(key, dynamodb=dynamodb, table="api-keys") is None

    assert len(aws.requests) - before == int(well_formed)


@pytest.mark.parametrize(
    "changes",
    [{"enabled": {"BOOL": False}}, {"enabled": None}, {"enabled": {"S": "true"}}],
    ids=["disabled", "without the mark", "with a mark of another kind"],
)
def test_a_key_that_is_not_plainly_enabled_is_nobodys(
    changes: dict[str, dict[str, Any] | None], aws: RecordingServer, dynamodb: DynamoDBClient
) -> None:
    """Switching a key off works, and doubt counts as off."""
    minted = mint("acme", _NOW)
    aws.script("GetItem", ok(_stored(minted, **changes)))

    assert tenant_of(minted.api_key, dynamodb=dynamodb, table="api-keys") is None


def test_an_unknown_key_is_nobodys(aws: RecordingServer, dynamodb: DynamoDBClient) -> None:
    """A key of the right form that the table does not have."""
    aws.script("GetItem", ok({}))

    assert tenant_of(mint("acme", _NOW).api_key, dynamodb=dynamodb, table="api-keys") is None


def test_a_table_that_cannot_be_read_is_no_refusal(aws: RecordingServer, dynamodb: DynamoDBClient) -> None:
    """A valid key must not be told invalid because the table was out of reach: the fault is raised."""
    aws.script("GetItem", fault("AccessDeniedException"))

    with pytest.raises(AWS_ERRORS):
        tenant_of(mint("acme", _NOW).api_key, dynamodb=dynamodb, table="api-keys")
