"""What a denial is wrapped in, taken off: escapes, colours, line prefixes, hard-wrapped lines.

Everything here is linear in the length of the text: a log of a megabyte is read like a message of a line.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import Final

from operator_cli.denials.narrow_text import JOINT, whole_cells, without_regular_blanks

_ROUNDS: Final = 4
"""How often JSON within JSON is taken apart; deeper nesting has not been seen."""
_NARROWEST: Final = 20
"""The narrowest terminal that lines are believed to be wrapped for."""
_FEWEST: Final = 2
"""Lines that are believed to have a mark in common."""
_SAME_START: Final = 20
"""Lines that begin alike are a log's, not one line's parts."""

_COLOUR_AS_TEXT: Final = re.compile(r"(?:\\(?:x1b|033|e|u001b)|\^\[)\[[0-9;]{0,20}m", re.IGNORECASE)
"""As programs escape it, and as `cat -v` shows it."""
_COLOUR_LEFT: Final = re.compile(r"\[\d{1,3}(?:;\d{1,3}){0,6}m")
"""What is left of a colour where a log lost the escape character itself."""
_JSON_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\"'\\/bfnrt]))")
_JSON_MEANING: Final = {"b": "", "f": "\n", "n": "\n", "r": "\n", "t": " "}
_ENTITY: Final = re.compile(r"&(?:(quot|apos|amp|lt|gt|nbsp)|#(\d{1,6})|#[xX]([0-9a-fA-F]{1,5}));")
_ENTITY_MEANING: Final = {"quot": '"', "apos": "'", "amp": "&", "lt": "<", "gt": ">", "nbsp": " "}
_CONTROL: Final = re.compile(
    "\x1b\\[[0-?]{0,40}[ -/]{0,4}[@-~]"  # colours and cursor
    "|\x1b\\][^\x07\x1b\n]{0,500}(?:\x07|\x1b\\\\)?"  # titles and links
    "|\x1b[@-Z\\\\^_]?"
    "|\x9b[0-?]{0,40}[@-~]?"
    "|[\x00-\x08\x0e-\x1f\x7f\u200b-\u200f\u2060\ufeff\u00ad]"
)
_QUOTES: Final = str.maketrans("“”„‟″‘’‚‛", '"""""\'\'\'\'')  # noqa: RUF001 - what chat programs make of quotes
_TIME: Final = (
    r"\[?\d{4}[-/]\d\d[-/]\d\d[T_ ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]?"
    r"|\[?\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?\]?(?: [AP]M)?"
)
_PREFIX: Final = re.compile(
    rf"[ \t]*(?:(?:{_TIME})(?:[ \t]|$)"  # log lines
    r"|(?P<frame>[│┃║┆┊╎▏▌╷╵╭╰┌└├]|\|(?=[ \t]|$)|â”‚|â•·|â•µ)[ \t]?"  # noqa: RUF001 - Terraform's box, also mis-decoded
    r"|(?:>|(?P<hash>\#)|//|(?<=[ \t]{2})\*(?![ \t]+(?:with|because|due)\b))[ \t]"  # quotation, comments; no resource *
    r"|(?:\[[^\]\n]{1,60}\][ \t]{0,3}|(?:STDERR|STDOUT|ERROR|INFO|terraform:|tofu:)[ \t]{1,3}){1,4}(?=[│╷╵])"  # terragrunt
    r"|[\w.-]{1,40}[ \t]{1,20}\|[ \t])"  # docker compose, cdk deploy
)
_FRAME_END: Final = re.compile(r"(?:[│┃║┆┊╎▏▐▌]|(?<=[ \t])\||â”‚)$")  # noqa: RUF001 - as above
_HASH_END: Final = re.compile(r"(?<=[ \t])\#$")
_FRAME_RULE: Final = re.compile(
    r"[ \t]{0,80}(?:[-=]{20,1000}|[\u2500-\u257f]{3,1000}|[+|][-=+|]{3,1000}[+|]|\#{3,1000})[ \t]{0,80}"
)
"""The upper and the lower side of a frame, drawn with box characters or with signs of a keyboard."""
_BULLET: Final = re.compile(r"[ \t]{0,8}([*;%!-]{1,3})[ \t]")
_INLINE_TAG: Final = re.compile(r"</?(?:code|b|i|em|strong|span|tt|kbd|mark|font)(?: [^<>\n]{0,200})?>")
_BLOCK_TAG: Final = re.compile(r"</?(?:p|br|li|div|td|tr)(?: [^<>\n]{0,200})?/?>")
_BOLD: Final = re.compile(r"(?<![\w/*:])\*\*([^*\s][^*\n]{0,300})\*\*(?![\w/*])")
_STAR_OUTSIDE: Final = re.compile(r"`([^`\s]{1,500})`\*")
_EMPHASIS: Final = re.compile(r"(?<!\S)([*_]{1,2})([a-z0-9-]{2,40}:[A-Za-z]{2,80}|arn:[^\s*`]{5,500})\1(?!\S)")
_LINK: Final = re.compile(r"\[([^\[\]\s]{1,300})\]\((?:mailto:|https?://)[^()\s]{1,500}\)")
_HALF_LINK: Final = re.compile(r"(?<=[\w.@-])\]\(mailto:[^()\s]{1,500}\)")
"""What a page made of a mail address whose opening bracket was lost."""
_ESCAPED_MARK: Final = re.compile(r"\\([*_`])")
_LINE_END: Final = re.compile(r"\r\n|[\r\v\f]")
_WORD: Final = re.compile(r"\S+")


