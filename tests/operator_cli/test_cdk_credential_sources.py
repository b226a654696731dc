"""Which source the CDK command line takes: our account of it against the CDK's own code, which is asked in its Node."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, event, given, settings

from local_aws.places import PROJECT
from operator_cli.credentials.facts import gather
from operator_cli.credentials.kinds import Kind, Sdk, Trouble
from operator_cli.credentials.sources import resolve
from tests.operator_cli.test_credential_sources import (
    PROCESS_OUTPUT,
    SECRET,
    TEMPORARY,
    TOKEN,
    Machine,
    home_with,
    machines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NODE: Final = PROJECT / ".venv" / "node" / "node"
CDK: Final = PROJECT / "node_modules" / "aws-cdk" / "lib" / "index.js"

RESOLVER: Final = """
const { AwsCliCompatible } = require(process.argv[1]);
const say = { debug() {}, warn() {}, info() {}, error() {} };
const io = { defaults: say, requestResponse: async () => '123456', notify: async () => {} };
console.warn = () => {};
require('readline').createInterface({ input: process.stdin }).on('line', async (line) => {
  const asked = JSON.parse(line);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, asked.environ);
  let answer;
  try {
    const chain = await new AwsCliCompatible(io, {}, say).credentialChainBuilder({ profile: asked.profile ?? undefined });
    answer = { sources: Object.keys((await chain()).$source ?? {}) };
  } catch (error) {
    answer = { error: error.message };
  }
  console.log(JSON.stringify(answer));
});
"""

SIGNS: Final = (
    ("CREDENTIALS_STS_ASSUME_ROLE_WEB_ID", {Kind.WEB_IDENTITY}),
    ("CREDENTIALS_STS_ASSUME_ROLE", {Kind.ASSUME_ROLE}),
    ("CREDENTIALS_PROFILE_SSO", {Kind.SSO}),
    ("CREDENTIALS_PROFILE_SSO_LEGACY", {Kind.SSO}),
    ("CREDENTIALS_PROFILE_LOGIN", {Kind.LOGIN}),
    ("CREDENTIALS_PROCESS", {Kind.PROCESS}),
    ("CREDENTIALS_HTTP", {Kind.CONTAINER}),
    ("CREDENTIALS_PROFILE", {Kind.CREDENTIALS_FILE, Kind.CONFIG_FILE}),
    ("CREDENTIALS_ENV_VARS", {Kind.ENVIRONMENT}),
)
"""How the JavaScript SDK marks credentials, the last step to them first."""


UNUSABLE: Final = {Trouble.NOT_SIGNED_IN, Trouble.SIGN_IN_EXPIRED, Trouble.PROFILE_INCOMPLETE}
"""What keeps the SDK from getting keys out of the source that it takes; any other trouble only AWS notices."""


class Services(http.server.BaseHTTPRequestHandler):
    """STS, SSO and a container's agent, as far as they give sessions."""

    def do_GET(self) -> None:
        """A session of SSO, or of the container."""
        soon = datetime.now(UTC) + timedelta(hours=1)
        keys = {"accessKeyId": TEMPORARY, "secretAccessKey": SECRET, "sessionToken": TOKEN}
        if "federation" in self.path:
            self._answer(json.dumps({"roleCredentials": {**keys, "expiration": int(soon.timestamp() * 1000)}}))
        else:
            pair = {"AccessKeyId": TEMPORARY, "SecretAccessKey": SECRET, "Token": TOKEN}
            self._answer(json.dumps({**pair, "Expiration": soon.strftime("%Y-%m-%dT%H:%M:%SZ")}))

    def do_POST(self) -> None:
        """A session of STS, by whichever operation."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        web = "AssumeRoleWithWebIdentity" if "AssumeRoleWithWebIdentity" in body else "AssumeRole"
        soon = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        session = (
            f"<AccessKeyId>{TEMPORARY}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>"
            f"<SessionToken>{TOKEN}</SessionToken><Expiration>{soon}</Expiration>"
        )
        user = "<Arn>arn:aws:sts::123456789012:assumed-role/deploy/x</Arn><AssumedRoleId>A:x</AssumedRoleId>"
        result = f"<Credentials>{session}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"
        space = "https://sts.amazonaws.com/doc/2011-06-15/"
        self._answer(f'<{web}Response xmlns="{space}"><{web}Result>{result}</{web}Result></{web}Response>')

    def _answer(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json" if text.startswith("{") else "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def services() -> Iterator[str]:
    """Their address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Services)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def ask_cdk() -> Iterator[Any]:
    """Asks the CDK's own code, in an environment of its own, which source it takes."""
    with subprocess.Popen(
        [str(NODE), "-e", RESOLVER, "--", str(CDK)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def ask(environ: dict[str, str], profile: str | None) -> dict[str, Any]:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps({"environ": environ, "profile": profile}) + "\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline())
            return answer

        yield ask
        assert process.stdin
        process.stdin.close()


def sign_in_to_sso(home: Path, name: str) -> None:
    """What `aws sso login` leaves behind."""
    cache = home / ".aws" / "sso" / "cache" / f"{hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()}.json"
    cache.parent.mkdir(parents=True, exist_ok=True)
    until = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%SZ")
    cache.write_text(json.dumps({"accessToken": "t", "expiresAt": until, "region": "us-east-1", "startUrl": name}))


@given(machine=machines)
@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_winner_is_the_one_that_the_cdk_takes(
    tmp_path_factory: pytest.TempPathFactory,
    services: str,
    ask_cdk: Any,  # noqa: ANN401 - a function of the fixture
    machine: Machine,
) -> None:
    """For any environment and files: the same source, or none where the CDK finds none or fails."""
    home = tmp_path_factory.mktemp("home")
    process = home / "process"
    process.write_text(f"#!/bin/sh\ncat <<'END'\n{PROCESS_OUTPUT}\nEND\n")
    process.chmod(0o755)
    token = home / "token"
    token.write_text("web-identity-token")
    config = {name: dict(own) for name, own in machine.config.items()}
    credentials = {name: dict(own) for name, own in machine.credentials.items()}
    environ = dict(machine.environ)
    for own in (*config.values(), *credentials.values(), environ):
        for name in {"web_identity_token_file", "AWS_WEB_IDENTITY_TOKEN_FILE"} & own.keys():
            own[name] = str(token)
    home_with(home, config, credentials, str(process))
    for name in ("work", "https://example.awsapps.com/start"):
        sign_in_to_sso(home, name)
    if "AWS_CONTAINER_CREDENTIALS_FULL_URI" in environ:
        environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{services}/container"
    environ |= {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": services,
    }
    actual = ask_cdk(environ, machine.profile)
    ours = resolve(gather(environ, now=datetime.now(UTC), profile=machine.profile), Sdk.CDK)
    event(str(actual.get("sources") or "error"))
    problems = ours.winner.all_problems if ours.winner else ()
    unusable = any(problem.trouble in UNUSABLE for problem in problems)
    if "error" in actual:
        assert ours.winner is None or unusable, (actual, ours.winner)
        return
    expected = next(kinds for sign, kinds in SIGNS if sign in actual["sources"])
    assert ours.winner is not None, (actual, ours.stopped_by)
    assert ours.winner.kind in expected, (actual, ours.winner)
    assert not unusable, (actual, ours.winner)
