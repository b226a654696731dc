"""A deployed local AWS for the tests that need one.

It is one of its own (`.local/test`), beside the one that `make up` started and untouched by it. To work on a test
against one that stays up: `make up`, then `ROLEBOUND_LOCAL_DIR=.local .venv/bin/python -m pytest -m e2e tests/e2e/…`.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from local_aws import emulator, environment, outputs
from local_aws.cloud import Cloud
from local_aws.journey import Client
from local_aws.places import DIRECTORY_VARIABLE, PROJECT, Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local_aws.outputs import Outputs

    Command = Callable[..., subprocess.CompletedProcess[str]]

COMMAND_WITHIN_SECONDS = 240


@pytest.fixture(scope="session")
def command() -> Command:
    """Runs `python -m local_aws …` as the Makefile does, and returns what it said."""

    def run(
        *arguments: str, directory: Path, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "local_aws", *arguments],
            cwd=PROJECT,
            env={**os.environ, DIRECTORY_VARIABLE: str(directory), **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN_SECONDS,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def places(command: Command) -> Iterator[Places]:
    """A local AWS with the application deployed, for the whole session."""
    given = os.environ.get(DIRECTORY_VARIABLE)
    made = Places.from_environment({DIRECTORY_VARIABLE: given or ".local/test"})
    result = command("up", directory=made.directory)
    if result.returncode != 0:
        pytest.exit(f"Local AWS did not come up, so no end-to-end test can run.\n{result.stdout}\n{result.stderr}", 1)
    yield made
    if not given:
        command("down", directory=made.directory)


@pytest.fixture(scope="session")
def deployed(places: Places) -> Outputs:
    """What clients know of the deployed application."""
    written = outputs.read(places.outputs)
    assert written is not None
    return written


@pytest.fixture(scope="session")
def client(deployed: Outputs) -> Client:
    """A client with the demo tenant's key."""
    return Client(deployed.api_url, deployed.ca_bundle, deployed.api_key)


@pytest.fixture(scope="module")
def cloud(places: Places, deployed: Outputs) -> Iterator[Cloud]:
    """The local AWS, called by its operator."""
    assert deployed
    record = emulator.read_record(places)
    assert record is not None
    with environment.only(environment.for_clients(places, record.port, os.environ)):
        yield Cloud()


@pytest.fixture
def own_directory(tmp_path: Path, command: Command) -> Iterator[Path]:
    """A state directory for a local AWS of the test's own, which is stopped afterwards."""
    yield tmp_path / "local"
    command("down", directory=tmp_path / "local")


@pytest.fixture(scope="session")
def living() -> Callable[[int], list[str]]:
    """Says which processes of a group live; one that only nobody has waited for yet does not."""

    def look(group: int) -> list[str]:
        rows = _from_proc() if Path("/proc/self/stat").exists() else _from_ps()
        return [row.pid for row in rows if row.group == str(group) and not row.state.startswith("Z")]

    return look


class Process(NamedTuple):
    """What the system says of a process."""

    pid: str
    group: str
    state: str


def _from_proc() -> Iterator[Process]:
    """All processes of a Linux machine, which need not have `ps`."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The second field, the command's name in parentheses, may hold anything.
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
            yield Process(stat.parent.name, group, state)


def _from_ps() -> Iterator[Process]:
    """All processes of any other machine."""
    listing = subprocess.run(
        ["/bin/ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True
    ).stdout
    yield from (Process(*line.split()) for line in listing.splitlines())
