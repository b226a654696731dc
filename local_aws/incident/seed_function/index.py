"""The specimen's Lambda handler: store an event, queue it, and say what was observed."""

import asyncio

import observed
from aws import get_sqs_client
from queue_service import QueueService


async def store_and_queue():
    service = QueueService()
    return {
        "stored": await service.store_event("customer-1", "event-1", {"order": "1042"}),
        "queued": await service.enqueue_event("customer-1", "event-1", {"order": "1042"}),
    }


def handler(event, context):
    observed.calls.clear()
    result = asyncio.run(store_and_queue())
    return result | {"calls": observed.calls, "credentials": observed.credentials_of(get_sqs_client())}
