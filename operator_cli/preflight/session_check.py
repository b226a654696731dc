"""Whether a session is good for what is about to be done: a judgement over gathered facts, without a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from shlex import quote
from typing import TYPE_CHECKING, Final

from operator_cli.answers import Failure, FailureKind
from operator_cli.credentials.kinds import Key, Kind, Source, Trouble, sign_in_command
from operator_cli.exit_status import ExitStatus
from operator_cli.moments import in_words, when
from operator_cli.preflight.cloud_assembly import bootstrap_needs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from operator_cli.answers import Caller
    from operator_cli.credentials.kinds import Problem
    from operator_cli.credentials.sources import Resolution
    from operator_cli.preflight.cloud_assembly import Assembly, Bootstrap, Stack

SKEW_TOLD_SECONDS: Final = 60
SKEW_REFUSED_SECONDS: Final = 240
"""AWS refuses a signature that is five minutes off. https://docs.aws.amazon.com/IAM/latest/UserGuide/signing-elements.html"""


class Operation(StrEnum):
    """What a session is checked for."""

    DEPLOY = "deploy"
    DESTROY = "destroy"
    BOOTSTRAP = "bootstrap"
    WATCH = "watch"
    LOGS = "logs"
    TESTS = "tests"
    TENANT_KEY = "tenant-key"
    SYNTH = "synth"
    UNIT_TESTS = "unit-tests"
    DOCS = "docs"

    @property
    def needs_session(self) -> bool:
        """Whether AWS is asked anything in it."""
        return self not in {Operation.SYNTH, Operation.UNIT_TESTS, Operation.DOCS}

    @property
    def by_cdk(self) -> bool:
        """Whether the CDK command line does it."""
        return self in {Operation.DEPLOY, Operation.DESTROY, Operation.BOOTSTRAP, Operation.WATCH}

    @property
    def needs_bootstrap(self) -> bool:
        """Whether the CDK's own bucket and roles have to be there already."""
        return self in {Operation.DEPLOY, Operation.DESTROY, Operation.WATCH}

    @property
    def least_minutes(self) -> int:
        """How long a session has to last if nothing else is asked for."""
        return {Operation.DEPLOY: 15, Operation.DESTROY: 15}.get(self, 5)


class Verdict(StrEnum):
    """What is to be said of one question."""

    GOOD = "good"
    NOTE = "note"
    WARNING = "warning"
    CANNOT_TELL = "cannot-tell"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer to one question.

    Attributes:
        question: What was asked, as a slug: `credentials`, `identity`, `lifetime`, …
        verdict: The answer's kind.
        what: The answer.
        why: Why it matters; empty where all is well.
        next_step: What to do; empty where all is well.
        status: What a refusal ends the command with.
    """

    question: str
    verdict: Verdict
    what: str
    why: str = ""
    next_step: str = ""
    status: ExitStatus = ExitStatus.GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a session is wanted for.

    Attributes:
        operation: What is about to be done.
        account: The account that the session has to be in, if that was said.
        region: The region, if that was said.
        min_minutes: How long it has to last, if that was said.
        allow_long_lived: Whether a key that never expires will do.
        allow_root: Whether the account's root user will do.
    """

    operation: Operation
    account: str | None = None
    region: str | None = None
    min_minutes: int | None = None
    allow_long_lived: bool = False
    allow_root: bool = False


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


_NO_REGION: Final = frozenset({"InvalidRegionError", "NoRegionError"})
"""Failures that are about the region and not about the credentials."""


def hopeless(resolution: Resolution) -> Problem | None:
    """Give what makes a call to AWS pointless, `None` if there is hope."""
    if resolution.winner is None:
        return resolution.stopped_by
    return next((problem for problem in resolution.winner.all_problems if problem.trouble in HOPELESS), None)


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
    found = [*_credentials(wanted, facts)]
    if facts.caller is not None and not isinstance(facts.caller, Failure):
        found += _identity(wanted, facts.caller, facts.resolution.winner)
        found += _lifetime(wanted, facts, facts.caller)
        place = list(_place(wanted, facts, facts.caller))
        found += place
        # Elsewhere nobody looked, and it is not the trouble now.
        if not any(finding.verdict is Verdict.REFUSED for finding in place):
            found += _bootstrap(wanted, facts, facts.caller)
    found += _clock(facts)
    found += _endpoints(facts)
    return tuple(found)


def exit_status(findings: tuple[Finding, ...], *, certain: bool = False) -> ExitStatus:
    """Give the one status of all findings; the more basic trouble comes first.

    Args:
        findings: The answers.
        certain: Whether what cannot be told is refused.
    """
    refused = {finding.status for finding in findings if finding.verdict is Verdict.REFUSED}
    order = (ExitStatus.NO_CREDENTIALS, ExitStatus.EXPIRED, ExitStatus.WRONG_PLACE, ExitStatus.REFUSED)
    for status in order:
        if status in refused:
            return status
    if certain and any(finding.verdict is Verdict.CANNOT_TELL for finding in findings):
        return ExitStatus.REFUSED
    return ExitStatus.GOOD


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


# --- Credentials ------------------------------------------------------------------------------------------------------


def _credentials(wanted: Wanted, facts: SessionFacts) -> Iterator[Finding]:
    """Which source won, what it hides, whether the CDK agrees, and whether it works at all."""
    resolution = facts.resolution
    winner = resolution.winner
    why = (
        f"Without a session, {wanted.operation} ends with an error after minutes, or, in `cdk watch`, with none at all."
    )
    if winner is None:
        yield _no_winner(wanted, facts, why)
        return
    if problem := hopeless(resolution):
        ended = HOPELESS[problem.trouble]
        yield Finding(
            question="credentials",
            verdict=Verdict.REFUSED,
            what=f"{_sentence(winner.where)} would be used. {problem.what}",
            why=why,
            next_step=problem.next_step,
            status=ended,
        )
        return
    if isinstance(facts.caller, Failure):
        yield _failed(facts, winner, facts.caller, why)
        # Nobody answered, and the key's own beginning tells all the same. One that AWS does not know is none any more.
        if winner.key is Key.LONG_LIVED and facts.caller.kind is not FailureKind.INVALID:
            yield _long_lived(wanted, f" …{winner.key_id_end}" if winner.key_id_end else "")
        return
    yield Finding(question="credentials", verdict=Verdict.GOOD, what=_described(winner))
    for problem in resolution.all_problems:
        yield Finding(
            question="credentials",
            verdict=Verdict.WARNING,
            what=problem.what,
            why="What is used is not what it looks like.",
            next_step=problem.next_step,
        )
    if wanted.operation.by_cdk and wanted.operation is not Operation.WATCH:
        # A supervised `cdk watch` is handed the session that was checked, whatever it would take by itself.
        yield from _disagreement(facts)


def _no_winner(wanted: Wanted, facts: SessionFacts, why: str) -> Finding:
    problem = facts.resolution.stopped_by
    if problem is None:
        unused = [problem for source in facts.resolution.shadowed for problem in source.problems]
        problem = unused[0] if unused else None
    cdk = facts.cdk_resolution.winner
    what = problem.what if problem else "There are no AWS credentials on this machine that would be used."
    known = {source.where for source in facts.resolution.shadowed if source.problems}
    if wanted.operation.by_cdk and cdk is not None and cdk.where not in known:
        what += f" The CDK would take {cdk.where} instead, unnoticed."
    return Finding(
        question="credentials",
        verdict=Verdict.REFUSED,
        what=what,
        why=why,
        next_step=problem.next_step if problem else "Sign in, or name a profile: --profile NAME. The ways are below.",
        status=ExitStatus.NO_CREDENTIALS,
    )


