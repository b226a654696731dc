"""Moments and spans in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from operator_cli.moments import in_words, when

NOW = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(seconds=120), "2 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=3, minutes=5), "3 h 5 min"),
        (timedelta(hours=23, minutes=59), "23 h 59 min"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=1, hours=6, minutes=59), "1 day 6 h"),
        (timedelta(days=2, hours=1), "2 days 1 h"),
        (timedelta(days=90), "90 days"),
        (timedelta(hours=632018), "72 years"),
        (timedelta.max, "2739726 years"),
    ],
)
def test_a_span_is_said_as_people_do(span: timedelta, words: str) -> None:
    """Seconds where they matter, hours where they do not; in days and years what is longer."""
    assert in_words(span) == words


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 11, 25, 23, 59, tzinfo=UTC), "23:59 UTC"),
        (datetime(2026, 11, 26, 0, 14, tzinfo=UTC), "2026-11-26 00:14 UTC"),
        (datetime(2025, 11, 25, 20, 0, tzinfo=UTC), "2025-11-25 20:00 UTC"),
        (datetime(2026, 11, 26, 1, 30, tzinfo=timezone(timedelta(hours=2))), "23:30 UTC"),
    ],
)
def test_a_moment_has_its_date_where_that_is_not_todays(moment: datetime, words: str) -> None:
    """In UTC, whatever zone its source wrote it in."""
    assert when(moment, NOW) == words
