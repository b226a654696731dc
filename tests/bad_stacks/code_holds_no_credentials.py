"""A function whose code holds a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bad_stacks.functions import cfn_function, function, override_code

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "…MPLE"
CODE = """
import boto3

KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TABLES = boto3.client("dynamodb", aws_access_key_id=KEY, aws_secret_access_key=SECRET)
"""


def l2(scope: Construct) -> None:
    """Code in the app."""
    function(scope, code=CODE)


def l1(scope: Construct) -> None:
    """Code in the template."""
    cfn_function(scope, code=CODE)


def raw_override(scope: Construct) -> None:
    """Good code, replaced."""
    override_code(scope, CODE)
