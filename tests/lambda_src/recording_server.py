"""An AWS on a loopback port that records every request and answers as the test says.

It speaks as much of the services' protocols as their clients listen to: JSON for DynamoDB and SQS, query and XML for
STS and EC2, REST and XML for S3. Whatever it is not told about succeeds emptily.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_EC2_VERSION = "2016-11-15"
_CREDENTIAL = re.compile(r"Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it arrived.

    Attributes:
        operation: ``PutItem``, ``SendMessage``, ``GetCallerIdentity``; for S3 and all that is not AWS the method and
            the first part of the path, such as ``GET credentials``.
        headers: With names in lower case.
        connection: Tells one TCP connection from another.
    """

    operation: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> dict[str, Any]:
        """The parameters of a JSON operation."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def access_key(self) -> str:
        """The key id that the signature names; empty for an unsigned request."""
        found = _CREDENTIAL.search(self.headers.get("authorization", ""))
        return found[1] if found else ""

    @property
    def token(self) -> str | None:
        """The session token, if the signer sent one."""
        return self.headers.get("x-amz-security-token")


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer.

    Attributes:
        delay: Seconds to wait before.
        drop: Whether to close the connection instead.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    drop: bool = False


DROPPED = Answer(drop=True)
"""The request arrives, its answer does not."""


def ok(body: object | None = None) -> Answer:
    """Succeed with a JSON body."""
    return Answer(body=json.dumps({} if body is None else body).encode())


def text(body: str, status: int = 200) -> Answer:
    """Answer with this text."""
    return Answer(status=status, body=body.encode())


def fault(
    code: str, message: str = "as the test wants it", status: int = 400, headers: Mapping[str, str] | None = None
) -> Callable[[Recorded], Answer]:
    """Refuse in the words of the protocol in which the request was made."""

    def reply(request: Recorded) -> Answer:
        if "x-amz-target" in request.headers:
            body = json.dumps({"__type": f"com.amazonaws.test#{code}", "message": message})
        elif b"Action=" in request.body and _EC2_VERSION.encode() in request.body:
            body = (
                f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
                "<RequestID>request-of-the-server</RequestID></Response>"
            )
        elif b"Action=" in request.body:
            body = (
                f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
                "<RequestId>request-of-the-server</RequestId></ErrorResponse>"
            )
        else:
            body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return Answer(status=status, body=body.encode(), headers=headers or {})

    return reply


_IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::123456789012:assumed-role/api/api</Arn><UserId>AROA:api</UserId><Account>123456789012</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""

ROLE_ARN = "arn:aws:sts::123456789012:assumed-role/api/api"

_HEALTHY: dict[str, Answer] = {
    "DescribeManagedPrefixLists": text("<R><requestId>r</requestId><prefixListSet/></R>"),
    "GetCallerIdentity": text(_IDENTITY),
    "GetQueueAttributes": ok({"Attributes": {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:events"}}),
    "SendMessage": ok({"MessageId": "m-1"}),
    "Query": ok({"Items": [], "Count": 0, "ScannedCount": 0}),
    "ListQueues": ok({}),
}


class RecordingServer:
    """Listens on 127.0.0.1 from the moment it is made until it is left.

    Attributes:
        url: Where it listens.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Recorded] = []
        self._scripts: defaultdict[str, list[Answer | Callable[[Recorded], Answer]]] = defaultdict(list)
        self._closing = threading.Event()
        owner = self

        class Handler(_Handler):
            server_of_test = owner

        self._http = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def script(self, operation: str, *replies: Answer | Callable[[Recorded], Answer]) -> None:
        """Say how to answer an operation: the replies one after the other, then the last for ever."""
        with self._lock:
            self._scripts[operation] = list(replies)

    @property
    def requests(self) -> list[Recorded]:
        """All requests so far, in the order of their arrival."""
        with self._lock:
            return list(self._requests)

    @property
    def operations(self) -> list[str]:
        """What was asked for so far, in the order of arrival."""
        return [request.operation for request in self.requests]

    def of(self, operation: str) -> list[Recorded]:
        """The requests for one operation."""
        return [request for request in self.requests if request.operation == operation]

    def wait(self, seconds: float) -> None:
        """Take one's time, but not longer than the test lasts."""
        self._closing.wait(seconds)

    def answer(self, request: Recorded) -> Answer:
        """Record a request and find its answer."""
        with self._lock:
            self._requests.append(request)
            script = self._scripts[request.operation]
            reply = (script.pop(0) if len(script) > 1 else script[0]) if script else None
        if reply is None:
            return _HEALTHY.get(request.operation, ok() if "x-amz-target" in request.headers else Answer())
        return reply(request) if callable(reply) else reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: a client that went away is part of the test."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: otherwise each answer waits for the client to acknowledge the headers.
    wbufsize = -1
    server_of_test: ClassVar[RecordingServer]

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        answer = self.server_of_test.answer(
            Recorded(
                operation=_operation(self.command, self.path, headers, body),
                method=self.command,
                path=self.path,
                headers=headers,
                body=body,
                connection=self.client_address[1],
            )
        )
        self.server_of_test.wait(answer.delay)
        if answer.drop:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        for name, value in {
            "x-amzn-requestid": "request-of-the-server",
            "x-amz-request-id": "request-of-the-server",
            **answer.headers,
        }.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_HEAD = _handle  # noqa: N815 - the names that http.server looks for

    def handle_expect_100(self) -> bool:
        """Let the client go on at once: it would wait for a second, since the answer is buffered."""
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def log_message(self, *_: object) -> None:
        """Keep quiet: tests read ``requests``."""


def _operation(method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
    if "x-amz-target" in headers:
        return headers["x-amz-target"].rpartition(".")[2]
    if b"Action=" in body:
        return parse_qs(body.decode())["Action"][0]
    return f"{method} {urlsplit(path).path.split('/')[1]}"
