"""A local AWS with nothing deployed: a user, a role that the user may take on, and a person's way to both."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import botocore.session  # noqa: TID251 - the tests prepare the account that they check
from botocore.config import Config  # noqa: TID251 - as above

from local_aws import emulator, environment
from local_aws.environment import ACCOUNT, REGION
from local_aws.places import PROJECT, Places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/deploy"
USER: Final = "ada"
SECRETS: Final = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}


@dataclass(frozen=True)
class Account:
    """A local AWS with a user, a role that the user may take on, and the programs' way to it.

    Attributes:
        environ: What a program needs to reach it, without credentials.
        key: The user's long-lived key.
        root: The account's own credentials.
    """

    environ: Mapping[str, str] = field(repr=False)
    key: Mapping[str, str] = field(repr=False)
    root: Mapping[str, str] = field(repr=False)

    def session(self, *, seconds: int = 3600) -> dict[str, str]:
        """Variables of a temporary session."""
        credentials = self.client("sts", self.key).assume_role(
            RoleArn=ROLE, RoleSessionName="ada", DurationSeconds=seconds
        )["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
            "AWS_CREDENTIAL_EXPIRATION": credentials["Expiration"].isoformat(),
        }

    def client(self, service: str, key: Mapping[str, str]) -> Any:  # noqa: ANN401 - clients are made at run time
        """A client with a key."""
        return botocore.session.Session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.environ["AWS_ENDPOINT_URL"],
            verify=self.environ["AWS_CA_BUNDLE"],
            aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=key["AWS_SECRET_ACCESS_KEY"],
            # AWS gives fifteen minutes at least; a test cannot wait for their end.
            config=Config(parameter_validation=False),
        )

    def check(self, *arguments: str, keys: Mapping[str, str] | None = None, home: Path) -> Checked:
        """Run `check --json` as a person with that home and those keys would."""
        environ = {**self.environ, **(keys or {}), "HOME": str(home)}
        begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "operator_cli", "check", "--json", *arguments],
            cwd=PROJECT,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        secrets = [value for name, value in (keys or {}).items() if name in SECRETS]
        assert not any(secret in done.stdout + done.stderr for secret in secrets), "A secret was printed."
        assert done.stdout, done.stderr
        return Checked(done.returncode, json.loads(done.stdout), seconds, own)


@dataclass(frozen=True)
class Checked:
    """What a check said.

    Attributes:
        status: Its exit status.
        said: Its JSON.
        seconds: How long it took.
        own_seconds: How much of that it worked itself, which a busy machine does not make longer.
    """

    status: int
    said: dict[str, Any]
    seconds: float
    own_seconds: float

    def verdict(self, question: str) -> str:
        """The answer to a question."""
        (finding,) = [finding for finding in self.said["findings"] if finding["question"] == question]
        return str(finding["verdict"])


@contextmanager
def started_account(directory: Path) -> Iterator[Account]:
    """Start one in a directory of its own, and stop it in the end."""
    places = Places(project=PROJECT, directory=directory)
    places.directory.mkdir()
    record = emulator.start(places)
    everything = environment.for_clients(places, record.port, os.environ)
    credentials = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    root = {name: everything[name] for name in credentials}
    files = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", "AWS_DEFAULT_REGION")
    environ = {name: value for name, value in everything.items() if name not in {*credentials, *files}}
    environ["AWS_DEFAULT_REGION"] = environ["AWS_REGION"] = REGION
    made = Account(environ=environ, key={}, root=root)
    iam = made.client("iam", root)
    iam.create_user(UserName=USER)
    anything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [anything]})
    iam.put_user_policy(UserName=USER, PolicyName="all", PolicyDocument=policy)
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}
    iam.create_role(
        RoleName="deploy", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    iam.put_role_policy(RoleName="deploy", PolicyName="all", PolicyDocument=policy)
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    pair = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    try:
        yield Account(environ=environ, key=pair, root=root)
    finally:
        emulator.stop(places)


def assembly(folder: Path, *, account: str = ACCOUNT, region: str = REGION, version: int = 6) -> Path:
    """A cloud assembly of one stack."""
    folder.mkdir()
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{account}/{region}",
        "properties": {"templateFile": "App.template.json", "requiresBootstrapStackVersion": version},
    }
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": {"App": stack}}))
    (folder / "App.template.json").write_text(json.dumps({"Resources": {}}))
    return folder
