"""What each expression of a program gives, and what an assignment changes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from credential_rules.code_walk.foreign import Foreign
from credential_rules.code_walk.values import (
    NOTHING,
    ONLY_ANYTHING,
    ONLY_OPAQUE,
    OPAQUE,
    Anything,
    Arguments,
    Atom,
    ClassValue,
    Container,
    External,
    Instance,
    Opaque,
    Super,
    Text,
    Value,
)

if TYPE_CHECKING:
    from credential_rules.code_walk.program import Callable_

_DEEPEST: Final = 120  # expressions within expressions


class Expressions(Foreign):
    """A memory that evaluates expressions in the current frame; order is left out, of several branches all are taken."""

    _depth = 0

    def value(self, node: ast.expr) -> Value:  # noqa: C901, PLR0911, PLR0912 (one branch per expression)
        """What an expression may give."""
        self.step()
        if isinstance(node, ast.Constant):
            # An empty text stands for "not set", as None does.
            return frozenset({self.text(node.value)}) if isinstance(node.value, str) and node.value else NOTHING
        if isinstance(node, ast.Name):
            return self.name(node.id)
        if self._depth > _DEEPEST:
            return ONLY_ANYTHING
        self._depth += 1
        try:
            if isinstance(node, ast.Attribute):
                return self.attribute(self.value(node.value), node.attr, node)
            if isinstance(node, ast.Call):
                return self._call_expression(node)
            if isinstance(node, ast.Subscript):
                return self._subscript(node)
            if isinstance(node, ast.Dict):
                return self._dict(node)
            if isinstance(node, ast.Tuple | ast.List | ast.Set):
                return self._sequence(node)
            if isinstance(node, ast.Lambda):
                return self._lambda(node)
            if isinstance(node, ast.IfExp):
                self.value(node.test)
                return self.value(node.body) | self.value(node.orelse)
            if isinstance(node, ast.BoolOp):
                found = NOTHING
                for part in node.values:
                    found |= self.value(part)
                return found
            if isinstance(node, ast.BinOp):
                return self._operation(node)
            if isinstance(node, ast.NamedExpr):
                value = self.value(node.value)
                self.assign(node.target, value, node.value)
                return value
            if isinstance(node, ast.Await | ast.Starred):
                return self.value(node.value)
            if isinstance(node, ast.Yield | ast.YieldFrom):
                return self._yield(node)
            if isinstance(node, ast.JoinedStr):
                return self._joined_text(node)
            if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
                return self._comprehension(node)
            if isinstance(node, ast.Compare):
                self.value(node.left)
                for part in node.comparators:
                    self.value(part)
                return NOTHING
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.value(child)
            return NOTHING
        finally:
            self._depth -= 1

    def _lambda(self, node: ast.Lambda) -> Value:
        return frozenset({self.defined(node)})

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> Value:
        if node.value is not None and self.frame is not None:
            value = self.value(node.value)
            self.write(self.frame.returned, self.elements(value) if isinstance(node, ast.YieldFrom) else value)
        return ONLY_OPAQUE

    def _joined_text(self, node: ast.JoinedStr) -> Value:
        parts = [self.value(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values]
        if len(parts) == 1:
            return parts[0]
        texts = [next(iter(part)) for part in parts if len(part) == 1]
        if len(texts) == len(parts) and all(isinstance(part, Text) for part in texts):
            return frozenset({self.text("".join(part.text for part in texts if isinstance(part, Text)))})
        return ONLY_OPAQUE

    def _operation(self, node: ast.BinOp) -> Value:
        parts: list[ast.expr] = []
        current: ast.expr = node
        while isinstance(current, ast.BinOp):
            parts.append(current.right)
            current = current.left
        found = self.value(current)
        for part in reversed(parts):
            found = self.joined(found, self.value(part))
        return found

    def _dict(self, node: ast.Dict) -> Value:
        made = self.container(node)
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                for atom in self.value(value):
                    self.pour(atom, made)
            else:
                self.put(made, self.value(key), self.value(value))
        return frozenset({made})

    def _sequence(self, node: ast.Tuple | ast.List | ast.Set) -> Value:
        made = self.container(node)
        starred = False
        for position, element in enumerate(node.elts):
            value = self.value(element)
            if isinstance(element, ast.Starred):
                starred = True
                value = self.elements(value)
            if value:
                self.write(self.field(made.fields, "*" if starred else str(position)), value)
        return frozenset({made})

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        for generator in node.generators:
            self.assign(generator.target, self.elements(self.value(generator.iter)), None)
            for condition in generator.ifs:
                self.value(condition)
        made = self.container(node)
        if isinstance(node, ast.DictComp):
            self.put(made, self.value(node.key), self.value(node.value))
        else:
            self.write(self.field(made.fields, "*"), self.value(node.elt))
        return frozenset({made})

    def _subscript(self, node: ast.Subscript) -> Value:
        value = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            for part in (node.slice.lower, node.slice.upper, node.slice.step):
                if part is not None:
                    self.value(part)
            return value
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            return self.item(value, frozenset({str(node.slice.value)}), node)
        keys = self.value(node.slice)
        names = frozenset(key.text for key in keys if isinstance(key, Text))
        return self.item(value, names if len(names) == len(keys) else None, node, keys)

    # --- calls as they are written ---

    def _call_expression(self, node: ast.Call) -> Value:
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return self._super()
        called = self.value(node.func)
        arguments = self._arguments(node)
        return self.call(called, arguments)

    def _super(self) -> Value:
        frame = self.frame
        while frame is not None and (frame.function is None or frame.function.owner is None):
            frame = frame.enclosing
        if frame is None or frame.function is None or frame.receiver is None:
            return ONLY_OPAQUE
        owner = frame.function.owner
        cls = frame.receiver.cls if isinstance(frame.receiver, Instance) else frame.receiver
        if not isinstance(cls, ClassValue):
            return ONLY_OPAQUE
        defining = next((one for one in self.lineage(cls) if one.info is owner), cls)
        receiver = frame.receiver
        return frozenset({self.intern(("super", defining, receiver), lambda: Super(defining, receiver))})

    def _arguments(self, node: ast.Call) -> Arguments:
        positional: list[Value] = []
        rest = NOTHING
        has_rest = False
        for argument in node.args:
            value = self.value(argument)
            if isinstance(argument, ast.Starred):
                has_rest = True
                rest |= self.elements(value)
            elif has_rest:
                rest |= value
            else:
                positional.append(value)
        keywords: dict[str, Value] = {}
        extra = NOTHING
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is not None:
                keywords[keyword.arg] = keywords.get(keyword.arg, NOTHING) | value
                continue
            extra |= self._spread(value, keywords)
        return Arguments(node, positional, keywords, rest, extra)

    def _spread(self, value: Value, keywords: dict[str, Value]) -> Value:
        """Takes the arguments that `**value` gives; what has no known name is given back."""
        extra = NOTHING
        for atom in value:
            if isinstance(atom, Container):
                self.watch(atom.fields)
                for name, cell in list(atom.fields.cells.items()):
                    if name == "*":
                        extra |= self.read(cell)
                    else:
                        keywords[name] = keywords.get(name, NOTHING) | self.read(cell)
            elif isinstance(atom, Anything | Opaque | External):
                extra |= {OPAQUE}
        return extra

    def defined(self, node: Callable_) -> Atom:
        """The function that a node defines here, with its defaults as they are here."""
        info = self.function_of(node)
        for name, default in info.defaults.items():
            self.note_default(info, name, self.value(default))
        return self.function_value(info, self.here, None)

    # --- assignments ---

    def assign(self, target: ast.expr, value: Value, node: ast.expr | None) -> None:
        """Assigns to a target; `node` is what is assigned, where it is written there."""
        if isinstance(target, ast.Name):
            self.store(target.id, value)
        elif isinstance(target, ast.Attribute):
            for owner in self.value(target.value):
                self.set_attribute(owner, target.attr, value)
        elif isinstance(target, ast.Subscript):
            self._set_item(target, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value, None)
        elif isinstance(target, ast.Tuple | ast.List):
            written = (
                node.elts if isinstance(node, ast.Tuple | ast.List) and len(node.elts) == len(target.elts) else None
            )
            for position, element in enumerate(target.elts):
                if written is not None and not any(isinstance(part, ast.Starred) for part in written):
                    self.assign(element, self.value(written[position]), written[position])
                else:
                    self.assign(element, self.item(value, frozenset({str(position)})), None)

    def _set_item(self, target: ast.Subscript, value: Value) -> None:
        keys = self.value(target.slice)
        for owner in self.value(target.value):
            if isinstance(owner, Container):
                self.put(owner, keys, value)
            elif isinstance(owner, Instance):
                self.call(self.attribute(frozenset({owner}), "__setitem__"), Arguments(target, [keys, value], {}))
