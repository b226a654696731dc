"""What the SDK lets through without a name is told by where it arose: each case through the real SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from operator_cli import aws
from operator_cli.answers import Failure, FailureKind
from operator_cli.credentials.facts import login_cache_key, sso_cache_key
from operator_cli.unnamed_errors import failure_without_name
from stacks.dependency_layer import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MARK: Final = "zzPLANTEDzz"
KEYS: Final = {
    "AWS_ACCESS_KEY_ID": "ASIA" + "PLANTEDPLANTED02",
    "AWS_SECRET_ACCESS_KEY": MARK,
    "AWS_SESSION_TOKEN": MARK,
}
VARIABLES: Final = (
    *KEYS,
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_SECURITY_TOKEN",
    "AWS_LOGIN_CACHE_DIRECTORY",
)
PROCESS: Final = {"Version": 1, "AccessKeyId": KEYS["AWS_ACCESS_KEY_ID"], "SecretAccessKey": MARK, "SessionToken": MARK}
ROLE: Final = {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x"}


def failure(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> Failure:
    """Why nobody can say who this is, on a machine whose AWS nobody reaches."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    usual = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in {**usual, **environ}.items():
        monkeypatch.setenv(name, value)
    session = aws.connect(region="us-east-1", ask=None)
    found = session if isinstance(session, Failure) else session.caller(lambda: datetime.now(UTC))
    assert isinstance(found, Failure)
    assert MARK not in repr(found)
    return found


@pytest.mark.parametrize(
    ("environ", "kind", "word"),
    [
        ({"AWS_SESSION_TOKEN": f"{MARK}\n{MARK}"}, FailureKind.INVALID, "the end of a line"),
        ({"AWS_ACCESS_KEY_ID": "ASIA\udcff"}, FailureKind.INVALID, "no key does"),
        ({"AWS_ENDPOINT_URL": "localhost:4566"}, FailureKind.UNREACHABLE, "address"),
        ({"AWS_ENDPOINT_URL": "http://["}, FailureKind.UNREACHABLE, "address"),
        ({"AWS_ENDPOINT_URL": f"ftp://{MARK}"}, FailureKind.UNREACHABLE, "address"),
        ({"AWS_ENDPOINT_URL": "http://x", "HTTP_PROXY": f"http://{MARK}:port"}, FailureKind.UNREACHABLE, "proxy"),
        ({"AWS_METADATA_SERVICE_TIMEOUT": MARK}, FailureKind.CONFIGURATION, "number"),
        ({"AWS_DEFAULTS_MODE": MARK}, FailureKind.CONFIGURATION, "setting"),
        ({"AWS_STS_REGIONAL_ENDPOINTS": MARK}, FailureKind.CONFIGURATION, "setting"),
    ],
)
def test_a_variable_that_no_request_comes_of_is_told(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], kind: FailureKind, word: str
) -> None:
    """A key with a line break, an address without a scheme, a number that is none."""
    found = failure(monkeypatch, {**KEYS, **environ})
    assert found.kind is kind
    assert word in found.what


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({**ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"}, "web identity"),
        ({**ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/"}, "web identity"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": MARK}, "container"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{MARK}.example.com/"}, "container"),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": f"{MARK}\n{MARK}",
            },
            "container",
        ),
    ],
)
def test_a_machines_own_source_that_cannot_be_read_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environ: dict[str, str], word: str
) -> None:
    """A token's file that is not there, an address that is none."""
    found = failure(monkeypatch, {"AWS_CONFIG_FILE": str(tmp_path / "none"), **environ})
    assert found.kind is FailureKind.NO_CREDENTIALS
    assert word in found.what


