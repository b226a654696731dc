"""`check` on a real STS: users, roles, sessions that end, other accounts, a bootstrap that is there or is not."""

from __future__ import annotations

import http.server
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pytest

from local_aws.environment import ACCOUNT
from operator_cli.credentials.facts import login_cache_key, sso_cache_key
from tests.e2e.account import ROLE, Account, assembly, started_account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Supply = Callable[[Path, dict[str, str], str], dict[str, str]]

pytestmark = pytest.mark.e2e

SECONDS_OF_ITS_OWN: Final = 1.0


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account of this module's own."""
    with started_account(tmp_path_factory.mktemp("check") / "local") as account:
        yield account


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A person's home."""
    (tmp_path / "home" / ".aws").mkdir(parents=True)
    return tmp_path / "home"


def test_a_temporary_session_is_recognised_and_lasts(account: Account, home: Path) -> None:
    """Who it is, from which account, by which role and session name, and until when."""
    checked = account.check("--for", "tests", keys=account.session(), home=home)
    assert checked.status == 0, checked.said
    identity = checked.said["identity"]
    assert (identity["account"], identity["principal"], identity["session_name"]) == (
        ACCOUNT,
        "assumed-role/deploy/ada",
        "ada",
    )
    assert identity["temporary"]
    assert 50 <= checked.said["minutes_left"] <= 60
    assert not checked.said["renews_itself"]


def test_two_calls_and_one_second_at_most(account: Account, home: Path, tmp_path: Path) -> None:
    """STS and one parameter; a process start included."""
    folder = assembly(tmp_path / "cdk.out")
    checked = [account.check("--assembly", str(folder), keys=account.session(), home=home) for _ in range(3)]
    assert all(one.said["calls"] == ["sts.GetCallerIdentity", "ssm.GetParameter"] for one in checked)
    assert min(one.own_seconds for one in checked) <= SECONDS_OF_ITS_OWN


def test_nothing_is_asked_without_need_or_hope(account: Account, home: Path) -> None:
    """No call for synthesis, and none where there are no credentials."""
    assert account.check("--for", "synth", keys=account.session(), home=home).said["calls"] == []
    none = account.check("--for", "deploy", home=home)
    assert (none.status, none.said["calls"]) == (3, [])


def test_a_users_key_and_the_root_user_are_refused(account: Account, home: Path) -> None:
    """Both work, which is the trouble with them."""
    user = account.check("--for", "logs", keys=account.key, home=home)
    assert (user.status, user.said["refused"]) == (1, ["long-lived-key"])
    assert account.check("--for", "logs", "--allow-long-lived", keys=account.key, home=home).status == 0
    root = account.check("--for", "logs", "--allow-long-lived", keys=account.root, home=home)
    assert (root.status, root.said["refused"]) == (1, ["root"])


def test_a_session_that_ends_soon_or_has_ended_is_status_four(account: Account, home: Path) -> None:
    """By the expiry that it names; by AWS's own word where it names none."""
    soon = account.session(seconds=900)
    assert account.check("--for", "logs", "--min-minutes", "20", keys=soon, home=home).status == 4
    assert account.check("--for", "logs", "--min-minutes", "10", keys=soon, home=home).status == 0
    ended = {**soon, "AWS_CREDENTIAL_EXPIRATION": "2026-01-01T00:00:00Z"}
    checked = account.check("--for", "logs", keys=ended, home=home)
    assert (checked.status, checked.said["calls"]) == (4, [])
    short = account.session(seconds=1)
    del short["AWS_CREDENTIAL_EXPIRATION"]
    time.sleep(2)
    checked = account.check("--for", "logs", keys=short, home=home)
    assert (checked.status, checked.said["failure"]["code"]) == (4, "ExpiredToken")


