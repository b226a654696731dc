"""`deploy`: check the session against what is synthesised, then `cdk deploy` exactly that."""

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

    return run_cdk(Operation.DEPLOY, options, output)


COMMAND = Command(
    name="deploy",
    summary="check the session, then deploy with the CDK",
    description=(
        "Synthesises, checks the session against what came out (account, region, bootstrap, lifetime), asks before\n"
        "production, and has the project's own CDK command line deploy exactly that. All other arguments are the\n"
        "CDK's, as is the exit status once it runs; what is refused before has the statuses below.\n"
        "The session is handed on as its profile or source, never as keys on a command line; where a profile asks for the\n"
        "code of an MFA device, one code serves all of it."
    ),
    examples=(
        ("rolebound deploy --all", "every stack, with the session in force"),
        (
            "rolebound deploy --profile dev Rolebound-dev-Api -c region=eu-central-1",
            "one stack, with a profile and a setting",
        ),
        ("rolebound deploy --yes --all --require-approval never -c environment=prod", "production, from CI"),
    ),
    configure=_configure,
    run=_run,
    hands_on=True,
)
