"""Follows a program from its entry: which functions run, and what their variables may hold.

An interpretation of the program over sets of possible values. Order within a function is left out, branches are all taken,
so that what is found is at least what happens. Functions are looked at once per object and per text they are called with:
`clients.client("sqs")` gives another value than `clients.client("s3")`.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Final

from credential_rules.code_program import ClassInfo, FunctionInfo
from credential_rules.code_values import (
    ANYTHING,
    NOTHING,
    OPAQUE,
    SESSION,
    Anything,
    Arguments,
    Atom,
    Bound,
    Cell,
    ClassValue,
    Client,
    Container,
    External,
    Fields,
    Frame,
    FunctionValue,
    Instance,
    Method,
    ModuleValue,
    Opaque,
    Partial,
    Prepared,
    Provider,
    ResourceObject,
    Session,
    Super,
    Text,
    TypeName,
    Value,
    Variable,
)
from credential_rules.sdk_services import kind, service_of_stubs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from credential_rules.code_program import Callable_, Module, Program

_MOST_CONTEXTS: Final = 16  # of one function; beyond that its calls are taken together
_MOST_OBJECTS: Final = 8  # made in one place; beyond that they are taken as one
_MOST_TEXTS: Final = 4  # of one argument that tell contexts apart
_MOST_STEPS: Final = 400_000  # expressions and values looked at; a program that needs more is not decided
_DEEPEST: Final = 120  # expressions within expressions

_OPAQUE: Final[Value] = frozenset({OPAQUE})
_ANYTHING: Final[Value] = frozenset({ANYTHING})
_SESSION: Final[Value] = frozenset({SESSION})

_BENIGN_BASES: Final = frozenset(
    {
        "object",
        "ABC",
        "Enum",
        "Flag",
        "Generic",
        "IntEnum",
        "IntFlag",
        "NamedTuple",
        "Protocol",
        "StrEnum",
        "TypedDict",
        "BaseModel",
        "BaseSettings",
        "Struct",
        "dict",
        "list",
        "str",
        "int",
        "float",
        "tuple",
        "set",
        "bytes",
        "type",
        "property",
        "local",
    }
)
"""Bases that do not call the methods of what is derived from them, special ones aside."""

_GIVE_NOTHING: Final = frozenset(
    {
        "isinstance",
        "issubclass",
        "len",
        "print",
        "hash",
        "id",
        "repr",
        "bool",
        "int",
        "float",
        "callable",
        "hasattr",
        "ord",
    }
)
_KEEP_TEXT: Final = frozenset({"str", "cast", "copy", "deepcopy", "fspath", "intern", "assert_type", "NewType"})
_GIVE_ELEMENTS: Final = frozenset({"next", "anext", "max", "min", "choice", "reduce", "deque", "first"})
_OF_CONTAINERS: Final = frozenset(
    {"get", "pop", "popitem", "popleft", "setdefault", "values", "items", "keys", "copy", "append", "add", "insert"}
    | {
        "extend",
        "update",
        "appendleft",
        "put",
        "index",
        "count",
        "remove",
        "sort",
        "union",
        "__getitem__",
        "__setitem__",
    }
)
_OF_EVERYBODY: Final = frozenset(
    name for owner in (dict, list, str, bytes, set, tuple) for name in dir(owner) if not name.startswith("__")
) | {
    "read",
    "write",
    "close",
    "readline",
    "readlines",
    "seek",
    "flush",
    "info",
    "debug",
    "warning",
    "error",
    "exception",
}
"""Methods that data, files and logs have: on a value of unknown origin they are not taken for methods of ours."""

_KEEP_CLIENT: Final = frozenset({"result", "__enter__", "__aenter__"})
_NO_TYPE: Final = frozenset({"typing.Any", "typing_extensions.Any", "builtins.object", "typing.Self"})
_WRAPPING: Final = ("functools.", "contextlib.", "dataclasses.", "typing.", "abc.", "atexit.", "builtins.")
"""Decorators that call what they decorate when somebody does."""
_SETTINGS_BASES: Final = frozenset({"BaseSettings"})


class TooLarge(Exception):
    """The program needs more steps than anybody would wait for."""


class Walk:
    """One interpretation of a program. `on_call` and `on_unknown` hear of the SDK's calls once everything is known."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.frames: list[Frame] = []
        self.recording = False
        self.steps = 0
        self._modules: dict[str, Frame] = {}
        self._started: set[Frame] = set()
        self._waiting: deque[Frame] = deque()
        self._is_waiting: set[Frame] = set()
        self._frame: Frame | None = None
        self._class: list[ClassValue] = []
        self._depth = 0
        self._functions: dict[ast.AST, FunctionInfo] = {}
        self._class_infos: dict[ast.AST, ClassInfo] = {}
        self._interned: dict[tuple[object, ...], Atom] = {}
        self._externals: dict[str, Value] = {}
        self._made: dict[ast.AST, int] = defaultdict(int)
        self._contexts: dict[tuple[object, ...], Frame] = {}
        self._context_count: dict[ast.AST, int] = defaultdict(int)
        self._methods: dict[str, list[tuple[ClassValue, FunctionInfo]]] = defaultdict(list)
        self._method_watchers: dict[str, set[Frame]] = defaultdict(set)
        self._annotations: dict[str, ast.expr | None] = {}
        self._defaults: dict[tuple[Callable_, Frame | None, str], Cell] = {}
        self._wanted: dict[ClassValue, set[Frame]] = defaultdict(set)
        self._is_settled = False
        self._asks_for_types: set[Frame] = set()
        self._looked_for: set[tuple[Frame, str]] = set()
        self._registered: set[FunctionValue] = set()
        self._called_from_outside: list[FunctionValue] = []
        self.sdk: SdkListener | None = None

    @property
    def current(self) -> Frame | None:
        """The frame that is being looked at."""
        return self._frame

    def elements(self, value: Value) -> Value:
        """What a loop over a value gives."""
        return self._elements(value)

    # --- running ---

    def run(self, module: Module, handler: str) -> bool:
        """Interprets everything that is reached from a module's top level and its handler; False if there is no handler."""
        self._import(module.name)
        self._settle()
        frame = self._modules[module.name]
        found = NOTHING
        for part in handler.split("."):
            found = self._lookup_global(frame, part) if not found else self._attribute(found, part)
        # An event is data; what a decorator hangs onto the context may be anything.
        arguments = Arguments(module.source.tree, [_OPAQUE, _ANYTHING], {})
        self._frame = frame
        for atom in found:
            if isinstance(atom, FunctionValue) and any(part.annotation for part in atom.info.parameters[:1]):
                # An event that is of a type of ours has methods of ours.
                arguments.positional[0] = _ANYTHING
            self._call_atom(atom, arguments)
        self._settle()
        self._is_settled = True
        for asking in self._asks_for_types:
            self._schedule(asking)
        self._settle()
        for _ in range(3):
            self._make_wanted()
            self._call_registered()
        self._record(module, arguments, found)
        return bool(found)

    def _call_registered(self) -> None:
        """Calls the functions that other people's decorators got hold of, and that nobody of ours calls by name."""
        for atom in sorted(self._registered, key=lambda one: one.info.node.lineno):
            if not self._context_count[atom.info.node]:
                self._frame = atom.frame
                self._called_from_outside.append(atom)
                self._call_back(atom)
        self._settle()

    def _settle(self) -> None:
        while self._waiting:
            frame = self._waiting.popleft()
            self._is_waiting.discard(frame)
            self._evaluate(frame)

    def _make_wanted(self) -> None:
        """Gives an object to classes that are named as types of what others hand in, and that nobody makes."""
        for _ in range(3):
            missing = [cls for cls in self._wanted if not cls.instances.value]
            if not missing:
                return
            for cls in missing:
                for frame in self._wanted[cls]:
                    self._schedule(frame)
                self._frame = cls.frame
                self._instantiate(cls, Arguments(cls.info.node, [], {}, _ANYTHING, _ANYTHING))
            self._settle()

    def _record(self, module: Module, arguments: Arguments, entry: Value) -> None:
        """Goes once more through all that is reached now that every value is known, and tells of it.

        Frames that were begun with less than is known now are not reached again.
        """
        self.recording = True
        self._started.clear()
        self.frames.clear()
        self._frame = None
        self._import(module.name)
        for atom in entry:
            self._call_atom(atom, arguments)
        done = 0
        while done < len(self.frames):
            for frame in self.frames[done:]:
                done += 1
                self._evaluate(frame)
            for atom in self._called_from_outside:
                self._frame = atom.frame
                self._call_back(atom)

    def _schedule(self, frame: Frame) -> None:
        if frame not in self._is_waiting and not self.recording:
            self._is_waiting.add(frame)
            self._waiting.append(frame)

    def _start(self, frame: Frame) -> None:
        if frame not in self._started:
            self._started.add(frame)
            self.frames.append(frame)
            self._schedule(frame)

    # --- cells ---

    def _read(self, cell: Cell) -> Value:
        if self._frame is not None:
            cell.readers.add(self._frame)
        return cell.value

    def _write(self, cell: Cell, value: Value) -> None:
        if not value <= cell.value:
            cell.value |= value
            for reader in cell.readers:
                self._schedule(reader)

    def _field(self, fields: Fields, name: str) -> Cell:
        found = fields.cells.get(name)
        if found is None:
            found = fields.cells[name] = Cell()
            for watcher in fields.watchers:
                self._schedule(watcher)
        return found

    def _peek(self, fields: Fields, name: str) -> Value:
        """What stands under a name, without making the place; whoever asked hears when it is made."""
        found = fields.cells.get(name)
        if found is None:
            if self._frame is not None:
                fields.watchers.add(self._frame)
            return NOTHING
        return self._read(found)

    def _every(self, fields: Fields) -> Value:
        if self._frame is not None:
            fields.watchers.add(self._frame)
        self._step(len(fields.cells))
        found: set[Atom] = set()
        for cell in list(fields.cells.values()):
            found |= self._read(cell)
        self._step(len(found))
        return frozenset(found)

    def _intern(self, key: tuple[object, ...], make: Callable[[], Atom]) -> Atom:
        found = self._interned.get(key)
        if found is None:
            found = self._interned[key] = make()
        return found

    def text(self, text: str) -> Atom:
        """The atom of a text."""
        return self._intern(("text", text), lambda: Text(text))

    def variable(self, name: str) -> Atom:
        """The atom of an environment variable's value."""
        return self._intern(("variable", name), lambda: Variable(name))

    def external(self, path: str) -> Value:
        """The value of something that is not the program's."""
        known = self._externals.get(path)
        if known is None:
            known = self._externals[path] = frozenset({self._external(path)})
        return known

    def _external(self, path: str) -> Atom:
        top = path.partition(".")[0].partition("(")[0]
        if ("()" in path and path not in _ENVIRONMENT) or len(path) > 200:  # noqa: PLR2004 (a name that long is a loop's)
            # What came from a package is told by the package alone: there is no end to what can be called on it.
            if top in sys.stdlib_module_names and not path.startswith(_WRAPPING):
                return OPAQUE
            path = f"{top}.()"
        service = service_of_stubs(top)
        if service:
            return self._stub(service, path)
        return self._intern(("external", path), lambda: External(path))

    def client(self, service: str) -> Atom:
        """The client of a service."""
        return self._intern(("client", service), lambda: Client(service))

    def resource(self, service: str, name: str, names: tuple[tuple[str, Value], ...] = ()) -> Atom:
        """An object of the resource interface."""
        return self._intern(("resource", service, name, names), lambda: ResourceObject(service, name, names))

    def prepared(
        self, service: str, operation: str, given: tuple[tuple[str, Value], ...] = (), makes: str = ""
    ) -> Atom:
        """Something that calls one operation later."""
        return self._intern(
            ("prepared", service, operation, given, makes), lambda: Prepared(service, operation, given, makes)
        )

    def provider(self, name: str, given: tuple[tuple[str, Value], ...]) -> Atom:
        """An object of a package that calls AWS by itself."""
        return self._intern(("provider", name, given), lambda: Provider(name, given))

    def method(self, owner: Client | ResourceObject, name: str) -> Atom:
        """A method of the SDK's."""
        return self._intern(("method", owner, name), lambda: Method(owner, name))

    def _stub(self, service: str, path: str) -> Atom:
        last = path.rpartition(".")[2]
        if last.endswith("ServiceResource"):
            return self.resource(service, "")
        if ".service_resource." in path or (not last.endswith("Client") and kind(service, last)):
            return self.resource(service, last) if kind(service, last) else OPAQUE
        return self.client(service) if last.endswith("Client") else OPAQUE

    def _new(self, node: ast.AST, key: tuple[object, ...], make: Callable[[], Atom]) -> Atom:
        """An object made at `node` in the current frame: one per place and frame, up to a limit."""
        full = (*key, node, self._frame)
        found = self._interned.get(full)
        if found is None:
            self._made[node] += 1
            if self._made[node] > _MOST_OBJECTS:
                return self._intern((*key, node), make)
            found = self._interned[full] = make()
        return found

    def container(self, node: ast.AST, use: str = "") -> Container:
        """The list or mapping that `node` makes."""
        found = self._new(node, ("container", use), Container)
        assert isinstance(found, Container)  # noqa: S101 (says to the type checker what `_new` made)
        return found

    # --- modules ---

    def _import(self, name: str) -> Frame | None:
        """Runs a module of the program, and the packages above it, at the place of its import."""
        parts = name.split(".")
        frame: Frame | None = None
        for length in range(1, len(parts) + 1):
            frame = self._module_frame(".".join(parts[:length]))
            if frame is not None:
                self._start(frame)
        return frame

    def _module_frame(self, name: str) -> Frame | None:
        module = self.program.module(name)
        if module is None:
            return None
        frame = self._modules.get(name)
        if frame is None:
            frame = self._modules[name] = Frame(None, module, None)
        return frame

    def _module_member(self, module: str, name: str) -> Value:
        frame = self._module_frame(module)
        found = self._lookup_global(frame, name, builtins=False) if frame is not None else NOTHING
        below = f"{module}.{name}"
        if not found and self.program.holds(below):
            self._import(below)
            return frozenset({self._module_value(below)})
        return found

    def _module_value(self, name: str) -> Atom:
        return self._intern(("module", name), lambda: ModuleValue(name))

    def _lookup_global(self, frame: Frame, name: str, *, builtins: bool = True) -> Value:
        cell = frame.variables.get(name)
        found = self._read(cell if cell is not None else frame.variable(name))
        if not found and frame.stars and (frame, name) not in self._looked_for:
            # Modules that import everything from each other ask in a circle.
            self._looked_for.add((frame, name))
            for module in frame.stars:
                found |= self._module_member(module.name, name)
            self._looked_for.discard((frame, name))
        if not found and builtins and name in _BUILTINS:
            return self.external(f"builtins.{name}")
        return found

    # --- one frame ---

    def _evaluate(self, frame: Frame) -> None:
        self._frame = frame
        self._class = []
        self._depth = 0
        function = frame.function
        if function is None:
            self._statements(frame.module.source.tree.body)
        elif isinstance(function.node, ast.Lambda):
            self._write(frame.returned, self._value(function.node.body))
        else:
            self._statements(function.node.body)
        if self.recording and self.sdk is not None:
            self.sdk.reached(frame)

    # --- statements ---

    def _statements(self, body: list[ast.stmt]) -> None:
        todo: list[ast.stmt] = list(reversed(body))
        while todo:
            node = todo.pop()
            self._step()
            for block in self._statement(node):
                todo += reversed(block)

    def _step(self, count: int = 1) -> None:
        self.steps += count
        if self.steps > _MOST_STEPS:
            raise TooLarge

    def _statement(self, node: ast.stmt) -> Iterator[list[ast.stmt]]:  # noqa: C901, PLR0912, PLR0915 (one branch per statement)
        if isinstance(node, ast.Expr):
            self._value(node.value)
        elif isinstance(node, ast.Assign):
            value = self._value(node.value)
            for target in node.targets:
                self._assign(target, value, node.value)
        elif isinstance(node, ast.AnnAssign):
            self._annotated(node)
        elif isinstance(node, ast.AugAssign):
            self._augmented(node)
        elif isinstance(node, ast.Return):
            if node.value is not None and self._frame is not None:
                self._write(self._frame.returned, self._value(node.value))
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
            self._assign(node.target, self._elements(self._value(node.iter)), None)
            yield node.body
            yield node.orelse
        elif isinstance(node, ast.While):
            self._value(node.test)
            yield node.body
            yield node.orelse
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                entered = self._entered(self._value(item.context_expr), item.context_expr)
                if item.optional_vars is not None:
                    self._assign(item.optional_vars, entered, None)
            yield node.body
        elif isinstance(node, ast.Try | ast.TryStar):
            yield node.body
            for handler in node.handlers:
                if handler.type is not None:
                    self._value(handler.type)
                yield handler.body
            yield node.orelse
            yield node.finalbody
        elif isinstance(node, ast.Match):
            subject = self._value(node.subject)
            for case in node.cases:
                self._pattern(case.pattern, subject)
                if case.guard is not None:
                    self._value(case.guard)
                yield case.body
        elif isinstance(node, ast.Raise | ast.Assert | ast.Delete):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self._value(child)

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
        self._value(node.test)
        yield node.body
        yield node.orelse

    def _annotated(self, node: ast.AnnAssign) -> None:
        if self._class and isinstance(node.target, ast.Name):
            self._class[-1].info.annotations[node.target.id] = node.annotation
        value = self._value(node.value) if node.value is not None else NOTHING
        if not value or ANYTHING in value or (OPAQUE in value and len(value) == 1):
            value |= NOTHING if self._class else self._type(node.annotation)
        self._assign(node.target, value, node.value)

    def _augmented(self, node: ast.AugAssign) -> None:
        value = self._value(node.value)
        held = self._value(_loaded(node.target))
        for one in held:
            if isinstance(one, Container):
                for other in value:
                    self._pour(other, one)
        self._assign(node.target, self._joined(held, value), None)

    def _pour(self, source: Atom, into: Container) -> None:
        """Puts what one container holds into another, under the same keys."""
        if isinstance(source, Container):
            if source is into:
                return
            if self._frame is not None:
                source.fields.watchers.add(self._frame)
            for name, cell in list(source.fields.cells.items()):
                self._write(self._field(into.fields, name), self._read(cell))
            self._write(into.keys, self._read(source.keys))
        else:
            self._write(self._field(into.fields, "*"), frozenset({source}))

    def _entered(self, value: Value, node: ast.AST) -> Value:
        found = NOTHING
        for atom in value:
            if isinstance(atom, Instance):
                for name in ("__enter__", "__aenter__"):
                    entered = self._attribute(frozenset({atom}), name)
                    given = self._call(entered, Arguments(node, [], {})) if entered else NOTHING
                    found |= given
                if not found:
                    found |= {atom}
            else:
                found |= {atom}
        return found

    def _pattern(self, pattern: ast.pattern, subject: Value) -> None:  # noqa: C901 (one branch per pattern)
        todo: list[tuple[ast.pattern, Value]] = [(pattern, subject)]
        while todo:
            node, value = todo.pop()
            if isinstance(node, ast.MatchAs):
                if node.pattern is not None:
                    todo.append((node.pattern, value))
                if node.name:
                    self._store(node.name, value)
            elif isinstance(node, ast.MatchOr):
                todo += [(part, value) for part in node.patterns]
            elif isinstance(node, ast.MatchSequence):
                todo += [(part, self._elements(value)) for part in node.patterns]
            elif isinstance(node, ast.MatchStar):
                if node.name:
                    self._store(node.name, value)
            elif isinstance(node, ast.MatchMapping):
                todo += [(part, self._elements(value)) for part in node.patterns]
                if node.rest:
                    self._store(node.rest, value)
            elif isinstance(node, ast.MatchClass):
                inner = self._fields_of(value)
                todo += [
                    (part, self._attribute(value, name))
                    for name, part in zip(node.kwd_attrs, node.kwd_patterns, strict=True)
                ]
                todo += [(part, inner) for part in node.patterns]
            elif isinstance(node, ast.MatchValue):
                self._value(node.value)

    def _fields_of(self, value: Value) -> Value:
        found = NOTHING
        for atom in value:
            if isinstance(atom, Instance | Container):
                found |= self._every(atom.fields)
            else:
                found |= {atom}
        return found

    # --- definitions and imports ---

    def _function(self, node: Callable_) -> FunctionInfo:
        found = self._functions.get(node)
        if found is None:
            assert self._frame is not None  # noqa: S101 (definitions stand in frames)
            owner = self._class[-1].info if self._class and not isinstance(node, ast.Lambda) else None
            found = self._functions[node] = FunctionInfo(node, self._frame.module, owner, self._frame.function)
        return found

    def _function_value(self, info: FunctionInfo, frame: Frame, receiver: Atom | None) -> Atom:
        return self._intern(("function", info.node, frame, receiver), lambda: FunctionValue(info, frame, receiver))

    def _define_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        assert self._frame is not None  # noqa: S101 (definitions stand in frames)
        info = self._function(node)
        self._note_defaults(info)
        value: Value = frozenset({self._function_value(info, self._frame, None)})
        for decorator in reversed(node.decorator_list):
            if _last_name(decorator) not in _PLAIN_DECORATORS:
                value = self._decorated(self._value(decorator), value, decorator)
        if self._class:
            self._note_method(self._class[-1], info)
        self._store(node.name, value)

    def _decorated(self, decorators: Value, value: Value, node: ast.expr) -> Value:
        """What a decorator makes: ours is called; of another's only the function is left, which it may call."""
        found = NOTHING
        for atom in decorators:
            if isinstance(atom, External | Opaque | Anything):
                found |= value
                if not (isinstance(atom, External) and atom.path.startswith(_WRAPPING)):
                    self._registered.update(one for one in value if isinstance(one, FunctionValue))
            else:
                found |= self._call_atom(atom, Arguments(node, [value], {}))
        return found or value

    def _note_method(self, cls: ClassValue, info: FunctionInfo) -> None:
        known = self._methods[info.name]
        if (cls, info) not in known:
            known.append((cls, info))
            for watcher in self._method_watchers[info.name]:
                self._schedule(watcher)

    def _define_class(self, node: ast.ClassDef) -> None:
        assert self._frame is not None  # noqa: S101 (definitions stand in frames)
        frame = self._frame
        info = self._class_infos.get(node)
        if info is None:
            info = self._class_infos[node] = ClassInfo(node, frame.module, frame.function)
        made = info
        cls = self._new(node, ("class",), lambda: ClassValue(made, frame))
        assert isinstance(cls, ClassValue)  # noqa: S101 (says to the type checker what `_new` made)
        if not cls.bases:
            cls.bases = [Cell() for _ in node.bases]
        for cell, base in zip(cls.bases, node.bases, strict=True):
            self._write(cell, self._value(base))
        for keyword in node.keywords:
            self._value(keyword.value)
        self._class.append(cls)
        try:
            self._statements(node.body)
        finally:
            self._class.pop()
        value: Value = frozenset({cls})
        for decorator in reversed(node.decorator_list):
            value |= self._call(self._value(decorator), Arguments(decorator, [value], {}))
        self._store(node.name, value)

    def _import_statement(self, node: ast.Import, *, type_only: bool) -> None:
        for alias in node.names:
            top = alias.name.split(".")[0]
            if self.program.holds(top):
                if not type_only:
                    self._import(alias.name)
                self._store(alias.asname or top, frozenset({self._module_value(alias.name if alias.asname else top)}))
            else:
                if self.recording and self.sdk is not None and not type_only:
                    self.sdk.imported(alias.name, node)
                self._store(alias.asname or top, self.external(alias.name if alias.asname else top))

    def _import_from(self, node: ast.ImportFrom, *, type_only: bool) -> None:  # noqa: C901 (one branch per form of import)
        assert self._frame is not None  # noqa: S101 (imports stand in frames)
        module = node.module or ""
        if node.level:
            parts = self._frame.module.package.split(".") if self._frame.module.package else []
            parts = parts[: len(parts) - (node.level - 1)] if node.level > 1 else parts
            module = ".".join([*parts, *([module] if module else [])])
        if not (self.program.holds(module) or (node.level and not module)):
            if self.recording and self.sdk is not None and not type_only:
                self.sdk.imported(module, node)
            for alias in node.names:
                if alias.name != "*":
                    self._store(alias.asname or alias.name, self.external(f"{module}.{alias.name}"))
            return
        if not type_only:
            self._import(module)
        for alias in node.names:
            name = alias.asname or alias.name
            if alias.name == "*":
                star = self.program.module(module)
                if star is not None and star not in self._frame.stars:
                    self._frame.stars.append(star)
            elif type_only:
                below = f"{module}.{alias.name}"
                found = (
                    self._module_value(below)
                    if self.program.holds(below)
                    else self._intern(("type", module, alias.name), lambda n=alias.name: TypeName(module, n))  # type: ignore[misc]
                )
                self._store(name, frozenset({found}))
            else:
                self._store(name, self._module_member(module, alias.name) if module else self._top_member(alias.name))

    def _top_member(self, name: str) -> Value:
        if not self.program.holds(name):
            return NOTHING
        self._import(name)
        return frozenset({self._module_value(name)})

    # --- assignments ---

    def _store(self, name: str, value: Value) -> None:
        if not value:
            return
        assert self._frame is not None  # noqa: S101 (assignments stand in frames)
        if self._class:
            self._write(self._field(self._class[-1].fields, name), value)
            return
        self._write(self._home(name).variable(name), value)

    def _home(self, name: str) -> Frame:
        """The frame in which a name lives that the current one assigns."""
        frame = self._frame
        assert frame is not None  # noqa: S101 (names stand in frames)
        while frame.function is not None and name not in frame.function.locals:
            if frame.enclosing is None:
                return self._modules.get(frame.module.name, frame)
            frame = frame.enclosing
        return frame

    def _assign(self, target: ast.expr, value: Value, node: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self._store(target.id, value)
        elif isinstance(target, ast.Attribute):
            for owner in self._value(target.value):
                self._set_attribute(owner, target.attr, value)
        elif isinstance(target, ast.Subscript):
            self._set_item(target, value)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, value, None)
        elif isinstance(target, ast.Tuple | ast.List):
            written = (
                node.elts if isinstance(node, ast.Tuple | ast.List) and len(node.elts) == len(target.elts) else None
            )
            for position, element in enumerate(target.elts):
                if written is not None and not any(isinstance(part, ast.Starred) for part in written):
                    self._assign(element, self._value(written[position]), written[position])
                else:
                    self._assign(element, self._item(value, frozenset({str(position)})), None)

    def _set_attribute(self, owner: Atom, name: str, value: Value) -> None:
        if isinstance(owner, Instance | ClassValue):
            self._write(self._field(owner.fields, name), value)
        elif isinstance(owner, ModuleValue):
            frame = self._module_frame(owner.name)
            if frame is not None:
                self._write(frame.variable(name), value)
        elif isinstance(owner, External | Opaque | Anything | FunctionValue):
            self._give_away(value)

    def _set_item(self, target: ast.Subscript, value: Value) -> None:
        keys = self._value(target.slice)
        for owner in self._value(target.value):
            if isinstance(owner, Container):
                self._put(owner, keys, value)
            elif isinstance(owner, Instance):
                self._call(self._attribute(frozenset({owner}), "__setitem__"), Arguments(target, [keys, value], {}))

    def _put(self, owner: Container, keys: Value, value: Value) -> None:
        named = [key.text for key in keys if isinstance(key, Text)]
        for name in named:
            self._write(self._field(owner.fields, name), value)
        if len(named) < len(keys) or not keys:
            self._write(self._field(owner.fields, "*"), value)
            self._write(owner.keys, frozenset(key for key in keys if not isinstance(key, Text)))

    # --- expressions ---

    def _value(self, node: ast.expr) -> Value:  # noqa: C901, PLR0911, PLR0912 (one branch per expression)
        self._step()
        if isinstance(node, ast.Constant):
            # An empty text stands for "not set", as None does.
            return frozenset({self.text(node.value)}) if isinstance(node.value, str) and node.value else NOTHING
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if self._depth > _DEEPEST:
            return _ANYTHING
        self._depth += 1
        try:
            if isinstance(node, ast.Attribute):
                return self._attribute(self._value(node.value), node.attr, node)
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
                self._value(node.test)
                return self._value(node.body) | self._value(node.orelse)
            if isinstance(node, ast.BoolOp):
                found = NOTHING
                for part in node.values:
                    found |= self._value(part)
                return found
            if isinstance(node, ast.BinOp):
                return self._operation(node)
            if isinstance(node, ast.NamedExpr):
                value = self._value(node.value)
                self._assign(node.target, value, node.value)
                return value
            if isinstance(node, ast.Await | ast.Starred):
                return self._value(node.value)
            if isinstance(node, ast.Yield | ast.YieldFrom):
                return self._yield(node)
            if isinstance(node, ast.JoinedStr):
                return self._joined_text(node)
            if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
                return self._comprehension(node)
            if isinstance(node, ast.Compare):
                self._value(node.left)
                for part in node.comparators:
                    self._value(part)
                return NOTHING
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self._value(child)
            return NOTHING
        finally:
            self._depth -= 1

    def _name(self, name: str) -> Value:
        frame = self._frame
        assert frame is not None  # noqa: S101 (names stand in frames)
        if self._class:
            found = self._peek(self._class[-1].fields, name)
            if found:
                return found
        while frame.function is not None:
            if name in frame.function.locals:
                return self._read(frame.variable(name))
            if frame.enclosing is None:
                break
            frame = frame.enclosing
        home = self._modules.get(frame.module.name, frame)
        return self._lookup_global(home, name)

    def _lambda(self, node: ast.Lambda) -> Value:
        assert self._frame is not None  # noqa: S101 (lambdas stand in frames)
        self._note_defaults(self._function(node))
        return frozenset({self._function_value(self._function(node), self._frame, None)})

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> Value:
        if node.value is not None and self._frame is not None:
            value = self._value(node.value)
            self._write(self._frame.returned, self._elements(value) if isinstance(node, ast.YieldFrom) else value)
        return _OPAQUE

    def _joined_text(self, node: ast.JoinedStr) -> Value:
        parts = [self._value(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values]
        if len(parts) == 1:
            return parts[0]
        texts = [next(iter(part)) for part in parts if len(part) == 1]
        if len(texts) == len(parts) and all(isinstance(part, Text) for part in texts):
            return frozenset({self.text("".join(part.text for part in texts if isinstance(part, Text)))})
        return _OPAQUE

    def _operation(self, node: ast.BinOp) -> Value:
        parts: list[ast.expr] = []
        current: ast.expr = node
        while isinstance(current, ast.BinOp):
            parts.append(current.right)
            current = current.left
        found = self._value(current)
        for part in reversed(parts):
            found = self._joined(found, self._value(part))
        return found

    def _joined(self, left: Value, right: Value) -> Value:
        """What an operator makes of two values: of texts another text, of others either."""
        if len(left) == 1 and len(right) == 1:
            first, second = next(iter(left)), next(iter(right))
            if isinstance(first, Text) and isinstance(second, Text):
                joined = first.text + second.text
                return frozenset({self.text(joined)}) if len(joined) < 200 else _OPAQUE  # noqa: PLR2004 (a name)
        kept = frozenset(atom for atom in left | right if not isinstance(atom, Text | Variable))
        return kept | _OPAQUE if len(kept) < len(left | right) else kept

    def _dict(self, node: ast.Dict) -> Value:
        made = self.container(node)
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                for atom in self._value(value):
                    self._pour(atom, made)
            else:
                self._put(made, self._value(key), self._value(value))
        return frozenset({made})

    def _sequence(self, node: ast.Tuple | ast.List | ast.Set) -> Value:
        made = self.container(node)
        starred = False
        for position, element in enumerate(node.elts):
            value = self._value(element)
            if isinstance(element, ast.Starred):
                starred = True
                value = self._elements(value)
            if value:
                self._write(self._field(made.fields, "*" if starred else str(position)), value)
        return frozenset({made})

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        for generator in node.generators:
            self._assign(generator.target, self._elements(self._value(generator.iter)), None)
            for condition in generator.ifs:
                self._value(condition)
        made = self.container(node)
        if isinstance(node, ast.DictComp):
            self._put(made, self._value(node.key), self._value(node.value))
        else:
            self._write(self._field(made.fields, "*"), self._value(node.elt))
        return frozenset({made})

    def _subscript(self, node: ast.Subscript) -> Value:
        value = self._value(node.value)
        if isinstance(node.slice, ast.Slice):
            for part in (node.slice.lower, node.slice.upper, node.slice.step):
                if part is not None:
                    self._value(part)
            return value
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            return self._item(value, frozenset({str(node.slice.value)}), node)
        keys = self._value(node.slice)
        names = frozenset(key.text for key in keys if isinstance(key, Text))
        return self._item(value, names if len(names) == len(keys) else None, node, keys)

    def _item(
        self, value: Value, names: frozenset[str] | None, node: ast.expr | None = None, keys: Value = NOTHING
    ) -> Value:
        """What stands under one of these keys; under any key if they are None or empty."""
        found = NOTHING
        for atom in value:
            if isinstance(atom, Container):
                if names:
                    for name in names | {"*"}:
                        found |= self._peek(atom.fields, name)
                else:
                    found |= self._every(atom.fields)
            elif isinstance(atom, Instance):
                getter = self._attribute(frozenset({atom}), "__getitem__")
                found |= self._call(getter, Arguments(node, [keys], {})) if getter and node is not None else {atom}
            elif isinstance(atom, External) and atom.path in _ENVIRONMENT:
                found |= self._variables(keys)
            elif isinstance(atom, Text | Variable):
                found |= _OPAQUE
            else:
                found |= {atom}
        return found

    def _variables(self, names: Value) -> Value:
        return frozenset(self.variable(name.text) if isinstance(name, Text) else OPAQUE for name in names)

    def _elements(self, value: Value) -> Value:
        """What a loop over a value gives."""
        found: set[Atom] = set()
        for atom in value:
            if isinstance(atom, Container):
                found |= self._every(atom.fields)
                found.update(self.text(name) for name in atom.fields.cells if name != "*" and not name.isdigit())
                found |= self._read(atom.keys)
            elif isinstance(atom, Instance):
                iterator = self._attribute(frozenset({atom}), "__iter__")
                given = self._call(iterator, Arguments(atom.cls.info.node, [], {})) if iterator else NOTHING
                found |= self._elements_of_iterator(given, atom)
            elif isinstance(atom, Prepared) and atom.makes:
                found |= {self.resource(atom.service, atom.makes, atom.given)}
            elif isinstance(atom, Text | Variable):
                found |= _OPAQUE
            else:
                found |= {atom}
        return frozenset(found)

    def _elements_of_iterator(self, value: Value, owner: Atom) -> Value:
        found = NOTHING
        for atom in value:
            if isinstance(atom, Container):
                found |= self._every(atom.fields)
            else:
                found |= {atom}
        return found or frozenset({owner})

    # --- attributes ---

    def _attribute(self, value: Value, name: str, node: ast.expr | None = None) -> Value:
        self._step(len(value))
        found: set[Atom] = set()
        for atom in value:
            found |= self._attribute_of(atom, name, node)
        return frozenset(found)

    def _attribute_of(self, atom: Atom, name: str, node: ast.expr | None) -> Value:  # noqa: C901, PLR0911, PLR0912 (one per kind)
        if isinstance(atom, Instance):
            return self._instance_attribute(atom, name, node)
        if isinstance(atom, ModuleValue):
            return self._module_member(atom.name, name)
        if isinstance(atom, External):
            return self.external(f"{atom.path}.{name}")
        if isinstance(atom, ClassValue):
            found = self._class_attribute(atom, name, atom)
            return found or (NOTHING if name in atom.fields.cells else self._external_base(atom))
        if isinstance(atom, Super):
            for base in self._bases(atom.cls):
                if isinstance(base, ClassValue):
                    found = self._class_attribute(base, name, atom.receiver)
                    if found:
                        return found
            return _OPAQUE
        if isinstance(atom, Client | ResourceObject):
            return self.sdk.attribute(atom, name, node) if self.sdk is not None else _OPAQUE
        if isinstance(atom, Session):
            # A session's methods are those of the module.
            return self.external(f"boto3.{name}")
        if isinstance(atom, Container):
            return frozenset({self._intern(("bound", atom, name), lambda: Bound(atom, name))})
        if isinstance(atom, Text | Variable):
            if name in {"value", "name"}:
                return frozenset({atom})
            return frozenset({self._intern(("bound", atom, name), lambda: Bound(atom, name))})
        if isinstance(atom, Prepared | Provider | Partial):
            return frozenset({self._intern(("bound", atom, name), lambda: Bound(atom, name))})
        if isinstance(atom, FunctionValue):
            return frozenset({atom}) if name in {"__wrapped__", "fn", "func", "delay", "submit", "map"} else _OPAQUE
        if isinstance(atom, Anything):
            return self._named_methods(name, node)
        if isinstance(atom, Bound):
            return _OPAQUE
        return _OPAQUE

    def _named_methods(self, name: str, node: ast.expr | None) -> Value:
        """Every method of that name: what is called on something that others hand in."""
        if name in _OF_EVERYBODY:
            return _ANYTHING
        assert self._frame is not None  # noqa: S101 (expressions stand in frames)
        self._method_watchers[name].add(self._frame)
        found: Value = _ANYTHING
        for cls, info in list(self._methods[name]):
            self._wanted[cls].add(self._frame)
            for instance in self._read(cls.instances):
                found |= self._bind(info, cls, instance)
        if self.recording and self.sdk is not None and not self._methods[name] and node is not None:
            self.sdk.called_on_anything(name, node)
        return found

    def _bind(self, info: FunctionInfo, cls: ClassValue, receiver: Atom) -> Value:
        if info.is_property:
            value = frozenset({self._function_value(info, cls.frame, receiver)})
            return self._call(value, Arguments(info.node, [], {}))
        if info.is_static:
            return frozenset({self._function_value(info, cls.frame, None)})
        if info.is_of_class:
            return frozenset(
                {self._function_value(info, cls.frame, receiver.cls if isinstance(receiver, Instance) else cls)}
            )
        return frozenset({self._function_value(info, cls.frame, receiver)})

    def _instance_attribute(self, atom: Instance, name: str, node: ast.expr | None) -> Value:
        found = self._peek(atom.fields, name)
        if "*" in atom.fields.cells:
            found |= self._peek(atom.fields, "*")
        from_class = self._class_attribute(atom.cls, name, atom)
        if from_class:
            return found | from_class
        if found:
            return found
        declared = self._declared(atom.cls, name)
        if declared is not None:
            return declared or (_OPAQUE if self._is_settled else NOTHING)
        getter = self._class_attribute(atom.cls, "__getattr__", atom) if not name.startswith("__") else NOTHING
        if getter:
            given = self._call(getter, Arguments(node or atom.cls.info.node, [frozenset({self.text(name)})], {}))
            return given or _OPAQUE
        if name == "__class__":
            return frozenset({atom.cls})
        return self._external_base(atom.cls)

    def _declared(self, cls: ClassValue, name: str) -> Value | None:
        """A field that a class only declares: what its annotation says, a variable if the class reads its settings.

        Asked only once everything is known that is assigned: an annotation says less.
        """
        for one in self._mro(cls):
            if isinstance(one, ClassValue) and name in one.info.annotations:
                if not self._is_settled:
                    if self._frame is not None:
                        self._asks_for_types.add(self._frame)
                    return NOTHING
                bases = [base.path.rpartition(".")[2] for base in self._mro(cls) if isinstance(base, External)]
                if _SETTINGS_BASES & set(bases):
                    return frozenset({self.variable(name.upper())})
                return self._type_in(one.info.annotations[name], one.frame)
        return None

    def _external_base(self, cls: ClassValue) -> Value:
        return _OPAQUE if any(isinstance(base, External) for base in self._mro(cls)) else NOTHING

    def _class_attribute(self, cls: ClassValue, name: str, receiver: Atom) -> Value:
        for one in self._mro(cls):
            if not isinstance(one, ClassValue):
                continue
            held = self._peek(one.fields, name)
            if held:
                found = NOTHING
                for atom in held:
                    if isinstance(atom, FunctionValue) and atom.receiver is None and atom.info.owner is one.info:
                        if isinstance(receiver, ClassValue):
                            found |= self._bind(atom.info, one, receiver) if atom.info.is_of_class else {atom}
                        else:
                            found |= self._bind(atom.info, one, receiver)
                    else:
                        found |= {atom}
                return found
        return NOTHING

    def _bases(self, cls: ClassValue) -> Iterator[Atom]:
        for cell in cls.bases:
            yield from self._read(cell)

    def _mro(self, cls: ClassValue) -> list[Atom]:
        """The class and what it is derived from, nearest first."""
        found: list[Atom] = []
        todo: list[Atom] = [cls]
        while todo and len(found) < 64:  # noqa: PLR2004 (no class has more bases)
            one = todo.pop(0)
            if one in found:
                continue
            found.append(one)
            if isinstance(one, ClassValue):
                todo = [*self._bases(one), *todo]
        return found

    # --- types ---

    def _given_type(self, annotation: ast.expr, frame: Frame) -> Value:
        """What others hand in under an annotation: objects of the types it names, data if it names none of ours."""
        return self._type_in(annotation, frame) or _OPAQUE

    def _type(self, annotation: ast.expr) -> Value:
        """What something of that type may be; nothing if the annotation says nothing of use."""
        assert self._frame is not None  # noqa: S101 (annotations stand in frames)
        return self._type_in(annotation, self._frame) - _ANYTHING

    def _type_in(self, annotation: ast.expr, frame: Frame) -> Value:
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
                name = _last_name(node.value)
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
                    self._lookup_global(here, current.id)
                    if here.function is None
                    else self._read(here.variable(current.id))
                )
                break
            here = here.enclosing or self._modules.get(here.module.name)
        for name in reversed(names):
            found = self._attribute(found, name)
        return found

    def _of_type(self, value: Value, *, is_top: bool) -> Value:  # noqa: C901 (one branch per kind of value)
        found = NOTHING
        for atom in value:
            if isinstance(atom, TypeName):
                frame = self._module_frame(atom.module)
                if frame is not None:
                    found |= self._of_type(self._read(frame.variable(atom.name)) - {atom}, is_top=is_top)
            elif isinstance(atom, ClassValue):
                if any(isinstance(base, External) and base.path.endswith("Protocol") for base in self._mro(atom)):
                    # Whatever has the methods: which of ours is meant is not said.
                    found |= _ANYTHING
                    continue
                if self._frame is not None:
                    self._wanted[atom].add(self._frame)
                found |= self._read(atom.instances)
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

    # --- calls ---

    def _call_expression(self, node: ast.Call) -> Value:
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return self._super()
        called = self._value(node.func)
        arguments = self._arguments(node)
        return self._call(called, arguments)

    def _super(self) -> Value:
        frame = self._frame
        while frame is not None and (frame.function is None or frame.function.owner is None):
            frame = frame.enclosing
        if frame is None or frame.function is None or frame.receiver is None:
            return _OPAQUE
        owner = frame.function.owner
        cls = frame.receiver.cls if isinstance(frame.receiver, Instance) else frame.receiver
        if not isinstance(cls, ClassValue):
            return _OPAQUE
        defining = next((one for one in self._mro(cls) if isinstance(one, ClassValue) and one.info is owner), cls)
        receiver = frame.receiver
        return frozenset({self._intern(("super", defining, receiver), lambda: Super(defining, receiver))})

    def _arguments(self, node: ast.Call) -> Arguments:
        positional: list[Value] = []
        rest = NOTHING
        has_rest = False
        for argument in node.args:
            value = self._value(argument)
            if isinstance(argument, ast.Starred):
                has_rest = True
                rest |= self._elements(value)
            elif has_rest:
                rest |= value
            else:
                positional.append(value)
        keywords: dict[str, Value] = {}
        extra = NOTHING
        for keyword in node.keywords:
            value = self._value(keyword.value)
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
                if self._frame is not None:
                    atom.fields.watchers.add(self._frame)
                for name, cell in list(atom.fields.cells.items()):
                    if name == "*":
                        extra |= self._read(cell)
                    else:
                        keywords[name] = keywords.get(name, NOTHING) | self._read(cell)
            elif isinstance(atom, Anything | Opaque | External):
                extra |= {OPAQUE}
        return extra

    def _call(self, called: Value, arguments: Arguments) -> Value:
        self._step(len(called))
        found: set[Atom] = set()
        methods = [atom for atom in called if isinstance(atom, Method)]
        wrong = [one for one in methods if self.sdk is not None and not self.sdk.is_operation(one)]
        for atom in called:
            # Of several clients, those that have no such method are not meant.
            if atom not in wrong or len(wrong) == len(methods):
                found |= self._call_atom(atom, arguments)
        return frozenset(found)

    def _call_atom(self, atom: Atom, arguments: Arguments) -> Value:  # noqa: PLR0911 (one per kind)
        if isinstance(atom, FunctionValue):
            return self._call_function(atom, arguments)
        if isinstance(atom, ClassValue):
            return self._instantiate(atom, arguments)
        if isinstance(atom, Instance):
            called = self._class_attribute(atom.cls, "__call__", atom)
            return self._call(called, arguments) if called else self._call_foreign(OPAQUE, arguments)
        if isinstance(atom, External):
            return self._call_external(atom, arguments)
        if isinstance(atom, Method):
            return self.sdk.call_method(atom, arguments) if self.sdk is not None else _OPAQUE
        if isinstance(atom, Bound):
            return self._call_bound(atom, arguments)
        if isinstance(atom, Partial):
            return self._call_partial(atom, arguments)
        if isinstance(atom, ResourceObject | Client | Session | Prepared):
            # `client()`: what was taken for a client is what makes it.
            return frozenset({atom})
        if isinstance(atom, Opaque | Anything):
            return self._call_foreign(atom, arguments)
        return NOTHING

    def _call_function(self, atom: FunctionValue, arguments: Arguments) -> Value:
        bound = self._bound_arguments(atom, arguments)
        found = NOTHING
        for one in _each_alone(bound):
            found |= self._call_once(atom, one)
        return found

    def _call_once(self, atom: FunctionValue, bound: dict[str, Value]) -> Value:
        frame = self._context(atom, bound)
        self._step(sum(map(len, bound.values())))
        types = {part.arg: part.annotation for part in _parameters(atom.info) if part.annotation is not None}
        for name, value in bound.items():
            annotation = types.get(name)
            if annotation is not None and ANYTHING in value:
                value = (value - _ANYTHING) | self._given_type(annotation, atom.frame)  # noqa: PLW2901 (made narrower)
            self._write(frame.variable(name), value)
        self._start(frame)
        return self._read(frame.returned)

    def _bound_arguments(self, atom: FunctionValue, arguments: Arguments) -> dict[str, Value]:  # noqa: C901 (one step per kind of parameter)
        """What each parameter is given."""
        info = atom.info
        written = info.node.args
        found: dict[str, Value] = {}
        positional = list(arguments.positional)
        if atom.receiver is not None and not info.is_static:
            positional.insert(0, frozenset({atom.receiver}))
        names = [part.arg for part in info.parameters]
        found.update(zip(names, positional, strict=False))
        over = positional[len(names) :]
        missing = names[len(positional) :]
        for name in missing:
            if name in arguments.keywords:
                found[name] = arguments.keywords[name]
            elif arguments.rest or arguments.extra:
                found[name] = arguments.rest | arguments.extra
        for part in written.kwonlyargs:
            if part.arg in arguments.keywords:
                found[part.arg] = arguments.keywords[part.arg]
            elif arguments.extra:
                found[part.arg] = arguments.extra
        for name in info.defaults:
            if name not in found or arguments.rest or arguments.extra:
                value = self._default(atom, name)
                is_ours = any(isinstance(one, Client | ResourceObject | Instance | Session) for one in value)
                # What a framework hands in by `Depends(table)` is what the default says.
                found[name] = value if is_ours else found.get(name, NOTHING) | value
        if written.vararg is not None:
            found[written.vararg.arg] = self._packed(info, atom, over, arguments.rest)
        if written.kwarg is not None:
            named = {*names, *(part.arg for part in written.kwonlyargs)}
            more = {name: value for name, value in arguments.keywords.items() if name not in named}
            found[written.kwarg.arg] = self._packed_keywords(info, atom, more, arguments.extra)
        return found

    def _default(self, atom: FunctionValue, name: str) -> Value:
        """A default, as it was where the function was defined."""
        cell = self._defaults.get((atom.info.node, atom.frame, name))
        return self._read(cell) if cell is not None else NOTHING

    def _note_defaults(self, info: FunctionInfo) -> None:
        for name, default in info.defaults.items():
            cell = self._defaults.setdefault((info.node, self._frame, name), Cell())
            self._write(cell, self._value(default))

    def _packed(self, info: FunctionInfo, atom: FunctionValue, over: list[Value], rest: Value) -> Value:
        packed = self._intern(("rest", info.node, atom.receiver, self._texts_key(over)), Container)
        assert isinstance(packed, Container)  # noqa: S101 (says to the type checker what was made)
        for position, value in enumerate(over):
            if value:
                self._write(self._field(packed.fields, str(position)), value)
        if rest:
            self._write(self._field(packed.fields, "*"), rest)
        return frozenset({packed})

    def _packed_keywords(self, info: FunctionInfo, atom: FunctionValue, more: dict[str, Value], extra: Value) -> Value:
        key = tuple((name, self._texts_key([value])) for name, value in sorted(more.items()))
        packed = self._intern(("keywords", info.node, atom.receiver, key), Container)
        assert isinstance(packed, Container)  # noqa: S101 (says to the type checker what was made)
        for name, value in more.items():
            if value:
                self._write(self._field(packed.fields, name), value)
        if extra:
            self._write(self._field(packed.fields, "*"), extra)
        return frozenset({packed})

    @staticmethod
    def _texts_key(values: Iterable[Value]) -> tuple[frozenset[Atom], ...]:
        """What tells two calls apart: the texts and variables among their arguments."""
        found = []
        for value in values:
            texts = frozenset(atom for atom in value if isinstance(atom, Text | Variable))
            found.append(texts if len(texts) <= _MOST_TEXTS else NOTHING)
        return tuple(found)

    def _context(self, atom: FunctionValue, bound: dict[str, Value]) -> Frame:
        info = atom.info
        names = sorted(bound)
        key: tuple[object, ...] = (info.node, atom.frame, atom.receiver, self._texts_key(bound[name] for name in names))
        frame = self._contexts.get(key)
        if frame is None:
            self._context_count[info.node] += 1
            if self._context_count[info.node] > _MOST_CONTEXTS:
                key = (info.node, None)
                frame = self._contexts.get(key)
            if frame is None:
                # A method's variables live in no class: what encloses it is the function that the class stands in.
                enclosing = atom.frame if atom.frame.function is not None else None
                frame = self._contexts[key] = Frame(info, info.module, enclosing)
                frame.receiver = atom.receiver
        return frame

    def _instantiate(self, cls: ClassValue, arguments: Arguments) -> Value:
        made = self._new(arguments.node, ("instance", cls), lambda: Instance(cls))
        assert isinstance(made, Instance)  # noqa: S101 (says to the type checker what `_new` made)
        found: Value = frozenset({made})
        for one in self._mro(cls):
            if isinstance(one, ClassValue):
                self._write(one.instances, found)
        constructor = self._class_attribute(cls, "__init__", made)
        if constructor:
            self._call(constructor, arguments)
        else:
            self._fill_fields(made, arguments)
        creator = self._class_attribute(cls, "__new__", cls)
        if creator:
            shifted = Arguments(
                arguments.node,
                [frozenset({cls}), *arguments.positional],
                arguments.keywords,
                arguments.rest,
                arguments.extra,
            )
            found |= frozenset(
                atom
                for one in creator
                if isinstance(one, FunctionValue)
                for atom in self._call_atom(self._function_value(one.info, one.frame, None), shifted)
            )
        self._call_hidden(made)
        return found

    def _fill_fields(self, made: Instance, arguments: Arguments) -> None:
        """What the constructor of a dataclass, named tuple or model does."""
        names = [
            name
            for one in reversed(self._mro(made.cls))
            if isinstance(one, ClassValue)
            for name in one.info.annotations
        ]
        for name, value in zip(dict.fromkeys(names), arguments.positional, strict=False):
            self._write(self._field(made.fields, name), value)
        for name, value in arguments.keywords.items():
            self._write(self._field(made.fields, name), value)
        if arguments.rest | arguments.extra:
            for name in names:
                self._write(self._field(made.fields, name), arguments.rest | arguments.extra)

    def _call_hidden(self, made: Instance) -> None:
        """Calls the methods that nobody names: special ones, and all where a foreign base may call them."""
        mro = self._mro(made.cls)
        foreign = any(isinstance(base, External) and not _is_benign(base.path) for base in mro)
        for cls in mro:
            if not isinstance(cls, ClassValue):
                continue
            for name in list(cls.fields.cells):
                is_special = name.startswith("__") and name not in _CALLED_BY_US
                if not (is_special or foreign):
                    continue
                for atom in self._peek(cls.fields, name):
                    if isinstance(atom, FunctionValue) and atom.info.owner is cls.info:
                        for method in self._bind(atom.info, cls, made):
                            self._call_back(method)
            if self._frame is not None:
                cls.fields.watchers.add(self._frame)

    def _call_back(self, atom: Atom, given: Value = NOTHING) -> Value:
        """Calls something as other people's code does: with what it was given, or anything."""
        value = given or _ANYTHING
        if isinstance(atom, FunctionValue):
            return self._call_function(atom, Arguments(atom.info.node, [], {}, value, NOTHING if given else _ANYTHING))
        if isinstance(atom, Partial):
            return self._call_partial(atom, Arguments(_NODE, [], {}, value))
        if isinstance(atom, Instance):
            called = self._class_attribute(atom.cls, "__call__", atom)
            return self._call(called, Arguments(_NODE, [], {}, value)) if called else NOTHING
        if isinstance(atom, Method | Bound):
            return self._call_atom(atom, Arguments(_NODE, [], {}, value))
        return NOTHING

    def _give_away(self, value: Value) -> None:
        """Hands a value to other people's code: functions in it may be called."""
        seen: set[Atom] = set()
        todo = list(value)
        while todo and len(seen) < 512:  # noqa: PLR2004 (containers of containers)
            atom = todo.pop()
            if atom in seen:
                continue
            seen.add(atom)
            self._step()
            if isinstance(atom, FunctionValue | Partial):
                self._call_back(atom)
            elif isinstance(atom, Container):
                todo += self._every(atom.fields)

    def _call_partial(self, atom: Partial, arguments: Arguments) -> Value:
        held = atom.fields
        if self._frame is not None:
            held.watchers.add(self._frame)
        count = sum(1 for name in held.cells if name.isdigit())
        first = [self._peek(held, str(position)) for position in range(count)]
        named = {name: self._read(cell) for name, cell in list(held.cells.items()) if not name.isdigit()}
        merged = Arguments(
            arguments.node,
            [*first, *arguments.positional],
            {**named, **arguments.keywords},
            arguments.rest,
            arguments.extra,
        )
        return self._call(self._read(atom.called), merged)

    def _call_bound(self, atom: Bound, arguments: Arguments) -> Value:  # noqa: C901, PLR0911, PLR0912 (one per method)
        owner, name = atom.owner, atom.name
        if isinstance(owner, Prepared | Provider):
            return self.sdk.call_prepared(owner, name, arguments) if self.sdk is not None else _OPAQUE
        if isinstance(owner, Text | Variable):
            if name in {"strip", "rstrip", "lstrip", "lower", "upper", "encode", "decode", "get_secret_value"}:
                return frozenset({owner})
            if name == "format" and not arguments.positional and not arguments.keywords:
                return frozenset({owner})
            return _OPAQUE
        if isinstance(owner, Container):
            if name in {"get", "pop", "setdefault", "__getitem__"}:
                keys = arguments.at(0, "key")
                default = arguments.at(1, "default")
                if name == "setdefault":
                    self._put(owner, keys, default)
                names = frozenset(key.text for key in keys if isinstance(key, Text))
                return self._item(frozenset({owner}), names if len(names) == len(keys) else None) | default
            if name in {"append", "add", "insert", "appendleft", "put", "__setitem__", "put_nowait"}:
                self._write(self._field(owner.fields, "*"), arguments.every())
                return NOTHING
            if name in {"extend", "update", "union", "extendleft"}:
                for value in (*arguments.positional, arguments.rest):
                    for one in value:
                        self._pour(one, owner)
                for key, value in arguments.keywords.items():
                    self._write(self._field(owner.fields, key), value)
                return frozenset({owner})
            if name in {"popitem", "popleft"}:
                return self._every(owner.fields)
            return frozenset({owner})
        return _OPAQUE

    # --- calls of what is not ours ---

    def _call_external(self, atom: External, arguments: Arguments) -> Value:
        path = atom.path
        if self.sdk is not None:
            known = self.sdk.call_external(path, arguments)
            if known is not None:
                return known
        last = path.rpartition(".")[2]
        if path.startswith("builtins."):
            known = self._call_builtin(last, arguments)
            if known is not None:
                return known
        if path in {"functools.partial", "functools.partialmethod"}:
            return self._make_partial(arguments)
        if path == "importlib.import_module":
            return self._imported_by_name(arguments.at(0, "name"))
        if path in {"operator.attrgetter", "operator.methodcaller"}:
            return self.external(f"{path}()")
        return self._call_foreign(atom, arguments)

    def _call_foreign(self, atom: Atom, arguments: Arguments) -> Value:
        """Other people's code gives back what it was given, what it was told to call gave, or something of its own."""
        path = atom.path if isinstance(atom, External) else ""
        last = path.rpartition(".")[2]
        given = arguments.every()
        self._step(len(given))
        if self.recording and self.sdk is not None:
            self.sdk.handed_over(path, given, arguments)
        found: Value = self.external(f"{path}()") if path else frozenset({atom})
        found |= self._called_by_others(arguments)
        for one in given:
            if isinstance(one, Container):
                found |= {one}
                if last in _GIVE_ELEMENTS:
                    found |= self._every(one.fields)
            elif isinstance(one, Text | Variable):
                if last in _KEEP_TEXT:
                    found |= {one}
            elif isinstance(one, FunctionValue):
                # What takes a function alone may be a decorator; what takes more calls it.
                if len(arguments.positional) == 1:
                    found |= {one}
            elif not isinstance(one, Opaque | Anything | External | ModuleValue | TypeName):
                found |= {one}
        return found

    def _called_by_others(self, arguments: Arguments) -> Value:
        """What the functions among the arguments give: they are called with the arguments after them, or anything."""
        found = NOTHING
        every = [*arguments.positional, *arguments.keywords.values(), arguments.rest]
        data = frozenset(atom for value in every for atom in value if not isinstance(atom, _CALLABLES))
        for position, value in enumerate(arguments.positional):
            for atom in value:
                if isinstance(atom, _CALLABLES):
                    found |= self._call_with_rest(atom, arguments.positional[position + 1 :], arguments, data)
        for name, value in arguments.keywords.items():
            for atom in value:
                if isinstance(atom, _CALLABLES) and (not isinstance(atom, ClassValue) or name in _TAKE_A_CLASS_TO_CALL):
                    found |= self._call_with_rest(atom, [], arguments, data)
        self._give_away(frozenset(atom for atom in data if isinstance(atom, Container)))
        return found

    def _call_with_rest(self, one: Atom, after: list[Value], arguments: Arguments, data: Value) -> Value:
        if isinstance(one, ClassValue):
            # A class among the arguments is a type more often than something to call.
            return (
                self._instantiate(one, Arguments(arguments.node, [v | self._elements(v) for v in after], {}, NOTHING))
                if after
                else NOTHING
            )
        named = arguments.keywords.get("args", NOTHING)
        if named or after:
            values = [value | self._elements(value) for value in after]
            more = self._elements(named)
            keywords = dict(arguments.keywords)
            for atom in arguments.keywords.get("kwargs", NOTHING):
                if isinstance(atom, Container):
                    for name, cell in list(atom.fields.cells.items()):
                        keywords[name] = keywords.get(name, NOTHING) | self._read(cell)
            given = Arguments(arguments.node, values, keywords, more | arguments.rest)
            if isinstance(one, FunctionValue):
                self._fill_missing(one, given)
            return self._call_atom(one, given)
        if data:
            return self._call_back(one, self._elements(data) | data | _OPAQUE)
        if isinstance(one, FunctionValue) and _wants_arguments(one):
            # With what it is called will be seen, or is never seen: then later, with anything.
            self._registered.add(one)
            return NOTHING
        return self._call_back(one)

    def _fill_missing(self, one: FunctionValue, given: Arguments) -> None:
        """A parameter that nobody is seen to give comes from outside."""
        taken = len(given.positional) + (1 if one.receiver is not None else 0)
        for part in one.info.parameters[taken:]:
            if part.arg not in given.keywords and part.arg not in one.info.defaults and not given.rest:
                given.keywords[part.arg] = _ANYTHING

    def _make_partial(self, arguments: Arguments) -> Value:
        made = self._new(arguments.node, ("partial",), Partial)
        assert isinstance(made, Partial)  # noqa: S101 (says to the type checker what `_new` made)
        if arguments.positional:
            self._write(made.called, arguments.positional[0])
        for position, value in enumerate(arguments.positional[1:]):
            self._write(self._field(made.fields, str(position)), value)
        for name, value in arguments.keywords.items():
            self._write(self._field(made.fields, name), value)
        return frozenset({made})

    def _imported_by_name(self, names: Value) -> Value:
        found = NOTHING
        for name in names:
            if isinstance(name, Text):
                if self.program.holds(name.text):
                    self._import(name.text)
                    found |= {self._module_value(name.text)}
                else:
                    found |= self.external(name.text)
        return found or _ANYTHING

    def _call_builtin(self, name: str, arguments: Arguments) -> Value | None:  # noqa: C901, PLR0911, PLR0912 (one branch per function)
        if name in _GIVE_NOTHING:
            for value in (*arguments.positional, *arguments.keywords.values()):
                self._give_away(frozenset(atom for atom in value if isinstance(atom, Partial)))
            return NOTHING
        if name == "getattr":
            return self._getattr(arguments)
        if name == "setattr":
            self._setattr(arguments)
            return NOTHING
        if name == "type":
            return frozenset(atom.cls for atom in arguments.at(0, "object") if isinstance(atom, Instance))
        if name == "__import__":
            return self._imported_by_name(arguments.at(0, "name"))
        if name == "vars":
            return _OPAQUE
        if name == "dict":
            made = self.container(arguments.node, "dict")
            for value in (*arguments.positional, arguments.rest):
                for atom in value:
                    if isinstance(atom, External) and atom.path in _ENVIRONMENT:
                        return frozenset({atom})
                    self._pour(atom, made)
            for key, value in arguments.keywords.items():
                self._write(self._field(made.fields, key), value)
            if arguments.extra:
                self._write(self._field(made.fields, "*"), arguments.extra)
            return frozenset({made})
        return None

    def _getattr(self, arguments: Arguments) -> Value:
        owners, names = arguments.at(0, "object"), arguments.at(1, "name")
        found = arguments.at(2, "default")
        for name in names:
            if isinstance(name, Text):
                found |= self._attribute(owners, name.text)
        if not names or any(not isinstance(name, Text) for name in names):
            for owner in owners:
                found |= self._dynamic_attribute(owner, arguments)
        return found

    def _dynamic_attribute(self, owner: Atom, arguments: Arguments) -> Value:
        if isinstance(owner, Client | ResourceObject):
            if self.recording and self.sdk is not None:
                self.sdk.dynamic(owner, arguments)
            return _OPAQUE
        if isinstance(owner, Instance | ClassValue):
            cls = owner.cls if isinstance(owner, Instance) else owner
            found = self._every(owner.fields) if isinstance(owner, Instance) else NOTHING
            for one in self._mro(cls):
                if isinstance(one, ClassValue):
                    for name in list(one.fields.cells):
                        if not name.startswith("__"):
                            found |= self._attribute_of(owner, name, None)
            return found
        if isinstance(owner, ModuleValue):
            frame = self._module_frame(owner.name)
            found = NOTHING
            for name in list(frame.variables) if frame is not None else []:
                found |= self._module_member(owner.name, name)
            return found
        return frozenset({owner}) if isinstance(owner, External) else _OPAQUE

    def _setattr(self, arguments: Arguments) -> None:
        owners, names, value = arguments.at(0, "object"), arguments.at(1, "name"), arguments.at(2, "value")
        for owner in owners:
            for name in names:
                self._set_attribute(owner, name.text if isinstance(name, Text) else "*", value)