def test_a_key_that_aws_does_not_know_is_status_three(account: Account, home: Path) -> None:
    """`InvalidClientTokenId` is no expiry: nothing will make this key work."""
    wrong = {"AWS_ACCESS_KEY_ID": "AKIA" + "0" * 16, "AWS_SECRET_ACCESS_KEY": "of-somebody-else"}
    checked = account.check("--for", "logs", keys=wrong, home=home)
    assert checked.status == 3
    assert checked.said["failure"]["code"] in {"InvalidClientTokenId", "SignatureDoesNotMatch"}


def test_a_temporary_key_without_its_token_is_refused_without_a_call(account: Account, home: Path) -> None:
    """The incident's fault, on this side."""
    half = {name: value for name, value in account.session().items() if name != "AWS_SESSION_TOKEN"}
    checked = account.check("--for", "logs", keys=half, home=home)
    assert (checked.status, checked.said["calls"]) == (3, [])


def test_the_wrong_account_and_the_wrong_region_are_status_five(account: Account, home: Path, tmp_path: Path) -> None:
    """Against the assembly, and against what was asked for."""
    session = account.session()
    elsewhere = assembly(tmp_path / "elsewhere", account="999999999999")
    checked = account.check("--assembly", str(elsewhere), keys=session, home=home)
    assert (checked.status, checked.said["refused"]) == (5, ["account"])
    # About a bootstrap of another account, nothing is asked.
    assert checked.said["calls"] == ["sts.GetCallerIdentity"]
    assert account.check("--for", "tests", "--account", "999999999999", keys=session, home=home).status == 5
    here = assembly(tmp_path / "here")
    assert (
        account.check(
            "--for", "tests", "--region", "eu-west-1", "--assembly", str(here), keys=session, home=home
        ).status
        == 5
    )


def test_the_bootstrap_is_looked_up_where_it_is_needed(account: Account, home: Path, tmp_path: Path) -> None:
    """Absent, too old, new enough."""
    session = account.session()
    folder = assembly(tmp_path / "cdk.out", version=6)
    arguments = ("--assembly", str(folder))
    absent = account.check(*arguments, keys=session, home=home)
    assert (absent.status, absent.said["refused"]) == (1, ["bootstrap"])
    ssm = account.client("ssm", account.root)
    ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Type="String", Value="5")
    try:
        assert account.check(*arguments, keys=session, home=home).status == 1
        ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Type="String", Value="6", Overwrite=True)
        good = account.check(*arguments, keys=session, home=home)
        assert (good.status, good.verdict("bootstrap")) == (0, "good")
    finally:
        ssm.delete_parameter(Name="/cdk-bootstrap/hnb659fds/version")


def test_each_region_that_the_stacks_go_to_is_looked_at(account: Account, home: Path, tmp_path: Path) -> None:
    """The first one's bootstrap says nothing of the second's; another account's is named and not looked at."""
    session = account.session()
    folder = assembly(tmp_path / "cdk.out")
    manifest = json.loads((folder / "manifest.json").read_text())
    stack = manifest["artifacts"]["App"]
    for name, place in (("West", f"{ACCOUNT}/eu-west-1"), ("Theirs", "999999999999/eu-west-1")):
        manifest["artifacts"][name] = {**stack, "environment": f"aws://{place}"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    ssm = account.client("ssm", account.root)
    ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Type="String", Value="6")
    try:
        checked = account.check("--assembly", str(folder), "--account", ACCOUNT, keys=session, home=home)
    finally:
        ssm.delete_parameter(Name="/cdk-bootstrap/hnb659fds/version")
    assert (checked.status, checked.said["refused"]) == (1, ["bootstrap"])
    assert checked.said["calls"] == ["sts.GetCallerIdentity", "ssm.GetParameter", "ssm.GetParameter"]
    said = {one["verdict"]: one["what"] for one in checked.said["findings"] if one["question"] == "bootstrap"}
    assert "us-east-1 has version 6" in said["good"]
    assert "never bootstrapped in eu-west-1" in said["refused"]
    assert "aws://999999999999/eu-west-1 was not looked at" in said["cannot-tell"]


