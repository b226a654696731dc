"""The supervisor of `cdk watch`, modelled: whatever happens in whatever order, its promises hold."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from operator_cli.watching.cdk_output import Phase, Progress
from operator_cli.watching.silence import Answer, Facts
from operator_cli.watching.supervision import (
    LEFTOVER_STATUS,
    Action,
    Check,
    Child,
    Finish,
    Limits,
    Mode,
    Problem,
    Say,
    Seen,
    Send,
    Session,
    Start,
    State,
    Weight,
    decide,
    has_ended,
)

NOW: Final = 1_800_000_000.0
LIMITS: Final = Limits()
LONGEST_STOP: Final = sum(patience for _, patience in LIMITS.stages)
ENDED: Final = Problem(what="The session has expired.", next_step="Run `aws sso login`.")
NO_NETWORK: Final = Problem(what="AWS does not answer.", next_step="Look at the network.", ended=False)


def exported(expires_in: float | None) -> Session:
    """Give a session that ends and does not refresh."""
    return Session(
        principal="arn:aws:sts::123456789012:assumed-role/dev/me",
        source="exported keys",
        refreshes=False,
        expires_at=None if expires_in is None else NOW + expires_in,
        renewal="Export new ones.",
    )


def assumed(expires_in: float) -> Session:
    """Give a session whose source refreshes it."""
    return Session(
        principal="arn:aws:sts::123456789012:assumed-role/dev/me",
        source="profile dev (role)",
        refreshes=True,
        expires_at=NOW + expires_in,
        renewal="Log in again.",
    )


class Supervised(RuleBasedStateMachine):
    """A world in which children, sessions and people do what they like, and the supervisor is asked after each event."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.uptime = 100.0
        self.now = NOW
        self.session: Session | Problem = exported(3600)
        self.child: Child | None = None
        self.obeys = signal.SIGINT
        self.interrupts = 0
        self.finished: int | None = None
        self.over_since = 0.0
        self.was_over = False
        self.ask()

    def ask(self) -> None:
        """Ask the supervisor, and do what it says."""
        over = isinstance(self.session, Session) and has_ended(self.session, self.now)
        if not over or not self.was_over:
            self.over_since = self.uptime
        self.was_over = over
        seen = Seen(
            now=self.now, uptime=self.uptime, session=self.session, child=self.child, interrupts=self.interrupts
        )
        self.state, actions = decide(self.state, seen, LIMITS)
        for action in actions:
            self.do(action)
        if self.child is not None and self.child.leaves_nothing and self.state.mode is Mode.WAITING:
            self.child = None

    def do(self, action: Action) -> None:
        """Do one thing, and check that it was allowed."""
        assert self.finished is None, "something was done after the end"
        match action:
            case Start():
                assert self.child is None, "two children"
                assert not has_ended(self.session, self.now), "a child on credentials that have ended"
                self.child = Child()
            case Send(number):
                assert self.child is not None
                order = [stage for stage, _ in LIMITS.stages]
                if order.index(number) >= order.index(self.obeys):
                    self.child = Child(status=self.child.status or 128 + number, leaves_nothing=True)
            case Finish(status):
                self.finished = status
            case Say(what=what):
                assert what
            case Check():
                pytest.fail("nothing was silent")

    @rule(seconds=st.floats(min_value=0.01, max_value=4000))
    def time_passes(self, seconds: float) -> None:
        """Both clocks go on."""
        self.now += seconds
        self.uptime += seconds
        self.ask()

    @rule(seconds=st.floats(min_value=-4000, max_value=90000))
    def the_clock_is_set(self, seconds: float) -> None:
        """The wall clock jumps: it is set, or the machine slept."""
        self.now += seconds
        self.ask()

    @rule(left=st.one_of(st.none(), st.floats(min_value=-10, max_value=5000)), refreshes=st.booleans())
    def there_are_credentials(self, left: float | None, *, refreshes: bool) -> None:
        """The source gives a session, perhaps one that is over already."""
        self.session = Session(
            principal="arn:aws:sts::123456789012:assumed-role/dev/me",
            source="profile dev",
            refreshes=refreshes,
            expires_at=None if left is None else self.now + left,
            renewal="Log in again.",
        )
        self.ask()

    @rule(problem=st.sampled_from([ENDED, NO_NETWORK]))
    def there_are_none(self, problem: Problem) -> None:
        """The source gives nothing."""
        self.session = problem
        self.ask()

    @precondition(lambda self: self.child is not None and self.child.status is None)
    @rule(status=st.integers(min_value=0, max_value=255), leaves_nothing=st.booleans())
    def the_child_ends(self, status: int, *, leaves_nothing: bool) -> None:
        """The CLI ends by itself, perhaps leaving a process of the app behind."""
        self.child = Child(status=status, leaves_nothing=leaves_nothing)
        self.ask()

    @rule(obeys=st.sampled_from([signal.SIGINT, signal.SIGTERM, signal.SIGKILL]))
    def the_child_obeys(self, obeys: signal.Signals) -> None:
        """From now on nothing less than this ends the child."""
        self.obeys = obeys

    @rule()
    def a_person_interrupts(self) -> None:
        """Ctrl-C, once more."""
        self.interrupts += 1
        self.ask()

    @invariant()
    def no_child_runs_on_ended_credentials(self) -> None:
        """Whatever is known to have ended, its child is being ended too."""
        if self.state.mode is Mode.RUNNING and has_ended(self.session, self.now):
            assert isinstance(self.session, Session)
            assert self.session.refreshes
            assert self.uptime - self.over_since < LIMITS.refresh

    @invariant()
    def nobody_is_left_behind(self) -> None:
        """The end comes after the child's."""
        if self.finished is not None:
            assert self.child is None or self.child.leaves_nothing

    @invariant()
    def credentials_and_nothing_else_are_waited_for(self) -> None:
        """It goes on as soon as there are new ones."""
        if self.state.mode is Mode.WAITING:
            assert has_ended(self.session, self.now) or isinstance(self.session, Problem) or self.child is None

    def teardown(self) -> None:
        """One interrupt ends everything within the limits, whatever the child does."""
        self.interrupts += 1
        self.ask()
        begin = self.uptime
        while self.finished is None:
            assert self.uptime - begin <= LONGEST_STOP, "it does not end"
            self.uptime += 0.5
            self.ask()


