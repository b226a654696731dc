"""What a function's log says went wrong, by the family of causes that it points to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from operator_cli.denials.reader import readings
from operator_cli.masking import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from operator_cli.diagnosis.deployed_function import LogLine


class Kind(StrEnum):
    """The family of causes that an error points to."""

    UNKNOWN_SIGNER = "unknown-signer"
    SIGNATURE = "signature"
    EXPIRED = "expired"
    NO_CREDENTIALS = "no-credentials"
    PROFILE = "profile"
    ENDPOINT_OVERRIDE = "endpoint-override"
    TIMEOUT = "timeout"
    DENIED = "denied"
    DENIED_TO_ANOTHER = "denied-to-another"
    CLOCK = "clock"
    NOT_CREDENTIALS = "not-credentials"
    ANOTHER = "another"
    """An error that ended an invocation and is of none of these families: a programmer's, a database's."""


@dataclass(frozen=True, slots=True)
class LoggedError:
    """One kind of error in the log, however often it stands there.

    Attributes:
        kind: What it points to.
        code: As AWS, the SDK or Lambda calls it: `InvalidClientTokenId`, `ConnectTimeoutError`.
        operation: The API's operation (`PutItem`), empty if the text does not say.
        service: The service's name in addresses (`dynamodb`), empty if the text does not say.
        action: The IAM action that was denied, as AWS spells it there.
        resource: The ARN that it was denied on, empty if the text does not say.
        principal: Whom AWS denied it, empty if the text does not say.
        policy_type: Which kind of policy stopped it, as `denials.reading` names them; empty if the text does not say.
        is_explicit: Whether a Deny stopped it, not the lack of an Allow.
        policy: The ARN of that policy, empty if the text does not say.
        excerpt: The line, shortened, without anything that may be a secret.
        times: How often.
        last: Milliseconds since 1970.
    """

    kind: Kind
    code: str
    operation: str = ""
    service: str = ""
    action: str = ""
    resource: str = ""
    principal: str = ""
    policy_type: str = ""
    is_explicit: bool = False
    policy: str = ""
    excerpt: str = ""
    times: int = 1
    last: int = 0


_LONGEST_EXCERPT: Final = 240
_LONGEST_LINE: Final = 20_000
"""A stack trace has a few thousand characters; what is longer is data that was logged."""

# First come, first served: an error that names its cause counts before the time-out that follows from it.
_CODES: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    (
        Kind.PROFILE,
        re.compile(r"\b(ProfileNotFound|LeftoverProfile)\b|The config profile \([^)]{0,100}\) could not be found"),
    ),
    (Kind.ENDPOINT_OVERRIDE, re.compile(r"\b(ForeignEndpoint)\b")),
    (
        Kind.NO_CREDENTIALS,
        re.compile(
            r"\b(NoCredentialsError|NoRoleCredentials|PartialCredentialsError|IncompletePair|CredentialsUnreachable"
            r"|CredentialRetrievalError|MissingAuthenticationToken(?:Exception)?)\b|Unable to locate credentials"
        ),
    ),
    (
        Kind.EXPIRED,
        re.compile(
            r"\b(ExpiredToken(?:Exception)?|RequestExpired|TokenRefreshRequired)\b"
            r"|security token included in the request is expired|provided token has expired"
        ),
    ),
    (Kind.CLOCK, re.compile(r"\b(RequestTimeTooSkewed|InvalidSignatureTime)\b|Signature (?:expired|not yet current)")),
    (
        Kind.UNKNOWN_SIGNER,
        re.compile(
            r"\b(InvalidClientTokenId|UnrecognizedClient(?:Exception)?|InvalidAccessKeyId|InvalidToken|AuthFailure"
            r"|SessionTokenMissing|LongLivedKey|LeftoverToken|UnusableKey)\b"
            r"|security token included in the request is invalid"
        ),
    ),
    (
        Kind.SIGNATURE,
        re.compile(r"\b(SignatureDoesNotMatch|InvalidSignature(?:Exception)?|IncompleteSignature(?:Exception)?)\b"),
    ),
    (
        Kind.DENIED,
        re.compile(
            r"\b(AccessDenied(?:Exception)?|UnauthorizedOperation|AuthorizationError(?:Exception)?|NotAuthorized)\b"
            r"|is not authorized to perform"
        ),
    ),
    (
        Kind.TIMEOUT,
        re.compile(
            r"\b(ConnectTimeout(?:Error)?|EndpointConnectionError|ReadTimeout(?:Error)?|ConnectionClosedError)\b"
            r"|Connect timeout on endpoint URL|Could not connect to the endpoint URL|Read timeout on endpoint URL"
            r"|Task timed out after|\bSandbox\.Timedout\b|\bStatus: timeout\b|platform\.report\n(?:.*\n){0,40}?timeout\b"
            r"|Name or service not known|Temporary failure in name resolution"
        ),
    ),
    (
        Kind.NOT_CREDENTIALS,
        re.compile(
            r"\b(Runtime\.(?:ImportModuleError|UserCodeSyntaxError|HandlerNotFound|MalformedHandlerName|ExitError"
            r"|InvalidEntrypoint|MarshalError|OutOfMemory)|ImportModuleError|ModuleNotFoundError)\b|signal: killed"
        ),
    ),
    # What Lambda writes of an exception that left the handler; a program's own lines have a time there.
    (Kind.ANOTHER, re.compile(r"(?m)^\[ERROR\][ \t]{1,3}([A-Za-z_][\w.]{0,120})(?=:|[ \t]*$)")),
)
_UNNAMED: Final = {
    Kind.PROFILE: "ProfileNotFound",
    Kind.NO_CREDENTIALS: "NoCredentialsError",
    Kind.EXPIRED: "ExpiredToken",
    Kind.CLOCK: "RequestTimeTooSkewed",
    Kind.UNKNOWN_SIGNER: "InvalidClientTokenId",
    Kind.DENIED: "AccessDenied",
    Kind.NOT_CREDENTIALS: "OutOfMemory",
}
_TIMEOUT_NAMES: Final = (
    ("Task timed out", "Task timed out"),
    ("Sandbox.Timedout", "Task timed out"),
    ("Status: timeout", "Task timed out"),
    ("platform.report", "Task timed out"),
    ("Could not connect", "EndpointConnectionError"),
    ("Read timeout", "ReadTimeoutError"),
    ("Name or service", "EndpointConnectionError"),
    ("Temporary failure", "EndpointConnectionError"),
)

_OPERATION: Final = re.compile(r"when calling the (\w{1,100}) operation")
_ADDRESS: Final = re.compile(r"endpoint URL: ?\\?[\"']https?://([A-Za-z0-9.-]{1,250})")


def errors_in(lines: Iterable[LogLine]) -> tuple[LoggedError, ...]:
    """Give the errors that lines of a log report, the newest first; equal ones once, with how often they occur.

    A line that reports none gives nothing; a line that reports several gives the one that names the cause best.
    """
    found: dict[tuple[str, ...], LoggedError] = {}
    for line in lines:
        error = _error_in(line)
        if error is None:
            continue
        key = (error.kind, error.code, error.operation, error.service, error.action, error.resource, error.principal)
        known = found.get(key)
        if known is None:
            found[key] = error
        else:
            newest = error if error.last >= known.last else known
            found[key] = replace(newest, times=known.times + 1)
    return tuple(sorted(found.values(), key=lambda error: -error.last))


def _error_in(line: LogLine) -> LoggedError | None:
    # Masked before it is taken apart: JSON's names tell which of its values are secrets.
    text = masked(_flat(masked(line.text[:_LONGEST_LINE])))
    for kind, pattern in _CODES:
        match = pattern.search(text)
        if match is not None:
            return _described(kind, match, text, line.timestamp)
    return None


def _described(kind: Kind, match: re.Match[str], text: str, timestamp: int) -> LoggedError:
    code = match[1] or _UNNAMED.get(kind, "")
    if kind is Kind.TIMEOUT and not match[1]:
        code = next((name for words, name in _TIMEOUT_NAMES if words in match[0]), "ConnectTimeoutError")
    operation, address = _OPERATION.search(text), _ADDRESS.search(text)
    # The grammar of denials is told apart in one place.
    said = next(iter(readings(text)), None) if kind is Kind.DENIED else None
    return LoggedError(
        kind=kind,
        code=code,
        operation=operation[1] if operation else "",
        service=_service_of(address[1]) if address else "",
        action=(said and said.missing_action) or "",
        resource=(said and said.resource) or "",
        principal=(said and said.principal) or "",
        policy_type=(said and said.policy_type) or "",
        is_explicit=said is not None and said.decision == "explicit",
        policy=(said and said.policy_arn) or "",
        excerpt=_excerpt(text, match[0]),
        last=timestamp,
    )


def _service_of(host: str) -> str:
    """Give `sqs` of `sqs.eu-west-1.amazonaws.com`, `dynamodb` of `123456789012.ddb.eu-west-1.amazonaws.com`."""
    labels = host.lower().split(".")
    if len(labels) > 1 and labels[1] == "ddb":
        return "dynamodb"
    # Buckets stand before the service's name: bucket.s3.eu-west-1.amazonaws.com.
    return "s3" if "s3" in labels else labels[0]


def _excerpt(text: str, around: str) -> str:
    """Give the part of a text around some words as people may see it: one short line, nothing secret."""
    line = " ".join(masked(text).split())
    at = max(0, line.find(" ".join(around.split())))
    begin = max(0, min(at - _LONGEST_EXCERPT // 3, len(line) - _LONGEST_EXCERPT))
    part = line[begin : begin + _LONGEST_EXCERPT]
    return f"{'…' if begin else ''}{part}{'…' if begin + _LONGEST_EXCERPT < len(line) else ''}"


def _flat(text: str) -> str:
    """Give the text of a line; of Lambda's JSON logs and of Powertools' the texts in it."""
    stripped = text.strip()
    if not stripped.startswith("{"):
        return text
    try:
        value = json.loads(stripped)
    except (ValueError, RecursionError):
        return text
    return "\n".join(_texts(value))


def _texts(value: object) -> Iterator[str]:
    todo = [value]
    while todo:
        current = todo.pop(0)
        if isinstance(current, str):
            yield current
        elif isinstance(current, dict):
            kind = current.get("errorType")
            if isinstance(kind, str):
                # As Lambda writes it where logs are text.
                yield f"[ERROR] {kind}: {current.get('errorMessage') or current.get('message') or ''}"
            todo += current.values()
        elif isinstance(current, list):
            todo += current
