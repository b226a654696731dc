"""Decides as IAM does whether a request is allowed, from concrete policy documents and without an account.

A document is JSON as IAM takes it: no intrinsics of CloudFormation, no holes. What cannot be decided from the documents
and the request is `CANNOT_TELL`, which is never a pass.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import ipaddress
import operator as compare
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from credential_rules.arns import fields, glob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Document: TypeAlias = "Mapping[str, Any]"
"""A policy document: `{"Version": …, "Statement": […]}`."""


class Decision(StrEnum):
    """What IAM would say."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicit-deny"
    IMPLICIT_DENY = "implicit-deny"
    CANNOT_TELL = "cannot-tell"


class Layer(StrEnum):
    """The kinds of policies that a request passes, by what they are attached to."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    ENDPOINT = "endpoint"
    BOUNDARY = "boundary"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer.

    Attributes:
        decision: The answer itself; only `ALLOWED` is a pass.
        layer: The layer that decided; `None` from `evaluate`, which knows one document only.
        statement: The statement that decided: its `Sid`, or its place such as `statement 2`; `None` if none did.
        reason: Why, in words; for `CANNOT_TELL` what is not known.
    """

    decision: Decision
    layer: Layer | None = None
    statement: str | None = None
    reason: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the request passes."""
        return self.decision is Decision.ALLOWED


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants to do what to what.

    Attributes:
        action: The IAM action, such as `sqs:SendMessage`.
        resource: The ARN of the one resource, or `*` for an action that has none.
        principal_arn: The ARN of a user, role, role session or account root; the name of an AWS service that acts as
            itself (`logs.amazonaws.com`); empty for a request that nobody signed.
        principal_account: The account that the principal belongs to; empty for services and unsigned requests.
        context: Every other condition key that the request has. A key that is not here is absent, save those that IAM
            puts into every request: where one of these matters and is not stated, the answer is `CANNOT_TELL`. What
            follows from the rest (`aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:ResourceAccount` …) may be left
            out; for a session of a role with a path, `aws:PrincipalArn` has to be given, as its ARN lacks the path.
    """

    action: str
    resource: str
    principal_arn: str
    principal_account: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


def evaluate(document: Document, request: Request) -> Verdict:
    """Judge a request by one document alone; principals count where the document names any."""
    return _verdict(_matches([document], request, named=False))


def authorise(
    request: Request,
    *,
    identity: Document | Sequence[Document],
    resource: Document | None = None,
    endpoint: Document | None = None,
    boundary: Document | None = None,
    session: Document | Sequence[Document] | None = None,
) -> Verdict:
    """Judge a request by all policies that it passes.

    An explicit deny anywhere wins. In one account the identity's or the resource's policies have to allow, across
    accounts both; endpoint policy, boundary and session policies each have to allow where there are any. Policies of
    an organisation are not looked at.

    Args:
        request: The request.
        identity: The principal's own policies; none for a service or an unsigned request.
        resource: The policy of what is acted on, a role's trust policy included.
        endpoint: The policy of the VPC endpoint that the request goes through; `None` if it goes through none.
        boundary: The principal's permissions boundary.
        session: What the session was narrowed to when the role was assumed.

    Returns:
        The verdict with the layer that decided. A refusal for want of a permission names no statement.
    """
    layers: dict[Layer, list[_Match]] = {Layer.IDENTITY: _matches(_several(identity), request, named=False)}
    if resource is not None:
        layers[Layer.RESOURCE] = _matches([resource], request, named=True)
    if endpoint is not None:
        layers[Layer.ENDPOINT] = _matches([endpoint], request, named=True)
    if boundary is not None:
        layers[Layer.BOUNDARY] = _matches([boundary], request, named=False)
    if session is not None:
        layers[Layer.SESSION] = _matches(_several(session), request, named=False)
    if request.action.lower() in _FREE_ACTIONS:
        # Nobody needs a permission for it, and none can be taken away; a VPC endpoint still has to let it pass.
        layers = {layer: found for layer, found in layers.items() if layer is Layer.ENDPOINT}
        layers[Layer.IDENTITY] = [_Match("Allow", "no permission is needed", applies=True, grade=_Grade.NONE)]

    verdicts = {layer: _verdict(found, layer) for layer, found in layers.items()}
    for verdict in verdicts.values():
        if verdict.decision is Decision.EXPLICIT_DENY:
            return verdict
    gates = [_granted(request, layers, verdicts)]
    if Layer.ENDPOINT in verdicts:
        gates.append(verdicts[Layer.ENDPOINT])
    gates += _narrowing(request, layers.get(Layer.RESOURCE, ()), verdicts)
    # A deny that may hold counts even where the layer's allow is not needed.
    denials = [
        _verdict([match for match in found if match.effect != "Allow"], layer) for layer, found in layers.items()
    ]
    doubts = [verdict for verdict in (*gates, *denials) if verdict.decision is Decision.CANNOT_TELL]
    refusals = [verdict for verdict in gates if verdict.decision is Decision.IMPLICIT_DENY]
    return (refusals or doubts or gates)[0]


