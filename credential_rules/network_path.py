"""How far traffic gets: what a block of addresses stands for, where routes lead, what security groups let through.

Three answers: True and False where the templates of the run say so, None where only the deployment decides.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary, proxy

from credential_rules.template import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from credential_rules.index import Endpoint, Function, Identity, Index, NetworkRule, Route, SecurityGroup, Subnet
    from credential_rules.template import Raw, Value
    from credential_rules.values import Text

HTTPS: Final = 443

Block = ipaddress.IPv4Network | ipaddress.IPv6Network

# No private range is larger: whatever is wider reaches public addresses (0.0.0.0/1 and 128.0.0.0/1 are everything).
_WIDEST_PRIVATE: Final = {4: 8, 6: 7}

_OTHER_NETWORKS: Final = {
    "VpcPeeringConnectionId": "a peering connection",
    "TransitGatewayId": "a transit gateway",
    "CoreNetworkArn": "a core network of Cloud WAN",
}
"""The targets of routes that lead to another network, in words. A virtual private gateway is one `GatewayId` among others."""

LINKS_TO_OTHER_NETWORKS: Final = {
    "AWS::EC2::VPCPeeringConnection": "a peering connection: what is in the VPC can talk to another VPC",
    "AWS::EC2::TransitGatewayAttachment": "an attachment to a transit gateway: it joins the VPC to every network behind that",
    "AWS::EC2::TransitGatewayVpcAttachment": "an attachment to a transit gateway: it joins the VPC to every network behind that",
    "AWS::EC2::VPNGateway": "a VPN gateway: it joins the VPC to a network outside of AWS",
    "AWS::EC2::ClientVpnTargetNetworkAssociation": "a client VPN's way into the VPC: whoever signs in to it is inside",
    "AWS::NetworkManager::VpcAttachment": "an attachment to Cloud WAN: it joins the VPC to every network behind that",
    "AWS::VpcLattice::ServiceNetworkVpcAssociation": (
        "an association with a VPC Lattice service network: other networks' services answer inside the VPC, without any route"
    ),
}
"""What joins a VPC to another network, in words."""

LINKING_ENDPOINTS: Final = {
    "ServiceNetwork": "a VPC Lattice service network",
    "Resource": "a resource in another VPC",
    "GatewayLoadBalancer": "a load balancer in another VPC",
}
"""Kinds of VPC endpoint that lead to another network and to no AWS service."""

GATEWAY_SERVICES: Final = frozenset({"dynamodb", "s3"})
"""The services that have gateway endpoints: routes to their public addresses, free of charge."""

PRIVATE_DNS_IS_NOT_OFFERED: Final = frozenset({"dynamodb", "dynamodb-fips", "dynamodb-streams"})
"""Interface endpoints that exist for callers outside the VPC; within it the gateway endpoint is used.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/privatelink-interface-endpoints.html
"""


@lru_cache(maxsize=4096)
def _block(literal: str) -> Block | None:
    try:
        return ipaddress.ip_network(literal.strip(), strict=False)
    except ValueError:
        return None


def block(text: Text) -> Block | None:
    """The block of addresses that a literal stands for, None if it is no literal or no block."""
    literal = text.literal
    return _block(literal) if literal else None


def is_everywhere(text: Text) -> bool:
    """Whether a block reaches public addresses at large: `0.0.0.0/0`, `::/0`, and halves of them."""
    literal = text.literal
    if literal is None:
        return False
    if literal.strip().endswith("/0"):
        return True
    known = _block(literal)
    return known is not None and known.prefixlen < _WIDEST_PRIVATE[known.version]


def contains(outer: Text, inner: Text) -> bool | None:
    """Whether every address of `inner` is one of `outer`; None if that is not known."""
    if outer.pattern == inner.pattern:
        return True
    wide, narrow = block(outer), block(inner)
    if wide is None or narrow is None:
        return True if is_everywhere(outer) else None
    if isinstance(wide, ipaddress.IPv4Network) and isinstance(narrow, ipaddress.IPv4Network):
        return narrow.subnet_of(wide)
    if isinstance(wide, ipaddress.IPv6Network) and isinstance(narrow, ipaddress.IPv6Network):
        return narrow.subnet_of(wide)
    return False


@dataclass(frozen=True, slots=True)
class Opening:
    """What one rule of a security group says to HTTPS between a function and a door.

    `rule` is None if no rule decides: the group states no egress, is the VPC's default group, or is not in the run.
    `side` is what the rule names on the other side: a group, a block of addresses or a prefix list.
    """

    verdict: bool | None
    group: Identity
    rule: NetworkRule | None = None
    side: Identity | Text = ""


def most_open(openings: list[Opening]) -> Opening | None:
    """The opening that decides: one that surely lets through, else one that may; None if none does."""
    for wanted in (True, None):
        for opening in openings:
            if opening.verdict is wanted:
                return opening
    return None


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """Whether all hold: False as soon as one surely does not."""
    given = set(answers)
    if False in given:
        return False
    return None if None in given else True


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """Whether one holds: True as soon as one surely does."""
    given = set(answers)
    if True in given:
        return True
    return None if None in given else False


def leads_everywhere(route: Route) -> bool:
    """Whether it is a default route."""
    return any(is_everywhere(destination) for destination in route.destinations)


def leads_to_internet_gateway(route: Route) -> bool:
    """Whether its target is an Internet gateway: one of the run, an id, or a default route to some gateway."""
    if route.target_kind != "GatewayId":
        return False
    for text in route.resource["GatewayId"].texts():
        target = text.resource
        if target is not None:
            return target.type in {"AWS::EC2::InternetGateway", "AWS::EC2::VPCGatewayAttachment"}
        literal = text.literal or ""
        if literal:
            return literal.startswith("igw-")
    return leads_everywhere(route)


def leads_to_other_network(route: Route) -> bool | None:
    """Whether its target is another network; None for a gateway of which the run does not say what it is."""
    if route.target_kind in _OTHER_NETWORKS:
        return True
    if route.target_kind != "GatewayId" or leads_to_internet_gateway(route):
        return False
    answers: set[bool | None] = set()
    for text in route.resource["GatewayId"].texts():
        if text.resource is not None:
            answers.add(text.resource.type in {"AWS::EC2::VPNGateway", "AWS::EC2::VPCGatewayAttachment"})
        else:
            answers.add(text.literal.startswith("vgw-") if text.literal else None)
    return any_of(answers)


def other_network(route: Route) -> str:
    """The other network's link in words."""
    return _OTHER_NETWORKS.get(route.target_kind, "a VPN gateway")


