"""What is known of a session, and what follows from it: whether there is hope, when it ends, whether it renews itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from operator_cli.answers import Failure
from operator_cli.credentials.kinds import Key, Kind, Trouble
from operator_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from operator_cli.answers import Caller
    from operator_cli.credentials.kinds import Problem
    from operator_cli.credentials.sources import Resolution
    from operator_cli.preflight.cloud_assembly import Assembly, Bootstrap


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """What is known of a session.

    Attributes:
        now: This machine's clock.
        resolution: What boto3 takes, which is who was asked about.
        cdk_resolution: What the CDK command line takes.
        caller: Who it is, or why that is not known; `None` if nobody was asked.
        region: The region in force for the operation; `None` if there is none.
        assembly: What is to be deployed; `None` if there is no assembly.
        bootstrap: For each bootstrap that was looked at: its version, or why not.
        endpoints: Addresses that replace AWS's own, by what says so.
    """

    now: datetime
    resolution: Resolution
    cdk_resolution: Resolution
    caller: Caller | Failure | None = None
    region: str | None = None
    assembly: Assembly | None = None
    bootstrap: Mapping[Bootstrap, int | Failure] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)


HOPELESS: Final[Mapping[Trouble, ExitStatus]] = {
    Trouble.NOT_SIGNED_IN: ExitStatus.NO_CREDENTIALS,
    Trouble.TOKEN_MISSING: ExitStatus.NO_CREDENTIALS,
    Trouble.PROFILE_INCOMPLETE: ExitStatus.NO_CREDENTIALS,
    Trouble.KEY_UNREADABLE: ExitStatus.NO_CREDENTIALS,
    Trouble.SIGN_IN_EXPIRED: ExitStatus.EXPIRED,
    Trouble.EXPIRED: ExitStatus.EXPIRED,
}
"""Troubles of a winner that no call can do anything about, or not for long."""


def hopeless(resolution: Resolution) -> Problem | None:
    """Give what makes a call to AWS pointless, `None` if there is hope."""
    if resolution.winner is None:
        return resolution.stopped_by
    return next((problem for problem in resolution.winner.all_problems if problem.trouble in HOPELESS), None)


def ends_at(facts: SessionFacts) -> datetime | None:
    """Give the moment when the session ends and a person has to act; `None` if it renews itself or that is not known."""
    winner = facts.resolution.winner
    if winner is None or winner.key is Key.LONG_LIVED:
        return None
    if winner.refreshes:
        return winner.expires_at
    key_ends = None if facts.caller is None or isinstance(facts.caller, Failure) else facts.caller.expires_at
    # A process that names an Expiration is run again by the SDKs when it nears.
    if winner.origin.kind is Kind.PROCESS and winner.mfa_serial is None and key_ends is not None:
        return None
    return key_ends or winner.expires_at


def renews_itself(facts: SessionFacts) -> bool | None:
    """Whether the session gets new keys without a person; `None` if that cannot be told."""
    winner = facts.resolution.winner
    if winner is None:
        return False
    if winner.refreshes is None and facts.caller is not None and not isinstance(facts.caller, Failure):
        return facts.caller.expires_at is not None
    return winner.refreshes
