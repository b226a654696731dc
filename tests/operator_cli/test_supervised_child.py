"""A child's output comes through as it is, and nothing of it survives, however the supervisor ends."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local_aws.places import PROJECT
from operator_cli.watching.supervised_child import SupervisedChild
from operator_cli.watching.supervision import Child

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY = "import time; print('ready', flush=True); time.sleep(60)"
FAMILY = textwrap.dedent("""
    import subprocess, sys, time
    ignore = "".join(f"signal.signal(signal.{name}, signal.SIG_IGN); " for name in IGNORED)
    code = f"import signal, time; {ignore}print('ready', flush=True); time.sleep(60)"
    subprocess.Popen([sys.executable, "-c", code])
    time.sleep(60)
""")
"""A program with a child of its own that ignores some signals."""


def family(*ignored: str) -> str:
    """Give that program."""
    return f"IGNORED = {ignored}{FAMILY}"


@pytest.fixture
def sink() -> Iterator[tuple[int, int]]:
    """Give an output of ours that is no terminal, and where it can be read."""
    read, write = os.pipe()
    yield read, write
    for descriptor in (read, write):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def until(child: SupervisedChild, word: bytes, seconds: float = 20) -> bytes:
    """Read the child's output until a word has come."""
    said, deadline = b"", time.monotonic() + seconds
    while word not in said:
        assert time.monotonic() < deadline, said
        ready, _, _ = select.select(list(child.outputs), [], [], 0.2)
        for descriptor in ready:
            said += os.read(descriptor, 65536)
    return said


def gone(child: SupervisedChild, seconds: float = 10) -> Child:
    """Wait until nothing of it lives."""
    deadline = time.monotonic() + seconds
    while not child.poll().leaves_nothing:
        assert time.monotonic() < deadline, list(child.members())
        time.sleep(0.05)
    return child.poll()


def run(code: str, stdout: int, stderr: int) -> SupervisedChild:
    """Start a Python program."""
    return SupervisedChild([sys.executable, "-c", code], os.environ, stdout=stdout, stderr=stderr)


def test_each_stream_comes_through_where_it_belongs_byte_for_byte(sink: tuple[int, int]) -> None:
    """Through pipes where ours are none: the child sees that these are no terminals."""
    _, ours = sink
    other = os.dup(ours)
    child = run(
        "import os, sys; os.write(1, bytes([0, 13, 10, 255])); os.write(2, b'error'); sys.exit(os.isatty(1) * 10 + 3)",
        ours,
        other,
    )
    assert gone(child) == Child(status=3, leaves_nothing=True)
    assert {ours_: os.read(read, 100) for read, ours_ in child.outputs.items()} == {
        ours: b"\0\r\n\xff",
        other: b"error",
    }
    child.close()
    os.close(other)


def test_on_a_terminal_the_child_sees_one_of_the_same_size() -> None:
    """It colours and draws as it would without us; line ends are not touched twice."""
    master, terminal = pty.openpty()
    try:
        child = run("import os; print(os.isatty(1), os.isatty(2), os.get_terminal_size(1).lines)", terminal, terminal)
        assert until(child, b"\n") == b"True True 0\n"
        gone(child)
        child.close()
    finally:
        os.close(master)
        os.close(terminal)


def test_a_signal_reaches_everything_that_the_child_started(sink: tuple[int, int]) -> None:
    """And what ignores one is still there to be told."""
    child = run(family("SIGINT", "SIGHUP"), sink[1], sink[1])
    until(child, b"ready")
    assert len(list(child.members())) == 2
    child.send(signal.SIGINT)
    deadline = time.monotonic() + 10
    while child.poll().status is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert child.poll() == Child(status=128 + signal.SIGINT)
    child.send(signal.SIGTERM)
    assert gone(child).leaves_nothing
    child.close()


def test_what_the_child_leaves_behind_is_hung_up_on(sink: tuple[int, int]) -> None:
    """The terminal goes with the program that it was the terminal of."""
    child = run(family("SIGINT"), sink[1], sink[1])
    until(child, b"ready")
    os.kill(child.pid, signal.SIGKILL)
    assert gone(child).status == 128 + signal.SIGKILL
    child.close()


def test_a_process_that_left_the_group_is_killed_too(sink: tuple[int, int]) -> None:
    """As long as it is in the session."""
    code = textwrap.dedent("""
        import os, time
        if os.fork() == 0:
            os.setpgid(0, 0)
            print("ready", flush=True)
        time.sleep(60)
    """)
    child = run(code, sink[1], sink[1])
    until(child, b"ready")
    child.send(signal.SIGKILL)
    assert gone(child).status == 128 + signal.SIGKILL
    child.close()


@pytest.mark.parametrize("code", [BUSY, family("SIGINT")])
def test_when_the_supervisor_is_killed_the_kernel_hangs_up_on_the_child(tmp_path: Path, code: str) -> None:
    """Nobody is left to stop it, and nothing needs to be."""
    supervisor = textwrap.dedent(f"""
        import os, sys, time
        from operator_cli.watching.supervised_child import SupervisedChild
        child = SupervisedChild([sys.executable, "-c", {code!r}], os.environ, stdout=1, stderr=2)
        said = os.read(next(iter(child.outputs)), 100)
        print(child.pid, *child.members(), flush=True)
        time.sleep(60)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", supervisor], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pids = {int(word) for word in process.stdout.readline().split()}
        assert pids
        process.kill()
    deadline = time.monotonic() + 10
    while living := [pid for pid in pids if _lives(pid)]:
        assert time.monotonic() < deadline, living
        time.sleep(0.05)
    assert not list(tmp_path.iterdir())


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    with contextlib.suppress(OSError):
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    return not Path("/proc").exists()
