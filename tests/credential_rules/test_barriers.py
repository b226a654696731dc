"""A closed network is closed for a reason, and each thing that opens it is named."""

from __future__ import annotations

from typing import Final

import pytest

from credential_rules.barriers import BEYOND, barriers
from credential_rules.index import Index
from credential_rules.reader import parse
from credential_rules.template import Template

CLOSED: Final = """
Parameters: {Choice: {Type: String}}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20, EnableDnsHostnames: true}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24, MapPublicIpOnLaunch: false}}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Here: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref A, RouteTableId: !Ref Table}}
  Lists: {Type: Custom::PrefixLists}
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties:
      VpcId: !Ref Vpc
      SecurityGroupEgress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, DestinationPrefixListId: !GetAtt Lists.dynamodb}
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, DestinationSecurityGroupId: !GetAtt Doors.GroupId}
  Doors: {Type: AWS::EC2::SecurityGroup, Properties: {VpcId: !Ref Vpc, SecurityGroupEgress: [{IpProtocol: "-1", CidrIp: 127.0.0.1/32}]}}
  In:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !GetAtt Doors.GroupId, IpProtocol: tcp, FromPort: 443, ToPort: 443, SourceSecurityGroupId: !GetAtt Functions.GroupId}
  Table2: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: !Ref Vpc, ServiceName: com.amazonaws.eu-west-1.dynamodb, RouteTableIds: [!Ref Table]}}
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: !Ref Vpc, VpcEndpointType: Interface, ServiceName: com.amazonaws.eu-west-1.sqs, PrivateDnsEnabled: true, SubnetIds: [!Ref A], SecurityGroupIds: [!GetAtt Doors.GroupId]}
  Worker:
    Type: AWS::Lambda::Function
    Properties: {VpcConfig: {SubnetIds: [!Ref A], SecurityGroupIds: [!GetAtt Functions.GroupId]}}
"""


def judged(text: str) -> dict[str, tuple[bool | None, str]]:
    """Each barrier of the one function: whether it stands, and its reasons."""
    found = barriers(Index([Template("t.yaml", parse(text))]))
    assert [barrier.beyond for barrier in found] == list(BEYOND)
    return {barrier.beyond: (barrier.stands, "; ".join(barrier.reasons)) for barrier in found}


def test_closed_network_is_closed_on_every_side() -> None:
    """Every barrier stands, and each says why."""
    found = judged(CLOSED)
    assert {stands for stands, _ in found.values()} == {True}
    assert "dynamodb, sqs" in found["services"][1]
    assert "the endpoints' group 'Doors'" in found["neighbours"][1]
    assert "the prefix list of dynamodb" in found["neighbours"][1]


ROUTE: Final = "  More: {Type: AWS::EC2::Route, Properties: {RouteTableId: !Ref Table, %s}}"


