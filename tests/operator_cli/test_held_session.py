"""A session is held: renewed in time, given up at its end, never exchanged for another account's."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_cli.aws import Keys
from operator_cli.watching.held_session import (
    ASK_AGAIN_SECONDS,
    RENEW_BEFORE_SECONDS,
    SETTLED_SECONDS,
    Fetched,
    Held,
    HeldSession,
    as_process_output,
    fetch_is_due,
)
from operator_cli.watching.supervision import Problem, Session

if TYPE_CHECKING:
    from collections.abc import Callable

NOW: Final = 1_800_000_000.0
ACCOUNT: Final = "123456789012"
PROBE_EVERY: Final = 30.0


def fetched(
    key: str = "ASIAFIRST",
    *,
    lasts: float | None = 900,
    refreshes: bool = True,
    account: str = ACCOUNT,
    environment: bool = False,
) -> Fetched:
    """Give what a source might give at `NOW`."""
    expires_at = None if lasts is None else NOW + lasts
    return Fetched(
        keys=Keys(
            access_key_id=key,
            secret_access_key="the-secret",
            session_token="the-token",
            expires_at=None if expires_at is None else datetime.fromtimestamp(expires_at, UTC),
        ),
        account=account,
        session=Session(
            principal=f"arn:aws:sts::{account}:assumed-role/dev/me",
            source="profile dev",
            refreshes=refreshes,
            expires_at=expires_at,
            from_environment=environment,
            renewal="Sign in again.",
        ),
    )


@dataclass
class World:
    """A source, a disk, AWS and a clock to hand in."""

    gives: Fetched | Problem | Callable[[], Fetched]
    now: float = NOW
    traces: object = "as it was"
    refused: Problem | None = None
    unwanted: Problem | None = None
    asked: list[bool] = field(default_factory=list)
    probed: int = 0

    def held(self) -> HeldSession:
        """Give a session that is held in this world, after its first look."""
        held = HeldSession(
            fetch=self.fetch,
            probe=self.probe,
            unwanted=lambda _: self.unwanted,
            traces=lambda: self.traces,
            clock=lambda: self.now,
            probe_every=PROBE_EVERY,
        )
        held.look()
        return held

    def fetch(self, with_environment: bool) -> Fetched | Problem:  # noqa: FBT001 - as it is called
        """Ask the source."""
        self.asked.append(with_environment)
        return self.gives() if callable(self.gives) else self.gives

    def probe(self, _: Fetched) -> Problem | None:
        """Ask AWS."""
        self.probed += 1
        return self.refused


def problem_of(held: HeldSession) -> Problem | None:
    """Give why there are no credentials, if there are none."""
    return held.session if isinstance(held.session, Problem) else None


def key_of(held: HeldSession) -> str:
    """Give the key id that the child would get."""
    return str(json.loads(held.answer())["AccessKeyId"])


def test_a_refreshing_session_is_renewed_before_it_ends() -> None:
    """The child never meets the end of a session."""
    world = World(fetched(lasts=900))
    held = world.held()
    world.gives = fetched("ASIASECOND", lasts=1800)
    world.now = NOW + 900 - RENEW_BEFORE_SECONDS - 1
    held.look()
    assert key_of(held) == "ASIAFIRST"
    world.now += 2
    held.look()
    assert key_of(held) == "ASIASECOND"
    assert len(world.asked) == 2


def test_a_session_of_seconds_is_renewed_half_way() -> None:
    """Whatever the lifetime, there is time for a second try."""
    world = World(fetched(lasts=20))
    held = world.held()
    world.gives = fetched("ASIASECOND", lasts=40)
    world.now += 11
    held.look()
    assert key_of(held) == "ASIASECOND"


def test_a_source_that_fails_ahead_of_time_has_until_the_end() -> None:
    """What is in hand is still good; that it could not be renewed is known."""
    world = World(fetched(lasts=900))
    held = world.held()
    world.gives = Problem(what="The SSO sign-in has expired.", next_step="Sign in.")
    world.now = NOW + 800
    held.look()
    assert held.session == Problem(what="The SSO sign-in has expired.", next_step="Sign in.", ended=False)
    assert key_of(held) == "ASIAFIRST"
    world.now = NOW + 901
    held.look()
    assert held.session == world.gives
    with pytest.raises(LookupError, match="The SSO sign-in has expired"):
        held.answer()


def test_a_network_that_is_away_at_the_end_is_the_end() -> None:
    """`Cannot tell` keeps nobody on credentials that are over."""
    world = World(fetched(lasts=900))
    held = world.held()
    world.gives = Problem(what="AWS could not be reached.", next_step="Look.", ended=False)
    world.now = NOW + 901
    held.look()
    problem = problem_of(held)
    assert problem is not None
    assert problem.ended


def test_new_credentials_after_a_problem_are_found_when_the_disk_changes() -> None:
    """Somebody has signed in, in another terminal; half-written files are waited for."""
    problem = Problem(what="There is no sign-in.", next_step="Sign in.")
    world = World(problem)
    held = world.held()
    world.gives, world.traces = fetched(), "signed in"
    world.now += 1
    held.look()
    assert held.session == problem
    world.now += SETTLED_SECONDS
    held.look()
    assert key_of(held) == "ASIAFIRST"


def test_new_keys_in_the_file_replace_the_old_ones_before_those_end() -> None:
    """`cdk watch` itself never reads a file again; here it gets the new keys the next time it asks."""
    world = World(fetched(lasts=None, refreshes=False))
    held = world.held()
    world.gives, world.traces = fetched("ASIASECOND", lasts=None, refreshes=False), "rewritten"
    held.look()
    world.now += SETTLED_SECONDS
    assert key_of(held) == "ASIASECOND"


def test_another_accounts_credentials_are_refused() -> None:
    """Nothing is ever deployed where the watch did not begin."""
    world = World(fetched(lasts=900))
    held = world.held()
    world.gives = fetched("ASIAOTHER", lasts=9000, account="999999999999")
    world.now = NOW + 901
    held.look()
    problem = problem_of(held)
    assert problem is not None
    assert "account 999999999999; this watch began in 123456789012" in problem.what
    with pytest.raises(LookupError):
        held.answer()


def test_credentials_that_it_would_not_have_begun_with_are_refused_later_too() -> None:
    """The root user's, for example, although the account is the same."""
    world = World(fetched(lasts=900))
    world.unwanted = Problem(what="The root user's.", next_step="Sign in as yourself.")
    held = world.held()
    assert problem_of(held) is None
    world.gives = fetched("ASIAOTHER", lasts=9000)
    world.now = NOW + 901
    held.look()
    assert problem_of(held) == Problem(what="The root user's.", next_step="Sign in as yourself.")


