"""The rules on static credentials, on the shapes that their own examples leave out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credential_rules.engine import Target, judge
from credential_rules.environments import ENVIRONMENT_TYPES
from credential_rules.password_properties import PASSWORD_PROPERTIES
from credential_rules.reader import read_template
from credential_rules.registry import all_rules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENVIRONMENT = "no-credentials-in-environment"
TEMPLATE = "no-credentials-in-template"
PASSWORDS = "no-plaintext-passwords"
GROUP = [rule for rule in all_rules() if rule.group == "Static credentials"]
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., list[tuple[str, str, str, str]]]:
    """The findings of the group on one or more templates: rule, severity, resource, location."""

    def check(*templates: str | dict[str, Any]) -> list[tuple[str, str, str, str]]:
        target = Target()
        for at, text in enumerate(templates):
            file = tmp_path / f"{at}.yaml"
            file.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
            target.templates.append(read_template(file))
        report = judge(target, GROUP)
        assert report.errors == {}
        return [(f.rule, f.severity, f.resource, f.location) for f in report.findings]

    return check


def at_path(path: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 (whatever a template may hold)
    """Properties that hold `value` at a path such as `Users[].Password`."""
    for step in reversed(path.replace("[]", ".[]").split(".")):
        value = [value] if step == "[]" else {"client_secret" if step == "{}" else step: value}
    properties: dict[str, Any] = value
    return properties


EVERY_PASSWORD = [
    pytest.param(kind, path, id=f"{kind}-{path}") for kind, paths in PASSWORD_PROPERTIES.items() for path in paths
]


@pytest.mark.parametrize(("kind", "path"), EVERY_PASSWORD)
def test_every_password_property_is_judged(
    found: Callable[..., list[tuple[str, str, str, str]]], kind: str, path: str
) -> None:
    """A literal in it is refused by one rule, a NoEcho parameter and a dynamic reference are accepted by all."""
    parameters = {"Given": {"Type": "String", "NoEcho": True}}

    def rules(value: Any) -> list[str]:  # noqa: ANN401 (as above)
        template = {"Parameters": parameters, "Resources": {"It": {"Type": kind, "Properties": at_path(path, value)}}}
        return [rule for rule, *_ in found(template) if rule != "no-iam-users"]

    assert rules("hunter2hunter2") == [PASSWORDS]
    assert rules({"Ref": "Given"}) == []
    assert rules({"Fn::Sub": "{{resolve:secretsmanager:db:SecretString:password}}"}) == []
    assert rules({"Fn::If": ["Undeclared", {"Ref": "AWS::NoValue"}, "hunter2hunter2"]}) == [PASSWORDS]


def test_environment_of_every_kind_is_judged(found: Callable[..., list[tuple[str, str, str, str]]]) -> None:
    """Mappings and lists of pairs, whatever the type calls them."""
    pairs = [{"Name": "DB_PASSWORD", "Value": "hunter2"}]
    mapping = {"DB_PASSWORD": "hunter2"}
    templates = {
        "AWS::ECS::TaskDefinition": {"ContainerDefinitions": [{"Environment": pairs}]},
        "AWS::Batch::JobDefinition": {"ContainerProperties": {"Environment": pairs}},
        "AWS::CodeBuild::Project": {"Environment": {"EnvironmentVariables": pairs}},
        "AWS::AppRunner::Service": {
            "SourceConfiguration": {"ImageRepository": {"ImageConfiguration": {"RuntimeEnvironmentVariables": pairs}}}
        },
        "AWS::Amplify::Branch": {"EnvironmentVariables": pairs},
        "AWS::Glue::Job": {"DefaultArguments": {"--db-password": "hunter2"}},
        "AWS::SageMaker::Model": {"Containers": [{"Environment": mapping}]},
        "AWS::Lightsail::Container": {
            "ContainerServiceDeployment": {
                "Containers": [{"Environment": [{"Variable": "DB_PASSWORD", "Value": "x1"}]}]
            }
        },
        "AWS::ElasticBeanstalk::Environment": {"OptionSettings": [{"OptionName": "DB_PASSWORD", "Value": "hunter2"}]},
        "AWS::Synthetics::Canary": {"RunConfig": {"EnvironmentVariables": mapping}},
        "AWS::Lambda::Function": {"Environment": {"Variables": mapping}},
    }
    assert set(templates) <= set(ENVIRONMENT_TYPES)
    for kind, properties in templates.items():
        assert [f[0] for f in found({"Resources": {"It": {"Type": kind, "Properties": properties}}})] == [
            ENVIRONMENT
        ], kind


def test_globals_are_judged_once_and_where_they_stand(found: Callable[..., list[tuple[str, str, str, str]]]) -> None:
    """Two functions share what one line of Globals says; an override of their own is theirs."""
    assert found(
        """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Environment: {Variables: {API_TOKEN: abcdef123456}}}}
