"""Gathers what a check needs, with one call of its own and one for each bootstrap, and has it judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from operator_cli.answers import Failure, FailureKind
from operator_cli.credentials.facts import gather
from operator_cli.credentials.in_force import endpoint_overrides, region_in_force
from operator_cli.credentials.kinds import Sdk, Source
from operator_cli.credentials.sources import resolve
from operator_cli.masking import masked
from operator_cli.preflight.cloud_assembly import bootstrap_needs, read_assembly, selected
from operator_cli.preflight.finding import Verdict, exit_status
from operator_cli.preflight.session_check import judge
from operator_cli.preflight.session_facts import SessionFacts, ends_at, hopeless, renews_itself
from operator_cli.preflight.session_prompt import Prompt, prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from operator_cli.aws import Aws
    from operator_cli.credentials.facts import CredentialFacts
    from operator_cli.exit_status import ExitStatus
    from operator_cli.preflight.finding import Finding
    from operator_cli.preflight.wanted import Wanted

    Connect = Callable[[str | None, str | None], Aws | Failure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A session, looked at for one operation.

    Attributes:
        wanted: What it was looked at for.
        credentials: What the machine says.
        session: What is known of the session.
        findings: The answers.
        calls: The requests that were sent, those for new credentials included.
        certain: Whether what cannot be told is refused.
    """

    wanted: Wanted
    credentials: CredentialFacts
    session: SessionFacts
    findings: tuple[Finding, ...]
    calls: tuple[str, ...]
    certain: bool = False

    @property
    def status(self) -> ExitStatus:
        """What the findings amount to."""
        return exit_status(self.findings, certain=self.certain)

    def prompt(self, command: str) -> Prompt:
        """Give what a person without a session is told, who typed that command; what is secret in it is not repeated."""
        return prompt(
            self.wanted,
            self.credentials,
            self.session.assembly,
            region=self.session.region,
            command=masked(command),
        )


def examine(
    wanted: Wanted,
    environ: Mapping[str, str],
    *,
    clock: Callable[[], datetime],
    profile: str | None = None,
    assembly: Path | None = None,
    stacks: Sequence[str] = (),
    connect: Connect | None = None,
    certain: bool = False,
) -> Examined:
    """Look at the session that the operation would use.

    Nothing is asked where nothing is needed; AWS is not asked where no answer is possible; else STS once, and, for a
    deployment, the version of each bootstrap in the session's account, all at once.

    Args:
        wanted: What it is wanted for.
        environ: The process environment.
        clock: This machine's time.
        profile: The profile that was named.
        assembly: Folder of the cloud assembly.
        stacks: A command line that may name stacks of it: then only they count.
        connect: Opens a session by profile and region; the door to AWS if not given.
        certain: Whether what cannot be told is refused.

    Raises:
        OperatorError: The assembly cannot be understood.
    """
    facts = gather(environ, now=clock(), profile=profile)
    read = read_assembly(assembly) if assembly is not None else None
    read = selected(read, stacks) if read is not None else None
    resolution = resolve(facts, Sdk.BOTO3)
    session = SessionFacts(
        now=facts.now,
        resolution=resolution,
        cdk_resolution=resolve(facts, Sdk.CDK),
        region=_region(wanted, facts, read.regions if read else ()),
        assembly=read,
        endpoints=endpoint_overrides(facts, resolution.profile),
    )
    calls: tuple[str, ...] = ()
    if wanted.operation.needs_session and resolution.winner is not None and hopeless(resolution) is None:
        session, calls = _asked(wanted, session, profile, clock, connect or connect_to_aws)
    return Examined(
        wanted=wanted,
        credentials=facts,
        session=session,
        findings=judge(wanted, session),
        calls=calls,
        certain=certain,
    )


