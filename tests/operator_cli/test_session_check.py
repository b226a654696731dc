"""What is said of a session, for every fact that can be known of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_cli.answers import Caller, Failure, FailureKind
from operator_cli.credentials.facts import CredentialFacts, SignIn, login_cache_key
from operator_cli.credentials.kinds import Sdk
from operator_cli.credentials.sources import resolve
from operator_cli.exit_status import ExitStatus
from operator_cli.preflight.cloud_assembly import DEFAULT_PARAMETER, Assembly, Bootstrap, Stack
from operator_cli.preflight.finding import Finding, Verdict, exit_status
from operator_cli.preflight.session_check import judge
from operator_cli.preflight.session_facts import SessionFacts, ends_at
from operator_cli.preflight.wanted import Operation, Wanted

NOW: Final = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
ACCOUNT: Final = "123456789012"
OTHER: Final = "999999999999"
SESSION: Final = {"AWS_ACCESS_KEY_ID": "ASIA…MPL2", "AWS_SECRET_ACCESS_KEY": "(set)", "AWS_SESSION_TOKEN": "(set)"}
KEY: Final = {"aws_access_key_id": "AKIA…MPL1", "aws_secret_access_key": "(set)"}
LOGIN: Final = {"login_session": "me"}
ROLE: Final = "arn:aws:iam::123456789012:role/deploy"
MFA: Final = "arn:aws:iam::123456789012:mfa/ada"


def machine(environ: dict[str, str] | None = None, **changes: Any) -> CredentialFacts:  # noqa: ANN401 - as the class has them
    """A machine on which nothing is configured but what is given."""
    return replace(CredentialFacts(now=NOW, environ=environ or {}, home=Path("/home/ada"), sdk=(1, 44)), **changes)


SIGNED_IN: Final = machine(
    config_profiles={"default": LOGIN},
    sign_ins={
        login_cache_key("me"): SignIn(
            path=Path("/c"), expires_at=NOW + timedelta(minutes=9), can_refresh=True, complete=True
        )
    },
)
"""Somebody who signed in with `aws login`."""


def stack(
    name: str = "App", *, account: str | None = ACCOUNT, region: str | None = "us-east-1", version: int | None = 6
) -> Stack:
    """A stack for one place."""
    return Stack(
        name=name,
        account=account,
        region=region,
        bootstrap_version=version,
        bootstrap_parameter=DEFAULT_PARAMETER,
        production=False,
    )


def caller(*, arn: str = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/ada", **changes: Any) -> Caller:  # noqa: ANN401 - as the class has them
    """A caller with a session."""
    base = Caller(
        account=ACCOUNT,
        arn=arn,
        method="login",
        key_id="ASIA…MPL2",
        temporary=True,
        expires_at=NOW + timedelta(minutes=14),
        server_time=NOW,
        local_time=NOW,
    )
    return replace(base, **changes)


def session(facts: CredentialFacts = SIGNED_IN, **changes: Any) -> SessionFacts:  # noqa: ANN401 - as the class has them
    """A session that is good for everything, with changes."""
    base = SessionFacts(
        now=NOW,
        resolution=resolve(facts),
        cdk_resolution=resolve(facts, Sdk.CDK),
        caller=caller(),
        region="us-east-1",
        assembly=Assembly(Path("cdk.out"), (stack(),)),
        bootstrap={Bootstrap(ACCOUNT, "us-east-1", DEFAULT_PARAMETER): 21},
    )
    return replace(base, **changes)


DEPLOY: Final = Wanted(operation=Operation.DEPLOY)


def found(facts: SessionFacts, question: str, wanted: Wanted = DEPLOY) -> Finding:
    """The one answer to a question."""
    (finding,) = [finding for finding in judge(wanted, facts) if finding.question == question]
    return finding


def status(facts: SessionFacts, wanted: Wanted = DEPLOY, *, certain: bool = False) -> ExitStatus:
    """What it amounts to."""
    return exit_status(judge(wanted, facts), certain=certain)


def test_a_session_that_fits_in_every_way_is_good() -> None:
    """The base of all cases below: each differs from it in one thing."""
    assert status(session(), certain=True) is ExitStatus.GOOD
    assert {finding.verdict for finding in judge(DEPLOY, session())} <= {Verdict.GOOD, Verdict.NOTE}


@pytest.mark.parametrize("operation", [Operation.SYNTH, Operation.UNIT_TESTS, Operation.DOCS])
def test_nothing_is_asked_where_nothing_is_needed(operation: Operation) -> None:
    """Synthesis, unit tests and documentation work on a plane, whatever the machine holds."""
    nothing = session(machine(), caller=None, region=None, assembly=None)
    (finding,) = judge(Wanted(operation=operation), nothing)
    assert finding.verdict is Verdict.GOOD
    assert "None are needed" in finding.what


NO_KEYS = session(machine(), caller=None)
HALF = session(machine({"AWS_ACCESS_KEY_ID": "AKIA…MPL1"}), caller=None)
TOKENLESS = session(machine({**SESSION, "AWS_SESSION_TOKEN": ""}), caller=None)
ENDED = session(machine({**SESSION, "AWS_CREDENTIAL_EXPIRATION": "2026-11-25T19:00:00Z"}), caller=None)
NOT_SIGNED_IN = session(machine(config_profiles={"default": LOGIN}), caller=None)


def failing(kind: FailureKind) -> SessionFacts:
    """A session that AWS, or the SDK, turns away."""
    return session(caller=Failure(kind=kind, code="Code", what="Words.", server_time=NOW))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (NO_KEYS, ExitStatus.NO_CREDENTIALS),
        (HALF, ExitStatus.NO_CREDENTIALS),
        (TOKENLESS, ExitStatus.NO_CREDENTIALS),
        (NOT_SIGNED_IN, ExitStatus.NO_CREDENTIALS),
        (ENDED, ExitStatus.EXPIRED),
        (failing(FailureKind.NO_CREDENTIALS), ExitStatus.NO_CREDENTIALS),
        (failing(FailureKind.INVALID), ExitStatus.NO_CREDENTIALS),
        (failing(FailureKind.CONFIGURATION), ExitStatus.NO_CREDENTIALS),
        (failing(FailureKind.EXPIRED), ExitStatus.EXPIRED),
        (failing(FailureKind.CLOCK), ExitStatus.REFUSED),
        (failing(FailureKind.UNREACHABLE), ExitStatus.REFUSED),
    ],
)
def test_a_session_that_does_not_work_has_its_status_and_three_parts(facts: SessionFacts, expected: ExitStatus) -> None:
    """What is wrong, why it matters, what to do; and the number that a script goes by."""
    assert status(facts) is expected
    finding = found(facts, "credentials")
    assert finding.verdict is Verdict.REFUSED
    assert all((finding.what, finding.why, finding.next_step))


def test_a_setting_that_stops_exported_keys_is_no_fault_of_a_profile_called_none() -> None:
    """A setting that the SDK refuses is a variable's more often than a profile's."""
    facts = session(
        machine(SESSION), caller=Failure(kind=FailureKind.CONFIGURATION, code="InvalidDefaultsMode", what="No.")
    )
    assert "AWS_" in found(facts, "credentials").next_step
    assert "None" not in found(facts, "credentials").next_step


@pytest.mark.parametrize("code", ["InvalidRegionError", "NoRegionError"])
def test_a_region_that_is_none_is_a_wrong_place_and_no_fault_of_the_credentials(code: str) -> None:
    """Nobody was asked, and a script can tell it from a session that is missing."""
    facts = session(caller=Failure(kind=FailureKind.CONFIGURATION, code=code, what="The region's name is not one."))
    assert status(facts) is ExitStatus.WRONG_PLACE
    assert "--region REGION" in found(facts, "region").next_step
    assert "credentials" not in {finding.question for finding in judge(DEPLOY, facts)}


def test_a_keys_profile_that_the_cdk_would_take_silently_is_told() -> None:
    """boto3 stops at half a pair; the CDK goes on with the profile and deploys as somebody else."""
    facts = machine({"AWS_ACCESS_KEY_ID": "AKIA…MPL1"}, credentials_profiles={"default": KEY})
    finding = found(session(facts, caller=None), "credentials")
    assert "The CDK would take [default] in" in finding.what


@pytest.mark.parametrize(
    ("changes", "question", "flag"),
    [
        ({"arn": f"arn:aws:iam::{ACCOUNT}:root"}, "root", "allow_root"),
        ({"temporary": False, "key_id": "AKIA…MPL1", "expires_at": None}, "long-lived-key", "allow_long_lived"),
    ],
)
def test_root_and_long_lived_keys_are_refused_unless_insisted_on(
    changes: dict[str, Any], question: str, flag: str
) -> None:
    """Refused by default; a flag makes it a warning, which stays visible."""
    facts = session(caller=caller(**changes))
    assert status(facts) is ExitStatus.REFUSED
    assert found(facts, question).verdict is Verdict.REFUSED
    flags: dict[str, Any] = {flag: True}
    insisted = replace(DEPLOY, **flags)
    assert status(facts, insisted) is ExitStatus.GOOD
    assert found(facts, question, insisted).verdict is Verdict.WARNING


@pytest.mark.parametrize(
    ("left", "least", "expected"),
    [(14, None, 4), (16, None, 0), (16, 20, 4), (21, 20, 0), (1, 0, 0), (-1, 0, 4)],
)
def test_a_session_has_to_last_for_the_operation(left: int, least: int | None, expected: int) -> None:
    """Fifteen minutes for a deployment, or what was asked for."""
    facts = session(machine(SESSION), caller=caller(expires_at=NOW + timedelta(minutes=left)))
    assert status(facts, replace(DEPLOY, min_minutes=least)) == expected


def test_what_renews_itself_lasts_however_short_its_present_key_is() -> None:
    """`aws login` gives fifteen minutes at a time."""
    facts = session(caller=caller(expires_at=NOW + timedelta(minutes=2)))
    assert status(facts, replace(DEPLOY, min_minutes=600)) is ExitStatus.GOOD
    assert "renews itself" in found(facts, "lifetime").what


def test_a_sign_in_that_cannot_be_renewed_ends_when_its_token_ends() -> None:
    """A legacy SSO profile gets new keys only for as long as its token lasts."""
    legacy = {"sso_start_url": "u", "sso_region": "r", "sso_account_id": ACCOUNT, "sso_role_name": "admin"}
    token = SignIn(path=Path("/c"), expires_at=NOW + timedelta(minutes=12), can_refresh=False, complete=True)
    facts = machine(config_profiles={"default": legacy}, sign_ins={sha1("u"): token})
    short = session(facts, caller=caller(expires_at=NOW + timedelta(hours=1)))
    assert status(short) is ExitStatus.EXPIRED
    assert ends_at(short) == NOW + timedelta(minutes=12)
    assert found(short, "lifetime").next_step == "aws sso login"


def test_a_login_whose_key_the_sdk_cannot_read_is_refused_before_it_fails() -> None:
    """Its first session still answers, and is the last that boto3 gets."""
    (name,) = SIGNED_IN.sign_ins
    facts = replace(SIGNED_IN, sign_ins={name: replace(SIGNED_IN.sign_ins[name], readable_key=False)})
    refused = session(facts, caller=caller(expires_at=NOW + timedelta(minutes=14)))
    assert status(refused) is ExitStatus.NO_CREDENTIALS
    assert "private key" in found(refused, "credentials").what
    assert found(refused, "credentials").next_step == "aws login"


def sha1(text: str) -> str:
    """As the SDKs name a token's file."""
    import hashlib  # noqa: PLC0415 - beside its one use

    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def test_an_unknown_end_cannot_be_told_and_is_refused_where_minutes_were_asked_for() -> None:
    """A session of the environment does not say when it ends: never a pass."""
    facts = session(machine(SESSION), caller=caller(expires_at=None))
    assert found(facts, "lifetime").verdict is Verdict.CANNOT_TELL
    assert status(facts) is ExitStatus.GOOD
    assert status(facts, certain=True) is ExitStatus.REFUSED
    assert status(facts, replace(DEPLOY, min_minutes=5)) is ExitStatus.EXPIRED


