"""The one error that a command ends with: what is wrong, why it matters, what to do next."""

from __future__ import annotations

from operator_cli.exit_status import ExitStatus


class OperatorError(Exception):
    """A command cannot go on. Its text is for people and holds no secret.

    Args:
        what: What is wrong, with names and paths.
        why: Why it matters.
        next_step: What to do next: a command, a line to change.
        status: The exit status that it ends the command with.
    """

    def __init__(self, what: str, *, why: str, next_step: str, status: ExitStatus = ExitStatus.REFUSED) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step
        self.status = status

    def __str__(self) -> str:
        return f"{self.what}\n  Why it matters: {self.why}\n  What to do:     {self.next_step}"
