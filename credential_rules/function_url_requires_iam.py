"""A function URL without IAM is a door to the internet, with the function's role behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credential_rules.rule import CANNOT_TELL, Example, Finding, Index, Resource, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.rule import Value

_IAM: Final = "AWS_IAM"


def _open_urls(_index: Index, resource: Resource) -> Iterator[Finding]:
    if resource.type == "AWS::Lambda::Url":
        yield from _open(resource["AuthType"], f"The function URL '{resource.logical_id}'")
    elif resource.type == "AWS::Serverless::Function":
        yield from _open(resource["FunctionUrlConfig"]["AuthType"], f"The URL of the function '{resource.logical_id}'")
    else:
        yield from _open(
            resource["FunctionUrlAuthType"], f"The permission '{resource.logical_id}' for the function's URL"
        )


def _open(auth: Value, what: str) -> Iterator[Finding]:
    for value, text in auth.located_texts():
        if text.literal == _IAM:
            continue
        if text.literal is None:
            yield Finding(
                value,
                f"{what} takes its AuthType from '{text.pattern}', which the template does not decide: it may be NONE.",
                "Write AuthType: AWS_IAM.",
                CANNOT_TELL,
            )
        else:
            yield Finding(
                value,
                f"{what} asks for no authentication (AuthType {text.literal}): everybody on the internet can run the"
                " function, with its role.",
            )


RULE = Rule(
    slug="function-url-requires-iam",
    group="Roles",
    sentence="Every function URL has AuthType AWS_IAM.",
    reason=(
        "With AuthType NONE everybody on the internet can call the function, which acts with its role on whatever they"
        " send. No gateway, authorizer or log of callers stands in between."
    ),
    remedy=(
        "Write AuthType: AWS_IAM and let callers sign their requests, or put an API with an authorizer in front of the"
        " function and remove the URL."
    ),
    applies_to=("AWS::Lambda::Url", "AWS::Serverless::Function", "AWS::Lambda::Permission"),
    on_resource=_open_urls,
    bad=(
        Example(
            "url-for-everybody",
            """
Resources:
  Url:
    Type: AWS::Lambda::Url
    Properties:
      TargetFunctionArn: arn:aws:lambda:eu-west-1:123456789012:function:orders
      AuthType: NONE
""",
            finding="'Url' asks for no authentication",
        ),
        Example(
            "sam-function-in-one-branch",
            """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: prod}
Conditions:
  Development: !Equals [!Ref Stage, dev]
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      InlineCode: "def handler(event, context): pass"
      FunctionUrlConfig:
        AuthType: !If [Development, NONE, AWS_IAM]
""",
            finding="'Function' asks for no authentication",
        ),
        Example(
            "permission-for-everybody",
            """
Resources:
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: orders
      Action: lambda:InvokeFunctionUrl
      Principal: "*"
      FunctionUrlAuthType: NONE
""",
            finding="'Permission'",
        ),
        Example(
            "from-parameter",
            """
Parameters:
  Auth: {Type: String}
Resources:
  Url:
    Type: AWS::Lambda::Url
    Properties: {TargetFunctionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders", AuthType: !Ref Auth}
""",
            severity="cannot-tell",
            finding="'${Auth}'",
        ),
    ),
    good=(
        Example(
            "url-with-iam",
            """
Resources:
  Url:
    Type: AWS::Lambda::Url
    Properties:
      TargetFunctionArn: arn:aws:lambda:eu-west-1:123456789012:function:orders
      AuthType: AWS_IAM
""",
        ),
        Example(
            "functions-without-url",
            """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Auth: {Type: String, Default: AWS_IAM}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, InlineCode: "def handler(event, context): pass"}
  Other:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      InlineCode: "def handler(event, context): pass"
      FunctionUrlConfig: {AuthType: !Ref Auth}
""",
        ),
    ),
)