class SdkListener:
    """What a walk asks and tells whoever knows the SDK."""

    def call_external(self, path: str, arguments: Arguments) -> Value | None:
        """What a function of the SDK or of a package that uses it gives; None if it is neither."""
        raise NotImplementedError

    def is_operation(self, method: Method) -> bool:
        """Whether the owner has such a method."""
        raise NotImplementedError

    def attribute(self, atom: Client | ResourceObject, name: str, node: ast.expr | None) -> Value:
        """An attribute of a client or resource object."""
        raise NotImplementedError

    def call_method(self, method: Method, arguments: Arguments) -> Value:
        """The call of a method of the SDK."""
        raise NotImplementedError

    def call_prepared(self, owner: Prepared | Provider, name: str, arguments: Arguments) -> Value:
        """The call of a method of a paginator, waiter, collection or provider."""
        raise NotImplementedError

    def reached(self, frame: Frame) -> None:
        """A function is run."""

    def imported(self, module: str, node: ast.stmt) -> None:
        """A module that is none of the program's is imported."""

    def dynamic(self, owner: Client | ResourceObject, arguments: Arguments) -> None:
        """A method is chosen while the program runs."""

    def called_on_anything(self, name: str, node: ast.expr) -> None:
        """A method that no class of the program has, of something that others hand in."""

    def handed_over(self, path: str, given: Value, arguments: Arguments) -> None:
        """Values are given to code that is none of the program's."""


