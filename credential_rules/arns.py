"""What an ARN in a policy pins down: one resource, one account, or everything of a kind."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from credential_rules.values import Text

HOLE: Final = "\0"
"""Stands in a plain text for what the deployment fills in: a name, never a wildcard."""

SECRET_SUFFIX: Final = "-??????"  # noqa: S105 (the end of a name, no secret)
"""What Secrets Manager adds to a secret's name in its ARN, as a statement has to write it.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
"""
_SECRET_SUFFIX: Final = re.compile(r"-[A-Za-z0-9]{6}$")
_SIX_SMALL_LETTERS: Final = re.compile(r"-[a-z]{6}$")

_FIELDS: Final = 6  # arn, partition, service, region, account, resource
_ANY_NAME: Final = "\1"  # no name that anybody writes, nor a hole
_SEPARATOR = re.compile(r"[/:]")
_VARIABLE = re.compile(r"\$\{[^}]*\}")


def plain(text: Text) -> str:
    """The text as a string whose holes are each one `HOLE`, so that colons in their names do not separate fields."""
    literal = text.literal
    if literal is not None:
        return literal
    return "".join(piece if isinstance(piece, str) else HOLE for piece in text.pieces)


def is_wild(name: str) -> bool:
    """Whether a name stands for every name: `*`, `**`, `?*`."""
    return "*" in name and not name.strip("*?")


def has_wildcard(name: str) -> bool:
    """Whether a name stands for several."""
    return "*" in name or "?" in name


@lru_cache(maxsize=4096)
def fields(arn: str) -> tuple[str, ...] | None:
    """The six fields of a plain ARN; None if it is no complete one."""
    parts = arn.split(":", _FIELDS - 1)
    return tuple(parts) if len(parts) == _FIELDS and parts[0] == "arn" else None


def without_secret_suffix(arn: str) -> str:
    """A secret's ARN, or the end of it, without the six characters; empty where it does not end in them."""
    found = _SECRET_SUFFIX.search(arn)
    return arn[: found.start()] if found else ""


def with_secret_suffix(arn: str) -> str:
    """A secret's ARN as a statement has to write it, whether or not a message shows it with its six characters.

    Six small letters are taken for a word of the name (`db-master`): one secret in two hundred is drawn so.
    """
    is_whole = without_secret_suffix(arn) != "" and _SIX_SMALL_LETTERS.search(arn) is None
    return arn if is_whole else f"{arn}{SECRET_SUFFIX}"


@lru_cache(maxsize=4096)
def pins_account(arn: str) -> bool:
    """Whether only one account can own what a plain ARN stands for.

    The account is named, or what is named exists once in the world: a bucket, the id of an API. A text that begins with
    a hole is the ARN of one resource.
    """
    if arn.startswith(HOLE):
        return True
    parts = fields(arn)
    if parts is None:
        return False
    _, _, service, _, account, resource = parts
    if account and not has_wildcard(account):
        return True
    return (not account or service == "execute-api") and bool(resource) and not has_wildcard(_first(resource))


@lru_cache(maxsize=16384)
def covers_every(arn: str, arn_format: str) -> bool:
    """Whether a plain ARN with wildcards stands for every resource of a kind, whatever its name.

    `arn_format` is the kind as AWS documents it: `arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}`.
    `table/*` and `*` are every table, `table/orders*` and `table/orders/index/*` are not.
    """
    parts, kind = fields(arn), _kind(arn_format)
    if parts is None or kind is None:
        # `*`, `arn:*` or `arn:aws:*`: a wildcard that reaches over several fields.
        return arn.endswith("*") and _globs_over(arn, arn_format)
    resource, wanted = parts[5], kind[5]
    prefix, variable, _ = wanted.partition(_ANY_NAME)
    # Most wildcards stand for a region or an account, or below a name: no pattern has to be compiled for those.
    if not variable or not has_wildcard(resource) or not _is_service(parts[2], kind[2]):
        return False
    if glob(resource).fullmatch(wanted):
        return True
    return resource.startswith(prefix) and is_wild(_first(resource[len(prefix) :]))


def _globs_over(arn: str, arn_format: str) -> bool:
    partition = arn.split(":")[1] if arn.startswith("arn:") else ""
    example = _VARIABLE.sub("x", arn_format.replace("${Partition}", partition.rstrip("*") or "x"))
    return glob(arn).fullmatch(example) is not None


def _is_service(written: str, service: str) -> bool:
    return written == service or (has_wildcard(written) and glob(written).fullmatch(service) is not None)


@lru_cache(maxsize=4096)
def _kind(arn_format: str) -> tuple[str, ...] | None:
    return fields(_VARIABLE.sub(_ANY_NAME, arn_format))


@lru_cache(maxsize=4096)
def glob(pattern: str) -> re.Pattern[str]:
    """A text with IAM's wildcards as a pattern for `fullmatch`."""
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern), re.DOTALL)


def _first(names: str) -> str:
    return _SEPARATOR.split(names, maxsplit=1)[0]
