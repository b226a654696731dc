"""One event's way through a deployed application, over HTTPS, as any client would send it."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local_aws.outputs import Outputs

AVAILABLE_WITHIN_SECONDS = 60
ANSWER_WITHIN_SECONDS = 60
SAMPLE_EVENT = {"type": "order.created", "data": {"order": "1042", "total": "12.50"}}

LOOK_AT_THE_LOG = "Run `.venv/bin/python -m local_aws logs` for what the functions wrote."


class Answer(NamedTuple):
    """An HTTP answer with a JSON body.

    Attributes:
        status: The HTTP status.
        body: The decoded body; a string if it is not JSON.
    """

    status: int
    body: Any


class Client:
    """Calls one HTTP API, trusting one certificate. Proxies that a shell may name are not used.

    Args:
        api_url: The API's base URL.
        ca_bundle: The certificate to trust (PEM).
        api_key: The key to send; none if not given.
    """

    def __init__(self, api_url: str, ca_bundle: Path | str, api_key: str | None = None) -> None:
        parts = urlsplit(api_url)
        self._host = parts.hostname or ""
        self._port = parts.port
        self._base = parts.path.rstrip("/")
        self._context = ssl.create_default_context(cafile=str(ca_bundle))
        self._headers = {"accept": "application/json"} | ({"x-api-key": api_key} if api_key else {})

    def request(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """Send one request and wait for the answer.

        Raises:
            OSError: There was no answer (also as `ssl.SSLError` and `TimeoutError`).
        """
        headers = dict(self._headers)
        payload = None
        if body is not None:
            headers["content-type"] = "application/json"
            payload = json.dumps(body)
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=ANSWER_WITHIN_SECONDS, context=self._context
        )
        try:
            connection.request(method, self._base + path, body=payload, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except http.client.HTTPException as error:
            raise OSError(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()
        try:
            return Answer(answer.status, json.loads(text))
        except ValueError:
            return Answer(answer.status, text)


def travel(outputs: Outputs, event: Mapping[str, object] = SAMPLE_EVENT) -> str:
    """Send an event and wait until it is available.

    Returns:
        The event's id.

    Raises:
        LocalAwsError: It was not accepted, not made available in time, or came back changed.
    """
    client = Client(outputs.api_url, outputs.ca_bundle, outputs.api_key)
    event_id = _send(client, event)
    deadline = time.monotonic() + AVAILABLE_WITHIN_SECONDS
    while True:
        answer = _request(client, "GET", f"/v1/events/{event_id}")
        if answer.status != http.client.OK or not isinstance(answer.body, dict):
            raise _refused(f"Event {event_id} could not be read back: HTTP {answer.status} {answer.body}")
        if answer.body.get("status") == "available":
            break
        if time.monotonic() >= deadline:
            raise _refused(
                f"Event {event_id} was accepted, but is not available after {AVAILABLE_WITHIN_SECONDS} s: "
                "the worker did not process it."
            )
        time.sleep(0.2)
    if any(answer.body.get(part) != event[part] for part in event):
        raise _refused(f"Event {event_id} came back changed: sent {dict(event)}, got {answer.body}")
    return event_id


def _send(client: Client, event: Mapping[str, object]) -> str:
    """Have an event accepted, and return its id."""
    answer = _request(client, "POST", "/v1/events", event)
    if answer.status != http.client.ACCEPTED or not isinstance(answer.body, dict) or "id" not in answer.body:
        raise _refused(f"The API did not accept an event: HTTP {answer.status} {answer.body}")
    return str(answer.body["id"])


def _request(client: Client, method: str, path: str, body: Mapping[str, object] | None = None) -> Answer:
    """One request, whose failure is told as a failed deployment."""
    try:
        return client.request(method, path, body)
    except OSError as error:
        raise _refused(f"{method} {path} got no answer: {error}") from error


def _refused(what: str) -> LocalAwsError:
    return LocalAwsError(
        what,
        why="The stacks are deployed, but the application does not do its work.",
        next_step=LOOK_AT_THE_LOG,
    )
