"""A function that cannot reach the Internet cannot send anything there, whatever its code is made to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credential_rules.network_path import (
    LINKING_ENDPOINTS,
    LINKS_TO_OTHER_NETWORKS,
    is_everywhere,
    leads_everywhere,
    leads_to_internet_gateway,
    leads_to_other_network,
    may_lack_egress,
    network_of,
    other_network,
)
from credential_rules.rule import CANNOT_TELL, FUNCTION_TYPES, Example, Finding, Index, Resource, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credential_rules.rule import Text, Value

_GATEWAYS: Final = {
    "AWS::EC2::InternetGateway": "an Internet gateway: with a route to it, a subnet is on the Internet",
    "AWS::EC2::NatGateway": "a NAT gateway: whatever runs in the private subnets can send data anywhere through it",
    "AWS::EC2::EgressOnlyInternetGateway": "an egress-only Internet gateway: it lets everything out over IPv6",
    "AWS::EC2::CarrierGateway": "a carrier gateway: it leads to the carrier's network and to the Internet",
}
_ONLY_OUT: Final = {"NatGatewayId", "EgressOnlyInternetGatewayId", "CarrierGatewayId"}
_THROUGH_ENDPOINTS: Final = "reach AWS's services through VPC endpoints."
_IF_IT_IS_NEEDED: Final = "If the other network is needed, acknowledge it with what may pass."
_NAME_THE_ENDPOINT: Final = "Name the security group or prefix list of the VPC endpoint instead of a CIDR block."


def _ways_out(index: Index, resource: Resource) -> Iterator[Finding]:
    kind = resource.type
    if kind in _GATEWAYS:
        yield Finding(
            resource,
            f"'{resource.logical_id}' is {_GATEWAYS[kind]}.",
            "Remove it, and give each service that is called a VPC endpoint.",
        )
    elif kind in LINKS_TO_OTHER_NETWORKS:
        yield Finding(
            resource, f"'{resource.logical_id}' is {LINKS_TO_OTHER_NETWORKS[kind]}.", f"Remove it. {_IF_IT_IS_NEEDED}"
        )
    elif kind == "AWS::EC2::SecurityGroup":
        yield from _group(index, resource)
    elif kind == "AWS::EC2::Route":
        yield from _route(index, resource)
    else:
        yield from _BY_TYPE[kind](resource)


def _attachment(resource: Resource) -> Iterator[Finding]:
    for name, gateway, way in (
        ("InternetGatewayId", "an Internet gateway", "give each service that is called a VPC endpoint."),
        ("VpnGatewayId", "a VPN gateway", _THROUGH_ENDPOINTS),
    ):
        for value, text in resource[name].located_texts():
            # A gateway of this run has its own finding.
            if text.resource is None:
                yield Finding(
                    value,
                    f"'{resource.logical_id}' attaches {gateway} to the VPC: a route to it is all that is missing.",
                    f"Remove the attachment, and {way}",
                )


def _subnet(resource: Resource) -> Iterator[Finding]:
    if resource["MapPublicIpOnLaunch"].is_true:
        yield Finding(
            resource["MapPublicIpOnLaunch"],
            f"The subnet '{resource.logical_id}' gives what is launched in it public addresses, which serve no purpose but"
            " the way to and from the Internet.",
            "Set MapPublicIpOnLaunch to false.",
        )


def _route(index: Index, resource: Resource) -> Iterator[Finding]:
    route = network_of(index).route_of[resource]
    kind = route.target_kind
    elsewhere = leads_to_other_network(route)
    target = ""
    if leads_to_internet_gateway(route):
        target = "an Internet gateway"
    elif elsewhere and kind != "GatewayId":
        target = f"{other_network(route)} ({kind.removesuffix('Id').removesuffix('Arn')})"
    elif elsewhere:
        target = other_network(route)
    elif kind in _ONLY_OUT or leads_everywhere(route):
        target = f"a target outside of the VPC ({kind.removesuffix('Id').removesuffix('Arn')})"
    if target:
        yield Finding(
            resource,
            f"The route '{resource.logical_id}' leads to {target}: its subnets have a way out, by which data and"
            " credentials can leave.",
            f"Remove the route; reach AWS's services through VPC endpoints. {_IF_IT_IS_NEEDED if elsewhere else ''}".rstrip(),
        )
    elif elsewhere is None:
        yield Finding(
            resource,
            f"The route '{resource.logical_id}' leads to a gateway that is not part of this run: it may be one to the"
            " Internet, or to another network.",
            "Check the template of the gateway together with this one, or remove the route.",
            CANNOT_TELL,
        )
    elif kind != "VpcEndpointId" and any(text.is_undecided for text in route.destinations):
        yield Finding(
            resource,
            f"The route '{resource.logical_id}' leads out of the VPC, and the template does not decide for which"
            " addresses: it may be all of them.",
            "Write the other network's addresses into the template.",
            CANNOT_TELL,
        )


def _endpoint(resource: Resource) -> Iterator[Finding]:
    for value, text in resource["VpcEndpointType"].located_texts():
        target = LINKING_ENDPOINTS.get(text.literal or "")
        if target:
            yield Finding(
                value,
                f"The endpoint '{resource.logical_id}' leads to {target} and to no AWS service: data can leave by it to"
                " whoever runs the other side.",
                f"Remove it. {_IF_IT_IS_NEEDED}",
            )


def _function(resource: Resource) -> Iterator[Finding]:
    for value, text in resource["VpcConfig"]["SecurityGroupIds"].located_texts():
        if text.resource is not None and text.resource.type == "AWS::EC2::VPC":
            yield Finding(
                value,
                f"'{resource.logical_id}' is in the default security group of '{text.resource.logical_id}', which lets"
                " everything out, and lets in whatever else was put there by not naming a group.",
                "Give it a group of its own, which lets out only to the endpoints' group or prefix list on port 443.",
            )


def _into_default_group(resource: Resource) -> Iterator[Finding]:
    for value, text in resource["GroupId"].located_texts():
        if text.resource is not None and text.resource.type == "AWS::EC2::VPC":
            yield Finding(
                value,
                f"'{resource.logical_id}' adds a rule to the default security group of '{text.resource.logical_id}', which"
                " everything is in that names no group: what is forgotten there is reached by it.",
                "Put what needs the rule into a group of its own, and leave the default group without rules.",
            )


def _group(index: Index, resource: Resource) -> Iterator[Finding]:
    group = index.security_groups[resource]
    if may_lack_egress(group):
        stated = resource["SecurityGroupEgress"]
        yield Finding(
            stated or resource,
            f"The security group '{resource.logical_id}' states no egress{' in some branch' if stated else ''}:"
            " CloudFormation then lets everything out, to everywhere.",
            "State where its members may go: SecurityGroupEgress to the endpoints' group on port 443. For nowhere at all"
            " state 127.0.0.1/32.",
        )
    for value in resource["SecurityGroupEgress"].each():
        yield from _egress(value, f"The security group '{resource.logical_id}'")


def _egress_that_stands_alone(resource: Resource) -> Iterator[Finding]:
    yield from _egress(resource.properties, f"The egress rule '{resource.logical_id}'")
    yield from _into_default_group(resource)


def _egress(rule: Value, who: str) -> Iterator[Finding]:
    for value, text in _destinations(rule):
        if is_everywhere(text):
            yield Finding(
                value,
                f"{who} lets traffic out to {text.literal}: to any address on the Internet{_chosen(text)}.",
                _NAME_THE_ENDPOINT,
            )
        elif text.is_undecided:
            yield Finding(
                value,
                f"{who} lets traffic out to '{text.pattern}', which the template does not decide: it may be 0.0.0.0/0.",
                _NAME_THE_ENDPOINT,
                CANNOT_TELL,
            )
    for prefix_list in rule["DestinationPrefixListId"].resources():
        if prefix_list.type == "AWS::EC2::PrefixList":
            for entry in prefix_list["Entries"].each():
                for value, text in entry["Cidr"].located_texts():
                    if is_everywhere(text):
                        yield Finding(
                            value,
                            f"{who} lets traffic out to the prefix list '{prefix_list.logical_id}', which holds"
                            f" {text.literal}: any address on the Internet.",
                        )


def _destinations(rule: Value) -> Iterator[tuple[Value, Text]]:
    for name in ("CidrIp", "CidrIpv6"):
        yield from rule[name].located_texts()


def _chosen(text: Text) -> str:
    return f" (the default of {', '.join(sorted(text.parameters))})" if text.parameters else ""


_BY_TYPE: Final[dict[str, Callable[[Resource], Iterator[Finding]]]] = {
    "AWS::EC2::VPCGatewayAttachment": _attachment,
    "AWS::EC2::Subnet": _subnet,
    "AWS::EC2::SecurityGroupEgress": _egress_that_stands_alone,
    "AWS::EC2::SecurityGroupIngress": _into_default_group,
    "AWS::EC2::VPCEndpoint": _endpoint,
    **dict.fromkeys(FUNCTION_TYPES, _function),
}

RULE = Rule(
    slug="no-way-out",
    group="Network path",
    sentence="No gateway, no route, no link to another network and no egress rule leads out of the VPC.",
    reason=(
        "Code that was tricked or replaced sends what it can read, its own credentials included, to wherever it can"
        " connect. With VPC endpoints as the only doors there is nowhere to send it. A security group that states no"
        " egress is open: that is CloudFormation's default."
    ),
    remedy=(
        "Remove Internet and NAT gateways, peerings, attachments and the routes to them, give each service that is called"
        " a VPC endpoint, and let security groups out only to the endpoints' group or prefix list on port 443. Leave the"
        " default group without rules and without members. A link to another network that is needed is acknowledged, with"
        " what may pass it as the reason."
    ),
    applies_to=(*_GATEWAYS, *LINKS_TO_OTHER_NETWORKS, "AWS::EC2::Route", "AWS::EC2::SecurityGroup", *_BY_TYPE),
    on_resource=_ways_out,
    bad=(
        Example(
            "egress-to-everywhere",
            """