# --- What a layer says -------------------------------------------------------------------------------------------


class _Grade(StrEnum):
    """How a resource's policy names the principal."""

    NONE = "none"
    """Not at all: the document has no principals."""
    ACCOUNT = "account"
    """By its account, which leaves it to the account's own policies."""
    NAMED = "named"
    """As role, service or everybody."""
    DIRECT = "direct"
    """As this user or this session."""


@dataclass(frozen=True, slots=True)
class _Unknown:
    """Neither true nor false: the reason why."""

    reason: str


_Truth: TypeAlias = bool | _Unknown


class _Match(NamedTuple):
    """How one statement relates to a request."""

    effect: str
    label: str
    applies: _Truth
    grade: _Grade


def _verdict(found: Iterable[_Match], layer: Layer | None = None) -> Verdict:
    """Deny before allow, and doubt before a pass."""
    kept = [match for match in found if match.applies is not False]
    denies = [match for match in kept if match.effect != "Allow"]
    allows = [match for match in kept if match.effect == "Allow"]
    for match in denies:
        if match.effect == "Deny" and match.applies is True:
            return Verdict(Decision.EXPLICIT_DENY, layer, match.label, "a statement denies it")
    for match in (*denies, *([] if any(match.applies is True for match in allows) else allows)):
        if isinstance(match.applies, _Unknown):
            return Verdict(Decision.CANNOT_TELL, layer, match.label, match.applies.reason)
    for match in allows:
        if match.applies is True:
            return Verdict(Decision.ALLOWED, layer, match.label, "a statement allows it")
    return Verdict(Decision.IMPLICIT_DENY, layer, None, "no statement allows it")


def _granted(request: Request, layers: Mapping[Layer, Sequence[_Match]], verdicts: Mapping[Layer, Verdict]) -> Verdict:
    """The permission itself, from the identity's side, the resource's, or both."""
    identity = verdicts[Layer.IDENTITY]
    resource = verdicts.get(Layer.RESOURCE) or Verdict(
        Decision.IMPLICIT_DENY, Layer.RESOURCE, None, "the resource has no policy"
    )
    if not request.principal_account:
        return resource
    required = _resource_decides(request)
    if required and Layer.RESOURCE not in verdicts:
        return Verdict(Decision.CANNOT_TELL, Layer.RESOURCE, None, "its own policy decides and was not given")
    named = _verdict([match for match in layers.get(Layer.RESOURCE, ()) if match.grade is not _Grade.ACCOUNT])
    alone = Verdict(named.decision, Layer.RESOURCE, named.statement, named.reason)
    both = _first((Decision.IMPLICIT_DENY, Decision.CANNOT_TELL), (identity, resource)) or identity
    either = _first((Decision.ALLOWED, Decision.CANNOT_TELL), (identity, alone)) or identity
    within = either if not required else alone if alone.allowed else both
    owner = _owner(request)
    if owner is None and within.allowed is not both.allowed:
        return Verdict(
            Decision.CANNOT_TELL,
            Layer.RESOURCE,
            None,
            "the request does not say whose resource it is (aws:ResourceAccount)",
        )
    return within if owner is None or owner == request.principal_account else both


def _first(wanted: Sequence[Decision], among: Sequence[Verdict]) -> Verdict | None:
    """The first verdict of the most wanted decision that there is."""
    return next((verdict for decision in wanted for verdict in among if verdict.decision is decision), None)


def _owner(request: Request) -> str | None:
    """The account of the resource; `None` if nothing says."""
    if request.resource == "*":
        return request.principal_account
    owner = _context_value(request, "aws:ResourceAccount")
    return owner[0] if isinstance(owner, tuple) and owner else None


