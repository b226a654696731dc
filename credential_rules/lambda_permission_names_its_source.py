"""A service invokes functions for all of its customers; the permission has to say for which of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from credential_rules.arns import HOLE, has_wildcard, is_wild, pins_account, plain
from credential_rules.rule import CANNOT_TELL, Example, Finding, Index, Resource, Rule, Text, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.rule import Severity

# An account, or a principal of one: then the permission names who calls.
_NAMED: Final = re.compile(r"\d{12}|arn:[^*?]+|A[A-Z]{2}A[A-Z0-9]{8,}")


def _permissions_for_any_source(_index: Index, resource: Resource) -> Iterator[Finding]:
    for value, text in resource["Principal"].located_texts():
        principal = plain(text)
        if _NAMED.fullmatch(principal) or _is_own(text):
            continue
        is_everybody = is_wild(principal) or (principal.startswith("arn:") and has_wildcard(principal))
        if _names_source(resource, for_everybody=is_everybody):
            continue
        yield _finding(resource, value, text, is_everybody=is_everybody)


def _finding(resource: Resource, value: Value, text: Text, *, is_everybody: bool) -> Finding:
    name = resource.logical_id
    severity: Severity = "error"
    if is_everybody:
        message = (
            f"The permission '{name}' lets everybody, in every account of the world, invoke the function: its principal"
            f" is '{text.pattern}'."
        )
        fix = "Name the account or the service as Principal, or add PrincipalOrgID."
    elif plain(text) == HOLE:
        message = (
            f"The permission '{name}' names '{text.pattern}', which the template does not decide, and no source: a service"
            " then invokes the function for everybody."
        )
        fix = "Add SourceArn or SourceAccount."
        severity = CANNOT_TELL
    else:
        source = _wide_source(resource)
        said = f"its SourceArn '{source[1].pattern}' is in any account" if source else "it names no source"
        if source:
            value = source[0]
        message = (
            f"The permission '{name}' lets {text.pattern} invoke the function on behalf of every account: {said}. Somebody"
            " else's rule, topic or API can then call it."
        )
        fix = "Add SourceArn with the ARN of the rule, topic, API or bucket, or at least SourceAccount: !Ref AWS::AccountId."
    return Finding(value, message, fix, severity)


def _is_own(text: Text) -> bool:
    hole = text.hole
    return hole is not None and (hole.kind == "resource" or hole.name == "AWS::AccountId")


def _names_source(resource: Resource, *, for_everybody: bool) -> bool:
    """Whether in every branch some property says on whose behalf the function is invoked."""
    arn, account = resource["SourceArn"], resource["SourceAccount"]
    if arn and not arn.may_be_absent and all(pins_account(plain(text)) for text in arn.texts()):
        return True
    if account and not account.may_be_absent and not any(has_wildcard(plain(text)) for text in account.texts()):
        return True
    other = resource["PrincipalOrgID"] if for_everybody else resource["EventSourceToken"]
    return bool(other) and not other.may_be_absent and not any(has_wildcard(plain(text)) for text in other.texts())


def _wide_source(resource: Resource) -> tuple[Value, Text] | None:
    for value, text in resource["SourceArn"].located_texts():
        if not pins_account(plain(text)):
            return value, text
    return None


RULE = Rule(
    slug="lambda-permission-names-its-source",
    group="Roles",
    sentence="A permission to invoke a function names who calls: for a service, the source in our account.",
    reason=(
        "events.amazonaws.com, s3.amazonaws.com or apigateway.amazonaws.com call functions for every customer of AWS."
        " Without SourceArn or SourceAccount, somebody else's rule, bucket or API may invoke ours: it acts with its"
        " role on what a stranger sends."
    ),
    remedy=(
        "Add SourceArn with the ARN of the rule, topic, API or bucket that invokes the function, or at least"
        " SourceAccount: !Ref AWS::AccountId. Never write Principal: '*' without PrincipalOrgID."
    ),
    applies_to=("AWS::Lambda::Permission",),
    on_resource=_permissions_for_any_source,
    bad=(
        Example(
            "any-rule-of-anybody",
            """
Resources:
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: orders
      Action: lambda:InvokeFunction
      Principal: events.amazonaws.com
""",
            finding="names no source",
        ),
        Example(
            "everybody",
            """
Resources:
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: orders, Action: lambda:InvokeFunction, Principal: "*"}
""",
            finding="everybody, in every account",
        ),
        Example(
            "everybody-who-signs",
            """
Resources:
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: orders, Action: lambda:InvokeFunctionUrl, Principal: "*", FunctionUrlAuthType: AWS_IAM}
""",
            finding="everybody, in every account",
        ),
        Example(
            "api-in-any-account",
            """
Resources:
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: orders
      Action: lambda:InvokeFunction
      Principal: !Sub "apigateway.${AWS::URLSuffix}"
      SourceArn: !Sub "arn:aws:execute-api:${AWS::Region}:*:*/*/*/orders"
""",
            finding="is in any account",
        ),
        Example(
            "no-source-in-one-branch",
            """
Parameters:
  Topic: {Type: String, Default: ""}
Conditions:
  HasTopic: !Not [!Equals [!Ref Topic, ""]]
Resources:
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: orders
      Action: lambda:InvokeFunction
      Principal: sns.amazonaws.com
      SourceArn: !If [HasTopic, "arn:aws:sns:eu-west-1:123456789012:orders", !Ref "AWS::NoValue"]
""",
            finding="names no source",
        ),
        Example(
            "principal-from-parameter",
            """
Parameters:
  Caller: {Type: String}
Resources:
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: orders, Action: lambda:InvokeFunction, Principal: !Ref Caller}
""",
            severity="cannot-tell",
            finding="'${Caller}'",
        ),
    ),
    good=(
        Example(
            "one-rule",
            """
Resources:
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: orders
      Action: lambda:InvokeFunction
      Principal: events.amazonaws.com
      SourceArn: !Sub "arn:aws:events:${AWS::Region}:${AWS::AccountId}:rule/nightly"
""",
        ),
        Example(
            "sources-of-many-kinds",
            """
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: orders}}
  FromTopic:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: orders, Action: lambda:InvokeFunction, Principal: sns.amazonaws.com, SourceArn: !Ref Topic}
  FromApi:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: orders
      Action: lambda:InvokeFunction
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/POST/orders"
  FromBucket:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: orders
      Action: lambda:InvokeFunction
      Principal: s3.amazonaws.com
      SourceArn: arn:aws:s3:::incoming
      SourceAccount: !Ref "AWS::AccountId"
  FromAccount:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: orders, Action: lambda:InvokeFunction, Principal: config.amazonaws.com, SourceAccount: "123456789012"}
  FromSkill:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: orders
      Action: lambda:InvokeFunction
      Principal: alexa-appkit.amazon.com
      EventSourceToken: amzn1.ask.skill.12345678
""",
        ),
        Example(
            "named-principals",
            """
Resources:
  Account:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: orders, Action: lambda:InvokeFunction, Principal: 123456789012}
  Role:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: orders, Action: lambda:InvokeFunction, Principal: "arn:aws:iam::123456789012:role/caller"}
  Organisation:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: orders, Action: lambda:InvokeFunction, Principal: "*", PrincipalOrgID: o-example1234}
""",
        ),
    ),
)
