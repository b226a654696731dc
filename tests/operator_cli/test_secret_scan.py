"""What the scan finds in a file, what it leaves alone, and that it never says a value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_cli.rule_checks import LineRecogniser
from operator_cli.scanning.accepted import Accepted
from operator_cli.scanning.secret_scan import (
    CREDENTIAL_FILES,
    FileReading,
    Leak,
    LibraryFinding,
    Place,
    is_binary,
    is_script,
    missing_patterns,
    pattern_for,
    read_file,
    remedy,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_ID = "AKIA" + "QX7RTPL2MNVW4ZKD"
SECRET = "qT8vLr2Nf0/ZyPw4KdXbE6mUaHs9JcGi1OoR+3tB"
TOKEN = "IQoJb3JpZ2lu" + "X2VjE" + "kLm9PqRsTuVwXyZ0123456789AbCdEfGhIjKlMnOpQrStUvWxYz"
BEDROCK = "ABSK" + "QmVkcm9ja0FQSUtleS" + "1hYmNkZWZnaGlqa2xtbm9w"
API_KEY = "rb_" + "abcdefgh2345" + "_" + "Zq3vLr2Nf0-ZyPw4KdXbE6mUaHs9JcGi1OoR-3tBxYz"
EVERY_SECRET = (KEY_ID, SECRET, TOKEN, BEDROCK)


def _read(text: str, file: str = "settings.ini", library: tuple[LibraryFinding, ...] = ()) -> FileReading:
    return read_file(file, text.encode(), library=library, recogniser=LineRecogniser())


@pytest.mark.parametrize(
    ("file", "text", "line", "what"),
    [
        ("watch-with-creds.sh", f"#!/bin/bash\nexport AWS_ACCESS_KEY_ID={KEY_ID}\n", 2, "access key id …4ZKD"),
        ("watch-with-creds.sh", f'#!/bin/bash\nexport AWS_SECRET_ACCESS_KEY="{SECRET}"\n', 2, "secret access key"),
        ("creds.sh", f"export AWS_SESSION_TOKEN={TOKEN}\n", 1, "session token"),
        (".env", f"AWS_BEARER_TOKEN_BEDROCK={BEDROCK}\n", 1, "Bedrock"),
        ("app.py", f'client = boto3.client("sqs", aws_secret_access_key="{SECRET}")\n', 1, "secret access key"),
        ("credentials", f"[default]\naws_secret_access_key = {SECRET}\n", 2, "secret access key"),
        ("notes.md", f"the token is {TOKEN} for now\n", 1, "session token"),
        ("notes.md", f"curl -H 'x-api-key: {API_KEY}' https://x.example\n", 1, "Rolebound API key"),
    ],
)
def test_a_credential_is_found_with_its_line(file: str, text: str, line: int, what: str) -> None:
    """In scripts, configuration, code and prose."""
    (leak,) = _read(text, file).leaks
    assert (leak.file, leak.line) == (file, line)
    assert what in leak.what


LOGIN_CACHE = {
    "accessToken": {
        "accessKeyId": "ASIA" + "QX7RTPL2MNVW4ZKD",
        "secretAccessKey": SECRET,
        "sessionToken": TOKEN,
        "expiresAt": "2026-11-25T10:00:00Z",
    },
    "clientId": "arn:aws:signin:::devtools/same-device",
    "refreshToken": "made-up-refresh-token",
    "dpopKey": "made-up private key",
}
SSO_CACHE = {
    "startUrl": "https://example.awsapps.com/start",
    "accessToken": "made-up",
    "expiresAt": "2026-11-25T10:00:00Z",
}
CLI_CACHE = {
    "Credentials": {"AccessKeyId": "ASIA" + "QX7RTPL2MNVW4ZKD", "SecretAccessKey": SECRET, "SessionToken": TOKEN},
    "ProviderType": "assume-role",
}


@pytest.mark.parametrize(
    ("cache", "what"),
    [
        (LOGIN_CACHE, "the cache of `aws login`"),
        (SSO_CACHE, "the cache of an SSO sign-in"),
        ({"clientId": "a", "clientSecret": "b", "expiresAt": "2026"}, "a client registration"),
        (CLI_CACHE, "the cache of an assumed role"),
        ({"nested": [{"SecretAccessKey": "x1", "SessionToken": "y2"}]}, "temporary credentials"),
    ],
)
def test_a_cache_of_a_session_is_told_as_what_it_is(cache: dict[str, object], what: str) -> None:
    """Its tokens have no form that gives them away; the keys of the JSON do."""
    leaks = _read(json.dumps(cache, indent=2), "a1b2.json").leaks
    assert any(what in leak.what for leak in leaks)


@pytest.mark.parametrize("placeholder", ["", "<your token>", "...", "****", "${TOKEN}", "EXAMPLE"])
def test_a_cache_of_placeholders_is_documentation(placeholder: str) -> None:
    """Nobody signs in with these."""
    assert _read(json.dumps({"startUrl": "https://x", "accessToken": placeholder}), "a.json").leaks == ()


@pytest.mark.parametrize(
    "text",
    [
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
        "export AWS_SECRET_ACCESS_KEY=$SECRET\n",
        "export AWS_SECRET_ACCESS_KEY=$(op read op://vault/aws/secret)\n",
        "AWS_PROFILE=dev\n",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n",
        "role_arn = arn:aws:iam::123456789012:role/deploy\n",
    ],
)
def test_what_is_no_credential_is_left_alone(text: str) -> None:
    """AWS's published examples, references, profiles, digests, ARNs."""
    assert _read(text).leaks == ()


