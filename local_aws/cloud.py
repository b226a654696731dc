"""What local AWS is asked, and told, by AWS API: the only file here that knows the SDK.

Region, endpoint, trusted certificate and credentials come from the process environment, as everywhere else in this
project; `environment.only` makes that environment this local AWS's own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import botocore  # noqa: TID251 - this file is local_aws's one door to AWS
import botocore.exceptions  # noqa: TID251 - as above
import botocore.session  # noqa: TID251 - as above

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

TOOLKIT_STACK = "CDKToolkit"
"""The stack that `cdk bootstrap` makes."""


class Invocation(NamedTuple):
    """What a function answered.

    Attributes:
        payload: What it returned, or Lambda's description of the error that it raised.
        failed: Whether it raised.
    """

    payload: Any
    failed: bool


class LogLine(NamedTuple):
    """One line that a function wrote.

    Attributes:
        group: The log group, which carries the function's name.
        timestamp: Milliseconds since 1970.
        text: The line, without its end.
    """

    group: str
    timestamp: int
    text: str


class Cloud:
    """One local AWS, as the process environment names it.

    Args:
        session: Whose credentials sign the calls; those of the process environment if not given.
    """

    def __init__(self, session: botocore.session.Session | None = None) -> None:
        self._session = session or botocore.session.Session()
        self._clients: dict[str, Any] = {}

    def acting_as(self, role_arn: str) -> Cloud:
        """The same cloud, called with the credentials of a role that trusts the caller."""
        given = self.call("sts", "AssumeRole", RoleArn=role_arn, RoleSessionName="local-aws")["Credentials"]
        session = botocore.session.Session()
        session.set_credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return Cloud(session)

    def credentials(self) -> dict[str, str]:
        """The credentials that sign the calls, as environment variables for another process."""
        held = self._session.get_credentials()
        if held is None:
            return {}
        key = held.get_frozen_credentials()
        variables = {
            "AWS_ACCESS_KEY_ID": key.access_key,
            "AWS_SECRET_ACCESS_KEY": key.secret_key,
            "AWS_SESSION_TOKEN": key.token,
        }
        return {name: value for name, value in variables.items() if value}

    def call(self, service: str, operation: str, **parameters: object) -> dict[str, Any]:
        """Make any call.

        Args:
            service: The service by the SDK's name.
            operation: The operation by its API's name, such as `SendMessage`.
            parameters: As the API has them.

        Raises:
            botocore.exceptions.ClientError: The service refused it.
        """
        client = self._client(service)
        answer: dict[str, Any] = getattr(client, botocore.xform_name(operation))(**parameters)
        return answer

    def input_of(self, service: str, operation: str) -> Any:  # noqa: ANN401 - the SDK's models have no types
        """What an operation takes, as the SDK's model has it; `None` for nothing.

        Raises:
            LookupError: The SDK knows no such operation.
        """
        model = self._client(service).meta.service_model
        if operation not in model.operation_names:
            raise LookupError(f"{service} has no operation {operation}")
        return model.operation_model(operation).input_shape

    def pages(self, service: str, operation: str, result: str, **parameters: object) -> list[Any]:
        """Make a call that answers in pages, and give all that they list under `result`."""
        paginator = self._client(service).get_paginator(botocore.xform_name(operation))
        return [one for page in paginator.paginate(**parameters) for one in page[result]]

    def is_bootstrapped(self) -> bool:
        """Whether the CDK's own bucket and roles are there."""
        return self._stack(TOOLKIT_STACK).get("StackStatus") in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}

    def stack_outputs(self, stack: str) -> dict[str, str]:
        """A deployed stack's outputs by name; empty if there is no such stack."""
        return {output["OutputKey"]: output["OutputValue"] for output in self._stack(stack).get("Outputs", [])}

    def put_item(self, table: str, item: Mapping[str, AttributeValueTypeDef]) -> None:
        """Write one item, in DynamoDB's attribute form."""
        self._client("dynamodb").put_item(TableName=table, Item=dict(item))

    def get_item(self, table: str, key: Mapping[str, AttributeValueTypeDef]) -> dict[str, AttributeValueTypeDef] | None:
        """Read one item, in DynamoDB's attribute form; `None` if it is not there."""
        answer = self._client("dynamodb").get_item(TableName=table, Key=dict(key), ConsistentRead=True)
        item: dict[str, AttributeValueTypeDef] | None = answer.get("Item")
        return item

    def invoke(self, function: str, event: Mapping[str, object]) -> Invocation:
        """Run a function once and wait for its answer."""
        answer = self._client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        return Invocation(payload=json.loads(answer["Payload"].read() or b"null"), failed="FunctionError" in answer)

    def function_log(self, *, at_most: int) -> list[LogLine]:
        """The last lines that the functions wrote, oldest first."""
        lines = [
            line
            for group in self.pages("logs", "DescribeLogGroups", "logGroups")
            for line in self.log_of(group["logGroupName"])
        ]
        return sorted(lines, key=lambda line: line.timestamp)[-at_most:]

    def log_of(self, group: str, *, since: int = 0) -> list[LogLine]:
        """What is in one log group, from a moment on (milliseconds since 1970)."""
        return [
            LogLine(group=group, timestamp=event["timestamp"], text=event["message"].rstrip())
            for event in self.pages("logs", "FilterLogEvents", "events", logGroupName=group, startTime=since)
        ]

    def _stack(self, name: str) -> dict[str, Any]:
        """A stack's description; empty if there is no such stack."""
        try:
            answer = self._client("cloudformation").describe_stacks(StackName=name)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return {}
            raise
        description: dict[str, Any] = answer["Stacks"][0]
        return description

    def _client(self, service: str) -> Any:  # noqa: ANN401 - the SDK's clients are made at run time
        if service not in self._clients:
            self._clients[service] = self._session.create_client(service)
        return self._clients[service]
