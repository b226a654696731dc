"""An endpoint's network interface is a door: its security group says who may knock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credential_rules.network_path import (
    HTTPS,
    aws_services,
    block,
    contains,
    is_everywhere,
    is_interface,
    network_of,
)
from credential_rules.rule import CANNOT_TELL, Example, Finding, Index, Resource, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.rule import Endpoint, HasPlace, NetworkRule, Text, Value

# https://docs.aws.amazon.com/vpc/latest/userguide/configure-your-vpc.html: a VPC's block is /16 at most.
_LARGEST_VPC: Final = 16
_NOT_HTTPS_ALONE: Final = (
    "appstream",
    "cassandra",
    "codecommit",
    "email-smtp",
    "iot.",
    "kafka",
    "kinesisvideo",
    "lorawan",
    "redshift",
    "storagegateway",
    "transfer",
    "workspaces",
)
"""Services whose endpoints listen on other ports than 443, or on more."""

_NAME_THE_CLIENTS: Final = "Admit the security groups of the callers instead: SourceSecurityGroupId, TCP 443."


def _groups_that_admit_others(index: Index, resource: Resource) -> Iterator[Finding]:
    endpoint = network_of(index).by_resource[resource]
    if not is_interface(endpoint):
        return
    groups = resource["SecurityGroupIds"]
    if not groups or groups.may_be_absent:
        yield _default_group(groups or resource, resource.logical_id)
    for value, text in groups.located_texts():
        target = text.resource
        known = index.security_groups.get(target) if target is not None else None
        if known is not None:
            for rule in known.ingress:
                yield from _admitted(rule, endpoint)
        elif target is not None and target.type == "AWS::EC2::VPC":
            yield _default_group(value, resource.logical_id)
        else:
            yield Finding(
                value,
                f"The security group '{text.pattern}' of the endpoint '{resource.logical_id}' is not part of this run:"
                " whom it admits cannot be told.",
                "Check the template that makes the group together with this one, or make the group here.",
                CANNOT_TELL,
            )


def _default_group(at: HasPlace, name: str) -> Finding:
    return Finding(
        at,
        f"The endpoint '{name}' has the VPC's default security group: it admits on every port whatever was not given a"
        " group of its own, and not the functions that were.",
        "Give the endpoint a security group that admits the callers' groups on TCP 443.",
    )


def _admitted(rule: NetworkRule, endpoint: Endpoint) -> Iterator[Finding]:
    name = endpoint.resource.logical_id
    wide = False
    for value, text in _sources(rule.value):
        what = _too_wide(text, endpoint)
        if what:
            wide = True
            yield Finding(
                value, f"The endpoint '{name}' admits {what}, not only its clients{_where(rule)}.", _NAME_THE_CLIENTS
            )
        elif text.is_undecided:
            yield Finding(
                value,
                f"The endpoint '{name}' admits '{text.pattern}'{_where(rule)}, which the template does not decide: it may"
                " be everybody.",
                _NAME_THE_CLIENTS,
                CANNOT_TELL,
            )
    if not wide and _opens_needless_ports(rule, endpoint):
        ports = f"ports {rule.ports[0]} to {rule.ports[1]}" if rule.ports else "every port"
        yield Finding(
            rule.value,
            f"The endpoint '{name}' is open on {ports}{_where(rule)}: it answers on {HTTPS} only.",
            "State IpProtocol: tcp, FromPort: 443, ToPort: 443.",
        )


def _where(rule: NetworkRule) -> str:
    owner = rule.value.place.owner
    return f" (in '{owner.logical_id}')" if owner is not None else ""


def _sources(rule: Value) -> Iterator[tuple[Value, Text]]:
    for name in ("CidrIp", "CidrIpv6"):
        yield from rule[name].located_texts()


def _too_wide(text: Text, endpoint: Endpoint) -> str:
    if is_everywhere(text):
        return f"every address ({text.literal})"
    vpcs = [vpc for vpc in endpoint.vpcs if isinstance(vpc, Resource) and vpc.type == "AWS::EC2::VPC"]
    if text.resource is not None and text.resource.type == "AWS::EC2::VPC":
        return f"everything in the VPC '{text.resource.logical_id}'"
    for vpc in vpcs:
        blocks = vpc["CidrBlock"].texts()
        if blocks and all(contains(text, whole) for whole in blocks):
            return f"everything in the VPC '{vpc.logical_id}' ({text.pattern})"
    known = block(text)
    if not vpcs and known is not None and known.version == 4 and known.prefixlen < _LARGEST_VPC:  # noqa: PLR2004 (IPv4)
        return f"more than any VPC holds ({text.literal})"
    return ""


def _opens_needless_ports(rule: NetworkRule, endpoint: Endpoint) -> bool:
    services = aws_services(endpoint)
    if not services or rule.ports_are_unknown or rule.protocol in {"icmp", "icmpv6", "1", "58"}:
        return False
    is_all = rule.ports is None or rule.ports[1] - rule.ports[0] >= 65_534  # noqa: PLR2004 (every port there is)
    if any(service.startswith(_NOT_HTTPS_ALONE) for service in services):
        return is_all
    return is_all or (rule.ports is not None and rule.ports[0] != rule.ports[1])


RULE = Rule(
    slug="endpoint-admits-only-its-clients",
    group="Network path",
    sentence="The security group of an interface endpoint admits the callers' groups on port 443, and nobody else.",
    reason=(
        "An endpoint that admits the whole VPC, or everybody, is a way to AWS for whatever is placed there next: a"
        " stranger's instance, a peer, a container that was forgotten. A group that names its callers keeps the door"
        " theirs."
    ),
    remedy=(
        "Give the endpoint a security group with one ingress per caller: SourceSecurityGroupId of the functions' group,"
        " TCP 443. A block of addresses is accepted if it is less than the VPC."
    ),
    applies_to=("AWS::EC2::VPCEndpoint",),
    on_resource=_groups_that_admit_others,
    bad=(
        Example(
            "open-to-the-world",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
      PrivateDnsEnabled: true
      SecurityGroupIds: [!GetAtt Doors.GroupId]
  Doors:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Endpoints
      VpcId: vpc-0123456789abcdef0
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}
""",
            finding="every address (0.0.0.0/0)",
        ),
        Example(
            "open-to-the-whole-vpc",
            """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20}}
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
      SecurityGroupIds: [!Ref Doors]
  Doors: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: Endpoints, VpcId: !Ref Vpc}}
  In:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref Doors, IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: !GetAtt Vpc.CidrBlock}
""",
            finding="everything in the VPC 'Vpc'",
        ),
        Example(
            "every-port-to-its-clients",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
      SecurityGroupIds: [!GetAtt Doors.GroupId]
  Doors:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Endpoints
      SecurityGroupIngress: {IpProtocol: -1, SourceSecurityGroupId: !GetAtt Functions.GroupId}
  Functions: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: Functions}}
