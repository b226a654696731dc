"""The Python program in a function's asset: its modules by name, its classes and functions with their variables."""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credential_rules.sources import Source

Callable_: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda"

_TEACHING: Final = "# aws:"
_COMPOUND: Final = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)


@dataclass(eq=False)
class Module:
    """One module. `name` is what the program imports it by; a package's is that of its folder."""

    name: str
    source: Source
    is_package: bool

    @property
    def package(self) -> str:
        """The package that relative imports begin at."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    def absolute(self, node: ast.ImportFrom) -> str:
        """The full name of the module that an import of its names, empty for the folder of the program."""
        if not node.level:
            return node.module or ""
        parts = self.package.split(".") if self.package else []
        parts = parts[: len(parts) - (node.level - 1)]
        return ".".join([*parts, *([node.module] if node.module else [])])

    @cached_property
    def comments(self) -> dict[int, str]:
        """What the comments that begin with `# aws:` say, by their line."""
        if _TEACHING not in self.source.text:
            return {}
        found: dict[int, str] = {}
        try:
            for token in tokenize.generate_tokens(io.StringIO(self.source.text).readline):
                if token.type == tokenize.COMMENT and token.string.startswith(_TEACHING):
                    found[token.start[0]] = token.string.removeprefix(_TEACHING).strip()
        except (tokenize.TokenError, SyntaxError):
            # It was parsed, so what cannot be told apart here stands after the last comment.
            return found
        return found

    @cached_property
    def taught(self) -> dict[int, int]:
        """The lines that a comment speaks for, each with the comment's line: all lines of the statement it stands in."""
        if not self.comments:
            return {}
        found = {line: line for line in self.comments}
        for node in self.source.nodes:
            if isinstance(node, ast.stmt):
                lines = range(node.lineno, _end_of_own_lines(node) + 1)
                for line in self.comments:
                    if line in lines:
                        found.update(dict.fromkeys(lines, line))
        return found


def _end_of_own_lines(node: ast.stmt) -> int:
    """The last line of a statement, of its head if it holds other statements."""
    if not isinstance(node, _COMPOUND):
        return node.end_lineno or node.lineno
    inner = getattr(node, "body", None) or getattr(node, "cases", None)
    first = inner[0] if inner else node
    line = first.lineno if isinstance(first, ast.stmt) else node.lineno
    return max(node.lineno, line - 1)


@dataclass(eq=False)
class FunctionInfo:
    """A function, method or lambda. `owner` is the class whose body it stands in, `locals` are its own variables."""

    node: Callable_
    module: Module
    owner: ClassInfo | None

    @property
    def name(self) -> str:
        """Its name as written."""
        return "lambda" if isinstance(self.node, ast.Lambda) else self.node.name

    @cached_property
    def parameters(self) -> tuple[ast.arg, ...]:
        """The parameters that can be given by position, in their order."""
        return (*self.node.args.posonlyargs, *self.node.args.args)

    @cached_property
    def defaults(self) -> dict[str, ast.expr]:
        """The defaults by parameter."""
        written = self.node.args
        found: dict[str, ast.expr] = {}
        if written.defaults:
            found = {
                part.arg: value
                for part, value in zip(self.parameters[-len(written.defaults) :], written.defaults, strict=True)
            }
        for part, default in zip(written.kwonlyargs, written.kw_defaults, strict=True):
            if default is not None:
                found[part.arg] = default
        return found

    @cached_property
    def annotations(self) -> dict[str, ast.expr]:
        """What the parameters are annotated with."""
        written = (*self.parameters, *self.node.args.kwonlyargs)
        return {part.arg: part.annotation for part in written if part.annotation is not None}

    @cached_property
    def locals(self) -> frozenset[str]:
        """The names that live in it."""
        written = self.node.args
        every = [*self.parameters, *written.kwonlyargs]
        every += [part for part in (written.vararg, written.kwarg) if part is not None]
        found = {part.arg for part in every}
        foreign: set[str] = set()
        todo: list[ast.AST] = [self.node.body] if isinstance(self.node, ast.Lambda) else list(self.node.body)
        while todo:
            node = todo.pop()
            if isinstance(node, ast.Global | ast.Nonlocal):
                foreign |= set(node.names)
            found |= set(_bound(node))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                todo += [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]
            elif isinstance(node, ast.ClassDef):
                todo += node.decorator_list
            elif not isinstance(node, ast.Lambda):
                todo += ast.iter_child_nodes(node)
        return frozenset(found - foreign)

    def is_decorated(self, *names: str) -> bool:
        """Whether one of its decorators ends in one of these names."""
        if isinstance(self.node, ast.Lambda):
            return False
        return any(last_name(decorator) in names for decorator in self.node.decorator_list)

    @cached_property
    def is_property(self) -> bool:
        """Whether reading the attribute calls it."""
        return self.is_decorated("property", "cached_property", "hybrid_property", "abstractproperty", "getter")

    @cached_property
    def is_static(self) -> bool:
        """Whether it is called without its object."""
        return self.is_decorated("staticmethod")

    @cached_property
    def is_of_class(self) -> bool:
        """Whether it is called with its class."""
        return self.is_decorated("classmethod") or self.name in {"__new__", "__init_subclass__", "__class_getitem__"}


@dataclass(eq=False)
class ClassInfo:
    """A class. `annotations` are the fields that its body declares, in their order."""

    node: ast.ClassDef
    module: Module
    annotations: dict[str, ast.expr] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name as written."""
        return self.node.name


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.split(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchStar | ast.MatchAs):
        if node.name:
            yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def last_name(node: ast.AST) -> str:
    """The last part of a dotted name, of what is called if it is a call; empty if it is neither."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


class Program:
    """The modules of one function by the names under which they import each other.

    `roots` are the folders from which they are imported: that of its code, then those of its layers.
    """

    def __init__(self, modules: Iterable[Module], roots: tuple[str, ...] = ()) -> None:
        self.roots = roots
        self.modules: dict[str, Module] = {}
        for module in modules:
            self.modules.setdefault(module.name, module)
        self._packages = {
            ".".join(parts[:length])
            for parts in (name.split(".") for name in self.modules)
            for length in range(1, len(parts))
        }

    def module(self, name: str) -> Module | None:
        """The module of that name, None if it is none of the function's."""
        return self.modules.get(name)

    def is_package(self, name: str) -> bool:
        """Whether modules of the function lie below that name, be there an `__init__.py` or not."""
        return name in self._packages

    def holds(self, name: str) -> bool:
        """Whether the name is a module or package of the function."""
        return name in self.modules or name in self._packages


def program_at(roots: tuple[str, ...], sources: list[Source]) -> Program:
    """The program whose modules are found below `roots`, each a path that ends in a separator, those of the first first."""
    return Program((module for root in roots for module in _modules(root, sources)), roots)


def _modules(root: str, sources: Iterable[Source]) -> Iterator[Module]:
    for source in sources:
        path = source.path.replace("\\", "/")
        if path.startswith(root) and path.endswith(".py"):
            parts = path[len(root) : -len(".py")].split("/")
            is_package = parts[-1] == "__init__"
            if is_package:
                parts.pop()
            if parts:
                yield Module(".".join(parts), source, is_package)


def inline_program(name: str, source: Source, roots: tuple[str, ...], layers: list[Source]) -> Program:
    """The program whose only module stands in the template, with what it imports from layers."""
    modules = [module for root in roots for module in _modules(root, layers)]
    return Program([Module(name, source, is_package=False), *modules], roots)