def test_a_session_that_does_not_say_when_it_ends_is_tried() -> None:
    """And given up when AWS refuses it."""
    world = World(fetched(lasts=None, refreshes=False))
    held = world.held()
    world.now += PROBE_EVERY - 1
    held.look()
    assert world.probed == 0
    world.now += 1
    held.look()
    assert world.probed == 1
    assert problem_of(held) is None
    world.refused = world.gives = Problem(what="AWS says that the session has expired.", next_step="Replace it.")
    world.now += PROBE_EVERY
    held.look()
    problem = problem_of(held)
    assert problem is not None
    assert problem.what == "AWS says that the session has expired."


def test_a_network_that_is_away_while_it_is_tried_ends_nothing() -> None:
    """Whether it is over cannot be told."""
    world = World(fetched(lasts=None, refreshes=False))
    held = world.held()
    world.refused = Problem(what="AWS could not be reached.", next_step="Look.", ended=False)
    world.now += PROBE_EVERY
    held.look()
    assert key_of(held) == "ASIAFIRST"


def test_exported_keys_that_ended_count_no_more_and_nothing_replaces_them_unasked() -> None:
    """Only what somebody has done since, in a file, makes it go on: never a session that happened to lie there."""
    world = World(fetched(lasts=60, refreshes=False, environment=True))
    held = world.held()
    world.gives = fetched("ASIAADMIN", lasts=9000)
    for _ in range(100):
        world.now += 1
        held.look()
    assert problem_of(held) is not None
    assert world.asked == [True]
    world.traces = "signed in"
    held.look()
    world.now += SETTLED_SECONDS
    held.look()
    assert world.asked == [True, False]
    assert key_of(held) == "ASIAADMIN"


