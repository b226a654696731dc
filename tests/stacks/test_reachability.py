"""Every function reaches what it may call, by hops that are each needed, and nothing else."""

from __future__ import annotations

import time
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

import pytest

from credential_rules import function_reaches_what_it_may_call as reaches
from credential_rules.barriers import BEYOND, barriers
from credential_rules.engine import Target, judge
from credential_rules.index import Index
from credential_rules.reachability import ways
from credential_rules.template import Template
from stacks.settings import Function, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credential_rules.template import Resource
    from tests.stacks.cloud_assembly import Assembly

Resources = dict[str, Any]

GATEWAYS: Final = {"dynamodb", "s3"}
INTERFACES: Final = {"sqs", "sts"}
EVERY: Final = GATEWAYS | INTERFACES


def _templates(assembly: Assembly, mutate: Callable[[Resources], None] | None = None) -> list[Template]:
    found = []
    for part in assembly.templates.values():
        content = deepcopy(part.content)
        if mutate is not None:
            mutate(content["Resources"])
        found.append(Template(f"{part.stack}.json", content, stack_name=part.stack, region=assembly.region))
    return found


def _index(assembly: Assembly, mutate: Callable[[Resources], None] | None = None) -> Index:
    return Index(_templates(assembly, mutate))


def _of_type(resources: Resources, kind: str) -> Iterator[dict[str, Any]]:
    return (resource["Properties"] for resource in resources.values() if resource["Type"] == kind)


def _endpoints(resources: Resources, service: str) -> Iterator[dict[str, Any]]:
    for properties in _of_type(resources, "AWS::EC2::VPCEndpoint"):
        name = properties["ServiceName"]
        if (name if isinstance(name, str) else name["Fn::Join"][1][-1]).endswith(f".{service}"):
            yield properties


def _called(function: Resource) -> str:
    return function["FunctionName"].literals()[0].rpartition("-")[2]


def test_every_way_of_the_table_of_permissions_is_open(deployment: Assembly) -> None:
    """What the functions' roles and the endpoints admit is reached, from every subnet, and is decided before deployment."""
    found = {(_called(way.function.resource), way.service): way for way in ways(_index(deployment))}
    declared = {
        (Function.API, Service.DYNAMODB),
        (Function.API, Service.S3),
        (Function.API, Service.SQS),
        (Function.AUTHORIZER, Service.DYNAMODB),
        (Function.WORKER, Service.DYNAMODB),
        (Function.SWEEPER, Service.DYNAMODB),
        (Function.SWEEPER, Service.SQS),
        *([(Function.API, Service.STS)] if "endpoints" not in deployment.context else []),
    }
    assert found.keys() == declared
    for way in found.values():
        assert {hop.verdict for hop in way.hops if hop.kind != "policy"} == {True}
        (policy,) = (hop for hop in way.hops if hop.kind == "policy")
        # Whether the account belongs to the organisation that is set, no template can tell.
        of_organisation = "organization" in deployment.context
        assert policy.verdict is (None if of_organisation else True)
        assert ("if aws:PrincipalOrgID is o-" in policy.evidence) is of_organisation


def test_no_function_reaches_anything_else(deployment: Assembly) -> None:
    """The Internet, other networks, other services, its neighbours and the default group: every barrier stands."""
    found = barriers(_index(deployment))
    assert {barrier.beyond for barrier in found} == set(BEYOND)
    assert [(barrier.function, barrier.beyond, barrier.reasons) for barrier in found if not barrier.stands] == []


# --- each hop is needed -------------------------------------------------------------------------------------------


def _take_door(service: str) -> Callable[[Resources], None]:
    def mutate(resources: Resources) -> None:
        for name, resource in list(resources.items()):
            if resource["Properties"] in list(_endpoints(resources, service)):
                del resources[name]

    return mutate


def _set(kind: str, **properties: Any) -> Callable[[Resources], None]:  # noqa: ANN401 - as the template has them
    def mutate(resources: Resources) -> None:
        for found in _of_type(resources, kind):
            found.update(properties)

    return mutate


def _set_door(service: str, **properties: Any) -> Callable[[Resources], None]:  # noqa: ANN401 - as above
    def mutate(resources: Resources) -> None:
        for found in _endpoints(resources, service):
            found.update(properties)

    return mutate


def _take(kind: str) -> Callable[[Resources], None]:
    def mutate(resources: Resources) -> None:
        for name in [name for name, resource in resources.items() if resource["Type"] == kind]:
            del resources[name]

    return mutate


def _take_last_table(service: str) -> Callable[[Resources], None]:
    def mutate(resources: Resources) -> None:
        for found in _endpoints(resources, service):
            found["RouteTableIds"].pop()

    return mutate


def _take_association(resources: Resources) -> None:
    names = [name for name, one in resources.items() if one["Type"] == "AWS::EC2::SubnetRouteTableAssociation"]
    if names:
        del resources[names[-1]]


