"""Nothing of the caller's shell reaches the emulator, the functions, or the CDK CLI unless it is named."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from local_aws import environment
from local_aws.places import Places

if TYPE_CHECKING:
    import pytest

HOSTILE_SHELL = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "not-for-local",
    "AWS_SESSION_TOKEN": "not-for-local",
    "AWS_CA_BUNDLE": "/company/ca.pem",
    "AWS_ENDPOINT_URL_SQS": "https://elsewhere.example",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/token",
    "SSL_CERT_FILE": "/company/ca.pem",
    "REQUESTS_CA_BUNDLE": "/company/ca.pem",
    "NODE_EXTRA_CA_CERTS": "/company/ca.pem",
    "NODE_OPTIONS": "--require /company/hook.js",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "https_proxy": "http://proxy.example:3128",
    "NO_PROXY": "example.com",
    "PYTHONPATH": "/company/python",
    "CDK_DEFAULT_ACCOUNT": "999999999999",
    "HOME": "/home/somebody",
    "PATH": "/usr/bin:/bin",
    "LANG": "de_DE.UTF-8",
}

PLACES = Places(project=Path("/project"), directory=Path("/project/.local"))


def test_the_emulator_gets_only_what_is_listed() -> None:
    """The emulator's environment is made of its own values; the functions inherit it."""
    given = environment.for_emulator(PLACES, 4566)
    leaked = {name for name, value in HOSTILE_SHELL.items() if given.get(name) == value}
    assert leaked == set()
    assert not any("proxy" in name.lower() for name in given)


def test_the_emulator_enforces_iam_and_tls_on_this_machine_only() -> None:
    """IAM, TLS and the loopback address are not left to defaults."""
    given = environment.for_emulator(PLACES, 4567)
    assert (given["AUTH"], given["USE_SSL"], given["BIND_HOST"]) == ("true", "1", "127.0.0.1")
    assert given["GATEWAY_PORT"] == "4567"


def test_the_functions_trust_this_local_aws_only() -> None:
    """Every CA variable that a function could read names the one certificate."""
    given = environment.for_emulator(PLACES, 4566)
    names = {"AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"}
    assert {given[name] for name in names} == {str(PLACES.ca_bundle)}


def test_two_local_aws_share_no_file() -> None:
    """Certificates, temporary files and homes of two state directories are apart."""
    other = Places(project=PLACES.project, directory=Path("/elsewhere"))
    one, two = environment.for_emulator(PLACES, 1), environment.for_emulator(other, 2)
    apart = {"TMPDIR", "HOME", "MINISTACK_SSL_CERT", "MINISTACK_SSL_KEY", "AWS_CA_BUNDLE"}
    assert all(one[name] != two[name] for name in apart)


def test_the_cdk_cli_sees_local_aws_and_no_session() -> None:
    """Of a shell with a session and a proxy only PATH and how to speak to a person survive."""
    given = environment.for_clients(PLACES, 4566, HOSTILE_SHELL)
    survived = {name for name, value in HOSTILE_SHELL.items() if given.get(name) == value}
    assert survived == {"LANG"}
    assert given["PATH"].endswith(HOSTILE_SHELL["PATH"])
    assert given["AWS_ENDPOINT_URL"] == "https://localhost:4566"
    assert given["AWS_CONFIG_FILE"] == given["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_a_block_runs_with_these_variables_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within `only` nothing else is set; afterwards all is as before, even after an exception."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    before = dict(os.environ)
    with contextlib.suppress(RuntimeError), environment.only({"A": "1"}):
        assert dict(os.environ) == {"A": "1"}
        raise RuntimeError
    assert dict(os.environ) == before
