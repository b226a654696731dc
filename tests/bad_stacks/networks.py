"""VPCs without a way out, for the stacks whose endpoints are what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

if TYPE_CHECKING:
    from constructs import Construct


def isolated_vpc(scope: Construct) -> ec2.Vpc:
    """A VPC with isolated subnets only."""
    isolated = ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    return ec2.Vpc(scope, "Vpc", max_azs=2, nat_gateways=0, subnet_configuration=[isolated])


def queue_endpoint(vpc: ec2.Vpc) -> ec2.CfnVPCEndpoint:
    """CDK's interface endpoint for SQS, as it renders."""
    sqs = ec2.InterfaceVpcEndpointAwsService.SQS
    endpoint = vpc.add_interface_endpoint("Door", service=sqs, open=False).node.default_child
    assert isinstance(endpoint, ec2.CfnVPCEndpoint)
    return endpoint
