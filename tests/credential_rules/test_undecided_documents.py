"""A policy that the template does not hold is doubted wherever it would be judged, and never passed or taken for empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from credential_rules.engine import check
from credential_rules.registry import all_rules

if TYPE_CHECKING:
    from pathlib import Path

INCLUDE: Final = "{Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://policies/p.yaml'}}}"
TRUST: Final = "{Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}}"
PLACES: Final = {
    "policies of a role": (
        f"{{Type: AWS::IAM::Role, Properties: {{AssumeRolePolicyDocument: {TRUST}, Policies: {INCLUDE}}}}}",
        "no-wildcard-actions",
    ),
    "document": (
        f"{{Type: AWS::IAM::Policy, Properties: {{PolicyName: x, Roles: [r], PolicyDocument: {INCLUDE}}}}}",
        "no-wildcard-actions",
    ),
    "statement": (
        f"{{Type: AWS::IAM::Policy, Properties: {{PolicyName: x, Roles: [r], PolicyDocument: {{Statement: [{INCLUDE}]}}}}}}",
        "no-wildcard-actions",
    ),
    "trust": (f"{{Type: AWS::IAM::Role, Properties: {{AssumeRolePolicyDocument: {INCLUDE}}}}}", "trust-is-narrow"),
    "queue": (
        f"{{Type: AWS::SQS::QueuePolicy, Properties: {{Queues: [q], PolicyDocument: {INCLUDE}}}}}",
        "resource-policy-is-not-public",
    ),
    "endpoint": (
        f"{{Type: AWS::EC2::VPCEndpoint, Properties: {{VpcId: v, ServiceName: s3, PolicyDocument: {INCLUDE}}}}}",
        "endpoint-has-scoped-policy",
    ),
    "parameter": (
        "{Type: AWS::IAM::Policy, Properties: {PolicyName: x, Roles: [r], PolicyDocument: !Ref Given}}",
        "no-wildcard-actions",
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_policy_that_comes_from_elsewhere_is_doubted(place: str, tmp_path: Path) -> None:
    """It may allow anything to anybody: the rule that would look into it says that it cannot, and no rule is sure."""
    written, rule = PLACES[place]
    file = tmp_path / "template.yaml"
    file.write_text(f"Parameters: {{Given: {{Type: String}}}}\nResources:\n  Judged: {written}\n", encoding="utf-8")
    report = check([file], all_rules())
    assert report.errors == {}
    assert rule in {found.rule for found in report.findings}
    assert {(found.severity, found.resource) for found in report.findings} == {("cannot-tell", "Judged")}
    assert len({found.rule for found in report.findings}) == len(report.findings)


def test_what_an_included_policy_allows_is_not_called_missing(tmp_path: Path) -> None:
    """The call may be granted there."""
    file = tmp_path / "template.yaml"
    file.write_text(
        f"""
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.14
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          import boto3
          def handler(event, context): boto3.client("sqs").send_message(QueueUrl="q")
  Role: {{Type: AWS::IAM::Role, Properties: {{AssumeRolePolicyDocument: {TRUST}, Policies: {INCLUDE}}}}}
""",
        encoding="utf-8",
    )
    found = [one for one in check([file], all_rules()).findings if one.rule == "role-matches-code"]
    assert any("needs sqs:SendMessage" in one.message for one in found)
    assert {one.severity for one in found} == {"cannot-tell"}
