"""`rolebound watch`: `cdk watch` with credentials that last, and with its silences broken."""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from operator_cli.answers import Failure, FailureKind
from operator_cli.command import Command
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus
from operator_cli.session_arguments import add_session_arguments, wanted_of
from operator_cli.session_check import Operation, Verdict
from operator_cli.watch_supervision import Problem

if TYPE_CHECKING:
    import argparse

    from operator_cli.aws import Aws
    from operator_cli.held_session import HeldSession
    from operator_cli.output import Output
    from operator_cli.watched_session import WatchedSession

DESCRIPTION: Final = """\
Runs `cdk watch` and looks after it. The CDK gets its credentials from here, one renewable session at a time: no key is in
its environment or on the disk. A session that renews itself (SSO, `aws login`, an assumed role, a process) lasts for as
long as its sign-in does. One that cannot is announced with the time that is left; when it ends, the CDK is stopped, and
goes on by itself as soon as there are new credentials of the same account.

`cdk watch` prints nothing when a deployment fails outside CloudFormation. Here, a deployment that was announced and never
reported is named, with the reason that was found. Ctrl-C ends everything that was started.

Arguments that are not its own, and all after two dashes, are for `cdk watch`. Its output passes through as it is, and its
exit status is this command's."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "--check-every",
        type=float,
        default=30,
        metavar="SECONDS",
        help="how often a session that does not say when it ends is tried (30)",
    )
    add_session_arguments(parser)


def run(options: argparse.Namespace, output: Output) -> int:
    """Check the session, then supervise `cdk watch` until it ends or is interrupted."""
    # Slow to import, and `--help` needs none of it.
    from operator_cli import watch_child  # noqa: PLC0415
    from operator_cli.bridge_server import BridgeServer  # noqa: PLC0415
    from operator_cli.held_session import HeldSession  # noqa: PLC0415
    from operator_cli.preflight import examine  # noqa: PLC0415
    from operator_cli.private_directory import private_directory  # noqa: PLC0415
    from operator_cli.session_report import show  # noqa: PLC0415
    from operator_cli.silence_facts import SilenceCheck  # noqa: PLC0415
    from operator_cli.supervised_child import SupervisedChild  # noqa: PLC0415
    from operator_cli.watch_supervision import Limits  # noqa: PLC0415
    from operator_cli.watch_supervisor import Speaker, Supervisor  # noqa: PLC0415
    from operator_cli.watched_session import WatchedSession, unwanted  # noqa: PLC0415

    if output.as_json:
        raise OperatorError(
            "`watch` has no answer that could be JSON.",
            why="It runs until it is interrupted, and passes on what `cdk watch` writes.",
            next_step="Leave --json out. `rolebound check --for watch --json` says what is to be known of the session.",
            status=ExitStatus.WRONG_USAGE,
        )
    project = Path.cwd()
    command = [cdk(project), *watch_child.arguments(options.rest)]
    assembly = watch_child.assembly_folder(options.rest, project)
    wanted = wanted_of(options, Operation.WATCH)
    watched = WatchedSession(
        profile=options.profile,
        environ=output.environ,
        clock=_now,
        ask=_ask_on_terminal if sys.stdin.isatty() and sys.stderr.isatty() else None,
    )
    held = HeldSession(
        fetch=watched.fetch,
        probe=watched.probe,
        unwanted=lambda fetched: unwanted(fetched, wanted),
        traces=watched.traces,
        clock=time.time,
        probe_every=options.check_every,
    )
    held.look()
    examined = examine(
        wanted,
        output.environ,
        clock=_now,
        profile=options.profile,
        assembly=assembly,
        # The session that will be used, and not a second one: a code would be asked for twice.
        connect=lambda _, region: _opened(watched, held, region),
        certain=options.certain,
    )
    fetched = held.fetched
    if examined.status is not ExitStatus.GOOD or fetched is None:
        show(examined, output, command=f"rolebound {shlex.join(sys.argv[1:])}")
        return examined.status or ExitStatus.NO_CREDENTIALS
    for finding in examined.findings:
        if finding.verdict is Verdict.WARNING:
            output.tell(f"rolebound: {finding.what}\n  What to do: {finding.next_step}")
    lasts = "it renews itself" if fetched.session.refreshes else "it cannot renew itself"
    output.tell(f"rolebound: cdk watch runs as {fetched.session.principal} ({fetched.session.source}; {lasts}).")

    with private_directory(output.environ) as directory:
        facts = examined.credentials
        profile = facts.profiles.get(examined.session.resolution.profile, {})
        region = examined.session.region
        watch_child.write_configuration(
            directory,
            region=region,
            endpoint_url=profile.get("endpoint_url"),
            services=facts.services.get(profile.get("services", ""), {}),
        )
        environ = watch_child.environment(output.environ, directory, region=region, chosen=options.region is not None)
        server = BridgeServer(directory / watch_child.SOCKET, held.answer)
        try:
            return Supervisor(
                start=lambda: SupervisedChild(command, environ, stdout=sys.stdout.fileno(), stderr=sys.stderr.fileno()),
                held=held,
                facts=SilenceCheck(held=held, watched=watched, assembly=assembly),
                say=Speaker(output.tell, colours=output.stderr.isatty() and "NO_COLOR" not in output.environ),
                limits=Limits(),
            ).run()
        finally:
            server.close()


def cdk(project: Path) -> str:
    """Give the CDK command line: the project's own, else the one on PATH.

    Raises:
        OperatorError: There is none.
    """
    own = project / "node_modules" / ".bin" / "cdk"
    found = str(own) if own.exists() else shutil.which("cdk")
    if found is None:
        raise OperatorError(
            "The CDK command line (cdk) is neither in node_modules nor on the PATH.",
            why="It is what watches and deploys.",
            next_step="npm install --save-dev aws-cdk (in this project: make synth, which installs it).",
            status=ExitStatus.WRONG_USAGE,
        )
    return found


def _opened(watched: WatchedSession, held: HeldSession, region: str | None) -> Aws | Failure:
    """Give the session in hand, or why there is none."""
    if held.fetched is not None:
        return watched.connect(held.fetched, region)
    if watched.failure is not None:
        return watched.failure
    session = held.session
    what = session.what if isinstance(session, Problem) else "There are no credentials."
    return Failure(kind=FailureKind.NO_CREDENTIALS, code="NoCredentials", what=what)


def _now() -> datetime:
    return datetime.now(UTC)


def _ask_on_terminal(prompt: str) -> str:
    import getpass  # noqa: PLC0415 - only where a profile asks for a code

    return getpass.getpass(f"\nrolebound: {prompt}")


COMMAND: Final = Command(
    name="watch",
    summary="run `cdk watch` with credentials that last, and break its silences",
    description=DESCRIPTION,
    examples=(
        ("rolebound watch --all", "watch every stack with the session that the SDK would take"),
        ("rolebound watch --profile dev --all --hotswap-fallback", "the same with the session of one profile"),
        (
            "rolebound watch --min-minutes 60 Api-Stack",
            "refuse to begin with an exported session that ends within the hour",
        ),
    ),
    configure=configure,
    run=run,
    hands_on=True,
)
