"""The layer's copy of the SDK knows the services that functions may reach, and no others."""

from __future__ import annotations

import re
from typing import get_overloads

from event_api.role_clients import RoleClients
from stacks.dependency_layer import layer_folder
from stacks.settings import Architecture, Service, Target


def test_the_layer_knows_exactly_the_services_within_reach() -> None:
    """Models of the others would be two thirds of its size, and every cold start would look into each one's folder."""
    models = layer_folder(Target.AWS, Architecture.ARM64) / "python" / "botocore" / "data"
    assert {path.name for path in models.iterdir() if path.is_dir()} == set(Service)
    assert (models / "endpoints.json").exists()
    assert (models / "partitions.json").exists()


def test_every_service_that_functions_ask_for_is_one_of_them() -> None:
    """A client for another service would work in tests, where the SDK is whole, and fail in AWS."""
    named = "".join(str(overload.__annotations__["service"]) for overload in get_overloads(RoleClients.client))
    assert set(re.findall(r'Literal\[[\'"](\w+)', named)) == set(Service)
