"""Which operations the SDK's names stand for: clients, resources, paginators, transfers, and packages that call by themselves."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from credential_rules import taught_calls
from credential_rules.code_listener import SdkListener
from credential_rules.code_values import (
    NOTHING,
    OPAQUE,
    SESSION,
    Client,
    Container,
    Method,
    Prepared,
    Provider,
    ResourceObject,
    Text,
    Value,
    Variable,
)
from credential_rules.sdk_services import kind, looks_like_operation, operation_of, waiter_operation
from credential_rules.sources import mentions_the_sdk

if TYPE_CHECKING:
    from credential_rules.code_program import Module
    from credential_rules.code_values import Arguments, Atom, Frame
    from credential_rules.code_walk import Walk
    from credential_rules.sources import Source


@dataclass(frozen=True, slots=True)
class Named:
    """What a call goes to, as the code says it: by an environment variable, or by a name or ARN."""

    text: str
    is_variable: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One operation that the code can call.

    `service` is the SDK's name of it, `operation` the API's. `path` is the file within the asset. `resources` says what
    it goes to, empty if that is not known; `index` names indexes of a table, empty for the table itself.
    `is_optional`: the call may be refused and the code works all the same.
    """

    service: str
    operation: str
    path: str
    line: int
    resources: tuple[Named, ...] = ()
    index: tuple[str, ...] = ()
    is_optional: bool = False
    source: Source | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that may call AWS and is not understood. `service` is the SDK's name of the service, empty if it may be any."""

    path: str
    line: int
    reason: str
    teach: str = taught_calls.HOW
    service: str = ""
    source: Source | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Mistaught:
    """A comment `# aws: …` that says nothing that AWS knows."""

    path: str
    line: int
    reason: str
    source: Source | None = field(default=None, compare=False)


def taught_call(one: taught_calls.Taught, path: str, line: int, source: Source | None) -> Call:
    """The call that a comment, or a function's metadata, tells of."""
    named: tuple[Named, ...] = ()
    if one.resource:
        named = (Named(one.resource, is_variable=one.resource.isupper() and one.resource.isidentifier()),)
    return Call(one.service, one.operation, path, line, named, source=source)


def shown_path(module: Module) -> str:
    """The file within the asset, as a person finds it."""
    return module.name.replace(".", "/") + ("/__init__.py" if module.is_package else ".py")


_SESSIONS: Final = frozenset(
    {
        "boto3.Session",
        "boto3.session.Session",
        "boto3._get_default_session",
        "aioboto3.Session",
        "aioboto3.session.Session",
        "botocore.session.Session",
        "botocore.session.get_session",
        "aiobotocore.session.AioSession",
        "aiobotocore.session.get_session",
        "aiobotocore.get_session",
    }
)
_CLIENTS: Final = frozenset({"boto3.client", "boto3.create_client", "aioboto3.client"})
_RESOURCES: Final = frozenset({"boto3.resource", "aioboto3.resource"})
_SIGNERS: Final = frozenset(
    {
        "botocore.auth.SigV4Auth",
        "botocore.auth.S3SigV4Auth",
        "botocore.auth.SigV4QueryAuth",
        "botocore.crt.auth.CrtSigV4Auth",
    }
)
_RUN_PROGRAMS: Final = ("subprocess.", "os.system", "os.popen", "os.exec", "os.spawn", "asyncio.create_subprocess_")
_AWS_PROGRAM: Final = re.compile(r"(?:^|[\s/])aws(?:\s|$)")
_READS: Final = frozenset(
    {
        "os.getenv",
        "os.environ.get",
        "os.environ.pop",
        "os.environ.setdefault",
        "os.environ.__getitem__",
        "os.environ.copy().get",
    }
)

_NO_OPERATIONS: Final = frozenset(
    {"exceptions", "meta", "close", "can_paginate", "waiter_names", "get_available_subresources"}
)
_KEEPS: Final = frozenset({"result", "__aenter__", "__enter__", "enter_async_context", "enter_context"})

