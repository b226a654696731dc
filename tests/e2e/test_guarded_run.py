"""`deploy`, `destroy`, `bootstrap`, `tests` and `logs` with the real CDK on a real account, however small."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from local_aws.environment import ACCOUNT, REGION
from local_aws.places import PROJECT
from tests.e2e.account import ROLE, Account, started_account

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.e2e

APP: Final = """
import sys
from aws_cdk import App, Environment, Stack, aws_sqs as sqs
app = App()
if app.node.try_get_context("fail"):
    sys.exit("the app fails on purpose")
stack = Stack(
    app,
    app.node.try_get_context("stack") or "Tiny",
    env=Environment(account=app.node.try_get_context("account"), region="us-east-1"),
)
sqs.Queue(stack, "Queue", queue_name=app.node.try_get_context("queue"))
app.synth()
"""
WRITTEN: Final = """
import json, os, pathlib, sys
context = json.loads(os.environ["CDK_CONTEXT_JSON"])
if context.get("fail"):
    sys.exit("the app fails on purpose")
name, out = context.get("stack", "Tiny"), pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir(exist_ok=True)
queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": context["queue"]} if "queue" in context else {}}
(out / f"{name}.template.json").write_text(json.dumps({"Resources": {"Queue": queue}}))
stack = {
    "type": "aws:cloudformation:stack",
    "environment": f"aws://{context.get('account', 'unknown-account')}/us-east-1",
    "properties": {"templateFile": f"{name}.template.json", "requiresBootstrapStackVersion": 6},
    "displayName": name,
}
(out / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": {name: stack}}))
"""
"""The same app's assembly, written in a moment: the construct library takes seconds to load, and is not what is tested."""

GROUP: Final = "/aws/lambda/some-function"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account that is bootstrapped, by the command under test."""
    directory = tmp_path_factory.mktemp("run")
    with started_account(directory / "local") as account:
        home = directory / "home"
        home.mkdir()
        (home / "node_modules").symlink_to(PROJECT / "node_modules")
        made = run(account, home, "bootstrap", f"aws://{ACCOUNT}/{REGION}", keys=account.session())
        assert made.returncode == 0, made.stdout + made.stderr
        assert "bootstrapped" in made.stdout + made.stderr
        yield account


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A project with one stack of one queue, and the tools of this one."""
    (tmp_path / "app.py").write_text(WRITTEN)
    (tmp_path / "cdk.json").write_text(json.dumps({"app": f"'{sys.executable}' app.py"}))
    (tmp_path / "node_modules").symlink_to(PROJECT / "node_modules")
    (tmp_path / ".venv").symlink_to(PROJECT / ".venv")
    return tmp_path


def run(
    account: Account, folder: Path, *arguments: str, keys: Mapping[str, str], typed: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder; with `typed`, on a terminal where a person types that."""
    environ = {**account.environ, "PYTHONPATH": str(PROJECT), "HOME": str(folder), **keys}
    command = [sys.executable, "-m", "operator_cli", *arguments]
    ours, terminal = pty.openpty() if typed is not None else (None, subprocess.DEVNULL)
    if ours is not None and typed is not None:
        os.write(ours, f"{typed}\n".encode())
    done = subprocess.run(
        command, cwd=folder, env=environ, stdin=terminal, capture_output=True, text=True, timeout=120, check=False
    )
    if ours is not None:
        os.close(ours)
        os.close(terminal)
    secrets = [value for name, value in keys.items() if name in {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}]
    assert not any(secret in done.stdout + done.stderr for secret in secrets), "A secret was printed."
    return done


def queues(account: Account) -> list[str]:
    """The names of all queues."""
    urls = account.client("sqs", account.root).list_queues().get("QueueUrls", [])
    return [url.rpartition("/")[2] for url in urls]


DEPLOY: Final = ("deploy", "--all", "--require-approval", "never")


def test_a_deployment_goes_through_and_says_as_whom(account: Account, app: Path) -> None:
    """The session is named first, then the CDK speaks; what stands there afterwards can be deleted the same way."""
    (app / "app.py").write_text(APP)
    session = account.session()
    done = run(account, app, *DEPLOY, "-c", "queue=first", keys=session)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"rolebound: deploy as assumed-role/deploy/ada in account {ACCOUNT}, us-east-1" in done.stderr
    assert "arn:aws:cloudformation" in done.stdout
    assert "first" in queues(account)

    gone = run(account, app, "destroy", "--all", "--yes", keys=session)
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert "first" not in queues(account)


def test_exactly_what_was_synthesised_and_checked_is_deployed(account: Account, app: Path) -> None:
    """An assembly that lay there from before, for another account, is not what counts."""
    session = account.session()
    stale = run(account, app, *DEPLOY, "-c", "account=999999999999", keys=session)
    assert stale.returncode == 5, stale.stderr
    assert "999999999999" in stale.stderr
    assert (app / "cdk.out" / "manifest.json").is_file()
    assert run(account, app, *DEPLOY, "-c", "queue=second", keys=session).returncode == 0
    assert "second" in queues(account)


def test_a_failing_synthesis_ends_with_the_cdks_own_status(account: Account, app: Path) -> None:
    """And with its words."""
    done = run(account, app, *DEPLOY, "-c", "fail=1", keys=account.session())
    assert done.returncode == 1
    assert "the app fails on purpose" in done.stderr


def test_a_failing_deployment_ends_with_the_cdks_own_status(account: Account, app: Path) -> None:
    """A stack that is not there cannot be deployed: the CDK says so, after the check let it begin."""
    done = run(account, app, "deploy", "NoSuchStack", keys=account.session())
    assert done.returncode == 1
    assert "rolebound: deploy as" in done.stderr
    assert "NoSuchStack" in done.stderr


def test_a_users_key_is_refused_before_anything_is_deployed(account: Account, app: Path) -> None:
    """And is let through where that was insisted on."""
    refused = run(account, app, *DEPLOY, "-c", "queue=third", keys=account.key)
    assert (refused.returncode, "third" in queues(account)) == (1, False)
    insisted = run(account, app, *DEPLOY, "--allow-long-lived", "-c", "queue=third", keys=account.key)
    assert (insisted.returncode, "third" in queues(account)) == (0, True), insisted.stderr


def test_production_is_confirmed_with_account_and_region(account: Account, app: Path) -> None:
    """By a person who types yes, or by CI with `--yes`; by nobody's silence."""
    session = account.session()
    production = (*DEPLOY, "-c", "stack=Shop-prod", "-c", "queue=shop")
    alone = run(account, app, *production, keys=session)
    assert (alone.returncode, "shop" in queues(account)) == (1, False)
    assert "nobody is there to confirm it" in alone.stderr
    ready = (*production, "--app", "cdk.out")
    no = run(account, app, *ready, keys=session, typed="y")
    assert (no.returncode, "shop" in queues(account)) == (1, False)
    assert f"Production: Shop-prod in account {ACCOUNT}, us-east-1." in no.stderr
    yes = run(account, app, *ready, keys=session, typed="yes")
    assert (yes.returncode, "shop" in queues(account)) == (0, True), yes.stderr
    assert run(account, app, *ready, "--yes", keys=session).returncode == 0


def test_a_named_profile_is_what_the_cdk_takes_whatever_the_environment_holds(account: Account, app: Path) -> None:
    """The key of the environment, which would win otherwise, works no more for anybody here."""
    (app / ".aws").mkdir()
    (app / ".aws" / "config").write_text(f"[profile deploy]\nrole_arn = {ROLE}\nsource_profile = me\n")
    pair = "\n".join(f"{name.lower()} = {value}" for name, value in account.key.items())
    (app / ".aws" / "credentials").write_text(f"[me]\n{pair}\n")
    wrong = {"AWS_ACCESS_KEY_ID": "AKIA" + "0" * 16, "AWS_SECRET_ACCESS_KEY": "of-somebody-else"}
    done = run(account, app, *DEPLOY, "--profile", "deploy", "-c", "queue=fourth", keys=wrong)
    assert done.returncode == 0, done.stderr
    assert "fourth" in queues(account)


def test_one_code_serves_the_check_the_synthesis_and_the_deployment(account: Account, app: Path) -> None:
    """A device gives a new code every half minute, and each is taken once: nobody is asked a second time."""
    (app / ".aws").mkdir()
    serial = f"arn:aws:iam::{ACCOUNT}:mfa/ada"
    (app / ".aws" / "config").write_text(
        f"[profile mfa]\nrole_arn = {ROLE}\nsource_profile = me\nmfa_serial = {serial}\nregion = {REGION}\n"
    )
    pair = "\n".join(f"{name.lower()} = {value}" for name, value in account.key.items())
    (app / ".aws" / "credentials").write_text(f"[me]\n{pair}\n")
    environ = {**account.environ, "PYTHONPATH": str(PROJECT), "HOME": str(app)}
    command = [sys.executable, "-m", "operator_cli", *DEPLOY, "--profile", "mfa", "-c", "queue=coded"]
    ours, terminal = pty.openpty()
    said = bytearray()

    def read() -> None:
        with contextlib.suppress(OSError):
            while part := os.read(ours, 4096):
                said.extend(part)
                if said.count(b"code") == 1 and b"123456" not in typed:
                    typed.extend(b"123456")
                    os.write(ours, b"123456\n")

    typed = bytearray()
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    done = subprocess.run(
        command, cwd=app, env=environ, stdin=terminal, stdout=terminal, stderr=terminal, timeout=120, check=False
    )
    os.close(terminal)
    reader.join(timeout=10)
    os.close(ours)
    text = said.decode(errors="replace")
    assert done.returncode == 0, text
    assert text.count("Enter MFA code") == 1
    assert "MFA token for" not in text
    assert "coded" in queues(account)
    assert account.key["AWS_SECRET_ACCESS_KEY"] not in text


def test_json_keeps_standard_output_for_itself(account: Account, app: Path) -> None:
    """The CDK's words go to standard error; the check, the command and the status are one document."""
    done = run(account, app, *DEPLOY, "--json", keys=account.session())
    said = json.loads(done.stdout)
    assert (said["exit_status"], said["check"]["good"]) == (0, True)
    assert said["command"][2] == "deploy"
    assert "Tiny" in done.stderr


def test_tests_run_with_the_session_that_was_checked(account: Account, app: Path) -> None:
    """The program sees the profile and the region, its status comes through, and its arguments arrive as they are."""
    program = "import os, sys; print(os.environ['AWS_DEFAULT_REGION'], sys.argv[1:]); sys.exit(7)"
    done = run(
        account,
        app,
        "tests",
        "--region",
        REGION,
        "--",
        sys.executable,
        "-c",
        program,
        "--json",
        "-x",
        keys=account.session(),
    )
    assert (done.returncode, done.stdout) == (7, "us-east-1 ['--json', '-x']\n")
    missing = run(account, app, "tests", "--", "no-such-program", keys=account.session())
    assert (missing.returncode, "no-such-program could not be started" in missing.stderr) == (2, True)


@pytest.fixture
def log(account: Account) -> Any:  # noqa: ANN401 - clients are made at run time
    """A function's log group."""
    logs = account.client("logs", account.root)
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    yield logs
    logs.delete_log_group(logGroupName=GROUP)


def write(logs: Any, *lines: str) -> None:  # noqa: ANN401 - clients are made at run time
    """Write lines now."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    events = [{"timestamp": now + at, "message": line} for at, line in enumerate(lines)]
    logs.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)


def test_logs_are_shown_and_followed(account: Account, app: Path, log: Any) -> None:  # noqa: ANN401 - as above
    """By the function's name; with `--follow`, lines that come later too, each once."""
    write(log, "one", "two")
    session = account.session()
    done = run(account, app, "logs", "some-function", keys=session)
    assert done.returncode == 0, done.stderr
    assert [line.rpartition("  ")[2] for line in done.stdout.splitlines()] == ["one", "two"]
    said = json.loads(run(account, app, "logs", GROUP, "--json", keys=session).stdout)
    assert [line["text"] for line in said["lines"]] == ["one", "two"]

    environ = {**account.environ, "PYTHONPATH": str(PROJECT), "HOME": str(app), **session}
    command = [sys.executable, "-m", "operator_cli", "logs", "some-function", "--follow"]
    with subprocess.Popen(
        command, cwd=app, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert [process.stdout.readline().split()[-1] for _ in range(2)] == ["one", "two"]
        write(log, "three")
        assert process.stdout.readline().split()[-1] == "three"
        time.sleep(3)
        process.send_signal(2)
        try:
            rest, errors = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, rest) == (130, ""), errors


def test_a_secret_that_a_function_wrote_is_not_shown(account: Account, app: Path, log: Any) -> None:  # noqa: ANN401 - as above
    """Its log holds it; a terminal, a ticket or a screen that is shared need not."""
    write(log, "connecting to postgres://admin:made-up-horse@db.example/orders")
    for arguments in ((GROUP,), (GROUP, "--json")):
        done = run(account, app, "logs", *arguments, keys=account.session())
        assert "db.example/orders" in done.stdout
        assert "made-up-horse" not in done.stdout


def test_a_log_that_is_not_there_is_told(account: Account, app: Path) -> None:
    """With what may be wrong: name, region, or that nothing ran yet."""
    done = run(account, app, "logs", "nobody", keys=account.session())
    assert done.returncode == 1
    assert "/aws/lambda/nobody could not be read" in done.stderr
    assert "--region" in done.stderr
