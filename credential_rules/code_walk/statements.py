"""What each statement of a program does: assignments, definitions, imports, branches."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from credential_rules.code_walk.expressions import Expressions
from credential_rules.code_walk.memory import WRAPPING
from credential_rules.code_walk.program import last_name
from credential_rules.code_walk.values import (
    ANYTHING,
    NOTHING,
    ONLY_ANYTHING,
    OPAQUE,
    Anything,
    Arguments,
    Cell,
    ClassValue,
    Container,
    External,
    FunctionValue,
    Instance,
    Opaque,
    TypeName,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.code_walk.values import Atom, Frame

_PLAIN_DECORATORS: Final = frozenset(
    {"property", "cached_property", "staticmethod", "classmethod", "abstractmethod", "overload", "override", "setter"}
    | {"getter", "deleter", "final", "abstractproperty", "wraps", "contextmanager", "asynccontextmanager"}
)


class Statements(Expressions):
    """A memory that goes through the statements of one function or module; branches are all taken."""

    def evaluate(self, frame: Frame) -> None:
        """Goes through a function or module with what is known so far."""
        self.frame = frame
        self.classes = []
        function = frame.function
        if function is None:
            self._run(frame.module.source.tree.body)
        elif isinstance(function.node, ast.Lambda):
            self.write(frame.returned, self.value(function.node.body))
        else:
            self._run(function.node.body)
        if self.recording:
            self.sdk.reached(frame)

    def _run(self, body: list[ast.stmt]) -> None:
        todo: list[ast.stmt] = list(reversed(body))
        while todo:
            node = todo.pop()
            self.step()
            for block in self._statement(node):
                todo += reversed(block)

    def _statement(self, node: ast.stmt) -> Iterator[list[ast.stmt]]:  # noqa: C901, PLR0912, PLR0915 (one branch per statement)
        if isinstance(node, ast.Expr):
            self.value(node.value)
        elif isinstance(node, ast.Assign):
            value = self.value(node.value)
            for target in node.targets:
                self.assign(target, value, node.value)
        elif isinstance(node, ast.AnnAssign):
            self._annotated(node)
        elif isinstance(node, ast.AugAssign):
            self._augmented(node)
        elif isinstance(node, ast.Return):
            if node.value is not None:
                self.write(self.here.returned, self.value(node.value))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._define_function(node)
        elif isinstance(node, ast.ClassDef):
            self._define_class(node)
        elif isinstance(node, ast.Import):
            self._import_statement(node, type_only=False)
        elif isinstance(node, ast.ImportFrom):
            self._import_from(node, type_only=False)
        elif isinstance(node, ast.If):
            yield from self._branches(node)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self.assign(node.target, self.elements(self.value(node.iter)), None)
            yield node.body
            yield node.orelse
        elif isinstance(node, ast.While):
            self.value(node.test)
            yield node.body
            yield node.orelse
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                entered = self._entered(self.value(item.context_expr), item.context_expr)
                if item.optional_vars is not None:
                    self.assign(item.optional_vars, entered, None)
            yield node.body
        elif isinstance(node, ast.Try | ast.TryStar):
            yield node.body
            for handler in node.handlers:
                if handler.type is not None:
                    self.value(handler.type)
                yield handler.body
            yield node.orelse
            yield node.finalbody
        elif isinstance(node, ast.Match):
            subject = self.value(node.subject)
            for case in node.cases:
                self._pattern(case.pattern, subject)
                if case.guard is not None:
                    self.value(case.guard)
                yield case.body
        elif isinstance(node, ast.Raise | ast.Assert | ast.Delete):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.value(child)

    def _branches(self, node: ast.If) -> Iterator[list[ast.stmt]]:
        name = ast.unparse(node.test) if isinstance(node.test, ast.Name | ast.Attribute | ast.Compare) else ""
        if name in {"TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING"}:
            for child in node.body:
                if isinstance(child, ast.ImportFrom):
                    self._import_from(child, type_only=True)
                elif isinstance(child, ast.Import):
                    self._import_statement(child, type_only=True)
            yield node.orelse
            return
        if name.startswith("__name__ == ") or name.endswith(" == __name__"):
            yield node.orelse
            return
        self.value(node.test)
        yield node.body
        yield node.orelse

    def _annotated(self, node: ast.AnnAssign) -> None:
        if self.classes and isinstance(node.target, ast.Name):
            self.classes[-1].info.annotations[node.target.id] = node.annotation
        value = self.value(node.value) if node.value is not None else NOTHING
        if not value or ANYTHING in value or (OPAQUE in value and len(value) == 1):
            value |= NOTHING if self.classes else self.of_type(node.annotation, self.here) - ONLY_ANYTHING
        self.assign(node.target, value, node.value)

    def _augmented(self, node: ast.AugAssign) -> None:
        value = self.value(node.value)
        held = self.value(node.target)
        for one in held:
            if isinstance(one, Container):
                for other in value:
                    self.pour(other, one)
        self.assign(node.target, self.joined(held, value), None)

    def _entered(self, value: Value, node: ast.AST) -> Value:
        found = NOTHING
        for atom in value:
            entered = NOTHING
            if isinstance(atom, Instance):
                for name in ("__enter__", "__aenter__"):
                    entered |= self.class_attribute(atom.cls, name, atom)
            # What has no method for it of its own is entered as itself.
            found |= self.call(entered, Arguments(node, [], {})) if entered else {atom}
        return found

    def _pattern(self, pattern: ast.pattern, subject: Value) -> None:  # noqa: C901 (one branch per pattern)
        todo: list[tuple[ast.pattern, Value]] = [(pattern, subject)]
        while todo:
            node, value = todo.pop()
            if isinstance(node, ast.MatchAs):
                if node.pattern is not None:
                    todo.append((node.pattern, value))
                if node.name:
                    self.store(node.name, value)
            elif isinstance(node, ast.MatchOr):
                todo += [(part, value) for part in node.patterns]
            elif isinstance(node, ast.MatchSequence):
                todo += [(part, self.elements(value)) for part in node.patterns]
            elif isinstance(node, ast.MatchStar):
                if node.name:
                    self.store(node.name, value)
            elif isinstance(node, ast.MatchMapping):
                todo += [
                    (part, self.item(value, _constant_text(key)))
                    for key, part in zip(node.keys, node.patterns, strict=True)
                ]
                if node.rest:
                    self.store(node.rest, value)
            elif isinstance(node, ast.MatchClass):
                inner = self._fields_of(value)
                todo += [
                    (part, self.attribute(value, name))
                    for name, part in zip(node.kwd_attrs, node.kwd_patterns, strict=True)
                ]
                todo += [(part, inner) for part in node.patterns]
            elif isinstance(node, ast.MatchValue):
                self.value(node.value)

    def _fields_of(self, value: Value) -> Value:
        found = NOTHING
        for atom in value:
            if isinstance(atom, Instance | Container):
                found |= self.every(atom.fields)
            else:
                found |= {atom}
        return found

    def _define_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        value: Value = frozenset({self.defined(node)})
        for decorator in reversed(node.decorator_list):
            if last_name(decorator) not in _PLAIN_DECORATORS:
                value = self._decorated(self.value(decorator), value, decorator)
        if self.classes:
            self.note_method(self.classes[-1], self.function_of(node))
        self.store(node.name, value)

    def _decorated(self, decorators: Value, value: Value, node: ast.expr) -> Value:
        """What a decorator makes: ours is called; of another's only the function is left, which it may call."""
        found = NOTHING
        for atom in decorators:
            if isinstance(atom, External | Opaque | Anything):
                found |= value
                if not (isinstance(atom, External) and atom.path.startswith(WRAPPING)):
                    self.registered.update(one for one in value if isinstance(one, FunctionValue))
            else:
                found |= self.call_atom(atom, Arguments(node, [value], {}))
        return found or value

    def _define_class(self, node: ast.ClassDef) -> None:
        frame = self.here
        info = self.class_of(node)
        cls = self.make(node, ("class",), lambda: ClassValue(info, frame))
        if not cls.bases:
            cls.bases = [Cell() for _ in node.bases]
        for cell, base in zip(cls.bases, node.bases, strict=True):
            self.write(cell, self.value(base))
        for keyword in node.keywords:
            self.value(keyword.value)
        self.classes.append(cls)
        try:
            self._run(node.body)
        finally:
            self.classes.pop()
        value: Value = frozenset({cls})
        for decorator in reversed(node.decorator_list):
            value = self._decorated(self.value(decorator), value, decorator)
        self.store(node.name, value)

    def _import_statement(self, node: ast.Import, *, type_only: bool) -> None:
        for alias in node.names:
            top = alias.name.split(".")[0]
            if self.program.holds(top):
                if not type_only:
                    self.import_module(alias.name)
                self.store(alias.asname or top, frozenset({self.module_value(alias.name if alias.asname else top)}))
            else:
                if self.recording and not type_only:
                    self.sdk.imported(alias.name, node)
                self.store(alias.asname or top, self.external(alias.name if alias.asname else top))

    def _import_from(self, node: ast.ImportFrom, *, type_only: bool) -> None:  # noqa: C901 (one branch per form of import)
        module = self.here.module.absolute(node)
        if not (self.program.holds(module) or (node.level and not module)):
            if self.recording and not type_only:
                self.sdk.imported(module, node)
            for alias in node.names:
                if alias.name != "*":
                    self.store(alias.asname or alias.name, self.external(f"{module}.{alias.name}"))
            return
        if not type_only:
            self.import_module(module)
        for alias in node.names:
            name = alias.asname or alias.name
            if alias.name == "*":
                star = self.program.module(module)
                if star is not None and star not in self.here.stars:
                    self.here.stars.append(star)
            elif type_only:
                self.store(name, frozenset({self._named_type(module, alias.name)}))
            elif module:
                self.store(name, self.module_member(module, alias.name))
            elif self.program.holds(alias.name):
                self.store(name, self.imported(alias.name))

    def _named_type(self, module: str, name: str) -> Atom:
        below = f"{module}.{name}"
        if self.program.holds(below):
            return self.module_value(below)
        return self.intern(("type", module, name), lambda: TypeName(module, name))


def _constant_text(key: ast.expr) -> frozenset[str] | None:
    return frozenset({key.value}) if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
