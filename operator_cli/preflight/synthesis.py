"""Has the CDK synthesise what is about to be deployed; whoever interrupts that is left with nothing of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from operator_cli.preflight.cdk_cli import profile_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from operator_cli.preflight.cdk_cli import CdkArguments

_LOOK_SECONDS: Final = 0.2
_GRACE_SECONDS: Final = 2
_SIGNAL_STATUS: Final = 128


def synthesised(
    cdk: list[str], given: CdkArguments, environ: Mapping[str, str], *, profile: str | None
) -> tuple[Path, int]:
    """Give the cloud assembly that is going to be deployed, made now unless `--app` names one; and the CDK's exit status.

    Args:
        cdk: The words that start the CDK command line.
        given: What the operator gave it.
        environ: Its environment.
        profile: The profile that it is told to use, if one is.

    Raises:
        KeyboardInterrupt: A person interrupted it. No process of it is left.
        SystemExit: Another signal asked to end, as above.
        OSError: The CDK could not be started.
    """
    if given.app is not None and Path(given.app).is_dir():
        return Path(given.app), 0
    made = Path(given.output or "cdk.out")
    app = ["--app", given.app] if given.app is not None else []
    # `list` synthesises like `synth`, and its only words of its own are the stacks' names.
    options = [*given.synthesis, *app, *profile_arguments(profile), "--output", str(made), "--no-notices"]
    return made, _run_apart([*cdk, "list", *options], environ)


def _run_apart(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a program in a session of its own, where a Ctrl-C does not reach it: it would print the trace of its app."""
    asked_to_end: list[int] = []
    with _noted(asked_to_end), Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        process = subprocess.Popen(
            list(command), env=dict(environ), stdin=subprocess.DEVNULL, stdout=nowhere, start_new_session=True
        )
        while not asked_to_end:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = process.wait(_LOOK_SECONDS)
                return status if status >= 0 else _SIGNAL_STATUS - status
        _end(process)
    if signal.SIGINT in asked_to_end:
        raise KeyboardInterrupt
    raise SystemExit(_SIGNAL_STATUS + asked_to_end[0])


@contextlib.contextmanager
def _noted(numbers: list[int]) -> Iterator[None]:
    """Note the signals that ask to end instead of dying of them; what is ignored already stays so."""
    asking = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in asking}
    heeded = [number for number in asking if before[number] is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, lambda received, _: numbers.append(received))
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it started: asked first, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
