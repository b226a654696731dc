"""What queues, tables, buckets and their keys say themselves: judged as IAM does, read only where it is needed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credential_rules.policy_evaluation import Request, authorise
from operator_cli.commands.diagnose import examine
from operator_cli.diagnosis.cause import Likelihood, Slug
from operator_cli.diagnosis.stores import STORE_READS, store_of
from tests.operator_cli.diagnosis.faults import FAULTS, OF_ROLE, OTHER, USES_KEY
from tests.operator_cli.diagnosis.recorded import (
    ACCOUNT,
    BUCKET,
    FIRST_ROUNDS,
    KEY,
    NAME,
    QUEUE,
    REGION,
    ROLE,
    TABLE,
    InRounds,
    Recorded,
    deny,
    document,
    statement,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from operator_cli.diagnosis.conclusion import Diagnosis

SEND: Final = "sqs.send_message(QueueUrl=os.environ['QUEUE_URL'], MessageBody='1')"
ASK: Final = "sqs.get_queue_attributes(QueueUrl=os.environ['QUEUE_URL'])"
SEND_SOMEWHERE: Final = "sqs.send_message(QueueUrl=event['queue'], MessageBody='1')"
PUT_ITEM: Final = "dynamodb.put_item(TableName=os.environ['TABLE'], Item={})"
DESCRIBE: Final = "dynamodb.describe_table(TableName=os.environ['TABLE'])"
PUT: Final = "s3.put_object(Bucket='payloads', Key='a', Body=b'')"
GET: Final = "s3.get_object(Bucket='payloads', Key='a')"
LIST: Final = "s3.list_objects_v2(Bucket='payloads')"
EVERYTHING: Final = statement(["sqs:*", "dynamodb:*", "s3:*"], "*")
THROUGH: Final[Mapping[str, str]] = {"sqs:SendMessage": "vpce-queue", "dynamodb:PutItem": "vpce-tables"}
OURS: Final = {QUEUE: "sqs:SendMessage", TABLE: "dynamodb:PutItem"}
EVERYTHING_DOCUMENT: Final = document(EVERYTHING)
ALIAS: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/data"
STORE_QUESTIONS: Final = {f"{one.service}:{one.operation}" for one in STORE_READS}


def calling(*calls: str, role: Mapping[str, Any] = EVERYTHING) -> Recorded:
    """Record a function outside of a VPC that makes some calls."""
    recorded = Recorded()
    del recorded.configuration["VpcConfig"]
    lines = (f"    boto3.client('{call.partition('.')[0]}').{call.partition('.')[2]}\n" for call in calls)
    recorded.files["app/index.py"] = (
        f"import os\n\nimport boto3\n\n\ndef handler(event, context):\n{''.join(lines) or '    pass'}"
    )
    recorded.inline["work"] = document(role)
    return recorded


def asked_of_stores(recorded: Recorded) -> list[str]:
    """Give the questions about stores and keys that were asked."""
    return sorted(question for question in recorded.asked if question in STORE_QUESTIONS)


def diagnose(recorded: Recorded) -> Diagnosis:
    """Diagnose the recorded function."""
    return examine(recorded, NAME)


def slugs(recorded: Recorded) -> list[Slug]:
    """Give the causes' names."""
    return [cause.slug for cause in diagnose(recorded).causes]


# --- endpoints ----------------------------------------------------------------------------------------------------


def asking_for_endpoints(recorded: Recorded, endpoints: Mapping[str, str]) -> Recorded:
    """Let queue and table refuse the role what does not come through an endpoint, as this project's do."""
    for store, action in OURS.items():
        held = recorded.policies[store]
        assert held is not None
        condition = {"ArnEquals": OF_ROLE, "StringNotEquals": {"aws:SourceVpce": endpoints[action]}}
        recorded.policies[store] = document(*held["Statement"], deny("ApiThroughEndpoint", action, store, **condition))
    return recorded


def test_stores_that_ask_for_the_functions_own_endpoints_let_it_in() -> None:
    """Each service's calls pass their own endpoint, and what they state is known."""
    assert diagnose(asking_for_endpoints(Recorded(), THROUGH)).is_healthy


def test_stores_that_ask_for_another_endpoint_refuse_with_the_statement_that_does() -> None:
    """The statement and its document, what the call states, and what to change."""
    recorded = asking_for_endpoints(Recorded(), dict.fromkeys(THROUGH, "vpce-old"))
    queue, table = diagnose(recorded).causes
    assert (queue.slug, table.slug) == (Slug.QUEUE_POLICY, Slug.TABLE_POLICY)
    assert queue.likelihood is Likelihood.LIKELY
    shown = "\n".join(queue.evidence)
    assert f"app/index.py:8: calls sqs:SendMessage on {QUEUE}" in shown
    assert f"the policy of the queue {QUEUE}: statement 'ApiThroughEndpoint' denies it: " in shown
    assert '"StringNotEquals": {"aws:SourceVpce": "vpce-old"}' in shown
    assert "aws:SourceVpce is vpce-queue" in shown
    assert "ApiThroughEndpoint" in queue.fix
    assert "Name vpce-tables" in table.fix


