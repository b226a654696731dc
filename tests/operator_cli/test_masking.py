"""What is printed of somebody else's text: no secret of it, and all that explains it."""

from __future__ import annotations

import json
import string
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_cli.denials.explanation import explain_all
from operator_cli.diagnosis.deployed_function import LogLine
from operator_cli.diagnosis.logged_errors import errors_in
from operator_cli.errors import OperatorError
from operator_cli.masking import masked
from tests.operator_cli.denial_texts import Labelled, labelled

TEXTS: Final = labelled()
PATIENT: Final = settings(max_examples=40)


def _drawn(alphabet: str, size: int) -> st.SearchStrategy[str]:
    """Give texts as a program draws them: a lower-case letter, a capital and a digit are always among them."""
    return st.text(alphabet, min_size=size - 3, max_size=size - 3).map(lambda text: f"q{text}Z7")


KEY: Final = _drawn(string.ascii_letters + string.digits + "/+", 40).map(lambda text: text.replace("//", "/0"))
WORD: Final = _drawn(string.ascii_letters + string.digits + "_-", 16)
OWN: Final = st.tuples(
    st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=12, max_size=12),
    _drawn(string.ascii_letters + string.digits + "_-", 43),
).map("_".join)
KINDS: Final = {
    "https://ada:{}@example.com/path": WORD,
    "postgres://{}@db.example.com/x": WORD,
    "Authorization: Bearer {}": WORD,
    "Authorization: Basic {}": _drawn(string.ascii_letters + string.digits, 24),
    "curl -H 'authorization: {}'": WORD,
    "header Bearer {}": WORD,
    "x-api-key: {}": WORD,
    '"X-Api-Key": "{}"': WORD,
    "called with rb_{} by": OWN,
    "token: {}": WORD,
    "api key: {}": WORD,
    "password={}": WORD,
    "{{'password': '{}'}}": WORD,
    "db_password = {} ": WORD,
    "Server=x;Password={}": WORD,
    "AKIAPLANTEDPLANTED01:{}": KEY,
    "aws_secret_access_key={}": KEY,
    "<SecretAccessKey>{}</SecretAccessKey>": KEY,
    "for user {}": KEY,
    "sent ghp_{}": _drawn(string.ascii_letters + string.digits, 36),
    "aws_session_token: IQoJb3JpZ2lu{}": _drawn(string.ascii_letters + string.digits + "/+", 300),
}
"""Where a secret stands, and which."""

DENIED: Final = (
    "An error occurred (AccessDenied) when calling the GetObject operation: User: {0} is not authorized to perform: "
    "s3:GetObject on resource: {1} because no identity-based policy allows the s3:GetObject action"
)


def _said(text: str) -> str:
    """Give all that explain and diagnose say of a text."""
    said = [masked(text)]
    try:
        for one in explain_all(text, resource=None):
            said += [json.dumps(one.as_json()), one.as_request(), one.title, one.cause, one.next_step, one.stopped_by]
            said += [one.allow.as_cdk(), *one.allow.notes] if one.allow else []
    except OperatorError as error:
        said += [str(error), error.why, error.next_step]
    said += [
        repr(error) for error in errors_in([LogLine(1, text), LogLine(2, json.dumps({"level": "E", "said": text}))])
    ]
    return "\n".join(said)


@PATIENT
@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_secret_is_never_said_wherever_it_stands(kind: str, data: st.DataObject) -> None:
    """At any place of any text that people brought, in a line with it or on one of its own."""
    secret = data.draw(KINDS[kind])
    text = data.draw(st.sampled_from(TEXTS)).text
    at = data.draw(st.integers(0, len(text)))
    gap = data.draw(st.sampled_from([" ", "\n"]))
    planted = f"{text[:at]}{gap}{kind.format(secret)}{gap}{text[at:]}"
    assert secret not in _said(planted)


@PATIENT
@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_secret_is_never_said_as_who_or_on_what(kind: str, data: st.DataObject) -> None:
    """Whatever a broken text puts where a name belongs."""
    secret = data.draw(KINDS[kind])
    holder = kind.format(secret)
    for text in (DENIED.format(holder, "arn:aws:s3:::b/k"), DENIED.format("arn:aws:iam::111122223333:user/x", holder)):
        assert secret not in _said(text)


@pytest.mark.parametrize("name", ["password", "apiKey", "x-api-key", "client_secret", "Authorization"])
def test_a_secret_of_a_log_in_json_is_told_by_its_name(name: str) -> None:
    """Powertools and Lambda log JSON, whose values alone say nothing."""
    line = json.dumps({"message": "InvalidClientTokenId", name: "hunter2-Kx"})
    assert "hunter2-Kx" not in repr(errors_in([LogLine(1, line)]))


@pytest.mark.parametrize("one", TEXTS, ids=lambda one: one.name)
def test_what_explains_a_text_is_kept(one: Labelled) -> None:
    """Masking twice is masking once, and a masked text says the same as before."""
    text = one.text
    once = masked(text)
    assert masked(once) == once
    for name in ("principal", "action", "resource", "policy_arn"):
        value = one.expected[name]
        if value and value in text and "AKIA" not in value and "ASIA" not in value:
            assert value in once


@pytest.mark.parametrize(
    "kept",
    [
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db/password-AbCdEf",
        "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0a1b2c3d4e5f6a7b/ada@example.com",
        "arn:aws:iam::123456789012:role/OrganizationAccountAccessRole2026ForXyz1",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/orders-queue",
        "The security token included in the request is invalid",
        "unable to get authorization token: AccessDeniedException: User",
        "Error loading SSO Token: Token for default does not exist",
        "Encoded authorization failure message: ",
        "/var/task/app/handlers/orders/really/long/path/v2/index.py",
        "psycopg2.OperationalError: connection to server at 10.0.0.5, port 5432 failed",
        "KeyError: 'ORDER_ID'",
    ],
)
def test_what_is_no_secret_stays(kept: str) -> None:
    """Names, places and words."""
    assert masked(f"x {kept} y") == f"x {kept} y"


@given(st.text())
def test_any_text_is_borne(text: str) -> None:
    """It fails on none, and adds no line."""
    assert masked(text).count("\n") <= text.count("\n")
