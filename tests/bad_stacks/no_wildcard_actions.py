"""A role that may do whatever a service can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "'dynamodb:*'"
LAMBDA = iam.ServicePrincipal("lambda.amazonaws.com")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}},
    ],
}


def l2(scope: Construct) -> None:
    """CDK's own grant: `grant_full_access` is `dynamodb:*`."""
    table = dynamodb.TableV2(
        scope, "Table", partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
    )
    table.grant_full_access(iam.Role(scope, "Role", assumed_by=LAMBDA))


def l1(scope: Construct) -> None:
    """A statement in the role itself."""
    iam.CfnRole(
        scope,
        "Role",
        assume_role_policy_document=TRUST,
        policies=[
            iam.CfnRole.PolicyProperty(
                policy_name="table",
                policy_document={
                    "Version": "2012-10-17",
                    "Statement": {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"},
                },
            )
        ],
    )


def raw_override(scope: Construct) -> None:
    """One action of a good statement, replaced."""
    role = iam.Role(scope, "Role", assumed_by=LAMBDA)
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["dynamodb:GetItem", "dynamodb:PutItem"],
            resources=["arn:aws:dynamodb:eu-west-1:123456789012:table/events"],
        )
    )
    policy = role.node.find_child("DefaultPolicy").node.default_child
    assert isinstance(policy, iam.CfnPolicy)
    policy.add_property_override("PolicyDocument.Statement.0.Action.1", "dynamodb:*")