def _narrowing(request: Request, resource: Iterable[_Match], verdicts: Mapping[Layer, Verdict]) -> Iterator[Verdict]:
    """What boundary and session policies say, as far as they count.

    Whom a resource's policy names as user or session is, in the same account, not narrowed by what is attached to it.
    """
    direct: _Truth = _owner(request) == request.principal_account and _any(
        match.applies for match in resource if match.effect == "Allow" and match.grade is _Grade.DIRECT
    )
    for layer in (Layer.BOUNDARY, Layer.SESSION):
        if layer in verdicts and direct is not True:
            verdict = verdicts[layer]
            refused = verdict.decision is Decision.IMPLICIT_DENY
            yield (
                Verdict(Decision.CANNOT_TELL, layer, None, direct.reason)
                if isinstance(direct, _Unknown) and refused
                else verdict
            )


_FREE_ACTIONS: Final = frozenset({"sts:getcalleridentity"})
"""https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: no permissions are required."""


def _resource_decides(request: Request) -> bool:
    """Whether the resource's own policy has to allow in every case: a key's policy, a role's trust policy."""
    action = request.action.lower()
    return action.startswith("sts:assumerole") or (action.startswith("kms:") and ":key/" in request.resource)


# --- Documents and statements ------------------------------------------------------------------------------------

_ELEMENTS: Final = frozenset(
    {
        *("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource"),
        *("Principal", "NotPrincipal", "Condition"),
    }
)
_WITH_VARIABLES: Final = "2012-10-17"


def _several(documents: Document | Sequence[Document]) -> Sequence[Document]:
    return documents if isinstance(documents, (list, tuple)) else [documents]  # type: ignore[list-item]


def _matches(documents: Sequence[Document], request: Request, *, named: bool) -> list[_Match]:
    """Hold every statement against the request; `named` if its documents have to say for whom they are."""
    found = []
    for position, document in enumerate(documents):
        place = f"document {position} " if len(documents) > 1 else ""
        statements = document.get("Statement") if hasattr(document, "get") else None
        if not isinstance(statements, (list, tuple)):
            statements = [statements]
        variables = hasattr(document, "get") and document.get("Version") == _WITH_VARIABLES
        for index, statement in enumerate(statements):
            found.append(_match(statement, f"{place}statement {index}", request, named=named, variables=variables))
    return found


def _match(statement: object, place: str, request: Request, *, named: bool, variables: bool) -> _Match:
    if not isinstance(statement, dict):
        return _Match("", place, _Unknown("it is no statement"), _Grade.NONE)
    label = str(statement.get("Sid") or place)
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        return _Match("", label, _Unknown(f"its effect is {effect!r}"), _Grade.NONE)
    strange = sorted(str(name) for name in statement.keys() - _ELEMENTS)
    if strange:
        return _Match(effect, label, _Unknown(f"it has an element {strange[0]}"), _Grade.NONE)
    grade, principal = _principal(statement, request, named=named)
    applies = _all(
        (
            principal,
            _element(statement, "Action", lambda pattern: _is_action(pattern, request.action)),
            _resource(statement, request, variables=variables),
            *_conditions(statement.get("Condition", {}), request, variables=variables),
        )
    )
    return _Match(effect, label, applies, grade)


def _element(statement: Mapping[str, Any], name: str, matches: Callable[[str], _Truth]) -> _Truth:
    """Whether one of the element's texts matches, or none of its opposite (`NotAction`)."""
    positive, negative = name in statement, f"Not{name}" in statement
    if positive is negative:
        return _Unknown(f"it has {'both' if positive else 'neither'} {name} and Not{name}")
    listed = _texts(statement[name if positive else f"Not{name}"])
    if isinstance(listed, _Unknown):
        return listed
    found = _any(matches(pattern) for pattern in listed)
    return found if positive else _not(found)


def _is_action(pattern: str, action: str) -> bool:
    return glob(pattern.lower()).fullmatch(action.lower()) is not None


def _resource(statement: Mapping[str, Any], request: Request, *, variables: bool) -> _Truth:
    if not statement.keys() & {"Resource", "NotResource"} and statement.keys() & {"Principal", "NotPrincipal"}:
        # A trust policy: it stands on the one thing that it is about.
        return True
    return _element(
        statement, "Resource", lambda text: _is_like(_filled(text, request, variables=variables), request.resource)
    )


def _texts(value: object) -> list[str] | _Unknown:
    """A text or a list of texts; what was left open by a template is neither."""
    listed = value if isinstance(value, (list, tuple)) else [value]
    texts = [text for text in listed if isinstance(text, str)]
    return texts if len(texts) == len(listed) else _Unknown("it holds something that is no text")


# --- Principals --------------------------------------------------------------------------------------------------

