"""The deployments that the tests look at: few, and together every setting that changes what is synthesised."""

from __future__ import annotations

from typing import Final

DEV: Final[dict[str, str]] = {}
"""What `cdk.json` alone gives."""

PROD: Final = {
    "environment": "prod",
    "account": "111122223333",
    "az_count": "3",
    "event_retention_days": "365",
    "log_retention_days": "90",
    "alarm_topic": "arn:aws:sns:us-east-1:111122223333:operators",
    "organization": "o-exampleorgid",
    "encryption": "customer",
    "permissions_boundary": "team-boundary",
}
"""The largest, in a known account of an organisation, with a key and a permissions boundary of its own."""

SMALL: Final = {"region": "eu-central-1", "az_count": "1", "endpoints": "dynamodb,s3,sqs"}
"""The smallest, in another region and without STS."""

LOCAL: Final = {"target": "local"}
"""For the local AWS."""

X86: Final = {"architecture": "x86_64"}
"""On the other processor."""

ALL: Final = (DEV, PROD, SMALL, LOCAL, X86)
