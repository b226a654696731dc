"""Sends what was ordered, and tells everybody who wants to know."""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Any

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
secrets = boto3.client("secretsmanager")
sns = boto3.client("sns")


def handler(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """Takes a batch from the queue; answers which messages have to come again."""
    failed = []
    token = secrets.get_secret_value(SecretId=os.environ["CARRIER_SECRET_ARN"])["SecretString"]
    for record in event["Records"]:
        try:
            fulfil(json.loads(record["body"])["id"], token)
        except OSError:
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def fulfil(order_id: str, token: str) -> None:
    """Has the carrier fetch one order."""
    headers = {"Authorization": f"Bearer {token}"}
    urllib.request.urlopen(
        urllib.request.Request(f"https://carrier.example/orders/{order_id}", headers=headers, method="PUT"), timeout=5
    )
    key = {"pk": order_id, "sk": "order"}
    table.update_item(Key=key, UpdateExpression="SET shipped = :yes", ExpressionAttributeValues={":yes": True})
    sns.publish(TopicArn=os.environ["SHIPPED_TOPIC_ARN"], Message=order_id)
