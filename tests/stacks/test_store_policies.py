"""Who gets into a table, a queue or the bucket: asked of the evaluator, with every policy that a request passes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from credential_rules.policy_evaluation import Decision, Layer, Request, authorise, evaluate
from stacks.access import Path
from stacks.settings import Function, Service
from stacks.stores import Store
from tests.stacks.asking import ADMINISTRATOR, FROM_THE_INTERNET, ORGANISATION, OTHER, Case, Use
from tests.stacks.concrete import ACCOUNT

if TYPE_CHECKING:
    from tests.stacks.cloud_assembly import Assembly


@pytest.fixture(scope="module", params=["dev", "prod", "small"])
def case(request: pytest.FixtureRequest) -> Case:
    """Each deployment to AWS in turn."""
    return Case(request.getfixturevalue(request.param))


def _refused_by(case: Case, use: Use, **how: Any) -> tuple[Decision, Layer | None, str | None]:  # noqa: ANN401 - keys
    verdict = case.by_function(use, **how)
    return verdict.decision, verdict.layer, verdict.statement


def _statement(use: Use) -> str:
    return f"{use.function.capitalize()}ThroughEndpoint"


def test_every_store_has_a_policy_that_allows_nobody(case: Case) -> None:
    """Who gets in is decided by the roles' own policies; the stores' only refuse."""
    assert set(case.policies) == {case.stores.arn(store) for store in Store}
    for policy in case.policies.values():
        assert {statement["Effect"] for statement in policy["Statement"]} == {"Deny"}


def test_a_function_gets_in_through_the_endpoint(case: Case) -> None:
    """With everything that its code does, across its role, the endpoint's policy and the store's."""
    uses = list(case.uses(Path.ENDPOINT))
    assert {use.function for use in uses} == set(Function)
    for use in uses:
        assert case.by_function(use).decision is Decision.ALLOWED, use


def test_its_role_is_of_no_use_outside_the_vpc(case: Case) -> None:
    """Credentials that got out of a function are refused by the store itself."""
    for use in case.uses(Path.ENDPOINT):
        refused = (Decision.EXPLICIT_DENY, Layer.RESOURCE, _statement(use))
        assert _refused_by(case, use, through="") == refused, use


def test_its_role_is_of_no_use_in_another_vpc(case: Case) -> None:
    """An endpoint of somebody else's, which may admit anything, is not ours."""
    for use in case.uses(Path.ENDPOINT):
        refused = (Decision.EXPLICIT_DENY, Layer.RESOURCE, _statement(use))
        assert _refused_by(case, use, through="vpce-0123456789abcdef0") == refused, use


def test_nothing_gets_in_over_plain_http(case: Case) -> None:
    """Whoever it is, even through the endpoint."""
    for use in case.uses(Path.ENDPOINT):
        decision, layer, _ = _refused_by(case, use, SecureTransport="false")
        assert (decision, layer) == (Decision.EXPLICIT_DENY, Layer.RESOURCE), use