Resources:
  One: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}
  Two: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, Environment: {Variables: {OWN_TOKEN: abcdef123456}}}}
"""
    ) == [
        (ENVIRONMENT, "error", "Two", "Properties.Environment.Variables.OWN_TOKEN"),
        (ENVIRONMENT, "error", "Function", "Globals.Function.Environment.Variables.API_TOKEN"),
    ]


@pytest.mark.parametrize(
    ("value", "severities"),
    [
        ("!Ref NoEcho", ["error"]),
        ("!Ref DbPassword", ["error"]),
        ("!Ref Empty", ["error"]),
        ("!Ref Plain", ["cannot-tell"]),
        ("!Ref SecretName", []),
        ("!Ref Secret", []),
        ("!ImportValue db-password", ["cannot-tell"]),
        ("!ImportValue db-secret-arn", []),
        ("!GetAtt Custom.Password", ["cannot-tell"]),
        ("!GetAtt Custom.SecretArn", []),
        ("!GetAtt Key.SecretAccessKey", ["error"]),
        ('"{{resolve:ssm-secure:/db}}"', ["error"]),
        (
            '"{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:db:SecretString:pw}}"',
            ["error"],
        ),
        ('"{{resolve:ssm:/db}}"', ["error"]),
    ],
)
def test_what_a_variable_called_password_refers_to(
    found: Callable[..., list[tuple[str, str, str, str]]], value: str, severities: list[str]
) -> None:
    """References to secrets land in the clear at deployment; names of secrets do not; what is open is said to be open."""
    findings = found(
        f"""
Parameters:
  NoEcho: {{Type: String, NoEcho: true}}
  DbPassword: {{Type: String}}
  Empty: {{Type: String, NoEcho: true, Default: ""}}
  Plain: {{Type: String}}
  SecretName: {{Type: String}}
Resources:
  Secret: {{Type: AWS::SecretsManager::Secret}}
  Custom: {{Type: Custom::Thing, Properties: {{ServiceToken: arn}}}}
  Key: {{Type: AWS::IAM::AccessKey, Properties: {{UserName: a}}}}
  Function:
    Type: AWS::Lambda::Function
    Properties: {{Environment: {{Variables: {{DB_PASSWORD: {value}}}}}}}
"""
    )
    assert [severity for rule, severity, *_ in findings if rule == ENVIRONMENT] == severities


def test_username_from_a_secret_is_no_secret(found: Callable[..., list[tuple[str, str, str, str]]]) -> None:
    """A dynamic reference names the key that it takes out of the secret."""
    variables = {
        "DB_USER": "{{resolve:secretsmanager:db:SecretString:username}}",
        "DB_HOST": "{{resolve:secretsmanager:db:SecretString:host::}}",
        "STAGE": "{{resolve:ssm:/stage}}",
    }
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": variables}}}
    assert found({"Resources": {"Function": function}}) == []


def test_parameter_of_nested_stack_needs_no_echo_in_both(found: Callable[..., list[tuple[str, str, str, str]]]) -> None:
    """A nested stack shows its own parameters, whatever its parent hides; and a literal of the parent is a literal."""
    parent = """
Parameters: {Password: {Type: String, NoEcho: true}}
Resources:
  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 1.yaml, Parameters: {Hidden: !Ref Password, Shown: !Ref Password, Literal: hunter2}}}
"""
    child = """
Parameters: {Hidden: {Type: String, NoEcho: true}, Shown: {Type: String}, Literal: {Type: String, NoEcho: true}}
Resources:
  Good: {Type: AWS::RDS::DBCluster, Properties: {MasterUserPassword: !Ref Hidden}}
  Bad: {Type: AWS::RDS::DBCluster, Properties: {MasterUserPassword: !Sub "${Shown}"}}
  Worse: {Type: AWS::RDS::DBCluster, Properties: {MasterUserPassword: !Ref Literal}}
"""
    assert [(rule, resource) for rule, _, resource, _ in found(parent, child)] == [
        (PASSWORDS, "Bad"),
        (PASSWORDS, "Worse"),
    ]


def test_credential_of_resource_that_never_exists_is_in_the_repository(
    found: Callable[..., list[tuple[str, str, str, str]]],
) -> None:
    """A condition hides a resource from the stack, not from who reads the template."""
    assert found(
        f"""
Conditions: {{Never: !Equals [a, b]}}
Resources:
  Ghost: {{Type: AWS::SQS::Queue, Condition: Never, Metadata: {{note: "aws_secret_access_key={SECRET_KEY}"}}}}
  Queue: {{Type: AWS::SQS::Queue}}
"""
    ) == [(TEMPLATE, "error", "Ghost", "Resources.Ghost.Metadata.note")]


def test_each_place_is_judged_by_one_rule(found: Callable[..., list[tuple[str, str, str, str]]]) -> None:
    """A key in a variable, a password property or a secret is reported once, by the rule that knows the place."""
    findings = found(
        f"""
