"""What must never be lost is kept, encrypted, and closed to everybody else."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests.stacks.permissions import functions, statements

if TYPE_CHECKING:
    from tests.stacks.cloud_assembly import Assembly, Resource

TABLES = ("Data/Events", "Data/ApiKeys")
QUEUES = ("Data/EventQueue", "Data/DeadLetters")
STORED = (*((path, "AWS::DynamoDB::GlobalTable") for path in TABLES), ("Data/Payloads", "AWS::S3::Bucket"))


KEY = "<Data/Key/Key.Arn>"


def _has_own_key(assembly: Assembly) -> bool:
    return assembly.context.get("encryption") == "customer"


def _table(assembly: Assembly, path: str) -> Resource:
    return assembly.data.at(path, "AWS::DynamoDB::GlobalTable")


@pytest.mark.parametrize("path", TABLES)
def test_tables_cost_nothing_while_idle_and_can_be_restored_to_any_second(deployment: Assembly, path: str) -> None:
    """On-demand billing, and point-in-time recovery on every replica."""
    table = _table(deployment, path).properties
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["Replicas"]
    for replica in table["Replicas"]:
        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_the_events_table_forgets_expired_events(deployment: Assembly) -> None:
    """Items carry ``expires_at``, and the table acts on it."""
    table = _table(deployment, "Data/Events").properties
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_api_keys_do_not_expire_by_themselves(deployment: Assembly) -> None:
    """A key ends when somebody disables it."""
    assert "TimeToLiveSpecification" not in _table(deployment, "Data/ApiKeys").properties


def test_an_event_is_found_by_its_tenant_and_id_only(deployment: Assembly) -> None:
    """The tenant is the partition: no query of one tenant can reach another's events."""
    assert _keys(_table(deployment, "Data/Events")) == {"HASH": "tenant_id", "RANGE": "event_id"}
    assert _keys(_table(deployment, "Data/ApiKeys")) == {"HASH": "key_id"}


def test_pending_events_are_found_by_a_sparse_index(deployment: Assembly) -> None:
    """Its keys are attributes that only a pending item has, so it holds nothing but what the sweeper looks for."""
    table = _table(deployment, "Data/Events")
    (index,) = table.properties["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "pending"
    keys = {key["KeyType"]: key["AttributeName"] for key in index["KeySchema"]}
    assert keys == {"HASH": "pending", "RANGE": "resend_at"}
    assert not set(keys.values()) & set(_keys(table).values())
    assert index["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["resends"]}


def _keys(table: Resource) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in table.properties["KeySchema"]}


def test_a_reference_that_cannot_be_worked_on_is_kept_for_a_human(deployment: Assembly) -> None:
    """After five tries it goes to the dead letters, which keep it as long as SQS can and longer than the queue."""
    data = deployment.data
    queue = data.at("Data/EventQueue", "AWS::SQS::Queue").properties
    assert data.text(queue["RedrivePolicy"]["deadLetterTargetArn"]) == "<Data/DeadLetters.Arn>"
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    kept = data.at("Data/DeadLetters", "AWS::SQS::Queue").properties["MessageRetentionPeriod"]
    assert kept == 14 * 24 * 3600 > queue.get("MessageRetentionPeriod", 4 * 24 * 3600)


def test_a_message_stays_hidden_while_the_worker_may_still_work_on_it(deployment: Assembly) -> None:
    """Lambda asks for six times the function's time-out, or a slow batch is delivered twice."""
    queue = deployment.data.at("Data/EventQueue", "AWS::SQS::Queue").properties
    worker = functions(deployment.api)["worker"].properties
    assert queue["VisibilityTimeout"] >= 6 * worker["Timeout"]


@pytest.mark.parametrize("path", QUEUES)
def test_queues_are_encrypted(deployment: Assembly, path: str) -> None:
    """At rest, with keys that SQS manages, or with the account's own."""
    queue = deployment.data.at(path, "AWS::SQS::Queue").properties
    if _has_own_key(deployment):
        assert deployment.data.text(queue["KmsMasterKeyId"]) == KEY
    else:
        assert queue["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize("path", QUEUES)
def test_queues_answer_over_tls_only_and_give_nobody_anything(deployment: Assembly, path: str) -> None:
    """The queue's policy denies plain HTTP for all of the queue's actions and allows nothing at all."""
    data = deployment.data
    (policy,) = (
        policy
        for policy in data.of_type("AWS::SQS::QueuePolicy")
        if data.texts(policy.properties["Queues"]) == [f"<{path}>"]
    )
    found = statements(data, policy.properties["PolicyDocument"])
    assert {statement.effect for statement in found} == {"Deny"}
    (statement,) = (each for each in found if each.condition == {"Bool": {"aws:SecureTransport": "false"}})
    assert statement.principal == {"AWS": "*"}
    assert set(statement.pairs()) == {("sqs:*", f"<{path}.Arn>")}


def test_the_bucket_answers_over_current_tls_only_and_gives_nobody_anything(deployment: Assembly) -> None:
    """Plain HTTP and TLS below 1.2 are denied for the bucket and its objects."""
    data = deployment.data
    (policy,) = data.of_type("AWS::S3::BucketPolicy")
    found = statements(data, policy.properties["PolicyDocument"])
    assert {statement.effect for statement in found} == {"Deny"}
    bucket = ("<Data/Payloads.Arn>", "<Data/Payloads.Arn>/*")
    for condition in ({"Bool": {"aws:SecureTransport": "false"}}, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}):
        (statement,) = (statement for statement in found if statement.condition == condition)
        assert statement.principal == {"AWS": "*"}
        assert set(statement.pairs()) == set(itertools.product(["s3:*"], bucket))


def test_the_bucket_cannot_be_made_public(deployment: Assembly) -> None:
    """All four blocks are on, and access lists have no effect."""
    bucket = deployment.data.at("Data/Payloads", "AWS::S3::Bucket").properties
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_payloads_are_encrypted(deployment: Assembly) -> None:
    """At rest, with keys that S3 manages, or with the account's own: then with one data key for many objects."""
    bucket = deployment.data.at("Data/Payloads", "AWS::S3::Bucket").properties
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    if _has_own_key(deployment):
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert deployment.data.text(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]) == KEY
        assert rule["BucketKeyEnabled"] is True
    else:
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


