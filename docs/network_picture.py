"""Draws the network: functions, subnets, endpoints, services, and the ways that are closed.

The layout is arithmetic on whole numbers, so that the same network always gives the same file. Nothing is measured by a
browser: widths of texts are estimated for a wide font, and lines are broken so that they fit where they stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 1180
_MARGIN: Final = 24
_FONT: Final = 13
_SMALL: Final = 11
_LINE: Final = 16
_PAD: Final = 10
_GAP: Final = 16
_TOP: Final = 84

# Left edge and width of the columns.
_FUNCTIONS: Final = (_MARGIN, 170)
_VPC: Final = (250, 650)
_SUBNETS: Final = (290, 200)
_ENDPOINTS: Final = (590, 280)
_SERVICES: Final = (970, 186)

# Where the ways between two columns meet.
_BEFORE_SUBNETS: Final = 226
_BEFORE_ENDPOINTS: Final = 540

_NARROW: Final = frozenset("iljtfrI.,:;'|!()[] ")
_WIDE: Final = frozenset("mwMWABCDGHNOQRUV@%")

_STYLE: Final = """
  svg { --paper: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #8c959f; --box: #f6f8fa; --vpc: #eef4fb;
        --edge: #4a7ab5; --open: #1a7f37; --closed: #cf222e;
        --leak: #9a6700; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --line: #656c76; --box: #161b22; --vpc: #101a28;
          --edge: #6ea8e8; --open: #3fb950; --closed: #f85149;
          --leak: #d29922; }
  }
  text { font-family: system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: var(--ink); }
  .paper { fill: var(--paper); }
  .head { font-size: 12px; font-weight: 600; fill: var(--soft); letter-spacing: 0.03em; }
  .name { font-size: 13px; font-weight: 600; }
  .note { font-size: 11px; fill: var(--soft); }
  .box { fill: var(--box); stroke: var(--line); stroke-width: 1; }
  .vpc { fill: var(--vpc); stroke: var(--edge); stroke-width: 2; }
  .way { fill: none; stroke: var(--open); stroke-width: 2; }
  .tip { fill: var(--open); }
  .shut { fill: none; stroke: var(--closed); stroke-width: 2; stroke-dasharray: 6 5; }
  .cross { stroke: var(--closed); stroke-width: 3; stroke-linecap: round; }
  .leak { fill: none; stroke: var(--leak); stroke-width: 2; stroke-dasharray: 2 4; }
  .ajar { fill: var(--box); stroke: var(--leak); stroke-width: 1; stroke-dasharray: 2 4; }
  .dead { fill: var(--box); stroke: var(--closed); stroke-width: 1; stroke-dasharray: 6 5; }
"""

_TIP: Final = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
    ' markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0 L8 4 L0 8 z"/></marker></defs>'
)


@dataclass(frozen=True, slots=True)
class Node:
    """One box: its name, and what is to be known of it, each a line if it fits."""

    name: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn.

    Attributes:
        title: What it is called, for those who do not see it.
        description: What it shows, in sentences.
        vpc: What stands at the VPC's top.
        functions: The functions, which Lambda runs.
        subnets: The subnets with their zones.
        endpoints: The endpoints, each with the service behind it.
        placed: Which function is in which subnet, by their places.
        reached: Which endpoint is reached from which subnet; None where only the deployment decides.
        beyond: What lies outside, with the reason why it is not reached, or why it is; and whether the way is closed.
    """

    title: str
    description: str
    vpc: str
    functions: tuple[Node, ...]
    subnets: tuple[Node, ...]
    endpoints: tuple[tuple[Node, Node], ...]
    placed: frozenset[tuple[int, int]]
    reached: frozenset[tuple[int, int]]
    beyond: tuple[tuple[Node, bool], ...]


@dataclass(frozen=True, slots=True)
class _Box:
    """A box that has its place."""

    lines: tuple[tuple[str, str], ...]
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        return self.y + self.height // 2

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height