@pytest.mark.parametrize(
    ("environ", "config", "expected"),
    [
        (SESSION, {}, "cannot be told"),
        ({}, {"default": LOGIN}, "sign-in page"),
        (
            {"AWS_PROFILE": "dev"},
            {"dev": {"role_arn": ROLE, "source_profile": "me", "mfa_serial": MFA}, "me": KEY},
            MFA,
        ),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": ROLE}, {}, "machine signs in"),
    ],
)
def test_what_can_be_known_of_the_second_factor_is_said(
    environ: dict[str, str], config: dict[str, dict[str, str]], expected: str
) -> None:
    """And no more than that."""
    facts = machine(environ, config_profiles=config, sign_ins=SIGNED_IN.sign_ins)
    assert expected in found(session(facts), "mfa").what


@pytest.mark.parametrize(
    ("wanted", "stacks", "expected"),
    [
        ({}, (stack(),), 0),
        ({}, (stack(account=None, region=None),), 0),
        ({}, (stack(account=OTHER),), 5),
        ({}, (stack(), stack("Other", account=OTHER)), 5),
        ({"account": ACCOUNT}, (stack(account=OTHER),), 0),
        ({"account": OTHER}, (stack(),), 5),
        ({"account": OTHER}, (stack(account=None),), 5),
        ({"region": "us-east-1"}, (stack(),), 0),
        ({"region": "eu-west-1"}, (stack(),), 5),
    ],
)
def test_account_and_region_have_to_be_those_of_the_target(
    wanted: dict[str, Any], stacks: tuple[Stack, ...], expected: int
) -> None:
    """Stacks that name neither take the session's; an account that was asked for is the one that counts."""
    facts = session(assembly=Assembly(Path("cdk.out"), stacks))
    assert status(facts, replace(DEPLOY, **wanted)) == expected


