"""An interface endpoint whose security group admits everything that can route to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

from tests.bad_stacks.networks import isolated_vpc

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "every address (0.0.0.0/0)"
SQS = ec2.InterfaceVpcEndpointAwsService.SQS


def l2(scope: Construct) -> None:
    """A rule for any peer."""
    vpc = isolated_vpc(scope)
    doors = ec2.SecurityGroup(scope, "Doors", vpc=vpc)
    doors.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443))
    vpc.add_interface_endpoint("Door", service=SQS, open=False, security_groups=[doors])


def l1(scope: Construct) -> None:
    """A rule that stands beside its group."""
    doors = ec2.CfnSecurityGroup(scope, "Doors", group_description="Endpoints", vpc_id="vpc-0123456789abcdef0")
    ec2.CfnSecurityGroupIngress(
        scope, "Rule", group_id=doors.attr_group_id, ip_protocol="tcp", from_port=443, to_port=443, cidr_ip="0.0.0.0/0"
    )
    ec2.CfnVPCEndpoint(
        scope,
        "Door",
        vpc_id="vpc-0123456789abcdef0",
        vpc_endpoint_type="Interface",
        service_name="com.amazonaws.eu-west-1.sqs",
        private_dns_enabled=True,
        subnet_ids=["subnet-0123456789abcdef0"],
        security_group_ids=[doors.attr_group_id],
    )


def raw_override(scope: Construct) -> None:
    """The address of a good rule, replaced."""
    vpc = isolated_vpc(scope)
    doors = ec2.SecurityGroup(scope, "Doors", vpc=vpc)
    doors.add_ingress_rule(ec2.Peer.ipv4("10.0.1.7/32"), ec2.Port.tcp(443))
    vpc.add_interface_endpoint("Door", service=SQS, open=False, security_groups=[doors])
    group = doors.node.default_child
    assert isinstance(group, ec2.CfnSecurityGroup)
    group.add_property_override("SecurityGroupIngress.0.CidrIp", "0.0.0.0/0")
