"""Each hop of a way is judged by itself: what is missing is named, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credential_rules.index import Index
from credential_rules.reachability import KINDS, WHATEVER, Walk, Way, ways
from credential_rules.reader import parse
from credential_rules.template import Template

Resources = dict[str, Any]
Removal = Callable[[Resources], None]

HTTPS: Final = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
ACTIONS: Final = {"sqs": "sqs:SendMessage", "dynamodb": "dynamodb:GetItem"}
NOWHERE: Final = {"IpProtocol": "-1", "CidrIp": "127.0.0.1/32"}


def _named(name: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, "GroupId"]}


@dataclass
class Network:
    """A network with one function, and what a way to one service needs in it.

    `egress` and `ingress` are all rules that let the function through; any one of them would do.
    """

    service: str
    resources: Resources
    subnets: list[str]
    egress: list[str] = field(default_factory=list)
    ingress: list[str] = field(default_factory=list)

    def ways(self) -> list[Way]:
        """The ways of its one function."""
        return ways(Index([Template("network.json", {"Resources": self.resources})]))


def _policy(service: str, **other: Any) -> dict[str, Any]:  # noqa: ANN401 - as IAM has them
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ACTIONS[service],
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }
    return {"Version": "2012-10-17", "Statement": [{**statement, **other}]}


OTHER_POLICIES: Final[list[dict[str, Any]]] = [
    {"Action": "sns:Publish"},
    {"Effect": "Deny"},
    {"Resource": "arn:aws:sqs:us-east-1:123456789012:another"},
    {"Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/another"}}},
    {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}},
]
"""What does not admit the role to all that it may do."""


def _egress(draw: st.DrawFn, side: dict[str, Any], *, owner: str = "Functions") -> Resources:
    return {
        "Type": "AWS::EC2::SecurityGroupEgress",
        "Properties": {"GroupId": _named(owner), **draw(st.sampled_from([HTTPS, {"IpProtocol": "-1"}])), **side},
    }


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A network whose function reaches its service, with other things in it that lead elsewhere."""
    service = draw(st.sampled_from(sorted(ACTIONS)))
    count = draw(st.integers(1, 3))
    subnets = [f"Subnet{number}" for number in range(count)]
    tables = {name: draw(st.sampled_from(["Table0", f"Table{name[-1]}"])) for name in subnets}
    resources: Resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/20", "EnableDnsHostnames": True}},
        "Worker": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "VpcConfig": {"SubnetIds": [{"Ref": name} for name in subnets], "SecurityGroupIds": [_named("Functions")]},
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "Policies": [
                    {"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": ACTIONS[service], "Resource": "*"}]}}
                ]
            },
        },
    }  # fmt: skip
    for group in ("Functions", "Doors", "Others"):
        resources[group] = {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "SecurityGroupEgress": [NOWHERE]},
        }
    for number, (name, table) in enumerate(tables.items()):
        resources[name] = {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": f"10.0.{number}.0/24",
                "AvailabilityZone": {"Fn::Select": [number, {"Fn::GetAZs": ""}]},
            },
        }
        resources[table] = {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}}
        resources[f"{name}Table"] = {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {"SubnetId": {"Ref": name}, "RouteTableId": {"Ref": table}},
        }
    network = Network(service, resources, subnets)
    if service == "sqs":
        _interface(draw, network)
    else:
        _gateway(draw, network, sorted(set(tables.values())))
    if draw(st.booleans()):
        resources["Door"]["Properties"]["PolicyDocument"] = _policy(service)
    if draw(st.booleans()):
        resources["OtherDoor"] = _endpoint("sns", SubnetIds=[], VpcEndpointType="Interface", PrivateDnsEnabled=True)
    if draw(st.booleans()):
        resources["ToOthers"] = _egress(draw, {"DestinationSecurityGroupId": _named("Others")})
    if draw(st.booleans()):
        resources["ToPeer"] = _egress(draw, {"CidrIp": "10.9.0.0/24"})
    return network


