"""`rolebound watch` around a real `cdk watch`, on sessions of seconds: every kind of source, every way to end, every silence.

The stories run side by side, for each of them mostly waits; each test looks at how one went.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shlex
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from local_aws import emulator, environment
from local_aws.environment import ACCOUNT, REGION
from local_aws.places import PROJECT, Places
from tests.e2e.watched_project import CODE, LIFETIME, QUESTION, ROLE, Account, Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.operator_cli.sign_in_service import SessionKeys

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="what processes hold is read from /proc"),
]

LOGIN_SESSION: Final = f"arn:aws:iam::{ACCOUNT}:user/ada"
START_URL: Final = "https://example.awsapps.com/start"
SIDE_BY_SIDE: Final = 5


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
        provider = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.example.com"}
        by_token = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": provider}
        iam.create_role(RoleName="developer-by-token", AssumeRolePolicyDocument=_policy(by_token))
        iam.put_role_policy(RoleName="developer-by-token", PolicyName="all", PolicyDocument=_policy(anything))
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
    # The kind of terminal decides whether the CDK writes colours, and the tests' own shell may have none.
    variables = {"AWS_PROFILE": "dev", "TERM": "xterm-256color"}
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


def web_identity(account: Account, folder: Path) -> Watched:
    """A role for a token in a file, as in CI."""
    claims = {"iss": "https://token.example.com", "sub": "repo:me/project", "aud": "sts.amazonaws.com"}
    parts = ({"alg": "none"}, claims, "unsigned")
    token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    folder.mkdir()
    (folder / "token").write_text(token)
    variables = {
        "AWS_ROLE_ARN": f"{ROLE}-by-token",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "token"),
        "AWS_ENDPOINT_URL_STS": account.url,
    }
    return Watched(account, folder, variables=variables)


def container(account: Account, folder: Path) -> Watched:
    """A development container, whose host signs in."""
    return Watched(account, folder, variables={"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{account.url}/container"})


def goes_on(watched: Watched) -> None:
    """The session that it began with ends, and the next change is deployed as if nothing was."""
    watched.start()
    began = time.monotonic()
    watched.until_deployed("one")
    watched.holds_no_secret()
    time.sleep(max(0.0, began + LIFETIME + 8 - time.monotonic()))
    watched.save("two")
    watched.until_deployed("two")
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


def a_token_is_read_again(account: Account, folder: Path) -> None:
    """The token is read anew each time."""
    watched = web_identity(account, folder)
    with _ending(watched):
        goes_on(watched)
        token = (folder / "token").read_text()
        assert not any(token in variable for environ in watched.processes().values() for variable in environ.values())
        assert watched.end(lambda process: process.send_signal(signal.SIGINT)) == 130


def a_container_gives_again(account: Account, folder: Path) -> None:
    """Ends by SIGTERM."""
    watched = container(account, folder)
    with _ending(watched):
        goes_on(watched)
        assert watched.end(lambda process: process.send_signal(signal.SIGTERM)) == 143
        assert watched.private == []


def exported_keys_end(account: Account, folder: Path) -> None:
    """It says so, stops, waits, and goes on with what is signed in to afterwards. Ends by SIGHUP, with all it told as JSON."""
    keys = account.issue()
    exported = {
        "AWS_ACCESS_KEY_ID": keys.key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret,
        "AWS_SESSION_TOKEN": keys.token,
        "AWS_CREDENTIAL_EXPIRATION": (datetime.now(UTC) + timedelta(seconds=LIFETIME)).isoformat(),
    }
    watched = Watched(account, folder, variables=exported, arguments=("--min-minutes", "0", "--json"))
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
        # Asked for as JSON, everything that was told is one document, beside what the CDK wrote.
        said = json.loads(watched.said[watched.said.rindex('{\n  "check"') :])
        assert said["exit_status"] == 129
        assert said["check"]["good"]
        weights = [told["weight"] for told in said["told"]]
        assert weights.index("warning") < weights.index("alarm") < weights.index("note")


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
    with _ending(watched):
        watched.start()
        watched.until_deployed("one")
        (folder / "account").write_text("999999999999")
        watched.save("two")
        watched.until_said(f"the stacks are for account 999999999999, the session is of {ACCOUNT}")
        (folder / "account").unlink()
        (folder / "broken").write_text("")
        watched.save("three")
        watched.until_said("the app ended without giving its stacks")
        assert watched.said.count("has said nothing for") == 2
        (folder / "broken").unlink()
        watched.save("four")
        watched.until_deployed("four")
        assert watched.end(lambda process: process.send_signal(signal.SIGINT)) == 130


def a_slow_deployment_lives(account: Account, folder: Path) -> None:
    """Longer than a silence is left alone, and no alarm: the app is at work. In the middle of it, all is ended."""
    watched = assumed_role(account, folder)
    with _ending(watched):
        watched.start()
        watched.until_deployed("one")
        (folder / "slow").write_text("25")
        watched.save("two")
        watched.until_deployed("two")
        assert "has said nothing" not in watched.said
        watched.save("three")
        watched.until(lambda: len(watched.processes()) >= 2, "the app runs")
        assert watched.end(lambda process: process.send_signal(signal.SIGINT)) == 130


def the_exit_status_of_the_cdk_is_passed_on(account: Account, folder: Path) -> None:
    """And its words: here it has nothing to watch."""
    watched = assumed_role(account, folder)
    (watched.folder / "cdk.json").write_text(json.dumps({"app": "true"}))
    with _ending(watched):
        watched.start()
        assert watched.end(lambda _: None) == 1
        assert 'Make sure to add a "watch" key to your cdk.json' in watched.said
        assert watched.private == []


def production_is_refused(account: Account, folder: Path) -> None:
    """Unless that is insisted on: each saved file would be deployed there, unasked."""
    watched = assumed_role(account, folder / "shop-prod")
    with _ending(watched):
        watched.start()
        assert watched.end(lambda _: None) == 1
        assert "shop-prod (in cdk.out): this is production." in watched.said
        assert "Triggering" not in watched.said


def another_account_is_refused(account: Account, folder: Path) -> None:
    """Before the watch begins: the app is synthesised first, for `cdk watch` would not say why nothing happens."""
    watched = assumed_role(account, folder)
    (watched.folder / "account").write_text("999999999999")
    with _ending(watched):
        watched.start()
        assert watched.end(lambda _: None) == 5
        assert "999999999999" in watched.said
        assert "Triggering" not in watched.said


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
    a_token_is_read_again,
    a_container_gives_again,
    the_exit_status_of_the_cdk_is_passed_on,
    production_is_refused,
    another_account_is_refused,
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
