"""A policy that admits everybody needs no stolen credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credential_rules.arns import HOLE, has_wildcard, is_wild, pins_account, plain
from credential_rules.narrowing import WHO, Answer, By, narrowed
from credential_rules.rule import (
    CANNOT_TELL,
    RESOURCE_POLICY_TYPES,
    Example,
    Finding,
    Index,
    Principal,
    Resource,
    Rule,
    Statement,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.rule import Severity

_BOUNDED: Final[frozenset[By]] = WHO | {"service"}
_LAYER_PERMISSION: Final = "AWS::Lambda::LayerVersionPermission"
_BUS_POLICY: Final = "AWS::Events::EventBusPolicy"
_SEARCH_DOMAINS: Final = frozenset({"AWS::Elasticsearch::Domain", "AWS::OpenSearchService::Domain"})

# An API's callers are no AWS principals as a rule: its authorizers decide, and `Principal: *` is how AWS documents it.
_APIS: Final = frozenset({"AWS::ApiGateway::RestApi", "AWS::Serverless::Api"})
_TYPES: Final = (*(kind for kind in RESOURCE_POLICY_TYPES if kind not in _APIS), _LAYER_PERMISSION)

_MOST_NAMED: Final = 3


def _policies_for_everybody(index: Index, resource: Resource) -> Iterator[Finding]:
    if resource.type == _LAYER_PERMISSION:
        yield from _shared_layer(resource)
        return
    if resource.type == _BUS_POLICY:
        yield from _shared_bus(resource)
    if resource.type in _SEARCH_DOMAINS and resource["VPCOptions"] and not resource["VPCOptions"].may_be_absent:
        # Reached through the VPC only; its security groups say by whom.
        return
    statements = [statement for statement in index.statements(resource) if statement.kind == "resource"]
    for statement in statements:
        if statement.allows:
            yield from _public(statement, statements)


def _public(statement: Statement, statements: list[Statement]) -> Iterator[Finding]:
    if statement.not_principals:
        answer = narrowed(statement, _BOUNDED, statements)
        if answer != "yes":
            yield Finding(
                statement.element("NotPrincipal"),
                f"The policy of '{statement.owner.logical_id}' admits everybody except whom NotPrincipal lists:"
                f" {_doing(statement)}.",
                "Replace NotPrincipal by a Principal that names who needs it.",
                _severity(statement, answer),
            )
    for principal in dict.fromkeys(statement.principals):
        is_public = _is_everybody(principal)
        if is_public == "no":
            continue
        answer = narrowed(statement, _BOUNDED, statements)
        if answer == "yes":
            continue
        if is_public == "yes":
            message = (
                f"The policy of '{statement.owner.logical_id}' admits everybody, in every account of the world:"
                f" {_doing(statement)}."
            )
        else:
            message = (
                f"The policy of '{statement.owner.logical_id}' admits '{principal.text.pattern}', which the template does"
                " not decide: it may be everybody."
            )
            answer = "perhaps"
        yield Finding(
            statement.where_principal(principal),
            message + _why_not(statement, answer),
            "",
            _severity(statement, answer),
        )


def _is_everybody(principal: Principal) -> Answer:
    name = plain(principal.text)
    if name == HOLE:
        return "perhaps" if principal.kind in {"AWS", "*"} and principal.text.is_undecided else "no"
    if is_wild(name):
        return "yes"
    return "yes" if name.startswith("arn:") and has_wildcard(name) and not pins_account(name) else "no"


def _severity(statement: Statement, answer: Answer) -> Severity:
    return CANNOT_TELL if answer == "perhaps" or not statement.effect else "error"


def _doing(statement: Statement) -> str:
    names = [action.pattern for action in dict.fromkeys(statement.actions)]
    if not names:
        return "with everything but what NotAction lists" if statement.not_actions else "with every action"
    more = len(names) - _MOST_NAMED
    return "they may call " + ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _why_not(statement: Statement, answer: Answer) -> str:
    keys = ", ".join(dict.fromkeys(condition.key for condition in statement.conditions))
    if not keys:
        return ""
    if answer == "perhaps":
        return f" Whether the condition on {keys} keeps strangers out, the template does not decide."
    return f" The condition on {keys} keeps no stranger out."


def _shared_layer(resource: Resource) -> Iterator[Finding]:
    organisation = resource["OrganizationId"]
    for value, text in resource["Principal"].located_texts():
        if text.literal == "*" and (not organisation or organisation.may_be_absent):
            yield Finding(
                value,
                f"'{resource.logical_id}' gives the layer's code to everybody, in every account of the world.",
                "Name the account as Principal, or add OrganizationId.",
            )


def _shared_bus(resource: Resource) -> Iterator[Finding]:
    """The older form, which states one principal and one condition as properties."""
    condition = resource["Condition"]
    for value, text in resource["Principal"].located_texts():
        if text.literal == "*" and (not condition or condition.may_be_absent or not _names_organisation(condition)):
            yield Finding(
                value,
                f"'{resource.logical_id}' lets everybody, in every account of the world, put events on the bus.",
                "Name the account as Principal, or add Condition: {Type: StringEquals, Key: aws:PrincipalOrgID, Value: …}.",
            )


def _names_organisation(condition: Value) -> bool:
    return any(key.lower() == "aws:principalorgid" for key in condition["Key"].literals()) and not any(
        has_wildcard(value) for value in condition["Value"].literals()
    )


RULE = Rule(
    slug="resource-policy-is-not-public",
    group="Roles",
    sentence="No queue, topic, bucket, key, secret, layer, repository or other resource has a policy that admits everybody.",
    reason=(
        "`Principal: *` admits every account of the world, and often those without one: nobody has to steal anything"
        " first. Many conditions only look as if they helped: aws:SecureTransport, aws:Referer, kms:ViaService,"
        " 0.0.0.0/0, or an operator that passes when the key is absent."
    ),
    remedy=(
        "Name the role, account or service as Principal. Where it has to be `*`, add a condition that keeps strangers out,"
        " by StringEquals on aws:PrincipalOrgID, aws:SourceAccount or aws:SourceVpce, or ArnLike on an aws:SourceArn that"
        " names the account."
    ),
    applies_to=_TYPES,
    on_resource=_policies_for_everybody,
    bad=(
        Example(
            "queue-for-everybody",
            """
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: "*"
            Action: sqs:SendMessage
            Resource: !GetAtt Queue.Arn
