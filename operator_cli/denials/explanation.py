"""What a denial means, who must act, and what to ask them for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from operator_cli.denials.allow import Allow, missing_action, smallest_allow
from operator_cli.denials.known_errors import BY_NAME
from operator_cli.denials.reader import readings
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    from operator_cli.denials.reading import Reading

YOU: Final = "you"
ACCOUNT: Final = "the account's administrator"
ORGANISATION: Final = "the organisation's administrator"
OWNER: Final = "the resource's owner"
NETWORK: Final = "the network's owner"

LAYERS: Final = {
    "identity-based": "identity-based policy",
    "resource-based": "resource-based policy",
    "scp": "service control policy (SCP)",
    "rcp": "resource control policy (RCP)",
    "permissions-boundary": "permissions boundary",
    "session": "session policy",
    "vpc-endpoint": "VPC endpoint policy",
    "role-trust": "role trust policy",
    "block-public-access": "S3 Block Public Access setting",
}
"""Each kind of policy, in words."""

_QUARANTINE: Final = "AWSCompromisedKeyQuarantine"
_SSO_ROLE: Final = "AWSReservedSSO_"
_LONG_LIVED: Final = re.compile(r"\bAKIA[A-Z0-9]{16}\b")
_DECODE: Final = "decode-authorization-message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One error, explained.

    Attributes:
        reading: What the text says.
        title: What happened, in one line.
        cause: Why.
        next_step: What to do, in a sentence or two.
        acts: Who can do it: `YOU`, `ACCOUNT`, `ORGANISATION`, `OWNER` or `NETWORK`.
        ask: What to ask them for, where that is not just the Allow.
        allow: The smallest Allow, where one would help or may help.
    """

    reading: Reading
    title: str
    cause: str
    next_step: str
    acts: str
    ask: str = ""
    allow: Allow | None = None

    @property
    def is_guess(self) -> bool:
        """Whether the text gives no reason, so that the Allow may not be what is missing."""
        return self.allow is not None and self.reading.identity_allow_would_fix == "unknown"

    @property
    def stopped_by(self) -> str:
        """Say which kind of policy stopped the call, and how."""
        reading = self.reading
        layer = LAYERS.get(reading.policy_type or "", "")
        if reading.policy_type == "block-public-access":
            return _a(layer)
        if reading.decision == "explicit":
            named = f": {reading.policy_arn}" if reading.policy_arn else ""
            return (
                f"a Deny in {_a(layer)}{named}" if layer else "a Deny; the message does not say in which kind of policy"
            )
        if reading.decision == "implicit":
            return f"no {layer or 'policy'} allows {_what(reading)}"
        return _a(layer) if layer else "the message does not say"

    def as_json(self) -> dict[str, Any]:
        """Give the fields that scripts rely on."""
        reading = self.reading
        return {
            "category": reading.category,
            "error_code": reading.error_code,
            "operation": reading.operation,
            "principal": reading.principal,
            "principal_type": reading.principal_type,
            "action": reading.action,
            "reason_action": reading.reason_action,
            "resource": reading.resource,
            "decision": reading.decision,
            "policy_type": reading.policy_type,
            "policy_arn": reading.policy_arn,
            "encoded": reading.encoded,
            "identity_allow_would_fix": reading.identity_allow_would_fix,
            "policy": self.allow.policy if self.allow else None,
            "next_step": self.next_step,
        }

    def as_request(self) -> str:
        """Give a message to send to whoever must act; empty where nobody else needs to."""
        if self.acts == YOU:
            return ""
        reading = self.reading
        on = f" on {reading.resource}" if reading.resource else ""
        lines = [f"Hello, AWS denies {_what(reading)} to {reading.principal or 'me'}{on}."]
        if reading.category != "access-denied":
            lines = [f"Hello, AWS answers {reading.error_code or 'with an error'}: {self.title}.", self.cause]
        elif reading.policy_type or reading.decision != "unspecified":
            lines.append(f"What stopped it: {self.stopped_by}.")
        else:
            lines.append("AWS gives no reason, so please check also that nothing denies it explicitly.")
        if self.allow is None:
            return "\n".join([*lines, self.ask or self.next_step])
        filled = f" (fill in {', '.join(self.allow.holes)})" if self.allow.holes else ""
        lets = (
            "This policy allows what the message names and nothing else; AWS judges the call on further resources and may "
            "deny the next one after this"
            if self.allow.is_first
            else "This policy lets the call through and nothing else"
        )
        lines.append(f"{self.ask or lets}{filled}:")
        return "\n".join([*lines, "", json.dumps(self.allow.policy, indent=2)])


