"""A deploy role for any workflow of an organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "'repo:example/*'"
GITHUB = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{GITHUB}"
FOR_AWS = {f"{GITHUB}:aud": "sts.amazonaws.com"}


def l2(scope: Construct) -> None:
    """A web identity whose subject is a pattern."""
    conditions = {"StringEquals": FOR_AWS, "StringLike": {f"{GITHUB}:sub": "repo:example/*"}}
    iam.Role(scope, "Deploy", assumed_by=iam.WebIdentityPrincipal(PROVIDER, conditions))


def l1(scope: Construct) -> None:
    """A trust policy as written."""
    iam.CfnRole(
        scope,
        "Deploy",
        assume_role_policy_document={
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": PROVIDER},
                "Condition": {"StringLike": {**FOR_AWS, f"{GITHUB}:sub": ["repo:example/*"]}},
            },
        },
    )


def raw_override(scope: Construct) -> None:
    """The subject of a good role, widened."""
    subject = {f"{GITHUB}:sub": "repo:example/inbox:ref:refs/heads/main"}
    principal = iam.WebIdentityPrincipal(PROVIDER, {"StringEquals": FOR_AWS, "StringLike": subject})
    role = iam.Role(scope, "Deploy", assumed_by=principal).node.default_child
    assert isinstance(role, iam.CfnRole)
    key = f"{GITHUB}:sub".replace(".", "\\.")
    role.add_property_override(f"AssumeRolePolicyDocument.Statement.0.Condition.StringLike.{key}", "repo:example/*")