def test_a_call_that_leaves_by_a_nat_gateway_comes_through_no_endpoint() -> None:
    """What the store asks for is not there, however the call gets to it."""
    recorded = asking_for_endpoints(Recorded(), THROUGH)
    recorded.endpoints.clear()
    recorded.tables["rtb-1"]["Routes"].append(
        {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
    )
    recorded.groups["sg-functions"] = recorded.groups["sg-other"]
    causes = diagnose(recorded).causes
    assert {cause.slug for cause in causes} == {Slug.QUEUE_POLICY, Slug.TABLE_POLICY}
    assert all("they pass no endpoint" in cause.fix for cause in causes)
    assert all("there is no aws:SourceVpce" in "".join(cause.evidence) for cause in causes)


def test_a_function_outside_of_a_vpc_comes_through_no_endpoint() -> None:
    """Nor does it have a network that a policy could ask for."""
    recorded = asking_for_endpoints(Recorded(), THROUGH)
    del recorded.configuration["VpcConfig"]
    assert slugs(recorded) == [Slug.QUEUE_POLICY, Slug.TABLE_POLICY]


def test_two_endpoints_of_which_one_is_asked_for_are_a_doubt() -> None:
    """From one subnet the call passes the one, from the other the other: neither a pass nor a verdict."""
    recorded = asking_for_endpoints(Recorded(), THROUGH)
    del recorded.tables["rtb-1"]["Associations"][1]
    second = {"SubnetId": "subnet-b", "RouteTableId": "rtb-2", "Main": False}
    recorded.tables["rtb-2"] = {"Associations": [second], "Routes": recorded.tables["rtb-1"]["Routes"]}
    recorded.endpoints["vpce-tables-2"] = {**recorded.endpoints["vpce-tables"], "RouteTableIds": ["rtb-2"]}
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    (doubt,) = diagnosis.doubts
    assert f"the policy of the table {TABLE} lets dynamodb:PutItem through" in doubt.what
    assert "which way the call takes" in doubt.what


def through_nat(recorded: Recorded) -> Recorded:
    """Take the second subnet out of the table's endpoint, and give it a NAT gateway."""
    del recorded.tables["rtb-1"]["Associations"][1]
    way_out = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
    second = {"SubnetId": "subnet-b", "RouteTableId": "rtb-2", "Main": False}
    recorded.tables["rtb-2"] = {"Associations": [second], "Routes": [way_out]}
    everywhere = recorded.groups["sg-other"]["IpPermissionsEgress"]
    recorded.groups["sg-functions"]["IpPermissionsEgress"] += everywhere
    return recorded


def test_an_endpoint_that_only_one_subnet_has_is_a_doubt() -> None:
    """From the other the call comes from a public address: what the table asks for is there or is not."""
    diagnosis = diagnose(through_nat(asking_for_endpoints(Recorded(), THROUGH)))
    assert diagnosis.causes == ()
    (doubt,) = diagnosis.doubts
    assert f"the policy of the table {TABLE} lets dynamodb:PutItem through" in doubt.what


def test_a_call_that_passes_no_endpoint_comes_from_no_vpc_that_a_policy_could_see() -> None:
    """AWS states the VPC only where the call passes an endpoint."""
    recorded = Recorded()
    recorded.policies[TABLE] = document(
        deny("NotFromHere", "dynamodb:*", TABLE, StringEquals={"aws:SourceVpc": "vpc-1"})
    )
    assert slugs(recorded) == [Slug.TABLE_POLICY]
    del recorded.endpoints["vpce-tables"]
    recorded.tables["rtb-1"]["Routes"].append(
        {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
    )
    recorded.groups["sg-functions"]["IpPermissionsEgress"] += recorded.groups["sg-other"]["IpPermissionsEgress"]
    assert diagnose(recorded).is_healthy


def test_a_store_behind_a_closed_way_is_a_doubt_beside_it() -> None:
    """Through which endpoint calls will come, once there is one, nobody knows."""
    recorded = asking_for_endpoints(Recorded(), THROUGH)
    del recorded.endpoints["vpce-queue"]
    diagnosis = diagnose(recorded)
    assert [cause.slug for cause in diagnosis.causes] == [Slug.MISSING_ENDPOINT]
    assert any(QUEUE in doubt.what and "aws:SourceVpce" in doubt.what for doubt in diagnosis.doubts)


# --- buckets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "refusing", "is_refused"),
    [
        (PUT, deny("OnlyHere", "s3:PutObject", f"{BUCKET}/*", StringNotEquals={"aws:SourceVpce": "vpce-1"}), True),
        (PUT, deny("Tls12", "s3:*", f"{BUCKET}/*", NumericLessThan={"s3:TlsVersion": "1.2"}), False),
        (PUT, deny("Tls14", "s3:*", f"{BUCKET}/*", NumericLessThan={"s3:TlsVersion": "1.4"}), True),
        (PUT, deny("NotOurs", "s3:*", f"{BUCKET}/*", StringNotEquals={"aws:PrincipalAccount": OTHER}), True),
        (LIST, deny("Objects", "s3:*", f"{BUCKET}/*"), False),
        (LIST, deny("Bucket", "s3:ListBucket", BUCKET), True),
        (GET, deny("Writes", "s3:Put*", f"{BUCKET}/*"), False),
    ],
)
def test_a_bucket_refuses_by_its_policy(call: str, refusing: dict[str, Any], is_refused: bool) -> None:  # noqa: FBT001 (what is expected)
    """A bucket is not its objects, and its TLS is what both ends can."""
    recorded = calling(call)
    recorded.policies[BUCKET] = document(refusing)
    diagnosis = diagnose(recorded)
    assert [cause.slug for cause in diagnosis.causes] == [Slug.BUCKET_POLICY] * is_refused
    assert diagnosis.doubts == ()
    for cause in diagnosis.causes:
        assert any(f"statement '{refusing['Sid']}'" in line and BUCKET in line for line in cause.evidence)


def test_a_tls_version_that_only_some_runtimes_have_is_a_doubt() -> None:
    """What the function's runtime negotiates is not read."""
    recorded = calling(PUT)
    recorded.policies[BUCKET] = document(deny("Tls13", "s3:*", f"{BUCKET}/*", NumericLessThan={"s3:TlsVersion": "1.3"}))
    diagnosis = diagnose(recorded)
    assert (diagnosis.causes, len(diagnosis.doubts)) == ((), 1)


def test_an_object_that_has_to_be_encrypted_by_header_is_a_doubt() -> None:
    """What a call states of its object the code may say anywhere."""
    recorded = calling(PUT)
    encrypted = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
    recorded.policies[BUCKET] = document(deny("Encrypted", "s3:PutObject", f"{BUCKET}/*", **encrypted))
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any("s3:x-amz-server-side-encryption" in doubt.what for doubt in diagnosis.doubts)


# --- what a resource allows by itself -----------------------------------------------------------------------------

LETS_IN: Final[Mapping[str, Any]] = {
    "Sid": "LetsIn",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"},
    "Action": "sqs:SendMessage",
    "Resource": QUEUE,
}


def test_a_role_that_the_queue_admits_needs_no_allow_of_its_own() -> None:
    """In one account either suffices; that the account may is not the role's leave."""
    recorded = calling(SEND, role=statement("sqs:ListQueues", "*"))
    assert slugs(recorded) == [Slug.MISSING_ACTION]
    recorded.policies[QUEUE] = document(LETS_IN)
    assert diagnose(recorded).is_healthy
    recorded.policies[QUEUE] = document({**LETS_IN, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}})
    assert slugs(recorded) == [Slug.MISSING_ACTION]


