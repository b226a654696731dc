"""The HTTP API's description is the API's own."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stacks.constructs import event_http_api

if TYPE_CHECKING:
    from types import ModuleType

PROJECT = Path(__file__).resolve().parents[2]


def generator() -> ModuleType:
    """The script that writes the description."""
    spec = importlib.util.spec_from_file_location("openapi_generator", PROJECT / "docs" / "openapi.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # The types in it look up their annotations there.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_description_is_fresh() -> None:
    """docs/openapi.yaml is what the types of today give."""
    openapi = generator()
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.text()


def test_every_deployed_route_is_described_and_nothing_else() -> None:
    """A client that reads the description finds every operation there is."""
    described = {(method.upper(), path) for path, item in generator().document()["paths"].items() for method in item}
    deployed = {(method.value, path) for method, path in (*event_http_api.ROUTES, *event_http_api.PUBLIC_ROUTES)}
    assert described == deployed


def test_only_public_routes_are_described_without_a_key() -> None:
    """The description asks for a key exactly where the API does."""
    without_key = {
        (method.upper(), path)
        for path, item in generator().document()["paths"].items()
        for method, operation in item.items()
        if not operation["security"]
    }
    assert without_key == {(method.value, path) for method, path in event_http_api.PUBLIC_ROUTES}
