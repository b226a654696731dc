"""The command line: `python -m operator_cli COMMAND …`, or `rolebound COMMAND …` where it is installed."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import pkgutil
import sys
import textwrap
from typing import TYPE_CHECKING, Final

from operator_cli import commands, exit_status
from operator_cli.command import Command
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus
from operator_cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM: Final = "rolebound"
EXTRA: Final = frozenset({"boto3", "botocore", "detect_secrets", "rich"})
"""What the extra `cli` brings: who installs the rules alone has none of it."""

NOT_INSTALLED: Final = (
    "{package} is not installed.\n  Why it matters: this command needs it, and the rules alone do not.\n"
    '  What to do:     pip install "rolebound[cli]"'
)
_IN_THE_WAY: Final = (
    "{what} cannot be used: {why}.\n  Why it matters: the command needs it.\n"
    "  What to do:     Look whether it is there, and at its permissions and those of the folders above it."
)
_OF_THE_MACHINE: Final = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}
)
"""What is wrong with a file or folder, and not with what we do."""
_INTERRUPTED: Final = 130


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Fits paragraphs into the terminal, and leaves alone what is laid out: lines that are indented, and those above them."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(
            paragraph
            if "\n " in paragraph
            else textwrap.fill(paragraph, width, initial_indent=indent, break_on_hyphens=False)
            for paragraph in text.split("\n\n")
        )


def all_commands() -> tuple[Command, ...]:
    """Give every command, by name. Each module of `operator_cli.commands` defines one as `COMMAND`.

    Raises:
        TypeError: A module defines none; it is named.
    """
    found = []
    for module in pkgutil.iter_modules(commands.__path__):
        command = getattr(importlib.import_module(f"{commands.__name__}.{module.name}"), "COMMAND", None)
        if not isinstance(command, Command):
            raise TypeError(f"operator_cli/commands/{module.name}.py defines no COMMAND, so nobody could call it.")
        found.append(command)
    return tuple(sorted(found, key=lambda command: command.name))


def parser() -> argparse.ArgumentParser:
    """Give the parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog=PROGRAM,
        description=(
            "Answers four questions about AWS credentials: is my session good for this deployment, will it last, why was "
            "I denied, and why does my Lambda function get InvalidClientTokenId."
        ),
        epilog=exit_status.as_help(),
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in all_commands():
        examples = "\n".join(f"  {line}\n      {what}" for line, what in command.examples)
        own = subparsers.add_parser(
            command.name,
            help=command.summary,
            description=command.description,
            epilog=f"examples:\n{examples}\n\n{exit_status.as_help()}",
            formatter_class=HelpFormatter,
            allow_abbrev=False,
        )
        own.add_argument("--json", action="store_true", help="print the answer as one JSON document")
        command.configure(own)
        own.set_defaults(run=command.run, hands_on=command.hands_on, parser=own)
    return top


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command line; what a command hands on to another tool is in `rest`, in its order."""
    tools = {command.name for command in all_commands() if command.hands_on}
    own, handed_on = list(arguments), []
    if tools & set(own[:1]) and "--" in own:
        cut = own.index("--")
        own, handed_on = own[:cut], own[cut + 1 :]
    options, unknown = parser().parse_known_args(own)
    if unknown and not options.hands_on:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    options.rest = [*unknown, *handed_on]
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    _open_what_is_closed()
    options = parsed(sys.argv[1:] if arguments is None else arguments)
    output = Output.of_process(as_json=options.json)
    try:
        return int(options.run(options, output))
    except OperatorError as error:
        if output.as_json:
            output.json({"error": {"what": error.what, "why": error.why, "next_step": error.next_step}})
        else:
            output.tell(f"{PROGRAM}: {error}")
        return int(error.status)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        output.tell(f"{PROGRAM}: {NOT_INSTALLED.format(package=error.name)}")
        return int(ExitStatus.WRONG_USAGE)
    except KeyboardInterrupt:
        output.tell("Interrupted.")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough. https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Whether it was good is not known any more.
        return int(ExitStatus.REFUSED)
    except OSError as error:
        return int(_told(error, output))


def _told(error: OSError, output: Output) -> ExitStatus:
    """Say what of the machine is in the way; whatever else it is, is a fault of ours and raised."""
    if error.errno == errno.ENOSPC:
        output.tell(f"{PROGRAM}: The answer could not be written: {error.strerror}.")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.REFUSED
    if error.errno not in _OF_THE_MACHINE:
        raise error
    output.tell(f"{PROGRAM}: {_IN_THE_WAY.format(what=error.filename or 'The current folder', why=error.strerror)}")
    return ExitStatus.WRONG_USAGE


def _open_what_is_closed() -> None:
    """Have all three streams: else the next file or connection takes the number of one that the caller closed (`<&-`)."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - as long as the process


if __name__ == "__main__":
    sys.exit(main())
