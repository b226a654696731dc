"""How local AWS says no: one exception whose text a person can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class LocalAwsError(Exception):
    """Something a person has to know: what is wrong, why it matters, what to do next.

    The text is those three parts, each on its own line, then where the log lies if there is one.
    It never holds a secret: callers pass names, paths and messages, not credentials.

    Attributes:
        what: What is wrong, with the name or path it is about.
        why: What cannot be done because of it.
        next_step: A command, or the one thing to change.
        log: The file with the whole story, if one was written.
    """

    def __init__(self, what: str, *, why: str, next_step: str, log: Path | None = None) -> None:
        self.what = what
        self.why = why
        self.next_step = next_step
        self.log = log
        lines = [what, f"  Why it matters: {why}", f"  What to do:     {next_step}"]
        if log is not None:
            lines.append(f"  Log:            {log}")
        super().__init__("\n".join(lines))
