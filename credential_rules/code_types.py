"""What annotations say of a value that others hand in."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from credential_rules.code_program import last_name
from credential_rules.code_values import (
    ANYTHING,
    NOTHING,
    OPAQUE,
    SESSION,
    ClassValue,
    Client,
    External,
    Frame,
    ResourceObject,
    TypeName,
    Value,
)

if TYPE_CHECKING:
    from credential_rules.code_walk import Walk

_OPAQUE: Final[Value] = frozenset({OPAQUE})
_ANYTHING: Final[Value] = frozenset({ANYTHING})
_SESSION: Final[Value] = frozenset({SESSION})
_NO_TYPE: Final = frozenset({"typing.Any", "typing_extensions.Any", "builtins.object", "typing.Self"})
_SESSION_TYPES: Final = frozenset(
    {
        "boto3.Session",
        "boto3.session.Session",
        "botocore.session.Session",
        "aioboto3.Session",
        "aiobotocore.session.AioSession",
    }
)


class Types:
    """Reads annotations, also those that stand in quotes or are imported for type checkers only."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._annotations: dict[str, ast.expr | None] = {}

    def given_type(self, annotation: ast.expr, frame: Frame) -> Value:
        """What others hand in under an annotation: objects of the types it names, data if it names none of ours."""
        return self.type_in(annotation, frame) or _OPAQUE

    def type_of(self, annotation: ast.expr) -> Value:
        """What something of that type may be; nothing if the annotation says nothing of use."""
        assert self._walk.frame is not None  # noqa: S101 (annotations stand in frames)
        return self.type_in(annotation, self._walk.frame) - _ANYTHING

    def type_in(self, annotation: ast.expr, frame: Frame) -> Value:
        """What something of an annotation may be, written in another frame."""
        found = NOTHING
        todo: list[tuple[ast.expr, bool]] = [(annotation, True)]
        rounds = 0
        while todo and rounds < 64:  # noqa: PLR2004 (no annotation that people write is longer)
            rounds += 1
            node, is_top = todo.pop()
            if isinstance(node, ast.Constant):
                parsed = self._parsed(node.value) if isinstance(node.value, str) else None
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
                found |= self._of_type(self._in_frame(frame, node), is_top=is_top)
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
        here: Frame | None = frame
        found = NOTHING
        while here is not None:
            if here.function is None or current.id in here.function.locals:
                found = (
                    self._walk.lookup_global(here, current.id)
                    if here.function is None
                    else self._walk.read(here.variable(current.id))
                )
                break
            here = here.enclosing or self._walk.modules.get(here.module.name)
        for name in reversed(names):
            found = self._walk.attribute(found, name)
        return found

    def _of_type(self, value: Value, *, is_top: bool) -> Value:  # noqa: C901 (one branch per kind of value)
        found = NOTHING
        for atom in value:
            if isinstance(atom, TypeName):
                frame = self._walk.module_frame(atom.module)
                if frame is not None:
                    found |= self._of_type(self._walk.read(frame.variable(atom.name)) - {atom}, is_top=is_top)
            elif isinstance(atom, ClassValue):
                if any(isinstance(base, External) and base.path.endswith("Protocol") for base in self._walk.mro(atom)):
                    # Whatever has the methods: which of ours is meant is not said.
                    found |= _ANYTHING
                    continue
                if self._walk.frame is not None:
                    self._walk.wanted[atom].add(self._walk.frame)
                found |= self._walk.read(atom.instances)
            elif isinstance(atom, Client | ResourceObject):
                found |= {atom}
            elif isinstance(atom, External):
                if atom.path in _SESSION_TYPES:
                    found |= _SESSION
                elif is_top and (atom.path in _NO_TYPE or atom.path.startswith("typing.TypeVar")):
                    found |= _ANYTHING
        return found

    def _parsed(self, text: str) -> ast.expr | None:
        if text not in self._annotations:
            try:
                self._annotations[text] = ast.parse(text, mode="eval").body if len(text) < 500 else None  # noqa: PLR2004
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._annotations[text] = None
        return self._annotations[text]
