"""What is found out of a program's calls to AWS, and the record it is written into."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from credential_rules import taught_calls

if TYPE_CHECKING:
    from credential_rules.code_walk.program import Module
    from credential_rules.code_walk.values import Frame
    from credential_rules.sources import Source


@dataclass(frozen=True, slots=True)
class Named:
    """What a call goes to, as the code says it: by an environment variable, or by a name or ARN."""

    text: str
    is_variable: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One operation that the code can call.

    `service` is the SDK's name of it, `operation` the API's. `path` is the file within the asset. `resources` says what
    it goes to, empty if that is not known; `index` names indexes of a table, empty for the table itself.
    `is_optional`: the call may be refused and the code works all the same.
    """

    service: str
    operation: str
    path: str
    line: int
    resources: tuple[Named, ...] = ()
    index: tuple[str, ...] = ()
    is_optional: bool = False
    source: Source | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that may call AWS and is not understood. `service` is the SDK's name of the service, empty if it may be any."""

    path: str
    line: int
    reason: str
    teach: str = taught_calls.HOW
    service: str = ""
    source: Source | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Mistaught:
    """A comment `# aws: …` that says nothing that AWS knows."""

    path: str
    line: int
    reason: str
    source: Source | None = field(default=None, compare=False)


def taught_call(one: taught_calls.Taught, path: str, line: int, source: Source | None) -> Call:
    """The call that a comment, or a function's metadata, tells of."""
    named: tuple[Named, ...] = ()
    if one.resource:
        named = (Named(one.resource, is_variable=one.resource.isupper() and one.resource.isidentifier()),)
    return Call(one.service, one.operation, path, line, named, source=source)


def shown_path(module: Module) -> str:
    """The file within the asset, as a person finds it."""
    return module.name.replace(".", "/") + ("/__init__.py" if module.is_package else ".py")


class Record:
    """What was found so far. A line that a comment speaks for calls what the comment says, and nothing else."""

    def __init__(self) -> None:
        self.calls: dict[Call, None] = {}
        self.unknown: dict[tuple[str, int, str], Unknown] = {}
        self.mistaught: dict[Mistaught, None] = {}
        self.absent: dict[str, None] = {}

    def called(self, call: Call) -> None:
        """Notes a call."""
        self.calls[call] = None

    def not_understood(self, module: Module, node: ast.AST, reason: str, service: str = "") -> None:
        """Notes something that may call AWS, unless a comment says what it does."""
        if not is_taught(module, node):
            path, line = shown_path(module), line_of(node)
            unknown = Unknown(path, line, reason, service=service, source=module.source)
            self.unknown.setdefault((path, line, reason), unknown)

    def not_there(self, module: Module, node: ast.AST, package: str) -> None:
        """Notes a package that is imported and not among the code, unless a comment says what it does."""
        if not is_taught(module, node):
            self.absent[package] = None

    def reached(self, frame: Frame) -> None:
        """Notes what the comments of a function say that is run."""
        module = frame.module
        if not module.comments:
            return
        own = frame.function.node if frame.function is not None else None
        for line, text in module.comments.items():
            if _innermost(module, line) is not own:
                continue
            try:
                told = taught_calls.taught(text)
            except taught_calls.Untaught as error:
                self.mistaught[Mistaught(shown_path(module), line, str(error), module.source)] = None
                continue
            for one in told:
                self.called(taught_call(one, shown_path(module), line, module.source))


def is_taught(module: Module, node: ast.AST) -> bool:
    """Whether a comment says what a line calls."""
    if not module.comments:
        return False
    first = getattr(node, "lineno", 1)
    return any(line in module.taught for line in range(first, (getattr(node, "end_lineno", None) or first) + 1))


def line_of(node: ast.AST) -> int:
    """The line of a call's name: in a chain over several lines, where the method stands."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.end_lineno or node.lineno
    return int(getattr(node, "lineno", 1))


def _innermost(module: Module, line: int) -> ast.AST | None:
    """The function that a line stands in, None for the module."""
    found: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    for node in module.source.nodes:
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.lineno <= line <= (node.end_lineno or line)
            and (found is None or node.lineno >= found.lineno)
        ):
            found = node
    return found
