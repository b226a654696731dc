"""Text of others on a terminal of ours: shown, never obeyed.

A name, a policy's statement, a log or an error comes from whoever wrote it. On a terminal its control characters are
commands: they colour, hide and overwrite what was said, set titles, or answer in the reader's name.
"""

from __future__ import annotations

import re
from typing import Final

SHOWN_INSTEAD: Final = "\N{REPLACEMENT CHARACTER}"

_COMMANDS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # all but tabs and line breaks, in seven bits and in eight
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # what turns the order of the characters round
)


def inert(text: str) -> str:
    """Give the text with a mark in place of each character that commands a terminal; tabs and line breaks stay."""
    return _COMMANDS.sub(SHOWN_INSTEAD, text.replace("\r\n", "\n"))


def as_json_escapes(document: str) -> str:
    """Give a JSON document with those characters as JSON's escapes: it says the same and is safe to look at."""
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", document)
