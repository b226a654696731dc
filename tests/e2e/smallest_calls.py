"""The smallest request that asks IAM for an action: what an operation requires, filled with names of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_aws.cloud import Cloud

_OPERATIONS: Final[Mapping[str, str]] = {
    "apigateway:DELETE": "apigatewayv2:DeleteApi",
    "apigateway:GET": "apigatewayv2:GetApi",
    "apigateway:PATCH": "apigatewayv2:UpdateApi",
    "apigateway:POST": "apigatewayv2:CreateApi",
    "apigateway:PUT": "apigatewayv2:ReimportApi",
    "lambda:InvokeFunction": "Invoke",
    "s3:GetAccelerateConfiguration": "GetBucketAccelerateConfiguration",
    "s3:GetAnalyticsConfiguration": "GetBucketAnalyticsConfiguration",
    "s3:GetBucketObjectLockConfiguration": "GetObjectLockConfiguration",
    "s3:GetBucketPublicAccessBlock": "GetPublicAccessBlock",
    "s3:GetEncryptionConfiguration": "GetBucketEncryption",
    "s3:GetIntelligentTieringConfiguration": "GetBucketIntelligentTieringConfiguration",
    "s3:GetInventoryConfiguration": "GetBucketInventoryConfiguration",
    "s3:GetLifecycleConfiguration": "GetBucketLifecycleConfiguration",
    "s3:GetMetricsConfiguration": "GetBucketMetricsConfiguration",
    "s3:GetReplicationConfiguration": "GetBucketReplication",
    "s3:GetBucketCORS": "GetBucketCors",
    "s3:GetBucketNotification": "GetBucketNotificationConfiguration",
    "s3:ListBucket": "ListObjectsV2",
    "s3:PutBucketPublicAccessBlock": "PutPublicAccessBlock",
    "s3:PutEncryptionConfiguration": "PutBucketEncryption",
    "s3:PutLifecycleConfiguration": "PutBucketLifecycleConfiguration",
    "s3:GetObjectVersion": "GetObject",
}
"""Operations that are called otherwise than their action."""


def smallest_call(cloud: Cloud, action: str, values: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Give the service, operation and parameters that ask for an action.

    Args:
        cloud: Knows the SDK's models of the services.
        action: The IAM action.
        values: What to say for a parameter, by `action Name` or `service:Name`; also for one that is not required.

    Raises:
        LookupError: The SDK has no such operation.
    """
    service, _, name = action.partition(":")
    service, _, operation = _OPERATIONS.get(action, f"{service}:{name}").rpartition(":")
    service = service or action.partition(":")[0]
    shape = cloud.input_of(service, operation)
    if shape is None:
        return service, operation, {}
    stated = {
        part: values[key]
        for part in shape.members
        for key in (f"{service}:{part}", f"{action} {part}")
        if key in values
    }
    required = {part: _smallest(part, shape.members[part]) for part in shape.required_members}
    return service, operation, {**required, **stated}


def _smallest(name: str, of: Any) -> Any:  # noqa: ANN401 - a shape of the SDK's model, and any value
    match of.type_name:
        case "structure":
            return {part: _smallest(part, of.members[part]) for part in of.required_members}
        case "list":
            return [_smallest(name, of.member)]
        case "string":
            return of.enum[0] if of.enum else PROOF
    return _OF_TYPE.get(of.type_name, 1)


PROOF: Final = "rolebound-dev-proof"
"""A name that is one of this application's."""

_OF_TYPE: Final[Mapping[str, Any]] = {"boolean": False, "blob": b"{}", "map": {}, "timestamp": 0, "double": 1.0}
