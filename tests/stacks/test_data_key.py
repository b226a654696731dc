"""The account's own key: rotated, and of use to nobody but through the services that store data under it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest

from credential_rules.policy_evaluation import Decision, Request, authorise
from stacks.access import Path, access_table, key_actions
from stacks.settings import Function, Service
from tests.stacks.asking import ADMINISTRATOR, OTHER, Case

if TYPE_CHECKING:
    from tests.stacks.cloud_assembly import Assembly, Resource

USES: Final = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")
MANAGEMENT: Final = (
    "kms:DescribeKey",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:DisableKey",
    "kms:TagResource",
)
STORING: Final = (Service.DYNAMODB, Service.SQS, Service.S3)


Document: TypeAlias = dict[str, Any]


NOTHING: Final[Document] = {"Version": "2012-10-17", "Statement": []}
OTHERS: Final = ("operator", "cdk-hnb659fds-cfn-exec-role-111122223333-us-east-1", "AWSBackupDefaultServiceRole")
"""Who makes API keys, reads, redrives and restores; who makes the tables, which gives DynamoDB its grants; who backs up."""


class Key:
    """The key of a deployment, ready to be asked for."""

    def __init__(self, assembly: Assembly) -> None:
        self.case = Case(assembly)
        (key,) = assembly.data.of_type("AWS::KMS::Key")
        self.resource: Resource = key
        self.arn = self.case.deployed.arn(key)
        self.policy: Document = self.case.deployed.document(assembly.data, key.properties["KeyPolicy"])

    def asked(
        self,
        action: str,
        *,
        role: str,
        identity: Document | list[Document],
        account: str | None = None,
        via: str | None = None,
        **more: str,
    ) -> Decision:
        """Judge a request for the key, made by a service for somebody or by somebody directly."""
        account = account or self.case.deployed.account
        context = {"kms:CallerAccount": account, **more}
        if via:
            context["kms:ViaService"] = f"{via}.{self.case.deployed.settings.region}.amazonaws.com"
        request = Request(action, self.arn, f"arn:aws:sts::{account}:assumed-role/{role}/session", account, context)
        return authorise(request, identity=identity, resource=self.policy).decision

    def by_function(self, function: Function, action: str, via: str | None) -> Decision:
        """Judge the same for a function's role."""
        role = self.case.deployed.settings.role_name(function)
        return self.asked(action, role=role, identity=self.case.identity[function], via=via)


@pytest.fixture(scope="module")
def key(prod: Assembly) -> Key:
    """The key of the deployment that has one."""
    return Key(prod)


def test_only_a_deployment_that_asks_for_it_has_a_key(dev: Assembly, prod: Assembly) -> None:
    """A key costs a dollar a month, and every use of it is paid."""
    assert list(dev.of_type("AWS::KMS::Key")) == []
    assert len(list(prod.of_type("AWS::KMS::Key"))) == 1


def test_the_key_is_rotated_and_survives_its_stack(key: Key) -> None:
    """Data that is kept is of no use without its key."""
    assert key.resource.properties["EnableKeyRotation"] is True
    assert key.resource.body["DeletionPolicy"] == "Retain"
    assert key.resource.body["UpdateReplacePolicy"] == "Retain"


def test_a_function_uses_the_key_through_the_services_that_it_calls_and_no_further(key: Key) -> None:
    """Each function, use and service: allowed is what follows from the table of permissions."""
    needed = {
        (entry.function, entry.service, action)
        for entry in access_table(key.case.stores)
        for action in key_actions(entry)
    }
    allowed = {
        (function, service, action)
        for function, service, action in itertools.product(Function, STORING, USES)
        if key.by_function(function, action, service) is Decision.ALLOWED
    }
    assert allowed == needed
    assert {function for function, _, _ in allowed} == set(Function)


EVERY_USE: Final = (*USES, "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant")


def test_the_keys_own_policy_holds_a_functions_role_to_the_same(key: Key) -> None:
    """Whatever its own policies say, today or once somebody has widened them: two locks, from one table."""
    allowed = {
        (function, service, action)
        for function, service, action in itertools.product(Function, STORING, EVERY_USE)
        if key.asked(
            action,
            role=key.case.deployed.settings.role_name(function),
            identity=ADMINISTRATOR,
            via=service,
            **{"kms:GrantIsForAWSResource": "true"},
        )
        is Decision.ALLOWED
    }
    assert allowed == {
        (entry.function, entry.service, action)
        for entry in access_table(key.case.stores)
        for action in key_actions(entry)
    }


