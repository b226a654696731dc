"""What must never be lost: events, their large payloads, the queue that carries references to them, and API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from stacks.access import key_uses
from stacks.acknowledgements import acknowledge
from stacks.constructs.data_key import DataKey, RoleUse
from stacks.resource_policies import no_plain_http, no_strangers, through_endpoints
from stacks.settings import Encryption, Function, Removal
from stacks.stores import Store, Stores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from stacks.access import Access
    from stacks.settings import Service, Settings

WORKER_TIMEOUT: Final = Duration.seconds(60)
"""The queue hides a message for six times this, as Lambda's poller needs; so the queue's side knows it."""

_MAX_RECEIVES: Final = 5


class DataStack(Stack):
    """Tables, queues and the payload bucket.

    Attributes:
        events: The events table; key (``tenant_id``, ``event_id``), sparse index ``pending``.
        api_keys: Hashes of API keys under ``key_id``.
        event_queue: References to accepted events.
        dead_letters: References that the worker failed on too often.
        payloads: Payloads too large for an item, under ``tenant_id/event_id``.
        key: The key that all of it is encrypted with; ``None`` for those of the services.
    """

    key: kms.IKey | None

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        access: Sequence[Access],
        endpoints: Mapping[Service, str],
        **kwargs: Any,  # noqa: ANN401 - StackProps, handed through
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        stores = Stores.of(settings)
        roles = {
            function: self.format_arn(
                service="iam", region="", resource="role", resource_name=settings.role_name(function)
            )
            for function in Function
        }

        def refusals(store: Store, actions: str, *below: str) -> list[iam.PolicyStatement]:
            """What the store's policy refuses for itself and for what is below it."""
            arn = stores.arn(store)
            return [
                no_strangers(
                    settings,
                    account=self.account,
                    actions=actions,
                    resources=[arn, *(f"{arn}{part}" for part in below)],
                ),
                *through_endpoints(access, arn=arn, endpoints=endpoints, roles=roles),
            ]

        def table_policy(store: Store) -> iam.PolicyDocument:
            arn = stores.arn(store)
            return iam.PolicyDocument(
                statements=[
                    # Queue and bucket have a switch for it; a table has none.
                    no_plain_http(actions="dynamodb:*", resources=[arn, f"{arn}/*"]),
                    *refusals(store, "dynamodb:*", "/*"),
                ]
            )

        keep = settings.removal_policy is Removal.RETAIN
        removal = RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY
        recovery = dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)

        self.key = None
        if settings.encryption is Encryption.CUSTOMER:
            self.key = DataKey(
                self,
                "Key",
                alias=f"{settings.prefix}-data",
                services=["dynamodb", "sqs", "s3"],
                uses=[
                    RoleUse(role=roles[function], service=service, actions=actions)
                    for (function, service), actions in key_uses(access).items()
                ],
                removal=removal,
            ).key
        table_encryption = dynamodb.TableEncryptionV2.customer_managed_key(self.key) if self.key else None
        queue_encryption = sqs.QueueEncryption.KMS if self.key else sqs.QueueEncryption.SQS_MANAGED

        self.events = dynamodb.TableV2(
            self,
            "Events",
            table_name=stores.name(Store.EVENTS),
            resource_policy=table_policy(Store.EVENTS),
            partition_key=_text("tenant_id"),
            sort_key=_text("event_id"),
            billing=dynamodb.Billing.on_demand(),
            encryption=table_encryption,
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=recovery,
            deletion_protection=keep,
            removal_policy=removal,
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name="pending",
                    partition_key=_text("pending"),
                    sort_key=_text("resend_at"),
                    projection_type=dynamodb.ProjectionType.INCLUDE,
                    non_key_attributes=["resends"],
                )
            ],
        )
        self.api_keys = dynamodb.TableV2(
            self,
            "ApiKeys",
            table_name=stores.name(Store.API_KEYS),
            resource_policy=table_policy(Store.API_KEYS),
            partition_key=_text("key_id"),
            billing=dynamodb.Billing.on_demand(),
            encryption=table_encryption,
            point_in_time_recovery_specification=recovery,
            deletion_protection=keep,
            removal_policy=removal,
        )

        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=stores.name(Store.DEAD_LETTERS),
            encryption=queue_encryption,
            encryption_master_key=self.key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=removal,
        )
        self.event_queue = sqs.Queue(
            self,
            "EventQueue",
            queue_name=stores.name(Store.EVENT_QUEUE),
            encryption=queue_encryption,
            encryption_master_key=self.key,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(6 * WORKER_TIMEOUT.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_MAX_RECEIVES),
            removal_policy=removal,
        )

        for queue, store in ((self.event_queue, Store.EVENT_QUEUE), (self.dead_letters, Store.DEAD_LETTERS)):
            for statement in refusals(store, "sqs:*"):
                queue.add_to_resource_policy(statement)

        self.payloads = s3.Bucket(
            self,
            "Payloads",
            bucket_name=stores.name(Store.PAYLOADS),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.KMS if self.key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self.key,
            # One data key for many objects: KMS is asked, and paid, far less often.
            bucket_key_enabled=True if self.key else None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=removal,
            lifecycle_rules=[
                s3.LifecycleRule(
                    # Longer than the items, which DynamoDB removes within a few days of their end: until then
                    # they can be read and must not point at a missing object.
                    expiration=Duration.days(settings.event_retention_days + 7),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
        )
        for statement in refusals(Store.PAYLOADS, "s3:*", "/*"):
            self.payloads.add_to_resource_policy(statement)
        acknowledge(
            self.payloads,
            "AwsSolutions::AwsSolutions-S1",
            "Only the API function's role reads or writes this bucket, one object per event, and the function logs "
            "each event; a second bucket for access logs would hold nothing more.",
        )

        CfnOutput(self, "EventsTableName", value=self.events.table_name)
        CfnOutput(self, "ApiKeysTableName", value=self.api_keys.table_name)
        CfnOutput(self, "EventQueueUrl", value=self.event_queue.queue_url)
        CfnOutput(self, "DeadLetterQueueUrl", value=self.dead_letters.queue_url)
        CfnOutput(self, "PayloadBucketName", value=self.payloads.bucket_name)


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
