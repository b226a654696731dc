"""From what AWS answers to the causes: each fault by itself, two at a time, and what cannot be told."""

from __future__ import annotations

import itertools
import json
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_cli.commands.diagnose import examine
from operator_cli.diagnosis.cause import Likelihood, Slug
from operator_cli.diagnosis.conclusion import Diagnosis, as_json
from tests.operator_cli.conftest import KEY_ID, MARK, SECRET, TEMPORARY_KEY_ID, Said
from tests.operator_cli.diagnosis.faults import FAULTS, Fault
from tests.operator_cli.diagnosis.recorded import (
    ACCOUNT,
    ARN,
    NAME,
    QUEUE,
    REGION,
    ROLE,
    TABLE,
    Recorded,
    acl_entries,
    document,
    statement,
)

PAIRS: Final = [
    pair for pair in itertools.combinations(sorted(FAULTS), 2) if FAULTS[pair[0]].is_independent_of(FAULTS[pair[1]])
]
TIMED_OUT: Final = "2026-09-21T14:13:30Z 1f3c Task timed out after 10.00 seconds"
NOT_CONNECTED: Final = 'Could not connect to the endpoint URL: "https://sqs.eu-west-1.amazonaws.com/"'


def diagnose(recorded: Recorded) -> Diagnosis:
    """Diagnose the recorded function."""
    return examine(recorded, NAME)


def slugs(recorded: Recorded) -> list[Slug]:
    """Give the causes' names."""
    return [cause.slug for cause in diagnose(recorded).causes]


def test_a_function_without_a_fault_is_healthy() -> None:
    """No cause, no doubt, no note."""
    diagnosis = diagnose(Recorded())
    assert diagnosis.is_healthy
    assert diagnosis.notes == ()


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_gets_one_cause(name: str, no_secret_printed: Said) -> None:
    """Its own and no other, with evidence, a next step, and no value of a variable."""
    recorded = Recorded()
    FAULTS[name].plant(recorded)
    diagnosis = diagnose(recorded)
    assert [cause.slug for cause in diagnosis.causes] == [FAULTS[name].slug]
    assert diagnosis.doubts == ()
    (cause,) = diagnosis.causes
    assert cause.evidence
    assert cause.fix
    assert cause.sources
    no_secret_printed.see(json.dumps(as_json(diagnosis)))
    no_secret_printed.see(repr(diagnosis))


@settings(max_examples=150)
@given(pair=st.sampled_from(PAIRS))
def test_two_independent_faults_are_both_named(pair: tuple[str, str]) -> None:
    """Whatever else is wrong, a fault keeps its name, and nothing third is invented."""
    faults = [FAULTS[name] for name in pair]
    recorded = Recorded()
    for fault in faults:
        fault.plant(recorded)
    found = set(slugs(recorded))
    assert found <= {fault.slug for fault in faults}
    for fault, other in (faults, faults[::-1]):
        assert fault.slug in found or explains(other, fault)


def explains(cause: Fault, logged: Fault) -> bool:
    """Whether what the log shows is accounted for by the other fault, so that it is no fault of its own."""
    accounts_for = {
        Slug.UNKNOWN_SIGNER: {
            Slug.ROLE_MISSING,
            Slug.EXPLICIT_KEY,
            Slug.REMOVED_CREDENTIALS,
            Slug.LONG_LIVED_KEY,
            Slug.COPIED_SESSION,
            Slug.LEFTOVER_TOKEN,
            Slug.RESERVED_VARIABLE,
            Slug.OTHER_SOURCE,
            Slug.ENDPOINT_OVERRIDE,
            Slug.CODE_TOUCHES_CREDENTIALS,
        },
        Slug.WRONG_SECRET: {
            Slug.EXPLICIT_KEY,
            Slug.REMOVED_CREDENTIALS,
            Slug.LONG_LIVED_KEY,
            Slug.LEFTOVER_TOKEN,
            Slug.RESERVED_VARIABLE,
            Slug.OTHER_SOURCE,
            Slug.ENDPOINT_OVERRIDE,
            Slug.CODE_TOUCHES_CREDENTIALS,
        },
        Slug.NO_CREDENTIALS: {
            Slug.ROLE_MISSING,
            Slug.REMOVED_CREDENTIALS,
            Slug.ROLE_TRUST,
            Slug.STALE_PROFILE,
            Slug.RESERVED_VARIABLE,
            Slug.OTHER_SOURCE,
            Slug.CODE_TOUCHES_CREDENTIALS,
        },
    }
    return "log" in logged.changes.split() and cause.slug in accounts_for.get(logged.slug, set())


