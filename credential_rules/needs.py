"""What a function's role has to allow, and why: the calls of its code, and what Lambda does with the role itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias
from weakref import WeakKeyDictionary

from credential_rules.branches import branch_of
from credential_rules.code_calls import operations_of
from credential_rules.iam_actions import NEEDS_NO_PERMISSION, actions_of_operation
from credential_rules.sdk_services import prefix_of
from credential_rules.template import Resource, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.branches import Branch
    from credential_rules.code_calls import Call, CodeCalls
    from credential_rules.index import Function, Index, Role
    from credential_rules.template import HasPlace
    from credential_rules.values import Text

Target: TypeAlias = "Resource | str | None"
"""What an action is done to: a resource of the run, else its name or ARN as far as it is known; None if nobody knows."""

ANY_INDEX: Final = "*"
"""`Need.below` of a query whose index is not known."""


@dataclass(frozen=True, slots=True)
class Need:
    """One action that a role has to allow.

    `target` is what it is done to, `below` an index of the table or `*` for any. `reason` says who needs it and what for;
    `path` and `line` where the code calls, empty and 0 for what Lambda does itself, whose `at` is the place in the
    template. Without an action that is not `is_required` everything works all the same: it is allowed to be granted. `via` is the
    service that uses a key for the role. `function` is whose code calls, or for which Lambda does it. `under` are the branches of the deployment in which it is needed.
    """

    action: str
    target: Target
    reason: str
    below: str = ""
    path: str = ""
    line: int = 0
    by_code: bool = True
    is_required: bool = True
    at: HasPlace | None = None
    via: str = ""
    under: tuple[Branch, ...] = ()
    function: Resource | None = None


_KNOWN: WeakKeyDictionary[Index, dict[tuple[Resource, Resource | None], list[Need]]] = WeakKeyDictionary()


def needs_of(index: Index, function: Function, role: Role | None = None) -> list[Need]:
    """Everything that a function's role has to allow, as far as it is known: see `operations_of` for what is not.

    `role` is the one that is compared, where a condition gives the function one of several.
    """
    role = function.role if role is None else role
    known = _KNOWN.setdefault(index, {})
    key = (function.resource, role.resource if role is not None else None)
    found = known.get(key)
    if found is None:
        gathered = [*_by_code(function, operations_of(index, function)), *_by_lambda(index, function)]
        gathered += [more for need in gathered for more in _by_key(need)]
        wherever = _wherever(function, role)
        gathered = [replace(need, under=(*wherever, *need.under), function=function.resource) for need in gathered]
        found = known[key] = list(dict.fromkeys(gathered))
    return found


def _wherever(function: Function, role: Role | None) -> tuple[Branch, ...]:
    """The branches in which the function is there, and has the role that it is compared with."""
    if role is None or role.resource is function.resource:
        return branch_of(function.resource)
    given = [
        node
        for value, text in function.resource["Role"].located_texts()
        if text.resource is role.resource
        for node in value.nodes
    ]
    return (
        *branch_of(function.resource),
        *branch_of(role.resource),
        *(branch_of(Value(tuple(given), may_be_absent=False)) if given else ()),
    )


# --- the code's calls ---------------------------------------------------------------------------------------------


def _by_code(function: Function, calls: CodeCalls) -> Iterator[Need]:
    for call in calls.calls:
        prefix = prefix_of(call.service)
        for action in actions_of_operation(prefix, call.operation):
            if action in NEEDS_NO_PERMISSION:
                continue
            for target, under in _targets(function, call, action, prefix):
                for below in call.index or ("",):
                    yield Need(
                        action,
                        target,
                        f"{call.path}:{call.line} {call.operation}{_on(call)}"
                        if call.line
                        else f"{call.path} {call.operation}",
                        below,
                        call.path,
                        call.line,
                        is_required=not call.is_optional,
                        under=under,
                    )


def _on(call: Call) -> str:
    named = ", ".join(one.text for one in call.resources)
    index = f", index {', '.join(call.index)}" if call.index and call.index != (ANY_INDEX,) else ""
    return f" on {named}{index}" if named else ""


def _targets(function: Function, call: Call, action: str, prefix: str) -> list[tuple[Target, tuple[Branch, ...]]]:
    """What a call goes to, each with the branches in which it does."""
    # What is copied from is not what is copied to; a secret is not the cluster that it opens.
    is_other = action.partition(":")[0] != prefix or (action == "s3:GetObject" and "Copy" in call.operation)
    if is_other or not call.resources:
        return [(None, ())]
    found: list[tuple[Target, tuple[Branch, ...]]] = []
    set_ones = [one for one in call.resources if one.is_variable and _variable(function, one.text)]
    # A default in the code counts only where the deployment does not set the variable.
    defaults = [one for one in call.resources if not one.is_variable]
    for one in set_ones or defaults or call.resources:
        if one.is_variable:
            found += _located_targets(_variable(function, one.text)) or [(None, ())]
        else:
            found.append((named_target(one.text), ()))
    return list(dict.fromkeys(found))


def _variable(function: Function, name: str) -> Value:
    value = function.environment[name]
    if not value:
        value = next((held for key, held in function.environment.entries() if key.upper() == name.upper()), value)
    return value


def _located_targets(value: Value) -> list[tuple[Target, tuple[Branch, ...]]]:
    """What a value names in each of its branches; one that is empty in some names nothing there."""
    found = [
        (_text_target(text), branch_of(element), text) for element, text in (value.located_texts() if value else ())
    ]
    named = [one for one in found if one[2].pieces] or found
    return [
        (target, (*under, *branch_of(target)) if isinstance(target, Resource) else under) for target, under, _ in named
    ]


def _text_target(text: Text) -> Target:
    if text.resource is not None:
        return text.resource
    hole = text.hole
    if not text.pieces or (hole is not None and hole.kind == "unknown"):
        return None
    held = [one.resource for one in text.holes if one.resource is not None]
    # A queue's URL, or an ARN, around the name of one resource.
    if len(held) == 1 and not any(one.kind in {"unknown", "import"} for one in text.holes):
        return held[0]
    return named_target(text.pattern)


def named_target(text: str) -> Target:
    """A name out of what a call is given: the last part of a queue's URL, an ARN as it is."""
    if text.startswith(("http://", "https://")):
        return text.rstrip("/").rsplit("/", 1)[-1]
    return text


