"""A role that may read every table may read the one that nobody thought of."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from credential_rules import iam_actions
from credential_rules.arns import HOLE, covers_every, fields, has_wildcard, is_wild, plain
from credential_rules.grants import COMPARES_ARNS, SOURCE_FUNCTION, named_by
from credential_rules.holders import holders_of
from credential_rules.narrowing import By, narrowed
from credential_rules.rule import (
    CANNOT_TELL,
    IDENTITY_TYPES,
    Example,
    Finding,
    Function,
    Index,
    Resource,
    Rule,
    Statement,
    Text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_PINNED: Final[frozenset[By]] = frozenset({"resource"})
_MOST_NAMED: Final = 3  # a finding names a few actions; a reader who mends them sees the others

# Resources that an action may touch besides, and that no statement has to name: metric data goes to no data set by default.
_BESIDES: Final = frozenset({"arn:${Partition}:cloudwatch:${Region}:${Account}:dataset/${DatasetId}"})

_MAKING: Final = re.compile(r"(?:Allocate|Copy|Create|Import|Register|Request|Run)([A-Z]\w*?)s?")
_ALSO_MADE: Final = {"ec2:RunInstances": ("network-interface/", "volume/", "spot-instances-request/")}
_ASSIGNED_ID: Final = re.compile(r"([a-z-]+)/\$\{[A-Za-z]*Id\}")


def _statements_open_to_any_resource(index: Index, resource: Resource) -> Iterator[Finding]:
    if holders_of(index).is_only_a_boundary(resource):
        return
    for statement in index.statements(resource):
        if statement.kind != "identity" or not statement.allows:
            continue
        if statement.not_resources:
            yield Finding(
                statement.element("NotResource"),
                "The statement allows its actions on everything except what NotResource lists, and so on every resource"
                " that will ever exist.",
                "Replace NotResource by a Resource list of what the code works with.",
            )
        for text in dict.fromkeys(statement.resources):
            finding = _wide(index, statement, text)
            if finding is not None:
                yield finding


def _wide(index: Index, statement: Statement, text: Text) -> Finding | None:
    resource = plain(text)
    if resource == HOLE:
        return _undecided(index, statement, text)
    if not has_wildcard(resource):
        return None
    if statement.not_actions:
        wide: tuple[str, ...] = ("nearly every action",) if _reaches_over_account(resource) else ()
        how = ""
    else:
        wide = tuple(name for action in statement.actions for name in _wide_actions(action.literal or "", resource))
        how = _arn_of(wide[0]) if wide else ""
        if not wide and is_wild(resource) and any(action.is_undecided for action in statement.actions):
            return Finding(
                statement.where("Resource", text),
                "The statement allows actions that the template does not decide, on every resource.",
                "Write the actions into the template, and name the resources that they work with.",
                CANNOT_TELL,
            )
    wide = _still_wide(index, statement, wide)
    answer = narrowed(statement, _PINNED) if wide else "yes"
    if answer == "yes":
        return None
    return Finding(
        statement.where("Resource", text),
        f"The statement allows {_listed(wide)} on '{text.pattern}', which is every resource of that kind in the account:"
        " also those of other applications.",
        how,
        CANNOT_TELL if answer == "perhaps" else "error",
    )


def _still_wide(index: Index, statement: Statement, actions: tuple[str, ...]) -> tuple[str, ...]:
    """The actions that the function's code can use; what a Deny keeps for Lambda itself is not the code's.

    Lambda places a function in a VPC by the function's own role, and makes the interfaces itself, so their ids are not
    known before: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
    """
    if not actions:
        return actions
    holdings = holders_of(index).with_statements_of(statement.owner)
    functions = {id(role.statements): role.functions for role in index.roles.values()}
    kept = [[deny for deny in held if _is_kept_from_code(deny, functions.get(id(held), []))] for held in holdings]
    if not all(kept):
        return actions
    return tuple(name for name in actions if not all(_denies(denies, name) for denies in kept))


def _is_kept_from_code(statement: Statement, functions: list[Function]) -> bool:
    """Whether a Deny takes what it is about from the code of these functions and leaves it to Lambda."""
    return (
        statement.effect == "Deny"
        and len(statement.conditions) == 1
        and statement.conditions[0].key.lower() == SOURCE_FUNCTION
        and statement.conditions[0].operator.lower() in COMPARES_ARNS
        and any(is_wild(plain(text)) for text in statement.resources)
        and all(
            any(named is not False for named in named_by(statement.conditions[0], function.resource))
            for function in functions
        )
    )


def _denies(statements: list[Statement], action: str) -> bool:
    return any(
        iam_actions.matches(text.literal, action)
        for statement in statements
        for text in statement.actions
        if text.literal
    )


def _undecided(index: Index, statement: Statement, text: Text) -> Finding | None:
    hole = text.hole
    if hole is None or hole.kind in {"resource", "pseudo"}:
        return None
    actions = [action.literal for action in statement.actions]
    if not any(action is None or _wide_actions(action, "*") for action in actions):
        return None
    if narrowed(statement, _PINNED) == "yes" or not _still_wide(index, statement, tuple(a for a in actions if a)):
        return None
    return Finding(
        statement.where("Resource", text),
        f"The statement allows its actions on '{text.pattern}', which the template does not decide: it may be '*'.",
        "Refer to the resource itself, or build its ARN in the template from its name.",
        CANNOT_TELL,
    )


def _reaches_over_account(resource: str) -> bool:
    parts = fields(resource)
    return is_wild(resource) or parts is None or is_wild(parts[5])


@lru_cache(maxsize=16384)
def _wide_actions(action: str, resource: str) -> tuple[str, ...]:
    """The actions among those that `action` covers for which `resource`, a plain ARN, is every resource of a kind."""
    if action == "*":
        parts = fields(resource)
        if parts is None or has_wildcard(parts[2]):
            return ("every action",)
        return _wide_actions(f"{parts[2]}:*", resource)
    covered = iam_actions.expand(action)
    wide = tuple(one.name for one in covered if _is_wide(one, resource))
    if has_wildcard(action) and 2 * len(wide) < len(covered) and all(_only_reads(one) for one in covered):
        # `ec2:Describe*`: most of it works on `*` only, so the pattern cannot be given a resource.
        return ()
    return (action,) if wide and has_wildcard(action) else wide


def _only_reads(action: iam_actions.Action) -> bool:
    return set(action.access_levels) <= {"List", "Read"}


def _is_wide(action: iam_actions.Action, resource: str) -> bool:
    kinds = [kind for kind in action.arn_formats if kind not in _BESIDES]
    if len(kinds) == 1 and not action.required_arn_formats and action.access_levels == ("List",):
        # `rds:DescribeDBInstances` without a name lists all, which only `*` allows.
        return False
    return any(covers_every(resource, kind) and not _makes(action.name, kind) for kind in kinds)


def _makes(action: str, kind: str) -> bool:
    """Whether the action makes what the ARN names, under an id that AWS chooses: nobody can write it down before."""
    named = _ASSIGNED_ID.fullmatch(kind.rsplit(":", 1)[-1])
    made = _MAKING.fullmatch(action.partition(":")[2])
    if named is None or made is None:
        return False
    noun = "".join(word.capitalize() for word in named[1].split("-"))
    return made[1].lower() == noun.lower() or f"{named[1]}/" in _ALSO_MADE.get(action, ())


def _arn_of(action: str) -> str:
    known = iam_actions.action(action)
    if known is None:
        return ""
    kinds = known.required_arn_formats or known.arn_formats[-1:]
    return f"Name what the code works with, as in {kinds[0]}, or refer to it by !GetAtt." if kinds else ""


def _listed(actions: tuple[str, ...]) -> str:
    names = list(dict.fromkeys(actions))
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


RULE = Rule(
    slug="no-wildcard-resources",
    group="Roles",
    sentence="Every Allow names its resources, wherever the action can be limited to any.",
    reason=(
        "A statement on `*`, on `table/*` or on `arn:aws:sqs:us-east-1:*:*` reaches every resource of the account, also"
        " those of other applications and those made tomorrow. Whoever gets hold of the role reads them all."
    ),
    remedy=(
        "Name the resource: refer to it by !GetAtt, or write its ARN with its name. A wildcard below a name is fine"
        " (arn:aws:s3:::bucket/*, table/Events/index/*). Where the set is known by a tag only, add a condition on"
        " aws:ResourceTag. Actions that work on nothing but `*`, such as ec2:DescribeSubnets, are fine on `*`. Network"
        " interfaces that Lambda makes for a function in a VPC are fine if the role denies the same actions to the"
        " function's code, by a Deny with lambda:SourceFunctionArn."
    ),
    applies_to=IDENTITY_TYPES,
    on_resource=_statements_open_to_any_resource,
    bad=(
        Example(
            "every-queue-of-the-account",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: [sqs:SendMessage]
            Resource: arn:aws:sqs:us-east-1:*:*
          - Effect: Allow
            Action: [dynamodb:GetItem, dynamodb:Query]
            Resource: "*"
  Queue: {Type: AWS::SQS::Queue}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
""",
            finding="sqs:SendMessage on 'arn:aws:sqs:us-east-1:*:*'",
        ),
        Example(
            "every-table-by-join",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          Effect: Allow
          Action: DYNAMODB:getitem
          Resource: {"Fn::Join": [":", [arn, !Ref "AWS::Partition", dynamodb, !Ref "AWS::Region", !Ref "AWS::AccountId", table/*]]}
""",
            finding="dynamodb:GetItem",
        ),
        Example(
            "every-log",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: log
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: [logs:CreateLogStream, logs:PutLogEvents], Resource: "arn:aws:logs:*:*:*"}
""",
            finding="logs:PutLogEvents",
        ),
        Example(
            "one-branch-of-a-list",
            """
Parameters:
  Stage: {Type: String, Default: prod}
Conditions:
  Development: !Equals [!Ref Stage, dev]
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action: "s3:Get*"
            Resource: [arn:aws:s3:::reports/*, !If [Development, "arn:aws:s3:::*/*", !Ref "AWS::NoValue"]]
""",
            finding="s3:Get* on 'arn:aws:s3:::*/*'",
        ),
        Example(
            "everything-except-one-bucket",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement: {Effect: Allow, Action: s3:GetObject, NotResource: "arn:aws:s3:::salaries/*"}
""",
            finding="NotResource",
        ),
        Example(
            "own-account-is-no-limit",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          Effect: Allow
          Action: secretsmanager:GetSecretValue
          Resource: "*"
          Condition: {StringEquals: {aws:ResourceAccount: !Ref "AWS::AccountId"}}
""",
            finding="secretsmanager:GetSecretValue",
        ),
        Example(
            "network-interfaces-for-the-code-too",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          Effect: Allow
          Action: [ec2:CreateNetworkInterface, ec2:DescribeNetworkInterfaces, ec2:DeleteNetworkInterface]
          Resource: "*"
""",
            finding="ec2:DeleteNetworkInterface",
        ),
        Example(
            "table-of-every-name-by-policy-template",
            """
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      InlineCode: "def handler(event, context): pass"
      Policies: [{DynamoDBReadPolicy: {TableName: "*"}}]
""",
            finding="table/*",
        ),
        Example(
            "resource-from-parameter",
            """
Parameters:
  Where: {Type: String}
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement: {Effect: Allow, Action: sqs:SendMessage, Resource: !Ref Where}
""",
            severity="cannot-tell",
            finding="'${Where}'",
        ),
    ),
    good=(
        Example(
            "one-queue-and-one-table",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: [sqs:SendMessage]
            Resource: !GetAtt Queue.Arn
          - Effect: Allow
            Action: [dynamodb:GetItem, dynamodb:Query]
            Resource: [!GetAtt Table.Arn, !Sub "${Table.Arn}/index/*"]
  Queue: {Type: AWS::SQS::Queue}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
""",
        ),
        Example(
            "wildcards-below-a-name",
            """
Parameters:
  Bucket: {Type: String}
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - {Effect: Allow, Action: [s3:GetObject, s3:PutObject], Resource: [arn:aws:s3:::my-bucket/*, !Sub "arn:aws:s3:::${Bucket}/*"]}
          - {Effect: Allow, Action: logs:PutLogEvents, Resource: !Sub "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/fn:*"}
          - {Effect: Allow, Action: dynamodb:Query, Resource: "arn:aws:dynamodb:*:*:table/Events/index/*"}
          - {Effect: Allow, Action: ssm:GetParameter, Resource: !Sub "arn:aws:ssm:*:${AWS::AccountId}:parameter/shop/*"}
""",
        ),
        Example(
            "actions-without-resources-and-denies",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action: ["ec2:Describe*", s3:ListAllMyBuckets, xray:PutTraceSegments, cloudwatch:PutMetricData, ecr:GetAuthorizationToken]
            Resource: "*"
          - {Effect: Deny, Action: "s3:*", Resource: "*", Condition: {Bool: {aws:SecureTransport: "false"}}}
""",
        ),
        Example(
            "known-by-its-tag",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          Effect: Allow
          Action: [ec2:StartInstances, ec2:StopInstances]
          Resource: "*"
          Condition: {StringEquals: {aws:ResourceTag/team: shop}}
""",
        ),
        Example(
            "network-interfaces-for-lambda-alone",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
  Interfaces:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: interfaces
      Roles: [!Ref Role]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action: [ec2:CreateNetworkInterface, ec2:DeleteNetworkInterface]
            Resource: !Sub "arn:aws:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*"
  NotFromCode:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: not-from-code
      Roles: [!Ref Role]
      PolicyDocument:
        Statement:
          Effect: Deny
          Action: "ec2:*NetworkInterface"
          Resource: "*"
          Condition: {ArnEquals: {lambda:SourceFunctionArn: !Sub "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:worker"}}
""",
        ),
    ),
)