def explain(text: str) -> Explanation:
    """Explain the main error of a text.

    Raises:
        OperatorError: The text holds none that is recognised.
    """
    return explain_all(text)[0]


def explain_all(text: str, *, resource: str | None = None) -> tuple[Explanation, ...]:
    """Explain each distinct error of a text, the main one first.

    Args:
        text: A message, a log, an event, a traceback.
        resource: The resource's ARN, for messages that do not name it.

    Raises:
        OperatorError: The text holds none that is recognised.
    """
    found = readings(text)
    if not found:
        cut = " If it is JSON that was cut, pass the part with errorMessage." if text.lstrip()[:1] in {"{", "["} else ""
        raise OperatorError(
            "No AWS error was recognised in the text.",
            why="Without the words or the code that AWS answered with, any explanation would be made up.",
            next_step="Pass the whole output, or the lines with the error: 'is not authorized to perform', 'An error "
            f"occurred (CODE)', 'Resource handler returned message', or the CloudTrail event.{cut}",
            status=ExitStatus.REFUSED,
        )
    first, *others = (_explained(reading, resource) for reading in found)
    return replace(first, cause=f"{first.cause}{_long_lived_key(first, text)}"), *others


def _long_lived_key(explanation: Explanation, text: str) -> str:
    """Say of a key id in the text what it is: nobody has to be asked for that."""
    key = _LONG_LIVED.search(text)
    if key is None or explanation.reading.category != "credentials":
        return ""
    return (
        f" The text names the key AKIA…{key[0][-4:]}: a long-lived access key of a user, which has no session token and no end. "
        "Replace it by a session or a role, and delete it."
    )


def _explained(reading: Reading, resource: str | None) -> Explanation:
    allow = smallest_allow(reading, resource=resource)
    says_nothing = reading.action is None and reading.decision == "unspecified"
    if reading.category == "access-denied" and (reading.federation or reading.known_as == "role-may-not"):
        says_nothing = False
    if reading.category != "access-denied" or (reading.known_as and says_nothing):
        explanation = _known(reading, allow)
    else:
        explanation = _special(reading, allow) or _by_layer(reading, allow) or _without_reason(reading, allow)
    next_step = explanation.next_step
    if reading.encoded and _DECODE not in next_step:
        next_step += f" The encoded part says more: `aws sts {_DECODE} --encoded-message MESSAGE`, which needs a permission of its own."
    if reading.authorization_id:
        next_step += (
            " AWS keeps for a day what it evaluated, with the statement that decided: `aws iam-toolbox "
            f"get-request-authorization-details --authorization-id {reading.authorization_id}` (needs "
            "iam:GetRequestAuthorizationDetails; whoever may read policies in the account or the organisation can ask)."
        )
    return replace(explanation, title=explanation.title[0].upper() + explanation.title[1:], next_step=next_step)


def _known(reading: Reading, allow: Allow | None) -> Explanation:
    """Give the errors that are recognised by their code or words."""
    known = BY_NAME.get(reading.known_as)
    if known is None:
        code = reading.error_code or "an error"
        return Explanation(
            reading=reading,
            title=f"{code} is about the request itself",
            cause=f"AWS answered {code}, which is neither about permission nor about credentials.",
            next_step="Read the message that came with it, and the operation's documentation: no policy helps here.",
            acts=YOU,
        )
    if allow is None:
        return Explanation(
            reading=reading, title=known.title, cause=known.cause, next_step=known.next_step, acts=known.acts
        )
    guess = f"A guess, as no reason is given: {' and '.join(allow.actions)} may be missing; the policy below allows it."
    return Explanation(
        reading=reading,
        title=known.title,
        cause=known.cause,
        next_step=f"{guess} {known.next_step}",
        acts=ACCOUNT,
        allow=allow,
    )


