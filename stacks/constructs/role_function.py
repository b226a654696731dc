"""A function with a role of its own, which can do nothing until it is granted something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.acknowledgements import acknowledge_wildcard

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NOT_CODE = ("requirements.txt", "**/__pycache__")
_INTERFACE_ACTIONS = ("ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")
_DESCRIBE_ACTIONS = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """What all functions of a deployment have in common.

    Attributes:
        source: The folder with the package ``event_api``.
        layers: Third-party code; empty for a function that the runtime's own SDK is enough for.
        architecture: The processor; the layers hold wheels for it.
        log_retention: How long logs are kept.
        removal: What happens to logs and layers when their stack is deleted.
    """

    source: Path
    architecture: lambda_.Architecture
    log_retention: logs.RetentionDays
    removal: RemovalPolicy
    layers: tuple[lambda_.ILayerVersion, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """Where in a VPC a function runs."""

    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection
    security_group: ec2.ISecurityGroup


class RoleFunction(Construct):
    """A Lambda function, its role, and its log group.

    The role may write to this log group and, in a VPC, have Lambda manage the function's network interfaces, which
    the function's own code is denied. It has no managed policy. Whatever else it may do is granted by the stack.

    Args:
        entry: The entry module in ``event_api``; its function is ``handler``.
        function_name: The physical name. Known before the function exists, so that its role can name it.
        role_name: The physical name of the role; ``None`` leaves it to CloudFormation.
        description: What the function does, for the console.
        runtime: What it shares with the other functions.
        timeout: Seconds until Lambda stops it.
        memory_mb: Its memory; the processor's share grows with it.
        environment: Its variables. None of them may be a credential: there is no need for one.
        placement: Where in a VPC it runs; ``None`` for a function outside.

    Attributes:
        function: The function.
        role: Its role, used by nothing else.
        log_group: Its log group.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        entry: str,
        function_name: str,
        description: str,
        runtime: Runtime,
        timeout: Duration,
        role_name: str | None = None,
        memory_mb: int = 256,
        environment: Mapping[str, str] | None = None,
        placement: Placement | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self._arn = stack.format_arn(
            service="lambda",
            resource="function",
            resource_name=function_name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self._not_from_code: iam.PolicyStatement | None = None
        self.log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{function_name}",
            retention=runtime.log_retention,
            removal_policy=runtime.removal,
        )
        self.role = iam.Role(
            self,
            "Role",
            role_name=role_name,
            assumed_by=iam.ServicePrincipal(
                "lambda.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            ),
            description=f"Execution role of {function_name}",
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                sid="WriteOwnLog",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[self.log_group.log_group_arn],
            )
        )
        if placement is not None:
            self._let_lambda_manage_interfaces(placement)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=function_name,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=runtime.architecture,
            handler=f"event_api.{entry}.handler",
            code=lambda_.Code.from_asset(str(runtime.source), exclude=list(_NOT_CODE)),
            layers=list(runtime.layers),
            role=self.role,
            timeout=timeout,
            memory_size=memory_mb,
            environment=dict(environment or {}),
            log_group=self.log_group,
            vpc=placement.vpc if placement else None,
            vpc_subnets=placement.subnets if placement else None,
            security_groups=[placement.security_group] if placement else None,
        )

    def keep_from_code(self, *actions: str) -> None:
        """Deny the function's code, on everything, what the role is allowed for Lambda's own calls.

        Every credential that the code is given names the function, wherever it is used; Lambda's own calls from outside
        the execution environment do not, except those that write logs and traces. Resource policies cannot see it.
        https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
        """
        if self._not_from_code is None:
            self._not_from_code = iam.PolicyStatement(
                sid="NotFromCode",
                effect=iam.Effect.DENY,
                resources=["*"],
                conditions={"ArnEquals": {"lambda:SourceFunctionArn": self._arn}},
            )
            self.role.add_to_policy(self._not_from_code)
        self._not_from_code.add_actions(*actions)

    def _let_lambda_manage_interfaces(self, placement: Placement) -> None:
        """Allow what Lambda needs to place the function in the subnets, and deny the same to the function's code.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
        """
        stack = Stack.of(self)

        def ec2_arn(resource: str, name: str) -> str:
            return stack.format_arn(service="ec2", resource=resource, resource_name=name)

        interfaces = ec2_arn("network-interface", "*")
        subnets = placement.vpc.select_subnets(
            subnet_type=placement.subnets.subnet_type, subnets=placement.subnets.subnets
        ).subnet_ids
        self.role.add_to_policy(
            iam.PolicyStatement(
                sid="CreateInterfaces",
                actions=["ec2:CreateNetworkInterface"],
                resources=[
                    interfaces,
                    ec2_arn("security-group", placement.security_group.security_group_id),
                    *(ec2_arn("subnet", subnet) for subnet in subnets),
                ],
            )
        )
        self.role.add_to_policy(
            # No condition on the VPC: Lambda tries the permission before there is an interface that lies in one.
            iam.PolicyStatement(sid="ManageInterfaces", actions=list(_INTERFACE_ACTIONS), resources=[interfaces])
        )
        self.role.add_to_policy(
            # EC2 describes without a resource level, so there is nothing narrower than "*".
            iam.PolicyStatement(sid="SeeInterfaces", actions=list(_DESCRIBE_ACTIONS), resources=["*"])
        )
        self.keep_from_code("ec2:CreateNetworkInterface", *_INTERFACE_ACTIONS, *_DESCRIBE_ACTIONS)
        policy = self.role.node.find_child("DefaultPolicy")
        acknowledge_wildcard(policy, "*", "ec2:Describe… has no resource level. The other statement on * is a Deny.")
        acknowledge_wildcard(
            policy,
            interfaces,
            "Lambda makes the interfaces, so their ids are not known before; they can only lie in our subnets and "
            "security group, and the function's code is denied the actions.",
        )
