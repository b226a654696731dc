"""Writes docs/network.md and docs/network.svg, or says what the network costs.

    python docs/network.py            synthesise with the default settings (a few seconds) and write both
    python docs/network.py --check    the same, but fail if they are out of date
    python docs/network.py --cost eu-central-1 --az-count 3 --endpoints sqs,sts

Everything in them but the prose is computed from the synthesised templates. `--assembly DIR` takes a cloud assembly that
is there already, as the tests do.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

PROJECT: Final = Path(__file__).resolve().parent.parent
# This folder is first when the file is run as a script; what is imported below is found from the project's.
sys.path[0:0] = [str(PROJECT)]

from credential_rules.assembly import construct_paths, parts_below  # noqa: E402 - found by the path above
from credential_rules.barriers import BEYOND, Barrier, Beyond, barriers  # noqa: E402 - as above
from credential_rules.called_services import calls_of  # noqa: E402 - as above
from credential_rules.engine import read  # noqa: E402 - as above
from credential_rules.index import Index  # noqa: E402 - as above
from credential_rules.network_path import GATEWAY_SERVICES, aws_services, is_interface  # noqa: E402 - as above
from credential_rules.reachability import KINDS, Hop, Kind, Way, ways  # noqa: E402 - as above
from docs import network_cost as cost  # noqa: E402 - as above
from docs.network_picture import Node, Picture, svg  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from credential_rules.index import Endpoint, Function, Subnet
    from credential_rules.template import Resource

FOLDER: Final = PROJECT / "docs"

_VERDICTS: Final[dict[bool | None, str]] = {True: "yes", False: "**no**", None: "**undecided**"}
_HOPS: Final[dict[Kind, str]] = {
    "subnet": "Subnet",
    "endpoint": "Endpoint",
    "dns": "Name",
    "egress": "Group out",
    "ingress": "Group in",
    "policy": "Policy",
}
_SERVICE_NAMES: Final = {"dynamodb": "DynamoDB", "s3": "S3", "sqs": "SQS", "sts": "STS"}
_OPTIONAL: Final = "sts"
"""The endpoint that a deployment may leave out: only the API's readiness asks STS."""


@dataclass(frozen=True)
class Network:
    """The network of one synthesised application."""

    index: Index
    paths: dict[tuple[Path, str], str]

    @classmethod
    def of(cls, assembly: Path) -> Network:
        """Read a cloud assembly.

        Raises:
            ValueError: A part of it cannot be read; a page on the rest would say less than holds.
        """
        target = read([assembly])
        if target.errors:
            raise ValueError("; ".join(f"{file}: {error}" for file, error in sorted(target.errors.items())))
        return cls(Index(target.templates, target.sources), construct_paths(parts_below(assembly, {})))

    def name(self, resource: Resource) -> str:
        """Call a resource by its construct's path within its stack: logical ids carry hashes."""
        path = self.paths.get((Path(resource.template.file), resource.logical_id), resource.logical_id)
        steps = path.split("/")[1:] or [path]
        while len(steps) > 1 and steps[-1] in {"Resource", "Default", "Function", "Subnet"}:
            steps.pop()
        return "/".join(step for step in steps if step != "Vpc" or len(steps) == 1)

    @cached_property
    def functions(self) -> list[Function]:
        """The functions in the VPC."""
        return [function for function in self.index.functions.values() if function.is_in_vpc]

    @cached_property
    def outside(self) -> list[Function]:
        """The functions outside of it."""
        return [function for function in self.index.functions.values() if not function.is_in_vpc]

    @cached_property
    def subnets(self) -> list[Subnet]:
        """The subnets."""
        return list(self.index.subnets.values())

    @cached_property
    def endpoints(self) -> list[Endpoint]:
        """The endpoints, by the service's name."""
        return sorted(self.index.endpoints, key=lambda endpoint: aws_services(endpoint)[0])

    @cached_property
    def ways(self) -> list[Way]:
        """Every way from a function to a service."""
        return ways(self.index, named=self.name)

    @cached_property
    def barriers(self) -> list[Barrier]:
        """What no function reaches."""
        return barriers(self.index, named=self.name)

    @property
    def region(self) -> str:
        """Where it would be deployed."""
        return next(template.region for template in self.index.templates if template.region)

    @property
    def cidr(self) -> str:
        """The VPC's addresses."""
        (vpc,) = self.index.resources("AWS::EC2::VPC")
        return vpc["CidrBlock"].literals()[0]


