"""An instance whose start-up script holds a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2

from tests.bad_stacks.networks import isolated_vpc

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "…MPLE"
LINE = "aws configure set aws_access_key_id AKIAIOSFODNN7EXAMPLE"
SCRIPT = f"#!/bin/sh\n{LINE}\n"


def l2(scope: Construct) -> None:
    """Commands of an instance."""
    ec2.Instance(
        scope,
        "Instance",
        vpc=isolated_vpc(scope),
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        instance_type=ec2.InstanceType("t4g.micro"),
        machine_image=ec2.MachineImage.generic_linux({"eu-west-1": "ami-0123456789abcdef0"}),
    ).add_user_data(LINE)


def l1(scope: Construct) -> None:
    """A script of a launch template."""
    data = ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(user_data=Fn.base64(SCRIPT))
    ec2.CfnLaunchTemplate(scope, "Template", launch_template_data=data)


def raw_override(scope: Construct) -> None:
    """A script that stands in the rendered template only."""
    instance = ec2.CfnInstance(scope, "Instance", image_id="ami-0123456789abcdef0")
    instance.add_property_override("UserData", {"Fn::Base64": {"Fn::Join": ["", ["#!/bin/sh\n", LINE, "\n"]]}})
