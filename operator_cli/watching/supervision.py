"""What the supervisor of `cdk watch` does next: a function of what it sees.

`decide` is the whole of it. It never lets two children run, never lets a child run on credentials that are known to
have ended, and always ends: an interrupt finishes it within the sum of the limits, whatever the child does.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from typing import Final, TypeAlias

from operator_cli.moments import in_words
from operator_cli.watching.cdk_output import Progress
from operator_cli.watching.silence import Answer, Quiet, Silence

SIGNAL_STATUS: Final = 128
"""What a shell adds to a signal's number to make the exit status of what it ended."""

LEFTOVER_STATUS: Final = 1
"""The exit status when a process of the child's could not be ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Credentials that AWS accepted when they were last tried.

    Attributes:
        principal: The ARN that AWS knows them by.
        source: Where they come from, in words.
        refreshes: Whether the source gives new ones by itself when these end.
        temporary: Whether they end at all.
        expires_at: When they end, in seconds since 1970; `None` if the source does not say.
        person_by: When a refreshing source needs a person again, in seconds since 1970; `None` if that is not known.
        from_environment: Whether they are exported variables, which a running process cannot be given anew.
        renewal: How a person gets new ones.
    """

    principal: str
    source: str
    refreshes: bool
    temporary: bool = True
    expires_at: float | None = None
    person_by: float | None = None
    from_environment: bool = False
    renewal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why there are no credentials to work with.

    Attributes:
        what: What is wrong.
        next_step: What a person can do about it.
        ended: Whether the credentials in hand are over. Where that cannot be told (no network), they are not.
    """

    what: str
    next_step: str
    ended: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """The process group of one `cdk watch`.

    Attributes:
        status: The exit status of the CLI itself; `None` while it runs.
        leaves_nothing: Whether no process of its group lives any more.
    """

    status: int | None = None
    leaves_nothing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known at one moment.

    Attributes:
        now: Seconds since 1970. It may jump: a machine sleeps, a clock is set.
        uptime: Seconds that only go forward.
        session: The credentials in hand, or why there are none.
        child: What was started last; `None` before the first and after one that left nothing was seen off.
        progress: What the child has said.
        answer: What the check of a silence found, once.
        interrupts: How many interrupts were received so far.
        interrupt: The last one's signal number.
    """

    now: float
    uptime: float
    session: Session | Problem
    child: Child | None = None
    progress: Progress = field(default_factory=Progress)
    answer: Answer | None = None
    interrupts: int = 0
    interrupt: int = signal.SIGINT


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long things may take, in seconds.

    Attributes:
        stages: The signals that end a child, in order, each with the time that it is given.
        refresh: How long after their end a refreshing source may take to give new credentials.
        warn_before: When it is said, before the end of a session that does not refresh, that it is near.
        quiet: How silences are watched.
    """

    stages: tuple[tuple[int, float], ...] = ((signal.SIGINT, 6.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, 2.0))
    refresh: float = 15.0
    warn_before: tuple[float, ...] = (600.0, 300.0, 60.0)
    quiet: Quiet = field(default_factory=Quiet)


class Weight(Enum):
    """How loudly something is said."""

    NOTE = "note"
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Start:
    """Start `cdk watch`."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a signal to every process of the child's group."""

    number: int


@dataclass(frozen=True, slots=True)
class Say:
    """Tell the person."""

    weight: Weight
    what: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Find out why the open deployment is silent, and hand the answer in."""


@dataclass(frozen=True, slots=True)
class Finish:
    """End the supervisor."""

    status: int


Action: TypeAlias = Start | Send | Say | Check | Finish


class Mode(Enum):
    """What the supervisor is at."""

    WAITING = "no child runs: there are no credentials for it"
    RUNNING = "a child runs"
    STOPPING = "a child is being ended"
    FINISHED = "nothing is left to do"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the supervisor remembers.

    Attributes:
        mode: What it is at.
        stage: Which of the signals that end a child was sent last.
        until: The uptime at which the next one is due.
        status: The exit status to finish with once the child is gone; `None` to wait for credentials instead.
        interrupts: How many interrupts it has acted upon.
        overdue_since: The uptime at which a refreshing session was first seen past its end; `None` if it is not.
        warned: The nearest end, in seconds before it, that was warned of.
        told: The problem that was told last.
        principal: Whom the last child ran as.
        silence: How far the present silence is looked into.
    """

    mode: Mode = Mode.WAITING
    stage: int = 0
    until: float = 0.0
    status: int | None = None
    interrupts: int = 0
    overdue_since: float | None = None
    warned: float | None = None
    told: str = ""
    principal: str = ""
    silence: Silence = field(default_factory=Silence)