def _special(reading: Reading, allow: Allow | None) -> Explanation | None:
    """Give the denials that mean something else than they say."""
    who, what = _who(reading), _what(reading)
    if _QUARANTINE in (reading.policy_arn or ""):
        return Explanation(
            reading=reading,
            title="AWS has quarantined this user: its access key leaked",
            cause="AWS found the key in public and attached its quarantine policy, which denies what thieves do with keys. "
            "The denial is the symptom; the leaked key is the matter.",
            next_step="Treat it as an incident, now: deactivate the leaked key, have the program use a role or a new session, "
            "delete the key, look in CloudTrail for what was done with it, answer AWS's support case, and only then have the "
            "quarantine policy detached. Detached first, it gives the key back to the thief.",
            acts=ACCOUNT,
            ask="Its access key leaked. Please deactivate and rotate it now, before anything else; the quarantine policy "
            "comes off last.",
        )
    if (about_roles := _about_roles(reading, allow)) is not None:
        return about_roles
    if reading.principal_type == "anonymous":
        return Explanation(
            reading=reading,
            title="The request was not signed",
            cause="AWS saw an anonymous user: the request carried no signature, so no policy of yours was even looked at.",
            next_step=f"Sign the request (SigV4) with credentials that may do {what}. Otherwise the resource's policy would "
            "have to admit everybody.",
            acts=YOU,
        )
    if reading.policy_type == "block-public-access":
        return Explanation(
            reading=reading,
            title="S3 Block Public Access refused a public policy or ACL",
            cause="The bucket or its account blocks public access, and the policy or ACL would have made it public. No IAM "
            "permission is missing.",
            next_step="Keep the bucket private: serve it through CloudFront with origin access control, or name the "
            "principals in the bucket policy. Only if it must be public, have that setting changed.",
            acts=ACCOUNT,
            ask="Is this bucket meant to be public? If so, please change its Block Public Access setting.",
        )
    if allow is not None and allow.instead:
        return Explanation(
            reading=reading,
            title=f"{who} may not use the CDK's roles",
            cause="`cdk deploy` first tries to assume the roles that `cdk bootstrap` made, and goes on with the caller's own "
            "permissions where it may not. These are too small for a deployment, and should be.",
            next_step=f"Have {who} assume the CDK's roles (policy below) instead of granting it what the deployment does.",
            acts=ACCOUNT,
            ask="It should assume the CDK's roles instead of having that permission itself; this policy allows it",
            allow=allow,
        )
    return None


def _about_roles(reading: Reading, allow: Allow | None) -> Explanation | None:
    """Give the denials that are about a role, and not about the caller's permissions."""
    if reading.federation and reading.decision != "explicit":
        return _federation(reading)
    if reading.not_a_role:
        return _not_a_role(reading)
    return _role_may_not(reading, allow) if reading.known_as == "role-may-not" else None


def _federation(reading: Reading) -> Explanation:
    """Explain that nobody's policy but the role's is asked where an assertion or a token is exchanged for a role."""
    if reading.federation == "AssumeRoleWithSAML":
        return Explanation(
            reading=reading,
            title="The role does not trust this SAML assertion",
            cause="The role's trust policy does not admit the assertion's provider or audience, does not allow "
            "sts:AssumeRoleWithSAML (and sts:TagSession where the assertion has tags), or there is no such role or provider.",
            next_step="Compare the assertion's Role attribute (role ARN and provider ARN, both of this account) and its audience "
            "with the role's trust policy. A policy of the caller does not help: the call is not signed.",
            acts=ACCOUNT,
            ask="Please compare the provider, the audience (SAML:aud) and the actions in the role's trust policy with the assertion.",
        )
    return Explanation(
        reading=reading,
        title="The role does not trust this identity token",
        cause="The role's trust policy does not admit the token's sub, aud or issuer, or there is no such role. GitHub "
        "repositories that were created, renamed or transferred after 2026-07-15 have an immutable subject: "
        "repo:ORG@ORGID/REPO@REPOID:… instead of repo:ORG/REPO:….",
        next_step="Compare the token's sub and aud with the conditions in the role's trust policy, and admit the new form "
        "of sub where the repository has it. A policy of the caller does not help: it has no identity yet.",
        acts=ACCOUNT,
        ask="Please compare the conditions on sub and aud in the role's trust policy with the token's.",
    )


