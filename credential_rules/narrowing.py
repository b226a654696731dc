"""By what a condition narrows a statement: the one place that knows operators, keys and values that only look narrow.

Three things make a condition useless: an operator that passes when the key is absent (`…IfExists`, `ForAllValues:`), a
negated one in an Allow, and a value that stands for everybody (`*`, `0.0.0.0/0`, `arn:aws:sns:*:*:*`).
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from credential_rules.arns import HOLE, covers_every, glob, has_wildcard, is_wild, pins_account, plain
from credential_rules.values import literal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from credential_rules.policies import Condition, Statement
    from credential_rules.values import Text

Answer: TypeAlias = Literal["yes", "no", "perhaps"]
"""`perhaps`: it depends on a value that the template does not decide."""

By: TypeAlias = Literal[
    "organisation",  # of the caller, of the source, or of the VPC endpoint
    "account",  # as above; the whole account then
    "principal",  # a role, user or session of a known account
    "name",  # a user's or provider's name, which every account may give to somebody
    "principal-tag",
    "source",  # the resource on whose behalf a service calls
    "network",  # VPC, VPC endpoint, addresses
    "external-id",
    "mfa",
    "aws-service",  # calls that AWS services make, on anybody's behalf
    "service",  # calls that one named AWS service makes, as naming it as principal would say
    "passed-service",
    "policy",
    "boundary",
    "resource",  # the resource that is acted on: its tags, its VPC, its cluster
]

WHO: Final[frozenset[By]] = frozenset({"organisation", "account", "principal", "source", "network"})
"""What keeps strangers out: callers of a known organisation, account, source or network."""


class Operator(NamedTuple):
    """An operator taken apart: `ForAnyValue:StringNotLikeIfExists` is `stringlike`, negated, if_exists, any."""

    base: str
    negated: bool
    if_exists: bool
    quantifier: Literal["", "all", "any"]


@lru_cache(maxsize=512)
def operator_of(written: str) -> Operator:
    """The parts of an operator as written, in any case."""
    name = written.strip().lower()
    quantifier: Literal["", "all", "any"] = ""
    if name.startswith("forallvalues:"):
        quantifier, name = "all", name.removeprefix("forallvalues:")
    elif name.startswith("foranyvalue:"):
        quantifier, name = "any", name.removeprefix("foranyvalue:")
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    negated = "not" in name
    return Operator(name.replace("not", "", 1), negated, if_exists, quantifier)


_COMPARES_TEXT: Final = frozenset(
    {
        "stringequals",
        "stringequalsignorecase",
        "stringlike",
        "arnequals",
        "arnlike",
        "ipaddress",
        "bool",
        "binaryequals",
    }
)

_BY_KEY: Final[dict[str, By]] = {
    **dict.fromkeys(
        (
            "aws:principalorgid",
            "aws:principalorgpaths",
            "aws:sourceorgid",
            "aws:sourceorgpaths",
            "aws:vpceorgid",
            "aws:vpceorgpaths",
        ),
        "organisation",
    ),
    **dict.fromkeys(
        (
            "aws:principalaccount",
            "aws:sourceaccount",
            "aws:sourceowner",
            "aws:vpceaccount",
            "kms:calleraccount",
            "s3:dataaccesspointaccount",
        ),
        "account",
    ),
    "aws:principalarn": "principal",
    "aws:userid": "principal",
    "aws:username": "name",
    "aws:federatedprovider": "name",
    **dict.fromkeys(
        (
            "aws:sourcearn",
            "aws:sourcevpcarn",
            "elasticfilesystem:accesspointarn",
            "lambda:sourcefunctionarn",
            "ec2:sourceinstancearn",
            "s3:dataaccesspointarn",
        ),
        "source",
    ),
    **dict.fromkeys(
        ("aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "elasticfilesystem:accessedviamounttarget"), "network"
    ),
    "sts:externalid": "external-id",
    "aws:multifactorauthpresent": "mfa",
    "aws:multifactorauthage": "mfa",
    **dict.fromkeys(("aws:principalisawsservice", "aws:viaawsservice"), "aws-service"),
    **dict.fromkeys(("aws:principalservicename", "aws:principalservicenameslist"), "service"),
    "iam:passedtoservice": "passed-service",
    "iam:policyarn": "policy",
    "iam:permissionsboundary": "boundary",
    **dict.fromkeys(
        (
            "ec2:createaction",
            "ec2:instanceid",
            "ec2:instanceprofile",
            "ec2:subnet",
            "ec2:vpc",
            "ecs:cluster",
            "ecs:service",
            "elasticloadbalancing:createaction",
            "kms:resourcealiases",
            "lambda:functionarn",
            "secretsmanager:resource/allowrotationlambdaarn",
            "secretsmanager:secretid",
        ),
        "resource",
    ),
}
_RESOURCE_TAG: Final = re.compile(r"[a-z0-9-]+:(?:resourcetag|[a-z-]*-tag)/.+")


@lru_cache(maxsize=1024)
def by_key(key: str) -> By | None:
    """By what a condition on `key`, in any case, could narrow; None for keys that narrow nothing (`aws:Referer`)."""
    name = key.strip().lower()
    found = _BY_KEY.get(name)
    if found is None:
        if name.startswith("aws:principaltag/"):
            return "principal-tag"
        if _RESOURCE_TAG.fullmatch(name):
            return "resource"
    return found


def demands(condition: Condition, statement: Statement) -> bool:
    """Whether an Allow with it passes only requests that have the key, with one of the values.

    `…IfExists` and `ForAllValues:` do so only beside a `Null: {key: "false"}`, which demands the key itself.
    """
    operator = operator_of(condition.operator)
    if operator.negated or operator.base == "null":
        return False
    if operator.if_exists or operator.quantifier == "all":
        key = condition.key.lower()
        return any(
            other.key.lower() == key and _is_null(other) and _all_say(other.values, "false")
            for other in statement.conditions
        )
    return True


def narrowed(
    statement: Statement,
    by: frozenset[By],
    among: Iterable[Statement] = (),
    *,
    action: str = "",
    within_account: bool = False,
) -> Answer:
    """Whether an Allow passes only what is narrowed by one of the kinds in `by`.

    `among` are the statements that hold together with it: a Deny of everybody else narrows as well as a condition.
    Only one `action` of it may be meant. `within_account` says that the statement names the account already, so that a condition may name a role of any.
    """
    answer: Answer = "perhaps" if statement.has_unknown_condition else "no"
    for condition in statement.conditions:
        kind = by_key(condition.key)
        if kind in by and (demands(condition, statement) or _demands_tag(condition)):
            found = _values_narrow(condition, kind, within_account=within_account)
            if found == "yes":
                return "yes"
            if found == "perhaps":
                answer = "perhaps"
    for deny in among:
        if deny.effect == "Deny" and _covers(deny, statement, action):
            found = _leaves_only(deny, by)
            if found == "yes":
                return "yes"
            if found == "perhaps":
                answer = "perhaps"
    return answer


def _demands_tag(condition: Condition) -> bool:
    """`Null: {aws:ResourceTag/cluster: "false"}`: what carries the tag at all."""
    return _is_null(condition) and _all_say(condition.values, "false") and "tag/" in condition.key.lower()


def _is_null(condition: Condition) -> bool:
    return operator_of(condition.operator).base == "null"


def _all_say(values: tuple[Text, ...], wanted: str) -> bool:
    return bool(values) and all((text.literal or "").lower() == wanted for text in values)


# --- values -------------------------------------------------------------------------------------------------------


def _values_narrow(condition: Condition, kind: By, *, within_account: bool = False) -> Answer:
    """Whether every value is one of few; one wide value among them makes the others useless."""
    operator = operator_of(condition.operator)
    key = condition.key.lower()
    if operator.base == "null":
        return "yes"
    if key == "aws:multifactorauthage":
        return "yes" if operator.base.startswith("numericless") else "no"
    if operator.base not in _COMPARES_TEXT:
        return "no"
    if key in _MUST_BE_TRUE:
        return "yes" if _all_say(condition.values, "true") else "perhaps" if _undecided(condition.values) else "no"
    is_narrow = _narrow_value(kind, operator, within_account=within_account)
    answer: Answer = "yes"
    for text in condition.values:
        value = plain(text)
        if value == HOLE and text.is_undecided:
            # An exact comparison with any value names one; only where wildcards count could it be `*`.
            if operator.base in {"stringlike", "ipaddress"}:
                answer = "perhaps"
        elif not is_narrow(value):
            return "no"
    return answer


def _narrow_value(kind: By, operator: Operator, *, within_account: bool) -> Callable[[str], bool]:
    if operator.base == "ipaddress":
        return _is_small_network
    if within_account and kind == "principal":
        return _names_principals
    return _NARROW_VALUE.get(kind, _names_something)


def _undecided(values: tuple[Text, ...]) -> bool:
    return any(text.is_undecided for text in values)


_MUST_BE_TRUE: Final = frozenset(
    {
        "aws:multifactorauthpresent",
        "aws:principalisawsservice",
        "aws:viaawsservice",
        "elasticfilesystem:accessedviamounttarget",
    }
)


def _names_something(value: str) -> bool:
    return bool(value.strip("*?"))


def _has_no_wildcard(value: str) -> bool:
    return bool(value) and not has_wildcard(value)


def _is_known_organisation(value: str) -> bool:
    # `o-example/r-root/*` is within one organisation, `o-*` and `*/r-root` are not.
    return _has_no_wildcard(value.split("/", 1)[0])


def _is_known_principal(value: str) -> bool:
    # An ARN of a known account, or the unique id of one role or user (`AROA…:*`).
    return pins_account(value) or bool(_UNIQUE_ID.match(value))


def _names_principals(value: str) -> bool:
    return not any(covers_every(value, f"arn:${{P}}:iam::${{A}}:{kind}/${{Name}}") for kind in ("role", "user"))


_UNIQUE_ID: Final = re.compile(r"A[A-Z]{2}A[A-Z0-9]{8,}|[0-9]{12}(?::|$)")


def _is_known_network(value: str) -> bool:
    if value.startswith("arn:"):
        return pins_account(value)
    return _is_small_network(value) if _LOOKS_LIKE_ADDRESS.match(value) else _has_no_wildcard(value)


_LOOKS_LIKE_ADDRESS: Final = re.compile(r"[0-9.]+(?:/|$)|[0-9a-fA-F]*:")
_WIDEST_V4: Final = 8
_WIDEST_V6: Final = 32
"""Wider ranges belong to nobody; S3 calls a policy for them public:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"""


def _is_small_network(value: str) -> bool:
    address, _, prefix = value.partition("/")
    if HOLE in address:
        return not prefix.isdecimal() or int(prefix) >= _WIDEST_V4
    try:
        network = ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        return HOLE in value
    return network.prefixlen >= (_WIDEST_V4 if network.version == 4 else _WIDEST_V6)  # noqa: PLR2004 (IPv4)


_NARROW_VALUE: Final[dict[By, Callable[[str], bool]]] = {
    "organisation": _is_known_organisation,
    "account": _has_no_wildcard,
    "principal": _is_known_principal,
    "source": pins_account,
    "network": _is_known_network,
    "passed-service": _has_no_wildcard,
    "service": _has_no_wildcard,
    "policy": lambda value: not _is_every_policy(value),
}


def _is_every_policy(value: str) -> bool:
    # `arn:aws:iam::aws:policy/*` holds AdministratorAccess.
    return is_wild(value.rsplit(":", 1)[-1].removeprefix("policy/")) or is_wild(value)


# --- denies -------------------------------------------------------------------------------------------------------


def _leaves_only(deny: Statement, by: frozenset[By]) -> Answer:
    """Whether what a Deny leaves is narrowed: by what its negated conditions name, or to nothing at all."""
    if deny.not_principals and not deny.conditions:
        listed = all(not has_wildcard(plain(principal.text)) for principal in deny.not_principals)
        return "yes" if listed and "principal" in by else "no"
    if deny.has_unknown_condition:
        return "perhaps"
    answer: Answer = "yes"
    narrows = not deny.conditions
    for condition in deny.conditions:
        kind = by_key(condition.key)
        operator = operator_of(condition.operator)
        if kind == "aws-service" and _all_say(condition.values, "false"):
            continue  # "unless a service does it for somebody": the usual exception of a data perimeter
        if kind not in by or not operator.negated or operator.quantifier == "any":
            return "no"
        found = _values_narrow(condition, kind)
        if found == "no":
            return "no"
        answer = "perhaps" if found == "perhaps" else answer
        narrows = True
    return answer if narrows else "no"


def _covers(deny: Statement, allow: Statement, action: str) -> bool:
    """Whether the Deny holds for all that the Allow passes, as far as principals, actions and resources go."""
    everybody = bool(deny.not_principals) or any(is_wild(plain(p.text)) for p in deny.principals)
    if (deny.principals or deny.not_principals) and not everybody:
        return False
    actions = (literal_text(action),) if action else allow.actions
    if not _covers_texts(deny.actions, deny.not_actions, actions, any_case=True):
        return False
    names_resources = deny.resources or deny.not_resources
    return not names_resources or _covers_texts(deny.resources, deny.not_resources, allow.resources, any_case=False)


def _covers_texts(
    denied: tuple[Text, ...], spared: tuple[Text, ...], allowed: tuple[Text, ...], *, any_case: bool
) -> bool:
    def matches(patterns: tuple[Text, ...], value: str) -> bool:
        return any(_matches(text.pattern, value, any_case=any_case) for text in patterns)

    if not allowed:
        return any(is_wild(text.pattern) for text in denied)
    if spared:
        return not any(matches(spared, text.pattern) for text in allowed)
    return all(matches(denied, text.pattern) for text in allowed)


def _matches(pattern: str, value: str, *, any_case: bool) -> bool:
    if any_case:
        pattern, value = pattern.lower(), value.lower()
    return pattern == value or (has_wildcard(pattern) and glob(pattern).fullmatch(value) is not None)
