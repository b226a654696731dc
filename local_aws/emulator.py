"""Starts, finds and stops the one emulator of a local AWS.

The running emulator holds a lock on `emulator.lock` from its first moment to its last, and the system releases it when
the process dies. So "is it ours, and alive?" has one answer, which a stale or reused process id cannot change: no
process is ever signalled on the strength of a number in a file.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import http.client
import json
import os
import shutil
import signal
import ssl
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from local_aws import certificate, environment, locks, ports
from local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from local_aws.places import Places

HEALTHY_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 5
HTTP_OK = 200
LOG_LINES_SHOWN = 15


@dataclass(frozen=True)
class Record:
    """What the emulator was started as; lies in the lock file.

    Attributes:
        pid: Its process id, which is also its process group's.
        port: Where it listens.
        fingerprint: What it depends on: see `fingerprint`.
    """

    pid: int
    port: int
    fingerprint: str


class State(enum.Enum):
    """What is to be said of a local AWS's emulator."""

    ABSENT = "never started, or stopped in order"
    DEAD = "it died: the record of a process that no longer runs was left behind"
    RUNNING = "it runs and answers"
    OUTDATED = "it runs, but was started with other packages or from another folder"
    SILENT = "it runs, but does not answer"


def judge(record: Record | None, *, locked: bool, answers: bool, current: str) -> State:
    """What the facts amount to.

    Args:
        record: What the lock file says, if it says something readable.
        locked: Whether the lock is held, that is: whether our emulator lives.
        answers: Whether our emulator (nobody else has its certificate) answers on the recorded port.
        current: The fingerprint that an emulator started now would have.
    """
    if not locked:
        return State.ABSENT if record is None else State.DEAD
    if record is None or not answers:
        return State.SILENT
    return State.RUNNING if record.fingerprint == current else State.OUTDATED


