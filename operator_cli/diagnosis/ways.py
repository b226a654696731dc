"""Whether a function's calls arrive: the hops of each way that are closed, by what has to be changed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from operator_cli.diagnosis.as_template import table_of
from operator_cli.diagnosis.cause import Cause, Doubt, Likelihood, Slug
from operator_cli.diagnosis.logged_errors import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operator_cli.diagnosis.deployed_function import Facts, Network
    from operator_cli.diagnosis.judgement import Judgement, Step, Way

_HANGS: Final = "A call without a way does not fail: it hangs until a time-out. Credentials and policies play no part."

_WHAT: Final = {
    Slug.MISSING_ENDPOINT: "The function's VPC has no way to {services}: no endpoint for it, and no way out.",
    Slug.ROUTE_TABLE: "The gateway endpoint for {services} is not in the route table of a subnet of the function.",
    Slug.PRIVATE_DNS: (
        "The endpoint for {services} has no private DNS: the name that the SDK calls does not lead to it, but to a public"
        " address."
    ),
    Slug.VPC_DNS: "The function's VPC does not resolve the names that the SDK calls for {services}.",
    Slug.SECURITY_GROUP: "Security groups stop HTTPS on its way from the function to {services}.",
    Slug.NETWORK_ACL: "A network ACL lets nothing through between the function and {services}.",
}
_FIX: Final = {
    Slug.MISSING_ENDPOINT: (
        "Give the VPC an endpoint: {commands}. If the code never calls {services}, take the action from the role."
    ),
    Slug.ROUTE_TABLE: (
        "Add the subnet's route table to the endpoint: aws ec2 modify-vpc-endpoint --vpc-endpoint-id {endpoints}"
        " --add-route-table-ids {tables}"
    ),
    Slug.PRIVATE_DNS: (
        "Switch it on: aws ec2 modify-vpc-endpoint --vpc-endpoint-id {endpoints} --private-dns-enabled (the VPC needs DNS"
        " support and DNS host names)."
    ),
    Slug.VPC_DNS: (
        "Switch both on: aws ec2 modify-vpc-attribute --vpc-id {vpc} --enable-dns-support '{{\"Value\":true}}', then"
        " --enable-dns-hostnames."
    ),
    Slug.SECURITY_GROUP: (
        "Let TCP 443 out of the function's group to the endpoint's group (for a gateway endpoint: to its prefix list), and"
        " into the endpoint's group from the function's."
    ),
    Slug.NETWORK_ACL: (
        "Let TCP 443 out and 1024-65535 back in for the function's subnets, and the reverse for the endpoint's; or give them"
        " the VPC's default ACL."
    ),
}


def way_causes(facts: Facts, judgement: Judgement) -> Iterator[Cause]:
    """Give what closes the ways of the function's calls: one cause for each thing to change."""
    network = facts.network
    if network is None or not network.is_known:
        return
    closed: dict[Slug, list[tuple[Way, Step]]] = {}
    for way in judgement.ways or ():
        if way.verdict is False:
            for step in way.steps:
                # What an endpoint's policy lets through depends on the action: `permissions` judges it.
                if step.verdict is False and step.hop != "policy":
                    closed.setdefault(_slug(way, step, facts, network), []).append((way, step))
    called = {action.partition(":")[0].lower() for call in judgement.calls for action in call.actions}
    for slug, found in closed.items():
        services = sorted({way.service for way, _ in found})
        words = {
            "services": ", ".join(services),
            "endpoints": " ".join(sorted({endpoint for way, _ in found for endpoint in way.endpoints})),
            "tables": " ".join(sorted(_tables(facts, network))),
            "vpc": network.vpc,
            "commands": "; ".join(dict.fromkeys(_made(way, facts, network) for way, _ in found)),
        }
        is_sure = bool(called & set(services)) or not judgement.calls or bool(judgement.unknown_calls)
        yield Cause(
            slug,
            Likelihood.LIKELY if is_sure else Likelihood.POSSIBLE,
            f"{_WHAT[slug].format(**words)} {_HANGS}",
            tuple(dict.fromkeys(f"{way.service}: {step.evidence}" for way, step in found)),
            _FIX[slug].format(**words),
            ("network",),
            frozenset({Kind.TIMEOUT}),
            frozenset(services),
        )


def way_doubts(facts: Facts, judgement: Judgement) -> Iterator[Doubt]:
    """Give the ways of which nobody can tell whether they are open."""
    if facts.network is None:
        return
    if not facts.network.is_known:
        yield Doubt("Whether its calls arrive: a part of its network was not read.")
        return
    policies = {one["VpcEndpointId"]: one.get("PolicyDocument") for one in facts.network.endpoints or ()}
    for way in judgement.ways or ():
        for endpoint in way.endpoints:
            if not policies.get(endpoint):
                yield Doubt(
                    f"Whether the policy of {endpoint} lets its calls to {way.service} through: EC2 does not tell it."
                )
        if way.verdict is None:
            unknown = [step.evidence for step in way.steps if step.verdict is not True]
            why = unknown[0] if unknown else "a part of its network leads elsewhere"
            yield Doubt(f"Whether its calls to {way.service} arrive: {why}.")


def _slug(way: Way, step: Step, facts: Facts, network: Network) -> Slug:
    if step.hop in {"egress", "ingress"}:
        return Slug.SECURITY_GROUP
    if step.hop == "dns":
        without = {
            endpoint["VpcEndpointId"]
            for endpoint in network.endpoints or ()
            if endpoint.get("PrivateDnsEnabled") is False
        }
        return Slug.PRIVATE_DNS if without & set(way.endpoints) else Slug.VPC_DNS
    if step.hop == "subnet" and way.endpoints:
        return Slug.NETWORK_ACL if _is_routed(way, facts, network) else Slug.ROUTE_TABLE
    return Slug.MISSING_ENDPOINT


def _made(way: Way, facts: Facts, network: Network) -> str:
    """Give the command that makes the endpoint for a service."""
    command = (
        f"aws ec2 create-vpc-endpoint --vpc-id {network.vpc}"
        f" --service-name com.amazonaws.{facts.region}.{way.endpoint_name}"
    )
    if way.takes_gateway:
        return f"{command} --vpc-endpoint-type Gateway --route-table-ids {' '.join(sorted(_tables(facts, network)))}"
    subnets = " ".join(facts.configuration["VpcConfig"].get("SubnetIds", ()))
    return (
        f"{command} --vpc-endpoint-type Interface --private-dns-enabled --subnet-ids {subnets} --security-group-ids GROUP"
        " (one that lets TCP 443 in from the function's, and that the function's lets it out to)"
    )


def _is_routed(way: Way, facts: Facts, network: Network) -> bool:
    """Whether the route tables are in order, so that only a network ACL is left to stop a packet at its subnet."""
    tables = _tables(facts, network)
    return all(
        endpoint.get("VpcEndpointType") == "Interface" or tables <= set(endpoint.get("RouteTableIds", ()))
        for endpoint in network.endpoints or ()
        if endpoint["VpcEndpointId"] in way.endpoints
    )


def _tables(facts: Facts, network: Network) -> set[str]:
    return {table_of(subnet, network) for subnet in facts.configuration["VpcConfig"].get("SubnetIds", ())}
