"""`logs`: check the session, then show what a function wrote."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from operator_cli.command import Command
from operator_cli.preflight.session_arguments import add_assembly_argument, add_session_arguments

if TYPE_CHECKING:
    from operator_cli.output import Output


def _span(value: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", value)
    if found is None:
        raise argparse.ArgumentTypeError(f"{value!r} is no span of time such as 30s, 10m, 2h or 7d")
    return (
        int(found[1])
        * {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[
            found[2]
        ]
    )


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="FUNCTION", help="a function's name, or a log group's (it begins with /)")
    parser.add_argument(
        "--since", metavar="SPAN", type=_span, default=_span("10m"), help="how far back: 30s, 10m, 2h, 7d (10m)"
    )
    parser.add_argument("--follow", action="store_true", help="go on with new lines until Ctrl-C")
    add_assembly_argument(parser)
    add_session_arguments(parser)


def _run(options: argparse.Namespace, output: Output) -> int:
    from operator_cli.preflight.log_reading import read_logs  # noqa: PLC0415 - `--help` needs none of it

    return read_logs(options, output)


COMMAND = Command(
    name="logs",
    summary="check the session, then show what a function wrote",
    description=(
        "Checks the session, then prints the lines of the function's log group, oldest first, with the same session; what looks\n"
        "like a secret in them is masked. With --follow it goes on with new lines; it ends with status 4 when the session does, and says so."
    ),
    examples=(
        ("rolebound logs rolebound-dev-api", "the last ten minutes"),
        ("rolebound logs rolebound-dev-worker --since 2h --follow --profile dev", "two hours back, and on from there"),
        ("rolebound logs /aws/lambda/rolebound-dev-api --json", "as one JSON document"),
    ),
    configure=_configure,
    run=_run,
)
