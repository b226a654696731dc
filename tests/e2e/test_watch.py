"""`cdk watch` on local AWS: a saved handler answers within seconds, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local_aws.places import DIRECTORY_VARIABLE, PROJECT, Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_aws.journey import Client

pytestmark = pytest.mark.e2e

FIRST_DEPLOYMENT_WITHIN_SECONDS = 90
HOT_SWAP_WITHIN_SECONDS = 60
HANDLER = Path("lambda_src/event_api/api.py")
BEFORE = '{"status": "ok"}'
AFTER = '{"status": "ok", "saved": "just now"}'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, whose files may be changed; what is installed is shared."""
    copy = tmp_path / "project"
    installed = (".venv", ".build", "node_modules")
    shutil.copytree(
        PROJECT,
        copy,
        ignore=shutil.ignore_patterns(*installed, ".local", ".git", "cdk.out", "__pycache__", ".*_cache", "tests"),
    )
    for name in installed:
        (copy / name).symlink_to(PROJECT / name)
    return copy


@pytest.fixture
def watching(project: Path, places: Places) -> Iterator[subprocess.Popen[str]]:
    """`cdk watch` of the copy on the session's local AWS, in a process group of its own."""
    log = (project / "watch.log").open("w")
    with (
        log,
        subprocess.Popen(
            [sys.executable, "-m", "local_aws", "watch"],
            cwd=project,
            env={**os.environ, DIRECTORY_VARIABLE: str(places.directory)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_a_changed_handler_is_swapped_in_place(
    project: Path, watching: subprocess.Popen[str], client: Client, living: Callable[[int], list[str]]
) -> None:
    """A saved change answers over HTTPS without a deployment by hand, also the change back."""
    log = project / "watch.log"
    wait_for(lambda: re.search(r"Deployment time|no changes", log.read_text()), FIRST_DEPLOYMENT_WITHIN_SECONDS, log)
    handler = project / HANDLER
    original = handler.read_text()
    assert original.count(BEFORE) == 1
    # `cdk watch` observes from a moment after its first deployment on: a change before that is not seen.
    time.sleep(2)
    try:
        handler.write_text(original.replace(BEFORE, AFTER))
        wait_for(lambda: "saved" in client.request("GET", "/v1/health").body, HOT_SWAP_WITHIN_SECONDS, log)
        assert "hotswap" in log.read_text().lower()
    finally:
        handler.write_text(original)
        wait_for(lambda: "saved" not in client.request("GET", "/v1/health").body, HOT_SWAP_WITHIN_SECONDS, log)

    os.killpg(watching.pid, signal.SIGINT)
    watching.wait(timeout=30)
    wait_for(lambda: not living(watching.pid), 10, log)


def wait_for(condition: object, seconds: float, log: Path) -> None:
    """Wait until the condition holds; fail with the end of the log if it does not."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s; the log ends:\n{log.read_text()[-3000:]}"
        time.sleep(0.5)
