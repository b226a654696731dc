"""A sign-in service as `aws login` knows it, on loopback: it renews sessions, rotates refresh tokens, and checks proofs.

What it hands out is real: whoever starts it says where a session's credentials come from. It refuses what AWS refuses: a
refresh token that was used before, and a proof of possession (DPoP, RFC 9449) that another key signed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from awscrt.crypto import EC, ECExportFormat, ECRawSignature, ECType  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CLIENT_ID: Final = "arn:aws:signin:::devtools/same-device"
_FRESH_SECONDS: Final = 300
_HALF_SIGNATURE: Final = 32
_SEC1_BYTES: Final = 121
"""Length of a P-256 key in SEC 1's form (RFC 5915) with its public key, none of its zeros left out."""


class SessionKeys(NamedTuple):
    """A session's credentials."""

    key_id: str
    secret: str
    token: str


@dataclass
class SignInService:
    """One person's sign-in at the service.

    Attributes:
        issue: Makes a new session's credentials, as the service does at each renewal.
        account: The account that is signed in to.
        lifetime: Seconds that a session lives after its renewal.
        url: Where it answers, for `AWS_ENDPOINT_URL_SIGNIN`.
        renewals: How many sessions it has given out by refresh token.
        refusals: Why it refused, one text per refusal.
        signed_out: Whether every refresh token is useless, as after the hours that a sign-in lasts.
    """

    issue: Callable[[], SessionKeys]
    account: str
    lifetime: int = 900
    url: str = ""
    renewals: int = 0
    refusals: list[str] = field(default_factory=list)
    signed_out: bool = False
    _key: Any = None
    _refresh_token: str = ""
    _proofs: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def log_in(
        self, cache: Path, login_session: str, *, valid_for: int | None = None, readable_key: bool = True
    ) -> Path:
        """Write what `aws login` writes, and give the file.

        Args:
            cache: The cache's folder, `~/.aws/login/cache`.
            login_session: The profile's `login_session`.
            valid_for: Seconds that the first session lives; `lifetime` if not given.
            readable_key: Whether awscrt can read again the key that it has made. Of `aws login`'s own it cannot read one
                in about two hundred, and which one is luck: a test has to say what it wants.
        """
        self._key = _new_key(readable=readable_key)
        self.signed_out = False
        keys = self.issue()
        expires = datetime.now(UTC) + timedelta(seconds=self.lifetime if valid_for is None else valid_for)
        pem = base64.encodebytes(self._key.export_key(ECExportFormat.SEC1)).decode()
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = cache / f"{hashlib.sha256(login_session.encode()).hexdigest()}.json"
        file.write_text(
            json.dumps(
                {
                    "accessToken": {
                        "accessKeyId": keys.key_id,
                        "secretAccessKey": keys.secret,
                        "sessionToken": keys.token,
                        "accountId": self.account,
                        "expiresAt": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    },
                    "tokenType": "aws_sigv4",
                    "refreshToken": self._rotate(),
                    "clientId": CLIENT_ID,
                    "dpopKey": f"-----BEGIN EC PRIVATE KEY-----\n{pem}-----END EC PRIVATE KEY-----\n",
                }
            ),
            encoding="utf-8",
        )
        file.chmod(0o600)
        return file

    @contextmanager
    def serving(self) -> Iterator[SignInService]:
        """Answer on a free port of loopback until the block ends."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status, answer = service.renew(asked, self.headers.get("DPoP", ""), self.path)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                if status != 200:
                    self.send_header("x-amzn-errortype", "AccessDeniedException")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing: a request's line is no test's output."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()

    def renew(self, asked: dict[str, Any], proof: str, path: str) -> tuple[int, dict[str, Any]]:
        """Answer one request to renew a session: the HTTP status and the body."""
        with self._lock:
            refused = self._refusal(asked, proof, path)
            if refused:
                self.refusals.append(refused)
                return 403, {"error": "TOKEN_EXPIRED", "message": refused}
            self.renewals += 1
            keys = self.issue()
            return 200, {
                "accessToken": {
                    "accessKeyId": keys.key_id,
                    "secretAccessKey": keys.secret,
                    "sessionToken": keys.token,
                },
                "tokenType": "aws_sigv4",
                "expiresIn": self.lifetime,
                "refreshToken": self._rotate(),
            }

    def _rotate(self) -> str:
        self._refresh_token = f"made-up-refresh-token-{self.renewals}-{time.monotonic_ns()}"
        return self._refresh_token

    def _refusal(self, asked: dict[str, Any], proof: str, path: str) -> str:
        if self.signed_out:
            return "signed out"
        if (asked.get("clientId"), asked.get("grantType")) != (CLIENT_ID, "refresh_token"):
            return "not a renewal"
        if asked.get("refreshToken") != self._refresh_token:
            return "a refresh token that was used before"
        return self._fault_of_proof(proof, path)

    def _fault_of_proof(self, proof: str, path: str) -> str:
        try:
            head, body, signature = proof.split(".")
            header, claims = (json.loads(_decoded(part)) for part in (head, body))
        except ValueError:
            return "no proof of possession"
        x, y = self._key.get_public_coords()
        raw = _decoded(signature)
        der = EC.encode_raw_signature(ECRawSignature(r=raw[:_HALF_SIGNATURE], s=raw[_HALF_SIGNATURE:]))
        checks = {
            # As numbers: awscrt leaves out a coordinate's first zeros for a new key, and not for one that it has read.
            "a proof by another key": [_number(header["jwk"][name]) for name in ("x", "y")] == _numbers(x, y),
            "a proof with a wrong signature": self._key.verify(hashlib.sha256(f"{head}.{body}".encode()).digest(), der),
            "a proof for another request": (claims["htm"], claims["htu"]) == ("POST", self.url + path),
            "a stale proof": abs(time.time() - claims["iat"]) < _FRESH_SECONDS,
            "a proof that was used before": claims["jti"] not in self._proofs,
        }
        self._proofs.add(claims["jti"])
        return next((fault for fault, holds in checks.items() if not holds), "")


def _new_key(*, readable: bool) -> Any:  # noqa: ANN401 - awscrt comes without types
    """Make keys until one is, or is not, of the length that awscrt reads: it leaves out zeros at the beginning."""
    while True:
        key = EC.new_generate(ECType.P_256)
        if (len(key.export_key(ECExportFormat.SEC1)) == _SEC1_BYTES) is readable:
            return key


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _number(coordinate: str) -> int:
    return int.from_bytes(_decoded(coordinate), "big")


def _numbers(*coordinates: bytes) -> list[int]:
    return [int.from_bytes(coordinate, "big") for coordinate in coordinates]