def as_json(examined: Examined) -> dict[str, Any]:
    """Give everything that was found, for programs."""
    session, wanted = examined.session, examined.wanted
    caller = session.caller
    end = ends_at(session)
    assembly = session.assembly
    return {
        "operation": wanted.operation.value,
        "good": examined.status == 0,
        "exit_status": int(examined.status),
        "session_needed": wanted.operation.needs_session,
        "credentials": _source_as_json(session.resolution.winner),
        "credentials_of_cdk": _source_as_json(session.cdk_resolution.winner),
        "shadowed": [_source_as_json(source) for source in session.resolution.shadowed],
        "profile": session.resolution.profile,
        "profile_from": session.resolution.profile_from,
        "identity": None
        if caller is None or isinstance(caller, Failure)
        else {
            "account": caller.account,
            "arn": caller.arn,
            "principal": caller.principal,
            "session_name": caller.session_name,
            "key": caller.key_id,
            "temporary": caller.temporary,
            "root": caller.is_root,
        },
        "failure": {"kind": caller.kind.value, "code": caller.code, "what": caller.what}
        if isinstance(caller, Failure)
        else None,
        "ends_at": end.isoformat() if end else None,
        "minutes_left": int((end - session.now).total_seconds() // 60) if end else None,
        "renews_itself": renews_itself(session),
        "region": session.region,
        "endpoints": dict(session.endpoints),
        "target": None
        if assembly is None
        else {
            "assembly": str(assembly.path),
            "accounts": list(assembly.accounts),
            "regions": list(assembly.regions),
            "production": list(assembly.production),
            "stacks": [stack.name for stack in assembly.stacks],
        },
        "findings": [
            {
                "question": finding.question,
                "verdict": finding.verdict.value,
                "what": finding.what,
                "why": finding.why or None,
                "next_step": finding.next_step or None,
            }
            for finding in examined.findings
        ],
        "refused": [finding.question for finding in examined.findings if finding.verdict is Verdict.REFUSED],
        "cannot_tell": [finding.question for finding in examined.findings if finding.verdict is Verdict.CANNOT_TELL],
        "calls": list(examined.calls),
    }


def _asked(
    wanted: Wanted, session: SessionFacts, profile: str | None, clock: Callable[[], datetime], connect: Connect
) -> tuple[SessionFacts, tuple[str, ...]]:
    """Ask who it is, and, where that went well and matters, for the bootstraps that the stacks need."""
    aws = connect(profile, session.region)
    if isinstance(aws, Failure):
        return replace(session, caller=aws), ()
    caller = aws.caller(clock)
    session = replace(session, caller=caller)
    if not isinstance(caller, Failure) and wanted.operation.needs_bootstrap and session.assembly is not None:
        # In the wrong account the answer would be about the wrong bootstrap.
        is_right = wanted.account == caller.account or (
            wanted.account is None and session.assembly.accounts in {(), (caller.account,)}
        )
        needs = bootstrap_needs(session.assembly, account=caller.account, region=session.region) if is_right else ()
        ours = [bootstrap for bootstrap in needs if bootstrap.account == caller.account]
        answers = aws.parameters([(one.region, one.parameter) for one in ours])
        session = replace(session, bootstrap=dict(zip(ours, map(_version, answers), strict=True)))
    return session, tuple(aws.calls.made)


def _version(answer: str | Failure) -> int | Failure:
    if isinstance(answer, Failure):
        return answer
    try:
        return int(answer)
    except ValueError:
        return Failure(kind=FailureKind.OTHER, code="NotANumber", what="The bootstrap's version is no number.")


def _region(wanted: Wanted, facts: CredentialFacts, targets: tuple[str, ...]) -> str | None:
    """The region in force: the one that was asked for, or the SDK's; for what is not the CDK's, else the target's only one."""
    # The log is read by ourselves, and there AWS_REGION counts as it does for a deployment.
    as_cdk = wanted.operation.by_cdk or wanted.operation == "logs"
    own = wanted.region or region_in_force(facts, Sdk.CDK if as_cdk else Sdk.BOTO3)
    return own or (targets[0] if len(targets) == 1 else None)


def _source_as_json(source: Source | None) -> dict[str, Any] | None:
    if source is None:
        return None
    return {
        "kind": source.kind.value,
        "where": source.where,
        "profile": source.profile,
        "key": source.key.value,
        "key_id_end": source.key_id_end,
        "renews_itself": source.refreshes,
        "ends_at": source.expires_at.isoformat() if source.expires_at else None,
        "mfa_serial": source.mfa_serial,
        "role_arn": source.role_arn,
        "basis": _source_as_json(source.basis),
        "problems": [{"trouble": problem.trouble.value, "what": problem.what} for problem in source.problems],
    }


def connect_to_aws(profile: str | None, region: str | None) -> Aws | Failure:
    """Open a session by the SDK's own order; an MFA code is asked for on a terminal only."""
    import sys  # noqa: PLC0415 - beside its one use

    from operator_cli import aws  # noqa: PLC0415 - the SDK is loaded only where it is asked something

    if sys.stdin.isatty() and sys.stderr.isatty():
        return aws.connect(profile=profile, region=region)
    return aws.connect(profile=profile, region=region, ask=None)
