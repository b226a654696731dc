"""What annotations say of a value that others hand in."""

from __future__ import annotations

import ast
from abc import ABC
from functools import lru_cache
from typing import Final

from credential_rules.code_walk.objects import Objects
from credential_rules.code_walk.program import last_name
from credential_rules.code_walk.values import (
    NOTHING,
    ONLY_ANYTHING,
    ONLY_SESSION,
    ClassValue,
    Client,
    External,
    Frame,
    ResourceObject,
    TypeName,
    Value,
)

_NO_TYPE: Final = frozenset({"typing.Any", "typing_extensions.Any", "builtins.object", "typing.Self"})
_LONGEST: Final = 500  # of an annotation in quotes
_SESSION_TYPES: Final = frozenset(
    {
        "boto3.Session",
        "boto3.session.Session",
        "botocore.session.Session",
        "aioboto3.Session",
        "aiobotocore.session.AioSession",
    }
)


class Types(Objects, ABC):
    """A memory that reads annotations, also those that stand in quotes or are imported for type checkers only."""

    def of_type(self, annotation: ast.expr, frame: Frame) -> Value:
        """What something of an annotation may be that is written in a frame; nothing if it names none of ours."""
        found = NOTHING
        todo: list[tuple[ast.expr, bool]] = [(annotation, True)]
        rounds = 0
        while todo and rounds < 64:  # noqa: PLR2004 (no annotation that people write is longer)
            rounds += 1
            node, is_top = todo.pop()
            if isinstance(node, ast.Constant):
                parsed = _parsed(node.value) if isinstance(node.value, str) else None
                todo += [(parsed, is_top)] if parsed is not None else []
            elif isinstance(node, ast.BinOp):
                todo += [(node.left, is_top), (node.right, is_top)]
            elif isinstance(node, ast.Subscript):
                name = last_name(node.value)
                if name not in {"Literal", "Callable"}:
                    todo.append(
                        (node.slice, is_top and name in {"Optional", "Union", "Annotated", "Final", "ClassVar"})
                    )
                todo.append((node.value, False))
            elif isinstance(node, ast.Tuple):
                todo += [(part, is_top) for part in node.elts]
            elif isinstance(node, ast.Name | ast.Attribute):
                found |= self._of_types(self._in_frame(frame, node), is_top=is_top)
        return found

    def _in_frame(self, frame: Frame, node: ast.Name | ast.Attribute) -> Value:
        """The value of a dotted name as it stands in another frame; read by the current one."""
        names: list[str] = []
        current: ast.expr = node
        while isinstance(current, ast.Attribute):
            names.append(current.attr)
            current = current.value
        if not isinstance(current, ast.Name):
            return NOTHING
        found = self.name_in(frame, current.id)
        for name in reversed(names):
            found = self.attribute(found, name)
        return found

    def _of_types(self, value: Value, *, is_top: bool) -> Value:  # noqa: C901 (one branch per kind of value)
        found = NOTHING
        for atom in value:
            if isinstance(atom, TypeName):
                frame = self.module_frame(atom.module)
                if frame is not None:
                    found |= self._of_types(self.read(frame.variable(atom.name)) - {atom}, is_top=is_top)
            elif isinstance(atom, ClassValue):
                if any(base.endswith("Protocol") for base in self.foreign_bases(atom)):
                    # Whatever has the methods: which of ours is meant is not said.
                    found |= ONLY_ANYTHING
                    continue
                if self.frame is not None:
                    self.wanted[atom].add(self.frame)
                found |= self.read(atom.instances)
            elif isinstance(atom, Client | ResourceObject):
                found |= {atom}
            elif isinstance(atom, External):
                if atom.path in _SESSION_TYPES:
                    found |= ONLY_SESSION
                elif is_top and (atom.path in _NO_TYPE or atom.path.startswith("typing.TypeVar")):
                    found |= ONLY_ANYTHING
        return found


@lru_cache(maxsize=4096)
def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body if len(text) < _LONGEST else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
