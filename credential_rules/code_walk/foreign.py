"""What other people's code does with what it is given: the standard library, packages, built-in functions."""

from __future__ import annotations

from typing import Final

from credential_rules.code_walk.memory import ENVIRONMENT
from credential_rules.code_walk.types import Types
from credential_rules.code_walk.values import (
    NOTHING,
    ONLY_ANYTHING,
    ONLY_OPAQUE,
    Anything,
    Arguments,
    Atom,
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
    ResourceObject,
    Text,
    TypeName,
    Value,
    Variable,
)

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


class Foreign(Types):
    """A memory that knows other people's code: it gives back what it was given, and calls the functions among it."""

    def call_foreign(self, atom: Atom, arguments: Arguments) -> Value:
        """What the call of a function gives whose work is known, or what any code might make of what it is given."""
        path = atom.path if isinstance(atom, External) else ""
        known = self._call_known(path, arguments) if path else None
        return self._call_unknown(atom, path, arguments) if known is None else known

    def _call_known(self, path: str, arguments: Arguments) -> Value | None:
        """What the call of something gives of which is known what it does; None of all else."""
        known = self.sdk.call_external(path, arguments)
        if known is not None:
            return known
        if path.startswith("builtins."):
            return self._call_builtin(path.rpartition(".")[2], arguments)
        if path in {"functools.partial", "functools.partialmethod"}:
            return self._make_partial(arguments)
        if path == "importlib.import_module":
            return self._imported_by_name(arguments.at(0, "name"))
        if path in {"operator.attrgetter", "operator.methodcaller"}:
            return self.external(f"{path}()")
        return None

    def _call_unknown(self, atom: Atom, path: str, arguments: Arguments) -> Value:
        """Other people's code gives back what it was given, what it was told to call gave, or something of its own."""
        last = path.rpartition(".")[2]
        given = arguments.every()
        self.step(len(given))
        if self.recording:
            self.sdk.handed_over(path, given, arguments)
        found: Value = self.external(f"{path}()") if path else frozenset({atom})
        found |= self._called_by_others(arguments)
        for one in given:
            if isinstance(one, Container):
                found |= {one}
                if last in _GIVE_ELEMENTS:
                    found |= self.every(one.fields)
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
            if not after:
                return NOTHING
            return self.instantiate(one, Arguments(arguments.node, [v | self.elements(v) for v in after], {}))
        named = arguments.keywords.get("args", NOTHING)
        if named or after:
            values = [value | self.elements(value) for value in after]
            more = self.elements(named)
            keywords = dict(arguments.keywords)
            for atom in arguments.keywords.get("kwargs", NOTHING):
                if isinstance(atom, Container):
                    for name, cell in list(atom.fields.cells.items()):
                        keywords[name] = keywords.get(name, NOTHING) | self.read(cell)
            given = Arguments(arguments.node, values, keywords, more | arguments.rest)
            if isinstance(one, FunctionValue):
                self._fill_missing(one, given)
            return self.call_atom(one, given)
        if data:
            return self.call_back(one, self.elements(data) | data | ONLY_OPAQUE)
        if isinstance(one, FunctionValue) and _wants_arguments(one):
            # With what it is called will be seen, or is never seen: then later, with anything.
            self.registered.add(one)
            return NOTHING
        return self.call_back(one)

    def _fill_missing(self, one: FunctionValue, given: Arguments) -> None:
        """A parameter that nobody is seen to give comes from outside."""
        taken = len(given.positional) + (1 if one.receiver is not None else 0)
        for part in one.info.parameters[taken:]:
            if part.arg not in given.keywords and part.arg not in one.info.defaults and not given.rest:
                given.keywords[part.arg] = ONLY_ANYTHING

    def _make_partial(self, arguments: Arguments) -> Value:
        made = self.make(arguments.node, ("partial",), Partial)
        if arguments.positional:
            self.write(made.called, arguments.positional[0])
        for position, value in enumerate(arguments.positional[1:]):
            self.write(self.field(made.fields, str(position)), value)
        for name, value in arguments.keywords.items():
            self.write(self.field(made.fields, name), value)
        return frozenset({made})

    def _imported_by_name(self, names: Value) -> Value:
        found = NOTHING
        for name in names:
            if isinstance(name, Text):
                is_ours = self.program.holds(name.text)
                found |= self.imported(name.text) if is_ours else self.external(name.text)
        return found or ONLY_ANYTHING

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
            return ONLY_OPAQUE
        if name == "dict":
            made = self.container(arguments.node, "dict")
            for value in (*arguments.positional, arguments.rest):
                for atom in value:
                    if isinstance(atom, External) and atom.path in ENVIRONMENT:
                        return frozenset({atom})
                    self.pour(atom, made)
            for key, value in arguments.keywords.items():
                self.write(self.field(made.fields, key), value)
            if arguments.extra:
                self.write(self.field(made.fields, "*"), arguments.extra)
            return frozenset({made})
        return None

    def _getattr(self, arguments: Arguments) -> Value:
        owners, names = arguments.at(0, "object"), arguments.at(1, "name")
        found = arguments.at(2, "default")
        for name in names:
            if isinstance(name, Text):
                found |= self.attribute(owners, name.text)
        if not names or any(not isinstance(name, Text) for name in names):
            for owner in owners:
                found |= self._dynamic_attribute(owner, arguments)
        return found

    def _dynamic_attribute(self, owner: Atom, arguments: Arguments) -> Value:
        if isinstance(owner, Client | ResourceObject):
            if self.recording:
                self.sdk.dynamic(owner, arguments)
            return ONLY_OPAQUE
        if isinstance(owner, Instance | ClassValue):
            cls = owner.cls if isinstance(owner, Instance) else owner
            found = self.every(owner.fields) if isinstance(owner, Instance) else NOTHING
            for one in self.lineage(cls):
                for name in list(one.fields.cells):
                    if not name.startswith("__"):
                        found |= self.attribute_of(owner, name, None)
            return found
        if isinstance(owner, ModuleValue):
            frame = self.module_frame(owner.name)
            found = NOTHING
            for name in list(frame.variables) if frame is not None else []:
                found |= self.module_member(owner.name, name)
            return found
        return frozenset({owner}) if isinstance(owner, External) else ONLY_OPAQUE

    def _setattr(self, arguments: Arguments) -> None:
        owners, names, value = arguments.at(0, "object"), arguments.at(1, "name"), arguments.at(2, "value")
        for owner in owners:
            for name in names:
                self.set_attribute(owner, name.text if isinstance(name, Text) else "*", value)


def _wants_arguments(one: FunctionValue) -> bool:
    bound = 1 if one.receiver is not None and not one.info.is_static else 0
    return len(one.info.parameters) > bound or bool(one.info.node.args.kwonlyargs)