# --- what the log decides -----------------------------------------------------------------------------------------


def test_what_the_log_shows_comes_first() -> None:
    """A closed way and a profile: the log says which of the two made the call fail."""
    recorded = Recorded()
    FAULTS["no-queue-endpoint"].plant(recorded)
    FAULTS["profile"].plant(recorded)
    assert slugs(recorded) == [Slug.STALE_PROFILE, Slug.MISSING_ENDPOINT]
    recorded.logs(NOT_CONNECTED)
    first, second = diagnose(recorded).causes
    assert (first.slug, first.likelihood) == (Slug.MISSING_ENDPOINT, Likelihood.CERTAIN)
    assert (second.slug, second.likelihood) == (Slug.STALE_PROFILE, Likelihood.LIKELY)
    assert any(line.startswith("log: Could not connect") for line in first.evidence)


def test_a_time_out_of_another_service_makes_no_closed_way_certain() -> None:
    """What did not answer was DynamoDB; that SQS has no endpoint is another fault."""
    recorded = Recorded()
    FAULTS["no-queue-endpoint"].plant(recorded)
    recorded.logs('Connect timeout on endpoint URL: "https://dynamodb.eu-west-1.amazonaws.com/"')
    diagnosis = diagnose(recorded)
    assert [(cause.slug, cause.likelihood) for cause in diagnosis.causes] == [
        (Slug.MISSING_ENDPOINT, Likelihood.LIKELY)
    ]
    assert any("Connect timeout" in doubt.what for doubt in diagnosis.doubts)


def test_a_time_out_is_matched_by_the_name_in_the_address() -> None:
    """CloudWatch's prefix in IAM is `cloudwatch`, its address says `monitoring`."""
    recorded = Recorded()
    recorded.inline["metrics"] = document(statement("cloudwatch:PutMetricData", "*"))
    recorded.logs('Connect timeout on endpoint URL: "https://monitoring.eu-west-1.amazonaws.com/"')
    (cause,) = diagnose(recorded).causes
    assert (cause.slug, cause.services, cause.likelihood) == (
        Slug.MISSING_ENDPOINT,
        frozenset({"cloudwatch"}),
        Likelihood.CERTAIN,
    )


def test_a_time_out_that_nothing_explains_is_a_doubt_and_no_pass() -> None:
    """The way is open as far as it was read: that is not the same as nothing wrong."""
    recorded = Recorded()
    recorded.logs(TIMED_OUT)
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert not diagnosis.is_healthy
    assert "Task timed out" in diagnosis.doubts[0].what


def test_an_error_from_before_the_last_change_does_not_count() -> None:
    """Somebody has mended it since; whether it helped, the next invocation shows."""
    recorded = Recorded()
    recorded.logs("An error occurred (InvalidClientTokenId) when calling the SendMessage operation", after=-1000)
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert diagnosis.is_healthy
    assert "InvalidClientTokenId from before the function was last changed" in diagnosis.notes[0]


def test_a_denial_that_the_policies_do_not_explain_is_a_doubt() -> None:
    """The role allows it now: it was denied before a change, or by a policy that cannot be read from here."""
    recorded = Recorded()
    recorded.logs(
        f"(AccessDenied) User: arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{NAME} is not authorized to perform:"
        f" sqs:SendMessage on resource: {QUEUE}"
    )
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert "what was read allows it" in diagnosis.doubts[0].what


