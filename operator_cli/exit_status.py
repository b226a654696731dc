"""What a command's exit status tells a script."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExitStatus(IntEnum):
    """The one list of exit statuses; `--help` prints it."""

    GOOD = 0
    REFUSED = 1
    WRONG_USAGE = 2
    NO_CREDENTIALS = 3
    EXPIRED = 4
    WRONG_PLACE = 5


MEANING: Final[Mapping[ExitStatus, str]] = {
    ExitStatus.GOOD: "good",
    ExitStatus.REFUSED: "refused: a check failed",
    ExitStatus.WRONG_USAGE: "wrong usage",
    ExitStatus.NO_CREDENTIALS: "no usable credentials",
    ExitStatus.EXPIRED: "expired or expiring",
    ExitStatus.WRONG_PLACE: "wrong account or region",
}
"""Each status in words."""


def as_help() -> str:
    """Give the line that ends every `--help`."""
    return "exit status: " + " · ".join(f"{status.value} {words}" for status, words in MEANING.items())
