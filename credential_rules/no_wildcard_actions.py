"""A role that may do everything in a service may do what nobody had in mind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from credential_rules.rule import CANNOT_TELL, POLICY_TYPES, Example, Finding, Index, Resource, Rule, Statement, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

# `*`, `s3:*`, `*:Get*`, `s3:**`: the service or the verb is open. `s3:Get*` stays within one verb.
_OPEN = re.compile(r"\*|[^:]*\*[^:]*:.*|[^:]+:[*?]+")


def _statements_open_to_any_action(index: Index, resource: Resource) -> Iterator[Finding]:
    for statement in index.statements(resource):
        # In the policy of a queue, key or endpoint `*` is bounded by what it is attached to; other rules judge those.
        if statement.kind == "identity" and statement.allows:
            yield from _wildcards(statement)


def _wildcards(statement: Statement) -> Iterator[Finding]:
    if statement.not_actions:
        yield Finding(
            statement.element("NotAction"),
            "The statement allows everything except what NotAction lists, and so every action that AWS will ever add.",
            "Replace NotAction by an Action list of what the code calls.",
        )
    for action in dict.fromkeys(statement.actions):
        finding = _wildcard(statement, action)
        if finding is not None:
            yield finding


def _wildcard(statement: Statement, action: Text) -> Finding | None:
    literal = action.literal
    if literal is not None:
        if not _OPEN.fullmatch(literal):
            return None
        what = "every action of every service" if literal == "*" else f"everything that '{literal}' stands for"
        return Finding(
            statement.where("Action", action),
            f"The statement allows {what}, also to change policies and to delete data.",
        )
    if action.is_undecided and not _names_a_verb(action):
        return Finding(
            statement.where("Action", action),
            f"The statement allows '{action.pattern}', which the template does not decide: it may be '*'.",
            "Write the actions into the template.",
            CANNOT_TELL,
        )
    return None


def _names_a_verb(action: Text) -> bool:
    """Whether the text is known up to some letter of the action's name: `s3:Get${What}` cannot become `s3:*`."""
    first = action.pieces[0]
    return isinstance(first, str) and re.fullmatch(r"[^*?:]+:[A-Za-z].*", first) is not None


RULE = Rule(
    slug="no-wildcard-actions",
    group="Roles",
    sentence="Every Allow names the actions that the code calls: no `*`, no `service:*`, no NotAction.",
    reason=(
        "A wildcard grants what nobody thought of, such as deleting the data or changing the policy itself, and it grants"
        " tomorrow what AWS adds tomorrow. Whoever gets hold of the role gets all of it."
    ),
    remedy="List the actions that the code calls, such as sqs:SendMessage. A prefix within one verb (s3:Get*) is accepted.",
    applies_to=POLICY_TYPES,
    on_resource=_statements_open_to_any_action,
    bad=(
        Example(
            "whole-service",
            """
Resources:
  Send:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: [sqs:SendMessage, "dynamodb:*"]
            Resource: !GetAtt Table.Arn
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
""",
            finding="'dynamodb:*'",
        ),
        Example(
            "everything-in-one-branch",
            """
Parameters:
  Stage: {Type: String, Default: prod}
Conditions:
  Development: !Equals [!Ref Stage, dev]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: work
          PolicyDocument:
            Statement:
              Effect: Allow
              Action: !If [Development, "*", sqs:SendMessage]
              Resource: arn:aws:sqs:eu-west-1:123456789012:events
""",
            finding="every action of every service",
        ),
        Example(
            "everything-except",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement: {Effect: Allow, NotAction: "iam:*", Resource: "*"}
""",
            finding="NotAction",
        ),
        Example(
            "action-from-parameter",
            """
Parameters:
  Allowed: {Type: CommaDelimitedList}
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement: {Effect: Allow, Action: !Ref Allowed, Resource: "arn:aws:s3:::reports/*"}
""",
            severity="cannot-tell",
            finding="'${Allowed}'",
        ),
    ),
    good=(
        Example(
            "named-actions",
            """
Resources:
  Send:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: [sqs:SendMessage, "s3:Get*"]
            Resource: arn:aws:sqs:eu-west-1:123456789012:events
          - {Effect: Deny, Action: "*", Resource: "*", Condition: {Bool: {aws:SecureTransport: "false"}}}
""",
        ),
        Example(
            "branches-that-belong-together",
            """
Parameters:
  Stage: {Type: String}
Conditions:
  Locked: !Equals [!Ref Stage, locked]
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          Effect: !If [Locked, Deny, Allow]
          Action: !If [Locked, "*", sqs:SendMessage]
          Resource: arn:aws:sqs:eu-west-1:123456789012:events
""",
        ),
    ),
)
