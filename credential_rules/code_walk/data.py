"""What lists, mappings and texts do in somebody's program: what is put into them, taken out, and what their methods give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credential_rules.code_walk.memory import Memory
from credential_rules.code_walk.values import NOTHING, ONLY_OPAQUE, Arguments, Atom, Container, Text, Value, Variable

if TYPE_CHECKING:
    import ast

_LONGEST_NAME: Final = 200  # a text that grows beyond it is no name of anything


class Data(Memory):
    """A memory that knows data."""

    def container(self, node: ast.AST, use: str = "") -> Container:
        """The list or mapping that `node` makes."""
        return self.make(node, ("container", use), Container)

    def put(self, owner: Container, keys: Value, value: Value) -> None:
        """Puts a value into a container under each of the keys."""
        named = [key.text for key in keys if isinstance(key, Text)]
        for name in named:
            self.write(self.field(owner.fields, name), value)
        if len(named) < len(keys) or not keys:
            self.write(self.field(owner.fields, "*"), value)
            self.write(owner.keys, frozenset(key for key in keys if not isinstance(key, Text)))

    def pour(self, source: Atom, into: Container) -> None:
        """Puts what one container holds into another, under the same keys."""
        if isinstance(source, Container):
            if source is into:
                return
            self.watch(source.fields)
            for name, cell in list(source.fields.cells.items()):
                self.write(self.field(into.fields, name), self.read(cell))
            self.write(into.keys, self.read(source.keys))
        else:
            self.write(self.field(into.fields, "*"), frozenset({source}))

    def held(self, owner: Container, names: frozenset[str] | None) -> Value:
        """What stands under one of these keys; under any key if they are None or empty."""
        if not names:
            return self.every(owner.fields)
        found = NOTHING
        for name in names | {"*"}:
            found |= self.peek(owner.fields, name)
        return found

    def looped(self, owner: Container) -> Value:
        """What a loop over a container gives: its keys or its elements, whichever it is."""
        found = self.every(owner.fields) | self.read(owner.keys)
        return found | {self.text(name) for name in owner.fields.cells if name != "*" and not name.isdigit()}

    def joined(self, left: Value, right: Value) -> Value:
        """What an operator makes of two values: of texts another text, of others either."""
        if len(left) == 1 and len(right) == 1:
            first, second = next(iter(left)), next(iter(right))
            if isinstance(first, Text) and isinstance(second, Text):
                joined = first.text + second.text
                return frozenset({self.text(joined)}) if len(joined) < _LONGEST_NAME else ONLY_OPAQUE
        kept = frozenset(atom for atom in left | right if not isinstance(atom, Text | Variable))
        return kept | ONLY_OPAQUE if len(kept) < len(left | right) else kept

    def call_text_method(self, owner: Text | Variable, name: str, arguments: Arguments) -> Value:
        """What a method of a text gives: what only trims or recodes it leaves it what it is."""
        if name in {"strip", "rstrip", "lstrip", "lower", "upper", "encode", "decode", "get_secret_value"}:
            return frozenset({owner})
        if name == "format" and not arguments.positional and not arguments.keywords:
            return frozenset({owner})
        return ONLY_OPAQUE

    def call_container_method(self, owner: Container, name: str, arguments: Arguments) -> Value:
        """What a method of a list or mapping gives."""
        if name in {"get", "pop", "setdefault", "__getitem__"}:
            keys = arguments.at(0, "key")
            default = arguments.at(1, "default")
            if name == "setdefault":
                self.put(owner, keys, default)
            names = frozenset(key.text for key in keys if isinstance(key, Text))
            return self.held(owner, names if len(names) == len(keys) else None) | default
        if name in {"append", "add", "insert", "appendleft", "put", "__setitem__", "put_nowait"}:
            self.write(self.field(owner.fields, "*"), arguments.every())
            return NOTHING
        if name in {"extend", "update", "union", "extendleft"}:
            for value in (*arguments.positional, arguments.rest):
                for one in value:
                    self.pour(one, owner)
            for key, value in arguments.keywords.items():
                self.write(self.field(owner.fields, key), value)
            return frozenset({owner})
        if name in {"popitem", "popleft"}:
            return self.every(owner.fields)
        return frozenset({owner})
