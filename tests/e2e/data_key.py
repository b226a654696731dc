"""The deployed application's own key: who uses it, and how to take one use away from one policy for the length of a block."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from credential_rules.policy_evaluation import Request, authorise
from local_aws import up
from tests.e2e.roles import DeployedRoles, without

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from credential_rules.policy_evaluation import Decision
    from local_aws.cloud import Cloud
    from tests.e2e.roles import Document, Role

STACKS: Final = tuple(f"Rolebound-{up.DEPLOYMENT}-{part}" for part in ("Data", "Network", "Api"))
KEY_ACTIONS: Final = (
    *("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
    *("kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:CreateGrant", "kms:DescribeKey", "kms:ScheduleKeyDeletion"),
)
MANAGEMENT: Final = frozenset({"kms:DescribeKey", "kms:ScheduleKeyDeletion"})
"""Those of them that the key's policy leaves to the account's own policies."""
ADMINISTRATOR: Final[Document] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
_VIA: Final = "kms:ViaService"
CALLERS_ACCOUNT: Final = "kms:CallerAccount"
STATED_BY_KMS: Final = (_VIA, CALLERS_ACCOUNT)
"""What KMS says of a call; the local AWS says neither. Nor does it say `aws:PrincipalArn`: to it each role is another."""


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that a role does with the key.

    Attributes:
        role: The role.
        action: The action of KMS.
        services: Through which services, by the first part of their names.
    """

    role: Role
    action: str
    services: frozenset[str]

    def parameters(self, key: str, ciphertext: bytes) -> dict[str, Any]:
        """Give what the action is called with."""
        if self.action == "kms:Decrypt":
            return {"CiphertextBlob": ciphertext, "KeyId": key}
        assert self.action == "kms:GenerateDataKey", f"Say here what {self.action} is called with."
        return {"KeyId": key, "KeySpec": "AES_256"}


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key in one cloud, with the roles that use it as they were deployed.

    Attributes:
        arn: The key.
        policy: Its own policy.
        roles: The application's roles.
    """

    arn: str
    policy: Document
    roles: tuple[Role, ...]
    _operator: Cloud
    _deployed: DeployedRoles

    @classmethod
    def of(cls, operator: Cloud, journal: Path) -> DataKey:
        """Find it among the stacks' resources."""
        (key,) = (
            resource["PhysicalResourceId"]
            for resource in operator.call("cloudformation", "DescribeStackResources", StackName=STACKS[0])[
                "StackResources"
            ]
            if resource["ResourceType"] == "AWS::KMS::Key"
        )
        arn = operator.call("kms", "DescribeKey", KeyId=key)["KeyMetadata"]["Arn"]
        policy = json.loads(operator.call("kms", "GetKeyPolicy", KeyId=key, PolicyName="default")["Policy"])
        deployed = DeployedRoles(operator, STACKS, journal)
        return cls(arn, policy, tuple(deployed.all()), operator, deployed)

    def uses(self) -> list[Use]:
        """Give every use that a role's policies grant, whatever the service."""
        found: dict[tuple[str, str], set[str]] = {}
        for role in self.roles:
            for statement in _statements(role):
                if self.arn in _texts(statement["Resource"]):
                    for action in _texts(statement["Action"]):
                        via = _texts(statement["Condition"]["StringEquals"][_VIA])
                        found.setdefault((role.name, action), set()).update(one.partition(".")[0] for one in via)
        by_name = {role.name: role for role in self.roles}
        return [Use(by_name[name], action, frozenset(via)) for (name, action), via in sorted(found.items())]

    def judged(
        self, role: Role, action: str, service: str, *, own_policies: Sequence[Document] | None = None
    ) -> Decision:
        """Ask the evaluator for a use through a service, or directly, on the policies as they were deployed.

        Args:
            role: Who asks.
            action: For what.
            service: Through which service, by the first part of its name; empty for a direct call.
            own_policies: What to take for the role's own policies instead.
        """
        account = role.arn.split(":")[4]
        context = {"kms:CallerAccount": account, "kms:GrantIsForAWSResource": "true"}
        if service:
            context[_VIA] = f"{service}.{self.arn.split(':')[3]}.amazonaws.com"
        request = Request(action, self.arn, role.arn, account, context)
        identity = list(role.policies.values()) if own_policies is None else own_policies
        return authorise(request, identity=identity, resource=self.policy).decision

    @contextmanager
    def without_conditions(self, *keys: str) -> Iterator[None]:
        """For the length of the block the policies lack the conditions on these keys, and nothing else."""
        try:
            self._put_key_policy(_lacking(self.policy, keys))
            for role in self.roles:
                for name, document in role.policies.items():
                    self._put_role_policy(role, name, _lacking(document, keys))
            yield
        finally:
            self._put_key_policy(self.policy)
            for role in self.roles:
                for name, document in role.policies.items():
                    self._put_role_policy(role, name, document)
            assert tuple(self._deployed.all()) == self.roles

    def as_users(self) -> dict[str, Cloud]:
        """Give the cloud called as each role that uses the key."""
        users = {use.role.name: use.role for use in self.uses()}
        return {name: self._deployed.acting_as(role) for name, role in users.items()}

    def encrypted(self) -> bytes:
        """Give something that the key encrypted; works where direct calls do."""
        made: bytes = self._operator.call("kms", "Encrypt", KeyId=self.arn, Plaintext=b"event")["CiphertextBlob"]
        return made

    @contextmanager
    def roles_policy_without(self, use: Use) -> Iterator[None]:
        """For the length of the block, in one that lets direct calls in, the role's own policies do not allow the use."""
        opened = {name: _lacking(document, STATED_BY_KMS) for name, document in use.role.policies.items()}
        try:
            for name, document in opened.items():
                self._put_role_policy(use.role, name, without(document, use.action))
            yield
        finally:
            for name, document in opened.items():
                self._put_role_policy(use.role, name, document)

    def _put_key_policy(self, document: Document) -> None:
        self._operator.call("kms", "PutKeyPolicy", KeyId=self.arn, PolicyName="default", Policy=json.dumps(document))

    def _put_role_policy(self, role: Role, name: str, document: Document) -> None:
        self._operator.call(
            "iam", "PutRolePolicy", RoleName=role.physical, PolicyName=name, PolicyDocument=json.dumps(document)
        )


def _lacking(document: Document, keys: tuple[str, ...]) -> Document:
    """A policy without its conditions on some keys."""

    def kept(statement: Document) -> Document:
        condition = {
            operator: left
            for operator, compared in statement.get("Condition", {}).items()
            if (left := {key: value for key, value in compared.items() if key not in keys})
        }
        bare = {key: value for key, value in statement.items() if key != "Condition"}
        return {**bare, "Condition": condition} if condition else bare

    return {**document, "Statement": [kept(statement) for statement in document["Statement"]]}


def _statements(role: Role) -> Iterator[Document]:
    for document in role.policies.values():
        yield from document["Statement"]


def _texts(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