_SESSION: Final = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/.+")
_SERVICE: Final = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_ACCOUNT: Final = re.compile(r"\d{12}|arn:[^:]+:iam::\d{12}:root")
_KINDS: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


def _principal(statement: Mapping[str, Any], request: Request, *, named: bool) -> tuple[_Grade, _Truth]:
    if "Principal" in statement and "NotPrincipal" in statement:
        return _Grade.NONE, _Unknown("it has both Principal and NotPrincipal")
    if "Principal" in statement:
        listed = _named(statement["Principal"])
        if isinstance(listed, _Unknown):
            return _Grade.NONE, listed
        grades = {_grade(kind, name, request) for kind, name in listed}
        for grade in (_Grade.DIRECT, _Grade.NAMED, _Grade.ACCOUNT):
            if grade in grades:
                return grade, True
        foreign = next((kind for kind, _ in listed if kind not in ("AWS", "Service")), None)
        return _Grade.NONE, _Unknown(f"it names a principal of the kind {foreign}") if foreign else False
    if "NotPrincipal" in statement:
        return _Grade.NAMED, _not_principal(statement["NotPrincipal"], request)
    return _Grade.NONE, _Unknown("it names no principal") if named else True


def _named(value: object) -> list[tuple[str, str]] | _Unknown:
    if value == "*":
        return [("AWS", "*")]
    if not isinstance(value, dict) or not value.keys() <= _KINDS:
        return _Unknown("its principal is of no known form")
    found = []
    for kind, names in value.items():
        texts = _texts(names)
        if isinstance(texts, _Unknown):
            return texts
        found += [(kind, text) for text in texts]
    return found


def _grade(kind: str, name: str, request: Request) -> _Grade:
    """How one name of a `Principal` element names whoever asks."""
    if kind == "Service":
        return _Grade.NAMED if name == request.principal_arn else _Grade.NONE
    if kind != "AWS":
        return _Grade.NONE
    if name == "*":
        return _Grade.NAMED
    grade = _Grade.NONE
    if not request.principal_account:
        pass
    elif _ACCOUNT.fullmatch(name):
        grade = _Grade.ACCOUNT if request.principal_account in name else _Grade.NONE
    elif name == request.principal_arn:
        grade = _Grade.NAMED if ":role/" in name else _Grade.DIRECT
    elif _is_role_of(name, _SESSION.fullmatch(request.principal_arn)):
        grade = _Grade.NAMED
    return grade


def _is_role_of(name: str, session: re.Match[str] | None) -> bool:
    """Whether a session is one of the role; a role's name is unique in its account, whatever its path."""
    arn = fields(name)
    return (
        session is not None
        and arn is not None
        and arn[1:5] == (session["partition"], "iam", "", session["account"])
        and arn[5].startswith("role/")
        and arn[5].rpartition("/")[2] == session["role"]
    )


def _not_principal(value: object, request: Request) -> _Truth:
    """Whether the statement is for whoever asks: everybody but those named.

    IAM asks for a user with its account, and for a session with its role and account; what happens otherwise depends on
    the service.
    """
    listed = _named(value)
    if isinstance(listed, _Unknown):
        return listed
    grades = {_grade(kind, name, request) for kind, name in listed} - {_Grade.NONE}
    if not grades:
        return True
    if not request.principal_account or ("AWS", "*") in listed:
        return False
    session = _SESSION.fullmatch(request.principal_arn)
    wanted = {_Grade.ACCOUNT, _Grade.NAMED if ":role/" in request.principal_arn else _Grade.DIRECT}
    if session:
        wanted |= {_Grade.NAMED}
    return False if grades >= wanted else _Unknown("NotPrincipal names the principal in part only")


# --- Conditions --------------------------------------------------------------------------------------------------

_ALWAYS: Final = frozenset(
    {
        *("aws:currenttime", "aws:epochtime", "aws:securetransport", "aws:useragent", "aws:userid"),
        *("aws:principaltype", "aws:viaawsservice", "aws:requestedregion", "aws:sourceip"),
        *("aws:principalarn", "aws:principalaccount", "aws:principalisawsservice", "aws:resourceaccount"),
    }
)
"""Keys that every request has, or nearly every: not to state one does not mean that it is absent."""


