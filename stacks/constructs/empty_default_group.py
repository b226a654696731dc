"""The VPC's default security group, left without a rule.

What is put into the VPC without naming a group gets this one, and can then reach nothing and be reached by nothing.
The CDK's own switch for it makes a function with a client and a role that are not ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CustomResource, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.acknowledgements import acknowledge_wildcard
from stacks.constructs.role_function import RoleFunction

if TYPE_CHECKING:
    from stacks.constructs.role_function import Runtime


class EmptyDefaultGroup(Construct):
    """A custom resource that takes all rules out of the group at deployment.

    Its function runs outside the VPC, which has no way to EC2's API. Rules that somebody adds by hand later stay until the
    group is another one; the flow log and AWS Config see them.

    Args:
        group_id: The group.
        function_name: The function's physical name.
        runtime: What it shares with the other functions.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, group_id: str, function_name: str, runtime: Runtime
    ) -> None:
        super().__init__(scope, construct_id)
        closer = RoleFunction(
            self,
            "Closer",
            entry="default_group",
            function_name=function_name,
            description="Deployment only: takes the rules out of the VPC's default security group",
            runtime=runtime,
            timeout=Duration.seconds(60),
        )
        closer.role.add_to_policy(
            # EC2 describes without a resource level, so there is nothing narrower than "*".
            iam.PolicyStatement(sid="SeeGroups", actions=["ec2:DescribeSecurityGroups"], resources=["*"])
        )
        closer.role.add_to_policy(
            iam.PolicyStatement(
                sid="EmptyThisGroup",
                actions=["ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"],
                resources=[Stack.of(self).format_arn(service="ec2", resource="security-group", resource_name=group_id)],
            )
        )
        acknowledge_wildcard(
            closer.role.node.find_child("DefaultPolicy"),
            "*",
            "ec2:DescribeSecurityGroups has no resource level.",
        )
        emptied = CustomResource(
            self,
            "Emptied",
            resource_type="Custom::EmptyDefaultGroup",
            service_token=closer.function.function_arn,
            properties={"GroupId": group_id},
        )
        # CloudFormation may call the function as soon as it exists: the role's policy has to be there as well.
        emptied.node.add_dependency(closer.role)
