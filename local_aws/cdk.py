"""Runs the real CDK command line against a local AWS."""

from __future__ import annotations

import re
import subprocess
import threading
from typing import TYPE_CHECKING, Final

from local_aws import emulator, locks
from local_aws.environment import ACCOUNT, REGION
from local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from local_aws.places import Places

LOG_LINES_SHOWN = 30
LOOK_EVERY_SECONDS = 2
"""How often it is checked that the emulator still lives: the CLI itself tries for a minute to reach a dead one."""

_DEPLOYING: Final = re.compile(r"^(?P<stack>\S+): deploying\.\.\. \[(?P<number>\d+)/(?P<total>\d+)\]$")
_DEPLOYED: Final = re.compile(r"^✅\s+(?P<stack>\S+)(?P<note> \(no changes\))?$")
_FAILED: Final = re.compile(r"^❌|_FAILED\b|^\S*Error:|^error: ", re.IGNORECASE)


def headline(line: str) -> str | None:
    """What a person should see of one line of the CLI's output, `None` for what belongs in the log only."""
    text = line.strip()
    if found := _DEPLOYING.match(text):
        return f"      stack {found['number']} of {found['total']}: {found['stack']}"
    if found := _DEPLOYED.match(text):
        return f"        unchanged: {found['stack']}" if found["note"] else f"        deployed: {found['stack']}"
    if _FAILED.search(text):
        return f"      {text}"
    return None


class Cdk:
    """The pinned CDK CLI, talking to one local AWS.

    Args:
        places: The local AWS; its `deploy.log` gets everything the CLI writes.
        variables: The CLI's whole environment: see `environment.for_clients`.
        show: Prints one line to the person.
    """

    def __init__(self, places: Places, variables: Mapping[str, str], show: Callable[[str], None]) -> None:
        self._places = places
        self._variables = variables
        self._show = show

    def bootstrap(self, *, execution_policies: Sequence[str] = ()) -> None:
        """Make the CDK's own bucket and roles.

        Args:
            execution_policies: ARNs of what CloudFormation's role may do; AdministratorAccess if none are given.

        Raises:
            LocalAwsError: The CLI failed.
        """
        command = ["bootstrap", f"aws://{ACCOUNT}/{REGION}"]
        if execution_policies:
            command += ["--cloudformation-execution-policies", ",".join(execution_policies)]
        # From a folder without cdk.json: there it does not synthesise the app first.
        self._run(command, cwd=self._places.home)

    def deploy(
        self, *, app: str | None = None, output: Path | None = None, context: Mapping[str, str] | None = None
    ) -> None:
        """Deploy every stack of an app, or do nothing for those that have not changed.

        Args:
            app: The command that synthesises it; the one of the project's `cdk.json` if not given.
            output: Where its cloud assembly goes; beside this local AWS's other files if not given.
            context: The app's context.

        Raises:
            LocalAwsError: Synthesis or deployment failed.
        """
        command = ["deploy", "--all", "--require-approval", "never", "--progress", "events"]
        command += ["--output", str(output or self._places.cdk_out)]
        if app is not None:
            command += ["--app", app]
        for name, value in (context or {}).items():
            command += ["--context", f"{name}={value}"]
        self._run(command, cwd=self._places.project)

    def watch(self, *, context: Mapping[str, str]) -> int:
        """Deploy every change as it is saved, hot-swapping what can be, until the CLI is interrupted.

        The CLI writes to this process's own output.

        Args:
            context: The app's context.

        Returns:
            The CLI's exit status.

        Raises:
            LocalAwsError: The CLI is not installed.
        """
        command = ["watch", "--all", "--hotswap-fallback", "--output", str(self._places.cdk_out)]
        for name, value in context.items():
            command += ["--context", f"{name}={value}"]
        with subprocess.Popen(
            self._command(command), cwd=self._places.project, env=dict(self._variables), stdin=subprocess.DEVNULL
        ) as process:
            while True:
                try:
                    return process.wait()
                except KeyboardInterrupt:
                    # The terminal has interrupted the CLI too; it is given the time to end.
                    continue

    def _command(self, arguments: Sequence[str]) -> list[str]:
        """The command line that runs the pinned CLI."""
        program = self._places.project / "node_modules" / "aws-cdk" / "bin" / "cdk"
        node = self._places.project / ".venv" / "node" / "node"
        if not (program.exists() and node.exists()):
            raise LocalAwsError(
                "The CDK command line is not installed in node_modules.",
                why="It synthesises and deploys the stacks.",
                next_step="Run `make up`, which installs it first.",
            )
        return [str(node), str(program), *arguments, "--no-notices", "--no-color"]

    def _run(self, arguments: Sequence[str], *, cwd: Path) -> None:
        """Run one command of the CLI to its end."""
        with (
            self._places.deploy_log.open("a", encoding="utf-8") as log,
            subprocess.Popen(
                self._command(arguments),
                cwd=cwd,
                env=dict(self._variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            ) as process,
        ):
            log.write(f"\n$ cdk {' '.join(arguments)}\n")
            tail = self._follow(process, log.write)
            status = process.wait()
        if status == 0:
            return
        last_words = "\n".join(f"    {line}" for line in tail)
        if not locks.is_locked(self._places.emulator_lock):
            raise LocalAwsError(
                f"The emulator died while `cdk {arguments[0]}` ran. Its last words:\n"
                f"{emulator.last_log_lines(self._places)}",
                why="The application is not deployed: whatever local AWS held is gone with it.",
                next_step="Run `make up` again, which starts a new one.",
                log=self._places.emulator_log,
            )
        raise LocalAwsError(
            f"`cdk {arguments[0]}` failed (exit {status}). Its last words:\n{last_words}",
            why="The application is not, or not wholly, deployed to local AWS.",
            next_step="Mend what it names and run `make up` again; to start from nothing, `make down` first.",
            log=self._places.deploy_log,
        )

    def _follow(self, process: subprocess.Popen[str], write: Callable[[str], object]) -> list[str]:
        """Log what the CLI says, show its headlines, and return its last lines."""
        tail: list[str] = []
        finished = threading.Event()
        watcher = threading.Thread(target=self._end_with_the_emulator, args=(process, finished), daemon=True)
        watcher.start()
        try:
            for line in process.stdout or ():
                write(line)
                if line.strip():
                    tail = [*tail, line.rstrip()][-LOG_LINES_SHOWN:]
                shown = headline(line)
                if shown is not None:
                    self._show(shown)
        finally:
            finished.set()
            watcher.join()
        return tail

    def _end_with_the_emulator(self, process: subprocess.Popen[str], finished: threading.Event) -> None:
        """End the CLI when the emulator dies."""
        while not finished.wait(LOOK_EVERY_SECONDS):
            if not locks.is_locked(self._places.emulator_lock):
                process.terminate()
                return
