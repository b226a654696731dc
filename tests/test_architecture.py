"""Imports point one way, dangerous things have one door each, and every file has a place that its name gives away."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import pytest

from stacks.dependency_layer import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS: Final = (
    "app",
    "stacks",
    "credential_rules",
    "event_api",
    "operator_cli",
    "tenants",
    "local_aws",
    "bench",
    "docs",
    "tests",
)
"""What an import of ours can begin with."""

MAY_IMPORT: Final = {
    "app": {"stacks", "credential_rules"},
    "stacks": {"stacks"},
    "credential_rules": {"credential_rules"},
    "event_api": {"event_api"},
    # Rules only to run a check, which `ONE_CALLER` narrows.
    "operator_cli": {"operator_cli", "credential_rules"},
    # Makes keys by the functions' own code, and stores them with a session that was checked.
    "tenants": {"tenants", "event_api", "operator_cli"},
    # Tenants' keys are minted by the functions' own code, which `ONE_CALLER` narrows.
    "local_aws": {"local_aws", "event_api"},
    # Measures what is deployed, and says its steps like the other commands.
    "bench": {"bench", "stacks", "local_aws", "event_api"},
    # Documentation that is generated from the code.
    "docs": {"docs", "event_api", "stacks", "credential_rules", "operator_cli"},
}
"""What each part may import of ours; `tests` may import everything."""

CIRCLES: Final[dict[str, set[frozenset[str]]]] = {
    # A resource gives values, which look through intrinsics, which name resources; conditions decide which of them
    # apply, and compare values.
    "credential_rules": {
        frozenset(f"credential_rules.{name}" for name in ("conditions", "intrinsics", "template", "values"))
    },
}
"""The modules that import each other all the same, and why they have to."""

ONE_CALLER: Final = (("operator_cli", "credential_rules"), ("local_aws", "event_api"), ("tenants", "event_api"))
"""Pairs of which the first has one file or one package at most that imports the second."""

DOORS: Final = {
    "boto3": {"local_aws/cloud.py"},
    "botocore": {"lambda_src/event_api/role_clients.py", "local_aws/cloud.py"},
    "cdk_nag": {"app.py", "credential_rules/pack.py"},
}
"""The files that may import something dangerous. `operator_cli` has one more door to AWS, in a file of its choice."""

SPECIMENS: Final = ("local_aws/incident/seed_function/", "local_aws/incident/role_only_function/", "bench/handlers/")
"""Code that is kept to be looked at or measured, and is no part of the application."""

NO_PLACE: Final = {"utils", "util", "helpers", "helper", "common", "misc", "constants", "shared", "lib"}


@dataclass(frozen=True, slots=True)
class Import:
    """One import of one file."""

    file: str
    module: str

    @property
    def part(self) -> str:
        """What the imported name begins with."""
        return self.module.partition(".")[0]


@cache
def _files() -> tuple[str, ...]:
    """Give all Python files that are, or are about to be, part of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.py"],  # noqa: S607 - the one on PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    # A file that was removed and not yet committed is still listed.
    return tuple(file for file in listed if file and (ROOT / file).is_file())


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), file)


def _part_of(file: str) -> str:
    if file.startswith("lambda_src/event_api/"):
        return "event_api"
    return PurePosixPath(file).parts[0].removesuffix(".py")


@cache
def _imports(file: str) -> tuple[Import, ...]:
    """Give all imports of a file, also those inside functions and those for the type checker only."""
    found = []
    for node in ast.walk(_tree(file)):
        match node:
            case ast.Import(names=names):
                found += [Import(file, alias.name) for alias in names]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found += [Import(file, f"{module}.{alias.name}") for alias in names]
            case ast.ImportFrom(level=level) if level:
                found.append(Import(file, _part_of(file)))
    return tuple(found)


def _own_files(part: str) -> list[str]:
    return [file for file in _files() if _part_of(file) == part and not file.startswith(SPECIMENS)]


def _imports_of(part: str) -> Iterator[Import]:
    for file in _own_files(part):
        yield from _imports(file)


def test_every_file_belongs_to_a_part() -> None:
    """A new top-level folder is a decision: it gets its line in `MAY_IMPORT`."""
    assert {_part_of(file) for file in _files()} <= set(PARTS)
    assert set(PARTS) == MAY_IMPORT.keys() | {"tests"}


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_point_one_way(part: str) -> None:
    """From app to stacks and to rules, which know nothing of each other; the functions know nobody."""
    backwards = {
        f"{found.file} imports {found.module}"
        for found in _imports_of(part)
        if found.part in PARTS and found.part not in MAY_IMPORT[part]
    }
    assert backwards == set()


@pytest.mark.parametrize(("part", "other"), ONE_CALLER)
def test_where_a_part_reaches_into_another_it_does_so_in_one_place(part: str, other: str) -> None:
    """The seam can be seen, and moved: a file of the part, or a package within it."""
    files = {PurePosixPath(found.file) for found in _imports_of(part) if found.part == other}
    packages = {file.parent for file in files}
    assert len(files) <= 1 or (len(packages) == 1 and packages.pop().parts[1:]), files