@pytest.mark.parametrize("role", OTHERS)
def test_who_else_works_with_the_data_is_not_locked_out(key: Key, role: str) -> None:
    """KMS takes no list of names that would hold for every account: their own policies decide, as for the stores."""
    for via, action in itertools.product(STORING, EVERY_USE):
        more = {"kms:GrantIsForAWSResource": "true"} if action == "kms:CreateGrant" else {}
        assert key.asked(action, role=role, identity=ADMINISTRATOR, via=via, **more) is Decision.ALLOWED, (via, action)
        assert key.asked(action, role=role, identity=NOTHING, via=via, **more) is Decision.IMPLICIT_DENY


@pytest.mark.parametrize("function", Function)
def test_a_functions_role_is_known_by_its_whole_name(key: Key, function: Function) -> None:
    """A role with a longer name is somebody else of the account; one of that name elsewhere is a stranger."""
    name = key.case.deployed.settings.role_name(function)
    for role in (f"{name}-too", f"x{name}"):
        assert key.asked("kms:Encrypt", role=role, identity=ADMINISTRATOR, via=Service.SQS) is Decision.ALLOWED
        assert key.asked("kms:Encrypt", role=role, identity=NOTHING, via=Service.SQS) is Decision.IMPLICIT_DENY
    for via, action in itertools.product(STORING, EVERY_USE):
        assert key.asked(action, role=name, identity=ADMINISTRATOR, account=OTHER, via=via) is Decision.IMPLICIT_DENY, (
            via,
            action,
        )


def test_lambdas_poller_can_decrypt_messages(key: Key) -> None:
    """It receives with the worker's role; the mapping would stop without."""
    assert any(use.action == "sqs:ReceiveMessage" for use in key.case.uses(Path.LAMBDA))
    assert key.by_function(Function.WORKER, "kms:Decrypt", Service.SQS) is Decision.ALLOWED


@pytest.mark.parametrize("via", [None, "lambda", "secretsmanager", "ec2"])
def test_nobody_uses_the_key_around_the_services(key: Key, via: str | None) -> None:
    """Neither a function nor the account's administrator: not directly, and not through a service that stores nothing here."""
    for action in (*USES, "kms:CreateGrant", "kms:GenerateDataKeyWithoutPlaintext"):
        for function in Function:
            assert key.by_function(function, action, via) is Decision.IMPLICIT_DENY
        assert key.asked(action, role="operator", identity=ADMINISTRATOR, via=via) is Decision.IMPLICIT_DENY


@pytest.mark.parametrize("via", STORING)
def test_the_operator_works_with_the_data_through_the_services(key: Key, via: Service) -> None:
    """As far as the account's own policies say: to make API keys, to read what is in a queue, to redrive."""
    for action in USES:
        assert key.asked(action, role="operator", identity=ADMINISTRATOR, via=via) is Decision.ALLOWED


def test_dynamodb_may_be_given_a_grant_and_nobody_else(key: Key) -> None:
    """When a table is made it goes on with a grant; nobody gets one for himself."""
    for aws, expected in (("true", Decision.ALLOWED), ("false", Decision.IMPLICIT_DENY)):
        assert (
            key.asked(
                "kms:CreateGrant",
                role="cdk-hnb659fds-cfn-exec-role",
                identity=ADMINISTRATOR,
                via=Service.DYNAMODB,
                **{"kms:GrantIsForAWSResource": aws},
            )
            is expected
        )


@pytest.mark.parametrize("action", MANAGEMENT)
def test_the_account_manages_the_key_and_functions_do_not(key: Key, action: str) -> None:
    """Nobody is locked out of its administration, CloudFormation included."""
    assert key.asked(action, role="operator", identity=ADMINISTRATOR) is Decision.ALLOWED
    for function in Function:
        assert key.by_function(function, action, None) is Decision.IMPLICIT_DENY


def test_another_account_cannot_use_the_key(key: Key) -> None:
    """Whatever its own policies say, through whichever service."""
    for action, via in itertools.product((*USES, *MANAGEMENT), (None, *STORING)):
        assert (
            key.asked(action, role="operator", identity=ADMINISTRATOR, account=OTHER, via=via) is Decision.IMPLICIT_DENY
        )


def test_an_action_of_which_nobody_has_said_what_it_needs_stops_synthesis(key: Key) -> None:
    """A role that lacks a use of the key would fail at the first call."""
    entry = next(iter(access_table(key.case.stores)))
    with pytest.raises(KeyError, match="dynamodb:Scan"):
        key_actions(replace(entry, actions=("dynamodb:Scan",)))
