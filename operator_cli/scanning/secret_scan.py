"""Which files hold credentials, and whether they are about to be shared.

Two readers look at each file: `detect-secrets` with its detectors for keys and tokens of many services, and our own for what
it misses: session tokens, Bedrock keys, the caches of `aws login` and of SSO, unquoted assignments in scripts. Both work
offline: no value is sent anywhere to be verified. No answer holds a value.
"""

from __future__ import annotations

import codecs
import json
import re
import shlex
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import takewhile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Protocol

from operator_cli.scanning.accepted import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

LARGEST_BYTES: Final = 5_000_000
"""Larger files are named as not scanned: no script or configuration file that people write is larger."""

_ALLOWED_HERE: Final = re.compile(r"pragma: ?(?:allow|white)list[ -]secret", re.IGNORECASE)
_ALLOWED_NEXT: Final = re.compile(r"pragma: ?(?:allow|white)list[ -]nextline[ -]secret", re.IGNORECASE)
_PUBLISHED: Final = re.compile(r"[A-Z0-9]{4,16}EXAMPLE\b|[A-Za-z0-9/+]{25,40}EXAMPLE(?:KEY|TOKEN)?\b")
"""What AWS prints in its documentation: keys that end in EXAMPLE."""

_VALUE_OF_A_PAIR: Final = re.compile(r"\s*(?:[\"']?(?:parameter)?value[\"']?\s*[:=]|<string>)", re.IGNORECASE)
"""A line whose name stands in the one before: `- name: DB_PASSWORD`, `  value: …`."""

_OPENED: Final = re.compile(r"(?<=[=:])[ \t]{0,8}(?:[|>][-+]?|\(|\\)?$")
"""The end of a line whose value begins in the next one: `SECRET: |`, `SECRET = (`, `SECRET=\\`."""
_ALONE: Final = re.compile(r"[ \t]*[\"']?[^\s\"']{8,}[\"']?[,;]?[ \t]*")

_KEY_BEGINS: Final = re.compile(r"-----BEGIN (?!.*-----END )")
"""The line that a private key begins with, and does not end in."""
_KEY_GOES_ON: Final = re.compile(r"[A-Z][A-Za-z-]+: .*|[A-Za-z0-9+/]*={0,3}")
"""A line of its headers or of itself; an empty one between them."""
_WRAPPED: Final = " \t\"'+,\\"
"""What code and configuration put around the lines of a text."""

_SCRIPTS: Final = frozenset({".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd", ".envrc", ".env", ".command"})
_CODE: Final = frozenset(
    {
        ".py",
        ".ipynb",
        ".js",
        ".mjs",
        ".cjs",
        ".ts",
        ".tsx",
        ".jsx",
        ".go",
        ".java",
        ".kt",
        ".rb",
        ".rs",
        ".php",
        ".cs",
        ".c",
    }
)


class Place(StrEnum):
    """How near a file is to being shared."""

    STAGED = "staged"
    TRACKED = "tracked"
    UNTRACKED = "untracked"
    ELSEWHERE = "elsewhere"
    """In no repository, or not asked."""


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """A credential in a file.

    Attributes:
        file: The file's path as people know it.
        line: The line that it stands in, from 1.
        what: What it is, without its value.
        fingerprint: What its text is known by, the lines of a key that follow included.
    """

    file: str
    line: int
    what: str
    fingerprint: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class LibraryFinding:
    """What `detect-secrets` found in a line.

    Attributes:
        line: The line, from 1.
        what: What it is, without its value.
        by_name_only: Whether only a name gave it away (`password = …`): in templates most of those are references.
    """

    line: int
    what: str
    by_name_only: bool


class Recogniser(Protocol):
    """Our own judgement of one line; `is_code` says that a bare word is a variable there."""

    def credential_in(self, line: str, *, is_code: bool) -> str:
        """Name the AWS credential, or whatever else gives itself away, in a line; empty if there is none."""
        ...

    def assigns_secret(self, line: str, *, is_code: bool) -> bool:
        """Whether a line gives a literal secret to a name that promises one."""
        ...


@dataclass(frozen=True, slots=True)
class FileReading:
    """What was found in one file.

    Attributes:
        leaks: The credentials, one per line at most.
        accepted: Lines that would be leaks and carry `pragma: allowlist secret`.
    """

    leaks: tuple[Leak, ...] = ()
    accepted: int = 0


