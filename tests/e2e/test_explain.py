"""`explain` on denials of a real IAM: what it proposes lets exactly the denied call through."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import botocore.session  # noqa: TID251 - the test is the person who is denied
import pytest
from botocore.exceptions import ClientError  # noqa: TID251 - as above

from local_aws import emulator, environment
from local_aws.environment import ACCOUNT, REGION
from local_aws.places import PROJECT, Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.e2e

CDK: Final = PROJECT / "node_modules" / "aws-cdk" / "bin" / "cdk"
APP: Final = """
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_sqs as sqs

app = App(analytics_reporting=False)
stack = Stack(app, "Rolebound-explained", env=Environment(account="{account}", region="{region}"))
sqs.Queue(stack, "Queue")
app.synth()
"""


@dataclass(frozen=True)
class Person:
    """A user of the account who may do nothing yet.

    Attributes:
        name: The user's.
        environ: What a program needs to reach the account as this user.
    """

    name: str
    environ: Mapping[str, str] = field(repr=False)
    root: Mapping[str, str] = field(repr=False)

    def client(self, service: str, *, root: bool = False) -> Any:  # noqa: ANN401 - clients are made at run time
        """A client of the user, or of the account's root."""
        environ = self.root if root else self.environ
        return botocore.session.Session().create_client(
            service,
            region_name=REGION,
            endpoint_url=environ["AWS_ENDPOINT_URL"],
            verify=environ["AWS_CA_BUNDLE"],
            aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        )

    def may(self, policy: Mapping[str, Any]) -> None:
        """Give the user a policy."""
        self.client("iam", root=True).put_user_policy(
            UserName=self.name, PolicyName="proposed", PolicyDocument=json.dumps(policy)
        )

    def calls(self, service: str, operation: str, parameters: Mapping[str, Any]) -> str:
        """Make a call as the user, and give the error's text; empty if it succeeded."""
        try:
            getattr(self.client(service), operation)(**parameters)
        except ClientError as error:
            return str(error)
        return ""


@pytest.fixture
def person(places: Places) -> Iterator[Person]:
    """A new user with a key, removed afterwards."""
    record = emulator.read_record(places)
    assert record is not None
    root = environment.for_clients(places, record.port, os.environ)
    name = f"person-{uuid.uuid4().hex[:8]}"
    iam = Person(name, root, root).client("iam", root=True)
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    yield Person(
        name, {**root, "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}, root
    )
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)