""",
            finding="every port",
        ),
        Example(
            "default-group",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
""",
            finding="default security group",
        ),
        Example(
            "open-in-one-branch",
            """
Parameters:
  Stage: {Type: String}
Conditions:
  Development: !Equals [!Ref Stage, dev]
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
      SecurityGroupIds: [!GetAtt Doors.GroupId]
  Doors:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Endpoints
      SecurityGroupIngress:
        - IpProtocol: tcp
          FromPort: 443
          ToPort: 443
          CidrIp: !If [Development, 0.0.0.0/0, 10.0.1.0/24]
""",
            finding="every address",
        ),
        Example(
            "group-from-elsewhere",
            """
Parameters:
  Doors: {Type: "AWS::EC2::SecurityGroup::Id"}
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
      SecurityGroupIds: [!Ref Doors]
""",
            severity="cannot-tell",
            finding="not part of this run",
        ),
    ),
    good=(
        Example(
            "callers-by-their-group",
            """
Resources:
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
      PrivateDnsEnabled: true
      SecurityGroupIds: [!GetAtt Doors.GroupId]
  Doors:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Endpoints
      VpcId: vpc-0123456789abcdef0
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, SourceSecurityGroupId: !GetAtt Functions.GroupId}
  Functions: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: Functions, VpcId: vpc-0123456789abcdef0}}
""",
        ),
        Example(
            "callers-by-their-subnet-and-gateway-endpoint",
            """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20}}
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
      SecurityGroupIds: [!Ref Doors]
  Doors: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: Endpoints, VpcId: !Ref Vpc}}
  In:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref Doors, IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.1.0/24}
  Table:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: !Ref Vpc, ServiceName: com.amazonaws.eu-west-1.dynamodb}
""",
        ),
    ),
)
