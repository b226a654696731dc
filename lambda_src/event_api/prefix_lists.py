"""Custom resource of the network stack: names the prefix lists behind the gateway endpoints."""

from __future__ import annotations

import json
import logging
import urllib.request
from typing import TYPE_CHECKING, Any, Final

from event_api.role_clients import AWS_ERRORS, RoleClients, classify
from event_api.settings import required

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_PHYSICAL_ID: Final = "gateway-prefix-lists"
_ANSWER_TIMEOUT_SECONDS: Final = 10

_clients: Final = RoleClients(required("AWS_REGION"))


class _NoSuchList(Exception):
    """EC2 does not know a prefix list by one of the names."""


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Answer CloudFormation, whatever happens: without an answer a deployment waits for an hour.

    Args:
        event: The custom resource's request; ``Names`` holds names such as ``com.amazonaws.eu-west-1.s3``.
        context: Lambda's.
    """
    answer: dict[str, Any] = {
        "Status": "SUCCESS",
        "PhysicalResourceId": _PHYSICAL_ID,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {},
    }
    try:
        if event["RequestType"] != "Delete":
            answer["Data"] = _ids_by_service(event["ResourceProperties"]["Names"])
    except AWS_ERRORS as error:
        failure = classify(error)
        answer |= {"Status": "FAILED", "Reason": f"{failure.code}: {failure.detail}"[:1000]}
    except _NoSuchList as error:
        answer |= {"Status": "FAILED", "Reason": str(error)[:1000]}
    except Exception as error:
        logging.getLogger(__name__).exception("A fault of this function")
        reason = f"{type(error).__name__} in this function. The log group {context.log_group_name} has its trace."
        answer |= {"Status": "FAILED", "Reason": reason}
    request = urllib.request.Request(  # noqa: S310 - CloudFormation's own pre-signed HTTPS address
        event["ResponseURL"], data=json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=_ANSWER_TIMEOUT_SECONDS):  # noqa: S310 - as above
        pass


def _ids_by_service(names: list[str]) -> dict[str, str]:
    answer = _clients.client("ec2").describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": names}]
    )
    found = {entry["PrefixListName"]: entry["PrefixListId"] for entry in answer["PrefixLists"]}
    missing = [name for name in names if name not in found]
    if missing:
        raise _NoSuchList(
            f"EC2 knows no prefix list {', '.join(missing)}, so egress to that gateway endpoint cannot be allowed. "
            "Check that the region offers the service."
        )
    return {name.rpartition(".")[2]: found[name] for name in names}
