"""A project that is watched by `rolebound watch`, the account that it deploys to, and the services that sign people in there."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import botocore.session  # noqa: TID251 - the test prepares the account that is watched
from botocore.config import Config  # noqa: TID251 - as above

from local_aws.environment import ACCOUNT, REGION
from local_aws.places import PROJECT
from operator_cli.bridge.child import NOT_PASSED_ON
from operator_cli.bridge.private_directory import PREFIX
from operator_cli.watching import own_terminal
from tests.operator_cli.sign_in_service import SessionKeys, SignInService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LIFETIME: Final = 25
"""Seconds that a session lives. AWS gives fifteen minutes at least; a test cannot wait for their end."""

WITHIN_SECONDS: Final = 120
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/developer"
QUESTION: Final = "Enter MFA code for"
CODE: Final = "908070"


@dataclass
class Account:
    """A local AWS with a role for developers, and services around it that sign people in.

    Attributes:
        environ: What a program needs to reach it, without credentials.
        key: A user's long-lived key, which may assume the role and nothing else.
        root: The account's own credentials.
        issued: Every session that was given out, to be looked for where it must not be.
        bearer: The SSO access token that counts.
        url: Where the SSO portal and its OIDC service answer, and where a process gets sessions.
        sign_in: The service behind `aws login`.
    """

    environ: Mapping[str, str] = field(repr=False)
    root: Mapping[str, str] = field(repr=False)
    key: Mapping[str, str] = field(repr=False, default_factory=dict)
    issued: list[SessionKeys] = field(repr=False, default_factory=list)
    bearer: str = "sso-token-0"
    url: str = ""
    sign_in: SignInService = field(init=False)

    def __post_init__(self) -> None:
        """Have sign-ins get sessions of this account."""
        self.sign_in = SignInService(issue=self.issue, account=ACCOUNT, lifetime=LIFETIME)

    def issue(self, seconds: int = LIFETIME) -> SessionKeys:
        """Give a session of the developers' role."""
        answer = self.client("sts", self.key).assume_role(RoleArn=ROLE, RoleSessionName="ada", DurationSeconds=seconds)[
            "Credentials"
        ]
        self.issued.append(SessionKeys(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]))
        return self.issued[-1]

    def client(self, service: str, key: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - clients are made at run time
        """Give a client with a key; the account's own if none is given."""
        key = key or self.root
        return botocore.session.Session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.environ["AWS_ENDPOINT_URL"],
            verify=self.environ["AWS_CA_BUNDLE"],
            aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=key["AWS_SECRET_ACCESS_KEY"],
            config=Config(parameter_validation=False, read_timeout=30),
        )

    def answer_of(self, function: str) -> str:
        """Give what a deployed function answers."""
        return str(json.loads(self.client("lambda").invoke(FunctionName=function)["Payload"].read()))

    @contextmanager
    def signing_in(self) -> Iterator[None]:
        """Answer as the SSO portal, its OIDC service and a company's session service until the block ends."""
        with SignInServer(self) as server, self.sign_in.serving():
            self.url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


class SignInServer(ThreadingHTTPServer):
    """The services around an account, on a free port of loopback."""

    def __init__(self, account: Account) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.account = account