def test_a_role_that_denies_itself_is_not_helped_by_the_queue() -> None:
    """A Deny wins over every Allow, wherever that stands."""
    recorded = calling(SEND, role={**statement("sqs:*", "*"), "Effect": "Deny"})
    recorded.policies[QUEUE] = document(LETS_IN)
    assert slugs(recorded) == [Slug.EXPLICIT_DENY]


def test_a_queue_that_may_admit_the_role_is_a_doubt() -> None:
    """Whether it does depends on a tag."""
    recorded = calling(SEND, role=statement("sqs:ListQueues", "*"))
    tagged = {"StringEquals": {"aws:ResourceTag/team": "events"}}
    recorded.policies[QUEUE] = document({**LETS_IN, "Condition": tagged})
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any("its own policies do not allow it" in doubt.what for doubt in diagnosis.doubts)


@pytest.mark.parametrize(("organisation", "is_refused"), [("o-1", False), ("o-2", True), ("", True)])
def test_a_queue_of_an_organisation_is_judged_by_the_accounts_own(organisation: str, is_refused: bool) -> None:  # noqa: FBT001 (what is expected)
    """As this project's stores ask for it where the settings name one."""
    recorded = calling(SEND)
    strangers = {
        "StringNotEquals": {"aws:PrincipalOrgID": "o-1"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    recorded.policies[QUEUE] = document(deny("NoStrangers", "sqs:*", QUEUE, **strangers))
    recorded.organisation = organisation
    diagnosis = diagnose(recorded)
    assert [cause.slug for cause in diagnosis.causes] == [Slug.QUEUE_POLICY] * is_refused
    assert diagnosis.doubts == ()


# --- keys ---------------------------------------------------------------------------------------------------------


def with_key(*calls: str, store: str, named: str = KEY, role: Mapping[str, Any] | None = None) -> Recorded:
    """Record a function that works with a store under a customer's key."""
    recorded = calling(*calls)
    recorded.encryption[store] = named
    if role is not None:
        recorded.inline["key"] = document(role)
    return recorded


@pytest.mark.parametrize(
    ("call", "store", "actions"),
    [
        (SEND, QUEUE, ["kms:Decrypt", "kms:GenerateDataKey"]),
        (PUT_ITEM, TABLE, ["kms:Decrypt"]),
        (PUT, BUCKET, ["kms:GenerateDataKey"]),
        (GET, BUCKET, ["kms:Decrypt"]),
    ],
)
def test_what_a_role_lacks_on_a_key_is_proposed_and_then_suffices(call: str, store: str, actions: list[str]) -> None:
    """What the service needs, through that service only; with it, nothing is left to say."""
    (cause,) = diagnose(with_key(call, store=store)).causes
    assert cause.slug is Slug.KEY_PERMISSION
    proposed = json.loads(cause.fix[cause.fix.index("{") :])
    assert (proposed["Action"], proposed["Resource"]) == (actions, KEY)
    service = store.split(":")[2]
    assert proposed["Condition"] == {"StringEquals": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}}
    assert any(f"the policy of the key {KEY}" in line for line in cause.evidence)
    assert diagnose(with_key(call, store=store, role=proposed)).is_healthy


def test_two_services_that_use_one_key_need_two_statements() -> None:
    """Each is allowed for its own service only."""
    recorded = with_key(SEND, GET, PUT, store=QUEUE)
    recorded.encryption[BUCKET] = KEY
    causes = diagnose(recorded).causes
    assert [cause.slug for cause in causes] == [Slug.KEY_PERMISSION] * 2
    recorded.inline["key"] = document(*(json.loads(cause.fix[cause.fix.index("{") :]) for cause in causes))
    assert diagnose(recorded).is_healthy


def test_a_key_for_callers_of_its_account_through_a_service_is_used_so() -> None:
    """As this project's own key has it."""
    recorded = with_key(SEND, store=QUEUE, role=USES_KEY)
    recorded.key_policies[KEY]["Statement"][0]["Condition"] = {
        "StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": f"sqs.{REGION}.amazonaws.com"}
    }
    assert diagnose(recorded).is_healthy


@pytest.mark.parametrize("call", [ASK, DESCRIBE, LIST])
def test_what_touches_no_data_needs_no_key(call: str) -> None:
    """The key is not even asked for."""
    recorded = calling(call)
    recorded.encryption |= dict.fromkeys((QUEUE, TABLE, BUCKET), KEY)
    assert diagnose(recorded).is_healthy
    assert len(asked_of_stores(recorded)) == 1


