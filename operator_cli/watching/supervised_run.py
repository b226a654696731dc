"""Checks a session, then supervises `cdk watch` on it."""

from __future__ import annotations

import getpass
import shlex
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from operator_cli.answers import Failure, FailureKind
from operator_cli.bridge import child as watch_child
from operator_cli.bridge.private_directory import private_directory
from operator_cli.bridge.server import BridgeServer
from operator_cli.credentials.facts import gather
from operator_cli.credentials.in_force import region_in_force
from operator_cli.credentials.kinds import Sdk
from operator_cli.credentials.sources import resolve
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus
from operator_cli.preflight.cdk_cli import cdk_command, read_arguments, with_node
from operator_cli.preflight.gathering import as_json, examine
from operator_cli.preflight.guarded_run import tell_session
from operator_cli.preflight.session_arguments import wanted_of
from operator_cli.preflight.session_report import show
from operator_cli.preflight.synthesis import synthesised
from operator_cli.preflight.wanted import Operation
from operator_cli.watching.held_session import HeldSession
from operator_cli.watching.silence_facts import SilenceCheck
from operator_cli.watching.supervised_child import SupervisedChild
from operator_cli.watching.supervision import SIGNAL_STATUS, Limits, Problem
from operator_cli.watching.supervisor import Speaker, Supervisor, Told
from operator_cli.watching.watched_session import WatchedSession, unwanted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from operator_cli.aws import Aws
    from operator_cli.credentials.facts import CredentialFacts
    from operator_cli.output import Output
    from operator_cli.preflight.gathering import Examined


def run_watch(options: argparse.Namespace, output: Output) -> int:
    """Check the session, then supervise `cdk watch` until it ends or is interrupted.

    Returns:
        The exit status of the CDK, 128 and the signal's number after a signal, or the status of the check where that refuses.

    Raises:
        OperatorError: It was asked for in a way that cannot be done.
    """
    project = Path.cwd()
    cdk = cdk_command(project, output.environ)
    arguments = watch_child.arguments(options.rest)
    wanted = wanted_of(options, Operation.WATCH)
    facts = gather(output.environ, now=_now(), profile=options.profile)
    watched = WatchedSession(
        profile=options.profile,
        environ=output.environ,
        clock=_now,
        ask=_ask if sys.stdin.isatty() and output.stderr.isatty() else None,
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

    def examined(assembly: Path | None) -> Examined:
        return examine(
            wanted,
            output.environ,
            clock=_now,
            profile=options.profile,
            assembly=assembly,
            # The session that will be used, and not a second one: a code would be asked for twice.
            connect=lambda _, region: _opened(watched, held, region),
            certain=options.certain,
        )

    if held.fetched is None:
        return _refused(examined(None), output)
    with _bridge(held, facts, output, region=options.region) as handed:
        environ = with_node(cdk, handed)
        # `cdk watch` synthesises by itself, and would not say where to before it deploys there.
        given = read_arguments(options.rest)
        assembly, status = synthesised(cdk, given, environ, profile=watch_child.PROFILE)
        if status >= SIGNAL_STATUS:
            return status
        judged = examined(assembly if status == ExitStatus.GOOD else None)
        if judged.status != ExitStatus.GOOD:
            return _refused(judged, output)
        _refuse_production(judged, insists=options.yes)
        tell_session(judged, output)
        told = Told(Speaker(output.alarm, colours=output.stderr.isatty() and "NO_COLOR" not in output.environ))
        # What was asked for as JSON has the standard output for itself.
        stdout = output.stderr if output.as_json else output.stdout
        status = Supervisor(
            start=lambda: SupervisedChild(
                [*cdk, *arguments], environ, stdout=stdout.fileno(), stderr=output.stderr.fileno()
            ),
            held=held,
            facts=SilenceCheck(held=held, watched=watched, assembly=watch_child.assembly_folder(given.output, project)),
            say=told,
            limits=Limits(),
        ).run()
    if output.as_json:
        output.json({"check": as_json(judged), "told": told.as_json(), "exit_status": status})
    return status


@contextmanager
def _bridge(
    held: HeldSession, facts: CredentialFacts, output: Output, *, region: str | None
) -> Iterator[dict[str, str]]:
    """Answer the child's questions for credentials until the block ends; its environment."""
    with private_directory(output.environ) as directory:
        in_force = region or region_in_force(facts, Sdk.CDK)
        profile = facts.profiles.get(resolve(facts).profile, {})
        watch_child.write_configuration(
            directory,
            region=in_force,
            endpoint_url=profile.get("endpoint_url"),
            services=facts.services.get(profile.get("services", ""), {}),
        )
        server = BridgeServer(directory / watch_child.SOCKET, held.answer)
        try:
            yield watch_child.environment(output.environ, directory, region=in_force, chosen=region is not None)
        finally:
            server.close()


def _refused(examined: Examined, output: Output) -> int:
    """Say why there is nothing to watch with; the exit status."""
    status = int(examined.status or ExitStatus.NO_CREDENTIALS)
    if output.as_json:
        output.json({"check": as_json(examined), "told": [], "exit_status": status})
        return status
    show(examined, output.to_stderr(), command=f"rolebound {shlex.join(sys.argv[1:])}")
    return status


def _refuse_production(examined: Examined, *, insists: bool) -> None:
    """Refuse to deploy production at each save, unless that is insisted on."""
    assembly = examined.session.assembly
    if assembly is None or not assembly.production or insists:
        return
    raise OperatorError(
        f"{', '.join(assembly.production)} (in {assembly.path}): this is production.",
        why="cdk watch deploys each saved file unasked, and hot-swapping leaves what CloudFormation does not know.",
        next_step="Watch an environment of your own (-c environment=dev), or insist: --yes",
    )


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


def _ask(prompt: str) -> str:
    # The bell, because nobody may be looking: it is asked again before each session's end.
    return getpass.getpass(f"\a\nrolebound: {prompt}")
