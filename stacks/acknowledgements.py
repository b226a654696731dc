"""How a finding of a rule pack is acknowledged here: on the one resource, with a reason, an owner and an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import Acknowledgment, Stack, Validations

if TYPE_CHECKING:
    from constructs import IConstruct

_OWNER: Final = "rolebound maintainers"
_EXPIRES: Final = "2027-11-30"


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept one finding.

    The acknowledgement holds for the construct's own CloudFormation resource and for nothing beside it.

    Args:
        construct: The construct that the finding is about.
        rule: ``Pack::Rule``. Without the pack the finding would be hidden and not recorded.
        reason: Why it is right here, in a sentence that a security reviewer accepts.
    """
    Validations.of(construct.node.default_child or construct).acknowledge(
        Acknowledgment(id=rule, reason=f"{reason} (owner: {_OWNER}, expires: {_EXPIRES})")
    )


def acknowledge_wildcard(policy: IConstruct, resource: str, reason: str) -> None:
    """Accept one wildcard resource of a policy, as ``acknowledge`` does; cdk-nag goes on to judge all others.

    Args:
        policy: The policy's construct.
        resource: The resource as it stands in the statement, tokens and all.
        reason: As for ``acknowledge``.
    """
    shown = _as_shown(Stack.of(policy).resolve(resource))
    acknowledge(policy, f"AwsSolutions::AwsSolutions-IAM5[Resource::{shown}]", reason)


def _as_shown(resolved: object) -> str:
    """Write a resolved value as cdk-nag names it in a finding: references in angle brackets."""
    match resolved:
        case str():
            return resolved
        case {"Ref": str(name)}:
            return f"<{name}>"
        case {"Fn::Join": ["", [*parts]]}:
            return "".join(_as_shown(part) for part in parts)
    raise TypeError(
        f"The resource {resolved!r} has no fixed text, so its finding cannot be acknowledged by name. Use an ARN made "
        "of names that are known at synth."
    )
