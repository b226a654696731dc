"""Runs the supervisor's decisions: sees the world, asks `decide`, and does what it says."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import selectors
import signal
import sys
import termios
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from operator_cli.inert_text import inert
from operator_cli.watching.cdk_output import OutputReader, Progress
from operator_cli.watching.silence import Answer, Facts
from operator_cli.watching.supervision import (
    Check,
    Finish,
    Limits,
    Mode,
    Say,
    Seen,
    Send,
    Start,
    State,
    Weight,
    decide,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from operator_cli.watching.held_session import HeldSession
    from operator_cli.watching.supervised_child import SupervisedChild

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_EVERY_SECONDS: Final = 0.5
"""How often it is looked whether the session has to be renewed, and whether files have changed."""

_TICK_SECONDS: Final = 0.2
_PIECE: Final = 65536
_DRAIN_SECONDS: Final = 0.5

SilenceFacts: TypeAlias = "Callable[[Progress, int], Facts]"


class Supervisor:
    """Supervises one `cdk watch` after the other, until it is interrupted or one ends by itself.

    Args:
        start: Starts a child.
        held: The session that the children's credentials come from; its first look was good.
        facts: Finds out why a deployment is silent: from its progress, and how many processes of the child's live.
        say: Tells the person.
        limits: How long things may take.
    """

    def __init__(
        self,
        *,
        start: Callable[[], SupervisedChild],
        held: HeldSession,
        facts: SilenceFacts,
        say: Callable[[Say], None],
        limits: Limits,
    ) -> None:
        self._start = start
        self._held = held
        self._facts = facts
        self._say = say
        self._limits = limits
        self._child: SupervisedChild | None = None
        self._readers: dict[int, OutputReader] = {}
        self._progress = Progress()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._interrupts = 0
        self._interrupt = int(signal.SIGINT)
        self._at_line_start = True
        self._selector = selectors.DefaultSelector()
        self._done = threading.Event()

    def run(self) -> int:
        """Supervise, and give the exit status to end with. Nothing that was started is left then."""
        state, status = State(), None
        threading.Thread(target=self._keep_session, name="session", daemon=True).start()
        with self._signals(), _terminal_restored():
            try:
                while status is None:
                    state, actions = decide(state, self._seen(), self._limits)
                    for action in actions:
                        match action:
                            case Start():
                                self._begin()
                            case Send(number):
                                self._send(number)
                            case Say():
                                self._tell(action)
                            case Check():
                                self._check()
                            case Finish(found):
                                status = found
                    if state.mode is Mode.WAITING:
                        self._let_go()
                    if status is None:
                        self._pump(_TICK_SECONDS)
            finally:
                self._done.set()
                self._end_at_once()
                self._let_go()
                self._selector.close()
        return status

    # --- Seeing -------------------------------------------------------------------------------------------------------

    def _seen(self) -> Seen:
        answer = None
        with contextlib.suppress(queue.Empty):
            answer = self._answers.get_nowait()
        return Seen(
            now=time.time(),
            uptime=time.monotonic(),
            session=self._held.session,
            child=self._child.poll() if self._child is not None else None,
            progress=self._progress,
            answer=answer,
            interrupts=self._interrupts,
            interrupt=self._interrupt,
        )

    def _pump(self, seconds: float) -> bool:
        """Pass on what the child says, for so long at most; whether there was anything."""
        events = self._selector.select(seconds)
        for key, _ in events:
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, _PIECE)
                continue
            try:
                piece = os.read(key.fd, _PIECE)
            except OSError:
                # A terminal whose other end nobody holds any more.
                piece = b""
            if not piece:
                self._selector.unregister(key.fd)
                continue
            _write(key.data, piece)
            self._at_line_start = piece.endswith((b"\n", b"\r"))
            self._progress = self._readers[key.fd].read(self._progress, piece, time.monotonic())
        return any(key.data is not None for key, _ in events)

    def _keep_session(self) -> None:
        while not self._done.wait(LOOK_EVERY_SECONDS):
            self._held.look()

    def _check(self) -> None:
        """Find out why the deployment is silent, without keeping anybody waiting."""
        progress = self._progress
        # The CLI itself lives in any case.
        alive = sum(1 for _ in self._child.members()) - 1 if self._child is not None else 0

        def look() -> None:
            facts = Facts(children=alive)
            # Whatever fails in it, a check that gives no answer would be the last one.
            with contextlib.suppress(Exception):
                facts = self._facts(progress, alive)
            self._answers.put(Answer(deployment=progress.deployments, facts=facts))

        threading.Thread(target=look, name="silence", daemon=True).start()

    # --- Doing --------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        child = self._start()
        self._child = child
        self._progress = Progress()
        for descriptor, ours in child.outputs.items():
            self._readers[descriptor] = OutputReader()
            self._selector.register(descriptor, selectors.EVENT_READ, ours)

    def _send(self, number: int) -> None:
        if self._child is not None:
            self._child.send(number)

    def _tell(self, say: Say) -> None:
        if not self._at_line_start:
            _write(sys.stderr.fileno(), b"\n")
            self._at_line_start = True
        # The terminal may be gone.
        with contextlib.suppress(OSError):
            self._say(say)

    def _let_go(self) -> None:
        """Pass on a child's last words, and forget it."""
        child = self._child
        if child is None:
            return
        deadline = time.monotonic() + _DRAIN_SECONDS
        while time.monotonic() < deadline and self._pump(0):
            pass
        for descriptor in child.outputs:
            with contextlib.suppress(KeyError):
                self._selector.unregister(descriptor)
            del self._readers[descriptor]
        child.close()
        self._child = None
        self._progress = Progress()

    def _end_at_once(self) -> None:
        """Kill what is left, which is nothing unless this program itself has failed."""
        if self._child is not None and not self._child.poll().leaves_nothing:
            self._child.send(signal.SIGKILL)
            self._child.poll()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Note signals instead of dying of them, and wake up for each."""
        wake, waker = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(waker, False)
        handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {
            # Nobody who was told by nohup to ignore a hang-up is ended by one.
            **{number: self._note for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN},
            signal.SIGINT: self._note,
            signal.SIGCHLD: lambda *_: None,
            signal.SIGWINCH: lambda *_: self._child.resize() if self._child is not None else None,
            signal.SIGTSTP: self._pause,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        before_fd = signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        self._selector.register(wake, selectors.EVENT_READ, None)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before_fd)
            for number, handler in before.items():
                signal.signal(number, handler)
            for descriptor in (wake, waker):
                os.close(descriptor)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._interrupts += 1
        self._interrupt = number

    def _pause(self, number: int, _: FrameType | None) -> None:
        """Ctrl-Z: stop the child too, and go on with it."""
        self._send(signal.SIGSTOP)
        handler = signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, handler)
        self._send(signal.SIGCONT)


class Speaker:
    """Says things so that they stand out of what the CDK writes.

    Args:
        write: Writes a line to the person.
        colours: Whether it is shown on a terminal that has them.
    """

    def __init__(self, write: Callable[[str], None], *, colours: bool) -> None:
        self._write = write
        self._colours = colours

    def __call__(self, say: Say) -> None:
        """Say one thing."""
        lines = [f"rolebound: {inert(say.what)}"]
        if say.next_step:
            lines.append(f"  What to do: {inert(say.next_step)}")
        if say.weight is Weight.ALARM:
            rule = "━" * 80
            # On a terminal there may be a question that nobody has answered yet.
            lines = [*([""] if self._colours else []), rule, *lines, rule + ("\a" if self._colours else "")]
        style = {Weight.NOTE: "36", Weight.WARNING: "33", Weight.ALARM: "1;31"}[say.weight]
        for line in lines:
            self._write(f"\x1b[{style}m{line}\x1b[0m" if self._colours else line)


class Told:
    """Says things, and remembers them.

    Args:
        say: Says one thing.
    """

    def __init__(self, say: Callable[[Say], None]) -> None:
        self._say = say
        self._said: list[Say] = []

    def __call__(self, say: Say) -> None:
        """Say one thing."""
        self._said.append(say)
        self._say(say)

    def as_json(self) -> list[dict[str, str]]:
        """Give everything that was said, in order, for programs."""
        return [{"weight": say.weight.value, "what": say.what, "next_step": say.next_step} for say in self._said]


@contextmanager
def _terminal_restored() -> Iterator[None]:
    """Leave the terminal as it was: a question for an MFA code that nobody answered has switched its echo off."""
    settings = None
    with contextlib.suppress(OSError, ValueError, termios.error):
        settings = termios.tcgetattr(sys.stdin.fileno())
    try:
        yield
    finally:
        if settings is not None:
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, settings)


def _write(descriptor: int, piece: bytes) -> None:
    """Write all of it. What nobody can see any more, because the terminal or the reader is gone, is dropped."""
    rest = memoryview(piece)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [], 1)
        except OSError:
            return