def test_a_bootstrap_that_may_not_be_read_cannot_be_told(account: Account, home: Path, tmp_path: Path) -> None:
    """A deploying role needs no right to it; the CDK reads it by a role of its own."""
    iam = account.client("iam", account.root)
    deny = {"Effect": "Deny", "Action": "ssm:GetParameter", "Resource": "*"}
    iam.put_role_policy(
        RoleName="deploy",
        PolicyName="no-parameters",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )
    try:
        folder = assembly(tmp_path / "cdk.out")
        checked = account.check("--assembly", str(folder), keys=account.session(), home=home)
        assert (checked.status, checked.said["cannot_tell"]) == (0, ["bootstrap"])
        assert account.check("--certain", "--assembly", str(folder), keys=account.session(), home=home).status == 1
    finally:
        iam.delete_role_policy(RoleName="deploy", PolicyName="no-parameters")


def test_a_role_of_a_profile_is_assumed_and_renews_itself(account: Account, home: Path) -> None:
    """Over a long-lived key, which itself is never used for anything else; the SDK's own call comes on top."""
    (home / ".aws" / "config").write_text(f"[profile deploy]\nrole_arn = {ROLE}\nsource_profile = me\n")
    pair = "\n".join(f"{name.lower()} = {value}" for name, value in account.key.items())
    (home / ".aws" / "credentials").write_text(f"[me]\n{pair}\n")
    checked = account.check("--for", "tests", "--profile", "deploy", home=home)
    assert checked.status == 0, checked.said
    assert checked.said["credentials"]["basis"]["key"] == "long-lived"
    assert checked.said["renews_itself"]
    assert checked.said["calls"] == ["sts.AssumeRole", "sts.GetCallerIdentity"]


def test_a_profile_that_asks_for_a_code_is_told_where_nobody_can_type_one(account: Account, home: Path) -> None:
    """In CI there is no prompt that hangs."""
    serial = f"arn:aws:iam::{ACCOUNT}:mfa/ada"
    (home / ".aws" / "config").write_text(
        f"[profile mfa]\nrole_arn = {ROLE}\nsource_profile = me\nmfa_serial = {serial}\n"
    )
    pair = "\n".join(f"{name.lower()} = {value}" for name, value in account.key.items())
    (home / ".aws" / "credentials").write_text(f"[me]\n{pair}\n")
    checked = account.check("--for", "tests", "--profile", "mfa", home=home)
    assert (checked.status, checked.said["failure"]["code"]) == (3, "MfaCodeNeeded")


def test_an_endpoint_override_is_told(account: Account, home: Path) -> None:
    """This whole file talks to one."""
    checked = account.check("--for", "tests", keys=account.session(), home=home)
    assert checked.said["endpoints"] == {"AWS_ENDPOINT_URL": account.environ["AWS_ENDPOINT_URL"]}
    assert checked.verdict("endpoint") == "warning"


def test_an_aws_that_does_not_answer_is_told_within_seconds(account: Account, home: Path) -> None:
    """A closed port is no expired session."""
    keys = {**account.session(), "AWS_ENDPOINT_URL": "https://127.0.0.1:9"}
    checked = account.check("--for", "tests", keys=keys, home=home)
    assert (checked.status, checked.said["failure"]["kind"]) == (1, "unreachable")
    assert checked.seconds < 10