# --- The page ----------------------------------------------------------------------------------------------------


def page(network: Network) -> str:
    """Give the text of docs/network.md."""
    return (
        "\n\n".join(
            [
                "# The network",
                _filled(
                    "Generated by `python docs/network.py` from the synthesised templates of the default settings; a test"
                    " refuses a stale copy."
                ),
                _summary(network),
                "![Functions, subnets, endpoints and services, and what is closed](network.svg)",
                "## Who reaches what",
                _reachability(network),
                "## What says so",
                *_evidence(network),
                "## What cannot be reached",
                _closed(network),
                *_REMAINS,
                *_costs(network),
            ]
        )
        + "\n"
    )


def _summary(network: Network) -> str:
    served = [_called(aws_services(endpoint)[0]) for endpoint in network.endpoints]
    return _filled(
        f"The functions run in a VPC ({network.cidr}) with one isolated subnet in each of {len(network.subnets)}"
        " availability zones, and nothing in it has a public address. Its only doors are the VPC endpoints for"
        f" {_listed(served)}: each admits the functions' security group on port 443, and by its policy each function's"
        " role to the actions that its code needs. There is no Internet gateway, no NAT gateway, no link to another"
        " network and no route out."
    )


def _reachability(network: Network) -> str:
    rows = [
        [
            network.name(way.function.resource),
            _called(way.service),
            *(_VERDICTS[hop.verdict] if (hop := _hop(way, kind)) else "-" for kind in KINDS),
            _VERDICTS[way.verdict],
        ]
        for way in network.ways
    ]
    table = _table(["Function", "Service", *(_HOPS[kind] for kind in KINDS), "Reached"], rows)
    return (
        _filled(
            "Every service that a function's code may call, and each thing that has to be right for the call to arrive"
            " and to be let through. A gateway endpoint is a route, which no security group guards: -."
        )
        + "\n\n"
        + table
    )


def _hop(way: Way, kind: Kind) -> Hop | None:
    return next((hop for hop in way.hops if hop.kind == kind), None)


def _evidence(network: Network) -> Iterable[str]:
    """Per service what the hops rest on; what is said of every function is said once."""
    by_service: dict[str, list[Way]] = defaultdict(list)
    for way in network.ways:
        by_service[way.service].append(way)
    for service, found in sorted(by_service.items()):
        lines = [f"**{_called(service)}**", ""]
        for kind in KINDS:
            said: dict[str, list[str]] = defaultdict(list)
            for way in found:
                hop = _hop(way, kind)
                if hop is not None:
                    said[hop.evidence].append(network.name(way.function.resource))
            for evidence, functions in said.items():
                who = "" if len(functions) == len(found) else f" ({_listed(functions)})"
                lines.append(f"- {_HOPS[kind]}{who}: {_as_code(evidence)}.")
        lines += [f"- Note: {_as_code(note)}." for note in dict.fromkeys(note for way in found for note in way.notes)]
        yield "\n".join(lines)


def _closed(network: Network) -> str:
    said: dict[tuple[str, bool | None, tuple[str, ...]], list[str]] = defaultdict(list)
    for barrier in network.barriers:
        said[barrier.beyond, barrier.stands, barrier.reasons].append(network.name(barrier.function.resource))
    rows = []
    for beyond, what in BEYOND.items():
        for (found, stands, reasons), functions in said.items():
            if found == beyond:
                who = "all functions" if len(functions) == len(network.functions) else _listed(functions)
                rows.append([_capital(what), who, _VERDICTS[stands], _as_code("; ".join(reasons))])
    text = _table(["What lies beyond", "For", "Closed", "Because"], rows)
    return "\n\n".join([text, *_outside(network)])


