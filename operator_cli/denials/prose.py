"""Whether the name of an error is told by a program, or only talked about: in a README, a changelog, a letter, source code.

Only for what says little by itself: a bare code, or "Access Denied". Whole sentences of AWS speak for themselves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from operator_cli.denials.plain_text import Squeezed

_WIDEST: Final = 300
"""Characters on either side that are looked at."""
_TERSE: Final = 4
"""Words around it with which it is a log's line, whatever they are."""
_TALKATIVE: Final = 3
"""Small words around it with which a line is a sentence of somebody."""

_BULLET: Final = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_SENTENCE_BEFORE: Final = re.compile(r".*[.!?](?:[\"')\]]{0,2})\s", re.DOTALL)
_SENTENCE_AFTER: Final = re.compile(r"[.!?](?:\s|$)")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z']*")
_SMALL: Final = frozenset((
    "a", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "did", "do", "does",
    "for", "from", "had", "has", "have", "he", "her", "his", "how", "i", "in", "into", "is", "it", "its", "like",
    "me", "my", "no", "nor", "now", "of", "on", "one", "or", "our", "shall", "she", "so", "some", "such", "than",
    "that", "the", "their", "them", "then", "there", "they", "this", "those", "to", "too", "until", "us", "was",
    "we", "were", "what", "where", "which", "while", "who", "why", "will", "with", "would", "you", "your",
))  # fmt: skip
_ABOUT: Final = frozenset((
    "if", "when", "whenever", "unless", "avoid", "avoids", "handle", "handled", "handles", "handling", "ignore",
    "ignores", "ignored", "catch", "catches", "fix", "fixed", "fixes", "might", "may", "should", "retry", "retries",
    "retried", "retrying", "document", "documented", "troubleshoot", "troubleshooting", "instead", "e.g.",
    "example", "expect", "expects", "explain", "explains", "explained", "called", "regression", "bug", "means",
    "see", "check", "test", "tests",
))  # fmt: skip
"""Words before a code that tell that it is talked about."""
_KINDS: Final = re.compile(
    r"\s*(?:errors|exceptions|responses|messages|failures|means|indicates|occurs|happens|handling"
    r"|(?:error |exception |response )?(?:is|are) (?:now|no longer|not|raised|thrown|returned|retried|handled|ignored|usually|often|caused))\b",
    re.IGNORECASE,
)
"""Words right behind a code that speak of all errors of its kind."""
_CODE_LINE: Final = re.compile(
    r"\s*\}?\s*(?:(?:raise|throw|throws|except|catch|rescue|import|class|export|assert\w*|expect|@\w+)\b"
    r"|(?:if|elif|else|return|case|when|with|from|def|func|function|const|let|var|for|while)\b"
    r"(?=.{0,300}(?:[=!]=|[{;:(\[]\s*$|\)\s*[:;{,]\s*$|\bimport\b)))"
)
_COMPARED: Final = re.compile(
    r"(?:[=!]==?|\binstanceof|\bisinstance\(.{0,80}|\bnew|\bin \(|\.includes\(|\bcase)\s*[\"'`]?$"
)
_LISTED: Final = re.compile(r"[\"']\s*[,\])]")
_TOLD_BEFORE: Final = re.compile(
    r"(?:[:(\[<>#/$.]|(?<![=!])=>?|:\s*u?[\"']|(?<![=!])=>?\s*[\"']"
    r"|\b(?:error|exception|code|status|failed|failure|fatal|reason|cause|denied|40[013])[\"')\]]{0,2})$",
    re.IGNORECASE,
)
_ANNOUNCED: Final = re.compile(r"\w[)\]\"']{0,2}:\s{1,20}$")
"""Some words and a colon: whatever they are, what follows is a message."""
_TOLD_AFTER: Final = re.compile(
    r"[\"')\]}]{0,2}\s*(?:[:;<]|\((?:service|client|request|status)|when calling\b|status code\b)", re.IGNORECASE
)
_OF_OTHERS: Final = re.compile(
    r"(?i:<center>\s*(?:nginx|openresty|cloudflare)|\bapache/\d|nginx/\d|access denied for user '|\bspringframework\.security\b"
    r"|storage\.googleapis\.com|google cloud storage|\.aliyuncs\.com|\.core\.windows\.net|\bhttp basic: access denied|\bsqlstate\b"
    r"|\bnt_status_|\bsshd\b|\bsmtp\b)|java\.nio\.file\.AccessDeniedException: (?:/|[A-Z]:\\)"
)
"""What other systems put beside the same words: a web server, a database, a file system, another cloud."""
_HEADING: Final = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(\S[^\n]{0,200})$", re.MULTILINE)
_UNDERLINED: Final = re.compile(r"^(\S[^\n]{0,200})\n(?:={3,200}|-{3,200}|~{3,200})[ \t]*$", re.MULTILINE)
_LETTER: Final = re.compile(r"\s*(?:hi|hello|dear|hey|good morning|moin|hallo)\b[^\n:]{0,40}\n", re.IGNORECASE)


