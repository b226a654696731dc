"""The diagnosis on the local AWS: the incident, one planted fault after the other, and a role that may only read."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import botocore.session  # noqa: TID251 - the tests plant faults and make roles by AWS's own APIs
import pytest

from local_aws import emulator, environment
from local_aws.incident import ROLE_ONLY, SEED, function_name
from local_aws.places import PROJECT
from operator_cli.aws import Aws, Calls, Questions
from operator_cli.commands.diagnose import examine
from operator_cli.diagnosis.cause import Likelihood, Slug
from operator_cli.diagnosis.deployed_function import READS, permissions
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus
from tests.e2e.planted import (
    ACCOUNT,
    KEEPS,
    PASSES_ITS_OWN_KEY,
    PASSES_KEYS,
    REGION,
    Deployment,
    Plan,
    with_endpoints_kept,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local_aws.places import Places
    from operator_cli.diagnosis.conclusion import Diagnosis
    from operator_cli.diagnosis.questions import Read

pytestmark = pytest.mark.e2e

KEY_ID: Final = "AKIA" + "PLANTEDPLANTED03"
SECRET: Final = "zzPLANTEDzz" + "7MDENGbPxRfiCYzEXAMPLEKEYabcd"
TOKEN: Final = "IQoJb3JpZ2lu" + "zzPLANTEDzz" + "0123456789" * 5

FAULTS: Final[Mapping[Slug, Plan]] = {
    Slug.MISSING_ENDPOINT: Plan(has_queue_endpoint=False),
    Slug.PRIVATE_DNS: Plan(private_dns=False),
    Slug.VPC_DNS: Plan(dns_host_names=False),
    Slug.SECURITY_GROUP: Plan(in_wrong_group=True),
    Slug.ROUTE_TABLE: Plan(associates_table=False),
    Slug.ENDPOINT_POLICY: Plan(endpoint_actions=("sqs:ReceiveMessage",)),
    Slug.RESERVED_VARIABLE: Plan(variables={"AWS_REGION": REGION}),
    Slug.LONG_LIVED_KEY: Plan(code=PASSES_KEYS, variables={"SENDER_ID": KEY_ID, "SENDER_SECRET": SECRET}),
    Slug.STALE_PROFILE: Plan(variables={"AWS_PROFILE": "dev"}),
    Slug.MISSING_ACTION: Plan(actions={"dynamodb:PutItem": "table"}),
    Slug.WRONG_RESOURCE: Plan(
        actions={"dynamodb:PutItem": "table", "sqs:SendMessage": f"arn:aws:sqs:{REGION}:{ACCOUNT}:another"}
    ),
    Slug.ENDPOINT_OVERRIDE: Plan(variables={"AWS_ENDPOINT_URL_SQS": "https://127.0.0.1:9"}),
    Slug.EXPLICIT_KEY: Plan(code=PASSES_ITS_OWN_KEY),
    Slug.LEFTOVER_TOKEN: Plan(variables={"AWS_SECURITY_TOKEN": TOKEN}),
    Slug.ROLE_TRUST: Plan(trusted="ec2.amazonaws.com", invokes=False),
    Slug.BOUNDARY: Plan(boundary=("dynamodb:PutItem",)),
    Slug.QUEUE_POLICY: Plan(refused={"queue": {"StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}}),
    Slug.TABLE_POLICY: Plan(refused={"table": {"StringNotEquals": {"aws:PrincipalAccount": "999999999999"}}}),
    Slug.BUCKET_POLICY: Plan(
        code=KEEPS, refused={"bucket": {"StringNotEquals": {"aws:PrincipalAccount": "999999999999"}}}
    ),
    Slug.KEY_POLICY: Plan(encrypted=("queue",), key_admits=False),
    Slug.KEY_PERMISSION: Plan(encrypted=("table",), key_actions=("kms:Encrypt",)),
}
"""A fault, and the one difference that plants it. The expired session is planted by a test of its own: it takes time."""

NOT_ASKED_HERE: Final = {read for read in READS if read.permission == "lambda:GetLayerVersion"}
"""The planted functions have no layers; those of the application have."""

SHOWN_BY_THE_LOG: Final = {
    Slug.LONG_LIVED_KEY,
    Slug.STALE_PROFILE,
    Slug.MISSING_ACTION,
    Slug.WRONG_RESOURCE,
    Slug.ENDPOINT_OVERRIDE,
    Slug.EXPLICIT_KEY,
    Slug.LEFTOVER_TOKEN,
    Slug.BOUNDARY,
    Slug.QUEUE_POLICY,
    Slug.BUCKET_POLICY,
}
"""The local AWS carries no packets, has no endpoint or table policies and asks no key: there, only these make a call fail."""

SAID_BY_THE_RESOURCE: Final[Mapping[Slug, tuple[str, ...]]] = {
    Slug.QUEUE_POLICY: (
        "the policy of the queue",
        "statement 'ClosedQueue' denies it",
        '"aws:SourceVpce": "vpce-0123456789abcdef0"',
    ),
    Slug.TABLE_POLICY: (
        "the policy of the table",
        "statement 'ClosedTable' denies it",
        "aws:PrincipalAccount is 123456789012",
    ),
    Slug.BUCKET_POLICY: ("the policy of the bucket", "statement 'ClosedBucket' denies it", '"999999999999"'),
    Slug.KEY_POLICY: ("the policy of the key", "no statement that admits the role through sqs.us-east-1.amazonaws.com"),
    Slug.KEY_PERMISSION: ("the policy of the key", "no policy of the role allows it"),
}
"""What the evidence of these has to show: the document, the statement, and what it asks for."""


@pytest.fixture(scope="module")
def variables(places: Places) -> dict[str, str]:
    """The environment of a program that asks the local AWS."""
    record = emulator.read_record(places)
    assert record is not None
    return environment.for_clients(places, record.port, os.environ)


@pytest.fixture(scope="module")
def session(variables: Mapping[str, str]) -> Iterator[botocore.session.Session]:
    """A session of the local AWS's own account."""
    with environment.only(variables):
        yield with_endpoints_kept(botocore.session.Session())