def _outside(network: Network) -> Iterable[str]:
    """The functions that none of this holds back."""
    if not network.outside:
        return
    tokens = [
        function
        for resources in network.index.by_type.values()
        for resource in resources
        for function in resource["ServiceToken"].resources()
    ]
    lines = ["Not in the VPC, and so not behind any of this:", ""]
    for function in network.outside:
        statements = function.role.statements if function.role else []
        actions = [
            f"`{text.pattern}`"
            for statement in statements
            if statement.kind == "identity" and statement.allows
            for text in statement.actions
            if not text.startswith("logs:")
        ]
        when = "CloudFormation calls it during a deployment" if function.resource in tokens else "it serves requests"
        lines.append(
            f"- `{network.name(function.resource)}`: {when}, and it may call {_listed(sorted(actions)) or 'nothing'}."
        )
    yield "\n".join(lines)


_REMAINS: Final = (
    "## What remains open",
    """\
- **Names.** The VPC's resolver answers to every function, whatever security groups, network ACLs and routes say, and asks
  the world's name servers for names that are not its own. Code that was taken over can put data into the names that it
  asks for (`<data>.example.com`): slow, and a way out. Route 53 Resolver DNS Firewall closes it with a list of the names
  that are needed; this application deploys none: it costs by the query, and a name that the list lacks stops a service.
- **The services themselves.** What a role may write, taken-over code writes: an event into the table, an object into the
  bucket. The endpoints' policies keep it within our account's own table, queue and bucket.
- **Lambda.** Its service runs the functions and takes their answers, logs and metrics from outside of the VPC. What a
  function logs or answers leaves by that, as it should.
- **What changes the network.** Who may change route tables, groups and endpoints can open all of this. No function's code
  can: EC2's API is among what it does not reach.""",
)


# --- What it costs -----------------------------------------------------------------------------------------------


def _costs(network: Network) -> Iterable[str]:
    interfaces = [aws_services(endpoint)[0] for endpoint in network.endpoints if is_interface(endpoint)]
    gateways = [aws_services(endpoint)[0] for endpoint in network.endpoints if not is_interface(endpoint)]
    zones = len(network.subnets)
    price = cost.prices(network.region)
    each = cost.endpoint(price, 1, interface=True)
    yield "## What it costs"
    yield _filled(
        f"List prices in US dollars for a month of {cost.HOURS} hours, from `docs/network_prices.json`, which names their"
        f" date ({network.region}: {price.as_of}) and sources; requests, taxes and discounts are not in them."
        f" The endpoints for {_listed([_called(name) for name in gateways])} are gateway endpoints: free."
        f" Those for {_listed([_called(name) for name in interfaces])} are interface endpoints:"
        f" {_dollars(each.fixed)} each in each zone, and {_dollars(each.per_gb)} for each GB."
    )
    variants = [interfaces, [name for name in interfaces if name != _OPTIONAL]]
    rows = [_cost_row(network.region, count, chosen) for count in (1, 2, 3) for chosen in variants]
    yield _table(_COST_HEADS, [[str(count), *row] for (count, row) in zip((1, 1, 2, 2, 3, 3), rows, strict=True)])
    yield _filled(
        "NAT gateways would carry the same traffic, but to everywhere: that is what they are left out for, not their cost."
        " They are counted with their public address, and with what crosses zones where one serves all. DynamoDB and S3"
        " keep their free endpoints in both cases. Break-even is the traffic to the other services at which both cost the"
        " same."
    )
    yield _filled(f"The default settings ({zones} zones, all endpoints) in other regions:")
    yield _table(
        ["Region", "Prices of", *_COST_HEADS[1:]],
        [
            [region, cost.prices(region).as_of, *_cost_row(region, zones, interfaces)]
            for region in sorted(cost.regions())
        ],
    )
    yield _filled(
        "For other settings: `python docs/network.py --cost eu-central-1 --az-count 3 --endpoints sqs,sts --gb 500`."
        " Zones and endpoints are the settings `az_count` and `endpoints`. An interface endpoint for a service that no"
        " function's role names fails synthesis, by the rule"
        " [function-reaches-what-it-may-call](rules.md#function-reaches-what-it-may-call): it would cost by the hour and be"
        " one more door. The rule passes over an endpoint of STS that lets some role ask who it is, which needs no permission (leave it out with"
        " `-c endpoints=dynamodb,s3,sqs`; then `GET /v1/ready` no longer says whose role answers), and over gateway"
        " endpoints, which cost nothing."
    )


