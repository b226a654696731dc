"""Runs one long command of the Makefile: its name and its time on the screen, its output only if it fails.

Standard library only: this runs before there is a virtual environment.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGN_OF_LIFE_SECONDS = 15

CAUSES = (
    ("no space left on device", "the disk is full", "Make room (the project needs about 2 GB)"),
    ("permission denied", "a file or folder belongs to somebody else", "Look at the path that the output names"),
    ("eacces", "a file or folder belongs to somebody else", "Look at the path that the output names"),
    (
        "certificate",
        "a proxy or mirror is not trusted",
        "Set PIP_CERT and NODE_EXTRA_CA_CERTS to your company's CA bundle",
    ),
    ("407 proxy", "the proxy wants a login", "Put it into HTTPS_PROXY"),
    ("connection", "the package index cannot be reached", "Check the network, or set HTTPS_PROXY (or PIP_INDEX_URL)"),
    ("network", "the package index cannot be reached", "Check the network, or set HTTPS_PROXY (or PIP_INDEX_URL)"),
    (
        "from versions: none",
        "the package index cannot be reached, or does not have the package",
        "Check the network, or set HTTPS_PROXY (or PIP_INDEX_URL)",
    ),
    (
        "no matching distribution",
        "the package index has no such version for this Python or this machine",
        "Use Python 3.11 to 3.13 (`make PYTHON=…`), or an index that has it",
    ),
)
"""Words in a failed command's output, what they usually mean, and what to do."""


def advice(output: str) -> tuple[str, str]:
    """The likely cause of a failure and what to do about it, told from the command's output."""
    text = output.lower()
    for sign, cause, remedy in CAUSES:
        if sign in text:
            return cause, remedy
    return "see the output above", "Mend what it names"


def run(title: str, command: Sequence[str]) -> int:
    """Run the command and say how long it took; if it fails, show all that it said and what to do."""
    print(title, flush=True)
    begin = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        while True:
            try:
                status = process.wait(timeout=SIGN_OF_LIFE_SECONDS)
                break
            except subprocess.TimeoutExpired:
                print(f"      … {time.monotonic() - begin:.0f} s", flush=True)
            except KeyboardInterrupt:
                process.wait()
                return 130
        output.seek(0)
        said = output.read().decode(errors="replace").rstrip()
    if status == 0:
        print(f"      done in {time.monotonic() - begin:.0f} s", flush=True)
        return 0
    cause, remedy = advice(said)
    problem = LocalAwsError(
        f"`{' '.join(command[:4])} …` failed (exit {status}); likely cause: {cause}.",
        why="The commands need what it installs or builds.",
        next_step=f"{remedy}, then run the same make command again: it goes on from here.",
    )
    print(f"\n{said}\n\n{problem}", file=sys.stderr)
    return status


def main() -> int:
    """`python -m local_aws.step TITLE -- COMMAND…`; the exit status is the command's."""
    parser = argparse.ArgumentParser(prog="python -m local_aws.step", description=__doc__)
    parser.add_argument("title", help="what the step does, for the person who waits")
    parser.add_argument("command", nargs="+", help="the command, after --")
    parsed = parser.parse_args()
    return run(parsed.title, parsed.command)


if __name__ == "__main__":
    sys.exit(main())
