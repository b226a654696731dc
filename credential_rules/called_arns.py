"""The ARN that IAM asks for when a call names something: a bucket's objects, a secret with its six characters."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from credential_rules.arns import SECRET_SUFFIX, fields, has_wildcard, without_secret_suffix
from credential_rules.grants import STREAM_ACTIONS, is_of_objects
from credential_rules.iam_actions import action as known_action

if TYPE_CHECKING:
    from collections.abc import Iterable

UNKNOWN: Final = "\1"  # in no name, and of no wildcard's making
_OF_ACCOUNT: Final = re.compile(r"\d{12}:")
_HOLE: Final = re.compile(r"\$\{[^}]*\}")


def arn_of(name: str, action: str, place: str, below: str = "") -> str:
    """Give the ARN of what a call names, as a statement for it would: `*` and `?` stand for what the call does not name.

    Args:
        name: A name or an ARN, as the code has it.
        action: What is done to it.
        place: The beginning of an ARN in the caller's own region and account: `arn:aws:lambda:eu-west-1:111122223333`.
        below: The index of a table; `*` if it is not known.

    Returns:
        The ARN; empty where the name does not tell which resource it is: a key's alias, a hole in the text, a secret yet to be.
    """
    if "${" in name or has_wildcard(name) or action == "secretsmanager:CreateSecret":
        return ""
    if name.startswith("arn:"):
        found = name if fields(name) is not None else ""
        if action.startswith("secretsmanager:") and found and not without_secret_suffix(found):
            found += SECRET_SUFFIX
    else:
        found = _from_name(name, action, place)
    return _whole(found, action, below) if found else ""


def arns_of_all(action: str, place: str) -> tuple[str, ...]:
    """Give the kinds of ARNs that an action may be on, with `*` for the names; `*` alone where IAM knows of no kind."""
    return tuple(_HOLE.sub("*", form) for form in _forms(action, place)) or ("*",)


def one_of(pattern: str) -> str:
    """Give a resource that a pattern stands for, whose unknown parts are like no name that a statement has."""
    return pattern if pattern == "*" else pattern.replace("*", UNKNOWN).replace("?", UNKNOWN)


def may_be_same(first: str, second: str) -> bool:
    """Whether one resource can be what two patterns stand for."""
    reached = _over_stars({0}, second)
    for one in first:
        if one == "*":
            reached = set(range(min(reached, default=len(second) + 1), len(second) + 1))
        else:
            reached = {
                at if second[at] == "*" else at + 1
                for at in reached
                if at < len(second) and (second[at] in {"*", "?", one} or one == "?")
            }
            reached = _over_stars(reached, second)
    return len(second) in reached


def is_one_secret(arn: str, pattern: str) -> bool:
    """Whether an ARN is that of the one secret that a pattern names without its six characters."""
    return without_secret_suffix(arn) != "" and pattern.endswith(SECRET_SUFFIX) and may_be_same(arn, pattern)


def _over_stars(reached: Iterable[int], pattern: str) -> set[int]:
    found = set()
    for start in reached:
        at = start
        found.add(at)
        while at < len(pattern) and pattern[at] == "*":
            at += 1
            found.add(at)
    return found


def _from_name(name: str, action: str, place: str) -> str:
    service = action.partition(":")[0]
    if service == "ssm":
        # A parameter's name begins with the slash that ends its kind, and may end in a version or a label.
        name = name.lstrip("/").partition(":")[0]
    elif service == "secretsmanager":
        name += SECRET_SUFFIX
    elif service == "lambda" and _OF_ACCOUNT.match(name):
        account, _, rest = name.partition(":")
        return f"{place.rpartition(':')[0]}:{account}:{rest if rest.startswith('function:') else f'function:{rest}'}"
    elif service == "kms" and name.startswith("alias/"):
        return ""
    # What follows the name is an index, a stream, an object, or nothing.
    heads = {
        form.partition("${")[0]
        for form in _forms(action, place)
        if form.count("${") == 1 or service in {"dynamodb", "logs", "s3"}
    }
    if service == "s3":
        heads = {head for head in heads if head.endswith(":::")}
    return f"{heads.pop()}{name}" if len(heads) == 1 else ""


def _whole(arn: str, action: str, below: str) -> str:  # noqa: PLR0911 (one answer per service)
    """Give the ARN with what IAM asks for below it."""
    service, resource = action.partition(":")[0], arn.split(":", 5)[5]
    match service:
        case "s3" if is_of_objects(action):
            if resource.startswith("accesspoint/"):
                return arn if "/object/" in resource else f"{arn}/object/*"
            return arn if "/" in resource else f"{arn}/*"
        case "dynamodb" if action in STREAM_ACTIONS:
            return arn if "/stream/" in resource else f"{arn}/stream/*"
        case "dynamodb" if below:
            return f"{arn}/index/{below}"
        case "kms" if resource.startswith("alias/"):
            return ""
        case "logs" if resource.startswith("log-group:") and resource.count(":") == 1:
            known = known_action(action)
            of_streams = known is not None and any("${LogStreamName}" in form for form in known.required_arn_formats)
            return f"{arn}:log-stream:*" if of_streams else f"{arn}:*"
        case _:
            return arn


@lru_cache(maxsize=1024)
def _forms(action: str, place: str) -> tuple[str, ...]:
    known = known_action(action)
    if known is None:
        return ()
    _, partition, _, region, account = place.split(":")
    held = {"${Partition}": partition, "${Region}": region, "${Account}": account}
    found = []
    for form in dict.fromkeys(known.required_arn_formats or known.arn_formats):
        for hole, value in held.items():
            form = form.replace(hole, value)  # noqa: PLW2901 (filled step by step)
        found.append(form)
    return tuple(found)
