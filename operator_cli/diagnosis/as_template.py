"""A deployed function and its network as the template that would make them, for the rules that judge templates.

Resources are named by their ids, so that a finding names what an operator finds in the console. What was not read is
left as a bare id: then the rules cannot tell, and say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from operator_cli.diagnosis.deployed_function import Facts, Network, Role

    Resources = dict[str, dict[str, Any]]

_NOTHING: Final = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}
"""An egress rule that lets nothing out. A template's group without any lets everything out, a deployed one nothing."""

_TARGETS: Final = (
    "CarrierGatewayId",
    "CoreNetworkArn",
    "EgressOnlyInternetGatewayId",
    "GatewayId",
    "InstanceId",
    "LocalGatewayId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
)
_DESTINATIONS: Final = {
    "DestinationCidrBlock": "DestinationCidrBlock",
    "DestinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "DestinationPrefixListId": "DestinationPrefixListId",
}


def template_of(facts: Facts) -> dict[str, Any]:
    """Give the template. It holds the values of the function's environment: show it to nobody."""
    resources: Resources = {}
    function: dict[str, Any] = {
        "Runtime": facts.configuration.get("Runtime", ""),
        "Handler": facts.configuration.get("Handler", ""),
        "Timeout": facts.configuration.get("Timeout", 3),
        "FunctionName": facts.name,
        "Environment": {"Variables": dict(facts.environment)},
        "Code": {"S3Bucket": "deployed", "S3Key": "deployed"},
    }
    if facts.configuration.get("Layers"):
        function["Layers"] = [layer["Arn"] for layer in facts.configuration["Layers"]]
    target = (facts.configuration.get("DeadLetterConfig") or {}).get("TargetArn")
    if target:
        function["DeadLetterConfig"] = {"TargetArn": target}
    if facts.role is not None:
        role = role_id(facts.role)
        function["Role"] = {"Fn::GetAtt": [role, "Arn"]}
        # What was read of it holds, also where not all of it was.
        resources[role] = _role(facts.role)
    if facts.network is not None:
        config = facts.configuration["VpcConfig"]
        resources |= _network(facts.network)
        function["VpcConfig"] = {
            "SubnetIds": [_reference(subnet, resources) for subnet in config.get("SubnetIds", ())],
            "SecurityGroupIds": [_reference(group, resources) for group in config.get("SecurityGroupIds", ())],
            "Ipv6AllowedForDualStack": bool(config.get("Ipv6AllowedForDualStack")),
        }
    resources[facts.name] = {"Type": "AWS::Lambda::Function", "Properties": function}
    for number, mapping in enumerate(facts.mappings or ()):
        resources[f"mapping-{number}"] = {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"FunctionName": {"Ref": facts.name}, "EventSourceArn": mapping.get("EventSourceArn", "")},
        }
    return {"Resources": resources}


def role_id(role: Role) -> str:
    """Give the name of the role's resource: functions and roles often have the same name."""
    return f"role/{role.name}"


def _role(role: Role) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": role.name,
            # Managed ones too: by their documents, not by their names, everything in them is known.
            "Policies": [
                {"PolicyName": policy.name.rpartition("/")[2], "PolicyDocument": dict(policy.document)}
                for policy in role.policies
            ],
        },
    }


def _reference(identifier: str, resources: Resources) -> str | dict[str, str]:
    return {"Ref": identifier} if identifier in resources else identifier


# --- network ------------------------------------------------------------------------------------------------------


