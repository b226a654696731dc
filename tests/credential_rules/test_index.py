"""The index knows what belongs together, wherever a template says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credential_rules.index import Index

if TYPE_CHECKING:
    from collections.abc import Callable

    from credential_rules.template import Template

TRUST = "AssumeRolePolicyDocument: {Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}}"


def test_role_gathers_policies_from_everywhere(template: Callable[..., Template]) -> None:
    """Inline, attached by reference, attached by name, and managed in the same template."""
    found = template(f"""
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: worker
      {TRUST}
      Policies: [{{PolicyName: a, PolicyDocument: {{Statement: {{Effect: Allow, Action: a:A, Resource: x}}}}}}]
      ManagedPolicyArns: [!Ref Managed, "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
  ByReference:
    Type: AWS::IAM::Policy
    Properties: {{Roles: [!Ref Role], PolicyDocument: {{Statement: [{{Effect: Allow, Action: b:B, Resource: x}}]}}}}
  ByName:
    Type: AWS::IAM::RolePolicy
    Properties: {{RoleName: worker, PolicyDocument: {{Statement: [{{Effect: Allow, Action: c:C, Resource: x}}]}}}}
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties: {{PolicyDocument: {{Statement: [{{Effect: Allow, Action: d:D, Resource: x}}]}}}}
  F: {{Type: AWS::Lambda::Function, Properties: {{Role: !GetAtt Role.Arn}}}}
""")
    (role,) = Index([found]).roles.values()
    assert [action.literal for s in role.statements for action in s.actions] == ["a:A", "b:B", "c:C", "d:D"]
    assert [principal.text.literal for s in role.trust for principal in s.principals] == ["lambda.amazonaws.com"]
    assert [text.pattern for _, text in role.managed_policies] == [
        "${Managed}",
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    ]


def test_sam_function_has_its_globals_and_its_generated_role(template: Callable[..., Template]) -> None:
    """SAM's defaults merge as SAM merges them; policy templates are statements like any other."""
    found = template("""
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.13, Environment: {Variables: {A: global, B: global}}, VpcConfig: {SubnetIds: [s-1]}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {Variables: {B: own}}
      Policies:
        - AWSLambdaExecute
        - SQSSendMessagePolicy: {QueueName: !GetAtt Q.QueueName}
        - Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]
  Q: {Type: AWS::SQS::Queue}
""")
    index = Index([found])
    (function,) = index.functions.values()
    assert {name: value.literals() for name, value in function.environment.entries()} == {"A": ["global"], "B": ["own"]}
    assert function.is_in_vpc
    assert function.role is not None
    assert [action.literal for s in function.role.statements for action in s.actions] == ["s3:*", "sqs:SendMessage*"]
    assert function.role.statements[1].resources[0].pattern == (
        "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${Q.QueueName}"
    )
    assert [text.literal for _, text in function.role.managed_policies] == ["AWSLambdaExecute"]
    assert function.role.statements[0].place.location == "Properties.Policies.2.Statement.0"


@pytest.mark.parametrize(
    "document",
    [
        '!Sub \'{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "${Q.Arn}"}]}\'',
        '\'{"Statement": {"Effect": "Allow", "Principal": "*", "Action": ["sqs:*"], "Resource": "x"}}\'',
        "{Statement: {Effect: Allow, Principal: {AWS: '*'}, Action: 'sqs:*', Resource: !GetAtt Q.Arn}}",
    ],
)
def test_policy_reads_the_same_however_it_is_written(document: str, template: Callable[..., Template]) -> None:
    """As JSON text, with substitutions, or as a mapping."""
    found = template(
        f"Resources:\n  Q: {{Type: AWS::SQS::Queue}}\n  P: {{Type: AWS::SQS::QueuePolicy, Properties: {{PolicyDocument: {document}}}}}"
    )
    (statement,) = Index([found]).statements(found.resources["P"])
    assert [action.literal for action in statement.actions] == ["sqs:*"]
    assert [principal.text.literal for principal in statement.principals] == ["*"]


def test_condition_that_passes_when_its_key_is_absent_does_not_narrow(template: Callable[..., Template]) -> None:
    """`ForAllValues:` and `…IfExists` hold for a request that has no such key."""
    found = template("""
Resources:
  P:
    Type: AWS::SQS::QueuePolicy
    Properties:
      PolicyDocument:
        Statement:
          Effect: Allow
          Principal: "*"
          Action: sqs:SendMessage
          Condition:
            StringEquals: {aws:PrincipalOrgID: o-1}
            StringEqualsIfExists: {aws:PrincipalOrgID: o-1}
            ForAllValues:StringEquals: {aws:PrincipalOrgPaths: [o-1/*]}
""")
    (statement,) = Index([found]).statements(found.resources["P"])
    assert [(condition.operator, condition.narrows) for condition in statement.conditions] == [
        ("StringEquals", True),
        ("StringEqualsIfExists", False),
        ("ForAllValues:StringEquals", False),
    ]


def test_security_group_counts_rules_that_stand_alone(template: Callable[..., Template]) -> None:
    """A group without any stated egress is open; one with stand-alone egress is what that says."""
    found = template("""
Resources:
  Open: {Type: AWS::EC2::SecurityGroup, Properties: {VpcId: !Ref Vpc}}
  Stated: {Type: AWS::EC2::SecurityGroup, Properties: {VpcId: !Ref Vpc}}
  Rule:
    Type: AWS::EC2::SecurityGroupEgress
    Properties: {GroupId: !GetAtt Stated.GroupId, IpProtocol: tcp, FromPort: 443, ToPort: 443, DestinationSecurityGroupId: !Ref Open}
  Vpc: {Type: AWS::EC2::VPC}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc}}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Link: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref Subnet, RouteTableId: !Ref Table}}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      ServiceName: !Join ["", [com.amazonaws., !Ref "AWS::Region", .dynamodb]]
      RouteTableIds: [!Ref Table]
""")
    index = Index([found])
    groups = {resource.logical_id: group for resource, group in index.security_groups.items()}
    assert not groups["Open"].egress_is_stated
    assert groups["Stated"].egress_is_stated
    (rule,) = groups["Stated"].egress
    assert rule.covers(443)
    assert not rule.covers(80)
    assert rule.groups == [found.resources["Open"]]
    (endpoint,) = index.endpoints
    assert endpoint.services == ["dynamodb"]
    assert endpoint.kinds == ["Gateway"]
    (subnet,) = index.subnets.values()
    assert subnet.route_tables == endpoint.route_tables == [found.resources["Table"]]
