"""A function's surroundings, without AWS: no variable of the developer's shell, and a server on loopback instead."""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.lambda_src.made_up import KEY_ID, REGION, SECRET, TOKEN
from tests.lambda_src.recording_server import RecordingServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

_LEAKY_PREFIXES = ("AWS_", "POWERTOOLS_", "ROLEBOUND_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def scrubbed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove what the developer's shell could change about a test, and give an empty home."""
    for name in os.environ:
        if name.startswith(_LEAKY_PREFIXES) or name.lower() in _PROXIES:
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what Lambda sets: the region and the role's three variables."""
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """Give a server that nothing points at yet."""
    with RecordingServer() as running:
        yield running


@pytest.fixture
def aws(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> RecordingServer:
    """Give a server that every AWS client calls."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    return server


@pytest.fixture
def deployed(runtime: None, aws: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> RecordingServer:  # noqa: ARG001
    """Set what the stacks set for the functions, and give the AWS that they call."""
    for name, value in {
        "ROLEBOUND_ENVIRONMENT": "test",
        "POWERTOOLS_SERVICE_NAME": "under-test",
        "EVENTS_TABLE": "events",
        "API_KEYS_TABLE": "api-keys",
        "EVENT_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/events",
        "PAYLOAD_BUCKET": "payloads",
        "RETENTION_DAYS": "30",
    }.items():
        monkeypatch.setenv(name, value)
    return aws


@pytest.fixture
def start() -> Callable[[str], ModuleType]:
    """Give what starts a function: runs its module's top level anew, as a new execution environment does."""

    def started(module: str) -> ModuleType:
        spec = importlib.util.find_spec(f"event_api.{module}")
        assert spec is not None
        assert spec.loader is not None
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        return made

    return started


@dataclass(frozen=True, slots=True)
class Context:
    """Lambda's context, as far as the functions use it.

    Attributes:
        remaining: Milliseconds left at each successive question; the last for ever.
    """

    remaining: tuple[int, ...] = (60_000,)
    aws_request_id: str = "invocation-1"
    log_group_name: str = "/aws/lambda/under-test"
    asked: list[int] | None = None

    def get_remaining_time_in_millis(self) -> int:
        """Tell how much time is left."""
        if self.asked is None:
            return self.remaining[0]
        self.asked.append(1)
        return self.remaining[min(len(self.asked), len(self.remaining)) - 1]


@dataclass(frozen=True, slots=True)
class Output:
    """What the functions wrote so far.

    Attributes:
        logs: Lines of the log.
        metrics: Metrics in the embedded format.
        text: All of it, to look for what must not be there.
    """

    logs: list[dict[str, Any]]
    metrics: list[dict[str, Any]]
    text: str


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], Output]]:
    """Give what reads the log and the metrics."""
    from event_api.telemetry import logger  # noqa: PLC0415 - its stream is this test's

    stream = io.StringIO()
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(stream)
    written = ""

    def read() -> Output:
        nonlocal written
        printed, complaints = capsys.readouterr()
        written += printed
        return Output(
            logs=[json.loads(line) for line in stream.getvalue().splitlines()],
            metrics=[entry for entry in map(json.loads, written.splitlines()) if entry is not None],
            text=stream.getvalue() + written + complaints,
        )

    yield read
    handler.setStream(before if before is not None else sys.stdout)


_watching: list[list[str]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in {"open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen"}:
        _watching[-1].append(f"{event} {arguments[0] if event != 'socket.connect' else arguments[1]}")


sys.addaudithook(_note)


class Deeds:
    """While entered, notes every file that this process opens and every connection it tries."""

    def __enter__(self) -> list[str]:
        noted: list[str] = []
        _watching.append(noted)
        return noted

    def __exit__(self, *_: object) -> None:
        _watching.pop()


@pytest.fixture
def deeds() -> Deeds:
    """Give what notes the files opened and the connections tried."""
    return Deeds()
