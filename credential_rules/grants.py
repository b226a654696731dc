"""Whether a role's statements allow what a function needs, as far as a template can say before it is deployed."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from credential_rules import iam_actions
from credential_rules.arns import SECRET_SUFFIX, fields, glob, has_wildcard, is_wild, without_secret_suffix
from credential_rules.branches import always, branch_of
from credential_rules.narrowing import operator_of
from credential_rules.needs import ANY_INDEX, Need
from credential_rules.policies import RESOURCE_POLICY_TYPES
from credential_rules.template import Resource
from credential_rules.values import Hole, join_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credential_rules.branches import Branch
    from credential_rules.index import Index, Role
    from credential_rules.policies import Condition, Statement
    from credential_rules.values import Text

_HOLE: Final = re.compile(r"\$\{[^}]*\}")
_SOMETHING: Final = "\1"  # stands for a name, or the rest of one, that the template does not know

_NAME_PROPERTIES: Final = {
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::EventBus": "Name",
    "AWS::Kinesis::Stream": "Name",
    "AWS::KinesisFirehose::DeliveryStream": "DeliveryStreamName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SSM::Parameter": "Name",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::Serverless::Function": "FunctionName",
    "AWS::Serverless::SimpleTable": "TableName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
"""Where the template may give a resource the name that its ARN ends in."""

_KINDS: Final = {
    "dynamodb": "table/",
    "events": "event-bus/",
    "firehose": "deliverystream/",
    "kinesis": "stream/",
    "kms": "key/",
    "lambda": "function:",
    "logs": "log-group:",
    "secretsmanager": "secret:",
    "ssm": "parameter/",
    "states": "stateMachine:",
}
"""What stands in an ARN before the name."""

STREAM_ACTIONS: Final = frozenset(
    {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}
)
"""Actions on the stream of a table."""
_IN_LOG_GROUPS: Final = frozenset(
    {
        *("logs:CreateLogStream", "logs:DeleteLogStream", "logs:DescribeLogStreams", "logs:FilterLogEvents"),
        *("logs:GetLogEvents", "logs:PutLogEvents"),
    }
)
"""Actions whose ARN goes on after the group's name.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
"""
_STREAM_ATTRIBUTES: Final = frozenset({"StreamArn", "LatestStreamArn"})


def flat(text: Text) -> str:
    """A text with its holes as `${name}`, without colons in them, so that an ARN can be taken apart."""
    return "".join(piece if isinstance(piece, str) else _hole(piece) for piece in text.pieces)


def _hole(hole: Hole) -> str:
    return f"${{{hole.name.replace(':', '.')}}}"


def _flat_pattern(pattern: str) -> str:
    return _HOLE.sub(lambda found: found[0].replace(":", "."), pattern)


# --- one resource of a statement ----------------------------------------------------------------------------------


def covers(text: Text, need: Need) -> bool | None:
    """Whether a statement's resource is, or includes, what a need is for; None if only the deployment decides.

    A need whose target nobody knows is covered by any resource of its service.
    """
    written = flat(text)
    if is_wild(written):
        return True
    service = need.action.partition(":")[0]
    parts = fields(written)
    if parts is not None and not _is_service(parts[2], service):
        return False
    target = need.target
    if target is None:
        return True
    if isinstance(target, Resource):
        return _covers_resource(text, target, need, parts)
    return _covers_name(text, _flat_pattern(target), need, parts)


def _is_service(written: str, service: str) -> bool:
    return written == service or glob(written).fullmatch(service) is not None


def _covers_resource(text: Text, target: Resource, need: Need, parts: tuple[str, ...] | None) -> bool | None:
    for position, piece in enumerate(text.pieces):
        if isinstance(piece, Hole) and piece.resource is target:
            return _reaches(piece, _after(text, position), need)
    if any(hole.resource is not None for hole in text.holes):
        return False
    names = [flat(name) for name in names_of_resource(target)]
    if parts is None:
        return None if text.is_undecided else any(name == flat(text) for name in names)
    for name in names or [_SOMETHING]:
        if _matches(parts[5], name, need):
            return True
    if not names and has_wildcard(parts[5]):
        # CloudFormation makes a name of the stack's: a prefix may be meant for it.
        return None
    return None if text.is_undecided else False


def _after(text: Text, position: int) -> str:
    return "".join(part if isinstance(part, str) else _hole(part) for part in text.pieces[position + 1 :])


def _covers_name(text: Text, name: str, need: Need, parts: tuple[str, ...] | None) -> bool | None:
    for position, piece in enumerate(text.pieces):
        if isinstance(piece, Hole) and piece.resource is not None:
            named = [flat(one) for one in names_of_resource(piece.resource)]
            if name in named or name.rpartition("/")[2] in named:
                return _reaches(piece, _after(text, position), need)
            return None if "${" in name else False
    written = flat(text)
    if parts is None:
        return True if written == name else (None if text.is_undecided or "${" in name else False)
    if fields(name) is not None:
        return _matches_arn(written, name, need)
    if _matches(parts[5], name, need):
        return True
    # The name and nothing after it does not match, whatever the name will be.
    is_open = (text.is_undecided or "${" in name) and parts[5] != _whole(name, need)
    return None if is_open else False


def _matches_arn(written: str, name: str, need: Need) -> bool | None:
    endings = _endings(need)
    if need.action.startswith("secretsmanager:"):
        if without_secret_suffix(name):
            endings = ("",)
        elif without_secret_suffix(written) == name or glob(without_secret_suffix(written)).fullmatch(name):
            return True
    if any(glob(written).fullmatch(name + more) for more in endings):
        return True
    return None if "${" in written or "${" in name else False


def _matches(written: str, name: str, need: Need) -> bool:
    """Whether the last field of an ARN stands for a name, with its kind before it and what lies below it after."""
    whole, pattern = _whole(name, need), glob(written)
    if need.action.startswith("secretsmanager:") and without_secret_suffix(written) == whole:
        return True
    return any(pattern.fullmatch(whole + more) for more in _endings(need))


def _whole(name: str, need: Need) -> str:
    """The last field of an ARN up to the name."""
    before = _KINDS.get(need.action.partition(":")[0], "")
    # A parameter's name begins with the slash that ends its kind.
    return f"{before}{name.lstrip('/') if before.endswith('/') and _SOMETHING not in name else name}"


def _endings(need: Need) -> tuple[str, ...]:  # noqa: PLR0911 (one answer per service)
    """What follows the name in the ARN that IAM asks for."""
    service = need.action.partition(":")[0]
    if service == "dynamodb":
        if need.action in STREAM_ACTIONS:
            return (f"/stream/{_SOMETHING}",)
        if need.below:
            return (f"/index/{_SOMETHING if need.below == ANY_INDEX else need.below}",)
        return ("",)
    if service == "s3":
        return (f"/{_SOMETHING}",) if is_of_objects(need.action) else ("",)
    if service == "secretsmanager":
        # Nobody knows the characters of a secret that is yet to be.
        return ("", "-AbCdEf") if need.action == "secretsmanager:CreateSecret" else ("-AbCdEf",)
    if service == "logs":
        below = (f":log-stream:{_SOMETHING}", f":{_SOMETHING}")
        return below if need.action in _IN_LOG_GROUPS else ("", *below)
    if service in {"lambda", "states"}:
        return ("", f":{_SOMETHING}")
    return ("",)


def _reaches(piece: Hole, rest: str, need: Need) -> bool:  # noqa: PLR0911 (one answer per service)
    """Whether a reference to a resource, and what follows it, still means what is needed of the resource."""
    service = need.action.partition(":")[0]
    of_stream = piece.attribute in _STREAM_ATTRIBUTES
    if is_wild(rest):
        return True
    if service == "dynamodb":
        if need.action in STREAM_ACTIONS:
            return of_stream or rest.startswith("/stream")
        if of_stream:
            return False
        if need.below == ANY_INDEX:
            return rest.startswith("/index/") or is_wild(rest.lstrip("/"))
        return glob(rest).fullmatch(f"/index/{need.below}" if need.below else "") is not None
    if service == "s3":
        return rest.startswith("/") if is_of_objects(need.action) else not rest
    if service == "secretsmanager":
        # The reference is the ARN with its six characters.
        return not rest
    if need.action in _IN_LOG_GROUPS and piece.attribute is None:
        # Not the ARN, which ends in `:*`, but the name.
        return rest.startswith((":", "*"))
    return not rest or rest[0] in "*:/-?"


@lru_cache(maxsize=1024)
def is_of_objects(action: str) -> bool:
    """Whether an action of S3 works on objects, whose ARN goes on after the bucket's."""
    known = iam_actions.action(action)
    return known is not None and any("${ObjectName}" in form for form in known.arn_formats)


