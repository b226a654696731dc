"""Whoever asks for help is answered at once."""

from __future__ import annotations

import resource
import subprocess
import sys

from stacks.dependency_layer import ROOT

SECONDS = 0.25


def test_help_of_everything_takes_a_quarter_of_a_second_at_most() -> None:
    """The whole process, from start to end; its own time, which a busy machine does not make longer than it is."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "operator_cli", "--help"], cwd=ROOT, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) <= SECONDS
