"""A function that any rule, in any account, may invoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda

from tests.bad_stacks.functions import function

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "names no source"
EVENTS = "events.amazonaws.com"


def l2(scope: Construct) -> None:
    """A grant to a service as a whole."""
    function(scope).grant_invoke(iam.ServicePrincipal(EVENTS))


def l1(scope: Construct) -> None:
    """A permission for a function that is elsewhere."""
    aws_lambda.CfnPermission(
        scope, "Permission", action="lambda:InvokeFunction", function_name="orders", principal=EVENTS
    )


def raw_override(scope: Construct) -> None:
    """A good permission without its source."""
    permission = aws_lambda.CfnPermission(
        scope,
        "Permission",
        action="lambda:InvokeFunction",
        function_name="orders",
        principal=EVENTS,
        source_arn="arn:aws:events:eu-west-1:123456789012:rule/nightly",
    )
    permission.add_property_deletion_override("SourceArn")
