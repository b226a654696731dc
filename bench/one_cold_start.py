"""One cold start, in a process of its own: ``python -I -S -B one_cold_start.py SPAWNED MODULE FOLDER…``.

``SPAWNED`` is the moment at which the process was created, on the clock of ``time.monotonic``; the folders are what
Lambda would have on ``sys.path``. The last line on standard output is a JSON object: ``interpreter``, and ``reached`` by
clock and stage, in seconds; and ``statuses``, the HTTP status of each request in the order of ``REQUESTS``.

Nothing but ``sys`` and ``time`` is imported before the clock starts.
"""

import sys
import time

_BEGIN = time.monotonic()
_BEGIN_PROCESSOR = time.process_time()
_SPAWNED, _MODULE, *_FOLDERS = sys.argv[1:]
sys.path[:0] = _FOLDERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_EVENT_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

REQUESTS = (
    ("GET /v1/health", None),
    ("POST /v1/events", '{"type": "order.created", "data": {"id": 7}}'),
    ("GET /v1/events/{id}", None),
    ("POST /v1/events", '{"type": "", "data": {"id": 7}}'),
)
"""Answered in this order: the first two are measured, all four show that the contenders do the same job."""


class Context:
    """What Lambda tells a handler about itself."""

    function_name = "api"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:api"
    aws_request_id = "7d1f3c5e-0000-4000-8000-000000000000"


def request(route_key: str, body: "str | None") -> "dict[str, Any]":
    """Write API Gateway's event, payload format 2.0."""
    method, _, route = route_key.partition(" ")
    path = route.replace("{id}", _EVENT_ID)
    return {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api.example"},
        "pathParameters": {"id": _EVENT_ID} if route != path else None,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "authorizer": {"lambda": {"tenant_id": "tenant"}},
            "domainName": "api.example",
            "domainPrefix": "api",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": ""},
            "requestId": "request",
            "routeKey": route_key,
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1773342238000,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def main() -> None:
    """Import, answer, report."""
    import importlib  # noqa: PLC0415 - after the clock started, as all that follows

    handler = importlib.import_module(_MODULE).handler
    moments = [(time.monotonic(), time.process_time())]
    context = Context()
    answers = []
    for route_key, body in REQUESTS:
        answers.append(handler(request(route_key, body), context))
        moments.append((time.monotonic(), time.process_time()))

    import json  # noqa: PLC0415

    stages = ("imported", "health-answered", "event-accepted")
    told = {
        "interpreter": _BEGIN - float(_SPAWNED),
        "reached": {
            "elapsed": {stage: moment[0] - _BEGIN for stage, moment in zip(stages, moments, strict=False)},
            "processor": {stage: moment[1] - _BEGIN_PROCESSOR for stage, moment in zip(stages, moments, strict=False)},
        },
        "statuses": [answer["statusCode"] for answer in answers],
    }
    print("\n" + json.dumps(told))


main()
