"""AWS's managed policies are written for everybody, and grow without asking."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from credential_rules.arns import HOLE, plain
from credential_rules.rule import CANNOT_TELL, Example, Finding, Index, Resource, Rule, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.rule import Text

_PROPERTIES: Final[dict[str, str]] = {
    "AWS::IAM::Role": "ManagedPolicyArns",
    "AWS::IAM::User": "ManagedPolicyArns",
    "AWS::IAM::Group": "ManagedPolicyArns",
    "AWS::SSO::PermissionSet": "ManagedPolicies",
    "AWS::Serverless::Function": "Policies",
    "AWS::Serverless::StateMachine": "Policies",
}

# An AWS managed policy: its ARN, or its bare name, as SAM takes it. Policies of the account are judged by what they say.
_OF_AWS: Final = re.compile(r"(?:arn:[^:]*:iam::aws:policy/)?([A-Za-z0-9_/+=,.@-]+)")
_MAY_BE_OF_AWS: Final = re.compile(rf"(?:arn:[^:]*:iam::aws:policy/)?[A-Za-z0-9_/+=,.@-]*{HOLE}.*", re.DOTALL)
_BROAD: Final = re.compile(
    r"(?:job-function/)?(?:.*FullAccess(?:[-_]?v?\d+)?|AdministratorAccess(?:-.*)?|PowerUserAccess(?:-.*)?"
    r"|SystemAdministrator|NetworkAdministrator|DatabaseAdministrator)",
    re.IGNORECASE,
)


def _broad_policies(_index: Index, resource: Resource) -> Iterator[Finding]:
    for value, text in resource[_PROPERTIES[resource.type]].located_texts():
        # SAM's documents and policy templates stand in the same list, as mappings.
        if not value.is_mapping:
            finding = _broad(value, text)
            if finding is not None:
                yield finding


def _broad(value: Value, text: Text) -> Finding | None:
    written = plain(text)
    found = _OF_AWS.fullmatch(written)
    if found is not None:
        name = found[1]
        if not _BROAD.fullmatch(name):
            return None
        return Finding(
            value,
            f"'{name.rsplit('/', 1)[-1]}' allows everything in a service or in the account, on every resource, and AWS"
            " adds to it without asking.",
        )
    if text.is_undecided and _MAY_BE_OF_AWS.fullmatch(written):
        return Finding(
            value,
            f"The managed policy '{text.pattern}' is not decided by the template: it may be AdministratorAccess.",
            "Write the policies into the template.",
            CANNOT_TELL,
        )
    return None


RULE = Rule(
    slug="no-broad-managed-policies",
    group="Roles",
    sentence="No role, group, user or permission set gets a managed policy that allows a whole service or account.",
    reason=(
        "AdministratorAccess, PowerUserAccess, IAMFullAccess and every …FullAccess allow all actions of a service on"
        " all resources, and AWS extends them. Code needs a few actions on a few resources."
    ),
    remedy=(
        "Remove the policy, and write one with the actions that the code calls on the resources that it uses. AWS's"
        " service-role policies (service-role/AWSLambdaBasicExecutionRole and the like) are accepted."
    ),
    applies_to=tuple(_PROPERTIES),
    on_resource=_broad_policies,
    bad=(
        Example(
            "whole-service-for-a-function",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
        - !Sub arn:${AWS::Partition}:iam::aws:policy/AmazonSQSFullAccess
""",
            finding="'AmazonSQSFullAccess'",
        ),
        Example(
            "one-branch-of-a-group",
            """
Parameters:
  Stage: {Type: String, Default: prod}
Conditions:
  Development: !Equals [!Ref Stage, dev]
Resources:
  Developers:
    Type: AWS::IAM::Group
    Properties:
      ManagedPolicyArns: !If
        - Development
        - ["arn:aws:iam::aws:policy/PowerUserAccess"]
        - ["arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"]
""",
            finding="'PowerUserAccess'",
        ),
        Example(
            "sam-function-by-name",
            """
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      InlineCode: "def handler(event, context): pass"
      Policies: [AWSLambdaBasicExecutionRole, AmazonDynamoDBFullAccess_v2]
""",
            finding="'AmazonDynamoDBFullAccess_v2'",
        ),
        Example(
            "permission-set",
            """
Resources:
  Admins:
    Type: AWS::SSO::PermissionSet
    Properties:
      Name: admins
      InstanceArn: arn:aws:sso:::instance/ssoins-1234567890abcdef
      ManagedPolicies: ["arn:aws:iam::aws:policy/AdministratorAccess"]
""",
            finding="'AdministratorAccess'",
        ),
        Example(
            "policy-from-parameter",
            """
Parameters:
  Policy: {Type: String}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      ManagedPolicyArns: [!Ref Policy]
""",
            severity="cannot-tell",
            finding="'${Policy}'",
        ),
    ),
    good=(
        Example(
            "own-policy",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
        - !Ref Send
  Send:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement: {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn}
  Queue: {Type: AWS::SQS::Queue}
""",
        ),
        Example(
            "sam-function-with-documents-and-templates",
            """
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      InlineCode: "def handler(event, context): pass"
      Policies:
        - AWSXRayDaemonWriteAccess
        - S3FullAccessPolicy: {BucketName: reports}
        - Statement: [{Effect: Allow, Action: sqs:SendMessage, Resource: "arn:aws:sqs:eu-west-1:123456789012:events"}]
        - !Sub arn:aws:iam::${AWS::AccountId}:policy/TeamFullAccess
""",
        ),
    ),
)
