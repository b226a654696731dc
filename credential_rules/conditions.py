"""Which of a template's conditions can be decided before deployment, and what follows from taking one as true."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from credential_rules import intrinsics

if TYPE_CHECKING:
    from credential_rules.template import Assumptions, Node, Raw, Template

_DEEPEST: Final = 32  # conditions nest a few levels; a cycle of conditions never ends


def truth(template: Template, condition: Raw, assumed: Assumptions = (), depth: int = 0) -> bool | None:
    """Whether a condition (a name or an expression) holds; None if only the deployment decides.

    A comparison with a parameter is undecided even if the parameter has a default: whoever deploys may choose another.
    """
    if depth > _DEEPEST:
        return None
    if isinstance(condition, str):
        known = _lookup(assumed, condition)
        if known is not None:
            return known
        return truth(template, template.section("Conditions").get(condition), assumed, depth + 1)
    if not isinstance(condition, dict) or len(condition) != 1:
        return None
    ((name, argument),) = condition.items()
    parts: list[Raw] = argument if isinstance(argument, list) else [argument]
    if name == "Fn::Equals":
        known = _lookup(assumed, _atom(condition))
        return _equal(template, parts) if known is None else known
    answers = [truth(template, part, assumed, depth + 1) for part in parts]
    return _combined(name, answers) if answers else None


def _combined(name: str, answers: list[bool | None]) -> bool | None:
    first = answers[0]
    if name == "Condition":
        return first
    if name == "Fn::Not":
        return None if first is None else not first
    if name not in {"Fn::And", "Fn::Or"}:
        return None
    settles = name == "Fn::Or"
    if settles in answers:
        return settles
    return None if None in answers else not settles


def assume(
    template: Template, condition: Raw, *, truth: bool, assumed: Assumptions = (), depth: int = 0
) -> Assumptions:
    """`assumed` and everything that follows from taking `condition` as true or false."""
    if depth > _DEEPEST:
        return assumed
    followed: list[Raw] = []
    if isinstance(condition, str):
        assumed = (*assumed, (condition, truth))
        followed = [template.section("Conditions").get(condition)]
    elif isinstance(condition, dict) and len(condition) == 1:
        ((name, argument),) = condition.items()
        parts: list[Raw] = argument if isinstance(argument, list) else [argument]
        if name == "Fn::Equals":
            assumed = (*assumed, (_atom(condition), truth))
        elif name == "Fn::Not":
            truth = not truth
            followed = parts[:1]
        elif name == "Condition" or (name == "Fn::And" and truth) or (name == "Fn::Or" and not truth):
            followed = parts
    for part in followed:
        assumed = assume(template, part, truth=truth, assumed=assumed, depth=depth + 1)
    return assumed


def worlds(node: Node, most: int = 16) -> list[Assumptions]:
    """The combinations of conditions under which the parts of `node` go together.

    One without assumptions if it holds no undecided `Fn::If`, and also if there would be more than `most`: then parts
    of different branches are judged together.
    """
    names = sorted(_conditions_in(node.raw)) if "Conditions" in node.template.raw else ()
    found: list[Assumptions] = [node.assumed]
    for name in names:
        split: list[Assumptions] = []
        for assumed in found:
            if truth(node.template, name, assumed) is None:
                split.append(assume(node.template, name, truth=True, assumed=assumed))
                split.append(assume(node.template, name, truth=False, assumed=assumed))
            else:
                split.append(assumed)
        if len(split) > most:
            return [node.assumed]
        found = split
    return found


def _conditions_in(raw: Raw) -> set[str]:
    found: set[str] = set()
    todo: list[Raw] = [raw]
    while todo:
        current = todo.pop()
        if isinstance(current, dict):
            branches = current.get("Fn::If")
            if isinstance(branches, list) and branches and isinstance(branches[0], str):
                found.add(branches[0])
            todo.extend(current.values())
        elif isinstance(current, list):
            todo.extend(current)
    return found


def _atom(condition: Raw) -> str:
    return json.dumps(condition, sort_keys=True, default=str)


def _lookup(assumed: Assumptions, name: str) -> bool | None:
    for known, answer in assumed:
        if known == name:
            return answer
    return None


def _equal(template: Template, sides: list[Raw]) -> bool | None:
    if len(sides) != 2:  # noqa: PLR2004 (a comparison has two sides)
        return None
    values = []
    for side in sides:
        if _conditions_in(side):
            return None  # CloudFormation refuses Fn::If in a condition, which could ask for that same condition
        texts = intrinsics.texts_of(template, side)
        if len(texts) != 1 or texts[0].parameters or texts[0].literal is None:
            return None
        values.append(texts[0].literal)
    return values[0] == values[1]
