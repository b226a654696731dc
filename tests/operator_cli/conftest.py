"""A machine full of planted secrets, and a guard over everything that the tests of this folder print.

The guard needs nothing from a test: it looks at what was captured, at what `capsys` and `capfd` gave out, and at the
output of every `python -m operator_cli` that a test ran. A test that reads a pipe by itself hands the text to
`no_secret_printed.see(text)`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

MARK: Final = "zzPLANTEDzz"
"""Part of every planted secret, so that none needs to be known to be found."""

KEY_ID: Final = "AKIA" + "PLANTEDPLANTED01"
TEMPORARY_KEY_ID: Final = "ASIA" + "PLANTEDPLANTED02"
SECRET: Final = f"{MARK}secretAccessKey0123456789abcdefghi"
SESSION_TOKEN: Final = f"IQoJb3JpZ2lu{MARK}sessionToken0123456789abcdef"
ACCESS_TOKEN: Final = f"aoa{MARK}ssoAccessToken0123456789"
REFRESH_TOKEN: Final = f"aor{MARK}refreshToken0123456789"
CLIENT_SECRET: Final = f"eyJ{MARK}clientSecret0123456789"
DPOP_KEY: Final = f"-----BEGIN EC PRIVATE KEY-----\n{MARK}dpopKey0123456789\n-----END EC PRIVATE KEY-----"

LOGIN_SESSION: Final = "arn:aws:iam::123456789012:user/ada"
START_URL: Final = "https://example.awsapps.com/start"

_A_SECRET: Final = re.compile(rf"{MARK}|(?:AKIA|ASIA)[A-Z0-9]{{16}}")
_OURS: Final = ("operator_cli", "rolebound", "tenants", "local_aws", "credential_rules")


@dataclass(slots=True)
class Said:
    """Everything that was printed in one test.

    Attributes:
        excused: Words of command lines whose output is credentials on purpose, such as a credential process's.
        texts: What was said, with who said it.
    """

    excused: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)

    def see(self, text: str | bytes | None, by: str = "the test") -> None:
        """Have a text looked at."""
        if text:
            self.texts.append((by, text.decode(errors="replace") if isinstance(text, bytes) else text))

    def see_command(self, arguments: Any, *texts: str | bytes | None) -> None:  # noqa: ANN401 - as subprocess takes it
        """Have a command's output looked at, if the command is ours."""
        words = [arguments] if isinstance(arguments, str) else [str(word) for word in arguments]
        if any(name in word for word in words for name in _OURS) and not any(word in self.excused for word in words):
            for text in texts:
                self.see(text, by=" ".join(words[-3:]))

    def secrets(self) -> list[str]:
        """Who printed a secret, and where in its text; never the secret."""
        return [
            f"{by}: {len(text[: found.start()].splitlines())} lines in, of the kind {found[0][:4]}…"
            for by, text in self.texts
            for found in [_A_SECRET.search(text)]
            if found
        ]