def test_a_denial_to_another_principal_is_that_of_the_copied_session() -> None:
    """The role's policies are not asked about what somebody else may not do."""
    recorded = Recorded()
    FAULTS["session-copied"].plant(recorded)
    recorded.logs(
        f"(AccessDenied) User: arn:aws:sts::{ACCOUNT}:assumed-role/another/x is not authorized to perform:"
        " sqs:PurgeQueue because no identity-based policy allows the sqs:PurgeQueue action"
    )
    (cause,) = diagnose(recorded).causes
    assert (cause.slug, cause.likelihood) == (Slug.COPIED_SESSION, Likelihood.CERTAIN)


def test_a_function_that_never_ran_is_told_to_have_an_empty_log() -> None:
    """Nothing in it is not the same as no error."""
    recorded = Recorded()
    recorded.lines = []
    diagnosis = diagnose(recorded)
    assert diagnosis.is_healthy
    assert "is empty" in diagnosis.notes[0]


def test_an_endpoint_whose_policy_is_not_told_is_a_doubt() -> None:
    """AWS's default lets everything through, but nobody said that it is the default."""
    recorded = Recorded()
    del recorded.endpoints["vpce-queue"]["PolicyDocument"]
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any("the policy of vpce-queue" in doubt.what for doubt in diagnosis.doubts)


def test_an_endpoint_whose_private_dns_is_not_told_is_a_doubt() -> None:
    """A local AWS leaves it out; EC2 never does."""
    recorded = Recorded()
    del recorded.endpoints["vpce-queue"]["PrivateDnsEnabled"]
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any("private DNS" in doubt.what for doubt in diagnosis.doubts)


def test_what_may_be_completed_in_another_network_is_a_doubt() -> None:
    """Behind a transit gateway there may be an endpoint, or a way out."""
    recorded = Recorded()
    del recorded.endpoints["vpce-queue"]
    recorded.tables["rtb-1"]["Routes"].append(
        {"DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1", "State": "active"}
    )
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any("calls to sqs arrive" in doubt.what for doubt in diagnosis.doubts)


def test_of_a_closed_way_only_what_is_surely_closed_is_a_cause() -> None:
    """A DNS server of one's own may or may not know the name; the group surely stops the call."""
    recorded = Recorded()
    recorded.name_servers = ["10.0.0.2"]
    FAULTS["doors-admit-nobody"].plant(recorded)
    assert slugs(recorded) == [Slug.SECURITY_GROUP]


REFUSED_TOKEN: Final = (
    "[ERROR] ClientError: An error occurred (InvalidClientTokenId) when calling the SendMessage operation: The security"
    " token included in the request is invalid."
)


def test_a_token_that_the_code_removes_explains_what_the_log_says() -> None:
    """The line is named, and with the error of a refused signer in the log it is certain."""
    recorded = Recorded()
    recorded.files["app/other.py"] = 'import os\n\nos.environ.pop("AWS_SESSION_TOKEN", None)\n'
    recorded.logs(REFUSED_TOKEN)
    (cause,) = diagnose(recorded).causes
    assert (cause.slug, cause.likelihood) == (Slug.REMOVED_CREDENTIALS, Likelihood.CERTAIN)
    assert "app/other.py:3" in cause.what
    assert "signs with the role's key without its token" in cause.what
    assert any("removes AWS_SESSION_TOKEN" in line for line in cause.evidence)


def test_a_key_that_the_code_removes_does_not_explain_a_refused_signer() -> None:
    """Without the secret nothing is signed: who was refused is somebody else."""
    recorded = Recorded()
    recorded.files["app/other.py"] = 'import os\n\ndel os.environ["AWS_SECRET_ACCESS_KEY"]\n'
    recorded.logs(REFUSED_TOKEN)
    assert set(slugs(recorded)) == {Slug.UNKNOWN_SIGNER, Slug.REMOVED_CREDENTIALS}


