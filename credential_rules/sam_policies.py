"""SAM's policy templates (`SQSSendMessagePolicy`): what they allow, so that a SAM role is judged like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credential_rules.policies import Condition, Statement
from credential_rules.values import UNKNOWN, Hole, Text, join_text, literal_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.template import Raw, Resource, Value

# From https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html
_TABLE: Final = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/{TableName}"
_BUCKET: Final = "arn:${AWS::Partition}:s3:::{BucketName}"
_QUEUE: Final = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:{QueueName}"
_STREAM: Final = "arn:${AWS::Partition}:kinesis:${AWS::Region}:${AWS::AccountId}:stream/{StreamName}"
_PARAMETER: Final = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/{ParameterName}"

_READ_TABLE: Final = "dynamodb:GetItem dynamodb:Scan dynamodb:Query dynamodb:BatchGetItem dynamodb:DescribeTable"
_WRITE_TABLE: Final = "dynamodb:PutItem dynamodb:UpdateItem dynamodb:BatchWriteItem"
_READ_BUCKET: Final = "s3:GetObject s3:ListBucket s3:GetBucketLocation s3:GetObjectVersion s3:GetLifecycleConfiguration"

SAM_POLICIES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "AMIDescribePolicy": ("ec2:DescribeImages", ("*",)),
    "AWSSecretsManagerGetSecretValuePolicy": ("secretsmanager:GetSecretValue", ("{SecretArn}",)),
    "AWSSecretsManagerRotationPolicy": (
        (
            "secretsmanager:DescribeSecret secretsmanager:GetSecretValue secretsmanager:PutSecretValue"
            " secretsmanager:UpdateSecretVersionStage"
        ),
        ("arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*",),
    ),
    "CloudWatchPutMetricPolicy": ("cloudwatch:PutMetricData", ("*",)),
    "DynamoDBCrudPolicy": (
        f"{_READ_TABLE} {_WRITE_TABLE} dynamodb:DeleteItem dynamodb:ConditionCheckItem",
        (_TABLE, _TABLE + "/index/*"),
    ),
    "DynamoDBReadPolicy": (_READ_TABLE, (_TABLE, _TABLE + "/index/*")),
    "DynamoDBReconfigurePolicy": ("dynamodb:UpdateTable", (_TABLE,)),
    "DynamoDBStreamReadPolicy": (
        "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator",
        (_TABLE + "/stream/{StreamName}",),
    ),
    "DynamoDBWritePolicy": (_WRITE_TABLE, (_TABLE, _TABLE + "/index/*")),
    "EventBridgePutEventsPolicy": (
        "events:PutEvents",
        ("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/{EventBusName}",),
    ),
    "FirehoseWritePolicy": (
        "firehose:PutRecord firehose:PutRecordBatch",
        ("arn:${AWS::Partition}:firehose:${AWS::Region}:${AWS::AccountId}:deliverystream/{DeliveryStreamName}",),
    ),
    "KMSDecryptPolicy": ("kms:Decrypt", ("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/{KeyId}",)),
    "KMSEncryptPolicy": ("kms:Encrypt", ("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/{KeyId}",)),
    "KinesisCrudPolicy": (
        "kinesis:PutRecord kinesis:PutRecords kinesis:GetRecords kinesis:GetShardIterator kinesis:DescribeStream",
        (_STREAM,),
    ),
    "KinesisStreamReadPolicy": ("kinesis:GetRecords kinesis:GetShardIterator kinesis:DescribeStream", (_STREAM,)),
    "LambdaInvokePolicy": (
        "lambda:InvokeFunction",
        ("arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:{FunctionName}*",),
    ),
    "S3CrudPolicy": (f"{_READ_BUCKET} s3:PutObject s3:PutObjectAcl s3:DeleteObject", (_BUCKET, _BUCKET + "/*")),
    "S3FullAccessPolicy": (
        f"{_READ_BUCKET} s3:PutObject s3:PutObjectAcl s3:GetObjectAcl s3:DeleteObject",
        (_BUCKET, _BUCKET + "/*"),
    ),
    "S3ReadPolicy": (_READ_BUCKET, (_BUCKET, _BUCKET + "/*")),
    "S3WritePolicy": ("s3:PutObject s3:PutObjectAcl s3:PutLifecycleConfiguration", (_BUCKET, _BUCKET + "/*")),
    "SESSendBouncePolicy": (
        "ses:SendBounce",
        ("arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/{IdentityName}",),
    ),
    "SNSPublishMessagePolicy": (
        "sns:Publish",
        ("arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:{TopicName}",),
    ),
    "SQSPollerPolicy": (
        "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage",
        (_QUEUE,),
    ),
    "SQSSendMessagePolicy": ("sqs:SendMessage", (_QUEUE,)),
    "SSMParameterReadPolicy": ("ssm:GetParameters ssm:GetParameter ssm:GetParametersByPath", (_PARAMETER,)),
    "SSMParameterWithSlashPrefixReadPolicy": (
        "ssm:GetParameters ssm:GetParameter ssm:GetParametersByPath",
        ("arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter{ParameterName}",),
    ),
    "StepFunctionsExecutionPolicy": (
        "states:StartExecution",
        ("arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:{StateMachineName}",),
    ),
}
"""Actions and resources of the policy templates in use; `{Name}` is the template's parameter."""

_CONDITIONS: Final[dict[str, tuple[Condition, ...]]] = {
    "AWSSecretsManagerRotationPolicy": (
        Condition(
            "StringEquals",
            "secretsmanager:resource/AllowRotationLambdaArn",
            (Text((Hole("unknown", "the function's ARN"),)),),
        ),
    ),
}


def sam_policy_statements(resource: Resource) -> Iterator[Statement]:
    """What a SAM resource's policy templates allow; an unlisted template allows something unknown."""
    if not resource.type.startswith("AWS::Serverless::"):
        return
    for element in resource["Policies"].each():
        raw: Raw = element.raw
        if not isinstance(raw, dict) or len(raw) != 1 or "Statement" in raw:
            continue
        ((name, _),) = raw.items()
        if not name.endswith("Policy"):
            continue
        actions, arns = SAM_POLICIES.get(name, ("", ()))
        yield Statement(
            kind="identity",
            owner=resource,
            value=element,
            effect="Allow",
            sid=name,
            actions=tuple(literal_text(action) for action in actions.split()) or (UNKNOWN,),
            not_actions=(),
            resources=tuple(_filled(arn, element[name]) for arn in arns) or (UNKNOWN,),
            not_resources=(),
            principals=(),
            not_principals=(),
            conditions=_CONDITIONS.get(name, ()),
        )


def _filled(arn: str, parameters: Value) -> Text:
    """`arn` with `{Name}` from the policy template's parameters and `${AWS::…}` as pseudo parameters."""
    pieces: list[str | Hole] = []
    for part in arn.replace("${", "\0").split("{"):
        name, closed, rest = part.partition("}")
        if "\0" in name or not closed:
            rest = part
        else:
            pieces += (parameters[name].texts() or [UNKNOWN])[0].pieces
        for position, chunk in enumerate(rest.split("\0")):
            pseudo, ends, literal = chunk.partition("}")
            pieces += [Hole("pseudo", pseudo), literal] if position and ends else [chunk]
    return join_text(pieces)