def test_a_process_that_goes_on_giving_what_has_ended_is_named() -> None:
    """Some keep a cache."""
    world = World(fetched(lasts=-5))
    held = world.held()
    problem = problem_of(held)
    assert problem is not None
    assert problem.what == "profile dev gives credentials that have ended."


def test_the_child_is_told_when_the_session_ends_and_asks_again_before() -> None:
    """The whole protocol, with nothing added."""
    answer = json.loads(as_process_output(Held(fetched=fetched(lasts=900)), NOW))
    assert answer == {
        "Version": 1,
        "AccessKeyId": "ASIAFIRST",
        "SecretAccessKey": "the-secret",
        "SessionToken": "the-token",
        "AccountId": ACCOUNT,
        "Expiration": "2027-01-15T08:15:00.000+00:00",
    }


@given(lasts=st.one_of(st.none(), st.floats(min_value=-100, max_value=90000)), refreshes=st.booleans())
def test_no_answer_outlives_its_session(lasts: float | None, *, refreshes: bool) -> None:
    """Nor is one given after the end; what may be replaced is asked for anew each minute."""
    held = Held(fetched=fetched(lasts=lasts, refreshes=refreshes))
    if lasts is not None and NOW + lasts <= NOW:
        with pytest.raises(LookupError):
            as_process_output(held, NOW)
        return
    answer = json.loads(as_process_output(held, NOW))
    if "Expiration" not in answer:
        assert lasts is None
        assert refreshes
        return
    left = datetime.fromisoformat(answer["Expiration"]).timestamp() - NOW
    assert lasts is None or left <= lasts + 0.001
    assert refreshes or left <= ASK_AGAIN_SECONDS


@given(
    lasts=st.floats(min_value=1, max_value=90000),
    at=st.floats(min_value=0, max_value=1),
    waited=st.floats(min_value=0, max_value=60),
)
def test_a_source_is_never_asked_more_than_once_a_second(lasts: float, at: float, waited: float) -> None:
    """Nor before it is time."""
    now = NOW + lasts * at
    held = Held(fetched=fetched(lasts=lasts), fetched_at=NOW, tried_at=now - waited)
    if fetch_is_due(held, now, None):
        assert waited >= 0.999
        assert lasts * (1 - at) <= min(RENEW_BEFORE_SECONDS, lasts / 2) + 0.001


def test_nobody_waits_for_a_code_while_there_is_something_good_in_hand() -> None:
    """Until it is nearly over: then the new one is worth waiting for."""
    world = World(fetched(lasts=900))
    held = world.held()
    asking, typed = threading.Event(), threading.Event()

    def ask() -> Fetched:
        asking.set()
        assert typed.wait(20)
        return fetched("ASIASECOND", lasts=1800)

    world.gives = ask
    world.now = NOW + 700
    with ThreadPoolExecutor() as pool:
        renewing = pool.submit(held.look)
        assert asking.wait(20)
        assert pool.submit(key_of, held).result(5) == "ASIAFIRST"
        world.now = NOW + 899
        waiting = pool.submit(key_of, held)
        with pytest.raises(TimeoutError):
            waiting.result(0.2)
        typed.set()
        renewing.result(20)
        assert waiting.result(20) == "ASIASECOND"


def test_a_source_that_fails_in_any_way_is_survived() -> None:
    """Whoever keeps the session must not die of it."""
    world = World(fetched(lasts=900))
    held = world.held()

    def fail() -> Fetched:
        raise RuntimeError("with a secret in it")

    world.gives = fail
    world.now = NOW + 700
    held.look()
    problem = problem_of(held)
    assert problem is not None
    assert problem.what == "The source of the credentials could not be asked (RuntimeError)."
    assert not problem.ended
    assert key_of(held) == "ASIAFIRST"


def test_no_secret_is_in_what_is_shown_of_a_session() -> None:
    """Whoever logs one by mistake logs nothing."""
    shown = repr(fetched())
    assert "the-secret" not in shown
    assert "the-token" not in shown
    assert "ASIAFIRST" not in shown
