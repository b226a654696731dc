"""A VPC endpoint without a policy of its own carries data to anybody's account."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from credential_rules.network_path import network_of
from credential_rules.rule import CANNOT_TELL, Example, Finding, Index, Resource, Rule, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credential_rules.rule import Condition, Text

# Endpoints that take no policy: https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
_TAKE_NO_POLICY: Final = frozenset(
    {
        "appmesh-envoy-management",
        "awsconnector",
        "email-smtp",
        "iot.data",
        "lorawan.cups",
        "lorawan.lns",
        "storagegateway",
        "transfer.server",
    }
)
_OTHER_KINDS: Final = frozenset({"GatewayLoadBalancer", "Resource", "ServiceNetwork"})

# Keys that say who calls or whose resource is called. Not among them: aws:SourceVpc, aws:SourceVpce, aws:VpcSourceIp and
# aws:SourceIp, which hold for every caller that reaches the endpoint at all, and aws:SecureTransport.
_NARROWING_KEYS: Final = re.compile(
    r"aws:(principalarn|principalaccount|principalorgid|principalorgpaths|principaltag/.+|userid|username"
    r"|resourceaccount|resourceorgid|resourceorgpaths|resourcetag/.+|sourceaccount|sourcearn|sourceorgid|sourceorgpaths"
    r"|principalservicename|principalisawsservice|calledvia|calledviafirst|calledvialast|viaawsservice)"
    r"|s3:(resourceaccount|dataaccesspointaccount|dataaccesspointarn)|kms:calleraccount|kms:viaservice"
    r"|sts:externalid|saml:.+|.+:sub",
    re.IGNORECASE,
)
# `*`, `s3:*`, `*:*`, and `s3:**`: everything that the endpoint's one service can do.
_ANY_ACTION: Final = re.compile(r"[*?]+|[^:]*:[*?]+")
# `*`, `arn:aws:s3:::*`, `arn:*:sqs:*:*:*`: everybody's resources.
_ANY_RESOURCE: Final = re.compile(r"[*?]+|(?:arn|\*):(?:[^:]*:){2}[^:]*:(?:\*|):[*?/]*", re.DOTALL)
_HOLE: Final = re.compile(r"\$\{[^}]*\}")

_FULL_ACCESS: Final = (
    "carries every call of every principal to resources of every account, an intruder's own among them"
)


def _policies_that_admit_everybody(index: Index, resource: Resource) -> Iterator[Finding]:
    endpoint = network_of(index).by_resource[resource]
    name = resource.logical_id
    if endpoint.kinds and set(endpoint.kinds) <= _OTHER_KINDS:
        return
    if endpoint.services and all(_takes_no_policy(service) for service in endpoint.services):
        return
    policy = resource["PolicyDocument"]
    service = endpoint.services[0] if endpoint.services else ""
    if not policy or policy.may_be_absent:
        where = " in some branch" if policy else ""
        known = bool(service) or all(text.startswith("aws.") for text in resource["ServiceName"].texts())
        yield Finding(
            policy or resource,
            f"The endpoint '{name}'{f' for {service}' if service else ''} has no policy of its own{where}: it then has"
            f" AWS's default, which {_FULL_ACCESS}.",
            severity="error" if known else CANNOT_TELL,
        )
    if policy.is_unknown:
        yield Finding(
            policy,
            f"The policy of the endpoint '{name}' is not part of the template: whom it admits cannot be told.",
            "Write the policy into the template.",
            CANNOT_TELL,
        )
    statements = index.statements(resource)
    if any(_denies_all_others(statement) for statement in statements):
        return
    for statement in statements:
        finding = _open(statement, name)
        if finding is not None:
            yield finding


def _takes_no_policy(service: str) -> bool:
    return "vpce-svc" in service or service in _TAKE_NO_POLICY


def _open(statement: Statement, name: str) -> Finding | None:
    if not statement.allows or any(_narrows(condition) for condition in statement.conditions):
        return None
    answers = (
        bool(statement.not_principals) or _any_principal(statement),
        bool(statement.not_actions) or _some(statement.actions, _ANY_ACTION),
        bool(statement.not_resources) or not statement.resources or _some(statement.resources, _ANY_RESOURCE),
    )
    if False in answers:
        return None
    if None in answers or statement.has_unknown_condition or not statement.effect:
        return Finding(
            statement,
            f"The policy of the endpoint '{name}' takes whom or what it admits from a value that the template does not"
            " decide: it may be everybody.",
            "Write principals, actions and resources into the template.",
            CANNOT_TELL,
        )
    return Finding(
        statement.element("Principal"),
        f"The policy of the endpoint '{name}' allows every principal every action on every resource: it {_FULL_ACCESS}.",
    )


def _any_principal(statement: Statement) -> bool | None:
    unknown = False
    for principal in statement.principals:
        if principal.kind in {"AWS", "*"}:
            if principal.text.literal == "*":
                return True
            unknown = unknown or principal.text.is_undecided
    # An endpoint's policy without any principal is refused at deployment.
    return None if unknown else False


def _some(texts: Iterable[Text], pattern: re.Pattern[str]) -> bool | None:
    unknown = False
    for text in texts:
        # A hole is something in particular, and its name may hold colons.
        if pattern.fullmatch(_HOLE.sub("~", text.pattern)):
            return True
        first = text.pieces[0] if text.pieces else ""
        unknown = unknown or (text.is_undecided and not isinstance(first, str))
    return None if unknown else False


def _narrows(condition: Condition) -> bool:
    operator = condition.operator.lower().removeprefix("foranyvalue:")
    if not condition.narrows or operator == "null" or "not" in operator or not _NARROWING_KEYS.fullmatch(condition.key):
        return False
    return bool(condition.values) and not any(text.literal in {"", "*", "**", "?*"} for text in condition.values)


def _denies_all_others(statement: Statement) -> bool:
    """Whether it denies everybody, or everything, but what it names: then an open Allow beside it admits only that."""
    if statement.effect != "Deny" or statement.has_unknown_condition:
        return False
    negated = [
        condition
        for condition in statement.conditions
        if "not" in condition.operator.lower() and _NARROWING_KEYS.fullmatch(condition.key)
    ]
    if len(negated) != len(statement.conditions):
        return False
    everybody = _any_principal(statement) is True
    everything = bool(_some(statement.actions, _ANY_ACTION))
    everywhere = not statement.resources or bool(_some(statement.resources, _ANY_RESOURCE))
    if negated:
        return everybody and everything and everywhere
    return (
        (bool(statement.not_principals) and everything and everywhere)
        or (everybody and bool(statement.not_resources) and everything)
        or (everybody and bool(statement.not_actions) and everywhere)
    )


_TABLE: Final = """
  Events:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
