"""Where an interpretation of a program keeps what is known so far, and who has to look again when more is."""

from __future__ import annotations

import sys
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, Final, TypeVar

from credential_rules.code_walk.values import (
    NOTHING,
    OPAQUE,
    Atom,
    Bound,
    Cell,
    Client,
    External,
    Fields,
    Frame,
    Method,
    Prepared,
    Provider,
    ResourceObject,
    Text,
    Value,
    Variable,
)
from credential_rules.sdk_services import kind, service_of_stubs

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterator

_MOST_STEPS: Final = 400_000  # expressions and values looked at; a program that needs more is not decided
_MOST_OBJECTS: Final = 8  # made in one place; beyond that they are taken as one

WRAPPING: Final = ("functools.", "contextlib.", "dataclasses.", "typing.", "abc.", "atexit.", "builtins.")
"""Decorators that call what they decorate when somebody does."""
ENVIRONMENT: Final = frozenset({"os.environ", "os.environ.copy()"})


AtomT = TypeVar("AtomT", bound=Atom)


class TooLarge(Exception):
    """The program needs more steps than anybody would wait for."""


class Memory:
    """The values of all places. What has the same meaning is the same object; what is read is noted by whoever reads it."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.frame: Frame | None = None
        self.recording = False
        self.steps = 0
        self._started: set[Frame] = set()
        self._waiting: deque[Frame] = deque()
        self._is_waiting: set[Frame] = set()
        self._interned: dict[tuple[object, ...], Any] = {}  # a key says of which kind its atom is
        self._externals: dict[str, Value] = {}
        self._made: dict[ast.AST, int] = defaultdict(int)

    def step(self, count: int = 1) -> None:
        """Counts what was looked at.

        Raises:
            TooLarge: nobody waits for more.
        """
        self.steps += count
        if self.steps > _MOST_STEPS:
            raise TooLarge

    def schedule(self, frame: Frame) -> None:
        """Has a frame looked at again."""
        if frame not in self._is_waiting and not self.recording:
            self._is_waiting.add(frame)
            self._waiting.append(frame)

    def due(self) -> Iterator[Frame]:
        """The frames that have to be looked at, until none has."""
        while self._waiting:
            frame = self._waiting.popleft()
            self._is_waiting.discard(frame)
            yield frame

    def record(self) -> None:
        """From now on nothing is looked at again: what is reached is noted once more, with all that is known."""
        self.recording = True
        self.frame = None
        self.frames.clear()
        self._started.clear()

    def start(self, frame: Frame) -> None:
        """Has a frame looked at, if it is reached for the first time."""
        if frame not in self._started:
            self._started.add(frame)
            self.frames.append(frame)
            self.schedule(frame)

    def read(self, cell: Cell) -> Value:
        """The value of a place; the current frame hears of more."""
        if self.frame is not None:
            cell.readers.add(self.frame)
        return cell.value

    def write(self, cell: Cell, value: Value) -> None:
        """Adds to the value of a place."""
        if not value <= cell.value:
            cell.value |= value
            for reader in cell.readers:
                self.schedule(reader)

    def field(self, fields: Fields, name: str) -> Cell:
        """The place of that name in an object, made if it is not there."""
        found = fields.cells.get(name)
        if found is None:
            found = fields.cells[name] = Cell()
            for watcher in fields.watchers:
                self.schedule(watcher)
        return found

    def watch(self, fields: Fields) -> None:
        """Has the current frame hear of every place that is made in an object."""
        if self.frame is not None:
            fields.watchers.add(self.frame)

    def peek(self, fields: Fields, name: str) -> Value:
        """What stands under a name, without making the place; whoever asked hears when it is made."""
        found = fields.cells.get(name)
        if found is None:
            self.watch(fields)
            return NOTHING
        return self.read(found)

    def every(self, fields: Fields) -> Value:
        """Everything that an object holds; the current frame hears of more."""
        self.watch(fields)
        self.step(len(fields.cells))
        found: set[Atom] = set()
        for cell in list(fields.cells.values()):
            found |= self.read(cell)
        self.step(len(found))
        return frozenset(found)

    def intern(self, key: tuple[object, ...], make: Callable[[], AtomT]) -> AtomT:
        """The one atom for a key."""
        found: AtomT | None = self._interned.get(key)
        if found is None:
            found = self._interned[key] = make()
        return found

    def text(self, text: str) -> Atom:
        """The atom of a text."""
        return self.intern(("text", text), lambda: Text(text))

    def variable(self, name: str) -> Atom:
        """The atom of an environment variable's value."""
        return self.intern(("variable", name), lambda: Variable(name))

    def variables_of(self, names: Value) -> Value:
        """The values of the environment variables of these names."""
        return frozenset(self.variable(name.text) if isinstance(name, Text) else OPAQUE for name in names)

    def external(self, path: str) -> Value:
        """The value of something that is not the program's."""
        known = self._externals.get(path)
        if known is None:
            known = self._externals[path] = frozenset({self._external(path)})
        return known

    def _external(self, path: str) -> Atom:
        top = path.partition(".")[0].partition("(")[0]
        if ("()" in path and path not in ENVIRONMENT) or len(path) > 200:  # noqa: PLR2004 (a name that long is a loop's)
            # What came from a package is told by the package alone: there is no end to what can be called on it.
            if top in sys.stdlib_module_names and not path.startswith(WRAPPING):
                return OPAQUE
            path = f"{top}.()"
        service = service_of_stubs(top)
        if service:
            return self._stub(service, path)
        return self.intern(("external", path), lambda: External(path))

    def client(self, service: str) -> Atom:
        """The client of a service."""
        return self.intern(("client", service), lambda: Client(service))

    def resource(self, service: str, name: str, names: tuple[tuple[str, Value], ...] = ()) -> Atom:
        """An object of the resource interface."""
        return self.intern(("resource", service, name, names), lambda: ResourceObject(service, name, names))

    def prepared(
        self, service: str, operation: str, given: tuple[tuple[str, Value], ...] = (), makes: str = ""
    ) -> Atom:
        """Something that calls one operation later."""
        return self.intern(
            ("prepared", service, operation, given, makes), lambda: Prepared(service, operation, given, makes)
        )

    def provider(self, name: str, given: tuple[tuple[str, Value], ...]) -> Atom:
        """An object of a package that calls AWS by itself."""
        return self.intern(("provider", name, given), lambda: Provider(name, given))

    def method(self, owner: Client | ResourceObject, name: str) -> Atom:
        """A method of the SDK's."""
        return self.intern(("method", owner, name), lambda: Method(owner, name))

    def bound(self, owner: Atom, name: str) -> Atom:
        """A method of data or of something prepared."""
        return self.intern(("bound", owner, name), lambda: Bound(owner, name))

    def _stub(self, service: str, path: str) -> Atom:
        last = path.rpartition(".")[2]
        if last.endswith("ServiceResource"):
            return self.resource(service, "")
        if ".service_resource." in path or (not last.endswith("Client") and kind(service, last)):
            return self.resource(service, last) if kind(service, last) else OPAQUE
        return self.client(service) if last.endswith("Client") else OPAQUE

    def make(self, node: ast.AST, key: tuple[object, ...], make: Callable[[], AtomT]) -> AtomT:
        """An object made at `node` in the current frame: one per place and frame, up to a limit."""
        full = (*key, node, self.frame)
        found: AtomT | None = self._interned.get(full)
        if found is None:
            self._made[node] += 1
            if self._made[node] > _MOST_OBJECTS:
                return self.intern((*key, node), make)
            found = self._interned[full] = make()
        return found
