"""What a cold start is, how it is summed up, and whether ours is short enough. Functions of values only."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BASELINE: Final = "powertools-resolver"
"""The contender that ratios refer to: what Powertools' documentation would have a user write."""

OURS: Final = "rolebound"

MOST_ALLOWED: Final = 0.65
"""Our cold start as a part of the baseline's: more than this fails the benchmark."""

FEWEST_ROUNDS: Final = 15
"""Fewer say too little about a machine that does other things as well."""


class Bytecode(StrEnum):
    """Whether the deployed modules come with ``.pyc`` files. The standard library's always do."""

    ABSENT = "without-bytecode"
    """As deployed: layers and packages ship sources only, and Lambda mounts them read-only."""
    PRESENT = "with-bytecode"


class Stage(StrEnum):
    """How far a process has come since its interpreter was up."""

    IMPORTED = "imported"
    """The handler's module is imported; clients exist where the module makes them."""
    HEALTH_ANSWERED = "health-answered"
    """GET /v1/health is answered: the cold start."""
    EVENT_ACCEPTED = "event-accepted"
    """POST /v1/events is answered too: both clients exist and each has made a call."""


class Clock(StrEnum):
    """What a time is measured with."""

    ELAPSED = "elapsed"
    """What a client waits for, with the waits for a processor that other work on the machine holds."""
    PROCESSOR = "processor"
    """The process's own computing: nearly all that a cold start is, and steadier."""


COLD_START: Final = Stage.HEALTH_ANSWERED


@dataclass(frozen=True, slots=True)
class Start:
    """One process.

    Attributes:
        interpreter: Seconds from its creation until the interpreter was up; in no other number.
        reached: Seconds from there to each stage, by each clock.
    """

    interpreter: float
    reached: Mapping[Clock, Mapping[Stage, float]]


@dataclass(frozen=True, slots=True)
class Spread:
    """How measured values lie, in milliseconds."""

    median: float
    fastest: float
    slowest: float
    quartile_range: float


def spread(seconds: Sequence[float]) -> Spread:
    """Sum up at least two values."""
    milliseconds = [second * 1000 for second in seconds]
    first, median, third = statistics.quantiles(milliseconds, n=4, method="inclusive")
    return Spread(median, min(milliseconds), max(milliseconds), third - first)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios within each round: what slows a whole round down does not change it.

    Args:
        ours: One value per round.
        theirs: As many, of the same rounds.
    """
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


@dataclass(frozen=True, slots=True)
class Contender:
    """What is known of a contender before anything is measured.

    Attributes:
        title: What it is made of, for the reader of a table.
        versions: Its third-party packages.
        unzipped_bytes: Of its handler and those packages, without bytecode.
    """

    title: str
    versions: Mapping[str, str]
    unzipped_bytes: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """A whole run.

    Attributes:
        python: The version of Python that ran the contenders.
        contenders: By slug; ``BASELINE`` and ``OURS`` among them.
        starts: One ``Start`` per round, by bytecode and slug, in the order of the rounds.
    """

    python: str
    contenders: Mapping[str, Contender]
    starts: Mapping[Bytecode, Mapping[str, Sequence[Start]]]

    @property
    def rounds(self) -> int:
        """How many rounds were run."""
        return len(self.starts[Bytecode.ABSENT][BASELINE])

    def seconds(self, bytecode: Bytecode, slug: str, stage: Stage, clock: Clock) -> list[float]:
        """A contender's times to a stage, one per round."""
        return [start.reached[clock][stage] for start in self.starts[bytecode][slug]]

    def ratio(self, bytecode: Bytecode, slug: str, stage: Stage, clock: Clock) -> float:
        """A contender's time to a stage as a part of the baseline's."""
        return ratio(self.seconds(bytecode, slug, stage, clock), self.seconds(bytecode, BASELINE, stage, clock))

    @property
    def judged(self) -> dict[tuple[Bytecode, Clock], float]:
        """The ratios of our cold start that must not be above ``MOST_ALLOWED``."""
        return {
            (bytecode, clock): self.ratio(bytecode, OURS, COLD_START, clock) for bytecode in Bytecode for clock in Clock
        }


