"""The command: `python -m credential_rules check PATH…`."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

CLEAN, FOUND, UNREADABLE = 0, 1, 2
_FORMATS: Final = ("text", "json", "sarif", "junit", "markdown")  # as in formats.py, which --help need not import
_EPILOG: Final = "exit status: 0 nothing found, 1 findings, 2 something could not be read (it is named) or wrong usage"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status; prints nothing but its result."""
    parser = argparse.ArgumentParser(
        prog="python -m credential_rules",
        description="Refuses templates and code that hold credentials, or let roles do more than they need.",
        epilog=_EPILOG,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="check templates, a cdk.out, or folders of Python source", epilog=_EPILOG)
    check.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="template, cdk.out, Python file or folder")
    check.add_argument("--format", choices=_FORMATS, default="text", help="how to write the findings (default: text)")
    check.add_argument(
        "--skip-other-files",
        action="store_true",
        help="pass over files that are no template and code that is not built yet, as a commit hook needs",
    )
    docs = commands.add_parser("docs", help="write docs/rules.md from the rules")
    docs.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is stale")
    docs.add_argument("--file", type=Path, default=Path("docs/rules.md"), help="default: docs/rules.md")
    ledger = commands.add_parser("ledger", help="check the acknowledgements of every pack in a cdk.out after synth")
    ledger.add_argument("assembly", type=Path, metavar="CDK_OUT")
    ledger.add_argument("--write", type=Path, metavar="FILE", help="also write them there, as docs/acknowledgements.md")
    options = parser.parse_args(arguments)
    if options.command == "docs":
        return _docs(options.file, check_only=options.check)
    if options.command == "ledger":
        return _ledger(options.assembly, options.write)
    return _check(options.paths, options.format, skip_other_files=options.skip_other_files)


def _check(paths: list[Path], style: str, *, skip_other_files: bool) -> int:
    from credential_rules import engine, formats, registry  # noqa: PLC0415 (--help and usage errors answer at once)

    # Templates are trees without cycles that live until the end: collecting costs a third of the time and finds nothing.
    gc.disable()
    rules = registry.all_rules()
    report = engine.check(paths, rules, skip_other_files=skip_other_files)
    if style == "text":
        text = formats.as_text(report, rules, colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    else:
        text = formats.FORMATS[style](report, rules)
    _print(text)
    if report.errors:
        return UNREADABLE
    return FOUND if report.findings else CLEAN


def _docs(file: Path, *, check_only: bool) -> int:
    from credential_rules.docs import rules_markdown  # noqa: PLC0415 (as in _check)
    from credential_rules.registry import all_rules  # noqa: PLC0415 (as in _check)

    text = rules_markdown(all_rules())
    if not check_only:
        file.write_text(text, encoding="utf-8")
        return CLEAN
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return CLEAN
    _print(f"{file} is stale: readers would see rules that do not run. Run: python -m credential_rules docs")
    return FOUND


def _ledger(assembly: Path, write: Path | None) -> int:
    from credential_rules import ledger  # noqa: PLC0415 (as in _check)

    if not (assembly / "manifest.json").is_file():
        _print(f"{assembly} is no cloud assembly, so its acknowledgements are unknown. Run `cdk synth` first.")
        return UNREADABLE
    if write is not None:
        write.write_text(ledger.as_markdown(ledger.read_acknowledgements(assembly)), encoding="utf-8")
    found = ledger.problems_after_synth(assembly, datetime.now(tz=UTC).date())
    for problem in found:
        _print(f"{problem.kind}: {problem.message}\n  → {problem.fix}")
    return FOUND if found else CLEAN


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    # A terminal or file that cannot show a character must not cost the reader the whole answer.
    sys.stdout.write(text.encode(encoding, errors="replace").decode(encoding).rstrip("\n") + "\n")


if __name__ == "__main__":
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has seen enough. https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = FOUND
    sys.exit(status)
