"""Checks a session, asks before production, and only then runs the tool."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from operator_cli.answers import Failure
from operator_cli.credentials.facts import gather
from operator_cli.credentials.sources import resolve
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus
from operator_cli.masking import masked
from operator_cli.moments import in_words
from operator_cli.preflight.cdk_cli import cdk_command, profile_arguments, read_arguments, with_node
from operator_cli.preflight.finding import Verdict
from operator_cli.preflight.gathering import Examined, as_json, examine
from operator_cli.preflight.handed_session import handed_on, run_tool
from operator_cli.preflight.session_arguments import wanted_of
from operator_cli.preflight.session_facts import ends_at, hopeless, renews_itself
from operator_cli.preflight.session_report import MARKS, show
from operator_cli.preflight.synthesis import synthesised
from operator_cli.preflight.wanted import Operation

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from operator_cli.credentials.facts import CredentialFacts
    from operator_cli.output import Output
    from operator_cli.preflight.gathering import Connect
    from operator_cli.preflight.wanted import Wanted


def run_cdk(operation: Operation, options: argparse.Namespace, output: Output) -> int:
    """Synthesise, check the session against what came out, ask before production, then run the CDK on exactly that.

    Returns:
        The exit status of the CDK, or of the check where that refuses.

    Raises:
        OperatorError: There is no CDK, or production was not confirmed.
    """
    given = read_arguments(options.rest)
    if any(word == "--profile" or word.startswith("--profile=") for word in given.rest):
        raise OperatorError(
            "--profile stands among the CDK's own arguments.",
            why="The session would be checked for one profile and used with another.",
            next_step=f"Put it before the two dashes: rolebound {operation} --profile NAME …",
            status=ExitStatus.WRONG_USAGE,
        )
    wanted = _wanted(operation, options, given.places)
    cdk = cdk_command(Path.cwd(), output.environ)
    facts = gather(output.environ, now=datetime.now(UTC), profile=options.profile)
    if _hopeless(facts):
        return _refuse(_examine(wanted, options, output, None), output)
    with handed_on(facts, output.environ, region=wanted.region) as handed:
        if handed.failed:
            return _refuse(_examine(wanted, options, output, None, connect=handed.connect), output)
        assembly = None
        environ = with_node(cdk, handed.environ)
        if not given.places:
            assembly, status = synthesised(cdk, given, environ, profile=handed.profile)
            if status != ExitStatus.GOOD:
                return status
        examined = _examine(wanted, options, output, assembly, stacks=given.rest, connect=handed.connect)
        if examined.status != ExitStatus.GOOD:
            return _refuse(examined, output)
        tell_session(examined, output)
        _confirm(examined, options, output)
        app = ["--app", str(assembly)] if assembly is not None else []
        force = ["--force"] if operation is Operation.DESTROY and options.yes and "--force" not in given.rest else []
        command = [*cdk, operation.value, *given.rest, *app, *profile_arguments(handed.profile), *force]
        return _run(command, environ, examined, output)


def run_program(operation: Operation, command: Sequence[str], options: argparse.Namespace, output: Output) -> int:
    """Check the session, ask before production, then run a program with it.

    Returns:
        The program's exit status, or that of the check where that refuses.

    Raises:
        OperatorError: There is no such program, or production was not confirmed.
    """
    wanted = wanted_of(options, operation)
    facts = gather(output.environ, now=datetime.now(UTC), profile=options.profile)
    with handed_on(facts, output.environ, region=wanted.region) as handed:
        examined = _examine(wanted, options, output, options.assembly, connect=handed.connect)
        if examined.status != ExitStatus.GOOD:
            return _refuse(examined, output)
        tell_session(examined, output)
        _confirm(examined, options, output)
        region = examined.session.region
        # What was checked is where the program looks: boto3 reads the one, other SDKs the other.
        placed = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region} if region else {}
        return _run(list(command), {**handed.environ, **placed}, examined, output)


def tell_session(examined: Examined, output: Output) -> None:
    """Say in one line, on `stderr`, as whom and where it is going to be done, and then what was worth a warning."""
    caller = examined.session.caller
    if caller is None or isinstance(caller, Failure):
        return
    end = ends_at(examined.session)
    if not caller.temporary:
        lasts = "by a key that never expires"
    elif end is not None:
        lasts = f"for another {in_words(end - examined.session.now)}"
    else:
        lasts = "renewing itself" if renews_itself(examined.session) else "with no end known"
    region = _regions(examined)
    output.tell(
        f"rolebound: {examined.wanted.operation} as {caller.principal} in account {caller.account}, {region}; a session {lasts}."
    )
    for finding in examined.findings:
        if finding.verdict in {Verdict.WARNING, Verdict.CANNOT_TELL}:
            output.tell(f"  {MARKS[finding.verdict][0]} {finding.what}")


def confirm_production(
    stacks: Sequence[str], examined: Examined, output: Output, read: Callable[[], str] = input
) -> None:
    """Ask a person, who is told account and region.

    Args:
        stacks: What is touched.
        examined: The session.
        output: Where the question goes.
        read: Reads the answer.

    Raises:
        OperatorError: The answer is not yes, or nobody is there to give one.
    """
    caller = examined.session.caller
    account = caller.account if caller is not None and not isinstance(caller, Failure) else "unknown"
    where = f"account {account}, {_regions(examined)}"
    if not sys.stdin.isatty():
        raise OperatorError(
            f"{', '.join(stacks)} in {where}: this is production, and nobody is there to confirm it.",
            why="What is done there is felt by those who rely on it.",
            next_step="Run it on a terminal, or confirm it beforehand: --yes",
        )
    output.tell(f"Production: {', '.join(stacks)} in {where}.")
    output.stderr.write(f"Go on with {examined.wanted.operation}? Type yes: ")
    output.stderr.flush()
    if read().strip().lower() != "yes":
        raise OperatorError(
            f"Not confirmed: {examined.wanted.operation} in {where} was not begun.",
            why="Nothing was changed.",
            next_step="Run it again when it is meant.",
        )


def _wanted(operation: Operation, options: argparse.Namespace, places: tuple[tuple[str, str], ...]) -> Wanted:
    """What is wanted; an `aws://ACCOUNT/REGION` among the arguments says it too."""
    if places and options.account is None and places[0][0] != "*":
        options.account = places[0][0]
    if places and options.region is None and places[0][1] != "*":
        options.region = places[0][1]
    return wanted_of(options, operation)


def _hopeless(facts: CredentialFacts) -> bool:
    """Whether no session is possible, so that nothing needs to be synthesised or asked."""
    resolution = resolve(facts)
    return resolution.winner is None or hopeless(resolution) is not None


def _examine(
    wanted: Wanted,
    options: argparse.Namespace,
    output: Output,
    assembly: Path | None,
    *,
    stacks: Sequence[str] = (),
    connect: Connect | None = None,
) -> Examined:
    return examine(
        wanted,
        output.environ,
        clock=lambda: datetime.now(UTC),
        profile=options.profile,
        assembly=assembly,
        stacks=stacks,
        connect=connect,
        certain=options.certain,
    )


def _refuse(examined: Examined, output: Output) -> int:
    if output.as_json:
        output.json({"check": as_json(examined), "command": None, "exit_status": int(examined.status)})
    else:
        show(examined, output.to_stderr(), command=f"rolebound {shlex.join(sys.argv[1:])}")
    return int(examined.status)


def _confirm(examined: Examined, options: argparse.Namespace, output: Output) -> None:
    """Ask before anything is done to production stacks; CI answers with `--yes`."""
    assembly = examined.session.assembly
    if assembly is not None and assembly.production and not options.yes:
        confirm_production(assembly.production, examined, output)


def _regions(examined: Examined) -> str:
    assembly = examined.session.assembly
    return ", ".join(assembly.regions if assembly else ()) or str(examined.session.region)


def _run(command: list[str], environ: dict[str, str], examined: Examined, output: Output) -> int:
    try:
        status = run_tool(command, environ, stdout=output.stderr if output.as_json else None)
    except OSError as error:
        raise OperatorError(
            f"{command[0]} could not be started ({error.strerror}).",
            why="The session was checked for it.",
            next_step="Name a program that is installed.",
            status=ExitStatus.WRONG_USAGE,
        ) from error
    if output.as_json:
        shown = [masked(word) for word in command]
        output.json({"check": as_json(examined), "command": shown, "exit_status": status})
    return status
