"""What a value in somebody's program may be, as far as calls to AWS are concerned.

A value is a set of these; two that mean the same are the same object, so that sets of them compare fast.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    import ast

    from credential_rules.code_walk.program import ClassInfo, FunctionInfo, Module

Value: TypeAlias = "frozenset[Atom]"
NOTHING: Final[Value] = frozenset()
"""No value that matters here: a number, None, or nothing at all."""


class Frame:
    """One function in one context, or one module: its variables and what it gives back."""

    def __init__(self, function: FunctionInfo | None, module: Module, enclosing: Frame | None) -> None:
        self.function = function
        self.module = module
        self.enclosing = enclosing
        self.variables: dict[str, Cell] = {}
        self.returned = Cell()
        self.receiver: Atom | None = None
        self.stars: list[Module] = []

    def variable(self, name: str) -> Cell:
        """The cell of one of its variables."""
        found = self.variables.get(name)
        if found is None:
            found = self.variables[name] = Cell()
        return found


class Cell:
    """A place that holds a value, and the frames that have read it."""

    __slots__ = ("readers", "value")

    def __init__(self) -> None:
        self.value: Value = NOTHING
        self.readers: set[Frame] = set()


class Fields:
    """The named places of one object: attributes, or the entries of a mapping or list. `*` holds what has no known name."""

    __slots__ = ("cells", "watchers")

    def __init__(self) -> None:
        self.cells: dict[str, Cell] = {}
        self.watchers: set[Frame] = set()


@dataclass(eq=False, slots=True)
class Atom:
    """One possible value."""


@dataclass(eq=False, slots=True)
class Text(Atom):
    """A known text."""

    text: str


@dataclass(eq=False, slots=True)
class Variable(Atom):
    """The value of an environment variable."""

    name: str


@dataclass(eq=False, slots=True)
class External(Atom):
    """A thing of a package that is not the asset's, by its dotted name; `()` stands for what a call gave."""

    path: str


@dataclass(eq=False, slots=True)
class Opaque(Atom):
    """Something that is surely no object of this program: data, a service's answer."""


@dataclass(eq=False, slots=True)
class Anything(Atom):
    """Something that somebody outside hands in: it may be an object of this program."""


OPAQUE: Final = Opaque()
ONLY_OPAQUE: Final[Value] = frozenset({OPAQUE})
ANYTHING: Final = Anything()
ONLY_ANYTHING: Final[Value] = frozenset({ANYTHING})


@dataclass(eq=False, slots=True)
class ModuleValue(Atom):
    """A module or package of the program."""

    name: str


@dataclass(eq=False, slots=True)
class TypeName(Atom):
    """A name that is imported for type checkers only."""

    module: str
    name: str


@dataclass(eq=False, slots=True)
class FunctionValue(Atom):
    """A function, bound to its object if it is a method. `frame` is where it was defined."""

    info: FunctionInfo
    frame: Frame
    receiver: Atom | None


@dataclass(eq=False, slots=True)
class ClassValue(Atom):
    """A class. `bases` are cells of what its bases are, `fields` its attributes, `instances` all its objects."""

    info: ClassInfo
    frame: Frame
    bases: list[Cell] = field(default_factory=list)
    fields: Fields = field(default_factory=Fields)
    instances: Cell = field(default_factory=Cell)


@dataclass(eq=False, slots=True)
class Instance(Atom):
    """An object of a class of the program, told apart by where it was made."""

    cls: ClassValue
    fields: Fields = field(default_factory=Fields)


@dataclass(eq=False, slots=True)
class Super(Atom):
    """`super()` in a method."""

    cls: ClassValue
    receiver: Atom


@dataclass(eq=False, slots=True)
class Container(Atom):
    """A list, tuple, set or mapping, told apart by where it was made. `keys` holds keys that are no plain text."""

    fields: Fields = field(default_factory=Fields)
    keys: Cell = field(default_factory=Cell)


@dataclass(eq=False, slots=True)
class Bound(Atom):
    """A method of a container or a text: `owner.name`."""

    owner: Atom
    name: str


@dataclass(eq=False, slots=True)
class Partial(Atom):
    """A function with some of its arguments; `fields` are those, `called` the function."""

    called: Cell = field(default_factory=Cell)
    fields: Fields = field(default_factory=Fields)


@dataclass(eq=False, slots=True)
class Session(Atom):
    """A session of the SDK."""


SESSION: Final = Session()
ONLY_SESSION: Final[Value] = frozenset({SESSION})


@dataclass(eq=False, slots=True)
class Client(Atom):
    """A client of a service, by the SDK's name of it."""

    service: str


@dataclass(eq=False, slots=True)
class ResourceObject(Atom):
    """An object of the SDK's resource interface: `kind` is empty for the service itself. `names` are what it is made with."""

    service: str
    kind: str
    names: tuple[tuple[str, Value], ...]


@dataclass(eq=False, slots=True)
class Method(Atom):
    """A method of a client or of a resource object."""

    owner: Client | ResourceObject
    name: str


@dataclass(eq=False, slots=True)
class Prepared(Atom):
    """A paginator or waiter: calling its method calls `operation`. A resource's collection is one too, with what it fills in."""

    service: str
    operation: str
    given: tuple[tuple[str, Value], ...] = ()
    makes: str = ""


@dataclass(eq=False, slots=True)
class Provider(Atom):
    """An object of a package that calls AWS by itself: `operations` are those of each of its methods."""

    kind: str
    given: tuple[tuple[str, Value], ...] = ()


@dataclass(slots=True)
class Arguments:
    """What a call gives: by position, more of them (`*rest`), by name, more of those (`**extra`)."""

    node: ast.AST
    positional: list[Value]
    keywords: dict[str, Value]
    rest: Value = NOTHING
    extra: Value = NOTHING

    def at(self, position: int, name: str) -> Value:
        """The argument at a position or of that name."""
        if position < len(self.positional):
            return self.positional[position]
        return self.keywords.get(name, NOTHING) | self.rest | self.extra

    def every(self) -> Value:
        """All of them together."""
        found = self.rest | self.extra
        for value in (*self.positional, *self.keywords.values()):
            found |= value
        return found
