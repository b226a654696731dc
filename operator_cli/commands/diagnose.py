"""`rolebound diagnose FUNCTION`: why does my Lambda function get InvalidClientTokenId, a time-out, AccessDenied?"""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from operator_cli.command import Command
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from rich.text import Text

    from operator_cli.answers import Failure
    from operator_cli.aws import Aws
    from operator_cli.diagnosis.conclusion import Diagnosis
    from operator_cli.diagnosis.deployed_function import Facts
    from operator_cli.diagnosis.permissions import May
    from operator_cli.output import Output

_COLOURS: Final[Mapping[str, str]] = {"certain": "bold red", "likely": "red", "possible": "yellow"}


class Asked(Protocol):
    """What answers the questions: AWS, through `operator_cli.aws.Questions`."""

    def __call__(self, service: str, operation: str, parameters: Mapping[str, Any], /) -> Mapping[str, Any] | Failure:
        """Answer one question."""
        ...

    def archive(self, address: str, /) -> bytes | Failure:
        """Give the archive behind an address that Lambda gave."""
        ...


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "function",
        nargs="?",
        metavar="FUNCTION",
        help="the function's name or ARN, with a version or an alias or without",
    )
    parser.add_argument("--profile", help="the profile to ask with; what the SDK finds by itself if not given")
    parser.add_argument(
        "--region", help="where the function is; if not given the ARN's, that of AWS_REGION, or the SDK's own"
    )
    parser.add_argument(
        "--permissions", action="store_true", help="ask nothing; print the policy that lets somebody run this command"
    )


def _run(options: argparse.Namespace, output: Output) -> ExitStatus:
    from operator_cli.diagnosis import deployed_function  # noqa: PLC0415 - `--help` needs none of it

    if options.permissions:
        output.json(deployed_function.permissions(options.function or "*"))
        return ExitStatus.GOOD
    if not options.function:
        raise OperatorError(
            "No function is named.",
            why="There is nothing to diagnose.",
            next_step="Run `rolebound diagnose FUNCTION`, with the function's name or ARN.",
            status=ExitStatus.WRONG_USAGE,
        )
    begin = time.monotonic()
    region = options.region or _named_region(options.function, output)
    questions = _connected(options.function, options.profile, region).questions()
    diagnosis = examine(questions, options.function)
    seconds = time.monotonic() - begin
    if output.as_json:
        from operator_cli.diagnosis.conclusion import as_json  # noqa: PLC0415 - as above

        output.json({**as_json(diagnosis), "aws_calls": questions.asked, "seconds": round(seconds, 2)})
    else:
        tell(diagnosis, output)
        output.say(f"{questions.asked} questions to AWS, {seconds:.1f} s.")
    return ExitStatus.GOOD if diagnosis.is_healthy else ExitStatus.REFUSED


def examine(questions: Asked, function: str) -> Diagnosis:
    """Read a function and find the causes.

    Raises:
        OperatorError: It cannot be read at all.
    """
    from operator_cli.answers import Failure  # noqa: PLC0415 - `--help` needs none of it
    from operator_cli.diagnosis.as_template import template_of  # noqa: PLC0415 - as above
    from operator_cli.diagnosis.deployed_function import gather  # noqa: PLC0415 - as above
    from operator_cli.diagnosis.examination import conclude  # noqa: PLC0415 - as above
    from operator_cli.rule_checks.function_judgement import judge_function  # noqa: PLC0415 - as above
    from operator_cli.rule_checks.role_permission import permission  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory(prefix="rolebound-diagnose-") as scratch:
        facts = gather(questions, questions.archive, function, Path(scratch))
        if isinstance(facts, Failure):
            raise _unreadable(function, facts)
        folders = [*([facts.code] if facts.code is not None else []), *facts.layers]
        judgement = judge_function(template_of(facts), facts.arn, folders)

    def judge(facts: Facts) -> May:
        return partial(permission, facts, judgement)

    return conclude(questions, facts, judgement, judge)


def _named_region(function: str, output: Output) -> str | None:
    """Give the region that the ARN or, as for the CDK's commands, AWS_REGION names; `None` leaves it to the SDK."""
    parts = function.split(":")
    if parts[0] == "arn" and len(parts) > 3:  # noqa: PLR2004 - an ARN's fourth part
        return parts[3]
    region = output.environ.get("AWS_REGION")
    if region and region != output.environ.get("AWS_DEFAULT_REGION"):
        output.tell(f"Region {region}, from AWS_REGION (boto3 itself reads only AWS_DEFAULT_REGION and the profile).")
    return region or None


def _connected(function: str, profile: str | None, region: str | None) -> Aws:
    from operator_cli import aws  # noqa: PLC0415 - `--help` needs no SDK

    found = aws.connect(profile=profile, region=region)
    if isinstance(found, aws.Failure):
        raise _unreadable(function, found)
    if not found.region:
        raise OperatorError(
            "No region is known.",
            why="A function is found in its region only.",
            next_step="Name it with --region, or give the function's ARN.",
            status=ExitStatus.WRONG_PLACE,
        )
    return found


