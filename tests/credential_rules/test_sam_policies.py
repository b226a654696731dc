"""SAM's policy templates are judged by what they allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credential_rules.index import Index
from credential_rules.reader import read_template
from credential_rules.sam_policies import _policy_templates, sam_policy_statements

if TYPE_CHECKING:
    from pathlib import Path

    from credential_rules.rule import Statement


def statements(folder: Path, policy: str) -> list[Statement]:
    """What a function with this one policy template may do."""
    file = folder / "template.yaml"
    file.write_text(
        "Resources:\n  Fn:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        f"      {{CodeUri: s3://code/fn.zip, Handler: a.b, Runtime: python3.13, Policies: [{policy}]}}\n"
    )
    index = Index([read_template(file)])
    (function,) = index.resources("AWS::Serverless::Function")
    return list(sam_policy_statements(function))


def test_parameters_are_filled_in(tmp_path: Path) -> None:
    """The resource is the one that the template's author named."""
    (allowed,) = statements(tmp_path, "{SQSSendMessagePolicy: {QueueName: orders}}")
    assert [action.literal for action in allowed.actions] == ["sqs:SendMessage*"]
    assert allowed.resources[0].pattern.endswith(":${AWS::AccountId}:orders")


def test_policy_template_of_several_statements_gives_all(tmp_path: Path) -> None:
    """The stream's own actions and the one that lists streams are statements of their own."""
    allowed = statements(tmp_path, "{DynamoDBStreamReadPolicy: {TableName: orders, StreamName: s}}")
    actions = {action.literal for statement in allowed for action in statement.actions}
    assert {"dynamodb:GetRecords", "dynamodb:ListStreams"} <= actions
    assert len(allowed) == 2


def test_unknown_policy_template_is_unknown_not_empty(tmp_path: Path) -> None:
    """Fail closed: what cannot be looked up is no permission to do nothing."""
    (allowed,) = statements(tmp_path, "{NobodyKnowsThisPolicy: {}}")
    assert allowed.actions[0].is_undecided


@pytest.mark.parametrize("name", sorted(_policy_templates()))
def test_every_policy_template_is_read(name: str, tmp_path: Path) -> None:
    """Each of SAM's has actions and resources that the rules can judge."""
    found = statements(tmp_path, f"{{{name}: {{}}}}")
    assert found
    assert all(action.literal for statement in found for action in statement.actions)
