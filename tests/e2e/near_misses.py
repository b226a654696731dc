"""Calls one step outside of what the roles may do, made from what is really deployed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from local_aws.cloud import TOOLKIT_STACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_aws.cloud import Cloud
    from tests.e2e.roles import Role

_EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


@dataclass(frozen=True, slots=True)
class NearMiss:
    """One call, and what IAM is asked for it."""

    action: str
    resource: str
    call: Callable[[Cloud], object]


def near_misses(cloud: Cloud, stacks: tuple[str, ...], roles: list[Role]) -> list[NearMiss]:
    """Give calls on every table, queue, bucket, function and role that is there, the CDK's included, and elsewhere.

    Some of them are within what some role may do: the caller leaves those out.
    """
    deployed: dict[str, list[str]] = {}
    for stack in (*stacks, TOOLKIT_STACK):
        for resource in cloud.call("cloudformation", "DescribeStackResources", StackName=stack)["StackResources"]:
            deployed.setdefault(resource["ResourceType"], []).append(resource["PhysicalResourceId"])
    account = roles[0].arn.split(":")[4]
    return [
        *_on_tables(deployed["AWS::DynamoDB::GlobalTable"], account),
        *_on_queues(deployed["AWS::SQS::Queue"], account),
        *_on_buckets(deployed["AWS::S3::Bucket"]),
        *_on_functions(deployed["AWS::Lambda::Function"], account),
        *_on_roles(roles),
        *_elsewhere(account),
    ]


def _miss(action: str, resource: str, operation: str, **parameters: object) -> NearMiss:
    """A call whose service has the name that its actions begin with."""
    service = action.partition(":")[0]
    return NearMiss(action, resource, lambda as_role: as_role.call(service, operation, **parameters))


def _on_tables(tables: list[str], account: str) -> Iterator[NearMiss]:
    for table in tables:
        names = ["key_id"] if table.endswith("-api-keys") else ["tenant_id", "event_id"]
        key = {name: {"S": "proof"} for name in names}
        arn = f"arn:aws:dynamodb:us-east-1:{account}:table/{table}"
        for operation, parameters in (
            ("Scan", {}),
            ("DeleteTable", {}),
            ("GetItem", {"Key": key}),
            ("PutItem", {"Item": key}),
            ("UpdateItem", {"Key": key}),
            ("DeleteItem", {"Key": key}),
            (
                "Query",
                {
                    "KeyConditionExpression": f"{names[0]} = :proof",
                    "ExpressionAttributeValues": {":proof": {"S": "proof"}},
                },
            ),
        ):
            yield _miss(f"dynamodb:{operation}", arn, operation, TableName=table, **parameters)


def _on_queues(urls: list[str], account: str) -> Iterator[NearMiss]:
    for url in urls:
        arn = f"arn:aws:sqs:us-east-1:{account}:{url.rpartition('/')[2]}"
        for operation, parameters in (
            ("SendMessage", {"MessageBody": "proof"}),
            ("ReceiveMessage", {"VisibilityTimeout": 0}),
            ("DeleteMessage", {"ReceiptHandle": "none"}),
            ("PurgeQueue", {}),
            ("DeleteQueue", {}),
            ("SetQueueAttributes", {"Attributes": {"DelaySeconds": "1"}}),
        ):
            yield _miss(f"sqs:{operation}", arn, operation, QueueUrl=url, **parameters)


def _on_buckets(buckets: list[str]) -> Iterator[NearMiss]:
    for bucket in buckets:
        arn = f"arn:aws:s3:::{bucket}"
        in_bucket = partial(_miss, Bucket=bucket)
        yield in_bucket("s3:PutObject", f"{arn}/proof", "PutObject", Key="proof", Body=b"")
        yield in_bucket("s3:GetObject", f"{arn}/proof", "GetObject", Key="proof")
        yield in_bucket("s3:DeleteObject", f"{arn}/proof", "DeleteObject", Key="proof")
        yield in_bucket("s3:ListBucket", arn, "ListObjectsV2")
        yield in_bucket("s3:DeleteBucket", arn, "DeleteBucket")


def _on_functions(functions: list[str], account: str) -> Iterator[NearMiss]:
    for function in functions:
        on_function = partial(
            _miss, resource=f"arn:aws:lambda:us-east-1:{account}:function:{function}", FunctionName=function
        )
        yield on_function("lambda:InvokeFunction", operation="Invoke", InvocationType="DryRun")
        yield on_function("lambda:UpdateFunctionConfiguration", operation="UpdateFunctionConfiguration", MemorySize=128)


def _on_roles(roles: list[Role]) -> Iterator[NearMiss]:
    for role in roles:
        yield _miss("sts:AssumeRole", role.arn, "AssumeRole", RoleArn=role.arn, RoleSessionName="proof")
        yield _miss(
            "iam:PutRolePolicy",
            role.arn,
            "PutRolePolicy",
            RoleName=role.physical,
            PolicyName="proof",
            PolicyDocument=_EVERYTHING,
        )


def _elsewhere(account: str) -> Iterator[NearMiss]:
    yield _miss("iam:CreateUser", f"arn:aws:iam::{account}:user/proof", "CreateUser", UserName="proof")
    yield _miss("ec2:RunInstances", "*", "RunInstances", ImageId="ami-1", MinCount=1, MaxCount=1)
    yield _miss("s3:ListAllMyBuckets", "*", "ListBuckets")
    for action in (
        "iam:ListUsers",
        "secretsmanager:ListSecrets",
        "ssm:DescribeParameters",
        "kms:ListKeys",
        "dynamodb:ListTables",
        "sqs:ListQueues",
        "ec2:DescribeVpcs",
        "ec2:CreateInternetGateway",
        "cloudformation:ListStacks",
    ):
        yield _miss(action, "*", action.partition(":")[2])
