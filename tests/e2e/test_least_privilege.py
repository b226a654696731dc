"""Every action that a deployed role has is needed, by name; one step beside what it has, it is denied.

Only IAM changes: nothing is redeployed. The policies are read from the deployed roles, so an action that is granted
tomorrow is looked at tomorrow, and one that nothing here can prove fails.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from credential_rules.policy_evaluation import Decision, Request, authorise
from event_api.role_clients import AWS_ERRORS, FailureKind, classify
from local_aws import up
from local_aws.places import PROJECT
from tests.e2e.near_misses import near_misses
from tests.e2e.roles import DeployedRoles, Document, without
from tests.e2e.scenarios import Application
from tests.e2e.service_calls import service_call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_aws.cloud import Cloud
    from local_aws.outputs import Outputs
    from local_aws.places import Places
    from tests.e2e.roles import Grant, Role

    Proofs = dict[str, dict[str, str]]

pytestmark = pytest.mark.e2e

STACKS = tuple(f"Rolebound-{up.DEPLOYMENT}-{part}" for part in ("Data", "Network", "Api"))
RECORD = PROJECT / "docs" / "proofs.json"
"""What the generated page of permissions knows of the proofs here."""


@pytest.fixture(scope="module")
def deployed_roles(cloud: Cloud, places: Places) -> Iterator[DeployedRoles]:
    """The deployed roles, which are afterwards exactly as before."""
    found = DeployedRoles(cloud, STACKS, places.directory / "role-change.json")
    found.mend()
    before = found.all()
    yield found
    assert found.all() == before


@pytest.fixture(scope="module")
def roles(deployed_roles: DeployedRoles) -> list[Role]:
    """The deployed roles as they are at the start."""
    return deployed_roles.all()


@pytest.fixture(scope="module")
def application(cloud: Cloud, deployed: Outputs, deployed_roles: DeployedRoles) -> Application:
    """The deployed application, with its roles whole."""
    assert deployed_roles
    return Application(cloud, deployed, cloud.stack_outputs(STACKS[0]))


@pytest.fixture(scope="module")
def proofs() -> Proofs:
    """For each role's name and each action how it was proven."""
    return {}


def test_with_all_in_place_every_scenario_passes(application: Application, subtests: pytest.Subtests) -> None:
    """What fails below fails for the one action that is missing."""
    for name, scenario in application.scenarios.items():
        with subtests.test(name):
            outcome = scenario()
            assert outcome.failed == (), outcome
            assert outcome.denied == frozenset()
            assert outcome.otherwise == ()


def test_without_one_action_the_function_is_denied_exactly_that(
    application: Application,
    deployed_roles: DeployedRoles,
    roles: list[Role],
    proofs: Proofs,
    subtests: pytest.Subtests,
) -> None:
    """Each action that a function's own code uses is taken away alone, and the function's scenario run."""
    for role, grant in _grants(roles):
        if service_call(role, grant) or grant.action in _FOR_THE_EVALUATOR:
            continue
        with subtests.test(f"{role.name} without {grant.action}"):
            assert role.name in application.scenarios, (
                f"The role {role.name} runs no function of ours, so nothing here uses {grant.action}. If one of AWS's "
                "services does, write its call into tests/e2e/service_calls.py; else take the grant away."
            )
            with deployed_roles.lacking(role, grant.action):
                outcome = application.scenarios[role.name]()
            assert outcome.denied == {grant.action.lower()}, (
                f"Without {grant.action} the scenario of {role.name} was denied {sorted(outcome.denied) or 'nothing'}: "
                f"{outcome}. If no line needs the grant, take it away (stacks/access.py); if the scenario does not come "
                "to that line, extend it (tests/e2e/scenarios.py)."
            )
            assert outcome.otherwise == ()
            proofs.setdefault(role.name, {})[grant.action] = "scenario"


def test_what_a_service_does_as_a_role_is_denied_without_its_action(
    cloud: Cloud,
    deployed_roles: DeployedRoles,
    roles: list[Role],
    proofs: Proofs,
    subtests: pytest.Subtests,
) -> None:
    """The local AWS does not act as the role where AWS would, so the role's own credentials make the service's call."""
    for role in roles:
        as_role = deployed_roles.acting_as(role)
        for _, grant in _grants([role]):
            call = service_call(role, grant)
            if call is None:
                continue
            with subtests.test(f"{role.name} without {grant.action}"):
                call(as_role, cloud, grant)
                with deployed_roles.lacking(role, grant.action), pytest.raises(AWS_ERRORS) as refused:
                    call(as_role, cloud, grant)
                _assert_denied(refused.value, grant.action)
                proofs.setdefault(role.name, {})[grant.action] = "service call"


_FOR_THE_EVALUATOR = frozenset({"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"})
"""AWS asks for these on a stream of the group. The local AWS asks for the group alone, which no policy of ours names."""


def test_what_the_local_aws_asks_otherwise_is_proven_by_the_evaluator(
    roles: list[Role], proofs: Proofs, subtests: pytest.Subtests
) -> None:
    """On the deployed policies: allowed on the role's own log, not without the action, and on no other log."""
    logs = {resource for _, grant in _grants(roles) for resource in grant.resources if ":log-group:" in resource}
    for role, grant in _grants(roles):
        if grant.action not in _FOR_THE_EVALUATOR:
            continue
        with subtests.test(f"{role.name} without {grant.action}"):
            (own,) = grant.resources
            documents = list(role.policies.values())
            lacking = [without(document, grant.action) for document in documents]
            assert _judged(role, grant, own, documents) is Decision.ALLOWED
            assert _judged(role, grant, own, lacking) is Decision.IMPLICIT_DENY
            for other in logs - {own}:
                assert _judged(role, grant, other, documents) is Decision.IMPLICIT_DENY
            proofs.setdefault(role.name, {})[grant.action] = "evaluator"