TestSupervised = Supervised.TestCase
TestSupervised.settings = settings(max_examples=200, stateful_step_count=30)


def run(*sights: Seen, limits: Limits = LIMITS) -> tuple[State, list[tuple[Action, ...]]]:
    """Give what the supervisor does at each of these moments."""
    state, done = State(), []
    for seen in sights:
        state, actions = decide(state, seen, limits)
        done.append(actions)
    return state, done


def seen(session: Session | Problem, child: Child | None = None, *, after: float = 0, **more: object) -> Seen:
    """Give a moment, so many seconds after the start."""
    return Seen(now=NOW + after, uptime=after, session=session, child=child, **more)  # type: ignore[arg-type]


def words(actions: tuple[Action, ...]) -> list[str]:
    """Give what is said."""
    return [action.what for action in actions if isinstance(action, Say)]


def test_a_session_that_cannot_renew_itself_is_announced_with_the_time_left() -> None:
    """At the start, before anything is deployed."""
    _, [actions] = run(seen(exported(42 * 60)))
    assert words(actions) == ["The session (exported keys) cannot renew itself and ends in 42 min."]
    assert actions[-1] == Start()


def test_a_session_that_renews_itself_needs_no_word() -> None:
    """Nobody has to do anything."""
    _, [actions] = run(seen(assumed(900)))
    assert actions == (Start(),)


