"""A password in a template is known to everyone who can read the template, and to its whole history."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from credential_rules.credential_forms import credential_in, is_secret, promise_of, secret_called
from credential_rules.password_properties import PASSWORD_PROPERTIES, password_values
from credential_rules.property_paths import reach
from credential_rules.rule import (
    CANNOT_TELL,
    Example,
    Finding,
    Hole,
    Index,
    Parameter,
    Resource,
    Rule,
    Text,
    Value,
    shown,
)
from credential_rules.secret_references import (
    brought_by,
    kind_of_reference,
    names_no_secret,
    parameter_behind,
    secret_attribute,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.template import Raw

_SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 (a type)
_SSM_PARAMETER = "AWS::SSM::Parameter"
_CONNECTION = "AWS::Events::Connection"

_CDK_HASH = re.compile(r"[0-9A-F]{8}$")
_CALLED_PARAMETER = re.compile(r"(?i)(?:ssm)?param(?:eter)?(?:value)?$")
_HOLE = re.compile(r"\$\{([^}]*)\}")
_HTTP_PARAMETERS: Final = tuple(
    f"AuthParameters.{kind}.{place}[]"
    for kind in ("InvocationHttpParameters", "OAuthParameters.OAuthHttpParameters")
    for place in ("HeaderParameters", "BodyParameters", "QueryStringParameters")
)
_READABLE = "everyone who may read the template, its repository or the stack has it"


def _passwords(_index: Index, resource: Resource) -> Iterator[Finding]:
    for value in password_values(resource):
        yield from _judged(resource, value)
    if resource.type == _SECRET:
        yield from _secret(resource)
    elif resource.type == _SSM_PARAMETER:
        yield from _plain_parameter(resource)
    elif resource.type == _CONNECTION:
        for path in _HTTP_PARAMETERS:
            for pair in reach(resource.properties, path):
                if pair["IsValueSecret"].is_true or any(_is_secret_key(key) for key in pair["Key"].literals()):
                    yield from _judged(resource, pair["Value"])


def _is_secret_key(key: str) -> bool:
    return key.lower() == "authorization" or promise_of(key) in {"aws", "secret"}


def _judged(resource: Resource, value: Value) -> Iterator[Finding]:
    called = f"The property '{_name(value)}' of '{resource.logical_id}'"
    for at, text in value.located_texts():
        yield from _judged_text(called, resource, at, text)


def _judged_text(called: str, resource: Resource, at: Value, text: Text) -> Iterator[Finding]:
    for parameter in _passed_on(resource, at):
        if not parameter.no_echo:
            yield _without_no_echo(called, at, parameter)
    holes = list(dict.fromkeys(text.holes))
    if all(hole.kind == "pseudo" for hole in holes):
        yield from _known(called, resource, at, text)
    for hole in holes:
        yield from _judged_hole(called, resource, at, hole)


def _known(called: str, resource: Resource, at: Value, text: Text) -> Iterator[Finding]:
    literal = text.literal
    if literal is not None and not literal.strip():
        for name in sorted(text.parameters):
            parameter = resource.template.parameters.get(name)
            if parameter is not None and not parameter.no_echo:
                yield _without_no_echo(called, at, parameter)
        return
    if text.parameters:
        names = ", ".join(f"'{name}'" for name in sorted(text.parameters))
        yield Finding(
            at,
            f"{called} is known beforehand, as a default or an allowed value of the parameter {names}"
            f" ({shown(text.pattern)}): {_READABLE}.",
            f"Remove the default of {names}, or better the parameter: {RULE.remedy}",
        )
    else:
        yield Finding(at, f"{called} is a literal ({shown(text.pattern)}): {_READABLE}.")


def _judged_hole(called: str, resource: Resource, at: Value, hole: Hole) -> Iterator[Finding]:
    if hole.kind == "dynamic":
        if kind_of_reference(hole) == "plain-parameter":
            yield Finding(
                at,
                f"{called} is the plain SSM parameter '{{{{{hole.name}}}}}', which is stored unencrypted: everyone who may"
                " read parameters has it.",
                "Store it in Secrets Manager, and write '{{resolve:secretsmanager:NAME:SecretString:KEY}}'.",
            )
    elif hole.kind == "parameter":
        parameter = parameter_behind(hole, resource.template)
        if parameter is not None and parameter.type.startswith("AWS::SSM::Parameter::Value"):
            yield Finding(
                at,
                f"{called} is the plain SSM parameter behind the parameter '{parameter.name}', which is stored unencrypted:"
                " everyone who may read parameters has it.",
                "Store it in Secrets Manager, and write '{{resolve:secretsmanager:NAME:SecretString:KEY}}'.",
            )
        elif parameter is not None and not parameter.no_echo:
            yield _without_no_echo(called, at, parameter)
    elif hole.kind != "pseudo" and not _is_kept_secret(hole):
        yield Finding(
            at,
            f"{called} is '{hole.name}', which the template does not decide: it may be readable where it comes from.",
            severity=CANNOT_TELL,
        )


def _is_kept_secret(hole: Hole) -> bool:
    """Whether a resource keeps the value itself, as a secret does and a key that CloudFormation hands on."""
    return bool(secret_attribute(hole)) or (hole.resource is not None and hole.resource.type == _SECRET)


def _without_no_echo(called: str, at: Value, parameter: Parameter) -> Finding:
    return Finding(
        at,
        f"{called} is the parameter '{parameter.name}', which has no NoEcho: the console, describe-stacks and the logs of"
        " deployments show its value.",
        f"Set `NoEcho: true` on '{parameter.name}', or better remove the parameter: {RULE.remedy}",
    )


def _passed_on(resource: Resource, at: Value) -> Iterator[Parameter]:
    """The parameters of a nested template whose value its parent gives: `texts` looks through them."""
    template = resource.template
    if template.parent is None:
        return
    given = template.parent["Parameters"]
    for name in _names_in(_written(resource, at)):
        parameter = template.parameters.get(name)
        if parameter is not None and given[name]:
            yield parameter


def _written(resource: Resource, at: Value) -> Raw:
    """What stands in the template at the place of a value, before anything was looked through."""
    raw: Raw = resource.raw
    for step in at.path:
        if isinstance(raw, dict) and step in raw:
            raw = raw[str(step)]
        elif isinstance(raw, list) and isinstance(step, int) and step < len(raw):
            raw = raw[step]
        else:
            break
    return raw


def _names_in(raw: Raw) -> Iterator[str]:
    if isinstance(raw, dict):
        for key, below in raw.items():
            if key == "Ref" and isinstance(below, str):
                yield below
            elif key == "Fn::Sub":
                text = below[0] if isinstance(below, list) and below else below
                yield from _HOLE.findall(text) if isinstance(text, str) else ()
            else:
                yield from _names_in(below)
    elif isinstance(raw, list):
        for child in raw:
            yield from _names_in(child)


def _name(value: Value) -> str:
    """The property's own name, without list positions and functions."""
    names = [step for step in value.path if isinstance(step, str) and not step.startswith("Fn::")]
    return names[-1] if names else "Properties"


