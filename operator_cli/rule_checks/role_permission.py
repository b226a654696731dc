"""What the rules say of a policy: whether one layer of them lets a deployed function's role do something."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from credential_rules.policy_evaluation import Decision, Request, authorise, evaluate
from operator_cli.diagnosis.assumptions import OF_CODE, OF_SERVICE, in_best_case, in_worst_case, unknown_keys
from operator_cli.diagnosis.judgement import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from credential_rules.policy_evaluation import Verdict
    from operator_cli.diagnosis.deployed_function import Facts, Role
    from operator_cli.diagnosis.judgement import Judgement, Layer


_EVERYTHING: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_EVERYBODY: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}


def permission(  # noqa: PLR0917 (one question, with all that it depends on)
    facts: Facts,
    judgement: Judgement,
    layer: Layer,
    action: str,
    resource: str,
    policy: Mapping[str, Any] | None = None,
    service: str = "",
) -> Permission:
    """Say whether one layer of policies lets a function's role do something, called from the function's code.

    Args:
        facts: The function; its role has to be complete.
        judgement: What the rules say of it: through which endpoints its calls go.
        layer: Whose answer.
        action: The IAM action.
        resource: The ARN of what it is done to.
        policy: The policy of the endpoint, the resource or the key that the layer is about; None if it has none.
        service: Who uses a key for the role, by its IAM prefix.
    """
    role = facts.role
    if role is None or (role.trust is None if layer == "trust" else not role.is_complete):
        return Permission(None, reason="the role's policies were not read")
    if layer == "trust":
        cases = [_Case(_of_trust(facts, action, resource), OF_CODE)]
    else:
        cases = _cases(facts, judgement, role, action, resource, service)
    found = [_answer(layer, case, role, policy) for case in cases]
    if len({(one.allowed, one.is_explicit) for one in found}) > 1:
        unknown = frozenset(key for one in found for key in one.unknown)
        return Permission(None, reason="it depends on which way the call takes", unknown=unknown)
    return found[0]


class _Case(NamedTuple):
    """One way that a call may take: the request, and the condition keys that are known of it."""

    request: Request
    known: AbstractSet[str]


def _of_trust(facts: Facts, action: str, resource: str) -> Request:
    return Request(
        action=action,
        resource=resource,
        principal_arn="lambda.amazonaws.com",
        principal_account="",
        context={"aws:SourceAccount": facts.account, "aws:SourceArn": facts.arn},
    )


def _cases(  # noqa: PLR0917 (as above)
    facts: Facts, judgement: Judgement, role: Role, action: str, resource: str, service: str
) -> list[_Case]:
    """Give the requests that a call may be: one for each way that it may take."""
    partition = facts.arn.split(":")[1]
    context = {
        "aws:PrincipalArn": role.arn,
        "aws:PrincipalAccount": facts.account,
        "aws:SecureTransport": "true",
        "aws:RequestedRegion": facts.region,
    }
    context |= {f"aws:PrincipalTag/{name}": value for name, value in role.tags.items()}
    if not (resource.split(":") + [""] * 5)[4]:
        # Buckets and the like do not say whose they are: the function's own account's, as far as its policies go.
        context["aws:ResourceAccount"] = facts.account
    of_organisation = set()
    if facts.organisation is not None:
        owner = context.get("aws:ResourceAccount") or resource.split(":")[4]
        keys = ["aws:PrincipalOrgID", *(["aws:ResourceOrgID"] if owner == facts.account else [])]
        of_organisation = {key.lower() for key in keys}
        context |= dict.fromkeys(keys, facts.organisation) if facts.organisation else {}

    def case(more: Mapping[str, str], known: AbstractSet[str]) -> _Case:
        principal = f"arn:{partition}:sts::{facts.account}:assumed-role/{role.name}/{facts.name}"
        request = Request(action, resource, principal, facts.account, {**context, **more})
        return _Case(request, known | of_organisation)

    if service:
        suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
        region = resource.split(":")[3]
        by_service = {
            "aws:ViaAWSService": "true",
            "kms:ViaService": f"{service}.{region}.{suffix}",
            "kms:CallerAccount": facts.account,
        }
        return [case(by_service, OF_SERVICE)]
    context["lambda:SourceFunctionArn"] = facts.arn
    passed = _passed(facts, judgement, action)
    in_vpc = {"aws:SourceVpc": facts.network.vpc} if facts.network is not None else {}
    if passed is None:
        return [case(in_vpc, OF_CODE)]
    # Who calls does not choose it, and S3 serves both.
    versions: list[dict[str, str]] = (
        [{"s3:TlsVersion": version} for version in ("1.2", "1.3")] if action.startswith("s3:") else [{}]
    )
    return [
        case(
            {**version, **({"aws:SourceVpce": endpoint, **in_vpc} if endpoint else {})},
            OF_CODE | {"aws:sourcevpce", "s3:tlsversion"},
        )
        for endpoint in passed
        for version in versions
    ]


def _passed(facts: Facts, judgement: Judgement, action: str) -> tuple[str, ...] | None:
    """Give the endpoints that a call may pass, empty for the way that passes none; None if that is not known."""
    if facts.network is None:
        return ("",)
    service = action.partition(":")[0].lower()
    for way in judgement.ways or ():
        if way.service == service and (way.endpoints or way.verdict):
            return (*way.endpoints, *([""] if way.leaves_vpc else []))
    return None


def _answer(layer: Layer, case: _Case, role: Role, policy: Mapping[str, Any] | None) -> Permission:
    """Judge one request in the best and in the worst case of what is not known about it."""
    documents: Mapping[Layer, Sequence[Mapping[str, Any]]] = {
        "trust": [role.trust.document] if role.trust else [],
        "identity": [one.document for one in role.policies],
        "boundary": [role.boundary.document] if role.boundary else [_EVERYTHING],
        "endpoint": [policy or _EVERYTHING],
        "key and role": [one.document for one in role.policies],
    }
    own = [_numbered(document, number) for number, document in enumerate(documents.get(layer, ()))]
    of_resource = None if policy is None else _numbered(policy, len(own))
    deciding = [*own, *([] if of_resource is None else [of_resource])]
    if not all(isinstance(one, dict) for document in deciding for one in document["Statement"]):
        return Permission(None, reason="a policy holds something that is no statement")
    boundary = role.boundary.document if role.boundary else _EVERYTHING
    best, worst = (
        _judged(
            layer,
            case.request,
            [assume(document, case.known) for document in own],
            None if of_resource is None else assume(of_resource, case.known),
            assume(boundary, case.known),
        )
        for assume in (in_best_case, in_worst_case)
    )
    if best.decision is worst.decision:
        return _told(best, deciding, case.request)
    unclear = [*deciding, *([boundary] if layer == "key and role" else [])]
    keys = sorted({key for document in unclear for key in unknown_keys(document, case.known)})
    unknown = frozenset(key.lower() for key in keys)
    return Permission(None, reason=f"it depends on {', '.join(keys)}", unknown=unknown)


_OF_DOCUMENT: Final = "\n"
"""Stands between a document's number and a statement's name, where no name has it."""


def _numbered(document: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Give each statement a name of its own: its document, and its `Sid`, or its place, which it keeps where others are left out."""
    written = document.get("Statement")
    return {
        **document,
        "Statement": [
            {**one, "Sid": f"{number}{_OF_DOCUMENT}{one.get('Sid') or f'statement {place}'}"}
            if isinstance(one, dict)
            else one
            for place, one in enumerate(written if isinstance(written, list) else [written], start=1)
        ],
    }


