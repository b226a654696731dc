"""What a function in a closed network cannot reach, and what says so.

The opposite of `reachability`, and judged as strictly: a barrier stands (True) only if the templates of the run say it,
falls (False) if they open a way, and is undecided (None) where only the deployment decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from credential_rules.network_path import (
    LINKING_ENDPOINTS,
    LINKS_TO_OTHER_NETWORKS,
    all_of,
    any_of,
    aws_services,
    egress_of,
    holds_service,
    is_interface,
    leads_everywhere,
    leads_to_internet_gateway,
    leads_to_other_network,
    may_lack_egress,
    network_of,
)
from credential_rules.reachability import Walk
from credential_rules.template import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credential_rules.index import Function, Identity, Index, NetworkRule, Route

Beyond: TypeAlias = Literal["internet", "networks", "services", "neighbours", "default-group", "inwards"]
BEYOND: Final[dict[Beyond, str]] = {
    "internet": "the Internet",
    "networks": "other VPCs and networks",
    "services": "AWS services without an endpoint",
    "neighbours": "anything else in the VPC",
    "default-group": "the VPC's default security group",
    "inwards": "the function, from within the VPC",
}
"""What lies behind each barrier. The last one stands in the other way: it keeps others from the function."""

_OUT_OF_THE_VPC: Final = frozenset(
    {"NatGatewayId", "EgressOnlyInternetGatewayId", "CarrierGatewayId", "LocalGatewayId"}
)
_NOWHERE: Final = frozenset({"127.0.0.1/32", "255.255.255.255/32"})
"""How CloudFormation's users write a rule that lets nothing out: a group that states none lets everything out."""

