"""What is there in every branch of a deployment, held against every deployment that there could be."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from hypothesis import given
from hypothesis import strategies as st

from credential_rules import conditions
from credential_rules.branches import always, first_open
from credential_rules.template import Template

if TYPE_CHECKING:
    from credential_rules.branches import Branch

PLAIN: Final = ("A", "B", "C")
TEMPLATE: Final = Template(
    "t.yaml",
    {
        "Parameters": {name: {"Type": "String"} for name in PLAIN},
        "Conditions": {
            **{name: {"Fn::Equals": [{"Ref": name}, "yes"]} for name in PLAIN},
            "NotA": {"Fn::Not": [{"Condition": "A"}]},
            "AAndB": {"Fn::And": [{"Condition": "A"}, {"Condition": "B"}]},
            "BOrC": {"Fn::Or": [{"Condition": "B"}, {"Condition": "C"}]},
            "Deep": {"Fn::Or": [{"Condition": "NotA"}, {"Condition": "AAndB"}]},
        },
    },
)
OTHER: Final = Template(
    "other.yaml", {"Conditions": TEMPLATE.raw["Conditions"], "Parameters": TEMPLATE.raw["Parameters"]}
)


def holds(name: str, values: dict[str, bool]) -> bool:
    """What a condition is in one deployment."""
    return {
        **values,
        "NotA": not values["A"],
        "AAndB": values["A"] and values["B"],
        "BOrC": values["B"] or values["C"],
        "Deep": not values["A"] or (values["A"] and values["B"]),
    }[name]


WANTED = st.lists(st.tuples(st.sampled_from([*PLAIN, "NotA", "AAndB", "BOrC", "Deep"]), st.booleans()), max_size=3)


def branches(wanted: list[tuple[str, bool]], template: Template = TEMPLATE) -> tuple[Branch, ...]:
    """The branch in which those conditions are what is wanted."""
    assumed: tuple[tuple[str, bool], ...] = ()
    for name, truth in wanted:
        assumed = conditions.assume(template, name, truth=truth, assumed=assumed)
    return ((template, assumed),) if assumed else ()


@given(st.lists(WANTED, max_size=4), WANTED)
def test_the_answer_is_that_of_every_deployment(
    options: list[list[tuple[str, bool]]], under: list[tuple[str, bool]]
) -> None:
    """Always, never and sometimes are told apart as trying everything would; where it is doubtful, it says sometimes."""
    deployments = [dict(zip(PLAIN, values, strict=True)) for values in product((True, False), repeat=len(PLAIN))]
    possible = [one for one in deployments if all(holds(name, one) is truth for name, truth in under)]
    there = [any(all(holds(name, one) is truth for name, truth in option) for option in options) for one in possible]
    answer = always([branches(option) for option in options], branches(under))
    if answer is not None and possible:
        assert answer is all(there)
        assert answer is any(there)


@given(WANTED)
def test_what_is_there_without_a_condition_is_always_there(under: list[tuple[str, bool]]) -> None:
    """Whatever else is there only sometimes."""
    assert always([branches([("A", True)]), ()], branches(under)) is True
    assert always([], branches(under)) is False


def test_both_ways_make_always_and_one_makes_sometimes() -> None:
    """Where the other way is found as well, nothing is open; else the condition that is open is named."""
    yes, no = branches([("AAndB", True)]), branches([("AAndB", False)])
    assert always([yes, no]) is True
    assert always([yes]) is None
    assert first_open(yes, ()) == ("AAndB", True)
    assert always([yes], branches([("A", False)])) is False
    assert always([yes], branches([("A", True), ("B", True)])) is True


def test_what_would_need_too_many_ways_is_not_decided() -> None:
    """Ten features, each with its permission, and no deployment is sure to have one: nobody tries a thousand ways."""
    names = [f"Feature{number}" for number in range(10)]
    many = Template(
        "many.yaml",
        {
            "Parameters": {name: {"Type": "String"} for name in names},
            "Conditions": {name: {"Fn::Equals": [{"Ref": name}, "yes"]} for name in names},
        },
    )
    each = [branches([(name, True)], many) for name in names]
    assert always(each) is None
    assert always([*each, branches([(name, False) for name in names], many)]) is None
    assert always([*each[:7], branches([(name, False) for name in names[:7]], many)]) is True


def test_a_name_means_the_condition_of_its_own_template() -> None:
    """Another template's condition of that name may be another condition."""
    assert always([branches([("A", True)], OTHER)], branches([("A", True)])) is None
    assert always([branches([("A", True)], OTHER)], branches([("A", True)], OTHER)) is True
