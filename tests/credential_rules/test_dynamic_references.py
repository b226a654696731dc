"""A dynamic reference is one, however the template spells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from credential_rules.template import Template


@pytest.mark.parametrize(
    ("password", "name"),
    [
        ("'{{resolve:secretsmanager:db:SecretString:password}}'", "resolve:secretsmanager:db:SecretString:password"),
        (
            "!Sub '{{resolve:secretsmanager:${Secret}:SecretString:password}}'",
            "resolve:secretsmanager:${Secret}:SecretString:password",
        ),
        (
            '!Join ["", ["{{resolve:secretsmanager:", !Ref Secret, ":SecretString:password::}}"]]',
            "resolve:secretsmanager:${Secret}:SecretString:password::",
        ),
        ('!Join ["", ["{{resolve:ssm-secure:/", "db", "}}"]]', "resolve:ssm-secure:/db"),
    ],
)
def test_dynamic_reference_is_one_hole(template: Callable[..., Template], password: str, name: str) -> None:
    """Rules can tell a reference to a secret from text, also where CDK joins it from pieces."""
    found = template(
        f"""
Resources:
  Secret: {{Type: AWS::SecretsManager::Secret}}
  Database:
    Type: AWS::RDS::DBInstance
    Properties:
      MasterUserPassword: {password}
"""
    )
    (text,) = found.resources["Database"]["MasterUserPassword"].texts()
    assert text.hole is not None
    assert (text.hole.kind, text.hole.name) == ("dynamic", name)
    assert not text.is_undecided


def test_text_around_a_joined_reference_stays(template: Callable[..., Template]) -> None:
    """What stands before and after a reference is still known, and so are other holes."""
    found = template(
        """
Resources:
  Secret: {Type: AWS::SecretsManager::Secret}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Description: !Sub "a ${AWS::Region} {{resolve:secretsmanager:${Secret}}} b"
"""
    )
    (text,) = found.resources["Function"]["Description"].texts()
    assert text.pattern == "a ${AWS::Region} ${resolve:secretsmanager:${Secret}} b"
    assert [hole.kind for hole in text.holes] == ["pseudo", "dynamic"]
