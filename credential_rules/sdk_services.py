"""What the SDK's names mean: services and their IAM prefix, methods and their operation, waiters, the resource interface.

The data is made from boto3's own models, see `sdk_services.json`; operations that are called as their action come from the
database of actions.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from credential_rules import iam_actions

_FILE: Final = Path(__file__).with_name("sdk_services.json")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object of the resource interface, such as DynamoDB's `Table`.

    `identifiers` are what one is made with, `parameters` those of the operation that each becomes. `actions` gives the
    operation of a method, `makes` the kind that a method gives, `has` the kinds below with their identifiers, `collections`
    operation and kind of what is listed, `batch` the operation of a method of such a list.
    """

    identifiers: tuple[str, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)
    makes: dict[str, str] = field(default_factory=dict)
    has: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    collections: dict[str, tuple[str, str]] = field(default_factory=dict)
    batch: dict[str, str] = field(default_factory=dict)


@cache
def _services() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    del found[""]
    return found


def is_service(name: str) -> bool:
    """Whether the SDK has a client of that name."""
    return name in _services()


def prefix_of(service: str) -> str:
    """IAM's prefix of a service, by the SDK's name: `states` for `stepfunctions`."""
    found: str = _services().get(service, {}).get("prefix", service)
    return found


@cache
def _operations(service: str) -> dict[str, str]:
    return {name.lower(): name for name in _services().get(service, {}).get("operations", ())}


@cache
def operation_of(service: str, method: str) -> str:
    """The operation of a client's method: `PutItem` for `put_item`; empty if the service has none of that name."""
    plain = method.replace("_", "").lower()
    known = _operations(service).get(plain)
    if known:
        return known
    action = iam_actions.action(f"{prefix_of(service)}:{plain}")
    return action.name.partition(":")[2] if action else ""


def waiter_operation(service: str, waiter: str) -> str:
    """The operation that a waiter repeats: `DescribeTable` for `table_exists`; empty if there is no such waiter."""
    waiters: dict[str, str] = _services().get(service, {}).get("waiters", {})
    return waiters.get(waiter) or {name.replace("_", ""): value for name, value in waiters.items()}.get(
        waiter.replace("_", "").lower(), ""
    )


@cache
def kind(service: str, name: str) -> Kind | None:
    """A kind of object of the resource interface; the empty name is the service itself. None if there is none."""
    written = _services().get(service, {}).get("resources", {}).get(name)
    if written is None:
        return None
    return Kind(
        identifiers=tuple(written.get("identifiers", ())),
        parameters=written.get("parameters", {}),
        actions=written.get("actions", {}),
        makes=written.get("makes", {}),
        has={key: (other, names) for key, (other, names) in written.get("has", {}).items()},
        collections={key: (operation, other) for key, (operation, other) in written.get("collections", {}).items()},
        batch=written.get("batch", {}),
    )


@cache
def service_of_stubs(package: str) -> str:
    """The service of a package of type stubs: `dynamodb` for `types_boto3_dynamodb`, `mypy_boto3_dynamodb`; empty if none."""
    for prefix in ("types_boto3_", "mypy_boto3_", "types_aiobotocore_", "types_aioboto3_", "types_boto3", "mypy_boto3"):
        if package.startswith(prefix):
            name = package[len(prefix) :].lstrip("_").rstrip("_")
            return next((one for one in (name, name.replace("_", "-")) if is_service(one)), "")
    return ""


_OF_KNOWN_SERVICES: Final = (
    "dynamodb",
    "s3",
    "sqs",
    "sns",
    "secretsmanager",
    "ssm",
    "kms",
    "kinesis",
    "firehose",
    "events",
    "stepfunctions",
    "lambda",
    "sts",
    "sesv2",
    "logs",
    "cloudwatch",
    "cognito-idp",
    "rds-data",
    "athena",
    "bedrock-runtime",
)


@cache
def looks_like_operation(method: str) -> bool:
    """Whether a method's name is that of an operation that functions commonly call, and hardly anything else: `put_item`."""
    return "_" in method and any(operation_of(service, method) for service in _OF_KNOWN_SERVICES)