_TRANSFERS: Final[dict[str, tuple[str, ...]]] = {
    "upload_file": ("PutObject", "AbortMultipartUpload"),
    "upload_fileobj": ("PutObject", "AbortMultipartUpload"),
    "download_file": ("HeadObject", "GetObject"),
    "download_fileobj": ("HeadObject", "GetObject"),
    "copy": ("HeadObject", "CopyObject", "AbortMultipartUpload"),
}
"""What S3's transfer methods call. A large upload calls CreateMultipartUpload and so on, which need the same action."""

_OF_VERSIONS: Final = {
    "DeleteObject": "DeleteObjectVersion",
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectTagging": "GetObjectVersionTagging",
    "HeadObject": "GetObjectVersion",
}
"""What IAM asks for instead, where a version is named."""
_WITH_PARAMETER: Final = {
    "PutObject": (("ACL", "PutObjectAcl"), ("Tagging", "PutObjectTagging"), ("ObjectLockMode", "PutObjectRetention")),
    "CopyObject": (("ACL", "PutObjectAcl"), ("Tagging", "PutObjectTagging")),
}
"""What IAM asks for besides, where a parameter is given."""

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

_POWERTOOLS: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    "parameters.get_parameter": (("ssm", "GetParameter", "name"),),
    "parameters.get_parameters": (("ssm", "GetParametersByPath", "path"),),
    "parameters.get_parameters_by_name": (("ssm", "GetParameters", ""),),
    "parameters.set_parameter": (("ssm", "PutParameter", "name"),),
    "parameters.get_secret": (("secretsmanager", "GetSecretValue", "name"),),
    "parameters.set_secret": (("secretsmanager", "PutSecretValue", "name"),),
    "parameters.get_app_config": (
        ("appconfigdata", "StartConfigurationSession", ""),
        ("appconfigdata", "GetLatestConfiguration", ""),
    ),
    "idempotency.DynamoDBPersistenceLayer": tuple(
        ("dynamodb", operation, "table_name") for operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem")
    ),
    "feature_flags.AppConfigStore": (
        ("appconfigdata", "StartConfigurationSession", ""),
        ("appconfigdata", "GetLatestConfiguration", ""),
    ),
    "streaming.S3Object": (("s3", "GetObject", "bucket"), ("s3", "HeadObject", "bucket")),
}
"""Functions and classes of Powertools that call AWS when they are used. https://docs.aws.amazon.com/powertools/python/"""

_PROVIDERS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "SSMProvider": {
        "get": ("ssm", "GetParameter"),
        "get_multiple": ("ssm", "GetParametersByPath"),
        "get_parameters_by_name": ("ssm", "GetParameters"),
        "set": ("ssm", "PutParameter"),
    },
    "SecretsProvider": {"get": ("secretsmanager", "GetSecretValue"), "set": ("secretsmanager", "PutSecretValue")},
    "DynamoDBProvider": {"get": ("dynamodb", "GetItem"), "get_multiple": ("dynamodb", "Query")},
    "AppConfigProvider": {"get": ("appconfigdata", "GetLatestConfiguration")},
}

_CALL_AWS_THEMSELVES: Final = frozenset(
    {
        "aws_encryption_sdk",
        "aws_xray_sdk.core.sampling",
        "aws_requests_auth",
        "awswrangler",
        "boto",
        "celery",
        "cognitojwt",
        "dynamodb_encryption_sdk",
        "dynamorm",
        "kombu",
        "langchain_aws",
        "moto",
        "opensearchpy",
        "pyathena",
        "pynamodb",
        "pyqldb",
        "redshift_connector",
        "requests_aws4auth",
        "s3fs",
        "s3path",
        "sagemaker",
        "smart_open",
        "warrant",
        "watchtower",
    }
)
"""Packages that make their own clients."""

_SDK_PACKAGES: Final = frozenset(
    {"boto3", "botocore", "aioboto3", "aiobotocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six", "awscrt"}
    | {"aws_lambda_powertools", "aws_xray_sdk", "types_boto3", "mypy_boto3", "awslambdaric", "aws_lambda_typing"}
)

_TRANSACTION: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


