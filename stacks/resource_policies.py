"""What the stores' own policies refuse, whatever anybody else's policies say.

They only refuse. Who is let in stands in ``access.py`` and, for the operator, in the account's own policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_iam as iam

from stacks.access import Path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stacks.access import Access
    from stacks.settings import Function, Service, Settings


def no_strangers(settings: Settings, *, account: str, actions: str, resources: Sequence[str]) -> iam.PolicyStatement:
    """Refuse who does not belong to our account, or to our organisation if the settings name one.

    AWS services that act as themselves are let through to where they are refused for want of a permission.
    """
    ours = {"aws:PrincipalOrgID": settings.organization} if settings.organization else {"aws:PrincipalAccount": account}
    return _refusal(
        "NoStrangers",
        [actions],
        resources,
        # A request that nobody signed has no such key, and is a stranger's.
        {"StringNotEquals": ours, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
    )


def no_plain_http(*, actions: str, resources: Sequence[str]) -> iam.PolicyStatement:
    """Refuse what is not encrypted on its way."""
    return _refusal("NoPlainHttp", [actions], resources, {"Bool": {"aws:SecureTransport": "false"}})


def through_endpoints(
    access: Sequence[Access], *, arn: str, endpoints: Mapping[Service, str], roles: Mapping[Function, str]
) -> Iterator[iam.PolicyStatement]:
    """Refuse to each function's role what its code does through an endpoint, unless it comes through that one.

    So the role's credentials are of no use elsewhere. What Lambda's poller does with the worker's role comes from
    outside the VPC and is not among it: the role itself denies that to the function's code, wherever it calls from.

    Args:
        access: The table of permissions.
        arn: The store.
        endpoints: The ids of the endpoints; nothing is refused for a service that is not in it.
        roles: The ARNs of the functions' roles.
    """
    for function, role in roles.items():
        own = [
            entry
            for entry in access
            if entry.function is function
            and entry.path is Path.ENDPOINT
            and entry.service in endpoints
            and (entry.resource == arn or entry.resource.startswith(f"{arn}/"))
        ]
        if own:
            yield _refusal(
                f"{function.capitalize()}ThroughEndpoint",
                sorted({action for entry in own for action in entry.actions}),
                sorted({entry.resource for entry in own}),
                {
                    "ArnEquals": {"aws:PrincipalArn": role},
                    "StringNotEquals": {"aws:SourceVpce": endpoints[own[0].service]},
                },
            )


def _refusal(
    sid: str, actions: Sequence[str], resources: Sequence[str], conditions: dict[str, Any]
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=list(actions),
        resources=list(resources),
        conditions=conditions,
    )
