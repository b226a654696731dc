"""The troubleshooting page is true: what it shows is explained as it says, and the tests that it names exist."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Final

import pytest

from operator_cli.denials.explanation import explain
from stacks.dependency_layer import ROOT

PAGE: Final = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Entry:
    """One entry of the page."""

    heading: str
    symptoms: tuple[str, ...]
    title: str
    tests: tuple[str, ...]
    text: str


def _entries() -> list[Entry]:
    found = []
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        title = re.search(r"^- `explain`: (.+)$", text, re.MULTILINE)
        found.append(
            Entry(
                heading=heading,
                symptoms=tuple(re.findall(r"^```text\n(.+?)^```", text, re.MULTILINE | re.DOTALL)),
                title=title[1] if title else "",
                tests=tuple(re.findall(r"^- Test: (\S+)$", text, re.MULTILINE)),
                text=text,
            )
        )
    return found


ENTRIES: Final = _entries()


def test_there_are_entries() -> None:
    """Else everything below would pass."""
    assert len(ENTRIES) >= 25
    assert sum(len(entry.symptoms) for entry in ENTRIES) >= 25


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.heading)
def test_each_entry_has_cause_and_fix_and_is_backed(entry: Entry) -> None:
    """By a symptom that is explained, or by a test that is named."""
    assert "**Cause.**" in entry.text
    assert "**Fix.**" in entry.text
    assert entry.title or entry.tests
    assert bool(entry.title) == bool(entry.symptoms)


@pytest.mark.parametrize(
    ("symptom", "title"),
    [(symptom, entry.title) for entry in ENTRIES for symptom in entry.symptoms],
    ids=[f"{entry.heading}-{number}" for entry in ENTRIES for number in range(len(entry.symptoms))],
)
def test_each_symptom_is_explained_as_the_page_says(symptom: str, title: str) -> None:
    """Word for word, so that the reader finds one in the other."""
    assert explain(symptom).title == title


@pytest.mark.parametrize("name", sorted({name for entry in ENTRIES for name in entry.tests}))
def test_each_test_that_the_page_names_exists(name: str) -> None:
    """A renamed test takes its promise along."""
    file, _, function = name.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


ADVICE_THAT_WAS_WRONG: Final = (
    r"os\.environ\.update",
    r"glob\('\*\.json'\)",
    r"export AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)",
    r"doesn't read this location",
    r'"Resource": "\*"',
    r"AdministratorAccess(?!: whoever)",
)


@pytest.mark.parametrize("advice", ADVICE_THAT_WAS_WRONG)
def test_wrong_advice_is_not_repeated(advice: str) -> None:
    """Loading the login cache by hand, keys in the environment, policies for everything."""
    assert re.search(advice, PAGE) is None


def test_wrong_advice_is_said_to_be_wrong() -> None:
    """Whoever learnt it elsewhere reads here why it does not help."""
    wrong = [entry for entry in ENTRIES if "**Not this.**" in entry.text]
    said = " ".join(entry.text for entry in wrong)
    for word in (
        "login/cache",
        "environment",
        "not expiry",
        "Retrying",
        "AdministratorAccess",
        "FullAccess",
        "cdk synth",
        "console",
    ):
        assert word in said
