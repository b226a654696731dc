"""Shows what a function wrote, with the session that was checked for it."""

from __future__ import annotations

import shlex
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

from operator_cli.answers import Failure, FailureKind
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus
from operator_cli.masking import masked
from operator_cli.preflight.gathering import connect_to_aws, examine
from operator_cli.preflight.guarded_run import tell_session
from operator_cli.preflight.session_arguments import wanted_of
from operator_cli.preflight.session_report import show
from operator_cli.preflight.wanted import Operation

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from operator_cli.answers import LogLine
    from operator_cli.aws import Aws
    from operator_cli.output import Output

LOOK_EVERY_SECONDS: Final = 2
LATE: Final = timedelta(seconds=30)
"""How late a line may appear after its own time and still be shown."""


def read_logs(options: argparse.Namespace, output: Output) -> int:
    """Check, then print the lines; with `--follow`, until interrupted.

    Raises:
        OperatorError: The log could not be read, or the session ended.
    """
    if options.follow and output.as_json:
        options.parser.error("--follow has no end, so it is no JSON document: leave out one of the two")
    # One session for both: a profile that asks for a code asks once.
    connect = cache(connect_to_aws)
    examined = examine(
        wanted_of(options, Operation.LOGS),
        output.environ,
        clock=lambda: datetime.now(UTC),
        profile=options.profile,
        assembly=options.assembly,
        connect=connect,
        certain=options.certain,
    )
    if examined.status != ExitStatus.GOOD:
        show(examined, output.to_stderr(), command=f"rolebound {shlex.join(sys.argv[1:])}")
        return int(examined.status)
    tell_session(examined, output)
    aws = connect(options.profile, examined.session.region)
    if isinstance(aws, Failure):
        raise _unreadable(options.name, aws)
    group = _group(aws, options.name)
    since = datetime.now(UTC) - options.since
    if output.as_json:
        lines = aws.log_lines(group, since=since)
        if isinstance(lines, Failure):
            raise _unreadable(group, lines)
        output.json(
            {
                "log_group": group,
                "lines": [
                    {"at": line.at.isoformat(), "stream": line.stream, "text": masked(line.text)} for line in lines
                ],
            }
        )
        return int(ExitStatus.GOOD)
    for line in new_lines(aws.log_lines, group, since=since, follow=options.follow, sleep=time.sleep):
        output.say(f"{line.at:%Y-%m-%d %H:%M:%S}  {masked(line.text)}")
    return int(ExitStatus.GOOD)


def new_lines(
    lines_of: Callable[..., list[LogLine] | Failure],
    group: str,
    *,
    since: datetime,
    follow: bool,
    sleep: Callable[[float], None],
) -> Iterator[LogLine]:
    """Give each line once, also one that appears somewhat later than its own time.

    Args:
        lines_of: Gives a group's lines since a moment, or why not.
        group: The log group.
        since: Where to begin.
        follow: Whether to go on after the last line, without an end.
        sleep: Waits that many seconds.

    Raises:
        OperatorError: The log could not be read.
    """
    shown: dict[str, datetime] = {}
    while True:
        found = lines_of(group, since=since)
        if isinstance(found, Failure):
            raise _unreadable(group, found)
        for line in found:
            if line.key not in shown:
                shown[line.key] = line.at
                yield line
        if not follow:
            return
        if found:
            since = max(since, found[-1].at - LATE)
            shown = {key: at for key, at in shown.items() if at >= since}
        sleep(LOOK_EVERY_SECONDS)


def _group(aws: Aws, name: str) -> str:
    if name.startswith("/"):
        return name
    group = aws.log_group_of(name)
    # Who may read logs need not be allowed to read functions: then it is the usual name.
    return f"/aws/lambda/{name}" if isinstance(group, Failure) else group


def _unreadable(group: str, failure: Failure) -> OperatorError:
    status = {FailureKind.EXPIRED: ExitStatus.EXPIRED, FailureKind.INVALID: ExitStatus.NO_CREDENTIALS}
    steps = {
        FailureKind.EXPIRED: "Sign in again, then repeat the command.",
        FailureKind.NOT_FOUND: "Look at the name and the region: --region R. A function that never ran has no log.",
        FailureKind.DENIED: "Ask for logs:FilterLogEvents on it; `rolebound explain` says who can give it.",
    }
    return OperatorError(
        f"The log {group} could not be read: {failure.what} ({failure.code})",
        why="No line is shown beyond this point.",
        next_step=steps.get(
            failure.kind, "Try again; `rolebound check --for logs` says what is wrong with the session."
        ),
        status=status.get(failure.kind, ExitStatus.REFUSED),
    )
