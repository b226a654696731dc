"""What a denial says is read right, whatever it is wrapped in."""

from __future__ import annotations

import contextlib
import html
import json
import time
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from operator_cli.denials.explanation import explain, explain_all
from operator_cli.denials.reader import readings
from operator_cli.errors import OperatorError
from tests.operator_cli.denial_texts import Labelled, composed, labelled

if TYPE_CHECKING:
    from operator_cli.denials.reading import Reading

TEXTS: Final = labelled()
FIELDS: Final = tuple(TEXTS[0].expected)

SENTENCES: Final = [
    one
    for one in TEXTS
    if "\n" not in one.text
    and "\\" not in one.text
    and one.expected["action"]
    and one.expected["decision"] != "unspecified"
]
"""Texts of one line that say who was denied what, and why: whatever is done to them, they say the same."""

DENIALS: Final = composed() | st.sampled_from(SENTENCES)
"""These, and others composed from the grammar."""

MESSAGES: Final = [one for one in TEXTS if "\n" not in one.text.strip()]
"""Texts of one line."""


PATIENT: Final = settings(deadline=None)
"""Machines that are busy are slow; how long reading may take is a test of its own."""


def _fields(reading: Reading) -> dict[str, object]:
    return {field: getattr(reading, field) for field in FIELDS}


def _read(text: str) -> dict[str, object]:
    found = readings(text)
    assert found, f"nothing was recognised in {text!r}"
    return _fields(found[0])


@pytest.mark.parametrize("one", TEXTS, ids=lambda one: one.name)
def test_a_real_text_is_read_as_people_read_it(one: Labelled) -> None:
    """Every field: category, code, operation, who, what, on what, which policy, and whether an Allow would help."""
    assert _read(one.text) == one.expected


def test_there_are_as_many_texts_as_the_score_is_told_of() -> None:
    """Else a lost file would pass."""
    assert len(TEXTS) == 47 + 206
    assert len(SENTENCES) > 20


def _broken(one: Labelled, width: int) -> list[str]:
    lines = [one.text[at : at + width] for at in range(0, len(one.text), width)]
    last = one.expected["policy_arn"] or one.expected["resource"] or ""
    cut = last[width - one.text.rfind(last) :] if last else ""
    # One break within the last name, and nothing but letters behind it: nobody could tell them from a word of their own.
    assume(len(lines) != 2 or not cut.isalpha())
    return lines


@PATIENT
@given(one=DENIALS, width=st.integers(24, 220))
def test_a_terminal_may_break_lines_anywhere(one: Labelled, width: int) -> None:
    """Also within a word or an ARN, as a terminal does at its last column."""
    broken = "\n".join(_broken(one, width))
    assert _read(broken) == one.expected


@PATIENT
@given(one=DENIALS, data=st.data())
def test_words_may_stand_on_lines_of_their_own(one: Labelled, data: st.DataObject) -> None:
    """As mail programs and people break lines, with any indentation."""
    words = one.text.split(" ")
    gaps = data.draw(
        st.lists(st.sampled_from([" ", "\n", "\r\n", "\n    ", "\n\t"]), min_size=len(words), max_size=len(words))
    )
    broken = "".join(word + gap for word, gap in zip(words, gaps, strict=True))
    # Between these two words a line break cannot be told from none, and "AccessDenied" is a code.
    assume("Access\n" not in broken)
    assert _read(broken) == one.expected


TIMES: Final = (
    "2026-11-25T10:11:12.1234567Z ",
    "2026-11-25 10:11:12,123 ",
    "[10:11:12] ",
    "11:25:58 AM | ",
    "[2026/11/25 10:11:12] ",
    "worker-1  | ",
    "│ ",
    "> ",
    "# ",
    "// ",
    "    ",
    "",
)


