"""Follows a property path that is written once for a resource type, such as `Users[].Password`, through every branch."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credential_rules.template import Value


@lru_cache(maxsize=1024)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.replace("[]", ".[]").split("."))


def reach(value: Value, path: str, is_wanted: Callable[[str], bool] = bool) -> Iterator[Value]:
    """Every value that `path` leads to, each of one branch; nothing where the template does not have it.

    `[]` stands for each element of a list (or for a value that is no list), `{}` for each key that `is_wanted` accepts.
    """
    yield from _reach(value, _parts(path), is_wanted)


def _reach(value: Value, parts: tuple[str, ...], is_wanted: Callable[[str], bool]) -> Iterator[Value]:
    if not value:
        return
    if not parts:
        yield from value.possibilities()
        return
    step, *others = parts
    rest = tuple(others)
    if step == "[]":
        for element in value.each():
            yield from _reach(element, rest, is_wanted)
    elif step == "{}":
        for key, below in value.entries():
            if is_wanted(key):
                yield from _reach(below, rest, is_wanted)
    else:
        yield from _reach(value[step], rest, is_wanted)