class Giver(http.server.BaseHTTPRequestHandler):
    """SSO and a container's agent, which give the session that `session` holds."""

    session: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        """Answer in the form of whoever is asked."""
        key, secret, token = (
            self.session[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        )
        end = datetime.fromisoformat(self.session["AWS_CREDENTIAL_EXPIRATION"])
        if "federation" in self.path:
            pair = {"accessKeyId": key, "secretAccessKey": secret, "sessionToken": token}
            answer: dict[str, Any] = {"roleCredentials": {**pair, "expiration": int(end.timestamp() * 1000)}}
        else:
            answer = {"AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "Expiration": end.isoformat()}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def giver(account: Account) -> Iterator[str]:
    """Its address; the session is a fresh one."""
    Giver.session = account.session()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Giver)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def by_login(home: Path, session: dict[str, str], _: str) -> dict[str, str]:
    """As `aws login` leaves it."""
    token = {
        "accessKeyId": session["AWS_ACCESS_KEY_ID"],
        "secretAccessKey": session["AWS_SECRET_ACCESS_KEY"],
        "sessionToken": session["AWS_SESSION_TOKEN"],
        "accountId": ACCOUNT,
        "expiresAt": (datetime.now(UTC) + timedelta(minutes=14)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    key = "-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----"
    held = {"accessToken": token, "refreshToken": "r", "dpopKey": key, "clientId": "c"}
    cache = home / ".aws" / "login" / "cache" / f"{login_cache_key('me')}.json"
    cache.parent.mkdir(parents=True)
    cache.write_text(json.dumps(held))
    (home / ".aws" / "config").write_text("[profile mine]\nlogin_session = me\n")
    return {}


def by_sso(home: Path, _: dict[str, str], giver: str) -> dict[str, str]:
    """As `aws sso login` leaves it."""
    profile = {"sso_session": "work", "sso_account_id": ACCOUNT, "sso_role_name": "deploy"}
    lines = "".join(f"{name} = {value}\n" for name, value in profile.items())
    portal = "[sso-session work]\nsso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\n"
    (home / ".aws" / "config").write_text(f"[profile mine]\n{lines}{portal}")
    later = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%SZ")
    cache = home / ".aws" / "sso" / "cache" / f"{sso_cache_key(profile)}.json"
    cache.parent.mkdir(parents=True)
    cache.write_text(json.dumps({"accessToken": "t", "expiresAt": later, "region": "us-east-1", "startUrl": "u"}))
    return {"AWS_ENDPOINT_URL_SSO": giver}


def by_process(home: Path, session: dict[str, str], _: str) -> dict[str, str]:
    """A company's own tool."""
    given = {
        "Version": 1,
        "AccessKeyId": session["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": session["AWS_SECRET_ACCESS_KEY"],
        "SessionToken": session["AWS_SESSION_TOKEN"],
        "Expiration": session["AWS_CREDENTIAL_EXPIRATION"],
    }
    (home / "given.json").write_text(json.dumps(given))
    (home / ".aws" / "config").write_text(f"[profile mine]\ncredential_process = /bin/cat {home}/given.json\n")
    return {}


def by_file(home: Path, session: dict[str, str], _: str) -> dict[str, str]:
    """A session that was copied into the credentials file."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    lines = "".join(f"{name.lower()} = {session[name]}\n" for name in names)
    (home / ".aws" / "credentials").write_text(f"[mine]\n{lines}")
    return {}


def by_container(_home: Path, _session: dict[str, str], giver: str) -> dict[str, str]:
    """A task's role."""
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{giver}/credentials"}


@pytest.mark.parametrize(
    ("supply", "kind", "renews", "lifetime"),
    [
        (by_login, "login", True, "good"),
        (by_sso, "sso", True, "good"),
        (by_process, "process", True, "good"),
        (by_file, "credentials-file", False, "cannot-tell"),
        (by_container, "container", True, "good"),
    ],
)
def test_every_kind_of_source_is_recognised_and_works(
    account: Account, home: Path, giver: str, *, supply: Supply, kind: str, renews: bool, lifetime: str
) -> None:
    """By the SDK's own way to it, up to STS; and whether it lasts is said of each."""
    variables = supply(home, Giver.session, giver)
    profile = () if kind == "container" else ("--profile", "mine")
    checked = account.check("--for", "tests", *profile, keys=variables, home=home)
    assert checked.status == 0, checked.said["findings"]
    assert checked.said["credentials"]["kind"] == kind
    assert checked.said["identity"]["principal"] == "assumed-role/deploy/ada"
    assert checked.said["renews_itself"] is renews
    assert checked.verdict("lifetime") == lifetime
    assert checked.said["calls"][-1] == "sts.GetCallerIdentity"
