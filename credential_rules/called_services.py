"""Which services a function's own code may call, judged by its role, and which VPC endpoint answers for each.

What Lambda's service does with the role from outside the VPC needs no way through it: logs, traces, network interfaces,
polling for event sources, sending to destinations, decrypting variables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from credential_rules.grants import denied_to_code
from credential_rules.iam_actions import matches
from credential_rules.network_path import network_of

if TYPE_CHECKING:
    from credential_rules.index import Function, Index
    from credential_rules.policies import Statement
    from credential_rules.template import Resource
    from credential_rules.values import Text

_BY_LAMBDA: Final[dict[str, tuple[str, ...]]] = {
    "ec2": (
        "createnetworkinterface",
        "describenetworkinterfaces",
        "deletenetworkinterface",
        "attachnetworkinterface",
        "detachnetworkinterface",
        "createnetworkinterfacepermission",
        "assignprivateipaddresses",
        "unassignprivateipaddresses",
        "assignipv6addresses",
        "unassignipv6addresses",
        "describesubnets",
        "describesecuritygroups",
        "describevpcs",
        "describevpcattribute",
        "describedhcpoptions",
        "getsecuritygroupsforvpc",
    ),
    # Streams have an endpoint of their own, and are read by event source mappings.
    "dynamodb": ("getrecords", "getsharditerator", "describestream", "liststreams"),
    "iam": ("passrole",),
}
"""Actions that Lambda itself, or nobody's call, needs. https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"""

_BY_POLLERS: Final[dict[str, tuple[str, ...]]] = {
    "sqs": (
        "receivemessage",
        "deletemessage",
        "deletemessagebatch",
        "changemessagevisibility",
        "changemessagevisibilitybatch",
        "getqueueattributes",
        "getqueueurl",
    ),
    "kinesis": (
        "getrecords",
        "getsharditerator",
        "describestream",
        "describestreamsummary",
        "describestreamconsumer",
        "listshards",
        "liststreams",
        "subscribetoshard",
    ),
    "kafka": (
        "describecluster",
        "describeclusterv2",
        "getbootstrapbrokers",
        "listscramsecrets",
        "describevpcconnection",
    ),
    "mq": ("describebroker",),
}
"""Actions of event source mappings. https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html"""

_ON_OUR_BEHALF: Final[dict[str, tuple[str, ...]]] = {
    "logs": ("createloggroup", "createlogstream", "putlogevents", "describeloggroups", "describelogstreams"),
    "xray": (
        "puttracesegments",
        "puttelemetryrecords",
        "getsamplingrules",
        "getsamplingtargets",
        "getsamplingstatisticsummaries",
    ),
    "kms": (
        "decrypt",
        "encrypt",
        "reencryptfrom",
        "reencryptto",
        "generatedatakey",
        "generatedatakeypair",
        "generatedatakeywithoutplaintext",
        "generatedatakeypairwithoutplaintext",
        "describekey",
        "creategrant",
    ),
}
"""Actions that some service calls for the function; a wildcard over them is written for the same."""

_NO_SERVICE_CALL: Final = frozenset(
    {"aoss", "dax", "dsql", "elasticfilesystem", "es", "kafka-cluster", "neptune-db", "rds-db", "vpc-lattice-svcs"}
)
"""Permissions to connect to something in a VPC, or to a name of its own: no endpoint of the service carries that."""
_CONNECTIONS: Final = frozenset({"elasticache:connect", "memorydb:connect"})

