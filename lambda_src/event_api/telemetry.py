"""One log and one metric namespace for all functions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from event_api.role_clients import AwsFailure, CredentialSourceError, classify

if TYPE_CHECKING:
    from collections.abc import Callable

    from event_api.role_clients import RoleClients

METRIC_NAMESPACE: Final = "Rolebound"

CREDENTIAL_ERRORS: Final = "CredentialErrors"
"""The metric that the credential alarm watches: counts calls that AWS refused because of who signed them."""

logger: Final = Logger(service=os.environ.get("POWERTOOLS_SERVICE_NAME", "event_api"))


class CallFailed(Exception):
    """A failed AWS call that ``report`` has told of, for a handler to raise.

    Lambda logs the text of whatever a handler raises, and the SDK's own text may quote the signed request.

    Args:
        failure: What ``report`` gave.
    """

    def __init__(self, failure: AwsFailure) -> None:
        super().__init__(
            f"{failure.operation or 'An AWS call'} failed: {failure.code} (AWS request "
            f"{failure.request_id or 'never made'}). The line before with failure={failure.kind} says why and what to do."
        )


def make_at_start_up(clients: RoleClients, *services: str) -> None:
    """Make clients while Lambda gives start-up its full processor.

    A refusal is left to the first invocation, which meets it again and has somebody to answer.

    Args:
        clients: The function's factory.
        services: The SDK's names of the services.
    """
    try:
        for service in services:
            clients.client(service)
    except CredentialSourceError:
        logger.debug("No client was made at start-up")


def report(error: Exception) -> AwsFailure:
    """Write the one log line that a failed AWS call gets, and count it if credentials were at fault.

    Args:
        error: One of ``role_clients.AWS_ERRORS``.

    Returns:
        The error's reading, for whoever has to answer the caller.
    """
    failure = classify(error)
    write: Callable[..., None] = logger.error if failure.is_credential_fault else logger.warning
    write(
        failure.detail or failure.code,
        extra={
            "failure": failure.kind.value,
            "code": failure.code,
            "operation": failure.operation,
            "aws_request_id": failure.request_id,
        },
    )
    if failure.is_credential_fault:
        count(CREDENTIAL_ERRORS)
    return failure


def count(metric: str, value: int = 1) -> None:
    """Publish a count at once, through the log, so that a crash afterwards does not lose it.

    Args:
        metric: The metric's name.
        value: How many.
    """
    with single_metric(
        name=metric,
        unit=MetricUnit.Count,
        value=value,
        namespace=METRIC_NAMESPACE,
        default_dimensions={
            "environment": os.environ.get("ROLEBOUND_ENVIRONMENT", "unknown"),
            "service": os.environ.get("POWERTOOLS_SERVICE_NAME", "event_api"),
        },
    ):
        pass
