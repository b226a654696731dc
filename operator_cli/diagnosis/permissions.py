"""Whether a function's calls are allowed, and which policy stops them if not: the role's, its boundary, an endpoint's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Protocol

from operator_cli.diagnosis.cause import Cause, Doubt, Likelihood, Slug
from operator_cli.diagnosis.logged_errors import Kind
from operator_cli.diagnosis.questions import document_of
from operator_cli.diagnosis.stores import store_of
from operator_cli.rule_checks import arn_of, is_one_secret, may_be_same, one_of, resources_of_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from operator_cli.diagnosis.deployed_function import Facts
    from operator_cli.diagnosis.judgement import Call, Judgement, Layer, Permission
    from operator_cli.diagnosis.logged_errors import LoggedError

_DENIED: Final = frozenset({Kind.DENIED})

_POLICIES: Final = {
    "vpc-endpoint": Slug.ENDPOINT_POLICY,
    "scp": Slug.ORGANISATION,
    "rcp": Slug.ORGANISATION,
    "permissions-boundary": Slug.BOUNDARY,
    "session": Slug.SESSION_POLICY,
    "resource-based": Slug.RESOURCE_POLICY,
    "role-trust": Slug.RESOURCE_POLICY,
    "block-public-access": Slug.RESOURCE_POLICY,
}
"""The kinds of policies that AWS names, except the role's own."""

_WHAT: Final = {
    Slug.MISSING_ACTION: "The role is not allowed {action} on anything.",
    Slug.WRONG_RESOURCE: "The role is allowed {action}, but not on {resource}.",
    Slug.EXPLICIT_DENY: "A policy denies {action} explicitly. No Allow helps against it.",
    Slug.ENDPOINT_POLICY: (
        "The policy of the VPC endpoint does not let {action} through, so the call is denied although the role may. An Allow"
        " in the role does not help."
    ),
    Slug.BOUNDARY: "The role's permissions boundary does not allow {action}. An Allow in the role does not help.",
    Slug.SESSION_POLICY: "The session's policy does not allow {action}. An Allow in the role does not help.",
    Slug.RESOURCE_POLICY: "The policy of the resource itself stops {action}.",
    Slug.ORGANISATION: (
        "A policy of the organisation (SCP or RCP) stops {action}. An Allow in the role does not help: its owner is the"
        " organisation's administrator."
    ),
}
_FIX: Final = {
    Slug.MISSING_ACTION: "Allow it to the role '{role}', on the one resource that the code uses: {statement}",
    Slug.WRONG_RESOURCE: (
        "Name the right resource: correct the variable that holds it, or allow {action} to the role '{role}' on it:"
        " {statement}. It is allowed on {granted}."
    ),
    Slug.EXPLICIT_DENY: 'Find the statement with "Effect": "Deny" among the role\'s policies, and narrow it.',
    Slug.ENDPOINT_POLICY: "Let the endpoint's policy admit {action} for the role '{role}' (condition on aws:PrincipalArn).",
    Slug.BOUNDARY: "Ask the boundary's owner to allow {action} in it.",
    Slug.SESSION_POLICY: "Assume the role without a session policy, or with one that allows {action}.",
    Slug.RESOURCE_POLICY: "Let the resource's policy admit the role '{role}', or narrow its Deny.",
    Slug.ORGANISATION: "Ask the organisation's administrator to allow {action} for this account.",
}
_SOURCES: Final = {
    Slug.ENDPOINT_POLICY: "network",
    Slug.ORGANISATION: "log",
    Slug.RESOURCE_POLICY: "log",
    Slug.SESSION_POLICY: "log",
}


_ALL_LAYERS: Final[tuple[Layer, ...]] = ("identity", "boundary", "endpoint")


class May(Protocol):
    """Says whether one layer of policies lets the function's role do something to one resource."""

    def __call__(
        self, layer: Layer, action: str, resource: str, policy: Mapping[str, Any] | None = None, service: str = "", /
    ) -> Permission:
        """Give the answer; `policy` is that of what the layer is about, `service` who uses a key for the role."""
        ...


def permission_causes(
    facts: Facts, judgement: Judgement, errors: Sequence[LoggedError], may: May
) -> Iterator[Cause | Doubt]:
    """Give the calls that are denied: those that the log shows, those of the code, those that an endpoint stops."""
    judge = _Judge(facts, judgement, may)
    denied = [error for error in errors if error.kind is Kind.DENIED]
    # The code first: it knows the resource, which AWS's words may leave out. What is the same is told once.
    for call in judgement.calls:
        for action in call.actions:
            yield from judge.of_call(call, action)
    for error in denied:
        yield from judge.of_log(error)
    if judgement.unknown_calls or not judgement.calls:
        judged = {action.lower() for call in judgement.calls for action in call.actions}
        yield from judge.of_role(judged | {error.action.lower() for error in denied})


