"""Single questions to AWS, each of which may be refused by itself: what is not told is remembered with its permission."""

from __future__ import annotations

import json
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from operator_cli.answers import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from concurrent.futures import ThreadPoolExecutor

    Answer = Mapping[str, Any]

AT_ONCE: Final = 24
"""More than are ever asked together: AWS is far, and what counts is the number of rounds."""


class Ask(Protocol):
    """Asks AWS one question."""

    def __call__(self, service: str, operation: str, parameters: Mapping[str, object], /) -> Answer | Failure:
        """Give the answer, all its pages together, or why there is none."""
        ...


class Read(NamedTuple):
    """One kind of question, and the permission that it needs."""

    service: str
    operation: str
    permission: str


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that AWS did not tell.

    Attributes:
        what: In words: `the inline policy 'work'`.
        permission: What it takes to read it, empty for code, whose address anybody may open.
        code: AWS's error code.
        is_denied: Whether the permission is what the caller lacks.
    """

    what: str
    permission: str
    code: str
    is_denied: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of a role or of a resource. `document` is as in IAM's JSON."""

    name: str
    document: Mapping[str, Any]


class Question(NamedTuple):
    """One question; `none` are AWS's words for "there is none", where that is an answer like any other."""

    read: Read
    parameters: Mapping[str, object]
    what: str
    none: frozenset[str] = frozenset()


class Reader:
    """Asks what is independent at the same time, and remembers what was not answered."""

    def __init__(self, ask: Ask, pool: ThreadPoolExecutor) -> None:
        self._ask = ask
        self._pool = pool
        self.unread: list[Unread] = []

    def all(self, questions: Iterable[Question]) -> list[Answer | None]:
        """Give an answer for each question; None where there is none, or where it was refused."""
        return list(self._pool.map(self.answer, list(questions)))

    def answer(self, question: Question) -> Answer | None:
        """Give the answer to one question; None where there is none, or where it was refused."""
        answer = self._ask(question.read.service, question.read.operation, question.parameters)
        if not isinstance(answer, Failure):
            return answer
        if answer.code not in question.none:
            self._remember(question, answer)
        return None

    def told(self, questions: Iterable[Question]) -> list[Answer | None]:
        """Give an answer for each question: an empty one where there is none, None where it was refused."""
        return list(self._pool.map(self._told, list(questions)))

    def _told(self, question: Question) -> Answer | None:
        answer = self._ask(question.read.service, question.read.operation, question.parameters)
        if not isinstance(answer, Failure):
            return answer
        if answer.code in question.none:
            return {}
        self._remember(question, answer)
        return None

    def _remember(self, question: Question, failure: Failure) -> None:
        is_denied = failure.kind is FailureKind.DENIED
        self.unread.append(Unread(question.what, question.read.permission, failure.code, is_denied=is_denied))


def document_of(document: object) -> Mapping[str, Any]:
    """Give a policy document as a mapping: IAM's API writes it as encoded JSON, EC2's as JSON, SDKs decode some."""
    if isinstance(document, str):
        text = document if document.lstrip().startswith("{") else urllib.parse.unquote(document)
        try:
            document = json.loads(text)
        except ValueError:
            return {}
    return document if isinstance(document, dict) else {}