_ENDPOINTS: Final[dict[str, tuple[str, ...]]] = {
    "airflow": ("airflow.api", "airflow.env"),
    "appconfig": ("appconfig", "appconfigdata"),
    "application-autoscaling": ("application-autoscaling",),
    "appsync": ("appsync-api", "appsync"),
    "aps": ("aps", "aps-workspaces"),
    "bedrock": ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime"),
    "cloudwatch": ("monitoring",),
    "codecommit": ("codecommit", "git-codecommit"),
    "connect-campaigns": ("connect-campaigns",),
    "dynamodb": ("dynamodb",),
    "ecr": ("ecr.api", "ecr.dkr"),
    "elasticmapreduce": ("elasticmapreduce",),
    "events": ("events",),
    "firehose": ("kinesis-firehose",),
    "iot": ("iot.data", "iot"),
    "kinesis": ("kinesis-streams",),
    "mobiletargeting": ("pinpoint",),
    "s3express": ("s3express", "s3"),
    "sagemaker": ("sagemaker.api", "sagemaker.runtime"),
    "ses": ("email", "ses", "email-smtp"),
    "states": ("states", "sync-states"),
    "tag": ("tagging",),
}
"""Endpoint names that differ from the prefix of the actions.

https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
"""

_MANAGED_FOR_LAMBDA: Final = re.compile(
    r"AWSLambda(BasicExecution|VPCAccessExecution|DynamoDBExecution|KinesisExecution|SQSQueueExecution|MSKExecution)Role"
    r"|AWSXRayDaemonWriteAccess|AWSXrayWriteOnlyAccess|CloudWatchLambdaInsightsExecutionRolePolicy"
    r"|CloudWatchLambdaApplicationSignalsExecutionRolePolicy|AmazonElasticFileSystemClient.+|AWSLambdaExecute"
)
_MANAGED: Final = (
    (re.compile(r"AmazonDynamoDB"), "dynamodb"),
    (re.compile(r"AmazonS3|AWSLambdaExecute"), "s3"),
    (re.compile(r"AmazonSQS"), "sqs"),
    (re.compile(r"AmazonSNS"), "sns"),
    (re.compile(r"AmazonSSM(FullAccess|ReadOnlyAccess)"), "ssm"),
    (re.compile(r"SecretsManager|AWSSecretsManager"), "secretsmanager"),
    (re.compile(r"AmazonKinesisFirehose"), "firehose"),
    (re.compile(r"AmazonKinesis(FullAccess|ReadOnlyAccess)"), "kinesis"),
    (re.compile(r"AWSStepFunctions"), "states"),
    (re.compile(r"AmazonEventBridge(FullAccess|PutEvents)?"), "events"),
    (re.compile(r"AWSLambda(Role|_FullAccess|FullAccess|_ReadOnlyAccess|ReadOnlyAccess|InvocationRole)$"), "lambda"),
    (re.compile(r"AmazonSES"), "ses"),
    (re.compile(r"AmazonBedrock"), "bedrock"),
    (re.compile(r"AmazonRekognition"), "rekognition"),
    (re.compile(r"AmazonTextract"), "textract"),
    (re.compile(r"AmazonAthena"), "athena"),
    (re.compile(r"AmazonCognitoPowerUser|AmazonCognitoReadOnly"), "cognito-idp"),
)


@dataclass
class Calls:
    """What the code of a function may call.

    `services` gives for each IAM prefix one action that is granted, and `granted` every one with its statement. `named`
    are all prefixes that the role names, also those that need no way through the VPC. `is_complete` is False if the role, or a part of it, is not in the run or
    stands for everything (`*`).
    """

    services: dict[str, str] = field(default_factory=dict)
    granted: dict[str, list[tuple[str, Statement]]] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    is_complete: bool = True


_CALLS: WeakKeyDictionary[Index, dict[Resource, Calls]] = WeakKeyDictionary()


def calls_of(index: Index, function: Function) -> Calls:
    """What a function's code may call; judged once for all rules."""
    known = _CALLS.setdefault(index, {})
    found = known.get(function.resource)
    if found is None:
        found = known[function.resource] = _calls(function, network_of(index).asynchronous.get(function.resource, []))
    return found


