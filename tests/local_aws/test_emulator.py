"""The emulator's life as seen from outside, with a stand-in that holds the lock and never answers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from local_aws import emulator, locks
from local_aws.emulator import Record, State
from local_aws.errors import LocalAwsError
from local_aws.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORD = Record(pid=4711, port=4566, fingerprint="as it is")


@pytest.mark.parametrize(
    ("record", "locked", "answers", "expected"),
    [
        (None, False, False, State.ABSENT),
        (RECORD, False, False, State.DEAD),
        (RECORD, False, True, State.DEAD),
        (RECORD, True, True, State.RUNNING),
        (RECORD, True, False, State.SILENT),
        (None, True, False, State.SILENT),
        (Record(pid=4711, port=4566, fingerprint="as it was"), True, True, State.OUTDATED),
    ],
)
def test_the_lock_decides_whether_it_lives(
    record: Record | None, *, locked: bool, answers: bool, expected: State
) -> None:
    """A record alone, or an answer from somebody else, never counts as our running emulator."""
    assert emulator.judge(record, locked=locked, answers=answers, current="as it is") is expected


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[Places]:
    """A local AWS whose emulator starts, holds its lock, has a child, and never answers."""
    places = project_with_emulator(tmp_path, "sleep 600 & sleep 600")
    yield places
    emulator.stop(places)


def project_with_emulator(folder: Path, script: str) -> Places:
    """A project whose emulator is this shell script."""
    places = Places(project=folder, directory=folder / ".local")
    places.emulator_python.parent.mkdir(parents=True)
    places.emulator_python.write_text(f"#!/bin/sh\n{script}\n")
    places.emulator_python.chmod(0o755)
    places.emulator_requirements.parent.mkdir()
    places.emulator_requirements.write_text("ministack==0\n")
    return places


def start_without_waiting(places: Places) -> Record:
    """Start the stand-in the way `start` does, up to the waiting."""
    with pytest.raises(LocalAwsError, match="did not answer"):
        emulator.start(places, patience=0)
    lock = locks.try_lock(places.emulator_lock)
    assert lock is not None
    record = Record(pid=emulator._spawn(places, 1, lock), port=1, fingerprint=emulator.fingerprint(places))
    emulator._write_record(lock, record)
    os.close(lock)
    return record


def is_gone(group: int) -> bool:
    """Whether no process of the group is left."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-group, os.WNOHANG)  # a zombie would count as one that is left
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_one_that_never_answers_is_stopped_and_told(stand_in: Places) -> None:
    """The person is told that it did not answer and where its log lies, and nothing is left running."""
    with pytest.raises(LocalAwsError, match="did not answer on port") as refusal:
        emulator.start(stand_in, patience=0.3)
    assert refusal.value.log == stand_in.emulator_log
    assert not locks.is_locked(stand_in.emulator_lock)
    assert emulator.state(stand_in) == (State.ABSENT, None)


def test_one_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    """What the emulator said before it ended is in the message."""
    places = project_with_emulator(tmp_path, "echo no such module: hypercorn; exit 3")
    with pytest.raises(LocalAwsError, match=r"(?s)exit 3.*no such module: hypercorn"):
        emulator.start(places, patience=10)


def test_one_that_is_not_installed_is_told_with_the_command(tmp_path: Path) -> None:
    """Without the emulator's venv the message names the command that makes it."""
    with pytest.raises(LocalAwsError, match="make up"):
        emulator.start(Places(project=tmp_path, directory=tmp_path / ".local"))


def test_stop_ends_it_with_all_its_functions(stand_in: Places) -> None:
    """The whole process group ends: the functions are the emulator's children."""
    record = start_without_waiting(stand_in)
    assert emulator.state(stand_in)[0] is State.SILENT
    assert emulator.stop(stand_in)
    assert is_gone(record.pid)


def test_stop_twice_is_no_error(stand_in: Places) -> None:
    """`make down` may be run at any time."""
    start_without_waiting(stand_in)
    assert emulator.stop(stand_in)
    assert not emulator.stop(stand_in)


def test_a_second_start_in_the_same_place_is_refused(stand_in: Places) -> None:
    """Two emulators never share a state directory."""
    start_without_waiting(stand_in)
    with pytest.raises(LocalAwsError, match="already runs"):
        emulator.start(stand_in, patience=0)


def test_a_killed_one_is_known_as_dead(stand_in: Places) -> None:
    """However it died, the lock is free and the record says that there was one."""
    record = start_without_waiting(stand_in)
    os.killpg(record.pid, signal.SIGKILL)
    assert is_gone(record.pid)
    assert emulator.state(stand_in)[0] is State.DEAD


def test_a_process_that_took_over_the_number_is_never_signalled(stand_in: Places) -> None:
    """A stale record that names a living process of somebody else is no licence to end it."""
    with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as foreigner:
        try:
            lock = locks.try_lock(stand_in.emulator_lock)
            assert lock is not None
            emulator._write_record(lock, Record(pid=foreigner.pid, port=4566, fingerprint=""))
            os.close(lock)
            assert emulator.state(stand_in)[0] is State.DEAD
            assert not emulator.stop(stand_in)
            assert foreigner.poll() is None
        finally:
            foreigner.kill()


@pytest.mark.parametrize("content", ["", "no JSON", "[]", '{"pid": "x"}', '{"pid": 1}'])
def test_an_unreadable_record_counts_as_none(stand_in: Places, content: str) -> None:
    """Half-written or foreign content is no record, and no crash."""
    stand_in.emulator_lock.write_text(content)
    assert emulator.read_record(stand_in) is None


def test_other_packages_or_another_folder_make_it_outdated(stand_in: Places) -> None:
    """The fingerprint follows what a running emulator depends on."""
    before = emulator.fingerprint(stand_in)
    moved = Places(project=stand_in.project, directory=stand_in.project / "elsewhere")
    assert emulator.fingerprint(moved) != before
    stand_in.emulator_requirements.write_text("ministack==1\n")
    assert emulator.fingerprint(stand_in) != before
