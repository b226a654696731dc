"""`rolebound watch` around a real `cdk watch`, on sessions of seconds: every kind of source, every way to end, every silence.

The stories run side by side, for each of them mostly waits; each test looks at how one went.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import botocore.session  # noqa: TID251 - the test prepares the account that is watched
import pytest
from botocore.config import Config  # noqa: TID251 - as above

from local_aws import emulator, environment
from local_aws.environment import ACCOUNT, REGION
from local_aws.places import PROJECT, Places
from operator_cli import own_terminal
from operator_cli.private_directory import PREFIX
from operator_cli.watch_child import NOT_PASSED_ON
from tests.operator_cli.sign_in_service import SessionKeys, SignInService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="what processes hold is read from /proc"),
]

LIFETIME: Final = 25
"""Seconds that a session lives. AWS gives fifteen minutes at least; a test cannot wait for their end."""

WITHIN_SECONDS: Final = 120
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/developer"
LOGIN_SESSION: Final = f"arn:aws:iam::{ACCOUNT}:user/ada"
START_URL: Final = "https://example.awsapps.com/start"
QUESTION: Final = "Enter MFA code for"
CODE: Final = "908070"
SIDE_BY_SIDE: Final = 5


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
        account = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                keys = account.issue()
                ends = datetime.now(UTC) + timedelta(seconds=LIFETIME)
                if self.path == "/process":
                    self._say(
                        {
                            "Version": 1,
                            "AccessKeyId": keys.key_id,
                            "SecretAccessKey": keys.secret,
                            "SessionToken": keys.token,
                            "Expiration": ends.isoformat(),
                        }
                    )
                elif self.headers.get("x-amz-sso_bearer_token") != account.bearer:
                    self.send_error(401)
                else:
                    session = {
                        "accessKeyId": keys.key_id,
                        "secretAccessKey": keys.secret,
                        "sessionToken": keys.token,
                        "expiration": int(ends.timestamp() * 1000),
                    }
                    self._say({"roleCredentials": session})

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                account.bearer = f"sso-token-{time.monotonic_ns()}"
                self._say(
                    {"accessToken": account.bearer, "tokenType": "Bearer", "expiresIn": 28800, "refreshToken": "r"}
                )

            def _say(self, answer: dict[str, Any]) -> None:
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing: a request's line is no test's output."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, self.sign_in.serving():
            self.url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


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


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A local AWS of this module's own, with nothing deployed."""
    places = Places(project=PROJECT, directory=tmp_path_factory.mktemp("watch") / "local")
    places.directory.mkdir()
    record = emulator.start(places)
    everything = environment.for_clients(places, record.port, os.environ)
    credentials = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    files = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED")
    environ = {name: value for name, value in everything.items() if name not in {*credentials, *files}}
    made = Account(environ=environ, root={name: everything[name] for name in credentials})
    try:
        iam = made.client("iam")
        iam.create_user(UserName="ada")
        may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}
        anything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}
        iam.put_user_policy(UserName="ada", PolicyName="assume", PolicyDocument=_policy(may))
        iam.create_role(RoleName="developer", AssumeRolePolicyDocument=_policy(trust))
        iam.put_role_policy(RoleName="developer", PolicyName="all", PolicyDocument=_policy(anything))
        key = iam.create_access_key(UserName="ada")["AccessKey"]
        made.key = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        with made.signing_in():
            yield made
    finally:
        emulator.stop(places)


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


# --- The kinds of sources -------------------------------------------------------------------------------------------------


def assumed_role(account: Account, folder: Path) -> Watched:
    """A role, assumed with a long-lived key, by the SDK itself."""
    key = "\n".join(f"{name.lower()} = {value}" for name, value in account.key.items())
    # The SDK refuses sessions of seconds before STS is asked, unless it is told not to look.
    role = f"role_arn = {ROLE}\nsource_profile = me\nduration_seconds = {LIFETIME}\nparameter_validation = false"
    arguments = ("--min-minutes", "0", "--profile", "dev")
    return Watched(account, folder, profiles=f"[profile me]\n{key}\n[profile dev]\n{role}\n", arguments=arguments)