@pytest.mark.parametrize("path", TABLES)
def test_tables_are_encrypted_with_the_accounts_own_key_by_choice(deployment: Assembly, path: str) -> None:
    """DynamoDB encrypts in any case, with its own key if nothing is said."""
    table = _table(deployment, path).properties
    own = [
        deployment.data.text(each["SSESpecification"]["KMSMasterKeyId"])
        for each in table["Replicas"]
        if "SSESpecification" in each
    ]
    if _has_own_key(deployment):
        assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
        assert own == [KEY] * len(table["Replicas"])
    else:
        assert "SSESpecification" not in table
        assert own == []


def test_a_payload_outlives_its_event(deployment: Assembly) -> None:
    """The bucket's rule, for all objects, runs a week later than the retention that the API function writes into items.

    DynamoDB removes an expired item within a few days; until then it can be read and must not point at nothing.
    """
    bucket = deployment.data.at("Data/Payloads", "AWS::S3::Bucket").properties
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert not rule.keys() & {"Prefix", "TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan"}
    retention = int(functions(deployment.api)["api"].properties["Environment"]["Variables"]["RETENTION_DAYS"])
    assert rule["ExpirationInDays"] >= retention + 7
    assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] <= retention


def test_retention_follows_the_setting(dev: Assembly, prod: Assembly) -> None:
    """``event_retention_days`` reaches the function that writes it into items."""
    days = [
        functions(assembly.api)["api"].properties["Environment"]["Variables"]["RETENTION_DAYS"]
        for assembly in (dev, prod)
    ]
    assert days == ["30", "365"]


@pytest.mark.parametrize(("path", "type_"), STORED)
def test_production_data_survives_its_stack(prod: Assembly, path: str, type_: str) -> None:
    """Deleting or replacing a table or the bucket leaves the data where it is."""
    resource = prod.data.at(path, type_)
    assert resource.body["DeletionPolicy"] == "Retain"
    assert resource.body["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("path", QUEUES)
def test_production_references_survive_their_stack(prod: Assembly, path: str) -> None:
    """What waits in a queue is kept as well."""
    assert prod.data.at(path, "AWS::SQS::Queue").body["DeletionPolicy"] == "Retain"


@pytest.mark.parametrize("path", TABLES)
def test_production_tables_cannot_be_deleted_by_hand(prod: Assembly, path: str) -> None:
    """Deletion protection refuses what the console or a script would do."""
    for replica in _table(prod, path).properties["Replicas"]:
        assert replica["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize("path", TABLES)
def test_a_developers_stack_can_be_deleted(dev: Assembly, path: str) -> None:
    """Neither retained nor protected: `cdk destroy` cleans up."""
    table = _table(dev, path)
    assert table.body["DeletionPolicy"] == "Delete"
    for replica in table.properties["Replicas"]:
        assert replica["DeletionProtectionEnabled"] is False