# --- what Lambda does itself --------------------------------------------------------------------------------------

_LOG: Final = ("logs:CreateLogStream", "logs:PutLogEvents")
_TRACE: Final = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
_TRACE_TOO: Final = ("xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries")
_INTERFACES: Final = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions"""
_INTERFACES_IPV6: Final = ("ec2:AssignIpv6Addresses", "ec2:UnassignIpv6Addresses")
_INTERFACES_TO_POLL: Final = (
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)

_POLLED: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "sqs": (
        ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        (),
    ),
    "dynamodb": (
        ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
        ("dynamodb:ListStreams",),
    ),
    "kinesis": (
        ("kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"),
        (
            "kinesis:DescribeStreamSummary",
            "kinesis:DescribeStreamConsumer",
            "kinesis:ListStreams",
            "kinesis:SubscribeToShard",
        ),
    ),
    "kafka": (
        ("kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers"),
        (
            "kafka:DescribeCluster",
            "kafka:DescribeVpcConnection",
            "kafka:ListScramSecrets",
            "kafka-cluster:Connect",
            "kafka-cluster:DescribeGroup",
            "kafka-cluster:AlterGroup",
            "kafka-cluster:DescribeTopic",
            "kafka-cluster:ReadData",
            "kafka-cluster:DescribeClusterDynamicConfiguration",
            "secretsmanager:GetSecretValue",
        ),
    ),
    "mq": (("mq:DescribeBroker", "secretsmanager:GetSecretValue"), ()),
    "docdb": (
        ("rds:DescribeDBClusters", "rds:DescribeDBClusterParameters", "rds:DescribeDBSubnetGroups"),
        ("secretsmanager:GetSecretValue",),
    ),
    "self-managed": ((), ("secretsmanager:GetSecretValue",)),
}
"""What an event source mapping does with the role, and what it may do besides, by the kind of its source.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
"""
_NEED_INTERFACES_TO_POLL: Final = frozenset({"kafka", "mq", "docdb", "self-managed"})

_SOURCE_TYPES: Final = {
    "AWS::SQS::Queue": "sqs",
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::DynamoDB::GlobalTable": "dynamodb",
    "AWS::Serverless::SimpleTable": "dynamodb",
    "AWS::Kinesis::Stream": "kinesis",
    "AWS::Kinesis::StreamConsumer": "kinesis",
    "AWS::MSK::Cluster": "kafka",
    "AWS::MSK::ServerlessCluster": "kafka",
    "AWS::AmazonMQ::Broker": "mq",
    "AWS::DocDB::DBCluster": "docdb",
}
_SENT: Final = {
    "AWS::SQS::Queue": "sqs:SendMessage",
    "AWS::SNS::Topic": "sns:Publish",
    "AWS::Lambda::Function": "lambda:InvokeFunction",
    "AWS::Serverless::Function": "lambda:InvokeFunction",
    "AWS::Lambda::Alias": "lambda:InvokeFunction",
    "AWS::Events::EventBus": "events:PutEvents",
    "AWS::S3::Bucket": "s3:PutObject",
}
_SENT_BY_SERVICE: Final = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
    "s3": "s3:PutObject",
}


def _by_lambda(index: Index, function: Function) -> Iterator[Need]:  # noqa: C901 (one step per thing that Lambda does)
    yield from _for_its_log(function)
    resource = function.resource
    for mode in (resource["TracingConfig"]["Mode"], resource["Tracing"]):
        for at, tracing in mode.located_texts():
            if tracing.literal == "Active":
                yield from _lambda(_TRACE, None, "Lambda writes its traces", at)
                yield from _lambda(_TRACE_TOO, None, "Lambda writes its traces", at, is_required=False)
    subnets = resource["VpcConfig"]["SubnetIds"]
    if subnets:
        yield from _lambda(_INTERFACES, None, "Lambda places it in its VPC", subnets)
        if resource["VpcConfig"]["Ipv6AllowedForDualStack"].is_true:
            yield from _lambda(_INTERFACES_IPV6, None, "Lambda places it in its VPC", subnets, is_required=False)
    dead_letters = resource["DeadLetterConfig"]["TargetArn"] or resource["DeadLetterQueue"]["TargetArn"]
    yield from _sent(dead_letters, "Lambda sends its dead letters")
    yield from _destinations(resource["EventInvokeConfig"]["DestinationConfig"])
    for one in _asynchronous(index, function):
        if one.type == "AWS::Lambda::EventSourceMapping":
            yield from _polled(one.properties, one.logical_id, "")
        yield from _destinations(one["DestinationConfig"])
    for name, event in resource["Events"].entries():
        for kind in event["Type"].literals():
            if kind in _SAM_EVENTS:
                yield from _polled(event["Properties"], name, _SAM_EVENTS[kind])
                yield from _destinations(event["Properties"]["DestinationConfig"])
    yield from _by_extensions(resource)
    key = resource["KmsKeyArn"]
    if key:
        for need in _lambda(
            ("kms:Decrypt",), _first_target(key), "Lambda decrypts its variables", key, is_required=False
        ):
            yield replace(need, via="lambda")


_SAM_EVENTS: Final = {
    "SQS": "sqs",
    "DynamoDB": "dynamodb",
    "Kinesis": "kinesis",
    "MSK": "kafka",
    "MQ": "mq",
    "DocumentDB": "docdb",
    "SelfManagedKafka": "self-managed",
}


_READ_SECRETS: Final = (("secretsmanager:GetSecretValue", ""), ("ssm:GetParameter", ""), ("kms:Decrypt", ""))
_BY_EXTENSION: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "AWS-AppConfig-Extension": (("appconfig:StartConfigurationSession", ""), ("appconfig:GetLatestConfiguration", "")),
    "AWS-Parameters-and-Secrets-Lambda-Extension": (
        *_READ_SECRETS,
        ("kms:Decrypt", "secretsmanager"),
        ("kms:Decrypt", "ssm"),
    ),
    "AWSOpenTelemetryDistro": tuple((action, "") for action in (*_TRACE, *_TRACE_TOO)),
    "aws-otel-": tuple((action, "") for action in (*_TRACE, *_TRACE_TOO)),
    "Datadog-Extension": (*_READ_SECRETS, ("kms:Decrypt", "secretsmanager"), ("kms:Decrypt", "ssm")),
    "LambdaInsightsExtension": tuple((action, "") for action in ("logs:CreateLogGroup", *_LOG)),
}
"""What extensions do with the function's role, by how their layer's name begins; each with the service that uses a key for it.