_WITHOUT_ENDPOINT: Final = "ec2"
"""The service that stands for all without an endpoint: its API can change the network itself."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """One thing that a function must not reach: whether it surely does not, and the reasons, each a sentence."""

    function: Function
    beyond: Beyond
    stands: bool | None
    reasons: tuple[str, ...]


def barriers(index: Index, *, named: Callable[[Resource], str] = lambda resource: resource.logical_id) -> list[Barrier]:
    """The barriers around each function in a VPC, in the order of `BEYOND`."""
    return [
        barrier
        for function in index.functions.values()
        if function.is_in_vpc
        for barrier in _Around(index, function, named).all()
    ]


class _Around:
    """What surrounds one function."""

    def __init__(self, index: Index, function: Function, named: Callable[[Resource], str]) -> None:
        self._index = index
        self._function = function
        self._named = named
        self._network = network_of(index)
        self._walk = Walk(index, function, named=named)
        self._subnets = self._walk.subnets
        self._vpcs = list(dict.fromkeys(vpc for subnet in self._subnets for vpc in subnet.vpcs))
        self._routes = [
            route
            for table in dict.fromkeys(table for subnet in self._subnets for table in subnet.route_tables)
            for route in self._network.routes.get(table, ())
        ]
        self._endpoints = [door for vpc in self._vpcs for door in self._network.endpoints.get(vpc, ())]
        self._groups = list(dict.fromkeys(function.security_groups))
        parts = [*function.subnets, *self._groups, *self._vpcs]
        self._knows_all = (
            bool(self._subnets)
            and all(part in index.subnets for part in function.subnets)
            and all(isinstance(part, Resource) for part in parts)
            and all(subnet.route_tables for subnet in self._subnets)
            and not any(isinstance(table, str) for subnet in self._subnets for table in subnet.route_tables)
            and not self._network.has_templates_not_given
        )

    def all(self) -> Iterator[Barrier]:
        """Every barrier."""
        judges: dict[Beyond, Callable[[], tuple[bool | None, list[str]]]] = {
            "internet": self._internet,
            "networks": self._networks,
            "services": self._services,
            "neighbours": self._neighbours,
            "default-group": self._default_group,
            "inwards": self._inwards,
        }
        for beyond, judge in judges.items():
            stands, reasons = judge()
            if stands and not self._knows_all:
                stands, reasons = None, [*reasons, "a part of its network is not in this run"]
            yield Barrier(self._function, beyond, stands, tuple(reasons))

    def _internet(self) -> tuple[bool | None, list[str]]:
        out = [route for route in self._routes if _leads_out(route)]
        public = [subnet for subnet in self._subnets if subnet.resource["MapPublicIpOnLaunch"].is_true]
        gateways = self._index.resources("AWS::EC2::InternetGateway", "AWS::EC2::NatGateway")
        reasons = [
            *(f"the route '{self._named(route.resource)}' leads out of the VPC" for route in out),
            *(f"the subnet '{self._named(subnet.resource)}' gives public addresses" for subnet in public),
        ]
        if reasons:
            return False, reasons
        there_is = "there is no Internet or NAT gateway" if not gateways else "its route tables lead to no gateway"
        return True, [there_is, "no route leads out of the VPC", "no subnet gives a public address"]

    def _networks(self) -> tuple[bool | None, list[str]]:
        routes = [(route, leads_to_other_network(route)) for route in self._routes]
        links = self._index.resources(*LINKS_TO_OTHER_NETWORKS)
        doors = [door for door in self._endpoints if not LINKING_ENDPOINTS.keys().isdisjoint(door.kinds)]
        reasons = [
            *(
                f"the route '{self._named(route.resource)}' leads to another network"
                for route, leads in routes
                if leads
            ),
            *(f"'{self._named(link)}' is {LINKS_TO_OTHER_NETWORKS[link.type].partition(':')[0]}" for link in links),
            *(f"the endpoint '{self._named(door.resource)}' leads to another network" for door in doors),
        ]
        if reasons:
            return False, reasons
        unknown = [route for route, leads in routes if leads is None]
        if unknown:
            return None, [
                f"the route '{self._named(unknown[0].resource)}' leads to a gateway that is not part of this run"
            ]
        return True, [
            "no peering, transit gateway, VPN, Cloud WAN or VPC Lattice joins the VPC, and no route leads to any"
        ]

    def _services(self) -> tuple[bool | None, list[str]]:
        way = self._walk.to(_WITHOUT_ENDPOINT)
        if way.verdict is not False:
            return (False if way.verdict else None), [f"a call of {_WITHOUT_ENDPOINT} may arrive"]
        served = sorted({name for door in self._endpoints for name in aws_services(door)})
        return True, [
            f"the VPC has endpoints for {', '.join(served)} only" if served else "the VPC has no endpoint",
            f"{_WITHOUT_ENDPOINT}, for one, is not reached: {way.obstacle}",
        ]

    def _neighbours(self) -> tuple[bool | None, list[str]]:
        answers: list[tuple[bool | None, str]] = []
        for group in self._groups:
            rules = egress_of(self._index, group)
            known = self._index.security_groups.get(group) if isinstance(group, Resource) else None
            if rules is None or known is None:
                answers.append((None, f"the group '{self._called(group)}' is not part of this run"))
            elif may_lack_egress(known):
                answers.append((False, f"the group '{self._called(group)}' lets everything out"))
            else:
                answers += [self._leads_to_an_endpoint(group, rule) for rule in rules]
        stands = all_of(verdict for verdict, _ in answers) if answers else False
        wanted = [text for verdict, text in answers if verdict is stands and text]
        return stands, list(dict.fromkeys(wanted)) or ["its groups let nothing out at all"]

    def _leads_to_an_endpoint(self, group: Identity, rule: NetworkRule) -> tuple[bool | None, str]:
        who = f"the group '{self._called(group)}' lets out"
        doors = {group for door in self._endpoints if is_interface(door) for group in door.security_groups}
        if rule.groups and not rule.cidrs and not rule.prefix_lists and all(other in doors for other in rule.groups):
            names = ", ".join(f"'{self._called(other)}'" for other in rule.groups)
            return True, f"{who} to the endpoints' group {names}"
        if rule.prefix_lists and not rule.cidrs and not rule.groups:
            served = [name for door in self._endpoints if not is_interface(door) for name in aws_services(door)]
            holds = {any_of(holds_service(text, name) for name in served) for text in rule.prefix_lists}
            lists = ", ".join(f"'{text.pattern}'" for text in rule.prefix_lists)
            if holds == {True}:
                named = sorted(name for name in set(served) for text in rule.prefix_lists if holds_service(text, name))
                return True, f"{who} to the prefix list of {', '.join(named)}"
            return (False if False in holds else None), f"{who} to the prefix list {lists}"
        blocks = {text.literal for text in rule.cidrs}
        if rule.cidrs and blocks <= _NOWHERE and not rule.groups and not rule.prefix_lists:
            return True, ""
        sides = [text.pattern for text in rule.cidrs] + [self._called(other) for other in rule.groups]
        undecided = any(text.is_undecided for text in rule.cidrs) or any(isinstance(one, str) for one in rule.groups)
        return (None if undecided else False), f"{who} to {', '.join(sides) or 'a side that is not known'}"

    def _default_group(self) -> tuple[bool | None, list[str]]:
        inside = [group for group in self._groups if isinstance(group, Resource) and group.type == "AWS::EC2::VPC"]
        doors = [door for door in self._endpoints if is_interface(door) and not door.security_groups]
        named = [
            resource
            for resource in self._index.resources("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")
            if any(owner.type == "AWS::EC2::VPC" for owner in resource["GroupId"].resources())
        ]
        reasons = [
            *(f"the function is in the default group of '{self._named(vpc)}'" for vpc in inside),
            *(f"the endpoint '{self._named(door.resource)}' is in the default group" for door in doors),
            *(f"'{self._named(rule)}' adds a rule to the default group" for rule in named),
        ]
        if reasons:
            return False, reasons
        return True, [
            "neither a function nor an endpoint is in it, and no rule names it",
            *(
                f"'{self._named(resource)}' takes away, at deployment, the rules it is born with"
                for resource in self._network.emptied_default_groups.values()
            ),
        ]

    def _inwards(self) -> tuple[bool | None, list[str]]:
        admitted: list[str] = []
        for group in self._groups:
            known = self._index.security_groups.get(group) if isinstance(group, Resource) else None
            if known is None:
                return None, [f"the group '{self._called(group)}' is not part of this run"]
            if known.ingress:
                admitted.append(f"the group '{self._called(group)}' lets traffic in")
        return (
            (False, admitted)
            if admitted
            else (True, ["its groups have no ingress rule; Lambda starts it from outside"])
        )

    def _called(self, part: Identity) -> str:
        return self._named(part) if isinstance(part, Resource) else part


def _leads_out(route: Route) -> bool:
    inside = route.target_kind == "VpcEndpointId"
    return not inside and (
        route.target_kind in _OUT_OF_THE_VPC or leads_to_internet_gateway(route) or leads_everywhere(route)
    )
