"""Texts that were broken for something narrower than a terminal: the cells of a table, and breaks that became blanks.

Both are told by their regularity alone, so that nothing else is joined.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

JOINT: Final = "\v"
"""Stands where a line was broken that is whole again: most probably within a word, and perhaps between two."""

_NARROWEST: Final = 12
"""The narrowest column that is believed to break words."""
_FEWEST: Final = 3
"""Lines of a cell, and blanks at the same distance, that are no accident."""
_WIDEST: Final = 400
"""The widest terminal whose breaks are looked for."""
_LONGEST: Final = 4000
_MOST: Final = 10
"""Lines that are looked at for such blanks, and their length: each is one message."""

_CELL: Final = re.compile(r"\S+(?: \S+)*")
_INDENT: Final = re.compile(r"[ ]{2,300}(?=\S)")
_PLACEHOLDER: Final = re.compile(r"<[^<>\n]{1,40}>")
_WORDS: Final = "is not authorized to perform: "
_DENIED: Final = re.compile(
    r"is ?n ?o ?t ?a ?u ?t ?h ?o ?r ?i ?[sz] ?e ?d ?t ?o ?p ?e ?r ?f ?o ?r ?m ?: ?(?=[a-z])"
    r"(?P<action>[a-z0-9-]{1,40} ?[a-z0-9-]{0,40} ?: ?[A-Za-z ]{1,80}?) ?o ?n ?r ?e ?s ?o ?u ?r ?c ?e ?: ?"
    r"(?:(?P<resource>arn:[^\n]{1,1400}?) (?=b ?e ?c ?a ?u ?s ?e|w ?i ?t ?h))?"
)
_NAMED: Final = re.compile(r"U ?s ?e ?r ?: ?(?P<who>arn:[^\n]{1,1400}?) (?=i ?s ?n ?o ?t)")


def whole_cells(lines: list[str]) -> list[str]:
    """Join the lines of each cell of a table: each line goes on in columns of the row that it belongs to."""
    whole: list[str] = []
    at = 0
    indented = [number for number, line in enumerate(lines) if number and line.startswith("  ")]
    for first in (number - 1 for number in indented):
        if first < at or not lines[first][: len(lines[first + 1]) - len(lines[first + 1].lstrip())].strip():
            continue
        starts, end = _row(lines, first)
        if end - first < _FEWEST:
            continue
        whole += lines[at:first]
        at = first
        columns: dict[int, list[str]] = {start: [] for start in starts}
        for line in lines[at:end]:
            for found in _CELL.finditer(line):
                columns[found.start()].append(found[0])
        whole += [_whole_cell(cell) for cell in columns.values()]
        at = end
    return [*whole, *lines[at:]]


def _row(lines: list[str], at: int) -> tuple[list[int], int]:
    """Give where the columns of the row begin whose first line is there, and where the row ends."""
    end = at + 1
    if end >= len(lines) or _INDENT.match(lines[end]) is None or "  " not in lines[at].strip():
        return [], end
    starts = [found.start() for found in _CELL.finditer(lines[at])]
    known = set(starts[1:])
    while end < len(lines) and _INDENT.match(lines[end]) is not None:
        if not known.issuperset(found.start() for found in _CELL.finditer(lines[end])):
            break
        end += 1
    return starts, end


def _whole_cell(lines: list[str]) -> str:
    """Join the lines of one cell: a line that fills it was broken, and any other ended with a word."""
    width = max(map(len, lines))
    whole = lines[0]
    for line, following in pairwise(lines):
        whole += (JOINT if len(line) == width >= _NARROWEST else " ") + following
    return whole


def without_regular_blanks(lines: list[str]) -> list[str]:
    """Take off the blanks that stand for a terminal's breaks: always at the same distance, also within names."""
    looked_at = 0
    whole: list[str] = []
    for line in lines:
        known = line
        if len(line) <= _LONGEST and looked_at < _MOST and "arn:" in line and "on" in line:
            looked_at += 1
            known = _without_regular_blanks(line)
        whole.append(known)
    return whole


def _without_regular_blanks(line: str) -> str:
    strange = _strange_blanks(line)
    if not strange:
        return line
    distances = {later - earlier for earlier, later in pairwise(strange)}
    distances |= {(strange[0] + 1 + left_out) // lines for lines in (1, 2, 3) for left_out in range(3)}
    for distance in sorted(distances, reverse=True):
        if _NARROWEST < distance <= _WIDEST:
            breaks = _breaks(line, strange[0], distance)
            is_rule = len(breaks) >= _FEWEST or (len(breaks) > 1 and breaks.issubset(strange))
            if is_rule and breaks.issuperset(strange):
                return "".join(JOINT if at in breaks else character for at, character in enumerate(line))
    return line


def _breaks(line: str, at: int, distance: int) -> set[int]:
    """Give the blanks at one distance from each other, from the line's begin to its end; none if one is missing.

    Where a break stood beside a blank, one of the two is left, and the next is one place nearer, or two.
    """
    found = {at}
    for step in (1, -1):
        place = at + step * distance
        while 0 <= place < len(line):
            nearer = next((by for by in range(3) if line[place - step * by] == " "), None)
            if nearer is None:
                return set()
            place -= step * nearer
            found.add(place)
            place += step * distance
    return found


def _strange_blanks(line: str) -> list[int]:
    """Give where blanks stand that hardly a message has: within the principal's ARN, the action, the resource, and words."""
    places: list[int] = []
    named, denied = _NAMED.search(line), _DENIED.search(line)
    spans = [named.span("who")] if named is not None else []
    if denied is not None:
        spans += [denied.span("action"), denied.span("resource")]
        places += _blanks_too_many(line, denied.start(), denied.start("action"))
    for start, end in spans:
        meant = {at for found in _PLACEHOLDER.finditer(line, start, end) for at in range(*found.span())}
        places += [at for at in range(start, end) if line[at] == " " and at not in meant]
    return sorted(places)


def _blanks_too_many(line: str, start: int, end: int) -> list[int]:
    """Give the blanks of a part of the line that the sentence has not."""
    places: list[int] = []
    expected = iter(_WORDS)
    due = next(expected)
    for at in range(start, end):
        if line[at] == " " != due:
            places.append(at)
        else:
            due = next(expected, "")
    return places
