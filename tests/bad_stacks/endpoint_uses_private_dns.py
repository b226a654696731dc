"""An interface endpoint that no SDK finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

from tests.bad_stacks.networks import isolated_vpc, queue_endpoint

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "has no private DNS"


def l2(scope: Construct) -> None:
    """Switched off."""
    service = ec2.InterfaceVpcEndpointAwsService.SQS
    isolated_vpc(scope).add_interface_endpoint("Door", service=service, open=False, private_dns_enabled=False)


def l1(scope: Construct) -> None:
    """Left out: off is CloudFormation's default."""
    ec2.CfnVPCEndpoint(
        scope,
        "Door",
        vpc_id="vpc-0123456789abcdef0",
        vpc_endpoint_type="Interface",
        service_name="com.amazonaws.eu-west-1.sqs",
        subnet_ids=["subnet-0123456789abcdef0"],
        security_group_ids=["sg-0123456789abcdef0"],
    )


def raw_override(scope: Construct) -> None:
    """Switched off in the rendered template only."""
    queue_endpoint(isolated_vpc(scope)).add_property_override("PrivateDnsEnabled", value=False)