def verdict(measurement: Measurement) -> str | None:
    """Say what is wrong with our cold start.

    Returns:
        What is wrong, why it matters and what to do; ``None`` where the cold start is short enough by both clocks, with
        bytecode and without.
    """
    too_long = {kind: found for kind, found in measurement.judged.items() if found > MOST_ALLOWED}
    if not too_long:
        return None
    return (
        f"The API function's cold start, as a part of that of {measurement.contenders[BASELINE].title}, is "
        f"{_told(too_long)}; at most {MOST_ALLOWED} is allowed.\n"
        "  Why it matters: each new execution environment makes one client wait that long, and a short wait is what the "
        "function's own routing and validation are for.\n"
        "  What to do:     run `make bench` again on a quiet machine. If it stays, find the import that came in: "
        "`../.venv/bin/python -X importtime -c 'import event_api.inbox'` in lambda_src, with today's code and with that of the last "
        "commit that changed bench/results."
    )


def summary(measurement: Measurement) -> str:
    """Say in one sentence how our cold start compares."""
    return (
        f"Our cold start, as a part of that of {measurement.contenders[BASELINE].title}, is "
        f"{_told(measurement.judged)}; at most {MOST_ALLOWED} is allowed."
    )


def tables(measurement: Measurement) -> str:
    """Write the result as Markdown tables, one without bytecode and one with it, aligned for a terminal."""
    return "\n\n".join(_table(measurement, bytecode) for bytecode in Bytecode)


def document(measurement: Measurement) -> dict[str, Any]:
    """Give the result as JSON values. Nothing in it names the machine."""
    return {
        "benchmark": "cold_start",
        "python": measurement.python,
        "rounds": measurement.rounds,
        "unit": "ms",
        "baseline": BASELINE,
        "most_allowed": MOST_ALLOWED,
        "contenders": {
            slug: {
                "title": contender.title,
                "versions": dict(contender.versions),
                "unzipped_bytes": contender.unzipped_bytes,
                **{
                    str(bytecode): {str(stage): _figures(measurement, bytecode, slug, stage) for stage in Stage}
                    | {
                        "interpreter_median": round(
                            spread([start.interpreter for start in measurement.starts[bytecode][slug]]).median, 1
                        )
                    }
                    for bytecode in Bytecode
                },
            }
            for slug, contender in measurement.contenders.items()
        },
    }


def _figures(measurement: Measurement, bytecode: Bytecode, slug: str, stage: Stage) -> dict[str, dict[str, float]]:
    figures = {}
    for clock in Clock:
        found = spread(measurement.seconds(bytecode, slug, stage, clock))
        figures[clock.value] = {
            "median": round(found.median, 1),
            "min": round(found.fastest, 1),
            "max": round(found.slowest, 1),
            "iqr": round(found.quartile_range, 1),
            "ratio": round(measurement.ratio(bytecode, slug, stage, clock), 3),
        }
    return figures


def _words(bytecode: Bytecode) -> str:
    return bytecode.value.replace("-", " ")


def _told(ratios: Mapping[tuple[Bytecode, Clock], float]) -> str:
    return ", ".join(f"{found:.3f} {_words(bytecode)} ({clock} time)" for (bytecode, clock), found in ratios.items())


_COLUMNS: Final = ("cold start", "min", "max", "IQR", "ratio", "processor", "ratio", "first event", "ratio", "MB")


def _table(measurement: Measurement, bytecode: Bytecode) -> str:
    rows = [(_words(bytecode).capitalize(), *_COLUMNS)]
    for slug, contender in measurement.contenders.items():
        start = spread(measurement.seconds(bytecode, slug, COLD_START, Clock.ELAPSED))
        processor = spread(measurement.seconds(bytecode, slug, COLD_START, Clock.PROCESSOR))
        event = spread(measurement.seconds(bytecode, slug, Stage.EVENT_ACCEPTED, Clock.ELAPSED))
        rows.append(
            (
                contender.title,
                f"{start.median:.0f}",
                f"{start.fastest:.0f}",
                f"{start.slowest:.0f}",
                f"{start.quartile_range:.0f}",
                f"{measurement.ratio(bytecode, slug, COLD_START, Clock.ELAPSED):.2f}",
                f"{processor.median:.0f}",
                f"{measurement.ratio(bytecode, slug, COLD_START, Clock.PROCESSOR):.2f}",
                f"{event.median:.0f}",
                f"{measurement.ratio(bytecode, slug, Stage.EVENT_ACCEPTED, Clock.ELAPSED):.2f}",
                f"{contender.unzipped_bytes / 1e6:.1f}",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = ("-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:]))
    head, *body = rows
    return "\n".join(
        "| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) + " |"
        for row in (head, rule, *body)
    )