def _take_prefix_list(service: str) -> Callable[[Resources], None]:
    def mutate(resources: Resources) -> None:
        for group in _of_type(resources, "AWS::EC2::SecurityGroup"):
            group["SecurityGroupEgress"] = [
                rule
                for rule in group["SecurityGroupEgress"]
                if rule.get("DestinationPrefixListId", {}).get("Fn::GetAtt", ["", ""])[1] != service
            ]

    return mutate


def _forget_roles(service: str) -> Callable[[Resources], None]:
    def mutate(resources: Resources) -> None:
        for found in _endpoints(resources, service):
            for statement in found["PolicyDocument"]["Statement"]:
                statement["Condition"]["ArnEquals"]["aws:PrincipalArn"] = "arn:aws:iam::123456789012:role/somebody"

    return mutate


MUTATIONS: Final[dict[str, tuple[Callable[[Resources], None], str, set[str]]]] = {
    **{f"no {service} endpoint": (_take_door(service), "endpoint", {service}) for service in sorted(EVERY - {"sts"})},
    **{f"{name} not in a table": (_take_last_table(name), "subnet", {name}) for name in sorted(GATEWAYS)},
    **{f"{name} without address": (_set_door(name, SubnetIds=[]), "endpoint", {name}) for name in sorted(INTERFACES)},
    **{
        f"{name} without name": (_set_door(name, PrivateDnsEnabled=False), "dns", {name}) for name in sorted(INTERFACES)
    },
    **{f"no egress to {name}": (_take_prefix_list(name), "egress", {name}) for name in sorted(GATEWAYS)},
    **{f"{name} for others": (_forget_roles(name), "policy", {name}) for name in sorted(EVERY - {"sts"})},
    "subnet without table": (_take_association, "subnet", GATEWAYS),
    "no names": (_set("AWS::EC2::VPC", EnableDnsSupport=False), "dns", EVERY),
    "no private names": (_set("AWS::EC2::VPC", EnableDnsHostnames=False), "dns", INTERFACES),
    "no egress to endpoints": (_take("AWS::EC2::SecurityGroupEgress"), "egress", INTERFACES),
    "no ingress from functions": (_take("AWS::EC2::SecurityGroupIngress"), "ingress", INTERFACES),
    "ingress on another port": (
        _set("AWS::EC2::SecurityGroupIngress", FromPort=80, ToPort=80),
        "ingress",
        INTERFACES,
    ),
    "ingress from elsewhere": (
        _set("AWS::EC2::SecurityGroupIngress", SourceSecurityGroupId="sg-0123456789abcdef0"),
        "ingress",
        INTERFACES,
    ),
}
"""What is taken from the application's own network, the hop that is then missing, and for which services."""


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_each_hop_that_is_taken_away_is_named(mutation: str, dev: Assembly) -> None:
    """The ways that need it are closed, at that hop and no other; all other ways stay open."""
    mutate, kind, services = MUTATIONS[mutation]
    found = ways(_index(dev, mutate))
    assert {way.service for way in found} == EVERY
    closed = {(way.service, hop.kind) for way in found for hop in way.hops if hop.verdict is not True}
    assert closed == {(service, kind) for service in services}
    assert {way.service for way in found if way.verdict is not True} == services
    assert {way.service for way in found if way.obstacle} == (services if kind != "policy" else set())


@pytest.mark.parametrize(
    ("mutate", "fallen"),
    [
        (_set("AWS::EC2::Subnet", MapPublicIpOnLaunch=True), "internet"),
        (_set("AWS::EC2::SecurityGroupEgress", CidrIp="10.0.0.0/20"), "neighbours"),
    ],
)
def test_each_barrier_that_is_taken_away_is_named(
    mutate: Callable[[Resources], None], fallen: str, dev: Assembly
) -> None:
    """No other falls with it."""
    assert {barrier.beyond for barrier in barriers(_index(dev, mutate)) if not barrier.stands} == {fallen}


def test_interface_endpoint_that_no_role_names_is_idle(dev: Assembly) -> None:
    """It would cost by the hour. STS, which anybody may ask, and gateway endpoints, which are free, are passed over."""

    def take_grants(resources: Resources) -> None:
        for policy in _of_type(resources, "AWS::IAM::Policy"):
            for statement in policy["PolicyDocument"]["Statement"]:
                listed = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                statement["Action"] = [action for action in listed if not action.startswith(("sqs:", "s3:"))] or "logs:PutLogEvents"  # fmt: skip

    def idle(templates: list[Template]) -> list[str]:
        report = judge(Target(templates=templates), [reaches.RULE])
        assert report.errors == {}
        return [finding.resource for finding in report.findings if "carries nothing" in finding.message]

    assert idle(_templates(dev)) == []
    (named,) = idle(_templates(dev, take_grants))
    assert "Sqs" in named


def test_the_whole_network_is_judged_in_a_moment(dev: Assembly) -> None:
    """It is computed at every synthesis and in every editor: well below a second."""
    index = _index(dev)
    start = time.process_time()
    ways(index)
    barriers(index)
    assert time.process_time() - start < 1
