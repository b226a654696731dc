"""What stands in an environment is read by everyone who may describe the function, the task or the build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credential_rules.credential_forms import Promise, called_credential_in, credential_in, promise_of, secret_called
from credential_rules.environments import ENVIRONMENT_TYPES, Variable, global_variables, variables
from credential_rules.rule import Example, Finding, Index, Resource, Rule, Template, Text, Value, shown
from credential_rules.secret_references import brought_by

if TYPE_CHECKING:
    from collections.abc import Iterator


def _of_resource(_index: Index, resource: Resource) -> Iterator[Finding]:
    for variable in variables(resource):
        yield from _judged(variable, resource.logical_id, resource.template)


def _of_globals(_index: Index, template: Template) -> Iterator[Finding]:
    for variable in global_variables(template):
        yield from _judged(variable, "Globals", template)


def _judged(variable: Variable, owner: str, template: Template) -> Iterator[Finding]:
    promise = promise_of(variable.name)
    for value, text in variable.value.located_texts():
        yield from _judged_text(variable.name, promise, value, text, owner, template)


def _judged_text(  # noqa: PLR0917 (one variable, seen from all sides)
    name: str, promise: Promise, value: Value, text: Text, owner: str, template: Template
) -> Iterator[Finding]:
    called = f"The variable '{name}' of '{owner}'"
    literal = text.literal
    what = _literal_credential(text, name, promise)
    if what:
        through = f" through the default of parameter {_quoted(text.parameters)}" if text.parameters else ""
        yield Finding(
            value,
            f"{called} holds {what}{through}: everyone who may read the template or the configuration can use it.",
        )
    elif literal == "" and text.parameters:
        yield from _from_empty_defaults(called, promise, value, text, template)
    for hole in dict.fromkeys(text.holes):
        brought = brought_by(hole, template, promise)
        if brought is not None:
            yield Finding(
                value,
                f"{called} holds {brought.what}: everyone who may read the configuration can use it.",
                "Give the code the name or ARN of the secret, and let it read the secret with its role when it starts"
                " (in ECS and Batch: `Secrets` with `ValueFrom`).",
                brought.severity,
            )


def _literal_credential(text: Text, name: str, promise: Promise) -> str:
    """What credential the known pieces are, empty if none."""
    literal = text.literal
    if literal is None:
        found = credential_in(text.pattern)
        return found.what if found else ""
    if promise == "aws" and literal.strip():
        found = called_credential_in(literal, name)
        return found.what if found else f"an AWS credential ({shown(literal)})"
    return secret_called(literal, name)


def _from_empty_defaults(
    called: str, promise: Promise, value: Value, text: Text, template: Template
) -> Iterator[Finding]:
    """An empty default is no secret, but what replaces it at deployment is."""
    for name in sorted(text.parameters):
        parameter = template.parameters.get(name)
        if promise == "aws" or (parameter is not None and parameter.no_echo):
            yield Finding(
                value,
                f"{called} holds the value of the parameter '{name}', exposed at deploy: everyone who may read the"
                " configuration can use it.",
            )


def _quoted(names: frozenset[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


RULE = Rule(
    slug="no-credentials-in-environment",
    group="Static credentials",
    sentence="No environment holds an AWS credential, a token, a private key, or another secret.",
    reason=(
        "Environments are stored in the clear: whoever may describe the function, task, build or job reads them, and so do"
        " its logs and crash reports. A dynamic reference is no help there, as CloudFormation writes the secret's value into"
        " the configuration. AWS credentials are not needed at all: the code has a role."
    ),
    remedy=(
        "Remove the variable and revoke what it held. For AWS, let the code use its role; for other secrets, put the name or"
        " ARN of a Secrets Manager secret there and read it with the role."
    ),
    applies_to=ENVIRONMENT_TYPES,
    on_resource=_of_resource,
    on_template=_of_globals,
    bad=(
        Example(
            "keys-in-function",
            """
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: worker.handler
      Code: {S3Bucket: code, S3Key: worker.zip}
      Role: arn:aws:iam::123456789012:role/worker
      Environment:
        Variables:
          TABLE_NAME: events
          ACCESS_KEY: AKIAIOSFODNN7EXAMPLE
          SECRET_KEY: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
""",
            finding="'SECRET_KEY' of 'Worker' holds an AWS secret access key",
        ),
        Example(
            "aws-name-with-parameter",
            """
Parameters:
  Key: {Type: String}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: app
          Image: app
          Environment: [{Name: AWS_SECRET_ACCESS_KEY, Value: !Ref Key}]
""",
            finding="'AWS_SECRET_ACCESS_KEY' of 'Task' holds an AWS credential",
        ),
        Example(
            "dynamic-reference-is-exposed-at-deploy",
            """
Resources:
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {}}}
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: worker.handler
      Code: {S3Bucket: code, S3Key: worker.zip}
      Role: arn:aws:iam::123456789012:role/worker
      Environment:
        Variables:
          DB_PASSWORD: !Sub "{{resolve:secretsmanager:${Secret}:SecretString:password}}"
