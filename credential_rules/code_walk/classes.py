"""What a program's classes are derived from, what their objects hold, and which of their methods others may call."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from credential_rules.code_walk.scopes import Scopes
from credential_rules.code_walk.values import ClassValue, External, Frame, FunctionValue, Instance

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from credential_rules.code_walk.program import FunctionInfo, Program
    from credential_rules.code_walk.values import Arguments, Atom

_MOST_BASES: Final = 64

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
_BENIGN_ENDINGS: Final = ("Error", "Exception", "Warning", "Enum", "Model", "Struct")

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
        "__iter__",
        "__getitem__",
        "__setitem__",
        "__slots__",
        "__doc__",
        "__module__",
    }
)
"""Special names that are called where the program uses them, or that are no methods."""


class Classes(Scopes):
    """A memory that knows classes. `wanted` are those that others hand in objects of, with the frames that read these."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.wanted: dict[ClassValue, set[Frame]] = defaultdict(set)
        self._methods: dict[str, list[tuple[ClassValue, FunctionInfo]]] = defaultdict(list)
        self._method_watchers: dict[str, set[Frame]] = defaultdict(set)

    def bases(self, cls: ClassValue) -> Iterator[Atom]:
        """What a class names as its bases."""
        for cell in cls.bases:
            yield from self.read(cell)

    def mro(self, cls: ClassValue) -> list[Atom]:
        """The class and what it is derived from, nearest first."""
        found: list[Atom] = []
        todo: list[Atom] = [cls]
        while todo and len(found) < _MOST_BASES:
            one = todo.pop(0)
            if one in found:
                continue
            found.append(one)
            if isinstance(one, ClassValue):
                todo = [*self.bases(one), *todo]
        return found

    def lineage(self, cls: ClassValue) -> list[ClassValue]:
        """The class and those of the program that it is derived from, nearest first."""
        return [one for one in self.mro(cls) if isinstance(one, ClassValue)]

    def foreign_bases(self, cls: ClassValue) -> list[str]:
        """What a class is derived from that is none of the program's, by dotted names."""
        return [one.path for one in self.mro(cls) if isinstance(one, External)]

    def declared(self, cls: ClassValue, name: str) -> tuple[ClassValue, ast.expr] | None:
        """The annotation that declares a field, with the class it stands in."""
        for one in self.lineage(cls):
            if name in one.info.annotations:
                return one, one.info.annotations[name]
        return None

    def fill_fields(self, made: Instance, arguments: Arguments) -> None:
        """What the constructor of a dataclass, named tuple or model does."""
        names = [name for one in reversed(self.lineage(made.cls)) for name in one.info.annotations]
        for name, value in zip(dict.fromkeys(names), arguments.positional, strict=False):
            self.write(self.field(made.fields, name), value)
        for name, value in arguments.keywords.items():
            self.write(self.field(made.fields, name), value)
        if arguments.rest | arguments.extra:
            for name in names:
                self.write(self.field(made.fields, name), arguments.rest | arguments.extra)

    def note_method(self, cls: ClassValue, info: FunctionInfo) -> None:
        """Has a class have a method; whoever called one of that name on something unknown looks again."""
        known = self._methods[info.name]
        if (cls, info) not in known:
            known.append((cls, info))
            for watcher in self._method_watchers[info.name]:
                self.schedule(watcher)

    def methods_named(self, name: str) -> list[tuple[ClassValue, FunctionInfo]]:
        """Every method of that name; the current frame hears of more."""
        self._method_watchers[name].add(self.here)
        return list(self._methods[name])

    def unnamed_methods(self, cls: ClassValue) -> Iterator[tuple[ClassValue, FunctionInfo]]:
        """The methods that are called without the program naming them: special ones, and all where a foreign base may call them."""
        may_be_called = not all(map(_is_benign, self.foreign_bases(cls)))
        for one in self.lineage(cls):
            for name in list(one.fields.cells):
                if may_be_called or (name.startswith("__") and name not in _CALLED_BY_US):
                    for atom in self.peek(one.fields, name):
                        if isinstance(atom, FunctionValue) and atom.info.owner is one.info:
                            yield one, atom.info
            self.watch(one.fields)


def _is_benign(path: str) -> bool:
    last = path.rpartition(".")[2].removesuffix("()")
    return last in _BENIGN_BASES or last.endswith(_BENIGN_ENDINGS)
