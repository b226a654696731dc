"""Who may do what to what: the one table of permissions.

The roles, the endpoint policies and the stores' own policies are made from it, so they cannot disagree. An action stands here because a
line of that function's code needs it, and for no other reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from stacks.settings import Function, Service
from stacks.stores import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stacks.stores import Stores


class Path(StrEnum):
    """How a call gets from its caller to the service."""

    ENDPOINT = "endpoint"
    """The function's code calls, from its subnets, through the VPC endpoint."""
    LAMBDA = "lambda"
    """Lambda's own service calls with the function's role, from outside the VPC. The function's code is denied it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """One permission.

    Attributes:
        function: Whose role has it.
        service: The service that is called.
        actions: IAM actions.
        resource: The ARN; ``*`` only where IAM has no narrower resource for the action.
        reason: What it is for.
        path: How the call travels.
        needs_grant: False where IAM asks the caller for no permission; the endpoint's policy still has to admit it.
    """

    function: Function
    service: Service
    actions: tuple[str, ...]
    resource: str
    reason: str
    path: Path = Path.ENDPOINT
    needs_grant: bool = True


def access_table(stores: Stores) -> tuple[Access, ...]:
    """Give every permission that a function's role has on the application's data.

    What Lambda needs to run a function at all (its log group, its network interfaces) is in ``RoleFunction``.
    """
    events, keys = stores.arn(Store.EVENTS), stores.arn(Store.API_KEYS)
    queue = stores.arn(Store.EVENT_QUEUE)
    objects = f"{stores.arn(Store.PAYLOADS)}/*"
    return (
        Access(
            function=Function.API,
            service=Service.DYNAMODB,
            actions=("dynamodb:PutItem", "dynamodb:GetItem"),
            resource=events,
            reason="accept an event; give an event to its tenant; readiness",
        ),
        Access(
            function=Function.API,
            service=Service.S3,
            actions=("s3:PutObject", "s3:GetObject"),
            resource=objects,
            reason="large payloads; the key is tenant and event, which only the request knows",
        ),
        Access(
            function=Function.API,
            service=Service.SQS,
            actions=("sqs:SendMessage", "sqs:GetQueueAttributes"),
            resource=queue,
            reason="announce an accepted event; readiness",
        ),
        Access(
            function=Function.API,
            service=Service.STS,
            actions=("sts:GetCallerIdentity",),
            resource="*",
            reason="readiness tells whose role answers; the action has no resource and needs no grant",
            needs_grant=False,
        ),
        Access(
            function=Function.AUTHORIZER,
            service=Service.DYNAMODB,
            actions=("dynamodb:GetItem",),
            resource=keys,
            reason="find the tenant of an API key",
        ),
        Access(
            function=Function.WORKER,
            service=Service.DYNAMODB,
            actions=("dynamodb:UpdateItem",),
            resource=events,
            reason="make an event available",
        ),
        Access(
            function=Function.WORKER,
            service=Service.SQS,
            actions=("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
            resource=queue,
            reason="the event source mapping polls the queue",
            path=Path.LAMBDA,
        ),
        Access(
            function=Function.SWEEPER,
            service=Service.DYNAMODB,
            actions=("dynamodb:Query",),
            resource=f"{events}/index/pending",
            reason="find events that are due to be sent again",
        ),
        Access(
            function=Function.SWEEPER,
            service=Service.DYNAMODB,
            actions=("dynamodb:UpdateItem",),
            resource=events,
            reason="take the turn to send an event again",
        ),
        Access(
            function=Function.SWEEPER,
            service=Service.SQS,
            actions=("sqs:SendMessage",),
            resource=queue,
            reason="send an event again",
        ),
    )


_KEY_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    # DynamoDB opens the table's key as whoever calls, whatever the call.
    "dynamodb:GetItem": ("kms:Decrypt",),
    "dynamodb:PutItem": ("kms:Decrypt",),
    "dynamodb:UpdateItem": ("kms:Decrypt",),
    "dynamodb:Query": ("kms:Decrypt",),
    # SQS tries a new data key before it encrypts with it.
    "sqs:SendMessage": ("kms:Decrypt", "kms:GenerateDataKey"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    "sqs:DeleteMessage": (),
    "sqs:GetQueueAttributes": (),
    "s3:GetObject": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey",),
    "sts:GetCallerIdentity": (),
}
"""What each action needs on the key of the store, where it is the account's own.

The services call KMS themselves, so the VPC needs no endpoint for it.
https://docs.aws.amazon.com/kms/latest/developerguide/service-integration.html
"""


def key_actions(entry: Access) -> frozenset[str]:
    """Give what the role needs on a key of the account's own to use this permission.

    Raises:
        KeyError: Nobody has said what one of the actions needs.
    """
    return frozenset(needed for action in entry.actions for needed in _KEY_ACTIONS[action])


def key_uses(access: Iterable[Access]) -> dict[tuple[Function, Service], frozenset[str]]:
    """Give what each function's role does with a key of the account's own, by the service that uses it for the role."""
    uses: dict[tuple[Function, Service], frozenset[str]] = {}
    for entry in access:
        if actions := key_actions(entry):
            uses[entry.function, entry.service] = uses.get((entry.function, entry.service), frozenset()) | actions
    return uses
