"""Reads the functions' source without importing it: what an entry module imports, and which variables it asks for."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

from stacks.dependency_layer import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = ROOT / "lambda_src" / "event_api"


@cache
def modules_of(entry: str) -> dict[str, ast.Module]:
    """Give a function's entry module and everything of our package that it imports when it runs."""
    found: dict[str, ast.Module] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = ast.parse((_PACKAGE / f"{name}.py").read_text(encoding="utf-8"))
            waiting += _imports(found[name])
    return found


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)) if module.startswith("event_api."):
                yield module.removeprefix("event_api.")
            case ast.ImportFrom(module="event_api", names=names):
                yield from (alias.name for alias in names)


@cache
def required_variables(entry: str) -> set[str]:
    """Give the variables without which a function does not start."""
    return {
        name
        for tree in modules_of(entry).values()
        for node in ast.walk(tree)
        for name in _names(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "required"
    }


@cache
def read_variables(entry: str) -> set[str]:
    """Give all variables that a function may read, by their literal names."""
    return required_variables(entry) | {
        name
        for tree in modules_of(entry).values()
        for node in ast.walk(tree)
        for name in _names(node)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get"
        and "environ" in ast.unparse(node.func.value)
    }


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Call(args=[ast.Constant(value=str(name)), *_]):
            return [name]
    return []


def route_keys() -> set[str]:
    """Give the keys of the API function's ``ROUTES``."""
    for node in modules_of("api")["api"].body:
        match node:
            case ast.AnnAssign(target=ast.Name(id="ROUTES"), value=ast.Dict(keys=keys)):
                return {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    raise LookupError("api.py has no ROUTES")
