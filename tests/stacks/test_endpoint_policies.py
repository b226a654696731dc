"""Each endpoint admits our roles to what they may do through it, and nobody to anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.access import Path
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