def _judged(
    layer: Layer,
    request: Request,
    own: Sequence[Mapping[str, Any]],
    of_resource: Mapping[str, Any] | None,
    boundary: Mapping[str, Any],
) -> Verdict:
    # Across accounts the resource's own policy has to allow too: what it says is a layer of its own.
    owner = (request.resource.split(":") + [""] * 5)[4]
    of_owner = _EVERYBODY if owner.isdigit() and owner != request.principal_account else None
    policies: Mapping[str, Any]
    match layer:
        case "trust":
            return evaluate(own[0], request)
        case "identity":
            policies = {"identity": own, "resource": of_owner}
        case "boundary" | "endpoint":
            policies = {"identity": _EVERYTHING, "resource": of_owner, layer: own[0]}
        case "resource" | "key":
            policies = {"identity": _EVERYTHING, "resource": of_resource}
        case "resource alone":
            policies = {"identity": [], "resource": of_resource}
        case "key and role":
            policies = {"identity": own, "resource": of_resource, "boundary": boundary}
    return authorise(request, **policies)


def _told(verdict: Verdict, documents: Sequence[Mapping[str, Any]], request: Request) -> Permission:
    name = (verdict.statement or "").rpartition(_OF_DOCUMENT)[2]
    statement = next(
        (
            {**one, "Sid": name}
            for document in documents
            for one in document["Statement"]
            if one["Sid"] == verdict.statement
        ),
        None,
    )
    conditions = _conditions(statement or {})
    held = {key.lower(): value for key, value in request.context.items()}
    return Permission(
        {Decision.ALLOWED: True, Decision.CANNOT_TELL: None}.get(verdict.decision, False),
        is_explicit=verdict.decision is Decision.EXPLICIT_DENY,
        reason=verdict.reason,
        statement=name,
        text="" if statement is None else json.dumps(statement),
        stated=tuple(
            f"{key} is {held[key.lower()]}" if key.lower() in held else f"there is no {key}"
            for key in dict.fromkeys(key for _, key in conditions)
        ),
        # A Deny unless they are: `StringNotEquals`.
        wants={key: str(held.get(key.lower(), "")) for operator, key in conditions if "not" in operator.lower()},
        by=verdict.layer.value if verdict.layer is not None else "",
    )


def _conditions(statement: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the operators and the keys of a statement's condition."""
    condition = statement.get("Condition")
    listed = condition.items() if isinstance(condition, dict) else ()
    return [(operator, key) for operator, keys in listed if isinstance(keys, dict) for key in keys]
