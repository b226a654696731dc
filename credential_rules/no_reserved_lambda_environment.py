"""Some names in a function's environment fail its deployment, others quietly take its role away from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from credential_rules.environments import Variable, global_variables, variables
from credential_rules.rule import CANNOT_TELL, FUNCTION_TYPES, Example, Finding, Index, Resource, Rule, Template

if TYPE_CHECKING:
    from collections.abc import Iterator

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
RESERVED: Final = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)

_ANOTHER_IDENTITY = "the SDK then looks for credentials there instead of using the function's role"
_DANGEROUS: Final = {
    "AWS_PROFILE": _ANOTHER_IDENTITY,
    "AWS_DEFAULT_PROFILE": _ANOTHER_IDENTITY,
    "AWS_SHARED_CREDENTIALS_FILE": _ANOTHER_IDENTITY,
    "AWS_CONFIG_FILE": _ANOTHER_IDENTITY,
    "AWS_SECURITY_TOKEN": "older SDKs sign with it beside the role's key, and AWS answers InvalidClientTokenId",
    "AWS_CREDENTIAL_EXPIRATION": "the SDK then takes the role's credentials for expired or for fresh when they are not",
}
_DANGEROUS_BEGINNINGS: Final = {
    "AWS_ENDPOINT_URL": "every call, with its signature and its data, then goes to that address",
    "AWS_CONTAINER_CREDENTIALS_": _ANOTHER_IDENTITY,
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": _ANOTHER_IDENTITY,
}
_STS_ENDPOINTS = "AWS_STS_REGIONAL_ENDPOINTS"


def _of_function(_index: Index, resource: Resource) -> Iterator[Finding]:
    for variable in variables(resource):
        yield from _judged(variable, f"'{resource.logical_id}'")


def _of_globals(_index: Index, template: Template) -> Iterator[Finding]:
    for variable in global_variables(template):
        yield from _judged(variable, "Globals, and so of every function,")


def _judged(variable: Variable, owner: str) -> Iterator[Finding]:
    name, value = variable
    if name in RESERVED:
        yield Finding(
            value,
            f"The variable '{name}' of {owner} is reserved: Lambda sets it itself and refuses the deployment"
            " (InvalidParameterValueException).",
            f"Remove '{name}'. Lambda gives the function its region and its role's credentials by itself; the SDK finds them.",
        )
    elif name == _STS_ENDPOINTS:
        yield from _legacy_sts(variable, owner)
    else:
        why = _DANGEROUS.get(name) or next(
            (why for beginning, why in _DANGEROUS_BEGINNINGS.items() if name.startswith(beginning)), None
        )
        if why is not None:
            yield Finding(
                value, f"The variable '{name}' of {owner} is read by every AWS SDK: {why}.", f"Remove '{name}'."
            )


def _legacy_sts(variable: Variable, owner: str) -> Iterator[Finding]:
    for value, text in variable.value.located_texts():
        if text.literal is not None and text.literal.lower() == "legacy":
            yield Finding(
                value,
                f"The variable '{_STS_ENDPOINTS}' of {owner} is 'legacy': STS is then called at its global address, which a"
                " VPC endpoint does not serve, and the call hangs.",
                f"Remove '{_STS_ENDPOINTS}', or set it to 'regional'.",
            )
        elif text.is_undecided:
            yield Finding(
                value,
                f"The variable '{_STS_ENDPOINTS}' of {owner} is not decided by the template; if it is 'legacy', STS is called"
                " at its global address, which a VPC endpoint does not serve.",
                f"Remove '{_STS_ENDPOINTS}', or set it to 'regional'.",
                CANNOT_TELL,
            )


RULE = Rule(
    slug="no-reserved-lambda-environment",
    group="Static credentials",
    sentence="No function sets a variable that Lambda reserves, or one that turns the SDK away from the function's role.",
    reason=(
        "Lambda refuses reserved names, AWS_REGION among them, only while it deploys, so that the stack rolls back. Names"
        " such as AWS_PROFILE or AWS_ENDPOINT_URL deploy well and then make the SDK use other credentials, or send signed"
        " requests elsewhere."
    ),
    remedy="Remove the variable. Lambda sets region and credentials itself; name your own settings without the prefix AWS_.",
    applies_to=FUNCTION_TYPES,
    on_resource=_of_function,
    on_template=_of_globals,
    bad=(
        Example(
            "region-in-function",
            """
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: worker.handler
      CodeUri: s3://code/worker.zip
      Environment:
        Variables:
          TABLE_NAME: events
          AWS_REGION: !Ref AWS::Region
