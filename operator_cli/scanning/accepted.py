"""What a repository has accepted: lines that look like credentials and are none, each with the reason.

The list is a file in the repository's top folder, which people read and review. A line is known by a fingerprint of its
text: it may move; if it changes, or another one comes beside it, that is found.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from typing import TYPE_CHECKING, Final

from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE: Final = ".rolebound-accepted.toml"

_HEADER: Final = """\
# Lines that `rolebound scan` takes for credentials and that are none. `rolebound scan --accept REASON FILE…` adds to them.
# Only what is made up belongs here: a credential that ever opened anything is deleted at its service first.
"""
_LENGTH: Final = 12


class Accepted:
    """The accepted lines, by file.

    Args:
        reasons: For each file and fingerprint: why it is accepted.
    """

    def __init__(self, reasons: dict[tuple[str, str], str] | None = None) -> None:
        self.reasons = dict(reasons or {})
        self.met: set[tuple[str, str]] = set()

    @classmethod
    def read(cls, text: str) -> Accepted:
        """Read the list.

        Raises:
            OperatorError: It cannot be understood.
        """
        try:
            entries = [(one["file"], one["reason"], one["lines"]) for one in tomllib.loads(text).get("accepted", [])]
            named = {(file, str(line)): reason for file, reason, lines in entries for line in lines}
            if not all(isinstance(word, str) and word for file, reason, _ in entries for word in (file, reason)):
                raise ValueError("empty")  # noqa: TRY301 - told like every other fault
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise OperatorError(
                f"{FILE} is no list of accepted lines ({type(error).__name__}).",
                why="What is accepted is not known, and nothing was scanned.",
                next_step=f"Each [[accepted]] in {FILE} has file, reason and lines; or remove it and accept anew.",
                status=ExitStatus.WRONG_USAGE,
            ) from error
        return cls(named)

    def holds(self, file: str, line: str) -> bool:
        """Whether a line, given by its fingerprint, is accepted in a file; it is remembered that it was met."""
        key = (file, line)
        if key in self.reasons:
            self.met.add(key)
        return key in self.reasons

    def add(self, file: str, line: str, reason: str) -> None:
        """Accept a line."""
        self.reasons[file, line] = reason
        self.met.add((file, line))

    def stale(self) -> dict[str, list[str]]:
        """Give the accepted lines of each file that were not met."""
        left: dict[str, list[str]] = {}
        for file, line in sorted(self.reasons.keys() - self.met):
            left.setdefault(file, []).append(line)
        return left

    def without_stale(self) -> Accepted:
        """Give only what was met."""
        return Accepted({key: reason for key, reason in self.reasons.items() if key in self.met})

    def __str__(self) -> str:
        entries: dict[tuple[str, str], list[str]] = {}
        for (file, line), reason in sorted(self.reasons.items()):
            entries.setdefault((file, reason), []).append(line)
        return _HEADER + "".join(
            f"\n[[accepted]]\nfile = {_quoted(file)}\nreason = {_quoted(reason)}\nlines = [\n{_listed(lines)}]\n"
            for (file, reason), lines in entries.items()
        )


def fingerprint(line: str) -> str:
    """Give what a line is known by, whatever stands around it."""
    return hashlib.sha256(line.strip().encode("utf-8", "replace")).hexdigest()[:_LENGTH]


def _listed(lines: Iterable[str]) -> str:
    # One each: branches that add some merge, and who reads a change sees how many there are.
    return "".join(f"    {_quoted(line)},\n" for line in lines)


def _quoted(text: str) -> str:
    # TOML's escapes are JSON's, but for one character that JSON leaves alone.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
