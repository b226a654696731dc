"""Which acknowledgements the ledger asks for an owner and an end."""

from __future__ import annotations

from datetime import date

from credential_rules import ledger

TODAY = date(2026, 11, 20)
FORM = "It is fine here. (owner: platform-team, expires: 2027-06-30)"


def kinds(data: dict[str, str]) -> list[str]:
    """What the ledger says of the acknowledgements in one construct's metadata."""
    found = ledger.from_metadata("Stack/Thing", dict(data))
    return [problem.kind for problem in ledger.problems(found, TODAY, lambda _one: None)]


def test_acknowledgements_by_cdk_itself_need_no_owner() -> None:
    """CDK's constructs acknowledge findings of CDK's own check, where nobody could write an owner."""
    assert kinds({"CloudFormation-Validate::F3002": "camelCase is right here"}) == []
    assert kinds({"Annotation::@aws-cdk/core:something": "a warning of CDK"}) == []


def test_acknowledgement_of_a_rule_needs_owner_and_end() -> None:
    """Any other acknowledgement is an exception that somebody owns until a day."""
    assert kinds({"CredentialChecks::no-iam-users": "just because"}) == ["acknowledgement-is-well-formed"]
    assert kinds({"AwsSolutions::AwsSolutions-S1": FORM}) == []


def test_acknowledgement_without_a_pack_is_refused() -> None:
    """CDK files a bare id as an annotation, where it hides the finding without a record."""
    assert kinds({"Annotation::no-iam-users": FORM}) == ["acknowledgement-is-well-formed"]


def test_acknowledgement_ends_after_its_last_day() -> None:
    """The day it names still counts, the next does not."""
    assert kinds({"A::b": "fine (owner: me, expires: 2026-11-20)"}) == []
    assert kinds({"A::b": "fine (owner: me, expires: 2026-11-19)"}) == ["acknowledgement-is-current"]