@pytest.fixture(scope="module")
def deployment(session: botocore.session.Session) -> Deployment:
    """Deploys functions with faults."""
    return Deployment(session)


@pytest.fixture(scope="module")
def diagnosed(session: botocore.session.Session) -> Callable[[str], Diagnosis]:
    """Diagnoses a function."""
    return lambda function: examine(Questions(Aws(session, REGION, Calls())), function)


@pytest.fixture(scope="module")
def incident(places: Places, command: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """The incident's two functions, deployed and run."""
    result = command("incident", directory=places.directory)
    assert result.returncode == 0, result.stdout + result.stderr


def run(
    variables: Mapping[str, str], *arguments: str, credentials: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line as an operator does."""
    return subprocess.run(
        [sys.executable, "-m", "operator_cli", "diagnose", *arguments],
        cwd=PROJECT,
        env={**variables, **(credentials or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.usefixtures("incident")
def test_the_incident_is_a_key_without_its_token_at_a_line_of_the_deployed_code(variables: Mapping[str, str]) -> None:
    """The seeds' question gets its answer: what, where, why STS works, and that the network plays no part."""
    result = run(variables, function_name(SEED), "--json")
    assert result.returncode == ExitStatus.REFUSED, result.stderr
    answer = json.loads(result.stdout)
    first = answer["causes"][0]
    assert [cause["slug"] for cause in answer["causes"]] == [Slug.EXPLICIT_KEY]
    assert first["likelihood"] == Likelihood.CERTAIN
    code = (PROJECT / "local_aws" / "incident" / "seed_function" / "aws.py").read_text().splitlines()
    assert code[82].strip() == 'client_kwargs["aws_access_key_id"] = settings.aws_access_key_id'
    assert "Explicit key without session token at aws.py:83" in first["what"]
    assert "STS succeeds" in first["what"]
    assert "play no part" in first["what"]
    evidence = "\n".join(first["evidence"])
    assert "aws.py:113" in evidence
    assert "settings.py:8" in evidence
    assert "queue_service.py:56" in evidence
    assert "log: Error in DynamoDB PutItem: An error occurred (UnrecognizedClientException)" in evidence
    assert "(InvalidClientTokenId)" in evidence


@pytest.mark.usefixtures("incident")
def test_the_cured_function_has_nothing_wrong(variables: Mapping[str, str]) -> None:
    """At most the one call that its role is not granted on purpose."""
    result = run(variables, function_name(ROLE_ONLY), "--json")
    answer = json.loads(result.stdout)
    assert [cause["slug"] for cause in answer["causes"]] in ([], [Slug.MISSING_ACTION])
    for cause in answer["causes"]:
        assert "sqs:PurgeQueue" in cause["what"]
    assert answer["cannot_tell"] == []
    assert result.returncode == (ExitStatus.REFUSED if answer["causes"] else ExitStatus.GOOD)


def test_a_function_without_a_fault_gets_none(deployment: Deployment, diagnosed: Callable[[str], Diagnosis]) -> None:
    """Nothing is found, and everything is known."""
    diagnosis = diagnosed(deployment.deploy(Plan()))
    assert diagnosis.causes == ()
    assert diagnosis.doubts == ()
    assert diagnosis.is_healthy


def test_stores_that_refuse_others_and_a_key_that_may_be_used_are_no_fault(
    deployment: Deployment, diagnosed: Callable[[str], Diagnosis]
) -> None:
    """They ask for the function's own endpoint and account, and their key admits its role: as this project's do."""
    ours = {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}
    refused = {"queue": {"StringNotEquals": {"aws:SourceVpce": "{queue endpoint}"}}, "table": ours, "bucket": ours}
    plan = Plan(code=KEEPS, refused=refused, encrypted=("queue", "table", "bucket"), invokes=False)
    diagnosis = diagnosed(deployment.deploy(plan))
    assert (diagnosis.causes, diagnosis.doubts) == ((), ())


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_gets_its_own_verdict_and_no_other(
    fault: Slug, deployment: Deployment, diagnosed: Callable[[str], Diagnosis]
) -> None:
    """One fault, one cause, with what shows it and what to do."""
    function = deployment.deploy(FAULTS[fault])
    diagnosis = diagnosed(function)
    assert [cause.slug for cause in diagnosis.causes] == [fault]
    assert diagnosis.doubts == ()
    (cause,) = diagnosis.causes
    assert (cause.likelihood is Likelihood.CERTAIN) == (fault in SHOWN_BY_THE_LOG)
    assert cause.evidence
    assert cause.fix
    evidence = "\n".join(cause.evidence)
    assert [words for words in SAID_BY_THE_RESOURCE.get(fault, ()) if words not in evidence] == []
    shown = repr(diagnosis)
    assert not [secret for secret in (KEY_ID, SECRET, TOKEN) if secret in shown]


def test_a_session_that_was_copied_and_has_expired_is_named(
    deployment: Deployment, diagnosed: Callable[[str], Diagnosis]
) -> None:
    """ExpiredToken is not InvalidClientTokenId: the session was good, and nothing renewed it."""
    copied = deployment.session(seconds=6)
    end = time.monotonic() + 6
    function = deployment.deploy(Plan(code=PASSES_KEYS, variables=copied))
    assert diagnosed(function).causes[0].likelihood is Likelihood.LIKELY
    # Now that the function has a session of its own: the local AWS forgets an expired one when it makes the next.
    time.sleep(max(0, end - time.monotonic()) + 0.5)
    deployment.invoke(function)
    diagnosis = diagnosed(function)
    assert [cause.slug for cause in diagnosis.causes] == [Slug.COPIED_SESSION]
    assert diagnosis.causes[0].likelihood is Likelihood.CERTAIN
    assert any("ExpiredToken" in line for line in diagnosis.causes[0].evidence)
    assert not [value for value in copied.values() if value in repr(diagnosis)]


def test_a_role_that_was_deleted_is_named(deployment: Deployment, diagnosed: Callable[[str], Diagnosis]) -> None:
    """The function keeps its ARN, and nobody is there."""
    function = deployment.deploy(Plan())
    deployment.delete_role(function)
    assert [cause.slug for cause in diagnosed(function).causes] == [Slug.ROLE_MISSING]


@pytest.mark.parametrize("fault", [Slug.MISSING_ENDPOINT, Slug.ROUTE_TABLE])
def test_the_command_that_it_prints_cures(
    fault: Slug, deployment: Deployment, diagnosed: Callable[[str], Diagnosis], session: botocore.session.Session
) -> None:
    """Copied as it stands, with a group where it asks for one."""
    ec2: Any = session.create_client("ec2")
    function = deployment.deploy(FAULTS[fault])
    (cause,) = diagnosed(function).causes
    words = shlex.split(re.search(r"aws (ec2 .*?)(?: \(|\. If|$)", cause.fix)[1])  # type: ignore[index] # it has to be there
    assert words[0] == "ec2"
    parameters: dict[str, Any] = {}
    for option, given in options(words[2:]):
        name = "".join(part.capitalize() for part in option.removeprefix("--").split("-"))
        parameters[name] = given if name.endswith("Ids") else given[0] if given else True
    if parameters.get("SecurityGroupIds") == ["GROUP"]:
        described = ec2.describe_security_groups(
            Filters=[{"Name": "vpc-id", "Values": [parameters["VpcId"]]}, {"Name": "group-name", "Values": ["doors"]}]
        )
        parameters["SecurityGroupIds"] = [described["SecurityGroups"][0]["GroupId"]]
    getattr(ec2, words[1].replace("-", "_"))(**parameters)
    assert diagnosed(function).causes == ()


def options(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Give each option of a command line of `aws` with its values."""
    begins = [at for at, word in enumerate(words) if word.startswith("--")]
    for begin, end in zip(begins, [*begins[1:], len(words)], strict=True):
        yield words[begin], words[begin + 1 : end]


def test_two_faults_get_two_verdicts(deployment: Deployment, diagnosed: Callable[[str], Diagnosis]) -> None:
    """Neither hides the other; the one that the log shows comes first."""
    function = deployment.deploy(Plan(has_queue_endpoint=False, variables={"AWS_PROFILE": "dev"}))
    assert [cause.slug for cause in diagnosed(function).causes] == [Slug.STALE_PROFILE, Slug.MISSING_ENDPOINT]


def test_every_function_of_the_application_is_read_without_a_doubt(
    session: botocore.session.Session, diagnosed: Callable[[str], Diagnosis]
) -> None:
    """The application that this project deploys has none of these faults."""
    functions: Any = session.create_client("lambda")
    ours = [
        function["FunctionName"]
        for page in functions.get_paginator("list_functions").paginate()
        for function in page["Functions"]
        if function["FunctionName"].startswith("rolebound-dev-")
    ]
    assert len(ours) >= 4
    assert {name: diagnosed(name).causes for name in ours} == dict.fromkeys(ours, ())


def test_an_alias_is_judged_by_the_version_that_it_stands_for(
    deployment: Deployment, diagnosed: Callable[[str], Diagnosis]
) -> None:
    """Its configuration and its log, not those of what was deployed since; by name and by ARN.

    The local AWS gives out the newest code for every version, so the fault is one of the configuration.
    """
    function = deployment.deploy(Plan())
    arn = deployment.publish(function, alias="live")
    deployment.set_variable(function, "AWS_PROFILE", "dev")
    deployment.invoke(function)
    (cause,) = diagnosed(function).causes
    assert (cause.slug, cause.likelihood) == (Slug.STALE_PROFILE, Likelihood.CERTAIN)
    for named in (f"{function}:live", arn):
        diagnosis = diagnosed(named)
        assert diagnosis.is_healthy
        assert diagnosis.function == arn


def test_it_needs_the_permissions_that_it_prints_and_no_other(
    deployment: Deployment, session: botocore.session.Session, variables: Mapping[str, str]
) -> None:
    """A role with exactly these diagnoses the function as well as the account's owner does."""
    function = deployment.deploy(FAULTS[Slug.MISSING_ACTION])
    printed = json.loads(run(variables, "--permissions", function).stdout)
    assert printed == permissions(function)
    result = run(variables, function, "--json", credentials=as_role_with(session, printed))
    answer = json.loads(result.stdout)
    assert [cause["slug"] for cause in answer["causes"]] == [Slug.MISSING_ACTION], result.stderr
    assert not [doubt for doubt in answer["cannot_tell"] if doubt["permission"]]


@pytest.fixture(scope="module")
def limited(deployment: Deployment) -> str:
    """A function whose role has policies of every kind, with stores under a key, and which has written to its log."""
    plan = Plan(
        code=KEEPS,
        boundary=("dynamodb:*", "sqs:*", "s3:*", "kms:*"),
        refused={"table": {"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}},
        encrypted=("queue", "table", "bucket"),
        key_actions=("kms:Encrypt",),
    )
    return deployment.deploy(plan)


@pytest.mark.parametrize(
    "read", [read for read in READS if read not in NOT_ASKED_HERE], ids=lambda read: read.permission
)
def test_what_it_may_not_read_it_names(read: Read, limited: str, session: botocore.session.Session) -> None:
    """Each permission that is taken away is missed by its name, and never passed over."""
    policy = permissions(limited)
    for statement in policy["Statement"]:
        statement["Action"] = [name for name in statement["Action"] if name != read.permission] or ["s3:ListBucket"]
    reader = botocore.session.Session()
    reader.set_credentials(*as_role_with(session, policy).values())
    questions = Questions(Aws(reader, REGION, Calls()))
    if read.permission == "lambda:GetFunction":
        with pytest.raises(OperatorError) as refused:
            examine(questions, limited)
        assert f"--permissions {limited}" in refused.value.next_step
        return
    diagnosis = examine(questions, limited)
    assert read.permission in {doubt.permission for doubt in diagnosis.doubts}
    assert not diagnosis.is_healthy


def test_an_unknown_function_is_an_error_in_three_parts(variables: Mapping[str, str]) -> None:
    """What is wrong, why it matters, what to do next; and the status of a wrong place."""
    result = run(variables, "no-such-function")
    assert result.returncode == ExitStatus.WRONG_PLACE
    assert "There is no function 'no-such-function' there." in result.stderr
    assert "Why it matters:" in result.stderr
    assert "What to do:" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, ExitStatus.NO_CREDENTIALS),
        ({"AWS_ACCESS_KEY_ID": "AKIA" + "NOTAKEYNOTAKEY00"}, ExitStatus.NO_CREDENTIALS),
        ({"AWS_PROFILE": "none"}, ExitStatus.NO_CREDENTIALS),
    ],
    ids=["none", "unknown", "no-profile"],
)
def test_the_operators_own_credentials_are_told_apart_from_the_functions(
    credentials: Mapping[str, str], status: ExitStatus, variables: Mapping[str, str]
) -> None:
    """A diagnosis that could not begin is no diagnosis: its exit status says why."""
    result = run(variables, "rolebound-dev-api", credentials=credentials)
    assert result.returncode == status, result.stdout + result.stderr


def as_role_with(session: botocore.session.Session, policy: Mapping[str, Any]) -> dict[str, str]:
    """Give credentials of a role that may do what a policy says."""
    iam: Any = session.create_client("iam")
    sts: Any = session.create_client("sts")
    name = f"reader-{re.sub(r'[^0-9]', '', str(time.time()))}"
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="reads", PolicyDocument=json.dumps(policy))
    given = sts.assume_role(RoleArn=role, RoleSessionName="operator")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }
