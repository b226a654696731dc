"""Whether the credentials of this machine work, and what they hide."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Final

from operator_cli.answers import Failure, FailureKind
from operator_cli.credentials.kinds import Key, Kind, Source, sign_in_command
from operator_cli.exit_status import ExitStatus
from operator_cli.preflight.finding import Finding, Verdict, unless
from operator_cli.preflight.session_facts import HOPELESS, hopeless
from operator_cli.preflight.wanted import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operator_cli.preflight.session_facts import SessionFacts
    from operator_cli.preflight.wanted import Wanted


def on_credentials(wanted: Wanted, facts: SessionFacts) -> Iterator[Finding]:
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
            what=f"{_capitalised(winner.where)} would be used. {problem.what}",
            why=why,
            next_step=problem.next_step,
            status=ended,
        )
        return
    if isinstance(facts.caller, Failure):
        yield _failed(facts, winner, facts.caller, why)
        # Nobody answered, and the key's own beginning tells all the same. One that AWS does not know is none any more.
        if winner.key is Key.LONG_LIVED and facts.caller.kind is not FailureKind.INVALID:
            yield long_lived(wanted, f" …{winner.key_id_end}" if winner.key_id_end else "")
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
        what=f"{_capitalised(winner.where)} would be used and does not work: {failure.what} ({failure.code})",
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
    words = [_capitalised(source.where)]
    if source.key_id_end:
        words.append(f"key …{source.key_id_end}")
    if source.role_arn:
        words.append(f"role {source.role_arn}")
    return ", ".join(words)


def _capitalised(text: str) -> str:
    return (
        text
        if text.startswith(("AWS_", "role_arn", "web_identity", "credential_process"))
        else text[:1].upper() + text[1:]
    )


def long_lived(wanted: Wanted, key: str) -> Finding:
    """Refuse a key that never ends, unless it was insisted on. `key` tells it from others."""
    return unless(
        allowed=wanted.allow_long_lived,
        question="long-lived-key",
        what=f"The key{key} is long-lived: it works until somebody deletes it, without a second factor.",
        why="Whoever copies it has your rights for months. A session ends by itself.",
        next_step="Sign in instead (aws login, aws sso login), or insist: --allow-long-lived",
    )


_NO_REGION: Final = frozenset({"InvalidRegionError", "NoRegionError"})
"""Failures that are about the region and not about the credentials."""
