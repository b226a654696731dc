"""What `make incident` says: pure functions of what the two functions observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

ATTEMPTS = 3
"""How often the seed's code tries."""

INTRODUCTION = """\
The incident on local AWS, which enforces IAM and checks session tokens as AWS does.
Two functions make the same calls; each has a role that may PutItem on the table and SendMessage to the queue."""

CAUSE = """\
Why
  Lambda gives a function three variables: a key id, a secret, and a session token. Together they are the role.
  The seed's settings have fields named aws_access_key_id and aws_secret_access_key, so they pick up two of the three,
  and the clients are built from these two: they sign without the token, and no service knows such a key.
  STS succeeds because its client is built from the session, which holds all three: it proves nothing about the others.
  A retry reads the same two variables again. VPC, DNS, endpoints and IAM policies play no part.
  The cure is not to pass credentials at all: RoleClients takes none, so there is no token to lose."""


@dataclass(frozen=True)
class Call:
    """One call that a function made.

    Attributes:
        service: The service, as people call it.
        operation: The API's operation.
        error: The error code, `None` if the call succeeded.
        detail: The error's message, or what is worth knowing of the answer.
    """

    service: str
    operation: str
    error: str | None
    detail: str


@dataclass(frozen=True)
class Observation:
    """What one function observed.

    Attributes:
        calls: Its calls, in order.
        key_id_ends: The last four characters of the key id that its SQS client signs with.
        session_token: Whether that client has a session token: `present` or `absent`.
    """

    calls: tuple[Call, ...]
    key_id_ends: str
    session_token: str

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Self:
        """Read what a function returned.

        Raises:
            KeyError: It is something else.
        """
        return cls(
            calls=tuple(Call(**call) for call in payload["calls"]),
            key_id_ends=payload["credentials"]["key_id_ends"],
            session_token=payload["credentials"]["session_token"],
        )

    def outcomes(self, operation: str) -> list[str | None]:
        """The error codes of one operation, in order; `None` for a success."""
        return [call.error for call in self.calls if call.operation == operation]


def differences(seed: Observation, role_only: Observation, *, role_only_role: str) -> list[str]:
    """What is not as the incident and its cure should be; empty if everything is."""
    expected: list[tuple[str, object, object]] = [
        ("the seed's session token", seed.session_token, "absent"),
        ("the seed's STS calls", set(seed.outcomes("GetCallerIdentity")), {None}),
        ("the seed's DynamoDB calls", seed.outcomes("PutItem"), ["UnrecognizedClientException"] * ATTEMPTS),
        ("the seed's SQS calls", seed.outcomes("SendMessage"), ["InvalidClientTokenId"] * ATTEMPTS),
        ("the factory's session token", role_only.session_token, "present"),
        ("the factory's STS call", role_only.outcomes("GetCallerIdentity"), [None]),
        ("the factory's DynamoDB call", role_only.outcomes("PutItem"), [None]),
        ("the factory's SQS call", role_only.outcomes("SendMessage"), [None]),
    ]
    found = [f"{what}: {was}, not {should_be}" for what, was, should_be in expected if was != should_be]
    purges = [call for call in role_only.calls if call.operation == "PurgeQueue"]
    if not all("AccessDenied" in (call.error or "") and role_only_role in call.detail for call in purges) or not purges:
        found.append(f"the ungranted call: {purges}, not AccessDenied naming {role_only_role}")
    return found


def render(seed: Observation, role_only: Observation) -> str:
    """The report, for a person."""
    return "\n\n".join(
        [
            INTRODUCTION,
            _section(
                "A. As in the seed: settings pick up AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, clients get both",
                seed,
            ),
            _section("B. On the role-only factory: RoleClients(region).client(service)", role_only),
            CAUSE,
        ]
    )


def _section(title: str, observation: Observation) -> str:
    """One function's calls, numbered where an operation was tried more than once."""
    lines = [
        title,
        f"  its clients sign with key …{observation.key_id_ends}, session token {observation.session_token}",
    ]
    tries: dict[str, int] = {}
    for call in observation.calls:
        tries[call.operation] = tries.get(call.operation, 0) + 1
        attempt = f"attempt {tries[call.operation]}" if len(observation.outcomes(call.operation)) > 1 else ""
        outcome = f"{call.error}: {call.detail}" if call.error else f"ok  {call.detail if call.detail != 'ok' else ''}"
        lines.append(f"  {call.service:<9} {call.operation:<18} {attempt:<10} {outcome}".rstrip())
    return "\n".join(lines)
