"""`check` as a person types it, on a machine full of secrets."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from operator_cli.credentials.facts import gather
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus
from operator_cli.output import Output
from operator_cli.preflight.cdk_cli import cdk_command
from operator_cli.preflight.gathering import examine
from operator_cli.preflight.session_prompt import prompt
from operator_cli.preflight.session_report import show
from operator_cli.preflight.wanted import Operation, Wanted
from stacks.dependency_layer import ROOT
from tests.operator_cli.conftest import SESSION_TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.operator_cli.conftest import PlantedMachine

NOW = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
PROFILES = ("default", "keys", "session", "sso", "login", "mfa", "role", "process", "missing")
NOWHERE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_DEFAULT_REGION": "us-east-1"}
"""Every call fails at once: no test of this file leaves the machine."""


def rolebound(*arguments: str, environ: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "operator_cli", *arguments],
        cwd=folder,
        env={**environ, **NOWHERE, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_kind_of_profile_makes_it_print_a_secret(
    planted: PlantedMachine, tmp_path: Path, profile: str, form: tuple[str, ...]
) -> None:
    """Nor a traceback: a status, and words (`no_secret_printed` looks at them)."""
    done = rolebound("check", "--profile", profile, *form, environ=planted.environ_with_keys, folder=tmp_path)
    assert done.returncode in {ExitStatus.REFUSED, ExitStatus.NO_CREDENTIALS}
    assert "Traceback" not in done.stderr
    assert ("finding" if form else "✗") in done.stdout


def test_keys_of_the_environment_are_told_by_their_last_four(planted: PlantedMachine, tmp_path: Path) -> None:
    """And nothing else of them."""
    done = rolebound("check", "--json", environ=planted.environ_with_keys, folder=tmp_path)
    assert json.loads(done.stdout)["credentials"]["key_id_end"] == "ED02"


@pytest.mark.parametrize("command", ["deploy", "destroy", "bootstrap", "tests", "logs"])
def test_a_wrapper_without_credentials_refuses_before_it_does_anything(
    planted: PlantedMachine, tmp_path: Path, command: str
) -> None:
    """No synthesis, no program, and the prompt for this operation; `stdout` stays the tool's."""
    program = {"tests": ["--", "touch", "ran"], "logs": ["my-function"]}.get(command, [])
    environ = {**planted.environ, "HOME": str(tmp_path), "PATH": str(ROOT / "node_modules" / ".bin")}
    done = rolebound(command, *program, environ=environ, folder=tmp_path)
    assert done.returncode == ExitStatus.NO_CREDENTIALS, done.stderr
    assert done.stdout == ""
    assert "An AWS session is needed to" in done.stderr
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "cdk.out").exists()


