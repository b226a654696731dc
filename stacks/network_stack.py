"""A VPC with no way out, the endpoints that are its only doors, and the policies on those doors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from aws_cdk import ArnFormat, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from stacks.access import Path
from stacks.constructs.empty_default_group import EmptyDefaultGroup
from stacks.constructs.gateway_prefix_lists import GatewayPrefixLists
from stacks.constructs.role_function import Placement
from stacks.settings import GATEWAY_SERVICES, Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from constructs import Construct

    from stacks.access import Access
    from stacks.constructs.role_function import Runtime
    from stacks.settings import Settings

_HTTPS_PORT: Final = 443
_HTTPS: Final = ec2.Port.tcp(_HTTPS_PORT)
_CIDR: Final = "10.0.0.0/20"
_ISOLATED: Final = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)


class NetworkStack(Stack):
    """The isolated VPC.

    Attributes:
        placement: Where functions go: the isolated subnets, in the security group that reaches the endpoints only.
        endpoint_ids: The ids of the endpoints, by the service that each leads to.
    """

    endpoint_ids: dict[Service, str]

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        access: Sequence[Access],
        runtime: Runtime,
        **kwargs: Any,  # noqa: ANN401 - StackProps, handed through
    ) -> None:
        # Before anything asks for availability_zones, below.
        self._az_count = settings.az_count
        super().__init__(scope, construct_id, **kwargs)
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(_CIDR),
            max_azs=settings.az_count,
            nat_gateways=0,
            create_internet_gateway=False,
            # EmptyDefaultGroup does it, with our client and a role for that one group.
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24)
            ],
        )
        vpc.add_flow_log(
            "Flow",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                logs.LogGroup(
                    self,
                    "FlowLog",
                    retention=runtime.log_retention,
                    removal_policy=runtime.removal,
                ),
                # The construct's own role would let the service act for any account.
                iam.Role(
                    self,
                    "FlowLogRole",
                    assumed_by=iam.ServicePrincipal(
                        "vpc-flow-logs.amazonaws.com",
                        conditions={"StringEquals": {"aws:SourceAccount": self.account}},
                    ),
                ),
            ),
        )

        EmptyDefaultGroup(
            self,
            "DefaultGroup",
            group_id=vpc.vpc_default_security_group,
            function_name=f"{settings.prefix}-default-group",
            runtime=runtime,
        )
        functions = ec2.SecurityGroup(
            self, "Functions", vpc=vpc, description="Functions: out to the endpoints only", allow_all_outbound=False
        )
        doors = ec2.SecurityGroup(
            self,
            "Endpoints",
            vpc=vpc,
            description="Interface endpoints: in from the functions",
            allow_all_outbound=False,
        )
        doors.add_ingress_rule(functions, _HTTPS, "HTTPS from the functions")
        functions.add_egress_rule(doors, _HTTPS, "HTTPS to the interface endpoints")
        prefix_lists = GatewayPrefixLists(
            self,
            "PrefixLists",
            services=sorted(GATEWAY_SERVICES),
            function_name=f"{settings.prefix}-prefix-lists",
            runtime=runtime,
        )
        # Stated in the group itself: a group that states no egress of its own is open until a rule from outside
        # arrives, and the construct can only make such rules from outside for a prefix list.
        cast("ec2.CfnSecurityGroup", functions.node.default_child).security_group_egress = [
            ec2.CfnSecurityGroup.EgressProperty(
                ip_protocol="tcp",
                from_port=_HTTPS_PORT,
                to_port=_HTTPS_PORT,
                destination_prefix_list_id=prefix_lists.ids[service],
                description=f"HTTPS to the {service} gateway endpoint",
            )
            for service in sorted(GATEWAY_SERVICES)
        ]

        self.endpoint_ids = {}
        for service in sorted(settings.endpoints):
            endpoint = self._endpoint(service, vpc, doors)
            self.endpoint_ids[service] = endpoint.vpc_endpoint_id
            for statement in self._policy(settings, (entry for entry in access if entry.service is service)):
                endpoint.add_to_policy(statement)

        self.placement = Placement(vpc=vpc, subnets=_ISOLATED, security_group=functions)

    @property
    def availability_zones(self) -> list[str]:
        """The first zones of the account, chosen at deployment: a look-up at synth would need credentials."""
        return [Fn.select(index, Fn.get_azs()) for index in range(self._az_count)]

    def _endpoint(
        self, service: Service, vpc: ec2.Vpc, doors: ec2.SecurityGroup
    ) -> ec2.GatewayVpcEndpoint | ec2.InterfaceVpcEndpoint:
        name = f"{service.capitalize()}Endpoint"
        if service in GATEWAY_SERVICES:
            return vpc.add_gateway_endpoint(
                name, service=ec2.GatewayVpcEndpointAwsService(service), subnets=[_ISOLATED]
            )
        return vpc.add_interface_endpoint(
            name,
            service=ec2.InterfaceVpcEndpointAwsService(service),
            subnets=_ISOLATED,
            security_groups=[doors],
            private_dns_enabled=True,
            open=False,
        )

    def _policy(self, settings: Settings, entries: Iterable[Access]) -> Iterable[iam.PolicyStatement]:
        """Admit each role to what it may do and to nothing else.

        The role is named by a condition: gateway endpoints take no principal but ``*``, and a role that is named as
        principal before it exists is refused.
        """
        for entry in entries:
            if entry.path is not Path.ENDPOINT:
                continue
            role = self.format_arn(
                service="iam",
                region="",
                resource="role",
                resource_name=settings.role_name(entry.function),
                arn_format=ArnFormat.SLASH_RESOURCE_NAME,
            )
            condition: dict[str, Any] = {
                "ArnEquals": {"aws:PrincipalArn": role},
                "StringEquals": {"aws:PrincipalAccount": self.account},
            }
            if settings.organization:
                condition["StringEquals"]["aws:PrincipalOrgID"] = settings.organization
            if entry.resource != "*":
                condition["StringEquals"]["aws:ResourceAccount"] = self.account
            if entry.resource != "*" and settings.organization:
                condition["StringEquals"]["aws:ResourceOrgID"] = settings.organization
            yield iam.PolicyStatement(
                principals=[iam.AnyPrincipal()],
                actions=list(entry.actions),
                resources=[entry.resource],
                conditions=condition,
            )
