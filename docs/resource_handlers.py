"""What CloudFormation does to each type of resource that this application has, as IAM sees it.

The actions are those of CloudFormation's own handlers: ``handlers.*.permissions`` in AWS's resource schemas (``aws
cloudformation describe-type``, read in November 2026), less what only a property needs that no template of ours has.
Types whose schema names none are marked; theirs are the operations of the service's API.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Condition: TypeAlias = "Mapping[str, Mapping[str, str]]"
"""A statement's conditions: by operator and key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Handlers:
    """What CloudFormation does to a resource of one type.

    Attributes:
        arns: The resources, as patterns for ``Place.arn``. An action without a resource level gets ``*`` instead.
        actions: What making, reading, changing and deleting one needs, whatever its properties.
        plain: Properties that need nothing more.
        needs: Properties that do.
        passes: Properties that hand a role to a service, with that service.
        service_roles: Services that make themselves a role when the first one is made.
        elsewhere: The resources of single actions that act on something else.
        conditions: The conditions of single actions, whose ARN patterns are filled in as those of ``arns`` are.
    """

    arns: tuple[str, ...]
    actions: tuple[str, ...]
    plain: tuple[str, ...] = ()
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    passes: Mapping[str, str] = field(default_factory=dict)
    service_roles: tuple[str, ...] = ()
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conditions: Mapping[str, Condition] = field(default_factory=dict)


ROLES = ("{aws}:iam::{a}:role/{n}*", "{aws}:iam::{a}:role/{s}*")
_FUNCTIONS = ("{aws}:lambda:{r}:{a}:function:{n}*",)
_TABLES = ("{aws}:dynamodb:{r}:{a}:table/{n}*",)
_QUEUES = ("{aws}:sqs:{r}:{a}:{n}*",)
_BUCKETS = ("{aws}:s3:::{n}*",)
_ASSETS = ("{aws}:s3:::cdk-*-assets-{a}-{r}/*",)
_APIS = ("{aws}:apigateway:{r}::/apis", "{aws}:apigateway:{r}::/apis/*", "{aws}:apigateway:{r}::/tags/*")
_KEYS = ("{aws}:kms:{r}:{a}:key/*",)
_ALIASES = ("{aws}:kms:{r}:{a}:alias/{n}*", *_KEYS)
_EC2_KINDS = ("vpc", "subnet", "route-table", "security-group", "security-group-rule", "vpc-endpoint", "vpc-flow-log")
_EC2 = tuple("{aws}:ec2:{r}:{a}:" + kind + "/*" for kind in _EC2_KINDS)
_CODE = {"s3:GetObject": _ASSETS, "s3:GetObjectVersion": _ASSETS}
_EC2_TAGS = {"Tags": ("ec2:CreateTags", "ec2:DeleteTags")}

_OURS: Final[Condition] = {"StringEquals": {"aws:ResourceTag/project": "rolebound"}}
"""Where the ids of resources are not known beforehand: those that carry the application's tag."""

_FOR_OURS: Final[Condition] = {"ArnLike": {"lambda:FunctionArn": _FUNCTIONS[0]}}
"""For one of our functions."""

_SUB_API: Final = ("apigateway:POST", "apigateway:GET", "apigateway:PATCH", "apigateway:PUT", "apigateway:DELETE")