class Listener(SdkListener):
    """Knows the SDK, and writes down what is called."""

    def __init__(self, walk: Walk, *, has_layers: bool) -> None:
        self._walk = walk
        self._has_layers = has_layers
        self.calls: dict[Call, None] = {}
        self.unknown: dict[tuple[str, int, str], Unknown] = {}
        self.mistaught: dict[Mistaught, None] = {}

    # --- making clients ---

    def call_external(self, path: str, arguments: Arguments) -> Value | None:  # noqa: PLR0911 (one answer per kind)
        """Sessions, clients, variables, and what Powertools calls."""
        if path in _SESSIONS:
            return frozenset({OPAQUE}) if _acts_as_another(arguments) else frozenset({SESSION})
        if path in _CLIENTS:
            return self._made(arguments, is_resource=False)
        if path in _RESOURCES:
            return self._made(arguments, is_resource=True)
        if path in _READS:
            names = arguments.at(0, "key")
            return frozenset(
                self._walk.variable(name.text) if isinstance(name, Text) else OPAQUE for name in names
            ) | arguments.at(1, "default")
        if path in _SIGNERS:
            if self._walk.recording:
                self._not_understood(arguments.node, "the code signs requests to AWS by itself")
            return frozenset({OPAQUE})
        if path.startswith("aws_lambda_powertools."):
            return self._powertools(path, arguments)
        if path.startswith(("boto3.s3.transfer.", "s3transfer.")):
            return self._transfer(arguments)
        return None

    def _made(self, arguments: Arguments, *, is_resource: bool) -> Value:
        if _acts_as_another(arguments):
            return frozenset({OPAQUE})
        names = arguments.at(0, "service_name")
        services = [name.text for name in names if isinstance(name, Text)]
        if self._walk.recording and (not services or len(services) < len(names)):
            self._not_understood(arguments.node, "a client is made of a service that the code does not name")
        return frozenset(
            self._walk.resource(service, "") if is_resource else self._walk.client(service) for service in services
        )

    # --- attributes and methods ---

    def attribute(self, atom: Client | ResourceObject, name: str, node: ast.expr | None) -> Value:
        """A method of a client; of a resource object also what lies below it."""
        walk = self._walk
        if isinstance(atom, Client):
            if name in _NO_OPERATIONS:
                return frozenset({OPAQUE})
            return frozenset({walk.method(atom, name)})
        if name == "meta":
            return frozenset({atom})
        if name == "client":
            return frozenset({walk.client(atom.service)})
        shape = kind(atom.service, atom.kind)
        if shape is not None and name in shape.collections:
            operation, makes = shape.collections[name]
            given = self._filled_in(atom)
            if node is not None:
                self._call(atom.service, operation, node, dict(given))
            return frozenset({walk.prepared(atom.service, operation, given, makes)})
        return frozenset({walk.method(atom, name)})

    def _filled_in(self, atom: ResourceObject) -> tuple[tuple[str, Value], ...]:
        """The parameters of an operation that a resource object fills in itself."""
        shape = kind(atom.service, atom.kind)
        if shape is None:
            return ()
        return tuple((shape.parameters.get(name, name), value) for name, value in atom.names)

    def is_operation(self, method: Method) -> bool:
        """Whether a client's service has the operation, or it is no operation at all."""
        owner, name = method.owner, method.name
        if isinstance(owner, ResourceObject):
            shape = kind(owner.service, owner.kind)
            return shape is not None and (name in shape.actions or name in shape.has)
        return (
            "_" not in name or bool(operation_of(owner.service, name)) or (owner.service == "s3" and name in _TRANSFERS)
        )

    def call_method(self, method: Method, arguments: Arguments) -> Value:
        """The call of an operation, or of what prepares one."""
        if isinstance(method.owner, Client):
            return self._client_call(method.owner, method.name, arguments)
        return self._resource_call(method.owner, method.name, arguments)

    def _client_call(self, client: Client, name: str, arguments: Arguments) -> Value:  # noqa: PLR0911 (one branch per method)
        service = client.service
        if name in _KEEPS:
            return frozenset({client})
        if name == "get_paginator":
            return self._prepared(client, arguments.at(0, "operation_name"), arguments)
        if name == "get_waiter":
            return self._waiter(client, arguments)
        if name == "generate_presigned_url":
            return self._presigned(client, arguments)
        if name == "generate_presigned_post":
            self._call(service, "PutObject", arguments.node, {"Bucket": arguments.at(0, "Bucket")})
            return frozenset({OPAQUE})
        if name == "generate_db_auth_token":
            self._call("rds-db", "connect", arguments.node, {})
            return frozenset({OPAQUE})
        if service == "s3" and name in _TRANSFERS:
            position = {"upload_file": 1, "upload_fileobj": 1, "download_file": 0, "download_fileobj": 0, "copy": 1}[
                name
            ]
            bucket = arguments.at(position, "Bucket")
            self._transferred(name, bucket if name != "copy" else NOTHING, arguments)
            return frozenset({OPAQUE})
        operation = operation_of(service, name)
        if not operation:
            if self._walk.recording and "_" in name:
                self._not_understood(arguments.node, f"{service} has no operation that is called as '{name}'", service)
            return frozenset({OPAQUE})
        self._call(service, operation, arguments.node, self._keywords(arguments))
        return frozenset({OPAQUE})

    def _transferred(self, name: str, bucket: Value, arguments: Arguments) -> None:
        for operation in _TRANSFERS[name]:
            # The size is asked for before a download; an upload in parts is given up if one of them fails.
            is_optional = operation in {"HeadObject", "AbortMultipartUpload"}
            self._call("s3", operation, arguments.node, {"Bucket": bucket}, is_optional=is_optional)

    def _keywords(self, arguments: Arguments) -> dict[str, Value]:
        if arguments.extra:
            # More than is known is given: what names the resource may be among it.
            return {"": arguments.extra, **arguments.keywords}
        return arguments.keywords

    def _prepared(self, client: Client, names: Value, arguments: Arguments) -> Value:
        found = NOTHING
        for name in names:
            operation = operation_of(client.service, name.text) if isinstance(name, Text) else ""
            if operation:
                found |= {self._walk.prepared(client.service, operation)}
            elif self._walk.recording:
                self._not_understood(arguments.node, f"a paginator of {client.service} is not named", client.service)
        return found

    def _waiter(self, client: Client, arguments: Arguments) -> Value:
        found = NOTHING
        for name in arguments.at(0, "waiter_name"):
            operation = waiter_operation(client.service, name.text) if isinstance(name, Text) else ""
            if operation:
                found |= {self._walk.prepared(client.service, operation)}
            elif self._walk.recording:
                self._not_understood(arguments.node, f"a waiter of {client.service} is not named", client.service)
        return found

    def _presigned(self, client: Client, arguments: Arguments) -> Value:
        """Whoever uses the address acts with the permissions of who signed it."""
        for name in arguments.at(0, "ClientMethod"):
            operation = operation_of(client.service, name.text) if isinstance(name, Text) else ""
            if not operation and self._walk.recording:
                self._not_understood(
                    arguments.node, "the operation of a presigned address is not named", client.service
                )
                continue
            given: dict[str, Value] = {}
            for parameters in arguments.at(1, "Params"):
                if isinstance(parameters, Container):
                    given |= {key: cell.value for key, cell in parameters.fields.cells.items()}
            self._call(client.service, operation, arguments.node, given)
        return frozenset({OPAQUE})

    def _resource_call(self, owner: ResourceObject, name: str, arguments: Arguments) -> Value:  # noqa: PLR0911 (one per use)
        walk, service = self._walk, owner.service
        shape = kind(service, owner.kind)
        if shape is None:
            return frozenset({OPAQUE})
        if name in shape.has:
            return frozenset({self._below(owner, *shape.has[name], arguments)})
        given = dict(self._filled_in(owner)) | self._keywords(arguments)
        if service == "dynamodb" and name == "batch_writer":
            self._call(service, "BatchWriteItem", arguments.node, {"TableName": given.get("TableName", NOTHING)})
            return frozenset({OPAQUE})
        if service == "s3" and name in _TRANSFERS:
            self._transferred(name, given.get("Bucket", NOTHING) if name != "copy" else NOTHING, arguments)
            return frozenset({OPAQUE})
        called = shape.actions.get(name)
        if called is None:
            return frozenset({OPAQUE})
        self._call(service, called, arguments.node, given)
        made = shape.makes.get(name)
        if made is None:
            return frozenset({OPAQUE})
        below = kind(service, made)
        named = tuple((part, given[part]) for part in below.identifiers if part in given) if below is not None else ()
        return frozenset({walk.resource(service, made, named)})

    def _below(self, owner: ResourceObject, made: str, names: dict[str, str], arguments: Arguments) -> Atom:
        """`resource.Table(name)`, `bucket.Object(key)`: what is not the owner's own name is given in order."""
        own = dict(owner.names)
        found: list[tuple[str, Value]] = []
        position = 0
        for name, source in names.items():
            if source:
                found.append((name, own.get(source, NOTHING)))
            else:
                found.append((name, arguments.at(position, name.lower())))
                position += 1
        return self._walk.resource(owner.service, made, tuple(found))

    def call_prepared(self, owner: Prepared | Provider, name: str, arguments: Arguments) -> Value:
        """Pages, waiting, collections; Powertools' providers."""
        if isinstance(owner, Provider):
            operation = _PROVIDERS[owner.kind].get(name)
            if operation is not None:
                given = dict(owner.given)
                if owner.kind == "AppConfigProvider":
                    self._call("appconfigdata", "StartConfigurationSession", arguments.node, {})
                if operation[0] in {"ssm", "secretsmanager"}:
                    given[_NAMED_BY[operation[0]][0]] = arguments.at(0, "name")
                self._call(*operation, arguments.node, given)
            return frozenset({OPAQUE})
        if owner.makes:
            batch = kind(owner.service, owner.makes)
            if batch is not None and name in batch.batch:
                self._call(owner.service, batch.batch[name], arguments.node, dict(owner.given))
            return frozenset({owner})
        if name in {"paginate", "wait"}:
            self._call(owner.service, owner.operation, arguments.node, self._keywords(arguments))
        return frozenset({OPAQUE})

    # --- packages that call by themselves ---

    def _powertools(self, path: str, arguments: Arguments) -> Value | None:
        tail = path.partition(".utilities.")[2]
        parts = tail.split(".")
        key = f"{parts[0]}.{parts[-1]}"
        if parts[-1] in _PROVIDERS:
            return frozenset({self._walk.provider(parts[-1], (("TableName", arguments.at(0, "table_name")),))})
        operations = _POWERTOOLS.get(key)
        if operations is None:
            return None
        for service, operation, parameter in operations:
            given = arguments.at(0, parameter) if parameter else NOTHING
            name = _NAMED_BY.get(service, ("",))[0]
            self._call(service, operation, arguments.node, {name: given} if parameter else {})
        return frozenset({OPAQUE})

    def _transfer(self, arguments: Arguments) -> Value:
        if self._walk.recording and any(isinstance(atom, Client) for atom in arguments.every()):
            self._not_understood(arguments.node, "a client is given to the SDK's transfer manager", "s3")
        return frozenset({OPAQUE})

    # --- writing down ---

    def _call(
        self, service: str, operation: str, node: ast.AST, given: dict[str, Value], *, is_optional: bool = False
    ) -> None:
        frame = self._walk.frame
        if not self._walk.recording or frame is None:
            return
        line = _line(node)
        if self._is_taught(frame.module, node):
            return
        path = shown_path(frame.module)
        index = _names(given.get("IndexName", NOTHING)) if service == "dynamodb" else ()
        if service == "dynamodb" and operation in {"TransactWriteItems", "TransactGetItems"}:
            for name, tables in self._transaction(operation, given.get("TransactItems", NOTHING)):
                self._note(Call(service, name, path, line, tables, source=frame.module.source))
            return
        named = _resources(service, operation, given, self._walk)
        if service == "s3":
            version = _OF_VERSIONS.get(operation) if "VersionId" in given else None
            is_optional = is_optional or version is not None
            more = [
                version,
                *(action for parameter, action in _WITH_PARAMETER.get(operation, ()) if parameter in given),
            ]
            for also in more:
                if also is not None:
                    self._note(Call(service, also, path, line, named, source=frame.module.source))
        self._note(
            Call(
                service,
                operation,
                path,
                line,
                named,
                tuple(sorted(one.text if not one.is_variable else "*" for one in index))
                if index
                else _unknown_index(given),
                is_optional,
                frame.module.source,
            )
        )

    def _note(self, call: Call) -> None:
        self.calls[call] = None

    def _transaction(self, operation: str, items: Value) -> list[tuple[str, tuple[Named, ...]]]:
        """The operations within a transaction and their tables; the transaction itself where its items are not known."""
        found: list[tuple[str, tuple[Named, ...]]] = []
        for item in self._walk.elements(items):
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

    def _is_taught(self, module: Module, node: ast.AST) -> bool:
        if not module.comments:
            return False
        first = getattr(node, "lineno", 1)
        return any(line in module.taught for line in range(first, (getattr(node, "end_lineno", None) or first) + 1))

    def _not_understood(self, node: ast.AST, reason: str, service: str = "", teach: str = taught_calls.HOW) -> None:
        frame = self._walk.frame
        if frame is None or self._is_taught(frame.module, node):
            return
        path, line = shown_path(frame.module), _line(node)
        self.unknown.setdefault(
            (path, line, reason), Unknown(path, line, reason, teach, service, source=frame.module.source)
        )

    # --- what the walk tells ---

    def reached(self, frame: Frame) -> None:
        """Comments speak once their function is reached."""
        module = frame.module
        if not module.comments:
            return
        own = frame.function.node if frame.function is not None else None
        for line, text in module.comments.items():
            if _innermost(module, line) is not own:
                continue
            try:
                told = taught_calls.taught(text)
            except taught_calls.Untaught as error:
                self.mistaught[Mistaught(shown_path(module), line, str(error), module.source)] = None
                continue
            for one in told:
                self._note(taught_call(one, shown_path(module), line, module.source))

    def imported(self, module: str, node: ast.stmt) -> None:
        """A package that makes clients of its own cannot be followed."""
        top = module.partition(".")[0]
        if module in _CALL_AWS_THEMSELVES or top in _CALL_AWS_THEMSELVES:
            self._not_understood(node, f"'{top}' calls AWS by itself, and what it calls is not read")
        elif not _is_known_package(top) and self._is_installed_with_sdk(top):
            self._not_understood(node, f"'{top}' uses the SDK by itself, and what it calls is not read")
        elif self._has_layers and not _is_known_package(top):
            self._not_understood(node, f"'{top}' is not among the code: what it calls is not known")

    def _is_installed_with_sdk(self, package: str) -> bool:
        """Whether a package that was installed into the asset, and so is not read as code of ours, has clients of its own."""
        root = self._walk.program.root
        return bool(root) and mentions_the_sdk(Path(root, package))

    def dynamic(self, owner: Client | ResourceObject, arguments: Arguments) -> None:
        """A method chosen while the program runs."""
        self._not_understood(
            arguments.node, f"which operation of {owner.service} is called is decided at run time", owner.service
        )

    def called_on_anything(self, name: str, node: ast.expr) -> None:
        """The name of an operation, on something that others hand in: probably a client."""
        if looks_like_operation(name):
            self._not_understood(node, f"'{name}' is called on something that is handed in from outside")

    def taken_from_package(self, path: str, name: str, node: ast.expr) -> None:
        """The name of an operation, on something that a package made: its client, perhaps."""
        top = path.partition(".")[0].partition("(")[0]
        if not _is_known_package(top) and top != "builtins" and looks_like_operation(name):
            self._not_understood(node, f"'{name}' may be a call of AWS: '{top}' is not among the code")

    def handed_over(self, path: str, given: Value, arguments: Arguments) -> None:
        """A client in the hands of other people's code."""
        if path.startswith(_RUN_PROGRAMS):
            texts = given | self._walk.elements(given)
            if any(isinstance(atom, Text) and _AWS_PROGRAM.search(atom.text) for atom in texts):
                self._not_understood(arguments.node, "the code runs AWS's command line")
            return
        top = path.partition(".")[0].partition("(")[0]
        if not path or top in _SDK_PACKAGES or top in sys.stdlib_module_names or top == "builtins":
            return
        if "." in path and looks_like_operation(path.rpartition(".")[2]):
            self._not_understood(arguments.node, f"'{path}' may be a call of AWS: '{top}' is not among the code")
        for atom in given:
            if isinstance(atom, Client | ResourceObject):
                self._not_understood(arguments.node, f"a client of {atom.service} is handed to '{path}'", atom.service)