@dataclass(slots=True)
class ScanReport:
    """The answer of a scan.

    Attributes:
        leaks: What was found, each with how near its file is to being shared.
        scanned: How many files were read.
        accepted: How many lines were accepted, by a comment or by the repository's list.
        binary: How many binary files of a repository or folder were passed over.
        not_scanned: Files that could not be judged, each with the reason.
        advice: What the repository does not ignore and should.
    """

    leaks: list[tuple[Leak, Place]] = field(default_factory=list)
    scanned: int = 0
    accepted: int = 0
    binary: int = 0
    not_scanned: dict[str, str] = field(default_factory=dict)
    advice: list[str] = field(default_factory=list)

    def note_unread(self, error: OSError) -> None:
        """Note a folder that could not be looked into."""
        self.not_scanned[str(error.filename)] = error.strerror or type(error).__name__


def read_file(
    file: str,
    content: bytes,
    *,
    library: Iterable[LibraryFinding],
    recogniser: Recogniser,
) -> FileReading:
    """Find the credentials of one file.

    Args:
        file: Its path, as people know it.
        content: What it holds.
        library: What `detect-secrets` finds in it.
        recogniser: Our own judgement of a line.

    Returns:
        The leaks in the order of their lines, and how many were accepted by a comment.
    """
    text = text_of(content)
    lines = text.splitlines()
    is_code = PurePosixPath(file).suffix in _CODE
    found: dict[int, str] = {}
    held: dict[int, str] = {}
    for number, what, values in _caches(text, lines):
        found.setdefault(number, what)
        held[number] = held.get(number, "") + values
    for number, line in enumerate(lines, 1):
        if number in found:
            continue
        credential = recogniser.credential_in(_PUBLISHED.sub("", line), is_code=is_code)
        if not credential and number > 1 and number - 1 not in found and (pair := _pair(lines[number - 2], line)):
            credential = recogniser.credential_in(_PUBLISHED.sub("", pair), is_code=is_code)
        if credential:
            found[number] = credential
    for finding in library:
        line = lines[finding.line - 1] if 0 < finding.line <= len(lines) else ""
        if not line or _PUBLISHED.search(line):
            continue
        if not finding.by_name_only or recogniser.assigns_secret(line, is_code=is_code):
            found.setdefault(finding.line, finding.what)
    allowed = {number for number in found if _is_allowed(lines, number)}
    return FileReading(
        leaks=tuple(
            Leak(file, number, what, fingerprint(held.get(number) or _whole(lines, number)))
            for number, what in sorted(found.items())
            if number not in allowed
        ),
        accepted=len(allowed),
    )


def is_wide(content: bytes) -> bool:
    """Whether a text is written in UTF-16, as PowerShell's `>` does."""
    return content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def text_of(content: bytes) -> str:
    """Decode a file; what cannot be decoded is replaced, never a reason to look away."""
    return content.decode("utf-16" if is_wide(content) else "utf-8", errors="replace")


def is_binary(content: bytes) -> bool:
    """Whether a file's content is no text that a person wrote."""
    return b"\0" in content[:8000] and not is_wide(content)


