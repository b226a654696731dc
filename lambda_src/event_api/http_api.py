"""API Gateway's HTTP API, payload format 2.0: requests in, responses and problems out."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any, Final, NewType

import msgspec

Response = NewType("Response", dict[str, Any])
"""What API Gateway expects from an integration."""

_PROBLEM_TYPE: Final = "urn:rolebound:problem:"


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        tenant_id: From the authorizer; empty on routes that have none.
        request_id: API Gateway's id of the request.
        body: Decoded.
        path: The path parameters of the route.
    """

    tenant_id: str
    request_id: str
    body: bytes
    path: dict[str, str]


class MalformedBody(Exception):
    """A body that API Gateway says is base64 and is not."""


def parse_request(event: dict[str, Any]) -> Request:
    """Read API Gateway's event.

    Raises:
        MalformedBody: The body cannot be decoded.
    """
    context = event.get("requestContext") or {}
    authorizer = (context.get("authorizer") or {}).get("lambda") or {}
    text = event.get("body") or ""
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except ValueError as error:
        raise MalformedBody(
            "The body cannot be decoded, so nothing was stored. Send UTF-8 JSON with Content-Type application/json."
        ) from error
    return Request(
        tenant_id=str(authorizer.get("tenant_id") or ""),
        request_id=str(context.get("requestId") or ""),
        body=body,
        path=event.get("pathParameters") or {},
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a client sees it (RFC 9457).

    Attributes:
        slug: What kind of problem: stable, part of ``type``.
        status: The HTTP status.
        title: The kind in words: the same for every problem of this kind.
        detail: What is wrong in this case and what to do.
        retry_after: Seconds after which trying again makes sense; 0 where it does not.
    """

    slug: str
    status: int
    title: str
    detail: str = field(default="")
    retry_after: int = 0

    def response(self, request_id: str) -> Response:
        """Write it as ``application/problem+json`` with the request's id."""
        body = {
            "type": _PROBLEM_TYPE + self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        headers = {"content-type": "application/problem+json", "cache-control": "no-store"}
        if self.retry_after:
            headers["retry-after"] = str(self.retry_after)
        return _response(self.status, body, headers)


def json_response(status: int, body: object, **headers: str) -> Response:
    """Write a JSON response that no cache keeps.

    Args:
        status: The HTTP status.
        body: What msgspec can write.
        headers: More headers; underscores stand for hyphens.
    """
    return _response(
        status,
        body,
        {
            "content-type": "application/json",
            "cache-control": "no-store",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


def _response(status: int, body: object, headers: dict[str, str]) -> Response:
    return Response({"statusCode": status, "headers": headers, "body": msgspec.json.encode(body).decode()})
