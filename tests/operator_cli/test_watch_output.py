"""What `cdk watch` says is read right, whatever pieces it comes in."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_cli.watching.cdk_output import LONGEST_LINE, OutputReader, Phase, Progress, read_line

SPOKEN: Final = """\
'watch' is observing directory 'src' for changes
Triggering initial 'cdk deploy'

✨  Synthesis time: 0.1s

⚠️ The --hotswap and --hotswap-fallback flags deliberately introduce CloudFormation drift to speed up deployments

Tiny: start: Building Handler/Code
Tiny: success: Published Handler/Code (123456789012-us-east-1-5da35f93)
Tiny: deploying... [1/1]
Tiny: creating CloudFormation changeset...
Tiny | 0/3 | 8:02:21 PM | CREATE_IN_PROGRESS      | AWS::CloudFormation::Stack | Tiny

✅  Tiny

✨  Deployment time: 0.63s

✨  Total time: 0.75s

Detected change to 'src/handler.py' (type: change). Triggering 'cdk deploy'

✨  Synthesis time: 0.04s

\x1b[0m\x1b[1mTiny\x1b[22m: deploying... [1/1]\x1b[0m

✨ hotswapping resources:
   ✨ AWS::Lambda::Function 'tiny-watched'
"""
"""As the pinned CLI writes it, on a terminal and elsewhere."""


def read(text: str) -> list[Progress]:
    """Give the progress after each line."""
    steps, progress = [], Progress()
    for at, line in enumerate(text.splitlines()):
        progress = read_line(progress, line, float(at))
        steps.append(progress)
    return steps


def test_each_phase_of_a_deployment_is_known() -> None:
    """From the announcement to the report, and again for the next one."""
    phases = [step.phase for step in read(SPOKEN)]
    told = [phase for phase, before in zip(phases, [None, *phases], strict=False) if phase is not before]
    assert told == [
        Phase.IDLE,
        Phase.SYNTHESIS,
        Phase.PREPARATION,
        Phase.ASSETS,
        Phase.DEPLOYMENT,
        Phase.CHANGE_SET,
        Phase.IDLE,
        Phase.SYNTHESIS,
        Phase.PREPARATION,
        Phase.DEPLOYMENT,
        Phase.HOT_SWAP,
    ]
    assert read(SPOKEN)[-1].deployments == 2
    assert read(SPOKEN)[-1].stack == "Tiny"


@pytest.mark.parametrize(
    "line",
    [
        "✨  Total time: 3.2s",
        "This app contains no stacks",
        "Failed resources:",
        "❌  Tiny failed: no",
        "\x1b[0m✨  Total time: 1s",
    ],
)
def test_a_deployment_that_reports_is_closed(line: str) -> None:
    """Good news or bad: it is no silence."""
    begun = read_line(Progress(), "Triggering initial 'cdk deploy'", 0)
    assert begun.is_open
    assert not read_line(begun, line, 1).is_open


def test_a_change_that_is_queued_is_no_sign_of_life() -> None:
    """It says that somebody saved a file, and nothing of the deployment that hangs."""
    begun = read_line(Progress(), "Triggering initial 'cdk deploy'", 5)
    queued = read_line(
        begun,
        "Detected change to 'a.py' (type: change) while 'cdk deploy' is still running. "
        "Will queue for another deployment after this one finishes",
        9,
    )
    assert queued == begun


@given(st.lists(st.integers(min_value=1, max_value=60), max_size=80))
def test_pieces_of_any_size_read_the_same(sizes: list[int]) -> None:
    """A pipe cuts lines, and characters, where it likes."""
    text = SPOKEN.encode()
    reader, progress, at = OutputReader(), Progress(), 0
    for size in [*sizes, len(text)]:
        progress = reader.read(progress, text[at : at + size], 1.0)
        at += size
    assert progress == Progress(deployments=2, phase=Phase.HOT_SWAP, stack="Tiny", heard_at=1.0)


@given(st.lists(st.binary(max_size=300)))
def test_any_bytes_are_read(pieces: list[bytes]) -> None:
    """The app's own output passes through here too."""
    reader, progress = OutputReader(), Progress()
    for piece in pieces:
        progress = reader.read(progress, piece, 1.0)
    assert progress.deployments >= 0


def test_a_line_without_end_takes_no_memory() -> None:
    """An app may print a picture."""
    reader, progress = OutputReader(), Progress()
    for _ in range(100):
        progress = reader.read(progress, b"x" * LONGEST_LINE, 1.0)
    assert len(reader._rest) <= LONGEST_LINE