def test_lambdas_poller_gets_in_from_outside_the_vpc(case: Case) -> None:
    """It polls with the worker's role; the event source mapping would stop otherwise."""
    uses = list(case.uses(Path.LAMBDA))
    assert {use.action for use in uses} == {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    for use in uses:
        assert case.by_function(use, through="").decision is Decision.ALLOWED, use


def test_what_lambdas_poller_may_its_functions_code_may_not(case: Case) -> None:
    """Neither in the VPC nor with credentials that left it: they name the function that they were made for."""
    for use in case.uses(Path.LAMBDA):
        deployed = case.deployed
        code = f"arn:aws:lambda:{deployed.settings.region}:{deployed.account}:function:{deployed.settings.function_name(use.function)}"
        role = deployed.settings.role_name(use.function)
        for came in (
            {"SourceIp": "203.0.113.7"},
            {"SourceVpce": case.endpoints[use.service][0]},
            {"SourceVpce": "vpce-0123456789abcdef0"},
        ):
            asked = case.request(use.action, use.resource, role=role, **came)
            asked = replace(asked, context={**asked.context, "lambda:SourceFunctionArn": code})
            verdict = authorise(asked, identity=case.identity[use.function], resource=case.policy_on(use.resource))
            assert (verdict.decision, verdict.layer, verdict.statement) == (
                Decision.EXPLICIT_DENY,
                Layer.IDENTITY,
                "NotFromCode",
            ), (use, came)


@pytest.mark.parametrize("role", ["operator", "cdk-hnb659fds-cfn-exec-role", "AWSBackupDefaultServiceRole"])
def test_operator_cloudformation_and_backup_get_in(case: Case, role: str) -> None:
    """From anywhere, to the data and to the store, as far as the account's own policies let them: redrive included."""
    for action, resource in case.administration():
        request = case.request(action, resource, role=role, SourceIp="203.0.113.7")
        policy = case.policy_on(resource)
        assert authorise(request, identity=ADMINISTRATOR, resource=policy).decision is Decision.ALLOWED, action


def test_a_redrive_gets_in_at_both_queues(case: Case) -> None:
    """SQS moves dead letters back with the permissions of whoever started it."""
    dead, queue = case.stores.arn(Store.DEAD_LETTERS), case.stores.arn(Store.EVENT_QUEUE)
    for action, resource in (
        ("sqs:StartMessageMoveTask", dead),
        ("sqs:ReceiveMessage", dead),
        ("sqs:DeleteMessage", dead),
        ("sqs:SendMessage", queue),
    ):
        request = case.request(action, resource, role="operator", ViaAWSService="true")
        policy = case.policy_on(resource)
        assert authorise(request, identity=ADMINISTRATOR, resource=policy).decision is Decision.ALLOWED, action


@pytest.mark.parametrize("through_our_endpoint", [False, True])
def test_another_account_is_refused_by_name(case: Case, *, through_our_endpoint: bool) -> None:
    """Even a role with the name of ours, and even if somebody added an allow to the store's policy one day."""
    for action, resource in case.administration():
        service = Service(action.partition(":")[0])
        keys = {"SourceVpce": case.endpoints[service][0]} if through_our_endpoint else {"SourceIp": "203.0.113.7"}
        request = case.request(
            action, resource, role=case.deployed.settings.role_name(Function.API), account=OTHER, **keys
        )
        policy = case.policy_on(resource)
        verdict = authorise(request, identity=ADMINISTRATOR, resource=policy)
        assert (verdict.decision, verdict.statement) == (Decision.EXPLICIT_DENY, "NoStrangers"), action


def test_nobody_gets_in_unsigned(case: Case) -> None:
    """An anonymous request has no account, which is not ours."""
    for action, resource in case.administration():
        request = Request(action, resource, "", "", {**FROM_THE_INTERNET, "aws:PrincipalAccount": "anonymous"})
        verdict = authorise(request, identity=[], resource=case.policy_on(resource))
        assert (verdict.decision, verdict.statement) == (Decision.EXPLICIT_DENY, "NoStrangers"), action


@pytest.mark.parametrize("service", ["sns.amazonaws.com", "events.amazonaws.com", "dynamodb.amazonaws.com"])
def test_an_aws_service_as_itself_is_not_let_in_either(case: Case, service: str) -> None:
    """Nothing allows it; nothing refuses it by name, so that a delivery can be allowed in one place if it is wanted."""
    for action, resource in case.administration():
        # Whatever IAM puts there for a service, it is neither our account nor one of our roles.
        keys = {**FROM_THE_INTERNET, "aws:PrincipalAccount": OTHER, "aws:PrincipalArn": service}
        request = Request(action, resource, service, "", keys)
        verdict = authorise(request, identity=[], resource=case.policy_on(resource))
        assert verdict.decision is Decision.IMPLICIT_DENY, action


def test_our_organisation_is_no_stranger_and_has_no_permission(prod: Assembly) -> None:
    """With the setting, another account of the organisation may be let in one day; today nothing allows it."""
    case = Case(prod)
    assert case.deployed.settings.organization == ORGANISATION
    for action, resource in case.administration():
        for organisation, expected in (
            (ORGANISATION, Decision.IMPLICIT_DENY),
            ("o-someoneelse", Decision.EXPLICIT_DENY),
        ):
            request = case.request(action, resource, role="reader", account=OTHER, PrincipalOrgID=organisation)
            verdict = authorise(request, identity=ADMINISTRATOR, resource=case.policy_on(resource))
            assert verdict.decision is expected, action


def test_a_function_gets_no_further_than_its_own(case: Case) -> None:
    """Every function against every action on every store: allowed is what the table says, through the endpoint."""
    declared = {(use.function, use.action, use.resource) for use in case.uses(Path.ENDPOINT)}
    for function, (action, resource) in itertools.product(Function, case.administration()):
        use = Use(
            function, Service(action.partition(":")[0]), action, resource.replace("/key", "/acme/1"), Path.ENDPOINT
        )
        allowed = case.by_function(use).allowed
        assert allowed == ((function, action, use.resource) in declared), use


def test_a_policy_fits_where_it_stands(case: Case) -> None:
    """DynamoDB takes 20 KB, S3 as much; the names of a long environment make it no larger by half."""
    for arn, policy in case.policies.items():
        assert len(str(policy)) < 10_000, arn


@pytest.mark.parametrize(("name", "account"), [("prod", "111122223333"), ("dev", ACCOUNT)])
def test_the_account_is_the_one_that_is_deployed_to(name: str, account: str, request: pytest.FixtureRequest) -> None:
    """The tests above would prove nothing of a template that names another."""
    assert Case(request.getfixturevalue(name)).deployed.account == account


def test_a_store_without_the_statement_would_let_the_role_in_from_anywhere(dev: Assembly) -> None:
    """What keeps stolen credentials out is that one statement, and the evaluator sees it."""
    case = Case(dev)
    for use in case.uses(Path.ENDPOINT):
        policy = case.policy_on(use.resource)
        weaker = {**policy, "Statement": [each for each in policy["Statement"] if each.get("Sid") != _statement(use)]}
        role = case.deployed.settings.role_name(use.function)
        request = case.request(use.action, use.resource, role=role, SourceIp="203.0.113.7")
        assert evaluate(weaker, request).decision is Decision.IMPLICIT_DENY
        assert authorise(request, identity=case.identity[use.function], resource=weaker).allowed
