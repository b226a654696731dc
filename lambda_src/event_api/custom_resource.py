"""Answers CloudFormation, whatever happens: without an answer a deployment waits for an hour."""

from __future__ import annotations

import json
import logging
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from event_api.role_clients import AWS_ERRORS, classify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_lambda_powertools.utilities.typing import LambdaContext

_ANSWER_TIMEOUT_SECONDS: Final = 10


class CannotBeDone(Exception):
    """What CloudFormation asked for cannot be done. The text is the reason that the deployment shows."""


@contextmanager
def answered(event: dict[str, Any], context: LambdaContext, *, physical_id: str) -> Iterator[dict[str, str]]:
    """Answer a request with what the block comes to: success with its attributes, or failure with its reason.

    Args:
        event: The custom resource's request.
        context: Lambda's.
        physical_id: The resource's id, the same for all requests.

    Yields:
        The resource's attributes, for the block to fill in.

    Raises:
        OSError: The answer could not be delivered; Lambda then invokes the function again.
    """
    attributes: dict[str, str] = {}
    answer: dict[str, Any] = {
        "Status": "SUCCESS",
        "PhysicalResourceId": physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": attributes,
    }
    try:
        yield attributes
    except AWS_ERRORS as error:
        failure = classify(error)
        answer |= {"Status": "FAILED", "Reason": f"{failure.code}: {failure.detail}"[:1000]}
    except CannotBeDone as error:
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
