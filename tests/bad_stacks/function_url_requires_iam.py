"""A function that the Internet may call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_lambda

from tests.bad_stacks.functions import function

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "asks for no authentication"


def l2(scope: Construct) -> None:
    """A URL with the type that tutorials use."""
    function(scope).add_function_url(auth_type=aws_lambda.FunctionUrlAuthType.NONE)


def l1(scope: Construct) -> None:
    """A URL of a function that is elsewhere."""
    aws_lambda.CfnUrl(scope, "Url", auth_type="NONE", target_function_arn="orders")


def raw_override(scope: Construct) -> None:
    """A good URL, opened."""
    url = function(scope).add_function_url(auth_type=aws_lambda.FunctionUrlAuthType.AWS_IAM).node.default_child
    assert isinstance(url, aws_lambda.CfnUrl)
    url.add_property_override("AuthType", "NONE")