def without_control(text: str) -> str:
    """Give the text without what commands a terminal or is not seen on one; line breaks and tabs stay."""
    return _CONTROL.sub("", text)


def plain(text: str) -> str:
    """Give the text as the program meant it that first printed it.

    JSON escapes and HTML entities are resolved, colours, frames, tags and line prefixes (times, comment signs) are gone,
    and lines that a terminal broke at its last column are whole again. Words stay as they are.
    """
    text = _COLOUR_AS_TEXT.sub("", text)
    for _ in range(_ROUNDS):
        resolved = _ENTITY.sub(_entity, _JSON_ESCAPE.sub(_escape, text))
        if resolved == text:
            break
        text = resolved
    text = _COLOUR_LEFT.sub("", without_control(_LINE_END.sub("\n", text))).translate(_QUOTES)
    lines = text.split("\n")
    has_table = "  " in text
    lines = _joined(_without_bullets(whole_cells(lines) if has_table else lines))
    lines = _whole_in_frames([_without_prefix(line) for line in lines])
    lines = _joined(whole_cells(lines) if has_table else lines)
    text = "\n".join(without_regular_blanks(lines) if "arn:" in text else lines)
    text = _BLOCK_TAG.sub("\n", _INLINE_TAG.sub("", text)) if "<" in text else text
    return _without_markdown(text)


def _without_markdown(text: str) -> str:
    """Give the text without what sets words apart on pages, and with the names of links alone."""
    if "\\" in text:
        text = _ESCAPED_MARK.sub(r"\1", text)
    if "*" in text:
        text = _BOLD.sub(r"\1", _STAR_OUTSIDE.sub(r"\1*", text))
    if "*" in text or "_" in text:
        text = _EMPHASIS.sub(r"\2", text)
    return _HALF_LINK.sub("", _LINK.sub(r"\1", text)) if "](" in text else text


def _escape(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16)).encode("utf-8", errors="replace").decode()
    return _JSON_MEANING.get(found[2], found[2])


def _entity(found: re.Match[str]) -> str:
    if found[1]:
        return _ENTITY_MEANING[found[1]]
    number = int(found[2] or "0") if found[2] else int(found[3], 16)
    return chr(number).encode("utf-8", errors="replace").decode() if number < 0x110000 else found[0]  # noqa: PLR2004 - Unicode's end


def _without_bullets(lines: list[str]) -> list[str]:
    """Take off the sign with which every line begins: some program's mark of a quotation."""
    found = [_BULLET.match(line) for line in lines if line]
    signs = {each[1] if each is not None else "" for each in found}
    if len(found) < _FEWEST or len(signs) > 1 or "" in signs:
        return lines
    return [_BULLET.sub("", line, count=1) for line in lines]


def _without_prefix(line: str) -> tuple[str, int | None]:
    """Give the line, and how far it ends from the right side of its frame; `None` where there is none."""
    if not line or _FRAME_RULE.fullmatch(line):
        return "", None
    at = 0
    framed = hashed = False
    while (found := _PREFIX.match(line, at)) is not None and found.end() > at:
        framed |= found["frame"] is not None
        hashed |= found["hash"] is not None
        at = found.end()
    inner = line[at:]
    end = _FRAME_END if framed else _HASH_END if hashed else None
    side = end.search(inner.rstrip()) if end is not None else None
    if side is None:
        return inner, None
    text = inner[: side.start()].rstrip()
    return text, side.start() - len(text)


