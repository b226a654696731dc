"""What other people's code does with what it is given: the standard library, packages, built-in functions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from credential_rules.code_memory import ENVIRONMENT
from credential_rules.code_values import (
    ANYTHING,
    NOTHING,
    OPAQUE,
    SESSION,
    Anything,
    Arguments,
    Atom,
    Bound,
    ClassValue,
    Client,
    Container,
    External,
    FunctionValue,
    Instance,
    Method,
    ModuleValue,
    Opaque,
    Partial,
    Prepared,
    Provider,
    ResourceObject,
    Text,
    TypeName,
    Value,
    Variable,
)

if TYPE_CHECKING:
    from credential_rules.code_walk import Walk

_OPAQUE: Final[Value] = frozenset({OPAQUE})
_ANYTHING: Final[Value] = frozenset({ANYTHING})
_SESSION: Final[Value] = frozenset({SESSION})
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
_TAKE_A_CLASS_TO_CALL: Final = frozenset({"default_factory", "target", "factory", "func", "function"})
_CALLABLES: Final = (FunctionValue, Partial, Method, ClassValue)
_NODE: Final = ast.Pass()


class Foreign:
    """Calls of what is not the program's: it gives back what it was given, and calls the functions among it."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk

    def call_external(self, atom: External, arguments: Arguments) -> Value:
        """The call of something by its dotted name."""
        path = atom.path
        if self._walk.sdk is not None:
            known = self._walk.sdk.call_external(path, arguments)
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
            return self._walk.external(f"{path}()")
        return self.call_foreign(atom, arguments)

    def call_foreign(self, atom: Atom, arguments: Arguments) -> Value:
        """Other people's code gives back what it was given, what it was told to call gave, or something of its own."""
        path = atom.path if isinstance(atom, External) else ""
        last = path.rpartition(".")[2]
        given = arguments.every()
        self._walk.step(len(given))
        if self._walk.recording and self._walk.sdk is not None:
            self._walk.sdk.handed_over(path, given, arguments)
        found: Value = self._walk.external(f"{path}()") if path else frozenset({atom})
        found |= self._called_by_others(arguments)
        for one in given:
            if isinstance(one, Container):
                found |= {one}
                if last in _GIVE_ELEMENTS:
                    found |= self._walk.every(one.fields)
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
        self.give_away(frozenset(atom for atom in data if isinstance(atom, Container)))
        return found

    def _call_with_rest(self, one: Atom, after: list[Value], arguments: Arguments, data: Value) -> Value:
        if isinstance(one, ClassValue):
            # A class among the arguments is a type more often than something to call.
            return (
                self._walk.instantiate(
                    one, Arguments(arguments.node, [v | self._walk.elements(v) for v in after], {}, NOTHING)
                )
                if after
                else NOTHING
            )
        named = arguments.keywords.get("args", NOTHING)
        if named or after:
            values = [value | self._walk.elements(value) for value in after]
            more = self._walk.elements(named)
            keywords = dict(arguments.keywords)
            for atom in arguments.keywords.get("kwargs", NOTHING):
                if isinstance(atom, Container):
                    for name, cell in list(atom.fields.cells.items()):
                        keywords[name] = keywords.get(name, NOTHING) | self._walk.read(cell)
            given = Arguments(arguments.node, values, keywords, more | arguments.rest)
            if isinstance(one, FunctionValue):
                self._fill_missing(one, given)
            return self._walk.call_atom(one, given)
        if data:
            return self.call_back(one, self._walk.elements(data) | data | _OPAQUE)
        if isinstance(one, FunctionValue) and _wants_arguments(one):
            # With what it is called will be seen, or is never seen: then later, with anything.
            self._walk.registered.add(one)
            return NOTHING
        return self.call_back(one)

    def _fill_missing(self, one: FunctionValue, given: Arguments) -> None:
        """A parameter that nobody is seen to give comes from outside."""
        taken = len(given.positional) + (1 if one.receiver is not None else 0)
        for part in one.info.parameters[taken:]:
            if part.arg not in given.keywords and part.arg not in one.info.defaults and not given.rest:
                given.keywords[part.arg] = _ANYTHING

    def _make_partial(self, arguments: Arguments) -> Value:
        made = self._walk.make(arguments.node, ("partial",), Partial)
        assert isinstance(made, Partial)  # noqa: S101 (says to the type checker what `_new` made)
        if arguments.positional:
            self._walk.write(made.called, arguments.positional[0])
        for position, value in enumerate(arguments.positional[1:]):
            self._walk.write(self._walk.field(made.fields, str(position)), value)
        for name, value in arguments.keywords.items():
            self._walk.write(self._walk.field(made.fields, name), value)
        return frozenset({made})

    def _imported_by_name(self, names: Value) -> Value:
        found = NOTHING
        for name in names:
            if isinstance(name, Text):
                if self._walk.program.holds(name.text):
                    self._walk.import_module(name.text)
                    found |= {self._walk.module_value(name.text)}
                else:
                    found |= self._walk.external(name.text)
        return found or _ANYTHING

    def _call_builtin(self, name: str, arguments: Arguments) -> Value | None:  # noqa: C901, PLR0911, PLR0912 (one branch per function)
        if name in _GIVE_NOTHING:
            for value in (*arguments.positional, *arguments.keywords.values()):
                self.give_away(frozenset(atom for atom in value if isinstance(atom, Partial)))
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
            made = self._walk.container(arguments.node, "dict")
            for value in (*arguments.positional, arguments.rest):
                for atom in value:
                    if isinstance(atom, External) and atom.path in ENVIRONMENT:
                        return frozenset({atom})
                    self._walk.pour(atom, made)
            for key, value in arguments.keywords.items():
                self._walk.write(self._walk.field(made.fields, key), value)
            if arguments.extra:
                self._walk.write(self._walk.field(made.fields, "*"), arguments.extra)
            return frozenset({made})
        return None

    def _getattr(self, arguments: Arguments) -> Value:
        owners, names = arguments.at(0, "object"), arguments.at(1, "name")
        found = arguments.at(2, "default")
        for name in names:
            if isinstance(name, Text):
                found |= self._walk.attribute(owners, name.text)
        if not names or any(not isinstance(name, Text) for name in names):
            for owner in owners:
                found |= self._dynamic_attribute(owner, arguments)
        return found

    def _dynamic_attribute(self, owner: Atom, arguments: Arguments) -> Value:
        if isinstance(owner, Client | ResourceObject):
            if self._walk.recording and self._walk.sdk is not None:
                self._walk.sdk.dynamic(owner, arguments)
            return _OPAQUE
        if isinstance(owner, Instance | ClassValue):
            cls = owner.cls if isinstance(owner, Instance) else owner
            found = self._walk.every(owner.fields) if isinstance(owner, Instance) else NOTHING
            for one in self._walk.mro(cls):
                if isinstance(one, ClassValue):
                    for name in list(one.fields.cells):
                        if not name.startswith("__"):
                            found |= self._walk.attribute_of(owner, name, None)
            return found
        if isinstance(owner, ModuleValue):
            frame = self._walk.module_frame(owner.name)
            found = NOTHING
            for name in list(frame.variables) if frame is not None else []:
                found |= self._walk.module_member(owner.name, name)
            return found
        return frozenset({owner}) if isinstance(owner, External) else _OPAQUE

    def _setattr(self, arguments: Arguments) -> None:
        owners, names, value = arguments.at(0, "object"), arguments.at(1, "name"), arguments.at(2, "value")
        for owner in owners:
            for name in names:
                self._walk.set_attribute(owner, name.text if isinstance(name, Text) else "*", value)

    def call_back(self, atom: Atom, given: Value = NOTHING) -> Value:
        """Calls something as other people's code does: with what it was given, or anything."""
        value = given or _ANYTHING
        if isinstance(atom, FunctionValue):
            return self._walk.call_function(
                atom, Arguments(atom.info.node, [], {}, value, NOTHING if given else _ANYTHING)
            )
        if isinstance(atom, Partial):
            return self.call_partial(atom, Arguments(_NODE, [], {}, value))
        if isinstance(atom, Instance):
            called = self._walk.class_attribute(atom.cls, "__call__", atom)
            return self._walk.call(called, Arguments(_NODE, [], {}, value)) if called else NOTHING
        if isinstance(atom, Method | Bound):
            return self._walk.call_atom(atom, Arguments(_NODE, [], {}, value))
        return NOTHING

    def give_away(self, value: Value) -> None:
        """Hands a value to other people's code: functions in it may be called."""
        seen: set[Atom] = set()
        todo = list(value)
        while todo and len(seen) < 512:  # noqa: PLR2004 (containers of containers)
            atom = todo.pop()
            if atom in seen:
                continue
            seen.add(atom)
            self._walk.step()
            if isinstance(atom, FunctionValue | Partial):
                self.call_back(atom)
            elif isinstance(atom, Container):
                todo += self._walk.every(atom.fields)

    def call_partial(self, atom: Partial, arguments: Arguments) -> Value:
        """The call of a function with arguments it was prepared with."""
        held = atom.fields
        if self._walk.frame is not None:
            held.watchers.add(self._walk.frame)
        count = sum(1 for name in held.cells if name.isdigit())
        first = [self._walk.peek(held, str(position)) for position in range(count)]
        named = {name: self._walk.read(cell) for name, cell in list(held.cells.items()) if not name.isdigit()}
        merged = Arguments(
            arguments.node,
            [*first, *arguments.positional],
            {**named, **arguments.keywords},
            arguments.rest,
            arguments.extra,
        )
        return self._walk.call(self._walk.read(atom.called), merged)

    def call_bound(self, atom: Bound, arguments: Arguments) -> Value:  # noqa: C901, PLR0911, PLR0912 (one per method)
        """The call of a method of a container, a text, or something prepared."""
        owner, name = atom.owner, atom.name
        if isinstance(owner, Prepared | Provider):
            return self._walk.sdk.call_prepared(owner, name, arguments) if self._walk.sdk is not None else _OPAQUE
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
                    self._walk.put(owner, keys, default)
                names = frozenset(key.text for key in keys if isinstance(key, Text))
                return self._walk.item(frozenset({owner}), names if len(names) == len(keys) else None) | default
            if name in {"append", "add", "insert", "appendleft", "put", "__setitem__", "put_nowait"}:
                self._walk.write(self._walk.field(owner.fields, "*"), arguments.every())
                return NOTHING
            if name in {"extend", "update", "union", "extendleft"}:
                for value in (*arguments.positional, arguments.rest):
                    for one in value:
                        self._walk.pour(one, owner)
                for key, value in arguments.keywords.items():
                    self._walk.write(self._walk.field(owner.fields, key), value)
                return frozenset({owner})
            if name in {"popitem", "popleft"}:
                return self._walk.every(owner.fields)
            return frozenset({owner})
        return _OPAQUE


def _wants_arguments(one: FunctionValue) -> bool:
    bound = 1 if one.receiver is not None and not one.info.is_static else 0
    return len(one.info.parameters) > bound or bool(one.info.node.args.kwonlyargs)