# --- secrets and parameters, whose content decides ----------------------------------------------------------------


def _secret(resource: Resource) -> Iterator[Finding]:
    for at, text in resource["SecretString"].located_texts():
        keys = _json_leaves(text)
        if keys is None:
            yield from _judged_text(f"The property 'SecretString' of '{resource.logical_id}'", resource, at, text)
            continue
        for key, leaf in keys:
            if not names_no_secret(key) or credential_in(leaf.pattern) is not None:
                yield from _judged_text(f"The key '{key}' of the secret '{resource.logical_id}'", resource, at, leaf)
    for at, text in resource["GenerateSecretString"]["SecretStringTemplate"].located_texts():
        generated = resource["GenerateSecretString"]["GenerateStringKey"].literals()
        for key, leaf in _json_leaves(text) or ():
            if key not in generated and leaf.literal is not None and is_secret(leaf.literal, key):
                yield from _judged_text(f"The key '{key}' of the secret '{resource.logical_id}'", resource, at, leaf)


def _json_leaves(text: Text) -> list[tuple[str, Text]] | None:
    """The keys of a JSON object with their texts, holes among them; None if it is none."""
    if "{" not in text.pattern:
        return None
    holes = {hole.name: hole for hole in text.holes}
    try:
        parsed = json.loads(text.pattern, strict=False)
    except (ValueError, RecursionError):
        return None
    return list(_leaves("", parsed, holes, text.parameters)) if isinstance(parsed, dict) else None