@pytest.fixture(autouse=True)
def no_secret_printed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    """Fail the test if anything that it saw of our output holds a planted secret or a whole key id."""
    said = Said()
    run, communicate, readouterr = subprocess.run, subprocess.Popen.communicate, pytest.CaptureFixture.readouterr

    def run_and_see(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as subprocess.run
        done = run(*arguments, **options)
        said.see_command(done.args, done.stdout, done.stderr)
        return done

    def communicate_and_see(process: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as Popen.communicate
        texts = communicate(process, *arguments, **options)
        said.see_command(process.args, *texts)
        return texts

    def read_and_see(capture: Any) -> Any:  # noqa: ANN401 - as pytest has it
        texts = readouterr(capture)
        for text in texts:
            said.see(text, by="this process")
        return texts

    monkeypatch.setattr(subprocess, "run", run_and_see)
    monkeypatch.setattr(subprocess.Popen, "communicate", communicate_and_see)
    monkeypatch.setattr(pytest.CaptureFixture, "readouterr", read_and_see)
    yield said
    assert said.secrets() == []


_OF_THE_MACHINE: Final = re.compile(
    r"(?:AWS|AMAZON|CDK)_.*|(?:https?|all|no)_proxy|FORCE_COLOR|NO_COLOR|COLUMNS|LINES", re.IGNORECASE
)
"""What a developer's shell may say and a test must not hear: sessions, proxies, how wide and colourful a terminal is."""


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home without profiles and sign-ins."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def nobodys_machine(monkeypatch: pytest.MonkeyPatch, empty_home: Path) -> None:
    """Have each test say itself what it needs: no session, proxy, profile or instance of whoever runs it counts."""
    for name in [name for name in os.environ if _OF_THE_MACHINE.fullmatch(name)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(empty_home))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test printed and did not read itself is looked at here."""
    report = yield
    said = Said()
    said.see(report.capstdout, by=f"{item.name}, standard output")
    said.see(report.capstderr, by=f"{item.name}, standard error")
    said.see(report.caplog, by=f"{item.name}, log")
    if report.passed and said.secrets():
        report.outcome = "failed"
        report.longrepr = f"A secret was printed. {said.secrets()}"
    return report


@dataclass(frozen=True, slots=True)
class PlantedMachine:
    """A home in which every place that can hold a secret holds one.

    Its profiles: `default` and `keys` (a long-lived key), `session` (a temporary one), `sso`, `login`, `mfa` (a role
    over `keys`), `role` (over `sso`), `process`.

    Attributes:
        home: The home.
        environ: Variables of a process that lives there, with no key in them.
        environ_with_keys: The same with a session in the environment, which is a planted secret.
    """

    home: Path
    environ: Mapping[str, str]
    environ_with_keys: Mapping[str, str]


@pytest.fixture
def planted(tmp_path: Path) -> PlantedMachine:
    """A machine full of planted secrets."""
    home = tmp_path / "home"
    aws = home / ".aws"
    later = datetime.now(UTC) + timedelta(minutes=12)
    process = home / "give-credentials"
    _write(
        aws / "config",
        f"""
        [default]
        region = us-east-1
        [profile sso]
        sso_session = work
        sso_account_id = 123456789012
        sso_role_name = admin
        [sso-session work]
        sso_start_url = {START_URL}
        sso_region = us-east-1
        [profile login]
        login_session = {LOGIN_SESSION}
        [profile mfa]
        role_arn = arn:aws:iam::123456789012:role/deploy
        source_profile = keys
        mfa_serial = arn:aws:iam::123456789012:mfa/ada
        [profile role]
        role_arn = arn:aws:iam::123456789012:role/deploy
        source_profile = sso
        [profile process]
        credential_process = {process} --password {SECRET}
        """,
    )
    key = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
    session = f"aws_access_key_id = {TEMPORARY_KEY_ID}\naws_secret_access_key = {SECRET}\naws_session_token = {SESSION_TOKEN}\n"
    _write(aws / "credentials", f"[default]\n{key}[keys]\n{key}[session]\n{session}")
    sso_token = {
        "startUrl": START_URL,
        "region": "us-east-1",
        "accessToken": ACCESS_TOKEN,
        "expiresAt": f"{later:%Y-%m-%dT%H:%M:%SZ}",
        "clientId": "client",
        "clientSecret": CLIENT_SECRET,
        "registrationExpiresAt": f"{later + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}",
        "refreshToken": REFRESH_TOKEN,
    }
    _write(aws / "sso" / "cache" / f"{hashlib.sha1(b'work', usedforsecurity=False).hexdigest()}.json", sso_token)
    login = {
        "accessToken": {
            "accessKeyId": TEMPORARY_KEY_ID,
            "secretAccessKey": SECRET,
            "sessionToken": SESSION_TOKEN,
            "accountId": "123456789012",
            "expiresAt": f"{later:%Y-%m-%dT%H:%M:%SZ}",
        },
        "tokenType": "aws_sigv4",
        "refreshToken": REFRESH_TOKEN,
        "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": DPOP_KEY,
    }
    _write(aws / "login" / "cache" / f"{hashlib.sha256(LOGIN_SESSION.encode()).hexdigest()}.json", login)
    given = {"Version": 1, "AccessKeyId": TEMPORARY_KEY_ID, "SecretAccessKey": SECRET, "SessionToken": SESSION_TOKEN}
    given["Expiration"] = later.isoformat()
    process.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(given)}\nEND\n")
    process.chmod(0o700)
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true", "PYTHONUTF8": "1"}
    keys = {
        "AWS_ACCESS_KEY_ID": TEMPORARY_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
        "AWS_BEARER_TOKEN_BEDROCK": SECRET,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": SECRET,
        "AWS_ENDPOINT_URL_S3": f"https://ada:{SECRET}@localhost:1",
    }
    return PlantedMachine(home=home, environ=environ, environ_with_keys={**environ, **keys})


def _write(path: Path, content: str | dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text("\n".join(line.strip() for line in text.splitlines()) + "\n")
    with contextlib.suppress(OSError):
        path.chmod(0o600)