https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-lambda-extensions.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Lambda-Insights.html
"""


def _by_extensions(resource: Resource) -> Iterator[Need]:
    """What extensions may do beside the code: on what, and whether at all, is theirs to know."""
    for at, text in resource["Layers"].located_texts():
        name = text.pattern.partition(":layer:")[2].partition(":")[0]
        for begins, actions in _BY_EXTENSION.items() if name else ():
            if name.startswith(begins):
                for action, via in actions:
                    for need in _lambda((action,), None, f"extension '{name}'", at, is_required=False):
                        yield replace(need, via=via)


_ASYNCHRONOUS: WeakKeyDictionary[Index, dict[Resource | str, list[Resource]]] = WeakKeyDictionary()


def _asynchronous(index: Index, function: Function) -> list[Resource]:
    """The event source mappings and invocation settings of a function, by reference, alias, version or name."""
    known = _ASYNCHRONOUS.get(index)
    if known is None:
        known = _ASYNCHRONOUS[index] = defaultdict(list)
        for resource in index.resources("AWS::Lambda::EventSourceMapping", "AWS::Lambda::EventInvokeConfig"):
            for text in resource["FunctionName"].texts():
                for target in _functions_behind(text):
                    known[target].append(resource)
    names = [name.pattern for name in function.resource["FunctionName"].texts() if name.pattern]
    keys: list[Resource | str] = [function.resource, *names]
    return [resource for key in keys if key in known for resource in known[key]]


def _functions_behind(text: Text) -> list[Resource | str]:
    target = text.resource
    if target is None:
        # A name, an ARN, or an ARN with a version.
        parts = text.pattern.split(":function:")[-1].split(":")
        return [parts[0]]
    if target.type in {"AWS::Lambda::Alias", "AWS::Lambda::Version"}:
        return list(target["FunctionName"].resources())
    return [target]


def _lambda(
    actions: tuple[str, ...], target: Target, reason: str, at: Value | Resource, *, is_required: bool = True
) -> Iterator[Need]:
    under = (*branch_of(at), *branch_of(target)) if isinstance(target, Resource) else branch_of(at)
    for action in actions:
        yield Need(action, target, reason, by_code=False, is_required=is_required, at=at, under=under)


def _first_target(value: Value) -> Target:
    texts = value.texts()
    return _text_target(texts[0]) if len(texts) == 1 else None


def _for_its_log(function: Function) -> Iterator[Need]:
    resource = function.resource
    group = resource["LoggingConfig"]["LogGroup"]
    targets: list[tuple[Target, Value | Resource]] = [
        (_text_target(text), element) for element, text in (group.located_texts() if group else ())
    ]
    if not targets:
        targets = [(None, group) if group else (_default_log_group(resource), resource)]
    for target, at in targets:
        yield from _lambda(_LOG, target, "Lambda writes its log", at)
        if not isinstance(target, Resource):
            # The template's group is there before the function; another is made by whoever writes first.
            yield from _lambda(("logs:CreateLogGroup",), target, "Lambda makes its log group", at, is_required=False)


def _default_log_group(resource: Resource) -> Target:
    names = resource["FunctionName"].texts()
    return f"/aws/lambda/{names[0].pattern}" if len(names) == 1 else None


def _sent(value: Value, reason: str) -> Iterator[Need]:
    for at, text in value.located_texts() if value else ():
        target = _text_target(text)
        if isinstance(target, Resource):
            action = _SENT.get(target.type, "")
        else:
            parts = text.pattern.split(":")
            action = _SENT_BY_SERVICE.get(parts[2], "") if len(parts) > 2 else ""  # noqa: PLR2004 (arn, partition, service)
        if action:
            yield from _lambda((action,), target, reason, at)


def _destinations(config: Value) -> Iterator[Need]:
    for outcome, name in (("OnFailure", "failures"), ("OnSuccess", "successes")):
        yield from _sent(config[outcome]["Destination"], f"Lambda sends {name} on")


def _polled(properties: Value, name: str, kind: str) -> Iterator[Need]:
    source = properties["EventSourceArn"]
    for key in ("Queue", "Stream", "Broker", "Cluster"):
        source = source or properties[key]
    reason = f"event source mapping '{name}'"
    targets: list[tuple[Target, str, Value]] = []
    for at, text in source.located_texts() if source else ():
        target = _text_target(text)
        if isinstance(target, Resource):
            targets.append((target, kind or _SOURCE_TYPES.get(target.type, ""), at))
        else:
            parts = text.pattern.split(":")
            targets.append((target, kind or (parts[2] if len(parts) > 2 else ""), at))  # noqa: PLR2004 (arn, partition, service)
    if not source and (kind or properties["SelfManagedEventSource"]):
        targets.append((None, kind or "self-managed", properties))
    for target, of_kind, at in targets:
        required, more = _POLLED.get(of_kind, ((), ()))
        for actions, is_required in ((required, True), (more, False)):
            for action in actions:
                own = action.partition(":")[0] in {of_kind, "dynamodb"}
                yield from _lambda((action,), target if own else None, reason, at, is_required=is_required)
        if of_kind in _NEED_INTERFACES_TO_POLL:
            yield from _lambda(_INTERFACES_TO_POLL, None, reason, at, is_required=False)


# --- keys ---------------------------------------------------------------------------------------------------------

_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::SecretsManager::Secret": ("KmsKeyId",),
    "AWS::Kinesis::Stream": ("StreamEncryption", "KeyId"),
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::Logs::LogGroup": (),
}
_ENCRYPT: Final = ("kms:GenerateDataKey", "kms:Decrypt")
_WITH_KEY: Final[dict[str, tuple[str, ...]]] = {
    "kinesis:PutRecord": ("kms:GenerateDataKey",),
    "kinesis:PutRecords": ("kms:GenerateDataKey",),
    "kinesis:GetRecords": ("kms:Decrypt",),
    "s3:GetObject": ("kms:Decrypt",),
    "s3:GetObjectVersion": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey",),
    "secretsmanager:GetSecretValue": ("kms:Decrypt",),
    "secretsmanager:PutSecretValue": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sns:Publish": _ENCRYPT,
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    "sqs:SendMessage": _ENCRYPT,
    "ssm:GetParameter": ("kms:Decrypt",),
    "ssm:GetParameterHistory": ("kms:Decrypt",),
    "ssm:GetParameters": ("kms:Decrypt",),
    "ssm:GetParametersByPath": ("kms:Decrypt",),
    "ssm:PutParameter": ("kms:Encrypt",),
}
"""What an action needs on the key of what it works with. https://docs.aws.amazon.com/kms/latest/developerguide/service-integration.html"""
_OF_DYNAMODB: Final = ("kms:Decrypt",)
_OF_DYNAMODB_TOO: Final = (
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:CreateGrant",
)
_OPTIONAL_WITH_KEY: Final = ("kms:DescribeKey", "kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo")
_OF_ITEMS: Final = frozenset(
    {
        *("BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan"),
        *("UpdateItem", "PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate"),
    }
)
"""What DynamoDB opens the table's key for, with the permission of whoever calls."""