def test_a_users_key_that_the_code_passes_on_is_one_fault() -> None:
    """It needs no token, so that nothing is missing beside it."""
    recorded = Recorded()
    recorded.variables |= {"SENDER_ID": KEY_ID, "SENDER_SECRET": SECRET[:40]}
    recorded.files["app/other.py"] = (
        "import os\n\nimport boto3\n\nSQS = boto3.client('sqs', aws_access_key_id=os.environ['SENDER_ID'],"
        " aws_secret_access_key=os.environ['SENDER_SECRET'])\n"
    )
    (cause,) = diagnose(recorded).causes
    assert cause.slug is Slug.LONG_LIVED_KEY
    assert any(line.startswith("app/other.py:5") for line in cause.evidence)
    FAULTS["key-without-token"].plant(recorded)
    recorded.files["app/third.py"] = "import os\n\nKEY = os.environ['SENDER_ID']\n"
    assert set(slugs(recorded)) == {Slug.LONG_LIVED_KEY, Slug.EXPLICIT_KEY}


def test_a_condition_that_cannot_be_judged_is_a_doubt() -> None:
    """How the resource is tagged is not read."""
    recorded = Recorded()
    condition = {"StringEquals": {"aws:ResourceTag/team": "events"}}
    recorded.inline["work"] = document(
        statement("dynamodb:PutItem", TABLE), statement("sqs:SendMessage", QUEUE, Condition=condition)
    )
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any("sqs:SendMessage" in doubt.what for doubt in diagnosis.doubts)


@pytest.mark.parametrize(
    ("organisation", "expected"),
    [("o-1234567890", []), ("o-another", [Slug.ENDPOINT_POLICY]), ("", [Slug.ENDPOINT_POLICY])],
)
def test_an_endpoint_for_an_organisation_is_judged_by_the_accounts_own(organisation: str, expected: list[Slug]) -> None:
    """An account that is in none has no such key."""
    recorded = _for_organisation()
    recorded.organisation = organisation
    diagnosis = diagnose(recorded)
    assert [cause.slug for cause in diagnosis.causes] == expected
    assert diagnosis.doubts == ()
    assert recorded.asked.count("organizations:describe_organization") == 1


def test_an_endpoint_for_an_organisation_that_may_not_be_read_is_a_doubt_and_no_cause() -> None:
    """Most likely it is the right one; what would tell is named."""
    recorded = _for_organisation()
    recorded.refused = {"organizations:DescribeOrganization"}
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any("vpce-queue" in doubt.what and "aws:PrincipalOrgID" in doubt.what for doubt in diagnosis.doubts)
    assert any(doubt.permission == "organizations:DescribeOrganization" for doubt in diagnosis.doubts)


def test_an_organisation_that_decides_nothing_is_not_asked_for() -> None:
    """The endpoint lets its own account in as well, whatever that belongs to."""
    recorded = _for_organisation(statement("sqs:*", "*", Principal="*"))
    assert diagnose(recorded).is_healthy
    assert "organizations:describe_organization" not in recorded.asked


def _for_organisation(*more: dict[str, object]) -> Recorded:
    recorded = Recorded()
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
    policy = document(statement("sqs:*", "*", Principal="*", Condition=condition), *more)
    recorded.endpoints["vpce-queue"]["PolicyDocument"] = json.dumps(policy)
    return recorded


def test_another_accounts_role_is_no_kept_session_and_no_fault() -> None:
    """All three parts come from STS's answer, and go to a session of their own."""
    recorded = Recorded()
    del recorded.configuration["VpcConfig"]
    recorded.inline["work"] = document(statement("sts:AssumeRole", "arn:aws:iam::999999999999:role/other"))
    recorded.files["app/index.py"] = (
        "import os\n\nimport boto3\n\n\ndef handler(event, context):\n"
        "    given = boto3.client('sts').assume_role(RoleArn=os.environ['OTHER'], RoleSessionName='x')['Credentials']\n"
        "    boto3.Session(aws_access_key_id=given['AccessKeyId'], aws_secret_access_key=given['SecretAccessKey'],\n"
        "                  aws_session_token=given['SessionToken']).client('s3').list_buckets()\n"
    )
    assert slugs(recorded) == []


