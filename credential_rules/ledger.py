"""The acknowledgement ledger: an exception has an owner and an end, or it is no exception.

An acknowledgement is `Validations.of(construct).acknowledge(Acknowledgment(id="Pack::Rule", reason=…))`, ours and
cdk-nag's alike. Its reason ends in `(owner: platform-team, expires: 2027-06-30)`. One that is malformed, expired or
covers nothing is a finding of its own, which cannot be acknowledged.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Literal

from credential_rules.assembly import parts_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from credential_rules.assembly import Part
    from credential_rules.template import Raw

PACK_NAME: Final = "CredentialChecks"
"""The name before `::` in an acknowledgement of our rules."""

METADATA_TYPE: Final = "aws:cdk:acknowledged-rules"
"""The construct metadata in which CDK keeps acknowledgements."""

FORM: Final = "why it is fine here (owner: platform-team, expires: 2027-06-30)"

ProblemKind = Literal["acknowledgement-is-well-formed", "acknowledgement-is-current", "acknowledgement-is-used"]
LEDGER_RULES: Final[tuple[ProblemKind, ...]] = (
    "acknowledgement-is-well-formed",
    "acknowledgement-is-current",
    "acknowledgement-is-used",
)

_REASON = re.compile(
    r"(?P<why>.*\S)\s*\(owner:\s*(?P<owner>[^,()]*[^,()\s])\s*,\s*expires:\s*(?P<expires>\d{4}-\d\d-\d\d)\s*\)\.?",
    re.DOTALL,
)
_ID = re.compile(r"[^:\s]+::\S+")
# CDK files a bare id under this name, where it hides the finding without a record; warnings of CDK itself are called `@…`.
_BARE: Final = "Annotation::"
# CDK's own constructs acknowledge findings of CDK's own template check; nobody can write an owner and an end there.
_CDKS_OWN: Final = (f"{_BARE}@", "CloudFormation-Validate::")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One acknowledgement: `at` is the construct's path, empty for the app, under which it covers everything."""

    id: str
    reason: str
    at: str

    @property
    def terms(self) -> Terms | None:
        """What the reason says, None if it is not in the form."""
        match = _REASON.fullmatch(self.reason.strip())
        if match is None:
            return None
        try:
            return Terms(match["why"], match["owner"], date.fromisoformat(match["expires"]))
        except ValueError:
            return None

    def covers(self, rule_id: str, construct_path: str) -> bool:
        """Whether it hides a finding of `rule_id` on that construct."""
        return self.id == rule_id and (
            not self.at or construct_path == self.at or construct_path.startswith(f"{self.at}/")
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """Why, by whom and until when (that day included)."""

    why: str
    owner: str
    expires: date


@dataclass(frozen=True, slots=True)
class Problem:
    """An acknowledgement that does not hold."""

    kind: ProblemKind
    acknowledgement: Acknowledgement
    message: str
    fix: str


def problems(
    acknowledgements: Iterable[Acknowledgement],
    today: date,
    is_used: Callable[[Acknowledgement], bool | None],
) -> list[Problem]:
    """What is wrong with them, one problem each at most. `is_used` answers None where that cannot be known."""
    found: list[Problem] = []
    for acknowledgement in acknowledgements:
        problem = _problem(acknowledgement, today, is_used)
        if problem is not None:
            found.append(problem)
    return found


def _problem(
    acknowledgement: Acknowledgement, today: date, is_used: Callable[[Acknowledgement], bool | None]
) -> Problem | None:
    at = acknowledgement.at or "the app"
    name = acknowledgement.id
    terms = acknowledgement.terms
    if name.startswith(_BARE) or not _ID.fullmatch(name):
        bare = name.removeprefix(_BARE)
        return Problem(
            "acknowledgement-is-well-formed",
            acknowledgement,
            f"The acknowledgement '{bare}' at {at} names no pack: CDK then hides findings without recording it.",
            f"Write 'Pack::Rule', such as '{PACK_NAME}::{bare}'.",
        )
    if terms is None:
        return Problem(
            "acknowledgement-is-well-formed",
            acknowledgement,
            f"The acknowledgement of {name} at {at} does not say, in the form that is read, who owns it and when it ends,"
            " so nobody will ever remove it.",
            f"Give it a reason of this form: {FORM}",
        )
    if terms.expires < today:
        return Problem(
            "acknowledgement-is-current",
            acknowledgement,
            f"The acknowledgement of {name} at {at} expired on {terms.expires}: what it excused is still there.",
            f"Repair the finding and remove it, or let {terms.owner} give it a new date.",
        )
    if is_used(acknowledgement) is False:
        return Problem(
            "acknowledgement-is-used",
            acknowledgement,
            f"The acknowledgement of {name} at {at} covers no finding: it would hide the next one that appears there.",
            "Remove it.",
        )
    return None


def read_acknowledgements(assembly: Path) -> list[Acknowledgement]:
    """The acknowledgements that a cloud assembly records at its stacks and below, each once.

    Those at the app and at stages are not in these files: hand them over from the construct tree.
    """
    return acknowledgements_in(parts_below(assembly, {}))


def acknowledgements_in(parts: Iterable[Part]) -> list[Acknowledgement]:
    """As `read_acknowledgements`, for parts of an assembly."""
    found = {
        acknowledgement: None
        for part in parts
        for path, entry in part.metadata
        if entry.get("type") == METADATA_TYPE
        for acknowledgement in from_metadata(path, entry.get("data"))
    }
    return list(found)


def from_metadata(path: str, data: Raw) -> list[Acknowledgement]:
    """The acknowledgements in one construct's metadata; those of CDK's own warnings and checks are left out."""
    return [
        Acknowledgement(str(name), str(reason), path)
        for name, reason in (data.items() if isinstance(data, dict) else ())
        if not name.startswith(_CDKS_OWN)
    ]


def read_used(report: Path) -> set[tuple[str, str]]:
    """The ids and construct paths of the acknowledgements that hid something, from `validation-report.json`.

    Empty if there is no report: CDK writes none if no plugin had anything to say.

    Raises:
        ValueError: the report is no valid JSON.
    """
    if not report.is_file():
        return set()
    content = json.loads(report.read_text(encoding="utf-8"))
    return {
        (str(violation.get("acknowledgedId", "")), str(violation.get("acknowledgedAt", "")))
        for plugin in content.get("pluginReports", [])
        for violation in plugin.get("suppressedViolations", [])
    }


def problems_after_synth(assembly: Path, today: date) -> list[Problem]:
    """As `problems`, for the acknowledgements of every pack: what they hid stands in the assembly's report."""
    used = read_used(assembly / "validation-report.json")
    return problems(read_acknowledgements(assembly), today, lambda one: (one.id, one.at) in used)


def as_markdown(acknowledgements: Iterable[Acknowledgement]) -> str:
    """The text of docs/acknowledgements.md: depends on nothing but the acknowledgements."""
    lines = [
        "# Acknowledgements",
        "",
        (
            "Generated by `python -m credential_rules ledger cdk.out --write docs/acknowledgements.md`. Every exception to a rule,"
            " with its owner and its end; an expired or unused one fails synth."
        ),
        "",
    ]
    rows = sorted(acknowledgements, key=lambda one: (one.id, one.at))
    if not rows:
        return "\n".join([*lines, "There are none.", ""])
    lines += ["| rule | where | why | owner | expires |", "|---|---|---|---|---|"]
    for one in rows:
        terms = one.terms
        cells = (terms.why, terms.owner, str(terms.expires)) if terms else (one.reason, "missing", "missing")
        # As code: a rule's name may hold `<AWS::AccountId>`, which Markdown would take for markup and drop.
        named = (f"`{one.id}`", f"`{one.at}`" if one.at else "the app")
        lines.append("| " + " | ".join(_cell(cell) for cell in (*named, *cells)) + " |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
