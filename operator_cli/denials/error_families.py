"""Errors of AWS that are told by how their code is made: something is not there, is there already, or is too much.

They are no matter of permission or credentials. Other programs make such words too, so AWS must be named near them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEAR: Final = 700
_MOST: Final = 200

_FAMILIES: Final = (
    (re.compile(r"Throttl|TooManyRequests|RequestLimitExceeded|RateExceeded|RateLimit|SlowDown"), "throttled"),
    (re.compile(r"(?:Limit|Quota|Maximum|Count)Exceeded|LimitReached|^TooMany[A-Z]"), "quota-reached"),
    (re.compile(r"NotFound|^NoSuch[A-Z]|DoesNotExist|NotExists?(?:Exception|Fault)?$"), "nothing-of-that-name"),
    (
        re.compile(r"AlreadyExist|AlreadyOwned|InUse|^DependencyViolation|^ResourceConflict|^DeleteConflict"),
        "there-already",
    ),
)
_CODE: Final = re.compile(
    r"\b(?:[A-Z][A-Za-z]{1,50}\.)?(?=[A-Z])[A-Za-z]{0,60}?"
    r"(?:(?:Limit|Quota)Exceeded|LimitReached|(?<=[a-z])NotFound|AlreadyExists|AlreadyOwnedByYou|(?<=[a-z])InUse|Throttl(?:ing|ed))"
    r"(?:Exception|Fault|Error)?\b"
    r"|\bInvalid[A-Za-z]{1,40}\.(?:NotFound|Duplicate|InUse)\b|\bNoSuch(?:Bucket|Key|Upload|Entity|HostedZone|Distribution|TagSet|\w{1,40}Exception)\b"
    r"|\bNotFoundException\b"
)
_PARTS: Final = ("Exceeded", "LimitReached", "NotFound", "Already", "InUse", "Throttl", "Invalid", "NoSuch")
_OF_PROGRAMS: Final = re.compile(
    r"(?:Class|File|Module|Method|Element|Field|Page|Route|Command|Package|Path|Plugin|Symbol|Import|Template|Constructor|Property)"
    r"(?:Def)?NotFound|NoSuch(?:Method|Element|File|Field|Option|Module|Property|Algorithm|Provider|Session|Window)"
)
_OF_AWS: Final = re.compile(
    r"\baws\b|\baws_|amazon|arn:aws|status code: \d{3}, request id|\(service: |when calling the|boto(?:core|3)|cloudwatch|dynamodb|cloudformation|secrets ?manager|resourceinitializationerror|\b(?:s3|ec2|ecs|ecr|iam|sqs|sns|kms|rds|eks)\b|\$metadata",
    re.IGNORECASE,
)
_OF_REQUEST: Final = re.compile(
    r"StatusCode: [45]\d\d, RequestID: [\w+/=-]{0,80},\s(?:HostID: [^,\n]{0,120},\s)?(?:api error )?(?P<go>[A-Z][A-Za-z.]{3,80}):"
    r"|\bHandlerErrorCode: (?P<handler>[A-Z][A-Za-z]{3,60})"
    r"|\bstatus code: [45]\d\d, request id:"
)
"""How SDKs for Go and CloudFormation tell of a request that AWS refused."""
_BEFORE_MESSAGE: Final = re.compile(r"\b(?P<code>[A-Z][a-z]{1,30}(?:\.?[A-Z][A-Za-z]{1,60}){1,4})(?=:\s)")


def family_of(code: str) -> str:
    """Give the known error that a code is one of by its making; empty if it is of no such family."""
    return next((name for pattern, name in _FAMILIES if pattern.search(code)), "")


def codes(source: str) -> Iterator[tuple[int, int, str]]:
    """Give the codes of a text that are of a family, and those that an SDK tells with a request's id, with their places."""
    if not any(word in source for word in _PARTS):
        return
    for number, found in enumerate(_CODE.finditer(source)):
        if number == _MOST:
            break
        if _OF_PROGRAMS.search(found[0]) is None and _OF_AWS.search(
            source, max(0, found.start() - _NEAR), found.end() + _NEAR
        ):
            yield found.start(), found.end(), found[0]


def codes_of_requests(source: str) -> Iterator[tuple[int, str]]:
    """Give the codes that AWS refused a request with, whatever they are, and where."""
    for number, found in enumerate(_OF_REQUEST.finditer(source)):
        if number == _MOST:
            break
        if name := found.lastgroup:
            yield found.start(name), found[name]
            continue
        before = list(_BEFORE_MESSAGE.finditer(source, max(0, found.start() - _NEAR), found.start()))
        if before:
            yield before[-1].start(), before[-1]["code"]
