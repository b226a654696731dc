"""The way from a function to each service that its code may call, hop by hop, each with a verdict and its evidence.

The verdicts: True and False where the templates of the run say so, None where only the deployment decides. A way is
open if it is open from every subnet of the function: Lambda places it in any of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from credential_rules.called_services import answers_for, calls_of, endpoint_name
from credential_rules.endpoint_admission import actions_admitted_by_name, admission
from credential_rules.network_path import (
    PRIVATE_DNS_IS_NOT_OFFERED,
    all_of,
    is_interface,
    leads_to_internet_gateway,
    most_open,
    network_of,
)
from credential_rules.template import Resource
from credential_rules.values import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from credential_rules.index import Endpoint, Function, Identity, Index, Route, Subnet
    from credential_rules.network_path import Network, Opening

Kind: TypeAlias = Literal["subnet", "endpoint", "dns", "egress", "ingress", "policy"]
KINDS: Final[tuple[Kind, ...]] = ("subnet", "endpoint", "dns", "egress", "ingress", "policy")
"""The hops in the order in which a packet, and the call in it, passes them."""

_RANK: Final[dict[bool | None, int]] = {True: 0, None: 1, False: 2}

WHATEVER: Final = "*"
"""The service of a way that stands for calls which cannot be named: the role is not in the run, or allows everything."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One thing that has to be right for a call to arrive, whether it is, and what says so."""

    kind: Kind
    verdict: bool | None
    evidence: str


def _open(kind: Kind, evidence: str) -> Hop:
    return Hop(kind, verdict=True, evidence=evidence)


def _closed(kind: Kind, evidence: str) -> Hop:
    return Hop(kind, verdict=False, evidence=evidence)


def _undecided(kind: Kind, evidence: str) -> Hop:
    return Hop(kind, verdict=None, evidence=evidence)


@dataclass(frozen=True, slots=True)
class Passage:
    """The best way from one subnet: by `endpoint`, or by a way out of the VPC if that is None."""

    subnet: Subnet
    endpoint: Endpoint | None
    hops: tuple[Hop, ...]

    @property
    def verdict(self) -> bool | None:
        """Whether a call from this subnet arrives and is let through."""
        return all_of(hop.verdict for hop in self.hops)

    @property
    def arrives(self) -> bool | None:
        """Whether a call arrives; the endpoint's policy may refuse it then, which is an answer and no time-out."""
        return all_of(hop.verdict for hop in self.hops if hop.kind != "policy")


