"""The bridge gives the supervisor's credentials to processes of the same user, and holds nothing itself."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from operator_cli.bridge import child as watch_child
from operator_cli.bridge import client as credential_bridge
from operator_cli.bridge import private_directory
from operator_cli.bridge.server import BridgeServer, is_own
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = '{"Version": 1, "AccessKeyId": "ASIAMADEUP", "SecretAccessKey": "made-up"}'


@pytest.fixture
def directory() -> Iterator[Path]:
    """Give a supervisor's private directory."""
    with private_directory.private_directory(os.environ) as made:
        yield made


def ask(directory: Path) -> subprocess.CompletedProcess[str]:
    """Ask as an SDK does: by the configured command, in a shell, from anywhere."""
    config = (directory / "config").read_text()
    (command,) = (line.partition(" = ")[2] for line in config.splitlines() if line.startswith("credential_process"))
    return subprocess.run(  # noqa: S602 - the SDK runs it in a shell
        command, shell=True, cwd="/", env={}, capture_output=True, text=True, timeout=30, check=False
    )


def configure(directory: Path) -> None:
    """Write the child's configuration."""
    watch_child.write_configuration(directory, region="eu-central-1", endpoint_url=None, services={})


def test_what_the_supervisor_holds_reaches_whoever_runs_the_configured_command(directory: Path) -> None:
    """Byte for byte."""
    configure(directory)
    server = BridgeServer(directory / watch_child.SOCKET, lambda: ANSWER)
    try:
        asked = ask(directory)
    finally:
        server.close()
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, ANSWER, "")


def test_why_there_are_no_credentials_reaches_standard_error(directory: Path) -> None:
    """The SDK passes it on; nothing is on standard output."""

    def nothing() -> str:
        raise LookupError("The session has ended.")

    configure(directory)
    server = BridgeServer(directory / watch_child.SOCKET, nothing)
    try:
        asked = ask(directory)
    finally:
        server.close()
    assert (asked.returncode, asked.stdout, asked.stderr) == (1, "", "The session has ended.\n")


def test_without_a_supervisor_there_are_no_credentials(directory: Path) -> None:
    """A child that outlives it has nothing left."""
    configure(directory)
    BridgeServer(directory / watch_child.SOCKET, lambda: ANSWER).close()
    asked = ask(directory)
    assert (asked.returncode, asked.stdout) == (1, "")
    assert "does not answer" in asked.stderr


def test_the_bridge_answers_quickly(directory: Path) -> None:
    """It runs in the middle of deployments: it imports no SDK, not even its own package."""
    configure(directory)
    server = BridgeServer(directory / watch_child.SOCKET, lambda: ANSWER)
    try:
        took = []
        for _ in range(5):
            begin = time.monotonic()
            ask(directory)
            took.append(time.monotonic() - begin)
    finally:
        server.close()
    assert min(took) < 0.25


def test_the_bridge_imports_sockets_only() -> None:
    """What it imports, each answer costs."""
    listed = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", str(credential_bridge.__file__)],
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    assert "socket" in listed
    assert not {"boto3", "botocore", "json", "asyncio", "operator_cli"} & {
        line.rpartition("|")[2].strip() for line in listed.splitlines()
    }


def test_only_its_user_may_enter_and_nothing_secret_lies_there(directory: Path) -> None:
    """The configuration says whom to ask, and the socket is asked."""
    configure(directory)
    server = BridgeServer(directory / watch_child.SOCKET, lambda: ANSWER)
    try:
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert {path.name for path in directory.iterdir()} == {"config", "ask", watch_child.SOCKET}
        assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
        written = "".join(path.read_text() for path in directory.iterdir() if path.is_file())
        assert "made-up" not in written
        assert "ASIA" not in written
    finally:
        server.close()


