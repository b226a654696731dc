"""Rich's console, on which only rich itself commands the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.segment import Segment

from operator_cli.inert_text import inert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType


class InertConsole(Console):
    """A console that shows the control characters of what it is given, and obeys none.

    Rich takes five of them away and writes the rest as they are, the escape character among them.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Give the segments of a renderable, harmless; rich's own commands and styles are no part of their text."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(inert(segment.text), segment.style)
