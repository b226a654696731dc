"""A real notebook kernel, signed in at a sign-in service, working on the local AWS."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from local_aws import emulator, environment
from local_aws.places import PROJECT
from tests.operator_cli.sign_in_service import SessionKeys, SignInService

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local_aws.places import Places

pytestmark = pytest.mark.e2e

LOGIN_SESSION = f"arn:aws:iam::{environment.ACCOUNT}:user/ada"
CELL_SECONDS = 90


@pytest.fixture
def variables(places: Places) -> dict[str, str]:
    """The environment in which the local AWS is AWS."""
    record = emulator.read_record(places)
    assert record is not None
    return environment.for_clients(places, record.port, os.environ)


@pytest.fixture
def sign_in(variables: dict[str, str]) -> Iterator[SignInService]:
    """A sign-in service whose sessions are real ones of a role that may invoke functions, each good for seconds."""
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415, TID251 - the test stands in for AWS's side of a sign-in

    with environment.only(variables):
        aws = boto3.Session()
        iam, sts = aws.client("iam"), aws.client("sts")
        trust = {"Effect": "Allow", "Principal": {"AWS": environment.ACCOUNT}, "Action": "sts:AssumeRole"}
        may = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
        role = iam.create_role(RoleName="notebook", AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName="notebook", PolicyName="invoke", PolicyDocument=_document(may))
        issued = 0

        def issue() -> SessionKeys:
            nonlocal issued
            issued += 1
            keys = sts.assume_role(RoleArn=role, RoleSessionName=f"ada-{issued}")["Credentials"]
            return SessionKeys(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

        with SignInService(issue, environment.ACCOUNT, lifetime=2).serving() as service:
            yield service
        iam.delete_role_policy(RoleName="notebook", PolicyName="invoke")
        iam.delete_role(RoleName="notebook")


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Notebook:
    """A kernel in a home of its own, that runs cells."""

    def __init__(self, manager: KernelManager) -> None:
        self._client = manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=CELL_SECONDS)

    def run(self, cell: str) -> str:
        """Run a cell and give what a person sees below it, errors included."""
        seen: list[str] = []

        def note(message: dict[str, Any]) -> None:
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    seen.append(content["text"])
                case "execute_result":
                    seen.append(content["data"]["text/plain"])
                case "error":
                    seen.append(f"{content['ename']}: {content['evalue']}")

        self._client.execute_interactive(cell, timeout=CELL_SECONDS, output_hook=note)
        return "".join(seen)

    def close(self) -> None:
        """Let go of the kernel."""
        self._client.stop_channels()


@pytest.fixture
def notebook(tmp_path: Path, variables: dict[str, str], sign_in: SignInService) -> Iterator[Notebook]:
    """A kernel that knows the local AWS's address, and of credentials only what lies in its home."""
    aws = tmp_path / ".aws"
    aws.mkdir()
    (aws / "config").write_text(f"[profile dev]\nlogin_session = {LOGIN_SESSION}\nregion = {environment.REGION}\n")
    specs = tmp_path / "kernels" / "operator"
    specs.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (specs / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "operator", "language": "python"}))
    own = {
        name: value
        for name, value in variables.items()
        if name in {"PATH", "LANG", "AWS_CA_BUNDLE"} or name.startswith("AWS_ENDPOINT_URL")
    }
    own |= {
        "HOME": str(tmp_path),
        "PYTHONPATH": str(PROJECT),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "AWS_ENDPOINT_URL_SIGNIN": sign_in.url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    finder = KernelSpecManager(kernel_dirs=[str(tmp_path / "kernels")], ensure_native_kernel=False)
    manager = KernelManager(kernel_name="operator", kernel_spec_manager=finder, transport="ipc")
    manager.start_kernel(env=own)
    running = Notebook(manager)
    yield running
    running.close()
    manager.shutdown_kernel(now=True)


def test_a_notebook_works_after_aws_login_and_goes_on_working(
    notebook: Notebook, sign_in: SignInService, tmp_path: Path
) -> None:
    """The seed's notebook, without its loader: signed in in a terminal, renewed by the SDK, no key anywhere.

    The session is found although no variable names its profile; it outlives its first keys; after the sign-in ends the
    error says which command to run, and the same kernel goes on after it.
    """
    cache = tmp_path / ".aws" / "login" / "cache"
    refused = notebook.run("from operator_cli.notebook import invoke, session\naws = session()")
    assert "OperatorError" in refused
    assert "aws login --profile dev" in refused

    sign_in.log_in(cache, LOGIN_SESSION, valid_for=1)
    told = notebook.run("aws = session()")
    assert "assumed-role/notebook/ada-" in told
    assert "profile dev" in told
    assert "renews itself" in told

    before = sign_in.renewals
    who = notebook.run("import time; time.sleep(3); aws.client('sts').get_caller_identity()['Arn']")
    assert "assumed-role/notebook/ada-" in who
    assert sign_in.renewals > before

    health = notebook.run(
        "invoke(aws, 'rolebound-dev-api', {'routeKey': 'GET /v1/health', 'headers': {}})['statusCode']"
    )
    assert health == "200"
    failed = notebook.run("invoke(aws, 'rolebound-dev-worker', {})")
    assert "FunctionFailed: rolebound-dev-worker failed: " in failed
    assert "'Records'" in failed
    denied = notebook.run("aws.client('dynamodb').list_tables()")
    assert "AccessDenied" in denied

    sign_in.signed_out = True
    ended = notebook.run("session('dev', quiet=True)")
    assert "OperatorError" in ended
    assert "aws login --profile dev" in ended
    sign_in.log_in(cache, LOGIN_SESSION)
    assert "renews itself" in notebook.run("aws = session()")

    variables = notebook.run("import os; sorted(name for name in os.environ if name.startswith('AWS'))")
    assert "AWS_ENDPOINT_URL" in variables
    assert not any(name in variables for name in ("ACCESS_KEY", "SECRET", "TOKEN"))
    # Only the refusals that were asked for: each renewal used the newest token, and a proof of its own.
    assert set(sign_in.refusals) <= {"signed out"}
    everything = refused + told + who + health + failed + denied + ended
    held = json.loads(next(cache.iterdir()).read_text())
    secrets = (held["accessToken"]["secretAccessKey"], held["accessToken"]["sessionToken"], held["refreshToken"])
    assert not any(secret in everything for secret in secrets)
