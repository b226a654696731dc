"""A security group that lets everything out, to everywhere; and the links by which a VPC joins other networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_vpclattice as lattice

from tests.bad_stacks.networks import isolated_vpc

if TYPE_CHECKING:
    from constructs import Construct

FINDING: Final = "0.0.0.0/0"
FINDINGS: Final = {
    "l1_default_group": "adds a rule to the default security group",
    "l1_lattice": "without any route",
    "l1_peering": "leads to a peering connection",
    "l1_transit_gateway": "an attachment to a transit gateway",
    "l1_vpn": "is a VPN gateway",
}


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


def l1_default_group(scope: Construct) -> None:
    """The group that everything is in which names none."""
    vpc = isolated_vpc(scope)
    ec2.CfnSecurityGroupIngress(
        scope, "In", group_id=vpc.vpc_default_security_group, ip_protocol="tcp", from_port=443, to_port=443
    )


def l1_lattice(scope: Construct) -> None:
    """Other networks' services, without a route."""
    lattice.CfnServiceNetworkVpcAssociation(
        scope, "Lattice", vpc_identifier=isolated_vpc(scope).vpc_id, service_network_identifier="sn-0123456789abcdef0"
    )


def l1_peering(scope: Construct) -> None:
    """A route to a peer, narrow as it may be."""
    vpc = isolated_vpc(scope)
    peering = ec2.CfnVPCPeeringConnection(scope, "Peering", vpc_id=vpc.vpc_id, peer_vpc_id="vpc-0123456789abcdef0")
    ec2.CfnRoute(
        scope,
        "ToPeer",
        route_table_id=vpc.isolated_subnets[0].route_table.route_table_id,
        destination_cidr_block="10.8.0.0/16",
        vpc_peering_connection_id=peering.ref,
    )


def l1_transit_gateway(scope: Construct) -> None:
    """Every network behind it."""
    vpc = isolated_vpc(scope)
    ec2.CfnTransitGatewayAttachment(
        scope,
        "Attachment",
        vpc_id=vpc.vpc_id,
        subnet_ids=[subnet.subnet_id for subnet in vpc.isolated_subnets],
        transit_gateway_id="tgw-0123456789abcdef0",
    )


def l1_vpn(scope: Construct) -> None:
    """An office, or whoever dials in."""
    ec2.CfnVPNGateway(scope, "Vpn", type="ipsec.1")
