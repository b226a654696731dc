"""``python -m bench``: measures, prints, writes ``bench/results`` and the tables of ``docs/benchmarks.md``."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Final

from bench.cold_start import FEWEST_ROUNDS, document, summary, tables, verdict
from bench.packages import PACKAGES, ROOT, NotInstalled, install
from bench.rounds import ContenderFailed, measure
from stacks.dependency_layer import LayerMissing

RESULT: Final = ROOT / "bench" / "results" / "cold_start.json"
PAGE: Final = ROOT / "docs" / "benchmarks.md"
_BEGIN: Final = "<!-- cold start: written by `make bench` -->\n"
_END: Final = "<!-- cold start: end -->\n"


def with_tables(page: str, text: str) -> str:
    """Put tables in the place that a page has for them."""
    head, _, rest = page.partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    return f"{head}{_BEGIN}\n{text}\n\n{_END}{tail}"


def cold_start(rounds: int) -> int:
    """Measure the cold start and hold it against what is allowed.

    Returns:
        The exit status: 0 where it is short enough, else 1.
    """
    try:
        measurement = measure({package.slug: install(package) for package in PACKAGES}, rounds)
    except (LayerMissing, NotInstalled, ContenderFailed) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    text = tables(measurement)
    print(f"\n{text}\n\nTimes in milliseconds, the interpreter's own start subtracted; ratios to the first row.")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(document(measurement), indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
    print(summary(measurement))
    print(f"Written: {RESULT.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}")
    fault = verdict(measurement)
    if fault:
        print(f"\n{fault}", file=sys.stderr)
        return 1
    return 0


def main() -> int:
    """Read the arguments and run the benchmarks; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="What it costs, beside what you would use instead."
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=FEWEST_ROUNDS,
        help=f"how many to count, {FEWEST_ROUNDS} or more (default: %(default)s)",
    )
    options = parser.parse_args()
    if options.rounds < FEWEST_ROUNDS:
        parser.error(
            f"{options.rounds} rounds say too little on a machine that does other things; take {FEWEST_ROUNDS} or more"
        )
    return cold_start(options.rounds)


if __name__ == "__main__":
    sys.exit(main())
