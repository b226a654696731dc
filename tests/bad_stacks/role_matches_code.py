"""A function that reads a table, with a role that may also delete from it: the permission that only an intruder uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from tests.bad_stacks.functions import cfn_function, function
from tests.bad_stacks.no_wildcard_actions import TRUST

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "allows dynamodb:DeleteItem"
CODE = """
import os

import boto3


def handler(event, context):
    return boto3.client("dynamodb").get_item(TableName=os.environ["TABLE"], Key={"pk": {"S": event["id"]}})
"""


def _table(scope: Construct) -> dynamodb.TableV2:
    return dynamodb.TableV2(
        scope, "Table", partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
    )


def l2(scope: Construct) -> None:
    """A grant of one action too many."""
    table, reader = _table(scope), function(scope, code=CODE)
    reader.add_environment("TABLE", table.table_name)
    table.grant(reader, "dynamodb:GetItem", "dynamodb:DeleteItem")


def l1(scope: Construct) -> None:
    """Every part as written."""
    role = iam.CfnRole(scope, "Role", assume_role_policy_document=TRUST)
    table = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
    iam.CfnPolicy(
        scope,
        "Policy",
        policy_name="work",
        roles=[role.ref],
        policy_document={
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:DeleteItem"], "Resource": table}
            ],
        },
    )
    cfn_function(scope, code=CODE, role=role.attr_arn, environment={"variables": {"TABLE": "orders"}})


def raw_override(scope: Construct) -> None:
    """A good grant, turned into another."""
    table, reader = _table(scope), function(scope, code=CODE)
    reader.add_environment("TABLE", table.table_name)
    table.grant(reader, "dynamodb:GetItem")
    assert reader.role is not None
    policy = reader.role.node.find_child("DefaultPolicy").node.default_child
    assert isinstance(policy, iam.CfnPolicy)
    policy.add_property_override("PolicyDocument.Statement.0.Action", ["dynamodb:GetItem", "dynamodb:DeleteItem"])
