"""A function that hands its role's key on without the session token: the incident that this project exists for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bad_stacks.functions import cfn_function, function, override_code

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "without a session token"
CODE = """
import os

import boto3

kwargs = {"service_name": "sqs"}
if os.environ.get("AWS_ACCESS_KEY_ID"):
    kwargs["aws_access_key_id"] = os.environ["AWS_ACCESS_KEY_ID"]
    kwargs["aws_secret_access_key"] = os.environ["AWS_SECRET_ACCESS_KEY"]
QUEUES = boto3.Session().client(**kwargs)
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