def _leaves(key: str, raw: Raw, holes: dict[str, Hole], parameters: frozenset[str]) -> Iterator[tuple[str, Text]]:
    if isinstance(raw, dict):
        for name, below in raw.items():
            yield from _leaves(name, below, holes, parameters)
    elif isinstance(raw, list):
        for child in raw:
            yield from _leaves(key, child, holes, parameters)
    elif isinstance(raw, str):
        pieces = [holes.get(part, part) if at % 2 else part for at, part in enumerate(_HOLE.split(raw))]
        yield key, Text(tuple(piece for piece in pieces if piece != ""), parameters)


def _plain_parameter(resource: Resource) -> Iterator[Finding]:
    """An SSM parameter: CloudFormation makes no SecureString, so whatever secret it holds is stored in the clear."""
    name = next((text.pattern for text in resource["Name"].texts()), "")
    name = name or _CALLED_PARAMETER.sub("", _CDK_HASH.sub("", resource.logical_id))
    if "SecureString" in resource["Type"].literals():
        name = "password"
    called = f"The SSM parameter '{resource.logical_id}'"
    why = "It is stored unencrypted, as CloudFormation makes no SecureString"
    fix = "Make it an AWS::SecretsManager::Secret with GenerateSecretString, or create a SecureString outside of CloudFormation."
    for at, text in resource["Value"].located_texts():
        what = secret_called(text.literal, name) if text.literal is not None else ""
        if what:
            yield Finding(at, f"{called} holds {what}. {why}.", fix)
        for hole in dict.fromkeys(text.holes):
            brought = brought_by(hole, resource.template, promise_of(name))
            if brought is not None:
                yield Finding(at, f"{called} holds {brought.what}. {why}.", fix, brought.severity)


