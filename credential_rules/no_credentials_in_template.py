"""What a template says outside of environments is as public: user data, metadata, outputs, defaults, descriptions."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from credential_rules.credential_forms import (
    credential_in,
    decoded,
    is_secret,
    promise_of,
    secret_called,
    secrets_assigned_in,
)
from credential_rules.environments import environments
from credential_rules.password_properties import password_values
from credential_rules.rule import ERROR, Example, Finding, Hole, Index, Resource, Rule, Severity, Template, Value, shown
from credential_rules.secret_references import brought_by, names_no_secret_parameter, parameter_behind
from credential_rules.template import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.template import Raw, Steps

_CODE: Final = frozenset({"ZipFile", "InlineCode", "FunctionCode", "Code", "Script"})
_MAY_BE_ENCODED: Final = frozenset({"UserData", "Content", "content"})
# Under these keys stand names, not values.
_NAMES: Final = frozenset({"Ref", "Fn::GetAtt", "Fn::ImportValue", "Fn::FindInMap", "Condition", "DependsOn", "Type"})
_PAIRS: Final = (
    ("Value", ("Key", "Name", "OptionName", "ParameterName", "Field")),
    ("ParameterValue", ("ParameterKey",)),
    ("StringValue", ("VariableName", "Key")),
    ("value", ("name", "key")),
)
# What CloudFormation writes in the clear where many may read it, NoEcho or not.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
_IN_THE_CLEAR: Final = frozenset(
    {
        "Outputs",
        "Metadata",
        "UserData",
        "Tags",
        "Description",
        "Command",
        "EntryPoint",
        "BuildSpec",
        "Definition",
        "DefinitionString",
        "DefinitionSubstitutions",
        "Content",
        "ZipFile",
        "InlineCode",
    }
)
# The one place that cfn-init takes a download's password from.
_AUTHENTICATION: Final = "AWS::CloudFormation::Authentication"
# no-credentials-in-environment judges this one.
_GLOBAL_ENVIRONMENT: Final = ("Globals", "Function", "Environment", "Variables")
_CONTENT_DECIDES: Final = {
    "AWS::SecretsManager::Secret": frozenset({"SecretString", "GenerateSecretString"}),
    "AWS::SSM::Parameter": frozenset({"Value"}),
}


class _Hit(NamedTuple):
    """A credential found while walking: at `path`, written as `raw`."""

    path: Steps
    raw: Raw
    what: str
    severity: Severity = ERROR
    fix: str = ""


_Part: TypeAlias = "tuple[Raw, Steps, str, bool]"
"""What is still to be walked: as written, where, what a text there is called, and whether it is shown in the clear."""


def _everywhere(_index: Index, template: Template) -> Iterator[Finding]:
    for section, content in template.raw.items():
        if section == "Parameters":
            yield from _parameters(template)
        elif section == "Resources":
            yield from _resources(template)
        elif section == "Outputs":
            yield from _outputs(template)
        elif isinstance(content, str):
            if section == "Description" and (what := _problem(content)):
                yield _finding(template, _Hit((section,), content, what))
        else:
            for hit in _Walk(template, None).hits((content, (section,), "", section in _IN_THE_CLEAR)):
                if hit.path[: len(_GLOBAL_ENVIRONMENT)] != _GLOBAL_ENVIRONMENT:
                    yield _finding(template, hit)


def _finding(template: Template, hit: _Hit, owner: Resource | None = None) -> Finding:
    value = Value((Node(template, hit.raw, hit.path, owner),), may_be_absent=False)
    where = ".".join(map(str, hit.path))
    of = f" of '{owner.logical_id}'" if owner is not None else ""
    return Finding(
        value,
        f"'{where}'{of} holds {hit.what}: everyone who may read the template, its repository or the stack can use it.",
        hit.fix,
        hit.severity,
    )


def _parameters(template: Template) -> Iterator[Finding]:
    for name, raw in template.section("Parameters").items():
        parameter = template.parameters.get(name)
        if not isinstance(raw, dict) or parameter is None:
            continue
        default = raw.get("Default")
        if isinstance(default, str | int | float) and not isinstance(default, bool):
            text = str(default)
            what = ""
            if parameter.type.startswith("AWS::SSM::Parameter::Value"):
                what = _problem(text)
            elif parameter.no_echo and not names_no_secret_parameter(parameter) and is_secret(text, "password"):
                what = f"the secret of a NoEcho parameter ({shown(text)})"
            else:
                what = secret_called(text, name)
            if what:
                yield _finding(
                    template,
                    _Hit(
                        ("Parameters", name, "Default"),
                        default,
                        what,
                        fix=f"Remove the default of '{name}', or better the parameter: {RULE.remedy}",
                    ),
                )
        others: Raw = {key: below for key, below in raw.items() if key != "Default"}
        for hit in _Walk(template, None).hits((others, ("Parameters", name), "", False)):
            yield _finding(template, hit)


def _outputs(template: Template) -> Iterator[Finding]:
    for name, raw in template.section("Outputs").items():
        if isinstance(raw, dict):
            for key, below in raw.items():
                called = name if key == "Value" else ""
                for hit in _Walk(template, None).hits((below, ("Outputs", name, key), called, True)):
                    yield _finding(template, hit)


def _resources(template: Template) -> Iterator[Finding]:
    known = template.resources
    for logical_id, raw in template.section("Resources").items():
        if not isinstance(raw, dict):
            continue
        owner = known.get(logical_id)
        # A resource that can never exist is in the repository all the same.
        prefix: Steps = () if owner is not None else ("Resources", logical_id)
        walk = _Walk(template, owner)
        hits: list[_Hit] = []
        for key, below in raw.items():
            if type(below) is dict or type(below) is list:
                hits += walk.hits((below, (*prefix, key), "", key == "Metadata"))
        if hits:
            elsewhere = _judged_elsewhere(owner) if owner is not None else set()
            for hit in hits:
                if not any(hit.path[:length] in elsewhere for length in range(1, len(hit.path) + 1)):
                    yield _finding(template, hit, owner)


def _judged_elsewhere(resource: Resource) -> set[Steps]:
    """The places that no-credentials-in-environment and no-plaintext-passwords judge."""
    found = {value.path for value in environments(resource)}
    found.update(value.path for value in password_values(resource))
    for name in _CONTENT_DECIDES.get(resource.type, ()):
        found.add(("Properties", name))
    return found


class _Walk:
    """Looks at every text below some part of a template. Plain loops: most templates are long and hold nothing."""

    def __init__(self, template: Template, owner: Resource | None) -> None:
        self._template = template
        self._owner = owner

    def hits(self, start: _Part) -> list[_Hit]:
        """Every credential at or below `start`."""
        found: list[_Hit] = []
        todo = [start]
        while todo:
            part = todo.pop()
            raw = part[0]
            if isinstance(raw, dict):
                if len(raw) != 1 or not self._is_call(part, raw, todo, found):
                    self._mapping(part, raw, todo)
            elif isinstance(raw, list):
                self._list(part, raw, todo, found)
            elif isinstance(raw, str):
                self._text(part[2], raw, part[1], found)
            elif type(raw) is int and part[2] and is_secret(str(raw), part[2]):
                found.append(_Hit(part[1], raw, f"a literal secret ({shown(str(raw))})"))
        return found

    @staticmethod
    def _mapping(part: _Part, raw: dict[str, Raw], todo: list[_Part]) -> None:
        _, path, _, is_clear = part
        for key, child in raw.items():
            if isinstance(child, str):
                if (promise_of(key) != "none" or _problem(child) or key in _MAY_BE_ENCODED) and key not in _NAMES:
                    todo.append((child, (*path, key), key, False))
            elif isinstance(child, (dict, list)):
                todo.append((child, (*path, key), key, is_clear or key in _IN_THE_CLEAR))
            elif type(child) is int and promise_of(key) == "secret":
                todo.append((child, (*path, key), key, False))
        for held, names in _PAIRS:
            if held in raw:
                # {Key: Password, Value: ...}: the value is called as its neighbour says.
                for name in names:
                    called = raw.get(name)
                    if isinstance(called, str) and promise_of(called) != "none":
                        todo.append((raw[held], (*path, held), called, is_clear))

    def _list(self, part: _Part, raw: list[Raw], todo: list[_Part], found: list[_Hit]) -> None:
        _, path, name, is_clear = part
        flag = ""
        for at, child in enumerate(raw):
            if isinstance(child, str):
                if flag or _problem(child) or promise_of(name) != "none":
                    self._text(flag or name, child, (*path, at), found)
                # ["--password", "hunter2"]
                flag = child if child[:1] == "-" and promise_of(child) != "none" else ""
            else:
                if isinstance(child, (dict, list)):
                    todo.append((child, (*path, at), flag or name, is_clear))
                flag = ""

    def _text(self, name: str, text: str, path: Steps, found: list[_Hit]) -> None:
        if ":" in name:
            # The keys of policy conditions, such as aws:TokenIssueTime.
            name = ""
        if name in _CODE:
            what = _problem_in_code(text)
        else:
            what = _problem(text) or (secret_called(text, name) if promise_of(name) != "none" else "")
        if not what and name in _MAY_BE_ENCODED:
            plain = decoded(text)
            what = _problem(plain) if plain else ""
        if what:
            found.append(_Hit(path, text, what))

    def _is_call(self, part: _Part, raw: dict[str, Raw], todo: list[_Part], found: list[_Hit]) -> bool:
        """Whether `raw` is a function, which then is judged or queued as such."""
        ((function, argument),) = raw.items()
        if function != "Ref" and not function.startswith("Fn::"):
            return False
        _, where, name, is_clear = part
        path = (*where, function)
        if function == "Fn::If":
            if isinstance(argument, list):
                for at, branch in enumerate(argument[1:], 1):
                    todo.append((branch, (*path, at), name, is_clear))
        elif is_clear or promise_of(name) in {"aws", "secret"}:
            self._resolved(part, raw, found)
        elif function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:  # noqa: PLR2004 (separator, list)
            self._joined(part, argument, todo, found)
        elif function not in _NAMES:
            todo.append((argument, path, name, False))
        return True

    @staticmethod
    def _joined(part: _Part, argument: list[Raw], todo: list[_Part], found: list[_Hit]) -> None:
        """A credential may be cut into the pieces of a Join."""
        raw, path, _, _ = part
        separator, pieces = argument
        if not isinstance(separator, str) or not isinstance(pieces, list):
            todo.append((pieces, (*path, "Fn::Join", 1), "", False))
            return
        known = [piece if isinstance(piece, str) else "\0" for piece in pieces]
        if what := _problem(separator.join(known)):
            found.append(_Hit(path, raw, what))
        for at, piece in enumerate(pieces):
            if type(piece) is dict and "Ref" not in piece:
                todo.append((piece, (*path, "Fn::Join", 1, at), "", False))

    def _resolved(self, part: _Part, raw: dict[str, Raw], found: list[_Hit]) -> None:
        """Judges what a function says before deployment and, in the clear, what it brings at deployment."""
        _, path, name, is_clear = part
        value = Value((Node(self._template, raw, path, self._owner),), may_be_absent=False)
        promise = promise_of(name)
        for text in value.texts():
            known = "".join(piece if isinstance(piece, str) else "\0" for piece in text.pieces)
            literal = text.literal
            what = _problem(known)
            if not what and literal is not None and promise != "none":
                what = secret_called(literal, name)
            if what:
                names = ", ".join(f"'{name}'" for name in sorted(text.parameters))
                through = f", through the default of parameter {names}" if names else ""
                found.append(_Hit(path, raw, f"{what}{through}"))
            if is_clear:
                for hole in dict.fromkeys(text.holes):
                    brought = brought_by(hole, self._template, promise)
                    if brought is not None and not self._is_for_download(path, hole):
                        found.append(_Hit(path, raw, brought.what, brought.severity))

    def _is_for_download(self, path: Steps, hole: Hole) -> bool:
        """Whether it is the password of a download, given as CloudFormation asks for: by a NoEcho parameter."""
        parameter = parameter_behind(hole, self._template) if hole.kind == "parameter" else None
        return parameter is not None and parameter.no_echo and _AUTHENTICATION in path and "password" in path


@lru_cache(maxsize=65536)
def _problem(text: str) -> str:
    """What credential a text holds whatever it is called, empty if none."""
    found = credential_in(text)
    if found is not None:
        return found.what
    assigned = list(secrets_assigned_in(text))
    return f"literal secrets for {', '.join(map(repr, assigned))}" if assigned else ""


def _problem_in_code(text: str) -> str:
    found = credential_in(text)
    if found is not None:
        return found.what
    assigned = list(secrets_assigned_in(text, is_code=True))
    return f"literal secrets for {', '.join(map(repr, assigned))}" if assigned else ""


RULE = Rule(
    slug="no-credentials-in-template",
    group="Static credentials",
    sentence="No credential stands anywhere in a template, and none is written where the stack shows it.",
    reason=(
        "A template is copied into repositories, artifacts, buckets and the stack itself, and user data, metadata, outputs,"
        " tags and descriptions are shown to everyone who may describe the resource. NoEcho hides a parameter, but not what"
        " user data, metadata and outputs make of it."
    ),
    remedy=(
        "Remove the credential and revoke it. Let the instance or task use its role, and read other secrets from Secrets"
        " Manager with that role when it starts; put only the secret's name or ARN into the template."
    ),
    on_template=_everywhere,
    bad=(
        Example(
            "keys-in-user-data",
            """
