"""What credentials can come from, which kind of key that gives, and what can be wrong before anybody is asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from shlex import quote
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Sdk(StrEnum):
    """Whose order is followed."""

    BOTO3 = "boto3"
    CDK = "cdk"


class Kind(StrEnum):
    """Where credentials come from."""

    ENVIRONMENT = "environment"
    ASSUME_ROLE = "assume-role"
    WEB_IDENTITY = "web-identity"
    SSO = "sso"
    CREDENTIALS_FILE = "credentials-file"
    LOGIN = "login"
    PROCESS = "process"
    CONFIG_FILE = "config-file"
    CONTAINER = "container"
    INSTANCE = "instance"


BOTO3_METHOD: Final[Mapping[Kind, str]] = {
    Kind.ENVIRONMENT: "env",
    Kind.ASSUME_ROLE: "assume-role",
    Kind.WEB_IDENTITY: "assume-role-with-web-identity",
    Kind.SSO: "sso",
    Kind.CREDENTIALS_FILE: "shared-credentials-file",
    Kind.LOGIN: "login",
    Kind.PROCESS: "custom-process",
    Kind.CONFIG_FILE: "config-file",
    Kind.CONTAINER: "container-role",
    Kind.INSTANCE: "iam-role",
}
"""What botocore calls each kind, in the `method` of its credentials."""


class Key(StrEnum):
    """What kind of access key a source gives."""

    LONG_LIVED = "long-lived"
    TEMPORARY = "temporary"
    UNKNOWN = "unknown"


class Trouble(StrEnum):
    """What can be wrong with credentials before anybody is asked."""

    HALF_A_PAIR = "half-a-pair"
    PROFILE_MISSING = "profile-missing"
    PROFILE_INCOMPLETE = "profile-incomplete"
    FILE_UNREADABLE = "file-unreadable"
    NOT_SIGNED_IN = "not-signed-in"
    SIGN_IN_EXPIRED = "sign-in-expired"
    EXPIRED = "expired"
    SDK_TOO_OLD = "sdk-too-old"
    CRT_MISSING = "awscrt-missing"
    KEY_UNREADABLE = "login-key-unreadable"
    TOKEN_MISSING = "token-missing"  # noqa: S105 - a slug, not a token
    SHADOWED_PROFILE = "shadowed-profile"
    STATIC_KEYS_SHADOW = "static-keys-shadow-sign-in"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong.

    Attributes:
        trouble: What kind of thing.
        what: With names and paths.
        next_step: The command or the change that mends it.
    """

    trouble: Trouble
    what: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One place that credentials can come from.

    Attributes:
        kind: What kind of place.
        where: For people: file and profile, variable, command.
        profile: The profile that says so, if one does.
        key: What kind of key it gives.
        key_id_end: The last four characters of the key's id, where that is known without a call.
        refreshes: Whether it gets new keys by itself: no person, no code; `None` if that cannot be told.
        expires_at: When a person has to act, as far as that is known without a call. A long-lived key never expires.
        mfa_serial: The device whose code it asks for.
        role_arn: The role that it assumes.
        basis: The source whose credentials assume that role.
        problems: What is wrong with it.
    """

    kind: Kind
    where: str
    profile: str | None = None
    key: Key = Key.TEMPORARY
    key_id_end: str | None = None
    refreshes: bool | None = False
    expires_at: datetime | None = None
    mfa_serial: str | None = None
    role_arn: str | None = None
    basis: Source | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def origin(self) -> Source:
        """The source at the beginning: of a role that is assumed, the one that a person signs in to."""
        return self.basis.origin if self.basis else self

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """Its own problems and those of what it rests on."""
        return self.problems + (self.basis.all_problems if self.basis else ())


def sign_in_command(source: Source) -> str | None:
    """Give the command with which a person renews what a source rests on; `None` if no command does."""
    origin = source.origin
    by_profile = f" --profile {quote(origin.profile or '')}" if origin.profile not in {None, "default"} else ""
    return {Kind.SSO: f"aws sso login{by_profile}", Kind.LOGIN: f"aws login{by_profile}"}.get(origin.kind)
