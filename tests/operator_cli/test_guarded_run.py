"""A guarded run that is interrupted before the tool runs, with the real CDK command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import pytest

from stacks.dependency_layer import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.operator_cli.conftest import PlantedMachine

APP: Final = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path("pids.part").write_text(f"{os.getpid()} {child.pid}")
pathlib.Path("pids.part").rename("pids")
time.sleep(600)
"""
"""An app whose synthesis takes longer than anybody waits, with a process of its own."""


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not collected does not."""
    listed = subprocess.run(["/bin/ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()[:1] not in {"", "Z"}


@pytest.mark.parametrize(
    ("number", "send"),
    [(signal.SIGINT, os.killpg), (signal.SIGTERM, os.kill)],
    ids=["Ctrl-C", "kill"],
)
def test_an_interrupted_synthesis_ends_quietly_and_leaves_nothing(
    planted: PlantedMachine, tmp_path: Path, number: signal.Signals, send: Callable[[int, int], None]
) -> None:
    """A terminal interrupts everything that it sees; `kill` the command line alone. Either way the app's trace helps nobody."""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "cdk.json").write_text(json.dumps({"app": f"'{sys.executable}' app.py"}))
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    process = subprocess.Popen(
        [sys.executable, "-m", "operator_cli", "deploy", "--profile", "session"],
        cwd=tmp_path,
        env={**planted.environ, "PYTHONPATH": str(ROOT), "CDK_HOME": str(tmp_path / "cdk-home")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    started: list[int] = []
    try:
        pids = tmp_path / "pids"
        deadline = time.monotonic() + 120
        while not pids.exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        started = [int(pid) for pid in pids.read_text().split()]
        assert all(lives(pid) for pid in started)
        send(process.pid, number)
        out, err = process.communicate(timeout=60)
        left = [pid for pid in started if lives(pid)]
    finally:
        for pid in (pid for pid in (process.pid, *started) if lives(pid)):
            os.kill(pid, signal.SIGKILL)
        process.communicate()
    assert (process.returncode, out, left) == (128 + number, "", [])
    assert err == ("Interrupted.\n" if number == signal.SIGINT else "")
