"""Follows a program from its entry: which functions run, and what their variables may hold.

An interpretation of the program over sets of possible values. Order within a function is left out, branches are all taken,
so that what is found is at least what happens. Functions are looked at once per object and per text they are called with:
`clients.client("sqs")` gives another value than `clients.client("s3")`.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from credential_rules.code_foreign import Foreign
from credential_rules.code_memory import ENVIRONMENT, Memory
from credential_rules.code_program import FunctionInfo
from credential_rules.code_statements import Statements
from credential_rules.code_types import Types
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
    Value,
    Variable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credential_rules.code_listener import SdkListener
    from credential_rules.code_program import Callable_, Module, Program

_MOST_CONTEXTS: Final = 16  # of one function; beyond that its calls are taken together
_MOST_TEXTS: Final = 4  # of one argument that tell contexts apart
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

_SETTINGS_BASES: Final = frozenset({"BaseSettings"})


class Walk(Memory):
    """One interpretation of a program. `sdk` is asked what the SDK's names mean, and hears what is called once everything is known."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program = program
        self.sdk: SdkListener | None = None
        self.statements = Statements(self)
        self.types = Types(self)
        self.foreign = Foreign(self)
        self.modules: dict[str, Frame] = {}
        self.classes: list[ClassValue] = []
        self.methods: dict[str, list[tuple[ClassValue, FunctionInfo]]] = defaultdict(list)
        self.method_watchers: dict[str, set[Frame]] = defaultdict(set)
        self.wanted: dict[ClassValue, set[Frame]] = defaultdict(set)
        self.registered: set[FunctionValue] = set()
        self._functions: dict[ast.AST, FunctionInfo] = {}
        self._contexts: dict[tuple[object, ...], Frame] = {}
        self._context_count: dict[ast.AST, int] = defaultdict(int)
        self._defaults: dict[tuple[Callable_, Frame | None, str], Cell] = {}
        self._called_from_outside: list[FunctionValue] = []
        self._looked_for: set[tuple[Frame, str]] = set()
        self._asks_for_types: set[Frame] = set()
        self._is_settled = False
        self._depth = 0

    # --- running ---

    def run(self, module: Module, handler: str) -> bool:
        """Interprets everything that is reached from a module's top level and its handler; False if there is no handler."""
        self.import_module(module.name)
        self._settle()
        frame = self.modules[module.name]
        found = NOTHING
        for part in handler.split("."):
            found = self.lookup_global(frame, part) if not found else self.attribute(found, part)
        # An event is data; what a decorator hangs onto the context may be anything.
        arguments = Arguments(module.source.tree, [_OPAQUE, _ANYTHING], {})
        self.frame = frame
        for atom in found:
            if isinstance(atom, FunctionValue) and any(part.annotation for part in atom.info.parameters[:1]):
                # An event that is of a type of ours has methods of ours.
                arguments.positional[0] = _ANYTHING
            self.call_atom(atom, arguments)
        self._settle()
        self._is_settled = True
        for asking in self._asks_for_types:
            self.schedule(asking)
        self._settle()
        for _ in range(3):
            self._make_wanted()
            self._call_registered()
        self._record(module, arguments, found)
        return bool(found)

    def _call_registered(self) -> None:
        """Calls the functions that other people's decorators got hold of, and that nobody of ours calls by name."""
        for atom in sorted(self.registered, key=lambda one: one.info.node.lineno):
            if not self._context_count[atom.info.node]:
                self.frame = atom.frame
                self._called_from_outside.append(atom)
                self.foreign.call_back(atom)
        self._settle()

    def _settle(self) -> None:
        while self._waiting:
            frame = self._waiting.popleft()
            self._is_waiting.discard(frame)
            self._evaluate(frame)

    def _make_wanted(self) -> None:
        """Gives an object to classes that are named as types of what others hand in, and that nobody makes."""
        for _ in range(3):
            missing = [cls for cls in self.wanted if not cls.instances.value]
            if not missing:
                return
            for cls in missing:
                for frame in self.wanted[cls]:
                    self.schedule(frame)
                self.frame = cls.frame
                self.instantiate(cls, Arguments(cls.info.node, [], {}, _ANYTHING, _ANYTHING))
            self._settle()

    def _record(self, module: Module, arguments: Arguments, entry: Value) -> None:
        """Goes once more through all that is reached now that every value is known, and tells of it.

        Frames that were begun with less than is known now are not reached again.
        """
        self.recording = True
        self._started.clear()
        self.frames.clear()
        self.frame = None
        self.import_module(module.name)
        for atom in entry:
            self.call_atom(atom, arguments)
        done = 0
        while done < len(self.frames):
            for frame in self.frames[done:]:
                done += 1
                self._evaluate(frame)
            for atom in self._called_from_outside:
                self.frame = atom.frame
                self.foreign.call_back(atom)

    # --- modules ---

    def import_module(self, name: str) -> Frame | None:
        """Runs a module of the program, and the packages above it, at the place of its import."""
        parts = name.split(".")
        frame: Frame | None = None
        for length in range(1, len(parts) + 1):
            frame = self.module_frame(".".join(parts[:length]))
            if frame is not None:
                self.start(frame)
        return frame

    def module_frame(self, name: str) -> Frame | None:
        """The frame of a module of the program, None if it has none of that name."""
        module = self.program.module(name)
        if module is None:
            return None
        frame = self.modules.get(name)
        if frame is None:
            frame = self.modules[name] = Frame(None, module, None)
        return frame

    def module_member(self, module: str, name: str) -> Value:
        """What a module has under a name: a variable, or a module below it."""
        frame = self.module_frame(module)
        found = self.lookup_global(frame, name, builtins=False) if frame is not None else NOTHING
        below = f"{module}.{name}"
        if not found and self.program.holds(below):
            self.import_module(below)
            return frozenset({self.module_value(below)})
        return found

    def module_value(self, name: str) -> Atom:
        """The atom of a module."""
        return self.intern(("module", name), lambda: ModuleValue(name))

    def lookup_global(self, frame: Frame, name: str, *, builtins: bool = True) -> Value:
        """What a name stands for at the top of a module."""
        cell = frame.variables.get(name)
        found = self.read(cell if cell is not None else frame.variable(name))
        if not found and frame.stars and (frame, name) not in self._looked_for:
            # Modules that import everything from each other ask in a circle.
            self._looked_for.add((frame, name))
            for module in frame.stars:
                found |= self.module_member(module.name, name)
            self._looked_for.discard((frame, name))
        if not found and builtins and name in _BUILTINS:
            return self.external(f"builtins.{name}")
        return found

    # --- one frame ---

    def _evaluate(self, frame: Frame) -> None:
        self.frame = frame
        self.classes = []
        self._depth = 0
        function = frame.function
        if function is None:
            self.statements.run(frame.module.source.tree.body)
        elif isinstance(function.node, ast.Lambda):
            self.write(frame.returned, self.value(function.node.body))
        else:
            self.statements.run(function.node.body)
        if self.recording and self.sdk is not None:
            self.sdk.reached(frame)

    def function_of(self, node: Callable_) -> FunctionInfo:
        """The function that a node defines."""
        found = self._functions.get(node)
        if found is None:
            assert self.frame is not None  # noqa: S101 (definitions stand in frames)
            owner = self.classes[-1].info if self.classes and not isinstance(node, ast.Lambda) else None
            found = self._functions[node] = FunctionInfo(node, self.frame.module, owner, self.frame.function)
        return found

    def function_value(self, info: FunctionInfo, frame: Frame, receiver: Atom | None) -> Atom:
        """The atom of a function."""
        return self.intern(("function", info.node, frame, receiver), lambda: FunctionValue(info, frame, receiver))

    # --- assignments ---

    def store(self, name: str, value: Value) -> None:
        """Assigns a name."""
        if not value:
            return
        assert self.frame is not None  # noqa: S101 (assignments stand in frames)
        if self.classes:
            self.write(self.field(self.classes[-1].fields, name), value)
            return
        self.write(self._home(name).variable(name), value)

    def _home(self, name: str) -> Frame:
        """The frame in which a name lives that the current one assigns."""
        frame = self.frame
        assert frame is not None  # noqa: S101 (names stand in frames)
        while frame.function is not None and name not in frame.function.locals:
            if frame.enclosing is None:
                return self.modules.get(frame.module.name, frame)
            frame = frame.enclosing
        return frame

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

    def set_attribute(self, owner: Atom, name: str, value: Value) -> None:
        """Assigns an attribute of a possible owner."""
        if isinstance(owner, Instance | ClassValue):
            self.write(self.field(owner.fields, name), value)
        elif isinstance(owner, ModuleValue):
            frame = self.module_frame(owner.name)
            if frame is not None:
                self.write(frame.variable(name), value)
        elif isinstance(owner, External | Opaque | Anything | FunctionValue):
            self.foreign.give_away(value)

    def _set_item(self, target: ast.Subscript, value: Value) -> None:
        keys = self.value(target.slice)
        for owner in self.value(target.value):
            if isinstance(owner, Container):
                self.put(owner, keys, value)
            elif isinstance(owner, Instance):
                self.call(self.attribute(frozenset({owner}), "__setitem__"), Arguments(target, [keys, value], {}))

    # --- expressions ---

    def value(self, node: ast.expr) -> Value:  # noqa: C901, PLR0911, PLR0912 (one branch per expression)
        """What an expression may give."""
        self.step()
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

    def _name(self, name: str) -> Value:
        frame = self.frame
        assert frame is not None  # noqa: S101 (names stand in frames)
        if self.classes:
            found = self.peek(self.classes[-1].fields, name)
            if found:
                return found
        while frame.function is not None:
            if name in frame.function.locals:
                return self.read(frame.variable(name))
            if frame.enclosing is None:
                break
            frame = frame.enclosing
        home = self.modules.get(frame.module.name, frame)
        return self.lookup_global(home, name)

    def _lambda(self, node: ast.Lambda) -> Value:
        assert self.frame is not None  # noqa: S101 (lambdas stand in frames)
        self.note_defaults(self.function_of(node))
        return frozenset({self.function_value(self.function_of(node), self.frame, None)})

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> Value:
        if node.value is not None and self.frame is not None:
            value = self.value(node.value)
            self.write(self.frame.returned, self.elements(value) if isinstance(node, ast.YieldFrom) else value)
        return _OPAQUE

    def _joined_text(self, node: ast.JoinedStr) -> Value:
        parts = [self.value(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values]
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
        found = self.value(current)
        for part in reversed(parts):
            found = self.joined(found, self.value(part))
        return found

    def joined(self, left: Value, right: Value) -> Value:
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

    def item(
        self, value: Value, names: frozenset[str] | None, node: ast.expr | None = None, keys: Value = NOTHING
    ) -> Value:
        """What stands under one of these keys; under any key if they are None or empty."""
        found = NOTHING
        for atom in value:
            if isinstance(atom, Container):
                if names:
                    for name in names | {"*"}:
                        found |= self.peek(atom.fields, name)
                else:
                    found |= self.every(atom.fields)
            elif isinstance(atom, Instance):
                getter = self.attribute(frozenset({atom}), "__getitem__")
                found |= self.call(getter, Arguments(node, [keys], {})) if getter and node is not None else {atom}
            elif isinstance(atom, External) and atom.path in ENVIRONMENT:
                found |= self.variables_of(keys)
            elif isinstance(atom, Text | Variable):
                found |= _OPAQUE
            else:
                found |= {atom}
        return found

    def variables_of(self, names: Value) -> Value:
        """The values of the environment variables of these names."""
        return frozenset(self.variable(name.text) if isinstance(name, Text) else OPAQUE for name in names)

    def elements(self, value: Value) -> Value:
        """What a loop over a value gives."""
        found: set[Atom] = set()
        for atom in value:
            if isinstance(atom, Container):
                found |= self.every(atom.fields)
                found.update(self.text(name) for name in atom.fields.cells if name != "*" and not name.isdigit())
                found |= self.read(atom.keys)
            elif isinstance(atom, Instance):
                iterator = self.class_attribute(atom.cls, "__iter__", atom)
                if iterator:
                    given = self.call(iterator, Arguments(atom.cls.info.node, [], {}))
                    for one in given:
                        found |= self.every(one.fields) if isinstance(one, Container) else {one}
                else:
                    found |= {atom}
            elif isinstance(atom, Prepared) and atom.makes:
                found |= {self.resource(atom.service, atom.makes, atom.given)}
            elif isinstance(atom, Text | Variable):
                found |= _OPAQUE
            else:
                found |= {atom}
        return frozenset(found)

    # --- attributes ---

    def attribute(self, value: Value, name: str, node: ast.expr | None = None) -> Value:
        """An attribute of a value, of whichever of its atoms."""
        self.step(len(value))
        found: set[Atom] = set()
        for atom in value:
            found |= self.attribute_of(atom, name, node)
        return frozenset(found)

    def attribute_of(self, atom: Atom, name: str, node: ast.expr | None) -> Value:  # noqa: C901, PLR0911, PLR0912 (one per kind)
        """An attribute of one atom."""
        if isinstance(atom, Instance):
            return self._instance_attribute(atom, name, node)
        if isinstance(atom, ModuleValue):
            return self.module_member(atom.name, name)
        if isinstance(atom, External):
            if self.recording and self.sdk is not None and node is not None:
                self.sdk.taken_from_package(atom.path, name, node)
            return self.external(f"{atom.path}.{name}")
        if isinstance(atom, ClassValue):
            found = self.class_attribute(atom, name, atom)
            return found or (NOTHING if name in atom.fields.cells else self._external_base(atom))
        if isinstance(atom, Super):
            for base in self._bases(atom.cls):
                if isinstance(base, ClassValue):
                    found = self.class_attribute(base, name, atom.receiver)
                    if found:
                        return found
            return _OPAQUE
        if isinstance(atom, Client | ResourceObject):
            return self.sdk.attribute(atom, name, node) if self.sdk is not None else _OPAQUE
        if isinstance(atom, Session):
            # A session's methods are those of the module.
            return self.external(f"boto3.{name}")
        if isinstance(atom, Container):
            return frozenset({self.intern(("bound", atom, name), lambda: Bound(atom, name))})
        if isinstance(atom, Text | Variable):
            if name in {"value", "name"}:
                return frozenset({atom})
            return frozenset({self.intern(("bound", atom, name), lambda: Bound(atom, name))})
        if isinstance(atom, Prepared | Provider | Partial):
            return frozenset({self.intern(("bound", atom, name), lambda: Bound(atom, name))})
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
        assert self.frame is not None  # noqa: S101 (expressions stand in frames)
        self.method_watchers[name].add(self.frame)
        found: Value = _ANYTHING
        for cls, info in list(self.methods[name]):
            self.wanted[cls].add(self.frame)
            for instance in self.read(cls.instances):
                found |= self.bind(info, cls, instance)
        if self.recording and self.sdk is not None and not self.methods[name] and node is not None:
            self.sdk.called_on_anything(name, node)
        return found

    def bind(self, info: FunctionInfo, cls: ClassValue, receiver: Atom) -> Value:
        """A function as it is got from an object: bound, called if it is a property."""
        if info.is_property:
            value = frozenset({self.function_value(info, cls.frame, receiver)})
            return self.call(value, Arguments(info.node, [], {}))
        if info.is_static:
            return frozenset({self.function_value(info, cls.frame, None)})
        if info.is_of_class:
            return frozenset(
                {self.function_value(info, cls.frame, receiver.cls if isinstance(receiver, Instance) else cls)}
            )
        return frozenset({self.function_value(info, cls.frame, receiver)})

    def _instance_attribute(self, atom: Instance, name: str, node: ast.expr | None) -> Value:
        found = self.peek(atom.fields, name)
        if "*" in atom.fields.cells:
            found |= self.peek(atom.fields, "*")
        from_class = self.class_attribute(atom.cls, name, atom)
        if from_class:
            return found | from_class
        if found:
            return found
        declared = self._declared(atom.cls, name)
        if declared is not None:
            return declared or (_OPAQUE if self._is_settled else NOTHING)
        getter = self.class_attribute(atom.cls, "__getattr__", atom) if not name.startswith("__") else NOTHING
        if getter:
            return self.call(getter, Arguments(node or atom.cls.info.node, [frozenset({self.text(name)})], {}))
        if name == "__class__":
            return frozenset({atom.cls})
        return self._external_base(atom.cls)

    def _declared(self, cls: ClassValue, name: str) -> Value | None:
        """A field that a class only declares: what its annotation says, a variable if the class reads its settings.

        Asked only once everything is known that is assigned: an annotation says less.
        """
        for one in self.mro(cls):
            if isinstance(one, ClassValue) and name in one.info.annotations:
                if not self._is_settled:
                    if self.frame is not None:
                        self._asks_for_types.add(self.frame)
                    return NOTHING
                bases = [base.path.rpartition(".")[2] for base in self.mro(cls) if isinstance(base, External)]
                if _SETTINGS_BASES & set(bases):
                    return frozenset({self.variable(name.upper())})
                return self.types.type_in(one.info.annotations[name], one.frame)
        return None

    def _external_base(self, cls: ClassValue) -> Value:
        return _OPAQUE if any(isinstance(base, External) for base in self.mro(cls)) else NOTHING

    def class_attribute(self, cls: ClassValue, name: str, receiver: Atom) -> Value:
        """An attribute of a class or what it is derived from, as `receiver` has it."""
        for one in self.mro(cls):
            if not isinstance(one, ClassValue):
                continue
            held = self.peek(one.fields, name)
            if held:
                found = NOTHING
                for atom in held:
                    if isinstance(atom, FunctionValue) and atom.receiver is None and atom.info.owner is one.info:
                        if isinstance(receiver, ClassValue):
                            found |= self.bind(atom.info, one, receiver) if atom.info.is_of_class else {atom}
                        else:
                            found |= self.bind(atom.info, one, receiver)
                    else:
                        found |= {atom}
                return found
        return NOTHING

    def _bases(self, cls: ClassValue) -> Iterator[Atom]:
        for cell in cls.bases:
            yield from self.read(cell)

    def mro(self, cls: ClassValue) -> list[Atom]:
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

    # --- calls ---

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
            return _OPAQUE
        owner = frame.function.owner
        cls = frame.receiver.cls if isinstance(frame.receiver, Instance) else frame.receiver
        if not isinstance(cls, ClassValue):
            return _OPAQUE
        defining = next((one for one in self.mro(cls) if isinstance(one, ClassValue) and one.info is owner), cls)
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
                if self.frame is not None:
                    atom.fields.watchers.add(self.frame)
                for name, cell in list(atom.fields.cells.items()):
                    if name == "*":
                        extra |= self.read(cell)
                    else:
                        keywords[name] = keywords.get(name, NOTHING) | self.read(cell)
            elif isinstance(atom, Anything | Opaque | External):
                extra |= {OPAQUE}
        return extra

    def call(self, called: Value, arguments: Arguments) -> Value:
        """What the call of a value gives, with every atom of it that can be called."""
        self.step(len(called))
        found: set[Atom] = set()
        methods = [atom for atom in called if isinstance(atom, Method)]
        wrong = [one for one in methods if self.sdk is not None and not self.sdk.is_operation(one)]
        for atom in called:
            # Of several clients, those that have no such method are not meant.
            if atom not in wrong or len(wrong) == len(methods):
                found |= self.call_atom(atom, arguments)
        return frozenset(found)

    def call_atom(self, atom: Atom, arguments: Arguments) -> Value:  # noqa: PLR0911 (one per kind)
        """What the call of one atom gives."""
        if isinstance(atom, FunctionValue):
            return self.call_function(atom, arguments)
        if isinstance(atom, ClassValue):
            return self.instantiate(atom, arguments)
        if isinstance(atom, Instance):
            called = self.class_attribute(atom.cls, "__call__", atom)
            return self.call(called, arguments) if called else self.foreign.call_foreign(OPAQUE, arguments)
        if isinstance(atom, External):
            return self.foreign.call_external(atom, arguments)
        if isinstance(atom, Method):
            return self.sdk.call_method(atom, arguments) if self.sdk is not None else _OPAQUE
        if isinstance(atom, Bound):
            return self.foreign.call_bound(atom, arguments)
        if isinstance(atom, Partial):
            return self.foreign.call_partial(atom, arguments)
        if isinstance(atom, ResourceObject | Client | Session | Prepared):
            # `client()`: what was taken for a client is what makes it.
            return frozenset({atom})
        if isinstance(atom, Opaque | Anything):
            return self.foreign.call_foreign(atom, arguments)
        return NOTHING

    def call_function(self, atom: FunctionValue, arguments: Arguments) -> Value:
        """What the call of a function of the program gives: each text that an argument may be counts as a call of its own."""
        bound = self._bound_arguments(atom, arguments)
        found = NOTHING
        for one in _each_alone(bound):
            found |= self._call_once(atom, one)
        return found

    def _call_once(self, atom: FunctionValue, bound: dict[str, Value]) -> Value:
        frame = self._context(atom, bound)
        self.step(sum(map(len, bound.values())))
        types = {part.arg: part.annotation for part in _parameters(atom.info) if part.annotation is not None}
        for name, value in bound.items():
            annotation = types.get(name)
            if annotation is not None and ANYTHING in value:
                value = (value - _ANYTHING) | self.types.given_type(annotation, atom.frame)  # noqa: PLW2901 (made narrower)
            self.write(frame.variable(name), value)
        self.start(frame)
        return self.read(frame.returned)

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
                value = self.default_of(atom, name)
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

    def default_of(self, atom: FunctionValue, name: str) -> Value:
        """A default, as it was where the function was defined."""
        cell = self._defaults.get((atom.info.node, atom.frame, name))
        return self.read(cell) if cell is not None else NOTHING

    def note_defaults(self, info: FunctionInfo) -> None:
        """Evaluates the defaults of a function where it is defined."""
        for name, default in info.defaults.items():
            cell = self._defaults.setdefault((info.node, self.frame, name), Cell())
            self.write(cell, self.value(default))

    def _packed(self, info: FunctionInfo, atom: FunctionValue, over: list[Value], rest: Value) -> Value:
        packed = self.intern(("rest", info.node, atom.receiver, self._texts_key(over)), Container)
        assert isinstance(packed, Container)  # noqa: S101 (says to the type checker what was made)
        for position, value in enumerate(over):
            if value:
                self.write(self.field(packed.fields, str(position)), value)
        if rest:
            self.write(self.field(packed.fields, "*"), rest)
        return frozenset({packed})

    def _packed_keywords(self, info: FunctionInfo, atom: FunctionValue, more: dict[str, Value], extra: Value) -> Value:
        key = tuple((name, self._texts_key([value])) for name, value in sorted(more.items()))
        packed = self.intern(("keywords", info.node, atom.receiver, key), Container)
        assert isinstance(packed, Container)  # noqa: S101 (says to the type checker what was made)
        for name, value in more.items():
            if value:
                self.write(self.field(packed.fields, name), value)
        if extra:
            self.write(self.field(packed.fields, "*"), extra)
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

    def instantiate(self, cls: ClassValue, arguments: Arguments) -> Value:
        """Makes an object of a class of the program."""
        made = self.make(arguments.node, ("instance", cls), lambda: Instance(cls))
        assert isinstance(made, Instance)  # noqa: S101 (says to the type checker what `_new` made)
        found: Value = frozenset({made})
        for one in self.mro(cls):
            if isinstance(one, ClassValue):
                self.write(one.instances, found)
        constructor = self.class_attribute(cls, "__init__", made)
        if constructor:
            self.call(constructor, arguments)
        else:
            self._fill_fields(made, arguments)
        creator = self.class_attribute(cls, "__new__", cls)
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
                for atom in self.call_atom(self.function_value(one.info, one.frame, None), shifted)
            )
        self._call_hidden(made)
        return found

    def _fill_fields(self, made: Instance, arguments: Arguments) -> None:
        """What the constructor of a dataclass, named tuple or model does."""
        names = [
            name for one in reversed(self.mro(made.cls)) if isinstance(one, ClassValue) for name in one.info.annotations
        ]
        for name, value in zip(dict.fromkeys(names), arguments.positional, strict=False):
            self.write(self.field(made.fields, name), value)
        for name, value in arguments.keywords.items():
            self.write(self.field(made.fields, name), value)
        if arguments.rest | arguments.extra:
            for name in names:
                self.write(self.field(made.fields, name), arguments.rest | arguments.extra)

    def _call_hidden(self, made: Instance) -> None:
        """Calls the methods that nobody names: special ones, and all where a foreign base may call them."""
        mro = self.mro(made.cls)
        foreign = any(isinstance(base, External) and not _is_benign(base.path) for base in mro)
        for cls in mro:
            if not isinstance(cls, ClassValue):
                continue
            for name in list(cls.fields.cells):
                is_special = name.startswith("__") and name not in _CALLED_BY_US
                if not (is_special or foreign):
                    continue
                for atom in self.peek(cls.fields, name):
                    if isinstance(atom, FunctionValue) and atom.info.owner is cls.info:
                        for method in self.bind(atom.info, cls, made):
                            self.foreign.call_back(method)
            if self.frame is not None:
                cls.fields.watchers.add(self.frame)


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


def _parameters(info: FunctionInfo) -> Iterator[ast.arg]:
    yield from info.parameters
    yield from info.node.args.kwonlyargs


_BUILTINS: Final = frozenset(dir(__import__("builtins")))
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
