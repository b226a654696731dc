"""What a policy allows at most and at least, where conditions ask for what nobody can know."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credential_rules.policy_evaluation import Request, evaluate
from operator_cli.diagnosis.assumptions import in_best_case, in_worst_case, unknown_keys
from tests.operator_cli.diagnosis.recorded import ACCOUNT, QUEUE, document, statement

ORGANISATION: Final = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
TLS: Final = {"Bool": {"aws:SecureTransport": "true"}}


def allows(policy: dict[str, Any]) -> bool:
    """Whether a policy lets the queue be written to, over TLS."""
    request = Request(
        "sqs:SendMessage", QUEUE, f"arn:aws:iam::{ACCOUNT}:role/x", ACCOUNT, {"aws:SecureTransport": "true"}
    )
    return evaluate(policy, request).allowed


@pytest.mark.parametrize(
    ("effect", "best", "worst"), [("Allow", True, False), ("Deny", True, False)], ids=["allow", "deny"]
)
def test_what_is_not_known_speaks_for_a_call_or_against_it(effect: str, best: bool, worst: bool) -> None:  # noqa: FBT001 (what is expected)
    """An Allow that depends on the organisation may not count; a Deny that does may count."""
    policy = document({**statement("sqs:*", "*", Condition=ORGANISATION), "Effect": effect})
    if effect == "Deny":
        policy["Statement"].append(statement("sqs:*", "*"))
    assert allows(in_best_case(policy)) is best
    assert allows(in_worst_case(policy)) is worst
    assert unknown_keys(policy) == {"aws:PrincipalOrgID"}


def test_what_is_known_stays_as_it_is() -> None:
    """TLS, the account, the role's tags."""
    policy = document(statement("sqs:*", "*", Condition={**TLS, "StringEquals": {"aws:PrincipalTag/team": "a"}}))
    assert in_best_case(policy) == in_worst_case(policy) == policy
    assert unknown_keys(policy) == set()


def test_only_the_unknown_part_of_a_condition_is_taken_to_hold() -> None:
    """The rest of it still decides."""
    policy = document(statement("sqs:*", "*", Condition={"Bool": {"aws:SecureTransport": "false"}, **ORGANISATION}))
    assert not allows(in_best_case(policy))


STATEMENTS: Final = st.builds(
    lambda effect, action, resource, condition: {
        "Effect": effect,
        "Action": action,
        "Resource": resource,
        **({"Condition": condition} if condition else {}),
    },
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["sqs:*", "sqs:SendMessage", "dynamodb:*", "*"]),
    st.sampled_from([QUEUE, "*", "arn:aws:sqs:*:*:other"]),
    st.sampled_from(
        [
            {},
            TLS,
            ORGANISATION,
            {"StringNotEquals": {"aws:ResourceOrgID": "o-1"}},
            {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["x"]}},
            {**TLS, **ORGANISATION},
        ]
    ),
)


@given(st.lists(STATEMENTS, max_size=4), st.sampled_from(["o-1", "o-2", ""]))
def test_the_truth_lies_between_the_worst_and_the_best_case(
    statements: list[dict[str, Any]], organisation: str
) -> None:
    """Whatever the organisation is: a worst case that allows is allowed, a best case that does not is not."""
    policy = document(*statements)
    context = {"aws:SecureTransport": "true"}
    if organisation:
        context |= {"aws:PrincipalOrgID": organisation, "aws:ResourceOrgID": organisation}
    request = Request("sqs:SendMessage", QUEUE, f"arn:aws:iam::{ACCOUNT}:role/x", ACCOUNT, context)
    truth = evaluate(policy, request).allowed
    assert allows(in_worst_case(policy)) <= truth <= allows(in_best_case(policy))


@given(
    st.recursive(
        st.none() | st.text() | st.booleans(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["Statement", "Effect", "Condition", "Allow", "Bool"]), inner)
        ),
    )
)
def test_whatever_a_document_holds_it_is_read(document: object) -> None:
    """IAM keeps no broken ones; a local AWS may."""
    if isinstance(document, dict):
        in_best_case(document)
        in_worst_case(document)
        unknown_keys(document)