def role_with_code(account: Account, folder: Path) -> Watched:
    """A role that wants an MFA code, on a terminal where somebody can type one."""
    key = "\n".join(f"{name.lower()} = {value}" for name, value in account.key.items())
    role = f"role_arn = {ROLE}\nsource_profile = me\nduration_seconds = {LIFETIME}\nparameter_validation = false"
    role += f"\nmfa_serial = arn:aws:iam::{ACCOUNT}:mfa/ada"
    arguments = ("--min-minutes", "0", "--profile", "dev")
    profiles = f"[profile me]\n{key}\n[profile dev]\n{role}\n"
    return Watched(account, folder, profiles=profiles, arguments=arguments, on_terminal=True)


def process(account: Account, folder: Path) -> Watched:
    """A company's own program, on a terminal."""
    code = f"import urllib.request as u; print(u.urlopen('{account.url}/process').read().decode())"
    command = shlex.join([sys.executable, "-c", code])
    variables = {"AWS_PROFILE": "dev"}
    profiles = f"[profile dev]\ncredential_process = {command}\n"
    return Watched(account, folder, profiles=profiles, variables=variables, on_terminal=True)


def sso(account: Account, folder: Path) -> Watched:
    """IAM Identity Center; its token has to be renewed too, for it is about to end."""
    variables = {"AWS_PROFILE": "dev", "AWS_ENDPOINT_URL_SSO": account.url, "AWS_ENDPOINT_URL_SSO_OIDC": account.url}
    profile = f"sso_session = work\nsso_account_id = {ACCOUNT}\nsso_role_name = developer"
    session = f"sso_start_url = {START_URL}\nsso_region = {REGION}"
    profiles = f"[profile dev]\n{profile}\n[sso-session work]\n{session}\n"
    watched = Watched(account, folder, profiles=profiles, variables=variables)
    cache = watched.home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    token = {
        "startUrl": START_URL,
        "region": REGION,
        "accessToken": account.bearer,
        "expiresAt": f"{datetime.now(UTC) + timedelta(seconds=60):%Y-%m-%dT%H:%M:%SZ}",
        "clientId": "client",
        "clientSecret": "client-secret",
        "registrationExpiresAt": f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}",
        "refreshToken": "refresh-token",
    }
    (cache / f"{hashlib.sha1(b'work', usedforsecurity=False).hexdigest()}.json").write_text(json.dumps(token))
    return watched


def login(account: Account, folder: Path) -> Watched:
    """`aws login`: the SDK refreshes, proves possession, and rotates the refresh token."""
    variables = {"AWS_PROFILE": "dev", "AWS_ENDPOINT_URL_SIGNIN": account.sign_in.url}
    profiles = f"[profile dev]\nlogin_session = {LOGIN_SESSION}\n"
    watched = Watched(account, folder, profiles=profiles, variables=variables, on_terminal=True)
    account.sign_in.log_in(watched.home / ".aws" / "login" / "cache", LOGIN_SESSION)
    return watched


def goes_on(watched: Watched) -> None:
    """The session that it began with ends, and the next change is deployed as if nothing was."""
    watched.start()
    began = time.monotonic()
    watched.until_deployed("one")
    watched.holds_no_secret()
    watched.save("two")
    watched.until_deployed("two")
    time.sleep(max(0.0, began + LIFETIME + 8 - time.monotonic()))
    watched.save("three")
    watched.until_deployed("three")
    watched.holds_no_secret()
    assert "has ended" not in watched.said
    assert "a session renewing itself" in watched.said


# --- The stories ------------------------------------------------------------------------------------------------------


def a_role_is_assumed_again(account: Account, folder: Path) -> None:
    """Ends by SIGINT."""
    watched = assumed_role(account, folder)
    with _ending(watched):
        goes_on(watched)
        assert watched.end(lambda process: process.send_signal(signal.SIGINT)) == 130
        assert watched.private == []


