"""What one principal may do, taken together: the statements of all policies that a role, user or group holds."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeAlias
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from credential_rules.index import Index
    from credential_rules.policies import Statement
    from credential_rules.template import Resource, Value

Holdings: TypeAlias = "list[Statement]"
"""Everything that one principal holds. A policy that nobody in the run holds stands for itself."""

_POLICIES: Final = (
    "AWS::IAM::Policy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::UserPolicy",
    "AWS::IAM::GroupPolicy",
)
_OWNERS: Final[dict[str, tuple[str, ...]]] = {
    "AWS::IAM::User": ("Users", "UserName"),
    "AWS::IAM::Group": ("Groups", "GroupName"),
}

HOLDER_TYPES: Final = (
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::IAM::Group",
    "AWS::SSO::PermissionSet",
    "AWS::Serverless::Function",
    "AWS::Serverless::StateMachine",
    *_POLICIES,
)
"""The types for which `holdings` answers."""


class Holders:
    """Who holds what, in one run."""

    def __init__(self, index: Index) -> None:
        self._own: dict[Resource, Holdings] = {resource: role.statements for resource, role in index.roles.items()}
        self._add_users_and_groups(index)
        self._holding: dict[Resource, list[Holdings]] = defaultdict(list)
        for held in self._own.values():
            for owner in {id(statement.owner): statement.owner for statement in held}.values():
                self._holding[owner].append(held)
        for resource in index.resources(*HOLDER_TYPES):
            if resource not in self._own and resource not in self._holding:
                self._own[resource] = _identity(index, resource)

        # A boundary only limits; `Allow *` with a few denies is how AWS documents one.
        bounded = index.resources("AWS::IAM::Role", "AWS::IAM::User")
        boundaries = {policy for one in bounded for policy in one["PermissionsBoundary"].resources()}
        self._boundaries = {policy for policy in boundaries if policy not in self._holding}

    def _add_users_and_groups(self, index: Index) -> None:
        by_name: dict[tuple[str, str], Resource] = {}
        for kind, (_, name_key) in _OWNERS.items():
            for resource in index.resources(kind):
                held = self._own[resource] = _identity(index, resource)
                for policy in resource["ManagedPolicyArns"].resources():
                    if policy.type == "AWS::IAM::ManagedPolicy":
                        held += _identity(index, policy)
                for name in resource[name_key].literals():
                    by_name[kind, name] = resource
        for policy in index.resources(*_POLICIES) if index.resources(*_OWNERS) else ():
            for owner in self._attached(policy, by_name):
                self._own[owner] += _identity(index, policy)

    def _attached(self, policy: Resource, by_name: dict[tuple[str, str], Resource]) -> list[Resource]:
        return [
            owner for kind, keys in _OWNERS.items() for key in keys for owner in self._named(policy[key], kind, by_name)
        ]

    def _named(self, value: Value, kind: str, by_name: dict[tuple[str, str], Resource]) -> list[Resource]:
        found: dict[int, Resource] = {}
        for text in value.texts():
            owner = text.resource or by_name.get((kind, text.literal or ""))
            if owner is not None and owner.type == kind and owner in self._own:
                found[id(owner)] = owner
        return list(found.values())

    def of(self, resource: Resource) -> Holdings | None:
        """What a principal holds, or a policy that nobody in the run holds; None for a policy that somebody does."""
        return self._own.get(resource)

    def is_only_a_boundary(self, resource: Resource) -> bool:
        """Whether a policy limits somebody in the run and is attached to nobody: it then grants nothing."""
        return resource in self._boundaries

    def with_statements_of(self, resource: Resource) -> list[Holdings]:
        """The holdings that the statements of `resource` are part of; its own if nobody in the run holds it."""
        held = self._holding.get(resource)
        return held or [self._own.get(resource, [])]


_KNOWN: WeakKeyDictionary[Index, Holders] = WeakKeyDictionary()


def holders_of(index: Index) -> Holders:
    """The holders of a run, gathered once for all rules."""
    known = _KNOWN.get(index)
    if known is None:
        known = _KNOWN[index] = Holders(index)
    return known


def _identity(index: Index, resource: Resource) -> Holdings:
    return [statement for statement in index.statements(resource) if statement.kind == "identity"]
