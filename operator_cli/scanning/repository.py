"""What git says of a repository: its files, what is staged, what it ignores."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus
from operator_cli.scanning.accepted import FILE, Accepted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NONE_IGNORED: Final = 1


class Repository:
    """A git work tree.

    Args:
        top: Its top folder.
    """

    def __init__(self, top: Path) -> None:
        self.top = top

    @classmethod
    def around(cls, folder: Path) -> Repository:
        """Give the repository that a folder lies in.

        Raises:
            OperatorError: It lies in none, or git is not installed.
        """
        try:
            answer = _git(folder, "rev-parse", "--show-toplevel")
        except OSError as error:
            if not isinstance(error, FileNotFoundError) or error.filename != "git":
                raise OperatorError(
                    f"{folder} cannot be entered: {error.strerror}.",
                    why="Nobody can say which files a commit would take.",
                    next_step="Look at the folder and its permissions, or name the files: rolebound scan FILE …",
                    status=ExitStatus.WRONG_USAGE,
                ) from error
            raise OperatorError(
                "git is not installed.",
                why="Without it nobody can say which files a commit would take.",
                next_step="Install git, or name the files: rolebound scan FILE …",
                status=ExitStatus.WRONG_USAGE,
            ) from None
        if b"dubious ownership" in answer.stderr:
            raise _failed("rev-parse", answer.stderr)
        if answer.returncode != 0:
            raise OperatorError(
                f"{folder} is in no git repository.",
                why="Without one there is no list of files, and nothing staged to look at.",
                next_step="Go into the repository, or name the files and folders: rolebound scan PATH …",
                status=ExitStatus.WRONG_USAGE,
            )
        return cls(Path(os.fsdecode(answer.stdout).rstrip("\n")))

    def tracked(self) -> list[str]:
        """Give the files that git tracks, from the top."""
        return self._names("ls-files", "-z")

    def untracked(self) -> list[str]:
        """Give the files that git neither tracks nor ignores."""
        return self._names("ls-files", "-z", "--others", "--exclude-standard")

    def staged(self) -> list[str]:
        """Give the files that the next commit adds or changes."""
        return self._names("diff", "--cached", "--name-only", "-z", "--diff-filter=ACMRT", "--no-renames")

    def write_staged(self, files: Sequence[str], folder: Path) -> None:
        """Write files as they are staged, which may be other than in the work tree, below `folder`."""
        # With a prefix of its own, git does not touch the work tree.
        arguments = ["checkout-index", "-z", "--stdin", f"--prefix={folder}{os.sep}"]
        self._checked(arguments, "\0".join(files).encode("utf-8", "surrogateescape"))

    def ignored(self, paths: Sequence[str]) -> set[str]:
        """Give those of the paths that the repository ignores, whether they are there or not."""
        answer = _git(
            self.top,
            "check-ignore",
            "-z",
            "--stdin",
            "--no-index",
            stdin="\0".join(paths).encode("utf-8", "surrogateescape"),
        )
        if answer.returncode > _NONE_IGNORED:
            raise _failed("check-ignore", answer.stderr)
        return set(_split(answer.stdout))

    def ignore(self, patterns: Sequence[str]) -> None:
        """Add lines to the repository's `.gitignore`."""
        file = self.top / ".gitignore"
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        gap = "" if not before or before.endswith("\n") else "\n"
        with file.open("a", encoding="utf-8") as written:
            written.write(gap + "".join(f"{pattern}\n" for pattern in patterns))

    def accepted(self, *, is_staged: bool = False) -> Accepted:
        """Give what the repository's own list accepts; nothing without one.

        Args:
            is_staged: Read it as the next commit takes it, not as it lies in the work tree.

        Raises:
            OperatorError: The list cannot be understood.
        """
        if is_staged:
            answer = _git(self.top, "cat-file", "blob", f":{FILE}")
            # Without one, nothing is accepted: that is never too little.
            return Accepted.read(answer.stdout.decode(errors="replace")) if answer.returncode == 0 else Accepted()
        file = self.top / FILE
        return Accepted.read(file.read_text(encoding="utf-8", errors="replace")) if file.is_file() else Accepted()

    def write_accepted(self, accepted: Accepted) -> None:
        """Write the repository's list."""
        (self.top / FILE).write_text(str(accepted), encoding="utf-8", errors="replace")

    def name_of(self, file: str) -> str | None:
        """Give a file's name from the top; `None` if it lies elsewhere."""
        path = Path(file).absolute().resolve()
        top = self.top.resolve()
        return path.relative_to(top).as_posix() if path.is_relative_to(top) else None

    def _names(self, *arguments: str) -> list[str]:
        return list(_split(self._checked(arguments, b"")))

    def _checked(self, arguments: Sequence[str], stdin: bytes) -> bytes:
        answer = _git(self.top, *arguments, stdin=stdin)
        if answer.returncode != 0:
            raise _failed(arguments[0], answer.stderr)
        return answer.stdout


def _git(folder: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    # Whatever the shell, or a hook that git runs, says of another repository must not lead there; the index may be a
    # temporary one (`git commit -a`), which is then the one that counts.
    environ = {name: value for name, value in os.environ.items() if name not in {"GIT_DIR", "GIT_WORK_TREE"}}
    return subprocess.run(
        ["git", *arguments],  # noqa: S607 - the git on the operator's PATH is the one they use
        cwd=folder,
        input=stdin,
        env=environ,
        capture_output=True,
        check=False,
    )


def _split(answer: bytes) -> Iterator[str]:
    return (os.fsdecode(name) for name in answer.split(b"\0") if name)


def _failed(command: str, said: bytes) -> OperatorError:
    return OperatorError(
        f"`git {command}` failed: {said.decode(errors='replace').strip()}",
        why="Nothing was scanned.",
        next_step="Mend what git names, then run the same command again.",
    )
