"""The causes of a function's failing calls, the likeliest first, and what cannot be told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from operator_cli.diagnosis.cause import LIKELIHOODS, Cause, Doubt, Likelihood, Slug
from operator_cli.diagnosis.identity import identity_causes
from operator_cli.diagnosis.logged_errors import Kind, LoggedError, errors_in
from operator_cli.diagnosis.permissions import permission_causes
from operator_cli.diagnosis.resource_policies import resource_causes, uses
from operator_cli.diagnosis.signers import log_only_causes, signer_causes
from operator_cli.diagnosis.stores import store_of
from operator_cli.diagnosis.ways import way_causes, way_doubts
from operator_cli.rule_checks import answers_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from operator_cli.diagnosis.deployed_function import Facts
    from operator_cli.diagnosis.judgement import Judgement
    from operator_cli.diagnosis.permissions import May

_SLUGS: Final = tuple(Slug)

_DEPENDS: Final = (
    ("iam:", "What the role may do"),
    ("ec2:", "Whether its calls arrive"),
    ("route53:", "Whether a private hosted zone answers instead of private DNS"),
    ("logs:", "What it failed with"),
    ("sqs:", "Whether the queue itself lets it in"),
    ("dynamodb:", "Whether the table itself lets it in"),
    ("s3:", "Whether the bucket itself lets it in"),
    ("organizations:", "Whether policies that ask for the account's organisation let it through"),
    ("kms:", "Whether the resource's key may be used for it"),
    ("lambda:", "What else belongs to the function"),
    ("", "Who signs its calls"),
)
"""What depends on a permission, by its beginning."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The answer.

    Attributes:
        function: The function's ARN, with the version or alias that was asked for.
        causes: The likeliest first.
        doubts: What cannot be told, each with the permission that would tell it.
        errors: What the log shows since the function was last changed, the newest first.
        notes: What is worth knowing and no fault.
    """

    function: str
    causes: tuple[Cause, ...]
    doubts: tuple[Doubt, ...]
    errors: tuple[LoggedError, ...]
    notes: tuple[str, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is wrong, and everything could be told."""
        return not self.causes and not self.doubts

    @property
    def is_another_matter(self) -> bool:
        """Whether the log's errors are all that is wrong, and of another kind than what is judged here."""
        return bool(self.causes) and not self.doubts and all(Kind.ANOTHER in cause.explains for cause in self.causes)


def diagnose(facts: Facts, judgement: Judgement, may: May) -> Diagnosis:
    """Find the causes.

    Args:
        facts: What AWS tells of the function.
        judgement: What the rules say of it.
        may: Says what its role may do.
    """
    errors, older = _since_last_change(facts)
    # An exception of the program's own is often the echo of one that names the cause.
    errors = [error for error in errors if error.kind is not Kind.ANOTHER] or errors
    found = [*signer_causes(judgement, errors), *way_causes(facts, judgement)]
    doubts = [*_unread(facts), *_unjudged(judgement), *way_doubts(facts, judgement)]
    of_resources = list(resource_causes(facts, uses(facts, judgement, may), may))
    refusing = [each for each in of_resources if isinstance(each, Cause)]
    open_errors = [error for error in errors if not any(_is_told_by(cause, error) for cause in refusing)]
    for each in (*identity_causes(facts, may), *of_resources, *permission_causes(facts, judgement, open_errors, may)):
        (found if isinstance(each, Cause) else doubts).append(each)  # type: ignore[arg-type] # one list for each class
    explained = {kind for cause in found for kind in cause.explains}
    found += log_only_causes(error for error in errors if error.kind not in explained)
    causes = _ordered(_with_log(cause, errors) for cause in _merged(found))
    doubts += _unexplained(causes, errors)
    return Diagnosis(
        function=f"{facts.arn}:{facts.qualifier}" if facts.qualifier else facts.arn,
        causes=tuple(causes),
        doubts=tuple(dict.fromkeys(doubts)),
        errors=tuple(errors),
        notes=tuple(_notes(facts, older)),
    )


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Give the diagnosis as `--json` prints it."""
    return {
        "function": diagnosis.function,
        "healthy": diagnosis.is_healthy,
        "causes": [
            {
                "slug": cause.slug.value,
                "likelihood": cause.likelihood.value,
                "what": cause.what,
                "evidence": list(cause.evidence),
                "fix": cause.fix,
                "sources": list(cause.sources),
            }
            for cause in diagnosis.causes
        ],
        "cannot_tell": [{"what": doubt.what, "permission": doubt.permission or None} for doubt in diagnosis.doubts],
        "errors": [
            {
                "code": error.code,
                "kind": error.kind.value,
                "operation": error.operation or None,
                "times": error.times,
                "last": _moment(error.last),
            }
            for error in diagnosis.errors
        ],
        "notes": list(diagnosis.notes),
    }


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")


def _since_last_change(facts: Facts) -> tuple[list[LoggedError], list[LoggedError]]:
    """Tell errors of what is deployed now from errors of what was deployed before."""
    changed = _changed(str(facts.configuration.get("LastModified", "")))
    lines = list(facts.log or ())
    now = (_of_whom(error, facts) for error in errors_in(line for line in lines if line.timestamp >= changed))
    return list(now), list(errors_in(line for line in lines if line.timestamp < changed))


def _of_whom(error: LoggedError, facts: Facts) -> LoggedError:
    """Tell what was denied to the function's role from what was denied to somebody else that its code acts as."""
    role = facts.role.name if facts.role is not None else ""
    is_anothers = error.kind is Kind.DENIED and error.principal and f"role/{role}/" not in error.principal
    return replace(error, kind=Kind.DENIED_TO_ANOTHER) if is_anothers else error