def names_of_resource(resource: Resource) -> list[Text]:
    """The names that the template gives to a resource, none if CloudFormation makes one."""
    key = _NAME_PROPERTIES.get(resource.type)
    return [text for text in resource[key].texts() if text.pieces] if key else []


class Correction(NamedTuple):
    """What a statement's resource is, and how it is written to mean what is needed."""

    why: str
    written: Text


def correction(text: Text, need: Need) -> Correction | None:
    """The form in which a resource would cover a need that it does not cover; None if it is another resource."""
    service = need.action.partition(":")[0]
    add, strip = "", ""
    if service == "secretsmanager":
        add, why = SECRET_SUFFIX, "a secret's ARN goes on with a hyphen and six characters that AWS adds to the name"
    elif need.action in _IN_LOG_GROUPS:
        add, why = ":*", "the ARN that AWS asks for goes on after the log group's name"
    elif service == "s3" and is_of_objects(need.action):
        add, why = "/*", "that is the bucket, and AWS asks for its objects"
    elif service == "s3":
        strip, why = "/*", "those are the bucket's objects, and AWS asks for the bucket"
    elif service == "dynamodb" and need.below:
        add, why = f"/index/{need.below}", "that is the table, and AWS asks for its index"
    else:
        return None
    pieces = list(text.pieces)
    last = pieces[-1] if pieces else None
    if strip:
        if not isinstance(last, str) or not last.endswith(strip):
            return None
        pieces[-1] = last.removesuffix(strip)
    written = join_text([*pieces, add], text.parameters)
    return Correction(why, written) if covers(text, need) is not True and covers(written, need) is True else None