def test_tests_and_logs_are_refused_where_the_stacks_are_not() -> None:
    """The CDK goes to a stack's own region by itself; what reads logs does not."""
    facts = session(region="eu-west-1")
    assert status(facts) is ExitStatus.GOOD
    for operation in (Operation.LOGS, Operation.TESTS):
        assert status(facts, Wanted(operation=operation)) is ExitStatus.WRONG_PLACE


def test_without_a_region_nothing_is_guessed() -> None:
    """The CDK would take us-east-1 unasked."""
    agnostic = Assembly(Path("cdk.out"), (stack(region=None),))
    assert status(session(region=None, assembly=agnostic, bootstrap={})) is ExitStatus.WRONG_PLACE
    assert status(session(region=None, bootstrap={})) is ExitStatus.GOOD


@pytest.mark.parametrize(
    ("answer", "verdict", "expected"),
    [
        (21, Verdict.GOOD, 0),
        (6, Verdict.GOOD, 0),
        (5, Verdict.REFUSED, 1),
        (Failure(kind=FailureKind.NOT_FOUND, code="ParameterNotFound", what=""), Verdict.REFUSED, 1),
        (Failure(kind=FailureKind.DENIED, code="AccessDenied", what=""), Verdict.CANNOT_TELL, 0),
        (None, Verdict.CANNOT_TELL, 0),
    ],
)
def test_the_bootstrap_has_to_be_there_and_new_enough(
    answer: int | Failure | None, verdict: Verdict, expected: int
) -> None:
    """What could not be read is no pass and no refusal."""
    facts = session(bootstrap={} if answer is None else {Bootstrap(ACCOUNT, "us-east-1", DEFAULT_PARAMETER): answer})
    assert found(facts, "bootstrap").verdict is verdict
    assert status(facts) == expected
    assert status(facts, certain=True) == (expected or (1 if verdict is Verdict.CANNOT_TELL else 0))


