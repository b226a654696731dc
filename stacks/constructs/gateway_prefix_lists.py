"""The ids of the prefix lists behind gateway endpoints, asked from EC2 at deployment.

They differ by region, no CloudFormation attribute gives them, and a look-up at synth would need credentials.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CustomResource, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.acknowledgements import acknowledge_wildcard
from stacks.constructs.role_function import RoleFunction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stacks.constructs.role_function import Runtime


class GatewayPrefixLists(Construct):
    """A custom resource that names the prefix list of each service.

    Its function runs outside the VPC, which has no way to EC2's API, and only while a deployment asks it.

    Args:
        services: Service names as in ``com.amazonaws.<region>.<service>``.
        function_name: The function's physical name.
        runtime: What it shares with the other functions.

    Attributes:
        ids: For each service the id of its prefix list, known at deployment.
    """

    ids: Mapping[str, str]

    def __init__(
        self, scope: Construct, construct_id: str, *, services: Sequence[str], function_name: str, runtime: Runtime
    ) -> None:
        super().__init__(scope, construct_id)
        finder = RoleFunction(
            self,
            "Finder",
            entry="prefix_lists",
            function_name=function_name,
            description="Deployment only: names the prefix lists of the gateway endpoints",
            runtime=runtime,
            timeout=Duration.seconds(60),
        )
        finder.role.add_to_policy(
            # EC2 describes without a resource level, so there is nothing narrower than "*".
            iam.PolicyStatement(sid="SeePrefixLists", actions=["ec2:DescribeManagedPrefixLists"], resources=["*"])
        )
        acknowledge_wildcard(
            finder.role.node.find_child("DefaultPolicy"),
            "*",
            "ec2:DescribeManagedPrefixLists has no resource level.",
        )
        names = {service: f"com.amazonaws.{Stack.of(self).region}.{service}" for service in services}
        found = CustomResource(
            self,
            "Found",
            resource_type="Custom::GatewayPrefixLists",
            service_token=finder.function.function_arn,
            properties={"Names": list(names.values())},
        )
        # CloudFormation may call the function as soon as it exists: the role's policy has to be there as well.
        found.node.add_dependency(finder.role)
        self.ids = {service: found.get_att_string(service) for service in services}
