"""A role that may send to every queue of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from tests.bad_stacks.no_wildcard_actions import LAMBDA

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "sqs:SendMessage on "
EVERY_QUEUE = "arn:aws:sqs:us-east-1:*:*"


def l2(scope: Construct) -> None:
    """A statement that is added to a role."""
    role = iam.Role(scope, "Role", assumed_by=LAMBDA)
    role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=["*"]))


def l1(scope: Construct) -> None:
    """A managed policy of our own."""
    iam.CfnManagedPolicy(
        scope,
        "Policy",
        policy_document={
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": EVERY_QUEUE}],
        },
    )


def raw_override(scope: Construct) -> None:
    """The resource of a good statement, replaced."""
    role = iam.Role(scope, "Role", assumed_by=LAMBDA)
    role.add_to_policy(
        iam.PolicyStatement(actions=["sqs:SendMessage"], resources=["arn:aws:sqs:us-east-1:123456789012:events"])
    )
    policy = role.node.find_child("DefaultPolicy").node.default_child
    assert isinstance(policy, iam.CfnPolicy)
    policy.add_property_override("PolicyDocument.Statement.0.Resource", EVERY_QUEUE)