def _network(network: Network) -> Resources:
    found: Resources = {
        network.vpc: {
            "Type": "AWS::EC2::VPC",
            "Properties": {
                "CidrBlock": next(iter(network.cidrs or ()), ""),
                # Unknown is left to the rules as something that the deployment decides.
                "EnableDnsSupport": _known(network.resolves_names),
                "EnableDnsHostnames": _known(network.gives_names),
            },
        }
    }
    vpc = {"Ref": network.vpc}
    for identifier, name in network.prefix_lists.items():
        found[identifier] = {"Type": "AWS::EC2::PrefixList", "Properties": {"PrefixListName": name}}
    for group in network.groups or ():
        found[group["GroupId"]] = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": vpc}}
    for group in network.groups or ():
        found[group["GroupId"]]["Properties"] |= {
            "GroupDescription": group.get("Description", ""),
            "SecurityGroupIngress": list(_rules(group.get("IpPermissions", ()), "Source", found)),
            "SecurityGroupEgress": list(_rules(group.get("IpPermissionsEgress", ()), "Destination", found))
            or [_NOTHING],
        }
    for table in network.route_tables or ():
        found[table["RouteTableId"]] = {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": vpc}}
        found |= dict(_routes(table))
    for subnet in network.subnets or ():
        found[subnet["SubnetId"]] = {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": vpc, "CidrBlock": subnet.get("CidrBlock", "")},
        }
        found[f"{subnet['SubnetId']}-association"] = {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {
                "SubnetId": {"Ref": subnet["SubnetId"]},
                "RouteTableId": _reference(table_of(subnet["SubnetId"], network), found),
            },
        }
    for acl in network.acls or ():
        found |= dict(_acl(acl, vpc))
    if network.name_servers:
        found["dhcp-options"] = {
            "Type": "AWS::EC2::DHCPOptions",
            "Properties": {"DomainNameServers": list(network.name_servers)},
        }
        found["dhcp-association"] = {
            "Type": "AWS::EC2::VPCDHCPOptionsAssociation",
            "Properties": {"VpcId": vpc, "DhcpOptionsId": {"Ref": "dhcp-options"}},
        }
    for endpoint in network.endpoints or ():
        found[endpoint["VpcEndpointId"]] = _endpoint(endpoint, vpc, found)
    for number, zone in enumerate(network.zones or ()):
        found[f"zone-{number}"] = {
            "Type": "AWS::Route53::HostedZone",
            "Properties": {"Name": zone, "VPCs": [{"VPCId": vpc, "VPCRegion": {"Ref": "AWS::Region"}}]},
        }
    return found


def _known(value: bool | None) -> bool | dict[str, str]:  # noqa: FBT001 (it is the value of a property, no switch)
    return {"Ref": "NotRead"} if value is None else value


def table_of(subnet: str, network: Network) -> str:
    """Give the route table of a subnet: its own, else the VPC's main one, else a text that no table has as its id."""
    main = "not-read"
    for table in network.route_tables or ():
        for association in table.get("Associations", ()):
            if association.get("SubnetId") == subnet:
                return str(table["RouteTableId"])
            if association.get("Main"):
                main = str(table["RouteTableId"])
    return main


def _routes(table: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, route in enumerate(table.get("Routes", ())):
        target = next((name for name in _TARGETS if route.get(name)), "")
        # The way within the VPC, and that to a gateway endpoint: the endpoint itself names its tables.
        if not target or route[target] == "local" or str(route[target]).startswith("vpce-"):
            continue
        if route.get("State") == "blackhole":
            continue
        properties = {"RouteTableId": {"Ref": table["RouteTableId"]}, target: route[target]}
        properties |= {ours: route[theirs] for theirs, ours in _DESTINATIONS.items() if route.get(theirs)}
        yield f"{table['RouteTableId']}-route-{number}", {"Type": "AWS::EC2::Route", "Properties": properties}


def _acl(acl: Mapping[str, Any], vpc: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = str(acl["NetworkAclId"])
    yield name, {"Type": "AWS::EC2::NetworkAcl", "Properties": {"VpcId": vpc}}
    for number, entry in enumerate(acl.get("Entries", ())):
        properties = {key: entry[key] for key in ("RuleNumber", "RuleAction", "Protocol", "Egress")}
        block = entry.get("CidrBlock") or entry.get("Ipv6CidrBlock", "")
        properties |= {"NetworkAclId": {"Ref": name}, "CidrBlock": block}
        yield f"{name}-entry-{number}", {"Type": "AWS::EC2::NetworkAclEntry", "Properties": properties}
    for association in acl.get("Associations", ()):
        properties = {"SubnetId": {"Ref": association["SubnetId"]}, "NetworkAclId": {"Ref": name}}
        yield (
            f"{name}-{association['SubnetId']}",
            {"Type": "AWS::EC2::SubnetNetworkAclAssociation", "Properties": properties},
        )


def _rules(permissions: Iterable[Mapping[str, Any]], side: str, resources: Resources) -> Iterator[dict[str, Any]]:
    """Give one rule per peer, as templates have them."""
    for permission in permissions:
        base = {"IpProtocol": str(permission.get("IpProtocol", "-1"))}
        base |= {port: permission[port] for port in ("FromPort", "ToPort") if port in permission}
        for block in permission.get("IpRanges", ()):
            yield base | {"CidrIp": block["CidrIp"]}
        for block in permission.get("Ipv6Ranges", ()):
            yield base | {"CidrIpv6": block["CidrIpv6"]}
        for prefix_list in permission.get("PrefixListIds", ()):
            yield base | {f"{side}PrefixListId": _reference(prefix_list["PrefixListId"], resources)}
        for pair in permission.get("UserIdGroupPairs", ()):
            yield base | {f"{side}SecurityGroupId": _reference(pair["GroupId"], resources)}


def _endpoint(endpoint: Mapping[str, Any], vpc: dict[str, str], resources: Resources) -> dict[str, Any]:
    kind = str(endpoint.get("VpcEndpointType", "Gateway"))
    properties: dict[str, Any] = {"VpcId": vpc, "ServiceName": endpoint["ServiceName"], "VpcEndpointType": kind}
    if kind == "Gateway":
        properties["RouteTableIds"] = [_reference(table, resources) for table in endpoint.get("RouteTableIds", ())]
        return {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}
    properties["SubnetIds"] = [_reference(subnet, resources) for subnet in endpoint.get("SubnetIds", ())]
    # Neither is ever left out by EC2: what is absent was not told.
    properties["PrivateDnsEnabled"] = _known(endpoint.get("PrivateDnsEnabled"))
    properties["SecurityGroupIds"] = [
        _reference(group["GroupId"], resources) for group in endpoint.get("Groups", ())
    ] or [{"Ref": "NotRead"}]
    return {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}
