"""A role that may do everything in a service may do what nobody had in mind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from credential_rules.arns import HOLE, fields, plain
from credential_rules.rule import (
    CANNOT_TELL,
    POLICY_TYPES,
    Example,
    Finding,
    Index,
    Principal,
    Resource,
    Rule,
    Statement,
    Text,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# `*`, `s3:*`, `*:Get*`, `s3:**`: the service or the verb is open. `s3:Get*` stays within one verb.
_OPEN = re.compile(r"\*|[^:]*\*[^:]*:.*|[^:]+:[*?]+")


_PERMISSION: Final = "AWS::Lambda::Permission"
_KEYS: Final = frozenset({"AWS::KMS::Key", "AWS::KMS::ReplicaKey"})
_ACCOUNT: Final = re.compile(rf"\d{{12}}|{HOLE}")


def _statements_open_to_any_action(index: Index, resource: Resource) -> Iterator[Finding]:
    if resource.type == _PERMISSION:
        for value, action in resource["Action"].located_texts():
            yield from _wildcard(value, action)
        return
    for statement in index.statements(resource):
        # Trust and endpoints have rules of their own, for which what is narrow depends on more than the actions.
        if statement.kind in {"identity", "resource"} and statement.allows and not _leaves_key_to_account(statement):
            yield from _wildcards(statement)


def _leaves_key_to_account(statement: Statement) -> bool:
    """Whether it is what AWS asks every key's policy to say: that the account's own policies decide about the key."""
    if statement.owner.type not in _KEYS or not statement.principals:
        return False
    return all(_is_account(principal) for principal in statement.principals)


def _is_account(principal: Principal) -> bool:
    text = plain(principal.text)
    parts = fields(text)
    if parts is not None:
        return parts[2] == "iam" and parts[5] == "root" and _ACCOUNT.fullmatch(parts[4]) is not None
    hole = principal.text.hole
    return text.isdecimal() or (hole is not None and hole.name == "AWS::AccountId")


def _wildcards(statement: Statement) -> Iterator[Finding]:
    if statement.not_actions:
        yield Finding(
            statement.element("NotAction"),
            "The statement allows everything except what NotAction lists, and so every action that AWS will ever add.",
            "Replace NotAction by an Action list of what the code calls.",
        )
    for action in dict.fromkeys(statement.actions):
        yield from _wildcard(statement.where("Action", action), action)


def _wildcard(at: Value, action: Text) -> Iterator[Finding]:
    literal = action.literal
    if literal is not None:
        if _OPEN.fullmatch(literal):
            what = "every action of every service" if literal == "*" else f"everything that '{literal}' stands for"
            yield Finding(at, f"The statement allows {what}, also to change policies and to delete data.")
    elif action.is_undecided and not _names_a_verb(action):
        yield Finding(
            at,
            f"The statement allows '{action.pattern}', which the template does not decide: it may be '*'.",
            "Write the actions into the template.",
            CANNOT_TELL,
        )


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
    applies_to=(*POLICY_TYPES, _PERMISSION),
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
            "whole-service-in-the-policy-of-a-queue",
            """
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement:
          Effect: Allow
          Principal: {AWS: arn:aws:iam::210987654321:role/sender}
          Action: "sqs:*"
          Resource: !GetAtt Queue.Arn
""",
            finding="'sqs:*'",
        ),
        Example(
            "every-key-action-for-a-role",
            """
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Statement:
          - {Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:role/worker"}, Action: "kms:*", Resource: "*"}
""",
            finding="'kms:*'",
        ),
        Example(
            "every-action-on-a-function",
            """
Resources:
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: orders
      Action: lambda:*
      Principal: "210987654321"
""",
            finding="'lambda:*'",
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
            "key-that-leaves-it-to-the-policies-of-its-account",
            """
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Statement:
          - Effect: Allow
            Principal: {AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
            Action: "kms:*"
            Resource: "*"
          - {Effect: Allow, Principal: {AWS: [!Ref "AWS::AccountId", "123456789012"]}, Action: ["kms:*"], Resource: "*"}
""",
        ),
        Example(
            "endpoint-that-admits-one-role",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      ServiceName: com.amazonaws.eu-west-1.s3
      PolicyDocument:
        Statement: {Effect: Allow, Principal: {AWS: arn:aws:iam::123456789012:role/worker}, Action: "s3:*", Resource: "*"}
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