@PATIENT
@given(one=DENIALS, prefix=st.sampled_from(TIMES), width=st.integers(40, 400))
def test_each_line_may_have_a_prefix(one: Labelled, prefix: str, width: int) -> None:
    """A log's time, a container's name, Terraform's box, a quotation, a comment."""
    broken = "\n".join(prefix + line for line in _broken(one, width))
    assert _read(broken) == one.expected


COLOURS: Final = ("\x1b[31m", "\x1b[0m", "\x1b[1;38;5;208m", "\x1b[K", "\u200b")


@PATIENT
@given(one=st.sampled_from(MESSAGES), data=st.data())
def test_colours_may_stand_anywhere(one: Labelled, data: st.DataObject) -> None:
    """Whoever coloured the text."""
    text = one.text
    for place in sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)), reverse=True):
        text = text[:place] + data.draw(st.sampled_from(COLOURS)) + text[place:]
    assert _read(text) == one.expected


@PATIENT
@given(one=DENIALS, rounds=st.integers(1, 3), escape_all=st.booleans())
def test_it_may_be_a_string_within_json_within_json(one: Labelled, rounds: int, escape_all: bool) -> None:  # noqa: FBT001 - hypothesis names it
    """As log services nest it."""
    text = one.text
    for _ in range(rounds):
        text = json.dumps({"level": "error", "log": text}, ensure_ascii=True)
        if escape_all:
            text = text.replace(":", "\\u003a", 1) if "log" not in text[:20] else text
    assert _read(text) == one.expected


@PATIENT
@given(one=DENIALS)
def test_it_may_be_part_of_a_web_page(one: Labelled) -> None:
    """With entities for quotes and angle brackets."""
    assert _read(f"<pre>{html.escape(one.text)}</pre>") == one.expected


NOISE: Final = (
    "Traceback (most recent call last):",
    '  File "/var/task/index.py", line 3, in handler',
    "npm warn deprecated glob@7: no longer supported",
    "Rolebound-api |  4/22 | 10:11:12 AM | CREATE_IN_PROGRESS | AWS::Lambda::Function | Api/Function (ApiF00)",
    "✨  Synthesis time: 3.2s",
    "    at async Promise.all (index 0)",
    "[100%] success: Published 0123456789abcdef:111122223333-us-east-1",
    "Permission denied (publickey).",
    "Everything is authorised to go on.",
    "",
)


@PATIENT
@given(
    one=DENIALS,
    before=st.lists(st.sampled_from(NOISE), max_size=40),
    after=st.lists(st.sampled_from(NOISE), max_size=40),
)
def test_it_is_found_among_other_lines(one: Labelled, before: list[str], after: list[str]) -> None:
    """Hundreds of them, that say nothing of it."""
    assert _read("\n".join([*before, one.text, *after])) == one.expected


def test_several_denials_are_each_explained_and_the_first_is_the_main_one() -> None:
    """What is repeated counts once."""
    first, second = (
        f"User: arn:aws:iam::111122223333:user/ci is not authorized to perform: {action} on resource: {resource} because no "
        f"identity-based policy allows the {action} action"
        for action, resource in (
            ("sqs:CreateQueue", "arn:aws:sqs:us-east-1:111122223333:one"),
            ("sns:CreateTopic", "arn:aws:sns:us-east-1:111122223333:two"),
        )
    )
    found = explain_all(
        f"An error occurred (AccessDenied) when calling the X operation: {first}\n{second}\n{first}\nAccess Denied"
    )
    assert [one.reading.action for one in found] == ["sqs:CreateQueue", "sns:CreateTopic"]


@pytest.mark.parametrize(
    "text", ["hello", "{", '{"a": [1, 2', "error: build failed", "the user is authorized", "\u0130" * 50]
)
def test_a_text_without_an_aws_error_is_not_explained(text: str) -> None:
    """It says so in three parts instead of making something up."""
    with pytest.raises(OperatorError) as said:
        explain(text)
    assert said.value.status == 1
    assert "No AWS error was recognised" in str(said.value)


@PATIENT
@given(st.text(max_size=3000))
def test_any_text_is_borne(text: str) -> None:
    """Nothing raises but the answer that nothing was recognised."""
    for reading in readings(text):
        assert reading.category


