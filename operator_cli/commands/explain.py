"""`rolebound explain`: why was I denied?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from operator_cli.command import Command
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    import argparse

    from operator_cli.denials.explanation import Explanation
    from operator_cli.output import Output

_LARGEST: Final = 8_000_000
"""Bytes; a log of this size is read in a few seconds."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        nargs="*",
        metavar="FILE | - | TEXT",
        help="a file with the text, - for standard input (also where nothing is given), or the text itself",
    )
    parser.add_argument(
        "--resource", metavar="ARN", help="the resource that the call was made on, for messages that do not name it"
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="with --json: every distinct error with its cause, who acts, CDK code and request, not just the main one",
    )


def _run(options: argparse.Namespace, output: Output) -> ExitStatus:
    from operator_cli.denials.explanation import explain_all  # noqa: PLC0415 - `--help` needs none of it
    from operator_cli.masking import masked  # noqa: PLC0415 - as above

    found = explain_all(_text(options.source), resource=masked(options.resource) if options.resource else None)
    if output.as_json and options.all:
        output.json({"explanations": [_whole(one) for one in found]})
    elif output.as_json:
        output.json(_main(found))
    else:
        _print(found, output)
    return ExitStatus.GOOD


def _text(source: list[str]) -> str:
    """Give the text to explain: of standard input, of a file, or as it was typed."""
    typed = " ".join(source)
    if typed in {"", "-"}:
        if not typed and sys.stdin.isatty():
            raise OperatorError(
                "There is no text to explain.",
                why="Nothing was given, and standard input is the keyboard.",
                next_step="Pass a file, the text in quotes, or pipe it: `cdk deploy 2>&1 | rolebound explain`.",
                status=ExitStatus.WRONG_USAGE,
            )
        return _decoded(sys.stdin.buffer.read(_LARGEST + 1), "standard input")
    path = Path(typed)
    try:
        is_file = path.exists() and not path.is_dir()  # a pipe of the shell's <(…) too
        is_folder = path.is_dir()
    except (OSError, ValueError):  # too long, or with a null character: it is no path
        is_file = is_folder = False
    if is_file:
        return _read(path)
    from operator_cli.masking import masked  # noqa: PLC0415 - `--help` needs none of it

    if is_folder or (len(typed.split()) == 1 and ("/" in typed or path.suffix in {".log", ".txt", ".json", ".out"})):
        raise OperatorError(
            f"There is no file {masked(typed)}." if not is_folder else f"{typed} is a folder.",
            why="A name without spaces is taken for a file.",
            next_step="Check the path, or pass the error's text in quotes.",
            status=ExitStatus.WRONG_USAGE,
        )
    return typed


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return _decoded(file.read(_LARGEST + 1), str(path))
    except OSError as error:
        raise OperatorError(
            f"{path} cannot be read: {error.strerror}.",
            why="There is nothing to explain without its text.",
            next_step="Check its permissions, or paste the text in quotes.",
            status=ExitStatus.WRONG_USAGE,
        ) from None


