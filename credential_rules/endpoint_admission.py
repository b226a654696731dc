"""Whether the policy of a VPC endpoint admits what a function's role allows its code, action by action.

The policies of a template are made concrete first: references to resources become the ARNs that these will have, in an
account and a region that stand for whichever it will be. What only the deployment decides leaves the question open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from credential_rules.called_services import answers_for, calls_of
from credential_rules.policy_evaluation import Decision, Request, evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credential_rules.index import Endpoint, Function, Index
    from credential_rules.policies import Statement
    from credential_rules.template import Resource
    from credential_rules.values import Hole, Text

_ACCOUNT: Final = "123456789012"
_REGION: Final = "us-east-1"
_SAMPLE: Final = "any-name"
"""Stands for `*` in what a role allows: the endpoint has to admit whatever that may be, so its own pattern is no narrower."""

_ARNS: Final = {
    "AWS::DynamoDB::GlobalTable": "dynamodb:{region}:{account}:table/{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{name}",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{region}:{account}:secret:{name}",
    "AWS::StepFunctions::StateMachine": "states:{region}:{account}:stateMachine:{name}",
}


class Undecided(Exception):
    """A text that only the deployment knows; what it is called is in the message."""


def actions_admitted_by_name(index: Index, function: Function, endpoint: Endpoint) -> list[str]:
    """The actions that an endpoint's policy admits for this very role, as those that need no permission are."""
    role = function.role
    if role is None:
        return []
    found: list[str] = []
    for statement in index.statements(endpoint.resource):
        named = [
            text
            for condition in statement.conditions
            if condition.key.lower() == "aws:principalarn"
            and condition.operator.lower() in {"arnequals", "stringequals"}
            for text in condition.values
        ]
        if statement.effect == "Allow" and any(_is_role(text, role.resource) for text in named):
            found += [
                literal for action in statement.actions if (literal := action.literal) and _serves(endpoint, literal)
            ]
    return list(dict.fromkeys(found))


def _is_role(text: Text, role: Resource) -> bool:
    try:
        return _concrete(text, role) == _role_arn(role)
    except Undecided:
        return False


def admission(index: Index, function: Function, endpoint: Endpoint, service: str) -> tuple[bool | None, str]:
    """Whether an endpoint's policy admits a role to all that it allows of a service, and what says so."""
    policy = endpoint.resource["PolicyDocument"]
    if not policy:
        return True, "has no policy and admits everything"
    role = function.role
    if role is None:
        return None, "is asked for a role that is not part of this run"
    granted = calls_of(index, function).granted.get(service, [])
    if not granted:
        named = actions_admitted_by_name(index, function, endpoint)
        return (True, f"admits {', '.join(sorted(named))}") if named else (None, "names no action that the role allows")
    try:
        document = _document(index.statements(endpoint.resource), role.resource)
        return _judged(document, granted, role.resource)
    except Undecided as open_question:
        return None, f"depends on {open_question}, which only the deployment decides"


def _judged(document: dict[str, Any], granted: list[tuple[str, Statement]], role: Resource) -> tuple[bool | None, str]:
    doubt = ""
    for action, statement in granted:
        if "*" in action or "?" in action:
            raise Undecided(f"what '{action}' stands for")
        for resource in statement.resources:
            arn = _concrete(resource, role)
            request = Request(
                action=action,
                resource=arn if arn == "*" else arn.replace("*", _SAMPLE),
                principal_arn=_session_arn(role),
                principal_account=_account(role),
                context={"aws:ResourceAccount": _account(role), "aws:SecureTransport": "true"},
            )
            verdict = evaluate(document, request)
            if verdict.decision in {Decision.IMPLICIT_DENY, Decision.EXPLICIT_DENY}:
                return False, f"does not admit {action} on {resource.pattern}"
            if verdict.decision is Decision.CANNOT_TELL:
                doubt = doubt or f"may not admit {action}: {verdict.reason}"
    if doubt:
        return None, doubt
    return True, f"admits {', '.join(sorted({action for action, _ in granted}))}"


def _serves(endpoint: Endpoint, action: str) -> bool:
    service = action.partition(":")[0].lower()
    return any(answers_for(name, service) for name in endpoint.services)


# --- making concrete ----------------------------------------------------------------------------------------------


def _document(statements: Iterable[Statement], role: Resource) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [_statement(statement, role) for statement in statements]}


def _statement(statement: Statement, role: Resource) -> dict[str, Any]:
    if statement.has_unknown_condition or not statement.effect:
        raise Undecided(f"the statement {statement.sid or 'without Sid'}")
    found: dict[str, Any] = {"Effect": statement.effect}
    for name, texts in (
        ("Action", statement.actions),
        ("NotAction", statement.not_actions),
        ("Resource", statement.resources),
        ("NotResource", statement.not_resources),
    ):
        if texts:
            found[name] = [_concrete(text, role) for text in texts]
    for name, principals in (("Principal", statement.principals), ("NotPrincipal", statement.not_principals)):
        if principals:
            listed: dict[str, list[str]] = {}
            for principal in principals:
                listed.setdefault("AWS" if principal.kind == "*" else principal.kind, []).append(
                    _concrete(principal.text, role)
                )
            found[name] = listed
    conditions: dict[str, dict[str, list[str]]] = {}
    for condition in statement.conditions:
        operator = conditions.setdefault(condition.operator, {})
        operator[condition.key] = [_concrete(text, role) for text in condition.values]
    return {**found, **({"Condition": conditions} if conditions else {})}


def _concrete(text: Text, role: Resource) -> str:
    """The text with every reference written out, as seen from the stack of `role`."""
    return "".join(piece if isinstance(piece, str) else _filled(piece, role) for piece in text.pieces)


def _filled(hole: Hole, role: Resource) -> str:
    known = {
        "AWS::AccountId": _account(role),
        "AWS::Region": _region(role),
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
    }
    if hole.kind == "pseudo" and hole.name in known:
        return known[hole.name]
    resource = hole.resource
    if resource is None:
        raise Undecided(f"'{hole.name}'")
    if resource.type == "AWS::IAM::Role" and hole.attribute == "Arn":
        return _role_arn(resource)
    name = _name(resource)
    if hole.attribute is None or not hole.attribute.endswith("Arn"):
        return name
    service = resource.type.split("::")[1].lower() if "::" in resource.type else "custom"
    form = _ARNS.get(resource.type, service + ":{region}:{account}:{name}")
    return "arn:aws:" + form.format(region=_region(role), account=_account(role), name=name)


def _name(resource: Resource) -> str:
    """A name that is the same for all references to one resource."""
    return resource.logical_id


def _role_arn(role: Resource) -> str:
    return f"arn:aws:iam::{_account(role)}:role{_path(role)}{_role_name(role)}"


def _session_arn(role: Resource) -> str:
    return f"arn:aws:sts::{_account(role)}:assumed-role/{_role_name(role)}/function"


def _path(role: Resource) -> str:
    return next(iter(role["Path"].literals()), "/")


def _role_name(role: Resource) -> str:
    for text in role["RoleName"].texts():
        return _concrete(text, role)
    return role.logical_id


def _account(resource: Resource) -> str:
    return resource.template.account or _ACCOUNT


def _region(resource: Resource) -> str:
    return resource.template.region or _REGION
