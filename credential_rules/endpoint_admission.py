"""Whether the policy of a VPC endpoint admits what a function's role allows its code, action by action.

The policies of a template are made concrete first: references to resources become the ARNs that these will have, in an
account and a region that stand for whichever it will be. What only the deployment decides leaves the question open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from credential_rules.called_services import answers_for, calls_of
from credential_rules.policy_evaluation import Decision, Request, evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credential_rules.index import Endpoint, Function, Index
    from credential_rules.policies import Statement
    from credential_rules.template import Resource
    from credential_rules.values import Hole, Text

_ACCOUNT: Final = "123456789012"
_REGION: Final = "us-east-1"
_SAMPLE: Final = "any-name"
"""Stands for `*` in what a role allows: the endpoint has to admit whatever that may be, so its own pattern is no narrower."""

_ACCOUNTS: Final = re.compile(r"(?<![0-9A-Za-z-])[0-9]{12}(?![0-9A-Za-z-])")
_REGIONS: Final = re.compile(r"^arn:[^:]*:[^:]*:([a-z]{2}(?:-[a-z]+)+-[0-9]):")

_STATED: Final = frozenset(
    {
        *("aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:resourceaccount"),
        *("aws:securetransport", "aws:sourcevpc", "aws:sourcevpce"),
    }
)
"""The condition keys whose values are known of every request that is made here."""

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
        if statement.effect == "Allow" and named and _is_role(named, role.resource):
            found += [
                literal for action in statement.actions if (literal := action.literal) and _serves(endpoint, literal)
            ]
    return list(dict.fromkeys(found))


def _is_role(named: list[Text], role: Resource) -> bool:
    try:
        where = _Where.of(role, named)
        return where.role_arn(role) in {where.concrete(text) for text in named}
    except Undecided:
        return False


def admission(index: Index, function: Function, endpoint: Endpoint, service: str) -> tuple[bool | None, str]:
    """Whether an endpoint's policy admits a role to all that it allows of a service, and what says so."""
    if not endpoint.resource["PolicyDocument"]:
        return True, "has no policy and admits everything"
    role = function.role
    if role is None:
        return None, "is asked for a role that is not part of this run"
    granted = calls_of(index, function).granted.get(service, [])
    named = [] if granted else actions_admitted_by_name(index, function, endpoint)
    if not granted and not named:
        return None, "names no action that the role allows"
    try:
        return _answer(index.statements(endpoint.resource), granted, named, role.resource, endpoint)
    except Undecided as open_question:
        return None, f"depends on {open_question}, which only the deployment decides"


def admits(index: Index, function: Function, endpoint: Endpoint, action: str) -> bool | None:
    """Whether an endpoint's policy lets a function's role ask for something that needs no permission."""
    if not endpoint.resource["PolicyDocument"]:
        return True
    if function.role is None:
        return None
    try:
        return _answer(index.statements(endpoint.resource), [], [action], function.role.resource, endpoint)[0]
    except Undecided:
        return None


def _answer(
    statements: list[Statement],
    granted: list[tuple[str, Statement]],
    named: list[str],
    role: Resource,
    endpoint: Endpoint,
) -> tuple[bool | None, str]:
    where = _Where.of(role, [*_texts(statements), *_texts(statement for _, statement in granted)])
    document = {"Version": "2012-10-17", "Statement": [where.statement(statement) for statement in statements]}
    uses = [(action, where.sample(text)) for action, one in granted for text in _resources(action, one)]
    # What needs no permission has no resource either.
    uses += [(action, "*") for action in named]
    session, context = where.session_arn(role), _context(role, endpoint, where)

    def asked(more: dict[str, str]) -> tuple[bool | None, str]:
        return _judged(document, [Request(*use, session, where.account, {**context, **more}) for use in uses])

    verdict, says = asked({})
    assumed = _assumed(statements, where)
    # A key that is not stated counts as absent, and may be there.
    then, says_then = asked(assumed) if assumed else (verdict, says)
    if verdict is then:
        return verdict, says
    condition = " and ".join(f"{key} is {value}" for key, value in assumed.items())
    return None, f"{says_then if then else says}, if {condition}"


def _assumed(statements: Iterable[Statement], where: _Where) -> dict[str, str]:
    """The condition keys that are not known of a request, each with the first value that a statement asks for."""
    return {
        condition.key: where.concrete(condition.values[0])
        for statement in statements
        for condition in statement.conditions
        if condition.key.lower() not in _STATED and condition.values
    }


def _context(role: Resource, endpoint: Endpoint, where: _Where) -> dict[str, str]:
    """What is known of every request of a function with the role that goes through the endpoint."""
    vpcs = [vpc if isinstance(vpc, str) else vpc.logical_id for vpc in endpoint.vpcs]
    return {
        "aws:PrincipalArn": where.role_arn(role),
        "aws:ResourceAccount": where.account,
        "aws:SecureTransport": "true",
        "aws:SourceVpce": endpoint.resource.logical_id,
        **({"aws:SourceVpc": vpcs[0]} if vpcs else {}),
    }


