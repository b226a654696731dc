"""Puts an order into the table and hands it to those who fulfil it."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
sqs = boto3.client("sqs")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers a POST of /orders."""
    order = json.loads(event["body"])
    table.put_item(
        Item={"pk": order["id"], "sk": "order", "state": "new"}, ConditionExpression="attribute_not_exists(pk)"
    )
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"id": order["id"]}))
    return {"statusCode": 202}
