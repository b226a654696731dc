"""Which operations the SDK's names stand for: clients, resources, paginators, transfers, and packages that call by themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from credential_rules.code_walk.record import Call, is_taught, line_of, shown_path
from credential_rules.code_walk.sdk import Sdk
from credential_rules.code_walk.values import (
    NOTHING,
    ONLY_OPAQUE,
    ONLY_SESSION,
    Client,
    Container,
    Method,
    Prepared,
    Provider,
    ResourceObject,
    Text,
    Value,
)
from credential_rules.sdk_packages import is_known, is_trusted, makes_clients, package_of
from credential_rules.sdk_resources import indexes_of, is_transaction, naming_parameter, operations_within, resources_of
from credential_rules.sdk_services import kind, looks_like_operation, operation_of, waiter_operation
from credential_rules.sources import mentions_the_sdk

if TYPE_CHECKING:
    import ast

    from credential_rules.code_walk.objects import Objects
    from credential_rules.code_walk.record import Record
    from credential_rules.code_walk.values import Arguments, Atom, Frame

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


class SdkCalls(Sdk):
    """Knows what the SDK's names mean in a walk, and notes in a record what is called."""

    def __init__(self, walk: Objects, record: Record, *, has_layers: bool) -> None:
        self._walk = walk
        self._record = record
        self._has_layers = has_layers

    # --- making clients ---

    def call_external(self, path: str, arguments: Arguments) -> Value | None:  # noqa: PLR0911 (one answer per kind)
        """Sessions, clients, variables, and what Powertools calls."""
        if path in _SESSIONS:
            return ONLY_OPAQUE if _acts_as_another(arguments) else ONLY_SESSION
        if path in _CLIENTS:
            return self._made(arguments, is_resource=False)
        if path in _RESOURCES:
            return self._made(arguments, is_resource=True)
        if path in _READS:
            return self._walk.variables_of(arguments.at(0, "key")) | arguments.at(1, "default")
        if path in _SIGNERS:
            self._not_understood(arguments.node, "the code signs requests to AWS by itself")
            return ONLY_OPAQUE
        if path.startswith("aws_lambda_powertools."):
            return self._powertools(path, arguments)
        if path.startswith(("boto3.s3.transfer.", "s3transfer.")):
            return self._transfer(arguments)
        return None

    def _made(self, arguments: Arguments, *, is_resource: bool) -> Value:
        if _acts_as_another(arguments):
            return ONLY_OPAQUE
        names = arguments.at(0, "service_name")
        services = [name.text for name in names if isinstance(name, Text)]
        if not services or len(services) < len(names):
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
                return ONLY_OPAQUE
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
            return ONLY_OPAQUE
        if name == "generate_db_auth_token":
            self._call("rds-db", "connect", arguments.node, {})
            return ONLY_OPAQUE
        if service == "s3" and name in _TRANSFERS:
            position = {"upload_file": 1, "upload_fileobj": 1, "download_file": 0, "download_fileobj": 0, "copy": 1}[
                name
            ]
            bucket = arguments.at(position, "Bucket")
            self._transferred(name, bucket if name != "copy" else NOTHING, arguments)
            return ONLY_OPAQUE
        operation = operation_of(service, name)
        if not operation:
            if "_" in name:
                self._not_understood(arguments.node, f"{service} has no operation that is called as '{name}'", service)
            return ONLY_OPAQUE
        self._call(service, operation, arguments.node, self._keywords(arguments))
        return ONLY_OPAQUE

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
            else:
                self._not_understood(arguments.node, f"a paginator of {client.service} is not named", client.service)
        return found

    def _waiter(self, client: Client, arguments: Arguments) -> Value:
        found = NOTHING
        for name in arguments.at(0, "waiter_name"):
            operation = waiter_operation(client.service, name.text) if isinstance(name, Text) else ""
            if operation:
                found |= {self._walk.prepared(client.service, operation)}
            else:
                self._not_understood(arguments.node, f"a waiter of {client.service} is not named", client.service)
        return found

    def _presigned(self, client: Client, arguments: Arguments) -> Value:
        """Whoever uses the address acts with the permissions of who signed it."""
        for name in arguments.at(0, "ClientMethod"):
            operation = operation_of(client.service, name.text) if isinstance(name, Text) else ""
            if not operation:
                self._not_understood(
                    arguments.node, "the operation of a presigned address is not named", client.service
                )
                continue
            given: dict[str, Value] = {}
            for parameters in arguments.at(1, "Params"):
                if isinstance(parameters, Container):
                    given |= {key: cell.value for key, cell in parameters.fields.cells.items()}
            self._call(client.service, operation, arguments.node, given)
        return ONLY_OPAQUE

    def _resource_call(self, owner: ResourceObject, name: str, arguments: Arguments) -> Value:  # noqa: PLR0911 (one per use)
        walk, service = self._walk, owner.service
        shape = kind(service, owner.kind)
        if shape is None:
            return ONLY_OPAQUE
        if name in shape.has:
            return frozenset({self._below(owner, *shape.has[name], arguments)})
        given = dict(self._filled_in(owner)) | self._keywords(arguments)
        if service == "dynamodb" and name == "batch_writer":
            self._call(service, "BatchWriteItem", arguments.node, {"TableName": given.get("TableName", NOTHING)})
            return ONLY_OPAQUE
        if service == "s3" and name in _TRANSFERS:
            self._transferred(name, given.get("Bucket", NOTHING) if name != "copy" else NOTHING, arguments)
            return ONLY_OPAQUE
        called = shape.actions.get(name)
        if called is None:
            return ONLY_OPAQUE
        self._call(service, called, arguments.node, given)
        made = shape.makes.get(name)
        if made is None:
            return ONLY_OPAQUE
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
                    given[naming_parameter(operation[0])] = arguments.at(0, "name")
                self._call(*operation, arguments.node, given)
            return ONLY_OPAQUE
        if owner.makes:
            batch = kind(owner.service, owner.makes)
            if batch is not None and name in batch.batch:
                self._call(owner.service, batch.batch[name], arguments.node, dict(owner.given))
            return frozenset({owner})
        if name in {"paginate", "wait"}:
            self._call(owner.service, owner.operation, arguments.node, self._keywords(arguments))
        return ONLY_OPAQUE

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
            self._call(service, operation, arguments.node, {naming_parameter(service): given} if parameter else {})
        return ONLY_OPAQUE

    def _transfer(self, arguments: Arguments) -> Value:
        if any(isinstance(atom, Client) for atom in arguments.every()):
            self._not_understood(arguments.node, "a client is given to the SDK's transfer manager", "s3")
        return ONLY_OPAQUE

    # --- writing down ---

    def _call(
        self, service: str, operation: str, node: ast.AST, given: dict[str, Value], *, is_optional: bool = False
    ) -> None:
        frame = self._walk.frame
        if not self._walk.recording or frame is None:
            return
        module = frame.module
        if is_taught(module, node):
            return
        path, line = shown_path(module), line_of(node)
        if is_transaction(service, operation):
            for name, tables in operations_within(operation, given.get("TransactItems", NOTHING), self._walk):
                self._record.called(Call(service, name, path, line, tables, source=module.source))
            return
        named = resources_of(service, operation, given, self._walk)
        if service == "s3":
            version = _OF_VERSIONS.get(operation) if "VersionId" in given else None
            is_optional = is_optional or version is not None
            more = [action for parameter, action in _WITH_PARAMETER.get(operation, ()) if parameter in given]
            for also in [version, *more] if version is not None else more:
                self._record.called(Call(service, also, path, line, named, source=module.source))
        index = indexes_of(service, given)
        self._record.called(Call(service, operation, path, line, named, index, is_optional, module.source))

    def _not_understood(self, node: ast.AST, reason: str, service: str = "") -> None:
        if self._walk.recording and self._walk.frame is not None:
            self._record.not_understood(self._walk.frame.module, node, reason, service)

    # --- news ---

    def reached(self, frame: Frame) -> None:
        """Comments speak once their function is reached."""
        self._record.reached(frame)

    def imported(self, module: str, node: ast.stmt) -> None:
        """A package that makes clients of its own cannot be followed."""
        top = package_of(module)
        if makes_clients(module):
            self._not_understood(node, f"'{top}' calls AWS by itself, and what it calls is not read")
        elif is_known(top):
            return
        elif any(mentions_the_sdk(place) for place in self._installed(top)):
            self._not_understood(node, f"'{top}' uses the SDK by itself, and what it calls is not read")
        elif self._has_layers and not self._installed(top):
            self._not_understood(node, f"'{top}' is not among the code: what it calls is not known")
        elif self._walk.recording and self._walk.frame is not None and not self._installed(top):
            self._record.not_there(self._walk.frame.module, node, top)

    def _installed(self, package: str) -> list[Path]:
        """Where a package was installed into the code or a layer, and so is not read as code of ours."""
        places = [Path(root, package) for root in self._walk.program.roots if root]
        return [place for place in places if place.is_dir() or place.with_suffix(".py").is_file()]

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
        top = package_of(path)
        if not is_known(top) and looks_like_operation(name):
            self._not_understood(node, f"'{name}' may be a call of AWS: '{top}' is not among the code")

    def handed_over(self, path: str, given: Value, arguments: Arguments) -> None:
        """A client in the hands of other people's code."""
        if path.startswith(_RUN_PROGRAMS):
            texts = given | self._walk.elements(given)
            if any(isinstance(atom, Text) and _AWS_PROGRAM.search(atom.text) for atom in texts):
                self._not_understood(arguments.node, "the code runs AWS's command line")
            return
        top = package_of(path)
        if not path or is_trusted(top):
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
