"""The door to AWS: answers, failures in words of our own, and the time in them."""

from __future__ import annotations

import http.server
import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final

import botocore.exceptions  # noqa: TID251 - the SDK's errors are what is read here
import pytest

from operator_cli import aws
from operator_cli.answers import Caller, Failure, FailureKind
from tests.operator_cli.sign_in_service import SessionKeys, SignInService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.operator_cli.conftest import PlantedMachine

NOW: Final = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
MARK: Final = "zzPLANTEDzz"
IDENTITY: Final = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::123456789012:assumed-role/deploy/ada</Arn><UserId>AROA:ada</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


def refusal(code: str, message: str) -> str:
    """An error of STS."""
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch, planted: PlantedMachine) -> Iterator[Callable[[int, str], None]]:
    """An STS whose clock is an hour behind, and what it answers; the session is the planted one of the environment."""
    answer: dict[str, Any] = {"status": 200, "body": IDENTITY}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = str(answer["body"]).encode()
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response_only(int(answer["status"]))
            self.send_header("Date", format_datetime(NOW - timedelta(hours=1), usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name, value in planted.environ_with_keys.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.server_address[1]}")

    def answers(status: int, body: str) -> None:
        answer.update(status=status, body=body)

    yield answers
    server.shutdown()
    server.server_close()
    thread.join()


def caller_or_failure() -> Caller | Failure:
    """Who the planted session is."""
    session = aws.connect(region="us-east-1", ask=None)
    assert isinstance(session, aws.Aws)
    found = session.caller(lambda: NOW)
    assert session.calls.made == ["sts.GetCallerIdentity"]
    assert MARK not in repr(found) + repr(session)
    return found


def test_the_callers_answer_carries_awss_clock(sts: Callable[[int, str], None]) -> None:
    """So that a wrong clock is seen without another call."""
    del sts
    found = caller_or_failure()
    assert isinstance(found, Caller)
    assert (found.account, found.session_name, found.is_root) == ("123456789012", "ada", False)
    assert found.server_time is not None
    assert found.local_time - found.server_time == timedelta(hours=1)
    assert found.key_id == "ASIA…ED02"


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("ExpiredToken", "The security token included in the request is expired", FailureKind.EXPIRED),
        ("InvalidClientTokenId", "The security token included in the request is invalid.", FailureKind.INVALID),
        (
            "SignatureDoesNotMatch",
            f"The canonical string should have been x-amz-security-token:{MARK}",
            FailureKind.INVALID,
        ),
        ("SignatureDoesNotMatch", "Signature expired: 20261125T1 is now earlier than 20261125T2", FailureKind.CLOCK),
        ("RequestExpired", "Request has expired.", FailureKind.CLOCK),
        ("AccessDenied", "User: arn is not authorized to perform: sts:GetCallerIdentity", FailureKind.DENIED),
        ("SomethingNew", f"with {MARK}", FailureKind.OTHER),
    ],
)
def test_a_refusal_is_told_by_its_kind_and_quotes_no_secret(
    sts: Callable[[int, str], None], code: str, message: str, kind: FailureKind
) -> None:
    """AWS repeats the request, session token included, when a signature is wrong."""
    sts(403, refusal(code, message))
    found = caller_or_failure()
    assert isinstance(found, Failure)
    assert (found.kind, found.code) == (kind, code)
    assert found.server_time == NOW - timedelta(hours=1)


def _all_errors(base: type[Exception]) -> set[type[Exception]]:
    return {base, *(error for below in base.__subclasses__() for error in _all_errors(below))}


def test_no_error_of_the_sdk_is_quoted() -> None:
    """Each has a `fmt` into which anything may go, a credential process's own output included."""
    errors = _all_errors(botocore.exceptions.BotoCoreError)
    assert len(errors) > 50
    for error in errors:
        made = error.__new__(error)
        Exception.__init__(made, MARK)
        found = aws.failure_of(made)
        assert MARK not in repr(found)
        assert found.what.endswith(".")