Resources:
  Function: {{Type: AWS::Lambda::Function, Properties: {{Environment: {{Variables: {{KEY: {SECRET_KEY}}}}}}}}}
  Database: {{Type: AWS::RDS::DBInstance, Properties: {{MasterUserPassword: {SECRET_KEY}}}}}
  Secret: {{Type: AWS::SecretsManager::Secret, Properties: {{SecretString: {SECRET_KEY}}}}}
  Parameter: {{Type: AWS::SSM::Parameter, Properties: {{Name: /db/password, Type: String, Value: {SECRET_KEY}}}}}
"""
    )
    assert {(rule, resource) for rule, _, resource, _ in findings} == {
        (ENVIRONMENT, "Function"),
        (PASSWORDS, "Database"),
        (PASSWORDS, "Secret"),
        (PASSWORDS, "Parameter"),
    }
    assert len(findings) == 4


def test_content_of_parameters_and_secrets_decides(found: Callable[..., list[tuple[str, str, str, str]]]) -> None:
    """A credential under a harmless name is one, a harmless key of a secret is none."""
    findings = found(
        """
Parameters: {Password: {Type: String, NoEcho: true}}
Resources:
  Named: {Type: AWS::SSM::Parameter, Properties: {Name: /app/config, Type: String, Value: AKIAIOSFODNN7EXAMPLE}}
  Secure: {Type: AWS::SSM::Parameter, Properties: {Name: /app/config, Type: SecureString, Value: hunter2}}
  DatabasePassword: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Password}}
  Level: {Type: AWS::SSM::Parameter, Properties: {Name: /app/level, Type: String, Value: !Ref Password}}
  Policy: {Type: AWS::SSM::Parameter, Properties: {Name: /app/password-policy, Type: String, Value: strict}}
  Url: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: '{"url": "postgres://a:hunter2@db/a"}'}}
  User: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: !Sub '{"username": "app", "password": "${Password}"}'}}
"""
    )
    assert {(rule, resource) for rule, _, resource, _ in findings} == {
        (PASSWORDS, "Named"),
        (PASSWORDS, "Secure"),
        (PASSWORDS, "DatabasePassword"),
        (PASSWORDS, "Level"),
        (PASSWORDS, "Url"),
    }


def test_messages_hold_no_value(tmp_path: Path) -> None:
    """Reports are read by more people than the template."""
    file = tmp_path / "template.yaml"
    file.write_text(
        f"""
Description: password=hunter2zz
Parameters: {{DbPassword: {{Type: String, Default: hunter2zz}}}}
Resources:
  Function: {{Type: AWS::Lambda::Function, Properties: {{Environment: {{Variables: {{DB_PASSWORD: hunter2zz, K: {SECRET_KEY}}}}}}}}}
  Database: {{Type: AWS::RDS::DBInstance, Properties: {{MasterUserPassword: hunter2zz}}}}
  Server: {{Type: AWS::EC2::Instance, Properties: {{UserData: !Base64 "mysql -u root -phunter2zz x"}}}}
  Secret: {{Type: AWS::SecretsManager::Secret, Properties: {{SecretString: '{{"password": "hunter2zz"}}'}}}}
""",
        encoding="utf-8",
    )
    report = judge(Target([read_template(file)]), GROUP)
    assert len(report.findings) == 7
    for finding in report.findings:
        said = f"{finding.message} {finding.fix} {finding.location} {finding.resource}"
        assert "hunter2zz" not in said
        assert SECRET_KEY not in said


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["hunter2", SECRET_KEY, "${X}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Ref",
                    "Fn::If",
                    "Fn::Sub",
                    "Fn::Join",
                    "Fn::GetAtt",
                    "Password",
                    "Name",
                    "Value",
                    "UserData",
                    "Variables",
                ]
            )
            | st.text(max_size=6),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    kind=st.sampled_from(
        [*ENVIRONMENT_TYPES, *PASSWORD_PROPERTIES, "AWS::SecretsManager::Secret", "AWS::SSM::Parameter"]
    ),
    properties=st.dictionaries(
        st.sampled_from(
            ["Environment", "MasterUserPassword", "Users", "SecretString", "Value", "Name", "OptionSettings"]
        ),
        json_values,
        max_size=4,
    ),
    section=json_values,
)
def test_any_structure_gets_an_answer(
    found: Callable[..., list[tuple[str, str, str, str]]],
    kind: str,
    properties: dict[str, Any],
    section: Any,  # noqa: ANN401 (as above)
) -> None:
    """Whatever stands where, no rule of the group breaks."""
    found(
        {
            "Resources": {"It": {"Type": kind, "Properties": properties, "Metadata": section}},
            "Outputs": {"Out": {"Value": section}},
            "Parameters": {"X": {"Type": "String", "Default": "a"}},
            "Mappings": section,
            "Globals": {"Function": {"Environment": {"Variables": section}}},
        }
    )