class Beliefs:
    """What of a text is believed to be a program's own word.

    Args:
        original: The text as it came.
        squeezed: The same, plain.
    """

    def __init__(self, original: str, squeezed: Squeezed) -> None:
        self._squeezed = squeezed
        headings = {
            found[1].strip("# \t") for pattern in (_HEADING, _UNDERLINED) for found in pattern.finditer(original)
        }
        lines = {line.strip("# \t") for line in original.splitlines()} if headings else set()
        # A message that was commented out is no heading: nothing else stands under it.
        self._headings = headings if lines - headings - {""} else set()
        self._is_letter = _LETTER.match(original) is not None

    def is_told(self, start: int, end: int, *, named: bool = False) -> bool:
        """Whether a program that speaks with AWS says what stands there in the squeezed text; `named` if it calls it a code."""
        source = self._squeezed.source
        at, to = self._squeezed.place(start), self._squeezed.place(end - 1) + 1
        first = max(0, at - _WIDEST)
        begin = max(first, source.rfind("\n", first, at) + 1)
        stop = source.find("\n", to, to + _WIDEST)
        line_end = stop if stop >= 0 else min(len(source), to + _WIDEST)
        if _OF_OTHERS.search(source, first, to + _WIDEST) is not None:
            return False
        if named:
            return True
        before, after = source[begin:at], source[to:line_end]
        if source[begin:line_end].strip("# \t") in self._headings or _CODE_LINE.match(source, begin, line_end):
            return False
        bullet = _BULLET.match(before)
        before = before[bullet.end() :] if bullet is not None else before
        if self._is_quoted(before, after):
            return False
        return _ANNOUNCED.search(before) is not None or (
            not self._is_talk(before, after) and (self._is_structured(before, after) or self._is_terse(before, after))
        )

    @staticmethod
    def _is_quoted(before: str, after: str) -> bool:
        """Whether it is a name in source code, or in a document that sets names apart."""
        if before[-1:] == "`" and after[:1] == "`":
            return bool(_WORD.search(before + after))
        listed = before[-1:] in {'"', "'"} and _LISTED.match(after) is not None
        if _COMPARED.search(before) or (listed and not _TOLD_BEFORE.search(before)):
            return True
        return before.rstrip().endswith(
            "requested"
        )  # "… access to the resource is denied": Docker's registry, of any image

    @staticmethod
    def _is_talk(before: str, after: str) -> bool:
        """Whether its neighbours are those of prose."""
        return not _ABOUT.isdisjoint(_words(_since_sentence(before))) or _KINDS.match(after) is not None

    @staticmethod
    def _is_structured(before: str, after: str) -> bool:
        """Whether it stands where programs put codes: behind `Error:`, in brackets, before its message."""
        tight = before if before[-1:] in ".#/$" else before.rstrip().rstrip(".#/$") if before[-1:] == " " else before
        return _TOLD_BEFORE.search(tight) is not None or _TOLD_AFTER.match(after) is not None

    def _is_terse(self, before: str, after: str) -> bool:
        """Whether its sentence has few words, or few of those that people need and logs do without."""
        ends = _SENTENCE_AFTER.search(after)
        said = _since_sentence(before) + " " + (after[: ends.start()] if ends is not None else after)
        words = _words(said)
        if self._is_letter and words:
            return False
        return len(words) <= _TERSE or sum(word in _SMALL for word in words) < _TALKATIVE


def _since_sentence(text: str) -> str:
    """Give what stands since a sentence has ended, or all."""
    ended = _SENTENCE_BEFORE.match(text)
    return text[ended.end() :] if ended is not None else text


def _words(text: str) -> list[str]:
    """Give what is a word and nothing else: no path, no ARN, no name with a hyphen."""
    parts = (part.strip("*_,;()\"'").lower() for part in text.split())
    return [part for part in parts if part.isalpha() or part == "e.g."]