def test_a_key_that_does_not_admit_the_role_says_what_to_add_and_then_does() -> None:
    """With the statement in its policy the role's own policies need not say a thing."""
    recorded = with_key(SEND, store=QUEUE, role=USES_KEY)
    recorded.key_policies[KEY] = document({**LETS_IN, "Action": "kms:DescribeKey", "Resource": "*"})
    (cause,) = diagnose(recorded).causes
    assert cause.slug is Slug.KEY_POLICY
    assert "admits neither the role nor, for this use, its account" in cause.what
    added = json.loads(cause.fix[cause.fix.index("{") :])
    recorded.key_policies[KEY]["Statement"].append(added)
    assert diagnose(recorded).is_healthy
    del recorded.inline["key"]
    assert diagnose(recorded).is_healthy


def test_a_key_that_denies_is_named_with_its_statement() -> None:
    """By its Sid, or by its place where it has none."""
    recorded = with_key(PUT_ITEM, store=TABLE, role=USES_KEY)
    denying = {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
    recorded.key_policies[KEY]["Statement"].append(denying)
    (cause,) = diagnose(recorded).causes
    assert cause.slug is Slug.KEY_POLICY
    assert any("statement 'statement 2' denies it" in line for line in cause.evidence)


def test_a_secret_in_the_name_of_a_statement_is_shown_nowhere() -> None:
    """Somebody may have written anything into it; the statement is still told by its effect and action."""
    secret = "wJalrXUtnFEMI/K7" + "bPxRfiCYzZ9q8Lk2AxAB" + "MDEN"
    recorded = calling(PUT)
    recorded.policies[BUCKET] = document(deny(f"AWS_SECRET_ACCESS_KEY={secret}", "s3:*", f"{BUCKET}/*"))
    (cause,) = diagnose(recorded).causes
    told = "\n".join([cause.what, *cause.evidence, cause.fix])
    assert secret not in told
    assert '"Effect": "Deny"' in told


def test_a_key_with_conditions_on_the_network_is_a_doubt() -> None:
    """The service asks for the key, and through what network it does nobody documents."""
    recorded = with_key(PUT_ITEM, store=TABLE, role=USES_KEY)
    denying = deny("OnlyOurs", "kms:Decrypt", "*", StringNotEquals={"aws:SourceVpce": "vpce-1"})
    recorded.key_policies[KEY]["Statement"].append(denying)
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any("aws:SourceVpce" in doubt.what and KEY in doubt.what for doubt in diagnosis.doubts)


def test_a_role_that_denies_itself_the_key_is_told_which_statement_does() -> None:
    """No Allow helps, in the role or in the key's policy."""
    recorded = with_key(PUT_ITEM, store=TABLE, role=USES_KEY)
    recorded.inline["no-key"] = document({**statement("kms:Decrypt", "*"), "Effect": "Deny", "Sid": "NoKeys"})
    (cause,) = diagnose(recorded).causes
    assert cause.slug is Slug.KEY_PERMISSION
    assert "denies kms:Decrypt on it explicitly" in cause.what
    assert "NoKeys" in cause.fix
    assert "kms:list_grants" not in recorded.asked


def test_a_statement_is_shown_that_denies_and_none_of_another_policy_that_is_called_alike() -> None:
    """Statements without a name are told by their place, and each policy has a first one."""
    recorded = with_key(PUT_ITEM, store=TABLE, role=USES_KEY)
    recorded.inline["no-key"] = document({**statement("kms:Decrypt", "*"), "Effect": "Deny"})
    (cause,) = diagnose(recorded).causes
    shown = "\n".join(cause.evidence)
    assert "the role's policies: statement 'statement 1' denies it: " in shown
    assert '"Effect": "Deny"' in shown
    assert '"Effect": "Allow"' not in shown


def test_a_call_that_a_condition_forbids_is_told_what_it_states() -> None:
    """Here the condition holds for what it names, and not for everything else."""
    recorded = calling(SEND)
    recorded.policies[QUEUE] = document(
        deny("NotThisOne", "sqs:*", QUEUE, StringEquals={"aws:PrincipalAccount": ACCOUNT})
    )
    (cause,) = diagnose(recorded).causes
    assert cause.fix.startswith("Call so that its condition does not hold, or narrow the statement 'NotThisOne'")
    assert f"aws:PrincipalAccount is {ACCOUNT}" in cause.fix


def test_a_boundary_that_does_not_allow_the_key_is_the_cause() -> None:
    """An Allow in the role would not help."""
    recorded = with_key(SEND, store=QUEUE, role=USES_KEY)
    recorded.boundary = document(statement("sqs:*", "*"))
    (cause,) = diagnose(recorded).causes
    assert cause.slug is Slug.BOUNDARY
    assert "kms:GenerateDataKey" in cause.fix
    recorded.boundary = document(statement("*", "*"), {**statement("kms:*", "*"), "Effect": "Deny"})
    assert slugs(recorded) == [Slug.BOUNDARY]


@pytest.mark.parametrize("named", ["0a1b", KEY, "alias/data", ALIAS])
def test_a_key_is_known_by_each_of_its_names(named: str) -> None:
    """As its id, as an ARN, and by an alias, which only KMS can resolve."""
    recorded = with_key(SEND, store=QUEUE, named=named)
    recorded.aliases = {ALIAS: KEY}
    (cause,) = diagnose(recorded).causes
    assert (cause.slug, cause.subject) == (Slug.KEY_PERMISSION, KEY)
    assert ("kms:describe_key" in recorded.asked) == ("alias/" in named)


@pytest.mark.parametrize("named", ["alias/aws/sqs", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/sqs"])
def test_a_key_of_awss_own_is_not_looked_at(named: str) -> None:
    """Its policy lets in whoever the service lets in."""
    recorded = with_key(SEND, store=QUEUE, named=named)
    assert diagnose(recorded).is_healthy
    assert asked_of_stores(recorded) == ["sqs:get_queue_attributes"]


GRANT: Final = {"GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}", "Operations": ["Decrypt", "GenerateDataKey"]}


@pytest.mark.parametrize(
    ("grant", "expected", "doubts"),
    [
        (GRANT, [], 0),
        ({**GRANT, "Operations": ["Decrypt"]}, [Slug.KEY_PERMISSION], 0),
        ({**GRANT, "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/another"}, [Slug.KEY_PERMISSION], 0),
        ({**GRANT, "Constraints": {"EncryptionContextSubset": {"a": "b"}}}, [], 2),
    ],
)
def test_a_grant_lets_the_role_in_without_a_policy(grant: dict[str, Any], expected: list[Slug], doubts: int) -> None:
    """For what it is for, and nobody else."""
    recorded = with_key(SEND, store=QUEUE)
    recorded.grants = [grant]
    diagnosis = diagnose(recorded)
    assert [cause.slug for cause in diagnosis.causes] == expected
    assert len(diagnosis.doubts) == doubts


# --- another account ----------------------------------------------------------------------------------------------

OTHERS_QUEUE: Final = f"arn:aws:sqs:{REGION}:{OTHER}:queue"


@pytest.mark.parametrize(
    "call",
    [SEND, f"sqs.send_message(QueueUrl='https://sqs.{REGION}.amazonaws.com/{OTHER}/queue', MessageBody='1')"],
    ids=["variable", "literal"],
)
def test_a_queue_of_another_account_needs_both_sides(call: str) -> None:
    """It is judged by its own ARN: what the role may do to a queue of that name in its own account counts for nothing."""
    recorded = calling(call, role=statement("sqs:SendMessage", QUEUE))
    recorded.variables["QUEUE_URL"] = f"https://sqs.{REGION}.amazonaws.com/{OTHER}/queue"
    assert slugs(recorded) == [Slug.WRONG_RESOURCE, Slug.QUEUE_POLICY]
    recorded.inline["work"] = document(statement("sqs:SendMessage", OTHERS_QUEUE))
    (cause,) = diagnose(recorded).causes
    assert cause.slug is Slug.QUEUE_POLICY
    assert f"belongs to the account {OTHER}" in cause.what
    recorded.policies[OTHERS_QUEUE] = document(json.loads(cause.fix[cause.fix.index("{") :]))
    assert diagnose(recorded).is_healthy


def test_a_queue_of_another_account_that_admits_the_role_does_not_replace_its_own_leave() -> None:
    """Across accounts both have to allow."""
    recorded = calling(SEND, role=statement("sqs:ListQueues", "*"))
    recorded.variables["QUEUE_URL"] = f"https://sqs.{REGION}.amazonaws.com/{OTHER}/queue"
    recorded.policies[OTHERS_QUEUE] = document({**LETS_IN, "Resource": OTHERS_QUEUE})
    assert slugs(recorded) == [Slug.MISSING_ACTION]


def test_the_key_of_another_accounts_queue_is_that_accounts() -> None:
    """An alias of the same name here is another key."""
    recorded = calling(SEND, role=statement(["sqs:*", "kms:*"], "*"))
    recorded.variables["QUEUE_URL"] = f"https://sqs.{REGION}.amazonaws.com/{OTHER}/queue"
    recorded.policies[OTHERS_QUEUE] = document({**LETS_IN, "Resource": OTHERS_QUEUE})
    recorded.encryption[OTHERS_QUEUE] = "alias/data"
    others = KEY.replace(ACCOUNT, OTHER)
    recorded.aliases = {ALIAS: KEY, ALIAS.replace(ACCOUNT, OTHER): others}
    recorded.key_policies[others] = document({**LETS_IN, "Action": "kms:Decrypt", "Resource": "*"})
    (cause,) = diagnose(recorded).causes
    assert (cause.slug, cause.subject, cause.actions) == (Slug.KEY_POLICY, others, frozenset({"kms:generatedatakey"}))


def test_the_organisation_of_another_accounts_queue_is_not_the_functions() -> None:
    """It may be the same; nobody says so."""
    own = {"StringEquals": {"aws:ResourceOrgID": "o-1"}}
    recorded = calling(SEND, role=statement("sqs:SendMessage", "*", Condition=own))
    recorded.organisation = "o-1"
    assert diagnose(recorded).is_healthy
    recorded.variables["QUEUE_URL"] = f"https://sqs.{REGION}.amazonaws.com/{OTHER}/queue"
    recorded.policies[OTHERS_QUEUE] = document({**LETS_IN, "Resource": OTHERS_QUEUE})
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any("aws:ResourceOrgID" in doubt.what for doubt in diagnosis.doubts)


def test_a_queue_of_another_account_that_may_not_be_read_is_a_doubt() -> None:
    """Its owner tells, if anybody does."""
    recorded = calling(SEND, role=statement("sqs:SendMessage", OTHERS_QUEUE))
    recorded.variables["QUEUE_URL"] = f"https://sqs.{REGION}.amazonaws.com/{OTHER}/queue"
    recorded.refused = {"sqs:GetQueueAttributes"}
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    (doubt,) = diagnosis.doubts
    assert f"{OTHERS_QUEUE}, which belongs to another account" in doubt.what
    assert doubt.permission == "sqs:GetQueueAttributes"


def test_a_function_of_another_account_is_a_doubt() -> None:
    """Its policy is not read, and the role's own does not suffice: that is no verdict on the role."""
    of_other = f"arn:aws:lambda:{REGION}:{OTHER}:function:worker"
    recorded = calling(f"lambda.invoke(FunctionName='{of_other}')", role=statement("lambda:InvokeFunction", of_other))
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert any(f"the account {OTHER} admits the role" in doubt.what for doubt in diagnosis.doubts)


# --- what the log says --------------------------------------------------------------------------------------------


def denied(action: str, resource: str, why: str) -> str:
    """Give AWS's words for a denial; SQS and DynamoDB tell KMS's apart by a prefix of the code."""
    code = "KMS.AccessDeniedException" if action.startswith("kms:") else "AccessDenied"
    return (
        f"[ERROR] ClientError: An error occurred ({code}) when calling the operation: User: arn:aws:sts::{ACCOUNT}:"
        f"assumed-role/{ROLE}/{NAME} is not authorized to perform: {action} on resource: {resource} {why}"
    )


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("queue-for-nobody", denied("sqs:sendmessage", QUEUE, "with an explicit deny in a resource-based policy")),
        (
            "table-of-another-account",
            denied("dynamodb:PutItem", TABLE, "with an explicit deny in a resource-based policy"),
        ),
        ("queue-for-nobody", denied("sqs:SendMessage", QUEUE, "")),
        (
            "key-not-allowed",
            denied(
                "kms:GenerateDataKey", KEY, "because no identity-based policy allows the kms:GenerateDataKey action"
            ),
        ),
        (
            "tables-key-not-allowed",
            denied("kms:Decrypt", "", "because no identity-based policy allows the kms:Decrypt action").replace(
                " on resource: ", " on the resource associated with this ciphertext"
            ),
        ),
        (
            "key-for-another-role",
            denied(
                "kms:GenerateDataKey", KEY, "because no resource-based policy allows the kms:GenerateDataKey action"
            ),
        ),
    ],
)
def test_a_refusal_that_the_log_shows_is_certain_and_told_once(fault: str, line: str) -> None:
    """With the statement that was read, and not a second time as something unknown."""
    recorded = Recorded()
    FAULTS[fault].plant(recorded)
    recorded.logs(line)
    diagnosis = diagnose(recorded)
    (cause,) = diagnosis.causes
    assert (cause.slug, cause.likelihood) == (FAULTS[fault].slug, Likelihood.CERTAIN)
    assert any(part.startswith("log: ") for part in cause.evidence)
    assert diagnosis.doubts == ()


def test_a_denial_on_another_queue_makes_no_refusal_certain() -> None:
    """The same action, another resource: another cause."""
    recorded = Recorded()
    FAULTS["queue-for-nobody"].plant(recorded)
    recorded.logs(denied("sqs:SendMessage", f"{QUEUE}-2", "with an explicit deny in a resource-based policy"))
    found = {cause.slug: cause.likelihood for cause in diagnose(recorded).causes}
    assert found == {Slug.RESOURCE_POLICY: Likelihood.CERTAIN, Slug.QUEUE_POLICY: Likelihood.LIKELY}


# --- what cannot be told ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permission", "depends"),
    [
        ("sqs:GetQueueAttributes", "Whether the queue itself lets it in"),
        ("dynamodb:GetResourcePolicy", "Whether the table itself lets it in"),
        ("dynamodb:DescribeTable", "Whether the table itself lets it in"),
        ("s3:GetBucketPolicy", "Whether the bucket itself lets it in"),
        ("s3:GetEncryptionConfiguration", "Whether the bucket itself lets it in"),
        ("kms:DescribeKey", "Whether the resource's key may be used"),
        ("kms:GetKeyPolicy", "Whether the resource's key may be used"),
        ("kms:ListGrants", "Whether the resource's key may be used"),
    ],
)
def test_a_policy_that_may_not_be_read_is_named_with_its_permission(permission: str, depends: str) -> None:
    """It is never a pass, and no fault is made of it: each of these would have shown one."""
    recorded = calling(SEND, PUT_ITEM, PUT)
    recorded.encryption = {QUEUE: "alias/data", TABLE: KEY, BUCKET: KEY}
    recorded.aliases = {ALIAS: KEY}
    if permission != "kms:ListGrants":
        recorded.inline["key"] = document(USES_KEY)
    recorded.refused = {permission}
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert not diagnosis.is_healthy
    assert [doubt for doubt in diagnosis.doubts if doubt.permission == permission and depends in doubt.what]


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("get_queue_attributes", "AWS.SimpleQueueService.NonExistentQueue"),
        ("get_resource_policy", "ResourceNotFoundException"),
        ("get_bucket_policy", "NoSuchBucket"),
        ("get_bucket_policy", "SlowDown"),
    ],
)
def test_what_is_not_there_or_does_not_answer_is_a_doubt_without_a_permission(operation: str, code: str) -> None:
    """Asking for a permission would not help."""
    recorded = calling(SEND, PUT_ITEM, PUT)
    recorded.failures = {operation: code}
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    (doubt,) = diagnosis.doubts
    assert (code in doubt.what, doubt.permission) == (True, "")