@pytest.mark.parametrize(
    ("more", "fallen", "reason"),
    [
        (ROUTE % "DestinationCidrBlock: 0.0.0.0/0, GatewayId: igw-0123", "internet", "the route 'More'"),
        (ROUTE % "DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: nat-0123", "internet", "the route 'More'"),
        (ROUTE % "DestinationIpv6CidrBlock: '::/0', EgressOnlyInternetGatewayId: eigw-0123", "internet", "'More'"),
        (ROUTE % "DestinationCidrBlock: 10.8.0.0/16, VpcPeeringConnectionId: pcx-0123", "networks services", "the route 'More'"),
        (ROUTE % "DestinationCidrBlock: 10.8.0.0/16, TransitGatewayId: tgw-0123", "networks services", "the route 'More'"),
        (ROUTE % "DestinationCidrBlock: 10.8.0.0/16, GatewayId: !Ref Choice", "networks services", "the route 'More'"),
        ("  More: {Type: AWS::EC2::VPCPeeringConnection, Properties: {VpcId: !Ref Vpc}}", "networks", "a peering connection"),
        ("  More: {Type: AWS::EC2::TransitGatewayAttachment, Properties: {VpcId: !Ref Vpc}}", "networks", "an attachment to"),
        ("  More: {Type: AWS::VpcLattice::ServiceNetworkVpcAssociation}", "networks", "VPC Lattice"),
        ("  More: {Type: AWS::EC2::VPNGateway}", "networks", "a VPN gateway"),
        ("  More: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: !Ref Vpc, VpcEndpointType: Resource}}", "networks services", "'More'"),
        ("  More: {Type: AWS::EC2::SecurityGroupEgress, Properties: {GroupId: !GetAtt Functions.GroupId, CidrIp: 10.0.0.0/20}}", "neighbours", "10.0.0.0/20"),
        ("  More: {Type: AWS::EC2::SecurityGroupEgress, Properties: {GroupId: !GetAtt Functions.GroupId, CidrIp: !Ref Choice}}", "neighbours", "Choice"),
        ("  More: {Type: AWS::EC2::SecurityGroupEgress, Properties: {GroupId: !GetAtt Functions.GroupId, DestinationSecurityGroupId: !GetAtt Functions.GroupId}}", "neighbours", "'Functions'"),
        ("  More: {Type: AWS::EC2::SecurityGroupEgress, Properties: {GroupId: !GetAtt Functions.GroupId, DestinationPrefixListId: !GetAtt Lists.s3}}", "neighbours", "Lists.s3"),
        ("  More: {Type: AWS::EC2::SecurityGroupEgress, Properties: {GroupId: !GetAtt Functions.GroupId, DestinationPrefixListId: pl-0123}}", "neighbours", "pl-0123"),
        ("  More: {Type: AWS::EC2::SecurityGroupIngress, Properties: {GroupId: !GetAtt Vpc.DefaultSecurityGroup, CidrIp: 10.0.0.0/20}}", "default-group", "'More'"),
        ("  More: {Type: AWS::EC2::SecurityGroupIngress, Properties: {GroupId: !GetAtt Functions.GroupId, CidrIp: 10.0.0.0/20}}", "inwards", "'Functions'"),
    ],
)  # fmt: skip
def test_what_opens_the_network_is_named_by_the_barrier_that_falls(more: str, fallen: str, reason: str) -> None:
    """Each barrier falls by what opens it, or is undecided; the others stand."""
    found, expected = judged(CLOSED + more), fallen.split()
    assert [beyond for beyond, (stands, _) in found.items() if stands is not True] == expected
    assert reason in found[expected[0]][1]


@pytest.mark.parametrize(
    ("before", "after", "fallen"),
    [
        ("MapPublicIpOnLaunch: false", "MapPublicIpOnLaunch: true", ["internet"]),
        ("SecurityGroupIds: [!GetAtt Functions.GroupId]", "SecurityGroupIds: [!GetAtt Vpc.DefaultSecurityGroup]", ["neighbours", "default-group", "inwards"]),
        ("SubnetIds: [!Ref A], SecurityGroupIds: [!GetAtt Functions", "SubnetIds: [!Ref Choice], SecurityGroupIds: [!GetAtt Functions", list(BEYOND)),
        ("Here: {Type: AWS::EC2::SubnetRouteTableAssociation", "Here: {Type: Nothing", list(BEYOND)),
    ],
)  # fmt: skip
def test_barrier_of_which_a_part_is_not_known_does_not_stand(before: str, after: str, fallen: list[str]) -> None:
    """Unknown subnets, tables and groups are no proof."""
    assert before in CLOSED
    found = judged(CLOSED.replace(before, after))
    assert [beyond for beyond, (stands, _) in found.items() if stands is not True] == fallen


def test_custom_resource_that_empties_the_default_group_is_a_reason() -> None:
    """A template cannot take away the rules that the group is born with."""
    told = "  Emptied: {Type: Custom::Empty, Properties: {GroupId: !GetAtt Vpc.DefaultSecurityGroup}}"
    assert "'Emptied' takes away" in judged(CLOSED + told)["default-group"][1]
    assert "takes away" not in judged(CLOSED)["default-group"][1]


def test_functions_outside_of_a_vpc_have_no_barriers() -> None:
    """They reach everything, and nobody claims otherwise."""
    assert barriers(Index([Template("t.yaml", parse("Resources: {F: {Type: AWS::Lambda::Function}}"))])) == []
