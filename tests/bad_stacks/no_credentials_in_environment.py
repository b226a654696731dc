"""A function with a key in its environment, where everybody who may describe it reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_lambda

from tests.bad_stacks.functions import cfn_function, function

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "'PARTNER_SECRET_KEY' of "
SECRET = {"PARTNER_SECRET_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}


def l2(scope: Construct) -> None:
    """A variable of a function: typed properties show it as `{}`."""
    for name, value in SECRET.items():
        function(scope).add_environment(name, value)


def l1(scope: Construct) -> None:
    """A variable as written."""
    cfn_function(scope, environment=aws_lambda.CfnFunction.EnvironmentProperty(variables=SECRET))


def raw_override(scope: Construct) -> None:
    """A variable that stands in the rendered template only."""
    typed = function(scope).node.default_child
    assert isinstance(typed, aws_lambda.CfnFunction)
    typed.add_property_override("Environment.Variables", SECRET)
