"""The incident and its cure, on a local AWS of its own."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from local_aws import emulator, locks
from local_aws.places import PROJECT, Places

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.e2e

INVALID = "The security token included in the request is invalid."


def test_the_seed_fails_on_every_attempt_and_the_factory_succeeds(
    own_directory: Path,
    command: Callable[..., subprocess.CompletedProcess[str]],
    living: Callable[[int], list[str]],
) -> None:
    """The seed's clients fail three times each while STS succeeds; the factory's succeed; IAM refuses the rest.

    It runs on a second local AWS, and stopping that one ends its functions too.
    """
    result = command("incident", directory=own_directory)
    assert result.returncode == 0, result.stdout + result.stderr
    seed, role_only = result.stdout.split("B. On the role-only factory")
    for attempt in (1, 2, 3):
        assert f"attempt {attempt}  UnrecognizedClientException: {INVALID}" in seed
        assert f"attempt {attempt}  InvalidClientTokenId: {INVALID}" in seed
    assert "session token absent" in seed
    assert re.search(r"STS +GetCallerIdentity +attempt 1 +ok", seed)
    assert not re.search(r"(PutItem|SendMessage) +(attempt \d +)?ok\b", seed)

    assert "session token present" in role_only
    assert re.search(r"DynamoDB +PutItem +ok", role_only)
    assert re.search(r"SQS +SendMessage +ok", role_only)
    denied = re.search(r"SQS +PurgeQueue +AccessDenied: (.*)", role_only)
    assert denied is not None
    assert "assumed-role/rolebound-incident-role-only/" in denied[1]

    assert no_secret(result.stdout + result.stderr)

    places = Places(project=PROJECT, directory=own_directory)
    record = emulator.read_record(places)
    assert record is not None
    assert len(living(record.pid)) > 1
    assert command("down", directory=own_directory).returncode == 0
    assert not locks.is_locked(places.emulator_lock)
    deadline = time.monotonic() + 10
    while living(record.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert living(record.pid) == []


def no_secret(text: str) -> bool:
    """Whether a text holds neither a key id nor anything as long as a secret or a token."""
    return not re.search(r"(AKIA|ASIA)[A-Z0-9]{16}|\b[0-9a-f]{64}\b", text)