class _Judge:
    """Judges one action after the other."""

    def __init__(self, facts: Facts, judgement: Judgement, may: May) -> None:
        self._facts = facts
        self._may = may
        self._calls = judgement.calls
        self._role = facts.role.name if facts.role is not None else ""
        self._is_known = facts.role is not None and facts.role.is_complete
        self._resources = list(_resources(facts))
        self._endpoints = _endpoint_policies(facts, judgement)

    def of_log(self, error: LoggedError) -> Iterator[Cause | Doubt]:
        """Judge what AWS denied: by its own words where they say why, else by the policies that were read."""
        action = error.action
        resource = self._named_in_log(error) or self._called_on(action)
        told = _POLICIES.get(error.policy_type, Slug.EXPLICIT_DENY if error.is_explicit else None)
        if told is not None:
            yield self._cause(told, Likelihood.CERTAIN, action, resource, policy=error.policy)
            return
        if not action:
            yield Doubt(f"Why AWS denied a call ({error.code}): the log does not name the action. {error.excerpt}")
            return
        if not self._is_known:
            yield Doubt(f"Why {action} was denied: not all of the role's policies were read.")
            return
        layers: tuple[Layer, ...] = ("identity",) if error.policy_type == "identity-based" else _ALL_LAYERS
        found = list(self._stopped_by(action, resource, layers)) or list(self._stopped_by(action, resource))
        for slug, endpoint in found:
            yield self._cause(slug, Likelihood.CERTAIN, action, resource, endpoint)
        if not found and (not resource or self._on(action, resource).allowed is False):
            yield self._cause(Slug.WRONG_RESOURCE, Likelihood.CERTAIN, action, resource)
        elif not found:
            # What the code names may not be what it called.
            yield Doubt(
                f"Why {action} was denied on {resource}: what was read allows it. It may have been denied before a policy"
                " was changed, or by a policy of the organisation or of the resource."
            )

    def of_call(self, call: Call, action: str) -> Iterator[Cause | Doubt]:
        """Judge one action of a call in the code."""
        if not self._is_known:
            return
        permission = self._on(action, call.resource)
        if permission.allowed is None:
            on = f" on {call.resource}" if call.resource else ""
            yield Doubt(f"Whether the role may {action}{on} ({call.place}): {permission.reason}.")
            return
        if permission.allowed is False and (granted := self._perhaps_granted(action, call.resource)):
            yield Doubt(
                f"Whether the role may {action} ({call.place}): it is allowed on {', '.join(granted)} only, and the code does"
                f" not say whether it calls that{f', but {call.resource}' if call.resource else ''}."
            )
        if permission.allowed and (denied := self._perhaps_denied(action, call.resource)):
            yield Doubt(
                f"Whether the role may {action} ({call.place}): a policy denies it on {', '.join(denied)}, and the code does"
                " not say whether it calls that."
            )
        if owner := self._foreign(call.resource):
            yield Doubt(
                f"Whether the account {owner} admits the role to {action} on {call.resource} ({call.place}): across accounts"
                " the resource's own policy has to, and it was not read."
            )
        by_resource = self._by_resource(action, [one_of(call.resource)])
        if permission.allowed is False and by_resource is not None and by_resource.allowed is None:
            yield Doubt(
                f"Whether the role may {action} on {call.resource} ({call.place}): its own policies do not allow it, and"
                f" whether the resource's does is not clear: {by_resource.reason}."
            )
        for slug, endpoint in self._stopped_by(action, call.resource):
            yield self._cause(slug, Likelihood.LIKELY, action, call.resource, endpoint, call.place)
        yield from self._unclear(action, call)

    def of_role(self, judged: set[str]) -> Iterator[Cause | Doubt]:
        """Judge what the role grants by name: an endpoint that does not let it through is at fault if it is called."""
        if not self._is_known or self._facts.role is None:
            return
        for action, resource in _grants(self._facts.role.policies):
            if action.lower() not in judged:
                for slug, endpoint in self._stopped_by(action, resource, ("endpoint",)):
                    yield self._cause(slug, Likelihood.POSSIBLE, action, resource, endpoint)

    def _stopped_by(
        self, action: str, resource: str, layers: Sequence[Layer] = _ALL_LAYERS
    ) -> Iterator[tuple[Slug, str]]:
        """Name what stops an action, layer by layer, and the endpoint where it is one's policy."""
        granted = self._granted(action)
        targets = self._targets(action, resource)
        if "identity" in layers:
            asked = targets or [_concrete(each) for each in self._resources]
            permissions = [self._may("identity", action, each) for each in asked]
            if all(permission.allowed is False for permission in permissions):
                if any(permission.is_explicit for permission in permissions):
                    yield Slug.EXPLICIT_DENY, ""
                elif self._by_resource(action, targets) is None:
                    yield (Slug.WRONG_RESOURCE if granted else Slug.MISSING_ACTION), ""
        if not targets:
            return
        if "boundary" in layers and all(self._may("boundary", action, each).allowed is False for each in targets):
            yield Slug.BOUNDARY, ""
        if "endpoint" in layers:
            for endpoint, policy in self._endpoints.get(action.partition(":")[0].lower(), {}).items():
                if all(self._may("endpoint", action, each, policy).allowed is False for each in targets):
                    yield Slug.ENDPOINT_POLICY, endpoint

    def _foreign(self, resource: str) -> str:
        """Give the account of what belongs to another one, where nothing of it is read; empty if that is not so."""
        owner = (resource.split(":") + [""] * 5)[4]
        is_read = store_of(resource) in self._facts.stores.stores
        return owner if owner.isdigit() and owner != self._facts.account and not is_read else ""

    def _by_resource(self, action: str, targets: Sequence[str]) -> Permission | None:
        """Give what the policy of the one thing that is called says for itself, where it lets the role in, or may."""
        store = self._facts.stores.stores.get(store_of(targets[0])) if len(targets) == 1 else None
        if store is None or store.policy is None:
            return None
        alone = self._may("resource alone", action, targets[0], store.policy.document)
        return None if alone.allowed is False else alone

    def _unclear(self, action: str, call: Call) -> Iterator[Doubt]:
        """Say where a boundary or an endpoint may stop an action, or not."""
        policies = self._endpoints.get(action.partition(":")[0].lower(), {})
        layers: list[tuple[Layer, str, Mapping[str, Any] | None]] = []
        if self._facts.role is not None and self._facts.role.boundary is not None:
            layers.append(("boundary", "the role's boundary", None))
        layers += [("endpoint", f"the policy of {endpoint}", policy) for endpoint, policy in policies.items()]
        targets = self._targets(action, call.resource)
        for layer, name, policy in layers:
            permissions = [self._may(layer, action, target, policy) for target in targets]
            reasons = {permission.reason: None for permission in permissions if permission.allowed is None}
            if not reasons and len({permission.allowed for permission in permissions}) > 1:
                reasons = {"it does on some of what the role may, and the code does not say on what it calls": None}
            for reason in reasons:
                yield Doubt(f"Whether {name} lets {action} through ({call.place}): {reason}.")

    def _on(self, action: str, resource: str) -> Permission:
        """Say whether the role may do something to a resource whatever its unknown parts are; to any if it is empty."""
        targets = self._secrets(action, resource)
        targets = targets or ([one_of(resource)] if resource else list(resources_of_all(action, self._facts.arn)))
        found = [self._may("identity", action, target) for target in targets]
        for answer in (True, None):
            for permission in found:
                if permission.allowed is answer:
                    return permission
        return found[0]

    def _perhaps_granted(self, action: str, resource: str) -> list[str]:
        """Give what the role may do something to that may be what is called, where that is not known to its last part."""
        granted = self._granted(action)
        if not resource:
            return granted
        if _is_pattern(resource):
            return [each for each in granted if may_be_same(each, resource)]
        if action.startswith("lambda:"):
            # A version or an alias, which a call may name beside the function.
            return [each for each in granted if may_be_same(each, f"{resource}:*")]
        return []

    def _perhaps_denied(self, action: str, resource: str) -> list[str]:
        """Give what a policy denies explicitly that may be what is called, where that is not known to its last part."""
        if resource and not _is_pattern(resource):
            return []
        return [
            each
            for each in _resources(self._facts, "Deny")
            if (not resource or may_be_same(each, resource))
            and self._may("identity", action, _concrete(each)).is_explicit
        ]

    def _targets(self, action: str, resource: str) -> list[str]:
        """Give what a call may be on: all of it has to be denied for the call to be denied for sure."""
        if secrets := self._secrets(action, resource):
            return secrets
        perhaps = [_concrete(each) for each in self._perhaps_granted(action, resource)]
        if resource and self._on(action, resource).allowed is not False:
            perhaps = []
        return [*([one_of(resource)] if resource else []), *perhaps]

    def _secrets(self, action: str, resource: str) -> list[str]:
        """Give the secret that the code names and the role's policies have with its six characters."""
        return [_concrete(each) for each in self._granted(action) if is_one_secret(each, resource)]

    def _named_in_log(self, error: LoggedError) -> str:
        """Give the ARN of what AWS says it denied a call on: it may say a name, or a secret's ARN without its end."""
        named = error.resource
        if named.startswith("arn:") and not error.action.startswith("secretsmanager:"):
            return named
        return (arn_of(named, error.action, self._facts.arn) if named else "") or named

    def _called_on(self, action: str) -> str:
        """Give the one resource that the code calls an action on, as far as it is known and the only one."""
        found = {call.resource for call in self._calls if action.lower() in {each.lower() for each in call.actions}}
        return found.pop() if len(found) == 1 else ""

    def _granted(self, action: str) -> list[str]:
        """Give the resources, of those that the role's policies name, on which they allow something, or may."""
        return [
            resource
            for resource in self._resources
            if self._may("identity", action, _concrete(resource)).allowed is not False
        ]

    def _cause(  # noqa: PLR0917 (one denied action, seen from all sides)
        self,
        slug: Slug,
        likelihood: Likelihood,
        action: str,
        resource: str,
        endpoint: str = "",
        place: str = "",
        policy: str = "",
    ) -> Cause:
        granted = ", ".join(self._granted(action)) if self._is_known and action else ""
        words = {
            "action": action or "the call",
            "resource": resource or "the resource that was called",
            "role": self._role,
            "granted": granted or "nothing",
            "statement": json.dumps({"Effect": "Allow", "Action": action, "Resource": resource or "ITS-ARN"}),
        }
        where = f"{place}: calls {action}" if place else ""
        stopped = f"{endpoint}: its policy has no statement that admits it" if endpoint else ""
        evidence = [where, stopped, f"the policy {policy}" if policy else ""]
        sources = [_SOURCES.get(slug, "role"), *(["code"] if place else [])]
        return Cause(
            slug,
            likelihood,
            _WHAT[slug].format(**words),
            tuple(part for part in evidence if part),
            _FIX[slug].format(**words),
            tuple(sources),
            _DENIED,
            actions=frozenset({action.lower()} if action else ()),
        )


