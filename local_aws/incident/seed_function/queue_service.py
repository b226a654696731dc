"""The seed's app/services/queue_service.py, and its counterpart for the table."""

import json
import logging
from time import sleep

from aws import clear_aws_clients, get_dynamodb_resource, get_sqs_client, settings
from botocore.exceptions import ClientError
from observed import note

logger = logging.getLogger(__name__)


class QueueService:
    def __init__(self):
        self._needs_refresh = False

    @property
    def sqs_client(self):
        client = get_sqs_client(force_refresh=self._needs_refresh)
        self._needs_refresh = False
        return client

    @property
    def table(self):
        resource = get_dynamodb_resource(force_refresh=self._needs_refresh)
        self._needs_refresh = False
        return resource.Table(settings.dynamodb_table_name)

    async def store_event(self, customer_id: str, event_id: str, payload: dict) -> bool:
        return self._try_three_times(
            "DynamoDB",
            "PutItem",
            lambda: self.table.put_item(Item={"pk": event_id, "customer": customer_id, "payload": json.dumps(payload)}),
        )

    async def enqueue_event(self, customer_id: str, event_id: str, payload: dict) -> bool:
        body = {"customer_id": customer_id, "event_id": event_id, "payload": payload}
        return self._try_three_times(
            "SQS",
            "SendMessage",
            lambda: self.sqs_client.send_message(QueueUrl=settings.sqs_event_queue_url, MessageBody=json.dumps(body)),
        )

    def _try_three_times(self, service, operation, call) -> bool:
        max_retries = 3
        for attempt in range(max_retries):
            try:
                call()
                note(service, operation, "ok")
                return True

            except ClientError as e:
                note(service, operation, e)
                error_code = e.response.get("Error", {}).get("Code", "")
                if error_code in ["InvalidClientTokenId", "UnrecognizedClientException"]:
                    if attempt < max_retries - 1:
                        wait_time = 0.5 * (2**attempt)  # Exponential backoff
                        logger.warning(
                            f"Credential error (attempt {attempt + 1}/{max_retries}), "
                            f"retrying in {wait_time}s with credential refresh..."
                        )
                        sleep(wait_time)
                        # Clear all cached clients and force credential refresh
                        clear_aws_clients()
                        # Mark that we need to force refresh on next client access
                        self._needs_refresh = True
                        continue
                logger.error(f"Error in {service} {operation}: {e}")
                return False
        return False
