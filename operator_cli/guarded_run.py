"""Checks a session, asks before production, and only then runs the tool."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from operator_cli.answers import Failure
from operator_cli.cdk_cli import CdkArguments, cdk_command, read_arguments
from operator_cli.credential_facts import gather
from operator_cli.credential_sources import resolve
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus
from operator_cli.handed_session import environment_for, run_tool
from operator_cli.preflight import Examined, as_json, examine
from operator_cli.session_arguments import wanted_of
from operator_cli.session_check import Operation, Verdict, ends_at, hopeless, in_words, renews_itself
from operator_cli.session_report import MARKS, show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from operator_cli.output import Output
    from operator_cli.session_check import Wanted


def run_cdk(operation: Operation, options: argparse.Namespace, output: Output) -> int:
    """Synthesise, check the session against what came out, ask before production, then run the CDK on exactly that.

    Returns:
        The exit status of the CDK, or of the check where that refuses.

    Raises:
        OperatorError: There is no CDK, or production was not confirmed.
    """
    given = read_arguments(options.rest)
    wanted = _wanted(operation, options, given.places)
    cdk = cdk_command(Path.cwd(), output.environ)
    if refused := _hopeless(wanted, options, output):
        return refused
    environ = environment_for(output.environ, profile=options.profile, region=wanted.region)
    by_profile = ["--profile", options.profile] if options.profile else []
    assembly = None
    if not given.places:
        assembly, status = _synthesised([*cdk, "synth", "--quiet", *by_profile], given, environ, output)
        if status != ExitStatus.GOOD:
            return status
    examined = _examine(wanted, options, output, assembly, stacks=given.rest)
    if examined.status != ExitStatus.GOOD:
        return _refuse(examined, output)
    tell_session(examined, output)
    _confirm(examined, options, output)
    app = ["--app", str(assembly)] if assembly is not None else []
    force = ["--force"] if operation is Operation.DESTROY and options.yes and "--force" not in given.rest else []
    command = [*cdk, operation.value, *given.rest, *app, *by_profile, *force]
    return _run(command, environ, examined, output)


def run_program(operation: Operation, command: Sequence[str], options: argparse.Namespace, output: Output) -> int:
    """Check the session, ask before production, then run a program with it.

    Returns:
        The program's exit status, or that of the check where that refuses.

    Raises:
        OperatorError: There is no such program, or production was not confirmed.
    """
    wanted = wanted_of(options, operation)
    examined = _examine(wanted, options, output, options.assembly)
    if examined.status != ExitStatus.GOOD:
        return _refuse(examined, output)
    tell_session(examined, output)
    _confirm(examined, options, output)
    environ = environment_for(output.environ, profile=options.profile, region=wanted.region or examined.session.region)
    return _run(list(command), environ, examined, output)


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


def _wanted(operation: Operation, options: argparse.Namespace, places: tuple[tuple[str, str], ...]) -> Wanted:
    """What is wanted; an `aws://ACCOUNT/REGION` among the arguments says it too."""
    if places and options.account is None and places[0][0] != "*":
        options.account = places[0][0]
    if places and options.region is None and places[0][1] != "*":
        options.region = places[0][1]
    return wanted_of(options, operation)


def _hopeless(wanted: Wanted, options: argparse.Namespace, output: Output) -> int:
    """Refuse before the synthesis where no session is possible; 0 where there is hope."""
    resolution = resolve(gather(output.environ, now=datetime.now(UTC), profile=options.profile))
    if resolution.winner is not None and hopeless(resolution) is None:
        return 0
    return _refuse(_examine(wanted, options, output, None), output)


def _synthesised(synth: list[str], given: CdkArguments, environ: dict[str, str], output: Output) -> tuple[Path, int]:
    """Give the cloud assembly that is going to be deployed, made now unless `--app` names one; and the CDK's exit status."""
    if given.app is not None and Path(given.app).is_dir():
        return Path(given.app), 0
    made = Path(given.output or "cdk.out")
    app = ["--app", given.app] if given.app is not None else []
    command = [*synth, *given.synthesis, *app, "--output", str(made), "--no-notices"]
    return made, run_tool(command, environ, stdout=output.stderr)


def _examine(
    wanted: Wanted, options: argparse.Namespace, output: Output, assembly: Path | None, stacks: Sequence[str] = ()
) -> Examined:
    return examine(
        wanted,
        output.environ,
        clock=lambda: datetime.now(UTC),
        profile=options.profile,
        assembly=assembly,
        stacks=stacks,
        certain=options.certain,
    )


def _refuse(examined: Examined, output: Output) -> int:
    if output.as_json:
        output.json({"check": as_json(examined), "command": None, "exit_status": int(examined.status)})
    else:
        show(examined, output.to_stderr(), command=f"rolebound {shlex.join(sys.argv[1:])}")
    return int(examined.status)


def _confirm(examined: Examined, options: argparse.Namespace, output: Output, read: Callable[[], str] = input) -> None:
    """Ask before anything is done in production; CI answers with `--yes`."""
    assembly = examined.session.assembly
    if assembly is None or not assembly.production or options.yes:
        return
    caller = examined.session.caller
    account = caller.account if caller is not None and not isinstance(caller, Failure) else "unknown"
    where = f"account {account}, {_regions(examined)}"
    if not sys.stdin.isatty():
        raise OperatorError(
            f"{', '.join(assembly.production)} in {where}: this is production, and nobody is there to confirm it.",
            why="What is done there is felt by those who rely on it.",
            next_step="Run it on a terminal, or confirm it beforehand: --yes",
        )
    output.tell(f"Production: {', '.join(assembly.production)} in {where}.")
    output.stderr.write(f"Go on with {examined.wanted.operation}? Type yes: ")
    output.stderr.flush()
    if read().strip().lower() != "yes":
        raise OperatorError(
            f"Not confirmed: {examined.wanted.operation} in {where} was not begun.",
            why="Nothing was changed.",
            next_step="Run it again when it is meant.",
        )


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
        output.json({"check": as_json(examined), "command": command, "exit_status": status})
    return status
