"""One role for two functions: each may do what the other needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda

from tests.bad_stacks.functions import cfn_function, function
from tests.bad_stacks.no_wildcard_actions import LAMBDA

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "is also that of "


def l2(scope: Construct) -> None:
    """A role that both are given."""
    role = iam.Role(scope, "Role", assumed_by=LAMBDA)
    for name in ("Reader", "Writer"):
        function(scope, name, role=role)


def l1(scope: Construct) -> None:
    """The same ARN twice."""
    for name in ("Reader", "Writer"):
        cfn_function(scope, name, role="arn:aws:iam::123456789012:role/shared")


def raw_override(scope: Construct) -> None:
    """Two functions with roles of their own, until one is given the other's."""
    reader = function(scope, "Reader").role
    writer = function(scope, "Writer").node.default_child
    assert reader is not None
    assert isinstance(writer, aws_lambda.CfnFunction)
    writer.add_property_override("Role", reader.role_arn)