class Handler(BaseHTTPRequestHandler):
    """Answers as each of them."""

    @property
    def account(self) -> Account:
        """Where sessions come from."""
        assert isinstance(self.server, SignInServer)
        return self.server.account

    def do_GET(self) -> None:
        """Give a session: to a company's program, to whoever is in the container, or to who has signed in."""
        keys = self.account.issue()
        ends = datetime.now(UTC) + timedelta(seconds=LIFETIME)
        if self.path in {"/process", "/container"}:
            session = {"AccessKeyId": keys.key_id, "SecretAccessKey": keys.secret, "Expiration": ends.isoformat()}
            token = "SessionToken" if self.path == "/process" else "Token"
            self._say({"Version": 1, **session, token: keys.token})
        elif self.headers.get("x-amz-sso_bearer_token") != self.account.bearer:
            self.send_error(401)
        else:
            role = {
                "accessKeyId": keys.key_id,
                "secretAccessKey": keys.secret,
                "sessionToken": keys.token,
                "expiration": int(ends.timestamp() * 1000),
            }
            self._say({"roleCredentials": role})

    def do_POST(self) -> None:
        """Give a new SSO token, or be STS."""
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/":
            self._pass_on(body)
            return
        self.account.bearer = f"sso-token-{time.monotonic_ns()}"
        self._say({"accessToken": self.account.bearer, "tokenType": "Bearer", "expiresIn": 28800, "refreshToken": "r"})

    def _pass_on(self, body: bytes) -> None:
        """Be STS, which makes sessions of web identities short: the SDK has no setting for that."""
        if b"Action=AssumeRoleWithWebIdentity" in body:
            body += f"&DurationSeconds={LIFETIME}".encode()
        trusted = ssl.create_default_context(cafile=self.account.environ["AWS_CA_BUNDLE"])
        host = self.account.environ["AWS_ENDPOINT_URL"].removeprefix("https://")
        headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
        with contextlib.closing(http.client.HTTPSConnection(host, context=trusted)) as sts:
            sts.request("POST", "/", body, headers)
            answer = sts.getresponse()
            self._reply(answer.status, answer.read(), answer.headers["content-type"])

    def _say(self, answer: dict[str, Any]) -> None:
        self._reply(200, json.dumps(answer).encode(), "application/json")

    def _reply(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a request's line is no test's output."""


class Watched:
    """One project, one person's home, and `rolebound watch` running there.

    Args:
        account: Where it deploys to.
        folder: A folder of the test's own; its name is the stack's and the function's.
        profiles: What `~/.aws/config` says.
        variables: More variables of the person's shell.
        arguments: Arguments of `rolebound watch`.
        on_terminal: Whether it runs on a terminal of its own.
    """

    def __init__(
        self,
        account: Account,
        folder: Path,
        *,
        profiles: str = "",
        variables: Mapping[str, str] | None = None,
        arguments: tuple[str, ...] = ("--min-minutes", "0"),
        on_terminal: bool = False,
    ) -> None:
        self.account, self.folder, self.name = account, folder, folder.name
        (folder / "src").mkdir(parents=True)
        (folder / "node_modules").symlink_to(PROJECT / "node_modules")
        shutil.copy(Path(__file__).with_name("watched_app.py"), folder / "app.py")
        app = shlex.join([sys.executable, "-S", "app.py"])
        (folder / "cdk.json").write_text(json.dumps({"app": app, "watch": {"include": ["src/**"]}}))
        self.home = folder / "home"
        (self.home / ".aws").mkdir(parents=True)
        (self.home / ".aws" / "config").write_text(profiles)
        self.save("one")
        self._arguments = arguments
        self._on_terminal = on_terminal
        self._environ = {
            **account.environ,
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "CDK_HOME": str(self.home / "cdk"),
            "PYTHONPATH": str(PROJECT),
            **(variables or {}),
        }
        self._output = bytearray()
        self._terminal = -1
        self._process: subprocess.Popen[bytes] | None = None

    # --- Running --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it."""
        command = [sys.executable, "-m", "operator_cli", "watch", *self._arguments]
        command += ["--", "--hotswap-fallback", "--no-notices"]
        if self._on_terminal:
            self._terminal, slave = os.openpty()
            reading = self._terminal
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(own_terminal.__file__), str(slave), *command],
                cwd=self.folder,
                env=self._environ,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                pass_fds=(slave,),
                start_new_session=True,
            )
            os.close(slave)
        else:
            reading, writing = os.pipe()
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
            os.close(writing)
        threading.Thread(target=self._read, args=(reading,), daemon=True).start()

    def _read(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(descriptor, 65536):
                self._output += piece

    @property
    def said(self) -> str:
        """Everything that it and the CDK have written, without line ends and colours that a terminal adds."""
        text = self._output.decode(errors="replace").replace("\r\n", "\n")
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)

    @property
    def raw(self) -> bytes:
        """The same as it came."""
        return bytes(self._output)

    def save(self, answer: str) -> None:
        """Save the function's code: from now on it is to answer this."""
        (self.folder / "src" / "handler.py").write_text(f"def handler(event, context):\n    return {answer!r}\n")

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"not within {WITHIN_SECONDS} s: {what}; it said:\n{self.said[-4000:]}"
            assert self._process is None or self._process.poll() is None, f"it ended; it said:\n{self.said[-4000:]}"
            time.sleep(0.2)

    def until_said(self, words: str, times: int = 1) -> None:
        """Wait until it has said something so many times."""
        self.until(lambda: self.said.count(words) >= times, f"{words!r}, {times} times")

    def until_deployed(self, answer: str) -> None:
        """Wait until the CDK has reported a deployment, and the function answers so."""
        reported = 0

        def deployed() -> bool:
            # Asked once for each report: a file that is saved may be seen, and deployed, in two pieces.
            nonlocal reported
            before, reported = reported, self.said.count("✨  Total time")
            return reported > before and self.account.answer_of(self.name) == answer

        self.until(deployed, f"{answer!r} is deployed")

    # --- Looking --------------------------------------------------------------------------------------------------------

    def processes(self) -> dict[int, dict[str, str]]:
        """Give the environments of the supervisor's descendants, and of whatever else runs with its bridge."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                environ = dict(
                    variable.split("=", 1)
                    for variable in (entry / "environ").read_bytes().decode(errors="replace").split("\0")
                    if "=" in variable
                )
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if environ.get("AWS_CONFIG_FILE", "").startswith(f"{self.home}/{PREFIX}") and state != "Z":
                    found[int(entry.name)] = environ
        return found

    @property
    def private(self) -> list[Path]:
        """The supervisor's private directories."""
        return list(self.home.glob(f"{PREFIX}*"))

    def holds_no_secret(self) -> None:
        """Look for keys in the environment of every process of the child's, and on the disk."""
        processes = self.processes()
        assert processes, "no child was found"
        secrets = {part for keys in self.account.issued for part in keys} | set(self.account.key.values())
        for environ in processes.values():
            wanted = {"AWS_PROFILE", "AWS_EC2_METADATA_DISABLED"}
            assert {name for name in environ if NOT_PASSED_ON.fullmatch(name)} == wanted
            assert not secrets & set(environ.values())
        (directory,) = self.private
        assert directory.stat().st_mode & 0o777 == 0o700
        kept = [directory, self.folder / "cdk.out", self.home / "cdk"]
        for file in (file for place in kept for file in place.rglob("*") if file.is_file()):
            text = file.read_text(errors="replace")
            # The CDK's own cache notes which account a key id is of. The id alone opens nothing.
            assert not any(secret in text for secret in secrets if not secret.startswith(("ASIA", "AKIA"))), file

    def prints_no_secret(self) -> None:
        """Look for keys in everything that was written."""
        secrets = {part for keys in self.account.issued for part in keys} | set(self.account.key.values())
        assert not any(secret in self.said for secret in secrets)

    # --- Ending ---------------------------------------------------------------------------------------------------------

    def end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> int:
        """End it, and see that nothing of it is left; its exit status."""
        assert self._process is not None
        how(self._process)
        status = self._process.wait(timeout=20)
        deadline = time.monotonic() + 10
        while left := self.processes():
            assert time.monotonic() < deadline, f"left behind: {list(left)}"
            time.sleep(0.1)
        self.prints_no_secret()
        return status

    def type(self, keys: bytes) -> None:
        """Type on its terminal."""
        os.write(self._terminal, keys)

    def answer_questions(self, somebody: threading.Event) -> None:
        """Type a code for each question, while somebody is there."""
        answered = 0
        while self._process is not None and self._process.poll() is None:
            somebody.wait(1)
            if somebody.is_set() and self.said.count(QUESTION) > answered:
                answered += 1
                self.type(f"{CODE}\n".encode())
            time.sleep(0.2)

    def close_terminal(self) -> None:
        """Close the window."""
        os.close(self._terminal)

    def clean(self) -> None:
        """End what a failed story left running."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