def _not_a_role(reading: Reading) -> Explanation:
    """Explain that the request names something else where a role belongs."""
    what = reading.not_a_role
    kind, _, rest = what.partition("/")
    session = f" For the role of that session, name arn:aws:iam::ACCOUNT_ID:role/{rest.split('/')[0]}."
    return Explanation(
        reading=reading,
        title=f"{what} is no role: {'it cannot be assumed' if _what(reading).startswith('sts:') else 'it cannot be passed on'}",
        cause="The request names it where a role's ARN belongs. Only roles are assumed and given to services, so no policy lets "
        "this call through.",
        next_step="Put the role's ARN (arn:aws:iam::ACCOUNT_ID:role/NAME) where the request has this one: `role_arn` in "
        f"~/.aws/config, RoleArn in the code.{session if kind == 'assumed-role' else ''} A user's own permissions need no "
        "assuming: leave the role out.",
        acts=YOU,
    )


def _role_may_not(reading: Reading, allow: Allow | None) -> Explanation:
    """Explain what a service says of the role that it was given."""
    what = _what(reading) if reading.action else "the call that the message names"
    guess = f"A guess, as no reason is given: have a policy of {{role}} allow {what}, as the policy below does. "
    role = _who(reading) if reading.principal else "that role (a function's execution role, a task's role)"
    more = ""
    if (reading.action or "").endswith("NetworkInterface"):
        guess = f"Attach AWS's own policy for this to {{role}}: for a function AWSLambdaVPCAccessExecutionRole, which has {what} and its companions. "
    elif (reading.action or "").startswith("sqs:"):
        more = "To be called from a queue, a function's role needs sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes on it. "
    elif allow is None:
        guess = f"Have {what} allowed to {{role}}. "
    return Explanation(
        reading=reading,
        title=f"The role that the service was given may not do {what}",
        cause="The service checked the role that the request names, and refused it. It is not the caller who lacks the permission. "
        "It may be a missing Allow, a Deny or an SCP: the message does not say.",
        next_step=f"{guess.format(role=role)}{more}A role whose policy was attached seconds ago may only need another try.",
        acts=ACCOUNT,
        ask=f"It is the role given to the service that may not do {what}, not I. Please let it.",
        allow=allow,
    )


@dataclass(frozen=True, slots=True)
class _Advice:
    """What to say of a kind of policy that allows too little; `{who}` and the like are filled in."""

    title: str
    cause: str
    next_step: str
    acts: str
    ask: str = ""


_OUTER_LIMIT: Final = _Advice(
    "No {layer} allows {what}",
    "The organisation sets the outer limit of what an account can do, and this lies outside. No policy inside the account "
    "can widen it.",
    "Ask the organisation's administrator whether {what} is meant to be closed here, and to allow it in the {layer} if not. "
    "Often it is the region that is closed.",
    ORGANISATION,
    "Is {what} meant to be closed here? If not, please allow it in the {layer}.",
)
_IMPLICIT: Final = {
    "identity-based": _Advice(
        "No identity-based policy allows {what} to {who}",
        "Nothing forbids it; nobody has allowed it yet.",
        "Have {place} allow it, as narrowly as the policy below does.",
        ACCOUNT,
    ),
    "resource-based": _Advice(
        "The resource's own policy does not admit {who}",
        "For this resource its own policy decides (another account's resource, a KMS key, a public layer). An identity "
        "policy, even an administrator's, does not help.",
        "Ask the owner of {resource} to allow {what} to {who} in its resource policy, or use a copy of it in your own account.",
        OWNER,
        "Please allow {what} to this principal in the resource's policy.",
    ),
    "scp": _OUTER_LIMIT,
    "rcp": _OUTER_LIMIT,
    "permissions-boundary": _Advice(
        "The permissions boundary of {who} does not allow {what}",
        "A boundary limits what a user or role can be allowed at all. Another Allow stays without effect.",
        "Ask the account's administrator to widen the boundary by {what}, or to have another role do this.",
        ACCOUNT,
        "Please widen the permissions boundary by {what}, or name a role that may do this.",
    ),
    "session": _Advice(
        "The session's own policy does not allow {what}",
        "The role was assumed with a policy that narrows the session (a broker, Cognito, CodePipeline, `aws sts assume-role "
        "--policy`). The role's policies may well allow it.",
        "Change the policy that is passed when the session is made, so that it includes {what}, or make a session without one.",
        YOU,
    ),
    "vpc-endpoint": _Advice(
        "The VPC endpoint's policy does not allow {what}",
        "The call went through a VPC endpoint, whose policy admits only certain principals, actions and resources. The "
        "caller's own policies may well allow it.",
        "Ask the owner of the network to allow {what} for {who} in the endpoint's policy.",
        NETWORK,
        "Please allow {what} to this principal in the VPC endpoint's policy.",
    ),
    "role-trust": _Advice(
        "The role does not trust {who}",
        "A role's trust policy says who may assume it. This principal is not named, or a condition (external id, MFA, "
        "organisation, source identity) is not met.",
        "Ask the role's owner to admit {who} in its trust policy, and meet the conditions that stand there.",
        OWNER,
        "Please admit this principal in the role's trust policy, or tell me which condition I do not meet.",
    ),
}
_CHANGES: Final = {
    "scp": ORGANISATION,
    "rcp": ORGANISATION,
    "resource-based": OWNER,
    "role-trust": OWNER,
    "vpc-endpoint": NETWORK,
    "session": YOU,
}
"""Who can change each kind of policy; the account's administrator any other."""


