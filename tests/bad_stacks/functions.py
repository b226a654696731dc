"""Functions whose code or role is what is wrong: the smallest that each way into a template can make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_lambda

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from constructs import Construct

CODE = "def handler(event, context): pass"
RUNTIME = aws_lambda.Runtime.PYTHON_3_14


def function(
    scope: Construct, name: str = "Function", *, code: str = CODE, role: iam.IRole | None = None
) -> aws_lambda.Function:
    """A function as people write it."""
    return aws_lambda.Function(
        scope, name, runtime=RUNTIME, handler="index.handler", code=aws_lambda.Code.from_inline(code), role=role
    )


def cfn_function(
    scope: Construct,
    name: str = "Function",
    *,
    code: str = CODE,
    role: str = "arn:aws:iam::123456789012:role/worker",
    **properties: object,
) -> aws_lambda.CfnFunction:
    """A function as CloudFormation has it; `properties` are any others of its."""
    return aws_lambda.CfnFunction(
        scope,
        name,
        runtime=RUNTIME.name,
        handler="index.handler",
        code=aws_lambda.CfnFunction.CodeProperty(zip_file=code),
        role=role,
        **properties,  # type: ignore[arg-type] # whatever the caller wants to be wrong
    )


def override_code(scope: Construct, code: str) -> None:
    """A function whose code is replaced in the rendered template only."""
    typed = function(scope).node.default_child
    assert isinstance(typed, aws_lambda.CfnFunction)
    typed.add_property_override("Code.ZipFile", code)
