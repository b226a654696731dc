"""The VPC has no way out but its endpoints, and those admit nobody but the functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stacks.settings import GATEWAY_SERVICES, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stacks.cloud_assembly import Assembly, Json, Resource, Template

WAYS_OUT = (
    "AWS::EC2::InternetGateway",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::EIP",
    "AWS::EC2::VPCPeeringConnection",
    "AWS::EC2::TransitGatewayAttachment",
    "AWS::EC2::TransitGatewayVpcAttachment",
    "AWS::EC2::VPNGateway",
    "AWS::EC2::VPNConnection",
    "AWS::EC2::ClientVpnEndpoint",
    "AWS::EC2::CarrierGateway",
    "AWS::EC2::LocalGatewayRoute",
    "AWS::EC2::Route",
)
ANYWHERE = ("0.0.0.0/0", "::/0")


def _strings(value: Json) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield key
                yield from _strings(inner)
        case list():
            for inner in value:
                yield from _strings(inner)


def _subnets(template: Template) -> set[str]:
    return {f"<{subnet.path}>" for subnet in template.of_type("AWS::EC2::Subnet")}


def _endpoints(template: Template) -> dict[str, Resource]:
    return {
        template.text(endpoint.properties["ServiceName"]).rpartition(".")[2]: endpoint
        for endpoint in template.of_type("AWS::EC2::VPCEndpoint")
    }


def _interface_endpoints(template: Template) -> list[Resource]:
    return [
        endpoint for endpoint in _endpoints(template).values() if endpoint.properties["VpcEndpointType"] == "Interface"
    ]


def test_nothing_in_the_vpc_leads_out(deployment: Assembly) -> None:
    """No gateway, address, peering or route of any kind: the endpoints are the only doors."""
    for part in deployment.templates.values():
        assert [resource.path for resource in part.of_type(*WAYS_OUT)] == []


def test_subnets_give_no_public_address(deployment: Assembly) -> None:
    """Every subnet is an isolated one."""
    subnets = deployment.network.of_type("AWS::EC2::Subnet")
    assert subnets
    for subnet in subnets:
        assert subnet.properties["MapPublicIpOnLaunch"] is False
        assert {"Key": "aws-cdk:subnet-type", "Value": "Isolated"} in subnet.properties["Tags"]


@pytest.mark.parametrize(("name", "count"), [("small", 1), ("dev", 2), ("prod", 3)])
def test_there_is_one_subnet_in_each_of_as_many_zones_as_set(
    name: str, count: int, request: pytest.FixtureRequest
) -> None:
    """``az_count`` is honoured, and no two subnets share a zone."""
    network = request.getfixturevalue(name).network
    zones = [network.text(subnet.properties["AvailabilityZone"]) for subnet in network.of_type("AWS::EC2::Subnet")]
    assert sorted(zones) == [f"<availability zone {index}>" for index in range(count)]


def test_synthesis_asks_nobody_for_zones(deployment: Assembly) -> None:
    """A look-up would need credentials; the manifest lists what the CLI would have to look up."""
    assert not deployment.manifest.get("missing")


def test_names_resolve_to_the_endpoints(deployment: Assembly) -> None:
    """Private DNS works only in a VPC with both switches on."""
    (vpc,) = deployment.network.of_type("AWS::EC2::VPC")
    assert vpc.properties["EnableDnsSupport"] is True
    assert vpc.properties["EnableDnsHostnames"] is True
    for endpoint in _interface_endpoints(deployment.network):
        assert endpoint.properties["PrivateDnsEnabled"] is True


@pytest.mark.parametrize(
    ("name", "services"),
    [("dev", set(Service)), ("prod", set(Service)), ("small", set(Service) - {Service.STS})],
)
def test_there_is_an_endpoint_for_each_service_of_the_setting_and_for_no_other(
    name: str, services: set[Service], request: pytest.FixtureRequest
) -> None:
    """DynamoDB and S3 by gateway, which is free; the others by interface."""
    endpoints = _endpoints(request.getfixturevalue(name).network)
    assert set(endpoints) == services
    for service, endpoint in endpoints.items():
        kind = "Gateway" if service in GATEWAY_SERVICES else "Interface"
        assert endpoint.properties["VpcEndpointType"] == kind


def test_gateway_endpoints_serve_every_subnet(deployment: Assembly) -> None:
    """Each is in every route table, and every subnet has a route table of ours."""
    network = deployment.network
    tables = {f"<{table.path}>" for table in network.of_type("AWS::EC2::RouteTable")}
    for service in GATEWAY_SERVICES:
        assert set(network.texts(_endpoints(network)[service].properties["RouteTableIds"])) == tables
    associations = network.of_type("AWS::EC2::SubnetRouteTableAssociation")
    assert {network.text(one.properties["SubnetId"]) for one in associations} == _subnets(network)
    assert {network.text(one.properties["RouteTableId"]) for one in associations} == tables


def test_interface_endpoints_are_in_every_subnet(deployment: Assembly) -> None:
    """A zone without an address of its own would send its calls across zones, or nowhere."""
    network = deployment.network
    assert _interface_endpoints(network)
    for endpoint in _interface_endpoints(network):
        assert set(network.texts(endpoint.properties["SubnetIds"])) == _subnets(network)


def test_interface_endpoints_are_in_their_group_only(deployment: Assembly) -> None:
    """The default group would admit the whole VPC."""
    network = deployment.network
    for endpoint in _interface_endpoints(network):
        assert network.texts(endpoint.properties["SecurityGroupIds"]) == ["<Network/Endpoints.GroupId>"]


def _rules(network: Template, group: str, direction: str) -> list[dict[str, Json]]:
    """Give all rules of a security group, those in it and those beside it, without their descriptions."""
    (found,) = (each for each in network.of_type("AWS::EC2::SecurityGroup") if each.path == group)
    inside = found.properties.get(f"SecurityGroup{direction}", [])
    beside = [
        {key: value for key, value in rule.properties.items() if key != "GroupId"}
        for rule in network.of_type(f"AWS::EC2::SecurityGroup{direction}")
        if network.text(rule.properties["GroupId"]) == f"<{group}.GroupId>"
    ]
    return [
        {
            key: value if isinstance(value, int) else network.text(value)
            for key, value in rule.items()
            if key != "Description"
        }
        for rule in (*inside, *beside)
    ]


HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


def test_the_endpoints_admit_https_from_the_functions_and_nothing_else(deployment: Assembly) -> None:
    """By group, not by address: what else may be in the VPC one day is not admitted."""
    assert _rules(deployment.network, "Network/Endpoints", "Ingress") == [
        {**HTTPS, "SourceSecurityGroupId": "<Network/Functions.GroupId>"}
    ]


def test_the_functions_reach_the_endpoints_over_https_and_nothing_else(deployment: Assembly) -> None:
    """The interface endpoints by their group, the gateway endpoints by the prefix lists of their services."""
    rules = _rules(deployment.network, "Network/Functions", "Egress")
    assert sorted(rules, key=str) == sorted(
        [
            {**HTTPS, "DestinationSecurityGroupId": "<Network/Endpoints.GroupId>"},
            {**HTTPS, "DestinationPrefixListId": "<Network/PrefixLists/Found/Default.dynamodb>"},
            {**HTTPS, "DestinationPrefixListId": "<Network/PrefixLists/Found/Default.s3>"},
        ],
        key=str,
    )


def test_nobody_reaches_the_functions(deployment: Assembly) -> None:
    """Lambda starts them from outside the VPC; inside, nothing may call them."""
    assert _rules(deployment.network, "Network/Functions", "Ingress") == []


@pytest.mark.parametrize("group", ["Network/Functions", "Network/Endpoints"])
def test_security_groups_state_their_egress_themselves(deployment: Assembly, group: str) -> None:
    """A group that states none is open until a rule from outside arrives, and again while one is replaced."""
    (found,) = (each for each in deployment.network.of_type("AWS::EC2::SecurityGroup") if each.path == group)
    assert found.properties["SecurityGroupEgress"]


def test_the_endpoints_reach_nobody(deployment: Assembly) -> None:
    """Their one egress rule goes to an address that cannot exist, which is how CloudFormation writes "none"."""
    (rule,) = _rules(deployment.network, "Network/Endpoints", "Egress")
    assert rule["CidrIp"] == "255.255.255.255/32"


def test_no_rule_says_anywhere(deployment: Assembly) -> None:
    """No template mentions the whole internet, in whatever place."""
    for part in deployment.templates.values():
        assert not set(_strings(part.content)) & set(ANYWHERE)


def test_prefix_lists_are_those_of_the_gateway_services_in_this_region(dev: Assembly, small: Assembly) -> None:
    """The custom resource is asked by names as EC2 has them."""
    for assembly, region in ((dev, "us-east-1"), (small, "eu-central-1")):
        (found,) = assembly.network.of_type("Custom::GatewayPrefixLists")
        assert set(found.properties["Names"]) == {f"com.amazonaws.{region}.{service}" for service in GATEWAY_SERVICES}


@pytest.mark.parametrize(
    ("type_", "function"),
    [
        ("Custom::GatewayPrefixLists", "Network/PrefixLists/Finder"),
        ("Custom::EmptyDefaultGroup", "Network/DefaultGroup/Closer"),
    ],
)
def test_a_custom_resource_waits_for_its_functions_policy(deployment: Assembly, type_: str, function: str) -> None:
    """Else CloudFormation may ask the function before it may ask EC2."""
    network = deployment.network
    (found,) = network.of_type(type_)
    policy = network.at(f"{function}/Role/DefaultPolicy", "AWS::IAM::Policy")
    assert policy.logical_id in found.body["DependsOn"]


def test_the_default_group_is_emptied_at_deployment(deployment: Assembly) -> None:
    """EC2 makes one with every VPC, open within itself and to everywhere; it is that of our VPC that loses its rules."""
    network = deployment.network
    (emptied,) = network.of_type("Custom::EmptyDefaultGroup")
    assert network.text(emptied.properties["GroupId"]) == "<Network/Vpc.DefaultSecurityGroup>"


def test_nothing_is_in_the_default_group_and_nothing_adds_a_rule_to_it(deployment: Assembly) -> None:
    """Only the custom resource and its function's role know of it."""
    for part in deployment.templates.values():
        naming = {each.path for each in part.resources if "DefaultSecurityGroup" in str(each.body)}
        assert naming <= {"Network/DefaultGroup/Emptied/Default", "Network/DefaultGroup/Closer/Role/DefaultPolicy"}


def test_flow_logs_record_all_traffic(deployment: Assembly) -> None:
    """Accepted and refused, of the whole VPC, into a log group whose retention is set."""
    network = deployment.network
    (flow,) = network.of_type("AWS::EC2::FlowLog")
    assert network.text(flow.properties["ResourceId"]) == "<Network/Vpc>"
    assert flow.properties["ResourceType"] == "VPC"
    assert flow.properties["TrafficType"] == "ALL"
    assert network.text(flow.properties["LogGroupName"]) == "<Network/FlowLog>"
    assert network.at("Network/FlowLog", "AWS::Logs::LogGroup").properties["RetentionInDays"]