Resources:
  Server:
    Type: AWS::EC2::Instance
    Properties:
      ImageId: ami-1
      UserData:
        Fn::Base64: !Sub |
          #!/bin/bash
          export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE
          export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
          aws s3 cp s3://${AWS::StackName}-code/app.tar.gz .
""",
            finding="'Properties.UserData' of 'Server' holds the AWS access key id …MPLE with its secret",
        ),
        Example(
            "encoded-user-data",
            """
Resources:
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData:
        ImageId: ami-1
        UserData: IyEvYmluL2Jhc2gKZXhwb3J0IERCX1BBU1NXT1JEPWh1bnRlcjIKLi9zdGFydAo=
""",
            finding="literal secrets for 'DB_PASSWORD'",
        ),
        Example(
            "no-echo-parameter-in-cfn-init",
            """
Parameters:
  DBPassword: {Type: String, NoEcho: true}
Resources:
  Server:
    Type: AWS::EC2::Instance
    Metadata:
      AWS::CloudFormation::Init:
        config:
          files:
            /etc/app.conf: {content: !Sub "password=${DBPassword}", mode: "000400"}
    Properties: {ImageId: ami-1}
""",
            finding="the NoEcho parameter 'DBPassword', exposed at deploy",
        ),
        Example(
            "command-and-file-of-cfn-init",
            """
