"""What `cdk watch` has said so far, read from its output: is a deployment open, how far is it, when was it last heard of.

`cdk watch` swallows every error of a deployment: whatever fails, it prints nothing more and goes on watching. So the
one sign of a failure is a deployment that was announced and never reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final


class Phase(Enum):
    """How far the deployment that is open has come, as its last telling line says."""

    IDLE = "none is open"
    SYNTHESIS = "it runs the app"
    PREPARATION = "it looks which assets are missing"
    ASSETS = "it builds or uploads an asset"
    DEPLOYMENT = "it deploys a stack"
    CHANGE_SET = "CloudFormation computes a change set"
    HOT_SWAP = "it swaps resources in place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What the output amounts to.

    Attributes:
        deployments: How many deployments were announced.
        phase: How far the last one is.
        stack: The stack that it deploys, if it said so.
        heard_at: When it was last heard of, in seconds of the caller's clock.
    """

    deployments: int = 0
    phase: Phase = Phase.IDLE
    stack: str | None = None
    heard_at: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a deployment was announced that has not reported."""
        return self.phase is not Phase.IDLE


_STYLE: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BEGINS: Final = re.compile(r"Triggering (initial )?'cdk deploy'$|Invoking 'cdk deploy' again$")
_QUEUED: Final = re.compile(r"while 'cdk deploy' is still running")
_STACK: Final = re.compile(r"^(?P<stack>.+): deploying\.\.\. \[\d+/\d+\]$")
_TELLING: Final = (
    (re.compile(r"^✨\s+Total time: |^This app contains no stacks$|^Failed resources:$|^❌"), Phase.IDLE),
    (re.compile(r"^✨\s+Synthesis time: "), Phase.PREPARATION),
    (re.compile(r": (start|success|debug|fail): (Building|Publishing|Built|Published|Build|Publish)\b"), Phase.ASSETS),
    (_STACK, Phase.DEPLOYMENT),
    (re.compile(r": creating CloudFormation changeset\.\.\.$"), Phase.CHANGE_SET),
    (re.compile(r"^✨\s+hotswapping resources:$"), Phase.HOT_SWAP),
)
"""Which line says how far a deployment is. Others only say that it lives."""

LONGEST_LINE: Final = 4096
"""Bytes of one line that are looked at. The lines that tell something are short."""


def read_line(progress: Progress, line: str, now: float) -> Progress:
    """Give the progress after one line more.

    Args:
        progress: What was known before.
        line: One line of the output, with or without colours.
        now: When it was written, in seconds.
    """
    text = _STYLE.sub("", line).strip()
    if _BEGINS.search(text):
        return Progress(deployments=progress.deployments + 1, phase=Phase.SYNTHESIS, heard_at=now)
    if not progress.is_open or not text or _QUEUED.search(text):
        # A change that is queued says nothing of the deployment that it waits for.
        return progress
    phase = next((phase for pattern, phase in _TELLING if pattern.search(text)), progress.phase)
    found = _STACK.search(text)
    return replace(progress, phase=phase, stack=found["stack"] if found else progress.stack, heard_at=now)


class OutputReader:
    """Reads one stream of the output as it comes, in pieces of any size, and never more than a line behind."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, progress: Progress, piece: bytes, now: float) -> Progress:
        """Give the progress after a piece more.

        Args:
            progress: What was known before, also from another stream of the same program.
            piece: Bytes as they were written; a line may begin in one piece and end in another.
            now: When they were written, in seconds.
        """
        *lines, rest = (self._rest + piece).replace(b"\r", b"\n").split(b"\n")
        self._rest = rest[:LONGEST_LINE]
        for line in lines:
            progress = read_line(progress, line[:LONGEST_LINE].decode("utf-8", errors="replace"), now)
        return progress