def _each_alone(bound: dict[str, Value]) -> list[dict[str, Value]]:
    """One call per text where an argument may be one of several: `for name in ("s3", "sqs"): client(name)`."""
    found = [bound]
    for name, value in bound.items():
        texts = [atom for atom in value if isinstance(atom, Text | Variable)]
        if len(texts) > 1 and len(texts) * len(found) <= _MOST_TEXTS * 2:
            others = value.difference(texts)
            parts = [frozenset({text}) for text in texts] + ([others] if others else [])
            found = [{**one, name: part} for one in found for part in parts]
    return found


def _wants_arguments(one: FunctionValue) -> bool:
    bound = 1 if one.receiver is not None and not one.info.is_static else 0
    return len(one.info.parameters) > bound or bool(one.info.node.args.kwonlyargs)


def _parameters(info: FunctionInfo) -> Iterator[ast.arg]:
    yield from info.parameters
    yield from info.node.args.kwonlyargs


_NODE: Final = ast.Pass()
_BUILTINS: Final = frozenset(dir(__import__("builtins")))
_ENVIRONMENT: Final = frozenset({"os.environ", "os.environ.copy()"})
_SESSION_TYPES: Final = frozenset(
    {
        "boto3.Session",
        "boto3.session.Session",
        "botocore.session.Session",
        "aioboto3.Session",
        "aiobotocore.session.AioSession",
    }
)
_CALLABLES: Final = (FunctionValue, Partial, Method, ClassValue)
_TAKE_A_CLASS_TO_CALL: Final = frozenset({"default_factory", "target", "factory", "func", "function"})
_PLAIN_DECORATORS: Final = frozenset(
    {"property", "cached_property", "staticmethod", "classmethod", "abstractmethod", "overload", "override", "setter"}
    | {"getter", "deleter", "final", "abstractproperty", "wraps", "contextmanager", "asynccontextmanager"}
)
_CALLED_BY_US: Final = frozenset(
    {
        "__init__",
        "__new__",
        "__call__",
        "__getattr__",
        "__init_subclass__",
        "__class_getitem__",
        "__enter__",
        "__aenter__",
    }
    | {"__iter__", "__getitem__", "__setitem__", "__slots__", "__doc__", "__module__"}
)


def _is_benign(path: str) -> bool:
    last = path.rpartition(".")[2].removesuffix("()")
    return last in _BENIGN_BASES or last.endswith(("Error", "Exception", "Warning", "Enum", "Model", "Struct"))


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _loaded(target: ast.expr) -> ast.expr:
    """A target of an assignment, as it is read."""
    return target
