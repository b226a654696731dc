"""`tests`: check the session, then run tests against what is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operator_cli.command import Command
from operator_cli.preflight.session_arguments import (
    add_assembly_argument,
    add_confirmation_argument,
    add_session_arguments,
)

if TYPE_CHECKING:
    import argparse

    from operator_cli.output import Output


def _configure(parser: argparse.ArgumentParser) -> None:
    add_assembly_argument(parser)
    add_session_arguments(parser)
    add_confirmation_argument(parser)


def _run(options: argparse.Namespace, output: Output) -> int:
    from operator_cli.preflight.guarded_run import run_program  # noqa: PLC0415 - `--help` needs none of it
    from operator_cli.preflight.wanted import Operation  # noqa: PLC0415 - as above

    if not options.rest:
        options.parser.error("a command is needed, after --: rolebound tests -- pytest tests/integration")
    return run_program(Operation.TESTS, options.rest, options, output)


COMMAND = Command(
    name="tests",
    summary="check the session, then run tests against what is deployed",
    description=(
        "Checks the session and runs a command with it: by its profile or source, and with the region set, so that\n"
        "what was checked is what the tests take. It asks before it runs them against production.\n"
        "The exit status is the command's once it runs."
    ),
    examples=(
        ("rolebound tests -- pytest tests/integration", "with the session in force"),
        ("rolebound tests --profile dev --min-minutes 30 -- make integration", "with a profile, for half an hour"),
    ),
    configure=_configure,
    run=_run,
    hands_on=True,
)
