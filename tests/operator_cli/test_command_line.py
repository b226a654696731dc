"""The frame that all commands share: exit statuses, help, errors."""

from __future__ import annotations

import subprocess
import sys

import pytest

from operator_cli.__main__ import all_commands, main, parser
from operator_cli.errors import OperatorError
from operator_cli.exit_status import MEANING, ExitStatus, as_help
from stacks.dependency_layer import ROOT


def test_every_exit_status_has_a_meaning_that_help_prints() -> None:
    """Scripts rely on the numbers, people on the words."""
    assert list(MEANING) == list(ExitStatus)
    assert [status.value for status in ExitStatus] == [0, 1, 2, 3, 4, 5]
    assert as_help() in " ".join(parser().format_help().split())


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_help_fits_into_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All but the examples, whose lines are there to be copied whole."""
    monkeypatch.setenv("COLUMNS", str(columns))
    examples = {f"  {line}" for command in all_commands() for line, _ in command.examples}
    examples |= {f"      {what}" for command in all_commands() for _, what in command.examples}
    for arguments in ([], *([command.name] for command in all_commands())):
        with pytest.raises(SystemExit):
            main([*arguments, "--help"])
        too_long = [line for line in capsys.readouterr().out.splitlines() if len(line) > columns]
        assert set(too_long) <= examples


def test_an_error_has_its_three_parts_and_a_status() -> None:
    """What is wrong, why it matters, what to do next."""
    error = OperatorError("A.", why="B.", next_step="C.", status=ExitStatus.EXPIRED)
    assert str(error).splitlines() == ["A.", "  Why it matters: B.", "  What to do:     C."]
    assert error.status == 4


def test_every_command_says_what_it_is_for_and_how_it_is_called() -> None:
    """A description, and one example at least that begins with the program's name."""
    for command in all_commands():
        assert command.summary
        assert command.description
        assert command.examples
        assert all(f"rolebound {command.name}" in line for line, _ in command.examples)


def test_wrong_usage_is_exit_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    """As argparse has it, and as `--help` promises."""
    with pytest.raises(SystemExit) as ended:
        main(["no-such-command"])
    assert ended.value.code == ExitStatus.WRONG_USAGE
    assert "no-such-command" in capsys.readouterr().err


def test_help_imports_no_sdk() -> None:
    """It answers at once: boto3 and rich cost more than all the rest."""
    code = (
        "import sys; from operator_cli.__main__ import parser; parser().format_help();"
        "print(sorted({'boto3', 'botocore', 'rich', 'yaml', 'detect_secrets', 'credential_rules'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize(("closed", "status"), [(">&-", 0), (">/dev/full", 1), ("| true", 1)])
def test_an_output_that_takes_nothing_ends_without_a_traceback(closed: str, status: int) -> None:
    """Closed, full, or gone: the answer that could not be told is not called good."""
    command = (
        f"'{sys.executable}' -m operator_cli explain 'An error occurred (ExpiredToken) when calling the X operation'"
    )
    # The shell's own pipe has the reader gone before the answer comes.
    line = f"set -o pipefail; {{ sleep 0.2; {command}; }} {closed}"
    said = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607 - the one on PATH
    assert "Traceback" not in said.stderr
    assert said.returncode == status, said.stderr


def test_no_text_becomes_a_picture(capsys: pytest.CaptureFixture[str]) -> None:
    """`:secret:` stands in every ARN of Secrets Manager."""
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-Ab12Cd"
    denied = f"User: arn:aws:iam::123456789012:user/a is not authorized to perform: secretsmanager:GetSecretValue on resource: {arn} because no identity-based policy allows the secretsmanager:GetSecretValue action"
    assert main(["explain", denied]) == 0
    assert f'"Resource": "{arn}"' in capsys.readouterr().out