def decide(state: State, seen: Seen, limits: Limits) -> tuple[State, tuple[Action, ...]]:
    """Give what to do now, and what to remember.

    Args:
        state: What was remembered last time; a new `State` at first.
        seen: What is known now.
        limits: How long things may take.
    """
    if state.mode is Mode.FINISHED:
        return state, ()
    if seen.interrupts > state.interrupts:
        return _interrupted(replace(state, interrupts=seen.interrupts), seen, limits)
    match state.mode:
        case Mode.RUNNING:
            return _run(state, seen, limits)
        case Mode.STOPPING:
            return _stop(state, seen, limits)
        case _:
            return _wait(state, seen, limits)


def has_ended(session: Session | Problem, now: float) -> bool:
    """Whether credentials are known to be over.

    Args:
        session: The credentials in hand, or why there are none.
        now: Seconds since 1970.
    """
    if isinstance(session, Problem):
        return session.ended
    return session.expires_at is not None and now >= session.expires_at


def _interrupted(state: State, seen: Seen, limits: Limits) -> tuple[State, tuple[Action, ...]]:
    """Finish; the sooner, the more often it is asked for."""
    status = SIGNAL_STATUS + seen.interrupt
    if seen.child is None:
        return _finish(state, status)
    if state.mode is Mode.STOPPING and state.status is not None:
        return _stop(replace(state, until=seen.uptime), seen, limits)
    if state.mode is Mode.STOPPING:
        return _stop(replace(state, status=status), seen, limits)
    return _begin_stop(state, seen, limits, status=status)


def _wait(state: State, seen: Seen, limits: Limits) -> tuple[State, tuple[Action, ...]]:
    """Start a child as soon as there are credentials for it."""
    session = seen.session
    if isinstance(session, Problem):
        if session.what == state.told:
            return state, ()
        return replace(state, told=session.what), (Say(Weight.WARNING, session.what, session.next_step),)
    if has_ended(session, seen.now):
        return state, ()
    started = replace(state, mode=Mode.RUNNING, told="", warned=None, silence=Silence(), principal=session.principal)
    resumed: tuple[Say, ...] = ()
    if state.told and _role(session.principal) == _role(state.principal):
        resumed = (Say(Weight.NOTE, f"There are new credentials ({session.source}): cdk watch goes on."),)
    elif state.told:
        what = f"There are new credentials, of another principal ({session.source}): cdk watch goes on as {session.principal}."
        resumed = (Say(Weight.WARNING, what, f"Ctrl-C if that is not meant; it was {state.principal}."),)
    state, words = _warn(started, session, seen.now, limits, first=True)
    return state, (*resumed, *words, Start())


def _run(state: State, seen: Seen, limits: Limits) -> tuple[State, tuple[Action, ...]]:
    """Look after a child that runs."""
    child = seen.child
    if child is None:
        # It was to be started, and nothing was: there is nobody to look after.
        return _finish(state, LEFTOVER_STATUS)
    if child.status is not None:
        if child.leaves_nothing:
            return _finish(state, child.status)
        return _begin_stop(state, seen, limits, status=child.status)
    session = seen.session
    state = _timed(state, seen)
    if has_ended(session, seen.now) and not _may_still_refresh(state, seen, limits):
        what, next_step = _end_of(session)
        alarm = Say(
            Weight.ALARM,
            f"{what} cdk watch is being stopped: nothing is deployed until there are new credentials.",
            f"{next_step} This goes on by itself then; Ctrl-C ends it.",
        )
        state, stop = _begin_stop(replace(state, told=what), seen, limits, status=None)
        return state, (alarm, *stop)
    words: tuple[Say, ...] = ()
    if isinstance(session, Session):
        state, words = _warn(replace(state, told=""), session, seen.now, limits, first=False)
    elif session.what != state.told:
        state, words = (
            replace(state, told=session.what),
            (Say(Weight.WARNING, session.what, session.next_step),),
        )
    silence, finding, check = state.silence.step(seen.progress, seen.answer, seen.uptime, limits.quiet)
    if finding is not None:
        words = (*words, Say(Weight.ALARM, finding.what, finding.next_step))
    return replace(state, silence=silence), (*words, *((Check(),) if check else ()))


