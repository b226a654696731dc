"""The roles of the deployed application: what they may do, and how to change that for the length of a block.

Every change is an IAM change and nothing else, and afterwards exactly what was there is back: also if the block fails,
and, by a journal on disk, also if the whole process is killed.
"""

from __future__ import annotations

import fnmatch
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from local_aws.cloud import Cloud

Document = dict[str, Any]
"""A policy, as JSON has it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One action that a role may use, and where."""

    action: str
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """A deployed role.

    Attributes:
        name: Its name in this project: its function's, or for another role its construct's.
        physical: Its name in IAM.
        arn: Its ARN.
        policies: Its inline policies by name.
        trust: Who may become it.
    """

    name: str
    physical: str
    arn: str
    policies: Mapping[str, Document]
    trust: Document

    def grants(self) -> list[Grant]:
        """What its policies allow, action by action.

        Raises:
            ValueError: A statement allows in a way that cannot be taken apart action by action.
        """
        found: dict[str, set[str]] = {}
        for document in self.policies.values():
            for statement in _statements(document):
                if statement["Effect"] != "Allow":
                    continue
                actions = _texts(statement.get("Action", []))
                if not actions or any("*" in action or "?" in action for action in actions):
                    raise ValueError(f"The role {self.physical} has a statement without exact actions: {statement}")
                for action in actions:
                    found.setdefault(action, set()).update(_texts(statement["Resource"]))
        return [Grant(action, tuple(sorted(resources))) for action, resources in sorted(found.items())]

    def may(self, action: str, resource: str) -> bool:
        """Whether it is allowed the action on the resource."""
        return any(
            grant.action == action and any(fnmatch.fnmatchcase(resource, pattern) for pattern in grant.resources)
            for grant in self.grants()
        )


def without(document: Document, action: str) -> Document:
    """A policy that allows all that this one does, one action aside; what it denies stays."""
    kept = []
    for statement in _statements(document):
        if statement["Effect"] == "Allow":
            actions = [one for one in _texts(statement["Action"]) if one != action]
            if not actions:
                continue
            kept.append({**statement, "Action": actions})
        else:
            kept.append(statement)
    return {**document, "Statement": kept}


class DeployedRoles:
    """The roles of some stacks, in one cloud.

    Args:
        cloud: The operator's.
        stacks: The stacks' names.
        journal: Where the change in force is written down before it is made.

    Attributes:
        journal: As given.
    """

    def __init__(self, cloud: Cloud, stacks: tuple[str, ...], journal: Path) -> None:
        self._cloud = cloud
        self.journal = journal
        self._stacks = stacks

    def mend(self) -> bool:
        """Put back what a run that was killed had changed; true if there was something.

        A role that was deployed anew since, or changed by somebody else, is left as it is.
        """
        if not self.journal.exists():
            return False
        change = json.loads(self.journal.read_text())
        mended: bool = self._read(change["role"], change["policy"]) == change["changed"]
        if mended:
            self._write(change["role"], change["policy"], change["original"])
        self.journal.unlink()
        return mended

    def all(self) -> list[Role]:
        """Every role of the stacks, as it is now."""
        resources = [
            resource
            for stack in self._stacks
            for resource in self._cloud.call("cloudformation", "DescribeStackResources", StackName=stack)[
                "StackResources"
            ]
        ]
        function_of = {}
        for resource in resources:
            if resource["ResourceType"] == "AWS::Lambda::Function":
                name = resource["PhysicalResourceId"]
                configuration = self._cloud.call("lambda", "GetFunctionConfiguration", FunctionName=name)
                function_of[configuration["Role"].rpartition("/")[2]] = re.sub(r"^rolebound-[a-z0-9]+-", "", name)
        return [
            self._role(
                resource["PhysicalResourceId"], function_of.get(resource["PhysicalResourceId"]) or _bare(resource)
            )
            for resource in resources
            if resource["ResourceType"] == "AWS::IAM::Role"
        ]

    @contextmanager
    def lacking(self, role: Role, action: str) -> Iterator[None]:
        """For the length of the block the role may not use the action; all else it may."""
        (policy,) = (name for name, document in role.policies.items() if without(document, action) != _listed(document))
        with self._changed(role, policy, role.policies[policy], without(role.policies[policy], action)):
            yield

    def acting_as(self, role: Role) -> Cloud:
        """The cloud, called as the role. Its trust is widened to the operator for the one moment that this takes."""
        account = role.arn.split(":")[4]
        operator = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "sts:AssumeRole",
        }
        widened = {**role.trust, "Statement": [*_statements(role.trust), operator]}
        with self._changed(role, None, role.trust, widened):
            return self._cloud.acting_as(role.arn)

    @contextmanager
    def _changed(self, role: Role, policy: str | None, original: Document, changed: Document) -> Iterator[None]:
        """Have another policy (the trust policy for `None`) in force for the length of the block."""
        draft = self.journal.with_suffix(".draft")
        draft.write_text(
            json.dumps({"role": role.physical, "policy": policy, "original": original, "changed": changed})
        )
        draft.replace(self.journal)
        try:
            self._write(role.physical, policy, changed)
            yield
        finally:
            self._write(role.physical, policy, original)
            self.journal.unlink()

    def _role(self, physical: str, name: str) -> Role:
        described = self._cloud.call("iam", "GetRole", RoleName=physical)["Role"]
        attached = self._cloud.call("iam", "ListAttachedRolePolicies", RoleName=physical)["AttachedPolicies"]
        if attached:
            raise ValueError(f"The role {physical} has managed policies, which are not looked at here: {attached}")
        return Role(
            name=name,
            physical=physical,
            arn=described["Arn"],
            policies={
                policy: self._read(physical, policy)
                for policy in self._cloud.call("iam", "ListRolePolicies", RoleName=physical)["PolicyNames"]
            },
            trust=described["AssumeRolePolicyDocument"],
        )

    def _read(self, role: str, policy: str | None) -> Document:
        if policy is None:
            trust: Document = self._cloud.call("iam", "GetRole", RoleName=role)["Role"]["AssumeRolePolicyDocument"]
            return trust
        if policy not in self._cloud.call("iam", "ListRolePolicies", RoleName=role)["PolicyNames"]:
            return {"Version": "2012-10-17", "Statement": []}
        document: Document = self._cloud.call("iam", "GetRolePolicy", RoleName=role, PolicyName=policy)[
            "PolicyDocument"
        ]
        return document

    def _write(self, role: str, policy: str | None, document: Document) -> None:
        if policy is None:
            self._cloud.call("iam", "UpdateAssumeRolePolicy", RoleName=role, PolicyDocument=json.dumps(document))
        elif not document["Statement"]:
            # IAM has no policy without a statement.
            self._cloud.call("iam", "DeleteRolePolicy", RoleName=role, PolicyName=policy)
        else:
            self._cloud.call(
                "iam", "PutRolePolicy", RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document)
            )


def _bare(resource: Mapping[str, str]) -> str:
    """A resource's logical id without the hash at its end."""
    return re.sub(r"[0-9A-F]{8}$", "", resource["LogicalResourceId"])


def _listed(document: Document) -> Document:
    """The policy in the form that `without` gives."""
    return without(document, "")


def _statements(document: Document) -> list[Document]:
    found: list[Document] | Document = document["Statement"]
    return found if isinstance(found, list) else [found]


def _texts(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