Resources:
  Server:
    Type: AWS::EC2::Instance
    Metadata:
      AWS::CloudFormation::Init:
        config:
          commands:
            setup: {command: "mysqladmin -u root password 'hunter2'"}
          files:
            /etc/app.json: {content: {database: {user: app, password: hunter2}}}
      AWS::CloudFormation::Authentication:
        bucket: {type: S3, accessKeyId: !Ref Key, secretKey: !GetAtt Key.SecretAccessKey}
  Key: {Type: AWS::IAM::AccessKey, Properties: {UserName: app}}
    """,
            finding="the secret access key of 'Key'",
        ),
        Example(
            "default-of-parameter",
            """
Parameters:
  DatabasePassword: {Type: String, NoEcho: true, Default: changeme}
Resources:
  Queue: {Type: AWS::SQS::Queue}
""",
            finding="'Parameters.DatabasePassword.Default' holds",
        ),
        Example(
            "mapping-and-output",
            """
Mappings:
  Stages:
    prod: {Url: "postgres://app:hunter2@db.example.net/app"}
    dev: {ApiKey: 0d1f6a2b9c}
Parameters:
  Token: {Type: String, NoEcho: true}
Resources:
  Queue: {Type: AWS::SQS::Queue}
Outputs:
  Given: {Value: !Sub "token ${Token}"}