""",
            finding="'AWS_REGION' of 'Worker' is reserved",
        ),
        Example(
            "key-in-globals",
            """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Environment: {Variables: {AWS_ACCESS_KEY_ID: ""}}
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: worker.handler, CodeUri: s3://code/worker.zip}
""",
            finding="of Globals",
        ),
        Example(
            "profile-and-endpoint",
            """
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: worker.handler
      Code: {S3Bucket: code, S3Key: worker.zip}
      Role: arn:aws:iam::123456789012:role/worker
      Environment: {Variables: {AWS_PROFILE: worker, AWS_ENDPOINT_URL_SQS: "http://localhost:4566"}}
""",
            finding="'AWS_ENDPOINT_URL_SQS' of 'Worker' is read by every AWS SDK",
        ),
        Example(
            "reserved-in-one-branch",
            """
Parameters:
  Mode: {Type: String}
Conditions:
  Debug: !Equals [!Ref Mode, debug]
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: worker.handler
      Code: {S3Bucket: code, S3Key: worker.zip}
      Role: arn:aws:iam::123456789012:role/worker
      Environment: !If [Debug, {Variables: {_HANDLER: debug.handler}}, {Variables: {MODE: plain}}]
""",
            finding="'_HANDLER' of 'Worker' is reserved",
        ),
        Example(
            "global-sts",
            """
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: worker.handler
      Code: {S3Bucket: code, S3Key: worker.zip}
      Role: arn:aws:iam::123456789012:role/worker
      Environment: {Variables: {AWS_STS_REGIONAL_ENDPOINTS: legacy}}
""",
            finding="is 'legacy'",
        ),
        Example(
            "undecided-sts",
            """
Parameters:
  Endpoints: {Type: String}
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: worker.handler
      Code: {S3Bucket: code, S3Key: worker.zip}
      Role: arn:aws:iam::123456789012:role/worker
      Environment: {Variables: {AWS_STS_REGIONAL_ENDPOINTS: !Ref Endpoints}}
""",
            severity="cannot-tell",
            finding="not decided by the template",
        ),
    ),
    good=(
        Example(
            "only-own-names",
            """
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: worker.handler
      CodeUri: s3://code/worker.zip
      Environment:
        Variables:
          TABLE_NAME: events
""",
        ),
        Example(
            "allowed-names-of-aws",
            """
Parameters:
  Mode: {Type: String}
Conditions:
  Debug: !Equals [!Ref Mode, debug]
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: nodejs22.x
      Handler: worker.handler
      Code: {S3Bucket: code, S3Key: worker.zip}
      Role: arn:aws:iam::123456789012:role/worker
      Environment:
        Variables:
          AWS_LAMBDA_EXEC_WRAPPER: /opt/otel-handler
          AWS_NODEJS_CONNECTION_REUSE_ENABLED: "1"
          AWS_STS_REGIONAL_ENDPOINTS: regional
          AWS_XRAY_CONTEXT_MISSING: LOG_ERROR
          TZ: UTC
          AWS_REGION: !If [Debug, !Ref AWS::NoValue, !Ref AWS::NoValue]
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions: [{Name: app, Image: app, Environment: [{Name: AWS_REGION, Value: eu-west-1}]}]
""",
        ),
    ),
)
