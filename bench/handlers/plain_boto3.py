"""No framework: boto3 and Powertools' logger, a dictionary of routes, validation by hand."""

import json
import os
import re
from typing import Any
from uuid import uuid4

import boto3  # noqa: TID251 - not our code: what it is compared with
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")

TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def health(_event: dict[str, Any]) -> dict[str, Any]:
    """Answer without a call."""
    return response(200, {"status": "ok"})


def accept(event: dict[str, Any]) -> dict[str, Any]:
    """Store an event and queue a reference to it."""
    try:
        body = json.loads(event.get("body") or "")
    except ValueError:
        return response(400, {"message": "The body is no JSON"})
    if not isinstance(body, dict) or body.keys() != {"type", "data"}:
        return response(400, {"message": "The body is no event"})
    if not isinstance(body["type"], str) or not TYPE.fullmatch(body["type"]):
        return response(400, {"message": "The type is no event type"})
    event_id = uuid4().hex
    dynamodb.put_item(
        TableName=os.environ["EVENTS_TABLE"],
        Item={
            "tenant_id": {"S": tenant(event)},
            "event_id": {"S": event_id},
            "type": {"S": body["type"]},
            "status": {"S": "accepted"},
            "data": {"S": json.dumps(body["data"])},
        },
        ConditionExpression="attribute_not_exists(event_id)",
    )
    sqs.send_message(
        QueueUrl=os.environ["EVENT_QUEUE_URL"],
        MessageBody=json.dumps({"tenant_id": tenant(event), "event_id": event_id}),
    )
    return response(202, {"id": event_id, "status": "accepted"})


def read(event: dict[str, Any]) -> dict[str, Any]:
    """Give one of the tenant's events."""
    event_id = event["pathParameters"]["id"]
    item = dynamodb.get_item(
        TableName=os.environ["EVENTS_TABLE"],
        Key={"tenant_id": {"S": tenant(event)}, "event_id": {"S": event_id}},
    ).get("Item")
    if item is None:
        return response(404, {"message": "There is no such event"})
    return response(
        200,
        {
            "id": event_id,
            "type": item["type"]["S"],
            "data": json.loads(item["data"]["S"]),
            "status": item["status"]["S"],
        },
    )


def tenant(event: dict[str, Any]) -> str:
    """Say whose request it is, from the authorizer's answer."""
    return str(event["requestContext"].get("authorizer", {}).get("lambda", {}).get("tenant_id", ""))


def response(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """Write a response in API Gateway's form."""
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}


ROUTES = {"GET /v1/health": health, "POST /v1/events": accept, "GET /v1/events/{id}": read}


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one request."""
    return ROUTES[event["routeKey"]](event)
