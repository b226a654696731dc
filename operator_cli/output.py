"""How a command speaks: rich text on a terminal, plain text elsewhere, JSON where it is asked for.

Much of what is said quotes others. Whatever goes through here commands no terminal.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from operator_cli.inert_text import as_json_escapes, inert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where a command's words go.

    Attributes:
        stdout: Results.
        stderr: Errors, warnings and prompts.
        as_json: Whether the result is asked for as JSON; then nothing else goes to `stdout`.
        environ: The environment, for `NO_COLOR` and the terminal's kind.
    """

    stdout: TextIO
    stderr: TextIO
    as_json: bool = False
    environ: Mapping[str, str]

    @classmethod
    def of_process(cls, *, as_json: bool) -> Output:
        """Give the process's own."""
        return cls(stdout=sys.stdout, stderr=sys.stderr, as_json=as_json, environ=os.environ)

    def to_stderr(self) -> Output:
        """Give one whose results go to `stderr`: what is said beside another tool's result."""
        return Output(stdout=self.stderr, stderr=self.stderr, as_json=self.as_json, environ=self.environ)

    def json(self, value: Mapping[str, Any]) -> None:
        """Write one JSON document."""
        self._write(self.stdout, as_json_escapes(json.dumps(value, indent=2, ensure_ascii=False)))

    def say(self, text: str = "") -> None:
        """Write a line of the result as it is, without markup."""
        self._write(self.stdout, inert(text))

    def tell(self, text: str) -> None:
        """Write a line that is no result: a warning, an error, progress."""
        self._write(self.stderr, inert(text))

    def alarm(self, text: str) -> None:
        """Write a line of our own making with its styles and its bell; what it quotes is `inert` already."""
        self._write(self.stderr, text)

    def console(self) -> Console:
        """Give rich's console on `stdout`: styled on a terminal, plain otherwise."""
        from operator_cli.inert_console import InertConsole  # noqa: PLC0415 - `--help` and JSON need no rich

        return InertConsole(
            file=self.stdout,
            highlight=False,
            # Or `secret:prod` in an ARN would become a picture.
            emoji=False,
            soft_wrap=not self.stdout.isatty(),
            no_color="NO_COLOR" in self.environ or None,
        )

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        # A terminal or file that cannot show a character must not cost the reader the whole answer.
        stream.write(text.encode(encoding, errors="replace").decode(encoding) + "\n")
        stream.flush()
