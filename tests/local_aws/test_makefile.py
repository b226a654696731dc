"""The one list of commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from local_aws.places import PROJECT

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


def test_a_tenants_key_is_made_for_a_tenant_that_is_named() -> None:
    """And the command that makes it says what it needs where none is."""
    told = ("--assume-old=.venv/base", "VENV_PYTHON=echo", "tenant-key")
    assert make(*told, "TENANT=my-tenant", "ARGS=--profile dev").strip() == "-m tenants my-tenant --profile dev"
    assert make(*told).strip() == "-m tenants --help"


def test_no_shell_reads_a_tenants_name_as_a_command() -> None:
    """It is refused by who knows the form, not run."""
    said = make("--assume-old=.venv/base", "VENV_PYTHON=echo", "tenant-key", "TENANT=x; echo run")
    assert said.strip() == "-m tenants x; echo run"