def _context_value(request: Request, key: str) -> tuple[str, ...] | _Unknown | None:
    """The values of a condition key; `None` if the request has no such key."""
    wanted = key.lower()
    for name, value in request.context.items():
        if name.lower() == wanted:
            # An empty set is a key that is absent.
            return (value,) if isinstance(value, str) else tuple(value) or None
    derived = _derived(request, wanted)
    if derived is not None:
        return (derived,)
    if wanted == "aws:sourceip" and _context_value(request, "aws:SourceVpce"):
        return None
    unsigned = not request.principal_arn and wanted in {"aws:principalarn", "aws:principalisawsservice"}
    if wanted not in _ALWAYS or unsigned:
        return None
    return _Unknown(f"the request does not state {key}")


def _derived(request: Request, wanted: str) -> str | None:
    """What follows from who asks and for what."""
    arn = fields(request.principal_arn)
    if wanted == "aws:resourceaccount":
        parts = fields(request.resource)
        return parts[4] if parts and re.fullmatch(r"\d{12}", parts[4]) else None
    if wanted in ("aws:principalisawsservice", "aws:principalservicename") and _SERVICE.fullmatch(
        request.principal_arn
    ):
        return "true" if wanted == "aws:principalisawsservice" else request.principal_arn
    if arn is None:
        return None
    session = _SESSION.fullmatch(request.principal_arn)
    if wanted == "aws:principalarn":
        return f"arn:{arn[1]}:iam::{arn[4]}:role/{session['role']}" if session else request.principal_arn
    if wanted == "aws:username" and arn[5].startswith("user/"):
        return arn[5].rpartition("/")[2]
    return {"aws:principalaccount": request.principal_account, "aws:principalisawsservice": "false"}.get(wanted)


def _conditions(conditions: object, request: Request, *, variables: bool) -> Iterator[_Truth]:
    if not isinstance(conditions, dict):
        yield _Unknown("its condition is of no known form")
        return
    for name, keys in conditions.items():
        if not isinstance(keys, dict):
            yield _Unknown(f"its condition {name} is of no known form")
            return
        for key, wanted in keys.items():
            listed = _texts([_as_text(each) for each in (wanted if isinstance(wanted, (list, tuple)) else [wanted])])
            if isinstance(listed, _Unknown):
                yield listed
            else:
                yield _condition(name, _context_value(request, key), listed, request, variables=variables)


def _as_text(value: object) -> object:
    """JSON's own truths and numbers, which IAM takes as well."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


def _condition(
    name: str, values: tuple[str, ...] | _Unknown | None, wanted: list[str], request: Request, *, variables: bool
) -> _Truth:
    """One operator on one key: `ForAnyValue:StringLikeIfExists` is set, operator and suffix."""
    operator = name.lower()
    if operator == "null":
        # A key of unknown value is one that is there.
        return _any(_as_bool(text, lambda absent: (values is None) is absent) for text in wanted)
    quantifier, _, operator = operator.rpartition(":")
    if_exists = operator.endswith("ifexists")
    operator = operator.removesuffix("ifexists")
    negated = operator in _NEGATED
    matches = _OPERATORS.get(_NEGATED.get(operator, operator))
    if matches is None or quantifier not in ("", "forallvalues", "foranyvalue"):
        return _Unknown(f"the operator {name} is not known")
    if isinstance(values, _Unknown):
        return values
    if values is None:
        unclear = _Unknown(f"what {name} means for an absent key is not documented")
        passes = if_exists or negated or quantifier == "forallvalues"
        return passes if quantifier != "foranyvalue" else unclear if if_exists else False
    patterns = [_filled(text, request, variables=variables) for text in wanted]

    def holds(value: str) -> _Truth:
        found = _any(pattern if isinstance(pattern, _Unknown) else matches(pattern, value) for pattern in patterns)
        return _not(found) if negated else found

    held = [holds(value) for value in values]
    if not quantifier and len(held) > 1:
        return _Unknown(f"the key has several values, for which {name} is not defined")
    return _any(held) if quantifier == "foranyvalue" else _all(held)


# --- Values and patterns -----------------------------------------------------------------------------------------

_VARIABLE: Final = re.compile(r"\$\{(?P<key>[^},]+)(?:,\s*'(?P<default>[^']*)')?\}")
_LITERAL: Final = {"*": "\1", "?": "\2", "$": "$"}
"""A wildcard that stands for itself; `_pattern` reads these marks."""
_MARKED: Final = str.maketrans({"*": "\1", "?": "\2"})
_UNMARKED: Final = str.maketrans({"\1": "*", "\2": "?"})


def _filled(text: str, request: Request, *, variables: bool) -> str | _Unknown:
    """Fill policy variables in; wildcards that come in with a value stand for themselves."""
    if not variables or "${" not in text:
        return text
    filled, end = "", 0
    for variable in _VARIABLE.finditer(text):
        filled += text[end : variable.start()]
        end = variable.end()
        key, default = variable["key"].strip(), variable["default"]
        if key in _LITERAL:
            filled += _LITERAL[key]
            continue
        values = _context_value(request, key)
        if isinstance(values, _Unknown):
            return values
        if values is None and default is not None:
            values = (default,)
        if values is None or len(values) != 1:
            return _Unknown(f"the policy variable ${{{key}}} has no single value")
        filled += values[0].translate(_MARKED)
    return filled + text[end:]


def _is_like(pattern: str | _Unknown, value: str) -> _Truth:
    """IAM's wildcards, with case."""
    if isinstance(pattern, _Unknown):
        return pattern
    return glob(pattern).fullmatch(value.translate(_MARKED) if _has_marks(pattern) else value) is not None