def test_stacks_import_constructs_and_constructs_no_stacks() -> None:
    """A construct is one capability: it knows neither the settings nor who else is deployed."""
    leaves = {"stacks.constructs", "stacks.acknowledgements"}
    upwards = {
        f"{found.file} imports {found.module}"
        for found in _imports_of("stacks")
        if found.file.startswith("stacks/constructs/")
        and found.part == "stacks"
        and not any(found.module.startswith(f"{leaf}.") for leaf in leaves)
    }
    assert upwards == set()
    assert [found for found in _imports("stacks/acknowledgements.py") if found.part in PARTS] == []


def _circles(needs: dict[str, set[str]]) -> set[frozenset[str]]:
    """Give the groups of modules of which each needs, by one way or another, each other."""
    reached = {module: set(others) for module, others in needs.items()}
    for middle in needs:
        for others in reached.values():
            others.update(reached[middle] if middle in others else ())
    return {
        frozenset(other for other in others if module in reached[other])
        for module, others in reached.items()
        if module in others
    }


def _needs(part: str) -> dict[str, set[str]]:
    """Give the modules of a part, each with those of them that it imports."""
    top = "lambda_src/" if part == "event_api" else ""
    modules = {file.removeprefix(top).removesuffix(".py").replace("/", "."): file for file in _own_files(part)}
    return {
        name: {
            other
            for found in _imports(file)
            for other in modules
            if other != name and (found.module == other or found.module.startswith(f"{other}."))
        }
        for name, file in modules.items()
    }


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_modules_import_each_other_in_no_circle(part: str) -> None:
    """Each can be read after those that it imports, also where it imports them for the type checker only."""
    assert _circles(_needs(part)) == CIRCLES.get(part, set())


def test_the_guard_sees_a_circle_of_any_length() -> None:
    """And tells two of them apart; who only imports from a circle is none of it."""
    needs = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a"}, "g": set()}
    assert _circles(needs) == {frozenset("abc"), frozenset("de")}


@pytest.mark.parametrize("dangerous", DOORS)
def test_dangerous_things_have_one_door(dangerous: str) -> None:
    """Whoever wants to know what talks to AWS, or which rule pack runs, reads these files."""
    users = {
        found.file
        for part in MAY_IMPORT
        for found in _imports_of(part)
        if found.part == dangerous and not found.file.startswith("operator_cli/")
    }
    assert users <= DOORS[dangerous]


def test_the_operators_tool_has_one_door_to_aws() -> None:
    """Everything else of it is a function of values."""
    doors = {found.file for found in _imports_of("operator_cli") if found.part in {"boto3", "botocore"}}
    assert len(doors) <= 1


def test_the_rules_know_the_cdk_in_their_pack_only() -> None:
    """They judge any template of any project, also where no CDK is installed."""
    foreign = {
        f"{found.file} imports {found.module}"
        for found in _imports_of("credential_rules")
        if found.part in {"aws_cdk", "constructs", "jsii", "cdk_nag"} and found.file != "credential_rules/pack.py"
    }
    assert foreign == set()


def test_no_file_or_folder_is_a_drawer() -> None:
    """A value lives beside the code that gives it meaning."""
    drawers = {
        file
        for file in _files()
        if {part.removesuffix(".py").strip("_").lower() for part in PurePosixPath(file).parts} & NO_PLACE
    }
    assert drawers == set()


def _construct_files() -> list[str]:
    return [file for file in _own_files("stacks") if file.startswith("stacks/constructs/") and "__init__" not in file]


def _classes(file: str) -> list[str]:
    return [
        node.name
        for node in _tree(file).body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Construct" for base in node.bases)
    ]


def test_there_are_constructs() -> None:
    """Else the tests below would look at nothing."""
    assert _construct_files()


@pytest.mark.parametrize("file", _construct_files())
def test_a_file_of_a_construct_defines_that_one(file: str) -> None:
    """Its name gives away what is in it: `role_function.py` has `RoleFunction`."""
    assert _classes(file) == ["".join(word.capitalize() for word in Path(file).stem.split("_"))]


@pytest.mark.parametrize("file", _construct_files())
def test_a_construct_takes_keywords_and_reads_nothing_else(file: str) -> None:
    """No environment, no context, no file: what it makes follows from its arguments alone."""
    tree = _tree(file)
    (made,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name in _classes(file))
    (init,) = (node for node in made.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    assert [argument.arg for argument in init.args.args] == ["self", "scope", "construct_id"]
    assert not {found.part for found in _imports(file)} & {"os", "sys", "subprocess"}
    asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not asked & {"environ", "getenv", "try_get_context", "get_context", "get_all_context", "read_text", "open"}


def test_the_composition_root_fits_on_a_screen() -> None:
    """And makes no call to AWS: it imports neither an SDK nor anything that runs commands."""
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) <= 100
    assert not {found.part for found in _imports("app.py")} & {"boto3", "botocore", "subprocess", "urllib", "socket"}


def test_the_guard_sees_an_import_wherever_it_stands() -> None:
    """Inside a function, for types only, under another name: it is an import."""
    seen = {found.module for found in _imports("tests/test_architecture.py")}
    assert "collections.abc.Iterator" in seen
    assert "stacks.dependency_layer.ROOT" in seen
