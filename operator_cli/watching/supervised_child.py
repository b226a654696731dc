"""One `cdk watch` in a session of its own: its output comes through live and unaltered, and nothing of it survives."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING, Final

from operator_cli.watching import own_terminal
from operator_cli.watching.supervision import SIGNAL_STATUS, Child

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_OFLAG: Final = 1


class SupervisedChild:
    """A program with everything that it starts.

    It gets a terminal for each of our own outputs that is one, so that it colours and draws as it would without us, and
    a pipe for each that is none. In either case that terminal is its controlling one: if this process dies, even by
    SIGKILL, the kernel hangs up on every process of it.

    Attributes:
        outputs: Where its output is to be read, each with the descriptor of ours that it belongs on.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], *, stdout: int, stderr: int) -> None:
        """Start it.

        Args:
            command: The program and its arguments.
            environ: Its whole environment.
            stdout: Our own standard output.
            stderr: Our own standard error.
        """
        self._terminal, slave = os.openpty()
        self._shown_on = next((ours for ours in (stdout, stderr) if os.isatty(ours)), None)
        self.outputs: dict[int, int] = {}
        theirs = []
        pipes = []
        try:
            _pass_unaltered(slave)
            self.resize()
            for ours in (stdout, stderr):
                if os.isatty(ours):
                    theirs.append(slave)
                    self.outputs[self._terminal] = self._shown_on if self._shown_on is not None else ours
                else:
                    read, write = os.pipe()
                    pipes.append(write)
                    theirs.append(write)
                    self.outputs[read] = ours
            # The launcher becomes the program, so this is the program's process.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(own_terminal.__file__), str(slave), *command],
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=theirs[0],
                stderr=theirs[1],
                pass_fds=(slave,),
                start_new_session=True,
            )
        except BaseException:
            self.close()
            raise
        finally:
            for descriptor in (slave, *pipes):
                os.close(descriptor)

    @property
    def pid(self) -> int:
        """The program's process id, which is its process group's and its session's too."""
        return self._process.pid

    def poll(self) -> Child:
        """Give how it is."""
        status = self._process.poll()
        if status is None:
            return Child()
        return Child(
            status=status if status >= 0 else SIGNAL_STATUS - status,
            leaves_nothing=not any(True for _ in self.members()),
        )

    def members(self) -> Iterator[int]:
        """Give the processes of its session that live, the program itself included."""
        yield from (pid for pid, session, state in _processes() if session == self.pid and state != "Z")

    def send(self, number: int) -> None:
        """Signal every process of its group, and once it is to be killed, of its whole session."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
        if number == signal.SIGKILL:
            for pid in self.members():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)

    def resize(self) -> None:
        """Tell it the size of the terminal that it is shown on."""
        if self._shown_on is not None:
            with contextlib.suppress(OSError):
                size = fcntl.ioctl(self._shown_on, termios.TIOCGWINSZ, bytes(8))
                fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, size)

    def close(self) -> None:
        """Let go of its terminal and pipes; whatever still holds the terminal is hung up on."""
        for descriptor in {self._terminal, *self.outputs}:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self.outputs = {}


def _pass_unaltered(slave: int) -> None:
    """Switch off what a terminal does to output: the terminal that it is shown on does it."""
    settings = termios.tcgetattr(slave)
    settings[_OFLAG] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, settings)


def _processes() -> Iterator[tuple[int, int, str]]:
    """Give every process's id, session and state."""
    if Path("/proc/self/stat").exists():
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, ValueError):
                # The second field, the command's name in parentheses, may hold anything.
                state, _, _, session = stat.read_text(errors="replace").rpartition(")")[2].split()[:4]
                yield int(stat.parent.name), int(session), state
        return
    listing = subprocess.run(["/bin/ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=False).stdout
    for line in listing.splitlines():
        pid, state = line.split()[:2]
        with contextlib.suppress(OSError):
            yield int(pid), os.getsid(int(pid)), state[:1]