def _failed(facts: SessionFacts, winner: Source, failure: Failure, why: str) -> Finding:
    status = {
        FailureKind.EXPIRED: ExitStatus.EXPIRED,
        FailureKind.CLOCK: ExitStatus.REFUSED,
        FailureKind.UNREACHABLE: ExitStatus.REFUSED,
        FailureKind.CONFIGURATION: ExitStatus.NO_CREDENTIALS,
    }.get(failure.kind, ExitStatus.NO_CREDENTIALS)
    if failure.code in _NO_REGION:
        return Finding(
            question="region",
            verdict=Verdict.REFUSED,
            what=f"There is no region that AWS could be asked in: {failure.what[:1].lower()}{failure.what[1:]}",
            why="Without one nobody can say who this session is.",
            next_step="--region REGION; else it is taken from AWS_REGION, AWS_DEFAULT_REGION or your profile.",
            status=ExitStatus.WRONG_PLACE,
        )
    renew = sign_in_command(winner)
    steps = {
        FailureKind.CLOCK: "Set this machine's clock (timedatectl set-ntp true), then try again.",
        FailureKind.UNREACHABLE: "Look at the network, HTTPS_PROXY, AWS_CA_BUNDLE and AWS_ENDPOINT_URL, then try again.",
        FailureKind.CONFIGURATION: f"Look at profile {facts.resolution.profile} and at the variables that begin with AWS_, or "
        "name another profile: --profile NAME",
    }
    fallback = {
        Kind.ENVIRONMENT: "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN, and use a profile.",
        Kind.PROCESS: "Run the profile's credential_process by hand: it says what it lacks.",
        Kind.WEB_IDENTITY: "Look at AWS_WEB_IDENTITY_TOKEN_FILE, or web_identity_token_file of the profile.",
        Kind.CONTAINER: "Look at the variables that begin with AWS_CONTAINER_.",
    }.get(winner.origin.kind, "Sign in again. The ways are below.")
    return Finding(
        question="credentials",
        verdict=Verdict.REFUSED,
        what=f"{_sentence(winner.where)} would be used and does not work: {failure.what} ({failure.code})",
        why=why,
        next_step=steps.get(failure.kind) or renew or fallback,
        status=status,
    )


def _disagreement(facts: SessionFacts) -> Iterator[Finding]:
    mine, its = facts.resolution.winner, facts.cdk_resolution.winner
    if mine is None or (its is not None and (mine.kind, mine.profile) == (its.kind, its.profile)):
        return
    takes = its.where if its else "no credentials"
    profile = mine.profile or facts.resolution.profile
    named = facts.resolution.profile_from == "--profile"
    yield Finding(
        question="same-for-cdk",
        verdict=Verdict.REFUSED,
        what=f"boto3 and the AWS command line take {mine.where}; the CDK takes {takes}.",
        why="What was checked here is not who would deploy.",
        next_step=f"Leave only one of the two in profile {profile}."
        if named
        else f"Name the profile, which settles it for both: --profile {quote(profile)}",
        status=ExitStatus.REFUSED,
    )


def _described(source: Source) -> str:
    words = [_sentence(source.where)]
    if source.key_id_end:
        words.append(f"key …{source.key_id_end}")
    if source.role_arn:
        words.append(f"role {source.role_arn}")
    return ", ".join(words)


def _sentence(text: str) -> str:
    return (
        text
        if text.startswith(("AWS_", "role_arn", "web_identity", "credential_process"))
        else text[:1].upper() + text[1:]
    )


# --- Who, and how long ------------------------------------------------------------------------------------------------


def _identity(wanted: Wanted, caller: Caller, winner: Source | None) -> Iterator[Finding]:
    yield Finding(
        question="identity", verdict=Verdict.GOOD, what=f"{caller.principal} in account {caller.account} ({caller.arn})"
    )
    if caller.is_root:
        yield _unless(
            allowed=wanted.allow_root,
            question="root",
            what="This is the account's root user.",
            why="Nothing limits it, nothing it does can be told from the owner's own doing, and a leak costs the account.",
            next_step="Sign in as yourself (aws sso login, aws login as a user or role), or insist: --allow-root",
        )
    if not caller.temporary:
        yield _long_lived(wanted, "" if caller.key_id == "…" else f" {caller.key_id}")
    yield _second_factor(caller, winner)


