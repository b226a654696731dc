"""What an operation goes to, as its parameters say it: a table, a queue, an index of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credential_rules.code_walk.record import Named
from credential_rules.code_walk.values import NOTHING, OPAQUE, Container, Text, Value, Variable

if TYPE_CHECKING:
    from credential_rules.code_walk.objects import Objects

_NAMED_BY: Final[dict[str, tuple[str, ...]]] = {
    "athena": ("WorkGroup",),
    "dynamodb": ("TableName",),
    "dynamodbstreams": ("StreamArn",),
    "ecs": ("cluster",),
    "firehose": ("DeliveryStreamName",),
    "kinesis": ("StreamName", "StreamARN"),
    "kms": ("KeyId",),
    "lambda": ("FunctionName",),
    "logs": ("logGroupName",),
    "rds-data": ("resourceArn",),
    "s3": ("Bucket",),
    "secretsmanager": ("SecretId",),
    "sns": ("TopicArn", "TargetArn"),
    "sqs": ("QueueUrl",),
    "ssm": ("Name", "Names", "Path"),
    "stepfunctions": ("stateMachineArn",),
}
"""The parameters that say what a call goes to."""

_TRANSACTION: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def naming_parameter(service: str) -> str:
    """The parameter that says what a call goes to, empty if none is known."""
    return _NAMED_BY.get(service, ("",))[0]


def resources_of(service: str, operation: str, given: dict[str, Value], walk: Objects) -> tuple[Named, ...]:
    """What a call goes to, nothing if a part of it is not known."""
    if service == "dynamodb" and operation in {"BatchGetItem", "BatchWriteItem"} and "RequestItems" in given:
        return _keys(given["RequestItems"])
    if service == "events" and operation == "PutEvents":
        return _nested(given.get("Entries", NOTHING), "EventBusName", walk)
    value = NOTHING
    for parameter in _NAMED_BY.get(service, ()):
        if parameter in given:
            value |= walk.elements(given[parameter]) if parameter.endswith("s") else given[parameter]
    return _names(value)


def _keys(items: Value) -> tuple[Named, ...]:
    found: Value = NOTHING
    names: set[Named] = set()
    for item in items:
        if not isinstance(item, Container):
            return ()
        names |= {Named(name, is_variable=False) for name in item.fields.cells if name != "*"}
        found |= item.keys.value
        if "*" in item.fields.cells and not item.keys.value:
            return ()
    more = _names(found)
    if found and not more:
        return ()
    return tuple(sorted({*names, *more}, key=lambda one: (one.text, one.is_variable)))


def _nested(items: Value, key: str, walk: Objects) -> tuple[Named, ...]:
    found = NOTHING
    for item in walk.elements(items):
        if not isinstance(item, Container) or key not in item.fields.cells:
            return ()
        found |= item.fields.cells[key].value
    return _names(found)


def indexes_of(service: str, given: dict[str, Value]) -> tuple[str, ...]:
    """The indexes of a table that a call goes to: `*` for one that is not known."""
    index = _names(given.get("IndexName", NOTHING)) if service == "dynamodb" else ()
    if index:
        return tuple(sorted(one.text if not one.is_variable else "*" for one in index))
    return ("*",) if "IndexName" in given or "" in given else ()


def is_transaction(service: str, operation: str) -> bool:
    """Whether an operation is made of others, which are what IAM asks for."""
    return service == "dynamodb" and operation in {"TransactWriteItems", "TransactGetItems"}


def operations_within(operation: str, items: Value, walk: Objects) -> list[tuple[str, tuple[Named, ...]]]:
    """The operations within a transaction and their tables; the transaction itself where its items are not known."""
    found: list[tuple[str, tuple[Named, ...]]] = []
    for item in walk.elements(items):
        if not isinstance(item, Container) or "*" in item.fields.cells:
            return [(operation, ())]
        for key, cell in item.fields.cells.items():
            if key not in _TRANSACTION:
                return [(operation, ())]
            tables = NOTHING
            for inner in cell.value:
                if isinstance(inner, Container) and "TableName" in inner.fields.cells:
                    tables |= inner.fields.cells["TableName"].value
                else:
                    tables |= {OPAQUE}
            found.append((_TRANSACTION[key], _names(tables)))
    return found or [(operation, ())]


def _names(value: Value) -> tuple[Named, ...]:
    """What a value names, nothing if a part of it is not known."""
    found: set[Named] = set()
    for atom in value:
        if isinstance(atom, Text):
            found.add(Named(atom.text, is_variable=False))
        elif isinstance(atom, Variable):
            found.add(Named(atom.name, is_variable=True))
        else:
            return ()
    return tuple(sorted(found, key=lambda one: (one.text, one.is_variable)))