def test_what_only_its_name_gives_away_needs_a_literal() -> None:
    """`detect-secrets` takes any value of a name like password; in a template most of those are references."""
    finding = (LibraryFinding(1, "a secret, as its name says", by_name_only=True),)
    assert _read("MasterUserPassword: '{{resolve:secretsmanager:db}}'\n", "db.yaml", finding).leaks == ()
    (leak,) = _read("password: hunterhorse\n", "db.yaml", finding).leaks
    assert leak.what == "a secret, as its name says"


def test_a_line_is_accepted_by_a_comment_and_counted() -> None:
    """On the line or the one before; what is accepted is not forgotten."""
    here = f"AWS_ACCESS_KEY_ID={KEY_ID}  # pragma: allowlist secret\n"
    before = f"# pragma: allowlist nextline secret\nAWS_ACCESS_KEY_ID={KEY_ID}\n"
    for text in (here, before):
        assert _read(text) == FileReading(leaks=(), accepted=1)


def test_one_line_is_one_leak() -> None:
    """Both readers find it; a person repairs it once."""
    text = f"AWS_ACCESS_KEY_ID={KEY_ID}\n"
    assert len(_read(text, library=(LibraryFinding(1, "AWS Access Key", by_name_only=False),)).leaks) == 1


@given(noise=st.text(alphabet=st.characters(codec="utf-8"), max_size=60), at=st.integers(0, 3))
def test_no_value_is_ever_said(noise: str, at: int) -> None:
    """Wherever it stands, whatever stands beside it."""
    lines = [f"AWS_SECRET_ACCESS_KEY={SECRET}", f"x={TOKEN}", f"id={KEY_ID}", BEDROCK]
    lines.insert(at, noise)
    said = repr(_read("\n".join(lines), "x.sh"))
    assert not any(secret in said for secret in EVERY_SECRET)


@given(content=st.binary(max_size=400))
def test_any_content_can_be_read(content: bytes) -> None:
    """Nothing that a file holds makes the scan raise."""
    read_file("any.sh", content, library=(), recogniser=LineRecogniser())


def test_binary_files_are_told_from_wide_text() -> None:
    """What PowerShell writes is full of NULs, and text."""
    assert is_binary(b"a\0b")
    assert not is_binary(b"plain")
    assert not is_binary("wide".encode("utf-16"))
    assert text_of("wide".encode("utf-16")) == "wide"