""",
            finding="'Mappings.Stages.prod.Url' holds a URL with a password",
        ),
        Example(
            "description-and-tag",
            """
Description: Deploys with ghp_aBcdefghijklmnopqrstuvwxyz0123456789
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      Tags: [{Key: AdminPassword, Value: hunter2}]
""",
            finding="'Properties.Tags.0.Value' of 'Topic' holds a literal secret",
        ),
        Example(
            "key-in-pieces",
            """
Resources:
  Document:
    Type: AWS::SSM::Document
    Properties:
      Content:
        schemaVersion: "2.2"
        mainSteps:
          - action: aws:runShellScript
            name: run
            inputs: {runCommand: [!Join ["", ["export KEY=AKIA", "IOSFODNN7EXAMPLE"]]]}
""",
            finding="access key id …MPLE",
        ),
        Example(
            "password-among-arguments",
            """
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions: [{Name: app, Image: app, Command: [start, --db-password, hunter2]}]
""",
            finding="holds a literal secret",
        ),
        Example(
            "dynamic-reference-in-state-machine",
            """
Resources:
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: arn:aws:iam::123456789012:role/machine
      DefinitionString: !Sub '{"States": {"Call": {"Type": "Task", "Parameters": {"Key": "{{resolve:secretsmanager:key}}"}}}}'
""",
            finding="exposed at deploy",
        ),
        Example(
            "property-of-custom-resource",
            """
Resources:
  User:
    Type: Custom::DatabaseUser
    Properties: {ServiceToken: arn:aws:lambda:eu-west-1:123456789012:function:user, Name: app, Password: !Sub "hunter2"}