def test_a_condition_on_a_tag_is_judged_by_the_roles_tags() -> None:
    """They are the principal's: Lambda adds none."""
    recorded = Recorded()
    condition = {"StringEquals": {"aws:PrincipalTag/team": "events"}}
    recorded.inline["work"] = document(
        statement("dynamodb:PutItem", TABLE), statement("sqs:SendMessage", QUEUE, Condition=condition)
    )
    assert slugs(recorded) == [Slug.MISSING_ACTION]
    recorded.tags = [{"Key": "team", "Value": "events"}]
    assert slugs(recorded) == []


def test_what_is_denied_to_the_code_alone_is_denied() -> None:
    """A Deny on `lambda:SourceFunctionArn` hits what the function's code calls, and not what Lambda does for it."""
    recorded = Recorded()
    condition = {"ArnEquals": {"lambda:SourceFunctionArn": ARN}}
    recorded.inline["not-from-code"] = document({**statement("sqs:*", "*", Condition=condition), "Effect": "Deny"})
    assert slugs(recorded) == [Slug.EXPLICIT_DENY]


def test_a_service_that_the_role_does_not_grant_needs_a_way_all_the_same() -> None:
    """The code calls it: once the role is mended, the call would hang."""
    recorded = Recorded()
    FAULTS["missing-action"].plant(recorded)
    FAULTS["no-queue-endpoint"].plant(recorded)
    assert set(slugs(recorded)) == {Slug.MISSING_ACTION, Slug.MISSING_ENDPOINT}


def test_a_bucket_is_taken_for_one_of_the_functions_own_account() -> None:
    """Its ARN does not say whose it is."""
    recorded = Recorded()
    del recorded.configuration["VpcConfig"]
    recorded.variables["BUCKET"] = "payloads"
    recorded.files["app/index.py"] = (
        "import os\n\nimport boto3\n\n\ndef handler(event, context):\n"
        "    boto3.client('s3').put_object(Bucket=os.environ['BUCKET'], Key='1', Body=b'')\n"
    )
    for account, expected in ((ACCOUNT, []), ("999999999999", [Slug.MISSING_ACTION])):
        condition = {"StringEquals": {"aws:ResourceAccount": account}}
        recorded.inline["work"] = document(statement("s3:PutObject", "arn:aws:s3:::payloads/*", Condition=condition))
        assert slugs(recorded) == expected


def test_a_private_hosted_zone_does_what_private_dns_does() -> None:
    """Some networks answer to the service's name by a zone of their own."""
    recorded = Recorded()
    FAULTS["private-dns-off"].plant(recorded)
    recorded.zones = ["sqs.eu-west-1.amazonaws.com."]
    assert slugs(recorded) == []