@pytest.mark.parametrize(
    ("printed", "kind"),
    [
        (b"", FailureKind.NO_CREDENTIALS),
        (MARK.encode(), FailureKind.NO_CREDENTIALS),
        (b"\377\376", FailureKind.NO_CREDENTIALS),
        (b"[]", FailureKind.NO_CREDENTIALS),
        (json.dumps({**PROCESS, "Expiration": MARK}).encode(), FailureKind.NO_CREDENTIALS),
        (json.dumps({**PROCESS, "Expiration": 12}).encode(), FailureKind.NO_CREDENTIALS),
        (json.dumps({**PROCESS, "Expiration": "2020-01-01T00:00:00Z"}).encode(), FailureKind.EXPIRED),
        (None, FailureKind.NO_CREDENTIALS),
    ],
)
def test_a_credential_process_that_prints_something_else_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, printed: bytes | None, kind: FailureKind
) -> None:
    """Nothing, prose, bytes, a list, keys that have ended; or it is not there at all. What it printed is not repeated."""
    said = tmp_path / "said"
    if printed is not None:
        said.write_bytes(printed)
    program = f"/bin/cat {said}" if printed is not None else str(tmp_path / "missing")
    config = tmp_path / "config"
    config.write_text(f"[default]\ncredential_process = {program}\n")
    found = failure(monkeypatch, {"AWS_CONFIG_FILE": str(config)})
    assert found.kind is kind
    assert ("credential_process" in found.what) == (kind is FailureKind.NO_CREDENTIALS)


@pytest.mark.parametrize("held", [b"{", b"\377", b'{"accessToken": {"expiresAt": "zzPLANTEDzz"}, "refreshToken": "x"}'])
def test_a_damaged_login_session_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, held: bytes) -> None:
    """Whatever is wrong with its file, the cure is to sign in again."""
    (tmp_path / f"{login_cache_key('me')}.json").write_bytes(held)
    config = tmp_path / "config"
    config.write_text("[default]\nlogin_session = me\n")
    found = failure(monkeypatch, {"AWS_CONFIG_FILE": str(config), "AWS_LOGIN_CACHE_DIRECTORY": str(tmp_path)})
    assert found.kind is FailureKind.NO_CREDENTIALS
    assert "`aws login` session" in found.what


ASK_SSO: Final = """
import datetime, pathlib, sys
from operator_cli import aws
for held in ("{", '{"accessToken": "zzPLANTEDzz", "expiresAt": "zzPLANTEDzz"}', '{"accessToken": "x", "expiresAt": 5}'):
    pathlib.Path(sys.argv[1]).write_text(held)
    print(aws.connect(region="us-east-1", ask=None).caller(lambda: datetime.datetime.now(datetime.UTC)))
"""


def test_a_damaged_sso_sign_in_is_told(tmp_path: Path) -> None:
    """The SDK looks for it below the home that its process began with."""
    aws_folder = tmp_path / ".aws"
    cache = aws_folder / "sso" / "cache"
    cache.mkdir(parents=True)
    (aws_folder / "config").write_text(
        "[default]\nsso_session = work\nsso_account_id = 123456789012\nsso_role_name = r\n"
        "[sso-session work]\nsso_start_url = https://x\nsso_region = us-east-1\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", ASK_SSO, str(cache / f"{sso_cache_key({'sso_session': 'work'})}.json")],
        env={"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    answers = done.stdout.splitlines()
    assert len(answers) == 3
    assert all("NO_CREDENTIALS" in one and "SSO sign-in on this machine is damaged" in one for one in answers)
    assert MARK not in done.stdout


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        (FileNotFoundError(2, "No such file or directory", MARK), FailureKind.CONFIGURATION, "(No such file"),
        (UnicodeDecodeError("utf-8", MARK.encode(), 0, 1, MARK), FailureKind.CONFIGURATION, "not in the form"),
        (json.JSONDecodeError(MARK, MARK, 0), FailureKind.CONFIGURATION, "not in the form"),
        (RuntimeError(MARK), FailureKind.OTHER, "RuntimeError"),
        (RecursionError(MARK), FailureKind.OTHER, "RecursionError"),
    ],
)
def test_an_error_from_nowhere_known_is_told_by_its_kind(error: Exception, kind: FailureKind, word: str) -> None:
    """And never in its own words."""
    found = failure_without_name(error)
    assert found.kind is kind
    assert word in found.what
    assert MARK not in repr(found)
