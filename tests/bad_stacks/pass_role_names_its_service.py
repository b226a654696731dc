"""A role that may hand a role to any service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from tests.bad_stacks.no_wildcard_actions import LAMBDA

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "iam:PassedToService"
ROLE = "arn:aws:iam::123456789012:role/task"


def l2(scope: Construct) -> None:
    """A statement that is added to a role."""
    role = iam.Role(scope, "Role", assumed_by=LAMBDA)
    role.add_to_policy(iam.PolicyStatement(actions=["iam:PassRole"], resources=[ROLE]))


def l1(scope: Construct) -> None:
    """A managed policy of our own."""
    iam.CfnManagedPolicy(
        scope,
        "Policy",
        policy_document={
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "iam:PassRole", "Resource": ROLE},
        },
    )


def raw_override(scope: Construct) -> None:
    """The condition of a good statement, deleted."""
    role = iam.Role(scope, "Role", assumed_by=LAMBDA)
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[ROLE],
            conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        )
    )
    policy = role.node.find_child("DefaultPolicy").node.default_child
    assert isinstance(policy, iam.CfnPolicy)
    policy.add_property_deletion_override("PolicyDocument.Statement.0.Condition")