RULE = Rule(
    slug="no-plaintext-passwords",
    group="Static credentials",
    sentence="Every password, token or key that a resource is given comes from Secrets Manager, or from a NoEcho parameter.",
    reason=(
        "A literal password, or one that is the default of a parameter, is in the template, its repository, every artifact"
        " of the build and the stack itself. A parameter without NoEcho is shown by the console and by describe-stacks."
    ),
    remedy=(
        "Let the service make and rotate it where it can (ManageMasterUserPassword), or generate it in Secrets Manager and"
        " write '{{resolve:secretsmanager:NAME:SecretString:KEY}}'. Change the password that stood here."
    ),
    applies_to=(*PASSWORD_PROPERTIES, _SECRET, _SSM_PARAMETER),
    on_resource=_passwords,
    bad=(
        Example(
            "literal-in-database",
            """
Resources:
  Database:
    Type: AWS::RDS::DBInstance
    Properties:
      Engine: postgres
      DBInstanceClass: db.t4g.micro
      AllocatedStorage: "20"
      MasterUsername: app
      MasterUserPassword: hunter2hunter2
""",
            finding="The property 'MasterUserPassword' of 'Database' is a literal (14 characters, not shown)",
        ),
        Example(
            "parameter-without-no-echo",
            """
Parameters:
  Password: {Type: String, MinLength: 12}
Resources:
  Directory:
    Type: AWS::DirectoryService::MicrosoftAD
    Properties: {Name: corp.example.net, Password: !Ref Password, VpcSettings: {VpcId: vpc-1, SubnetIds: [a, b]}}
""",
            finding="the parameter 'Password', which has no NoEcho",
        ),
        Example(
            "no-echo-parameter-with-default",
            """
Parameters:
  Password: {Type: String, NoEcho: true, Default: changeme}
Resources:
  Cluster:
    Type: AWS::Redshift::Cluster
    Properties: {ClusterType: single-node, DBName: a, MasterUsername: app, NodeType: ra3.large, MasterUserPassword: !Sub "${Password}"}
""",
            finding="default",
        ),
        Example(
            "one-user-of-a-broker-in-one-branch",
            """
Parameters:
  Stage: {Type: String}
  Password: {Type: String, NoEcho: true}
Conditions:
  IsTest: !Equals [!Ref Stage, test]
Resources:
  Broker:
    Type: AWS::AmazonMQ::Broker
    Properties:
      BrokerName: a
      EngineType: RABBITMQ
      Users:
        - {Username: app, Password: !If [IsTest, test-test-test, !Ref Password]}
        - {Username: admin, Password: !Ref Password}
""",
            finding="The property 'Password' of 'Broker' is a literal",
        ),
        Example(
            "plain-ssm-parameter",
            """
Resources:
  Users:
    Type: AWS::ElastiCache::User
    Properties: {UserId: a, UserName: a, Engine: redis, Passwords: ["{{resolve:ssm:/cache/password}}"]}
""",
            finding="stored unencrypted",
        ),
        Example(
            "literal-in-secret",
            """
Resources:
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      SecretString: '{"username": "app", "password": "hunter2"}'
""",
            finding="The key 'password' of the secret 'Secret' is a literal",
        ),
        Example(
            "secret-in-plain-ssm-parameter",
            """
Parameters:
  Password: {Type: String, NoEcho: true}
Resources:
  DatabasePassword:
    Type: AWS::SSM::Parameter
    Properties: {Name: /prod/db/password, Type: String, Value: !Ref Password}
""",
            finding="CloudFormation makes no SecureString",
        ),
        Example(
            "client-secret-of-an-identity-provider",
            """
Resources:
  Provider:
    Type: AWS::Cognito::UserPoolIdentityProvider
    Properties:
      UserPoolId: pool
      ProviderName: Google
      ProviderType: Google
      ProviderDetails: {client_id: app, client_secret: GOCSPX-abcdefghijklmnopqrst, authorize_scopes: email}
""",
            finding="'client_secret'",
        ),
        Example(
            "password-that-something-else-decides",
            """
Resources:
  Generator: {Type: Custom::Password, Properties: {ServiceToken: arn:aws:lambda:eu-west-1:123456789012:function:g}}
  Database:
    Type: AWS::RDS::DBCluster
    Properties: {Engine: aurora-mysql, MasterUsername: app, MasterUserPassword: !GetAtt Generator.Value}
""",
            severity="cannot-tell",
            finding="'Generator.Value'",
        ),
    ),
    good=(
        Example(
            "database-that-makes-its-own",
            """
Resources:
  Database:
    Type: AWS::RDS::DBInstance
    Properties:
      Engine: postgres
      DBInstanceClass: db.t4g.micro
      AllocatedStorage: "20"
      MasterUsername: app
      ManageMasterUserPassword: true
""",
        ),
        Example(
            "references-to-secrets",
            """
Parameters:
  Password: {Type: String, NoEcho: true}
  SecretName: {Type: String, Default: db}
Conditions:
  Snapshot: !Equals [!Ref SecretName, none]
Resources:
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: {SecretStringTemplate: '{"username": "app"}', GenerateStringKey: password}
  Given:
    Type: AWS::SecretsManager::Secret
    Properties: {SecretString: !Sub '{"username": "app", "password": "${Password}"}'}
  Database:
    Type: AWS::RDS::DBInstance
    Properties:
      MasterUsername: !Sub "{{resolve:secretsmanager:${Secret}:SecretString:username}}"
      MasterUserPassword: !If
        - Snapshot
        - !Ref AWS::NoValue
        - !Join ["", ["{{resolve:secretsmanager:", !Ref Secret, ":SecretString:password::}}"]]
  Cluster:
    Type: AWS::DocDB::DBCluster
    Properties: {MasterUserPassword: !Sub "{{resolve:secretsmanager:${SecretName}:SecretString:password}}"}
  Cache:
    Type: AWS::ElastiCache::ReplicationGroup
    Properties: {ReplicationGroupDescription: a, AuthToken: "{{resolve:ssm-secure:/cache/token:1}}"}
  Directory:
    Type: AWS::DirectoryService::SimpleAD
    Properties: {Name: corp.example.net, Size: Small, Password: !Ref Password, VpcSettings: {VpcId: vpc-1, SubnetIds: [a, b]}}
""",
        ),
        Example(
            "plain-parameters-without-secrets",
            """
Resources:
  Policy:
    Type: AWS::SSM::Parameter
    Properties: {Name: /prod/password-policy, Type: String, Value: strict}
  Reference:
    Type: AWS::SSM::Parameter
    Properties: {Name: /prod/db/secret, Type: String, Value: !Ref Secret}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties: {SecretString: "{}"}
""",
        ),
    ),
)
