"""A stand-in for DynamoDB and SQS on this machine: it takes every write and has nothing to read.

It lets a cold start be followed to the first accepted event without a network. It judges no signature.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def stand_in_aws() -> Iterator[str]:
    """Serve until the block ends.

    Returns:
        The endpoint's URL.
    """
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = json.dumps(_answer(self.headers.get("X-Amz-Target", ""), body)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing: the table is the output."""


def _answer(target: str, body: bytes) -> dict[str, Any]:
    if target == "AmazonSQS.SendMessage":
        text = str(json.loads(body)["MessageBody"])
        return {
            "MessageId": "message",
            "MD5OfMessageBody": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        }
    return {}
