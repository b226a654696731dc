"""What the rules' benchmark says of its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench import rules_speed
from bench.rules_speed import Run
from credential_rules.engine import Target, judge
from credential_rules.reader import read_template
from credential_rules.registry import all_rules

if TYPE_CHECKING:
    from pathlib import Path


def figures(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - figures of several kinds
    """Figures that are all within what is allowed, but for those given."""
    run = {"wall": 1.0, "processor": 0.9, "megabytes": 60.0}
    return {
        "resources": 10000,
        "json": run,
        "yaml": run,
        "growth": {"json": 2.0, "yaml": 2.0},
        "others": {"cfn-lint": {"wall": 90.0, "processor": 90.0, "megabytes": 200.0}},
        "synth": {"wall": 6.0, "pack": 0.3, "added": 0.05},
        **changed,
    }


def test_figures_within_what_is_allowed_have_no_fault() -> None:
    """The verdict is silent where nothing is wrong."""
    assert rules_speed.faults(figures()) == []


def test_each_limit_is_held() -> None:
    """Time, growth, memory and the pack's share are each refused above their limit, by name."""
    slow = {"wall": 2.5, "processor": 2.0, "megabytes": 60.0}
    assert "2.50 s" in rules_speed.faults(figures(json=slow))[0]
    large = {"wall": 1.0, "processor": 0.9, "megabytes": 301.0}
    assert "301 MB" in rules_speed.faults(figures(yaml=large))[0]
    assert "2.30 times" in rules_speed.faults(figures(growth={"json": 2.3, "yaml": 2.0}))[0]
    assert "11%" in rules_speed.faults(figures(synth={"wall": 6.0, "pack": 0.6, "added": 0.11}))[0]


def test_middle_takes_each_figure_for_itself() -> None:
    """One slow run does not decide what is said of memory."""
    runs = [Run(1.0, 9.0, 50.0), Run(3.0, 1.0, 70.0), Run(2.0, 5.0, 60.0)]
    assert rules_speed.middle(runs) == Run(2.0, 5.0, 60.0)


def test_table_compares_with_the_others() -> None:
    """The ratio is of processor time on the same files."""
    assert "100.0 |" in rules_speed.table(figures())


def test_templates_are_as_large_as_said_and_have_nothing_to_find(tmp_path: Path) -> None:
    """Findings would be measured too, and good templates are what people check most of the time."""
    paths = rules_speed.write(tmp_path / "input", resources=20, suffix="yaml")
    assert len(paths) == rules_speed.TEMPLATES
    target = Target()
    target.templates.append(read_template(tmp_path / "input" / "stack00.yaml"))
    assert len(target.templates[0].resources) == 20
    report = judge(target, all_rules())
    assert [found.message for found in report.findings] == []
    assert report.errors == {}
