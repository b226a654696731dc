"""A function's role with a managed policy for a whole service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from tests.bad_stacks.no_wildcard_actions import LAMBDA, TRUST

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "'AmazonSQSFullAccess'"


def l2(scope: Construct) -> None:
    """By name, as CDK's documentation shows it."""
    policy = iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSQSFullAccess")
    iam.Role(scope, "Role", assumed_by=LAMBDA, managed_policies=[policy])


def l1(scope: Construct) -> None:
    """By ARN."""
    iam.CfnRole(
        scope,
        "Role",
        assume_role_policy_document=TRUST,
        managed_policy_arns=["arn:aws:iam::aws:policy/AmazonSQSFullAccess"],
    )


def raw_override(scope: Construct) -> None:
    """Added to a role that has no policy."""
    role = iam.Role(scope, "Role", assumed_by=LAMBDA).node.default_child
    assert isinstance(role, iam.CfnRole)
    role.add_property_override("ManagedPolicyArns", ["arn:aws:iam::aws:policy/AmazonSQSFullAccess"])
