"""Whether the function has an identity at all: it is active, its role is there, and Lambda may assume it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operator_cli.diagnosis.cause import Cause, Doubt, Likelihood, Slug
from operator_cli.diagnosis.logged_errors import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operator_cli.diagnosis.deployed_function import Facts
    from operator_cli.diagnosis.permissions import May


def identity_causes(facts: Facts, may: May) -> Iterator[Cause | Doubt]:
    """Give what keeps Lambda from running the function as its role, or may."""
    configuration, role = facts.configuration, facts.role
    for state, reason in (("State", "StateReason"), ("LastUpdateStatus", "LastUpdateStatusReason")):
        if configuration.get(state) == "Failed":
            yield Cause(
                Slug.NOT_ACTIVE,
                Likelihood.CERTAIN,
                "Lambda could not make the function what it was told to be: it does not run, or runs as it was before.",
                (f"{state} is Failed: {configuration.get(reason) or 'Lambda gives no reason'}",),
                "Mend what Lambda's reason names, and deploy again.",
                ("configuration",),
            )
    if role is not None and not role.exists:
        yield Cause(
            Slug.ROLE_MISSING,
            Likelihood.LIKELY,
            f"The function's role '{role.name}' does not exist any more. Sessions of a deleted role are refused as invalid"
            " tokens, and Lambda cannot make new ones. A new role of the same name is another role.",
            (f"{role.arn}: IAM has no such role",),
            "Deploy the function with a role that exists. If it was made anew under the same name, update the function, so"
            " that Lambda takes it up.",
            ("role",),
            frozenset({Kind.UNKNOWN_SIGNER, Kind.NO_CREDENTIALS, Kind.DENIED}),
        )
        return
    if role is None or role.trust is None:
        return
    trusted = may("trust", "sts:AssumeRole", role.arn)
    if trusted.allowed is None:
        yield Doubt(f"Whether Lambda may assume the role '{role.name}': {trusted.reason}.")
    elif trusted.allowed is False:
        yield Cause(
            Slug.ROLE_TRUST,
            Likelihood.LIKELY,
            f"Lambda may not assume the function's role '{role.name}': the function gets no credentials, and no invocation"
            " begins.",
            ("the role's trust policy has no statement that lets lambda.amazonaws.com assume it for this function",),
            'Trust {"Service": "lambda.amazonaws.com"} with sts:AssumeRole in the role.',
            ("role",),
            frozenset({Kind.NO_CREDENTIALS}),
        )
