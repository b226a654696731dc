"""`check`: is the session good for what is about to be done."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from operator_cli.command import Command
from operator_cli.preflight.session_arguments import add_assembly_argument, add_session_arguments, wanted_of
from operator_cli.preflight.wanted import Operation

if TYPE_CHECKING:
    import argparse

    from operator_cli.exit_status import ExitStatus
    from operator_cli.output import Output


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--for",
        dest="operation",
        choices=[operation.value for operation in Operation],
        default=Operation.DEPLOY.value,
        metavar="OPERATION",
        help=f"what is about to be done (deploy): {', '.join(Operation)}",
    )
    add_assembly_argument(parser)
    add_session_arguments(parser)


def _run(options: argparse.Namespace, output: Output) -> ExitStatus:
    from operator_cli.preflight.gathering import as_json, examine  # noqa: PLC0415 - `--help` needs none of it
    from operator_cli.preflight.session_report import show  # noqa: PLC0415 - as above

    examined = examine(
        wanted_of(options, Operation(options.operation)),
        output.environ,
        clock=lambda: datetime.now(UTC),
        profile=options.profile,
        assembly=options.assembly,
        certain=options.certain,
    )
    if output.as_json:
        output.json(as_json(examined))
    else:
        show(examined, output, command=f"rolebound {shlex.join(sys.argv[1:])}")
    return examined.status


COMMAND = Command(
    name="check",
    summary="is my session good for this deployment, and will it last",
    description=(
        "Says which credentials would be used and which stay unused, who they are, how long they last, and whether\n"
        "account, region, bootstrap, clock and endpoints fit what is about to be done. It refuses long-lived keys and\n"
        "the root user unless told otherwise, and asks nothing where nothing is needed (synth, unit tests, docs).\n\n"
        "It makes two calls: sts:GetCallerIdentity and, for a deployment, ssm:GetParameter for the version of the CDK's\n"
        "bootstrap; where the stacks go to several regions, one for each, all at the same time. Bootstraps of other\n"
        "accounts than the session's are named and not looked at. A source that has to fetch a session first (SSO, an\n"
        "assumed role) makes its own calls besides."
    ),
    examples=(
        ("rolebound check", "is it good for deploying what is in cdk.out"),
        ("rolebound check --for watch --profile dev --min-minutes 60", "will it last for an hour of work"),
        (
            "rolebound check --account 123456789012 --region eu-central-1 --json",
            "in CI: exit status, and all of it as JSON",
        ),
    ),
    configure=_configure,
    run=_run,
    answer=(
        ("operation", "what it was checked for"),
        ("good", "whether the exit status is 0"),
        ("exit_status", "the exit status"),
        ("session_needed", "whether the operation asks AWS anything"),
        (
            "credentials",
            "the source that boto3 and the AWS command line take, or null: kind, where, profile, kind of key, last four characters of its id, whether it renews itself, when it ends, MFA device, role, the source that it rests on, problems",
        ),
        ("credentials_of_cdk", "the source that the CDK takes, in the same form"),
        ("shadowed", "sources that are there and stay unused"),
        ("profile", "the profile in force"),
        ("profile_from", "what names it: --profile, a variable, or null"),
        (
            "identity",
            "who it is: account, arn, principal, session name, key (kind and last four characters), temporary, root; null if nobody was asked or answered",
        ),
        ("failure", "why nobody answered: kind, AWS's or the SDK's code, words; or null"),
        ("ends_at", "when a person has to act; null if never, or not known"),
        ("minutes_left", "until then"),
        ("renews_itself", "whether new keys come without a person; null if that cannot be told"),
        ("region", "the region in force, or null"),
        ("endpoints", "addresses that replace AWS's own, by what says so"),
        (
            "target",
            "the cloud assembly's folder, accounts, regions, stacks and production stacks; null if there is none",
        ),
        (
            "findings",
            "every answer: question, verdict (good, note, warning, cannot-tell, refused), what, why, next step",
        ),
        ("refused", "the questions whose answer is a refusal"),
        ("cannot_tell", "the questions that have no answer"),
        ("calls", "the requests that were sent, in order"),
    ),
)