"""

RULE = Rule(
    slug="endpoint-has-scoped-policy",
    group="Network path",
    sentence="Every VPC endpoint has a policy that narrows who may pass, what they may do, or to which resources.",
    reason=(
        "Without a policy an endpoint carries calls to every account. Code that was tricked can then write what it reads"
        " into somebody else's bucket with somebody else's key, through the one door of a VPC with no way out."
    ),
    remedy=(
        "Give the endpoint a PolicyDocument that names roles (a condition on aws:PrincipalArn, aws:PrincipalAccount or"
        " aws:PrincipalOrgID) and the actions and resources that they need. aws:SourceVpc does not narrow: it holds for"
        " every call that comes through the endpoint."
    ),
    applies_to=("AWS::EC2::VPCEndpoint",),
    on_resource=_policies_that_admit_everybody,
    bad=(
        Example(
            "no-policy",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      ServiceName: !Sub com.amazonaws.${AWS::Region}.dynamodb
      RouteTableIds: [rtb-0123456789abcdef0]
"""
            + _TABLE,
            finding="has no policy of its own",
        ),
        Example(
            "everything-for-everybody",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      ServiceName: com.amazonaws.eu-west-1.s3
      PolicyDocument: {Statement: {Effect: Allow, Principal: "*", Action: "*", Resource: "*"}}
""",
            finding="every principal every action on every resource",
        ),
        Example(
            "everything-of-the-service-from-this-vpc",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      ServiceName: com.amazonaws.eu-west-1.s3
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {AWS: ["*"]}
            Action: ["s3:*"]
            Resource: !Sub "arn:${AWS::Partition}:s3:::*"
            Condition: {StringEquals: {aws:SourceVpc: !Ref Vpc}}
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20}}
""",
            finding="every principal",
        ),
        Example(
            "condition-that-passes-without-its-key",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
      PolicyDocument: >-
        {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sqs:*", "Resource": "*",
        "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}]}
""",
            finding="every principal",
        ),
        Example(
            "policy-in-one-branch-only",
            """
Parameters:
  Stage: {Type: String}
Conditions:
  Production: !Equals [!Ref Stage, production]
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      ServiceName: com.amazonaws.eu-west-1.s3
      PolicyDocument: !If
        - Production
        - Statement:
            Effect: Allow
            Principal: "*"
            Action: s3:GetObject
            Resource: arn:aws:s3:::reports/*
        - !Ref AWS::NoValue
""",
            finding="in some branch",
        ),
        Example(
            "policy-from-elsewhere",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      ServiceName: com.amazonaws.eu-west-1.s3
      PolicyDocument: {"Fn::Transform": {Name: AWS::Include, Parameters: {Location: "s3://policies/s3.json"}}}
""",
            severity="cannot-tell",
            finding="is not part of the template",
        ),
    ),
    good=(
        Example(
            "roles-by-condition",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      ServiceName: !Sub com.amazonaws.${AWS::Region}.dynamodb
      RouteTableIds: [rtb-0123456789abcdef0]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: "*"
            Action: [dynamodb:GetItem, dynamodb:PutItem]
            Resource: !GetAtt Events.Arn
            Condition:
              ArnEquals: {aws:PrincipalArn: !Sub "arn:aws:iam::${AWS::AccountId}:role/events-api"}
              StringEquals: {aws:PrincipalAccount: !Ref AWS::AccountId}
"""
            + _TABLE,
        ),
        Example(
            "whole-organisation-by-condition",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      ServiceName: com.amazonaws.eu-west-1.s3
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {AWS: "*"}
            Action: "*"
            Resource: "*"
            Condition:
              StringEquals: {aws:PrincipalOrgID: o-a1b2c3d4e5, aws:ResourceOrgID: o-a1b2c3d4e5}
""",
        ),
        Example(
            "everything-but-other-accounts",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      ServiceName: com.amazonaws.eu-west-1.s3
      PolicyDocument:
        Statement:
          - {Effect: Allow, Principal: "*", Action: "*", Resource: "*"}
          - Effect: Deny
            Principal: "*"
            Action: "*"
            Resource: "*"
            Condition: {StringNotEquals: {aws:ResourceAccount: !Ref AWS::AccountId}}
""",
        ),
        Example(
            "one-bucket-and-one-role",
            """
Resources:
  Bucket:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      ServiceName: com.amazonaws.eu-west-1.s3
      PolicyDocument:
        Statement: {Effect: Allow, Principal: "*", Action: "s3:*", Resource: ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"]}
  Role:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
      PolicyDocument:
        Statement: {Effect: Allow, Principal: {AWS: "arn:aws:iam::123456789012:role/worker"}, Action: "*", Resource: "*"}
""",
        ),
        Example(
            "endpoints-that-take-no-policy",
            """
Resources:
  Partner:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0
  Firewall:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: GatewayLoadBalancer
      ServiceName: !Ref Service
Parameters:
  Service: {Type: String}
""",
        ),
    ),
)
