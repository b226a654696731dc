"""What the rules say of a deployed function, in words that do not depend on the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


class CodeFault(StrEnum):
    """What is wrong at a line of the code."""

    KEY_WITHOUT_TOKEN = "key-without-token"  # noqa: S105 - the name of a fault
    KEY_WITH_TOKEN = "key-with-token"  # noqa: S105 - as above
    PROFILE = "profile"
    LITERAL_KEY = "literal-key"
    HARVEST = "harvest"
    REMOVED_KEY = "removed-key"
    REMOVED_TOKEN = "removed-token"  # noqa: S105 - as above
    OTHER = "other"


class VariableFault(StrEnum):
    """What is wrong with a variable of the environment."""

    RESERVED = "reserved"
    PROFILE = "profile"
    ENDPOINT_OVERRIDE = "endpoint-override"
    OLD_TOKEN = "old-token"  # noqa: S105 - as above
    OTHER_SOURCE = "other-source"
    GLOBAL_STS = "global-sts"
    LONG_LIVED_KEY = "long-lived-key"
    SESSION = "session"
    OTHER_KEY = "other-key"


@dataclass(frozen=True, slots=True)
class CodeFinding:
    """One line of the function's code: `path:line`, what it does, and what to do about it."""

    fault: CodeFault
    place: str
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class VariableFinding:
    """One variable by its name, and whether the code says that name. Its value is not told."""

    fault: VariableFault
    name: str
    message: str
    is_used: bool = False


Layer = Literal["trust", "identity", "boundary", "endpoint", "resource", "resource alone", "key", "key and role"]
"""The policies that decide on a function's calls and that can be read: who may assume its role, the role's own, its
boundary's, an endpoint's; that of a resource, and whether it lets the role in without any other; that of the key which its
service uses for the role, and that one together with the role's own."""

Hop = Literal["subnet", "endpoint", "dns", "egress", "ingress", "policy"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that has to be right for a call to arrive: True, False, or None where it is not known.

    `subject` is what it is about: an endpoint's id, else the function's subnet.
    """

    hop: Hop
    verdict: bool | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Way:
    """The way of calls to a service, by its IAM prefix. `endpoints` are the ids that it passes.

    `endpoint_name` is how the endpoint for it would be called (`monitoring`), `takes_gateway` whether it would be a gateway.
    `leaves_vpc` is whether calls from a subnet may pass no endpoint at all.
    """

    service: str
    verdict: bool | None
    steps: tuple[Step, ...] = ()
    endpoints: tuple[str, ...] = ()
    endpoint_name: str = ""
    takes_gateway: bool = False
    leaves_vpc: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call in the code: the IAM actions that it needs, at `path:line`, and the ARN it names (empty if unknown).

    `*` and `?` in the ARN stand for what the code does not name: an object's key, the end of a secret's ARN.
    """

    actions: tuple[str, ...]
    place: str
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a layer of policies lets a role do something, None if that is not known.

    Attributes:
        allowed: The answer.
        is_explicit: Whether a Deny says no, not the lack of an Allow.
        reason: Why, in words.
        statement: The statement that decided, by its `Sid` or its place; empty if none did.
        text: That statement as JSON.
        stated: What the call says of the keys of its condition: `aws:SourceVpce is vpce-1`.
        wants: Those of them that have to be what the statement names, with what they are; empty for one that is absent.
        unknown: The condition keys that the answer depends on, in lower case, where they are why it is not known.
        by: The kind of policy that decided, as the evaluator names it; empty if none did.
    """

    allowed: bool | None
    is_explicit: bool = False
    reason: str = ""
    statement: str = ""
    text: str = ""
    stated: tuple[str, ...] = ()
    wants: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that the rules say.

    Attributes:
        code: Findings in the code, in its order.
        variables: Findings in the environment.
        ways: One way for each service that the function may call; None outside of a VPC.
        calls: The calls that its code makes.
        unknown_calls: Calls that nobody can name, as `path:line: reason`.
        not_judged: What could not be judged, in words.
    """

    code: tuple[CodeFinding, ...] = ()
    variables: tuple[VariableFinding, ...] = ()
    ways: tuple[Way, ...] | None = None
    calls: tuple[Call, ...] = ()
    unknown_calls: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = ()
