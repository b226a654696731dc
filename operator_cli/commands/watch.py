"""`rolebound watch`: `cdk watch` with credentials that last, and with its silences broken."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Final

from operator_cli.command import Command
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus
from operator_cli.preflight.session_arguments import add_confirmation_argument, add_session_arguments

if TYPE_CHECKING:
    from operator_cli.output import Output

DESCRIPTION: Final = """\
Runs `cdk watch` and looks after it. The CDK gets its credentials from here, one renewable session at a time: no key is in
its environment or on the disk. A session that renews itself (SSO, `aws login`, an assumed role, a process) lasts for as
long as its sign-in does. One that cannot is announced with the time that is left; when it ends, the CDK is stopped, and
goes on by itself as soon as there are new credentials of the same account.

The app is synthesised and the session checked before anything is deployed; production is refused unless that is insisted on.
`cdk watch` prints nothing when a deployment fails outside CloudFormation. Here, a deployment that was announced and never
reported is named, with the reason that was found. Ctrl-C ends everything that was started.

Arguments that are not its own, and all after two dashes, are for `cdk watch`. Its output passes through as it is, and its
exit status is this command's."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--check-every",
        type=_seconds,
        default=30.0,
        metavar="SECONDS",
        help="how often a session that does not say when it ends is tried (30)",
    )
    add_session_arguments(parser)
    add_confirmation_argument(parser)


def _seconds(value: str) -> float:
    if not value.isdecimal() or int(value) < 1:
        raise argparse.ArgumentTypeError(f"{value!r} is no number of seconds")
    return float(value)


def _run(options: argparse.Namespace, output: Output) -> int:
    if os.name != "posix":
        raise OperatorError(
            "`watch` runs on Linux and macOS.",
            why="It hands over credentials by a socket that only this user may open, and ends processes by their session.",
            next_step="Run it in WSL, or use `rolebound deploy` after each change.",
            status=ExitStatus.WRONG_USAGE,
        )
    from operator_cli.watching.supervised_run import run_watch  # noqa: PLC0415 - `--help` needs none of it

    return run_watch(options, output)


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
    configure=_configure,
    run=_run,
    hands_on=True,
    answer=(
        ("check", "what `check --for watch` says of the session that the watch began with"),
        ("told", "what was told while it ran, in order: weight (note, warning, alarm), what, next step"),
        ("exit_status", "the exit status, the CDK's own or one of those above"),
    ),
)
