"""What each statement of a program does: assignments, definitions, imports, branches."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from credential_rules.code_memory import WRAPPING
from credential_rules.code_program import ClassInfo, FunctionInfo, last_name
from credential_rules.code_values import (
    ANYTHING,
    NOTHING,
    OPAQUE,
    SESSION,
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

    from credential_rules.code_walk import Walk

_OPAQUE: Final[Value] = frozenset({OPAQUE})
_ANYTHING: Final[Value] = frozenset({ANYTHING})
_SESSION: Final[Value] = frozenset({SESSION})
_PLAIN_DECORATORS: Final = frozenset(
    {"property", "cached_property", "staticmethod", "classmethod", "abstractmethod", "overload", "override", "setter"}
    | {"getter", "deleter", "final", "abstractproperty", "wraps", "contextmanager", "asynccontextmanager"}
)


class Statements:
    """Goes through the statements of one function or module; branches are all taken."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._class_infos: dict[ast.AST, ClassInfo] = {}

    def run(self, body: list[ast.stmt]) -> None:
        """Goes through the statements."""
        todo: list[ast.stmt] = list(reversed(body))
        while todo:
            node = todo.pop()
            self._walk.step()
            for block in self._statement(node):
                todo += reversed(block)

    def _statement(self, node: ast.stmt) -> Iterator[list[ast.stmt]]:  # noqa: C901, PLR0912, PLR0915 (one branch per statement)
        if isinstance(node, ast.Expr):
            self._walk.value(node.value)
        elif isinstance(node, ast.Assign):
            value = self._walk.value(node.value)
            for target in node.targets:
                self._walk.assign(target, value, node.value)
        elif isinstance(node, ast.AnnAssign):
            self._annotated(node)
        elif isinstance(node, ast.AugAssign):
            self._augmented(node)
        elif isinstance(node, ast.Return):
            if node.value is not None and self._walk.frame is not None:
                self._walk.write(self._walk.frame.returned, self._walk.value(node.value))
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
            self._walk.assign(node.target, self._walk.elements(self._walk.value(node.iter)), None)
            yield node.body
            yield node.orelse
        elif isinstance(node, ast.While):
            self._walk.value(node.test)
            yield node.body
            yield node.orelse
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                entered = self._entered(self._walk.value(item.context_expr), item.context_expr)
                if item.optional_vars is not None:
                    self._walk.assign(item.optional_vars, entered, None)
            yield node.body
        elif isinstance(node, ast.Try | ast.TryStar):
            yield node.body
            for handler in node.handlers:
                if handler.type is not None:
                    self._walk.value(handler.type)
                yield handler.body
            yield node.orelse
            yield node.finalbody
        elif isinstance(node, ast.Match):
            subject = self._walk.value(node.subject)
            for case in node.cases:
                self._pattern(case.pattern, subject)
                if case.guard is not None:
                    self._walk.value(case.guard)
                yield case.body
        elif isinstance(node, ast.Raise | ast.Assert | ast.Delete):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self._walk.value(child)

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
        self._walk.value(node.test)
        yield node.body
        yield node.orelse

    def _annotated(self, node: ast.AnnAssign) -> None:
        if self._walk.classes and isinstance(node.target, ast.Name):
            self._walk.classes[-1].info.annotations[node.target.id] = node.annotation
        value = self._walk.value(node.value) if node.value is not None else NOTHING
        if not value or ANYTHING in value or (OPAQUE in value and len(value) == 1):
            value |= NOTHING if self._walk.classes else self._walk.types.type_of(node.annotation)
        self._walk.assign(node.target, value, node.value)

    def _augmented(self, node: ast.AugAssign) -> None:
        value = self._walk.value(node.value)
        held = self._walk.value(_loaded(node.target))
        for one in held:
            if isinstance(one, Container):
                for other in value:
                    self._walk.pour(other, one)
        self._walk.assign(node.target, self._walk.joined(held, value), None)

    def _entered(self, value: Value, node: ast.AST) -> Value:
        found = NOTHING
        for atom in value:
            entered = NOTHING
            if isinstance(atom, Instance):
                for name in ("__enter__", "__aenter__"):
                    entered |= self._walk.class_attribute(atom.cls, name, atom)
            # What has no method for it of its own is entered as itself.
            found |= self._walk.call(entered, Arguments(node, [], {})) if entered else {atom}
        return found

    def _pattern(self, pattern: ast.pattern, subject: Value) -> None:  # noqa: C901 (one branch per pattern)
        todo: list[tuple[ast.pattern, Value]] = [(pattern, subject)]
        while todo:
            node, value = todo.pop()
            if isinstance(node, ast.MatchAs):
                if node.pattern is not None:
                    todo.append((node.pattern, value))
                if node.name:
                    self._walk.store(node.name, value)
            elif isinstance(node, ast.MatchOr):
                todo += [(part, value) for part in node.patterns]
            elif isinstance(node, ast.MatchSequence):
                todo += [(part, self._walk.elements(value)) for part in node.patterns]
            elif isinstance(node, ast.MatchStar):
                if node.name:
                    self._walk.store(node.name, value)
            elif isinstance(node, ast.MatchMapping):
                todo += [
                    (part, self._walk.item(value, _constant_text(key)))
                    for key, part in zip(node.keys, node.patterns, strict=True)
                ]
                if node.rest:
                    self._walk.store(node.rest, value)
            elif isinstance(node, ast.MatchClass):
                inner = self._fields_of(value)
                todo += [
                    (part, self._walk.attribute(value, name))
                    for name, part in zip(node.kwd_attrs, node.kwd_patterns, strict=True)
                ]
                todo += [(part, inner) for part in node.patterns]
            elif isinstance(node, ast.MatchValue):
                self._walk.value(node.value)

    def _fields_of(self, value: Value) -> Value:
        found = NOTHING
        for atom in value:
            if isinstance(atom, Instance | Container):
                found |= self._walk.every(atom.fields)
            else:
                found |= {atom}
        return found

    def _define_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        assert self._walk.frame is not None  # noqa: S101 (definitions stand in frames)
        info = self._walk.function_of(node)
        self._walk.note_defaults(info)
        value: Value = frozenset({self._walk.function_value(info, self._walk.frame, None)})
        for decorator in reversed(node.decorator_list):
            if last_name(decorator) not in _PLAIN_DECORATORS:
                value = self._decorated(self._walk.value(decorator), value, decorator)
        if self._walk.classes:
            self._note_method(self._walk.classes[-1], info)
        self._walk.store(node.name, value)

    def _decorated(self, decorators: Value, value: Value, node: ast.expr) -> Value:
        """What a decorator makes: ours is called; of another's only the function is left, which it may call."""
        found = NOTHING
        for atom in decorators:
            if isinstance(atom, External | Opaque | Anything):
                found |= value
                if not (isinstance(atom, External) and atom.path.startswith(WRAPPING)):
                    self._walk.registered.update(one for one in value if isinstance(one, FunctionValue))
            else:
                found |= self._walk.call_atom(atom, Arguments(node, [value], {}))
        return found or value

    def _note_method(self, cls: ClassValue, info: FunctionInfo) -> None:
        known = self._walk.methods[info.name]
        if (cls, info) not in known:
            known.append((cls, info))
            for watcher in self._walk.method_watchers[info.name]:
                self._walk.schedule(watcher)

    def _define_class(self, node: ast.ClassDef) -> None:
        assert self._walk.frame is not None  # noqa: S101 (definitions stand in frames)
        frame = self._walk.frame
        info = self._class_infos.get(node)
        if info is None:
            info = self._class_infos[node] = ClassInfo(node, frame.module, frame.function)
        made = info
        cls = self._walk.make(node, ("class",), lambda: ClassValue(made, frame))
        assert isinstance(cls, ClassValue)  # noqa: S101 (says to the type checker what `_new` made)
        if not cls.bases:
            cls.bases = [Cell() for _ in node.bases]
        for cell, base in zip(cls.bases, node.bases, strict=True):
            self._walk.write(cell, self._walk.value(base))
        for keyword in node.keywords:
            self._walk.value(keyword.value)
        self._walk.classes.append(cls)
        try:
            self.run(node.body)
        finally:
            self._walk.classes.pop()
        value: Value = frozenset({cls})
        for decorator in reversed(node.decorator_list):
            value = self._decorated(self._walk.value(decorator), value, decorator)
        self._walk.store(node.name, value)

    def _import_statement(self, node: ast.Import, *, type_only: bool) -> None:
        for alias in node.names:
            top = alias.name.split(".")[0]
            if self._walk.program.holds(top):
                if not type_only:
                    self._walk.import_module(alias.name)
                self._walk.store(
                    alias.asname or top, frozenset({self._walk.module_value(alias.name if alias.asname else top)})
                )
            else:
                if self._walk.recording and self._walk.sdk is not None and not type_only:
                    self._walk.sdk.imported(alias.name, node)
                self._walk.store(alias.asname or top, self._walk.external(alias.name if alias.asname else top))

    def _import_from(self, node: ast.ImportFrom, *, type_only: bool) -> None:  # noqa: C901 (one branch per form of import)
        assert self._walk.frame is not None  # noqa: S101 (imports stand in frames)
        module = node.module or ""
        if node.level:
            parts = self._walk.frame.module.package.split(".") if self._walk.frame.module.package else []
            parts = parts[: len(parts) - (node.level - 1)] if node.level > 1 else parts
            module = ".".join([*parts, *([module] if module else [])])
        if not (self._walk.program.holds(module) or (node.level and not module)):
            if self._walk.recording and self._walk.sdk is not None and not type_only:
                self._walk.sdk.imported(module, node)
            for alias in node.names:
                if alias.name != "*":
                    self._walk.store(alias.asname or alias.name, self._walk.external(f"{module}.{alias.name}"))
            return
        if not type_only:
            self._walk.import_module(module)
        for alias in node.names:
            name = alias.asname or alias.name
            if alias.name == "*":
                star = self._walk.program.module(module)
                if star is not None and star not in self._walk.frame.stars:
                    self._walk.frame.stars.append(star)
            elif type_only:
                below = f"{module}.{alias.name}"
                found = (
                    self._walk.module_value(below)
                    if self._walk.program.holds(below)
                    else self._walk.intern(("type", module, alias.name), lambda n=alias.name: TypeName(module, n))  # type: ignore[misc]
                )
                self._walk.store(name, frozenset({found}))
            else:
                self._walk.store(
                    name, self._walk.module_member(module, alias.name) if module else self._top_member(alias.name)
                )

    def _top_member(self, name: str) -> Value:
        if not self._walk.program.holds(name):
            return NOTHING
        self._walk.import_module(name)
        return frozenset({self._walk.module_value(name)})


def _loaded(target: ast.expr) -> ast.expr:
    """A target of an assignment, as it is read."""
    return target


def _constant_text(key: ast.expr) -> frozenset[str] | None:
    return frozenset({key.value}) if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
