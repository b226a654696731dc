"""What the resources that a function calls say themselves: the policy of a queue, a table, a bucket, and of its key."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from operator_cli.diagnosis.cause import Cause, Doubt, Likelihood, Slug
from operator_cli.diagnosis.deployed_function import Role
from operator_cli.diagnosis.logged_errors import Kind
from operator_cli.diagnosis.stores import KINDS, store_of
from operator_cli.masking import masked
from operator_cli.rule_checks import key_actions, one_of, resources_of_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operator_cli.diagnosis.deployed_function import Facts
    from operator_cli.diagnosis.judgement import Judgement, Permission
    from operator_cli.diagnosis.permissions import May
    from operator_cli.diagnosis.stores import Key, Store

_SLUGS: Final = {"queue": Slug.QUEUE_POLICY, "table": Slug.TABLE_POLICY, "bucket": Slug.BUCKET_POLICY}
_MOST_OF_A_STATEMENT: Final = 600


class Use(NamedTuple):
    """An action on a resource that is in a store, or is one, and where the code calls it.

    `store` is empty if nobody says which it is. `is_named`: the code says on what; else it is what the role's policies name.
    """

    action: str
    resource: str
    store: str
    place: str
    is_named: bool = True


def uses(facts: Facts, judgement: Judgement, may: May) -> tuple[Use, ...]:
    """Give what the function's code does to queues, tables and buckets that it, its environment or its role names.

    What it does to one that nobody names has an empty store.
    """
    if facts.role is None or not facts.role.is_complete:
        return ()
    found = []
    for call in judgement.calls:
        for action in call.actions:
            service = action.partition(":")[0]
            if service not in KINDS or call.resource == "*":
                continue
            named = [call.resource] if call.resource else _granted(facts, action, may)
            of_stores = [
                (resource, store) for resource in named if (store := store_of(resource)).split(":")[2:3] == [service]
            ]
            found += [
                Use(action, resource, store, call.place, is_named=bool(call.resource)) for resource, store in of_stores
            ]
            anywhere = [one_of(call.resource)] if call.resource else resources_of_all(action, facts.arn)
            if not of_stores and any(may("identity", action, each).allowed is not False for each in anywhere):
                found.append(Use(action, call.resource, "", call.place))
    return tuple(dict.fromkeys(found))


def wanted(used: tuple[Use, ...]) -> dict[str, bool]:
    """Give the stores to read, and whether a call on them makes their service use a key."""
    found: dict[str, bool] = {}
    for use in used:
        if use.store:
            found[use.store] = found.get(use.store, False) or bool(key_actions(use.action))
    return found


def keys_that_refuse(facts: Facts, used: tuple[Use, ...], may: May) -> tuple[str, ...]:
    """Give the keys that neither their policy nor the role's own let it use, so that only a grant can."""
    refused = []
    for use in used:
        key = _key_of(facts, use)
        if key is not None and key.policy is not None:
            for action in key_actions(use.action):
                permission = may("key and role", action, key.arn, key.policy.document, use.store.split(":")[2])
                if permission.allowed is not True and not permission.is_explicit:
                    refused.append(key.arn)
    return tuple(dict.fromkeys(refused))


def resource_causes(facts: Facts, used: tuple[Use, ...], may: May) -> Iterator[Cause | Doubt]:
    """Give what the resources' own policies, and those of their keys, refuse to the function."""
    found = _Found(facts, may)
    for use in used:
        store = facts.stores.stores.get(use.store)
        if store is None:
            kind = KINDS[use.action.partition(":")[0]]
            why = f"the policy of {use.resource} is not read" if use.resource else "the code does not say which it is"
            yield Doubt(f"Whether the {kind} itself lets {use.action} through ({use.place}): {why}.")
        else:
            found.judge_store(use, store)
            found.judge_key(use, store)
    yield from found.doubts
    yield from found.causes()


class _Refusal(NamedTuple):
    """What refuses, so that what is refused for the same reason is told once."""

    slug: Slug
    subject: str
    statement: str
    service: str


@dataclass(slots=True)
class _Refused:
    """What is refused, as it is gathered."""

    permission: Permission
    store: Store
    actions: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    is_named: bool = False