def _endpoint(service: str, **properties: Any) -> Resources:  # noqa: ANN401 - as the template has them
    return {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {
            "VpcId": {"Ref": "Vpc"},
            "ServiceName": {"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{service}"},
            **properties,
        },
    }


def _interface(draw: st.DrawFn, network: Network) -> None:
    resources, subnets = network.resources, network.subnets
    placed = draw(st.lists(st.sampled_from(subnets), min_size=1, unique=True))
    resources["Door"] = _endpoint(
        "sqs",
        VpcEndpointType="Interface",
        PrivateDnsEnabled=True,
        SubnetIds=[{"Ref": name} for name in placed],
        SecurityGroupIds=[_named("Doors")],
    )
    outwards: list[dict[str, Any]] = [
        {"DestinationSecurityGroupId": _named("Doors")},
        {"CidrIp": "10.0.0.0/20"},
        {"CidrIp": {"Fn::GetAtt": ["Vpc", "CidrBlock"]}},
    ]
    inwards: list[dict[str, Any]] = [
        {"SourceSecurityGroupId": _named("Functions")},
        {"CidrIp": "10.0.0.0/22"},
        {"CidrIp": {"Fn::GetAtt": ["Vpc", "CidrBlock"]}},
    ]
    for number in draw(st.lists(st.integers(0, 2), min_size=1, unique=True)):
        resources[f"Out{number}"] = _egress(draw, outwards[number])
        network.egress.append(f"Out{number}")
    for number in draw(st.lists(st.integers(0, 2), min_size=1, unique=True)):
        resources[f"In{number}"] = {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {"GroupId": _named("Doors"), **HTTPS, **inwards[number]},
        }
        network.ingress.append(f"In{number}")


def _gateway(draw: st.DrawFn, network: Network, tables: list[str]) -> None:
    resources = network.resources
    resources["Lists"] = {"Type": "Custom::PrefixLists", "Properties": {}}
    resources["Door"] = _endpoint("dynamodb", RouteTableIds=[{"Ref": name} for name in tables])
    resources["Out"] = _egress(draw, {"DestinationPrefixListId": {"Fn::GetAtt": ["Lists", "dynamodb"]}})
    network.egress.append("Out")
    if draw(st.booleans()):
        resources["ToS3"] = _egress(draw, {"DestinationPrefixListId": {"Fn::GetAtt": ["Lists", "s3"]}})


def _without(*names: str) -> Removal:
    def remove(resources: Resources) -> None:
        for name in names:
            del resources[name]

    return remove


def _stating(*names: str, **properties: Any) -> Removal:  # noqa: ANN401 - as the template has them
    def state(resources: Resources) -> None:
        for name in names:
            resources[name]["Properties"].update(properties)

    return state


def _behind_acl(subnet: str) -> Removal:
    def add(resources: Resources) -> None:
        resources["Acl"] = {"Type": "AWS::EC2::NetworkAcl", "Properties": {"VpcId": {"Ref": "Vpc"}}}
        resources["AclHere"] = {
            "Type": "AWS::EC2::SubnetNetworkAclAssociation",
            "Properties": {"SubnetId": {"Ref": subnet}, "NetworkAclId": {"Ref": "Acl"}},
        }

    return add


def _outside_of_table_of(subnet: str) -> Removal:
    def remove(resources: Resources) -> None:
        table = resources[f"{subnet}Table"]["Properties"]["RouteTableId"]
        resources["Door"]["Properties"]["RouteTableIds"].remove(table)

    return remove


