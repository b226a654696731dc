"""What the factory refuses to act as, and how it says so."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_api.role_clients import (
    CredentialSource,
    CredentialSourceError,
    ForeignEndpoint,
    IncompletePair,
    LeftoverProfile,
    LeftoverToken,
    LongLivedKey,
    NoRoleCredentials,
    RoleClients,
    SessionTokenMissing,
    UnusableKey,
    UnusableRegion,
    credential_source,
)
from tests.lambda_src.made_up import KEY_ID, LONG_LIVED_KEY_ID, REGION, SECRET, TOKEN, told_by, traces

if TYPE_CHECKING:
    from tests.lambda_src.conftest import Deeds
    from tests.lambda_src.recording_server import RecordingServer

_ROLE = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
_FULL_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_RELATIVE_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"


@dataclass(frozen=True, slots=True)
class _Case:
    """An environment that is refused.

    Attributes:
        kind: The exact class of the refusal.
        says: For each of the three parts (what is wrong, why it matters, what to do) a piece of its wording.
    """

    environ: dict[str, str]
    kind: type[CredentialSourceError]
    says: tuple[str, str, str]


_LEFTOVER_PROFILE = ("left over from a developer's machine", "act as somebody else", "from the function's environment")
_FOREIGN = ("is not an AWS endpoint over HTTPS", "session token", "Remove the variable")
_FOREIGN_CONTAINER = ("points at", "could choose the identity", "Remove the variable")

_CASES = {
    "nothing at all": _Case({}, NoRoleCredentials, ("has no role", "acts only as its own role", "make up")),
    "a user's key": _Case(
        _ROLE | {"AWS_ACCESS_KEY_ID": LONG_LIVED_KEY_ID, "AWS_SESSION_TOKEN": ""},
        LongLivedKey,
        ("begins with AKIA", "belongs to an IAM user", "Delete the key in IAM"),
    ),
    "a user's key with a token": _Case(
        _ROLE | {"AWS_ACCESS_KEY_ID": LONG_LIVED_KEY_ID},
        LongLivedKey,
        ("begins with AKIA", "belongs to an IAM user", "Delete the key in IAM"),
    ),
    "a key that STS does not issue": _Case(
        _ROLE | {"AWS_ACCESS_KEY_ID": "made-up-key-of-an-emulator"},
        LongLivedKey,
        ("is not one that STS issues", "is not this function's role", "Remove it"),
    ),
    "no token": _Case(
        _ROLE | {"AWS_SESSION_TOKEN": ""},
        SessionTokenMissing,
        ("has no session token", "UnrecognizedClientException and SQS InvalidClientTokenId", "Stop copying"),
    ),
    "a profile": _Case(_ROLE | {"AWS_PROFILE": "work"}, LeftoverProfile, _LEFTOVER_PROFILE),
    "a default profile": _Case(_ROLE | {"AWS_DEFAULT_PROFILE": "work"}, LeftoverProfile, _LEFTOVER_PROFILE),
    "the token's old name": _Case(
        _ROLE | {"AWS_SECURITY_TOKEN": TOKEN},
        LeftoverToken,
        ("AWS_SECURITY_TOKEN is set", "every service answers InvalidClientTokenId", "Remove AWS_SECURITY_TOKEN"),
    ),
    "a line break in the token": _Case(
        _ROLE | {"AWS_SESSION_TOKEN": TOKEN + "\n"},
        UnusableKey,
        ("AWS_SESSION_TOKEN", "no HTTP header can carry", "Lambda sets all three"),
    ),
    "a space in the key id": _Case(
        _ROLE | {"AWS_ACCESS_KEY_ID": " " + KEY_ID},
        UnusableKey,
        ("AWS_ACCESS_KEY_ID", "no HTTP header can carry", "Lambda sets all three"),
    ),
    "an accent in the secret": _Case(
        _ROLE | {"AWS_SECRET_ACCESS_KEY": SECRET + "é"},
        UnusableKey,
        ("AWS_SECRET_ACCESS_KEY", "no HTTP header can carry", "Lambda sets all three"),
    ),
    "a relative container address that is none": _Case(
        {_RELATIVE_URI: "@evil.example/credentials"}, ForeignEndpoint, _FOREIGN_CONTAINER
    ),
    "a relative container address that goes on with the host's name": _Case(
        {_RELATIVE_URI: ".evil.example/credentials"}, ForeignEndpoint, _FOREIGN_CONTAINER
    ),
}

_FOREIGN_URLS = (
    "https://evil.example",
    "http://evil.example",
    "https://amazonaws.com.evil.example",
    "https://sqs.us-east-1.amazonaws.com.evil.example",
    "https://sqs.us-east-1.amazonaws.com@evil.example",
    "https://sqs.us-east-1.amazonaws.com:443@evil.example/",
    # Python's parser ends the host's name at the last @, the HTTP client at the first backslash.
    r"https://evil.example\@sqs.us-east-1.amazonaws.com",
    r"http://evil.example\@127.0.0.1/",
    "https://evil.example#@sqs.us-east-1.amazonaws.com",
    "https://evil.example?.amazonaws.com",
    "https://evil.example/.amazonaws.com",
    "https://evilamazonaws.com",
    "https://amazonaws.com",
    "http://sqs.us-east-1.amazonaws.com",
    "HTTP://sqs.us-east-1.amazonaws.com",
    "ftp://sqs.us-east-1.amazonaws.com",
    "//sqs.us-east-1.amazonaws.com",
    "sqs.us-east-1.amazonaws.com",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.1@evil.example",
    "http://[::1].evil.example",
    "http://[::2]",
    "http://[::ffff:203.0.113.7]",
    "http://169.254.169.254",
    "http://0.0.0.0",
    "https://\N{FULLWIDTH LATIN SMALL LETTER E}vil.amazonaws.com",
    "https://evil.example\N{FULLWIDTH SOLIDUS}.amazonaws.com",
    "https://sqs.us-east-1.amazonaws.com\n.evil.example",
    "https://[",
    " ",
    # Under AWS's own names and certificates, but another customer answers there.
    "https://abcde12345.execute-api.us-east-1.amazonaws.com",
    "https://search-theirs.us-east-1.es.amazonaws.com",
    "https://ec2-203-0-113-7.compute-1.amazonaws.com",
    "https://their-bucket.s3.amazonaws.com",
    "https://their-bucket.s3.us-east-1.amazonaws.com",
)

_OUR_URLS = (
    "",
    "https://sqs.us-east-1.amazonaws.com",
    "https://SQS.us-east-1.amazonaws.com:443/",
    "https://sts.amazonaws.com",
    "https://sqs.us-gov-west-1.amazonaws.com",
    "https://sqs.cn-north-1.amazonaws.com.cn",
    "https://sqs.us-east-1.api.aws",
    "https://s3.dualstack.us-east-1.amazonaws.com",
    "https://vpce-0123abc-4567def.sqs.us-east-1.vpce.amazonaws.com",
    "https://vpce-0123abc-4567def-us-east-1a.sqs.us-east-1.vpce.amazonaws.com",
    "http://127.0.0.1:4566",
    "https://localhost:4566",
    "http://[::1]:4566",
)


def _set(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


def test_there_is_no_parameter_to_hand_a_credential_to() -> None:
    """The factory takes a region and the name of a service; a key has no way in."""
    assert list(inspect.signature(RoleClients).parameters) == ["region"]
    assert list(inspect.signature(RoleClients.client).parameters) == ["self", "service"]


@pytest.mark.parametrize("case", _CASES.values(), ids=_CASES)
def test_each_fault_is_refused_under_its_own_name_with_cause_and_cure(
    case: _Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The class tells the faults apart; the text says what is wrong, why calls would fail and what to do."""
    _set(monkeypatch, case.environ)

    with pytest.raises(CredentialSourceError) as refusal:
        RoleClients(REGION).client("sqs")

    assert type(refusal.value) is case.kind
    for part in case.says:
        assert part in str(refusal.value)


