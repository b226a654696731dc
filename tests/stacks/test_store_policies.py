"""Who gets into a table, a queue or the bucket: asked of the evaluator, with every policy that a request passes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from credential_rules.policy_evaluation import Decision, Layer, Request, authorise, evaluate
from stacks.access import Path, access_table
from stacks.settings import Function, Service
from stacks.stores import Store, Stores
from tests.stacks.concrete import ACCOUNT, Deployed
from tests.stacks.permissions import functions, role_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.policy_evaluation import Verdict
    from tests.stacks.cloud_assembly import Assembly

OTHER: Final = "999999999999"
ORGANISATION: Final = "o-exampleorgid"
ADMINISTRATOR: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
"""May everything that its own policies can give."""
OVER_TLS: Final = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
FROM_THE_INTERNET: Final = {**OVER_TLS, "aws:SourceIp": "203.0.113.7"}
DATA: Final = {
    Service.DYNAMODB: ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"),
    Service.SQS: ("SendMessage", "ReceiveMessage", "DeleteMessage", "PurgeQueue", "GetQueueAttributes"),
    Service.S3: ("GetObject", "PutObject", "DeleteObject"),
}
"""What can be done with a store's data."""
ADMINISTRATION: Final = {
    Service.DYNAMODB: ("DescribeTable", "UpdateTable", "PutResourcePolicy", "DeleteTable", "CreateBackup"),
    Service.SQS: ("GetQueueAttributes", "SetQueueAttributes", "DeleteQueue", "StartMessageMoveTask"),
    Service.S3: ("PutBucketPolicy", "PutLifecycleConfiguration", "DeleteBucket"),
}
"""What can be done with the store itself: by the operator and by CloudFormation."""


class Use(NamedTuple):
    """One thing that a function does."""

    function: Function
    service: Service
    action: str
    resource: str
    path: Path


class Case:
    """One deployment, ready to be asked."""

    def __init__(self, assembly: Assembly) -> None:
        self.deployed = Deployed.of(assembly)
        self.stores = replace(Stores.of(self.deployed.settings), account=self.deployed.account)
        self.policies = self.deployed.store_policies()
        self.endpoints = self.deployed.endpoints()
        api = assembly.api
        self.roles = {Function(name): role_of(api, function) for name, function in functions(api).items()}
        self.identity = {function: self.deployed.identity(role) for function, role in self.roles.items()}

    def uses(self, path: Path) -> Iterator[Use]:
        """Give all that functions do on the stores, by the table of permissions."""
        for entry in access_table(self.stores):
            if entry.path is path and entry.resource != "*":
                for action in entry.actions:
                    resource = entry.resource.replace("payloads/*", "payloads/acme/1")
                    yield Use(entry.function, entry.service, action, resource, path)

    def policy_on(self, resource: str) -> dict[str, Any]:
        """Give the policy of the store that a resource is, or is in."""
        (found,) = (
            policy for arn, policy in self.policies.items() if resource == arn or resource.startswith(f"{arn}/")
        )
        return found

    def request(self, action: str, resource: str, *, role: str, account: str | None = None, **keys: str) -> Request:
        """Give a request of a role's session over TLS, in our organisation if it is of our account."""
        account = account or self.deployed.account
        context = {**OVER_TLS, "aws:ResourceAccount": self.deployed.account}
        if self.deployed.settings.organization:
            context["aws:ResourceOrgID"] = ORGANISATION
            if account == self.deployed.account:
                context["aws:PrincipalOrgID"] = ORGANISATION
        context |= {f"aws:{name}": value for name, value in keys.items()}
        return Request(action, resource, f"arn:aws:sts::{account}:assumed-role/{role}/session", account, context)

    def by_function(self, use: Use, *, through: str | None = None, **keys: str) -> Verdict:
        """Judge what a function does, through our endpoint unless another or none is named."""
        ours, endpoint = self.endpoints[use.service]
        came = ours if through is None else through
        request = self.request(
            use.action,
            use.resource,
            role=self.deployed.settings.role_name(use.function),
            **({"SourceVpce": came} if came else {"SourceIp": "203.0.113.7"}),
            **keys,
        )
        return authorise(
            request,
            identity=self.identity[use.function],
            resource=self.policy_on(use.resource),
            endpoint=endpoint if came == ours else None,
        )

    def administration(self) -> Iterator[tuple[str, str]]:
        """Give each action on each store: on its data and on itself."""
        for store in Store:
            arn = self.stores.arn(store)
            service = Service(arn.split(":")[2])
            for name in (*DATA[service], *ADMINISTRATION[service]):
                yield f"{service}:{name}", f"{arn}/key" if name.endswith("Object") else arn


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
