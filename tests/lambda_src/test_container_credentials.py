"""SnapStart: the role's credentials come from an endpoint on this machine, and are renewed from there."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from event_api.role_clients import (
    CredentialSourceError,
    CredentialsUnreachable,
    FailureKind,
    IncompletePair,
    LongLivedKey,
    RoleClients,
    SessionTokenMissing,
    UnusableKey,
    classify,
)
from tests.lambda_src.made_up import (
    KEY_ID,
    LONG_LIVED_KEY_ID,
    OTHER_KEY_ID,
    OTHER_SECRET,
    OTHER_TOKEN,
    REGION,
    SECRET,
    TOKEN,
    told_by,
    traces,
)
from tests.lambda_src.recording_server import DROPPED, Answer, Recorded, RecordingServer, ok, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FETCH = "GET credentials"
_AUTHORIZATION = "made-up-authorization-EXAMPLE"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    """Give a credential endpoint as SnapStart announces it."""
    with RecordingServer() as running:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{running.url}/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", _AUTHORIZATION)
        yield running


def _valid_for(seconds: float, **changes: object) -> dict[str, object]:
    expiration = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "AccessKeyId": KEY_ID,
        "SecretAccessKey": SECRET,
        "Token": TOKEN,
        "Expiration": expiration,
    } | changes


def _other_valid_for(seconds: float) -> dict[str, object]:
    return _valid_for(seconds, AccessKeyId=OTHER_KEY_ID, SecretAccessKey=OTHER_SECRET, Token=OTHER_TOKEN)


def test_the_endpoint_is_asked_with_the_runtimes_authorization(endpoint: RecordingServer, aws: RecordingServer) -> None:
    """The role's credentials are fetched once, and sign the requests with their token."""
    endpoint.script(_FETCH, ok(_valid_for(3600)))
    clients = RoleClients(REGION)

    clients.client("sqs").list_queues()
    clients.client("dynamodb").list_tables()

    (fetch,) = endpoint.requests
    assert fetch.headers["authorization"] == _AUTHORIZATION
    assert [(request.access_key, request.token) for request in aws.requests] == [(KEY_ID, TOKEN)] * 2


def test_the_source_is_told_as_the_sdk_tells_it(endpoint: RecordingServer) -> None:
    """Whoever looks at the client sees credentials of a container's role, which renew themselves."""
    endpoint.script(_FETCH, ok(_valid_for(3600)))

    signer = RoleClients(REGION).client("sqs")._request_signer  # type: ignore[attr-defined]

    assert signer._credentials.method == "container-role"


def test_credentials_are_renewed_before_they_expire(endpoint: RecordingServer, aws: RecordingServer) -> None:
    """A minute before the end the next request is signed with new credentials, by the client that is there already."""
    endpoint.script(_FETCH, ok(_valid_for(60)), ok(_other_valid_for(3600)))
    client = RoleClients(REGION).client("sqs")

    client.list_queues()
    client.list_queues()

    assert [(request.access_key, request.token) for request in aws.requests] == [(OTHER_KEY_ID, OTHER_TOKEN)] * 2
    assert len(endpoint.requests) == 2


def test_threads_that_meet_a_renewal_all_sign_with_the_new_credentials(
    endpoint: RecordingServer, aws: RecordingServer
) -> None:
    """One thread fetches, the others wait for it; nobody signs with half of the old and half of the new."""
    endpoint.script(
        _FETCH, ok(_valid_for(60)), Answer(body=json.dumps(_other_valid_for(3600)).encode(), delay=0.1), DROPPED
    )
    client = RoleClients(REGION).client("sqs")
    barrier = threading.Barrier(16)

    def call() -> None:
        barrier.wait()
        client.list_queues()

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [(request.access_key, request.token) for request in aws.requests] == [(OTHER_KEY_ID, OTHER_TOKEN)] * 16
    assert len(endpoint.requests) == 2