def _calls(function: Function, asynchronous: list[Resource]) -> Calls:
    found = Calls()
    role = function.role
    if role is None:
        found.is_complete = False
        return found
    is_polled = _has_polled_events(function.resource) or any(
        resource.type == "AWS::Lambda::EventSourceMapping" for resource in asynchronous
    )
    sent_by_lambda = _destinations(function.resource, asynchronous)
    denied = tuple(denied_to_code(role, function.resource))
    for statement in role.statements:
        if statement.kind != "identity" or not statement.allows:
            continue
        if statement.not_actions:
            found.is_complete = False
        on_our_behalf = _goes_to(statement, sent_by_lambda) or _comes_through_another_service(statement)
        for action in statement.actions:
            literal = action.literal
            service, separator, name = (literal or "").lower().partition(":")
            if not separator or "*" in service or "?" in service:
                found.is_complete = False
                continue
            found.named.add(service)
            if on_our_behalf or _needs_no_way(service, name, is_polled=is_polled):
                continue
            if not any(matches(pattern, f"{service}:{name}") for pattern in denied):
                found.services.setdefault(service, str(literal))
                found.granted.setdefault(service, []).append((str(literal), statement))
    for _, text in role.managed_policies:
        _add_managed(text, found)
    return found


def _add_managed(text: Text, found: Calls) -> None:
    """An AWS managed policy by its name; policies of the run are among the role's statements already."""
    if text.resource is not None:
        return
    name = text.pattern.rsplit("/", 1)[-1]
    service = next((service for pattern, service in _MANAGED if pattern.match(name)), None)
    if service is not None:
        found.services.setdefault(service, name)
        found.named.add(service)
    elif not _MANAGED_FOR_LAMBDA.fullmatch(name):
        found.is_complete = False


def _comes_through_another_service(statement: Statement) -> bool:
    return any(
        condition.key.lower().startswith(("kms:viaservice", "aws:calledvia", "aws:viaawsservice"))
        for condition in statement.conditions
    )


def _goes_to(statement: Statement, targets: set[Resource]) -> bool:
    return bool(targets and statement.resources) and all(text.resource in targets for text in statement.resources)


@lru_cache(maxsize=4096)
def _needs_no_way(service: str, name: str, *, is_polled: bool) -> bool:
    if service in _NO_SERVICE_CALL or f"{service}:{name}" in _CONNECTIONS:
        return True
    if name in _BY_LAMBDA.get(service, ()) or (is_polled and name in _BY_POLLERS.get(service, ())):
        return True
    return any(matches(name, known) for known in _ON_OUR_BEHALF.get(service, ()))


def _has_polled_events(resource: Resource) -> bool:
    return any(
        literal in {"SQS", "DynamoDB", "Kinesis", "MSK", "MQ", "SelfManagedKafka", "DocumentDB"}
        for _, event in resource["Events"].entries()
        for literal in event["Type"].literals()
    )


def _destinations(function: Resource, asynchronous: list[Resource]) -> set[Resource]:
    """Where Lambda's service sends what failed or succeeded."""
    values = [function["DeadLetterConfig"]["TargetArn"], function["DeadLetterQueue"]["TargetArn"]]
    for config in asynchronous:
        destinations = config["DestinationConfig"]
        values += [destinations[outcome]["Destination"] for outcome in ("OnFailure", "OnSuccess")]
    return {target for value in values if value for target in value.resources()}


def answers_for(endpoint_service: str, service: str) -> bool:
    """Whether the endpoint of `endpoint_service` (`ecr.api`) carries calls of the IAM prefix `service` (`ecr`)."""
    name = endpoint_service.replace("-fips", "")
    expected = _ENDPOINTS.get(service)
    return (name in expected) if expected else name == service or name.split(".", maxsplit=1)[0] == service


def endpoint_name(service: str) -> str:
    """The endpoint service to add for an IAM prefix: `monitoring` for `cloudwatch`."""
    return _ENDPOINTS.get(service, (service,))[0]