def _long_lived(wanted: Wanted, key: str) -> Finding:
    return _unless(
        allowed=wanted.allow_long_lived,
        question="long-lived-key",
        what=f"The key{key} is long-lived: it works until somebody deletes it, without a second factor.",
        why="Whoever copies it has your rights for months. A session ends by itself.",
        next_step="Sign in instead (aws login, aws sso login), or insist: --allow-long-lived",
    )


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


# --- Where ------------------------------------------------------------------------------------------------------------


def _place(wanted: Wanted, facts: SessionFacts, caller: Caller) -> Iterator[Finding]:
    """Whether account and region are those of the target."""
    if wanted.account is not None and wanted.account != caller.account:
        yield _wrong_account(f"This session is in account {caller.account}, and {wanted.account} was asked for.")
    elif wanted.account is not None:
        yield Finding(question="account", verdict=Verdict.GOOD, what=f"{caller.account}, as asked for")
    assembly = facts.assembly
    if assembly is None:
        if wanted.operation in {Operation.DEPLOY, Operation.DESTROY, Operation.WATCH}:
            yield Finding(
                question="target",
                verdict=Verdict.CANNOT_TELL,
                what="There is no cloud assembly, so what is to be deployed, and where, is not known.",
                why="Account, region and bootstrap cannot be compared with it.",
                next_step="make synth, or name one: --assembly FOLDER",
            )
        yield from _region(wanted, facts)
        return
    elsewhere = [stack for stack in assembly.stacks if stack.account not in {None, caller.account}]
    if elsewhere and wanted.account == caller.account:
        yield Finding(
            question="account",
            verdict=Verdict.WARNING,
            what=f"{_names(elsewhere)} belong to account {', '.join(sorted({str(stack.account) for stack in elsewhere}))}.",
            why="The CDK can deploy there only if that account's bootstrap trusts this one.",
            next_step="If it does not: cdk bootstrap --trust there.",
        )
    elif elsewhere:
        accounts = ", ".join(sorted({str(stack.account) for stack in elsewhere}))
        yield _wrong_account(
            f"This session is in account {caller.account}; {_names(elsewhere)} of {assembly.path} belong to {accounts}."
        )
    elif assembly.accounts and wanted.account is None:
        yield Finding(
            question="account", verdict=Verdict.GOOD, what=f"{caller.account}, that of {_names(assembly.stacks)}"
        )
    elif wanted.account is None:
        yield Finding(
            question="account",
            verdict=Verdict.NOTE,
            what=f"{caller.account}: {_names(assembly.stacks)} name no account, so this session's is taken.",
        )
    yield from _region(wanted, facts)


def _region(wanted: Wanted, facts: SessionFacts) -> Iterator[Finding]:
    regions = facts.assembly.regions if facts.assembly else ()
    if regions and wanted.region is not None and wanted.region not in regions:
        yield Finding(
            question="region",
            verdict=Verdict.REFUSED,
            what=f"{wanted.region} was asked for, and the stacks of {facts.assembly and facts.assembly.path} go to {', '.join(regions)}.",
            why="A second copy of everything, or an error, would come of it.",
            next_step=f'make synth for that region (ARGS="-c region={wanted.region}"), or ask for {regions[0]}.',
            status=ExitStatus.WRONG_PLACE,
        )
    elif facts.region is None and not (wanted.operation.by_cdk and _all_name_a_region(facts.assembly)):
        yield Finding(
            question="region",
            verdict=Verdict.REFUSED,
            what="No region is set.",
            why="The CDK would take us-east-1 without asking; boto3 stops.",
            next_step="--region REGION, or a line `region = …` in your profile.",
            status=ExitStatus.WRONG_PLACE,
        )
    elif regions and facts.region not in regions and not wanted.operation.by_cdk:
        yield Finding(
            question="region",
            verdict=Verdict.REFUSED,
            what=f"This session is in {facts.region}, and the stacks go to {', '.join(regions)}.",
            why=f"{wanted.operation} would look where nothing is.",
            next_step=f"--region {regions[0]}",
            status=ExitStatus.WRONG_PLACE,
        )
    else:
        where = ", ".join(regions) if regions and wanted.operation.by_cdk else facts.region
        yield Finding(question="region", verdict=Verdict.GOOD, what=str(where))


