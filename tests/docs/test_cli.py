"""docs/cli.md says what the commands say."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from operator_cli.__main__ import all_commands
from operator_cli.preflight.gathering import as_json, examine
from operator_cli.preflight.wanted import Operation, Wanted
from stacks.dependency_layer import ROOT


def test_the_page_is_fresh() -> None:
    """What is documented is what can be typed."""
    done = subprocess.run(
        [sys.executable, "docs/cli.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_command_has_its_section_with_every_argument() -> None:
    """Else the check above would guard an empty page."""
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for command in all_commands():
        assert f"\n## {command.name}\n" in page
        assert all(line in page for line, _ in command.examples)
    assert "`--min-minutes M`" in page


def test_every_field_of_a_checks_json_is_documented() -> None:
    """And none that is not there."""
    (command,) = [command for command in all_commands() if command.name == "check"]
    examined = examine(Wanted(operation=Operation.SYNTH), {}, clock=lambda: datetime.now(UTC))
    assert [field for field, _ in command.answer] == list(as_json(examined))
