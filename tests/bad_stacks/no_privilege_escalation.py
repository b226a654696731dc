"""A role that may write its own policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from tests.bad_stacks.no_wildcard_actions import LAMBDA, TRUST

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "iam:PutRolePolicy"
EVERY_ROLE = "arn:aws:iam::123456789012:role/*"


def l2(scope: Construct) -> None:
    """A statement that is added to a role."""
    role = iam.Role(scope, "Role", assumed_by=LAMBDA)
    role.add_to_policy(iam.PolicyStatement(actions=["iam:PutRolePolicy"], resources=[EVERY_ROLE]))


def l1(scope: Construct) -> None:
    """A policy beside its role."""
    role = iam.CfnRole(scope, "Role", assume_role_policy_document=TRUST)
    iam.CfnPolicy(
        scope,
        "Policy",
        policy_name="own",
        roles=[role.ref],
        policy_document={
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": EVERY_ROLE}],
        },
    )


def raw_override(scope: Construct) -> None:
    """One action of a good statement, replaced."""
    role = iam.Role(scope, "Role", assumed_by=LAMBDA)
    role.add_to_policy(iam.PolicyStatement(actions=["iam:GetRole", "iam:ListRolePolicies"], resources=[EVERY_ROLE]))
    policy = role.node.find_child("DefaultPolicy").node.default_child
    assert isinstance(policy, iam.CfnPolicy)
    policy.add_property_override("PolicyDocument.Statement.0.Action.0", "iam:PutRolePolicy")