Resources:
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Functions
      VpcId: !Ref Vpc
      SecurityGroupEgress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}
  Doors:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Endpoints
      VpcId: !Ref Vpc
      SecurityGroupEgress: [{IpProtocol: "-1", CidrIp: 127.0.0.1/32}]
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20}}
""",
            finding="'Functions' lets traffic out to 0.0.0.0/0",
        ),
        Example(
            "group-without-stated-egress",
            """
Resources:
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Functions
      SecurityGroupIngress: {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/24}
""",
            finding="states no egress",
        ),
        Example(
            "egress-over-ipv6-that-stands-alone",
            """
Resources:
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: Functions}
  Out:
    Type: AWS::EC2::SecurityGroupEgress
    Properties: {GroupId: !GetAtt Functions.GroupId, IpProtocol: "-1", CidrIpv6: "::/0"}
""",
            finding="'Out' lets traffic out to ::/0",
        ),
        Example(
            "egress-in-two-halves",
            """
Resources:
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Functions
      SecurityGroupEgress:
        - {IpProtocol: -1, CidrIp: 0.0.0.0/1}
        - {IpProtocol: -1, CidrIp: 128.0.0.0/1}
""",
            finding="128.0.0.0/1",
        ),
        Example(
            "egress-stated-in-one-branch-only",
            """