class _Found:
    """Judges one use after the other."""

    def __init__(self, facts: Facts, may: May) -> None:
        self._facts = facts
        self._may = may
        # There are uses only where the role is known.
        self._role = facts.role if facts.role is not None else Role("")
        self._refused: dict[_Refusal, _Refused] = {}
        self.doubts: list[Doubt] = []

    def judge_store(self, use: Use, store: Store) -> None:
        """Judge what the store's own policy says of a use."""
        if not store.is_policy_known:
            # What could not be read is told with its permission, once for each store.
            return
        document = None if store.policy is None else store.policy.document
        permission = self._may("resource", use.action, one_of(use.resource), document)
        if permission.allowed is None:
            name = f"the policy of the {store.kind} {store.arn}"
            self.doubts.append(Doubt(f"Whether {name} lets {use.action} through ({use.place}): {permission.reason}."))
        elif permission.allowed is False:
            refusal = _Refusal(_SLUGS[store.kind], store.arn, permission.statement, "")
            self._add(refusal, permission, use, store, use.action)

    def judge_key(self, use: Use, store: Store) -> None:
        """Judge whether the store's service may use its key for the role."""
        key = _key_of(self._facts, use)
        if key is None or key.policy is None:
            return
        service = use.store.split(":")[2]
        for action in key_actions(use.action):
            by_key = self._may("key", action, key.arn, key.policy.document, service)
            permission = self._may("key and role", action, key.arn, key.policy.document, service)
            if permission.allowed is True:
                continue
            granted = None if permission.is_explicit else _granted_by(key, action)
            if permission.allowed is None or granted:
                reason = granted or permission.reason
                self.doubts.append(
                    Doubt(
                        f"Whether {service} may {action} for the role with the key {key.arn} ({use.place}): {reason}."
                    )
                )
            elif granted is None:
                is_keys = by_key.allowed is False
                decided = by_key if is_keys else permission
                without = Slug.BOUNDARY if permission.by == "boundary" else Slug.KEY_PERMISSION
                slug = Slug.KEY_POLICY if is_keys else without
                self._add(_Refusal(slug, key.arn, decided.statement, service), decided, use, store, action)

    def causes(self) -> Iterator[Cause]:
        """Give one cause for each thing that refuses."""
        for refusal, refused in self._refused.items():
            what, shown, fix = (
                self._of_store(refused) if refusal.slug in _SLUGS.values() else self._of_key(refusal, refused)
            )
            yield Cause(
                refusal.slug,
                Likelihood.LIKELY if refused.is_named else Likelihood.POSSIBLE,
                what,
                (*dict.fromkeys(refused.places), *shown),
                fix,
                ("role" if refusal.slug in {Slug.KEY_PERMISSION, Slug.BOUNDARY} else "resource", "code"),
                frozenset({Kind.DENIED}),
                actions=frozenset(action.lower() for action in refused.actions),
                subject=refusal.subject,
            )

    def _add(self, refusal: _Refusal, permission: Permission, use: Use, store: Store, action: str) -> None:
        refused = self._refused.setdefault(refusal, _Refused(permission, store))
        refused.actions += [action] if action not in refused.actions else []
        refused.resources += [use.resource] if use.resource not in refused.resources else []
        refused.places.append(f"{use.place}: calls {use.action} on {use.resource}")
        refused.is_named = refused.is_named or use.is_named

    def _of_store(self, refused: _Refused) -> tuple[str, list[str], str]:
        store, permission = refused.store, refused.permission
        actions = ", ".join(refused.actions)
        name = f"the policy of the {store.kind} {store.arn}"
        if permission.is_explicit:
            what = f"The {store.kind}'s own policy denies {actions} explicitly. No Allow in the role helps against it."
            return what, _shown(name, permission), _narrowed(name, permission)
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": self._role.arn},
            "Action": refused.actions,
            "Resource": refused.resources,
        }
        what = (
            f"The {store.kind} belongs to the account {store.account}, and its policy does not admit the role to {actions}:"
            " across accounts the role's own policies do not suffice."
        )
        shown = (
            f"{name}: it has no statement that admits it"
            if store.policy
            else f"the {store.kind} {store.arn} has no policy"
        )
        return what, [shown], f"Ask the owner of that account to add this to its policy: {json.dumps(statement)}"

    def _of_key(self, refusal: _Refusal, refused: _Refused) -> tuple[str, list[str], str]:
        store, permission = refused.store, refused.permission
        actions = sorted(refused.actions)
        name = f"the policy of the key {refusal.subject}"
        encrypted = f"The {store.kind} {store.arn} is encrypted with the customer's key {refusal.subject}, and"
        via = {"StringEquals": dict([self._via(refusal)])}
        if refusal.slug is Slug.KEY_POLICY and permission.is_explicit:
            what = f"{encrypted} the key's own policy denies {', '.join(actions)} explicitly."
            return what, _shown(name, permission), _narrowed(name, permission)
        if refusal.slug is Slug.KEY_POLICY:
            what = (
                f"{encrypted} the key's own policy admits neither the role nor, for this use, its account: {', '.join(actions)}"
                " is denied whatever the role's policies say."
            )
            statement = {
                "Effect": "Allow",
                "Principal": {"AWS": self._role.arn},
                "Action": actions,
                "Resource": "*",
                "Condition": via,
            }
            shown = f"{name}: it has no statement that admits the role through {self._via(refusal)[1]}"
            return what, [shown], f"Add this to the key's policy: {json.dumps(statement)}"
        if refusal.slug is Slug.BOUNDARY:
            what = f"{encrypted} the role's permissions boundary does not allow {', '.join(actions)}. An Allow in the role does not help."
            shown = f"the boundary {self._role.boundary.name}" if self._role.boundary is not None else ""
            return what, [shown], f"Ask the boundary's owner to allow {', '.join(actions)} in it."
        if permission.is_explicit:
            what = f"{encrypted} a policy of the role denies {', '.join(actions)} on it explicitly."
            fix = f"Narrow the statement '{masked(refusal.statement)}' of the role '{self._role.name}'."
            return what, _shown("the role's policies", permission), fix
        statement = {"Effect": "Allow", "Action": actions, "Resource": refusal.subject, "Condition": via}
        what = (
            f"{encrypted} the role may not {', '.join(actions)} with it: who works with the {store.kind} uses its key."
        )
        shown = f"{name}: it leaves it to the account's policies, and no policy of the role allows it"
        return what, [shown], f"Allow it to the role '{self._role.name}': {json.dumps(statement)}"

    def _via(self, refusal: _Refusal) -> tuple[str, str]:
        suffix = "amazonaws.com.cn" if self._facts.arn.startswith("arn:aws-cn:") else "amazonaws.com"
        return "kms:ViaService", f"{refusal.service}.{refusal.subject.split(':')[3]}.{suffix}"


