"""What a command says commands no terminal, whoever wrote what it quotes."""

from __future__ import annotations

import io
import json
import unicodedata
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from operator_cli.output import Output
from operator_cli.watching.supervision import Say, Weight
from operator_cli.watching.supervisor import Speaker

HOSTILE: Final = "Oops\x1b[8m hidden\x1b]0;title\x07 \x9b31m over\rwritten \u202egnorw\x08"
OURS: Final = {"\n", "\t"}
TURNING: Final = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """As a terminal's does."""
        return True


def commands_in(text: str) -> set[str]:
    """Give the characters that a terminal would obey."""
    return {c for c in text if (unicodedata.category(c) == "Cc" and c not in OURS) or c in TURNING}


def everything_said(text: str, stream: io.StringIO) -> str:
    """Give what is written when a text is said in every way there is, without styles."""
    output = Output(stdout=stream, stderr=stream, environ={"NO_COLOR": "1", "TERM": "xterm"})
    output.say(text)
    output.tell(text)
    output.json({"text": text})
    output.console().print(text, markup=False)
    output.console().print(Text(text))
    return stream.getvalue()


@given(st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(HOSTILE))))
def test_no_text_commands_a_terminal_in_whatever_way_it_is_said(text: str) -> None:
    """A name in AWS, a policy's Sid and a log line are written by others: escapes in them are shown, never obeyed."""
    assert commands_in(everything_said(text, io.StringIO())) == set()


def test_a_hostile_name_is_shown_on_a_terminal_and_obeyed_nowhere() -> None:
    """What surrounds the commands stays readable, so that the reader sees that something is odd."""
    said = everything_said(HOSTILE, Terminal())
    assert commands_in(said) == set()
    assert said.count("hidden") == 5


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_holds_the_text_as_it_is(text: str) -> None:
    """A program reads exactly what there was: only the spelling is harmless."""
    stream = io.StringIO()
    Output(stdout=stream, stderr=stream, environ={}).json({"text": text})
    assert json.loads(stream.getvalue()) == {"text": text}


@pytest.mark.parametrize("weight", list(Weight))
def test_the_watch_rings_its_own_bell_and_obeys_nobody_elses(weight: Weight) -> None:
    """What it quotes of the CDK and of AWS may hold anything."""
    lines: list[str] = []
    Speaker(lines.append, colours=False)(Say(weight, HOSTILE, next_step=HOSTILE))
    assert commands_in("\n".join(lines)) == set()
