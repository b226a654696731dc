"""A long-lived key, whose secret lands in a template's output or in a secret of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnResource
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "access key"


def l2(scope: Construct) -> None:
    """A key for a user of this stack."""
    iam.AccessKey(scope, "Key", user=iam.User(scope, "Uploader"))


def l1(scope: Construct) -> None:
    """A key for a user who is elsewhere."""
    iam.CfnAccessKey(scope, "Key", user_name="uploader")


def raw_override(scope: Construct) -> None:
    """The call that a custom resource makes, replaced."""
    tags = '{"service":"S3","action":"putBucketTagging","parameters":{"Bucket":"reports"}}'
    token = "arn:aws:lambda:eu-west-1:123456789012:function:sdk"
    call = CfnResource(scope, "Call", type="Custom::AWS", properties={"ServiceToken": token, "Create": tags})
    key = '{"service":"IAM","action":"createAccessKey","parameters":{"UserName":"uploader"}}'
    call.add_property_override("Create", key)
