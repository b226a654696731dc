"""What one can do with a value of a program: read its attributes and items, go through it, call it."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from credential_rules.code_walk.classes import Classes
from credential_rules.code_walk.memory import ENVIRONMENT
from credential_rules.code_walk.values import (
    ANYTHING,
    NOTHING,
    ONLY_ANYTHING,
    ONLY_OPAQUE,
    OPAQUE,
    Anything,
    Arguments,
    Atom,
    Bound,
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
    from collections.abc import Callable

    from credential_rules.code_walk.program import FunctionInfo, Program
    from credential_rules.code_walk.sdk import Sdk

_NODE: Final = ast.Pass()
"""Where calls are made that stand nowhere in the program."""

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

_SETTINGS_BASE: Final = "BaseSettings"


class Objects(Classes, ABC):
    """A memory that knows what values do. `sdk` says it of the SDK's; of other people's code it is left open."""

    def __init__(self, program: Program, sdk: Callable[[Objects], Sdk]) -> None:
        super().__init__(program)
        self.sdk: Final = sdk(self)
        self.registered: set[FunctionValue] = set()
        self._trusts_annotations = False
        self._asked_annotations: set[Frame] = set()

    @abstractmethod
    def call_foreign(self, atom: Atom, arguments: Arguments) -> Value:
        """What the call of something gives that is none of the program's."""

    @abstractmethod
    def of_type(self, annotation: ast.expr, frame: Frame) -> Value:
        """What something of an annotation may be that is written in a frame."""

    def trust_annotations(self) -> None:
        """From now on a field that nobody is seen to assign is what its annotation says."""
        self._trusts_annotations = True
        for frame in self._asked_annotations:
            self.schedule(frame)

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
            if self.recording and node is not None:
                self.sdk.taken_from_package(atom.path, name, node)
            return self.external(f"{atom.path}.{name}")
        if isinstance(atom, ClassValue):
            found = self.class_attribute(atom, name, atom)
            return found or (NOTHING if name in atom.fields.cells else self._external_base(atom))
        if isinstance(atom, Super):
            for base in self.bases(atom.cls):
                if isinstance(base, ClassValue):
                    found = self.class_attribute(base, name, atom.receiver)
                    if found:
                        return found
            return ONLY_OPAQUE
        if isinstance(atom, Client | ResourceObject):
            return self.sdk.attribute(atom, name, node)
        if isinstance(atom, Session):
            # A session's methods are those of the module.
            return self.external(f"boto3.{name}")
        if isinstance(atom, Text | Variable) and name in {"value", "name"}:
            return frozenset({atom})
        if isinstance(atom, Container | Text | Variable | Prepared | Provider | Partial):
            return frozenset({self.bound(atom, name)})
        if isinstance(atom, FunctionValue):
            return frozenset({atom}) if name in {"__wrapped__", "fn", "func", "delay", "submit", "map"} else ONLY_OPAQUE
        if isinstance(atom, Anything):
            return self._named_methods(name, node)
        return ONLY_OPAQUE

    def _named_methods(self, name: str, node: ast.expr | None) -> Value:
        """Every method of that name: what is called on something that others hand in."""
        if name in _OF_EVERYBODY:
            return ONLY_ANYTHING
        found: Value = ONLY_ANYTHING
        methods = self.methods_named(name)
        for cls, info in methods:
            self.wanted[cls].add(self.here)
            for instance in self.read(cls.instances):
                found |= self.bind(info, cls, instance)
        if self.recording and not methods and node is not None:
            self.sdk.called_on_anything(name, node)
        return found

    def bind(self, info: FunctionInfo, cls: ClassValue, receiver: Atom) -> Value:
        """A function as it is got from an object: bound, called if it is a property."""
        owner: Atom | None = receiver
        if info.is_static and not info.is_property:
            owner = None
        elif info.is_of_class and not info.is_property:
            owner = receiver.cls if isinstance(receiver, Instance) else cls
        bound = frozenset({self.function_value(info, cls.frame, owner)})
        return self.call(bound, Arguments(info.node, [], {})) if info.is_property else bound

    def _instance_attribute(self, atom: Instance, name: str, node: ast.expr | None) -> Value:
        found = self.peek(atom.fields, name)
        if "*" in atom.fields.cells:
            found |= self.peek(atom.fields, "*")
        from_class = self.class_attribute(atom.cls, name, atom)
        if from_class:
            return found | from_class
        if found:
            return found
        declared = self.declared(atom.cls, name)
        if declared is not None:
            return self._as_declared(atom.cls, name, *declared)
        getter = self.class_attribute(atom.cls, "__getattr__", atom) if not name.startswith("__") else NOTHING
        if getter:
            return self.call(getter, Arguments(node or atom.cls.info.node, [frozenset({self.text(name)})], {}))
        if name == "__class__":
            return frozenset({atom.cls})
        return self._external_base(atom.cls)

    def _as_declared(self, cls: ClassValue, name: str, owner: ClassValue, annotation: ast.expr) -> Value:
        """A field that a class only declares: what its annotation says, a variable if the class reads its settings.

        Asked only once everything is known that is assigned: an annotation says less.
        """
        if not self._trusts_annotations:
            self._asked_annotations.add(self.here)
            return NOTHING
        if any(base.rpartition(".")[2] == _SETTINGS_BASE for base in self.foreign_bases(cls)):
            return frozenset({self.variable(name.upper())})
        return self.of_type(annotation, owner.frame) or ONLY_OPAQUE

    def _external_base(self, cls: ClassValue) -> Value:
        return ONLY_OPAQUE if self.foreign_bases(cls) else NOTHING

    def class_attribute(self, cls: ClassValue, name: str, receiver: Atom) -> Value:
        """An attribute of a class or what it is derived from, as `receiver` has it."""
        for one in self.lineage(cls):
            held = self.peek(one.fields, name)
            if held:
                found = NOTHING
                for atom in held:
                    if (
                        isinstance(atom, FunctionValue)
                        and atom.receiver is None
                        and atom.info.owner is one.info
                        and (atom.info.is_of_class or not isinstance(receiver, ClassValue))
                    ):
                        found |= self.bind(atom.info, one, receiver)
                    else:
                        found |= {atom}
                return found
        return NOTHING

    def set_attribute(self, owner: Atom, name: str, value: Value) -> None:
        """Assigns an attribute of a possible owner."""
        if isinstance(owner, Instance | ClassValue):
            self.write(self.field(owner.fields, name), value)
        elif isinstance(owner, ModuleValue):
            frame = self.module_frame(owner.name)
            if frame is not None:
                self.write(frame.variable(name), value)
        elif isinstance(owner, External | Opaque | Anything | FunctionValue):
            self.give_away(value)

    # --- items ---

    def item(
        self, value: Value, names: frozenset[str] | None, node: ast.expr | None = None, keys: Value = NOTHING
    ) -> Value:
        """What stands under one of these keys; under any key if they are None or empty."""
        found = NOTHING
        for atom in value:
            if isinstance(atom, Container):
                found |= self.held(atom, names)
            elif isinstance(atom, Instance):
                getter = self.attribute(frozenset({atom}), "__getitem__")
                found |= self.call(getter, Arguments(node, [keys], {})) if getter and node is not None else {atom}
            elif isinstance(atom, External) and atom.path in ENVIRONMENT:
                found |= self.variables_of(keys)
            elif isinstance(atom, Text | Variable):
                found |= ONLY_OPAQUE
            else:
                found |= {atom}
        return found

    def elements(self, value: Value) -> Value:
        """What a loop over a value gives."""
        found: set[Atom] = set()
        for atom in value:
            if isinstance(atom, Container):
                found |= self.looped(atom)
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
                found |= ONLY_OPAQUE
            else:
                found |= {atom}
        return frozenset(found)

    # --- calls ---

    def call(self, called: Value, arguments: Arguments) -> Value:
        """What the call of a value gives, with every atom of it that can be called."""
        self.step(len(called))
        found: set[Atom] = set()
        methods = [atom for atom in called if isinstance(atom, Method)]
        wrong = [one for one in methods if not self.sdk.is_operation(one)]
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
            return self.call(called, arguments) if called else self.call_foreign(OPAQUE, arguments)
        if isinstance(atom, Method):
            return self.sdk.call_method(atom, arguments)
        if isinstance(atom, Bound):
            return self._call_bound(atom.owner, atom.name, arguments)
        if isinstance(atom, Partial):
            return self._call_partial(atom, arguments)
        if isinstance(atom, ResourceObject | Client | Session | Prepared):
            # `client()`: what was taken for a client is what makes it.
            return frozenset({atom})
        if isinstance(atom, External | Opaque | Anything):
            return self.call_foreign(atom, arguments)
        return NOTHING

    def _call_bound(self, owner: Atom, name: str, arguments: Arguments) -> Value:
        if isinstance(owner, Prepared | Provider):
            return self.sdk.call_prepared(owner, name, arguments)
        if isinstance(owner, Text | Variable):
            return self.call_text_method(owner, name, arguments)
        if isinstance(owner, Container):
            return self.call_container_method(owner, name, arguments)
        return ONLY_OPAQUE

    def call_function(self, atom: FunctionValue, arguments: Arguments) -> Value:
        """What the call of a function of the program gives: each text that an argument may be counts as a call of its own."""
        found = NOTHING
        for given in self.each_given(atom, arguments):
            frame = self.frame_of_call(atom, given)
            self.step(sum(map(len, given.values())))
            for name, value in given.items():
                self.write(frame.variable(name), self._as_annotated(atom, name, value))
            self.start(frame)
            found |= self.read(frame.returned)
        return found

    def _as_annotated(self, atom: FunctionValue, name: str, value: Value) -> Value:
        """What a parameter may be: what others hand in is of the type it is annotated with, data if that is none of ours."""
        annotation = atom.info.annotations.get(name)
        if annotation is None or ANYTHING not in value:
            return value
        return (value - ONLY_ANYTHING) | (self.of_type(annotation, atom.frame) or ONLY_OPAQUE)

    def call_back(self, atom: Atom, given: Value = NOTHING) -> Value:
        """Calls something as other people's code does: with what it was given, or anything."""
        value = given or ONLY_ANYTHING
        if isinstance(atom, FunctionValue):
            return self.call_function(
                atom, Arguments(atom.info.node, [], {}, value, NOTHING if given else ONLY_ANYTHING)
            )
        if isinstance(atom, Partial):
            return self._call_partial(atom, Arguments(_NODE, [], {}, value))
        if isinstance(atom, Instance):
            called = self.class_attribute(atom.cls, "__call__", atom)
            return self.call(called, Arguments(_NODE, [], {}, value)) if called else NOTHING
        if isinstance(atom, Method | Bound):
            return self.call_atom(atom, Arguments(_NODE, [], {}, value))
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
            self.step()
            if isinstance(atom, FunctionValue | Partial):
                self.call_back(atom)
            elif isinstance(atom, Container):
                todo += self.every(atom.fields)

    def _call_partial(self, atom: Partial, arguments: Arguments) -> Value:
        """The call of a function with arguments it was prepared with."""
        held = atom.fields
        self.watch(held)
        count = sum(1 for name in held.cells if name.isdigit())
        first = [self.peek(held, str(position)) for position in range(count)]
        named = {name: self.read(cell) for name, cell in list(held.cells.items()) if not name.isdigit()}
        merged = Arguments(
            arguments.node,
            [*first, *arguments.positional],
            {**named, **arguments.keywords},
            arguments.rest,
            arguments.extra,
        )
        return self.call(self.read(atom.called), merged)

    def instantiate(self, cls: ClassValue, arguments: Arguments) -> Value:
        """Makes an object of a class of the program."""
        made = self.make(arguments.node, ("instance", cls), lambda: Instance(cls))
        found: Value = frozenset({made})
        for one in self.lineage(cls):
            self.write(one.instances, found)
        constructor = self.class_attribute(cls, "__init__", made)
        if constructor:
            self.call(constructor, arguments)
        else:
            self.fill_fields(made, arguments)
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
        for owner, info in self.unnamed_methods(cls):
            for method in self.bind(info, owner, made):
                self.call_back(method)
        return found