def _resources(facts: Facts, effect: str = "Allow") -> Iterator[str]:
    """Give every resource that a policy of the role names in an Allow, or in a Deny."""
    seen: set[str] = set()
    for policy in facts.role.policies if facts.role is not None else ():
        for statement in _listed(policy.document.get("Statement")):
            if isinstance(statement, dict) and statement.get("Effect") == effect:
                for resource in _listed(statement.get("Resource", "*" if "NotResource" in statement else None)):
                    if isinstance(resource, str) and resource not in seen:
                        seen.add(resource)
                        yield resource


def _grants(policies: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Give the pairs of action and resource that are granted by name, without a wildcard."""
    for policy in policies:
        for statement in _listed(policy.document.get("Statement")):
            if isinstance(statement, dict) and statement.get("Effect") == "Allow":
                for action in _listed(statement.get("Action")):
                    for resource in _listed(statement.get("Resource")):
                        if not set("*?$") & set(f"{action}{resource}"):
                            yield str(action), str(resource)


def _listed(value: object) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else [value]


def _is_pattern(resource: str) -> bool:
    return resource != "*" and not {"*", "?"}.isdisjoint(resource)


def _concrete(resource: str) -> str:
    """Give one resource that a pattern stands for."""
    return resource if resource == "*" else resource.replace("*", "x").replace("?", "x")


def _endpoint_policies(facts: Facts, judgement: Judgement) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Give the policies of the endpoints on the way to each service, as far as they were read."""
    if facts.network is None:
        return {}
    policies = {
        endpoint["VpcEndpointId"]: document_of(endpoint["PolicyDocument"])
        for endpoint in facts.network.endpoints or ()
        if endpoint.get("PolicyDocument")
    }
    return {
        way.service: {endpoint: policies[endpoint] for endpoint in way.endpoints if endpoint in policies}
        for way in judgement.ways or ()
    }