def a_code_is_asked_for_once_a_session(account: Account, folder: Path) -> None:
    """Here, and not by the CDK; before the session ends. While nobody answers, the session ends, and Ctrl-C still ends all."""
    watched = role_with_code(account, folder)
    somebody = threading.Event()
    with _ending(watched):
        watched.start()
        watched.until_said(QUESTION)
        threading.Thread(target=watched.answer_questions, args=(somebody,), daemon=True).start()
        somebody.set()
        watched.until_deployed("one")
        watched.until_said(QUESTION, 2)
        watched.save("two")
        watched.until_deployed("two")
        watched.holds_no_secret()
        assert "has ended" not in watched.said
        somebody.clear()
        watched.until_said("has ended. cdk watch is being stopped")
        watched.until(lambda: not watched.processes(), "the child is gone")
        watched.save("three")
        somebody.set()
        watched.until_deployed("three")
        somebody.clear()
        watched.until_said(QUESTION, watched.said.count(QUESTION) + 1)
        assert CODE not in watched.said
        assert watched.end(lambda _: watched.type(b"\x03")) == 130
        assert watched.private == []


def a_process_is_run_again(account: Account, folder: Path) -> None:
    """On a terminal: what the CDK writes is coloured. Ends by Ctrl-C."""
    watched = process(account, folder)
    with _ending(watched):
        goes_on(watched)
        assert b"\x1b[1m" in watched.raw
        assert watched.end(lambda _: watched.type(b"\x03")) == 130
        assert watched.private == []


def an_sso_session_is_renewed(account: Account, folder: Path) -> None:
    """Its token too. Ends by SIGTERM."""
    watched = sso(account, folder)
    with _ending(watched):
        goes_on(watched)
        assert account.bearer != "sso-token-0"
        assert watched.end(lambda process: process.send_signal(signal.SIGTERM)) == 143
        assert watched.private == []


def a_login_is_renewed(account: Account, folder: Path) -> None:
    """Each refresh token is used once. Ends with its terminal."""
    watched = login(account, folder)
    with _ending(watched):
        goes_on(watched)
        assert account.sign_in.renewals >= 2
        assert account.sign_in.refusals == []
        assert watched.end(lambda _: watched.close_terminal()) == 129
        assert watched.private == []


def exported_keys_end(account: Account, folder: Path) -> None:
    """It says so, stops, waits, and goes on with what is signed in to afterwards. Ends by SIGHUP."""
    keys = account.issue()
    exported = {
        "AWS_ACCESS_KEY_ID": keys.key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret,
        "AWS_SESSION_TOKEN": keys.token,
        "AWS_CREDENTIAL_EXPIRATION": (datetime.now(UTC) + timedelta(seconds=LIFETIME)).isoformat(),
    }
    watched = Watched(account, folder, variables=exported)
    with _ending(watched):
        watched.start()
        watched.until_said("cannot renew itself and ends in")
        watched.until_deployed("one")
        watched.holds_no_secret()
        watched.until_said("has ended. cdk watch is being stopped")
        watched.until(lambda: not watched.processes(), "the child is gone")
        assert "A process that runs cannot see newly exported keys" in watched.said
        watched.save("two")
        _put_keys(watched, account.issue(600))
        watched.until_said("There are new credentials")
        watched.until_deployed("two")
        watched.holds_no_secret()
        assert watched.end(lambda process: process.send_signal(signal.SIGHUP)) == 129
        assert watched.private == []


