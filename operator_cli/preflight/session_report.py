"""A checked session in words: the same text on a terminal, where it is coloured and wrapped, and elsewhere."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from operator_cli.exit_status import ExitStatus
from operator_cli.preflight.finding import Verdict

if TYPE_CHECKING:
    from rich.console import Console

    from operator_cli.output import Output
    from operator_cli.preflight.finding import Finding
    from operator_cli.preflight.gathering import Examined
    from operator_cli.preflight.session_prompt import Prompt

MARKS: Final = {
    Verdict.GOOD: ("✓", "green"),
    Verdict.NOTE: ("·", "bright_black"),
    Verdict.WARNING: ("!", "yellow"),
    Verdict.CANNOT_TELL: ("?", "yellow"),
    Verdict.REFUSED: ("✗", "bold red"),
}
"""How each verdict is shown: the sign alone says it where there is no colour."""

_PLAIN: Final = {"✓": "+", "·": "-", "✗": "x"}
"""The signs where the reader's encoding lacks them: a question mark in their place would say that nobody can tell."""

_ASKING: Final = frozenset({ExitStatus.NO_CREDENTIALS, ExitStatus.EXPIRED})
"""Where a person has to supply a session."""

_PROSE: Final = 5
"""How far the prompt's sentences are indented; what lies deeper is to be copied."""

_NARROW: Final = 60
"""Columns below which an answer has no room beside its question."""

_WHY: Final = "Why it matters: "
_NEXT: Final = "What to do:     "


def show(examined: Examined, output: Output, *, command: str) -> None:
    """Print every answer and the sources that stay unused, then the sum; where there is no session, how to supply one.

    Args:
        examined: The session.
        output: Where to.
        command: The command that was typed.
    """
    rows = [_row(finding) for finding in examined.findings]
    winner = examined.session.resolution.winner
    if winner is not None and examined.wanted.operation.needs_session:
        rows[1:1] = [("·", "bright_black", "unused", [source.where]) for source in examined.session.resolution.shadowed]
    prompt = examined.prompt(command) if examined.status in _ASKING else None
    if output.stdout.isatty():
        _show_on_terminal(rows, examined, prompt, output)
        return
    width = max(len(question) for _, _, question, _ in rows)
    for mark, _, question, lines in rows:
        output.say(f"{_shown(mark, output)} {question.ljust(width)}  {lines[0]}")
        for line in lines[1:]:
            output.say(f"  {' ' * width}  {line}")
    output.say()
    output.say(summary(examined))
    if prompt is not None:
        output.say()
        output.say(str(prompt))


def summary(examined: Examined) -> str:
    """Give the one sentence that everything amounts to."""
    operation = examined.wanted.operation
    if examined.status != ExitStatus.GOOD:
        refused = sorted({finding.question for finding in examined.findings if finding.verdict is Verdict.REFUSED})
        return f"Not good for {operation}: {', '.join(refused) or 'something cannot be told, and --certain was given'}."
    unsure = [finding.question for finding in examined.findings if finding.verdict is Verdict.CANNOT_TELL]
    if unsure:
        return f"Good for {operation}, as far as can be told; not known: {', '.join(unsure)}."
    return f"Good for {operation}."


def _shown(mark: str, output: Output) -> str:
    try:
        mark.encode(output.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return _PLAIN.get(mark, mark)
    return mark


def _row(finding: Finding) -> tuple[str, str, str, list[str]]:
    mark, style = MARKS[finding.verdict]
    lines = [finding.what]
    if finding.why:
        lines.append(f"{_WHY}{finding.why}")
    if finding.next_step:
        lines.append(f"{_NEXT}{finding.next_step}")
    return mark, style, finding.question, lines


def _show_on_terminal(
    rows: list[tuple[str, str, str, list[str]]], examined: Examined, prompt: Prompt | None, output: Output
) -> None:
    from rich.text import Text  # noqa: PLC0415 - only a terminal needs it

    console = output.console()
    if console.width < _NARROW:
        _show_narrow(rows, console, output)
    else:
        _show_wide(rows, console, output)
    good = examined.status == ExitStatus.GOOD
    console.print(Text(f"\n{summary(examined)}", style="bold green" if good else "bold red"))
    if prompt is not None:
        console.print()
        # Prose is wrapped with its own indent; what is to be copied stays on one line for as long as it can.
        for line in str(prompt).splitlines():
            depth = len(line) - len(line.lstrip())
            copied = depth > _PROSE
            indent = " " * (_PROSE if depth else 0)
            shown = [line] if copied else textwrap.wrap(line, console.width, subsequent_indent=indent) or [""]
            for part in shown:
                console.print(Text(part, style="bold" if copied else ""), soft_wrap=copied)


def _show_narrow(rows: list[tuple[str, str, str, list[str]]], console: Console, output: Output) -> None:
    """Each question on a line of its own, and its answer below it: beside it, three letters of it would have room."""
    from rich.padding import Padding  # noqa: PLC0415 - only a terminal needs it
    from rich.text import Text  # noqa: PLC0415 - as above

    for mark, style, question, lines in rows:
        console.print(Text(f"{_shown(mark, output)} {question}", style=style))
        for line in lines:
            console.print(Padding(Text(line, style="bold" if line.startswith(_NEXT) else ""), (0, 0, 0, 2)))


def _show_wide(rows: list[tuple[str, str, str, list[str]]], console: Console, output: Output) -> None:
    from rich.console import Group  # noqa: PLC0415 - only a terminal needs it
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for mark, style, question, lines in rows:
        parts: list[Text | Table] = [Text(lines[0], style=style if style == "bright_black" else "")]
        for line in lines[1:]:
            label = _WHY if line.startswith(_WHY) else _NEXT
            under = Table.grid()
            under.add_column(no_wrap=True)
            under.add_column(overflow="fold")
            said = Text(line.removeprefix(label), style="bold" if label == _NEXT else "")
            under.add_row(Text(label, style="bright_black"), said)
            parts.append(under)
        grid.add_row(Text(_shown(mark, output), style=style), Text(question, style=style), Group(*parts))
    console.print(grid)
