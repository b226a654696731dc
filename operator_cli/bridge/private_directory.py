"""The supervisor's own directory: what only its user may enter, and what is gone when it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX: Final = "rolebound-watch-"
_PLAIN: Final = re.compile(r"[A-Za-z0-9/._-]{1,70}")
"""Paths that need no quoting in a configuration file or a shell, and leave a socket's name room: macOS has 104 bytes."""


@contextmanager
def private_directory(environ: Mapping[str, str]) -> Iterator[Path]:
    """Give a new directory that only this user may enter, and remove it with everything in it.

    What a supervisor left that was killed is removed too: each holds a lock for as long as it lives.

    Args:
        environ: The environment, for the place of temporary files.
    """
    base = _base(environ)
    _remove_leftovers(base)
    directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))  # mkdtemp makes it 0700
    lock = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _base(environ: Mapping[str, str]) -> Path:
    """Give the first place for temporary files that exists, is writable, and has a plain, short name."""
    for place in (environ.get("XDG_RUNTIME_DIR"), environ.get("TMPDIR")):
        if place and _PLAIN.fullmatch(place) and os.access(place, os.W_OK | os.X_OK) and Path(place).is_dir():
            return Path(place)
    return Path("/tmp")  # noqa: S108 - mkdtemp makes the directory in it


def _remove_leftovers(base: Path) -> None:
    for directory in base.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            found = directory.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
                continue
            lock = os.open(directory, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # One that is being made is empty and not yet locked.
                if any(directory.iterdir()):
                    shutil.rmtree(directory, ignore_errors=True)
            finally:
                os.close(lock)