def _whole_in_frames(lines: list[tuple[str, int | None]]) -> list[str]:
    """Join what a frame broke: a line that fills it goes on in the next."""
    padding = min((gap for text, gap in lines if text and gap is not None), default=None)
    whole: list[str] = []
    rest: list[str] = []
    was_full = False
    for text, gap in lines:
        if was_full and text and gap is not None:
            rest.append(text)
        else:
            if rest:
                whole[-1] = JOINT.join((whole[-1], *rest))
                rest = []
            whole.append(text)
        was_full = gap is not None and gap == padding and len(text) >= _NARROWEST
    return [*whole[:-1], JOINT.join((whole[-1], *rest))] if rest else whole


def _joined(lines: list[str]) -> list[str]:
    """Join lines that were broken at one width: two or more of exactly that length in a row, and what follows them."""
    whole: list[str] = []
    at = 0
    while at < len(lines):
        end = at
        width = len(lines[at])
        if width < _NARROWEST:
            whole.append(lines[at])
            at += 1
            continue
        while end + 1 < len(lines) and len(lines[end + 1]) == width and _goes_on(lines[end], lines[end + 1]):
            end += 1
        if end > at:
            if end + 1 < len(lines) and 0 < len(lines[end + 1]) < width and _goes_on(lines[end], lines[end + 1]):
                end += 1
            run = lines[at : end + 1]
            indent = min(len(line) - len(line.lstrip()) for line in run)
            whole.append(JOINT.join(line[indent:] for line in run))
        else:
            whole.append(lines[at])
        at = end + 1
    return whole


def _goes_on(line: str, following: str) -> bool:
    """Whether a line may be the rest of the one before it: it has no prefix of its own, and does not begin like that one."""
    begins = following.lstrip()[:_SAME_START]
    if _PREFIX.match(following) is not None or _FRAME_RULE.fullmatch(following) is not None:
        return False
    return not begins or line.lstrip()[:_SAME_START] != begins


def _lower_of_same_length(character: str) -> str:
    lower = character.lower()
    return lower if len(lower) == 1 else character


class Squeezed:
    """A text without its white space, in which a phrase is found however its lines were broken.

    Attributes:
        source: The text.
        text: The same without white space.
        lower: `text` in lower case.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        words = _WORD.findall(source)
        self.text = "".join(words)
        lower = self.text.lower()
        # A few characters change their length in lower case; positions must not.
        self.lower = lower if len(lower) == len(self.text) else "".join(map(_lower_of_same_length, self.text))
        self._starts = list(accumulate(map(len, words), initial=0))[:-1]
        self._offsets = [word.start() for word in _WORD.finditer(source)]

    def place(self, at: int) -> int:
        """Give the position in `source` of the character at `at` of `text`; its end for the end."""
        if at >= len(self.text):
            return len(self.source)
        word = bisect_right(self._starts, at) - 1
        return self._offsets[word] + at - self._starts[word]

    def squeezed_place(self, place: int) -> int:
        """Give the position in `text` of the character at `place` of `source`, which is no white space."""
        word = bisect_right(self._offsets, place) - 1
        return self._starts[word] + place - self._offsets[word]

    def raw(self, start: int, end: int) -> str:
        """Give the part of `source` for a part of `text`."""
        return self.source[self.place(start) : self.place(end - 1) + 1] if end > start else ""

    def begins_word(self, at: int) -> bool:
        """Whether white space stands before that character."""
        place = self.place(at)
        return place == 0 or self.source[place - 1].isspace()

    def begins_paragraph(self, at: int) -> bool:
        """Whether an empty line stands before that character."""
        gap = self.source[self.place(at - 1) + 1 : self.place(at)] if at > 0 else ""
        return gap.count("\n") > 1

    def is_one_word(self, start: int, end: int) -> bool:
        """Whether that part of `text` holds no spaces in `source`, broken lines aside."""
        return spaces_in(self.raw(start, end)) == 0

    def word_end(self, start: int) -> int:
        """Give where in `text` the word of `source` ends that the character at `start` is in."""
        word = bisect_right(self._starts, start)
        while word < len(self._starts) and self.source[self._offsets[word] - 1] == JOINT:
            if self.source[self._offsets[word] - 2].isspace():
                break
            word += 1
        return self._starts[word] if word < len(self._starts) else len(self.text)


def spaces_in(raw: str) -> int:
    """Count the spaces of a text; what a broken line left is none."""
    return sum(gap != JOINT and "\n" not in gap for gap in re.findall(r"\s+", raw))
