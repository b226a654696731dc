"""In which branches of a deployment something is there: under which conditions of its template, taken as true or false."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from credential_rules import conditions
from credential_rules.template import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credential_rules.template import Assumptions, Resource, Template

Branch: TypeAlias = "tuple[Template, Assumptions]"
"""What is assumed of the conditions of one template. Two templates may call different conditions by one name."""

_MOST_SPLITS: Final = 8
"""Conditions that are tried both ways; templates that need more are not decided."""


def branch_of(one: Value | Resource) -> tuple[Branch, ...]:
    """What has to be assumed for a value, whichever of its branches it has, or for a resource to be there."""
    if not isinstance(one, Value):
        return ((one.template, one.assumed),) if one.assumed else ()
    first, *more = one.nodes
    shared = tuple(
        part for part in first.assumed if all(node.template is first.template and part in node.assumed for node in more)
    )
    return ((first.template, shared),) if shared else ()


def always(options: Iterable[tuple[Branch, ...]], given: tuple[Branch, ...] = ()) -> bool | None:
    """Whether one of `options` is there in every branch where `given` is: False if none ever is, None if only in some."""
    known: dict[Template, Assumptions] = {}
    for template, assumed in given:
        known[template] = (*known.get(template, ()), *assumed)
    return _always(list(options), known, 0)


def _always(options: list[tuple[Branch, ...]], known: dict[Template, Assumptions], splits: int) -> bool | None:
    left: list[tuple[Branch, ...]] = []
    open_one: tuple[Template, str] | None = None
    for option in options:
        state = _state(option, known)
        if state is True:
            return True
        if state is not False:
            left.append(option)
            open_one = open_one or state[:2]
    if open_one is None:
        return False
    if splits == _MOST_SPLITS:
        return None
    template, name = open_one
    answers = {
        _always(
            left,
            known | {template: conditions.assume(template, name, truth=truth, assumed=known.get(template, ()))},
            splits + 1,
        )
        for truth in (True, False)
    }
    return answers.pop() if len(answers) == 1 else None


def first_open(option: tuple[Branch, ...], given: tuple[Branch, ...]) -> tuple[str, bool] | None:
    """The condition that decides whether `option` is there where `given` is, and how it has to be; None if none does."""
    known: dict[Template, Assumptions] = {}
    for template, assumed in given:
        known[template] = (*known.get(template, ()), *assumed)
    state = _state(option, known)
    return None if isinstance(state, bool) else state[1:]


def _state(option: tuple[Branch, ...], known: dict[Template, Assumptions]) -> bool | tuple[Template, str, bool]:
    """Whether all that an option assumes holds; the first condition that is not decided, if nothing contradicts it."""
    undecided: tuple[Template, str, bool] | None = None
    for template, assumed in option:
        for name, wanted in assumed:
            if name.startswith("{"):
                continue  # A comparison that follows from a condition, which is asked by its name.
            truth = conditions.truth(template, name, known.get(template, ()))
            if truth is None:
                undecided = undecided or (template, name, wanted)
            elif truth is not wanted:
                return False
    return undecided or True