def test_a_failed_renewal_does_no_harm_while_the_credentials_are_good(
    endpoint: RecordingServer, aws: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Well before the end a renewal is a precaution: if it fails, what is there still signs, and nothing is leaked."""
    endpoint.script(_FETCH, ok(_valid_for(12 * 60)), text(f"{SECRET} {TOKEN}", status=500))
    client = RoleClients(REGION).client("sqs")

    with caplog.at_level(logging.INFO):
        client.list_queues()

    assert [request.access_key for request in aws.requests] == [KEY_ID]
    assert "Refreshing temporary credentials failed" in caplog.text
    assert traces(caplog.text, key_id=KEY_ID, secrets=(SECRET, TOKEN)) == []


def test_a_failed_renewal_at_the_end_fails_the_call_as_a_credential_fault(
    endpoint: RecordingServer, aws: RecordingServer
) -> None:
    """With credentials that are all but expired nothing is sent; the fault is told as what it is."""
    endpoint.script(_FETCH, ok(_valid_for(60)), text("", status=500))
    client = RoleClients(REGION).client("sqs")

    with pytest.raises(CredentialsUnreachable) as failure:
        client.list_queues()

    assert classify(failure.value).kind is FailureKind.CREDENTIALS
    assert aws.requests == []


def test_the_token_file_is_read_again_at_every_renewal(
    endpoint: RecordingServer, aws: RecordingServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """EKS writes a new token into the file; the old one would be refused."""
    file = tmp_path / "token"
    file.write_text("made-up-first\n")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(file))
    endpoint.script(_FETCH, ok(_valid_for(60)), ok(_other_valid_for(3600)))
    client = RoleClients(REGION).client("sqs")
    file.write_text("made-up-second\n")

    client.list_queues()

    assert [fetch.headers["authorization"] for fetch in endpoint.requests] == ["made-up-first", "made-up-second"]
    assert len(aws.requests) == 1


def test_an_endpoint_without_authorization_is_asked_without(
    endpoint: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ECS has no such token."""
    monkeypatch.delenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    endpoint.script(_FETCH, ok(_valid_for(3600)))

    RoleClients(REGION).client("sqs")

    assert "authorization" not in endpoint.requests[0].headers


def test_no_proxy_of_the_environment_sees_the_credentials(
    endpoint: RecordingServer, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leftover proxy variable does not catch the request for credentials."""
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    endpoint.script(_FETCH, ok(_valid_for(3600)))

    RoleClients(REGION).client("sqs")

    assert len(endpoint.requests) == 1
    assert server.requests == []


_REFUSED: dict[str, tuple[Answer | Callable[[Recorded], Answer], type[CredentialSourceError]]] = {
    "a user's key": (ok(_valid_for(3600, AccessKeyId=LONG_LIVED_KEY_ID)), LongLivedKey),
    "no token": (ok({name: value for name, value in _valid_for(3600).items() if name != "Token"}), SessionTokenMissing),
    "an empty token": (ok(_valid_for(3600, Token="")), SessionTokenMissing),
    "an empty secret": (ok(_valid_for(3600, SecretAccessKey="")), IncompletePair),
    "a token with a line break": (ok(_valid_for(3600, Token=TOKEN + "\n")), UnusableKey),
    "no key": (ok({"Token": TOKEN}), CredentialsUnreachable),
    "null for a key": (ok(_valid_for(3600, AccessKeyId=None)), CredentialsUnreachable),
    "a number for a secret": (ok(_valid_for(3600, SecretAccessKey=7)), CredentialsUnreachable),
    "no expiry": (ok(_valid_for(3600, Expiration=None)), CredentialsUnreachable),
    "an expiry that is no time": (ok(_valid_for(3600, Expiration=f"soon {SECRET}")), CredentialsUnreachable),
    "an expiry without a zone": (ok(_valid_for(3600, Expiration="2099-01-01T00:00:00")), CredentialsUnreachable),
    "expired credentials": (ok(_valid_for(-1)), CredentialsUnreachable),
    "a list": (ok([_valid_for(3600)]), CredentialsUnreachable),
    "a bare text": (ok(SECRET), CredentialsUnreachable),
    "null": (text("null"), CredentialsUnreachable),
    "half of its JSON": (text(json.dumps(_valid_for(3600))[:-20]), CredentialsUnreachable),
    "a web page": (text(f"<html>{SECRET} {TOKEN}</html>"), CredentialsUnreachable),
    "bytes that are no text": (Answer(body=b"\xff\xfe" + SECRET.encode()), CredentialsUnreachable),
    "an error with the credentials in it": (text(f"{KEY_ID} {SECRET} {TOKEN}", status=500), CredentialsUnreachable),
    "a dropped connection": (DROPPED, CredentialsUnreachable),
    "a redirect": (Answer(status=302, headers={"location": "http://127.0.0.1:1/"}), CredentialsUnreachable),
}


@pytest.mark.parametrize(("answer", "kind"), _REFUSED.values(), ids=_REFUSED)
def test_an_answer_that_is_no_role_is_refused_without_a_trace_of_it(
    answer: Answer, kind: type[CredentialSourceError], endpoint: RecordingServer, aws: RecordingServer
) -> None:
    """Whatever the endpoint says, the caller gets a refusal of the factory; its text repeats nothing of the answer."""
    endpoint.script(_FETCH, answer)

    with pytest.raises(CredentialSourceError) as refusal:
        RoleClients(REGION).client("sqs")

    assert type(refusal.value) is kind
    assert "endpoint" in str(refusal.value)
    told = told_by(refusal.value)
    assert traces(told, key_id=KEY_ID, secrets=(SECRET, TOKEN, _AUTHORIZATION)) == []
    assert traces(told, key_id=LONG_LIVED_KEY_ID) == []
    assert aws.requests == []


@pytest.mark.parametrize("which", ["a user's key", "no token", "expired credentials", "an expiry that is no time"])
def test_an_answer_that_is_no_role_is_refused_at_a_renewal_as_well(
    which: str, endpoint: RecordingServer, aws: RecordingServer
) -> None:
    """The check is not only for start-up: no client ever signs with what is not the role's."""
    endpoint.script(_FETCH, ok(_valid_for(60)), _REFUSED[which][0])
    client = RoleClients(REGION).client("sqs")

    with pytest.raises(_REFUSED[which][1]):
        client.list_queues()

    assert aws.requests == []


def test_an_endpoint_that_is_not_there_is_told_by_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong, why it matters, what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{port}/credentials")

    with pytest.raises(CredentialsUnreachable) as refusal:
        RoleClients(REGION).client("sqs")

    assert "at 127.0.0.1 gave no usable credentials" in str(refusal.value)
    assert "nothing can be signed" in str(refusal.value)
    assert "replace the execution environment" in str(refusal.value)


def test_a_missing_token_file_is_a_refusal(endpoint: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that leads nowhere is told as a fault of the credentials, not as a crash."""
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nowhere/token")

    with pytest.raises(CredentialsUnreachable, match="FileNotFoundError"):
        RoleClients(REGION).client("sqs")

    assert endpoint.requests == []


def test_an_authorization_that_no_header_can_carry_is_not_shown(
    endpoint: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The HTTP client puts a header that it refuses into its message; ours does not pass it on."""
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", f"{_AUTHORIZATION}\nx: y")

    with pytest.raises(CredentialsUnreachable) as refusal:
        RoleClients(REGION).client("sqs")

    assert _AUTHORIZATION not in told_by(refusal.value)
    assert endpoint.requests == []


def test_a_factory_recovers_when_the_endpoint_does(endpoint: RecordingServer, aws: RecordingServer) -> None:
    """A fault of the endpoint is not remembered: the next request for a client asks again."""
    endpoint.script(_FETCH, text("", status=500), text("", status=500), text("", status=500), ok(_valid_for(3600)))
    clients = RoleClients(REGION)
    with pytest.raises(CredentialsUnreachable):
        clients.client("sqs")

    clients.client("sqs").list_queues()

    assert [request.access_key for request in aws.requests] == [KEY_ID]


def test_an_endpoint_that_does_not_answer_leaves_time_to_start_up(endpoint: RecordingServer) -> None:
    """Lambda gives a function ten seconds to start; three silent attempts leave some of them."""
    endpoint.script(_FETCH, Answer(delay=60))
    start = time.monotonic()

    with pytest.raises(CredentialsUnreachable):
        RoleClients(REGION).client("sqs")

    assert time.monotonic() - start < 7
