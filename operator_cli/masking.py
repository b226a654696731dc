"""What a text that somebody else wrote may show of itself: everything but its secrets.

Whatever is printed of a message, a log or an argument passes `masked`. What `scan` calls a secret is one here too, and
more: a printed text is nobody's configuration, so a doubt costs a word, and a miss costs a credential. ARNs, actions and
account ids stay. The work grows with the text's length and no faster.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from operator_cli import rule_checks
from operator_cli.denials.plain_text import without_control

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK: Final = "[masked]"

_WINDOW: Final = 32_768
_OVERLAP: Final = 4_096
"""Lines of any length are looked at in windows; no token of AWS is longer than what two of them share."""
_SHORTEST: Final = 5
"""Of a line with a secret: a name, a sign, a value."""
_LONGEST_ARN: Final = 300

_KEY_ID: Final = re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,124}(?<=[A-Z0-9]{4})\b")
_SHOWN_KEY_ID: Final = re.compile(r"\*{4}[A-Z0-9]{4}(?![A-Za-z0-9])")
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----.{0,10000}?(?:-----END [A-Z0-9 ]{0,40}-----|\Z|(?<=.{10000}))",
    re.DOTALL,
)
_NAMED: Final = re.compile(
    r"(?:secret_?-?access_?-?key|secret_?-?key|session_?-?token|security_?-?token|aws_?-?secret|password"
    r"|X-Amz-Security-Token|X-Amz-Signature|X-Amz-Credential|Signature|authorization)"
    r"[\"']?\s{0,3}[=:]\s{0,3}[\"']?(?:AWS4-HMAC-SHA256\s)?(?P<value>[^\s\"',;&}<>]{8,})",
    re.IGNORECASE,
)
_AUTHORIZATION: Final = re.compile(
    r"authorization\\?[\"']?\s{0,3}[=:,]\s{0,3}\\?[\"']?(?!AWS4)(?:(?:basic|bearer|token|digest|negotiate)\s{1,3})?"
    r"(?P<value>(?:\\[^\"'nrt]|[^\s\"',;<>\\])+)",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(r"\b(?:basic|bearer)\s{1,3}(?P<value>[A-Za-z0-9+/=_.~-]{6,})", re.IGNORECASE)
_USER_IN_URL: Final = re.compile(r"(?<=://)(?P<value>[^\s/\"'<>?#@]{1,400}(?:@[^\s/\"'<>?#@]{1,400}){0,5})@")
_ASSIGNED: Final = re.compile(
    # Not in an ARN, where a secret's name follows the word.
    r"(?<![\w:/.-])(?P<name>(?:(?:api|secret|access|auth|private|session|bearer)[ ]){0,2}[A-Za-z_][A-Za-z0-9_.-]{0,80}+)"
    r"\\?[\"']?(?P<sign>\s{0,3}(?:=>|:=|=|:)\s{0,3})(?P<quote>\\?[\"'])?",
    re.IGNORECASE,
)
_TAG: Final = re.compile(r"<(?P<name>[A-Za-z][A-Za-z0-9]{2,60})>(?P<value>[^<>\s]{1,4000})</")
_BARE: Final = re.compile(r"(?:\\[^\"'nrt]|[^\s\"'<>\\])+")
_IN_QUOTES: Final = {'"': re.compile(r"[^\"\\\n]+"), "'": re.compile(r"[^'\\\n]+")}
_WORD: Final = re.compile(r"(?:[A-Z]?[a-z]+|(?:[A-Z][a-z]+){2,5}:)(?=[ \t]+[A-Za-z])")
"""What follows a colon in a sentence: another word, or the name of an error."""
_WORD_ONLY: Final = re.compile(r"[A-Z]?[a-z]+")
_DENSE: Final = re.compile(r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40,}(?![A-Za-z0-9/+])={0,2}")
_OF_AN_ARN: Final = re.compile(
    r"(?:\barn:|://|(?<![A-Za-z0-9_:/.+-])/)(?:[A-Za-z0-9:/_+.,@*${}-]|<[\w -]{1,40}>){0,300}\Z"
)
_ENOUGH: Final = 200
"""Characters that tell what a value is."""
_LENGTH_OF_A_KEY: Final = 40
_MARKS: Final = ("secret", "token", "password", "x-amz-", "signature", "authorization")
_PROMISES: Final = re.compile(r"pass|pwd|secret|token|key|cred|salt|otp|sas|pat", re.IGNORECASE)


def masked(text: str) -> str:
    """Give the text without secrets: of a key's id the last four characters stay, of a secret or a token nothing.

    What commands a terminal is gone as well.
    """
    # A colour within a word would make another word of it, and within a secret hide it.
    text = _PRIVATE_KEY.sub(MASK, without_control(text))
    text = "\n".join(_masked_line(line) for line in text.split("\n"))
    return _KEY_ID.sub(lambda found: f"****{found[0][-4:]}", text)


def _masked_line(line: str) -> str:
    if len(line) < _SHORTEST:
        return line
    spans: list[tuple[int, int]] = []
    for start in range(0, max(1, len(line) - _OVERLAP), _WINDOW - _OVERLAP):
        window = line[start : start + _WINDOW]
        spans += [(start + first, start + last) for first, last in _spans(window)]
    if not spans:
        return line
    shown: list[str] = []
    at = 0
    for first, last in sorted(spans):
        if last <= at:
            continue
        if first > at or not shown:
            shown += [line[at:first], MASK]
        at = last
    return "".join([*shown, line[at:]])


def _spans(line: str) -> Iterator[tuple[int, int]]:
    """Give where secrets stand in a line, in no order; some overlap."""
    kept = [found.span() for found in (*_KEY_ID.finditer(line), *_SHOWN_KEY_ID.finditer(line))]
    for first, last in (*rule_checks.secret_spans(line), *_by_form(line), *_by_name(line)):
        if (first, last) not in kept and line[first:last] != MASK:
            yield first, last


def _by_form(line: str) -> Iterator[tuple[int, int]]:
    # A word is found a hundred times faster than a pattern.
    lower = line.lower()
    if any(mark in lower for mark in _MARKS):
        yield from (found.span("value") for found in _NAMED.finditer(line))
    if "authorization" in lower:
        yield from (found.span("value") for found in _AUTHORIZATION.finditer(line))
    if "basic" in lower or "bearer" in lower:
        for found in _SCHEME.finditer(line):
            if not _WORD_ONLY.fullmatch(found["value"]):
                yield found.span("value")
    if "://" in line:
        yield from (found.span("value") for found in _USER_IN_URL.finditer(line))
    for found in _DENSE.finditer(line):
        if _is_dense(found[0]) and not _is_in_arn(line, found.start()):
            yield found.span()


def _is_dense(run: str) -> bool:
    """Whether a long run of letters and digits may be a secret: those of AWS mix cases, longer ones are tokens or hashes."""
    if run.startswith("/") and not any(_mixes(part) for part in run.split("/")):
        return False  # a path
    has_digit = any(c.isdigit() for c in run)
    if len(run) == _LENGTH_OF_A_KEY:
        return has_digit and any(c.islower() for c in run) and any(c.isupper() for c in run)
    return has_digit and any(c.isalpha() for c in run)


def _mixes(part: str) -> bool:
    return any(c.isdigit() for c in part) and any(c.isupper() for c in part)


def _is_in_arn(line: str, at: int) -> bool:
    """Whether a place is within an ARN, an address or a path, whose names may be long."""
    return _OF_AN_ARN.search(line[max(0, at - _LONGEST_ARN) : at]) is not None


def _by_name(line: str) -> Iterator[tuple[int, int]]:
    """Give what stands behind a name that promises a secret, in whatever language: `token: x`, `"apiKey": "x"`."""
    if not (("=" in line or ":" in line) and _PROMISES.search(line)):
        return
    end = 0
    for found in _ASSIGNED.finditer(line):
        if found.end() < end or not _PROMISES.search(found["name"]):
            continue
        quote = (found["quote"] or "")[-1:]
        pattern = _IN_QUOTES[quote] if quote else _BARE
        value = pattern.match(line, found.end(), found.end() + _ENOUGH)
        if value is None:
            continue
        is_prose = not quote and found["sign"].endswith(" ") and _WORD.match(line, found.end()) is not None
        if not is_prose and rule_checks.promises_secret(found["name"], value[0].rstrip(".,;:)}]") or value[0]):
            end = pattern.match(line, found.end()).end()  # type: ignore[union-attr] # it matched a part of it
            yield found.end(), end
    for found in _TAG.finditer(line):
        if rule_checks.promises_secret(found["name"], found["value"]):
            yield found.span("value")
