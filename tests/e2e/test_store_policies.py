"""What the stores refuse, tried on the local AWS with the statements that are left out there.

No call here comes through an endpoint, so each function's role is where stolen credentials would be: outside.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from aws_cdk import Stack

from event_api.role_clients import AWS_ERRORS, FailureKind, classify
from local_aws import up
from stacks.access import access_table
from stacks.resource_policies import through_endpoints
from stacks.settings import Function, Service, Settings
from stacks.stores import Store, Stores
from tests.e2e.roles import DeployedRoles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_aws.cloud import Cloud
    from local_aws.places import Places
    from tests.e2e.roles import Role

pytestmark = pytest.mark.e2e

SETTINGS: Final = Settings.from_context(up.CONTEXT)
STORES: Final = Stores.of(SETTINGS)
ENDPOINTS: Final = {Service.SQS: "vpce-0123456789abcdef0", Service.S3: "vpce-0fedcba9876543210"}
"""Made up: what matters is that no call comes through them."""


@pytest.fixture(scope="module")
def as_role(cloud: Cloud, places: Places) -> dict[Function, Cloud]:
    """The local AWS, called with the credentials of each function's role."""
    stacks = tuple(f"Rolebound-{up.DEPLOYMENT}-{part}" for part in ("Data", "Network", "Api"))
    found = DeployedRoles(cloud, stacks, places.directory / "role-change.json")
    by_name: dict[str, Role] = {role.name: role for role in found.all()}
    return {function: found.acting_as(by_name[function]) for function in Function}


def _statements(store: Store) -> list[dict[str, Any]]:
    """What the deployment to AWS adds to the store's policy."""
    # AWS tells a session's role as aws:PrincipalArn, the local AWS the session itself.
    session = f"arn:aws:sts::{STORES.account}:assumed-role"
    roles = {name: f"{session}/{SETTINGS.role_name(name)}/*" for name in Function}
    made = through_endpoints(access_table(STORES), arn=STORES.arn(store), endpoints=ENDPOINTS, roles=roles)
    return [Stack().resolve(statement.to_statement_json()) for statement in made]


@contextmanager
def _queue_asks_for_its_endpoint(cloud: Cloud) -> Iterator[str]:
    """The event queue with the policy that it has on AWS; afterwards the one that it had."""
    url: str = cloud.call("sqs", "GetQueueUrl", QueueName=STORES.name(Store.EVENT_QUEUE))["QueueUrl"]
    had = cloud.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    policy = json.loads(had)
    policy["Statement"] += _statements(Store.EVENT_QUEUE)
    cloud.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    try:
        yield url
    finally:
        cloud.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": had})


@contextmanager
def _bucket_asks_for_its_endpoint(cloud: Cloud) -> Iterator[str]:
    """The payloads with the policy that they have on AWS; afterwards the one that they had."""
    bucket = STORES.name(Store.PAYLOADS)
    had = cloud.call("s3", "GetBucketPolicy", Bucket=bucket)["Policy"]
    policy = json.loads(had)
    policy["Statement"] += _statements(Store.PAYLOADS)
    cloud.call("s3", "PutBucketPolicy", Bucket=bucket, Policy=json.dumps(policy))
    try:
        yield bucket
    finally:
        cloud.call("s3", "PutBucketPolicy", Bucket=bucket, Policy=had)


def _is_denied(call: Any, *arguments: Any, **parameters: Any) -> bool:  # noqa: ANN401 - a client's call
    try:
        call(*arguments, **parameters)
    except AWS_ERRORS as error:
        if classify(error).kind is not FailureKind.DENIED:
            raise
        return True
    return False


@pytest.mark.parametrize("function", [Function.API, Function.SWEEPER])
def test_the_queue_refuses_a_senders_role_outside_the_vpc(
    cloud: Cloud, as_role: dict[Function, Cloud], function: Function
) -> None:
    """What it may do by its own policy, and did a moment before, the queue refuses."""
    message = json.dumps({"tenant_id": "proof", "event_id": "none"})
    with _queue_asks_for_its_endpoint(cloud) as url:
        assert _is_denied(as_role[function].call, "sqs", "SendMessage", QueueUrl=url, MessageBody=message)
        assert not _is_denied(cloud.call, "sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
    assert not _is_denied(as_role[Function.API].call, "sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])


def test_the_queue_still_lets_lambdas_poller_in(cloud: Cloud, as_role: dict[Function, Cloud]) -> None:
    """It receives with the worker's role, from outside the VPC."""
    with _queue_asks_for_its_endpoint(cloud) as url:
        assert not _is_denied(as_role[Function.WORKER].call, "sqs", "ReceiveMessage", QueueUrl=url, VisibilityTimeout=0)


def test_the_payloads_refuse_the_apis_role_outside_the_vpc(cloud: Cloud, as_role: dict[Function, Cloud]) -> None:
    """Reading and writing; the operator is let in."""
    with _bucket_asks_for_its_endpoint(cloud) as bucket:
        cloud.call("s3", "PutObject", Bucket=bucket, Key="proof/1", Body=b"{}")
        api = as_role[Function.API]
        assert _is_denied(api.call, "s3", "GetObject", Bucket=bucket, Key="proof/1")
        assert _is_denied(api.call, "s3", "PutObject", Bucket=bucket, Key="proof/2", Body=b"{}")
    assert not _is_denied(api.call, "s3", "GetObject", Bucket=bucket, Key="proof/1")
    cloud.call("s3", "DeleteObject", Bucket=bucket, Key="proof/1")
