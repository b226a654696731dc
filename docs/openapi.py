"""Writes docs/openapi.yaml: ``python docs/openapi.py`` or, to see whether it is fresh, ``… --check``.

The schemas come from the types that the functions decode and encode; a test holds the paths against the deployed routes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

PROJECT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "lambda_src"))

from event_api import events  # noqa: E402 - the functions' package is not installed

FILE: Final = PROJECT / "docs" / "openapi.yaml"

_KEY: Final[dict[str, Any]] = {"security": [{"apiKey": []}]}
_HEADER: Final = (
    "# Written by `make docs` from the functions' own types. Change those, or docs/openapi.py, and run it again.\n"
)


class Accepted(msgspec.Struct):
    """What `POST /v1/events` answers."""

    id: str
    status: events.Status


class Problem(msgspec.Struct):
    """An error (RFC 9457). `type` is stable; `request_id` is the id under which the service's log tells more."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str


def document() -> dict[str, Any]:
    """Give the whole description, as OpenAPI 3.1."""
    (sent, given, accepted, problem), schemas = msgspec.json.schema_components(
        (events.EventInput, events.Event, Accepted, Problem), ref_template="#/components/schemas/{name}"
    )
    for schema in schemas.values():
        schema["description"] = schema["description"].partition("\n\n")[0]
    # The payload is any JSON value: it is kept as the bytes that came.
    for name in ("EventInput", "Event"):
        schemas[name]["properties"]["data"] = {"description": "Any JSON value; kept byte for byte."}

    def answers(description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
        content = {"content": {"application/json": {"schema": schema}}} if schema else {}
        return {"description": description, **content}

    def fails(description: str) -> dict[str, Any]:
        return {"description": description, "content": {"application/problem+json": {"schema": problem}}}

    refused = {
        "401": answers("There is no API key."),
        "403": answers("The API key is not valid."),
        "429": answers("Too many requests; try again."),
    }
    failing = {"500": fails("The service failed."), "503": fails("The service cannot reach what it needs.")}
    checks = {"type": "object", "additionalProperties": {"type": "object"}}
    readiness = {"type": "object", "properties": {"status": {"type": "string"}, "checks": checks}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rolebound events",
            "version": "1",
            "summary": "A multi-tenant event inbox.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/v1/events": {
                "post": {
                    "operationId": "acceptEvent",
                    "summary": "Send an event",
                    "description": "Once it is answered 202 the event is stored and will become available. A request "
                    f"body may have {events.MAX_BODY_BYTES} bytes.",
                    **_KEY,
                    "requestBody": {"required": True, "content": {"application/json": {"schema": sent}}},
                    "responses": {
                        "202": {
                            **answers("The event is stored.", accepted),
                            "headers": {"location": {"description": "The event's path.", "schema": {"type": "string"}}},
                        },
                        "400": fails("The body is no event."),
                        "409": fails("The event could not be stored; send it again."),
                        "413": fails("The event is too large."),
                        **refused,
                        **failing,
                    },
                }
            },
            "/v1/events/{id}": {
                "get": {
                    "operationId": "readEvent",
                    "summary": "Read one of the tenant's events",
                    **_KEY,
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "responses": {
                        "200": answers("The event.", given),
                        "404": fails("The tenant has no event of this id."),
                        **refused,
                        **failing,
                    },
                }
            },
            "/v1/health": {
                "get": {
                    "operationId": "health",
                    "summary": "Answer without any call",
                    "security": [],
                    "responses": {
                        "200": answers(
                            "The function runs.", {"type": "object", "properties": {"status": {"const": "ok"}}}
                        )
                    },
                }
            },
            "/v1/ready": {
                "get": {
                    "operationId": "ready",
                    "summary": "Say who the function is, and whether it reaches its table and queue",
                    **_KEY,
                    "responses": {
                        "200": answers("Everything answers.", readiness),
                        "503": answers("Something does not answer.", readiness),
                        **refused,
                    },
                }
            },
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
        },
    }


class _Plain(yaml.SafeDumper):
    """Writes a part that occurs twice twice, where YAML would write an anchor that few people read."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def text() -> str:
    """Give the file's content."""
    return _HEADER + yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


def main() -> int:
    """Write the file, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the file is out of date")
    if not parser.parse_args().check:
        FILE.write_text(text(), encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text():
        return 0
    sys.stderr.write(
        "docs/openapi.yaml is out of date, so clients would read what no longer holds. Run `make docs` and commit it.\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
