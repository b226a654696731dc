"""Moments and spans of time in words, as people say them: a clock time today, a date on any other day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_FEW_SECONDS: Final = timedelta(minutes=2)
_FEW_DAYS: Final = timedelta(days=3)
_MANY_DAYS: Final = timedelta(days=2 * 365)


def in_words(span: timedelta) -> str:
    """Give a span as people do, no finer than matters: `40 s`, `12 min`, `3 h 20 min`, `1 day 6 h`, `90 days`, `72 years`."""
    span = max(span, timedelta())
    if span < _FEW_SECONDS:
        return f"{int(span.total_seconds())} s"
    minutes = int(span.total_seconds()) // 60
    if span < timedelta(days=1):
        return _counted((minutes // 60, "h"), (minutes % 60, "min"))
    if span < _FEW_DAYS:
        return _counted((span.days, "day" if span.days == 1 else "days"), (minutes // 60 % 24, "h"))
    return f"{span.days} days" if span < _MANY_DAYS else f"{span.days // 365} years"


def when(moment: datetime, now: datetime) -> str:
    """Give a moment in UTC: `20:14 UTC`, with its date if that is not today's."""
    moment = moment.astimezone(UTC)
    is_today = moment.date() == now.astimezone(UTC).date()
    return f"{moment:%H:%M} UTC" if is_today else f"{moment:%Y-%m-%d %H:%M} UTC"


def _counted(*parts: tuple[int, str]) -> str:
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
