"""The one list of commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from local_aws.places import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMANDS = ("up", "test", "synth", "check", "deploy", "destroy", "watch", "bench", "down", "incident")
MAKE = shutil.which("make") or "make"


def make(*arguments: str) -> str:
    """What make says, also when make itself runs the tests."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        [MAKE, *arguments], cwd=PROJECT, env=variables, capture_output=True, text=True, check=True
    ).stdout


def test_help_is_the_default_and_lists_every_command_of_the_design() -> None:
    """A newcomer who types `make` sees what there is, with a sentence each."""
    listing = make()
    for command in COMMANDS:
        assert re.search(rf"^  make {command} +\w.{{20,}}$", listing, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_does_its_own_set_up(command: str) -> None:
    """On a fresh clone each command begins with the Python packages; only `down` has nothing to set up."""
    plan = make("--dry-run", "--always-make", command)
    assert ("-r requirements.txt" in plan) == (command != "down")


@pytest.mark.parametrize("command", ["bootstrap", "deploy", "destroy", "watch"])
def test_what_talks_to_an_account_checks_the_session_first(command: str) -> None:
    """No target calls the CDK on a real account by itself."""
    plan = make("--dry-run", command, "ARGS=-c region=eu-central-1")
    checked = plan.index("-m operator_cli")
    assert "-c region=eu-central-1" in plan[checked:]
    assert not re.search(r"^cdk ", plan[:checked], re.MULTILINE)


@pytest.fixture
def tenant_key(tmp_path: Path) -> Callable[..., str]:
    """Runs `make tenant-key` with a Python that only says how it was called, where the packages are up to date."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\n[ "$1" = -c ] || printf "%s\\n" "$*"\n')
    python.chmod(0o755)
    return lambda *arguments: make("--assume-old=.venv/base", f"VENV_PYTHON={python}", "tenant-key", *arguments).strip()


def test_a_tenants_key_is_made_for_a_tenant_that_is_named(tenant_key: Callable[..., str]) -> None:
    """And the command that makes it says what it needs where none is."""
    assert tenant_key("TENANT=my-tenant", "ARGS=--profile dev") == "-m tenants my-tenant --profile dev"
    assert tenant_key() == "-m tenants --help"


def test_no_shell_reads_a_tenants_name_as_a_command(tenant_key: Callable[..., str]) -> None:
    """It is refused by who knows the form, not run."""
    assert tenant_key("TENANT=x; echo run") == "-m tenants x; echo run"