def _has_marks(pattern: str) -> bool:
    return "\1" in pattern or "\2" in pattern


def _is_arn_like(pattern: str, value: str) -> _Truth:
    """Each of the six fields by itself: a wildcard does not reach over a colon."""
    wanted = pattern.split(":", 5)
    if len(wanted) != len(_ARN_FIELDS):
        return _Unknown(f"{pattern!r} is no ARN")
    parts = value.split(":", 5)
    return len(parts) == len(wanted) and _all(_is_like(*pair) for pair in zip(wanted, parts, strict=True))


_ARN_FIELDS: Final = ("arn", "partition", "service", "region", "account", "resource")


def _as_bool(text: str, answer: Callable[[bool], bool]) -> _Truth:
    if text.lower() not in ("true", "false"):
        return _Unknown(f"{text!r} is neither true nor false")
    return answer(text.lower() == "true")


def _is_in_network(pattern: str, value: str) -> _Truth:
    try:
        network, address = ipaddress.ip_network(pattern, strict=False), ipaddress.ip_address(value)
    except ValueError:
        return _Unknown(f"{pattern!r} or the request's value is no address")
    return network.version == address.version and address in network


def _number(text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", text, re.ASCII):
        raise ValueError(text)
    return Decimal(text)


def _instant(text: str) -> datetime:
    """A date as IAM takes it: ISO 8601, or seconds since 1970."""
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return datetime.fromtimestamp(float(text), UTC)
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _ordered(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Callable[[str, str], _Truth]:
    """A comparison of two values that have an order; the request's stands on the left."""

    def matches(pattern: str, value: str) -> _Truth:
        try:
            return holds(read(value), read(pattern))
        except (ValueError, OverflowError, OSError):
            return _Unknown(f"{pattern!r} and the request's value cannot be compared")

    return matches


_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "equals": compare.eq,
    "lessthan": compare.lt,
    "lessthanequals": compare.le,
    "greaterthan": compare.gt,
    "greaterthanequals": compare.ge,
}

_OPERATORS: Final[Mapping[str, Callable[[str, str], _Truth]]] = {
    "stringequals": lambda pattern, value: pattern.translate(_UNMARKED) == value,
    "stringequalsignorecase": lambda pattern, value: pattern.translate(_UNMARKED).lower() == value.lower(),
    "stringlike": _is_like,
    "arnequals": _is_arn_like,
    "arnlike": _is_arn_like,
    "binaryequals": compare.eq,
    "bool": lambda pattern, value: _as_bool(pattern, lambda wanted: value.lower() == str(wanted).lower()),
    "ipaddress": _is_in_network,
    **{f"numeric{name}": _ordered(_number, holds) for name, holds in _ORDERS.items()},
    **{f"date{name}": _ordered(_instant, holds) for name, holds in _ORDERS.items()},
}
"""Whether one value of a policy matches one value of a request."""

_NEGATED: Final[Mapping[str, str]] = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}
"""Operators that hold if none of the policy's values matches, and so for an absent key."""


# --- Three truths ------------------------------------------------------------------------------------------------


def _all(truths: Iterable[_Truth]) -> _Truth:
    """False if one is, else unknown if one is."""
    doubt: _Truth = True
    for truth in truths:
        if truth is False:
            return False
        if doubt is True:
            doubt = truth
    return doubt


def _any(truths: Iterable[_Truth]) -> _Truth:
    """True if one is, else unknown if one is."""
    doubt: _Truth = False
    for truth in truths:
        if truth is True:
            return True
        if doubt is False:
            doubt = truth
    return doubt


def _not(truth: _Truth) -> _Truth:
    return truth if isinstance(truth, _Unknown) else not truth