def test_every_bootstrap_that_the_stacks_need_has_its_own_answer() -> None:
    """One region that is ready says nothing of the next; another account's cannot be read from here, and is named."""
    stacks = (
        stack("Here"),
        stack("There", region="eu-west-1", version=20),
        stack("Unasked", region="eu-north-1", account=None),
        stack("Theirs", region="eu-west-1", account=OTHER),
    )
    looked_at = {
        Bootstrap(ACCOUNT, "us-east-1", DEFAULT_PARAMETER): 21,
        Bootstrap(ACCOUNT, "eu-west-1", DEFAULT_PARAMETER): 6,
    }
    facts = session(assembly=Assembly(Path("cdk.out"), stacks), bootstrap=looked_at)
    answers = [one for one in judge(replace(DEPLOY, account=ACCOUNT), facts) if one.question == "bootstrap"]
    assert [(one.verdict, one.what) for one in answers] == [
        (Verdict.GOOD, "us-east-1 has version 21; 6 is needed"),
        (Verdict.REFUSED, "The CDK's bootstrap of eu-west-1 has version 6, and the stacks need 20."),
        (Verdict.CANNOT_TELL, f"aws://{ACCOUNT}/eu-north-1 was not looked at."),
        (
            Verdict.CANNOT_TELL,
            f"aws://{OTHER}/eu-west-1 was not looked at: this session is in account {ACCOUNT}.",
        ),
    ]
    assert answers[1].next_step == f"rolebound bootstrap aws://{ACCOUNT}/eu-west-1"
    assert f"--account {OTHER} --profile NAME" in answers[3].next_step