def _removals(network: Network) -> list[tuple[str, Removal]]:
    """Every way to take one hop away, each with the hop's kind."""
    found = [
        ("endpoint", _without("Door")),
        ("dns", _stating("Vpc", EnableDnsSupport=False)),
        ("egress", _without(*network.egress)),
        ("egress", _stating(*network.egress, IpProtocol="udp")),
        *(("subnet", _behind_acl(name)) for name in network.subnets),
        *(("policy", _stating("Door", PolicyDocument=_policy(network.service, **other))) for other in OTHER_POLICIES),
    ]
    if network.service == "sqs":
        return [
            *found,
            ("endpoint", _stating("Door", SubnetIds=[])),
            ("dns", _stating("Vpc", EnableDnsHostnames=False)),
            ("dns", _stating("Door", PrivateDnsEnabled=False)),
            ("ingress", _without(*network.ingress)),
            ("ingress", _stating(*network.ingress, FromPort=80, ToPort=80)),
        ]
    s3 = {"Fn::GetAtt": ["Lists", "s3"]}
    return [
        *found,
        ("egress", _stating(*network.egress, DestinationPrefixListId=s3)),
        *(("subnet", _without(f"{name}Table")) for name in network.subnets),
        *(("subnet", _outside_of_table_of(name)) for name in network.subnets),
    ]


def _after(network: Network, removal: Removal) -> Network:
    changed = deepcopy(network)
    removal(changed.resources)
    return changed


@given(networks())
def test_way_with_every_hop_is_open(network: Network) -> None:
    """Whatever form the rules have, and whatever else lies in the network."""
    (way,) = network.ways()
    assert (way.service, way.action, way.verdict, way.obstacle) == (
        network.service,
        ACTIONS[network.service],
        True,
        "",
    )
    assert [hop.kind for hop in way.hops] == [kind for kind in KINDS if kind != "ingress" or network.service == "sqs"]


@settings(max_examples=300)
@given(st.data())
def test_way_without_one_hop_is_closed_and_names_that_hop(data: st.DataObject) -> None:
    """Each hop is needed, from each subnet; what is missing is the hop that was taken away, and no other."""
    network = data.draw(networks())
    kind, removal = data.draw(st.sampled_from(_removals(network)))
    (way,) = _after(network, removal).ways()
    assert way.verdict is False
    assert [hop.kind for hop in way.hops if hop.verdict is not True] == [kind]
    # What a policy refuses has arrived: an answer, and no time-out.
    assert bool(way.obstacle) is (kind != "policy")
    assert way.obstacle in next(hop.evidence for hop in way.hops if hop.kind == kind)


@given(networks())
def test_nat_gateway_opens_what_endpoints_leave_closed(network: Network) -> None:
    """A default route in every subnet and egress to everywhere reach every service, without an endpoint."""
    network = _after(network, _without("Door"))
    for table in {entry["Properties"]["RouteTableId"]["Ref"] for name, entry in network.resources.items() if name.endswith("Table")}:  # fmt: skip
        network.resources[f"{table}Out"] = {
            "Type": "AWS::EC2::Route",
            "Properties": {
                "RouteTableId": {"Ref": table},
                "DestinationCidrBlock": "0.0.0.0/0",
                "NatGatewayId": "nat-0",
            },
        }
    network.resources["Everywhere"] = {
        "Type": "AWS::EC2::SecurityGroupEgress",
        "Properties": {"GroupId": _named("Functions"), "IpProtocol": "-1", "CidrIp": "0.0.0.0/0"},
    }
    (way,) = network.ways()
    assert way.verdict is True
    assert way.endpoints == ()
    del network.resources["Everywhere"]
    (way,) = network.ways()
    # The prefix list of a service with a gateway endpoint holds its public addresses, whatever the way to them.
    missing = [] if network.service == "dynamodb" else ["egress"]
    assert [hop.kind for hop in way.hops if hop.verdict is not True] == missing


def one_way(text: str) -> Way:
    """The only way of a template."""
    (way,) = ways(Index([Template("t.yaml", parse(text))]))
    return way


