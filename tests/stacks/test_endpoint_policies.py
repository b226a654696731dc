"""Each endpoint admits our roles to what they may do through it, and nobody to anything else."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from credential_rules.policy_evaluation import Decision, Request, evaluate
from stacks.access import Path
from stacks.settings import Function, Service
from stacks.stores import Store
from tests.stacks.asking import ADMINISTRATION, DATA, ORGANISATION, OTHER, Case
from tests.stacks.permissions import functions, role_of, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stacks.access import Access
    from tests.stacks.cloud_assembly import Assembly
    from tests.stacks.permissions import Statement


def _admissions(assembly: Assembly) -> Iterator[tuple[str, Statement]]:
    """Give each statement of each endpoint's policy with the endpoint's service."""
    network = assembly.network
    for endpoint in network.of_type("AWS::EC2::VPCEndpoint"):
        service = network.text(endpoint.properties["ServiceName"]).rpartition(".")[2]
        # An endpoint without a policy admits everybody to everything.
        for statement in statements(network, endpoint.properties["PolicyDocument"]):
            yield service, statement


def _function_by_role_arn(assembly: Assembly) -> dict[str, str]:
    """Give each function under the ARN that its role has, once the API's stack has made it."""
    api = assembly.api
    return {
        f"arn:aws:iam::<AWS::AccountId>:role/{api.text(role_of(api, function).properties['RoleName'])}": name
        for name, function in functions(api).items()
    }


def test_admission_is_by_role_and_account(deployment: Assembly) -> None:
    """Gateway endpoints take no principal but ``*``, so a condition names one role that really exists, and the account."""
    roles = _function_by_role_arn(deployment)
    for _, statement in _admissions(deployment):
        assert statement.effect == "Allow"
        assert statement.principal == {"AWS": "*"}
        assert statement.condition.keys() == {"ArnEquals", "StringEquals"}
        assert statement.condition["ArnEquals"].keys() == {"aws:PrincipalArn"}
        assert statement.condition["ArnEquals"]["aws:PrincipalArn"] in roles
        assert statement.condition["StringEquals"]["aws:PrincipalAccount"] == "<AWS::AccountId>"


def test_nobody_is_admitted_to_another_accounts_resources(deployment: Assembly) -> None:
    """Data cannot be carried to a table, queue or bucket elsewhere, even with a role of ours."""
    for _, statement in _admissions(deployment):
        if statement.resources != {"*"}:
            assert statement.condition["StringEquals"]["aws:ResourceAccount"] == "<AWS::AccountId>"


def test_only_the_question_who_am_i_has_no_resource(deployment: Assembly) -> None:
    """STS has no resource for it; every other admission names what it is for."""
    open_ended = {
        action for _, statement in _admissions(deployment) for action in statement.actions if "*" in statement.resources
    }
    assert open_ended <= {"sts:GetCallerIdentity"}


def test_the_endpoints_admit_exactly_what_the_table_of_permissions_says(
    deployment: Assembly, declared_access: list[tuple[Access, str]]
) -> None:
    """For each role, action and resource that travels through an endpoint, and for nothing else: compared both ways."""
    roles = _function_by_role_arn(deployment)
    admitted = {
        (service, roles[statement.condition["ArnEquals"]["aws:PrincipalArn"]], action, resource)
        for service, statement in _admissions(deployment)
        for action, resource in statement.pairs()
    }
    services = {service for service, _ in _admissions(deployment)}
    declared = {
        (entry.service.value, entry.function.value, action, resource)
        for entry, resource in declared_access
        if entry.path is Path.ENDPOINT and entry.service in services
        for action in entry.actions
    }
    assert admitted == declared


def test_without_an_sts_endpoint_nothing_else_is_lost(dev: Assembly, small: Assembly) -> None:
    """Leaving the optional endpoint out changes no other endpoint's policy."""
    kept = [
        {(service, pair) for service, statement in _admissions(assembly) for pair in statement.pairs()}
        for assembly in (dev, small)
    ]
    assert {entry for entry in kept[0] if entry[0] != "sts"} == kept[1]


def test_what_lambda_itself_calls_is_not_admitted(deployment: Assembly) -> None:
    """The queue is polled by Lambda's service from outside the VPC: no code inside needs to receive messages."""
    actions = {action for _, statement in _admissions(deployment) for action in statement.actions}
    assert not actions & {"sqs:ReceiveMessage", "sqs:DeleteMessage"}


@pytest.fixture(scope="module", params=["dev", "prod", "small"])
def case(request: pytest.FixtureRequest) -> Case:
    """Each deployment to AWS in turn, ready to be asked."""
    return Case(request.getfixturevalue(request.param))


def _admitted(case: Case, service: Service, request: Request) -> bool:
    """Ask one endpoint's policy; it must be able to tell."""
    decision = evaluate(case.endpoints[service][1], request).decision
    assert decision in (Decision.ALLOWED, Decision.IMPLICIT_DENY)
    return decision is Decision.ALLOWED


def _resources(case: Case, service: Service) -> list[str]:
    """Give resources of a service: ours, what is in them, and others in our account."""
    ours = [case.stores.arn(store) for store in Store if f":{service}:" in case.stores.arn(store)]
    inside = {Service.DYNAMODB: "/index/pending", Service.S3: "/acme/1"}.get(service, "-other")
    elsewhere = [f"{arn}-other" for arn in ours]
    return [*ours, *(f"{arn}{inside}" for arn in ours), *elsewhere, *(f"{arn}/acme/1" for arn in elsewhere)]