def _unreadable(function: str, failure: Failure) -> OperatorError:
    from operator_cli.answers import FailureKind  # noqa: PLC0415 - `--help` needs none of it

    kind = failure.kind
    if kind is FailureKind.NOT_FOUND:
        return OperatorError(
            f"There is no function '{function}' there.",
            why="Names hold in one region of one account only.",
            next_step="Check the name with `aws lambda list-functions`, or give --region, --profile or the ARN.",
            status=ExitStatus.WRONG_PLACE,
        )
    if kind is FailureKind.DENIED:
        return OperatorError(
            f"The function '{function}' may not be read with these credentials ({failure.code}).",
            why="Without its configuration nothing about it can be told.",
            next_step=f"Ask for the permissions that `rolebound diagnose --permissions {function}` prints.",
        )
    statuses = {
        FailureKind.NO_CREDENTIALS: ExitStatus.NO_CREDENTIALS,
        FailureKind.INVALID: ExitStatus.NO_CREDENTIALS,
        FailureKind.CONFIGURATION: ExitStatus.NO_CREDENTIALS,
        FailureKind.EXPIRED: ExitStatus.EXPIRED,
        FailureKind.CLOCK: ExitStatus.EXPIRED,
    }
    return OperatorError(
        f"The function '{function}' could not be read: {failure.what}",
        why="Without its configuration nothing about it can be told.",
        next_step="Run `rolebound check` to see which credentials are used and what is wrong with them.",
        status=statuses.get(kind, ExitStatus.REFUSED),
    )


# --- words --------------------------------------------------------------------------------------------------------


def tell(diagnosis: Diagnosis, output: Output) -> None:
    """Print a diagnosis for a person."""
    from rich.text import Text  # noqa: PLC0415 - JSON needs none of it

    page = _Page(output)
    page.line(Text(diagnosis.function, style="bold"))
    if diagnosis.is_healthy:
        page.line(
            Text(
                "Nothing wrong: it signs as its role, its calls arrive, and neither the role's policies nor those of the queues,"
                " tables and buckets that it calls stop them.",
                style="green",
            )
        )
    if diagnosis.is_another_matter:
        said = (
            "Nothing wrong with credentials, network path or permissions, as far as they were read. The log's last errors are"
            " of another kind."
        )
        page.line(Text(said, style="yellow"))
    for number, cause in enumerate(diagnosis.causes, start=1):
        likelihood = (cause.likelihood.value, _COLOURS[cause.likelihood.value])
        page.line()
        page.line(Text.assemble(f"{number}. ", (cause.slug.value, "bold"), "  ", likelihood))
        page.line(Text(cause.what), indent=3)
        for line in cause.evidence:
            page.field("evidence", Text(line))
        page.field("do next", Text(cause.fix, style="bold"))
    if diagnosis.doubts:
        page.line()
        page.line(Text("Cannot tell", style="bold yellow"))
        for doubt in diagnosis.doubts:
            needs = f" Needs {doubt.permission}." if doubt.permission else ""
            page.field("?", Text(f"{doubt.what}{needs}"))
    for note in diagnosis.notes:
        page.line()
        page.line(Text(note, style="dim"))
    page.line()


class _Page:
    """Lines on a console: wrapped within their column on a terminal, one line each in a file."""

    _WIDTH: Final = 8
    """Of the longest name of a field."""

    def __init__(self, output: Output) -> None:
        self._console = output.console()

    def line(self, text: Text | None = None, *, indent: int = 0) -> None:
        from rich.padding import Padding  # noqa: PLC0415 - JSON needs none of it
        from rich.text import Text  # noqa: PLC0415 - as above

        shown = text or Text()
        if self._console.is_terminal and indent:
            self._console.print(Padding(shown, (0, 0, 0, indent)))
        else:
            self._console.print(Text.assemble(" " * indent, shown))

    def field(self, name: str, text: Text) -> None:
        from rich.table import Table  # noqa: PLC0415 - JSON needs none of it
        from rich.text import Text  # noqa: PLC0415 - as above

        if not self._console.is_terminal:
            self._console.print(Text.assemble(f"   {name:<{self._WIDTH}}  ", text))
            return
        row = Table.grid(padding=(0, 2, 0, 0))
        row.add_column(width=1)
        row.add_column(width=self._WIDTH, style="dim")
        row.add_column(overflow="fold")
        row.add_row("", name, text)
        self._console.print(row)


COMMAND: Final = Command(
    name="diagnose",
    summary="why a Lambda function gets InvalidClientTokenId, a time-out or AccessDenied",
    description=(
        "Reads a deployed function and what decides whether its calls to AWS succeed: its variables, code, role, network and"
        " last errors, and the policies of the queues, tables and buckets that it calls and of the keys that encrypt them. Prints the causes, the likeliest first, each with what shows it and what to do. It changes"
        " nothing, and shows no value of a variable. What it may not read it names, with the permission that it lacks.\n\n"
        "Exit status 0: nothing is wrong, and all of it could be told. 1: a cause or a doubt is named, also where the log's"
        " errors are no matter of credentials (not-a-credential-matter).\n\n"
        "The JSON document holds: function, healthy, causes (slug, likelihood: certain, likely or possible, what, evidence,"
        " fix, sources), cannot_tell (what, permission or null), errors of the log (code, kind, operation or null, times,"
        " last), notes, aws_calls, seconds."
    ),
    examples=(
        ("rolebound diagnose events-api", "the function of that name, in the SDK's own account and region"),
        ("rolebound diagnose arn:aws:lambda:eu-west-1:123456789012:function:events-api", "in the ARN's region"),
        ("rolebound diagnose events-api:live", "the version that the alias stands for, and the log of that version"),
        ("rolebound diagnose events-api --json", "the same as one JSON document"),
        ("rolebound diagnose --permissions events-api", "the policy that lets somebody run the first example"),
    ),
    configure=_configure,
    run=_run,
)