def explained(text: str, *arguments: str) -> dict[str, Any]:
    """What `explain --json` says of a text on its standard input."""
    done = subprocess.run(
        [sys.executable, "-m", "operator_cli", "explain", "--json", *arguments, "-"],
        cwd=PROJECT,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


Makes = tuple[tuple[str, str, dict[str, Any]], ...]


@dataclass(frozen=True)
class Call:
    """A call that is denied, and the like of it on something else, which has to stay denied.

    Attributes:
        action: The IAM action that it needs.
        given: The resource as a person knows it, where this AWS's message does not name it.
        proposed: The resource of the policy that is to be proposed.
        other: What makes the parameters those of something else.
        makes: Calls of the account's root that make what the call is about: service, operation, parameters.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    action: str
    proposed: str | list[str]
    given: str = ""
    other: Mapping[str, Any] = field(default_factory=dict)
    makes: Makes = ()


ITEM: Final = {"pk": {"S": "1"}}
TABLE: Final = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "day", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-day",
            "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
BY_DAY: Final = {
    "IndexName": "by-day",
    "KeyConditionExpression": "#d = :d",
    "ExpressionAttributeNames": {"#d": "day"},
    "ExpressionAttributeValues": {":d": {"S": "x"}},
}
HERE: Final = f"{REGION}:{ACCOUNT}"
QUEUES: Final[Makes] = tuple(("sqs", "create_queue", {"QueueName": name}) for name in ("explained", "other"))
TABLES: Final[Makes] = tuple(
    ("dynamodb", "create_table", {"TableName": name, **TABLE}) for name in ("explained", "other")
)
BUCKETS: Final[Makes] = tuple(
    ("s3", "create_bucket", {"Bucket": name}) for name in ("explained-bucket", "other-bucket")
)
OBJECTS: Final[Makes] = (
    *BUCKETS,
    *(("s3", "put_object", {"Bucket": "explained-bucket", "Key": key, "Body": b"x"}) for key in ("some/key", "other")),
)
TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
}
ROLES: Final[Makes] = tuple(
    ("iam", "create_role", {"RoleName": name, "AssumeRolePolicyDocument": json.dumps(TRUST)})
    for name in ("explained", "other")
)
GROUPS: Final[Makes] = tuple(
    ("logs", "create_log_group", {"logGroupName": name}) for name in ("/explained/api", "/other/api")
)
PARAMETERS: Final[Makes] = tuple(
    ("ssm", "put_parameter", {"Name": name, "Value": "x", "Type": "String"}) for name in ("/explained/a", "/other/a")
)
SECRETS: Final[Makes] = tuple(
    ("secretsmanager", "create_secret", {"Name": name, "SecretString": "made up"}) for name in ("explained", "other")
)
TOPICS: Final[Makes] = tuple(("sns", "create_topic", {"Name": name}) for name in ("explained", "other"))

CALLS: Final = {
    "queue-by-arn": Call(
        "sqs",
        "send_message",
        {"QueueUrl": "explained", "MessageBody": "x"},
        "sqs:SendMessage",
        f"arn:aws:sqs:{HERE}:explained",
        given=f"arn:aws:sqs:{HERE}:explained",
        other={"QueueUrl": "other"},
        makes=QUEUES,
    ),
    "queue-by-url": Call(
        "sqs",
        "purge_queue",
        {"QueueUrl": "explained"},
        "sqs:PurgeQueue",
        f"arn:aws:sqs:{HERE}:explained",
        given=f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/explained",
        other={"QueueUrl": "other"},
        makes=QUEUES,
    ),
    "object": Call(
        "s3",
        "get_object",
        {"Bucket": "explained-bucket", "Key": "some/key"},
        "s3:GetObject",
        "arn:aws:s3:::explained-bucket/some/key",
        given="arn:aws:s3:::explained-bucket/some/key",
        other={"Key": "other"},
        makes=OBJECTS,
    ),
    "objects-of-a-bucket": Call(
        "s3",
        "get_object",
        {"Bucket": "explained-bucket", "Key": "some/key"},
        "s3:GetObject",
        "arn:aws:s3:::explained-bucket/*",
        given="arn:aws:s3:::explained-bucket",
        other={"Bucket": "other-bucket"},
        makes=OBJECTS,
    ),
    "bucket-though-an-object-was-given": Call(
        "s3",
        "list_objects_v2",
        {"Bucket": "explained-bucket"},
        "s3:ListBucket",
        "arn:aws:s3:::explained-bucket",
        given="arn:aws:s3:::explained-bucket/some/key",
        other={"Bucket": "other-bucket"},
        makes=BUCKETS,
    ),
    "table": Call(
        "dynamodb",
        "get_item",
        {"TableName": "explained", "Key": ITEM},
        "dynamodb:GetItem",
        f"arn:aws:dynamodb:{HERE}:table/explained",
        given=f"arn:aws:dynamodb:{HERE}:table/explained",
        other={"TableName": "other"},
        makes=TABLES,
    ),
    "index-of-a-table": Call(
        "dynamodb",
        "query",
        {"TableName": "explained", **BY_DAY},
        "dynamodb:Query",
        f"arn:aws:dynamodb:{HERE}:table/explained/index/by-day",
        given=f"arn:aws:dynamodb:{HERE}:table/explained/index/by-day",
        other={"TableName": "other"},
        makes=TABLES,
    ),
    "parameter": Call(
        "ssm",
        "get_parameter",
        {"Name": "/explained/a"},
        "ssm:GetParameter",
        f"arn:aws:ssm:{HERE}:parameter/explained/a",
        other={"Name": "/other/a"},
        makes=PARAMETERS,
    ),
    "log-group": Call(
        "logs",
        "create_log_stream",
        {"logGroupName": "/explained/api", "logStreamName": uuid.uuid4().hex},
        "logs:CreateLogStream",
        [f"arn:aws:logs:{HERE}:log-group:/explained/api", f"arn:aws:logs:{HERE}:log-group:/explained/api:*"],
        other={"logGroupName": "/other/api"},
        makes=GROUPS,
    ),
    "role-by-name": Call(
        "iam",
        "get_role",
        {"RoleName": "explained"},
        "iam:GetRole",
        f"arn:aws:iam::{ACCOUNT}:role/explained",
        given="role explained",
        other={"RoleName": "other"},
        makes=ROLES,
    ),
    "role-to-assume": Call(
        "sts",
        "assume_role",
        {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/explained", "RoleSessionName": "ada"},
        "sts:AssumeRole",
        f"arn:aws:iam::{ACCOUNT}:role/explained",
        given=f"arn:aws:iam::{ACCOUNT}:role/explained",
        other={"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/other"},
        makes=ROLES,
    ),
    "secret-by-name": Call(
        "secretsmanager",
        "get_secret_value",
        {"SecretId": "explained"},
        "secretsmanager:GetSecretValue",
        f"arn:aws:secretsmanager:REGION:{ACCOUNT}:secret:explained-??????",
        given="explained",
        other={"SecretId": "other"},
        makes=SECRETS,
    ),
    "topic": Call(
        "sns",
        "publish",
        {"TopicArn": f"arn:aws:sns:{HERE}:explained", "Message": "x"},
        "sns:Publish",
        f"arn:aws:sns:{HERE}:explained",
        given=f"arn:aws:sns:{HERE}:explained",
        other={"TopicArn": f"arn:aws:sns:{HERE}:other"},
        makes=TOPICS,
    ),
    "no-resource-at-all": Call("logs", "describe_log_groups", {}, "logs:DescribeLogGroups", "*"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_proposed_policy_lets_the_denied_call_through_and_its_like_not(person: Person, call: Call) -> None:
    """Denied, explained, allowed: the very same call succeeds, and on something else it is denied as before."""
    for service, operation, parameters in call.makes:
        try:
            getattr(person.client(service, root=True), operation)(**parameters)
        except ClientError as error:
            assert "Exist" in str(error) or "exist" in str(error) or "AlreadyOwned" in str(error)  # noqa: PT017 - of another test
    denied = person.calls(call.service, call.operation, call.parameters)
    assert "is not authorized to perform" in denied

    said = explained(denied, *(["--resource", call.given] if call.given else []))
    assert said["principal"] == f"arn:aws:iam::{ACCOUNT}:user/{person.name}"
    assert (said["action"], said["policy_type"], said["decision"]) == (call.action, "identity-based", "implicit")
    assert said["identity_allow_would_fix"] == "yes"
    (statement,) = said["policy"]["Statement"]
    assert statement == {"Effect": "Allow", "Action": call.action, "Resource": call.proposed}

    filled = json.loads(json.dumps(said["policy"]).replace(":REGION:", f":{REGION}:"))
    person.may(filled)
    assert person.calls(call.service, call.operation, call.parameters) == ""
    if call.other:
        still = person.calls(call.service, call.operation, {**call.parameters, **call.other})
        assert f"not authorized to perform: {call.action}" in still


def test_a_deployment_without_permission_is_explained_from_the_output_of_cdk_and_then_succeeds(
    person: Person, tmp_path: Path
) -> None:
    """The real `cdk deploy`: its output says why; with the policy that is proposed, the same command deploys."""
    (tmp_path / "app.py").write_text(APP.format(account=ACCOUNT, region=REGION), encoding="utf-8")

    def deploy() -> subprocess.CompletedProcess[str]:
        command = [str(CDK), "deploy", "--require-approval", "never", "--app", f"{sys.executable} app.py"]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=dict(person.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    failed = deploy()
    assert failed.returncode == 1
    said = explained(failed.stdout + failed.stderr)
    assert said["principal"] == f"arn:aws:iam::{ACCOUNT}:user/{person.name}"
    assert said["action"] == "ssm:GetParameter"
    assert "assume the CDK's roles" in said["next_step"]
    (statement,) = said["policy"]["Statement"]
    assert statement["Action"] == "sts:AssumeRole"

    person.may(said["policy"])
    deployed = deploy()
    assert deployed.returncode == 0, deployed.stderr


def test_the_incidents_denied_function_may_do_what_it_was_denied_once_the_proposal_is_applied(
    places: Places, command: Callable[..., subprocess.CompletedProcess[str]], person: Person
) -> None:
    """In the output of `make incident`, what its role is denied is the main finding, and its broken clients are told too."""
    first = command("incident", directory=places.directory).stdout
    (queue,) = [
        url
        for url in person.client("sqs", root=True).list_queues()["QueueUrls"]
        if url.rpartition("/")[2].startswith("Rolebound-incident")
    ]
    role = "rolebound-incident-role-only"
    said = explained(first, "--resource", f"arn:aws:sqs:{HERE}:{queue.rpartition('/')[2]}")
    assert said["action"] == "sqs:PurgeQueue"
    assert said["principal"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{role}"
    everything = [one["category"] for one in explained(first, "--all")["explanations"]]
    assert everything == ["access-denied", "credentials"]

    iam = person.client("iam", root=True)
    iam.put_role_policy(RoleName=role, PolicyName="proposed", PolicyDocument=json.dumps(said["policy"]))
    try:
        answer = person.client("lambda", root=True).invoke(FunctionName=role)
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="proposed")
    assert re.search(r"SQS +PurgeQueue +AccessDenied", first)
    errors = {call["operation"]: call["error"] for call in json.loads(answer["Payload"].read())["calls"]}
    assert errors["PurgeQueue"] is None


def test_a_deny_is_explained_and_no_allow_is_proposed(person: Person) -> None:
    """The policy that is proposed for a denial is gone once a Deny is the reason: it could not help."""
    statements = [
        {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ssm:*", "Resource": "*"},
    ]
    person.may({"Version": "2012-10-17", "Statement": statements})
    said = explained(person.calls("ssm", "get_parameter", {"Name": "/explained/a"}))
    assert (said["decision"], said["policy_type"]) == ("explicit", "identity-based")
    assert said["identity_allow_would_fix"] == "no"
    assert said["policy"] is None


def test_a_temporary_key_without_its_token_is_explained_as_the_incident(person: Person) -> None:
    """Not as expiry, and not as a permission: the services say only that they do not know the key."""
    session = person.client("sts", root=True).get_session_token()["Credentials"]
    half = {
        **person.environ,
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
    }
    for service, operation in (("sqs", "list_queues"), ("dynamodb", "list_tables"), ("s3", "list_buckets")):
        error = Person(person.name, half, person.root).calls(service, operation, {})
        said = explained(error)
        assert said["category"] == "credentials"
        assert said["policy"] is None
        assert "leaves the token out" not in said["next_step"]
        assert "Pass no credentials at all to clients" in said["next_step"]