@pytest.mark.parametrize("operation", [Operation.BOOTSTRAP, Operation.LOGS, Operation.TESTS])
def test_the_bootstrap_is_no_question_where_it_is_not_needed(operation: Operation) -> None:
    """Least of all for making it."""
    questions = {finding.question for finding in judge(Wanted(operation=operation), session(bootstrap={}))}
    assert "bootstrap" not in questions


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [(0, Verdict.GOOD), (-59, Verdict.GOOD), (61, Verdict.WARNING), (-241, Verdict.REFUSED), (3600, Verdict.REFUSED)],
)
def test_a_clock_that_is_off_is_told_by_how_much(seconds: int, verdict: Verdict) -> None:
    """By the time in AWS's own answer."""
    finding = found(session(caller=caller(local_time=NOW + timedelta(seconds=seconds))), "clock")
    assert finding.verdict is verdict
    if verdict is not Verdict.GOOD:
        assert f"{abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'}" in finding.what


def test_a_refused_clock_is_named_even_where_nobody_was_recognised() -> None:
    """The refusal itself carries AWS's time."""
    refused = Failure(kind=FailureKind.CLOCK, code="RequestExpired", what="", server_time=NOW - timedelta(hours=1))
    assert "3600 s ahead" in found(session(caller=refused), "clock").what


def test_an_endpoint_that_is_not_aws_is_a_warning() -> None:
    """A forgotten local AWS takes a deployment without complaint."""
    facts = session(endpoints={"AWS_ENDPOINT_URL": "https://localhost:4566"})
    finding = found(facts, "endpoint")
    assert finding.verdict is Verdict.WARNING
    assert "unset AWS_ENDPOINT_URL" in finding.next_step


def test_two_sdks_with_two_minds_are_refused_where_the_cdk_acts() -> None:
    """What was checked would not be what deploys."""
    facts = machine(
        {"AWS_PROFILE": "a", "AWS_DEFAULT_PROFILE": "b"},
        credentials_profiles={"a": {**KEY, "aws_session_token": "(set)"}, "b": KEY},
    )
    disagreeing = session(facts)
    assert found(disagreeing, "same-for-cdk").next_step.endswith("--profile b")
    assert status(disagreeing) is ExitStatus.REFUSED
    assert status(disagreeing, Wanted(operation=Operation.LOGS)) is ExitStatus.GOOD


verdicts = st.sampled_from(Verdict)
statuses = st.sampled_from([ExitStatus.REFUSED, ExitStatus.NO_CREDENTIALS, ExitStatus.EXPIRED, ExitStatus.WRONG_PLACE])
finding_lists = st.lists(
    st.builds(Finding, question=st.just("q"), verdict=verdicts, what=st.just("w"), status=statuses), max_size=8
).map(tuple)