def test_a_nat_gateway_needs_no_endpoint() -> None:
    """A way out is a way, whatever it costs."""
    recorded = Recorded()
    recorded.endpoints.clear()
    recorded.tables["rtb-1"]["Routes"].append(
        {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
    )
    recorded.groups["sg-functions"] = recorded.groups["sg-other"]
    assert slugs(recorded) == []


def test_an_acl_of_single_ports_and_a_dns_server_of_ones_own_are_doubts() -> None:
    """Either may stop a call, and neither is judged: that is not the same as nothing wrong."""
    recorded = Recorded()
    recorded.acls["acl-default"]["Entries"] = [
        {**entry, "CidrBlock": "10.0.0.0/16", "Protocol": "6"} for entry in acl_entries("allow", 100)
    ]
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any("the network ACL 'acl-default'" in doubt.what for doubt in diagnosis.doubts)
    recorded = Recorded()
    recorded.name_servers = ["10.0.0.2"]
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any("DNS server of its own" in doubt.what for doubt in diagnosis.doubts)


def test_a_route_into_nothing_is_no_way_out() -> None:
    """EC2 keeps the route of a NAT gateway that was deleted, as a black hole."""
    recorded = Recorded()
    recorded.endpoints.clear()
    recorded.tables["rtb-1"]["Routes"].append(
        {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "blackhole"}
    )
    recorded.groups["sg-functions"] = recorded.groups["sg-other"]
    assert slugs(recorded) == [Slug.MISSING_ENDPOINT]


def test_a_function_outside_of_any_vpc_reaches_everything() -> None:
    """No network is read, and none is missed."""
    recorded = Recorded()
    del recorded.configuration["VpcConfig"]
    assert slugs(recorded) == []
    assert not [question for question in recorded.asked if question.startswith("ec2:")]


# --- what cannot be told ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permission", "depends"),
    [
        ("iam:GetRole", "What the role may do"),
        ("iam:ListRolePolicies", "What the role may do"),
        ("iam:GetRolePolicy", "What the role may do"),
        ("iam:ListAttachedRolePolicies", "What the role may do"),
        ("ec2:DescribeSubnets", "Whether its calls arrive"),
        ("ec2:DescribeRouteTables", "Whether its calls arrive"),
        ("ec2:DescribeVpcEndpoints", "Whether its calls arrive"),
        ("ec2:DescribeSecurityGroups", "Whether its calls arrive"),
        ("ec2:DescribeVpcAttribute", "Whether its calls arrive"),
        ("ec2:DescribeNetworkAcls", "Whether its calls arrive"),
        ("ec2:DescribeDhcpOptions", "Whether its calls arrive"),
        ("logs:DescribeLogStreams", "What it failed with"),
        ("logs:GetLogEvents", "What it failed with"),
    ],
)
def test_a_fact_that_may_not_be_read_is_named_with_its_permission(permission: str, depends: str) -> None:
    """It is never a pass, and no fault is made of it."""
    recorded = Recorded()
    recorded.refused = {permission}
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert not diagnosis.is_healthy
    assert [doubt.what for doubt in diagnosis.doubts if doubt.permission == permission and depends in doubt.what]


@pytest.mark.parametrize("refused", ["iam:GetRolePolicy", "ec2:DescribeVpcEndpoints", "logs:DescribeLogStreams"])
def test_what_does_not_depend_on_it_is_told_all_the_same(refused: str) -> None:
    """The code is judged without the role, the network and the log."""
    recorded = Recorded()
    FAULTS["key-without-token"].plant(recorded)
    recorded.refused = {refused}
    assert slugs(recorded) == [Slug.EXPLICIT_KEY]


def test_code_that_is_no_python_is_not_called_good() -> None:
    """Who signs in it nobody has looked at."""
    recorded = Recorded()
    recorded.configuration["Runtime"] = "nodejs24.x"
    diagnosis = diagnose(recorded)
    assert not diagnosis.is_healthy
    assert any("nodejs24.x" in doubt.what for doubt in diagnosis.doubts)


def test_a_module_that_cannot_be_parsed_is_said_to_be_unjudged() -> None:
    """The others are judged."""
    recorded = Recorded()
    recorded.files["app/broken.py"] = "def ("
    FAULTS["key-without-token"].plant(recorded)
    diagnosis = diagnose(recorded)
    assert [cause.slug for cause in diagnosis.causes] == [Slug.EXPLICIT_KEY]
    assert any("app/broken.py" in doubt.what for doubt in diagnosis.doubts)


def test_a_call_that_nobody_can_name_is_a_doubt_with_its_place() -> None:
    """Whether the role allows it cannot be told, and so the function is not called healthy."""
    recorded = Recorded()
    recorded.files["app/index.py"] = (
        "import boto3\n\n\ndef handler(event, context):\n    boto3.client(event['service']).send_message()\n"
    )
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any("app/index.py:5" in doubt.what for doubt in diagnosis.doubts)


