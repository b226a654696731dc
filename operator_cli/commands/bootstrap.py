"""`bootstrap`: check the session, then make the CDK's own bucket and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operator_cli.command import Command
from operator_cli.preflight.session_arguments import add_confirmation_argument, add_session_arguments

if TYPE_CHECKING:
    import argparse

    from operator_cli.output import Output


def _configure(parser: argparse.ArgumentParser) -> None:
    add_session_arguments(parser)
    add_confirmation_argument(parser)


def _run(options: argparse.Namespace, output: Output) -> int:
    from operator_cli.preflight.guarded_run import run_cdk  # noqa: PLC0415 - `--help` needs none of it
    from operator_cli.preflight.wanted import Operation  # noqa: PLC0415 - as above

    return run_cdk(Operation.BOOTSTRAP, options, output)


COMMAND = Command(
    name="bootstrap",
    summary="check the session, then make the CDK's own bucket and roles",
    description=(
        "Once per account and region. Without aws://ACCOUNT/REGION the places are those of the stacks, which are\n"
        "synthesised first. All other arguments are the CDK's, as is the exit status once it runs."
    ),
    examples=(
        ("rolebound bootstrap -c region=eu-central-1", "where the stacks go"),
        ("rolebound bootstrap aws://123456789012/eu-central-1", "in a place that is named"),
    ),
    configure=_configure,
    run=_run,
    hands_on=True,
)
