"""What other people install is whole, and brings what it imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from fnmatch import fnmatchcase
from typing import Any, Final

import pytest

from operator_cli.__main__ import EXTRA
from stacks.dependency_layer import ROOT

PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
INSTALLED: Final = ("credential_rules", "operator_cli")
MODULE_OF: Final = {
    "PyYAML": "yaml",
    "detect-secrets": "detect_secrets",
    "aws-cdk-lib": "aws_cdk",
    "cdk-nag": "cdk_nag",
}
"""What a distribution is imported as, where it is not its own name."""

BROUGHT: Final = {"botocore": "boto3", "constructs": "aws_cdk", "jsii": "aws_cdk", "awscrt": "boto3"}
"""Modules that come with another distribution's requirements."""


def modules(requirements: list[str]) -> set[str]:
    """What can be imported once these are installed."""
    names = [re.split(r"[\[<>=!~ ]", requirement)[0] for requirement in requirements]
    direct = {MODULE_OF.get(name, name) for name in names}
    return direct | {module for module, bringer in BROUGHT.items() if bringer in direct}


def test_every_folder_of_the_package_is_found_and_every_data_file_comes_along() -> None:
    """A folder that is missing here is missing only after it was installed elsewhere."""
    tool = PROJECT["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT) for part in INSTALLED for path in (ROOT / part).rglob("*.py")}
    include = tool["packages"]["find"]["include"]
    assert [folder for folder in folders if not any(fnmatchcase(".".join(folder.parts), one) for one in include)] == []
    assert all((ROOT / folder / "__init__.py").is_file() for folder in folders)
    patterns = {part: tool["package-data"].get(part, []) for part in INSTALLED}
    left_out = [
        path
        for part in INSTALLED
        for path in (ROOT / part).rglob("*")
        if path.is_file()
        and path.suffix not in {".py", ".pyc"}
        and not any(path.match(f"{part}/{pattern}") for pattern in patterns[part])
    ]
    assert left_out == []


@pytest.mark.parametrize("part", INSTALLED)
def test_what_is_imported_is_required(part: str) -> None:
    """By the package itself or by the extra of that part; and nothing of this checkout that is not installed."""
    project = PROJECT["project"]
    extra = {"credential_rules": "cdk", "operator_cli": "cli"}[part]
    allowed = modules([*project["dependencies"], *project["optional-dependencies"][extra]])
    imported = {
        name.partition(".")[0]
        for path in (ROOT / part).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and node.level == 0
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) - set(INSTALLED) - {"__future__"} <= allowed


def test_an_extra_that_is_missing_is_named_by_the_command_that_needs_it() -> None:
    """Exactly what the extra brings."""
    brought = modules(PROJECT["project"]["optional-dependencies"]["cli"])
    assert brought - {"awscrt"} == EXTRA


def test_the_checkout_pins_what_the_package_asks_for() -> None:
    """The range and the pin are of the same things."""
    pinned = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    project = PROJECT["project"]
    every = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    names = {re.split(r"[\[<>=]", requirement)[0] for requirement in every}
    assert {name for name in names if not re.search(rf"^{re.escape(name)}==", pinned, re.MULTILINE)} == set()
