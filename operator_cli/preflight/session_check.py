"""Whether a session is good for what is about to be done: a judgement over gathered facts, without a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from operator_cli.answers import Failure
from operator_cli.credentials.kinds import Kind, Source, sign_in_command
from operator_cli.exit_status import ExitStatus
from operator_cli.moments import in_words, when
from operator_cli.preflight.credentials_check import long_lived, on_credentials
from operator_cli.preflight.finding import Finding, Verdict, unless
from operator_cli.preflight.place_check import on_bootstrap, on_place
from operator_cli.preflight.session_facts import ends_at, renews_itself

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operator_cli.answers import Caller
    from operator_cli.preflight.session_facts import SessionFacts
    from operator_cli.preflight.wanted import Wanted


SKEW_TOLD_SECONDS: Final = 60
SKEW_REFUSED_SECONDS: Final = 240
"""AWS refuses a signature that is five minutes off. https://docs.aws.amazon.com/IAM/latest/UserGuide/signing-elements.html"""


def judge(wanted: Wanted, facts: SessionFacts) -> tuple[Finding, ...]:
    """Answer every question that the operation raises, in the order in which a person would ask."""
    if not wanted.operation.needs_session:
        return (
            Finding(
                question="credentials",
                verdict=Verdict.GOOD,
                what=f"None are needed: {wanted.operation} asks AWS nothing.",
            ),
        )
    found = [*on_credentials(wanted, facts)]
    if facts.caller is not None and not isinstance(facts.caller, Failure):
        found += _identity(wanted, facts.caller, facts.resolution.winner)
        found += _lifetime(wanted, facts, facts.caller)
        place = list(on_place(wanted, facts, facts.caller))
        found += place
        # Elsewhere nobody looked, and it is not the trouble now.
        if not any(finding.verdict is Verdict.REFUSED for finding in place):
            found += on_bootstrap(wanted, facts, facts.caller)
    found += _clock(facts)
    found += _endpoints(facts)
    return tuple(found)


def _identity(wanted: Wanted, caller: Caller, winner: Source | None) -> Iterator[Finding]:
    yield Finding(
        question="identity", verdict=Verdict.GOOD, what=f"{caller.principal} in account {caller.account} ({caller.arn})"
    )
    if caller.is_root:
        yield unless(
            allowed=wanted.allow_root,
            question="root",
            what="This is the account's root user.",
            why="Nothing limits it, nothing it does can be told from the owner's own doing, and a leak costs the account.",
            next_step="Sign in as yourself (aws sso login, aws login as a user or role), or insist: --allow-root",
        )
    if not caller.temporary:
        yield long_lived(wanted, "" if caller.key_id == "…" else f" {caller.key_id}")
    yield _second_factor(caller, winner)


def _second_factor(caller: Caller, winner: Source | None) -> Finding:
    if winner is not None and winner.mfa_serial:
        return Finding(question="mfa", verdict=Verdict.GOOD, what=f"Asked for by the profile: {winner.mfa_serial}")
    if not caller.temporary:
        return Finding(question="mfa", verdict=Verdict.NOTE, what="None: a long-lived key asks for no second factor.")
    kind = winner.origin.kind if winner else None
    if kind in {Kind.SSO, Kind.LOGIN}:
        return Finding(
            question="mfa", verdict=Verdict.NOTE, what="Decided on the sign-in page; it cannot be seen from here."
        )
    if kind in {Kind.WEB_IDENTITY, Kind.CONTAINER, Kind.INSTANCE}:
        return Finding(question="mfa", verdict=Verdict.NOTE, what="None: a machine signs in here, not a person.")
    return Finding(
        question="mfa", verdict=Verdict.NOTE, what="It cannot be told: AWS does not say how a session began."
    )


def _lifetime(wanted: Wanted, facts: SessionFacts, caller: Caller) -> Iterator[Finding]:
    winner = facts.resolution.winner
    least = wanted.operation.least_minutes if wanted.min_minutes is None else wanted.min_minutes
    if not caller.temporary:
        yield Finding(question="lifetime", verdict=Verdict.NOTE, what="It never expires.")
        return
    end = ends_at(facts)
    renewing = renews_itself(facts)
    if end is None and renewing:
        now = f" Its present key ends in {in_words(caller.expires_at - facts.now)}." if caller.expires_at else ""
        yield Finding(question="lifetime", verdict=Verdict.GOOD, what=f"It renews itself.{now}")
        return
    again = (winner and sign_in_command(winner)) or "Ask your source for a new session, then try again."
    if end is None:
        yield Finding(
            question="lifetime",
            verdict=Verdict.CANNOT_TELL if wanted.min_minutes is None else Verdict.REFUSED,
            what="The session does not say when it ends, and it cannot renew itself.",
            why="It may end in the middle.",
            next_step='Use the profile itself, or export the expiry too: eval "$(aws configure export-credentials --format env)"',
            status=ExitStatus.GOOD if wanted.min_minutes is None else ExitStatus.EXPIRED,
        )
        return
    left = end - facts.now
    words = f"It ends at {when(end, facts.now)}, in {in_words(left)}" + (
        ", and renews itself until then." if renewing else "."
    )
    if left.total_seconds() < least * 60:
        yield Finding(
            question="lifetime",
            verdict=Verdict.REFUSED,
            what=f"{words} {wanted.operation} is given {least} minutes.",
            why="A deployment whose session ends in the middle stops reporting, and goes on or rolls back unseen.",
            next_step=again,
            status=ExitStatus.EXPIRED,
        )
        return
    yield Finding(question="lifetime", verdict=Verdict.GOOD, what=words)


def _clock(facts: SessionFacts) -> Iterator[Finding]:
    caller = facts.caller
    if caller is None or caller.server_time is None:
        return
    local = facts.now if isinstance(caller, Failure) else caller.local_time
    skew = (local - caller.server_time).total_seconds()
    if abs(skew) < SKEW_TOLD_SECONDS:
        yield Finding(question="clock", verdict=Verdict.GOOD, what="This machine's clock and AWS's agree")
        return
    refused = abs(skew) >= SKEW_REFUSED_SECONDS
    yield Finding(
        question="clock",
        verdict=Verdict.REFUSED if refused else Verdict.WARNING,
        what=f"This machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} AWS's.",
        why="AWS refuses requests that are five minutes off, with errors that look like a wrong key.",
        next_step="timedatectl set-ntp true (Linux), or switch on automatic time.",
        status=ExitStatus.REFUSED,
    )


def _endpoints(facts: SessionFacts) -> Iterator[Finding]:
    for name, address in facts.endpoints.items():
        yield Finding(
            question="endpoint",
            verdict=Verdict.WARNING,
            what=f"{name} sends requests to {address}, not to AWS.",
            why="What is checked and done here is checked and done there.",
            next_step=f"If that is not meant: unset {name}"
            if name.isupper()
            else "If that is not meant, remove that line.",
        )
