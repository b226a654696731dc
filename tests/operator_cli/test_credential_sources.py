"""Who wins among the sources of credentials, judged without a call and compared with what the SDK itself does."""

from __future__ import annotations

import base64
import http.server
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from operator_cli.credentials.facts import CredentialFacts, SignIn, gather, login_cache_key, sso_cache_key
from operator_cli.credentials.in_force import endpoint_overrides, region_in_force
from operator_cli.credentials.kinds import BOTO3_METHOD, Key, Kind, Sdk, Trouble, sign_in_command
from operator_cli.credentials.sources import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOW: Final = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
LATER: Final = NOW + timedelta(hours=1)
LONG_LIVED: Final = "AKIA" + "IOSFODNN7EXAMPL1"
TEMPORARY: Final = "ASIA" + "IOSFODNN7EXAMPL2"
SECRET: Final = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN: Final = "IQoJb3JpZ2luX2VjEXAMPLETOKEN"
ROLE: Final = "arn:aws:iam::123456789012:role/deploy"

PROCESS_OUTPUT: Final = json.dumps(
    {"Version": 1, "AccessKeyId": TEMPORARY, "SecretAccessKey": SECRET, "SessionToken": TOKEN}
)


class Container(http.server.BaseHTTPRequestHandler):
    """Credentials of a container, as its agent gives them."""

    def do_GET(self) -> None:
        """Answer with a session."""
        body = json.dumps(
            {
                "AccessKeyId": TEMPORARY,
                "SecretAccessKey": SECRET,
                "Token": TOKEN,
                "Expiration": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    """The address of a container's credentials."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Container)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/credentials"
    server.shutdown()
    server.server_close()
    thread.join()


# --- Differential: the SDK's own resolver, in one process for all examples ---------------------------------------------

RESOLVER: Final = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
import botocore.session, botocore.credentials, botocore.tokens
for line in sys.stdin:
    asked = json.loads(line)
    os.environ.clear()
    os.environ.update(asked["environ"])
    botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR = os.path.expanduser("~/.aws/sso/cache")
    try:
        found = botocore.session.Session(profile=asked["profile"]).get_credentials()
        answer = {"method": found.method if found else None}
    except Exception as error:
        answer = {"stopped": type(error).__name__}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture(scope="module")
def ask_botocore() -> Iterator[Any]:
    """Asks botocore, in an environment of its own, which source it takes."""
    with subprocess.Popen(
        [sys.executable, "-c", RESOLVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def ask(environ: Mapping[str, str], profile: str | None) -> dict[str, Any]:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps({"environ": dict(environ), "profile": profile}) + "\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline())
            return answer

        yield ask
        assert process.stdin
        process.stdin.close()


PROFILES: Final = ("default", "dev", "base")

keys = st.fixed_dictionaries(
    {},
    optional={
        "aws_access_key_id": st.sampled_from([LONG_LIVED, TEMPORARY]),
        "aws_secret_access_key": st.just(SECRET),
        "aws_session_token": st.just(TOKEN),
    },
)


def some(choices: Mapping[str, st.SearchStrategy[str]], at_most: int) -> st.SearchStrategy[dict[str, str]]:
    """A few of the settings: all of them at once would always end in the same error."""
    return st.sets(st.sampled_from(sorted(choices)), max_size=at_most).flatmap(
        lambda names: st.fixed_dictionaries({name: choices[name] for name in sorted(names)})
    )


pair = st.fixed_dictionaries({"aws_access_key_id": st.just(LONG_LIVED), "aws_secret_access_key": st.just(SECRET)})
whole = st.sampled_from(
    [
        {"sso_session": "work", "sso_account_id": "123456789012", "sso_role_name": "admin"},
        {
            "sso_start_url": "https://example.awsapps.com/start",
            "sso_region": "us-east-1",
            "sso_account_id": "123456789012",
            "sso_role_name": "admin",
        },
        {"login_session": "arn:aws:iam::123456789012:user/ada"},
        {"login_session": "arn:aws:iam::123456789012:user/nobody"},
        {"role_arn": ROLE, "source_profile": "base"},
        {"role_arn": ROLE, "source_profile": "dev", "mfa_serial": "arn:aws:iam::123456789012:mfa/ada"},
        {"role_arn": ROLE, "credential_source": "Environment"},
        {"role_arn": ROLE, "credential_source": "EcsContainer"},
        {"role_arn": ROLE, "web_identity_token_file": "/token"},
        {"credential_process": "PROCESS"},
        {},
    ]
)
parts = some(
    {
        "role_arn": st.just(ROLE),
        "source_profile": st.sampled_from([*PROFILES, "missing"]),
        "credential_source": st.sampled_from(["Environment", "EcsContainer", "environment"]),
        "web_identity_token_file": st.just("/token"),
        "sso_session": st.sampled_from(["work", "missing"]),
        "sso_account_id": st.just("123456789012"),
        "sso_start_url": st.sampled_from(["https://example.awsapps.com/start", "https://other.awsapps.com/start"]),
        "login_session": st.just("arn:aws:iam::123456789012:user/ada"),
        "credential_process": st.just("PROCESS"),
        "region": st.just("eu-central-1"),
    },
    3,
)
section = st.builds(lambda one, two: one | two, st.one_of(whole, whole, parts), st.one_of(st.just({}), pair, keys))
credentials_files = st.dictionaries(st.sampled_from(PROFILES), st.one_of(pair, keys, section), max_size=2)
environment_keys = st.sampled_from(
    [
        {},
        {},
        {"AWS_ACCESS_KEY_ID": LONG_LIVED, "AWS_SECRET_ACCESS_KEY": SECRET},
        {"AWS_ACCESS_KEY_ID": TEMPORARY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN},
        {"AWS_ACCESS_KEY_ID": LONG_LIVED},
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": SECRET},
        {"AWS_SESSION_TOKEN": TOKEN},
    ]
)
profile_names = st.sampled_from(
    [
        {},
        {},
        {},
        {"AWS_PROFILE": "dev"},
        {"AWS_PROFILE": "base"},
        {"AWS_PROFILE": "missing"},
        {"AWS_PROFILE": ""},
        {"AWS_DEFAULT_PROFILE": "dev"},
        {"AWS_DEFAULT_PROFILE": "default", "AWS_PROFILE": "dev"},
    ]
)
around = some(
    {
        "AWS_WEB_IDENTITY_TOKEN_FILE": st.just("/token"),
        "AWS_ROLE_ARN": st.just(ROLE),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": st.just("CONTAINER"),
    },
    2,
)
variables = st.builds(lambda *parts: {**parts[0], **parts[1], **parts[2]}, environment_keys, profile_names, around)
files = st.dictionaries(st.sampled_from(PROFILES), section, min_size=1, max_size=3).map(
    lambda made: {"dev": {}, **made}
)


def write_ini(path: Path, sections: Mapping[str, Mapping[str, str]]) -> None:
    """Write an INI file."""
    lines = [
        f"[{title}]\n" + "".join(f"{name} = {value}\n" for name, value in own.items())
        for title, own in sections.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))


def home_with(
    home: Path, config: Mapping[str, Mapping[str, str]], credentials: Mapping[str, Mapping[str, str]], process: str
) -> None:
    """A home with these two files, an SSO session named `work`, and somebody who signed in with `aws login`."""
    titles = {name: name if name == "default" else f"profile {name}" for name in config}
    sections = {titles[name]: dict(own) for name, own in config.items()}
    for own in sections.values():
        if own.get("credential_process") == "PROCESS":
            own["credential_process"] = process
    sections["sso-session work"] = {
        "sso_start_url": "https://example.awsapps.com/start",
        "sso_region": "us-east-1",
        "sso_registration_scopes": "sso:account:access",
    }
    write_ini(home / ".aws" / "config", sections)
    own_credentials = {name: dict(own) for name, own in credentials.items()}
    for own in own_credentials.values():
        if own.get("credential_process") == "PROCESS":
            own["credential_process"] = process
    write_ini(home / ".aws" / "credentials", own_credentials)
    write_login(home, "arn:aws:iam::123456789012:user/ada", datetime.now(UTC) + timedelta(minutes=10))


def write_login(home: Path, session: str, expires_at: datetime) -> Path:
    """What `aws login` leaves behind."""
    cache = home / ".aws" / "login" / "cache" / f"{login_cache_key(session)}.json"
    cache.parent.mkdir(parents=True, exist_ok=True)
    token = {
        "accessKeyId": TEMPORARY,
        "secretAccessKey": SECRET,
        "sessionToken": TOKEN,
        "accountId": "123456789012",
        "expiresAt": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    held = {
        "accessToken": token,
        "refreshToken": "refresh-me",
        "dpopKey": "-----BEGIN EC PRIVATE KEY-----",
        "clientId": "c",
    }
    cache.write_text(json.dumps(held))
    return cache


@dataclass(frozen=True)
class Machine:
    """An operator's machine: variables, both files, and the profile that was named."""

    environ: dict[str, str]
    config: dict[str, dict[str, str]]
    credentials: dict[str, dict[str, str]]
    profile: str | None


machines = st.builds(
    Machine,
    environ=variables,
    config=files,
    credentials=credentials_files,
    profile=st.sampled_from([None, None, None, "default", "dev", "dev", "base", "missing"]),
)


@given(machine=machines)
@settings(
    max_examples=400,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_winner_is_the_one_that_botocore_takes(
    tmp_path_factory: pytest.TempPathFactory,
    container: str,
    ask_botocore: Any,  # noqa: ANN401 - a function of the fixture
    machine: Machine,
) -> None:
    """For any environment and files: the same source, or stopped where botocore raises."""
    home = tmp_path_factory.mktemp("home")
    process = home / "process"
    process.write_text(f"#!/bin/sh\ncat <<'END'\n{PROCESS_OUTPUT}\nEND\n")
    process.chmod(0o755)
    home_with(home, machine.config, machine.credentials, str(process))
    given_environ = {
        **machine.environ,
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    if "AWS_CONTAINER_CREDENTIALS_FULL_URI" in machine.environ:
        given_environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = container
    actual = ask_botocore(given_environ, machine.profile)
    ours = resolve(gather(given_environ, now=datetime.now(UTC), profile=machine.profile))
    event(str(actual))
    if "stopped" in actual:
        assert ours.stopped_by is not None, actual
        assert ours.winner is None
    else:
        assert ours.stopped_by is None, ours.stopped_by
        assert (BOTO3_METHOD[ours.winner.kind] if ours.winner else None) == actual["method"]


# --- What is said of each source --------------------------------------------------------------------------------------


def facts_with(environ: Mapping[str, str] | None = None, **changes: Any) -> CredentialFacts:  # noqa: ANN401 - as the class has them
    """Facts on a machine with a home of its own, where nothing is configured but what is given."""
    home = Path("/home/ada")
    base = CredentialFacts(
        now=NOW,
        environ=environ or {},
        home=home,
        config_file=home / ".aws" / "config",
        credentials_file=home / ".aws" / "credentials",
        sdk=(1, 44, 5),
    )
    return replace(base, **changes)


SSO_PROFILE: Final = {"sso_session": "work", "sso_account_id": "123456789012", "sso_role_name": "admin"}
SSO_SESSION: Final = {"work": {"sso_start_url": "https://example.awsapps.com/start", "sso_region": "us-east-1"}}
LOGIN_PROFILE: Final = {"login_session": "arn:aws:iam::123456789012:user/ada"}


def signed_in(*, until: datetime, renewable: bool) -> SignIn:
    """A cached sign-in."""
    return SignIn(path=Path("/cache"), expires_at=until, can_refresh=renewable, complete=True)


def troubles(facts: CredentialFacts, sdk: Sdk = Sdk.BOTO3) -> set[Trouble]:
    """What is wrong."""
    return {problem.trouble for problem in resolve(facts, sdk).all_problems}


def test_a_sign_in_that_can_be_renewed_needs_nobody() -> None:
    """Its present token may be short: the SDK gets the next one."""
    cache = {sso_cache_key(SSO_PROFILE): signed_in(until=NOW - timedelta(hours=1), renewable=True)}
    facts = facts_with(config_profiles={"default": SSO_PROFILE}, sso_sessions=SSO_SESSION, sign_ins=cache)
    winner = resolve(facts).winner
    assert winner is not None
    assert (winner.kind, winner.refreshes, winner.expires_at, winner.problems) == (Kind.SSO, True, None, ())


def test_an_expired_sign_in_is_told_with_the_command_that_renews_it() -> None:
    """The file is there and useless: only its expiry says so."""
    cache = {sso_cache_key(SSO_PROFILE): signed_in(until=NOW - timedelta(hours=1), renewable=False)}
    facts = facts_with(
        {"AWS_PROFILE": "dev"}, config_profiles={"dev": SSO_PROFILE}, sso_sessions=SSO_SESSION, sign_ins=cache
    )
    (problem,) = resolve(facts).all_problems
    assert problem.trouble is Trouble.SIGN_IN_EXPIRED
    assert "19:00" in problem.what
    assert problem.next_step == "aws sso login --profile dev"


def test_a_role_over_a_sign_in_is_renewed_by_that_sign_in() -> None:
    """The role is assumed with the profile's source: that is where a person signs in."""
    facts = facts_with(
        config_profiles={"dev": {"role_arn": ROLE, "source_profile": "me"}, "me": LOGIN_PROFILE},
        profile="dev",
        sign_ins={login_cache_key(LOGIN_PROFILE["login_session"]): signed_in(until=LATER, renewable=True)},
    )
    for sdk in Sdk:
        winner = resolve(facts, sdk).winner
        assert winner is not None
        assert (winner.kind, winner.origin.kind, winner.refreshes) == (Kind.ASSUME_ROLE, Kind.LOGIN, True)
        assert sign_in_command(winner) == "aws login --profile me"


def test_a_role_with_a_device_does_not_refresh() -> None:
    """Each new session asks a person for a code."""
    role = {"role_arn": ROLE, "source_profile": "me", "mfa_serial": "arn:aws:iam::123456789012:mfa/ada"}
    pair = {"aws_access_key_id": "AKIA…MPL1", "aws_secret_access_key": "(set)"}
    facts = facts_with(config_profiles={"dev": role}, credentials_profiles={"me": pair}, profile="dev")
    winner = resolve(facts).winner
    assert winner is not None
    assert winner.refreshes is False
    assert winner.mfa_serial == "arn:aws:iam::123456789012:mfa/ada"
    assert winner.basis is not None
    assert (winner.basis.key, winner.basis.key_id_end) == (Key.LONG_LIVED, "MPL1")


@pytest.mark.parametrize(
    ("changes", "trouble"),
    [({"sdk": (1, 40, 99)}, Trouble.SDK_TOO_OLD), ({"has_crt": False}, Trouble.CRT_MISSING)],
)
def test_a_login_that_this_sdk_cannot_read_is_told_and_no_trouble_for_the_cdk(
    changes: dict[str, Any], trouble: Trouble
) -> None:
    """`aws login` needs a recent boto3 with awscrt; the CDK brings its own."""
    facts = facts_with(
        config_profiles={"default": LOGIN_PROFILE},
        sign_ins={login_cache_key(LOGIN_PROFILE["login_session"]): signed_in(until=LATER, renewable=True)},
        **changes,
    )
    found = resolve(facts)
    assert found.winner is None
    seen = {problem.trouble for source in found.shadowed for problem in source.problems}
    assert trouble in seen | troubles(facts)
    assert resolve(facts, Sdk.CDK).winner is not None
    assert trouble not in troubles(facts, Sdk.CDK)


def _cached_sign_in(home: Path, key: str) -> SignIn:
    cache = write_login(home, LOGIN_PROFILE["login_session"], NOW + timedelta(minutes=10))
    cache.write_text(json.dumps(json.loads(cache.read_text()) | {"dpopKey": key}))
    return gather({"HOME": str(home)}, now=NOW).sign_ins[cache.stem]


P_256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""A private key of the curve is a number from one to below this: awscrt reads no other."""


@given(
    scalar=st.integers(1, 32)
    .flatmap(lambda length: st.binary(min_size=length, max_size=length))
    .filter(lambda scalar: 0 < int.from_bytes(scalar, "big") < P_256_ORDER)
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_key_of_a_sign_in_is_readable_where_awscrt_reads_it(tmp_path: Path, scalar: bytes) -> None:
    """The AWS command line makes the key with awscrt, which leaves out zeros at its beginning and then cannot read it."""
    crypto = pytest.importorskip("awscrt.crypto")
    point = crypto.EC.new_generate(crypto.ECType.P_256).get_public_coords()
    public = b"\xa1\x44\x03\x42\x00\x04" + b"".join(point)
    body = b"\x02\x01\x01\x04" + bytes([len(scalar)]) + scalar + bytes.fromhex("a00a06082a8648ce3d030107") + public
    der = b"\x30" + bytes([len(body)]) + body
    try:
        crypto.EC.new_key_from_der_data(der)
        reads = True
    except RuntimeError:
        reads = False
    pem = f"-----BEGIN EC PRIVATE KEY-----\n{base64.encodebytes(der).decode()}-----END EC PRIVATE KEY-----\n"
    assert _cached_sign_in(tmp_path, pem).readable_key is reads


@given(key=st.text() | st.binary().map(lambda der: base64.b64encode(der).decode()))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_key_in_a_form_that_is_not_known_is_left_to_the_sdk(tmp_path: Path, key: str) -> None:
    """What was not understood is no reason to send somebody to sign in again."""
    assert _cached_sign_in(tmp_path, key).readable_key is True


def test_a_login_whose_key_cannot_be_read_is_trouble_for_boto3_alone() -> None:
    """The CDK's SDK reads such a key."""
    unreadable = replace(signed_in(until=LATER, renewable=True), readable_key=False)
    key = login_cache_key(LOGIN_PROFILE["login_session"])
    facts = facts_with(config_profiles={"default": LOGIN_PROFILE}, sign_ins={key: unreadable})
    (problem,) = resolve(facts).all_problems
    assert problem.trouble is Trouble.KEY_UNREADABLE
    assert problem.next_step == "aws login"
    assert troubles(facts, Sdk.CDK) == set()


def test_keys_in_the_environment_that_hide_the_named_profile_are_told() -> None:
    """`AWS_PROFILE` looks as if it were in force, and is not."""
    keys = {"AWS_ACCESS_KEY_ID": "AKIA…MPL1", "AWS_SECRET_ACCESS_KEY": "(set)", "AWS_PROFILE": "dev"}
    facts = facts_with(keys, config_profiles={"dev": LOGIN_PROFILE})
    found = resolve(facts)
    assert found.winner is not None
    assert found.winner.kind is Kind.ENVIRONMENT
    assert [source.kind for source in found.shadowed] == [Kind.LOGIN]
    assert Trouble.SHADOWED_PROFILE in troubles(facts)
    assert resolve(replace(facts, profile="dev")).winner is None


def test_static_keys_beside_a_sign_in_are_told() -> None:
    """They win silently, long after the sign-in replaced them in their owner's mind."""
    pair = {"aws_access_key_id": "AKIA…MPL1", "aws_secret_access_key": "(set)"}
    facts = facts_with(config_profiles={"default": LOGIN_PROFILE}, credentials_profiles={"default": pair})
    assert Trouble.STATIC_KEYS_SHADOW in troubles(facts)


def test_a_temporary_key_without_its_token_is_told() -> None:
    """The incident's fault, on the operator's side."""
    facts = facts_with({"AWS_ACCESS_KEY_ID": "ASIA…MPL2", "AWS_SECRET_ACCESS_KEY": "(set)"})
    assert troubles(facts) == {Trouble.TOKEN_MISSING}


def test_an_expiry_that_the_environment_names_is_believed() -> None:
    """`aws configure export-credentials --format env` writes it."""
    keys = {"AWS_ACCESS_KEY_ID": "ASIA…MPL2", "AWS_SECRET_ACCESS_KEY": "(set)", "AWS_SESSION_TOKEN": "(set)"}
    facts = facts_with({**keys, "AWS_CREDENTIAL_EXPIRATION": "2026-11-25T19:59:00+00:00"})
    assert troubles(facts) == {Trouble.EXPIRED}
    facts = facts_with({**keys, "AWS_CREDENTIAL_EXPIRATION": LATER.isoformat()})
    winner = resolve(facts).winner
    assert winner is not None
    assert winner.expires_at == LATER
    assert not troubles(facts)


def test_a_missing_profile_is_named_with_those_that_exist() -> None:
    """A typing error is the usual reason."""
    facts = facts_with({"AWS_PROFILE": "dve"}, config_profiles={"dev": {}, "prod": {}})
    stopped = resolve(facts).stopped_by
    assert stopped is not None
    assert "AWS_PROFILE" in stopped.what
    assert "dev, prod" in stopped.what


def test_the_two_sdks_differ_where_it_is_known_that_they_do() -> None:
    """Two variables in opposite order, a role of the environment against a profile, a process beside keys."""
    pair = {"aws_access_key_id": "AKIA…MPL1", "aws_secret_access_key": "(set)"}
    both = facts_with({"AWS_PROFILE": "a", "AWS_DEFAULT_PROFILE": "b"}, credentials_profiles={"a": pair, "b": pair})
    web = facts_with(
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": ROLE}, credentials_profiles={"default": pair}
    )
    process = facts_with(config_profiles={"default": {**pair, "credential_process": "helper"}})
    half = facts_with({"AWS_ACCESS_KEY_ID": "AKIA…MPL1"}, credentials_profiles={"default": pair})
    for facts in (both, web, process, half):
        assert resolve(facts, Sdk.BOTO3).winner != resolve(facts, Sdk.CDK).winner
    alone = facts_with(credentials_profiles={"default": pair})
    assert resolve(alone, Sdk.BOTO3).winner == resolve(alone, Sdk.CDK).winner


def test_an_endpoint_that_is_not_aws_is_named() -> None:
    """From the environment, from the profile, from its services; and not where they are switched off."""
    facts = facts_with(
        {"AWS_ENDPOINT_URL_STS": "https://localhost:4566"},
        config_profiles={"default": {"endpoint_url": "https://other:1", "services": "local"}},
        services={"local": {"s3": "https://localhost:9000"}},
    )
    found = endpoint_overrides(facts, "default")
    assert sorted(found.values()) == ["https://localhost:4566", "https://localhost:9000", "https://other:1"]
    off = replace(facts, environ={**facts.environ, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"})
    assert endpoint_overrides(off, "default") == {}


def test_the_region_is_the_one_that_each_sdk_takes() -> None:
    """boto3 does not read AWS_REGION, the CDK does."""
    facts = facts_with({"AWS_REGION": "eu-west-1"}, config_profiles={"default": {"region": "eu-central-1"}})
    assert region_in_force(facts) == "eu-central-1"
    assert region_in_force(facts, Sdk.CDK) == "eu-west-1"
    assert region_in_force(facts_with()) is None
    assert region_in_force(facts_with(), Sdk.CDK) is None


# --- No secret is kept ------------------------------------------------------------------------------------------------

secrets = st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=20, max_size=60)


@given(
    secret=secrets,
    names=st.sets(
        st.sampled_from(
            [
                "AWS_SECRET_ACCESS_KEY",
                "AWS_SESSION_TOKEN",
                "AWS_BEARER_TOKEN_BEDROCK",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                "AMAZON_SECRET_ACCESS_KEY",
                "AWS_SOMETHING_NEW",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            ]
        ),
        min_size=1,
    ),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_secret_survives_gathering(tmp_path: Path, secret: str, names: set[str]) -> None:
    """Whatever is printed later, the facts do not hold it: neither the environment's, nor the files', nor the caches'."""
    planted = "zzSECRETzz" + secret
    pair = {"aws_access_key_id": LONG_LIVED, "aws_secret_access_key": planted, "aws_session_token": planted}
    odd = {"aws_secret_acces_key": planted, "endpoint_url": f"https://ada:{planted}@host/x"}
    write_ini(
        tmp_path / ".aws" / "config", {"profile dev": {**odd, "credential_process": f"/bin/helper --pw {planted}"}}
    )
    write_ini(tmp_path / ".aws" / "credentials", {"default": pair})
    cache = write_login(tmp_path, "me", LATER)
    cache.write_text(cache.read_text().replace("refresh-me", planted).replace(SECRET, planted).replace(TOKEN, planted))
    environ = {
        "HOME": str(tmp_path),
        **dict.fromkeys(names, planted),
        "AWS_ENDPOINT_URL": f"https://ada:{planted}@host",
    }
    facts = gather(environ, now=NOW)
    said = repr(facts) + repr([resolve(facts, sdk) for sdk in Sdk]) + repr(endpoint_overrides(facts, "dev"))
    assert "zzSECRETzz" not in said
    assert LONG_LIVED not in said


def test_an_unreadable_file_is_named_and_not_quoted(tmp_path: Path) -> None:
    """The parser's own words quote the line, which may be the secret."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(f"[default]\n{SECRET}\n")
    facts = gather({"HOME": str(tmp_path)}, now=NOW)
    stopped = resolve(facts).stopped_by
    assert stopped is not None
    assert stopped.trouble is Trouble.FILE_UNREADABLE
    assert "credentials" in stopped.what
    assert SECRET not in repr(facts) + stopped.what


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xef\xbb\xbf[default]\nregion = us-east-1\n", "byte order mark"),
        (b"[default]\nregion = a\n[default]\nregion = b\n", "a section stands there twice"),
        (b"[default]\nregion = a\nregion = b\n", "a section has a name twice"),
        (b"region = a\n", "before the first section"),
        (b"[default]\nregion\n", "neither a section nor a name"),
        (b"[default]\nregion = \xff\n", "encoding"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    """Editors and copied lines do it; the parser's name for it helps nobody."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_bytes(content)
    stopped = resolve(gather({"HOME": str(tmp_path)}, now=NOW)).stopped_by
    assert stopped is not None
    assert words in stopped.what


def test_a_command_with_a_profile_of_two_words_can_be_copied() -> None:
    """Unquoted, the shell would take the second word for something else."""
    facts = facts_with(config_profiles={"two words": LOGIN_PROFILE, "sso": {}}, profile="two words")
    (problem, *_) = resolve(facts).all_problems
    assert problem.next_step == "aws login --profile 'two words'"
    missing = resolve(replace(facts, profile="my \U0001f389")).stopped_by
    assert missing is not None
    assert missing.next_step.endswith("--profile 'my \U0001f389'")


@given(config=files, credentials=credentials_files, environ=variables)
@settings(max_examples=100)
def test_a_winner_is_never_among_the_shadowed(
    config: dict[str, dict[str, str]], credentials: dict[str, dict[str, str]], environ: dict[str, str]
) -> None:
    """And a static key never claims to refresh."""
    facts = facts_with(environ, config_profiles=config, credentials_profiles=credentials)
    for sdk in Sdk:
        found = resolve(facts, sdk)
        assert found.winner not in found.shadowed
        assert not (found.winner and found.stopped_by)
        for source in (found.winner, *found.shadowed):
            if source and source.kind in {Kind.ENVIRONMENT, Kind.CREDENTIALS_FILE, Kind.CONFIG_FILE}:
                assert source.refreshes is False
