"""A security group that lets everything out, to everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

from tests.bad_stacks.networks import isolated_vpc

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "0.0.0.0/0"


def l2(scope: Construct) -> None:
    """CDK's default."""
    ec2.SecurityGroup(scope, "Group", vpc=isolated_vpc(scope))


def l1(scope: Construct) -> None:
    """A rule that stands beside its group."""
    group = ec2.CfnSecurityGroup(scope, "Group", group_description="Functions", vpc_id="vpc-0123456789abcdef0")
    ec2.CfnSecurityGroupEgress(scope, "Out", group_id=group.attr_group_id, ip_protocol="-1", cidr_ip="0.0.0.0/0")


def raw_override(scope: Construct) -> None:
    """A closed group, opened."""
    group = ec2.SecurityGroup(scope, "Group", vpc=isolated_vpc(scope), allow_all_outbound=False).node.default_child
    assert isinstance(group, ec2.CfnSecurityGroup)
    group.add_property_override("SecurityGroupEgress", [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}])