SMALL: Final = """
Parameters: {Choice: {Type: String}, Group: {Type: String}}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/20, EnableDnsHostnames: true}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24, AvailabilityZone: eu-west-1a}}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24, AvailabilityZone: eu-west-1b}}
  Functions:
    Type: AWS::EC2::SecurityGroup
    Properties: {VpcId: !Ref Vpc, SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, DestinationSecurityGroupId: !GetAtt Doors.GroupId}]}
  Doors:
    Type: AWS::EC2::SecurityGroup
    Properties: {VpcId: !Ref Vpc, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, SourceSecurityGroupId: !GetAtt Functions.GroupId}]}
  Door:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.eu-west-1.sqs
      PrivateDnsEnabled: true
      SubnetIds: [!Ref A]
      SecurityGroupIds: [!GetAtt Doors.GroupId]
  Custom: {Type: Custom::Subnet}
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      VpcConfig: {SubnetIds: [!Ref A], SecurityGroupIds: [!GetAtt Functions.GroupId]}
  Role:
    Type: AWS::IAM::Role
    Properties: {Policies: [{PolicyDocument: {Statement: [{Effect: Allow, Action: "sqs:SendMessage", Resource: "*"}]}}]}
"""


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("PrivateDnsEnabled: true", "PrivateDnsEnabled: !Ref Choice", "dns"),
        ("EnableDnsHostnames: true", "EnableDnsHostnames: !Ref Choice", "dns"),
        ("DestinationSecurityGroupId: !GetAtt Doors.GroupId", "DestinationSecurityGroupId: !Ref Group", "egress"),
        ("DestinationSecurityGroupId: !GetAtt Doors.GroupId", "CidrIp: !Ref Choice", "egress"),
        ("SourceSecurityGroupId: !GetAtt Functions.GroupId", "SourceSecurityGroupId: !Ref Group", "ingress"),
        ("SourceSecurityGroupId: !GetAtt Functions.GroupId", "SourcePrefixListId: pl-0123", "ingress"),
        ("SecurityGroupIds: [!GetAtt Doors.GroupId]", "SecurityGroupIds: [!Ref Group]", "egress ingress"),
        ("  Worker:", "  Own: {Type: AWS::EC2::VPCDHCPOptionsAssociation, Properties: {VpcId: !Ref Vpc, DhcpOptionsId: dopt-0123}}\n  Worker:", "dns"),
        ("  Worker:", "  Acl: {Type: AWS::EC2::SubnetNetworkAclAssociation, Properties: {SubnetId: !Ref A, NetworkAclId: acl-0123}}\n  Worker:", "subnet"),
        ("SubnetIds: [!Ref A], S", "SubnetIds: [!Ref A, !Ref Choice], S", "subnet"),
        ("SubnetIds: [!Ref A], S", "SubnetIds: [!Ref A, !GetAtt Custom.SubnetId], S", "subnet"),
    ],
)  # fmt: skip
def test_hop_that_only_the_deployment_decides_is_neither_open_nor_closed(before: str, after: str, kind: str) -> None:
    """Unknown is never a pass: the way is undecided, for that hop."""
    assert one_way(SMALL).verdict is True
    assert before in SMALL
    way = one_way(SMALL.replace(before, after))
    assert way.verdict is None
    assert way.obstacle == ""
    assert [hop.kind for hop in way.hops if hop.verdict is None] == kind.split()


def test_block_covers_only_the_subnets_that_are_known() -> None:
    """An endpoint's address in a subnet that is not in the run may lie outside of the block."""
    by_block = SMALL.replace("DestinationSecurityGroupId: !GetAtt Doors.GroupId", "CidrIp: 10.0.0.0/20")
    assert one_way(by_block).verdict is True
    elsewhere = by_block.replace("SubnetIds: [!Ref A]\n", "SubnetIds: [!Ref A, !Ref Choice]\n")
    assert [hop.kind for hop in one_way(elsewhere).hops if hop.verdict is None] == ["egress"]