def test_a_login_whose_key_cannot_be_read_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK lets a bare RuntimeError of awscrt's through."""
    expired = SignInService(lambda: SessionKeys("ASIA" + "Q" * 16, MARK, MARK), "123456789012")
    expired.log_in(tmp_path / ".aws" / "login" / "cache", "me", valid_for=-60, readable_key=False)
    (tmp_path / ".aws" / "config").write_text("[profile dev]\nlogin_session = me\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LOGIN_CACHE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / ".aws" / "config"))
    session = aws.connect(profile="dev", region="us-east-1", home=tmp_path, ask=None)
    assert isinstance(session, aws.Aws)
    found = session.caller(lambda: NOW)
    assert isinstance(found, Failure)
    assert (found.kind, found.code) == (FailureKind.NO_CREDENTIALS, "UnreadableLoginKey")
    assert "private key" in found.what
    assert MARK not in repr(found)


def test_every_error_that_is_named_exists() -> None:
    """A name that the SDK no longer uses would silently become `other`."""
    names = {error.__name__ for error in _all_errors(botocore.exceptions.BotoCoreError)}
    assert set(aws._SDK_ERRORS) <= names


@pytest.mark.parametrize(
    ("profile", "kind"), [("missing", FailureKind.NO_CREDENTIALS), ("mfa", FailureKind.NO_CREDENTIALS)]
)
def test_a_profile_that_cannot_be_used_is_a_failure(
    planted: PlantedMachine, monkeypatch: pytest.MonkeyPatch, profile: str, kind: FailureKind
) -> None:
    """Missing, or asking for a code where nobody can type one: no exception, no prompt, no call."""
    for name, value in planted.environ.items():
        monkeypatch.setenv(name, value)
    session = aws.connect(profile=profile, region="us-east-1", home=planted.home, ask=None)
    found = session if isinstance(session, Failure) else session.caller(lambda: NOW)
    assert isinstance(found, Failure)
    assert found.kind is kind


def test_a_session_that_the_aws_command_line_keeps_is_used_and_not_written(tmp_path: Path) -> None:
    """One code serves both tools; nothing new lies on disk afterwards."""
    folder = tmp_path / "cache"
    folder.mkdir()
    session = dict.fromkeys(("AccessKeyId", "SecretAccessKey", "SessionToken"), MARK)
    known = {"Credentials": {**session, "Expiration": "2026-11-25T21:00:00Z"}}
    (folder / "known.json").write_text(json.dumps(known))
    cache = aws._AwsCliCache(folder)
    assert "known" in cache
    assert cache["known"] == known
    cache["new"] = {"Credentials": {"SecretAccessKey": MARK}}
    assert "new" in cache
    assert [path.name for path in folder.iterdir()] == ["known.json"]


@pytest.mark.parametrize("kept", ["", "{", "[]", "{}", '{"Credentials": {}}', '{"Credentials": []}', "[" * 100_000])
def test_a_damaged_session_of_the_aws_command_line_is_none(tmp_path: Path, kept: str) -> None:
    """The SDK would stop at it; without it, it makes a new one."""
    (tmp_path / "damaged.json").write_text(kept)
    cache = aws._AwsCliCache(tmp_path)
    assert "damaged" not in cache
    with pytest.raises(KeyError):
        cache["damaged"]


def test_parameters_of_several_regions_are_asked_for_at_once(
    monkeypatch: pytest.MonkeyPatch, planted: PlantedMachine
) -> None:
    """No answer is given before every question has come: one after the other, all would time out."""
    regions = ("eu-west-1", "us-east-1", "ap-southeast-2")
    together = threading.Barrier(len(regions))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            together.wait()
            region = self.headers["Authorization"].split("/")[2]
            known = region != "us-east-1"
            body = json.dumps({"Parameter": {"Value": region}} if known else {"__type": "ParameterNotFound"}).encode()
            self.send_response_only(200 if known else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    for name, value in planted.environ_with_keys.items():
        monkeypatch.setenv(name, value)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", f"http://127.0.0.1:{server.server_address[1]}")
        session = aws.connect(region="us-east-1", ask=None)
        assert isinstance(session, aws.Aws)
        session.client("ssm")  # reads the service's description, which takes the longest
        first, second, third = session.parameters([(region, "/version") for region in regions])
        server.shutdown()
    assert (first, third) == ("eu-west-1", "ap-southeast-2")
    assert isinstance(second, Failure)
    assert second.kind is FailureKind.NOT_FOUND
    assert session.calls.made == ["ssm.GetParameter"] * 3
    assert session.parameters([]) == []