HANDLERS: Final[Mapping[str, Handlers]] = {
    "AWS::ApiGatewayV2::Api": Handlers(
        arns=_APIS,
        actions=_SUB_API,
        plain=("Name", "ProtocolType", "Tags"),
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/using-service-linked-roles.html
        service_roles=("ops.apigateway.amazonaws.com",),
    ),
    "AWS::ApiGatewayV2::Authorizer": Handlers(
        arns=_APIS,
        actions=_SUB_API,
        plain=(
            *("ApiId", "AuthorizerPayloadFormatVersion", "AuthorizerResultTtlInSeconds", "AuthorizerType"),
            *("AuthorizerUri", "EnableSimpleResponses", "IdentitySource", "Name"),
        ),
    ),
    "AWS::ApiGatewayV2::Integration": Handlers(
        arns=_APIS,
        actions=_SUB_API,
        plain=("ApiId", "IntegrationType", "IntegrationUri", "PayloadFormatVersion"),
    ),
    "AWS::ApiGatewayV2::Route": Handlers(
        arns=_APIS,
        actions=_SUB_API,
        plain=("ApiId", "AuthorizationType", "AuthorizerId", "RouteKey", "Target"),
    ),
    # No handlers in its schema. For the access log:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
    "AWS::ApiGatewayV2::Stage": Handlers(
        arns=_APIS,
        actions=_SUB_API,
        plain=("ApiId", "AutoDeploy", "DefaultRouteSettings", "StageName", "Tags"),
        needs={
            "AccessLogSettings": (
                *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
                *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"),
                "logs:DescribeLogGroups",
            )
        },
    ),
    "AWS::CloudWatch::Alarm": Handlers(
        arns=("{aws}:cloudwatch:{r}:{a}:alarm:{n}*",),
        actions=("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms"),
        plain=(
            *("AlarmActions", "AlarmDescription", "AlarmName", "ComparisonOperator", "Dimensions", "EvaluationPeriods"),
            *("MetricName", "Namespace", "Period", "Statistic", "Threshold", "TreatMissingData"),
        ),
        needs={"Tags": ("cloudwatch:TagResource", "cloudwatch:UntagResource", "cloudwatch:ListTagsForResource")},
        # Asked for all alarms, whatever names the request has.
        elsewhere={"cloudwatch:DescribeAlarms": ("*",)},
    ),
    "AWS::CloudWatch::Dashboard": Handlers(
        arns=("{aws}:cloudwatch::{a}:dashboard/{n}*",),
        actions=("cloudwatch:PutDashboard", "cloudwatch:GetDashboard", "cloudwatch:DeleteDashboards"),
        plain=("DashboardBody", "DashboardName"),
        needs={"Tags": ("cloudwatch:TagResource", "cloudwatch:UntagResource", "cloudwatch:ListTagsForResource")},
    ),
    # One replica: a second region needs DynamoDB's own role for replication, and actions in that region.
    "AWS::DynamoDB::GlobalTable": Handlers(
        arns=_TABLES,
        actions=(
            *("dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:UpdateTable", "dynamodb:DeleteTable"),
            *("dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTimeToLive"),
            *("dynamodb:DescribeContributorInsights", "dynamodb:DescribeKinesisStreamingDestination"),
            *("dynamodb:DescribeTableReplicaAutoScaling", "dynamodb:ListTagsOfResource", "dynamodb:GetResourcePolicy"),
            # Whether capacity is scaled is looked at, also where it is on demand.
            *("application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies"),
        ),
        plain=(
            *("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "Replicas.Region"),
            *("Replicas.DeletionProtectionEnabled", "Replicas.GlobalSecondaryIndexes", "TableName"),
        ),
        needs={
            "TimeToLiveSpecification": ("dynamodb:UpdateTimeToLive",),
            "Replicas.PointInTimeRecoverySpecification": ("dynamodb:UpdateContinuousBackups",),
            "Replicas.Tags": ("dynamodb:TagResource", "dynamodb:UntagResource"),
            "Replicas.ResourcePolicy": ("dynamodb:PutResourcePolicy", "dynamodb:DeleteResourcePolicy"),
            "SSESpecification": ("kms:CreateGrant", "kms:DescribeKey", "kms:Decrypt", "kms:Encrypt"),
            "Replicas.SSESpecification": ("kms:CreateGrant", "kms:DescribeKey"),
        },
        elsewhere=dict.fromkeys(("kms:CreateGrant", "kms:DescribeKey", "kms:Decrypt", "kms:Encrypt"), _KEYS),
    ),
    "AWS::EC2::FlowLog": Handlers(
        arns=_EC2,
        actions=(
            *("ec2:CreateFlowLogs", "ec2:DescribeFlowLogs", "ec2:DeleteFlowLogs"),
            *("logs:CreateLogDelivery", "logs:DeleteLogDelivery"),
        ),
        plain=("LogDestinationType", "LogGroupName", "ResourceId", "ResourceType", "TrafficType"),
        needs=_EC2_TAGS,
        passes={"DeliverLogsPermissionArn": "vpc-flow-logs.amazonaws.com"},
        conditions=dict.fromkeys(("ec2:DeleteFlowLogs",), _OURS),
    ),
    "AWS::EC2::RouteTable": Handlers(
        arns=_EC2,
        actions=("ec2:CreateRouteTable", "ec2:DescribeRouteTables", "ec2:DeleteRouteTable"),
        plain=("VpcId",),
        needs=_EC2_TAGS,
        conditions=dict.fromkeys(("ec2:DeleteRouteTable",), _OURS),
    ),
    # No handlers in its schema.
    "AWS::EC2::SecurityGroup": Handlers(
        arns=_EC2,
        actions=(
            *("ec2:CreateSecurityGroup", "ec2:DescribeSecurityGroups", "ec2:DeleteSecurityGroup"),
            # A new group comes with a way out, which is taken from it.
            "ec2:RevokeSecurityGroupEgress",
        ),
        plain=("GroupDescription", "VpcId"),
        needs={
            **_EC2_TAGS,
            "SecurityGroupEgress": (
                *("ec2:AuthorizeSecurityGroupEgress", "ec2:UpdateSecurityGroupRuleDescriptionsEgress"),
                "ec2:DescribeSecurityGroupRules",
            ),
            "SecurityGroupIngress": (
                *("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"),
                *("ec2:UpdateSecurityGroupRuleDescriptionsIngress", "ec2:DescribeSecurityGroupRules"),
            ),
        },
        conditions=dict.fromkeys(("ec2:DeleteSecurityGroup",), _OURS),
    ),
    # No handlers in its schema.
    "AWS::EC2::SecurityGroupEgress": Handlers(
        arns=_EC2,
        actions=(
            *("ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress"),
            *("ec2:UpdateSecurityGroupRuleDescriptionsEgress", "ec2:DescribeSecurityGroupRules"),
            "ec2:DescribeSecurityGroups",
        ),
        plain=(
            *("Description", "DestinationSecurityGroupId", "DestinationPrefixListId", "FromPort", "GroupId"),
            *("IpProtocol", "ToPort"),
        ),
    ),
    "AWS::EC2::SecurityGroupIngress": Handlers(
        arns=_EC2,
        actions=(
            *("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"),
            *("ec2:UpdateSecurityGroupRuleDescriptionsIngress", "ec2:DescribeSecurityGroupRules"),
            "ec2:DescribeSecurityGroups",
        ),
        plain=("Description", "FromPort", "GroupId", "IpProtocol", "SourceSecurityGroupId", "ToPort"),
    ),
    "AWS::EC2::Subnet": Handlers(
        arns=_EC2,
        actions=("ec2:CreateSubnet", "ec2:DescribeSubnets", "ec2:DescribeNetworkAcls", "ec2:DeleteSubnet"),
        plain=("AvailabilityZone", "CidrBlock", "VpcId"),
        needs={**_EC2_TAGS, "MapPublicIpOnLaunch": ("ec2:ModifySubnetAttribute",)},
        conditions=dict.fromkeys(("ec2:DeleteSubnet",), _OURS),
    ),
    "AWS::EC2::SubnetRouteTableAssociation": Handlers(
        arns=_EC2,
        actions=(
            *("ec2:AssociateRouteTable", "ec2:DisassociateRouteTable", "ec2:ReplaceRouteTableAssociation"),
            *("ec2:DescribeRouteTables", "ec2:DescribeSubnets"),
        ),
        plain=("RouteTableId", "SubnetId"),
    ),
    "AWS::EC2::VPC": Handlers(
        arns=_EC2,
        actions=(
            *("ec2:CreateVpc", "ec2:DescribeVpcs", "ec2:DescribeVpcAttribute", "ec2:DescribeNetworkAcls"),
            *("ec2:DescribeSecurityGroups", "ec2:DeleteVpc"),
        ),
        plain=("CidrBlock", "InstanceTenancy"),
        needs={
            **_EC2_TAGS,
            "EnableDnsHostnames": ("ec2:ModifyVpcAttribute",),
            "EnableDnsSupport": ("ec2:ModifyVpcAttribute",),
        },
        conditions=dict.fromkeys(("ec2:DeleteVpc",), _OURS),
    ),
    "AWS::EC2::VPCEndpoint": Handlers(
        arns=_EC2,
        actions=(
            *("ec2:CreateVpcEndpoint", "ec2:DescribeVpcEndpoints", "ec2:ModifyVpcEndpoint"),
            "ec2:DeleteVpcEndpoints",
        ),
        plain=(
            *("PolicyDocument", "RouteTableIds", "SecurityGroupIds", "ServiceName", "SubnetIds"),
            *("VpcEndpointType", "VpcId"),
        ),
        needs={
            **_EC2_TAGS,
            # https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html
            "PrivateDnsEnabled": ("route53:AssociateVPCWithHostedZone",),
        },
        elsewhere={"route53:AssociateVPCWithHostedZone": ("{aws}:route53:::hostedzone/*",)},
        conditions=dict.fromkeys(("ec2:DeleteVpcEndpoints",), _OURS),
    ),
    "AWS::IAM::Policy": Handlers(
        arns=ROLES,
        actions=("iam:GetRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"),
        plain=("PolicyDocument", "PolicyName", "Roles"),
    ),
    "AWS::IAM::Role": Handlers(
        arns=ROLES,
        actions=(
            *("iam:CreateRole", "iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:UpdateRole"),
            *("iam:ListAttachedRolePolicies", "iam:UpdateRoleDescription", "iam:UpdateAssumeRolePolicy"),
            "iam:DeleteRole",
        ),
        plain=("AssumeRolePolicyDocument", "Description", "RoleName"),
        needs={
            "Tags": ("iam:TagRole", "iam:UntagRole"),
            "PermissionsBoundary": ("iam:PutRolePermissionsBoundary",),
        },
    ),
    "AWS::KMS::Alias": Handlers(
        arns=_ALIASES,
        actions=("kms:CreateAlias", "kms:ListAliases", "kms:UpdateAlias", "kms:DeleteAlias"),
        plain=("AliasName", "TargetKeyId"),
    ),
    "AWS::KMS::Key": Handlers(
        arns=_KEYS,
        actions=(
            *("kms:CreateKey", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus"),
            *("kms:ListResourceTags", "kms:PutKeyPolicy", "kms:UpdateKeyDescription", "kms:ScheduleKeyDeletion"),
        ),
        plain=("Description", "KeyPolicy", "PendingWindowInDays"),
        needs={
            "EnableKeyRotation": ("kms:EnableKeyRotation", "kms:DisableKeyRotation"),
            "RotationPeriodInDays": ("kms:EnableKeyRotation",),
            "Tags": ("kms:TagResource", "kms:UntagResource"),
        },
        conditions=dict.fromkeys(("kms:ScheduleKeyDeletion", "kms:PutKeyPolicy"), _OURS),
    ),
    "AWS::Lambda::EventInvokeConfig": Handlers(
        arns=_FUNCTIONS,
        actions=(
            *("lambda:PutFunctionEventInvokeConfig", "lambda:GetFunctionEventInvokeConfig"),
            *("lambda:UpdateFunctionEventInvokeConfig", "lambda:DeleteFunctionEventInvokeConfig"),
        ),
        plain=("FunctionName", "MaximumRetryAttempts", "Qualifier"),
    ),
    "AWS::Lambda::EventSourceMapping": Handlers(
        arns=("{aws}:lambda:{r}:{a}:event-source-mapping:*",),
        actions=(
            *("lambda:CreateEventSourceMapping", "lambda:GetEventSourceMapping"),
            *("lambda:UpdateEventSourceMapping", "lambda:DeleteEventSourceMapping"),
        ),
        plain=("BatchSize", "EventSourceArn", "FunctionName", "FunctionResponseTypes"),
        needs={"Tags": ("lambda:TagResource", "lambda:UntagResource", "lambda:ListTags")},
        # A mapping has no name: it is ours by the function that it starts.
        conditions={
            "lambda:CreateEventSourceMapping": _FOR_OURS,
            "lambda:UpdateEventSourceMapping": _FOR_OURS,
            "lambda:DeleteEventSourceMapping": _FOR_OURS,
        },
    ),
    "AWS::Lambda::Function": Handlers(
        arns=_FUNCTIONS,
        actions=(
            *("lambda:CreateFunction", "lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig"),
            *("lambda:GetFunctionRecursionConfig", "lambda:GetFunctionScalingConfig"),
            *("lambda:GetRuntimeManagementConfig", "lambda:UpdateFunctionCode"),
            *("lambda:UpdateFunctionConfiguration", "lambda:DeleteFunction"),
        ),
        plain=(
            *("Architectures", "Description", "Environment", "FunctionName", "Handler", "LoggingConfig", "MemorySize"),
            *("Runtime", "Timeout"),
        ),
        needs={
            "Code": ("s3:GetObject", "s3:GetObjectVersion"),
            "Layers": ("lambda:GetLayerVersion",),
            "Tags": ("lambda:TagResource", "lambda:UntagResource"),
            "VpcConfig": (
                *("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"),
                "ec2:DescribeNetworkInterfaces",
            ),
            "KmsKeyArn": ("kms:CreateGrant", "kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"),
        },
        passes={"Role": "lambda.amazonaws.com"},
        elsewhere={
            **_CODE,
            "lambda:GetLayerVersion": ("{aws}:lambda:{r}:{a}:layer:{n}*",),
            **dict.fromkeys(("kms:CreateGrant", "kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"), _KEYS),
        },
    ),
    "AWS::Lambda::LayerVersion": Handlers(
        arns=("{aws}:lambda:{r}:{a}:layer:{n}*",),
        actions=("lambda:PublishLayerVersion", "lambda:GetLayerVersion", "lambda:DeleteLayerVersion"),
        plain=("CompatibleArchitectures", "CompatibleRuntimes", "Description", "LayerName"),
        needs={"Content": ("s3:GetObject", "s3:GetObjectVersion")},
        elsewhere=_CODE,
    ),
    # No handlers in its schema.
    "AWS::Lambda::Permission": Handlers(
        arns=_FUNCTIONS,
        actions=("lambda:AddPermission", "lambda:RemovePermission", "lambda:GetPolicy"),
        plain=("Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"),
    ),
    "AWS::Logs::LogGroup": Handlers(
        arns=("{aws}:logs:{r}:{a}:log-group:/aws/lambda/{n}*", "{aws}:logs:{r}:{a}:log-group:{s}*"),
        actions=(
            *("logs:CreateLogGroup", "logs:DescribeLogGroups", "logs:GetDataProtectionPolicy"),
            *("logs:DeleteDataProtectionPolicy", "logs:DeleteLogGroup"),
        ),
        plain=("LogGroupName",),
        needs={
            "KmsKeyId": ("logs:AssociateKmsKey", "logs:DisassociateKmsKey"),
            "RetentionInDays": ("logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy"),
            "Tags": ("logs:TagResource", "logs:UntagResource", "logs:ListTagsForResource"),
        },
    ),
    "AWS::S3::Bucket": Handlers(
        arns=_BUCKETS,
        actions=(
            *("s3:CreateBucket", "s3:ListBucket", "s3:DeleteBucket", "s3:GetAccelerateConfiguration"),
            *("s3:GetAnalyticsConfiguration", "s3:GetBucketAbac", "s3:GetBucketAcl", "s3:GetBucketCORS"),
            *("s3:GetBucketLogging", "s3:GetBucketMetadataTableConfiguration", "s3:GetBucketNotification"),
            *("s3:GetBucketObjectLockConfiguration", "s3:GetBucketOwnershipControls"),
            *("s3:GetBucketPublicAccessBlock", "s3:GetBucketTagging", "s3:GetBucketVersioning"),
            *("s3:GetBucketWebsite", "s3:GetEncryptionConfiguration", "s3:GetIntelligentTieringConfiguration"),
            *("s3:GetInventoryConfiguration", "s3:GetLifecycleConfiguration", "s3:GetMetricsConfiguration"),
            *("s3:GetReplicationConfiguration", "s3:ListTagsForResource"),
        ),
        plain=("BucketName",),
        needs={
            "BucketEncryption": ("s3:PutEncryptionConfiguration",),
            "LifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
            "OwnershipControls": ("s3:PutBucketOwnershipControls",),
            "PublicAccessBlockConfiguration": ("s3:PutBucketPublicAccessBlock",),
            "Tags": ("s3:PutBucketTagging", "s3:TagResource", "s3:UntagResource"),
        },
    ),
    "AWS::S3::BucketPolicy": Handlers(
        arns=_BUCKETS,
        actions=("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"),
        plain=("Bucket", "PolicyDocument"),
    ),
    "AWS::SQS::Queue": Handlers(
        arns=_QUEUES,
        actions=(
            *("sqs:CreateQueue", "sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ListQueueTags"),
            *("sqs:SetQueueAttributes", "sqs:DeleteQueue"),
        ),
        plain=(
            *("KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MessageRetentionPeriod", "QueueName"),
            *("RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled", "VisibilityTimeout"),
        ),
        needs={"Tags": ("sqs:TagQueue", "sqs:UntagQueue")},
    ),
    "AWS::SQS::QueuePolicy": Handlers(
        arns=_QUEUES,
        actions=("sqs:SetQueueAttributes", "sqs:GetQueueAttributes"),
        plain=("PolicyDocument", "Queues"),
    ),
    "AWS::Scheduler::Schedule": Handlers(
        arns=("{aws}:scheduler:{r}:{a}:schedule/default/{s}*",),
        actions=(
            *("scheduler:CreateSchedule", "scheduler:GetSchedule", "scheduler:UpdateSchedule"),
            "scheduler:DeleteSchedule",
        ),
        plain=("Description", "FlexibleTimeWindow", "ScheduleExpression"),
        passes={"Target": "scheduler.amazonaws.com"},
    ),
}

CUSTOM_RESOURCE: Final = Handlers(arns=_FUNCTIONS, actions=("lambda:InvokeFunction",))
"""CloudFormation starts the function of a custom resource as its own role; what is asked of it is the function's."""