def egress_of(index: Index, group: Identity) -> list[NetworkRule] | None:
    """What a group lets out; an empty list if nothing was stated, so that all may leave; None if it is not in the run."""
    known = index.security_groups.get(group) if isinstance(group, Resource) else None
    return None if known is None else known.egress


def may_lack_egress(group: SecurityGroup) -> bool:
    """Whether in some branch nobody states any egress, so that CloudFormation lets everything out."""
    stated = group.resource["SecurityGroupEgress"]
    alone = any(rule.value.path[:2] != ("Properties", "SecurityGroupEgress") for rule in group.egress)
    return not alone and (stated.may_be_absent or not group.egress)


class Network:
    """The network of one run, looked up by what it belongs to."""

    def __init__(self, index: Index) -> None:
        # Weak, because what is remembered for an index must not keep it alive.
        self._index = proxy(index)

    @cached_property
    def routes(self) -> dict[Identity, list[Route]]:
        """The routes of each route table."""
        found: dict[Identity, list[Route]] = defaultdict(list)
        for route in self._index.routes:
            for table in route.tables:
                found[table].append(route)
        return found

    @cached_property
    def route_of(self) -> dict[Resource, Route]:
        """The routes by their resource."""
        return {route.resource: route for route in self._index.routes}

    @cached_property
    def endpoints(self) -> dict[Identity, list[Endpoint]]:
        """The endpoints of each VPC."""
        found: dict[Identity, list[Endpoint]] = defaultdict(list)
        for endpoint in self._index.endpoints:
            for vpc in dict.fromkeys(endpoint.vpcs):
                found[vpc].append(endpoint)
        return found

    @cached_property
    def by_resource(self) -> dict[Resource, Endpoint]:
        """The endpoints by their resource."""
        return {endpoint.resource: endpoint for endpoint in self._index.endpoints}

    @cached_property
    def private_zones(self) -> list[tuple[str, list[Identity]]]:
        """The names of hosted zones for AWS's own domain, each with its VPCs."""
        found: list[tuple[str, list[Identity]]] = []
        for zone in self._index.resources("AWS::Route53::HostedZone"):
            names = [text.pattern.rstrip(".") for text in zone["Name"].texts()]
            vpcs = [text.resource or text.pattern for vpc in zone["VPCs"].each() for text in vpc["VPCId"].texts()]
            found += [(name, vpcs) for name in names if ".amazonaws.com" in name or ".api.aws" in name]
        return found

    @cached_property
    def asynchronous(self) -> dict[Resource, list[Resource]]:
        """What tells Lambda's service to poll or to send on for a function: mappings and invocation settings."""
        found: dict[Resource, list[Resource]] = defaultdict(list)
        for resource in self._index.resources("AWS::Lambda::EventSourceMapping", "AWS::Lambda::EventInvokeConfig"):
            for function in resource["FunctionName"].resources():
                found[function].append(resource)
        return found

    @cached_property
    def functions_in(self) -> dict[Identity, list[Function]]:
        """The functions of each VPC; those whose subnets are not in the run stand under an empty text."""
        found: dict[Identity, list[Function]] = defaultdict(list)
        for function in self._index.functions.values():
            subnets = function.subnets
            known = [self._index.subnets.get(part) if isinstance(part, Resource) else None for part in subnets]
            vpcs: list[Identity] = [vpc for subnet in known if subnet is not None for vpc in subnet.vpcs]
            if None in known:
                vpcs.append("")
            for vpc in dict.fromkeys(vpcs):
                found[vpc].append(function)
        return found

    @cached_property
    def has_templates_not_given(self) -> bool:
        """Whether a nested stack is not in the run, which may hold anything."""
        return any(
            resource.logical_id not in resource.template.children
            for resource in self._index.resources("AWS::CloudFormation::Stack", "AWS::Serverless::Application")
        )

    @cached_property
    def is_shared_with_others(self) -> bool:
        """Whether parts of the network are handed to somebody outside of the run: outputs that nobody here takes."""
        templates = self._index.templates
        taken = {name for template in templates for name in _taken(template.raw)}
        for template in templates:
            if template.parent is not None or template.is_shared:
                continue
            for name in template.section("Outputs"):
                output = template.at("Outputs", name)
                exports = {text.pattern for text in output["Export"]["Name"].texts()}
                if any(_is_network(part) for part in output["Value"].resources()) and not ({name} | exports) & taken:
                    return True
        return any(
            _is_network(part)
            for parameter in self._index.resources("AWS::SSM::Parameter")
            for part in parameter["Value"].resources()
        )

    @cached_property
    def default_groups_with_ingress(self) -> set[Identity]:
        """The VPCs whose default security group gets rules of its own."""
        return {
            owner
            for rule in self._index.resources("AWS::EC2::SecurityGroupIngress")
            for owner in rule["GroupId"].resources()
            if owner.type == "AWS::EC2::VPC"
        }

    @cached_property
    def _acls(self) -> dict[Resource, list[Resource | None]]:
        """The network ACLs that subnets are given; None for one that is not in the run."""
        found: dict[Resource, list[Resource | None]] = defaultdict(list)
        for association in self._index.resources("AWS::EC2::SubnetNetworkAclAssociation"):
            given = [text.resource for text in association["NetworkAclId"].texts()]
            for subnet in association["SubnetId"].resources():
                found[subnet] += given
        return found

    @cached_property
    def _acl_entries(self) -> dict[Resource, list[Resource]]:
        found: dict[Resource, list[Resource]] = defaultdict(list)
        for entry in self._index.resources("AWS::EC2::NetworkAclEntry"):
            for acl in entry["NetworkAclId"].resources():
                found[acl].append(entry)
        return found

    def acl_verdicts(self, subnet: Subnet) -> list[tuple[bool | None, Resource | None]]:
        """Whether each network ACL that a subnet was given lets traffic through, both ways; none: the VPC's, which does."""
        return [
            (None if acl is None else self._acl_lets_through(acl), acl) for acl in self._acls.get(subnet.resource, ())
        ]

    def _acl_lets_through(self, acl: Resource) -> bool | None:
        entries = self._acl_entries.get(acl, [])
        if any(entry["Egress"].is_unknown for entry in entries):
            return None
        return all_of(
            _entries_let_through([entry for entry in entries if entry["Egress"].is_true is way])
            for way in (True, False)
        )

    @cached_property
    def _own_resolvers(self) -> set[Identity]:
        """The VPCs whose options for DHCP name, or may name, another DNS server than Amazon's."""
        return {
            vpc
            for association in self._index.resources("AWS::EC2::VPCDHCPOptionsAssociation")
            if not any(
                server == "AmazonProvidedDNS"
                for options in association["DhcpOptionsId"].resources()
                for server in options["DomainNameServers"].literals()
            )
            for vpc in (text.resource or text.pattern for text in association["VpcId"].texts())
        }

    def resolves_names(self, vpc: Identity, *, privately: bool) -> tuple[bool | None, str]:
        """Whether names resolve within a VPC, those of private DNS included if `privately`; and what decides it."""
        if not isinstance(vpc, Resource) or vpc.type != "AWS::EC2::VPC":
            return None, "is not part of this run"
        support, hostnames = vpc["EnableDnsSupport"], vpc["EnableDnsHostnames"]
        if said_to_be_false(support):
            return False, "has EnableDnsSupport off: it resolves no names"
        if privately and (not hostnames or hostnames.may_be_absent or said_to_be_false(hostnames)):
            return False, "has EnableDnsHostnames off: it resolves no private names"
        if vpc in self._own_resolvers:
            return None, "has a DNS server of its own, which may not know the service's name"
        if support.is_unknown or (privately and hostnames.is_unknown):
            return None, "leaves its DNS switches to the deployment"
        return True, "resolves names"

    @cached_property
    def emptied_default_groups(self) -> dict[Identity, Resource]:
        """The VPCs whose default group a custom resource is told, which takes its rules away: no template can."""
        return {
            hole.resource: resource
            for kind, resources in self._index.by_type.items()
            if kind.startswith("Custom::")
            for resource in resources
            for _, value in resource.properties.entries()
            for text in value.texts()
            if (hole := text.hole) and hole.resource and hole.attribute == "DefaultSecurityGroup"
        }

    def _covers(self, cidr: Text, places: list[Identity]) -> bool | None:
        """Whether a block holds the addresses of all these subnets; one that is not in the run may lie elsewhere."""
        subnets = [
            self._index.subnets[part] for part in places if isinstance(part, Resource) and part in self._index.subnets
        ]
        found = _covers_subnets(cidr, subnets)
        if found and len(subnets) < len(places) and not is_everywhere(cidr):
            return None
        return found

    def default_routes(self, subnet: Subnet) -> list[Route]:
        """The routes by which a subnet's traffic leaves for everywhere."""
        return [
            route for table in subnet.route_tables for route in self.routes.get(table, ()) if leads_everywhere(route)
        ]

    def leads_into_other_networks(self, subnet: Subnet) -> bool:
        """Whether a route leads, or may lead, to another network, where endpoints may be that are not of this run."""
        return any(
            leads_to_other_network(route) is not False
            for table in subnet.route_tables
            for route in self.routes.get(table, ())
        )

    def answers_to_public_name(self, endpoint: Endpoint) -> bool | None:
        """Whether the service's public name leads to an interface endpoint: private DNS, or a hosted zone instead."""
        if self.has_zone_for(endpoint):
            return True
        value = endpoint.resource["PrivateDnsEnabled"]
        if value.is_unknown:
            return None
        return not value.may_be_absent and not said_to_be_false(value)

    def has_zone_for(self, endpoint: Endpoint) -> bool:
        """Whether a private hosted zone of the run answers to the public name of an endpoint's service."""
        return any(self._answers(name, vpcs, endpoint) for name, vpcs in self.private_zones)

    def _answers(self, name: str, vpcs: list[Identity], endpoint: Endpoint) -> bool:
        labels = name.split(".")[:2]
        return any(
            service.removesuffix("-fips").split(".", maxsplit=1)[0] in labels for service in endpoint.services
        ) and (not vpcs or not endpoint.vpcs or any(vpc in endpoint.vpcs for vpc in vpcs))

    def openings_into(
        self, endpoint: Endpoint, groups: Iterable[Identity], subnets: Iterable[Identity]
    ) -> list[Opening]:
        """What an interface endpoint's security groups say to HTTPS from a function's groups and subnets."""
        places = list(subnets)
        clients = list(groups)
        if not endpoint.security_groups:
            # It then has the VPC's default group, which lets in its own members only.
            found = [opening for vpc in endpoint.vpcs for opening in self._into_default_group(vpc, clients)]
            return found or [Opening(None, "")]
        return [opening for group in endpoint.security_groups for opening in self._into_group(group, clients, places)]

    def _into_default_group(self, vpc: Identity, clients: list[Identity]) -> list[Opening]:
        """It admits its own members, unless somebody takes its rules away; which rules are added is not looked at."""
        member = isinstance(vpc, Resource) and vpc.type == "AWS::EC2::VPC" and vpc in clients
        if member and vpc not in self.emptied_default_groups:
            return [Opening(verdict=True, group=vpc)]
        return [Opening(None if vpc in self.default_groups_with_ingress else False, vpc)]

    def _into_group(self, group: Identity, clients: list[Identity], subnets: list[Identity]) -> list[Opening]:
        if _is_default_group(group):
            return self._into_default_group(group, clients)
        known = self._index.security_groups.get(group) if isinstance(group, Resource) else None
        if known is None:
            return [Opening(None, group)]
        found: list[Opening] = []
        for rule in known.ingress:
            if rule.covers(HTTPS) or rule.ports_are_unknown:
                sure = not rule.ports_are_unknown or None
                sides: list[tuple[bool | None, Identity | Text]] = [
                    *((_same(source, client), source) for source in rule.groups for client in clients),
                    *((self._covers(cidr, subnets), cidr) for cidr in rule.cidrs),
                    *((None, text) for text in rule.prefix_lists),
                ]
                # Only names that the index does not follow (SourceSecurityGroupName) leave all of them empty.
                if not (rule.groups or rule.cidrs or rule.prefix_lists):
                    sides.append((None, ""))
                found += [Opening(verdict and sure, group, rule, side) for verdict, side in sides]
        return found

    def openings_to_endpoint(self, groups: Iterable[Identity], endpoint: Endpoint) -> list[Opening]:
        """What a function's groups say to HTTPS out to an interface endpoint."""
        doors: list[Identity] = list(endpoint.security_groups) or list(endpoint.vpcs)

        def leads(rule: NetworkRule) -> list[tuple[bool | None, Identity | Text]]:
            return [
                *((_same(other, door), other) for other in rule.groups for door in doors),
                *((self._covers(cidr, endpoint.subnets), cidr) for cidr in rule.cidrs),
                # AWS's own lists hold public addresses; one of the run's own may hold any.
                *((None, text) for text in rule.prefix_lists if text.resource and _is_prefix_list(text.resource)),
            ]

        return self._openings_out(groups, leads)

    def openings_to_service(self, groups: Iterable[Identity], service: str) -> list[Opening]:
        """What a function's groups say to HTTPS out to the public addresses of a service, as a prefix list may hold them."""

        def leads(rule: NetworkRule) -> list[tuple[bool | None, Identity | Text]]:
            return [
                *((True if is_everywhere(cidr) else None if cidr.is_undecided else False, cidr) for cidr in rule.cidrs),
                *((holds_service(text, service), text) for text in rule.prefix_lists),
            ]

        return self._openings_out(groups, leads)

    def _openings_out(
        self, groups: Iterable[Identity], leads: Callable[[NetworkRule], list[tuple[bool | None, Identity | Text]]]
    ) -> list[Opening]:
        """The egress rules of the groups that cover HTTPS, each with whether it leads where `leads` looks for."""
        found: list[Opening] = []
        for group in groups:
            rules = egress_of(self._index, group)
            if rules is None:
                # The default group lets everything out, unless somebody takes that rule away.
                is_open = _is_default_group(group) and group not in self.emptied_default_groups
                found.append(Opening(verdict=is_open or None, group=group))
            elif not rules:
                found.append(Opening(verdict=True, group=group))
            else:
                for rule in rules:
                    if rule.covers(HTTPS) or rule.ports_are_unknown:
                        sure = not rule.ports_are_unknown or None
                        found += [Opening(verdict and sure, group, rule, side) for verdict, side in leads(rule)]
        return found


