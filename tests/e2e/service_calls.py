"""What AWS's services do with the roles of the application, as calls that the role's own credentials can make.

The local AWS writes logs, polls queues and starts functions without asking the role, and makes no network interface for
a function. Its IAM does judge these calls when they come with the role's credentials.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from event_api.role_clients import AWS_ERRORS, classify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local_aws.cloud import Cloud
    from tests.e2e.roles import Grant, Role

    ServiceCall = Callable[[Cloud, Cloud, Grant], None]
    """Takes the cloud called as the role, the operator's, and what is granted; raises what the service answers."""


@contextmanager
def _admitted(code: str) -> Iterator[None]:
    """An answer with this error is one that IAM has let through."""
    try:
        yield
    except AWS_ERRORS as error:
        if classify(error).code != code:
            raise


def _receive(as_role: Cloud, operator: Cloud, grant: Grant) -> None:
    as_role.call("sqs", "ReceiveMessage", QueueUrl=_queue(operator, grant), VisibilityTimeout=0)


def _delete(as_role: Cloud, operator: Cloud, grant: Grant) -> None:
    # The handle of no message: a real one would be the worker's.
    with _admitted("ReceiptHandleIsInvalid"):
        as_role.call("sqs", "DeleteMessage", QueueUrl=_queue(operator, grant), ReceiptHandle="none")


def _attributes(as_role: Cloud, operator: Cloud, grant: Grant) -> None:
    as_role.call("sqs", "GetQueueAttributes", QueueUrl=_queue(operator, grant), AttributeNames=["QueueArn"])


def _start(as_role: Cloud, _operator: Cloud, grant: Grant) -> None:
    (function,) = grant.resources
    as_role.call("lambda", "Invoke", FunctionName=function, InvocationType="DryRun")


def _describe_interfaces(as_role: Cloud, _operator: Cloud, _grant: Grant) -> None:
    as_role.call("ec2", "DescribeNetworkInterfaces")


def _describe_subnets(as_role: Cloud, _operator: Cloud, _grant: Grant) -> None:
    as_role.call("ec2", "DescribeSubnets")


def _create_interface(as_role: Cloud, operator: Cloud, grant: Grant) -> None:
    (group,) = (one for one in grant.resources if ":security-group/" in one)
    subnets = [one for one in grant.resources if ":subnet/" in one]
    for subnet in subnets:
        made = as_role.call(
            "ec2", "CreateNetworkInterface", SubnetId=subnet.rpartition("/")[2], Groups=[group.rpartition("/")[2]]
        )
        operator.call(
            "ec2", "DeleteNetworkInterface", NetworkInterfaceId=made["NetworkInterface"]["NetworkInterfaceId"]
        )


def _delete_interface(as_role: Cloud, operator: Cloud, _grant: Grant) -> None:
    with _interface(operator) as interface:
        as_role.call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=interface)


def _assign(as_role: Cloud, operator: Cloud, _grant: Grant) -> None:
    # The local AWS judges these two calls, but cannot carry them out.
    with _interface(operator) as interface, _admitted("InvalidAction"):
        as_role.call("ec2", "AssignPrivateIpAddresses", NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=1)


def _unassign(as_role: Cloud, operator: Cloud, _grant: Grant) -> None:
    with _interface(operator) as interface, _admitted("InvalidAction"):
        as_role.call("ec2", "UnassignPrivateIpAddresses", NetworkInterfaceId=interface, PrivateIpAddresses=["10.0.0.9"])


def _queue(operator: Cloud, grant: Grant) -> str:
    (arn,) = grant.resources
    url: str = operator.call("sqs", "GetQueueUrl", QueueName=arn.rpartition(":")[2])["QueueUrl"]
    return url


@contextmanager
def _interface(operator: Cloud) -> Iterator[str]:
    """A network interface that the operator made, gone afterwards."""
    subnet: dict[str, Any] = operator.call("ec2", "DescribeSubnets")["Subnets"][0]
    made = operator.call("ec2", "CreateNetworkInterface", SubnetId=subnet["SubnetId"])["NetworkInterface"]
    try:
        yield made["NetworkInterfaceId"]
    finally:
        with _admitted("InvalidNetworkInterfaceID.NotFound"):
            operator.call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=made["NetworkInterfaceId"])


def service_call(role: Role, grant: Grant) -> ServiceCall | None:
    """The call that a service makes as this role with this grant; none for what the function's own code uses."""
    return _BY_ROLE.get((role.name, grant.action)) or _BY_ACTION.get(grant.action)


_BY_ROLE: Final[Mapping[tuple[str, str], ServiceCall]] = {
    # The event source mapping.
    ("worker", "sqs:ReceiveMessage"): _receive,
    ("worker", "sqs:DeleteMessage"): _delete,
    ("worker", "sqs:GetQueueAttributes"): _attributes,
    # The schedule.
    ("SweepRole", "lambda:InvokeFunction"): _start,
}

_BY_ACTION: Final[Mapping[str, ServiceCall]] = {
    # Lambda, for any function in the VPC.
    "ec2:CreateNetworkInterface": _create_interface,
    "ec2:DeleteNetworkInterface": _delete_interface,
    "ec2:AssignPrivateIpAddresses": _assign,
    "ec2:UnassignPrivateIpAddresses": _unassign,
    "ec2:DescribeNetworkInterfaces": _describe_interfaces,
    "ec2:DescribeSubnets": _describe_subnets,
}
