"""What a denial says: who, what, on what, and which kind of policy stopped it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Category = Literal["access-denied", "credentials", "clock-skew", "not-iam"]
Decision = Literal["implicit", "explicit", "unspecified"]
PolicyType = Literal[
    "identity-based",
    "resource-based",
    "scp",
    "rcp",
    "permissions-boundary",
    "session",
    "vpc-endpoint",
    "role-trust",
    "block-public-access",
]
Answer = Literal["yes", "no", "unknown"]

_ACCOUNT_DIGITS: Final = 12
_FEDERATION: Final = ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
_ON_ROLES: Final = ("sts:assumerole", "iam:passrole")
_NO_ROLES: Final = (
    "user/",
    "group/",
    "root",
    "assumed-role/",
    "federated-user/",
    "policy/",
    "instance-profile/",
    "saml-provider/",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One error, as its text has it; `None` where the text says nothing.

    Attributes:
        category: Whether it is about permission, credentials, the clock, or neither.
        error_code: The code, without a package or an SDK's own name for it.
        operation: The API's operation, where the text names it.
        principal: Who was denied.
        action: The IAM action, spelled as in the text.
        reason_action: The action that the reason names. It may be another, and is then the one that is missing.
        resource: On what, as in the text, without quotes.
        policy_arn: The policy that denied it.
        encoded: Whether AWS put the details into an encoded message.
        known_as: The entry of `known_errors` that it is, by name; empty for a denial that says itself what it is.
        service: The API's service, where an event names it: `s3`.
        region: The region, where an event names it.
        authorization_id: The id under which AWS keeps what it evaluated.
        named: What the text says in words that the call was for (a bucket's ARN, a name), where the denial names nothing.
        further_actions: The actions that the denial names after the first.
        is_bootstrap: Whether `cdk bootstrap` failed: what it makes is not there yet.
    """

    category: Category = "access-denied"
    error_code: str | None = None
    operation: str | None = None
    principal: str | None = None
    action: str | None = None
    reason_action: str | None = None
    resource: str | None = None
    decision: Decision = "unspecified"
    policy_type: PolicyType | None = None
    policy_arn: str | None = None
    encoded: bool = False
    known_as: str = ""
    service: str = ""
    region: str = ""
    authorization_id: str = ""
    named: str = ""
    further_actions: tuple[str, ...] = ()
    is_bootstrap: bool = False

    @property
    def federation(self) -> str:
        """The call that exchanges an assertion or a token for a role, if it is one: it is not signed. Else empty."""
        named = self.action or self.operation or ""
        return next((call for call in _FEDERATION if named.removeprefix("sts:").lower() == call.lower()), "")

    @property
    def not_a_role(self) -> str:
        """The resource of a call that takes roles only, where it is something else: `user/ada`. Else empty."""
        parts = (self.resource or "").split(":", 5)
        if len(parts) < 6 or parts[2] not in {"iam", "sts"} or (self.missing_action or "").lower() not in _ON_ROLES:  # noqa: PLR2004 - an ARN has six parts
            return ""
        return parts[5] if parts[5].startswith(_NO_ROLES) else ""

    @property
    def principal_type(self) -> str | None:
        """What kind of principal it is: `user`, `role`, `assumed-role`, `federated-user`, `root`, `anonymous`, `redacted`."""
        who = self.principal
        if who is None:
            return None
        if who.lower() in {"anonymous", "*anonymous*"}:
            return "anonymous"
        if not who.strip("*xX.") or who.strip("<>[]*(){} ").lower() in {"redacted", "masked", "hidden", "edited"}:
            return "redacted"
        parts = who.split(":", 5)
        if parts[0] == "arn" and len(parts) == 6:  # noqa: PLR2004 - as above
            kind = parts[5].split("/", 1)[0]
            return kind if kind in {"user", "role", "assumed-role", "federated-user", "root"} else None
        return "service" if who.endswith((".amazonaws.com", ".amazonaws.com.cn")) else None

    @property
    def account(self) -> str:
        """The principal's account; empty where it is redacted or not an ARN's."""
        parts = (self.principal or "").split(":", 5)
        known = len(parts) > 4 and len(parts[4]) == _ACCOUNT_DIGITS and parts[4].isdigit()  # noqa: PLR2004 - its fifth part
        return parts[4] if known else ""

    @property
    def missing_action(self) -> str | None:
        """The action that an Allow would have to name."""
        return self.reason_action or self.action

    @property
    def identity_allow_would_fix(self) -> Answer:
        """Whether an Allow in a policy of the principal would help."""
        if self.category != "access-denied" or self.decision == "explicit" or self.principal_type == "anonymous":
            return "no"
        if self.federation or self.not_a_role:
            return "no"
        if self.policy_type is None:
            return "no" if self.known_as == "unsigned-request" else "unknown"
        return "yes" if self.policy_type == "identity-based" else "no"
