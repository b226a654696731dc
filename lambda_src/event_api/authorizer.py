"""Lambda authorizer of the HTTP API: turns an API key into a tenant, or into a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from event_api.api_keys import tenant_of
from event_api.role_clients import AWS_ERRORS, RoleClients
from event_api.settings import required
from event_api.telemetry import CallFailed, logger, make_at_start_up, report

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_table = required("API_KEYS_TABLE")
_clients = RoleClients(required("AWS_REGION"))
make_at_start_up(_clients, "dynamodb")


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer in API Gateway's simple form.

    Returns:
        ``isAuthorized`` and, where it is true, the context ``tenant_id``.

    Raises:
        CallFailed: The key table could not be read; API Gateway answers 500 and caches nothing.
    """
    logger.append_keys(request_id=context.aws_request_id)
    api_key = (event.get("headers") or {}).get("x-api-key", "")
    try:
        tenant_id = tenant_of(api_key, dynamodb=_clients.client("dynamodb"), table=_table)
    except AWS_ERRORS as error:
        raise CallFailed(report(error)) from None
    if tenant_id is None:
        return {"isAuthorized": False}
    return {"isAuthorized": True, "context": {"tenant_id": tenant_id}}
