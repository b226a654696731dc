"""An endpoint through which everybody may do everything, to anybody's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from tests.bad_stacks.networks import isolated_vpc

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "every principal"
TABLES = ec2.GatewayVpcEndpointAwsService.DYNAMODB


def l2(scope: Construct) -> None:
    """A policy that says what having none means."""
    door = isolated_vpc(scope).add_gateway_endpoint("Door", service=TABLES)
    door.add_to_policy(iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=["*"], resources=["*"]))


def l1(scope: Construct) -> None:
    """The same, as written."""
    ec2.CfnVPCEndpoint(
        scope,
        "Door",
        vpc_id="vpc-0123456789abcdef0",
        service_name="com.amazonaws.eu-west-1.dynamodb",
        policy_document={
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "dynamodb:*", "Resource": "*"}],
        },
    )


def raw_override(scope: Construct) -> None:
    """A good policy, replaced."""
    door = isolated_vpc(scope).add_gateway_endpoint("Door", service=TABLES)
    door.add_to_policy(
        iam.PolicyStatement(
            principals=[iam.AnyPrincipal()],
            actions=["dynamodb:GetItem"],
            resources=["arn:aws:dynamodb:eu-west-1:123456789012:table/events"],
        )
    )
    endpoint = door.node.default_child
    assert isinstance(endpoint, ec2.CfnVPCEndpoint)
    endpoint.add_property_override("PolicyDocument.Statement.0", {"Action": "*", "Resource": "*"})