_COST_HEADS: Final = [
    "Zones",
    "Interface endpoints",
    "Endpoints, idle",
    "NAT per zone, idle",
    "Break-even",
    "One NAT, idle",
    "Break-even with one NAT",
]


def _cost_row(region: str, zones: int, interfaces: Sequence[str]) -> list[str]:
    price = cost.prices(region)
    ours = cost.endpoints(price, zones, interfaces)
    per_zone, single = cost.nat(price, zones, gateways=zones), cost.nat(price, zones, gateways=1)
    return [
        ", ".join(_called(name) for name in interfaces),
        _dollars(ours.fixed),
        _dollars(per_zone.fixed),
        _compared(cost.break_even(ours, per_zone)),
        _dollars(single.fixed),
        _compared(cost.break_even(ours, single)),
    ]


_SIDES: Final = {"first": "endpoints", "second": "NAT", "neither": "both"}


def _compared(found: cost.BreakEven) -> str:
    if found.gb is None:
        same = found.below == "neither"
        return "none: they cost the same" if same else f"none: {_SIDES[found.below]} always cheaper"
    return f"{found.gb:.0f} GB: {_SIDES[found.above]} cheaper above"


def bill(region: str, zones: int, services: Sequence[str], gb: Decimal) -> str:
    """Give the cost of a network in words: each endpoint, the NAT alternatives and the break-even."""
    price = cost.prices(region)
    interfaces = [name for name in services if name not in GATEWAY_SERVICES]
    ours = cost.endpoints(price, zones, interfaces)
    zone_words = f"{zones} zone{'s' if zones > 1 else ''}"
    lines = [f"{region}, {zone_words}, list prices of {price.as_of}, US dollars for a month of {cost.HOURS} hours"]
    for name in services:
        one = cost.endpoint(price, zones, interface=name in interfaces)
        kind = "interface" if name in interfaces else "gateway, free"
        each = f" ({_dollars(one.fixed / zones)} in each zone)" if one.fixed else ""
        lines.append(f"  {name} endpoint ({kind}): {_dollars(one.fixed)}{each}")
    lines.append(f"Endpoints together: {_dollars(ours.fixed)} idle, {_dollars(ours.monthly(gb))} with {gb} GB")
    for words, count in dict.fromkeys(
        ((f"NAT gateway in each of {zone_words}", zones), ("One NAT gateway for all", 1))
    ):
        other = cost.nat(price, zones, gateways=count)
        lines.append(
            f"{words}: {_dollars(other.fixed)} idle, {_dollars(other.monthly(gb))} with {gb} GB;"
            f" break-even {_compared(cost.break_even(ours, other))}"
        )
    return "\n".join(lines)


# --- The picture --------------------------------------------------------------------------------------------------