def test_default_group_admits_its_members_until_it_is_emptied() -> None:
    """A custom resource that is told the group takes its rules away, as the CDK's own does."""
    text = SMALL.replace("[!GetAtt Functions.GroupId]}", "[!GetAtt Vpc.DefaultSecurityGroup]}")
    text = text.replace(
        "SecurityGroupIds: [!GetAtt Doors.GroupId]", "SecurityGroupIds: [!GetAtt Vpc.DefaultSecurityGroup]"
    )
    assert one_way(text).verdict is True
    emptied = text + "  Emptied: {Type: Custom::Empty, Properties: {Group: !GetAtt Vpc.DefaultSecurityGroup}}\n"
    assert [(hop.kind, hop.verdict) for hop in one_way(emptied).hops if not hop.verdict] == [
        ("egress", None),
        ("ingress", False),
    ]
    more = "  In: {Type: AWS::EC2::SecurityGroupIngress, Properties: {GroupId: !GetAtt Vpc.DefaultSecurityGroup, CidrIp: 10.0.0.0/20}}\n"
    assert [(hop.kind, hop.verdict) for hop in one_way(emptied + more).hops if not hop.verdict] == [
        ("egress", None),
        ("ingress", None),
    ]


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        ("", False),
        ("allow 100 0.0.0.0/0 true", False),
        ("allow 100 0.0.0.0/0 true; allow 100 0.0.0.0/0 false", True),
        ("allow 100 0.0.0.0/0 true; allow 100 0.0.0.0/0 false; deny 90 10.0.0.0/24 false", None),
        ("allow 100 10.0.0.0/24 true; allow 100 0.0.0.0/0 false", None),
    ],
)
def test_network_acl_is_judged_both_ways(entries: str, *, verdict: bool | None) -> None:
    """It has no state: answers pass it as well. One without entries refuses everything."""
    text = SMALL.replace("  Worker:", "  Acl: {Type: AWS::EC2::NetworkAcl, Properties: {VpcId: !Ref Vpc}}\n"
                         "  Here: {Type: AWS::EC2::SubnetNetworkAclAssociation, Properties: {SubnetId: !Ref A, NetworkAclId: !Ref Acl}}\n  Worker:")  # fmt: skip
    for position, entry in enumerate(filter(None, entries.split("; "))):
        action, number, block, egress = entry.split()
        text = text.replace(
            "  Worker:",
            f"  Entry{position}: {{Type: AWS::EC2::NetworkAclEntry, Properties: {{NetworkAclId: !Ref Acl, Protocol: -1,"
            f" RuleAction: {action}, RuleNumber: {number}, CidrBlock: {block}, Egress: {egress}}}}}\n  Worker:",
        )
    way = one_way(text)
    assert way.verdict is verdict
    assert next(hop for hop in way.hops if hop.kind == "subnet").verdict is verdict


def test_endpoint_in_another_zone_is_a_note_and_no_obstacle() -> None:
    """Calls cross the zones: they arrive, and fail together with the other zone."""
    way = one_way(SMALL.replace("SubnetIds: [!Ref A], S", "SubnetIds: [!Ref A, !Ref B], S"))
    assert way.verdict is True
    (note,) = way.notes
    assert "'Door'" in note
    assert "'B'" in note
    assert one_way(SMALL).notes == ()


def test_calls_that_cannot_be_named_are_an_undecided_way() -> None:
    """A role that allows everything, or is not in the run, may call services that nobody looked for."""
    for text in (
        SMALL.replace("sqs:SendMessage", "*"),
        SMALL.replace("Role: !GetAtt Role.Arn", "Role: arn:aws:iam::1:role/x"),
    ):
        way = one_way(text)
        assert (way.service, way.verdict) == (WHATEVER, None)


def test_any_service_can_be_asked_for() -> None:
    """Also one that the role does not name: there is no way to it, and the reason is given."""
    index = Index([Template("t.yaml", parse(SMALL))])
    (function,) = index.functions.values()
    way = Walk(index, function).to("ec2")
    assert way.verdict is False
    assert way.obstacle == "its VPC has no endpoint for ec2, and its subnet 'A' no other way"


def test_evidence_calls_resources_as_it_is_told_to() -> None:
    """Logical ids carry hashes that people do not know."""
    index = Index([Template("t.yaml", parse(SMALL))])
    (way,) = ways(index, named=lambda resource: f"my {resource.logical_id.lower()}")
    said = " ".join(hop.evidence for hop in way.hops)
    assert "'my door'" in said
    assert "'Door'" not in said