def test_each_endpoint_admits_every_use_and_nothing_beside_it(case: Case) -> None:
    """Every role, action and resource of the service, asked of the policy: admitted is what the table says."""
    declared = {(use.function, use.action, use.resource) for use in case.uses(Path.ENDPOINT)}
    admitted = {
        (function, f"{service}:{name}", resource)
        for service in DATA
        for function, name, resource in itertools.product(
            Function, (*DATA[service], *ADMINISTRATION[service]), _resources(case, service)
        )
        if _admitted(
            case,
            service,
            case.request(f"{service}:{name}", resource, role=case.deployed.settings.role_name(function)),
        )
    }
    assert admitted == declared


def test_another_accounts_resource_is_not_admitted(case: Case) -> None:
    """Not even under the same name: nothing can be carried out through an endpoint, or lured in."""
    for use in case.uses(Path.ENDPOINT):
        role = case.deployed.settings.role_name(use.function)
        ours = case.request(use.action, use.resource, role=role)
        theirs = replace(
            ours,
            resource=use.resource.replace(case.deployed.account, OTHER),
            context={**ours.context, "aws:ResourceAccount": OTHER},
        )
        assert not _admitted(case, use.service, theirs), use
        # A bucket's ARN names no account, and a name of ours that is free may be anybody's.
        lured = replace(ours, context={**ours.context, "aws:ResourceAccount": OTHER})
        assert not _admitted(case, use.service, lured), use


def test_another_accounts_role_of_the_same_name_is_not_admitted(case: Case) -> None:
    """Credentials that somebody brings into the VPC are of no use there."""
    for use in case.uses(Path.ENDPOINT):
        role = case.deployed.settings.role_name(use.function)
        assert not _admitted(case, use.service, case.request(use.action, use.resource, role=role, account=OTHER)), use


def test_nobody_is_admitted_unsigned(case: Case) -> None:
    """Nor an AWS service as itself."""
    for use in case.uses(Path.ENDPOINT):
        keys = {"aws:ResourceAccount": case.deployed.account, "aws:ResourceOrgID": ORGANISATION}
        assert not _admitted(case, use.service, Request(use.action, use.resource, "", "", keys)), use
        service = {**keys, "aws:PrincipalArn": "sns.amazonaws.com", "aws:PrincipalAccount": OTHER}
        assert not _admitted(case, use.service, Request(use.action, use.resource, "sns.amazonaws.com", "", service)), (
            use
        )


def test_the_operator_is_not_admitted_inside_the_vpc(case: Case) -> None:
    """Whoever gets into a function cannot use better credentials there either."""
    for use in case.uses(Path.ENDPOINT):
        assert not _admitted(case, use.service, case.request(use.action, use.resource, role="operator")), use


@pytest.mark.parametrize("key", ["aws:PrincipalOrgID", "aws:ResourceOrgID"])
def test_with_the_setting_an_endpoint_is_bound_to_the_organisation_too(prod: Assembly, key: str) -> None:
    """An account that has left it finds the endpoints closed."""
    case = Case(prod)
    for use in case.uses(Path.ENDPOINT):
        asked = case.request(use.action, use.resource, role=case.deployed.settings.role_name(use.function))
        assert _admitted(case, use.service, asked)
        assert not _admitted(case, use.service, replace(asked, context={**asked.context, key: "o-someoneelse"})), use


def test_who_am_i_is_all_that_sts_is_asked(case: Case) -> None:
    """By the API function's role alone; nobody becomes another role in there."""
    if Service.STS not in case.endpoints:
        assert Service.STS not in case.deployed.settings.endpoints
        return
    for function, name in itertools.product(Function, ("GetCallerIdentity", "AssumeRole", "GetSessionToken")):
        asked = case.request(f"sts:{name}", "*", role=case.deployed.settings.role_name(function))
        expected = (function, name) == (Function.API, "GetCallerIdentity")
        assert _admitted(case, Service.STS, asked) is expected


def test_s3_admits_our_bucket_and_none_of_awss_own(case: Case) -> None:
    """CloudFormation's bucket for answers included: the functions that answer it run outside the VPC."""
    region = case.deployed.settings.region
    for bucket in (
        f"cloudformation-custom-resource-response-{region.replace('-', '')}",
        f"prod-{region}-starport-layer-bucket",
        f"cdk-hnb659fds-assets-{case.deployed.account}-{region}",
    ):
        for function, action in itertools.product(Function, ("GetObject", "PutObject", "ListBucket")):
            role = case.deployed.settings.role_name(function)
            asked = case.request(f"s3:{action}", f"arn:aws:s3:::{bucket}/key", role=role)
            assert not _admitted(case, Service.S3, asked), (bucket, function, action)


def test_only_the_applications_functions_are_in_the_vpc(deployment: Assembly) -> None:
    """What answers CloudFormation needs no way through an endpoint, because it is outside."""
    for template in deployment.templates.values():
        inside = {name for name, function in functions(template).items() if "VpcConfig" in function.properties}
        assert inside == (set(Function) if template.part == "Api" else set())
