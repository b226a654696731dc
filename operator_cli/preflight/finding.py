"""The answer to one question about a session, and what all of them amount to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from operator_cli.exit_status import ExitStatus


class Verdict(StrEnum):
    """What is to be said of one question."""

    GOOD = "good"
    NOTE = "note"
    WARNING = "warning"
    CANNOT_TELL = "cannot-tell"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer to one question.

    Attributes:
        question: What was asked, as a slug: `credentials`, `identity`, `lifetime`, …
        verdict: The answer's kind.
        what: The answer.
        why: Why it matters; empty where all is well.
        next_step: What to do; empty where all is well.
        status: What a refusal ends the command with.
    """

    question: str
    verdict: Verdict
    what: str
    why: str = ""
    next_step: str = ""
    status: ExitStatus = ExitStatus.GOOD


def exit_status(findings: tuple[Finding, ...], *, certain: bool = False) -> ExitStatus:
    """Give the one status of all findings; the more basic trouble comes first.

    Args:
        findings: The answers.
        certain: Whether what cannot be told is refused.
    """
    refused = {finding.status for finding in findings if finding.verdict is Verdict.REFUSED}
    order = (ExitStatus.NO_CREDENTIALS, ExitStatus.EXPIRED, ExitStatus.WRONG_PLACE, ExitStatus.REFUSED)
    for status in order:
        if status in refused:
            return status
    if certain and any(finding.verdict is Verdict.CANNOT_TELL for finding in findings):
        return ExitStatus.REFUSED
    return ExitStatus.GOOD


def unless(*, allowed: bool, question: str, what: str, why: str, next_step: str) -> Finding:
    """A refusal, or, where it was insisted on, a warning."""
    return Finding(
        question=question,
        verdict=Verdict.WARNING if allowed else Verdict.REFUSED,
        what=what,
        why=why,
        next_step="Allowed for this once." if allowed else next_step,
        status=ExitStatus.GOOD if allowed else ExitStatus.REFUSED,
    )