def test_the_remedy_fits_how_near_the_file_is_to_being_shared() -> None:
    """What is in the history has to be made useless first."""
    leak = Leak("infra/watch-with-creds.sh", 3, "an AWS session token")
    assert "rotate" in remedy(leak, Place.TRACKED)
    assert "git reset -q -- infra/watch-with-creds.sh" in remedy(leak, Place.STAGED)
    assert "/infra/watch-with-creds.sh" in remedy(leak, Place.UNTRACKED)
    assert "act as its role" in remedy(Leak("app.py", 1, "x"), Place.UNTRACKED)


def test_scripts_are_told_by_their_names() -> None:
    """These a person keeps and ignores."""
    assert all(is_script(file) for file in ("a.sh", ".env", "x/.env.local", "b.ps1"))
    assert not any(is_script(file) for file in ("app.py", "template.yaml"))


def test_missing_patterns_are_those_that_ignore_nothing_yet() -> None:
    """A repository that covers all samples gets no advice."""
    assert missing_patterns(lambda _: set()) == [pattern for _, pattern in CREDENTIAL_FILES]
    assert missing_patterns(lambda _: {sample for sample, _ in CREDENTIAL_FILES}) == []


def test_a_pattern_means_the_file_itself() -> None:
    """Characters that git would take for a pattern are escaped."""
    assert pattern_for("a b/[x]*.sh") == r"/a\ b/\[x\]\*.sh"


def _key(body: str) -> str:
    return f"-----BEGIN RSA PRIVATE {'KEY'}-----\n{body}\n-----END RSA PRIVATE {'KEY'}-----"


def _in_python(key: str) -> str:
    return "KEY = (\n" + "".join(f'    "{line}\\n"\n' for line in key.splitlines()) + ")\n"


@pytest.mark.parametrize(
    "written",
    [
        lambda key: key + "\n",
        lambda key: f'KEY = """{key}"""\n',
        _in_python,
        lambda key: f"KEY = {json.dumps(key)}\n",
        lambda key: "key: |\n" + "".join(f"  {line}\n" for line in key.splitlines()),
    ],
    ids=["file", "text", "lines", "one line", "yaml"],
)
def test_a_private_key_is_not_known_by_the_line_that_all_of_them_begin_with(written: Callable[[str], str]) -> None:
    """Who accepts a made-up one has not accepted the real one that takes its place, whatever is wrapped around it."""
    bodies = (f"{SECRET}\n{TOKEN}", f"{SECRET}\n{TOKEN[::-1]}", f"Proc-Type: 4,ENCRYPTED\n\n{SECRET}\n{TOKEN[:9]}==")
    found = [_read(written(_key(body))).leaks[0].fingerprint for body in bodies]
    assert len(set(found)) == len(bodies)
    assert _read("\n\n" + written(_key(bodies[0]))).leaks[0].fingerprint == found[0]


def test_a_cache_is_known_by_its_values_wherever_they_stand() -> None:
    """The line that names it may say nothing of them, and two of them may be named by one line."""
    written = [
        [{"startUrl": "https://a", "accessToken": first}, {"startUrl": "https://b", "accessToken": second}]
        for first, second in (("made-up", "made-up-too"), ("made-up", "real"), ("real", "made-up-too"))
    ]
    found = {_read(json.dumps({"caches": caches}, indent=2)).leaks[0].fingerprint for caches in written}
    assert len(found) == len(written)


@given(
    reasons=st.dictionaries(
        st.tuples(st.text(min_size=1), st.text(alphabet="0123456789abcdef", min_size=12, max_size=12)),
        st.text(min_size=1),
        max_size=5,
    )
)
def test_a_list_of_accepted_lines_is_read_as_it_was_written(reasons: dict[tuple[str, str], str]) -> None:
    """Whatever stands in a file's name or in a reason."""
    assert Accepted.read(str(Accepted(reasons))).reasons == reasons
