"""What a template's value can be known to say: literal text, and holes where only the deployment decides."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.template import Resource

HoleKind = Literal["pseudo", "parameter", "resource", "import", "dynamic", "unknown"]
"""Why a piece of text is not known.

`pseudo`: a pseudo parameter, `name` is `AWS::AccountId` and the like. `parameter`: a parameter without a usable default.
`resource`: a reference to a resource of this run, see `Hole.resource`. `import`: an export that no given template makes.
`dynamic`: `{{resolve:…}}`, `name` is what stands between the braces. `unknown`: macros, loops, what we cannot follow.
"""

_DYNAMIC_REFERENCE = re.compile(r"\{\{(resolve:[^{}]*)\}\}")
_MARKED_HOLE = re.compile("\0([0-9]+)\0")
_NEVER_HOLDS_A_SEPARATOR = frozenset({"AWS::AccountId", "AWS::Region", "AWS::Partition", "AWS::URLSuffix"})


@dataclass(frozen=True, slots=True)
class Hole:
    """A piece of text that the template leaves to the deployment.

    `resource` is set for references to a resource of this run, also through exports and nested stacks; `attribute` is
    then the attribute of `Fn::GetAtt`, None for `Ref`.
    """

    kind: HoleKind
    name: str
    resource: Resource | None = field(default=None, compare=False)
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """One possible value of a scalar: literal pieces and holes in their order.

    `parameters` names the template parameters whose defaults went into the literal pieces: such text is known, but
    whoever deploys may choose another.
    """

    pieces: tuple[str | Hole, ...]
    parameters: frozenset[str] = frozenset()

    @property
    def literal(self) -> str | None:
        """The whole text, or None if it has a hole. May be a secret: do not print it."""
        pieces = self.pieces
        if len(pieces) == 1:
            only = pieces[0]
            return only if isinstance(only, str) else None
        return None if pieces else ""

    @property
    def pattern(self) -> str:
        """The text with each hole as `${name}`: `arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:*`."""
        return "".join(piece if isinstance(piece, str) else f"${{{piece.name}}}" for piece in self.pieces)

    @property
    def literals(self) -> Iterator[str]:
        """The known pieces in their order."""
        return (piece for piece in self.pieces if isinstance(piece, str))

    @property
    def holes(self) -> Iterator[Hole]:
        """The unknown pieces in their order."""
        return (piece for piece in self.pieces if isinstance(piece, Hole))

    @property
    def hole(self) -> Hole | None:
        """The hole that is the whole text, else None."""
        only = self.pieces[0] if len(self.pieces) == 1 else None
        return only if isinstance(only, Hole) else None

    @property
    def resource(self) -> Resource | None:
        """The resource that the whole text refers to (its `Ref`, its ARN, any attribute), else None."""
        hole = self.hole
        return hole.resource if hole else None

    @property
    def is_undecided(self) -> bool:
        """Whether a piece is a parameter without default, an import or unknown: the template does not say."""
        return any(hole.kind in {"parameter", "import", "unknown"} for hole in self.holes)

    def startswith(self, prefix: str) -> bool:
        """Whether the known beginning of the text, before any hole, starts with `prefix`."""
        return bool(self.pieces) and isinstance(self.pieces[0], str) and self.pieces[0].startswith(prefix)

    def split(self, separator: str) -> tuple[Text, ...] | None:
        """The parts between separators; None if a hole could hold a separator itself."""
        parts: list[list[str | Hole]] = [[]]
        for piece in self.pieces:
            if isinstance(piece, Hole):
                if piece.kind != "pseudo" or piece.name not in _NEVER_HOLDS_A_SEPARATOR:
                    return None
                parts[-1].append(piece)
                continue
            first, *rest = piece.split(separator)
            parts[-1].append(first)
            parts.extend([part] for part in rest)
        return tuple(join_text(part, self.parameters) for part in parts)


def join_text(pieces: list[str | Hole], parameters: frozenset[str] = frozenset()) -> Text:
    """The text made of `pieces`, neighbouring literals merged, empty ones dropped."""
    merged: list[str | Hole] = []
    for piece in pieces:
        if piece == "":
            continue
        last = merged[-1] if merged else None
        if isinstance(piece, str) and isinstance(last, str):
            merged[-1] = last + piece
        else:
            merged.append(piece)
    if any(isinstance(piece, str) and "{{resolve:" in piece for piece in merged):
        merged = _with_dynamic_references(merged)
    return Text(tuple(merged), parameters)


def _with_dynamic_references(pieces: list[str | Hole]) -> list[str | Hole]:
    """Makes a hole of each dynamic reference that `Fn::Join` or `Fn::Sub` put together: `{{resolve:ssm-secure:${Name}}}`."""
    marked = "".join(piece if isinstance(piece, str) else f"\0{at}\0" for at, piece in enumerate(pieces))
    found: list[str | Hole] = []
    for position, part in enumerate(_DYNAMIC_REFERENCE.split(marked)):
        split = _MARKED_HOLE.split(part)
        restored = [pieces[int(text)] if at % 2 else text for at, text in enumerate(split)]
        if position % 2:
            named = "".join(piece if isinstance(piece, str) else f"${{{piece.name}}}" for piece in restored)
            found.append(Hole("dynamic", named))
        else:
            found += [piece for piece in restored if piece != ""]
    return found


@lru_cache(maxsize=4096)
def literal_text(text: str) -> Text:
    """The text of a literal; its dynamic references (`{{resolve:…}}`) are holes."""
    if "{{resolve:" not in text:
        return Text((text,) if text else ())
    pieces: list[str | Hole] = []
    for position, part in enumerate(_DYNAMIC_REFERENCE.split(text)):
        pieces.append(Hole("dynamic", part) if position % 2 else part)
    return join_text(pieces)


def scalar_text(value: str | float | None) -> Text:
    """The text that CloudFormation makes of a scalar: `true` and `false` in lower case, null as empty."""
    if isinstance(value, str):
        return literal_text(value)
    if value is None:
        return Text(())
    return Text((str(value).lower() if isinstance(value, bool) else str(value),))


UNKNOWN = Text((Hole("unknown", "unknown"),))
"""The text of something that cannot be followed."""