def _by_layer(reading: Reading, allow: Allow | None) -> Explanation | None:
    """Give the denials whose message says that it was a Deny, or which kind of policy allows too little."""
    if reading.decision == "explicit":
        return _explicit(reading)
    advice = _IMPLICIT.get(reading.policy_type or "")
    if advice is None:
        return None
    words = {
        "who": _who(reading),
        "what": _what(reading),
        "layer": LAYERS[reading.policy_type or ""],
        "resource": reading.resource or "the resource",
        "place": _place_of_policy(reading),
    }
    return Explanation(
        reading=reading,
        title=advice.title.format(**words),
        cause=advice.cause,
        next_step=advice.next_step.format(**words),
        acts=advice.acts,
        ask=advice.ask.format(**words),
        allow=allow,
    )


def _explicit(reading: Reading) -> Explanation:
    layer = LAYERS.get(reading.policy_type or "", "")
    acts = _CHANGES.get(reading.policy_type or "", ACCOUNT)
    named = f" {reading.policy_arn}" if reading.policy_arn else ""
    where = f"the {layer}{named}" if layer else "a policy that the message does not name"
    whom = acts if acts != YOU else "whoever makes the session"
    return Explanation(
        reading=reading,
        title=f"A Deny in {_a(layer or 'policy')} forbids {_what(reading)} to {_who(reading)}",
        cause="A Deny wins over every Allow, so another Allow changes nothing. Deny statements mostly have conditions: "
        "region, network, MFA, encryption, tags, TLS.",
        next_step=f"Find the Deny in {where}, and either meet its condition or ask {whom} to narrow it.",
        acts=acts,
        ask=f"Please tell me which condition of the Deny in {where} I do not meet, or narrow it.",
    )


def _without_reason(reading: Reading, allow: Allow | None) -> Explanation:
    guess = f"A guess, as no reason is given: have {_place_of_policy(reading)} allow it, as the policy below does. "
    return Explanation(
        reading=reading,
        title=f"{_who(reading)} may not do {_what(reading)}; AWS gives no reason",
        cause="It may be a missing Allow, the resource's own policy, a boundary, an SCP or a Deny: the message does not say.",
        next_step=f"{guess if allow else ''}If that does not help, look up the call in CloudTrail, whose event often has "
        "the reason.",
        acts=ACCOUNT,
        allow=allow,
    )


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _what(reading: Reading) -> str:
    return missing_action(reading) or reading.operation or "this call"


def _who(reading: Reading) -> str:
    """Name the principal as people do."""
    who = reading.principal
    if who is None or reading.principal_type in {None, "redacted"}:
        return who if who and who.strip("*") else "the caller"
    kind, _, rest = who.split(":", 5)[-1].partition("/")
    match kind:
        case "assumed-role":
            return f"the role {rest.split('/')[0]}"
        case "user" | "role":
            return f"the {kind} {rest}"
        case "root":
            return "the account's root user"
        case _:
            return who


def _place_of_policy(reading: Reading) -> str:
    """Say where an Allow for the principal belongs."""
    who = _who(reading)
    if _SSO_ROLE in who:
        permission_set = who.split(_SSO_ROLE, 1)[1].rsplit("_", 1)[0]
        return f"the permission set {permission_set} in IAM Identity Center (its role cannot be edited in the account)"
    if "-cfn-exec-role-" in who:
        return "the CDK's execution role (`cdk bootstrap --cloudformation-execution-policies`)"
    return f"a policy of {who}"