_NETWORKS: WeakKeyDictionary[Index, Network] = WeakKeyDictionary()


def network_of(index: Index) -> Network:
    """The network of a run, looked up once for all rules."""
    known = _NETWORKS.get(index)
    if known is None:
        known = _NETWORKS[index] = Network(index)
    return known


def is_interface(endpoint: Endpoint) -> bool:
    """Whether some branch makes it an interface endpoint."""
    return "Interface" in endpoint.kinds


def aws_services(endpoint: Endpoint) -> list[str]:
    """Its services that are AWS's own; services of other accounts (`vpce-svc-…`) are left out."""
    return [service for service in endpoint.services if "vpce-svc" not in service]


def said_to_be_false(value: Value) -> bool:
    """Whether some branch says false."""
    return any(literal.lower() == "false" for literal in value.literals())


def _entries_let_through(entries: list[Resource]) -> bool | None:
    """Whether the entries of one direction let everything through: the lowest number decides first, the end refuses."""
    if not any(_says(entry, "RuleAction", "allow") for entry in entries):
        return None if any(entry["RuleAction"].is_unknown for entry in entries) else False
    numbers = [entry["RuleNumber"].literals() for entry in entries]
    if not all(len(number) == 1 and number[0].isdecimal() for number in numbers):
        return None
    first = min(entries, key=lambda entry: int(entry["RuleNumber"].literals()[0]))
    is_wide = _says(first, "Protocol", "-1") and any(is_everywhere(text) for text in first["CidrBlock"].texts())
    return True if is_wide and _says(first, "RuleAction", "allow") else None


