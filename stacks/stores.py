"""Where data is kept, by names that are known before any of it exists.

So policies can name a store in a stack that is deployed before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from aws_cdk import Aws
from aws_cdk.region_info import RegionInfo

if TYPE_CHECKING:
    from stacks.settings import Settings


class Store(StrEnum):
    """The tables, queues and the bucket, by the last part of their physical names."""

    EVENTS = "events"
    API_KEYS = "api-keys"
    EVENT_QUEUE = "event-queue"
    DEAD_LETTERS = "dead-letters"
    PAYLOADS = "payloads"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stores:
    """The stores of one deployment."""

    prefix: str
    partition: str
    account: str
    region: str

    @classmethod
    def of(cls, settings: Settings) -> Stores:
        """Give the stores of a deployment; its account may be known only then."""
        return cls(
            prefix=settings.prefix,
            partition=RegionInfo.get(settings.region).partition or Aws.PARTITION,
            account=settings.account or Aws.ACCOUNT_ID,
            region=settings.region,
        )

    def name(self, store: Store) -> str:
        """Give the physical name. Those of buckets are the world's: account and region keep them apart."""
        if store is Store.PAYLOADS:
            return f"{self.prefix}-{self.account}-{self.region}-{store}"
        return f"{self.prefix}-{store}"

    def arn(self, store: Store) -> str:
        """Give the ARN."""
        name = self.name(store)
        match store:
            case Store.EVENTS | Store.API_KEYS:
                return f"arn:{self.partition}:dynamodb:{self.region}:{self.account}:table/{name}"
            case Store.EVENT_QUEUE | Store.DEAD_LETTERS:
                return f"arn:{self.partition}:sqs:{self.region}:{self.account}:{name}"
            case Store.PAYLOADS:
                return f"arn:{self.partition}:s3:::{name}"