def _acts_as_another(arguments: Arguments) -> bool:
    """Whether a client is given a session token, that of another role; or keys for something that is not AWS at all."""
    given = arguments.keywords
    return "aws_session_token" in given or {"endpoint_url", "aws_access_key_id"} <= given.keys()


def _line(node: ast.AST) -> int:
    """The line of a call's name: in a chain over several lines, where the method stands."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.end_lineno or node.lineno
    return int(getattr(node, "lineno", 1))


def _innermost(module: Module, line: int) -> ast.AST | None:
    """The function that a line stands in, None for the module."""
    found: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    for node in module.source.nodes:
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.lineno <= line <= (node.end_lineno or line)
            and (found is None or node.lineno >= found.lineno)
        ):
            found = node
    return found


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


def _unknown_index(given: dict[str, Value]) -> tuple[str, ...]:
    return ("*",) if "IndexName" in given or "" in given else ()


def _resources(service: str, operation: str, given: dict[str, Value], walk: Walk) -> tuple[Named, ...]:
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


def _nested(items: Value, key: str, walk: Walk) -> tuple[Named, ...]:
    found = NOTHING
    for item in walk.elements(items):
        if not isinstance(item, Container) or key not in item.fields.cells:
            return ()
        found |= item.fields.cells[key].value
    return _names(found)


_KNOWN_PACKAGES: Final = frozenset(
    [
        "aiofiles",
        "aiohttp",
        "annotated_types",
        "anyio",
        "arrow",
        "asn1crypto",
        "asyncpg",
        "attr",
        "attrs",
        "babel",
        "bcrypt",
        "bs4",
        "cachetools",
        "cattrs",
        "certifi",
        "cffi",
        "chardet",
        "charset_normalizer",
        "click",
        "cryptography",
        "dacite",
        "dataclasses_json",
        "datadog",
        "datadog_lambda",
        "ddtrace",
        "defusedxml",
        "deepdiff",
        "dotenv",
        "ecdsa",
        "email_validator",
        "fastapi",
        "fastjsonschema",
        "flask",
        "google",
        "graphql",
        "gql",
        "httpcore",
        "httpx",
        "idna",
        "importlib_metadata",
        "isodate",
        "itsdangerous",
        "jinja2",
        "jose",
        "jsonpatch",
        "jsonpath_ng",
        "jsonschema",
        "jwt",
        "langchain",
        "loguru",
        "lxml",
        "mangum",
        "markupsafe",
        "marshmallow",
        "mcp",
        "more_itertools",
        "msgpack",
        "msgspec",
        "multidict",
        "mysql",
        "newrelic",
        "numpy",
        "oauthlib",
        "openai",
        "openpyxl",
        "opentelemetry",
        "orjson",
        "packaging",
        "pandas",
        "passlib",
        "pendulum",
        "phonenumbers",
        "PIL",
        "pkg_resources",
        "polars",
        "prometheus_client",
        "protobuf",
        "psutil",
        "psycopg",
        "psycopg2",
        "pyarrow",
        "pycparser",
        "pycountry",
        "pydantic",
        "pydantic_core",
        "pydantic_settings",
        "pymongo",
        "pymysql",
        "pyparsing",
        "PyPDF2",
        "pypdf",
        "pytz",
        "rapidfuzz",
        "redis",
        "regex",
        "requests",
        "rich",
        "rsa",
        "ruamel",
        "scipy",
        "sentry_sdk",
        "setuptools",
        "simplejson",
        "sklearn",
        "slack_sdk",
        "sniffio",
        "sqlalchemy",
        "sqlmodel",
        "starlette",
        "stripe",
        "structlog",
        "tenacity",
        "tiktoken",
        "toml",
        "tomli",
        "tqdm",
        "twilio",
        "typeguard",
        "typer",
        "typing_extensions",
        "typing_inspection",
        "tzdata",
        "tzlocal",
        "ujson",
        "uvicorn",
        "validators",
        "werkzeug",
        "wrapt",
        "xmltodict",
        "yaml",
        "yarl",
        "zeep",
        "zoneinfo",
    ]
)
"""Packages that people often put into layers and that call no AWS by themselves."""


def _is_known_package(name: str) -> bool:
    return (
        name in sys.stdlib_module_names
        or name in _SDK_PACKAGES
        or name in _KNOWN_PACKAGES
        or name.startswith(("types_boto3_", "mypy_boto3_", "types_aiobotocore_"))
    )
