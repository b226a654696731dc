"""Why a deployment that `cdk watch` announced says nothing more: when that is looked into, and what the facts amount to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from operator_cli.watching.cdk_output import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from operator_cli.watching.cdk_output import Progress

_GROWTH: Final = 2
"""How much longer it takes until a living silence is looked into again."""

_PATIENCE: Final[Mapping[Phase, float]] = {
    Phase.SYNTHESIS: 15,
    Phase.PREPARATION: 45,
    Phase.ASSETS: 900,
    Phase.DEPLOYMENT: 45,
    Phase.CHANGE_SET: 600,
    Phase.HOT_SWAP: 900,
}
"""Seconds of silence, phase by phase, after which it is worth a word although nothing was found: an upload, a change set
and a service that settles are silent for minutes, and alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """When a silence is looked into.

    Attributes:
        first: Seconds of silence after which it is looked into first.
        longest: At most so many seconds lie between two looks.
    """

    first: float = 15.0
    longest: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StackStatus:
    """What CloudFormation says of the stack that is being deployed.

    Attributes:
        name: Its name.
        status: As CloudFormation has it: `UPDATE_IN_PROGRESS`.
        reason: Why, if it says so.
    """

    name: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the supervisor's own check found.

    Attributes:
        session_problem: Why AWS does not accept the session now, with what to do; `None` if it does.
        children: How many processes the CLI has started that live: the app, a bundler.
        account: The session's account.
        accounts: The accounts that the synthesised stacks are for, as far as they say.
        stack: The stack that is being deployed, as CloudFormation has it; `None` if unknown or not there.
        bootstrap: Why the CDK's own bucket and roles cannot be used, with what to do; `None` if nothing speaks
            against them.
    """

    session_problem: tuple[str, str] | None = None
    children: int = 0
    account: str = ""
    accounts: frozenset[str] = frozenset()
    stack: StackStatus | None = None
    bootstrap: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Why a deployment is silent, for a person."""

    what: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The facts of one silence.

    Attributes:
        deployment: Which deployment was looked at.
        facts: What was found.
    """

    deployment: int
    facts: Facts


def reason(facts: Facts, phase: Phase, silent_for: float) -> Finding | None:
    """Give why a deployment is silent; `None` if it lives, or may.

    Args:
        facts: What the supervisor's own check found.
        phase: How far the deployment said it was.
        silent_for: Seconds since it was last heard of.
    """
    found = _certain(facts, phase) or (_uncertain(facts) if silent_for >= _PATIENCE.get(phase, 0) else None)
    if found is None:
        return None
    what, next_step = found
    return Finding(
        what=f"The deployment that cdk watch announced has said nothing for {silent_for:.0f} s: {what}",
        next_step=next_step,
    )


def _lives(facts: Facts) -> bool:
    return facts.children > 0 or (facts.stack is not None and facts.stack.status.endswith("_IN_PROGRESS"))


def _certain(facts: Facts, phase: Phase) -> tuple[str, str] | None:
    """Give what stops any deployment, and what to do about it."""
    if facts.session_problem is not None:
        return facts.session_problem
    if _lives(facts):
        return None
    if phase is Phase.SYNTHESIS:
        return (
            "the app ended without giving its stacks. Nothing was deployed.",
            "Its own words are above, if it had any; `cdk synth` shows them all. The next saved change tries again.",
        )
    foreign = facts.accounts - {facts.account}
    if foreign and facts.account:
        return (
            f"the stacks are for account {', '.join(sorted(foreign))}, the session is of {facts.account}.",
            "End this with Ctrl-C and start it with a session of that account, or give the app this one.",
        )
    return facts.bootstrap


def _uncertain(facts: Facts) -> tuple[str, str] | None:
    """Give what is likely once it has been silent for longer than its phase explains."""
    if _lives(facts):
        return None
    stack = facts.stack
    if stack is not None and ("FAILED" in stack.status or "ROLLBACK" in stack.status):
        because = f" ({stack.reason})" if stack.reason else ""
        return (
            f"the stack {stack.name} is {stack.status}{because}.",
            f"`cdk deploy {stack.name}` shows the error that cdk watch swallows.",
        )
    return (
        "cdk watch has probably swallowed an error. The session is good, and neither the app nor CloudFormation is at work.",
        f"`cdk deploy {stack.name if stack else '--all'}` shows the error. The next saved change tries again.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """How far the present silence is looked into.

    Attributes:
        deployment: Which deployment it is of.
        heard_at: When that was last heard of: whatever it says next begins a new silence.
        checking: Whether a check is under way.
        wait: Seconds between the last look and the next.
        due_at: When the next look is due.
        told: Whether the reason was told. Once is enough for one deployment.
    """

    deployment: int = 0
    heard_at: float = -1.0
    checking: bool = False
    wait: float = 0.0
    due_at: float = 0.0
    told: bool = False

    def step(
        self, progress: Progress, answer: Answer | None, now: float, quiet: Quiet
    ) -> tuple[Silence, Finding | None, bool]:
        """Give what to remember, what to tell the person if anything, and whether to look into it now.

        Args:
            progress: What the child has said.
            answer: What a check found that was asked for earlier, once.
            now: Seconds of the clock that `progress` is in.
            quiet: When silences are looked into.
        """
        silence = self
        if answer is not None:
            silence = replace(silence, checking=False)
        if progress.deployments != silence.deployment:
            silence = Silence(deployment=progress.deployments, checking=silence.checking)
        if progress.heard_at != silence.heard_at:
            silence = replace(
                silence, heard_at=progress.heard_at, wait=quiet.first, due_at=progress.heard_at + quiet.first
            )
        if not progress.is_open or silence.told:
            return silence, None, False
        if answer is not None and answer.deployment == progress.deployments and now >= silence.due_at:
            found = reason(answer.facts, progress.phase, now - progress.heard_at)
            if found is not None:
                return replace(silence, told=True), found, False
            wait = min(silence.wait * _GROWTH, quiet.longest)
            return replace(silence, wait=wait, due_at=now + wait), None, False
        if silence.checking or now < silence.due_at:
            return silence, None, False
        return replace(silence, checking=True), None, True
