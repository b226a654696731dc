"""What a command is, for the parser, the documentation and the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from operator_cli.output import Output


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command. Its module imports nothing slow at its top: every `--help` imports them all.

    Attributes:
        name: As typed: `explain`.
        summary: One line for the list of commands.
        description: What it answers, for its own `--help`.
        examples: Command lines to copy, each with what it does; one at least.
        configure: Adds the arguments. `--json` is there already.
        run: Does it and gives the exit status, its own or that of the program it ran; raises `OperatorError` where it
            cannot.
        hands_on: Whether arguments that it does not know itself are another tool's. They are in `options.rest`, with
            everything after `--`.
        answer: What `--json` gives: each field with its meaning, for the documentation.
    """

    name: str
    summary: str
    description: str
    examples: tuple[tuple[str, str], ...]
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Output], int]
    hands_on: bool = False
    answer: tuple[tuple[str, str], ...] = ()
