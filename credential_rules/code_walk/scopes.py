"""Where names live in somebody's program: its modules, and its functions once per way of calling them.

A function has a scope of its own per object and per text it is called with: `clients.client("sqs")` gives another value
than `clients.client("s3")`.
"""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from credential_rules.code_walk.data import Data
from credential_rules.code_walk.program import ClassInfo, FunctionInfo
from credential_rules.code_walk.values import (
    NOTHING,
    Cell,
    ClassValue,
    Client,
    Container,
    Frame,
    FunctionValue,
    Instance,
    ModuleValue,
    ResourceObject,
    Session,
    Text,
    Value,
    Variable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credential_rules.code_walk.program import Callable_, Program
    from credential_rules.code_walk.values import Arguments, Atom

_MOST_CONTEXTS: Final = 16  # of one function; beyond that its calls are taken together
_MOST_TEXTS: Final = 4  # of one argument that tell contexts apart
_BUILTINS: Final = frozenset(dir(builtins))


class Scopes(Data):
    """A memory that knows what a program's names stand for. `classes` are those whose bodies are being gone through."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program = program
        self.classes: list[ClassValue] = []
        self._modules: dict[str, Frame] = {}
        self._looked_for: set[tuple[Frame, str]] = set()
        self._functions: dict[ast.AST, FunctionInfo] = {}
        self._classes: dict[ast.AST, ClassInfo] = {}
        self._contexts: dict[tuple[object, ...], Frame] = {}
        self._context_count: dict[ast.AST, int] = defaultdict(int)
        self._defaults: dict[tuple[Callable_, Frame | None, str], Cell] = {}

    @property
    def here(self) -> Frame:
        """The frame that is being gone through: whatever is written stands in one."""
        assert self.frame is not None  # noqa: S101 (says it to the type checker)
        return self.frame

    # --- modules ---

    def import_module(self, name: str) -> None:
        """Runs a module of the program, and the packages above it, at the place of its import."""
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            frame = self.module_frame(".".join(parts[:length]))
            if frame is not None:
                self.start(frame)

    def module_frame(self, name: str) -> Frame | None:
        """The frame of a module of the program, None if it has none of that name."""
        module = self.program.module(name)
        if module is None:
            return None
        frame = self._modules.get(name)
        if frame is None:
            frame = self._modules[name] = Frame(None, module, None)
        return frame

    def module_member(self, module: str, name: str) -> Value:
        """What a module has under a name: a variable, or a module below it."""
        frame = self.module_frame(module)
        found = self.of_module(frame, name) if frame is not None else NOTHING
        below = f"{module}.{name}"
        if not found and self.program.holds(below):
            return self.imported(below)
        return found

    def imported(self, name: str) -> Value:
        """A module or package of the program, which is run by this."""
        self.import_module(name)
        return frozenset({self.module_value(name)})

    def module_value(self, name: str) -> Atom:
        """The atom of a module."""
        return self.intern(("module", name), lambda: ModuleValue(name))

    # --- names ---

    def of_module(self, frame: Frame, name: str) -> Value:
        """What a name stands for that a module assigns, or takes from those of which it imports everything."""
        cell = frame.variables.get(name)
        found = self.read(cell if cell is not None else frame.variable(name))
        if not found and frame.stars and (frame, name) not in self._looked_for:
            # Modules that import everything from each other ask in a circle.
            self._looked_for.add((frame, name))
            for module in frame.stars:
                found |= self.module_member(module.name, name)
            self._looked_for.discard((frame, name))
        return found

    def global_name(self, frame: Frame, name: str) -> Value:
        """What a name stands for at the top of a module: its own, or what Python has under it."""
        found = self.of_module(frame, name)
        if not found and name in _BUILTINS:
            return self.external(f"builtins.{name}")
        return found

    def name(self, name: str) -> Value:
        """What a name stands for where it is read."""
        if self.classes:
            found = self.peek(self.classes[-1].fields, name)
            if found:
                return found
        return self.name_in(self.here, name)

    def name_in(self, frame: Frame, name: str) -> Value:
        """What a name stands for in a function or module."""
        home = _home(frame, name)
        return self.global_name(home, name) if home.function is None else self.read(home.variable(name))

    def store(self, name: str, value: Value) -> None:
        """Assigns a name."""
        if not value:
            return
        if self.classes:
            self.write(self.field(self.classes[-1].fields, name), value)
        else:
            self.write(_home(self.here, name).variable(name), value)

    # --- functions and classes ---

    def class_of(self, node: ast.ClassDef) -> ClassInfo:
        """The class that a node defines."""
        return self._classes.setdefault(node, ClassInfo(node, self.here.module))

    def function_of(self, node: Callable_) -> FunctionInfo:
        """The function that a node defines."""
        found = self._functions.get(node)
        if found is None:
            owner = self.classes[-1].info if self.classes and not isinstance(node, ast.Lambda) else None
            found = self._functions[node] = FunctionInfo(node, self.here.module, owner)
        return found

    def function_value(self, info: FunctionInfo, frame: Frame, receiver: Atom | None) -> Atom:
        """The atom of a function."""
        return self.intern(("function", info.node, frame, receiver), lambda: FunctionValue(info, frame, receiver))

    def note_default(self, info: FunctionInfo, name: str, value: Value) -> None:
        """Keeps the default of a parameter, which is evaluated where the function is defined."""
        self.write(self._defaults.setdefault((info.node, self.frame, name), Cell()), value)

    def default_of(self, atom: FunctionValue, name: str) -> Value:
        """A default, as it was where the function was defined."""
        cell = self._defaults.get((atom.info.node, atom.frame, name))
        return self.read(cell) if cell is not None else NOTHING

    def is_called(self, info: FunctionInfo) -> bool:
        """Whether a function has been called at all."""
        return info.node in self._context_count

    def frame_of_call(self, atom: FunctionValue, given: dict[str, Value]) -> Frame:
        """The frame of a function for what its parameters are given: calls that differ in no text share one."""
        info = atom.info
        key: tuple[object, ...] = (
            info.node,
            atom.frame,
            atom.receiver,
            _texts_key(given[name] for name in sorted(given)),
        )
        frame = self._contexts.get(key)
        if frame is None:
            self._context_count[info.node] += 1
            if self._context_count[info.node] > _MOST_CONTEXTS:
                key = (info.node, None)
                frame = self._contexts.get(key)
            if frame is None:
                # What a method stands in is what its class stands in: a class's names are not its methods'.
                frame = self._contexts[key] = Frame(info, info.module, atom.frame)
                frame.receiver = atom.receiver
        return frame

    def each_given(self, atom: FunctionValue, arguments: Arguments) -> list[dict[str, Value]]:
        """What each parameter of a function is given: once per text that an argument may be."""
        return _each_alone(self._given(atom, arguments))

    def _given(self, atom: FunctionValue, arguments: Arguments) -> dict[str, Value]:
        info = atom.info
        found: dict[str, Value] = {}
        positional = list(arguments.positional)
        if atom.receiver is not None and not info.is_static:
            positional.insert(0, frozenset({atom.receiver}))
        names = [part.arg for part in info.parameters]
        found.update(zip(names, positional, strict=False))
        for name in names[len(positional) :]:
            if name in arguments.keywords:
                found[name] = arguments.keywords[name]
            elif arguments.rest or arguments.extra:
                found[name] = arguments.rest | arguments.extra
        only_named = [part.arg for part in info.node.args.kwonlyargs]
        for name in only_named:
            if name in arguments.keywords:
                found[name] = arguments.keywords[name]
            elif arguments.extra:
                found[name] = arguments.extra
        for name in info.defaults:
            if name not in found or arguments.rest or arguments.extra:
                value = self.default_of(atom, name)
                is_ours = any(isinstance(one, Client | ResourceObject | Instance | Session) for one in value)
                # What a framework hands in by `Depends(table)` is what the default says.
                found[name] = value if is_ours else found.get(name, NOTHING) | value
        self._pack(atom, positional[len(names) :], {*names, *only_named}, arguments, found)
        return found

    def _pack(
        self,
        atom: FunctionValue,
        over: list[Value],
        named: set[str],
        arguments: Arguments,
        found: dict[str, Value],
    ) -> None:
        """Gives what no other parameter takes to `*args` and `**kwargs`."""
        info = atom.info
        written = info.node.args
        if written.vararg is not None:
            key: tuple[object, ...] = ("rest", info.node, atom.receiver, _texts_key(over))
            by_position = {str(position): value for position, value in enumerate(over)}
            found[written.vararg.arg] = self._packed(key, by_position, arguments.rest)
        if written.kwarg is not None:
            by_name = {name: value for name, value in arguments.keywords.items() if name not in named}
            texts = tuple((name, _texts_key([value])) for name, value in sorted(by_name.items()))
            key = ("keywords", info.node, atom.receiver, texts)
            found[written.kwarg.arg] = self._packed(key, by_name, arguments.extra)

    def _packed(self, key: tuple[object, ...], given: dict[str, Value], more: Value) -> Value:
        packed = self.intern(key, Container)
        for name, value in given.items():
            if value:
                self.write(self.field(packed.fields, name), value)
        if more:
            self.write(self.field(packed.fields, "*"), more)
        return frozenset({packed})


def _home(frame: Frame, name: str) -> Frame:
    """The frame in which a name lives that another reads or assigns."""
    while frame.function is not None and frame.enclosing is not None and name not in frame.function.locals:
        frame = frame.enclosing
    return frame


def _texts_key(values: Iterable[Value]) -> tuple[Value, ...]:
    """What tells two calls apart: the texts and variables among their arguments."""
    found = []
    for value in values:
        texts = frozenset(atom for atom in value if isinstance(atom, Text | Variable))
        found.append(texts if len(texts) <= _MOST_TEXTS else NOTHING)
    return tuple(found)


def _each_alone(given: dict[str, Value]) -> list[dict[str, Value]]:
    """One call per text where an argument may be one of several: `for name in ("s3", "sqs"): client(name)`."""
    found = [given]
    for name, value in given.items():
        texts = [atom for atom in value if isinstance(atom, Text | Variable)]
        if len(texts) > 1 and len(texts) * len(found) <= _MOST_TEXTS * 2:
            others = value.difference(texts)
            parts = [frozenset({text}) for text in texts] + ([others] if others else [])
            found = [{**one, name: part} for one in found for part in parts]
    return found