def test_a_policy_that_is_none_is_a_doubt() -> None:
    """A text that is no JSON allows nothing and denies nothing that anybody can tell."""

    class Garbled(Recorded):
        def _get_bucket_policy(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as AWS answers
            return {"Policy": "no policy"}

    recorded = Garbled()
    whole = calling(PUT)
    recorded.configuration, recorded.files, recorded.inline = whole.configuration, whole.files, whole.inline
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert not diagnosis.is_healthy


# --- what is asked ------------------------------------------------------------------------------------------------


def test_a_store_without_a_policy_or_a_key_is_an_ordinary_one() -> None:
    """Most have neither."""
    recorded = calling(SEND, PUT_ITEM, PUT)
    recorded.policies = dict.fromkeys(recorded.policies)
    assert diagnose(recorded).is_healthy
    assert recorded.asked.count("sqs:get_queue_attributes") == 1
    assert not [question for question in recorded.asked if question.startswith("kms:")]


NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    SEND: ("sqs:get_queue_attributes",),
    ASK: ("sqs:get_queue_attributes",),
    PUT_ITEM: ("dynamodb:get_resource_policy", "dynamodb:describe_table"),
    DESCRIBE: ("dynamodb:get_resource_policy",),
    PUT: ("s3:get_bucket_policy", "s3:get_bucket_encryption"),
    LIST: ("s3:get_bucket_policy",),
}


