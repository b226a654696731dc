"""`check` on a real STS: users, roles, sessions that end, other accounts, a bootstrap that is there or is not."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

import pytest

from local_aws.environment import ACCOUNT
from tests.e2e.account import ROLE, Account, assembly, started_account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    assert min(one.seconds for one in checked) <= SECONDS_OF_ITS_OWN


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
