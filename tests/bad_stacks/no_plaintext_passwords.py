"""A database whose password stands in the template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import SecretValue
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

from tests.bad_stacks.networks import isolated_vpc

if TYPE_CHECKING:
    from constructs import Construct

FINDING = "MasterUserPassword"


def l2(scope: Construct) -> None:
    """CDK calls it `unsafe_plain_text`, and lets it pass."""
    rds.DatabaseInstance(
        scope,
        "Database",
        engine=rds.DatabaseInstanceEngine.MYSQL,
        vpc=isolated_vpc(scope),
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        credentials=rds.Credentials.from_password("admin", SecretValue.unsafe_plain_text("correct-horse-battery")),
    )


def l1(scope: Construct) -> None:
    """A password as written."""
    rds.CfnDBInstance(
        scope,
        "Database",
        engine="mysql",
        db_instance_class="db.t4g.micro",
        master_username="admin",
        master_user_password="correct-horse-battery",
    )


def raw_override(scope: Construct) -> None:
    """A managed password, replaced."""
    database = rds.CfnDBInstance(
        scope, "Database", engine="mysql", master_username="admin", manage_master_user_password=True
    )
    database.add_property_deletion_override("ManageMasterUserPassword")
    database.add_property_override("MasterUserPassword", "correct-horse-battery")