def test_a_functions_code_cannot_do_what_lambda_does_as_its_role(
    roles: list[Role], proofs: Proofs, subtests: pytest.Subtests
) -> None:
    """Whatever is proven above by a service's call, the function's own code is denied; the local AWS states no function."""
    denied = set()
    for role, grant in _grants(roles):
        if proofs.get(role.name, {}).get(grant.action) != "service call" or role.name == "SweepRole":
            continue
        with subtests.test(f"{role.name}: {grant.action}"):
            account = role.arn.split(":")[4]
            function = f"arn:aws:lambda:us-east-1:{account}:function:rolebound-{up.DEPLOYMENT}-{role.name}"
            for resource in grant.resources:
                for context, expected in (
                    ({}, Decision.ALLOWED),
                    ({"lambda:SourceFunctionArn": function}, Decision.EXPLICIT_DENY),
                ):
                    request = Request(
                        action=grant.action,
                        resource=resource.replace("*", "eni-1") if resource != "*" else resource,
                        principal_arn=role.arn,
                        principal_account=account,
                        context=context,
                    )
                    assert authorise(request, identity=list(role.policies.values())).decision is expected
            denied.add((role.name, grant.action))
    assert {("worker", "sqs:ReceiveMessage"), ("api", "ec2:CreateNetworkInterface")} <= denied


def test_one_step_outside_is_denied(
    cloud: Cloud, deployed_roles: DeployedRoles, roles: list[Role], subtests: pytest.Subtests
) -> None:
    """Another table, queue, bucket or function, another operation on one's own, another role, another service."""
    calls = near_misses(cloud, STACKS, roles)
    for role in roles:
        as_role = deployed_roles.acting_as(role)
        outside = [miss for miss in calls if not role.may(miss.action, miss.resource)]
        assert len(outside) > len(calls) - 6
        for miss in outside:
            with subtests.test(f"{role.name}: {miss.action} on {miss.resource}"):
                with pytest.raises(AWS_ERRORS) as refused:
                    miss.call(as_role)
                _assert_denied(refused.value, miss.action)


def test_a_run_that_is_killed_is_mended_by_the_next(deployed_roles: DeployedRoles, roles: list[Role]) -> None:
    """The journal on disk knows what was there before the change in force."""
    victim = next(role for role in roles if role.name == "sweeper")
    program = (
        "import os, sys, pathlib\n"
        "from local_aws.cloud import Cloud\n"
        "from tests.e2e.roles import DeployedRoles\n"
        "found = DeployedRoles(Cloud(), tuple(sys.argv[2:]), pathlib.Path(sys.argv[1]))\n"
        "role = next(one for one in found.all() if one.name == 'sweeper')\n"
        "with found.lacking(role, 'dynamodb:Query'):\n"
        "    os._exit(9)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, deployed_roles.journal, *STACKS], cwd=PROJECT, check=False, timeout=60
    )
    assert killed.returncode == 9
    assert next(role for role in deployed_roles.all() if role.name == "sweeper") != victim
    assert deployed_roles.mend()
    assert deployed_roles.all() == roles
    assert not deployed_roles.mend()


def test_a_test_that_fails_leaves_the_role_whole(deployed_roles: DeployedRoles, roles: list[Role]) -> None:
    """Whatever happens in the block."""
    role = roles[0]
    action = role.grants()[0].action

    def fail() -> None:
        with deployed_roles.lacking(role, action):
            assert deployed_roles.all() != roles
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert deployed_roles.all() == roles


def test_every_granted_action_is_proven(
    roles: list[Role], proofs: Proofs, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is skipped: the matrix, which is also on record for the page of permissions, has each role and action."""
    matrix = {
        role.name: {grant.action: proofs.get(role.name, {}).get(grant.action, "NOT PROVEN") for grant in role.grants()}
        for role in sorted(roles, key=lambda role: role.name)
    }
    lines = [f"{role:14}{action:36}{how}" for role, actions in matrix.items() for action, how in actions.items()]
    with capsys.disabled():
        sys.stdout.write("\n\n" + "\n".join(lines) + "\n")
    assert [line for line in lines if line.endswith("NOT PROVEN")] == []
    text = json.dumps(matrix, indent=2) + "\n"
    fresh = places.directory / "proofs.json"
    fresh.write_text(text)
    on_record = RECORD.read_text() if RECORD.exists() else ""
    assert on_record == text, (
        f"{RECORD} is not what was proven just now. Look at the difference, then: cp {fresh} {RECORD}; make docs"
    )


def _grants(roles: list[Role]) -> Iterator[tuple[Role, Grant]]:
    for role in roles:
        for grant in role.grants():
            yield role, grant


def _judged(role: Role, grant: Grant, log: str, documents: list[Document]) -> Decision:
    """What the evaluator says of the role's request for a stream of a log."""
    return authorise(
        Request(
            action=grant.action,
            resource=f"{log.removesuffix(':*')}:log-stream:any",
            principal_arn=role.arn,
            principal_account=role.arn.split(":")[4],
        ),
        identity=documents,
    ).decision


def _assert_denied(error: BaseException, action: str) -> None:
    assert isinstance(error, AWS_ERRORS)
    failure = classify(error)
    assert failure.kind is FailureKind.DENIED
    assert f"not authorized to perform: {action.lower()} " in failure.detail.lower()
