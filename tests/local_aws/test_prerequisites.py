"""What a machine must have, and how it is told what it lacks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from local_aws import prerequisites
from local_aws.prerequisites import Machine
from local_aws.step import advice

GOOD = Machine(
    python="3.11",
    has_ensurepip=True,
    has_openssl=True,
    free_bytes=100 * 1024**3,
    project=Path("/project"),
    writable=True,
)


def test_a_good_machine_lacks_nothing() -> None:
    """Python, openssl and some space are all that is needed."""
    assert prerequisites.missing(GOOD) == []


@pytest.mark.parametrize(
    ("machine", "what", "remedy"),
    [
        (replace(GOOD, has_ensurepip=False), "no `ensurepip`", "apt-get install python3.11-venv"),
        (replace(GOOD, has_openssl=False), "openssl is not installed", "apt-get install openssl"),
        (replace(GOOD, free_bytes=10**8), "0.1 GB of space", "Make room"),
        (replace(GOOD, writable=False), "/project cannot be written to", "git clone"),
    ],
)
def test_what_is_missing_is_told_with_a_command(machine: Machine, what: str, remedy: str) -> None:
    """Each message says what is wrong, why it matters, and what to do."""
    (problem,) = prerequisites.missing(machine)
    assert what in problem.what
    assert problem.why
    assert remedy in problem.next_step


def test_everything_missing_is_told_at_once() -> None:
    """Nobody installs one thing only to be told of the next."""
    assert len(prerequisites.missing(replace(GOOD, has_ensurepip=False, has_openssl=False))) == 2


def test_this_machine_is_described() -> None:
    """The probe of the real machine leaves no file behind."""
    machine = prerequisites.this_machine(Path.cwd())
    assert machine.writable
    assert not (Path.cwd() / ".local" / ".writable").exists()


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("ERROR: [Errno 28] No space left on device", "the disk is full"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN\nnpm error self-signed certificate", "not trusted"),
        ("ERROR: No matching distribution found for aws-cdk-lib==2.275.0", "no such version"),
        ("Could not find a version … (from versions: none)\nNo matching distribution found", "cannot be reached"),
        ("Failed to establish a new connection: Name or service not known", "cannot be reached"),
        ("something unheard of", "see the output above"),
    ],
)
def test_the_likely_cause_of_a_failed_step_is_named(output: str, cause: str) -> None:
    """A person who installs for the first time gets a hint besides the tool's own words."""
    assert cause in advice(output)[0]
