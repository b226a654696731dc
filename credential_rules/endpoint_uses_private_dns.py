"""An SDK calls a service by its public name; private DNS is what makes that name lead to the endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credential_rules.network_path import (
    PRIVATE_DNS_IS_NOT_OFFERED,
    aws_services,
    is_interface,
    network_of,
    said_to_be_false,
)
from credential_rules.rule import CANNOT_TELL, Example, Finding, Index, Resource, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.network_path import Network
    from credential_rules.rule import Endpoint, Value


def _interface_endpoints_without_private_dns(index: Index, resource: Resource) -> Iterator[Finding]:
    network = network_of(index)
    endpoint = network.by_resource[resource]
    services = [service for service in aws_services(endpoint) if service not in PRIVATE_DNS_IS_NOT_OFFERED]
    if not is_interface(endpoint) or not services or network.has_zone_for(endpoint):
        return
    name, service = resource.logical_id, services[0]
    value = resource["PrivateDnsEnabled"]
    if (not value or value.may_be_absent or said_to_be_false(value)) and not _beside_a_gateway(network, endpoint):
        decided = not value or value.may_be_absent or any(not _only_allowed(part, resource) for part in _false(value))
        yield Finding(
            value or resource,
            f"The interface endpoint '{name}' for {service} has no private DNS"
            f"{'' if value else ' (off is the default)'}: the name that SDKs call, {service}.<region>.amazonaws.com, does"
            " not lead to it, and calls hang or leave by another way.",
            "Set PrivateDnsEnabled: true.",
            "error" if decided else CANNOT_TELL,
        )
    elif value.is_unknown:
        yield Finding(
            value,
            f"Whether the interface endpoint '{name}' for {service} has private DNS is not decided by the template:"
            " without it, calls by the service's public name hang.",
            "Set PrivateDnsEnabled: true.",
            CANNOT_TELL,
        )
    elif value.is_true:
        yield from _vpc_without_dns(endpoint, name)


def _false(value: Value) -> Iterator[Value]:
    return (part for part in value.possibilities() if said_to_be_false(part))


def _only_allowed(value: Value, resource: Resource) -> bool:
    """Whether a value is no default, but one of those that a parameter without default allows."""
    parameters = resource.template.parameters
    return any(
        text.parameters and not any(parameters[name].has_default for name in text.parameters if name in parameters)
        for text in value.texts()
    )


def _beside_a_gateway(network: Network, endpoint: Endpoint) -> bool:
    """Whether callers within the VPC have a gateway endpoint for the same service; the other is for those outside."""
    return any(
        "Gateway" in other.kinds and set(other.services) & set(endpoint.services)
        for vpc in endpoint.vpcs
        for other in network.endpoints.get(vpc, ())
    )


def _vpc_without_dns(endpoint: Endpoint, name: str) -> Iterator[Finding]:
    for vpc in endpoint.vpcs:
        if isinstance(vpc, Resource) and vpc.type == "AWS::EC2::VPC":
            hostnames, support = vpc["EnableDnsHostnames"], vpc["EnableDnsSupport"]
            lacks = [
                attribute
                for attribute, off in (
                    ("EnableDnsHostnames", hostnames.may_be_absent or said_to_be_false(hostnames)),
                    ("EnableDnsSupport", said_to_be_false(support)),
                )
                if off
            ]
            if lacks:
                yield Finding(
                    endpoint.resource["PrivateDnsEnabled"],
                    f"The endpoint '{name}' has private DNS, but its VPC '{vpc.logical_id}' has not {' and '.join(lacks)}:"
                    " the deployment fails, or names do not resolve.",
                    f"Set {' and '.join(f'{attribute}: true' for attribute in lacks)} on '{vpc.logical_id}'.",
                )


RULE = Rule(
    slug="endpoint-uses-private-dns",
    group="Network path",
    sentence="Every interface endpoint of an AWS service has private DNS, in a VPC that resolves names.",
    reason=(
        "Code calls a service by its public name. Only private DNS makes that name lead to the endpoint; without it the"
        " call goes to a public address, which a VPC with no way out never reaches: it hangs until the time-out."
        " CloudFormation's default is off."
    ),
    remedy="Set PrivateDnsEnabled: true, and EnableDnsHostnames and EnableDnsSupport: true on the VPC.",
    applies_to=("AWS::EC2::VPCEndpoint",),
    on_resource=_interface_endpoints_without_private_dns,
    bad=(
        Example(
            "private-dns-left-out",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: !Sub com.amazonaws.${AWS::Region}.sqs
      SubnetIds: [subnet-0123456789abcdef0]
      SecurityGroupIds: [sg-0123456789abcdef0]
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/20, EnableDnsHostnames: true, EnableDnsSupport: true}
""",
            finding="has no private DNS (off is the default)",
        ),
        Example(
            "private-dns-off",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sts
      PrivateDnsEnabled: "false"
""",
            finding="for sts has no private DNS",
        ),
        Example(
            "private-dns-in-one-branch",
            """
Parameters:
  Stage: {Type: String}
Conditions:
  Production: !Equals [!Ref Stage, production]
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sts
      PrivateDnsEnabled: !If [Production, true, false]
""",
            finding="has no private DNS",
        ),
        Example(
            "vpc-without-host-names",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sts
      PrivateDnsEnabled: true
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20}}
""",
            finding="has not EnableDnsHostnames",
        ),
        Example(
            "private-dns-from-parameter",
            """
Parameters:
  PrivateDns: {Type: String, AllowedValues: ["true", "false"]}
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sts
      PrivateDnsEnabled: !Ref PrivateDns
""",
            severity="cannot-tell",
            finding="private DNS",
        ),
    ),
    good=(
        Example(
            "private-dns-on",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: !Sub com.amazonaws.${AWS::Region}.sqs
      SubnetIds: [subnet-0123456789abcdef0]
      SecurityGroupIds: [sg-0123456789abcdef0]
      PrivateDnsEnabled: true
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/20, EnableDnsHostnames: true, EnableDnsSupport: true}
""",
        ),
        Example(
            "gateway-endpoint",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: vpc-0123456789abcdef0, ServiceName: com.amazonaws.eu-west-1.dynamodb}
""",
        ),
        Example(
            "interface-beside-a-gateway-for-callers-outside",
            """
Resources:
  Inside:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: vpc-0123456789abcdef0, ServiceName: com.amazonaws.eu-west-1.s3, VpcEndpointType: Gateway}
  Outside:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: vpc-0123456789abcdef0, ServiceName: com.amazonaws.eu-west-1.s3, VpcEndpointType: Interface}
""",
        ),
        Example(
            "hosted-zone-instead",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
      PrivateDnsEnabled: false
  Zone:
    Type: AWS::Route53::HostedZone
    Properties:
      Name: !Sub sqs.${AWS::Region}.amazonaws.com
      VPCs: [{VPCId: vpc-0123456789abcdef0, VPCRegion: eu-west-1}]
""",
        ),
        Example(
            "service-of-another-account",
            """
Resources:
  Partner:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0
""",
        ),
    ),
)
