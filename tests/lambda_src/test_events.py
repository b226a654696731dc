"""What counts as an event, and the ids and times that go with it."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_api.events import (
    MAX_BODY_BYTES,
    Event,
    EventInput,
    EventTooLarge,
    InvalidEvent,
    Status,
    is_event_id,
    new_event_id,
    parse_event,
    timestamp,
)

_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_texts = st.text(st.characters(exclude_categories=["Cs"]))
_values = st.recursive(
    _scalars | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=20,
)
_space = st.text(" \t\r\n", max_size=3)


@st.composite
def _written(draw: st.DrawFn) -> bytes:
    """Any JSON value in any way of writing it."""
    return json.dumps(
        draw(_values),
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.none() | st.integers(0, 2)),
        separators=(draw(_space) + "," + draw(_space), draw(_space) + ":" + draw(_space)),
    ).encode()


@given(data=_written(), before=_space, after=_space)
@example(data=b"1.0000", before="", after="")
@example(data=b"-0", before="", after="")
@example(data=b"1E+2", before="", after="")
@example(data=b"1e-400", before="", after="")
@example(data=b"123456789012345678901234567890", before="", after="")
@example(data=b'{"a":1,"a":2}', before="", after="")
@example(data=b'"\\ud83d\\ude00\\u0000\\/"', before="", after="")
@example(data='"\N{GRINNING FACE}é\\u00e9"'.encode(), before=" ", after="\n")
def test_any_payload_comes_back_byte_for_byte(data: bytes, before: str, after: str) -> None:
    """Numbers keep their digits, keys their order and repetitions, text its escapes: what was signed stays signed."""
    body = b'{"type":"order.created","data":' + before.encode() + data + after.encode() + b"}"

    event = parse_event(body)

    assert bytes(event.data) == data
    given_back = msgspec.json.encode(
        Event(id="i", type=event.type, data=event.data, status=Status.ACCEPTED, accepted_at="t")
    )
    assert data in given_back
    assert json.loads(given_back)["data"] == json.loads(data)


def _outcome(body: bytes) -> type[object]:
    try:
        return type(parse_event(body))
    except (InvalidEvent, EventTooLarge) as refusal:
        return type(refusal)


_VALID = b'{"type":"order.created","data":{"id":[7,"a\\u00e9\xc3\xa9",null]}}'


@given(st.binary(max_size=200) | _written())
@example(b"")
@example(b"null")
@example(b"[]")
@example(b"\xef\xbb\xbf" + _VALID)
@example(_VALID.decode().encode("utf-16"))
def test_arbitrary_bytes_are_refused_and_nothing_worse(body: bytes) -> None:
    """Whatever arrives, the sender is told that it is no event; nothing else is raised."""
    assert _outcome(body) is InvalidEvent


@given(position=st.integers(0, len(_VALID) - 1), byte=st.integers(0, 255))
def test_a_damaged_event_is_refused_or_still_an_event(position: int, byte: int) -> None:
    """One wrong byte never leads to another error, and what is accepted can be read back by any JSON parser."""
    damaged = _VALID[:position] + bytes([byte]) + _VALID[position + 1 :]

    if _outcome(damaged) is EventInput:
        json.loads(damaged)


@pytest.mark.parametrize(
    "data",
    [
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1e400",
        b"9" * 5000,
        b"01",
        b"1.",
        b"[1,]",
        b"{'a':1}",
        b"'a'",
        b'"\\x41"',
        b'"\n"',
        b'"\\ud800"',
        b'"\\udc00x"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'{"\xff":1}',
        b"",
        b"undefined",
        b"1 2",
    ],
)
def test_what_not_every_json_parser_reads_is_refused(data: bytes) -> None:
    """A payload is stored only if every consumer can read it: half characters and endless numbers are not for all."""
    with pytest.raises(InvalidEvent, match=r"Nothing was stored\. Send a JSON object"):
        parse_event(b'{"type":"a","data":' + data + b"}")


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_payload_nested_too_deeply_is_refused_before_it_breaks_a_reader(opening: bytes) -> None:
    """A hundred levels are fine; tens of thousands, which crash naive parsers, are told as what they are."""

    def nested(levels: int) -> bytes:
        closing = b"]" if opening == b"[" else b"}"
        return b'{"type":"a","data":' + opening * levels + b"1" + closing * levels + b"}"

    assert parse_event(nested(100)).type == "a"
    with pytest.raises(InvalidEvent, match="nested too deeply"):
        parse_event(nested(40_000))


def test_the_largest_body_is_accepted_and_one_byte_more_is_not() -> None:
    """The limit is exact, and its refusal says both numbers and what to do instead."""
    shell = b'{"type":"a","data":""}'
    largest = shell[:-2] + b"x" * (MAX_BODY_BYTES - len(shell)) + shell[-2:]

    assert len(largest) == MAX_BODY_BYTES
    assert len(parse_event(largest).data) == MAX_BODY_BYTES - len(shell) + 2
    with pytest.raises(EventTooLarge, match=rf"{MAX_BODY_BYTES + 1} bytes; {MAX_BODY_BYTES} are allowed.*send a link"):
        parse_event(largest + b" ")


_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


@given(st.text(max_size=130) | st.from_regex(_TYPE, fullmatch=True))
@example("order.created")
@example("order.created\n")
@example("a" * 128)
@example("a" * 129)
@example("")
@example(".hidden")
@example("٣")
def test_a_type_is_letters_digits_dots_hyphens_and_underscores(name: str) -> None:
    """Exactly the documented form is accepted: a type may end up in a log, a metric or a file's name."""
    body = json.dumps({"type": name, "data": 1}).encode()

    assert (_outcome(body) is EventInput) == (_TYPE.fullmatch(name) is not None)


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"a"}',
        b'{"data":1}',
        b'{"type":7,"data":1}',
        b'{"type":null,"data":1}',
        b'{"type":"a","data":1,"tenant_id":"other"}',
        b'[{"type":"a","data":1}]',
        b'"{}"',
    ],
)
def test_a_missing_wrong_or_unknown_field_is_refused_by_its_name(body: bytes) -> None:
    """A misspelt field is told, never dropped in silence."""
    with pytest.raises(InvalidEvent, match=r"`(type|data|tenant_id|object)`|at `"):
        parse_event(body)


