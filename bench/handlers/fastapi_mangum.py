"""FastAPI behind Mangum, settings by pydantic, boto3's resource and client made when first used: the seed's style.

Without its fault (no key is taken from the settings) and without its call to STS, which would only add to its time.
"""

import json
import logging
from functools import lru_cache
from typing import Annotated, Any
from uuid import uuid4

import boto3  # noqa: TID251 - not our code: what it is compared with
from botocore.config import Config  # noqa: TID251
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from mangum import Mangum
from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings

logging.getLogger().setLevel(logging.INFO)


class Settings(BaseSettings):
    """What the deployment sets."""

    aws_region: str = "us-east-1"
    events_table: str
    event_queue_url: str


@lru_cache
def get_settings() -> Settings:
    """Read the settings once."""
    return Settings()


@lru_cache
def get_session() -> boto3.Session:
    """Make the session once."""
    return boto3.Session(region_name=get_settings().aws_region)


def get_boto3_config() -> Config:
    """Time-outs and retries of all clients."""
    return Config(connect_timeout=5, read_timeout=5, retries={"max_attempts": 3})


@lru_cache
def get_sqs_client() -> Any:  # noqa: ANN401 - boto3 makes the type at run time
    """Make the queue's client when it is first used."""
    return get_session().client("sqs", config=get_boto3_config())


@lru_cache
def get_events_table() -> Any:  # noqa: ANN401 - as above
    """Make the table's resource when it is first used."""
    return get_session().resource("dynamodb", config=get_boto3_config()).Table(get_settings().events_table)


def get_tenant(request: Request) -> str:
    """Say whose request it is, from the authorizer's answer."""
    authorizer = request.scope["aws.event"]["requestContext"].get("authorizer", {})
    return str(authorizer.get("lambda", {}).get("tenant_id", ""))


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


router = APIRouter(prefix="/v1")


@router.get("/health")
def health() -> Health:
    """Answer without a call."""
    return Health(status="ok")


@router.post("/events", status_code=202)
def accept(event: EventInput, tenant_id: Annotated[str, Depends(get_tenant)]) -> Accepted:
    """Store an event and queue a reference to it."""
    event_id = uuid4().hex
    get_events_table().put_item(
        Item={
            "tenant_id": tenant_id,
            "event_id": event_id,
            "type": event.type,
            "status": "accepted",
            "data": json.dumps(event.data),
        },
        ConditionExpression="attribute_not_exists(event_id)",
    )
    get_sqs_client().send_message(
        QueueUrl=get_settings().event_queue_url,
        MessageBody=json.dumps({"tenant_id": tenant_id, "event_id": event_id}),
    )
    return Accepted(id=event_id, status="accepted")


@router.get("/events/{event_id}")
def read(event_id: str, tenant_id: Annotated[str, Depends(get_tenant)]) -> Event:
    """Give one of the tenant's events."""
    item = get_events_table().get_item(Key={"tenant_id": tenant_id, "event_id": event_id}).get("Item")
    if item is None:
        raise HTTPException(404, "There is no such event")
    return Event(id=event_id, type=item["type"], data=json.loads(item["data"]), status=item["status"])


app = FastAPI(title="Event inbox")
app.include_router(router)
handler = Mangum(app, lifespan="off")
