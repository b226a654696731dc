"""The guards bite: a CDK app that breaks a rule does not synthesise, whichever way the fault gets into the template."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from credential_rules.registry import all_rules

if TYPE_CHECKING:
    from collections.abc import Callable

BAD_STACKS: Final = Path(__file__).parents[1] / "bad_stacks"
"""A module per rule: `FINDING` is what the rule says, and each way in is a function that fills a stack.

A rule that refuses several things has more of them, `l1_…`, each with its own text in `FINDINGS`.
"""

WAYS_IN: Final = {"l2": "l2", "l1": "l1", "raw_override": "raw_override", "nested": "l1"}
"""Each way in and the function that takes it. What is nested is a stack in a stack, filled like any other."""


def ways_into(rule: str) -> list[str]:
    """The ways in that the rule's module shows, read from its text: importing it would start Node."""
    file = BAD_STACKS / f"{rule.replace('-', '_')}.py"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    functions = set(re.findall(r"^def (\w+)\(scope: Construct\)", text, re.MULTILINE))
    more = sorted(function for function in functions if function.startswith("l1_"))
    return [*(way for way, function in WAYS_IN.items() if function in functions), *more]


CASES: Final = [(rule.slug, way) for rule in all_rules() for way in ways_into(rule.slug)]


@pytest.fixture(scope="module")
def report(synthesise: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """One app with a stack per rule and way in, synthesised once, with every rule and the defaults of the pack."""

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii starts only when the fixture runs)
        from aws_cdk import NestedStack, Stack  # noqa: PLC0415 (as above)

        for rule, way in CASES:
            module = importlib.import_module(f"tests.bad_stacks.{rule.replace('-', '_')}")
            stack = Stack(app, f"{rule}--{way.replace('_', '-')}")
            getattr(module, WAYS_IN.get(way, way))(NestedStack(stack, "Nested") if way == "nested" else stack)

    return synthesise(fill)


@pytest.mark.parametrize("rule", [rule.slug for rule in all_rules()])
def test_every_rule_has_bad_stacks(rule: str) -> None:
    """A new rule comes with a proof that it bites: typed by hand, overridden behind the types' back, and nested."""
    ways = ways_into(rule)
    assert {"l1", "raw_override", "nested"} <= set(ways), f"tests/bad_stacks/{rule.replace('-', '_')}.py shows {ways}"


@pytest.mark.parametrize(("rule", "way"), CASES, ids=str)
def test_bad_stack_is_refused_with_the_text_of_its_rule(rule: str, way: str, report: dict[str, Any]) -> None:
    """An error with that rule's own words, on a construct of that stack: a crash cannot look like a catch."""
    stack = f"{rule}--{way.replace('_', '-')}"
    inside = f"{stack}/Nested/" if way == "nested" else f"{stack}/"
    found = [
        violation["description"]
        for violation in report["violations"]
        if violation["ruleName"] == rule
        and violation["severity"] == "error"
        and any(construct["constructPath"].startswith(inside) for construct in violation["violatingConstructs"])
    ]
    module = importlib.import_module(f"tests.bad_stacks.{rule.replace('-', '_')}")
    expected = module.FINDINGS[way] if way.startswith("l1_") else module.FINDING
    assert expected in "\n".join(found)


def test_every_bad_stack_was_judged(report: dict[str, Any]) -> None:
    """Synth failed, and not because a rule broke or a template could not be read."""
    assert report["failed"]
    assert "everything-was-judged" not in {violation["ruleName"] for violation in report["violations"]}
