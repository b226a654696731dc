"""Custom resource of the network stack: names the prefix lists behind the gateway endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from event_api.custom_resource import CannotBeDone, answered
from event_api.role_clients import RoleClients
from event_api.settings import required

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_PHYSICAL_ID: Final = "gateway-prefix-lists"

_clients: Final = RoleClients(required("AWS_REGION"))


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Tell CloudFormation the ids by service.

    Args:
        event: The custom resource's request; ``Names`` holds names such as ``com.amazonaws.eu-west-1.s3``.
        context: Lambda's.
    """
    with answered(event, context, physical_id=_PHYSICAL_ID) as attributes:
        if event["RequestType"] != "Delete":
            attributes.update(_ids_by_service(event["ResourceProperties"]["Names"]))


def _ids_by_service(names: list[str]) -> dict[str, str]:
    answer = _clients.client("ec2").describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": names}]
    )
    found = {entry["PrefixListName"]: entry["PrefixListId"] for entry in answer["PrefixLists"]}
    missing = [name for name in names if name not in found]
    if missing:
        raise CannotBeDone(
            f"EC2 knows no prefix list {', '.join(missing)}, so egress to that gateway endpoint cannot be allowed. "
            "Check that the region offers the service."
        )
    return {name.rpartition(".")[2]: found[name] for name in names}