def width_of(text: str, size: int) -> int:
    """About how wide a text is, in pixels: rather too much than too little."""
    tenths = sum(4 if letter in _NARROW else 9 if letter in _WIDE else 7 for letter in text)
    return -(-tenths * size // 10)


def wrapped(text: str, size: int, width: int) -> list[str]:
    """The text in lines of a width; a word that is wider stands alone, broken where it has to be."""
    lines: list[str] = []
    for word in text.split():
        if lines and width_of(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
            continue
        rest = word
        while width_of(rest, size) > width:
            fits = max(end for end in range(1, len(rest) + 1) if end == 1 or width_of(rest[:end], size) <= width)
            lines.append(rest[:fits])
            rest = rest[fits:]
        lines.append(rest)
    return lines


def svg(picture: Picture) -> str:
    """Give the picture as an SVG document."""
    doors = [endpoint for endpoint, _ in picture.endpoints]
    behind = [service for _, service in picture.endpoints]
    # An endpoint and its service share a row.
    rows = [max(_height(door, _ENDPOINTS[1]), _height(service, _SERVICES[1])) for door, service in picture.endpoints]
    columns = [
        [_height(node, width) for node in nodes]
        for nodes, (_, width) in ((picture.functions, _FUNCTIONS), (picture.subnets, _SUBNETS))
    ]
    bottom = _TOP + max(sum(heights) + _GAP * (len(heights) - 1) for heights in (rows, *columns))
    functions = _column(picture.functions, _FUNCTIONS, columns[0], bottom)
    subnets = _column(picture.subnets, _SUBNETS, columns[1], bottom)
    endpoints = _column(doors, _ENDPOINTS, rows, bottom)
    services = _column(behind, _SERVICES, rows, bottom)
    vpc_bottom = bottom + 44
    beyond = _row([node for node, _ in picture.beyond], vpc_bottom + 58)
    height = max((box.bottom for box in beyond), default=vpc_bottom) + _MARGIN
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(picture.title)}</title>',
        f'<desc id="desc">{escape(picture.description)}</desc>',
        f"<style>{_STYLE}</style>",
        _TIP,
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>',
        f'<rect class="vpc" x="{_VPC[0]}" y="28" width="{_VPC[1]}" height="{vpc_bottom - 28}" rx="10"/>',
        _text(_VPC[0] + 14, 50, picture.vpc, "name"),
        *(_text(x, 72, words, "head") for x, words in _HEADS),
        *_edges(functions, subnets, picture.placed, _BEFORE_SUBNETS),
        *_edges(subnets, endpoints, picture.reached, _BEFORE_ENDPOINTS),
        _text(_BEFORE_ENDPOINTS - 26, min(box.middle for box in (*subnets, *endpoints)) - 8, "443 only", "note"),
        *(
            _arrow(f"M{door.right} {door.middle} H{service.x}")
            for door, service in zip(endpoints, services, strict=True)
        ),
        *(line for box in (*functions, *subnets, *endpoints, *services) for line in _drawn(box, "box")),
        *(
            line
            for box, (_, is_closed) in zip(beyond, picture.beyond, strict=True)
            for line in _way_out(box, vpc_bottom, is_closed=is_closed)
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


_HEADS: Final = (
    (_FUNCTIONS[0], "LAMBDA FUNCTIONS"),
    (_SUBNETS[0], "SUBNETS, ONE PER ZONE"),
    (_ENDPOINTS[0], "VPC ENDPOINTS"),
    (_SERVICES[0], "AWS SERVICES"),
)


def _lines(node: Node, width: int) -> tuple[tuple[str, str], ...]:
    inner = width - 2 * _PAD
    names = [(line, "name") for line in wrapped(node.name, _FONT, inner)]
    return (*names, *((line, "note") for note in node.notes for line in wrapped(note, _SMALL, inner)))


def _height(node: Node, width: int) -> int:
    return len(_lines(node, width)) * _LINE + 2 * _PAD - 2


def _column(nodes: Sequence[Node], place: tuple[int, int], rows: Sequence[int], bottom: int) -> list[_Box]:
    """Boxes below each other, each in the middle of its row; what is free is shared evenly between the rows."""
    x, width = place
    free = bottom - _TOP - sum(rows)
    found: list[_Box] = []
    y = _TOP
    for position, (node, row) in enumerate(zip(nodes, rows, strict=True)):
        y += free * (position + 1) // (len(rows) + 1) - free * position // (len(rows) + 1)
        height = _height(node, width)
        found.append(_Box(_lines(node, width), x, y + (row - height) // 2, width, height))
        y += row
    return found


def _row(nodes: Sequence[Node], top: int) -> list[_Box]:
    """Boxes beside each other below the VPC, all as high as the highest."""
    if not nodes:
        return []
    width = (WIDTH - 2 * _MARGIN - _GAP * (len(nodes) - 1)) // len(nodes)
    height = max(_height(node, width) for node in nodes)
    return [
        _Box(_lines(node, width), _MARGIN + position * (width + _GAP), top, width, height)
        for position, node in enumerate(nodes)
    ]


def _edges(left: list[_Box], right: list[_Box], pairs: frozenset[tuple[int, int]], bus: int) -> list[str]:
    """The ways between two columns: by one line for all if everything leads to everything, else each by its own."""
    every = {(one, other) for one in range(len(left)) for other in range(len(right))}
    if pairs == every and every:
        ends = [box.middle for box in (*left, *right)]
        return [
            *(f'<path class="way" d="M{box.right} {box.middle} H{bus}"/>' for box in left),
            f'<path class="way" d="M{bus} {min(ends)} V{max(ends)}"/>',
            *(_arrow(f"M{bus} {box.middle} H{box.x}") for box in right),
        ]
    return [
        _arrow(
            f"M{left[one].right} {left[one].middle} C{bus} {left[one].middle} {bus} {right[other].middle}"
            f" {right[other].x} {right[other].middle}"
        )
        for one, other in sorted(pairs)
    ]


def _arrow(path: str) -> str:
    return f'<path class="way" d="{path}" marker-end="url(#tip)"/>'


def _drawn(box: _Box, kind: str) -> list[str]:
    first = box.y + _PAD + 12
    return [
        f'<rect class="{kind}" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="6"/>',
        *(
            _text(box.x + _PAD, first + position * _LINE, line, style)
            for position, (line, style) in enumerate(box.lines)
        ),
    ]


def _way_out(box: _Box, border: int, *, is_closed: bool) -> list[str]:
    """A box outside. A way that is closed ends at the VPC's border, crossed out."""
    x = min(max(box.x + box.width // 2, _VPC[0] + 40), _VPC[0] + _VPC[1] - 40)
    center = box.x + box.width // 2
    turn = box.y - 14
    cross = f'<path class="cross" d="M{x - 7} {border - 7} L{x + 7} {border + 7} M{x + 7} {border - 7} L{x - 7} {border + 7}"/>'
    return [
        f'<path class="{"shut" if is_closed else "leak"}" d="M{x} {border - 24} V{turn} H{center} V{box.y}"/>',
        *([cross] if is_closed else []),
        *_drawn(box, "dead" if is_closed else "ajar"),
    ]


def _text(x: int, y: int, words: str, style: str) -> str:
    return f'<text class="{style}" x="{x}" y="{y}">{escape(words)}</text>'
