"""A cause of failing calls: its name, how sure it is, what shows it, what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from operator_cli.diagnosis.logged_errors import Kind


class Slug(StrEnum):
    """Every cause there is. Equally likely ones are told in this order: who signs, whether it arrives, whether it may."""

    NOT_ACTIVE = "function-not-active"
    ROLE_MISSING = "role-missing"
    ROLE_TRUST = "role-not-assumable"
    EXPLICIT_KEY = "explicit-key-without-token"
    REMOVED_CREDENTIALS = "credentials-removed"
    LEFTOVER_TOKEN = "leftover-token"  # noqa: S105 - the name of a cause
    LONG_LIVED_KEY = "long-lived-key"
    COPIED_SESSION = "copied-session"
    STALE_PROFILE = "stale-profile"
    RESERVED_VARIABLE = "reserved-variable"
    OTHER_SOURCE = "other-credential-source"
    WRONG_SECRET = "wrong-secret"  # noqa: S105 - as above
    NO_CREDENTIALS = "no-credentials"
    UNKNOWN_SIGNER = "unknown-signer"
    CLOCK = "clock"
    ENDPOINT_OVERRIDE = "endpoint-override"
    GLOBAL_STS = "global-sts-endpoint"
    MISSING_ENDPOINT = "missing-endpoint"
    ROUTE_TABLE = "route-table-not-associated"
    PRIVATE_DNS = "private-dns-off"
    VPC_DNS = "vpc-dns-off"
    SECURITY_GROUP = "wrong-security-group"
    NETWORK_ACL = "network-acl"
    ENDPOINT_POLICY = "endpoint-policy"
    MISSING_ACTION = "missing-action"
    WRONG_RESOURCE = "wrong-resource"
    EXPLICIT_DENY = "explicit-deny"
    BOUNDARY = "permissions-boundary"
    SESSION_POLICY = "session-policy"
    QUEUE_POLICY = "queue-policy"
    TABLE_POLICY = "table-policy"
    BUCKET_POLICY = "bucket-policy"
    RESOURCE_POLICY = "resource-policy"
    KEY_POLICY = "key-policy"
    KEY_PERMISSION = "missing-key-permission"
    ORGANISATION = "organisation-policy"
    CODE_TOUCHES_CREDENTIALS = "code-touches-credentials"
    NOT_CREDENTIALS = "not-a-credential-matter"


class Likelihood(StrEnum):
    """How sure a cause is, the surest first."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


LIKELIHOODS = tuple(Likelihood)


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause.

    Attributes:
        slug: Its name, for people and for scripts.
        likelihood: `certain` if the log shows its error, `likely` if a call must fail, `possible` if one may.
        what: What is wrong and why it makes calls fail, with names.
        evidence: What shows it, the most telling first: a place in the code, a variable, an id, a line of the log.
        fix: What to do next.
        sources: Where the evidence was read: `code`, `environment`, `role`, `network`, `resource`, `log`.
        explains: The kinds of logged errors that it accounts for.
        services: The services whose calls it touches, by their IAM prefixes; empty: all.
        actions: The IAM actions that it denies, in lower case; empty: all.
        subject: The ARN of the one queue, table, bucket or key that denies them; empty: any.
    """

    slug: Slug
    likelihood: Likelihood
    what: str
    evidence: tuple[str, ...]
    fix: str
    sources: tuple[str, ...]
    explains: frozenset[Kind] = frozenset()
    services: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that cannot be told, and the permission that would tell it (empty if none would)."""

    what: str
    permission: str = ""
