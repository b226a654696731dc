"""`rolebound scan` in real git repositories."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from stacks.dependency_layer import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Scan = Callable[..., subprocess.CompletedProcess[str]]

KEY_ID = "AKIA" + "QX7RTPL2MNVW4ZKD"
SECRET = "qT8vLr2Nf0/ZyPw4KdXbE6mUaHs9JcGi1OoR+3tB"
SCRIPT = f"#!/bin/bash\nexport AWS_ACCESS_KEY_ID={KEY_ID}\nexport AWS_SECRET_ACCESS_KEY={SECRET}\ncdk watch\n"


def _git(repository: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=repository, check=True, capture_output=True)  # noqa: S607 - the one on PATH


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one clean commit."""
    _git(tmp_path, "init", "-q")
    (tmp_path / "app.py").write_text("import boto3\nsqs = boto3.client('sqs')\n")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "clean")
    return tmp_path


@pytest.fixture
def scan(repository: Path) -> Scan:
    """Runs the command in the repository; whatever it says holds no value."""

    def run(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        said = subprocess.run(
            [sys.executable, "-m", "operator_cli", "scan", *arguments],
            cwd=folder or repository,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert SECRET not in said.stdout + said.stderr
        assert KEY_ID not in said.stdout + said.stderr
        return said

    return run


def _answer(said: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return json.loads(said.stdout)  # type: ignore[no-any-return]


def test_a_clean_repository_is_good(scan: Scan) -> None:
    """Exit status 0, and how much was looked at."""
    said = scan()
    assert said.returncode == 0, said.stderr
    assert "1 files scanned, 0 credentials found" in said.stdout


def test_a_script_with_credentials_is_refused_and_can_be_ignored(scan: Scan, repository: Path) -> None:
    """Found while nobody has added it; `--ignore` keeps every commit from taking it."""
    (repository / "infra").mkdir()
    (repository / "infra" / "run it.sh").write_text(SCRIPT)
    said = scan("--json")
    assert said.returncode == 1
    assert {(leak["file"], leak["line"], leak["place"]) for leak in _answer(said)["leaks"]} == {
        ("infra/run it.sh", 2, "untracked"),
        ("infra/run it.sh", 3, "untracked"),
    }
    again = scan("--ignore")
    assert again.returncode == 0, again.stdout
    assert r"/infra/run\ it.sh" in (repository / ".gitignore").read_text().splitlines()
    assert scan().returncode == 0
    _git(repository, "add", "-A")
    assert (
        "run it.sh"
        not in subprocess.run(
            ["git", "ls-files"],  # noqa: S607 - the one on PATH
            cwd=repository,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )


def test_ignoring_twice_adds_nothing(scan: Scan, repository: Path) -> None:
    """And what stood in the file stays, also without a line break at its end."""
    (repository / ".gitignore").write_text("build/")
    scan("--ignore")
    once = (repository / ".gitignore").read_text()
    assert once.startswith("build/\n")
    scan("--ignore")
    assert (repository / ".gitignore").read_text() == once


def test_what_is_staged_counts_as_staged(scan: Scan, repository: Path) -> None:
    """A credential that was removed from the work tree afterwards is still in the commit, and the reverse is not."""
    file = repository / "settings.py"
    file.write_text(f'KEY = "{KEY_ID}"\n')
    _git(repository, "add", "settings.py")
    file.write_text("KEY = None\n")
    (repository / "app.py").write_text(f'KEY = "{KEY_ID}"\n')
    said = scan("--staged", "--json")
    assert said.returncode == 1
    assert [(leak["file"], leak["place"]) for leak in _answer(said)["leaks"]] == [("settings.py", "staged")]
    assert "git reset -q -- settings.py" in _answer(said)["leaks"][0]["fix"]


def test_a_commit_hook_of_another_repository_looks_at_this_one(
    scan: Scan, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git tells its hooks a folder by variable, which must not send the scan elsewhere."""
    monkeypatch.setenv("GIT_DIR", "/nonexistent/.git")
    (repository / "a.env").write_text(f"AWS_ACCESS_KEY_ID={KEY_ID}\n")
    _git_free = dict(os.environ)
    _git_free.pop("GIT_DIR")
    subprocess.run(["git", "add", "a.env"], cwd=repository, check=True, env=_git_free)  # noqa: S607 - the one on PATH
    assert scan("--staged").returncode == 1


def test_from_a_folder_below_the_whole_repository_is_scanned(scan: Scan, repository: Path) -> None:
    """A commit takes all of it."""
    (repository / "deep").mkdir()
    (repository / "a.env").write_text(f"AWS_ACCESS_KEY_ID={KEY_ID}\n")
    assert scan(folder=repository / "deep").returncode == 1


def test_files_and_folders_can_be_named_outside_of_any_repository(
    scan: Scan, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nothing is asked of git then."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "x.json").write_text('{"startUrl": "https://x.example", "accessToken": "made-up"}')
    said = scan(str(folder), "--json", folder=folder)
    assert said.returncode == 1
    assert _answer(said)["leaks"][0]["place"] == "elsewhere"


def test_excluded_files_are_left_out(scan: Scan, repository: Path) -> None:
    """By path or by name."""
    (repository / "tests").mkdir()
    (repository / "tests" / "made_up.py").write_text(f'KEY = "{KEY_ID}"\n')
    assert scan().returncode == 1
    assert scan("--exclude", "tests/**").returncode == 0
    assert scan("--exclude", "made_up.py").returncode == 0


def test_what_cannot_be_read_is_named_and_refused(scan: Scan, repository: Path) -> None:
    """A file that nobody looked at is no clean file."""
    missing = scan(str(repository / "no-such-file"))
    assert missing.returncode == 1
    assert "no-such-file  not scanned: there is no such file" in missing.stdout
    (repository / "large.txt").write_text("a" * 5_000_001)
    large = scan()
    assert large.returncode == 1
    assert "large.txt  not scanned: larger than 5 MB" in large.stdout


def test_text_of_powershell_is_read_and_binary_files_are_counted(scan: Scan, repository: Path) -> None:
    """UTF-16 is text; a picture is none, and is no reason to refuse a repository unless it was named."""
    (repository / "out.txt").write_text(f"$env:AWS_SECRET_ACCESS_KEY='{SECRET}'\n", encoding="utf-16")
    (repository / "logo.png").write_bytes(b"\x89PNG\0\0")
    answer = _answer(scan("--json"))
    assert [(leak["file"], leak["line"]) for leak in answer["leaks"]] == [("out.txt", 1)]
    assert (answer["binary"], answer["not_scanned"]) == (1, [])
    assert "logo.png  not scanned: binary" in scan(str(repository / "logo.png")).stdout


def test_what_never_ends_is_not_read(scan: Scan, repository: Path) -> None:
    """A pipe or a device is named, at once."""
    os.mkfifo(repository / "pipe")
    for endless in (repository / "pipe", "/dev/zero"):
        said = scan(str(endless))
        assert (said.returncode, "not scanned: no regular file" in said.stdout) == (1, True)


def test_the_name_of_a_file_commands_no_terminal(scan: Scan, repository: Path) -> None:
    """Control characters are written out; the command to copy is quoted."""
    strange = repository / "a\x1b[2J b.env"
    strange.write_text(f"AWS_ACCESS_KEY_ID={KEY_ID}\n")
    _git(repository, "add", "-A")
    said = scan("--staged")
    assert "\x1b" not in said.stdout.partition("→")[0]
    assert r"a\x1b[2J b.env:1" in said.stdout
    assert "git reset -q -- '" in said.stdout


def test_the_printed_command_takes_a_file_out_of_the_first_commit(
    scan: Scan, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Before there is any commit to restore from."""
    fresh = tmp_path_factory.mktemp("fresh")
    _git(fresh, "init", "-q")
    (fresh / "a.env").write_text(f"AWS_ACCESS_KEY_ID={KEY_ID}\n")
    _git(fresh, "add", "a.env")
    (leak,) = _answer(scan("--staged", "--json", folder=fresh))["leaks"]
    command = leak["fix"].partition("git ")[2].partition(". Then")[0]
    _git(fresh, *command.split())
    assert scan("--staged", folder=fresh).returncode == 0


def test_outside_of_a_repository_it_says_what_to_do(scan: Scan, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Wrong usage, in three parts."""
    said = scan(folder=tmp_path_factory.mktemp("nowhere"))
    assert said.returncode == 2
    assert "is in no git repository" in said.stderr
    assert "What to do:" in said.stderr


def test_staged_and_paths_exclude_each_other(scan: Scan) -> None:
    """One list of files at a time."""
    assert scan("--staged", "app.py").returncode == 2


def test_the_repositorys_own_gitignore_covers_what_carries_credentials(scan: Scan) -> None:
    """We take our own advice."""
    said = scan("--exclude", "*", folder=ROOT)
    assert "is not in .gitignore" not in said.stdout


def test_what_is_accepted_is_known_by_its_text_and_anything_beside_it_is_found(scan: Scan, repository: Path) -> None:
    """The line may move; another credential in the same file, or the same one in another file, is a finding."""
    tests = repository / "test_keys.py"
    tests.write_text(f'KEY_ID = "{KEY_ID}"\n')
    assert scan().returncode == 1
    accepting = scan("--accept", "made up, for tests", "test_keys.py")
    assert (accepting.returncode, "0 credentials found, 1 accepted" in accepting.stdout) == (0, True)
    assert "added to .rolebound-accepted.toml: test_keys.py:1  " in accepting.stdout
    kept = (repository / ".rolebound-accepted.toml").read_text()
    assert 'file = "test_keys.py"\nreason = "made up, for tests"\n' in kept
    assert KEY_ID not in kept

    tests.write_text(f'"""Made up."""\n\nif True:\n    KEY_ID = "{KEY_ID}"\n')
    for arguments in ((), ("test_keys.py",), (str(tests),)):
        said = scan(*arguments)
        assert (said.returncode, "1 accepted" in said.stdout) == (0, True), arguments
    _git(repository, "add", ".")
    assert scan("--staged").returncode == 0

    tests.write_text(tests.read_text() + f'SECOND = "{"AKIA" + "ZZ7RTPL2MNVW4ZKD"}"\n')
    (repository / "app.py").write_text(f'KEY_ID = "{KEY_ID}"\n')
    found = {(leak["file"], leak["line"]) for leak in _answer(scan("--json"))["leaks"]}
    assert found == {("test_keys.py", 5), ("app.py", 1)}


def test_a_commit_is_judged_by_the_list_that_it_takes(scan: Scan, repository: Path) -> None:
    """Else the hook lets through what is found wherever the list of the work tree is not."""
    (repository / "test_keys.py").write_text(f'KEY_ID = "{KEY_ID}"\n')
    _git(repository, "add", ".")
    said = scan("--staged")
    assert (said.returncode, 'rolebound scan --accept "why it is there" FILE' in said.stdout) == (1, True)
    accepting = scan("--staged", "--accept", "made up")
    assert (accepting.returncode, "git add .rolebound-accepted.toml" in accepting.stdout) == (0, True)
    assert "git add .rolebound-accepted.toml" not in scan().stdout
    assert scan("--staged").returncode == 1
    _git(repository, "add", ".")
    assert scan("--staged").returncode == 0


def test_a_name_that_is_no_text_can_be_accepted_too(scan: Scan, repository: Path) -> None:
    """Git knows names that no encoding does."""
    name = os.fsencode(repository) + b"/we\xffird.env"
    with open(name, "w", encoding="utf-8") as file:  # noqa: PTH123 - a path of bytes
        file.write(f"AWS_ACCESS_KEY_ID={KEY_ID}\n")
    assert scan("--accept", "made up").returncode == 0
    assert scan().returncode == 0


def test_a_list_that_cannot_be_written_is_no_traceback(scan: Scan, repository: Path) -> None:
    """It is named, and nothing is taken for accepted."""
    (repository / ".rolebound-accepted.toml").mkdir()
    said = scan("--accept", "made up")
    assert (said.returncode, "Traceback" in said.stderr) == (2, False)
    assert ".rolebound-accepted.toml cannot be used: Is a directory" in said.stderr


def test_accepted_lines_that_are_gone_are_told_and_dropped(scan: Scan, repository: Path) -> None:
    """A list that only grows would one day hold what nobody knows."""
    tests = repository / "test_keys.py"
    tests.write_text(f'KEY_ID = "{KEY_ID}"\n')
    scan("--accept", "made up", "test_keys.py")
    tests.write_text("KEY_ID = None\n")
    (stale,) = (line for line in scan().stdout.splitlines() if "what is no longer there" in line)
    fingerprint = stale.rpartition(": ")[2]
    kept = (repository / ".rolebound-accepted.toml").read_text()
    assert f'    "{fingerprint}",\n' in kept
    assert "no longer there" not in scan("--staged").stdout
    assert scan("--accept", "made up").returncode == 0
    assert "test_keys.py" not in (repository / ".rolebound-accepted.toml").read_text()


@pytest.mark.parametrize("listed", ["[", "accepted = 3", "[[accepted]]\nfile = 'x'", "[[accepted]]\nfile = ''", "\xff"])
def test_a_list_that_cannot_be_read_accepts_nothing(scan: Scan, repository: Path, listed: str) -> None:
    """Nothing is scanned then: what is accepted is not known."""
    (repository / ".rolebound-accepted.toml").write_text(listed, encoding="latin-1")
    said = scan()
    assert (said.returncode, said.stdout) == (2, "")
    assert ".rolebound-accepted.toml is no list of accepted lines" in said.stderr


def test_nothing_is_accepted_without_a_reason_or_a_repository(
    scan: Scan, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The list says why, and lies beside what it is about."""
    assert scan("--accept", " ").returncode == 2
    outside = tmp_path_factory.mktemp("outside")
    (outside / "a.env").write_text(f"AWS_ACCESS_KEY_ID={KEY_ID}\n")
    assert scan("--accept", "made up", str(outside / "a.env")).returncode == 2


def test_what_lies_outside_is_found_beside_what_a_repository_accepts(
    scan: Scan, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The list says nothing of it."""
    outside = tmp_path_factory.mktemp("outside") / "a.env"
    (repository / "a.env").write_text(f"AWS_ACCESS_KEY_ID={KEY_ID}\n")
    outside.write_text(f"AWS_ACCESS_KEY_ID={KEY_ID}\n")
    scan("--accept", "made up", "a.env")
    said = scan("--json", "a.env", str(outside))
    assert [leak["file"] for leak in _answer(said)["leaks"]] == [str(outside)]


def test_this_repository_holds_no_credential_that_is_not_accepted_for_a_reason(scan: Scan) -> None:
    """Who clones it and scans it sees nothing."""
    said = scan("--json", folder=ROOT)
    next_step = 'made up? python -m operator_cli scan --accept "made up: why it is there" FILE'
    assert [f"{leak['file']}:{leak['line']}: {leak['what']}" for leak in _answer(said)["leaks"]] == [], next_step
    assert not [line for line in _answer(said)["advice"] if "no longer there" in line]
    assert said.returncode == 0, _answer(said)["not_scanned"]
