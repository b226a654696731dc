"""Reads one order."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers a GET of /orders/{order_id}."""
    found = table.get_item(Key={"pk": event["pathParameters"]["order_id"], "sk": "order"}).get("Item")
    return {"statusCode": 200, "body": json.dumps(found)} if found else {"statusCode": 404}