# --- statements and roles -----------------------------------------------------------------------------------------


def statement_covers(statement: Statement, need: Need) -> bool | None:
    """Whether a statement, be it an Allow or a Deny, is about what is needed; None if only the deployment decides."""
    acts = _acts(statement, need.action)
    if acts is False or not is_for(statement, need):
        return False
    on = _is_on(statement, need)
    if acts is True and on is True:
        return True
    return False if on is False else None


def _is_on(statement: Statement, need: Need) -> bool | None:
    if statement.not_resources:
        if need.target is None:
            return statement.allows or None
        is_spared = _any(covers(text, need) for text in statement.not_resources)
        return None if is_spared is None else not is_spared
    is_named = _any(covers(text, need) for text in statement.resources)
    if need.target is None and is_named and not statement.allows:
        # An Allow may be meant for what nobody knows; a Deny surely hits it only if it hits all of its kind.
        whatever = replace(need, target=_SOMETHING)
        return any(covers(text, whatever) for text in statement.resources) or None
    return is_named


def _any(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return True if True in found else None if None in found else False


def corrections(role: Role, need: Need) -> Iterator[tuple[Statement, Text, Correction]]:
    """Each resource of a role's statements that is meant for a need, in a form that AWS does not match with it."""
    for statement in role.statements:
        if _grants(statement) and _acts(statement, need.action) and is_for(statement, need):
            for text in statement.resources:
                found = correction(text, need)
                if found is not None:
                    yield statement, text, found


def is_for(statement: Statement, need: Need) -> bool:
    """Whether a statement's conditions may be met by a need: on the service that uses a key, on the function that calls."""
    return all(
        _holds(condition, need) is not False and _is_through(condition, need) for condition in statement.conditions
    )


def _is_through(condition: Condition, need: Need) -> bool:
    is_on_service = condition.key.lower() == "kms:viaservice" and condition.operator.lower().startswith(
        ("stringequals", "stringlike")
    )
    return not is_on_service or any(glob(flat(text).partition(".")[0]).fullmatch(need.via) for text in condition.values)


def _acts(statement: Statement, action: str) -> bool | None:
    if statement.not_actions:
        is_spared = _any(
            None if text.literal is None else iam_actions.matches(text.literal, action)
            for text in statement.not_actions
        )
        return None if is_spared is None else not is_spared
    for text in statement.actions:
        if text.literal is not None and iam_actions.matches(text.literal, action):
            return True
    return None if any(text.literal is None for text in statement.actions) else False


SOURCE_FUNCTION: Final = "lambda:sourcefunctionarn"
"""The key that names the function whose code calls, in small letters."""
COMPARES_ARNS: Final = frozenset({"arnequals", "arnlike", "stringequals", "stringlike"})
"""The operators by which a condition names a function, in small letters."""
_NAMED_BY_LAMBDA_TOO: Final = frozenset(
    {
        *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
        *("xray:PutTraceSegments", "elasticfilesystem:ClientMount"),
    }
)
"""Calls of Lambda's own that state `lambda:SourceFunctionArn`, as all of the function's code do and no others of Lambda.

https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
"""


def denying(role: Role, need: Need) -> Statement | None:
    """The statement of a role that surely denies what is needed to who needs it: the function's code, or Lambda itself."""
    return next((one for one, is_sure in _denials(role, need) if is_sure), None)


def _denials(role: Role, need: Need) -> Iterator[tuple[Statement, bool]]:
    """The statements of a role that may deny what is needed, and whether they surely do: wherever it is needed, and it."""
    for statement in role.statements:
        if (
            statement.kind == "identity"
            and statement.effect == "Deny"
            and not statement.has_unknown_condition
            and all(_holds(condition, need) is True for condition in statement.conditions)
        ):
            covered, is_there = statement_covers(statement, need), always([statement.branches], need.under)
            if covered is not False and is_there is not False:
                yield statement, covered is True and is_there is True


def _holds(condition: Condition, need: Need) -> bool | None:
    """Whether a condition holds for who needs something, as far as it is one on the function whose code calls."""
    if condition.key.lower() != SOURCE_FUNCTION:
        return None
    operator = operator_of(condition.operator)
    is_stated = need.by_code or need.action in _NAMED_BY_LAMBDA_TOO
    if operator.base == "null":
        said = "false" if is_stated else "true"
        return True if all(text.literal == said for text in condition.values) else None
    if not is_stated:
        # `ForAnyValue:` fails on a key that is absent; with `…IfExists` beside it nobody says what it does.
        if operator.quantifier == "any":
            return None
        return operator.quantifier == "all" or operator.if_exists or operator.negated
    if operator.base not in COMPARES_ARNS or need.function is None:
        return None
    is_named = _any(named_by(condition, need.function))
    return not is_named if operator.negated and is_named is not None else is_named


def denied_to_code(role: Role, function: Resource) -> Iterator[str]:
    """The actions, as written, that a role surely denies to a function's code on everything, wherever the function is."""
    of_code = Need("", None, "", function=function)
    for statement in role.statements:
        if (
            statement.effect == "Deny"
            and not statement.has_unknown_condition
            and all(_holds(condition, of_code) is True for condition in statement.conditions)
            and any(is_wild(flat(text)) for text in statement.resources)
            and always([statement.branches], branch_of(function)) is True
        ):
            yield from (action.literal for action in statement.actions if action.literal)


def named_by(condition: Condition, function: Resource) -> list[bool | None]:
    """For each value of a condition whether it is a function's ARN; None if only the deployment decides."""
    is_literal = operator_of(condition.operator).base == "stringequals"
    itself = Need("lambda:InvokeFunction", function, "")
    return [False if is_literal and has_wildcard(flat(text)) else covers(text, itself) for text in condition.values]


class Ground(NamedTuple):
    """What allows or denies something: a statement, or the name of a managed policy, and the branches that it is there in."""

    what: Statement | str
    branches: tuple[Branch, ...]


def allowed(index: Index, role: Role, need: Need) -> bool | None:
    """Whether a role, or the policy of the resource itself, allows what is needed; None if only the deployment decides.

    What is there only in some branches of a deployment allows nothing surely.
    """
    if not need.by_code and role.resource.type == "AWS::Serverless::Function":
        # SAM adds what Lambda itself needs to the role that it makes.
        return True
    found = [(statement, statement_covers(statement, need)) for statement in role.statements if _grants(statement)]
    sure = [statement.branches for statement, covered in found if covered is True and statement.effect]
    answer = always(sure, need.under)
    for more in (_managed_allow, _resource_allows) if answer is not True else ():
        sure += [ground.branches for ground in more(index, role, need)]
        answer = always(sure, need.under)
        if answer is True:
            break
    if answer is True:
        return None if possibly_denying(role, need) is not None else True
    if answer is None or any(covered is not False and not (covered and one.effect) for one, covered in found):
        return None
    return None if opaque_policies(role) else False


def allowed_in_some_branches(index: Index, role: Role, need: Need) -> list[Ground]:
    """What allows what is needed, each only in some of the branches where it is needed."""
    found = [
        Ground(statement, statement.branches)
        for statement in role.statements
        if _grants(statement) and statement_covers(statement, need)
    ]
    found += [*_managed_allow(index, role, need), *_resource_allows(index, role, need)]
    return [one for one in found if always([one.branches], need.under) is None]


def possibly_denying(role: Role, need: Need) -> Ground | None:
    """A statement of which only the deployment decides whether it denies what is needed: is it there, and on what."""
    return next((Ground(one, one.branches) for one, is_sure in _denials(role, need) if not is_sure), None)


def granting_elsewhere(role: Role, need: Need) -> list[Statement]:
    """The statements of a role that allow the action, if nothing allows what is needed: on something else, then."""
    return [
        statement
        for statement in role.statements
        if _grants(statement) and statement.resources and _acts(statement, need.action) and is_for(statement, need)
    ]


def granting_another_caller(role: Role, need: Need) -> Statement | None:
    """A statement of a role that allows the action, and by its condition on the calling function not to who needs it."""
    return next(
        (
            statement
            for statement in role.statements
            if _grants(statement)
            and _acts(statement, need.action)
            and any(_holds(condition, need) is False for condition in statement.conditions)
        ),
        None,
    )


def _grants(statement: Statement) -> bool:
    return statement.kind == "identity" and statement.allows


def _resource_allows(index: Index, role: Role, need: Need) -> Iterator[Ground]:
    if not isinstance(need.target, Resource):
        return
    for resource in index.resources(*RESOURCE_POLICY_TYPES):
        for statement in index.statements(resource):
            if (
                statement.kind == "resource"
                and statement.effect == "Allow"
                and any(_is_principal(statement, role))
                and not any(_is_of_a_service(condition) for condition in statement.conditions)
                and _acts(statement, need.action) is not False
                and (statement.owner is need.target or any(text.resource is need.target for text in _named(statement)))
            ):
                yield Ground(statement, statement.branches)


def _named(statement: Statement) -> Iterable[Text]:
    yield from statement.resources
    for key in ("Queues", "Topics", "Bucket", "SecretId"):
        yield from statement.owner[key].texts()


_STATED_BY_SERVICES: Final = frozenset({"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"})
"""Keys that are there only where a service of AWS calls as itself, such as a topic that sends to a queue.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourcearn
"""


def _is_of_a_service(condition: Condition) -> bool:
    """Whether a condition holds for no role: it compares what only services state."""
    operator = operator_of(condition.operator)
    passes_without = operator.base == "null" or operator.negated or operator.if_exists or operator.quantifier == "all"
    return condition.key.lower() in _STATED_BY_SERVICES and not passes_without


def _is_principal(statement: Statement, role: Role) -> Iterator[bool]:
    for principal in statement.principals:
        yield principal.kind == "*" or principal.text.literal == "*" or principal.text.resource is role.resource


# --- managed policies ---------------------------------------------------------------------------------------------

_LOGS: Final = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_VPC: Final = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
_X_RAY: Final = ("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSampling*")
_MANAGED: Final[dict[str, tuple[str, ...]]] = {
    "AWSLambdaBasicExecutionRole": _LOGS,
    "AWSLambdaDynamoDBExecutionRole": (
        *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
        *_LOGS,
    ),
    "AWSLambdaENIManagementAccess": _VPC,
    "AWSLambdaKinesisExecutionRole": (
        *(
            "kinesis:Describe*",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:List*",
            "kinesis:SubscribeToShard",
        ),
        *_LOGS,
    ),
    "AWSLambdaMSKExecutionRole": (
        *("kafka:Describe*", "kafka:GetBootstrapBrokers", "ec2:Describe*", *_VPC),
        *_LOGS,
    ),
    "AWSLambdaSQSQueueExecutionRole": (
        *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        *_LOGS,
    ),
    "AWSLambdaVPCAccessExecutionRole": (*_LOGS, *_VPC),
    "AWSXRayDaemonWriteAccess": _X_RAY,
    "AWSXrayWriteOnlyAccess": _X_RAY,
    "CloudWatchLambdaInsightsExecutionRolePolicy": _LOGS,
    "CloudWatchLambdaApplicationSignalsExecutionRolePolicy": (*_LOGS, *_X_RAY),
}
"""AWS's policies for functions, and what they allow. https://docs.aws.amazon.com/aws-managed-policy/latest/reference/"""


def _managed_allow(_index: Index, role: Role, need: Need) -> Iterator[Ground]:
    for value, text in role.managed_policies:
        name = _policy_name(text)
        if any(iam_actions.matches(pattern, need.action) for pattern in _MANAGED.get(name, ())):
            yield Ground(name, branch_of(value))


def opaque_policies(role: Role) -> list[str]:
    """The managed policies of a role whose content is not part of the run."""
    return [
        name
        for _, text in role.managed_policies
        if text.resource is None and (name := _policy_name(text)) not in _MANAGED
    ]


def _policy_name(text: Text) -> str:
    return text.pattern.rsplit("/", 1)[-1]


# --- grants of a library ------------------------------------------------------------------------------------------

STREAM_READS: Final = frozenset({"dynamodb:GetRecords", "dynamodb:GetShardIterator"})
"""What the CDK writes for the table itself into each grant to read: on a table these two allow nothing."""

BUNDLES: Final[tuple[frozenset[str], ...]] = tuple(
    frozenset(bundle)
    for bundle in (
        # Table.grant_read_data, grant_write_data, grant_stream_read
        {
            *("dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:GetItem", "dynamodb:Scan"),
            *("dynamodb:ConditionCheckItem", "dynamodb:DescribeTable"),
        },
        {
            *("dynamodb:BatchGetItem", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:Query"),
            *("dynamodb:GetItem", "dynamodb:Scan", "dynamodb:ConditionCheckItem", "dynamodb:DescribeTable"),
        },
        {
            *("dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
            "dynamodb:DescribeTable",
        },
        {"dynamodb:ListStreams", "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
        {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
        STREAM_READS,
        # Bucket.grant_read, grant_put, grant_delete
        {"s3:GetObject*", "s3:GetBucket*", "s3:List*"},
        {
            *("s3:PutObject", "s3:PutObjectLegalHold", "s3:PutObjectRetention", "s3:PutObjectTagging"),
            *("s3:PutObjectVersionTagging", "s3:Abort*"),
        },
        {"s3:PutObject*", "s3:Abort*"},
        {"s3:DeleteObject*"},
        # Queue.grant_send_messages, grant_consume_messages
        {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"},
        {
            *("sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueUrl", "sqs:DeleteMessage"),
            "sqs:GetQueueAttributes",
        },
        # Secret.grant_read, grant_write; StringParameter.grant_read
        {"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"},
        {"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret", "secretsmanager:UpdateSecretVersionStage"},
        {"ssm:DescribeParameters", "ssm:GetParameters", "ssm:GetParameter", "ssm:GetParameterHistory"},
        # Key.grant_encrypt, grant_encrypt_decrypt
        {"kms:Encrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"},
        {"kms:Decrypt", "kms:Encrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"},
        {"kms:Decrypt", "kms:GenerateDataKey"},
        # Stream.grant_read, grant_write
        {
            *("kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"),
            *("kinesis:SubscribeToShard", "kinesis:DescribeStream", "kinesis:ListStreams"),
        },
        {"kinesis:ListShards", "kinesis:PutRecord", "kinesis:PutRecords"},
        {"firehose:PutRecord", "firehose:PutRecordBatch"},
        {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    )
)
"""What the CDK's `grant_…` methods write: each is one decision, to read or to send, and cannot be given in part."""