def read_record(places: Places) -> Record | None:
    """What the lock file says, `None` if there is none or it is not readable."""
    try:
        written = json.loads(places.emulator_lock.read_text())
        return Record(pid=int(written["pid"]), port=int(written["port"]), fingerprint=str(written["fingerprint"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fingerprint(places: Places) -> str:
    """Changes when a running emulator no longer fits: other packages, or its folder was moved."""
    parts = [places.emulator_requirements.read_bytes(), str(places.directory).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def answers(places: Places, port: int, *, timeout: float = 3) -> bool:
    """Whether this local AWS's own emulator answers on the port: TLS proves that it is nobody else."""
    if not places.ca_bundle.is_file():
        return False
    context = ssl.create_default_context(cafile=str(places.ca_bundle))
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout, context=context)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == HTTP_OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def state(places: Places) -> tuple[State, Record | None]:
    """How this local AWS's emulator is, and what it was started as."""
    record = read_record(places)
    locked = locks.is_locked(places.emulator_lock)
    healthy = locked and record is not None and answers(places, record.port)
    return judge(record, locked=locked, answers=healthy, current=fingerprint(places)), record


def start(places: Places, *, patience: float = HEALTHY_WITHIN_SECONDS) -> Record:
    """Start an emulator that outlives this process, and wait until it answers.

    It takes the usual port if that is free, else the port it had last time, else any.

    Args:
        places: Where this local AWS lies.
        patience: How many seconds it may take until it answers.

    Raises:
        LocalAwsError: It cannot be started, or does not answer in time.
    """
    if not places.emulator_python.is_file():
        raise LocalAwsError(
            f"The emulator is not installed ({places.shown(places.emulator_python)} is missing).",
            why="It plays AWS; without it there is nothing to deploy to.",
            next_step="Run `make up`, which installs it first.",
        )
    previous = read_record(places)
    lock = locks.try_lock(places.emulator_lock, patience=1)
    if lock is None:
        raise LocalAwsError(
            f"An emulator already runs in {places.shown(places.directory)}.",
            why="Two emulators cannot share one state directory.",
            next_step="Run `make down`, then `make up`.",
            log=places.emulator_log,
        )
    try:
        os.truncate(lock, 0)
        certificate.ensure_certificate(places)
        _clear_leftovers(places)
        wishes = [ports.USUAL_PORT, *([previous.port] if previous else [])]
        port = ports.choose_port(wishes, ports.is_free, ports.any_free)
        record = Record(pid=_spawn(places, port, lock), port=port, fingerprint=fingerprint(places))
        _write_record(lock, record)
    finally:
        os.close(lock)
    _wait_until_it_answers(places, record, patience)
    return record


def stop(places: Places) -> bool:
    """Stop the emulator and every function that it runs; nothing else is touched.

    Returns:
        Whether there was one to stop.

    Raises:
        LocalAwsError: It runs, but nothing says as which process.
    """
    record = read_record(places)
    stopped = False
    if locks.is_locked(places.emulator_lock):
        if record is None:
            raise LocalAwsError(
                f"An emulator runs in {places.shown(places.directory)}, but its record is gone.",
                why="Without its process id it cannot be stopped safely.",
                next_step=f"Find it with `fuser {places.emulator_lock}` (or lsof), stop it, then run `make up`.",
                log=places.emulator_log,
            )
        _signal_group(record.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOPPED_WITHIN_SECONDS
        while locks.is_locked(places.emulator_lock) and time.monotonic() < deadline:
            time.sleep(0.05)
        # Whatever is left of the group, be it the emulator or a function that ignores its end.
        _signal_group(record.pid, signal.SIGKILL)
        stopped = True
    places.emulator_lock.unlink(missing_ok=True)
    _clear_leftovers(places)
    return stopped


def last_log_lines(places: Places) -> str:
    """The end of the emulator's log, indented for a message."""
    try:
        lines = places.emulator_log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines[-LOG_LINES_SHOWN:])


def _write_record(lock: int, record: Record) -> None:
    """Write into the lock file what its holder was started as."""
    os.truncate(lock, 0)
    os.pwrite(lock, json.dumps(asdict(record)).encode(), 0)


def _clear_leftovers(places: Places) -> None:
    """Remove the unpacked functions of an emulator that no longer runs."""
    shutil.rmtree(places.temporary, ignore_errors=True)


def _spawn(places: Places, port: int, lock: int) -> int:
    """Start the emulator in a session of its own, holding the lock, and return its process id."""
    for folder in (places.temporary, places.home):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # By hypercorn, as ministack's own `--detach` does, and not by its main(): that also takes port 443 whenever it may.
    # `-P`, or the folder that make happens to run in could shadow its modules.
    command = [str(places.emulator_python), "-P", "-m", "hypercorn", "ministack.app:app", "--workers", "0"]
    command += ["--bind", f"127.0.0.1:{port}", "--keep-alive", "75", "--graceful-timeout", "1"]
    command += ["--certfile", str(certificate.server_certificate(places))]
    command += ["--keyfile", str(certificate.server_key(places))]
    os.set_inheritable(lock, True)  # noqa: FBT003 - the standard library's signature
    # Not subprocess: its object warns when it is dropped while the process lives on, which is the purpose here.
    return os.posix_spawn(
        command[0],
        command,
        environment.for_emulator(places, port),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(places.emulator_log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _wait_until_it_answers(places: Places, record: Record, patience: float) -> None:
    """Return once the emulator answers; clean up and raise if it does not."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if answers(places, record.port, timeout=1):
            return
        ended, status = os.waitpid(record.pid, os.WNOHANG)
        if ended:
            stop(places)
            raise LocalAwsError(
                f"The emulator ended at once (exit {os.waitstatus_to_exitcode(status)}). Its last words:\n{last_log_lines(places)}",
                why="There is no local AWS to deploy to.",
                next_step="Run `make up` again: it takes another port if this one was snatched away; "
                "if its packages are broken, `rm -r .local/emulator` first.",
                log=places.emulator_log,
            )
        time.sleep(0.1)
    stop(places)
    raise LocalAwsError(
        f"The emulator did not answer on port {record.port} within {patience:.0f} s. "
        f"Its last words:\n{last_log_lines(places)}",
        why="There is no local AWS to deploy to. It was stopped again.",
        next_step="Run `make up` again; if the machine is very busy, when it is less so.",
        log=places.emulator_log,
    )


def _signal_group(group: int, number: signal.Signals) -> None:
    """Signal a process group that we started, if there is anything left of it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