@given(findings=finding_lists)
def test_the_status_is_good_exactly_where_nothing_is_refused(findings: tuple[Finding, ...]) -> None:
    """And a refusal's status is one of those that were found."""
    refused = {finding.status for finding in findings if finding.verdict is Verdict.REFUSED}
    assert (exit_status(findings) is ExitStatus.GOOD) == (not refused)
    assert not refused or exit_status(findings) in refused
    if any(finding.verdict is Verdict.CANNOT_TELL for finding in findings):
        assert exit_status(findings, certain=True) is not ExitStatus.GOOD


questions_of_failure = st.builds(
    Failure, kind=st.sampled_from(FailureKind), code=st.just("C"), what=st.just("W."), server_time=st.none()
)


@given(
    operation=st.sampled_from(Operation),
    who=st.one_of(
        st.none(), questions_of_failure, st.just(caller()), st.just(caller(temporary=False, expires_at=None))
    ),
    region=st.sampled_from([None, "us-east-1", "eu-west-1"]),
    assembly=st.sampled_from(
        [None, Assembly(Path("x"), ()), Assembly(Path("x"), (stack(region=None, account=OTHER),))]
    ),
    facts=st.sampled_from([SIGNED_IN, machine(), machine(SESSION), machine({"AWS_PROFILE": "gone"})]),
)
def test_every_refusal_says_why_and_what_to_do(
    operation: Operation,
    who: Caller | Failure | None,
    region: str | None,
    assembly: Assembly | None,
    facts: CredentialFacts,
) -> None:
    """For any facts: three parts in all that is not good, and a status in every refusal."""
    for finding in judge(
        Wanted(operation=operation), session(facts, caller=who, region=region, assembly=assembly, bootstrap={})
    ):
        if finding.verdict in {Verdict.REFUSED, Verdict.WARNING, Verdict.CANNOT_TELL}:
            assert finding.what
            assert finding.why
            assert finding.next_step
        assert (finding.verdict is Verdict.REFUSED) == (finding.status is not ExitStatus.GOOD)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (timedelta(minutes=40), "It ends at 20:40 UTC, in 40 min."),
        (timedelta(hours=8), "It ends at 2026-11-26 04:00 UTC, in 8 h."),
        (timedelta(hours=632018), "It ends at 2098-12-31 22:00 UTC, in 72 years."),
    ],
)
def test_an_end_is_said_with_its_date_where_that_is_not_today(end: timedelta, words: str) -> None:
    """Four in the morning is not four in the afternoon, and nobody counts in thousands of hours."""
    facts = session(machine(SESSION), caller=caller(expires_at=(NOW + end).astimezone(timezone(timedelta(hours=-7)))))
    assert found(facts, "lifetime").what == words


@pytest.mark.parametrize("kind", [kind for kind in FailureKind if kind is not FailureKind.INVALID])
def test_a_key_whose_beginning_tells_is_refused_although_nobody_answers(kind: FailureKind) -> None:
    """A person without a network is told all that is wrong with the exported key, not half of it."""
    exported = machine({"AWS_ACCESS_KEY_ID": "AKIA…MPL1", "AWS_SECRET_ACCESS_KEY": "(set)"})
    failure = Failure(kind=kind, code="Code", what="Words.")
    facts = session(exported, caller=failure)
    assert found(facts, "long-lived-key").verdict is Verdict.REFUSED
    assert "…MPL1 is long-lived" in found(facts, "long-lived-key").what
    assert found(facts, "long-lived-key", replace(DEPLOY, allow_long_lived=True)).verdict is Verdict.WARNING
    assert not [one for one in judge(DEPLOY, session(caller=failure)) if one.question == "long-lived-key"]


def test_a_key_that_aws_does_not_know_is_not_called_long_lived() -> None:
    """It opens nothing any more, so that it works for ever is not what is wrong with it."""
    exported = machine({"AWS_ACCESS_KEY_ID": "AKIA…MPL1", "AWS_SECRET_ACCESS_KEY": "(set)"})
    facts = session(exported, caller=Failure(kind=FailureKind.INVALID, code="InvalidClientTokenId", what="Words."))
    assert "long-lived-key" not in {finding.question for finding in judge(DEPLOY, facts)}