def _says(entry: Resource, name: str, literal: str) -> bool:
    return [text.lower() for text in entry[name].literals()] == [literal]


def _is_network(resource: Resource) -> bool:
    return resource.type in {"AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup", "AWS::EC2::VPCEndpoint"}


def _taken(raw: Raw) -> Iterator[str]:
    """The names of exports and outputs that a template takes from other stacks."""
    todo: list[Raw] = [raw]
    while todo:
        current = todo.pop()
        if isinstance(current, list):
            todo.extend(current)
        elif isinstance(current, dict):
            for key in ("Fn::ImportValue", "OutputName"):
                name = current.get(key)
                if isinstance(name, dict):
                    name = name.get("Fn::Sub")
                if isinstance(name, str):
                    yield name
            todo.extend(current.values())


def _same(one: Identity, other: Identity) -> bool | None:
    if one == other:
        return True
    # Two ids differ; a parameter or an import may turn out to be anything.
    undecided = any(isinstance(side, str) and "${" in side for side in (one, other))
    return None if undecided or _is_not_a_group(one) or _is_not_a_group(other) else False


def _is_not_a_group(side: Identity) -> bool:
    return isinstance(side, Resource) and side.type not in {"AWS::EC2::SecurityGroup", "AWS::EC2::VPC"}


