"""Powertools' resolver with validation, pydantic and boto3: what its documentation and the handler cookbook show.

Leaner than the cookbook itself: no tracer, no feature flags, no idempotency, and plain clients in place of the resource.
"""

import json
import os
from typing import Annotated, Any
from uuid import uuid4

import boto3  # noqa: TID251 - not our code: what it is compared with
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field

logger = Logger()
metrics = Metrics()
app = APIGatewayHttpResolver(enable_validation=True)

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")


class EventInput(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    data: Any


class Accepted(BaseModel):
    """The answer to an accepted event."""

    id: str
    status: str


class Event(BaseModel):
    """An event as a client reads it."""

    id: str
    type: str
    data: Any
    status: str


class Health(BaseModel):
    """The answer of the health route."""

    status: str


@app.get("/v1/health")
def health() -> Health:
    """Answer without a call."""
    return Health(status="ok")


@app.post("/v1/events")
def accept(event: EventInput) -> tuple[Accepted, int]:
    """Store an event and queue a reference to it."""
    event_id = uuid4().hex
    tenant_id = _tenant()
    dynamodb.put_item(
        TableName=os.environ["EVENTS_TABLE"],
        Item={
            "tenant_id": {"S": tenant_id},
            "event_id": {"S": event_id},
            "type": {"S": event.type},
            "status": {"S": "accepted"},
            "data": {"S": json.dumps(event.data)},
        },
        ConditionExpression="attribute_not_exists(event_id)",
    )
    sqs.send_message(
        QueueUrl=os.environ["EVENT_QUEUE_URL"],
        MessageBody=json.dumps({"tenant_id": tenant_id, "event_id": event_id}),
    )
    metrics.add_metric(name="EventsAccepted", unit=MetricUnit.Count, value=1)
    return Accepted(id=event_id, status="accepted"), 202


@app.get("/v1/events/<event_id>")
def read(event_id: str) -> Event:
    """Give one of the tenant's events."""
    item = dynamodb.get_item(
        TableName=os.environ["EVENTS_TABLE"],
        Key={"tenant_id": {"S": _tenant()}, "event_id": {"S": event_id}},
    ).get("Item")
    if item is None:
        raise NotFoundError("There is no such event")
    return Event(id=event_id, type=item["type"]["S"], data=json.loads(item["data"]["S"]), status=item["status"]["S"])


def _tenant() -> str:
    authorizer = app.current_event.request_context.authorizer
    return str(authorizer.get_lambda["tenant_id"]) if authorizer else ""


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return app.resolve(event, context)
