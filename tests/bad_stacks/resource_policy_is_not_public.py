"""A queue to which everybody may send, because a condition that was meant to be there is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "they may call sqs:SendMessage"
ARN = "arn:aws:sqs:eu-west-1:123456789012:events"


def l2(scope: Construct) -> None:
    """CDK's any principal."""
    queue = sqs.Queue(scope, "Queue")
    queue.grant_send_messages(iam.AnyPrincipal())


def l1(scope: Construct) -> None:
    """A policy as written."""
    sqs.CfnQueuePolicy(
        scope,
        "Policy",
        queues=["https://sqs.eu-west-1.amazonaws.com/123456789012/events"],
        policy_document={
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": ARN},
        },
    )


def raw_override(scope: Construct) -> None:
    """The condition of a good policy, deleted."""
    queue = sqs.Queue(scope, "Queue")
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.AnyPrincipal()],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={"StringEquals": {"aws:PrincipalOrgID": "o-0123456789"}},
        )
    )
    policy = queue.node.find_child("Policy").node.default_child
    assert isinstance(policy, sqs.CfnQueuePolicy)
    policy.add_property_deletion_override("PolicyDocument.Statement.0.Condition")
