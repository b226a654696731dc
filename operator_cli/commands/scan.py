"""`rolebound scan`: are there credentials in what I am about to share?"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from operator_cli.command import Command
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from operator_cli.output import Output
    from operator_cli.scanning.accepted import Accepted
    from operator_cli.scanning.repository import Repository
    from operator_cli.scanning.secret_scan import FileReading, Leak, Place, ScanReport


_MISSING: Final = "there is no such file"
_IF_MADE_UP: Final = 'Made up, and never a key to anything? rolebound scan --accept "why it is there" FILE'


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files and folders; the repository if none")
    parser.add_argument(
        "--staged", action="store_true", help="only what the next commit adds or changes, as it is staged"
    )
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave these files out (may be repeated): 'tests/**'",
    )
    parser.add_argument(
        "--ignore", action="store_true", help="add scripts that carry credentials to .gitignore, and its usual lines"
    )
    parser.add_argument(
        "--accept",
        metavar="REASON",
        help="accept what is found, in the named files or everywhere, for a reason that is kept: for what is made up only",
    )


def _run(options: argparse.Namespace, output: Output) -> ExitStatus:
    from operator_cli.scanning import secret_scan  # noqa: PLC0415 - `--help` needs none of it
    from operator_cli.scanning.accepted import FILE, Accepted  # noqa: PLC0415 - as above
    from operator_cli.scanning.repository import Repository  # noqa: PLC0415 - as above

    if options.staged and options.paths:
        raise OperatorError(
            "--staged and paths exclude each other.",
            why="What is staged is a list of its own.",
            next_step="Leave out one of them.",
            status=ExitStatus.WRONG_USAGE,
        )
    if options.accept is not None and not options.accept.strip():
        raise OperatorError(
            "--accept is given without a reason.",
            why="Who reads the list later has to see why a line is no credential.",
            next_step='Say it: --accept "made up, for the tests of …"',
            status=ExitStatus.WRONG_USAGE,
        )
    report = secret_scan.ScanReport()
    named = {str(path) for path in options.paths}
    repository = None if options.paths else Repository.around(Path.cwd())
    around = repository or _around(options.paths, needed=options.accept is not None)
    # A commit takes the list as it is staged; who accepts something writes on in the one of the work tree.
    is_committed = options.staged and options.accept is None
    accepted = around.accepted(is_staged=is_committed) if around else Accepted()
    with tempfile.TemporaryDirectory(prefix="rolebound-scan-") as scratch:
        for shown, file, place in _files(report, options.paths, repository, Path(scratch), staged=options.staged):
            if not any(_matches(shown, pattern) for pattern in options.exclude):
                _scan(report, shown, file, place, is_named=shown in named)
    _sort_out(report, around, accepted, options.accept)
    is_whole = repository is not None and not options.staged and not options.exclude
    if around is not None and options.accept is not None:
        around.write_accepted(accepted.without_stale() if is_whole else accepted)
    elif is_whole:
        report.advice += [
            f"{FILE} accepts in {file} what is no longer there. Take it out of the list: {', '.join(lines)}"
            for file, lines in accepted.stale().items()
        ]
    if repository is not None:
        _advise(report, repository, ignore=options.ignore)
    _answer(report, output)
    return ExitStatus.REFUSED if report.leaks or report.not_scanned else ExitStatus.GOOD


def _around(paths: list[Path], *, needed: bool) -> Repository | None:
    """Give the repository that the first of the named paths lies in, for what it has accepted; none needs to be there."""
    from operator_cli.scanning.repository import Repository  # noqa: PLC0415 - as in _run

    first = paths[0].absolute()
    try:
        return Repository.around(first if first.is_dir() else first.parent)
    except (OperatorError, OSError):
        if needed:
            raise
        return None


def _sort_out(report: ScanReport, around: Repository | None, accepted: Accepted, reason: str | None) -> None:
    """Take out of the leaks what is accepted already, or is now."""
    if around is None:
        return
    from operator_cli.scanning.accepted import FILE  # noqa: PLC0415 - as in _run
    from operator_cli.scanning.secret_scan import Place, shown_name  # noqa: PLC0415 - as in _run

    left = []
    for leak, place in report.leaks:
        name = around.name_of(leak.file) if place is Place.ELSEWHERE else leak.file
        # As it is shown, for a name may hold what no text does.
        file = shown_name(name) if name is not None else None
        if file is not None and reason is not None and not accepted.holds(file, leak.fingerprint):
            accepted.add(file, leak.fingerprint, reason.strip())
            report.advice.append(f"added to {FILE}: {file}:{leak.line}  {leak.what}")
        if file is not None and accepted.holds(file, leak.fingerprint):
            report.accepted += 1
        else:
            left.append((leak, place))
    report.leaks = left
    if any(line.startswith(f"added to {FILE}") for line in report.advice):
        report.advice.append(f"The list is part of the commit: git add {FILE}")


def _files(
    report: ScanReport, paths: list[Path], repository: Repository | None, scratch: Path, *, staged: bool
) -> Iterator[tuple[str, Path, Place]]:
    """Give each file as it is shown, where to read it, and how near it is to being shared."""
    from operator_cli.scanning.secret_scan import Place  # noqa: PLC0415 - as in _run

    if repository is None:
        for path in paths:
            if os.path.isdir(path):  # noqa: PTH112 - says no where it may not look, which reading then explains
                # Links to folders are not followed: they lead out, or in circles.
                walked = os.walk(path, onerror=report.note_unread)
                inner = (Path(folder) / name for folder, _, names in walked for name in sorted(names))
                yield from ((str(file), file, Place.ELSEWHERE) for file in inner if ".git" not in file.parts)
            else:
                yield str(path), path, Place.ELSEWHERE
    elif staged:
        names = repository.staged()
        repository.write_staged(names, scratch)
        yield from ((name, scratch / name, Place.STAGED) for name in names)
    else:
        in_index = set(repository.staged())
        for name in repository.tracked():
            yield name, repository.top / name, Place.STAGED if name in in_index else Place.TRACKED
        yield from ((name, repository.top / name, Place.UNTRACKED) for name in repository.untracked())


def _matches(file: str, pattern: str) -> bool:
    from fnmatch import fnmatchcase  # noqa: PLC0415 - as in _run

    return fnmatchcase(file, pattern.replace("**", "*")) or fnmatchcase(Path(file).name, pattern)


def _scan(report: ScanReport, shown: str, file: Path, place: Place, *, is_named: bool) -> None:
    from operator_cli.scanning import secret_scan  # noqa: PLC0415 - as in _run

    # What a link leads to is not what a commit takes; its own text is a path.
    if os.path.islink(file) and not is_named:  # noqa: PTH114 - says no where it may not look, which reading then explains
        return
    content = _content(file)
    if content == _MISSING and place is secret_scan.Place.TRACKED:
        return  # Removed, and not yet staged as such.
    if isinstance(content, str):
        report.not_scanned[shown] = content
    elif not secret_scan.is_binary(content):
        reading = _read(shown, content, file)
        report.scanned += 1
        report.accepted += reading.accepted
        report.leaks += [(leak, place) for leak in reading.leaks]
    elif is_named:
        report.not_scanned[shown] = "binary"
    else:
        report.binary += 1


def _content(file: Path) -> bytes | str:
    """Give what a file holds, or why it cannot be scanned."""
    from operator_cli.scanning.secret_scan import LARGEST_BYTES  # noqa: PLC0415 - as in _run

    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            # A pipe or a device might never end.
            return "no regular file"
        if status.st_size > LARGEST_BYTES:
            return f"larger than {LARGEST_BYTES // 1_000_000} MB"
        return file.read_bytes()
    except FileNotFoundError:
        return _MISSING
    except OSError as error:
        return error.strerror or type(error).__name__


def _read(shown: str, content: bytes, file: Path) -> FileReading:
    from operator_cli.rule_checks import LineRecogniser  # noqa: PLC0415 - as in _run
    from operator_cli.scanning.detectors import library_findings  # noqa: PLC0415 - as in _run
    from operator_cli.scanning.secret_scan import is_wide, read_file, text_of  # noqa: PLC0415 - as in _run

    if not is_wide(content):
        return read_file(shown, content, library=library_findings(file), recogniser=LineRecogniser())
    with tempfile.TemporaryDirectory(prefix="rolebound-scan-") as folder:
        # detect-secrets reads files, and UTF-8 only.
        narrow = Path(folder) / f"text{file.suffix}"
        narrow.write_text(text_of(content), encoding="utf-8")
        return read_file(shown, content, library=library_findings(narrow), recogniser=LineRecogniser())


def _advise(report: ScanReport, repository: Repository, *, ignore: bool) -> None:
    from operator_cli.scanning import secret_scan  # noqa: PLC0415 - as in _run

    carriers = {
        leak.file: secret_scan.pattern_for(leak.file)
        for leak, place in report.leaks
        if place is secret_scan.Place.UNTRACKED and secret_scan.is_script(leak.file)
    }
    missing = secret_scan.missing_patterns(repository.ignored)
    if not ignore:
        report.advice += [f"{pattern} is not in .gitignore" for pattern in missing]
        return
    patterns = [*missing, *(pattern for file, pattern in carriers.items() if file not in repository.ignored([file]))]
    if patterns:
        repository.ignore(patterns)
    now_ignored = repository.ignored(list(carriers)) if carriers else set()
    # Ignored, they are no longer about to be shared.
    report.leaks = [
        (leak, place)
        for leak, place in report.leaks
        if not (place is secret_scan.Place.UNTRACKED and leak.file in now_ignored)
    ]
    report.advice += [f"added to .gitignore: {pattern}" for pattern in patterns]


def _answer(report: ScanReport, output: Output) -> None:
    from operator_cli.scanning.secret_scan import remedy, shown_name  # noqa: PLC0415 - as in _run

    if output.as_json:
        output.json(_as_json(report))
        return
    console = output.console()
    by_remedy: dict[str, list[Leak]] = {}
    for leak, place in report.leaks:
        by_remedy.setdefault(remedy(leak, place), []).append(leak)
    for what_to_do, leaks in by_remedy.items():
        for leak in leaks:
            console.print(f"{shown_name(leak.file)}:{leak.line}", style="bold", markup=False, end="  ")
            console.print(leak.what, markup=False)
        console.print(f"→ {what_to_do}\n", style="yellow", markup=False)
    if report.leaks:
        console.print(f"{_IF_MADE_UP}\n", style="dim", markup=False)
    for file, reason in report.not_scanned.items():
        console.print(f"{shown_name(file)}  not scanned: {reason}", style="yellow", markup=False)
    accepted = f", {report.accepted} accepted" if report.accepted else ""
    binary = f", {report.binary} binary files passed over" if report.binary else ""
    told = f"{report.scanned} files scanned, {len(report.leaks)} credentials found{accepted}{binary}."
    console.print(told, markup=False)
    for line in report.advice:
        console.print(line, style="dim", markup=False)
    if any(line.endswith("is not in .gitignore") for line in report.advice):
        console.print("`rolebound scan --ignore` adds what is missing.", style="dim", markup=False)


def _as_json(report: ScanReport) -> dict[str, Any]:
    from operator_cli.scanning.secret_scan import remedy  # noqa: PLC0415 - as in _run

    def leak_as_json(leak: Leak, place: Place) -> dict[str, Any]:
        return {
            "file": leak.file,
            "line": leak.line,
            "what": leak.what,
            "place": place.value,
            "fix": remedy(leak, place),
        }

    return {
        "leaks": [leak_as_json(leak, place) for leak, place in report.leaks],
        "scanned": report.scanned,
        "accepted": report.accepted,
        "binary": report.binary,
        "not_scanned": [{"file": file, "reason": reason} for file, reason in report.not_scanned.items()],
        "advice": report.advice,
    }


COMMAND = Command(
    name="scan",
    summary="find credentials in files, before a commit takes them",
    description=(
        "Looks for credentials in a repository's files, in what is staged, or in the files and folders that are named: keys, "
        "secrets, session tokens, sign-in caches, Bedrock keys and the tokens of many services. Works offline and shows no "
        "value. A line with the comment `pragma: allowlist secret` is accepted and counted, as is one that the repository's "
        "list of accepted lines (.rolebound-accepted.toml) knows by its text; binary files are passed over and counted. Exit status 1 also where a file could not be scanned (too large, no regular file, not readable); it is named."
    ),
    examples=(
        ("rolebound scan", "every file of the repository that git tracks or would add"),
        ("rolebound scan --staged", "what the next commit adds, as a pre-commit hook does"),
        ("rolebound scan --ignore", "and add scripts that carry credentials to .gitignore"),
        (
            'rolebound scan --accept "made up, for tests" tests/test_keys.py',
            "accept what is found there: another credential in the same file is still found",
        ),
        ("rolebound scan ~/Downloads/keys --json", "a folder, for a program"),
    ),
    configure=_configure,
    run=_run,
)