@settings(max_examples=40)
@given(
    calls=st.lists(st.sampled_from(sorted(NEEDED)), unique=True),
    encrypted=st.sets(st.sampled_from([QUEUE, TABLE, BUCKET])),
    may_use=st.booleans(),
)
def test_no_question_is_asked_that_the_finding_does_not_need(
    calls: list[str], encrypted: set[str], *, may_use: bool
) -> None:
    """Each store once, its key only where a call uses it, the grants only where nothing else admits the role."""
    recorded = calling(*calls)
    recorded.encryption = dict.fromkeys(encrypted, KEY)
    if may_use:
        recorded.inline["key"] = document(USES_KEY)
    diagnose(recorded)
    needed = {question for call in calls for question in NEEDED[call]}
    uses_key = {"sqs": QUEUE, "dynamodb": TABLE, "s3": BUCKET}
    opened = {uses_key[call.partition(".")[0]] for call in calls if call in {SEND, PUT_ITEM, PUT}}
    if opened & encrypted:
        needed |= {"kms:get_key_policy", *([] if may_use else ["kms:list_grants"])}
    assert asked_of_stores(recorded) == sorted(needed)


OF_STORES: Final = "get_queue_attributes get_resource_policy describe_table get_bucket_policy get_bucket_encryption"


@pytest.mark.parametrize(
    ("encryption", "may_use", "rounds"),
    [
        ({}, True, [OF_STORES]),
        (dict.fromkeys([QUEUE, TABLE, BUCKET], KEY), True, [OF_STORES, "get_key_policy"]),
        ({QUEUE: "alias/data", TABLE: f"{KEY}2"}, True, [OF_STORES, "describe_key", "get_key_policy get_key_policy"]),
        (
            {QUEUE: KEY, TABLE: f"{KEY}2"},
            False,
            [OF_STORES, "get_key_policy get_key_policy", "list_grants list_grants"],
        ),
    ],
    ids=["no-key", "one-key", "alias", "refused"],
)
def test_stores_are_read_in_one_round_and_keys_in_as_many_as_they_need(
    encryption: dict[str, str], rounds: list[str], *, may_use: bool
) -> None:
    """However many there are: each further round waits for what the one before named."""
    recorded = calling(SEND, PUT_ITEM, PUT)
    recorded.encryption = encryption
    recorded.aliases = {ALIAS: KEY}
    recorded.key_policies[f"{KEY}2"] = recorded.key_policies[KEY]
    if may_use:
        recorded.inline["work"]["Statement"].append({**USES_KEY, "Resource": "*"})
    asked = InRounds(recorded, *FIRST_ROUNDS, *rounds)
    examine(asked, NAME)
    assert asked.are_over


