"""A silent deployment is named with its reason, and a living one is left alone."""

from __future__ import annotations

import itertools
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_cli.watching.cdk_output import Phase, Progress
from operator_cli.watching.silence import Answer, Facts, Quiet, Silence, StackStatus, reason

ACCOUNT: Final = "123456789012"
QUIET: Final = Quiet(first=15, longest=120)
LONG: Final = 3600.0
OPEN: Final = [phase for phase in Phase if phase is not Phase.IDLE]


def stack(status: str, why: str = "") -> StackStatus:
    """Give a stack as CloudFormation describes it."""
    return StackStatus(name="Api", status=status, reason=why)


@pytest.mark.parametrize("phase", OPEN)
@pytest.mark.parametrize(
    "facts", [Facts(children=1), Facts(stack=stack("UPDATE_IN_PROGRESS")), Facts(stack=stack("REVIEW_IN_PROGRESS"))]
)
def test_a_slow_deployment_that_lives_is_no_alarm(facts: Facts, phase: Phase) -> None:
    """However long it takes: the app runs, or CloudFormation works."""
    assert reason(facts, phase, LONG) is None


@pytest.mark.parametrize("phase", [Phase.ASSETS, Phase.CHANGE_SET, Phase.HOT_SWAP])
def test_what_is_silent_by_nature_gets_minutes(phase: Phase) -> None:
    """A large upload, a large change set, a service that settles."""
    assert reason(Facts(account=ACCOUNT), phase, 300) is None
    assert reason(Facts(account=ACCOUNT), phase, LONG) is not None


@pytest.mark.parametrize("phase", OPEN)
def test_a_session_that_aws_refuses_is_the_reason_before_any_other(phase: Phase) -> None:
    """Nothing works without it."""
    found = reason(Facts(session_problem=("AWS says ExpiredToken.", "Log in."), children=1), phase, 16)
    assert found is not None
    assert found.what.endswith("has said nothing for 16 s: AWS says ExpiredToken.")
    assert found.next_step == "Log in."


def test_an_app_that_gave_no_stacks_is_named() -> None:
    """`cdk watch` prints the app's words, and not that this was the end of it."""
    found = reason(Facts(account=ACCOUNT), Phase.SYNTHESIS, 16)
    assert found is not None
    assert "the app ended without giving its stacks" in found.what
    assert "cdk synth" in found.next_step


def test_stacks_of_another_account_are_named_with_both() -> None:
    """The two numbers are what the person has to compare."""
    found = reason(Facts(account=ACCOUNT, accounts=frozenset({"999999999999", ACCOUNT})), Phase.DEPLOYMENT, 16)
    assert found is not None
    assert "for account 999999999999, the session is of 123456789012" in found.what


def test_a_bootstrap_that_is_missing_is_named() -> None:
    """With what the check said."""
    found = reason(Facts(account=ACCOUNT, bootstrap=("no bootstrap.", "Run `cdk bootstrap`.")), Phase.PREPARATION, 16)
    assert found is not None
    assert found.next_step == "Run `cdk bootstrap`."


def test_a_stack_that_failed_is_named_with_its_reason_once_time_has_passed() -> None:
    """Its state may be an older deployment's, so the first seconds prove nothing."""
    facts = Facts(account=ACCOUNT, stack=stack("UPDATE_ROLLBACK_COMPLETE", "Fn: no such attribute"))
    assert reason(facts, Phase.DEPLOYMENT, 16) is None
    found = reason(facts, Phase.DEPLOYMENT, 60)
    assert found is not None
    assert "the stack Api is UPDATE_ROLLBACK_COMPLETE (Fn: no such attribute)" in found.what
    assert found.next_step == "`cdk deploy Api` shows the error that cdk watch swallows."


def test_where_nothing_is_found_it_says_that_it_cannot_tell() -> None:
    """And how to find out."""
    found = reason(Facts(account=ACCOUNT, stack=stack("UPDATE_COMPLETE")), Phase.DEPLOYMENT, 60)
    assert found is not None
    assert "has probably swallowed an error" in found.what
    assert found.next_step.startswith("`cdk deploy Api` shows the error")


def test_a_living_silence_is_looked_into_ever_more_rarely() -> None:
    """The calls are the person's own."""
    silence, looks = Silence(), []
    progress = Progress(deployments=1, phase=Phase.DEPLOYMENT, heard_at=0.0)
    answer = None
    for now in range(600):
        silence, found, check = silence.step(progress, answer, float(now), QUIET)
        assert found is None
        answer = Answer(deployment=1, facts=Facts(children=1)) if check else None
        looks += [now] if check else []
    assert looks[0] == 15
    assert len(looks) <= 8
    assert all(later - sooner <= 122 for sooner, later in itertools.pairwise(looks))


def test_whatever_it_says_ends_the_silence() -> None:
    """An answer to the silence before is stale."""
    silence, _, check = Silence().step(Progress(deployments=1, phase=Phase.DEPLOYMENT, heard_at=0), None, 15, QUIET)
    assert check
    answer = Answer(deployment=1, facts=Facts(session_problem=("gone.", "log in")))
    heard = Progress(deployments=1, phase=Phase.DEPLOYMENT, heard_at=16)
    silence, found, check = silence.step(heard, answer, 17, QUIET)
    assert (found, check) == (None, False)
    _, _, check = silence.step(heard, None, 31, QUIET)
    assert check


@given(
    st.lists(
        st.tuples(st.floats(min_value=0, max_value=40), st.booleans(), st.booleans(), st.sampled_from(list(Phase))),
        max_size=60,
    )
)
def test_one_deployment_is_named_once_and_never_checked_twice_at_a_time(
    events: list[tuple[float, bool, bool, Phase]],
) -> None:
    """Whatever order output, answers and time come in."""
    silence, now, heard, deployments, phase = Silence(), 0.0, 0.0, 1, Phase.SYNTHESIS
    pending, named = False, set()
    for passes, speaks, answers, says in events:
        now += passes
        if speaks:
            heard, phase = now, says
            deployments += says is Phase.SYNTHESIS
        answer = (
            Answer(deployment=deployments, facts=Facts(session_problem=("gone.", ""))) if pending and answers else None
        )
        pending = pending and answer is None
        silence, found, check = silence.step(
            Progress(deployments=deployments, phase=phase, heard_at=heard), answer, now, QUIET
        )
        if found is not None:
            assert phase is not Phase.IDLE
            assert now - heard >= QUIET.first
            assert deployments not in named
            named.add(deployments)
        assert not (check and pending)
        pending = pending or check