def test_the_last_of_a_repeated_field_counts() -> None:
    """As with most parsers: what the sender's own check reads is what is stored."""
    event = parse_event(b'{"type":"a","data":1,"type":"b","data":2}')

    assert (event.type, bytes(event.data)) == ("b", b"2")


_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_ids_have_the_documented_form_and_are_never_the_same() -> None:
    """Twenty-six characters that are safe in a path, a key and a file's name."""
    ids = [new_event_id() for _ in range(1000)]

    assert all(re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", made) for made in ids)
    assert len(set(ids)) == len(ids)


def test_ids_sort_by_the_time_of_their_making() -> None:
    """Ids of different milliseconds sort as text in the order of time, which they also tell."""
    ids = []
    for _ in range(5):
        before = time.time_ns() // 1_000_000
        made = new_event_id()
        after = time.time_ns() // 1_000_000
        number = 0
        for letter in made:
            number = number * 32 + _DIGITS.index(letter)
        assert before <= number >> 80 <= after
        ids.append(made)
        time.sleep(0.002)

    assert ids == sorted(ids)


@given(st.text() | st.text(_DIGITS, min_size=25, max_size=27) | st.builds(new_event_id))
@example("")
@example("01ARZ3NDEKTSV4RRFFQ69G5FAV")
@example("01ARZ3NDEKTSV4RRFFQ69G5FAV\n")
@example("01arz3ndektsv4rrffq69g5fav")
@example("81ARZ3NDEKTSV4RRFFQ69G5FAV")
@example("01ARZ3NDEKTSV4RRFFQ69G5FAI")
@example("/1ARZ3NDEKTSV4RRFFQ69G5FAV")
@example("01ARZ3NDEKTSV4RRFFQ69G5FA٣")
def test_exactly_the_form_of_an_id_is_an_id(text: str) -> None:
    """Anything else, such as a path or another tenant's prefix, is refused before it reaches a key."""
    assert is_event_id(text) == (re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", text) is not None)


_moments = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-11, minutes=-30))]),
)


@given(_moments, _moments)
def test_timestamps_sort_as_text_in_the_order_of_time(one: datetime, other: datetime) -> None:
    """Whatever the zone: the pending index relies on it."""
    step = timedelta(milliseconds=1)

    if other - one >= step:
        assert timestamp(one) < timestamp(other)
    if one - other >= step:
        assert timestamp(one) > timestamp(other)


@given(_moments)
def test_a_timestamp_is_rfc_3339_in_utc_with_milliseconds(moment: datetime) -> None:
    """It can be read back, to the millisecond."""
    written = timestamp(moment)

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written)
    assert timedelta(0) <= moment - datetime.fromisoformat(written) < timedelta(milliseconds=1)
