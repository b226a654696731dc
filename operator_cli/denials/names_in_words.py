"""What a text says beside an error that names nothing: the bucket and key of a command line, the name that Terraform tells.

S3 mostly answers "Access Denied" and no more. Only what is said unambiguously is taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEFORE: Final = 900
_AFTER: Final = 300
"""Characters around the error in which a name is looked for; first on its own line."""

_BUCKET: Final = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_KEY: Final = r"[^\s\"'`<>,;)\]}]{1,500}"
_ADDRESS: Final = re.compile(
    rf"\bs3[an]?://(?P<bucket>{_BUCKET})(?:/(?P<key>{_KEY})?)?(?=[\s\"'`,;:)\]}}<]|$)"
    rf"|\barn:aws[\w-]{{0,12}}:s3:::(?P<named>{_BUCKET})(?:/(?P<of_arn>{_KEY}))?"
    rf"|https?://(?P<host>{_BUCKET})\.s3[.-](?:[a-z0-9-]{{1,30}}\.){{0,2}}amazonaws\.com(?:\.cn)?(?:/(?P<path>[^\s\"'`<>,;)?]{{1,500}}))?"
    rf"|https?://s3[.-](?:[a-z0-9-]{{1,30}}\.)?amazonaws\.com(?:\.cn)?/(?P<first>{_BUCKET})(?:/(?P<rest>[^\s\"'`<>,;)?]{{1,500}}))?",
)
_IN_WORDS: Final = re.compile(
    rf"\b[Bb]ucket(?:[_ ]?[Nn]ame)?[\"']?(?:\s{{0,3}}[:=]\s{{0,3}}[\"'`]?| [\"'`(\[])(?P<marked>{_BUCKET})(?=[\s\"'`,;:)\]}}.]|$)"
    rf"|(?<=--)(?:s3-)?bucket(?:-name)?(?:=|[ \t]{{1,3}})[\"']?(?P<option>{_BUCKET})(?=[\s\"'`)]|$)"
    rf"|\b[Bb]ucket (?P<plain>(?=[a-z]{{0,40}}[0-9.-])(?!s3[.-])[a-z0-9][a-z0-9-]{{1,60}}(?:\.[a-z0-9-]{{1,60}}){{0,5}})(?=[\s\"'`,;:)]|\.?(?:\s|$))"
)
_KEY_IN_WORDS: Final = re.compile(
    r"(?:(?<![\w-])(?:[Oo]bject|[Kk]ey|[Ff]ile)|(?<=--)key)(?:[_ ]?(?:[Kk]ey|[Nn]ame))?(?:\s{0,3}[:=]\s{0,3}[\"'`]?| [\"'`(]|\s)"
    r"(?P<key>(?=[\w-]{0,80}[./])[\w./=+@-]{1,500}[\w/=-])"
)
_UPLOADED: Final = re.compile(rf"Failed to upload [^\n]{{1,300}}? to (?P<bucket>{_BUCKET})/(?P<key>{_KEY}?)(?=:\s)")
"""As boto3 says it, with bucket and key in one."""
_TERRAFORMS: Final = re.compile(
    r"\b(?:[Cc]reating|[Rr]eading|[Uu]pdating|[Dd]eleting|[Pp]utting|[Ss]etting|[Ll]isting|[Dd]escribing|[Gg]etting|[Mm]odifying|[Tt]agging)"
    r" (?P<words>[A-Za-z0-9 -]{1,80}?) ?\((?P<name>[^()\s]{1,300})\)"
)


def named_bucket(source: str, start: int, end: int, *, on_object: bool) -> str:
    """Give the ARN of the bucket or object that the text names around a place; empty if it names none, or several."""
    for text in _surroundings(source, start, end):
        buckets: dict[str, set[str]] = {}
        for bucket, key in _buckets(text):
            buckets.setdefault(bucket, set()).update((key,) if key else ())
        if len(buckets) > 1:
            return ""
        for bucket, keys in buckets.items():
            if not on_object:
                return f"arn:aws:s3:::{bucket}"
            said = keys or {found["key"] for found in _KEY_IN_WORDS.finditer(text)}
            key = said.pop() if len(said) == 1 else ""
            return f"arn:aws:s3:::{bucket}/{key + '*' if key.endswith('/') or not key else key}"
    return ""


def named_by_terraform(source: str, start: int, *, kind: str = "") -> str:
    """Give the name in brackets before a place: `reading SSM Parameter (/a/b): …`; empty if there is none.

    With a kind, such as `Parameter`, only the name of one of these.
    """
    found = list(_TERRAFORMS.finditer(source, max(0, start - _AFTER), start))
    if not found or (kind and "".join(found[-1]["words"].split()[1:]) != kind):
        return ""
    return found[-1]["name"]


def _surroundings(source: str, start: int, end: int) -> Iterator[str]:
    first, last = source.rfind("\n", 0, start) + 1, source.find("\n", end)
    yield source[max(first, start - _BEFORE) : min(last if last >= 0 else len(source), end + _AFTER)]
    yield source[max(0, start - _BEFORE) : end + _AFTER]


def _buckets(text: str) -> Iterator[tuple[str, str]]:
    for found in _ADDRESS.finditer(text):
        bucket = found["bucket"] or found["named"] or found["host"] or found["first"]
        yield bucket, found["key"] or found["of_arn"] or found["path"] or found["rest"] or ""
    for found in _IN_WORDS.finditer(text):
        yield found["marked"] or found["option"] or found["plain"], ""
    for found in _UPLOADED.finditer(text):
        yield found["bucket"], found["key"]
