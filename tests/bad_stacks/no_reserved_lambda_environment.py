"""A function that sets what Lambda sets: the deployment fails. The L2 function refuses it, nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_lambda

from tests.bad_stacks.functions import cfn_function, function

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "'AWS_REGION' of "


def l1(scope: Construct) -> None:
    """A variable as written."""
    variables = {"TABLE_NAME": "events", "AWS_REGION": "us-east-1"}
    cfn_function(scope, environment=aws_lambda.CfnFunction.EnvironmentProperty(variables=variables))


def raw_override(scope: Construct) -> None:
    """A variable that stands in the rendered template only."""
    typed = function(scope).node.default_child
    assert isinstance(typed, aws_lambda.CfnFunction)
    typed.add_property_override("Environment.Variables.AWS_REGION", "us-east-1")