@dataclass(frozen=True, slots=True)
class Way:
    """The way from a function to a service, by its IAM prefix; `action` is one that its role grants.

    `passages` has one for each subnet of the function that is in the run. `may_be_completed_elsewhere` is true if what
    is missing may be something that is not in the run. `notes` are facts that hinder no call.
    """

    function: Function
    service: str
    action: str
    passages: tuple[Passage, ...]
    may_be_completed_elsewhere: bool
    lacks_subnets: bool
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> bool | None:
        """Whether calls arrive and are let through, from wherever Lambda places the function."""
        found = all_of(passage.verdict for passage in self.passages)
        if found is False:
            return None if self.may_be_completed_elsewhere else False
        return None if self.lacks_subnets or not self.passages else found

    @property
    def obstacle(self) -> str:
        """What keeps calls from arriving on the first passage that is surely closed, in words; empty if none is."""
        for passage in self.passages:
            for hop in passage.hops:
                if hop.verdict is False and hop.kind != "policy":
                    return hop.evidence
        return ""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints that its passages take."""
        return tuple(dict.fromkeys(found.endpoint for found in self.passages if found.endpoint is not None))

    @property
    def hops(self) -> tuple[Hop, ...]:
        """Its hops, those of all subnets taken together: a hop holds if it holds from each."""
        found: list[Hop] = []
        for kind in KINDS:
            same = [hop for passage in self.passages for hop in passage.hops if hop.kind == kind]
            if same:
                evidence = "; ".join(dict.fromkeys(hop.evidence for hop in same))
                found.append(Hop(kind, all_of(hop.verdict for hop in same), evidence))
        if self.lacks_subnets:
            found.insert(0, _undecided("subnet", "a subnet of the function is not part of this run"))
        return tuple(found)


def ways(index: Index, *, named: Callable[[Resource], str] = lambda resource: resource.logical_id) -> list[Way]:
    """For each function in a VPC, the way to each service that its code may call.

    Those are what its role allows, and what an endpoint admits for this very role (asking STS who one is needs no
    permission).

    `named` gives the name of a resource in the evidence: its logical id, if nothing else is said. A function that may
    call what cannot be named has one more way, to `WHATEVER`, which is undecided.
    """
    found: list[Way] = []
    for function in index.functions.values():
        if function.is_in_vpc:
            walk = Walk(index, function, named=named)
            calls = calls_of(index, function)
            services = {**walk.services_admitted_by_name(), **calls.services}
            found += [walk.to(service, action) for service, action in sorted(services.items())]
            if not calls.is_complete:
                found.append(Way(function, WHATEVER, "", (), may_be_completed_elsewhere=True, lacks_subnets=False))
    return found


class Walk:
    """Walks from one function to any service. What does not depend on the service is looked up once.

    `judge_policies` off leaves the policies of endpoints out: they refuse a call that arrives.
    """

    def __init__(
        self,
        index: Index,
        function: Function,
        *,
        named: Callable[[Resource], str] = lambda resource: resource.logical_id,
        judge_policies: bool = True,
    ) -> None:
        self.function = function
        self.subnets = _subnets(index, function.subnets)
        self._index = index
        self._named = named
        self._judge_policies = judge_policies
        self._network: Network = network_of(index)
        self._groups = list(dict.fromkeys(function.security_groups))
        self._vpcs = list(dict.fromkeys(vpc for subnet in self.subnets for vpc in subnet.vpcs))
        self._endpoints = list(
            dict.fromkeys(endpoint for vpc in self._vpcs for endpoint in self._network.endpoints.get(vpc, ()))
        )
        self._has_ipv6 = function.resource["VpcConfig"]["Ipv6AllowedForDualStack"].is_true
        self._lacks_subnets = any(part not in index.subnets for part in function.subnets)
        self._undecided = self._is_undecided()

    def _is_undecided(self) -> bool:
        """Whether something that is not of this run may be the missing piece."""
        return (
            not all(isinstance(vpc, Resource) and vpc.type == "AWS::EC2::VPC" for vpc in self._vpcs)
            or not self._vpcs
            or any(isinstance(table, str) for subnet in self.subnets for table in subnet.route_tables)
            or any(self._network.leads_into_other_networks(subnet) for subnet in self.subnets)
            or any(not endpoint.services for endpoint in self._endpoints)
            or self._network.has_templates_not_given
        )

    def services_admitted_by_name(self) -> dict[str, str]:
        """The services whose endpoints admit this very role, each with one action."""
        return {
            action.partition(":")[0].lower(): action
            for endpoint in self._endpoints
            for action in reversed(actions_admitted_by_name(self._index, self.function, endpoint))
        }

    def to(self, service: str, action: str = "") -> Way:
        """The way to a service, named by its IAM prefix."""
        doors = [door for door in self._endpoints if any(answers_for(name, service) for name in door.services)]
        passages = tuple(self._passage(subnet, service, doors) for subnet in self.subnets)
        notes = dict.fromkeys(note for passage in passages for note in self._notes(passage))
        return Way(
            self.function,
            service,
            action,
            passages,
            may_be_completed_elsewhere=self._undecided,
            lacks_subnets=self._lacks_subnets,
            notes=tuple(notes),
        )

    def _passage(self, subnet: Subnet, service: str, doors: list[Endpoint]) -> Passage:
        """The passage that is the most open: an endpoint before a way out, and what was written first before the rest."""
        found = [Passage(subnet, door, self._through(door, subnet, service)) for door in doors]
        routes = self._network.default_routes(subnet)
        if routes:
            without = "" if doors else ", and its VPC has no endpoint for it"
            found.append(Passage(subnet, None, self._out(routes, subnet, service, without)))
        if found:
            return min(found, key=lambda passage: (_RANK[passage.verdict], _RANK[passage.arrives]))
        missing = (
            f"its VPC has no endpoint for {endpoint_name(service)}, and its subnet '{self._named(subnet.resource)}' no"
            " other way"
        )
        return Passage(subnet, None, (_closed("endpoint", missing),))

    # --- by an endpoint ---

    def _through(self, door: Endpoint, subnet: Subnet, service: str) -> tuple[Hop, ...]:
        if is_interface(door):
            if not door.subnets:
                name = self._named(door.resource)
                return (_closed("endpoint", f"the endpoint '{name}' is in no subnet, so that it has no address"),)
            return (
                self._interface_subnet(door, subnet),
                self._interface(door, service),
                self._dns(door),
                self._egress_to_interface(door),
                self._ingress(door),
                *self._policy(door, service),
            )
        return (
            self._gateway_route(door, subnet),
            _open("endpoint", f"the gateway endpoint '{self._named(door.resource)}' for {service}"),
            self._dns_of_vpc(door.vpcs, "the service's public name resolves", privately=False),
            self._egress_to_gateway(door, service),
            *self._policy(door, service),
        )

    def _interface_subnet(self, door: Endpoint, subnet: Subnet) -> Hop:
        others = [other for other in _subnets(self._index, door.subnets) if other is not subnet]
        return self._past_acls(
            [subnet, *others],
            f"the subnet '{self._named(subnet.resource)}' has the VPC's own route to '{self._named(door.resource)}'",
        )

    def _past_acls(self, subnets: list[Subnet], evidence: str, *, verdict: bool | None = True) -> Hop:
        for subnet in subnets:
            for through, acl in self._network.acl_verdicts(subnet):
                name = f"the network ACL '{self._named(acl)}'" if acl else "a network ACL from elsewhere"
                place = f"the subnet '{self._named(subnet.resource)}'"
                if through is False:
                    return _closed("subnet", f"{name} lets nothing through at {place}")
                if through is None and verdict is not False:
                    verdict = None
                    evidence += f"; what {name} lets through at {place} was not judged"
        return Hop("subnet", verdict, evidence)

    def _interface(self, door: Endpoint, service: str) -> Hop:
        name = self._named(door.resource)
        if door.resource["SubnetIds"].may_be_absent:
            return _undecided("endpoint", f"the endpoint '{name}' has subnets in some branches only")
        places = ", ".join(f"'{self._called(subnet)}'" for subnet in dict.fromkeys(door.subnets))
        return _open("endpoint", f"the interface endpoint '{name}' for {service}, with an address in {places}")

    def _dns(self, door: Endpoint) -> Hop:
        name = self._named(door.resource)
        answers = self._network.answers_to_public_name(door)
        if self._network.has_zone_for(door):
            return self._dns_of_vpc(door.vpcs, f"a hosted zone leads the service's name to '{name}'", privately=True)
        if not PRIVATE_DNS_IS_NOT_OFFERED.isdisjoint(door.services):
            return _undecided("dns", f"the endpoint '{name}' serves only code that calls it by its own name")
        if answers is False:
            return _closed(
                "dns",
                f"the endpoint '{name}' has no private DNS, so that the service's name does not lead to it",
            )
        if answers is None:
            return _undecided("dns", f"whether the endpoint '{name}' has private DNS only the deployment decides")
        return self._dns_of_vpc(door.vpcs, f"private DNS leads the service's name to '{name}'", privately=True)

    def _dns_of_vpc(self, vpcs: Iterable[Identity], evidence: str, *, privately: bool) -> Hop:
        for wanted in (False, None):
            for vpc in vpcs:
                verdict, says = self._network.resolves_names(vpc, privately=privately)
                if verdict is wanted:
                    return Hop("dns", verdict, f"its VPC '{self._called(vpc)}' {says}")
        return _open("dns", evidence)

    def _egress_to_interface(self, door: Endpoint) -> Hop:
        openings = self._network.openings_to_endpoint(self._groups, door)
        return self._egress(openings, f"the endpoint '{self._named(door.resource)}'")

    def _egress_to_gateway(self, door: Endpoint, service: str) -> Hop:
        openings = self._network.openings_to_service(self._groups, service)
        return self._egress(openings, f"the prefix list of the endpoint '{self._named(door.resource)}'")

    def _egress(self, openings: list[Opening], where: str) -> Hop:
        opening = most_open(openings)
        if opening is None:
            return _closed("egress", f"its security groups let no HTTPS out to {where}")
        group = self._called(opening.group)
        if opening.verdict is None:
            return _undecided(
                "egress", f"whether the group '{group}' lets HTTPS out to {where} only the deployment decides"
            )
        if opening.rule is None:
            return _open("egress", f"the group '{group}' states no egress: everything may leave")
        return _open("egress", f"the group '{group}' lets 443 out to {self._side(opening.side)}")

    def _ingress(self, door: Endpoint) -> Hop:
        name = self._named(door.resource)
        opening = most_open(self._network.openings_into(door, self._groups, self.function.subnets))
        if opening is None:
            return _closed("ingress", f"the security group of the endpoint '{name}' does not admit it on port 443")
        group = self._called(opening.group)
        if opening.verdict is None:
            return _undecided(
                "ingress", f"whether the group of the endpoint '{name}' admits it only the deployment decides"
            )
        if opening.rule is None:
            return _open("ingress", f"the default group of '{group}' admits its members")
        return _open("ingress", f"the group '{group}' lets 443 in from {self._side(opening.side)}")

    def _policy(self, door: Endpoint, service: str) -> Iterator[Hop]:
        if not self._judge_policies:
            return
        verdict, says = admission(self._index, self.function, door, service)
        yield Hop("policy", verdict, f"the policy of '{self._named(door.resource)}' {says}")

    def _gateway_route(self, door: Endpoint, subnet: Subnet) -> Hop:
        name, place = self._named(door.resource), self._named(subnet.resource)
        shared = [table for table in door.route_tables if table in subnet.route_tables]
        if not shared and any(isinstance(table, str) for table in door.route_tables):
            return _undecided("subnet", f"the route tables of the gateway endpoint '{name}' are not part of this run")
        if not shared:
            return _closed("subnet", f"the gateway endpoint '{name}' is not in the route table of its subnet '{place}'")
        return self._past_acls(
            [subnet], f"the route table '{self._called(shared[0])}' of the subnet '{place}' leads to '{name}'"
        )

    # --- by a way out ---

    def _out(self, routes: list[Route], subnet: Subnet, service: str, without: str) -> tuple[Hop, ...]:
        place = self._named(subnet.resource)
        if not self._has_ipv6 and all(leads_to_internet_gateway(route) for route in routes):
            # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
            only = (
                f"its subnet '{place}' leads to an Internet gateway only, which serves public addresses, and a function"
                f" never has one{without}"
            )
            return (_closed("subnet", only),)
        nat = next((route for route in routes if route.target_kind == "NatGatewayId"), None)
        route = nat or routes[0]
        leads = f"the route '{self._named(route.resource)}' of the subnet '{place}' leads out of the VPC"
        opening = most_open(self._network.openings_to_service(self._groups, service))
        if opening is None:
            egress = _closed("egress", f"its security groups let no HTTPS out to the service's addresses{without}")
        else:
            egress = self._egress([opening], "the service's addresses")
        return (
            self._past_acls([subnet], leads, verdict=True if nat else None),
            self._dns_of_vpc(subnet.vpcs, "the service's public name resolves", privately=False),
            egress,
        )

    # --- words ---

    def _notes(self, passage: Passage) -> Iterator[str]:
        door = passage.endpoint
        if door is None or not is_interface(door):
            return
        of_door = _subnets(self._index, door.subnets)
        zones = {zone for subnet in of_door if (zone := zone_of(subnet))}
        own = zone_of(passage.subnet)
        if passage.subnet not in of_door and own and zones and own not in zones and len(zones) == len(door.subnets):
            yield (
                f"the endpoint '{self._named(door.resource)}' has no address in the zone of the subnet"
                f" '{self._named(passage.subnet.resource)}': its calls cross zones, and fail when the other zone does"
            )

    def _called(self, part: Identity) -> str:
        return self._named(part) if isinstance(part, Resource) else part

    def _side(self, side: Identity | Text) -> str:
        if not isinstance(side, Text):
            return f"the group '{self._called(side)}'"
        hole = side.hole
        if hole is None or hole.resource is None:
            return side.pattern
        attribute = f".{hole.attribute}" if hole.attribute else ""
        return f"'{self._named(hole.resource)}{attribute}'"


def zone_of(subnet: Subnet) -> str:
    """What tells a subnet's zone from another's: its name, or the expression that chooses it; empty if left out."""
    value = subnet.resource["AvailabilityZone"]
    if not value:
        return ""
    literals = value.literals()
    if literals:
        return literals[0]
    # `Fn::GetAZs` is not followed, but two subnets that choose by the same words choose the same.
    raw = subnet.resource.raw.get("Properties")
    return json.dumps(raw.get("AvailabilityZone") if isinstance(raw, dict) else None, sort_keys=True)


def _subnets(index: Index, parts: Iterable[Identity]) -> list[Subnet]:
    return [index.subnets[part] for part in parts if isinstance(part, Resource) and part in index.subnets]