def _all_name_a_region(assembly: Assembly | None) -> bool:
    return assembly is not None and bool(assembly.stacks) and all(stack.region for stack in assembly.stacks)


def _wrong_account(what: str) -> Finding:
    return Finding(
        question="account",
        verdict=Verdict.REFUSED,
        what=what,
        why="It would be done to the wrong account.",
        next_step="--profile NAME, with a profile of the right account; or say which account is meant: --account NUMBER",
        status=ExitStatus.WRONG_PLACE,
    )


def _names(stacks: tuple[Stack, ...] | list[Stack]) -> str:
    names = [stack.name for stack in stacks]
    shown = 3
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _bootstrap(wanted: Wanted, facts: SessionFacts, caller: Caller) -> Iterator[Finding]:
    """Whether the CDK's own bucket and roles are there and new enough, wherever the stacks go."""
    if not wanted.operation.needs_bootstrap or facts.assembly is None:
        return
    needs = bootstrap_needs(facts.assembly, account=caller.account, region=facts.region)
    for bootstrap, needed in needs.items():
        found = facts.bootstrap.get(bootstrap)
        if found is None:
            yield _bootstrap_not_looked_at(wanted, bootstrap, caller)
        elif isinstance(found, Failure):
            yield _bootstrap_unknown(bootstrap, found)
        elif found < needed:
            yield Finding(
                question="bootstrap",
                verdict=Verdict.REFUSED,
                what=f"The CDK's bootstrap of {bootstrap.region} has version {found}, and the stacks need {needed}.",
                why="The CDK refuses to deploy with it.",
                next_step=f"rolebound bootstrap {bootstrap.environment}",
                status=ExitStatus.REFUSED,
            )
        else:
            what = f"{bootstrap.region} has version {found}; {needed} is needed"
            yield Finding(question="bootstrap", verdict=Verdict.GOOD, what=what)


def _bootstrap_not_looked_at(wanted: Wanted, bootstrap: Bootstrap, caller: Caller) -> Finding:
    is_ours = bootstrap.account == caller.account
    return Finding(
        question="bootstrap",
        verdict=Verdict.CANNOT_TELL,
        what=f"{bootstrap.environment} was not looked at"
        + ("." if is_ours else f": this session is in account {caller.account}."),
        why="A deployment to where the CDK was not bootstrapped fails.",
        next_step=f"rolebound check --for {wanted.operation} --account {bootstrap.account}"
        + ("" if is_ours else " --profile NAME, with a profile of that account"),
    )


def _bootstrap_unknown(bootstrap: Bootstrap, failure: Failure) -> Finding:
    if failure.kind is FailureKind.NOT_FOUND:
        return Finding(
            question="bootstrap",
            verdict=Verdict.REFUSED,
            what=f"The CDK was never bootstrapped in {bootstrap.region}: there is no parameter {bootstrap.parameter}.",
            why="Deployments need its bucket and roles.",
            next_step=f"rolebound bootstrap {bootstrap.environment}",
            status=ExitStatus.REFUSED,
        )
    return Finding(
        question="bootstrap",
        verdict=Verdict.CANNOT_TELL,
        what=f"The bootstrap's version in {bootstrap.region} could not be read ({failure.code}).",
        why="If it is missing or too old, the CDK says so at the start of the deployment.",
        next_step=f"To see it here, allow ssm:GetParameter on parameter{bootstrap.parameter}.",
    )


# --- Clock and endpoints ----------------------------------------------------------------------------------------------


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


def _unless(*, allowed: bool, question: str, what: str, why: str, next_step: str) -> Finding:
    """A refusal, or, where it was insisted on, a warning."""
    return Finding(
        question=question,
        verdict=Verdict.WARNING if allowed else Verdict.REFUSED,
        what=what,
        why=why,
        next_step="Allowed for this once." if allowed else next_step,
        status=ExitStatus.GOOD if allowed else ExitStatus.REFUSED,
    )