def test_keys_that_never_end_need_no_word() -> None:
    """There is no end to warn of."""
    forever = Session(
        principal="arn:aws:iam::1:user/me", source="profile", refreshes=False, temporary=False, renewal=""
    )
    _, done = run(seen(forever), seen(forever, Child(), after=90000))
    assert done == [(Start(),), ()]


def test_a_session_that_does_not_say_when_it_ends_is_announced_as_such() -> None:
    """`Cannot tell` is said, once."""
    _, done = run(seen(exported(None)), seen(exported(None), Child(), after=10))
    assert words(done[0]) == [
        "The session (exported keys) is temporary, cannot renew itself and does not say when it ends."
    ]
    assert done[1] == ()


def test_it_warns_again_when_little_is_left_once_for_each_threshold() -> None:
    """Ten minutes, five minutes, one minute; not every second."""
    session = exported(1200)
    moments = [0, 300, 601, 602, 700, 901, 902, 1141, 1142]
    _, done = run(*(seen(session, None if not after else Child(), after=after) for after in moments))
    assert [bool(words(actions)) for actions in done] == [True, False, True, False, False, True, False, True, False]


def test_a_longer_session_in_its_place_is_warned_of_anew() -> None:
    """The old warning was about another end."""
    old, new = exported(650), exported(4000)
    _, done = run(
        seen(old), seen(old, Child(), after=100), seen(new, Child(), after=200), seen(new, Child(), after=3450)
    )
    assert [len(words(actions)) for actions in done] == [1, 1, 0, 1]


def test_at_expiry_it_says_so_stops_the_child_waits_and_goes_on() -> None:
    """Loudly; with SIGINT first; and by itself as soon as there are new credentials."""
    old = exported(60)
    gone = Child(status=130, leaves_nothing=True)
    state, done = run(
        seen(old),
        seen(old, Child(), after=59),
        seen(old, Child(), after=60),
        seen(old, gone, after=61),
        seen(ENDED, None, after=62),
        seen(ENDED, None, after=63),
        seen(exported(3600), None, after=64),
    )
    assert done[1] == ()
    (alarm, stop) = done[2]
    assert isinstance(alarm, Say)
    assert alarm.weight is Weight.ALARM
    assert alarm.what.startswith("The session (exported keys) has ended. cdk watch is being stopped")
    assert alarm.next_step.startswith("Export new ones.")
    assert stop == Send(signal.SIGINT)
    assert done[3] == ()
    assert words(done[4]) == ["The session has expired."]
    assert done[5] == ()
    assert words(done[6])[0] == "There are new credentials (exported keys): cdk watch goes on."
    assert done[6][-1] == Start()
    assert state.mode is Mode.RUNNING


def test_another_principal_is_no_silent_change() -> None:
    """Of the same account, or it would not come this far: who acts now is said, and who acted before."""
    old, gone = exported(60), Child(status=130, leaves_nothing=True)
    other = replace(exported(3600), principal="arn:aws:iam::123456789012:user/admin")
    _, done = run(seen(old), seen(old, Child(), after=60), seen(old, gone, after=61), seen(other, None, after=64))
    (warning, *_) = done[3]
    assert isinstance(warning, Say)
    assert warning.weight is Weight.WARNING
    assert "goes on as arn:aws:iam::123456789012:user/admin" in warning.what
    assert "assumed-role/dev/me" in warning.next_step


def test_a_sign_in_that_ends_is_announced_before_it_does() -> None:
    """A session that renews itself still rests on something that a person renews."""
    session = replace(assumed(90000), person_by=NOW + 1000)
    _, done = run(seen(session), seen(session, Child(), after=300), seen(session, Child(), after=450))
    assert words(done[0]) == words(done[1]) == []
    assert words(done[2]) == ["The sign-in that the session rests on (profile dev (role)) ends in 9 min."]