PIECES: Final = (
    "User: ",
    "is not authorized to perform: ",
    "not authorized to perform",
    "on resource: ",
    "because no identity-based policy allows the ",
    "because no ",
    "with an explicit deny in a ",
    "action",
    "arn:aws:iam::1",
    "a:b",
    '"',
    "'",
    "\\",
    "\\u003",
    "\n",
    " ",
    "<",
    "<x>",
    "An error occurred (",
    ") when calling the ",
    "Access Denied",
    "AccessDenied",
    "\x1b[",
    "&#",
    "errorCode",
    "{",
    "[",
    ":",
)


@PATIENT
@given(st.lists(st.sampled_from(PIECES), max_size=200))
def test_any_pieces_of_a_denial_are_borne(pieces: list[str]) -> None:
    """Half sentences, unclosed quotes and brackets."""
    text = "".join(pieces)
    for reading in readings(text):
        assert reading.category
    with contextlib.suppress(OperatorError):
        explain_all(text)


MEGABYTE: Final = 1_000_000


@pytest.mark.parametrize(
    "piece",
    [
        *PIECES,
        "a",
        "a ",
        "aA0/",
        "secret=",
        "0" * 79 + "\n",
        "User: a is not authorized to perform: a:b on resource: ",
        "(because[x" * 3,
        "AccessDenied: User: x is not authorized to perform: a:b ",
        "An error occurred (AccessDenied) when calling the X operation: User: arn:aws:iam::111122223333:user/x is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k\n",
        '{"errorCode": "AccessDenied", "eventName": "X", "eventSource": "y"} ',
    ],
)
def test_a_megabyte_of_anything_is_read_within_a_second(piece: str) -> None:
    """No pattern looks back and forth: a log with a trap in it costs no more than another."""
    text = (piece * (MEGABYTE // len(piece) + 1))[:MEGABYTE]
    started = time.process_time()
    readings(text)
    assert time.process_time() - started < 1


SECRET: Final = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzz1234" + "5678"
TOKEN: Final = ("IQoJb3JpZ2lu" + "X2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDx") * 4
KEY: Final = "ASIA" + "ABCDEFGHIJKL" + "WXYZ"
HOLDERS: Final = (
    "aws_secret_access_key = {secret}\naws_session_token = {token}\n",
    "export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret} AWS_SESSION_TOKEN={token}\n",
    '{{"credentials": {{"accessKeyId": "{key}", "secretAccessKey": "{secret}", "sessionToken": "{token}"}}}}\n',
    "https://b.s3.amazonaws.com/k?X-Amz-Credential={key}/20261125&X-Amz-Security-Token={token}&X-Amz-Signature=0a1b2c3d4e5f\n",
    "Authorization: AWS4-HMAC-SHA256 Credential={key}/20261125/us-east-1/sqs/aws4_request, Signature=0a1b2c3d4e5f\n",
    "User: {key} is not authorized to perform: s3:GetObject on resource: {secret}\n",
    "User: arn:aws:iam::111122223333:user/{key} is not authorized to perform: s3:GetObject on resource: {token}\n",
    "An error occurred (AccessDenied) when calling the X operation: Access to the resource {token} is denied.\n",
)


@pytest.mark.parametrize("holder", HOLDERS)
def test_no_secret_of_a_text_comes_out_again(holder: str) -> None:
    """Of a key's id four characters may be shown; of a secret or a token nothing, wherever it stands."""
    text = holder.format(secret=SECRET, token=TOKEN, key=KEY) + (
        "An error occurred (AccessDenied) when calling the GetObject operation: User: arn:aws:iam::111122223333:user/x is not "
        "authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k"
    )
    said = "".join(json.dumps(one.as_json()) + one.as_request() + one.title + one.cause for one in explain_all(text))
    assert SECRET not in said
    assert TOKEN[:40] not in said
    assert KEY not in said