""",
            finding="'Properties.Password' of 'User' holds a literal secret",
        ),
        Example(
            "output-of-undecided-token",
            """
Resources:
  Vault: {Type: Custom::Vault, Properties: {ServiceToken: arn:aws:lambda:eu-west-1:123456789012:function:v}}
Outputs:
  AdminPassword: {Value: !GetAtt Vault.Value}
""",
            severity="cannot-tell",
            finding="'Vault.Value'",
        ),
    ),
    good=(
        Example(
            "user-data-with-role",
            """
Resources:
  Server:
    Type: AWS::EC2::Instance
    Properties:
      ImageId: ami-1
      IamInstanceProfile: server
      UserData:
        Fn::Base64: !Sub |
          #!/bin/bash
          aws s3 cp s3://${AWS::StackName}-code/app.tar.gz .
""",
        ),
        Example(
            "password-for-downloads-of-cfn-init",
            """
Parameters:
  DownloadPassword: {Type: String, NoEcho: true}
Resources:
  Server:
    Type: AWS::EC2::Instance
    Metadata:
      AWS::CloudFormation::Authentication:
        downloads: {type: basic, username: server, password: !Ref DownloadPassword, uris: ["https://example.com/"]}
        bucket: {type: S3, roleName: server, buckets: [downloads]}
    Properties: {ImageId: ami-1, IamInstanceProfile: server}
""",
        ),
        Example(
            "names-that-only-sound-secret",
            """
Description: "Password: must contain at least 12 characters"
Parameters:
  DBPassword:
    Type: String
    NoEcho: true
    Description: The database password (without spaces)
    ConstraintDescription: The password must have 8 to 41 characters, no /, @ or "
    AllowedPattern: "[a-zA-Z0-9]*"
  DBUser: {Type: String, NoEcho: true, Default: admin}
  SecretName: {Type: String, Default: prod/db}
  KeyName: {Type: AWS::EC2::KeyPair::KeyName}
  Token: {Type: "AWS::SSM::Parameter::Value<String>", Default: /build/token}
  ApiKey: {Type: String, NoEcho: true, Default: ""}
Metadata:
  AWS::CloudFormation::Interface:
    ParameterGroups: [{Label: {default: Secrets}, Parameters: [DBPassword]}]
    ParameterLabels: {DBPassword: {default: Database password}}
Resources:
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {}}}
  Pool:
    Type: AWS::Cognito::UserPool
    Properties: {Policies: {PasswordPolicy: {MinimumLength: 12, RequireSymbols: true}}}
  Client:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      UserPoolId: !Ref Pool
      GenerateSecret: true
      ExplicitAuthFlows: [ALLOW_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]
      TokenValidityUnits: {AccessToken: hours, RefreshToken: days}
  Database:
    Type: AWS::RDS::DBInstance
    Properties: {MasterUsername: !Ref DBUser, MasterUserPassword: !Ref DBPassword}
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData:
        ImageId: ami-1
        KeyName: !Ref KeyName
        MetadataOptions: {HttpTokens: required}
        UserData:
          Fn::Base64: !Sub |
            #!/bin/bash
            DB_PASSWORD=$(aws secretsmanager get-secret-value --secret-id ${Secret} --query SecretString --output text)
            TOKEN=`curl -X PUT http://169.254.169.254/latest/api/token -H "X-aws-ec2-metadata-token-ttl-seconds: 21600"`
            curl -H "X-aws-ec2-metadata-token: $TOKEN" http://169.254.169.254/latest/meta-data/
            aws ecr get-login-password | docker login --username AWS --password-stdin ${AWS::AccountId}.dkr.ecr.eu-west-1.amazonaws.com
            ./start --password "$DB_PASSWORD" --secret-name ${SecretName}
  Api:
    Type: AWS::ApiGateway::Method
    Properties:
      HttpMethod: GET
      ResourceId: a
      RestApiId: a
      AuthorizationType: NONE
      ApiKeyRequired: true
      Integration:
        Type: HTTP
        RequestParameters: {integration.request.header.Token: method.request.header.Token}
  Hook:
    Type: Custom::Hook
    Properties: {ServiceToken: !Sub "arn:aws:lambda:eu-west-1:${AWS::AccountId}:function:hook", SecretArn: !Ref Secret, TokenUrl: "https://a.example.net/token"}
Outputs:
  SecretArn: {Value: !Ref Secret, Export: {Name: secret-arn}}
  Digest: {Value: da39a3ee5e6b4b0d3255bfef95601890afd80709}
""",
        ),
    ),
)