def test_the_kernel_says_who_asks() -> None:
    """This process is this user's."""
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert is_own(one)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_gets_nothing() -> None:
    """Even where the directory would let them in."""
    ask = (
        "import os, socket, sys; path, user = sys.argv[1:]; os.setuid(int(user)); "
        "s = socket.socket(socket.AF_UNIX); s.connect(path); sys.stdout.buffer.write(s.recv(999))"
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as open_to_all:
        Path(open_to_all).chmod(0o755)
        path = Path(open_to_all) / "socket"
        server = BridgeServer(path, lambda: ANSWER)
        path.chmod(0o666)
        try:
            told = {
                user: subprocess.run(
                    [sys.executable, "-I", "-S", "-c", ask, str(path), str(user)],
                    capture_output=True,
                    text=True,
                    timeout=30,
                    check=True,
                ).stdout
                for user in (0, 65534)
            }
        finally:
            server.close()
    assert told == {0: f"+{ANSWER}", 65534: ""}


def test_the_directory_is_gone_afterwards_and_so_is_what_a_killed_supervisor_left(tmp_path: Path) -> None:
    """One that is alive is left alone: it holds its lock."""
    environ = {"TMPDIR": str(tmp_path)} if len(str(tmp_path)) < 60 else {"TMPDIR": "/tmp"}  # noqa: S108 - the usual place
    base = Path(environ["TMPDIR"])
    left = base / f"{private_directory.PREFIX}left"
    left.mkdir(mode=0o700)
    (left / "config").write_text("")
    with private_directory.private_directory(environ) as alive:
        (alive / "config").write_text("")
        assert not left.exists()
        with private_directory.private_directory(environ) as second:
            assert alive.exists()
            assert second != alive
        assert not second.exists()
    assert not alive.exists()


@pytest.mark.parametrize("name", ["not-there", "with space", "very-long-" * 12])
def test_a_place_whose_name_would_need_quoting_is_not_taken(tmp_path: Path, name: str) -> None:
    """Nor one that is too long for a socket's name, or is not there."""
    place = tmp_path / name
    if name != "not-there":
        place.mkdir()
    with private_directory.private_directory({"TMPDIR": str(place), "XDG_RUNTIME_DIR": ""}) as made:
        assert made.parent == Path("/tmp")  # noqa: S108 - the usual place


def test_no_credential_and_no_other_source_reaches_the_child(tmp_path: Path) -> None:
    """Everything else does."""
    base = {
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_SECURITY_TOKEN": "token",
        "AMAZON_ACCESS_KEY_ID": "AKIA",
        "AMAZON_SECRET_ACCESS_KEY": "secret",
        "AMAZON_SESSION_TOKEN": "token",
        "AWS_CREDENTIAL_EXPIRATION": "2026",
        "AWS_PROFILE": "dev",
        "AWS_DEFAULT_PROFILE": "dev",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/token",
        "AWS_ROLE_ARN": "arn",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://…",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token",
        "AWS_BEARER_TOKEN_BEDROCK": "token",
        "AWS_LOGIN_CACHE_DIRECTORY": "/cache",
        "AWS_CONFIG_FILE": "/config",
        "AWS_SHARED_CREDENTIALS_FILE": "/credentials",
    }
    kept = {
        "PATH": "/bin",
        "AWS_ENDPOINT_URL": "https://localhost:4566",
        "AWS_ENDPOINT_URL_STS": "https://localhost:4566",
        "AWS_CA_BUNDLE": "/ca.pem",
        "NODE_EXTRA_CA_CERTS": "/ca.pem",
        "HTTPS_PROXY": "http://proxy",
        "CDK_HOME": "/cdk",
    }
    found = watch_child.environment(base | kept, tmp_path, region="eu-central-1")
    own = {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PROFILE": watch_child.PROFILE,
        "AWS_SDK_LOAD_CONFIG": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "eu-central-1",
    }
    assert found == kept | own


def test_the_region_of_the_environment_stays(tmp_path: Path) -> None:
    """It is what the operator said, unless that is another one here."""
    assert (
        watch_child.environment({"AWS_REGION": "us-west-2"}, tmp_path, region="eu-central-1")["AWS_REGION"]
        == "us-west-2"
    )


def test_endpoints_of_the_profile_are_kept(tmp_path: Path) -> None:
    """The child must not turn to another AWS than its operator."""
    watch_child.write_configuration(
        tmp_path, region=None, endpoint_url="https://localhost:1", services={"s3": "https://localhost:2"}
    )
    config = (tmp_path / "config").read_text()
    assert "endpoint_url = https://localhost:1\nservices = rolebound-watch\n" in config
    assert config.endswith("[services rolebound-watch]\ns3 =\n  endpoint_url = https://localhost:2\n")


@pytest.mark.parametrize("given", [["--profile", "dev"], ["--all", "--profile=dev"]])
def test_a_profile_for_the_child_is_refused(given: list[str]) -> None:
    """It would go past the bridge."""
    with pytest.raises(OperatorError, match="--profile is among the arguments") as refused:
        watch_child.arguments(given)
    assert refused.value.status is ExitStatus.WRONG_USAGE
    assert "rolebound watch --profile NAME" in refused.value.next_step


def test_the_bridges_profile_outranks_the_projects() -> None:
    """`cdk.json` may name one; the command line wins."""
    assert watch_child.arguments(["--all"]) == ["watch", "--all", "--profile", watch_child.PROFILE]


@pytest.mark.parametrize(
    ("given", "configured", "expected"),
    [
        (None, {}, "cdk.out"),
        (None, {"output": "build/cdk"}, "build/cdk"),
        ("x", {"output": "y"}, "x"),
        (None, "not an object", "cdk.out"),
    ],
)
def test_the_assembly_is_looked_for_where_the_child_puts_it(
    tmp_path: Path, given: str | None, configured: object, expected: str
) -> None:
    """By argument, else by cdk.json, else in the CDK's own place."""
    (tmp_path / "cdk.json").write_text(json.dumps(configured))
    assert watch_child.assembly_folder(given, tmp_path) == tmp_path / expected