Parameters:
  Stage: {Type: String}
Conditions:
  Production: !Equals [!Ref Stage, production]
Resources:
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Functions
      SecurityGroupEgress: !If
        - Production
        - - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/24}
        - !Ref AWS::NoValue
""",
            finding="in some branch",
        ),
        Example(
            "egress-from-default-of-parameter",
            """
Parameters:
  Allowed: {Type: String, Default: 0.0.0.0/0}
Resources:
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Functions
      SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: !Ref Allowed}]
""",
            finding="the default of Allowed",
        ),
        Example(
            "nat-gateway",
            """
Resources:
  Nat:
    Type: AWS::EC2::NatGateway
    Properties: {SubnetId: subnet-0123456789abcdef0, AllocationId: eipalloc-0123456789abcdef0}
  Out:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: vpc-0123456789abcdef0}}
""",
            finding="a NAT gateway",
        ),
        Example(
            "internet-gateway",
            """
Resources:
  Gateway: {Type: AWS::EC2::InternetGateway}
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: vpc-0123456789abcdef0, InternetGatewayId: !Ref Gateway}
""",
            finding="an Internet gateway",
        ),
        Example(
            "default-route-to-transit-gateway",
            """
Resources:
  Out:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: rtb-0123456789abcdef0
      DestinationCidrBlock: 0.0.0.0/0
      TransitGatewayId: tgw-0123456789abcdef0
""",
            finding="TransitGateway",
        ),
        Example(
            "peering-and-a-route-to-the-peer",
            """
Resources:
  Peering: {Type: AWS::EC2::VPCPeeringConnection, Properties: {VpcId: vpc-0123456789abcdef0, PeerVpcId: vpc-0fedcba9876543210}}
  ToPeer:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: rtb-0123456789abcdef0
      DestinationCidrBlock: 10.8.0.0/16
      VpcPeeringConnectionId: !Ref Peering
""",
            finding="'ToPeer' leads to a peering connection",
        ),
        Example(
            "narrow-route-to-a-peer-from-elsewhere",
            """
Resources:
  ToPeer:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: rtb-0123456789abcdef0
      DestinationCidrBlock: 10.8.0.0/16
      VpcPeeringConnectionId: pcx-0123456789abcdef0
