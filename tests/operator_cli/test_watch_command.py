"""`watch` refuses before it starts anything, and says what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local_aws.places import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose CDK notes that it was run, and with which arguments."""
    folder = tmp_path / "project"
    program = folder / "bin" / "cdk"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho "$@" >> {folder}/ran\n')
    program.chmod(0o700)
    return folder


def watch(project: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a project, as a person without credentials."""
    own = {
        "PATH": f"{project / 'bin'}:/usr/bin:/bin",
        "HOME": str(project),
        "PYTHONPATH": str(PROJECT),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return subprocess.run(
        [sys.executable, "-m", "operator_cli", "watch", *arguments],
        cwd=project,
        env={**own, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_credentials_nothing_is_started(project: Path) -> None:
    """Where `cdk watch` would print nothing and never end, this ends with status 3 and says how to sign in."""
    done = watch(project, "--all")
    assert done.returncode == 3
    assert "aws login" in done.stderr
    assert not (project / "ran").exists()


def test_the_answer_as_json_has_standard_output_for_itself(project: Path) -> None:
    """A refusal, too, is one document."""
    done = watch(project, "--json", "--all")
    said = json.loads(done.stdout)
    assert (done.returncode, said["exit_status"], said["told"]) == (3, 3, [])
    assert said["check"]["refused"] == ["credentials"]


def test_exported_keys_that_have_ended_are_status_four(project: Path) -> None:
    """They say so themselves: AWS need not be asked."""
    ended = {
        "AWS_ACCESS_KEY_ID": "ASIA" + "PLANTEDPLANTED02",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_SESSION_TOKEN": "made-up",
        "AWS_CREDENTIAL_EXPIRATION": "2026-01-01T00:00:00Z",
    }
    done = watch(project, "--all", environ=ended)
    assert done.returncode == 4
    assert "expired at 2026-01-01" in done.stderr
    assert not (project / "ran").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--", "--all", "--profile", "dev"], "--profile is among the arguments of `cdk watch`."),
        (["--check-every", "0"], "'0' is no number of seconds"),
        (["--check-every", "soon"], "'soon' is no number of seconds"),
    ],
)
def test_wrong_usage_is_status_two(project: Path, arguments: list[str], words: str) -> None:
    """Before anybody is asked for credentials."""
    done = watch(project, *arguments)
    assert done.returncode == 2
    assert words in done.stderr + done.stdout
    assert not (project / "ran").exists()


def test_a_project_without_the_cdk_is_told_how_to_get_it(project: Path) -> None:
    """It is what deploys."""
    (project / "bin" / "cdk").unlink()
    done = watch(project, "--all")
    assert done.returncode == 2
    assert "There is no CDK command line" in done.stderr