def test_where_the_role_was_not_read_no_resource_is() -> None:
    """Without it no call can be judged."""
    recorded = calling(SEND, PUT_ITEM, PUT)
    recorded.refused = {"iam:GetRolePolicy"}
    diagnose(recorded)
    assert asked_of_stores(recorded) == []


def test_what_only_the_role_names_is_read_and_possible() -> None:
    """The code sends to a queue that an event names, the role to one queue: if it is that one, it is refused."""
    recorded = calling(SEND_SOMEWHERE, role=statement("sqs:SendMessage", QUEUE))
    recorded.policies[QUEUE] = document(deny("Nobody", "sqs:*", QUEUE))
    (cause,) = diagnose(recorded).causes
    assert (cause.slug, cause.likelihood) == (Slug.QUEUE_POLICY, Likelihood.POSSIBLE)


@pytest.mark.parametrize(
    ("call", "kind", "why"),
    [
        (SEND_SOMEWHERE, "queue", "the code does not say which it is"),
        ("dynamodb.put_item(TableName=event['table'], Item={})", "table", "the code does not say which it is"),
        (
            f"s3.put_object(Bucket='arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/x', Key='a', Body=b'')",
            "bucket",
            f"the policy of arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/x/object/* is not read",
        ),
    ],
)
def test_a_store_that_nobody_names_is_a_doubt(call: str, kind: str, why: str) -> None:
    """The role may call any, and whichever it is may refuse: that is no pass."""
    recorded = calling(call)
    (doubt,) = diagnose(recorded).doubts
    assert doubt.what.startswith(f"Whether the {kind} itself lets")
    assert why in doubt.what
    assert asked_of_stores(recorded) == []


@pytest.mark.parametrize("call", ["sqs.list_queues()", "s3.list_buckets()", "dynamodb.list_tables()"])
def test_a_call_on_no_store_asks_none(call: str) -> None:
    """It is on the account, and no resource has a say."""
    recorded = calling(call)
    assert diagnose(recorded).is_healthy
    assert asked_of_stores(recorded) == []