""",
            finding="leads to a peering connection",
        ),
        Example(
            "attachment-to-a-transit-gateway",
            """
Resources:
  Attachment:
    Type: AWS::EC2::TransitGatewayAttachment
    Properties: {VpcId: vpc-0123456789abcdef0, SubnetIds: [subnet-0123456789abcdef0], TransitGatewayId: tgw-0123456789abcdef0}
""",
            finding="'Attachment' is an attachment to a transit gateway",
        ),
        Example(
            "vpn-gateway",
            """
Resources:
  Vpn: {Type: AWS::EC2::VPNGateway, Properties: {Type: ipsec.1}}
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: vpc-0123456789abcdef0, VpnGatewayId: !Ref Vpn}
  ToOffice:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: rtb-0123456789abcdef0, DestinationCidrBlock: 192.168.0.0/16, GatewayId: !Ref Vpn}
""",
            finding="'ToOffice' leads to a VPN gateway",
        ),
        Example(
            "vpn-gateway-from-elsewhere",
            """
Resources:
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: vpc-0123456789abcdef0, VpnGatewayId: vgw-0123456789abcdef0}
""",
            finding="attaches a VPN gateway",
        ),
        Example(
            "association-with-vpc-lattice",
            """
Resources:
  Lattice:
    Type: AWS::VpcLattice::ServiceNetworkVpcAssociation
    Properties: {VpcIdentifier: vpc-0123456789abcdef0, ServiceNetworkIdentifier: sn-0123456789abcdef0}
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: ServiceNetwork
      ServiceNetworkArn: arn:aws:vpc-lattice:eu-west-1:123456789012:servicenetwork/sn-0123456789abcdef0
""",
            finding="without any route",
        ),
        Example(
            "rule-in-the-default-group",
            """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20}}
  In:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !GetAtt Vpc.DefaultSecurityGroup, IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/20}
""",
            finding="adds a rule to the default security group of 'Vpc'",
        ),
        Example(
            "function-in-the-default-group",
            """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20}}
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Code: {S3Bucket: code, S3Key: worker.zip}
      VpcConfig: {SubnetIds: [subnet-0123456789abcdef0], SecurityGroupIds: [!GetAtt Vpc.DefaultSecurityGroup]}
""",
            finding="'Worker' is in the default security group of 'Vpc'",
        ),
        Example(
            "gateway-from-parameter",
            """
Parameters:
  Gateway: {Type: String}
Resources:
  Out:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: rtb-0123456789abcdef0, DestinationCidrBlock: 10.8.0.0/16, GatewayId: !Ref Gateway}
""",
            severity="cannot-tell",
            finding="a gateway that is not part of this run",
        ),
        Example(
            "egress-from-parameter",
            """
Parameters:
  Allowed: {Type: String}
Resources:
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Functions
      SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: !Ref Allowed}]
""",
            severity="cannot-tell",
            finding="it may be 0.0.0.0/0",
        ),
    ),
    good=(
        Example(
            "egress-to-the-endpoints",
            """
Resources:
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Functions
      VpcId: !Ref Vpc
      SecurityGroupEgress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, DestinationSecurityGroupId: !GetAtt Doors.GroupId}
  Doors:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Endpoints
      VpcId: !Ref Vpc
      SecurityGroupEgress: [{IpProtocol: "-1", CidrIp: 127.0.0.1/32}]
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20}}
""",
        ),
        Example(
            "egress-that-stands-alone",
            """
Resources:
  Functions: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: Functions, VpcId: !Ref Vpc}}
  Out:
    Type: AWS::EC2::SecurityGroupEgress
    Properties:
      GroupId: !GetAtt Functions.GroupId
      IpProtocol: tcp
      FromPort: 443
      ToPort: 443
      CidrIp: !GetAtt Vpc.CidrBlock
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20}}
""",
        ),
        Example(
            "routes-within-the-vpc",
            """
Resources:
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: vpc-0123456789abcdef0}}
  Inspected:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: !Ref Table
      DestinationCidrBlock: 10.0.1.0/24
      NetworkInterfaceId: eni-0123456789abcdef0
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: vpc-0123456789abcdef0, CidrBlock: 10.0.0.0/24, MapPublicIpOnLaunch: false}
""",
        ),
        Example(
            "egress-to-private-ranges-and-prefix-list",
            """
Parameters:
  S3PrefixList: {Type: String}
Resources:
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Functions
      SecurityGroupEgress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8}
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, DestinationPrefixListId: !Ref S3PrefixList}
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIpv6: "fd00::/8"}
""",
        ),
    ),
)