def _covers_subnets(cidr: Text, subnets: list[Subnet]) -> bool | None:
    if is_everywhere(cidr):
        return True
    if cidr.resource is not None and cidr.resource.type == "AWS::EC2::VPC":
        return any(cidr.resource in subnet.vpcs for subnet in subnets) or None
    answers = [contains(cidr, text) for subnet in subnets for text in subnet.resource["CidrBlock"].texts()]
    if not answers or None in answers:
        return None
    return all(answers)


def _is_default_group(group: Identity) -> bool:
    # A VPC stands among security groups as the attribute DefaultSecurityGroup.
    return isinstance(group, Resource) and group.type == "AWS::EC2::VPC"


def holds_service(prefix_list: Text, service: str) -> bool | None:
    """Whether a prefix list is that of a service's gateway endpoint (`dynamodb`, `s3`).

    No CloudFormation attribute gives its id: it is a literal or a parameter, which only the deployment knows, or the
    attribute of a custom resource, which is told by its name.
    """
    hole = prefix_list.hole
    if hole is None or hole.resource is None:
        return None
    if hole.attribute in GATEWAY_SERVICES:
        return hole.attribute == service
    names = hole.resource["PrefixListName"].literals() if _is_prefix_list(hole.resource) else []
    served = {name.rsplit(".", 1)[-1] for name in names if name.startswith("com.amazonaws.")}
    return (service in served) if served else None


def _is_prefix_list(resource: Resource) -> bool:
    return resource.type == "AWS::EC2::PrefixList"
