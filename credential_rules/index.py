"""What belongs together in a set of templates: policies, roles, functions and their way through the network.

Built once per run; each part only when a rule asks for it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from credential_rules.branches import branch_of
from credential_rules.policies import Statement, statements_of
from credential_rules.sam_policies import sam_policy_statements
from credential_rules.sources import LAYERS
from credential_rules.template import Node, Resource, Template, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credential_rules.branches import Branch
    from credential_rules.sources import Source
    from credential_rules.values import Text

Identity: TypeAlias = "Resource | str"
"""What a reference stands for: a resource of the run, else its text (`vpc-0123`, `${VpcId}`)."""

# The region may be anything, also a parameter; the service has to be known.
_SERVICE_NAME = re.compile(r"(?:^|\.)amazonaws\.(?:\$\{[^}]*\}|[^.${]+)\.([^${]+)$")
_FUNCTIONS: Final = ("AWS::Lambda::Function", "AWS::Serverless::Function")


def identity(text: Text) -> Identity:
    """The resource that `text` refers to, else its text: equal for everything that is surely the same."""
    return text.resource or text.pattern


@dataclass(eq=False)
class Role:
    """A role and what it may do, gathered from wherever it was attached.

    `resource` is the `AWS::IAM::Role`, or the SAM function for which SAM makes a role. `managed_policies` are the ARNs
    or names attached, each with its place; policies of this run among them are already part of `statements`.
    """

    resource: Resource
    trust: list[Statement] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    managed_policies: list[tuple[Value, Text]] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)


@dataclass(eq=False)
class Function:
    """A Lambda or SAM function. `role` is None if its role is not part of this run; `resource["Role"]` says what it is.

    `layers` are those of its layers that are part of this run, and `layer_sources` what was read of their code.
    """

    resource: Resource
    role: Role | None
    sources: list[Source] = field(default_factory=list)
    layers: list[Resource] = field(default_factory=list)
    layer_sources: list[Source] = field(default_factory=list)

    @property
    def environment(self) -> Value:
        """The mapping of environment variables."""
        return self.resource["Environment"]["Variables"]

    @property
    def is_in_vpc(self) -> bool:
        """Whether some branch gives it subnets."""
        return bool(self.resource["VpcConfig"]["SubnetIds"])

    @property
    def subnets(self) -> list[Identity]:
        """Its subnets."""
        return [identity(text) for text in self.resource["VpcConfig"]["SubnetIds"].texts()]

    @property
    def security_groups(self) -> list[Identity]:
        """Its security groups."""
        return [identity(text) for text in self.resource["VpcConfig"]["SecurityGroupIds"].texts()]


@dataclass(eq=False)
class NetworkRule:
    """One rule of a security group. `value` is where it was written, within the group or as a resource of its own.

    `ports` is None for all ports, `protocol` `-1` for all. `cidrs` and `prefix_lists` are texts, `groups` the security
    groups on the other side. An unknown port gives `ports_are_unknown`.
    """

    value: Value
    protocol: str
    ports: tuple[int, int] | None
    ports_are_unknown: bool
    cidrs: list[Text]
    prefix_lists: list[Text]
    groups: list[Identity]

    def covers(self, port: int) -> bool:
        """Whether TCP traffic on `port` falls under it, as far as its ports are known."""
        if self.protocol not in {"-1", "tcp", "6", "all", ""}:
            return False
        return self.ports is None or self.ports[0] <= port <= self.ports[1]


@dataclass(eq=False)
class SecurityGroup:
    """A security group with the rules stated in it and those that stand alone.

    `egress_is_stated` is False if nobody stated any egress: then everything may leave (CloudFormation's default).
    """

    resource: Resource
    ingress: list[NetworkRule] = field(default_factory=list)
    egress: list[NetworkRule] = field(default_factory=list)
    egress_is_stated: bool = False

    @property
    def vpcs(self) -> list[Identity]:
        """The VPC, one per branch."""
        return [identity(text) for text in self.resource["VpcId"].texts()]


@dataclass(eq=False)
class Route:
    """One route: `table` is its route table, `target_kind` the property that names the target (`NatGatewayId`)."""

    resource: Resource
    tables: list[Identity]
    destinations: list[Text]
    target_kind: str


@dataclass(eq=False)
class Subnet:
    """A subnet with its VPC and the route tables associated with it (none: the VPC's main table)."""

    resource: Resource
    vpcs: list[Identity]
    route_tables: list[Identity] = field(default_factory=list)


@dataclass(eq=False)
class Endpoint:
    """A VPC endpoint. `services` are short names (`sqs`, `dynamodb`, `ecr.api`); an undecided one is left out."""

    resource: Resource
    services: list[str]
    kinds: list[str]
    vpcs: list[Identity]
    subnets: list[Identity]
    security_groups: list[Identity]
    route_tables: list[Identity]


class Index:
    """The templates and sources of one run, linked: exports with imports, nested stacks with their parents."""

    def __init__(self, templates: Iterable[Template], sources: Iterable[Source] = ()) -> None:
        self.templates = tuple(templates)
        self.sources = tuple(sources)
        self._statements: dict[Resource, list[Statement]] = {}
        _link(self.templates)

    @cached_property
    def by_type(self) -> dict[str, list[Resource]]:
        """The resources of all templates by type."""
        found: dict[str, list[Resource]] = defaultdict(list)
        for template in self.templates:
            for resource in template.resources.values():
                found[resource.type].append(resource)
        return dict(found)

    def resources(self, *types: str) -> list[Resource]:
        """The resources of the given types, in the templates' order."""
        return [resource for kind in types for resource in self.by_type.get(kind, ())]

    def statements(self, resource: Resource) -> list[Statement]:
        """Every policy statement that `resource` holds, SAM's policy templates included."""
        known = self._statements.get(resource)
        if known is None:
            known = self._statements[resource] = [*statements_of(resource), *sam_policy_statements(resource)]
        return known

    # --- roles and functions ---

    @cached_property
    def roles(self) -> dict[Resource, Role]:
        """The roles by their resource, with everything that is attached to them anywhere in the run."""
        found = {resource: Role(resource) for resource in self.resources("AWS::IAM::Role")}
        for resource in self.resources("AWS::Serverless::Function"):
            if not resource["Role"]:
                found[resource] = Role(resource)
        by_name: dict[str, Role] = {}
        for resource, role in found.items():
            for statement in self.statements(resource):
                (role.trust if statement.kind == "trust" else role.statements).append(statement)
            arns = resource["ManagedPolicyArns"] if resource.type == "AWS::IAM::Role" else resource["Policies"]
            # SAM's policy templates and documents stand in the same list as ARNs and names, as mappings of any key.
            role.managed_policies = [(value, text) for value, text in arns.located_texts() if not value.is_mapping]
            for name in resource["RoleName"].literals():
                by_name[name] = role
        self._attach_policies(found, by_name)
        return found

    def _attach_policies(self, roles: dict[Resource, Role], by_name: dict[str, Role]) -> None:
        for policy in self.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
            attached = policy["RoleName"] if policy.type == "AWS::IAM::RolePolicy" else policy["Roles"]
            places: dict[tuple[Role, tuple[Branch, ...]], None] = {}
            for value, text in attached.located_texts():
                role = _role(text, roles, by_name)
                if role is not None:
                    places[role, branch_of(value)] = None
            for role, branch in places:
                role.statements.extend(_attached(self.statements(policy), branch))
        for role in roles.values():
            for value, text in role.managed_policies:
                policy_resource = text.resource
                if policy_resource is not None and policy_resource.type == "AWS::IAM::ManagedPolicy":
                    role.statements.extend(_attached(self.statements(policy_resource), branch_of(value)))

    @cached_property
    def functions(self) -> dict[Resource, Function]:
        """The functions by their resource, with their role and source."""
        found: dict[Resource, Function] = {}
        for resource in self.resources(*_FUNCTIONS):
            role = self.roles.get(resource)
            for candidate in resource["Role"].resources():
                role = self.roles.get(candidate, role)
            found[resource] = function = Function(resource, role)
            if role is not None:
                role.functions.append(function)
        of_layers: dict[Resource, list[Source]] = defaultdict(list)
        for source in self.sources:
            for resource in source.functions:
                if resource in found:
                    found[resource].sources.append(source)
                else:
                    of_layers[resource].append(source)
        for function in found.values():
            function.layers = [layer for layer in function.resource["Layers"].resources() if layer.type in LAYERS]
            function.layer_sources = [source for layer in function.layers for source in of_layers.get(layer, ())]
        return found

    # --- network ---

    @cached_property
    def security_groups(self) -> dict[Resource, SecurityGroup]:
        """The security groups by their resource, stand-alone rules included."""
        found = {resource: SecurityGroup(resource) for resource in self.resources("AWS::EC2::SecurityGroup")}
        for resource, group in found.items():
            for value in resource["SecurityGroupIngress"].each():
                group.ingress.append(_network_rule(value, "ingress"))
            egress = resource["SecurityGroupEgress"]
            group.egress_is_stated = bool(egress)
            for value in egress.each():
                group.egress.append(_network_rule(value, "egress"))
        for resource in self.resources("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"):
            direction: Literal["ingress", "egress"] = "ingress" if resource.type.endswith("Ingress") else "egress"
            for owner in resource["GroupId"].resources():
                owned = found.get(owner)
                if owned is not None:
                    rule = _network_rule(resource.properties, direction)
                    (owned.ingress if direction == "ingress" else owned.egress).append(rule)
                    owned.egress_is_stated = owned.egress_is_stated or direction == "egress"
        return found

    @cached_property
    def subnets(self) -> dict[Resource, Subnet]:
        """The subnets by their resource."""
        found = {
            resource: Subnet(resource, _identities(resource["VpcId"]))
            for resource in self.resources("AWS::EC2::Subnet")
        }
        for association in self.resources("AWS::EC2::SubnetRouteTableAssociation"):
            for resource in association["SubnetId"].resources():
                if resource in found:
                    found[resource].route_tables.extend(_identities(association["RouteTableId"]))
        return found

    @cached_property
    def routes(self) -> list[Route]:
        """Every route."""
        found: list[Route] = []
        for resource in self.resources("AWS::EC2::Route"):
            destinations = [
                text
                for name in ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
                for text in resource[name].texts()
            ]
            kinds = [
                key for key, _ in resource.properties.entries() if not key.startswith(("Destination", "RouteTable"))
            ]
            found.append(
                Route(resource, _identities(resource["RouteTableId"]), destinations, kinds[0] if kinds else "")
            )
        return found

    @cached_property
    def endpoints(self) -> list[Endpoint]:
        """Every VPC endpoint."""
        return [
            Endpoint(
                resource,
                services=[name for text in resource["ServiceName"].texts() if (name := _service(text))],
                kinds=[text.pattern for text in resource["VpcEndpointType"].texts()] or ["Gateway"],
                vpcs=_identities(resource["VpcId"]),
                subnets=_identities(resource["SubnetIds"]),
                security_groups=_identities(resource["SecurityGroupIds"]),
                route_tables=_identities(resource["RouteTableIds"]),
            )
            for resource in self.resources("AWS::EC2::VPCEndpoint")
        ]


def _attached(statements: list[Statement], branch: tuple[Branch, ...]) -> list[Statement]:
    """The statements of a policy, with the conditions under which it is attached."""
    return [replace(statement, attached=branch) for statement in statements] if branch else statements


def _role(text: Text, roles: dict[Resource, Role], by_name: dict[str, Role]) -> Role | None:
    resource = text.resource
    return roles.get(resource) if resource is not None else by_name.get(text.literal or "")


def _identities(value: Value) -> list[Identity]:
    return [identity(text) for text in value.texts()]


def _service(text: Text) -> str:
    """`sqs` of `com.amazonaws.${AWS::Region}.sqs`, `ecr.api` of `com.amazonaws.eu-west-1.ecr.api`; empty if undecided."""
    found = _SERVICE_NAME.search(text.pattern)
    return found[1] if found else ""


def _network_rule(value: Value, direction: Literal["ingress", "egress"]) -> NetworkRule:
    protocol = (value["IpProtocol"].literals() or [""])[0].lower()
    low, high = value["FromPort"], value["ToPort"]
    lows = [int(text) for text in low.literals() if text.lstrip("-").isdecimal()]
    highs = [int(text) for text in (high or low).literals() if text.lstrip("-").isdecimal()]
    unknown = bool(low) and not (lows and highs)
    # -1 stands for every port, as does leaving the ports out.
    ports = (min(lows), max(highs)) if lows and highs and min(lows) >= 0 and protocol != "-1" else None
    side = "Source" if direction == "ingress" else "Destination"
    return NetworkRule(
        value=value,
        protocol=protocol,
        ports=ports,
        ports_are_unknown=unknown,
        cidrs=[*value["CidrIp"].texts(), *value["CidrIpv6"].texts()],
        prefix_lists=value[f"{side}PrefixListId"].texts(),
        groups=[identity(text) for text in value[f"{side}SecurityGroupId"].texts()],
    )


# --- linking ------------------------------------------------------------------------------------------------------


def _link(templates: tuple[Template, ...]) -> None:
    _link_nested(templates)
    exports: dict[str, Node] = {}
    stacks = {template.stack_name: template for template in templates if template.stack_name}

    def stack_output(stack: str, output: str) -> Node | None:
        template = stacks.get(stack)
        written = template.section("Outputs").get(output) if template else None
        if template is None or not isinstance(written, dict) or "Value" not in written:
            return None
        return Node(template, written["Value"], (), None)

    for template in templates:
        template.export = exports.get
        template.stack_output = stack_output
    for template in templates:
        for name, node in _exports(template):
            exports.setdefault(name, node)


def _exports(template: Template) -> Iterator[tuple[str, Node]]:
    for name, output in template.section("Outputs").items():
        if isinstance(output, dict) and "Export" in output and "Value" in output:
            for text in template.at("Outputs", name, "Export", "Name").texts():
                yield text.pattern, Node(template, output["Value"], (), None)


def _link_nested(templates: tuple[Template, ...]) -> None:
    by_path = {_resolved(template.file): template for template in templates}
    for template in templates:
        for resource in template.resources.values():
            if resource.type in {"AWS::CloudFormation::Stack", "AWS::Serverless::Application"}:
                child = _child(resource, by_path)
                if child is not None and child is not template:
                    # Instantiated twice: parameters then have several values, and we follow none of them.
                    child.parent = resource if child.parent is None and not child.is_shared else None
                    child.is_shared = child.is_shared or child.parent is None
                    template.children[resource.logical_id] = child


def _child(resource: Resource, by_path: dict[str, Template]) -> Template | None:
    template = resource.template
    for text in (resource["TemplateURL"] or resource["Location"]).texts():
        tail = text.pattern.rsplit("/", 1)[-1]
        asset = template.assets.get(tail)
        if asset is not None:
            return by_path.get(_resolved(str(asset)))
        if text.literal is not None and not text.literal.startswith(("http", "s3:")):
            return by_path.get(_resolved(str(template.directory / text.literal)))
    return None


def _resolved(file: str) -> str:
    # Not Path.resolve: thousands of files would pay for a system call each.
    from os.path import abspath  # noqa: PLC0415 (its only use)

    return abspath(file)  # noqa: PTH100 (see above)