def picture(network: Network) -> Picture:
    """Give what docs/network.svg shows."""
    places = {subnet.resource: position for position, subnet in enumerate(network.subnets)}
    doors = {endpoint.resource: position for position, endpoint in enumerate(network.endpoints)}
    reached = {
        (places[passage.subnet.resource], doors[passage.endpoint.resource])
        for way in network.ways
        for passage in way.passages
        if passage.endpoint is not None and passage.arrives
    }
    placed = {
        (position, places[part])
        for position, function in enumerate(network.functions)
        for part in function.subnets
        if not isinstance(part, str) and part in places
    }
    return Picture(
        title="The network of Rolebound",
        description=_description(network),
        vpc=f"Isolated VPC {network.cidr}: no gateway, no public address",
        functions=tuple(_function_node(network, function) for function in network.functions),
        subnets=tuple(_subnet_node(network, subnet, position) for position, subnet in enumerate(network.subnets)),
        endpoints=tuple(_endpoint_nodes(network, endpoint) for endpoint in network.endpoints),
        placed=frozenset(placed),
        reached=frozenset(reached),
        beyond=(*(_beyond_node(network, beyond) for beyond in _IN_SHORT), (_RESOLVER, False)),
    )


def _function_node(network: Network, function: Function) -> Node:
    own = [way for way in network.ways if way.function is function]
    return Node(network.name(function.resource), (f"calls {_listed([_called(way.service) for way in own])}",))


def _subnet_node(network: Network, subnet: Subnet, position: int) -> Node:
    block = next(iter(subnet.resource["CidrBlock"].literals()), "")
    gateways = [
        _called(aws_services(endpoint)[0])
        for endpoint in network.endpoints
        if set(endpoint.route_tables) & set(subnet.route_tables)
    ]
    others = [
        network.name(route.resource) for route in network.index.routes if set(route.tables) & set(subnet.route_tables)
    ]
    return Node(
        f"Zone {position + 1}: {block}",
        (network.name(subnet.resource), f"routes: {', '.join(['local', *gateways, *others])}"),
    )


def _endpoint_nodes(network: Network, endpoint: Endpoint) -> tuple[Node, Node]:
    service = aws_services(endpoint)[0]
    own = [way for way in network.ways if endpoint in way.endpoints and way.verdict is not False]
    admits = "admits" if all(way.verdict for way in own) else "may admit"
    actions = sorted({action.partition(":")[2] for way in own for action in _actions(network, way)})
    clients = [network.name(way.function.resource) for way in own]
    kind = "interface: an address in each zone" if is_interface(endpoint) else "gateway: a route in each zone, free"
    return (
        Node(network.name(endpoint.resource), (kind, f"{admits} {_listed(clients) or 'nobody'}")),
        Node(_called(service), (_listed(actions),)),
    )


def _actions(network: Network, way: Way) -> list[str]:
    granted = calls_of(network.index, way.function).granted.get(way.service, [])
    return [action for action, _ in granted] or [way.action]


_IN_SHORT: Final[dict[Beyond, str]] = {
    "internet": "no gateway, no route out, no public address",
    "networks": "no peering, transit gateway, VPN or VPC Lattice",
    "services": "EC2's API, for one: no endpoint, no other way",
}
"""What the picture shows as closed, while it is."""

_RESOLVER: Final = Node("Names", ("the VPC's resolver answers to all: see “What remains open”",))


def _beyond_node(network: Network, beyond: Beyond) -> tuple[Node, bool]:
    found = [barrier for barrier in network.barriers if barrier.beyond == beyond]
    open_by = dict.fromkeys(reason for barrier in found if not barrier.stands for reason in barrier.reasons)
    return Node(_capital(BEYOND[beyond]), ("; ".join(open_by) or _IN_SHORT[beyond],)), not open_by


def _description(network: Network) -> str:
    reached: dict[str, list[str]] = defaultdict(list)
    for way in network.ways:
        if way.verdict:
            reached[network.name(way.function.resource)].append(_called(way.service))
    told = " ".join(f"{name} reaches {_listed(services)}." for name, services in reached.items())
    shut = [BEYOND[beyond] for beyond in _IN_SHORT if _beyond_node(network, beyond)[1]]
    return f"Functions in {len(network.subnets)} isolated subnets. {told} No function reaches {_listed(shut, 'or')}."


