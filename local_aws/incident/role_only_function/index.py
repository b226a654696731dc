"""The same calls on the role-only factory, and one call that the role is not granted."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from event_api.role_clients import AWS_ERRORS, RoleClients, classify

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENTS = RoleClients(os.environ["AWS_REGION"])


def handler(event: object, context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Store an event, queue it, try what is not granted, and say what was observed."""
    table, queue = os.environ["DYNAMODB_TABLE_NAME"], os.environ["SQS_EVENT_QUEUE_URL"]
    dynamodb, sqs, sts = CLIENTS.client("dynamodb"), CLIENTS.client("sqs"), CLIENTS.client("sts")
    item = {"pk": {"S": "event-1"}, "customer": {"S": "customer-1"}, "payload": {"S": json.dumps({"order": "1042"})}}
    body = json.dumps({"customer_id": "customer-1", "event_id": "event-1", "payload": {"order": "1042"}})
    calls = [
        observe("STS", "GetCallerIdentity", lambda: sts.get_caller_identity()["Arn"]),
        observe("DynamoDB", "PutItem", lambda: dynamodb.put_item(TableName=table, Item=item)),
        observe("SQS", "SendMessage", lambda: sqs.send_message(QueueUrl=queue, MessageBody=body)),
        observe("SQS", "PurgeQueue", lambda: sqs.purge_queue(QueueUrl=queue)),
    ]
    return {"calls": calls, "credentials": credentials_of(sqs)}


def observe(service: str, operation: str, call: Callable[[], object]) -> dict[str, str | None]:
    """Make one call, once, and note how it ended."""
    try:
        answer = call()
    except AWS_ERRORS as error:
        failure = classify(error)
        return {"service": service, "operation": operation, "error": failure.code, "detail": failure.detail}
    return {
        "service": service,
        "operation": operation,
        "error": None,
        "detail": answer if isinstance(answer, str) else "ok",
    }


def credentials_of(client: Any) -> dict[str, str]:  # noqa: ANN401 - the SDK's clients are made at run time
    """The last four characters of the key id that a client signs with, and whether it has a session token."""
    signs_with = client._request_signer._credentials.get_frozen_credentials()  # noqa: SLF001 - there is no public way
    return {"key_id_ends": signs_with.access_key[-4:], "session_token": "present" if signs_with.token else "absent"}
