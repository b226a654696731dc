"""A function in an isolated VPC that may call SQS and has no way to it: the call hangs until it times out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda
from aws_cdk import aws_sqs as sqs

from tests.bad_stacks.functions import CODE, RUNTIME, cfn_function
from tests.bad_stacks.networks import isolated_vpc
from tests.bad_stacks.no_wildcard_actions import TRUST

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "may call sqs"


def l2(scope: Construct) -> None:
    """A grant without an endpoint."""
    sqs.Queue(scope, "Queue").grant_send_messages(_in_vpc(scope, isolated_vpc(scope)))


def l1(scope: Construct) -> None:
    """Every part as written."""
    vpc = ec2.CfnVPC(scope, "Vpc", cidr_block="10.0.0.0/20")
    subnet = ec2.CfnSubnet(scope, "Subnet", vpc_id=vpc.ref, cidr_block="10.0.0.0/24")
    group = ec2.CfnSecurityGroup(scope, "Group", group_description="Functions", vpc_id=vpc.ref)
    role = iam.CfnRole(scope, "Role", assume_role_policy_document=TRUST)
    iam.CfnPolicy(
        scope,
        "Policy",
        policy_name="send",
        roles=[role.ref],
        policy_document={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sqs:SendMessage",
                    "Resource": "arn:aws:sqs:eu-west-1:123456789012:events",
                }
            ],
        },
    )
    cfn_function(
        scope,
        role=role.attr_arn,
        vpc_config=aws_lambda.CfnFunction.VpcConfigProperty(
            subnet_ids=[subnet.ref], security_group_ids=[group.attr_group_id]
        ),
    )


def raw_override(scope: Construct) -> None:
    """A good endpoint, turned into that of another service."""
    vpc = isolated_vpc(scope)
    function = _in_vpc(scope, vpc)
    sqs.Queue(scope, "Queue").grant_send_messages(function)
    door = vpc.add_interface_endpoint("Door", service=ec2.InterfaceVpcEndpointAwsService.SQS, open=False)
    door.connections.allow_default_port_from(function)
    endpoint = door.node.default_child
    assert isinstance(endpoint, ec2.CfnVPCEndpoint)
    endpoint.add_property_override("ServiceName", "com.amazonaws.eu-west-1.sns")


def _in_vpc(scope: Construct, vpc: ec2.Vpc) -> aws_lambda.Function:
    return aws_lambda.Function(
        scope,
        "Function",
        runtime=RUNTIME,
        handler="index.handler",
        code=aws_lambda.Code.from_inline(CODE),
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
    )
