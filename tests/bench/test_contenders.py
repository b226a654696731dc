"""The comparison is fair, and our side of it keeps out what the others pay for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bench.packages import PACKAGES, ROOT

if TYPE_CHECKING:
    from pathlib import Path

REQUIREMENTS = [package.requirements for package in PACKAGES if package.requirements]
OURS = ROOT / "lambda_src" / "requirements.txt"


def pins(path: Path) -> dict[str, str]:
    """Names and exact versions; a line without one is an error."""
    lines = [
        line.rstrip(" \\") for line in path.read_text(encoding="utf-8").splitlines() if re.match(r"[a-zA-Z]", line)
    ]
    return dict(line.replace("_", "-").split("==") for line in lines)


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.stem)
def test_contenders_share_our_versions_of_what_we_share(path: Path) -> None:
    """A difference between SDK releases must not pass for a difference between styles."""
    ours = pins(OURS)
    theirs = pins(path)
    assert "botocore" in theirs
    assert {name: version for name, version in theirs.items() if name in ours} == {
        name: version for name, version in ours.items() if name in theirs
    }


def test_every_contender_has_a_handler_and_pinned_requirements() -> None:
    """What is compared is in the repository, so that a reader can judge it."""
    assert all(package.code.exists() for package in PACKAGES)
    assert all(path.exists() for path in REQUIREMENTS)


_START_UP = """
import gc, json, sys
import event_api.api
told = {"imported": sorted(sys.modules), "collections": sum(generation["collections"] for generation in gc.get_stats())}
print("\\n" + json.dumps(told))
"""


@pytest.fixture(scope="module")
def start_up() -> dict[str, Any]:
    """What happens in a fresh process that imports the API function."""
    done = subprocess.run(
        [sys.executable, "-c", _START_UP],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "lambda_src"),
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "ASIAMADEUPFORBENCH00",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_SESSION_TOKEN": "made-up",
            "EVENTS_TABLE": "events",
            "EVENT_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/events",
            "PAYLOAD_BUCKET": "payloads",
            "RETENTION_DAYS": "30",
            "ROLE_CHECK": "on",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_the_api_function_imports_neither_framework_nor_boto3(start_up: dict[str, Any]) -> None:
    """Its cold start rests on that: one import anywhere in its closure would bring the baseline's cost back."""
    imported = set(start_up["imported"])
    assert "event_api.role_clients" in imported
    assert not {name for name in imported if name.partition(".")[0] in {"boto3", "pydantic", "fastapi", "requests"}}
    assert not {name for name in imported if name.startswith("aws_lambda_powertools.event_handler")}


def test_the_collector_does_not_search_what_start_up_has_just_made(start_up: dict[str, Any]) -> None:
    """At Python's usual threshold it does so some 130 times, and finds next to nothing."""
    assert start_up["collections"] < 30