def _granted(facts: Facts, action: str, may: May) -> list[str]:
    """Give the resources that the role's policies name for an action."""
    found: dict[str, None] = {}
    for policy in facts.role.policies if facts.role is not None else ():
        written = policy.document.get("Statement")
        for statement in written if isinstance(written, list) else [written]:
            resources = statement.get("Resource", ()) if isinstance(statement, dict) else ()
            for resource in resources if isinstance(resources, list) else [resources]:
                if (
                    isinstance(resource, str)
                    and store_of(resource)
                    and may("identity", action, one_of(resource)).allowed
                ):
                    found[resource] = None
    return list(found)


def _key_of(facts: Facts, use: Use) -> Key | None:
    store = facts.stores.stores.get(use.store)
    return facts.stores.keys.get(store.key) if store is not None and store.key else None


def _granted_by(key: Key, action: str) -> str | None:
    """Say what is not clear about a grant that may let the role use a key; empty if one does, None if none does."""
    if key.grants is None:
        return "its grants were not read"
    operation = action.partition(":")[2]
    found = [grant for grant in key.grants if operation in grant.get("Operations", ())]
    if not found:
        return None
    unconditional = [grant for grant in found if not grant.get("Constraints")]
    return "" if unconditional else "a grant does, for one encryption context only"


def _shown(name: str, permission: Permission) -> list[str]:
    """Give the statement that denies, and what the call says of its condition."""
    text = masked(permission.text)
    text = f"{text[:_MOST_OF_A_STATEMENT]}…" if len(text) > _MOST_OF_A_STATEMENT else text
    shown = [f"{name}: statement '{masked(permission.statement)}' denies it: {text}"]
    return [*shown, *([f"of the call: {', '.join(permission.stated)}"] if permission.stated else [])]


def _narrowed(name: str, permission: Permission) -> str:
    """Say what to change in a statement that denies, or in what is called."""
    statement = f"the statement '{masked(permission.statement)}' of {name}"
    for key, value in permission.wants.items():
        if key.lower() == "aws:sourcevpce" and value:
            return (
                f"Name {value}, the endpoint that the function's calls pass, as {key} in {statement}; or send them through the"
                " one that it names."
            )
        if key.lower() in {"aws:sourcevpce", "aws:sourcevpc"} and not value:
            return f"Send the function's calls through what {statement} names as {key}: they pass no endpoint."
        if key.lower() in {"aws:principalaccount", "aws:principalorgid"} and value:
            return f"Name {value} as {key} in {statement}, if the function is to be let in."
    if permission.stated:
        return f"Call so that its condition does not hold, or narrow {statement} ({', '.join(permission.stated)})."
    return f"Narrow {statement}: it has no condition, so nothing that the function does helps."