def test_a_refreshing_source_is_given_a_moment_after_the_end_of_what_it_gave() -> None:
    """Some sources give new credentials only when the old ones are over."""
    old = assumed(60)
    _, done = run(seen(old), seen(old, Child(), after=70), seen(assumed(120), Child(), after=71))
    assert done[1:] == [(), ()]
    late = 70 + LIMITS.refresh
    _, done = run(seen(old), seen(old, Child(), after=70), seen(old, Child(), after=late))
    assert done[2][-1] == Send(signal.SIGINT)


def test_a_machine_that_slept_past_the_end_gives_its_source_the_same_moment() -> None:
    """The clock has jumped by hours, and nobody has failed to refresh yet."""
    old = assumed(3600)
    woken = replace(seen(old, Child(), after=10), now=NOW + 30000)
    _, done = run(seen(old), woken)
    assert done[1] == ()


def test_a_network_that_is_away_is_said_once_and_ends_nothing() -> None:
    """Whether the session is over cannot be told."""
    session = assumed(600)
    _, done = run(
        seen(session),
        seen(NO_NETWORK, Child(), after=10),
        seen(NO_NETWORK, Child(), after=11),
        seen(session, Child(), after=12),
    )
    assert words(done[1]) == ["AWS does not answer."]
    assert done[2:] == [(), ()]


def test_the_childs_exit_status_is_passed_on() -> None:
    """Wrong arguments, for example."""
    session = assumed(600)
    _, done = run(seen(session), seen(session, Child(status=2, leaves_nothing=True), after=1))
    assert done[1] == (Finish(2),)


def test_what_the_child_leaves_behind_is_ended_before_its_status_is_passed_on() -> None:
    """An app that outlives its CLI."""
    session = assumed(600)
    _, done = run(
        seen(session),
        seen(session, Child(status=7), after=1),
        seen(session, Child(status=7, leaves_nothing=True), after=2),
    )
    assert done[1:] == [(Send(signal.SIGINT),), (Finish(7),)]


def test_a_second_interrupt_does_not_wait_for_the_first() -> None:
    """Whoever presses Ctrl-C twice means it."""
    session = assumed(600)
    _, done = run(
        seen(session),
        seen(session, Child(), after=1, interrupts=1),
        seen(session, Child(), after=1.1, interrupts=2),
        seen(session, Child(), after=1.2, interrupts=3),
    )
    assert [actions[-1] for actions in done[1:]] == [Send(signal.SIGINT), Send(signal.SIGTERM), Send(signal.SIGKILL)]


def test_a_process_that_cannot_be_killed_is_named_and_not_waited_for() -> None:
    """It ends, and its status says that something is left."""
    old = exported(60)
    at = [60.0]
    for _, patience in LIMITS.stages:
        at.append(at[-1] + patience + 0.1)
    _, done = run(seen(old), *(seen(old, Child(), after=after) for after in at))
    assert words(done[-1]) == ["A process that cdk watch started does not end, although it was killed."]
    assert done[-1][-1] == Finish(LEFTOVER_STATUS)


def test_a_deployment_that_never_reports_is_looked_into_and_named_once() -> None:
    """The silence of `cdk watch` is broken with the reason that the check found."""
    session = assumed(6000)
    progress = Progress(deployments=1, phase=Phase.DEPLOYMENT, stack="Api", heard_at=10)
    answer = Answer(deployment=1, facts=Facts(session_problem=("AWS refuses the session.", "Log in again.")))
    _, done = run(
        seen(session),
        seen(session, Child(), after=20, progress=progress),
        seen(session, Child(), after=25, progress=progress),
        seen(session, Child(), after=26, progress=progress),
        seen(session, Child(), after=27, progress=progress, answer=answer),
        seen(session, Child(), after=300, progress=progress),
    )
    assert done[1] == ()
    assert done[2] == (Check(),)
    assert done[3] == ()
    assert words(done[4]) == [
        "The deployment that cdk watch announced has said nothing for 17 s: AWS refuses the session."
    ]
    assert done[5] == ()