@pytest.mark.parametrize("case", _CASES.values(), ids=_CASES)
def test_a_refusal_comes_before_any_request_and_any_file(
    case: _Case, aws: RecordingServer, monkeypatch: pytest.MonkeyPatch, deeds: Deeds
) -> None:
    """A refusal is cheap and certain: nothing was opened, connected to or sent."""
    _set(monkeypatch, case.environ)
    clients = RoleClients(REGION)

    with deeds as done, pytest.raises(case.kind):
        clients.client("sqs")

    assert done == []
    assert aws.requests == []


@pytest.mark.parametrize("case", _CASES.values(), ids=_CASES)
def test_a_refusal_holds_no_secret(case: _Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever prints, logs or inspects it sees at most four characters of a key id."""
    _set(monkeypatch, case.environ)

    with pytest.raises(CredentialSourceError) as refusal:
        RoleClients(REGION).client("sqs")

    told = told_by(refusal.value)
    assert traces(told, key_id=case.environ.get("AWS_ACCESS_KEY_ID", ""), secrets=(SECRET, TOKEN)) == []


def test_a_refusal_is_repeated_at_every_request_for_a_client(
    aws: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused factory never gives a half-made client afterwards."""
    _set(monkeypatch, _CASES["no token"].environ)
    clients = RoleClients(REGION)

    for service in ("sqs", "dynamodb", "sqs"):
        with pytest.raises(SessionTokenMissing):
            clients.client(service)

    assert aws.requests == []


def test_a_factory_recovers_once_the_environment_is_right(
    runtime: None, aws: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal is not remembered: the environment is judged anew."""
    del runtime
    monkeypatch.setenv("AWS_PROFILE", "work")
    clients = RoleClients(REGION)
    with pytest.raises(LeftoverProfile):
        clients.client("sqs")
    monkeypatch.delenv("AWS_PROFILE")

    clients.client("sqs").list_queues()

    assert aws.operations == ["ListQueues"]


_ANY_KEY_ID = st.builds(
    str.__add__,
    st.sampled_from(["ASIA", "AKIA", "AIDA", ""]),
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=16),
)
_ANY_SECRET = st.text("abcdefghijklmnopqrstuvwxyz0123456789/+=", min_size=20, max_size=60).map(
    lambda it: f"made-up:{it}"
)


@given(
    key_id=st.none() | st.just("") | _ANY_KEY_ID,
    secret=st.none() | st.just("") | _ANY_SECRET,
    token=st.none() | st.just("") | _ANY_SECRET,
    container=st.booleans(),
)
@example(key_id=KEY_ID, secret=None, token=None, container=True)
@example(key_id=None, secret=None, token=TOKEN, container=True)
def test_only_the_whole_temporary_triple_is_accepted(
    key_id: str | None, secret: str | None, token: str | None, *, container: bool
) -> None:
    """Any other subset of the three is refused by the right name, telling no secret, container endpoint or not."""
    environ = {
        name: value
        for name, value in (
            ("AWS_ACCESS_KEY_ID", key_id),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_SESSION_TOKEN", token),
            (_FULL_URI, "http://127.0.0.1:9001/credentials" if container else None),
        )
        if value is not None
    }
    expected: object
    if not (key_id or secret or token):
        expected = CredentialSource.CONTAINER if container else NoRoleCredentials
    elif not (key_id and secret):
        expected = IncompletePair
    elif key_id.startswith("AKIA"):
        expected = LongLivedKey
    elif not token:
        expected = SessionTokenMissing
    else:
        expected = CredentialSource.ENVIRONMENT if key_id.startswith("ASIA") else LongLivedKey
    told = ""
    try:
        found: object = credential_source(environ)
    except CredentialSourceError as refusal:
        found, told = type(refusal), told_by(refusal)

    assert found == expected
    assert traces(told, key_id=key_id or "", secrets=(secret or "", token or "")) == []


@pytest.mark.parametrize(
    ("environ", "present", "absent"),
    [
        ({"AWS_ACCESS_KEY_ID": KEY_ID}, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ({"AWS_SECRET_ACCESS_KEY": SECRET}, "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        ({"AWS_SESSION_TOKEN": TOKEN}, "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_half_a_pair_is_told_by_the_names_of_its_variables(environ: dict[str, str], present: str, absent: str) -> None:
    """The reader learns which variable is there and which is not, without a value."""
    with pytest.raises(IncompletePair, match=f"{present} is set but {absent} is not"):
        credential_source(environ)


@pytest.mark.parametrize("url", _FOREIGN_URLS)
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS"])
def test_an_endpoint_outside_aws_is_refused(name: str, url: str, deeds: Deeds, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable sends a signed request, with its session token, to a stranger or in the clear."""
    _set(monkeypatch, _ROLE | {name: url})

    with deeds as done, pytest.raises(ForeignEndpoint) as refusal:
        RoleClients(REGION).client("sqs")

    assert done == []
    assert str(refusal.value).startswith(name)
    for part in _FOREIGN:
        assert part in str(refusal.value)


@pytest.mark.parametrize("url", _OUR_URLS)
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS"])
def test_an_endpoint_of_aws_or_of_this_machine_is_accepted(name: str, url: str) -> None:
    """VPC endpoints without private DNS and a local AWS can be reached; an empty variable means none."""
    assert credential_source(_ROLE | {name: url}) is CredentialSource.ENVIRONMENT


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/credentials",
        "https://evil.example/credentials",
        "https://sts.us-east-1.amazonaws.com/credentials",
        "http://127.0.0.1@evil.example/credentials",
        r"http://evil.example\@127.0.0.1/credentials",
        r"http://evil.example\@169.254.170.2/credentials",
        "http://127.0.0.1.evil.example/credentials",
        "http://169.254.170.2.evil.example/credentials",
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/credentials",
        "127.0.0.1:9001/credentials",
        "http://[fd00:ec2::24]/credentials",
    ],
)
@pytest.mark.parametrize("also", [{}, _ROLE], ids=["alone", "beside the role's variables"])
def test_a_credential_endpoint_elsewhere_is_refused(
    url: str, also: dict[str, str], deeds: Deeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody but the runtime may choose the identity that the function acts with."""
    _set(monkeypatch, also | {_FULL_URI: url})

    with deeds as done, pytest.raises(ForeignEndpoint) as refusal:
        RoleClients(REGION).client("sqs")

    assert done == []
    assert str(refusal.value).startswith(_FULL_URI)
    for part in _FOREIGN_CONTAINER:
        assert part in str(refusal.value)


@pytest.mark.parametrize(
    "environ",
    [
        {_FULL_URI: "http://127.0.0.1:9001/2021-10-13/credentials"},
        {_FULL_URI: "http://localhost:9001/credentials"},
        {_FULL_URI: "http://[::1]:9001/credentials"},
        {_FULL_URI: "http://169.254.170.2/v2/credentials?id=1"},
        {_FULL_URI: "http://169.254.170.23/v1/credentials"},
        {_FULL_URI: "http://[fd00:ec2::23]/v1/credentials"},
        {_RELATIVE_URI: "/v2/credentials/0123"},
    ],
)
def test_the_credential_endpoints_of_lambda_ecs_and_eks_are_accepted(environ: dict[str, str]) -> None:
    """SnapStart, and other runtimes that serve a role on this machine or a link-local address, work."""
    assert credential_source(environ) is CredentialSource.CONTAINER


_SECRET_IN_URL = "made-up-password-in-an-address"


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", _FULL_URI])
def test_a_refused_endpoint_is_told_by_its_host_alone(name: str) -> None:
    """A user name, a password or a path in the address may be secret."""
    url = f"https://user:{_SECRET_IN_URL}@evil.example/{_SECRET_IN_URL}?{_SECRET_IN_URL}"

    with pytest.raises(ForeignEndpoint) as refusal:
        credential_source(_ROLE | {name: url})

    assert _SECRET_IN_URL not in told_by(refusal.value)


@pytest.mark.parametrize(
    "region",
    ["", " ", "us east 1", "us-east-1\n", "US-EAST-1", "us-east", "evil", "evil.example/", "é-east-1", "-", "1"],
)
def test_what_is_no_region_is_refused_before_any_request(
    region: str, runtime: None, aws: RecordingServer, deeds: Deeds
) -> None:
    """Requests are never signed for nowhere, nor sent to a host made from a wrong name."""
    del runtime

    with deeds as done, pytest.raises(UnusableRegion, match=re.escape(repr(region))) as refusal:
        RoleClients(region).client("sqs")

    assert done == []
    assert aws.requests == []
    assert "Requests are signed for one region" in str(refusal.value)
    assert "Pass the value of AWS_REGION" in str(refusal.value)