# --- Words ---------------------------------------------------------------------------------------------------------


def _called(service: str) -> str:
    return _SERVICE_NAMES.get(service, service)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _listed(words: Sequence[str], last: str = "and") -> str:
    unique = list(dict.fromkeys(words))
    return f"{', '.join(unique[:-1])} {last} {unique[-1]}" if len(unique) > 1 else "".join(unique)


def _dollars(amount: Decimal) -> str:
    return f"${amount:.2f}"


def _as_code(evidence: str) -> str:
    return re.sub(r"(?<![\w'])'([^']+)'", r"`\1`", evidence)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))


def _filled(words: str) -> str:
    return textwrap.fill(words, 120, break_long_words=False, break_on_hyphens=False)


# --- The command --------------------------------------------------------------------------------------------------


def files(assembly: Path) -> dict[str, str]:
    """Give both files, by name, as the assembly has them."""
    network = Network.of(assembly)
    return {"network.md": page(network), "network.svg": svg(picture(network))}


def synthesised(folder: Path) -> Path:
    """The default settings, synthesised into a folder by a process that sees no session."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    subprocess.run([sys.executable, "app.py"], cwd=PROJECT, env={**environment, "CDK_OUTDIR": str(folder)}, check=True)
    return folder


def stale(assembly: Path, folder: Path) -> list[str]:
    """Name the files in a folder that are not what the assembly gives."""
    return [
        name
        for name, text in files(assembly).items()
        if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != text
    ]


def write(assembly: Path, folder: Path) -> None:
    """Write both files into a folder."""
    for name, text in files(assembly).items():
        (folder / name).write_text(text, encoding="utf-8")


def _write_or_check(assembly: Path, *, check: bool) -> int:
    if not check:
        write(assembly, FOLDER)
        return 0
    found = stale(assembly, FOLDER)
    if found:
        sys.stderr.write(
            f"Out of date: {', '.join(f'docs/{name}' for name in found)}. A reviewer would read of a network that is not"
            " the one that is deployed. Run `make docs` and commit it.\n"
        )
    return 1 if found else 0


def _traffic(text: str) -> Decimal:
    try:
        gb = Decimal(text)
    except InvalidOperation:
        gb = Decimal(-1)
    if not gb.is_finite() or gb < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of traffic; give GB in a month, such as 250")
    return gb


def _services(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    strange = [name for name in names if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", name)]
    if strange or not names:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of endpoints; give services as in dynamodb,s3,sqs")
    return list(dict.fromkeys(names))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, check them, or print a bill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    parser.add_argument(
        "--assembly", type=Path, help="a cloud assembly of the default settings, instead of synthesising one"
    )
    parser.add_argument("--cost", metavar="REGION", help="print what the network costs there, and nothing else")
    parser.add_argument("--az-count", type=int, default=2, choices=range(1, 4), help="availability zones (2)")
    parser.add_argument(
        "--endpoints", type=_services, default="dynamodb,s3,sqs,sts", help="services, separated by commas (all of them)"
    )
    parser.add_argument(
        "--gb", type=_traffic, default=Decimal(100), help="traffic in a month through interface endpoints"
    )
    options = parser.parse_args(arguments)
    if options.cost:
        try:
            sys.stdout.write(bill(options.cost, options.az_count, options.endpoints, options.gb) + "\n")
        except cost.NoPrices as error:
            sys.stderr.write(f"{error}\n")
            return 1
        return 0
    if options.assembly:
        return _write_or_check(options.assembly, check=options.check)
    with tempfile.TemporaryDirectory() as folder:
        return _write_or_check(synthesised(Path(folder)), check=options.check)


if __name__ == "__main__":
    sys.exit(main())