""",
            finding="everybody, in every account of the world: they may call sqs:SendMessage",
        ),
        Example(
            "bucket-with-conditions-that-do-not-help",
            """
Resources:
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: reports
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {AWS: ["*"]}
            Action: [s3:GetObject]
            Resource: arn:aws:s3:::reports/*
            Condition:
              StringLike: {aws:Referer: "https://example.com/*"}
              IpAddress: {aws:SourceIp: [10.0.0.0/8, 0.0.0.0/0]}
              Bool: {aws:SecureTransport: "true"}
              StringEqualsIfExists: {aws:SourceAccount: "123456789012"}
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: arn:aws:s3:::reports/*
            Condition: {Bool: {aws:SecureTransport: "false"}}
""",
            finding="keeps no stranger out",
        ),
        Example(
            "topic-for-all-but-one",
            """
Resources:
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [arn:aws:sns:eu-west-1:123456789012:orders]
      PolicyDocument:
        Statement: {Effect: Allow, NotPrincipal: {AWS: "123456789012"}, Action: sns:Publish, Resource: "*"}
""",
            finding="NotPrincipal",
        ),
        Example(
            "key-through-one-service-for-everybody",
            """
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Statement:
          - {Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: "kms:*", Resource: "*"}
          - Effect: Allow
            Principal: {AWS: "*"}
            Action: kms:Decrypt
            Resource: "*"
            Condition: {StringEquals: {kms:ViaService: s3.eu-west-1.amazonaws.com}}
""",
            finding="'Key' admits everybody",
        ),
        Example(
            "secret-in-one-branch",
            """
Parameters:
  Open: {Type: String, Default: "no"}
Conditions:
  IsOpen: !Equals [!Ref Open, "yes"]
Resources:
  Policy:
    Type: AWS::SecretsManager::ResourcePolicy
    Properties:
      SecretId: arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf
      ResourcePolicy:
        Statement:
          Effect: Allow
          Principal: {AWS: !If [IsOpen, "*", "arn:aws:iam::123456789012:role/app"]}
          Action: secretsmanager:GetSecretValue
          Resource: "*"
""",
            finding="secretsmanager:GetSecretValue",
        ),
        Example(
            "repository-by-json-text",
            """
Resources:
  Repository:
    Type: AWS::ECR::Repository
    Properties:
      RepositoryPolicyText: '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}]}'
""",
            finding="'Repository'",
        ),
        Example(
            "layer-for-everybody",
            """
Resources:
  Share:
    Type: AWS::Lambda::LayerVersionPermission
    Properties:
      Action: lambda:GetLayerVersion
      LayerVersionArn: arn:aws:lambda:eu-west-1:123456789012:layer:code:1
      Principal: "*"
""",
            finding="gives the layer's code to everybody",
        ),
        Example(
            "bus-for-everybody",
            """
Resources:
  Policy:
    Type: AWS::Events::EventBusPolicy
    Properties: {StatementId: all, Action: events:PutEvents, Principal: "*"}
""",
            finding="put events on the bus",
        ),
        Example(
            "role-of-any-account",
            """
Resources:
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [https://sqs.eu-west-1.amazonaws.com/123456789012/events]
      PolicyDocument:
        Statement:
          Effect: Allow
          Principal: "*"
          Action: sqs:SendMessage
          Resource: arn:aws:sqs:eu-west-1:123456789012:events
          Condition: {ArnLike: {aws:SourceArn: "arn:aws:sns:*:*:events"}}
""",
            finding="aws:SourceArn keeps no stranger out",
        ),
        Example(
            "addresses-from-parameter",
            """
Parameters:
  Office: {Type: String}
Resources:
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: reports
      PolicyDocument:
        Statement:
          Effect: Allow
          Principal: "*"
          Action: s3:GetObject
          Resource: arn:aws:s3:::reports/*
          Condition: {IpAddress: {aws:SourceIp: !Ref Office}}
""",
            severity="cannot-tell",
            finding="aws:SourceIp",
        ),
    ),
    good=(
        Example(
            "queue-for-one-topic",
            """
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Topic: {Type: AWS::SNS::Topic}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: "*"
            Action: sqs:SendMessage
            Resource: !GetAtt Queue.Arn
            Condition: {ArnEquals: {aws:SourceArn: !Ref Topic}}
""",
        ),
        Example(
            "conditions-that-keep-strangers-out",
            """
Parameters:
  Organisation: {Type: String}
Resources:
  Bucket:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: reports
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: "*"
            Action: s3:GetObject
            Resource: arn:aws:s3:::reports/*
            Condition: {StringEquals: {aws:SourceVpce: vpce-0123456789abcdef0}}
          - Effect: Allow
            Principal: {AWS: "*"}
            Action: s3:*
            Resource: arn:aws:s3:::reports/*
            Condition: {StringEquals: {s3:DataAccessPointAccount: !Ref "AWS::AccountId"}}
  Topic:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [arn:aws:sns:eu-west-1:123456789012:orders]
      PolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {AWS: "*"}, Action: sns:Publish, Resource: "*", Condition: {StringEquals: {AWS:SourceOwner: "123456789012"}}}
          - {Effect: Allow, Principal: {AWS: "*"}, Action: sns:Publish, Resource: "*", Condition: {StringEquals: {aws:PrincipalOrgID: !Ref Organisation}}}
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Statement:
          Effect: Allow
          Principal: {AWS: "*"}
          Action: [kms:Encrypt, kms:Decrypt]
          Resource: "*"
          Condition: {StringEquals: {kms:CallerAccount: !Ref "AWS::AccountId", kms:ViaService: s3.eu-west-1.amazonaws.com}}
""",
        ),
        Example(
            "everybody-else-is-denied",
            """
Resources:
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: reports
      PolicyDocument:
        Statement:
          - {Effect: Allow, Principal: "*", Action: s3:GetObject, Resource: arn:aws:s3:::reports/*}
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: [arn:aws:s3:::reports, arn:aws:s3:::reports/*]
            Condition: {StringNotEquals: {aws:SourceVpce: vpce-0123456789abcdef0}}
""",
        ),
        Example(
            "named-principals",
            """
Resources:
  Share:
    Type: AWS::Lambda::LayerVersionPermission
    Properties:
      Action: lambda:GetLayerVersion
      LayerVersionArn: arn:aws:lambda:eu-west-1:123456789012:layer:code:1
      Principal: "*"
      OrganizationId: o-example1234
  Bus:
    Type: AWS::Events::EventBusPolicy
    Properties:
      StatementId: ours
      Action: events:PutEvents
      Principal: "*"
      Condition: {Type: StringEquals, Key: aws:PrincipalOrgID, Value: o-example1234}
  Bucket:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: reports
      PolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: cloudtrail.amazonaws.com}, Action: s3:PutObject, Resource: arn:aws:s3:::reports/*}
          - {Effect: Allow, Principal: {AWS: [!Ref "AWS::AccountId", "arn:aws:iam::210987654321:root"]}, Action: s3:GetObject, Resource: arn:aws:s3:::reports/*}
          - {Effect: Deny, Principal: "*", Action: s3:*, Resource: arn:aws:s3:::reports/*, Condition: {Bool: {aws:SecureTransport: "false"}}}
""",
        ),
    ),
)