def _judged(document: dict[str, Any], requests: Iterable[Request]) -> tuple[bool | None, str]:
    doubt = ""
    actions: set[str] = set()
    for request in requests:
        actions.add(request.action)
        verdict = evaluate(document, request)
        if verdict.decision in {Decision.IMPLICIT_DENY, Decision.EXPLICIT_DENY}:
            return False, f"does not admit {request.action} on {request.resource}"
        if verdict.decision is Decision.CANNOT_TELL:
            doubt = doubt or f"may not admit {request.action}: {verdict.reason}"
    if doubt:
        return None, doubt
    return True, f"admits {', '.join(sorted(actions))}"


def _resources(action: str, statement: Statement) -> tuple[Text, ...]:
    if "*" in action or "?" in action:
        raise Undecided(f"what '{action}' stands for")
    if not statement.resources:
        raise Undecided(f"what '{action}' may be done to")
    return statement.resources


def _serves(endpoint: Endpoint, action: str) -> bool:
    service = action.partition(":")[0].lower()
    return any(answers_for(name, service) for name in endpoint.services)


# --- making concrete ----------------------------------------------------------------------------------------------


def _texts(statements: Iterable[Statement]) -> Iterator[Text]:
    for statement in statements:
        yield from (*statement.resources, *statement.not_resources)
        yield from (principal.text for principal in (*statement.principals, *statement.not_principals))
        for condition in statement.conditions:
            yield from condition.values


@dataclass(frozen=True, slots=True)
class _Where:
    """The account and the region that policies are read for."""

    account: str
    region: str

    @classmethod
    def of(cls, role: Resource, texts: Iterable[Text]) -> _Where:
        """Those of the role's stack; else the ones that the texts spell out; else any.

        Raises:
            Undecided: The texts spell out several.
        """
        patterns = [text.pattern for text in texts]
        template = role.template
        accounts = (
            {template.account}
            if template.account
            else {found for text in patterns for found in _ACCOUNTS.findall(text)}
        )
        regions = (
            {template.region} if template.region else {found for text in patterns for found in _REGIONS.findall(text)}
        )
        if len(accounts) > 1:
            raise Undecided("the account")
        if len(regions) > 1:
            raise Undecided("the region")
        return cls(*(accounts or {_ACCOUNT}), *(regions or {_REGION}))

    def statement(self, statement: Statement) -> dict[str, Any]:
        """A statement as IAM has it."""
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
                found[name] = [self.concrete(text) for text in texts]
        for name, principals in (("Principal", statement.principals), ("NotPrincipal", statement.not_principals)):
            listed: dict[str, list[str]] = {}
            for principal in principals:
                kind = "AWS" if principal.kind == "*" else principal.kind
                listed.setdefault(kind, []).append(self.concrete(principal.text))
            if listed:
                found[name] = listed
        for condition in statement.conditions:
            operator = found.setdefault("Condition", {}).setdefault(condition.operator, {})
            operator[condition.key] = [self.concrete(text) for text in condition.values]
        return found

    def concrete(self, text: Text) -> str:
        """The text with every reference written out."""
        return "".join(piece if isinstance(piece, str) else self._filled(piece) for piece in text.pieces)

    def sample(self, resource: Text) -> str:
        """One of the resources that a role may act on, by a name that no narrower pattern knows."""
        text = self.concrete(resource)
        return text if text == "*" else text.replace("*", _SAMPLE)

    def _filled(self, hole: Hole) -> str:
        known = {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }
        if hole.kind == "pseudo" and hole.name in known:
            return known[hole.name]
        resource = hole.resource
        if resource is None:
            raise Undecided(f"'{hole.name}'")
        if resource.type == "AWS::IAM::Role" and hole.attribute == "Arn":
            return self.role_arn(resource)
        # A logical id is the same for all references to one resource, as its name will be.
        if hole.attribute is None or not hole.attribute.endswith("Arn"):
            return resource.logical_id
        service = resource.type.split("::")[1].lower() if "::" in resource.type else "custom"
        form = _ARNS.get(resource.type, service + ":{region}:{account}:{name}")
        return "arn:aws:" + form.format(region=self.region, account=self.account, name=resource.logical_id)

    def role_arn(self, role: Resource) -> str:
        """The ARN that a role will have."""
        path = next(iter(role["Path"].literals()), "/")
        return f"arn:aws:iam::{self.account}:role{path}{self._role_name(role)}"

    def session_arn(self, role: Resource) -> str:
        """The ARN of a function that runs as the role."""
        return f"arn:aws:sts::{self.account}:assumed-role/{self._role_name(role)}/function"

    def _role_name(self, role: Resource) -> str:
        for text in role["RoleName"].texts():
            return self.concrete(text)
        return role.logical_id