def _stop(state: State, seen: Seen, limits: Limits) -> tuple[State, tuple[Action, ...]]:
    """End a child, ever less politely."""
    if seen.child is None or (seen.child.status is not None and seen.child.leaves_nothing):
        if state.status is not None:
            return _finish(state, state.status)
        return replace(state, mode=Mode.WAITING), ()
    if seen.uptime < state.until:
        return state, ()
    stage = state.stage + 1
    if stage < len(limits.stages):
        number, patience = limits.stages[stage]
        return replace(state, stage=stage, until=seen.uptime + patience), (Send(number),)
    leftover = Say(
        Weight.ALARM,
        "A process that cdk watch started does not end, although it was killed.",
        "Look for it with `ps`; the system ends it when what it waits for (a disk, a network mount) answers.",
    )
    state, finish = _finish(state, state.status if state.status is not None else LEFTOVER_STATUS)
    return state, (leftover, *finish)


def _begin_stop(state: State, seen: Seen, limits: Limits, *, status: int | None) -> tuple[State, tuple[Action, ...]]:
    number, patience = limits.stages[0]
    state = replace(state, mode=Mode.STOPPING, stage=0, until=seen.uptime + patience, status=status)
    return state, (Send(number),)


def _finish(state: State, status: int) -> tuple[State, tuple[Action, ...]]:
    return replace(state, mode=Mode.FINISHED), (Finish(status),)


def _warn(state: State, session: Session, now: float, limits: Limits, *, first: bool) -> tuple[State, tuple[Say, ...]]:
    """Say how long a session will last: at the start if nothing renews it, and when little is left before a person must act."""
    if not session.temporary:
        return replace(state, warned=None), ()
    deadline = session.person_by if session.refreshes else session.expires_at
    if deadline is None:
        unknown = Say(
            Weight.WARNING,
            f"The session ({session.source}) is temporary, cannot renew itself and does not say when it ends.",
            f"It is tried regularly, and cdk watch stops when it has ended. To renew it: {session.renewal}",
        )
        return state, (unknown,) if first and not session.refreshes else ()
    left = deadline - now
    nearest = min((threshold for threshold in limits.warn_before if left <= threshold), default=None)
    if nearest is None:
        # A longer session in its place is worth a new warning when its own end comes.
        state = replace(state, warned=None)
        if not first or session.refreshes:
            return state, ()
    elif state.warned is not None and state.warned <= nearest:
        return state, ()
    to_go = in_words(timedelta(seconds=round(left)))
    if session.refreshes:
        ends = Say(
            Weight.WARNING,
            f"The sign-in that the session rests on ({session.source}) ends in {to_go}.",
            f"cdk watch stops when it can no longer be renewed. To renew it: {session.renewal}",
        )
    else:
        ends = Say(
            Weight.WARNING,
            f"The session ({session.source}) cannot renew itself and ends in {to_go}.",
            f"cdk watch stops then and waits for new credentials. To renew it: {session.renewal}",
        )
    return replace(state, warned=nearest), (ends,)


def _role(principal: str) -> str:
    """Give a principal without the name of its session, which differs each time."""
    return principal.rpartition("/")[0] if ":assumed-role/" in principal else principal


def _timed(state: State, seen: Seen) -> State:
    """Note since when a session is past its end, by the clock that does not jump: the machine may have slept."""
    over = isinstance(seen.session, Session) and has_ended(seen.session, seen.now)
    since = seen.uptime if state.overdue_since is None else state.overdue_since
    return replace(state, overdue_since=since if over else None)


def _may_still_refresh(state: State, seen: Seen, limits: Limits) -> bool:
    """Whether the source of a session that is past its end gets a moment to give a new one. The old one is given to nobody."""
    refreshes = isinstance(seen.session, Session) and seen.session.refreshes
    return refreshes and state.overdue_since is not None and seen.uptime - state.overdue_since < limits.refresh


def _end_of(session: Session | Problem) -> tuple[str, str]:
    """Say that the credentials have ended, and how to get new ones."""
    if isinstance(session, Problem):
        return session.what, session.next_step
    return f"The session ({session.source}) has ended.", session.renewal