def actions_on_key(action: str) -> tuple[str, ...]:
    """What an action surely needs on the customer's key that encrypts what it works with."""
    service, _, name = action.partition(":")
    if service == "dynamodb":
        return _OF_DYNAMODB if name in _OF_ITEMS else ()
    return _WITH_KEY.get(action, ())


def _by_key(need: Need) -> Iterator[Need]:
    """What a need implies on the customer's key that encrypts its target."""
    required = actions_on_key(need.action)
    optional: tuple[str, ...] = _OPTIONAL_WITH_KEY if required else ()
    if need.action.startswith("dynamodb:") and need.by_code:
        # Whether the key is used for what is done to the table itself depends on the call: it may be granted.
        optional = tuple(action for action in (*_OF_DYNAMODB, *_OF_DYNAMODB_TOO) if action not in required)
    if not required and not optional:
        return
    if not isinstance(need.target, Resource) or need.action.startswith("ssm:"):
        # Whether a key is used, and which, is decided elsewhere.
        keys: list[tuple[Target, Value | None]] = [(None, None)]
        required, optional = (), (*required, *optional)
    else:
        keys = list(keys_of(need.target))
    for key, at in keys:
        for actions, is_required in ((required, need.is_required), (optional, False)):
            for action in actions:
                yield replace(
                    need,
                    action=action,
                    target=key,
                    reason=f"{need.reason}, encrypted with a key",
                    below="",
                    is_required=is_required,
                    at=(at or need.at) if need.at is not None else None,
                    via=need.action.partition(":")[0],
                    under=(*need.under, *(branch_of(at) if at is not None else ())),
                )


def keys_of(resource: Resource) -> list[tuple[Target, Value]]:
    """The customer's keys that encrypt a resource, each with where the template says so; none for keys of AWS."""
    values: list[Value] = []
    steps = _KEYS.get(resource.type)
    if steps:
        value = resource.properties
        for step in steps:
            value = value[step]
        values.append(value)
    elif resource.type == "AWS::DynamoDB::GlobalTable":
        values += [replica["SSESpecification"]["KMSMasterKeyId"] for replica in resource["Replicas"].each()]
    elif resource.type == "AWS::S3::Bucket":
        for rule in resource["BucketEncryption"]["ServerSideEncryptionConfiguration"].each():
            values.append(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"])
    found: list[tuple[Target, Value]] = []
    for value in values:
        for at, text in value.located_texts() if value else ():
            target = _text_target(text)
            if not (isinstance(target, str) and "alias/aws/" in target):
                found.append((target, at))
    return found