# --- what to do ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            "no-queue-endpoint",
            (
                "aws ec2 create-vpc-endpoint --vpc-id vpc-1 --service-name com.amazonaws.eu-west-1.sqs --vpc-endpoint-type"
                " Interface --private-dns-enabled --subnet-ids subnet-a subnet-b"
            ),
        ),
        (
            "no-table-endpoint",
            "--service-name com.amazonaws.eu-west-1.dynamodb --vpc-endpoint-type Gateway --route-table-ids rtb-1",
        ),
        (
            "one-subnet-not-associated",
            "modify-vpc-endpoint --vpc-endpoint-id vpce-tables --add-route-table-ids rtb-1 rtb-main",
        ),
        ("private-dns-off", "modify-vpc-endpoint --vpc-endpoint-id vpce-queue --private-dns-enabled"),
        ("no-dns-support", "modify-vpc-attribute --vpc-id vpc-1 --enable-dns-support '{\"Value\":true}'"),
        ("missing-action", f'{{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "{QUEUE}"}}'),
        ("wrong-resource", f"It is allowed on {QUEUE}-2."),
        ("profile", "Remove AWS_PROFILE"),
        ("override", "Remove AWS_ENDPOINT_URL_SQS"),
        ("user-key", "Deactivate the key in IAM"),
        (
            "queue-through-another-endpoint",
            (
                "Name vpce-queue, the endpoint that the function's calls pass, as aws:SourceVpce in the statement"
                f" 'ApiThroughEndpoint' of the policy of the queue {QUEUE}"
            ),
        ),
        (
            "table-of-another-account",
            f"Name {ACCOUNT} as aws:PrincipalAccount in the statement 'NoStrangers' of the policy of the table {TABLE}",
        ),
        ("queue-for-nobody", f"Narrow the statement 'Nobody' of the policy of the queue {QUEUE}: it has no condition"),
    ],
)
def test_what_to_do_can_be_copied(fault: str, words: str) -> None:
    """With the ids, names and ARNs of this function."""
    recorded = Recorded()
    FAULTS[fault].plant(recorded)
    (cause,) = diagnose(recorded).causes
    assert words in cause.fix


# --- what is shown ------------------------------------------------------------------------------------------------


def test_the_json_form_has_its_documented_shape() -> None:
    """Scripts rely on it."""
    recorded = Recorded()
    FAULTS["user-key"].plant(recorded)
    recorded.refused = {"logs:DescribeLogStreams"}
    answer = json.loads(json.dumps(as_json(diagnose(recorded))))
    assert set(answer) == {"function", "healthy", "causes", "cannot_tell", "errors", "notes"}
    assert set(answer["causes"][0]) == {"slug", "likelihood", "what", "evidence", "fix", "sources"}
    assert answer["causes"][0]["slug"] == "long-lived-key"
    assert answer["cannot_tell"][0]["permission"] == "logs:DescribeLogStreams"
    assert answer["healthy"] is False


def test_a_secret_in_the_log_is_not_repeated() -> None:
    """Code that logs its credentials is told of, not quoted."""
    recorded = Recorded()
    recorded.logs(
        f"InvalidClientTokenId: signed with {KEY_ID} and {TEMPORARY_KEY_ID}, token IQoJb3JpZ2lu{MARK}0123456789abcdefghijklmn"
    )
    text = repr(diagnose(recorded))
    assert "InvalidClientTokenId" in text
    assert KEY_ID not in text
    assert TEMPORARY_KEY_ID not in text
    assert MARK not in text


def test_a_secret_is_judged_and_allowed_by_the_name_that_it_has() -> None:
    """Code calls it without the six characters that Secrets Manager draws; a policy without them does not match."""
    beginning = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:prod/db"
    denied = (
        f"(AccessDeniedException) User: arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{NAME} is not authorized to perform:"
        f" secretsmanager:GetSecretValue on resource: {beginning} because no identity-based policy allows the"
        " secretsmanager:GetSecretValue action"
    )
    recorded = Recorded()
    recorded.inline["secret"] = document(statement("secretsmanager:GetSecretValue", beginning))
    recorded.logs(denied)
    wrong = next(cause for cause in diagnose(recorded).causes if cause.slug is Slug.WRONG_RESOURCE)
    assert f'"Resource": "{beginning}-??????"' in wrong.fix
    recorded.inline["secret"] = document(statement("secretsmanager:GetSecretValue", f"{beginning}-??????"))
    assert Slug.WRONG_RESOURCE not in slugs(recorded)
