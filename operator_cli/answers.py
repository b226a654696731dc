"""What AWS answers to an operator's questions, and why it may not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class FailureKind(StrEnum):
    """Why a question got no answer."""

    NO_CREDENTIALS = "no-credentials"
    EXPIRED = "expired"
    INVALID = "invalid"
    CLOCK = "clock"
    DENIED = "denied"
    NOT_FOUND = "not-found"
    UNREACHABLE = "unreachable"
    CONFIGURATION = "configuration"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A question that got no answer.

    Attributes:
        kind: Why.
        code: AWS's error code, or the SDK's name for its error.
        what: In words, without a secret.
        server_time: AWS's clock, where it answered.
    """

    kind: FailureKind
    code: str
    what: str
    server_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who a session is.

    Attributes:
        account: The account's number.
        arn: The principal.
        method: How botocore found the credentials: `env`, `sso`, …
        key_id: The key id's kind and last four characters.
        temporary: Whether the key comes with a session token.
        expires_at: When the key ends, as far as its source says.
        server_time: AWS's clock when it answered.
        local_time: This machine's clock at the same moment.
    """

    account: str
    arn: str
    method: str
    key_id: str
    temporary: bool
    expires_at: datetime | None
    server_time: datetime | None
    local_time: datetime

    @property
    def is_root(self) -> bool:
        """Whether it is the account's root user, who can do everything."""
        return self.arn.endswith(":root")

    @property
    def principal(self) -> str:
        """The principal without account: `user/ada`, `assumed-role/deploy/ada`, `root`."""
        return self.arn.split(":", 5)[-1]

    @property
    def session_name(self) -> str | None:
        """The name of the session, if it is a role's."""
        kind, *names = self.principal.split("/")
        return names[-1] if kind == "assumed-role" and len(names) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a log.

    Attributes:
        key: Tells it from every other line.
        at: When it was written.
        stream: By which instance of the function.
        text: The line, without its end.
    """

    key: str
    at: datetime
    stream: str
    text: str