def _changed(moment: str) -> int:
    """Give Lambda's moment (`2026-11-25T19:58:20.335+0000`) in milliseconds since 1970, 0 if it is none."""
    try:
        return int(datetime.fromisoformat(moment).timestamp() * 1000)
    except ValueError:
        return 0


def _merged(causes: Iterable[Cause]) -> Iterator[Cause]:
    """Tell the same thing once: what has the same name, and is about the same action where it is about one.

    What a resource refuses is told once for each already.
    """
    found: dict[tuple[Slug, frozenset[str] | str], Cause] = {}
    for cause in causes:
        key = (cause.slug, cause.what if cause.subject or not cause.actions else cause.actions)
        known = found.get(key)
        if known is None:
            found[key] = cause
        else:
            found[key] = replace(
                known,
                likelihood=min(known.likelihood, cause.likelihood, key=LIKELIHOODS.index),
                evidence=tuple(dict.fromkeys([*known.evidence, *cause.evidence])),
                sources=tuple(dict.fromkeys([*known.sources, *cause.sources])),
            )
    yield from found.values()


def _with_log(cause: Cause, errors: Sequence[LoggedError]) -> Cause:
    """Make a cause certain if the log shows an error that it accounts for, and name that error."""
    shown = [error for error in errors if _accounts_for(cause, error)]
    if not shown:
        return cause
    lines = [
        f"log: {error.excerpt}{f' ({error.times} times)' if error.times > 1 else ''}, last at {_moment(error.last)}"
        for error in shown
    ]
    return replace(
        cause,
        likelihood=Likelihood.CERTAIN,
        evidence=(*cause.evidence, *lines),
        sources=tuple(dict.fromkeys([*cause.sources, "log"])),
    )


def _accounts_for(cause: Cause, error: LoggedError) -> bool:
    if error.kind not in cause.explains:
        return False
    if cause.services and error.service and not any(answers_for(error.service, one) for one in cause.services):
        return False
    if cause.subject and error.resource.startswith("arn:"):
        return cause.subject in {error.resource, store_of(error.resource)} and error.action.lower() in cause.actions
    return not cause.actions or not error.action or error.action.lower() in cause.actions


def _is_told_by(cause: Cause, error: LoggedError) -> bool:
    """Whether a resource's own policy, or its key's, is why a call was denied: the same error needs no other reason."""
    is_of_others = error.policy_type not in {"", "resource-based"} and not error.action.startswith("kms:")
    return bool(error.action) and not is_of_others and _accounts_for(cause, error)


def _ordered(causes: Iterable[Cause]) -> list[Cause]:
    return sorted(causes, key=lambda cause: (LIKELIHOODS.index(cause.likelihood), _SLUGS.index(cause.slug)))


def _unread(facts: Facts) -> Iterator[Doubt]:
    for unread in (*facts.unread, *facts.stores.unread):
        depends = next(words for beginning, words in _DEPENDS if unread.permission.startswith(beginning))
        yield Doubt(
            f"{depends}: {unread.what} could not be read ({unread.code}).",
            unread.permission if unread.is_denied else "",
        )
    runtime = str(facts.configuration.get("Runtime") or facts.configuration.get("PackageType") or "unknown")
    if facts.code is None and not any(not unread.permission for unread in facts.unread):
        yield Doubt(
            f"Who signs its calls: code for '{runtime}' is not judged, only Python that Lambda keeps as a package."
        )


def _unjudged(judgement: Judgement) -> Iterator[Doubt]:
    for problem in judgement.not_judged:
        yield Doubt(f"Who signs, and what is called, in a file that was not judged. {problem}")
    for call in judgement.unknown_calls:
        yield Doubt(f"Whether the role may do what is called at {call}.")


def _unexplained(causes: Sequence[Cause], errors: Sequence[LoggedError]) -> Iterator[Doubt]:
    for error in errors:
        if error.kind is not Kind.DENIED and not any(_accounts_for(cause, error) for cause in causes):
            yield Doubt(f"Why it failed with {error.code}: nothing that was read explains it. {error.excerpt}")


def _notes(facts: Facts, older: Sequence[LoggedError]) -> Iterator[str]:
    if facts.log is not None and not facts.log:
        yield f"Its log {facts.log_group} is empty: it has not run yet, or may not write there."
    if older:
        codes = ", ".join(dict.fromkeys(error.code for error in older))
        yield (
            f"The log shows {codes} from before the function was last changed ({facts.configuration.get('LastModified')}):"
            " it was not counted. Invoke the function to see whether it still fails."
        )
