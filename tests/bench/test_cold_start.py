"""What the cold-start benchmark concludes from measured times."""

from __future__ import annotations

import json

import pytest

from bench.__main__ import with_tables
from bench.cold_start import (
    BASELINE,
    FEWEST_ROUNDS,
    MOST_ALLOWED,
    OURS,
    Bytecode,
    Clock,
    Contender,
    Measurement,
    Stage,
    Start,
    document,
    ratio,
    spread,
    summary,
    tables,
    verdict,
)


def measured(
    *, absent: float = 0.5, present: float = 0.5, imported: float = 0.1, processor: float = 0.5
) -> Measurement:
    """A run in which our cold start took these parts of the baseline's one second."""

    def starts(seconds: float, processor: float) -> list[Start]:
        reached = {
            clock: {Stage.IMPORTED: imported, Stage.HEALTH_ANSWERED: value, Stage.EVENT_ACCEPTED: value * 2}
            for clock, value in ((Clock.ELAPSED, seconds), (Clock.PROCESSOR, processor))
        }
        return [Start(0.02, reached)] * FEWEST_ROUNDS

    return Measurement(
        python="3.11.7",
        contenders={
            BASELINE: Contender("The baseline", {"boto3": "1.0"}, 20_000_000),
            OURS: Contender("Ours", {"botocore": "1.0"}, 10_000_000),
        },
        starts={
            Bytecode.ABSENT: {BASELINE: starts(1, 1), OURS: starts(absent, processor)},
            Bytecode.PRESENT: {BASELINE: starts(1, 1), OURS: starts(present, processor)},
        },
    )


def test_a_spread_is_told_in_milliseconds_by_median_ends_and_quartiles() -> None:
    """Requirement: median, min, max and IQR are reported."""
    found = spread([0.5, 0.1, 0.2, 0.4, 0.3])
    assert (found.median, found.fastest, found.slowest) == pytest.approx((300, 100, 500))
    assert found.quartile_range == pytest.approx(200)


def test_a_single_slow_process_does_not_move_the_median() -> None:
    """The machine does other things as well: an outlier is seen in the maximum only."""
    assert spread([0.1] * 14 + [9.0]).median == pytest.approx(100)


def test_a_round_that_is_slow_for_all_does_not_change_the_ratio() -> None:
    """Contenders are compared within a round, because the machine's speed drifts from round to round."""
    assert ratio([0.5, 2.5, 0.5], [1.0, 5.0, 1.0]) == pytest.approx(0.5)


def test_values_of_different_rounds_are_not_compared() -> None:
    """A contender that lacks a round makes the comparison wrong, not merely smaller."""
    with pytest.raises(ValueError, match="longer"):
        ratio([0.5], [1.0, 1.0])


def test_a_cold_start_at_the_limit_is_short_enough() -> None:
    """Requirement: at most 0.65 of the baseline."""
    assert pytest.approx(0.65) == MOST_ALLOWED
    assert verdict(measured(absent=0.65, present=0.65, processor=0.65)) is None


@pytest.mark.parametrize(
    ("run", "named", "unnamed"),
    [
        (measured(absent=0.66), "is 0.660 without bytecode (elapsed time); at", "with bytecode"),
        (measured(present=0.66), "is 0.660 with bytecode (elapsed time); at", "without bytecode"),
        (measured(processor=0.7), "0.700 without bytecode (processor time), 0.700 with bytecode (processor", "elapsed"),
    ],
)
def test_a_cold_start_above_the_limit_is_refused_by_name(run: Measurement, named: str, unnamed: str) -> None:
    """By both clocks, with bytecode and without: the text says which was missed, why it matters and what to do."""
    fault = verdict(run)
    assert fault is not None
    assert named in fault
    assert unnamed not in fault
    assert "at most 0.65" in fault
    assert "Why it matters:" in fault
    assert "What to do:" in fault


def test_a_short_import_does_not_excuse_a_late_answer() -> None:
    """The cold start ends with an answer: a module that puts its work off gains nothing."""
    assert verdict(measured(absent=0.9, imported=0.01)) is not None


def test_the_tables_and_the_summary_show_both_ways_to_deploy() -> None:
    """A reader sees the figures that decide, with bytecode and without."""
    without, present = tables(measured(absent=0.5, present=0.4)).split("\n\n")
    assert without.startswith("| Without bytecode")
    assert present.startswith("| With bytecode")
    ours = [[cell.strip() for cell in table.splitlines()[-1].strip("|").split("|")] for table in (without, present)]
    assert ours == [
        ["Ours", "500", "500", "500", "0", "0.50", "500", "0.50", "1000", "0.50", "10.0"],
        ["Ours", "400", "400", "400", "0", "0.40", "500", "0.50", "800", "0.40", "10.0"],
    ]
    assert "0.500 without bytecode (elapsed time)" in summary(measured(absent=0.5, present=0.4))
    assert "0.400 with bytecode (elapsed time)" in summary(measured(absent=0.5, present=0.4))


def test_the_document_holds_versions_rounds_and_figures_and_nothing_of_the_machine() -> None:
    """Results are compared across machines: what names one has no place in them."""
    found = document(measured(absent=0.5))
    assert found["rounds"] == FEWEST_ROUNDS
    assert found["python"] == "3.11.7"
    ours = found["contenders"][OURS]
    assert ours["versions"] == {"botocore": "1.0"}
    assert ours["without-bytecode"]["health-answered"]["elapsed"] == {
        "median": 500.0,
        "min": 500.0,
        "max": 500.0,
        "iqr": 0.0,
        "ratio": 0.5,
    }
    assert "/" not in json.dumps(found)


def test_new_tables_take_the_place_of_the_old_ones_only() -> None:
    """The page's own words stay, however often the benchmark is run."""
    page = "before\n<!-- cold start: written by `make bench` -->\nyesterday\n<!-- cold start: end -->\nafter\n"
    once = with_tables(page, "new")
    assert "yesterday" not in once
    assert once.startswith("before\n")
    assert once.endswith("<!-- cold start: end -->\nafter\n")
    assert with_tables(once, "new") == once