def keys_of_a_profile_end(account: Account, folder: Path) -> None:
    """Nobody says when: AWS is asked. Goes on with the file's new contents. Ends by SIGKILL."""
    watched = Watched(account, folder, arguments=("--check-every", "1"))
    _put_keys(watched, account.issue())
    with _ending(watched):
        watched.start()
        watched.until_said("does not say when it ends")
        watched.until_deployed("one")
        watched.holds_no_secret()
        # "It has expired", or, once the emulator has swept its store, "AWS does not know the key".
        watched.until_said("cdk watch is being stopped")
        watched.until(lambda: not watched.processes(), "the child is gone")
        watched.save("two")
        _put_keys(watched, account.issue(600))
        watched.until_said("There are new credentials")
        watched.until_deployed("two")
        watched.holds_no_secret()
        assert watched.end(lambda process: process.kill()) == -signal.SIGKILL
        # Nobody is left to remove it, and there is nothing in it to be afraid of: the next watch does.
        (left,) = watched.private
        assert {path.name for path in left.iterdir()} == {"config", "ask", "bridge"}


def a_deployment_fails_silently(account: Account, folder: Path) -> None:
    """Stacks of another account, then an app that fails: `cdk watch` says nothing of either."""
    watched = assumed_role(account, folder)
    (folder / "account").write_text("999999999999")
    with _ending(watched):
        watched.start()
        watched.until_said(f"the stacks are for account 999999999999, the session is of {ACCOUNT}")
        (folder / "account").unlink()
        (folder / "broken").write_text("")
        watched.save("two")
        watched.until_said("the app ended without giving its stacks")
        assert watched.said.count("has said nothing for") == 2
        (folder / "broken").unlink()
        watched.save("three")
        watched.until_deployed("three")
        assert watched.end(lambda process: process.send_signal(signal.SIGINT)) == 130


def a_slow_deployment_lives(account: Account, folder: Path) -> None:
    """Longer than a silence is left alone, and no alarm: the app is at work. A second Ctrl-C hurries."""
    watched = assumed_role(account, folder)
    (folder / "slow").write_text("25")
    with _ending(watched):
        watched.start()
        watched.until_deployed("one")
        assert "has said nothing" not in watched.said
        watched.save("two")
        watched.until_said("Detected change")
        # In the middle of the app's run: it is ended too.
        time.sleep(1)
        assert len(watched.processes()) >= 2
        assert watched.end(lambda process: process.send_signal(signal.SIGINT)) == 130


def _put_keys(watched: Watched, keys: SessionKeys) -> None:
    """Save a session in the default profile, as tools do that sign in for other tools."""
    lines = (
        f"aws_access_key_id = {keys.key_id}\naws_secret_access_key = {keys.secret}\naws_session_token = {keys.token}"
    )
    (watched.home / ".aws" / "credentials").write_text(f"[default]\n{lines}\n")


@contextmanager
def _ending(watched: Watched) -> Iterator[None]:
    try:
        yield
    finally:
        watched.clean()


STORIES: Final = (
    a_deployment_fails_silently,
    a_slow_deployment_lives,
    exported_keys_end,
    keys_of_a_profile_end,
    a_code_is_asked_for_once_a_session,
    a_role_is_assumed_again,
    a_process_is_run_again,
    an_sso_session_is_renewed,
    a_login_is_renewed,
)


@pytest.fixture(scope="module")
def outcomes(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, BaseException | None]]:
    """How each story went: `None` is well."""
    # A place whose name is short enough for a socket in it.
    base = tmp_path_factory.mktemp("w")

    def run(story: Callable[[Account, Path], None]) -> BaseException | None:
        try:
            story(account, base / story.__name__.replace("_", "-")[:20].strip("-"))
        except BaseException as error:  # noqa: BLE001 - raised again by the story's test
            return error
        return None

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield dict(zip((story.__name__ for story in STORIES), pool.map(run, STORIES), strict=True))


@pytest.mark.parametrize("story", [story.__name__ for story in STORIES])
def test_a_watch_lasts_says_what_is_wrong_and_leaves_nothing(
    outcomes: Mapping[str, BaseException | None], story: str
) -> None:
    """Each story is a function above, whose docstring says what happens in it."""
    error = outcomes[story]
    if error is not None:
        raise error
