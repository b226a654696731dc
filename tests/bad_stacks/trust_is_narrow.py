"""A role that everybody, or everybody in the account, may assume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from tests.bad_stacks.no_wildcard_actions import LAMBDA

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "everybody"


def l2(scope: Construct) -> None:
    """CDK's any principal."""
    iam.Role(scope, "Role", assumed_by=iam.AnyPrincipal())


def l1(scope: Construct) -> None:
    """A trust policy as written."""
    iam.CfnRole(
        scope,
        "Role",
        assume_role_policy_document={
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}],
        },
    )


def raw_override(scope: Construct) -> None:
    """A principal beside the service that a good role trusts."""
    role = iam.Role(scope, "Role", assumed_by=LAMBDA).node.default_child
    assert isinstance(role, iam.CfnRole)
    role.add_property_override("AssumeRolePolicyDocument.Statement.0.Principal.AWS", "*")
