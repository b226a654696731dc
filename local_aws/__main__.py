"""`python -m local_aws up|down|status|logs|env|watch|incident`: what the Makefile's local commands call, and three more."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local_aws import emulator, environment, locks, outputs, up
from local_aws.cdk import Cdk
from local_aws.cloud import Cloud
from local_aws.emulator import State
from local_aws.errors import LocalAwsError
from local_aws.incident import ROLE_ONLY, function_name, report, run
from local_aws.places import Places

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG_LINES = 60
WAITING = "Another command is changing this local AWS; waiting until it is done (Ctrl-C to give up) …"


def show(line: str) -> None:
    """Print a line at once, also into a pipe. A reader that has gone away (`| head`) does not end the work."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def bring_up(places: Places) -> int:
    """Bring local AWS up and say how to use it."""
    deployed = up.bring_up(places, show)
    show(
        f"\nLocal AWS is up at {deployed.endpoint_url} (pid {deployed.emulator_pid}), with IAM and TLS enforced.\n"
        f"  API      {deployed.api_url}\n"
        f"  tenant   {deployed.tenant}\n"
        f"  API key  {deployed.api_key}\n"
        f"  for programs: {places.shown(places.outputs)}\n\n"
        f"Try it:\n\n{up.curl_lines(deployed)}\n\n"
        "`make up` again updates it, `make down` stops it."
    )
    return 0


def watch(places: Places) -> int:
    """Deploy changes to local AWS as they are saved, until Ctrl-C."""
    record = _running(places)
    variables = environment.for_clients(places, record.port, os.environ)
    with environment.only(variables):
        return Cdk(places, variables, show).watch(context=up.CONTEXT)


def show_incident(places: Places) -> int:
    """Show the incident and its cure; 0 if both are as they should be."""
    seed, role_only = run.run(places, show)
    show(f"\n{report.render(seed, role_only)}")
    wrong = report.differences(seed, role_only, role_only_role=function_name(ROLE_ONLY))
    if wrong:
        found = "\n    ".join(wrong)
        raise LocalAwsError(
            f"The incident was not reproduced, or not cured:\n    {found}",
            why="The report above is not the story that the README tells.",
            next_step="If role_clients.py or the emulator's version changed, look there first; then `make incident`.",
            log=places.emulator_log,
        )
    return 0


def take_down(places: Places) -> int:
    """Stop what `up` started."""
    stopped = emulator.stop(places)
    # Its key and URL lead nowhere now.
    places.outputs.unlink(missing_ok=True)
    show("Local AWS is stopped; what it held is gone." if stopped else "Local AWS is not running: nothing to stop.")
    return 0


def tell_status(places: Places) -> int:
    """Say whether local AWS runs; 0 if it does and the application is deployed, else 1."""
    found, record = emulator.state(places)
    where = places.shown(places.directory)
    deployed = outputs.read(places.outputs)
    if found is not State.RUNNING or record is None:
        show(f"Local AWS in {where}: {found.value}. `make up` starts it.")
        return 1
    show(f"Local AWS in {where}: {found.value} (pid {record.pid}, port {record.port}).")
    if deployed is None:
        show("The application is not deployed. `make up` deploys it.")
        return 1
    show(f"API: {deployed.api_url}")
    return 0


def tell_logs(places: Places) -> int:
    """Print the last lines that the functions wrote."""
    record = _running(places)
    with environment.only(environment.for_clients(places, record.port, os.environ)):
        lines = Cloud().function_log(at_most=LOG_LINES)
    for line in lines:
        moment = datetime.fromtimestamp(line.timestamp / 1000, tz=UTC)
        show(f"{moment:%H:%M:%S}  {line.group.rpartition('/')[2]}  {line.text}")
    return 0


def tell_variables(places: Places) -> int:
    """Print what a shell has to set so that its programs take this local AWS for AWS."""
    variables = environment.for_clients(places, _running(places).port, {})
    for name in sorted(variables):
        if name.startswith("AWS_") or name == "NODE_EXTRA_CA_CERTS":
            show(f"export {name}={shlex.quote(variables[name])}")
    # A proxy of the shell's would be asked for `localhost` too.
    show("export NO_PROXY=localhost no_proxy=localhost")
    show("unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN")
    return 0


def _running(places: Places) -> emulator.Record:
    """What runs and answers; an error if nothing does."""
    found, record = emulator.state(places)
    if found is not State.RUNNING or record is None:
        raise LocalAwsError(
            f"Local AWS is not running: {found.value}.",
            why="This command works on a local AWS that is up.",
            next_step="Run `make up`.",
            log=places.emulator_log if places.emulator_log.exists() else None,
        )
    return record


ONE_AT_A_TIME = {"up": bring_up, "down": take_down, "incident": show_incident}
AT_ANY_TIME = {"status": tell_status, "logs": tell_logs, "env": tell_variables, "watch": watch}
"""The commands by name. `watch` runs for hours: `down` must not have to wait for it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 if it did what it says, 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m local_aws", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start local AWS, deploy, send one event through the application")
    commands.add_parser("down", help="stop local AWS; what it held is gone")
    commands.add_parser("watch", help="deploy changes to local AWS as they are saved (Ctrl-C ends it)")
    commands.add_parser("incident", help="show the InvalidClientTokenId incident and its cure")
    commands.add_parser("status", help="say whether local AWS runs (exit 0) or not (exit 1)")
    commands.add_parser("logs", help="print the last lines that the functions wrote")
    commands.add_parser("env", help='print what a shell sets to work on local AWS: eval "$(python -m local_aws env)"')
    command = parser.parse_args(arguments).command
    places = Places.from_environment(os.environ)
    try:
        if command in AT_ANY_TIME:
            return AT_ANY_TIME[command](places)
        with locks.held(places.command_lock, on_wait=lambda: show(WAITING)):
            return ONE_AT_A_TIME[command](places)
    except LocalAwsError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):
            print("\nInterrupted. The same command goes on where this one stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