def _decoded(content: bytes, name: str) -> str:
    """Give a text, whatever its encoding.

    Raises:
        OperatorError: It is empty, too large, or no text.
    """
    if len(content) > _LARGEST:
        raise OperatorError(
            f"{name} is larger than {_LARGEST // 1_000_000} MB.",
            why="It would take long to read, and the error is a few lines of it.",
            next_step=f"Pass the part around the error: `grep -C20 -i 'not authorized\\|denied\\|token' {name} | rolebound explain`.",
            status=ExitStatus.WRONG_USAGE,
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")  # what PowerShell's > writes
    elif b"\0" in content:
        raise OperatorError(
            f"{name} is not a text.",
            why="It holds null bytes, as programs, archives and pictures do.",
            next_step="Pass the error as text: copy it, or decompress the file first (`gunzip -c FILE | rolebound explain`).",
            status=ExitStatus.WRONG_USAGE,
        )
    else:
        text = content.decode("utf-8", errors="replace")
    if not text.strip():
        raise OperatorError(
            f"There is no text: {name} is empty.",
            why="The error may have gone elsewhere: most programs write it to standard error.",
            next_step="Pipe both: `cdk deploy 2>&1 | rolebound explain`.",
            status=ExitStatus.WRONG_USAGE,
        )
    return text


def _main(found: tuple[Explanation, ...]) -> dict[str, object]:
    """Give the main error, and say that there are others: a script that reads one shall know it."""
    answer = found[0].as_json()
    if len(found) > 1:
        answer["next_step"] += f" The text holds {len(found) - 1} more: --json --all gives each."
    return answer


def _whole(one: Explanation) -> dict[str, object]:
    return {
        **one.as_json(),
        "title": one.title,
        "cause": one.cause,
        "who_acts": one.acts,
        "is_guess": one.is_guess,
        "notes": list(one.allow.notes) if one.allow else [],
        "cdk": one.allow.as_cdk() if one.allow else None,
        "request": one.as_request() or None,
    }


def _print(found: tuple[Explanation, ...], output: Output) -> None:
    from rich.markup import escape  # noqa: PLC0415 - JSON needs none of it

    console = output.console()

    def heading(text: str) -> None:
        console.print(f"\n[bold]{escape(text)}[/bold]")

    def text(words: str, indent: str = "  ") -> None:
        for line in words.splitlines():
            console.print(indent + escape(line), soft_wrap=True)

    main = found[0]
    console.print(f"[bold red]{escape(main.title)}[/bold red]")
    for name, value in _facts(main):
        console.print(f"  [cyan]{name:<12}[/cyan]{escape(value)}", soft_wrap=True)
    heading("Why")
    text(main.cause)
    heading(f"What to do ({main.acts})")
    text(main.next_step)
    if main.allow is not None:
        heading("A guess: the smallest policy that may help" if main.is_guess else "The smallest policy that helps")
        text(_policy(main))
        for note in main.allow.notes:
            console.print(f"  - {escape(note)}", soft_wrap=True)
        heading("The same in the CDK")
        text(main.allow.as_cdk())
    if request := main.as_request():
        heading(f"To send to {main.acts}")
        text(request)
    if len(found) > 1:
        heading(f"{len(found) - 1} more in the same text")
        for other in found[1:]:
            on = f" on {other.reading.resource}" if other.reading.resource else ""
            console.print(f"  - {escape(other.title + on)}", soft_wrap=True)
            console.print(f"    {escape(other.next_step)}", soft_wrap=True)
            text(_policy(other), indent="    ")


def _policy(one: Explanation) -> str:
    return json.dumps(one.allow.policy, indent=2) if one.allow is not None else ""


def _facts(one: Explanation) -> list[tuple[str, str]]:
    reading = one.reading
    said = reading.action or ""
    facts = [
        (
            "Error",
            " ".join(filter(None, [reading.error_code or "", f"at {reading.operation}" if reading.operation else ""])),
        ),
        ("Who", reading.principal or ""),
        ("What", f"{said} (missing: {reading.reason_action})" if reading.reason_action not in {None, said} else said),
        ("On what", reading.resource or ""),
    ]
    if reading.category == "access-denied":
        facts += [
            ("Stopped by", one.stopped_by),
            ("Would an Allow for the caller help?", reading.identity_allow_would_fix),
        ]
        facts[-1] = (
            "An Allow",
            {"yes": "would help", "no": "would not help", "unknown": "may help"}[reading.identity_allow_would_fix],
        )
    return [(name, value) for name, value in facts if value]


COMMAND = Command(
    name="explain",
    summary="why was I denied, and what would help",
    description=(
        "Reads any text that holds an AWS error (a message, a traceback, the output of aws, cdk, terraform or docker, a "
        "CloudFormation or CloudTrail event) and says who was denied what, on what, which kind of policy stopped it, "
        "whether an Allow would help, the smallest policy, who must act, and what to send them. It recognises what is no "
        "matter of policies: credentials, expiry, the clock. No call is made, and no secret of the text is printed.\n\n"
        "Exit status 0: explained. 1: no AWS error was recognised in the text. 2: there is no text (empty, binary, too large)."
    ),
    examples=(
        ('rolebound explain "User: … is not authorized to perform: …"', "explains a message"),
        (
            "cdk deploy 2>&1 | tee deploy.log; rolebound explain deploy.log",
            "finds the one that matters among hundreds of lines",
        ),
        ("rolebound explain --json --all < event.json", "every distinct error of a CloudTrail event, for a script"),
    ),
    configure=_configure,
    run=_run,
)
