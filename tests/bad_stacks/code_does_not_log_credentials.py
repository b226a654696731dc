"""A function that logs its environment, and with it the role's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bad_stacks.functions import cfn_function, function, override_code

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "the whole environment"
CODE = """
import os


def handler(event, context):
    print(dict(os.environ))
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