def test_of_a_role_that_names_a_table_too_only_the_queue_is_asked() -> None:
    """It may do everything to both, and the code sends."""
    recorded = calling(SEND_SOMEWHERE, role=statement("*", [TABLE, QUEUE]))
    diagnose(recorded)
    assert asked_of_stores(recorded) == ["sqs:get_queue_attributes"]


def test_what_the_role_names_for_something_else_is_not_read() -> None:
    """The code sends, and the role may only receive there."""
    recorded = calling(SEND_SOMEWHERE)
    recorded.inline["work"] = document(
        statement("sqs:SendMessage", QUEUE), statement("sqs:ReceiveMessage", f"{QUEUE}-2")
    )
    diagnose(recorded)
    assert asked_of_stores(recorded) == ["sqs:get_queue_attributes"]


@pytest.mark.parametrize(
    ("resource", "store"),
    [
        (QUEUE, QUEUE),
        (TABLE, TABLE),
        (f"{TABLE}/index/by-date", TABLE),
        (f"{TABLE}/index/*", TABLE),
        (f"{TABLE}/stream/2026", ""),
        (f"{BUCKET}/*", BUCKET),
        (BUCKET, BUCKET),
        (f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/x/object/*", ""),
        (f"arn:aws:sqs:{REGION}:{ACCOUNT}:q*", ""),
        (f"arn:aws:sqs:*:{ACCOUNT}:queue", ""),
        (f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/*", ""),
        (f"arn:aws:sns:{REGION}:{ACCOUNT}:topic", ""),
        ("arn:aws:s3:::*", ""),
        ("*", ""),
        ("", ""),
    ],
)
def test_a_store_is_known_by_what_is_in_it(resource: str, store: str) -> None:
    """An index is its table's, an object its bucket's; a pattern is no store."""
    assert store_of(resource) == store


@given(st.text() | st.from_regex(r"arn:aws:(sqs|dynamodb|s3):[a-z0-9-]*:[0-9]*:[a-z/*?:]*", fullmatch=True))
def test_whatever_a_policy_names_it_is_a_store_or_none(resource: str) -> None:
    """And a store names itself."""
    store = store_of(resource)
    assert store in {"", store_of(store)}


# --- whatever the policies say ------------------------------------------------------------------------------------

CONDITIONS: Final = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:SourceVpce": "vpce-queue"}},
        {"StringNotEquals": {"aws:SourceVpce": "vpce-queue"}},
        {"StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-2"}},
        {"StringEquals": {"aws:PrincipalAccount": [ACCOUNT, OTHER]}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringEquals": {"aws:ResourceTag/team": "a"}},
        {"StringNotEquals": {"aws:ResourceTag/team": "a"}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}, "Bool": {"aws:SecureTransport": "true"}},
        {"Bool": {"aws:SecureTransport": "false"}},
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    ]
)
PRINCIPALS: Final = st.sampled_from(
    [
        "*",
        {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"},
        {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        {"AWS": f"arn:aws:iam::{ACCOUNT}:role/another"},
        {"Service": "events.amazonaws.com"},
    ]
)
STATEMENTS: Final = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.sampled_from(["sqs:*", "sqs:SendMessage", "sqs:ReceiveMessage"]),
        "Resource": st.sampled_from([QUEUE, f"{QUEUE}-2", "*"]),
        "Principal": PRINCIPALS,
        "Condition": CONDITIONS,
    }
)


@settings(max_examples=60)
@given(
    statements=st.lists(STATEMENTS, max_size=3),
    may_itself=st.booleans(),
    team=st.sampled_from(["", "a", "b"]),
    organisation=st.sampled_from(["", "o-1", "o-2"]),
)
def test_what_is_refused_is_never_called_right_and_what_is_let_in_never_wrong(
    statements: list[dict[str, Any]], team: str, organisation: str, *, may_itself: bool
) -> None:
    """However the queue's policy reads, and whatever nobody can know about it: between the two there is only doubt."""
    recorded = Recorded()
    recorded.policies[QUEUE] = document(*statements) if statements else None
    recorded.organisation = organisation
    own = [statement("dynamodb:PutItem", TABLE), *([statement("sqs:SendMessage", QUEUE)] if may_itself else [])]
    recorded.inline["work"] = document(*own)
    context = {"aws:SecureTransport": "true", "aws:SourceVpce": "vpce-queue", "aws:SourceVpc": "vpc-1"}
    context |= {"aws:ResourceTag/team": team} if team else {}
    context |= {"aws:PrincipalOrgID": organisation} if organisation else {}
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{NAME}"
    asked = Request("sqs:SendMessage", QUEUE, session, ACCOUNT, context)
    is_let_in = authorise(asked, identity=recorded.inline["work"], resource=recorded.policies[QUEUE]).allowed
    diagnosis = diagnose(recorded)
    if diagnosis.is_healthy:
        assert is_let_in
    if diagnosis.causes:
        assert not is_let_in


@settings(max_examples=40)
@given(
    written=st.recursive(
        st.none() | st.text() | st.booleans() | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["Statement", "Effect", "Principal", "AWS", "Action", "Condition", "StringEquals"]),
                inner,
            )
        ),
    )
)
def test_whatever_stands_where_a_policy_should_it_is_no_crash_and_no_pass(written: object) -> None:
    """AWS keeps no broken ones; a local AWS may."""
    recorded = calling(SEND)
    recorded.policies[QUEUE] = policy = {"Version": "2012-10-17", "Statement": written}
    asked = Request("sqs:SendMessage", QUEUE, f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{NAME}", ACCOUNT, {})
    expected = authorise(asked, identity=EVERYTHING_DOCUMENT, resource=policy)
    diagnosis = diagnose(recorded)
    assert diagnosis.causes == ()
    assert diagnosis.is_healthy == expected.allowed
