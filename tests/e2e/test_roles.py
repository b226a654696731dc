"""Policies are taken apart action by action, and are whole again whatever happens."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.roles import Role, without

ACTIONS = ("dynamodb:GetItem", "dynamodb:PutItem", "sqs:SendMessage", "s3:GetObject")
RESOURCES = ("arn:aws:dynamodb:us-east-1:1:table/a", "arn:aws:s3:::b/*", "*")


def one_or_more(choices: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """A text, or a list of them, as IAM takes both."""
    return st.sampled_from(choices) | st.lists(st.sampled_from(choices), min_size=1, unique=True)


STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": one_or_more(ACTIONS),
        "Resource": one_or_more(RESOURCES),
    }
)
DOCUMENTS = st.fixed_dictionaries(
    {"Version": st.just("2012-10-17"), "Statement": st.lists(STATEMENTS, min_size=1) | STATEMENTS}
)


def role(document: dict[str, Any]) -> Role:
    """A role with this policy."""
    return Role(name="r", physical="r", arn="arn:aws:iam::1:role/r", policies={"p": document}, trust={})


@given(document=DOCUMENTS, action=st.sampled_from(ACTIONS))
def test_without_an_action_all_others_stay(document: dict[str, Any], action: str) -> None:
    """The one action is gone on every resource; nothing else is, and what is denied stays denied."""
    before, after = role(document), role(without(document, action))
    assert after.grants() == [grant for grant in before.grants() if grant.action != action]
    denied = [
        [statement for statement in listed(found) if statement["Effect"] == "Deny"]
        for found in (document, without(document, action))
    ]
    assert denied[0] == denied[1]


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
        {"Effect": "Allow", "Action": ["sqs:SendMessage", "*"], "Resource": "*"},
    ],
)
def test_what_cannot_be_taken_apart_is_told(statement: dict[str, Any]) -> None:
    """A wildcard would hide actions that nobody proves."""
    with pytest.raises(ValueError, match="without exact actions"):
        role({"Version": "2012-10-17", "Statement": [statement]}).grants()


def listed(document: dict[str, Any]) -> list[dict[str, Any]]:
    """A document's statements."""
    found = document["Statement"]
    return found if isinstance(found, list) else [found]
