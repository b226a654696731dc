"""What a person can do to local AWS, and what a person's shell cannot."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from local_aws import emulator, environment, ports, up
from local_aws.emulator import State
from local_aws.places import DIRECTORY_VARIABLE, PROJECT, Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local_aws.outputs import Outputs

    Command = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.e2e

HOSTILE_SHELL = {
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "AWS_CA_BUNDLE": "/nonexistent/company-ca.pem",
    "SSL_CERT_FILE": "/nonexistent/company-ca.pem",
    "REQUESTS_CA_BUNDLE": "/nonexistent/company-ca.pem",
    "NODE_EXTRA_CA_CERTS": "/nonexistent/company-ca.pem",
    "AWS_PROFILE": "a-profile-that-does-not-exist",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "of-a-real-account",
    "AWS_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "CDK_DEFAULT_ACCOUNT": "999999999999",
}


@pytest.fixture
def own(own_directory: Path) -> Iterator[Places]:
    """A local AWS of the test's own, not yet started."""
    places = Places(project=PROJECT, directory=own_directory)
    yield places
    emulator.stop(places)


def test_a_second_up_in_a_hostile_shell_changes_nothing(places: Places, deployed: Outputs, command: Command) -> None:
    """A proxy, a company's CA and a real session in the shell do not matter, and what is current is kept."""
    result = command("up", directory=places.directory, variables=HOSTILE_SHELL)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "unchanged: Rolebound-dev-Api" in result.stdout
    assert deployed.api_key in result.stdout
    assert up.curl_lines(deployed) in result.stdout


def test_the_printed_curl_lines_work(deployed: Outputs) -> None:
    """What is printed for copying does what it says, also in a shell with a proxy."""
    send, _, health = up.curl_lines(deployed).splitlines()
    for line, expected in ((send, '"accepted"'), (health, '"ok"')):
        result = subprocess.run(
            ["/bin/sh", "-c", f"{line} --silent"],
            env={"PATH": os.environ["PATH"], "HTTPS_PROXY": "http://127.0.0.1:9"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert expected in result.stdout, result.stdout + result.stderr


def test_status_tells_a_running_one_from_none(places: Places, own: Places, command: Command) -> None:
    """Exit status and words, for scripts and for people."""
    running = command("status", directory=places.directory)
    assert (running.returncode, "it runs and answers" in running.stdout) == (0, True)
    stopped = command("status", directory=own.directory)
    assert (stopped.returncode, "make up" in stopped.stdout) == (1, True)


def test_logs_show_what_the_functions_wrote(places: Places, deployed: Outputs, command: Command) -> None:
    """The functions' log can be read without an AWS client, and holds no key."""
    result = command("logs", directory=places.directory)
    assert result.returncode == 0, result.stderr
    assert "rolebound-dev-api" in result.stdout
    assert deployed.api_key.split("_", 2)[2] not in result.stdout


def test_a_taken_port_is_avoided(own: Places) -> None:
    """Another program on the usual port is no obstacle, and two local AWS run side by side."""
    with ExitStack() as stack:
        if ports.is_free(ports.USUAL_PORT):
            stack.enter_context(socket.create_server(("127.0.0.1", ports.USUAL_PORT)))
        record = emulator.start(own)
    assert record.port != ports.USUAL_PORT
    assert emulator.answers(own, record.port)


@pytest.mark.usefixtures("deployed")
def test_a_shell_can_take_it_for_aws(places: Places) -> None:
    """What `env` prints wins over a proxy and a session of the shell's: the operator's command line works on what is deployed."""
    line = 'eval "$("$0" -m local_aws env)" && "$0" -m operator_cli diagnose rolebound-dev-sweeper'
    result = subprocess.run(
        ["/bin/sh", "-c", line, sys.executable],
        cwd=PROJECT,
        env={**os.environ, **HOSTILE_SHELL, DIRECTORY_VARIABLE: str(places.directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    # Other tests may have had calls denied, which stand in the function's log: that it was read is what counts here.
    assert result.returncode in {0, 1}, result.stdout + result.stderr
    assert result.stdout.startswith(
        f"arn:aws:lambda:{environment.REGION}:{environment.ACCOUNT}:function:rolebound-dev-sweeper"
    )
    assert "questions to AWS" in result.stdout


def test_two_local_aws_do_not_trust_each_other(own: Places, deployed: Outputs) -> None:
    """Our emulator is recognised by its certificate: another one on the recorded port is not taken for ours."""
    emulator.start(own)
    others_port = int(deployed.endpoint_url.rpartition(":")[2])
    assert not emulator.answers(own, others_port)


def test_a_killed_emulator_is_replaced(own: Places) -> None:
    """After a crash or a reboot `make up` says so and starts a new one."""
    first = emulator.start(own)
    os.killpg(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    assert emulator.state(own)[0] is State.DEAD
    said: list[str] = []
    second = up.running_emulator(own, said.append)
    assert second.pid != first.pid
    assert emulator.state(own) == (State.RUNNING, second)
    assert any("died" in line for line in said)


def test_one_that_hangs_is_told_not_used(own: Places, command: Command) -> None:
    """An emulator that runs and does not answer is named, with its log, and `make down` ends it."""
    record = emulator.start(own)
    os.kill(record.pid, signal.SIGSTOP)
    result = command("up", directory=own.directory)
    assert result.returncode == 1
    assert "does not answer" in result.stderr
    assert "make down" in result.stderr
    assert str(own.emulator_log) in result.stderr
    assert emulator.stop(own)
    os.waitpid(record.pid, 0)
    assert emulator.state(own)[0] is State.ABSENT


def test_a_dead_emulator_ends_the_deployment(own: Places) -> None:
    """An emulator that dies under the CDK CLI is told within seconds, with both logs' places."""
    record = emulator.start(own)
    with subprocess.Popen(
        [PROJECT / ".venv" / "bin" / "python", "-m", "local_aws", "incident"],
        cwd=PROJECT,
        env={**os.environ, "ROLEBOUND_LOCAL_DIR": str(own.directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not own.deploy_log.exists():
            time.sleep(0.1)
        os.killpg(record.pid, signal.SIGKILL)
        os.waitpid(record.pid, 0)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "The emulator died while `cdk" in said
    assert str(own.emulator_log) in said


def test_down_is_no_error_when_nothing_runs(own: Places, command: Command) -> None:
    """`make down` may be run twice, and before any `make up`."""
    for _ in range(2):
        result = command("down", directory=own.directory)
        assert (result.returncode, "nothing to stop" in result.stdout) == (0, True)
