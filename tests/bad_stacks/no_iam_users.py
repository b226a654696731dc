"""A user for a pipeline: somebody has to keep, send and rotate its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "IAM user"


def l2(scope: Construct) -> None:
    """A user."""
    iam.User(scope, "Pipeline")


def l1(scope: Construct) -> None:
    """A user."""
    iam.CfnUser(scope, "Pipeline")


def raw_override(scope: Construct) -> None:
    """A policy that is attached to a user who is made elsewhere."""
    policy = iam.CfnManagedPolicy(
        scope,
        "Policy",
        policy_document={
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-west-1:1:q"}],
        },
    )
    policy.add_property_override("Users", ["pipeline"])
