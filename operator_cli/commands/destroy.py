"""`destroy`: check the session against what is synthesised, then `cdk destroy` exactly that."""

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

    return run_cdk(Operation.DESTROY, options, output)


COMMAND = Command(
    name="destroy",
    summary="check the session, then delete stacks with the CDK",
    description=(
        "Synthesises, checks the session against what came out, asks before production, and has the project's own CDK\n"
        "command line delete it. The CDK asks once more, unless --yes or --force is given. All other arguments are the\n"
        "CDK's, as is the exit status once it runs."
    ),
    examples=(
        ("rolebound destroy --all", "every stack, after the CDK's own question"),
        ("rolebound destroy --yes Rolebound-dev-Api", "one stack, without a question"),
    ),
    configure=_configure,
    run=_run,
    hands_on=True,
)