""",
            finding="exposed at deploy",
        ),
        Example(
            "no-echo-parameter-is-exposed-at-deploy",
            """
Parameters:
  DatabasePassword: {Type: String, NoEcho: true}
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: worker.handler
      CodeUri: s3://code/worker.zip
      Environment:
        Variables:
          DATABASE_URL: !Sub "postgres://app:${DatabasePassword}@db.example.net/app"
""",
            finding="the NoEcho parameter 'DatabasePassword'",
        ),
        Example(
            "default-of-parameter-in-one-branch",
            """
Parameters:
  Stage: {Type: String, Default: prod}
  Token: {Type: String, Default: letmein1, NoEcho: true}
Conditions:
  Development: !Equals [!Ref Stage, dev]
Resources:
  Build:
    Type: AWS::CodeBuild::Project
    Properties:
      Artifacts: {Type: NO_ARTIFACTS}
      ServiceRole: arn:aws:iam::123456789012:role/build
      Source: {Type: NO_SOURCE, BuildSpec: "version: 0.2"}
      Environment:
        ComputeType: BUILD_GENERAL1_SMALL
        Image: aws/codebuild/standard:7.0
        Type: LINUX_CONTAINER
        EnvironmentVariables:
          - !If [Development, {Name: DEPLOY_TOKEN, Value: !Ref Token}, !Ref AWS::NoValue]
""",
            finding="through the default of parameter 'Token'",
        ),
        Example(
            "password-in-connection-string",
            """
Resources:
  Worker:
    Type: AWS::SageMaker::Model
    Properties:
      ExecutionRoleArn: arn:aws:iam::123456789012:role/model
      PrimaryContainer:
        Image: model
        Environment: {STORE: "Server=db.example.net;User Id=app;Password=hunter2;"}
""",
            finding="a literal secret for 'Password'",
        ),
        Example(
            "token-in-beanstalk-option",
            """
Resources:
  Site:
    Type: AWS::ElasticBeanstalk::Environment
    Properties:
      ApplicationName: site
      OptionSettings:
        - Namespace: aws:elasticbeanstalk:application:environment
          OptionName: NOTIFY
          Value: ghp_aBcdefghijklmnopqrstuvwxyz0123456789
""",
            finding="a GitHub token",
        ),
        Example(
            "secret-that-a-custom-resource-decides",
            """
Resources:
  Vault:
    Type: Custom::Vault
    Properties: {ServiceToken: arn:aws:lambda:eu-west-1:123456789012:function:vault}
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: worker.handler
      Code: {S3Bucket: code, S3Key: worker.zip}
      Role: arn:aws:iam::123456789012:role/worker
      Environment: {Variables: {DB_PASSWORD: !GetAtt Vault.Password}}
""",
            severity="cannot-tell",
            finding="'Vault.Password'",
        ),
    ),
    good=(
        Example(
            "function-with-its-role",
            """
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: worker.handler
      Code: {S3Bucket: code, S3Key: worker.zip}
      Role: arn:aws:iam::123456789012:role/worker
      Environment:
        Variables:
          TABLE_NAME: events
""",
        ),
        Example(
            "names-that-only-sound-secret",
            """
Parameters:
  DbSecretArn: {Type: String}
  KeyId: {Type: String}
Resources:
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {}}}
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: worker.handler
      Code: {S3Bucket: code, S3Key: worker.zip}
      Role: arn:aws:iam::123456789012:role/worker
      Environment:
        Variables:
          DB_SECRET: !Ref DbSecretArn
          SECRET_ARN: !Ref Secret
          SECRET_NAME: prod/orders/db
          KMS_KEY_ID: !Ref KeyId
          TABLE_KEY: pk
          TOKEN_URL: https://login.example.net/oauth2/token
          PASSWORD_MIN_LENGTH: "12"
          PUBLIC_KEY: MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
          DB_PASSWORD: ""
          PASSWORD_PARAMETER: /prod/db/password
          COMMIT: da39a3ee5e6b4b0d3255bfef95601890afd80709
          DB_USER: "{{resolve:secretsmanager:db:SecretString:username}}"
          IMAGE_VERSION: "{{resolve:ssm:/image/version}}"
""",
        ),
        Example(
            "secrets-fetched-at-run-time",
            """
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: app
          Image: app
          Environment: [{Name: STAGE, Value: prod}]
          Secrets: [{Name: DB_PASSWORD, ValueFrom: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"}]
  Build:
    Type: AWS::CodeBuild::Project
    Properties:
      Artifacts: {Type: NO_ARTIFACTS}
      ServiceRole: arn:aws:iam::123456789012:role/build
      Source: {Type: NO_SOURCE, BuildSpec: "version: 0.2"}
      Environment:
        ComputeType: BUILD_GENERAL1_SMALL
        Image: aws/codebuild/standard:7.0
        Type: LINUX_CONTAINER
        EnvironmentVariables: [{Name: DEPLOY_TOKEN, Type: SECRETS_MANAGER, Value: deploy/token}]
""",
        ),
    ),
)