def shown_name(file: str) -> str:
    """Write a file's name so that nothing in it commands the reader's terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in file)


def _pair(before: str, line: str) -> str:
    """Give a name and its value in one text where they stand in two lines; empty if this line is no value of the one before."""
    if _VALUE_OF_A_PAIR.match(line):
        return f"{before}\n{line}"
    opened = _OPENED.search(before.rstrip()) if _ALONE.fullmatch(line) else None
    return f"{before[: opened.start()]} {line.strip()}" if opened else ""


def _whole(lines: list[str], number: int) -> str:
    """Give the text that makes a finding one: of a private key, which always begins alike, what follows as well."""
    line = lines[number - 1]
    if _KEY_BEGINS.search(line) is None:
        return line
    return "\n".join([line, *(line.strip() for line in takewhile(_goes_on, lines[number:]))])


def _goes_on(line: str) -> bool:
    unwrapped = line.strip(_WRAPPED).removesuffix(r"\n").removesuffix(r"\r")
    return _KEY_GOES_ON.fullmatch(unwrapped) is not None


def _is_allowed(lines: list[str], number: int) -> bool:
    before = lines[number - 2] if number > 1 else ""
    return _ALLOWED_HERE.search(lines[number - 1]) is not None or _ALLOWED_NEXT.search(before) is not None


# --- caches of sessions -------------------------------------------------------------------------------------------

_CACHES: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (
        frozenset({"refreshToken", "dpopKey"}),
        "the cache of `aws login`: a session, and the key and token that renew it",
    ),
    (frozenset({"accessToken", "startUrl"}), "the cache of an SSO sign-in: whoever has it is signed in as you"),
    (
        frozenset({"accessToken", "expiresAt", "region"}),
        "the cache of an SSO sign-in: whoever has it is signed in as you",
    ),
    (frozenset({"clientSecret", "clientId", "expiresAt"}), "a client registration of an SSO sign-in"),
    (frozenset({"Credentials", "ProviderType"}), "the cache of an assumed role: key, secret and session token"),
    (frozenset({"SecretAccessKey", "SessionToken"}), "a complete set of temporary credentials"),
    (frozenset({"secretAccessKey", "sessionToken"}), "a complete set of temporary credentials"),
)
"""What the AWS command line keeps below ~/.aws, told by the keys of its JSON."""


def _caches(text: str, lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """Give the line that each stands in, what it is, and the values that make it one, wherever they stand."""
    if not text.lstrip().startswith("{") or not any(f'"{key}"' in text for keys, _ in _CACHES for key in keys):
        return
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    for mapping in _mappings(document):
        for keys, what in _CACHES:
            if keys <= mapping.keys() and all(_is_filled(mapping[key]) for key in keys):
                marked = f'"{min(keys)}"'
                number = next((number for number, line in enumerate(lines, 1) if marked in line), 1)
                yield number, what, json.dumps([mapping[key] for key in sorted(keys)], sort_keys=True)
                break


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    todo = [value]
    while todo:
        current = todo.pop()
        if isinstance(current, dict):
            yield current
            todo.extend(current.values())
        elif isinstance(current, list):
            todo.extend(current)


def _is_filled(value: object) -> bool:
    """Whether something stands there that is no placeholder."""
    if isinstance(value, str):
        return bool(value) and not re.fullmatch(r"<.*>|\.{3}|\*+|\$\{.*\}|x+|EXAMPLE|your[-_ ].*", value, re.IGNORECASE)
    return bool(value)


# --- what a repository ignores ------------------------------------------------------------------------------------

CREDENTIAL_FILES: Final[tuple[tuple[str, str], ...]] = (
    (".env", ".env"),
    (".env.local", ".env.*"),
    ("watch-with-creds.sh", "*with-creds*.sh"),
    ("aws-creds.sh", "*-creds.sh"),
    ("export-aws-session.sh", "export-aws-*.sh"),
    ("rootkey-credentials.csv", "*credentials*.csv"),
    (".aws/credentials", ".aws/"),
)
"""Files that carry credentials wherever they lie, each with the pattern that ignores its kind."""


def missing_patterns(ignored: Callable[[list[str]], set[str]]) -> list[str]:
    """Give the `.gitignore` lines that a repository lacks.

    Args:
        ignored: Says which of the given paths the repository ignores.
    """
    covered = ignored([sample for sample, _ in CREDENTIAL_FILES])
    return [pattern for sample, pattern in CREDENTIAL_FILES if sample not in covered]


def pattern_for(file: str) -> str:
    """Give the `.gitignore` line for a file that carries credentials: the file itself, from the repository's top."""
    return "/" + re.sub(r"([*?\[\]!#\\ ])", r"\\\1", file)


def is_script(file: str) -> bool:
    """Whether a file is a script or a list of variables, which a person would keep and ignore rather than repair."""
    path = PurePosixPath(file)
    return path.suffix in _SCRIPTS or path.name.startswith(".env")


def remedy(leak: Leak, place: Place) -> str:
    """Say what to do about a leak: first of all whether the credential is still one's own."""
    match place:
        case Place.TRACKED:
            return (
                "It is in the history already: make it useless first (delete or rotate the key, sign out of the session), "
                "then remove it here and read it from its role or profile."
            )
        case Place.STAGED:
            return f"Take it out of the commit: git reset -q -- {shlex.quote(leak.file)}. Then remove it, or ignore the file."
        case Place.UNTRACKED if is_script(leak.file):
            return f"Add {pattern_for(leak.file)} to .gitignore (`rolebound scan --ignore` does), so that no commit takes it."
        case _:
            return "Remove it, and let the code act as its role or the command as your profile."
