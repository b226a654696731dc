"""What the functions bring along, and through which door they reach AWS."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from event_api.settings import SettingMissing
from tests.lambda_src.made_up import KEY_ID, REGION, SECRET, TOKEN, told_by, traces

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_SOURCE = Path(__file__).parents[2] / "lambda_src"
_DOOR = "role_clients"
_SDK = {"boto3", "botocore", "aiobotocore", "aioboto3", "s3transfer"}
_ENTRIES = ("api", "authorizer", "worker", "sweeper", "prefix_lists", "default_group")

_DEPLOYED = {
    "AWS_REGION": REGION,
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_SESSION_TOKEN": TOKEN,
    "EVENTS_TABLE": "events",
    "API_KEYS_TABLE": "api-keys",
    "EVENT_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/events",
    "PAYLOAD_BUCKET": "payloads",
    "RETENTION_DAYS": "30",
}


def _imported_at_run_time(tree: ast.Module) -> set[str]:
    """Top-level names of what a module imports, anywhere in it but in blocks for the type checker."""
    checked = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in checked:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add(str(node.module).partition(".")[0])
    return found


def test_one_module_alone_imports_the_sdk() -> None:
    """Whatever the functions do with AWS goes through the factory, so that it is done as the role."""
    importers = {
        path.stem
        for path in (_SOURCE / "event_api").rglob("*.py")
        if _imported_at_run_time(ast.parse(path.read_text())) & _SDK
    }

    assert importers == {_DOOR}


def test_no_module_loads_the_sdk_by_its_name_in_a_string() -> None:
    """Nor is there a way round the door by importlib."""
    for path in (_SOURCE / "event_api").rglob("*.py"):
        imported = _imported_at_run_time(ast.parse(path.read_text()))
        assert not imported & {"importlib", "pkgutil", "runpy"}, path.name
        assert "__import__" not in path.read_text(), path.name


def _run(code: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environ = {**environ, "PYTHONPATH": str(_SOURCE)}
    return subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)


def _distributions_of(entry: str) -> set[str]:
    # Less what the interpreter of a virtual environment brings along by itself, and without what the SDK takes where it is
    # installed: the layer has neither, so a function has to start without.
    code = (
        "import sys\nsys.modules |= dict.fromkeys(('awscrt', 'certifi'))\nbefore = {*sys.modules}\n"
        f"import event_api.{entry}\nprint(*{{*sys.modules}} - before, sep='\\n')"
    )
    done = _run(code, _DEPLOYED)
    assert done.returncode == 0, done.stderr[-500:]
    names = {line.partition(".")[0] for line in done.stdout.splitlines()}
    owners = packages_distributions()
    third_party = names - set(sys.stdlib_module_names) - {"event_api", "__main__"}
    return {_normal(owner) for name in third_party for owner in owners.get(name, [])}


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _layer() -> set[str]:
    lines = (_SOURCE / "requirements.txt").read_text().splitlines()
    return {_normal(line.partition("==")[0]) for line in lines if re.match(r"[A-Za-z]", line)}


@pytest.mark.parametrize("entry", _ENTRIES)
def test_a_function_starts_in_a_fresh_interpreter_with_the_layer_alone(entry: str) -> None:
    """Nothing is imported that the layer does not bring; neither boto3 nor pydantic, which cost cold start."""
    imported = _distributions_of(entry)

    assert imported <= _layer()
    assert "botocore" in imported
    assert not imported & {"boto3", "pydantic", "s3transfer"}


def test_the_deployments_helper_needs_no_layer() -> None:
    """Its stack gives it none: it imports no more third-party code than Lambda's own SDK brings."""
    for entry in ("prefix_lists", "default_group"):
        assert _distributions_of(entry) <= {"botocore", "jmespath", "python-dateutil", "six", "urllib3"}


@pytest.mark.parametrize(
    ("entry", "variable"),
    [
        ("api", "EVENTS_TABLE"),
        ("api", "EVENT_QUEUE_URL"),
        ("api", "PAYLOAD_BUCKET"),
        ("api", "RETENTION_DAYS"),
        ("authorizer", "API_KEYS_TABLE"),
        ("worker", "EVENTS_TABLE"),
        ("sweeper", "EVENT_QUEUE_URL"),
    ],
)
def test_a_function_without_a_setting_says_which(
    entry: str, variable: str, start: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start-up fails with the variable's name and what to do, and shows none of the others' values."""
    for name, value in _DEPLOYED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(variable, "")

    with pytest.raises(SettingMissing, match=f"The variable {variable} is not set.*make deploy") as missing:
        start(entry)

    assert traces(told_by(missing.value), key_id=KEY_ID, secrets=(SECRET, TOKEN)) == []