def test_a_command_is_repeated_without_the_secrets_in_it(tmp_path: Path) -> None:
    """What a person typed on a terminal, a build's log keeps (`no_secret_printed` looks at it)."""
    words = ["env", f"AWS_SESSION_TOKEN={SESSION_TOKEN}", "pytest", "-k", "the whole thing"]
    done = rolebound("tests", "--", *words, environ={"HOME": str(tmp_path)}, folder=tmp_path)
    assert "-- env AWS_SESSION_TOKEN=[masked] pytest -k 'the whole thing'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--account", "12"), "'12' is not 12 digits"),
        (("--region", "Frankfurt"), "a region such as"),
        (("--min-minutes", "-1"), "minutes"),
        (("--for", "fun"), "invalid choice"),
        (("--all",), "unrecognized arguments: --all"),
        (("--assembly", "here"), "manifest.json is no cloud assembly"),
    ],
)
def test_bad_input_is_wrong_usage_in_plain_words(
    planted: PlantedMachine, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    """Status two, whatever the credentials are."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "manifest.json").write_text("[")
    done = rolebound("check", *arguments, environ=planted.environ, folder=tmp_path)
    assert done.returncode == ExitStatus.WRONG_USAGE
    assert words in done.stderr


def test_nothing_is_asked_for_synthesis(planted: PlantedMachine, tmp_path: Path) -> None:
    """On a machine without credentials and without a network."""
    done = rolebound("check", "--for", "synth", environ={**planted.environ, "HOME": str(tmp_path)}, folder=tmp_path)
    assert (done.returncode, "None are needed" in done.stdout) == (0, True)


def test_the_prompt_names_the_persons_own_profiles_and_no_key_to_export(planted: PlantedMachine) -> None:
    """Safest first: the browser, a role with a code, and last a session that ends."""
    facts = gather(planted.environ, now=NOW)
    asked = prompt(Wanted(operation=Operation.DEPLOY), facts, None, region="us-east-1", command="rolebound deploy")
    browser, role, shell = asked.ways
    assert browser.lines == ("aws sso login --profile sso", "aws login --profile login")
    assert "rolebound deploy --profile mfa      # asks for a code" in role.lines
    assert "export-credentials" in shell.lines[0]
    assert "export AWS_ACCESS_KEY_ID" not in str(asked)
    assert asked.then == "rolebound deploy --profile sso"
    for operation in (one for one in Operation if one.needs_session):
        said = prompt(Wanted(operation=operation), facts, None, region=None, command="rolebound x").purpose
        assert said.startswith("An AWS session is needed to ")


def test_a_machine_without_profiles_is_told_how_to_make_one(tmp_path: Path) -> None:
    """A newcomer has none of the three ways yet."""
    facts = gather({"HOME": str(tmp_path)}, now=NOW)
    said = str(prompt(Wanted(operation=Operation.LOGS), facts, None, region=None, command="rolebound logs"))
    assert "aws configure sso" in said
    assert "role_arn = arn:aws:iam::ACCOUNT:role/ROLE" in said


def test_nobody_is_asked_where_no_answer_is_possible(planted: PlantedMachine) -> None:
    """Whether it is needless or hopeless: the door stays shut."""

    def connect(*_: object) -> None:
        raise AssertionError("AWS was asked")

    for operation, environ in (
        (Operation.SYNTH, planted.environ),
        (Operation.DEPLOY, {**planted.environ, "AWS_PROFILE": "missing"}),
        (Operation.DEPLOY, {**planted.environ, "AWS_ACCESS_KEY_ID": "ASIA" + "X" * 16, "AWS_SECRET_ACCESS_KEY": "s"}),
    ):
        examined = examine(Wanted(operation=operation), environ, clock=lambda: NOW, connect=connect)  # type: ignore[arg-type] # it never answers
        assert examined.calls == ()


class Terminal(io.StringIO):
    """A terminal, as far as a program can tell."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize("width", [40, 50, 80, 200])
@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_gets_the_same_words_wrapped_and_coloured(
    planted: PlantedMachine,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    colour: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """However wide; without colour where that is asked for; what is to be copied is not broken by us."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm-256color")
    environ = {**planted.environ, "AWS_PROFILE": "missing", **({} if colour else {"NO_COLOR": "1"})}
    examined = examine(Wanted(operation=Operation.DEPLOY), environ, clock=lambda: NOW)
    plain, terminal = io.StringIO(), Terminal()
    for stream in (plain, terminal):
        output = Output(stdout=stream, stderr=stream, environ=environ)
        show(examined, output, command="rolebound check")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-7]m", terminal.getvalue())) == colour
    assert "".join(shown.split()) == "".join(plain.getvalue().split())
    prose = [line for line in shown.splitlines() if not line.startswith("      ")]
    assert all(len(line) <= width for line in prose)
    assert "aws sso login --profile sso" in shown


def test_signs_that_the_reader_cannot_see_are_replaced_by_others(planted: PlantedMachine) -> None:
    """A question mark for each of them would say that nothing can be told."""
    examined = examine(
        Wanted(operation=Operation.DEPLOY), {**planted.environ, "AWS_PROFILE": "missing"}, clock=lambda: NOW
    )
    stream = io.TextIOWrapper(io.BytesIO(), encoding="iso-8859-15")
    show(examined, Output(stdout=stream, stderr=stream, environ={}), command="rolebound check")
    stream.seek(0)
    assert stream.readline().startswith("x credentials")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["check --profile missing", "explain -"])
def test_streams_that_the_caller_closed_are_no_traceback(
    planted: PlantedMachine, tmp_path: Path, closed: str, command: str
) -> None:
    """A job of cron or of a service may have none of the three; the status is then the answer."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m operator_cli {command} {closed}', sys.executable],
        cwd=tmp_path,
        env={**planted.environ, **NOWHERE, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (ExitStatus.NO_CREDENTIALS if "check" in command else ExitStatus.WRONG_USAGE)
    assert "Traceback" not in done.stdout + done.stderr


def test_a_narrow_terminal_has_each_answer_below_its_question(
    planted: PlantedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside it, there would be room for a word in each line."""
    monkeypatch.setenv("COLUMNS", "40")
    environ = {**planted.environ, "AWS_PROFILE": "missing", "NO_COLOR": "1"}
    terminal = Terminal()
    examined = examine(Wanted(operation=Operation.DEPLOY), environ, clock=lambda: NOW)
    show(examined, Output(stdout=terminal, stderr=terminal, environ=environ), command="rolebound check")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()).splitlines()
    assert shown[0].strip() == "✗ credentials"
    assert shown[1].startswith("  There is no profile 'missing'")


def closed_to_us(folder: Path) -> list[str]:
    """Take away the right to look into a folder, root's too; the words that a command of ours then begins with."""
    if os.geteuid() != 0:
        folder.chmod(0)
        return []
    os.chown(folder, 65534, 65534)
    folder.chmod(0o700)
    return ["setpriv", *(f"--{name}=-dac_override,-dac_read_search" for name in ("bounding-set", "inh-caps"))]


@pytest.mark.parametrize(
    ("closed", "arguments", "expected"),
    [
        ("home/.aws", "check", (ExitStatus.NO_CREDENTIALS, ".aws/config could not be read (Permission denied)")),
        ("work/cdk.out", "check --profile keys", (ExitStatus.WRONG_USAGE, "cdk.out/manifest.json is no cloud")),
        ("work/closed", "scan closed", (ExitStatus.REFUSED, "closed  not scanned: Permission denied")),
        ("work/closed", "scan closed/file", (ExitStatus.REFUSED, "closed/file  not scanned: Permission denied")),
    ],
)
def test_what_may_not_be_read_is_named_and_no_pass(
    planted: PlantedMachine, tmp_path: Path, closed: str, arguments: str, expected: tuple[ExitStatus, str]
) -> None:
    """A folder of somebody else's: no traceback, and never "nothing found"."""
    work = tmp_path / "work"
    for name in ("cdk.out", "closed"):
        (work / name).mkdir(parents=True)
    (work / "closed" / "file").write_text("x")
    before = closed_to_us(tmp_path / closed)
    try:
        done = subprocess.run(
            [*before, sys.executable, "-m", "operator_cli", *arguments.split()],
            cwd=work,
            env={**planted.environ, **NOWHERE, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        (tmp_path / closed).chmod(0o700)
    status, words = expected
    assert "Traceback" not in done.stderr
    assert words in done.stdout + done.stderr
    assert done.returncode == status


def test_a_folder_that_is_gone_is_named(planted: PlantedMachine, tmp_path: Path) -> None:
    """A branch was switched, or a build cleaned up, below the person's feet."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$0" -m operator_cli deploy', sys.executable],
        cwd=tmp_path,
        env={**planted.environ, **NOWHERE, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "The current folder cannot be used" in done.stderr
    assert (done.returncode, "Traceback" in done.stderr) == (ExitStatus.WRONG_USAGE, False)


def test_a_cdk_without_the_node_that_runs_it_is_told_as_that(tmp_path: Path) -> None:
    """To install the CDK once more would not help."""
    program = tmp_path / "node_modules" / "aws-cdk" / "bin" / "cdk"
    program.parent.mkdir(parents=True)
    program.write_text("")
    with pytest.raises(OperatorError, match="There is no node on PATH") as told:
        cdk_command(tmp_path, {"PATH": "/nowhere"})
    assert told.value.status is ExitStatus.WRONG_USAGE


def test_the_command_to_repeat_has_the_profile_among_its_own_options(planted: PlantedMachine) -> None:
    """Behind the dashes it would be an argument of what is run."""
    facts = gather(planted.environ, now=NOW)
    asked = prompt(
        Wanted(operation=Operation.TESTS), facts, None, region=None, command="rolebound tests -- pytest tests"
    )
    assert asked.then == "rolebound tests --profile sso -- pytest tests"
    assert all(line.index("--profile") < line.index(" -- ") for line in asked.ways[1].lines)


def test_a_role_that_no_sdk_can_take_on_is_not_proposed(tmp_path: Path) -> None:
    """A profile that comes back to itself was refused a line above."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(
        "[profile loop]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = pool\n"
        "[profile pool]\nrole_arn = arn:aws:iam::123456789012:role/y\nsource_profile = loop\n"
    )
    facts = gather({"HOME": str(tmp_path)}, now=NOW)
    said = prompt(Wanted(operation=Operation.DEPLOY), facts, None, region=None, command="rolebound deploy")
    assert not any("--profile loop" in line for line in said.ways[1].lines)


def test_the_cdk_takes_nothing_else_where_it_would_take_the_same(tmp_path: Path) -> None:
    """A profile that is not signed in is told once, not as something that wins unnoticed."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(
        "[profile dev]\nlogin_session = arn:aws:iam::123456789012:user/ada\nregion = us-east-1\n"
    )
    done = rolebound("check", environ={"HOME": str(tmp_path), "AWS_PROFILE": "dev"}, folder=tmp_path)
    assert done.returncode == ExitStatus.NO_CREDENTIALS
    assert "unnoticed" not in done.stdout + done.stderr
    assert "aws login --profile dev" in done.stdout + done.stderr
