"""Each rule keeps what its own examples promise, on the command's path and through the real cdk-nag pack."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from credential_rules.engine import Target, judge
from credential_rules.reader import parse, read_template
from credential_rules.registry import all_rules
from credential_rules.sources import SourceReader, parse_source, sources_of_templates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from credential_rules.engine import Report
    from credential_rules.rule import Example, Rule

GOOD = [(rule, example) for rule in all_rules() for example in rule.good]
BAD = [(rule, example) for rule in all_rules() for example in rule.bad]
BAD_TEMPLATES = [(rule, example) for rule, example in BAD if example.language == "template"]


def names(cases: list[tuple[Rule, Example]]) -> list[str]:
    """What the cases are called in the list of tests."""
    return [f"{rule.slug}-{example.name}" for rule, example in cases]


def judged(rule: Rule, example: Example, folder: Path) -> Report:
    """The report of one rule on one example, read as the command reads it."""
    target = Target()
    if example.language == "python":
        target.sources.append(parse_source("app.py", example.text))
    else:
        file = folder / "template.yaml"
        file.write_text(example.text, encoding="utf-8")
        target.templates.append(read_template(file))
        target.sources = sources_of_templates(target.templates, SourceReader())
    return judge(target, [rule])


@pytest.mark.parametrize(("rule", "example"), GOOD, ids=names(GOOD))
def test_good_example_has_no_finding(rule: Rule, example: Example, tmp_path: Path) -> None:
    """Precision: a rule is silent where its own author says that all is well."""
    report = judged(rule, example, tmp_path)
    assert report.errors == {}
    assert [found.message for found in report.findings] == []


@pytest.mark.parametrize(("rule", "example"), BAD, ids=names(BAD))
def test_bad_example_is_refused_with_its_finding(rule: Rule, example: Example, tmp_path: Path) -> None:
    """Recall: the finding is the one that was meant, so that a crash cannot look like a catch."""
    report = judged(rule, example, tmp_path)
    assert report.errors == {}
    assert {found.severity for found in report.findings} == {example.severity}
    assert example.finding in "\n".join(found.message for found in report.findings)


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.slug)
def test_rule_says_all_that_a_reader_needs(rule: Rule) -> None:
    """Each rule has Before and After, a sentence, a reason and a remedy, and something that it looks at."""
    assert rule.good
    assert rule.bad
    assert all(example.finding for example in rule.bad)
    assert rule.sentence.endswith(".")
    assert rule.reason
    assert rule.remedy
    assert (rule.on_resource is None) == (rule.applies_to == ())
    assert rule.on_resource or rule.on_template or rule.on_source
    named = [example.name for example in (*rule.good, *rule.bad)]
    assert len(named) == len(set(named))


@pytest.fixture(scope="module")
def report(synthesise: Callable[..., dict[str, Any]], include_template: Callable[..., Any]) -> dict[str, Any]:
    """One app with a stage per bad example, synthesised once: each synth of its own would take a second."""

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii starts only when the fixture runs)
        from aws_cdk import Stage  # noqa: PLC0415 (as above)

        for position, (_, example) in enumerate(BAD_TEMPLATES):
            include_template(Stage(app, f"Example{position}"), "Stack", parse(example.text))

    return synthesise(fill, today=lambda: date(2026, 11, 20))


@pytest.mark.parametrize("position", range(len(BAD_TEMPLATES)), ids=names(BAD_TEMPLATES))
def test_bad_example_is_refused_by_the_real_pack(position: int, report: dict[str, Any]) -> None:
    """The same template, as resources of a CDK app, fails synth (or warns) with that rule's text."""
    rule, example = BAD_TEMPLATES[position]
    stage = f"Example{position}"
    found = [
        violation
        for violation in report["violations"]
        if violation["ruleName"] == rule.slug
        and any(construct["constructPath"].split("/")[0] == stage for construct in violation["violatingConstructs"])
    ]
    assert example.finding in "\n".join(violation["description"] for violation in found)
    assert {violation["severity"] for violation in found} == {"error" if example.severity == "error" else "warning"}
    assert report["failed"]
    assert "everything-was-judged" not in {violation["ruleName"] for violation in report["violations"]}
