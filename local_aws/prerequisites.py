"""Checks what a machine must have before the Makefile installs anything, and says what is missing.

Standard library only: this runs before there is a virtual environment.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from local_aws.errors import LocalAwsError

NEEDED_BYTES = 2 * 1024**3
"""Measured: 1.3 GB for everything that the commands install and build."""


@dataclass(frozen=True)
class Machine:
    """What matters of a machine.

    Attributes:
        python: The interpreter's version, for messages and package names: `3.11`.
        has_ensurepip: Whether a virtual environment can be made.
        has_openssl: Whether the command `openssl` is there.
        free_bytes: The space left where the project lies.
        project: The project's root.
        writable: Whether files can be made there.
    """

    python: str
    has_ensurepip: bool
    has_openssl: bool
    free_bytes: int
    project: Path
    writable: bool


def this_machine(project: Path) -> Machine:
    """The machine that this runs on."""
    probe = project / ".local"
    try:
        probe.mkdir(exist_ok=True)
        (probe / ".writable").write_text("")
        (probe / ".writable").unlink()
        writable = True
    except OSError:
        writable = False
    return Machine(
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        has_ensurepip=importlib.util.find_spec("ensurepip") is not None,
        has_openssl=shutil.which("openssl") is not None,
        free_bytes=shutil.disk_usage(project).free,
        project=project,
        writable=writable,
    )


def missing(machine: Machine) -> list[LocalAwsError]:
    """Everything that stands in the way, each with what to do about it."""
    found = []
    if not machine.writable:
        found.append(
            LocalAwsError(
                f"{machine.project} cannot be written to.",
                why="Everything the commands install and write stays inside the project's folder.",
                next_step="Take a copy that is yours (`git clone` or `cp -r`), or `chown` this one, and run make there.",
            )
        )
    if not machine.has_ensurepip:
        found.append(
            LocalAwsError(
                f"Python {machine.python} has no `ensurepip`: no virtual environment can be made.",
                why="All packages are installed into virtual environments inside the project, never into the system.",
                next_step=f"Debian, Ubuntu: `apt-get install python{machine.python}-venv`; "
                "or name another Python: `make PYTHON=/path/to/python3.12 …`.",
            )
        )
    if not machine.has_openssl:
        found.append(
            LocalAwsError(
                "openssl is not installed.",
                why="Local AWS is served over TLS only, as AWS is, and openssl makes its certificate.",
                next_step="Debian, Ubuntu: `apt-get install openssl`; Fedora: `dnf install openssl`; "
                "macOS: `brew install openssl`.",
            )
        )
    if machine.writable and machine.free_bytes < NEEDED_BYTES:
        found.append(
            LocalAwsError(
                f"{machine.project} has {machine.free_bytes / 1024**3:.1f} GB of space left.",
                why=f"The packages and what is built need up to {NEEDED_BYTES / 1024**3:.0f} GB.",
                next_step="Make room, or move the project to a larger disk.",
            )
        )
    return found


def main() -> int:
    """Print what is missing; 0 if nothing is."""
    found = missing(this_machine(Path.cwd()))
    for problem in found:
        print(f"\n{problem}", file=sys.stderr)
    if found:
        print("\nNothing was changed. Run the same command again afterwards.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
