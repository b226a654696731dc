"""Follows a program from its entry: which functions run, and what their variables may hold.

An interpretation of the program over sets of possible values. Order within a function is left out, branches are all taken,
so that what is found is at least what happens.

It is built in layers. Each is a class that is derived from the one before it and knows one thing more:

  Memory       places, their values, and who has to look again when one of them grows
  Data         lists, mappings, texts
  Scopes       what names stand for: modules, and functions once per way of calling them
  Classes      bases, fields, methods
  Objects      what can be done with a value: attributes, items, calls
  Types        what annotations say of a value
  Foreign      what other people's code does with what it is given
  Expressions  the program as it is written …
  Statements   … function by function
  Walk         … from its entry until nothing new is learned

A call runs nothing: it has the frame of the function looked at. So the layers that know values never ask those that read
the program. Attributes and calls need each other, annotations and other people's code: `Objects` says what it needs of the
two layers above it, and `Sdk` what the walk needs of whoever knows the SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credential_rules.code_walk.statements import Statements
from credential_rules.code_walk.values import NOTHING, ONLY_ANYTHING, ONLY_OPAQUE, Arguments, FunctionValue, Value

if TYPE_CHECKING:
    from credential_rules.code_walk.program import Module

_ROUNDS: Final = 3  # of what is called from outside, and may name more that is


class Walk(Statements):
    """One interpretation of a program. What the SDK's names mean is asked of what `sdk` makes; it also hears what is called."""

    def run(self, module: Module, handler: str) -> bool:
        """Interprets everything that is reached from a module's top level and its handler; False if there is no handler."""
        self.import_module(module.name)
        self._settle()
        frame = self.module_frame(module.name)
        entry = self.global_name(frame, handler) if frame is not None else NOTHING
        # An event is data; what a decorator hangs onto the context may be anything.
        arguments = Arguments(module.source.tree, [ONLY_OPAQUE, ONLY_ANYTHING], {})
        self.frame = frame
        for atom in entry:
            if isinstance(atom, FunctionValue) and any(part.annotation for part in atom.info.parameters[:1]):
                # An event that is of a type of ours has methods of ours.
                arguments.positional[0] = ONLY_ANYTHING
            self.call_atom(atom, arguments)
        self._settle()
        self.trust_annotations()
        self._settle()
        from_outside: list[FunctionValue] = []
        for _ in range(_ROUNDS):
            self._make_wanted()
            self._call_registered(from_outside)
        self._tell(module, arguments, entry, from_outside)
        return bool(entry)

    def _settle(self) -> None:
        for frame in self.due():
            self.evaluate(frame)

    def _make_wanted(self) -> None:
        """Gives an object to classes that are named as types of what others hand in, and that nobody makes."""
        for _ in range(_ROUNDS):
            missing = [cls for cls in self.wanted if not cls.instances.value]
            if not missing:
                return
            for cls in missing:
                for frame in self.wanted[cls]:
                    self.schedule(frame)
                self.frame = cls.frame
                self.instantiate(cls, Arguments(cls.info.node, [], {}, ONLY_ANYTHING, ONLY_ANYTHING))
            self._settle()

    def _call_registered(self, from_outside: list[FunctionValue]) -> None:
        """Calls the functions that other people's decorators got hold of, and that nobody of ours calls by name."""
        for atom in sorted(self.registered, key=lambda one: one.info.node.lineno):
            if not self.is_called(atom.info):
                from_outside.append(atom)
                self._call_from_outside(atom)
        self._settle()

    def _call_from_outside(self, atom: FunctionValue) -> None:
        self.frame = atom.frame
        self.call_back(atom)

    def _tell(self, module: Module, arguments: Arguments, entry: Value, from_outside: list[FunctionValue]) -> None:
        """Goes once more through all that is reached now that every value is known, and tells of it.

        Frames that were begun with less than is known now are not reached again.
        """
        self.record()
        self.import_module(module.name)
        for atom in entry:
            self.call_atom(atom, arguments)
        done = 0
        while done < len(self.frames):
            for frame in self.frames[done:]:
                done += 1
                self.evaluate(frame)
            for atom in from_outside:
                self._call_from_outside(atom)
