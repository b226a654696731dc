"""A permission that is there only under a condition of the template is not surely there: every branch is judged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from credential_rules.engine import judge, read
from credential_rules.role_matches_code import RULE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from credential_rules.engine import Reported

LOG: Final = "{Effect: Allow, Action: [logs:CreateLogStream, logs:PutLogEvents], Resource: !GetAtt Log.Arn}"
SEND: Final = "{Sid: Send, Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn}"
DENY: Final = "{Sid: Never, Effect: Deny, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn}"
CODE: Final = (
    "import boto3, os\ndef handler(event, context):\n    boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE'])"
)


def template(
    *statements: str,
    role: str = "!GetAtt Role.Arn",
    queue: str = "!Ref Queue",
    function: str = "",
    role_condition: str = "",
    managed: str = "[]",
    more: str = "",
    code: str = CODE,
) -> str:
    """One function that sends to a queue, its role with some statements, and three conditions."""
    lines = "\n".join(f"          {line}" for line in code.splitlines())
    return f"""
Parameters: {{Stage: {{Type: String}}, Given: {{Type: String}}}}
Conditions:
  Prod: !Equals [!Ref Stage, prod]
  NotProd: !Not [!Condition Prod]
  Big: !And [!Condition Prod, !Equals [!Ref Given, big]]
Resources:
  Log: {{Type: AWS::Logs::LogGroup}}
  Queue: {{Type: AWS::SQS::Queue}}
  Function:
    Type: AWS::Lambda::Function
{function}
    Properties:
      Runtime: python3.14
      Handler: index.handler
      Role: {role}
      LoggingConfig: {{LogGroup: !Ref Log}}
      Environment: {{Variables: {{QUEUE: {queue}}}}}
      Code:
        ZipFile: |
{lines}
  Role:
    Type: AWS::IAM::Role
{role_condition}
    Properties:
      AssumeRolePolicyDocument: {{Statement: {{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: 'sts:AssumeRole'}}}}
      ManagedPolicyArns: {managed}
      Policies: [{{PolicyName: work, PolicyDocument: {{Statement: [{", ".join((LOG, *statements))}]}}}}]
{more}
"""


def policy(condition: str = "", roles: str = "[!Ref Role]") -> str:
    """The permission as a policy of its own."""
    return (
        f"  Policy: {{Type: AWS::IAM::Policy, {condition}Properties: {{PolicyName: send, Roles: {roles},"
        f" PolicyDocument: {{Statement: [{SEND}]}}}}}}"
    )


@pytest.fixture
def said(tmp_path: Path) -> Callable[[str], list[Reported]]:
    """What the rule says of a template."""

    def check(text: str) -> list[Reported]:
        file = tmp_path / "template.yaml"
        file.write_text(text, encoding="utf-8")
        report = judge(read([file]), [RULE])
        assert report.errors == {}
        return report.findings

    return check


@pytest.mark.parametrize(
    "text",
    [
        template(f"!If [Prod, {SEND}, !Ref AWS::NoValue]"),
        template(f"!If [Big, {SEND}, !Ref AWS::NoValue]", function="    Condition: Prod"),
        template(SEND.replace("sqs:SendMessage", "!If [Prod, sqs:SendMessage, sqs:GetQueueUrl]")),
        template(
            SEND.replace("!GetAtt Queue.Arn", "!If [Prod, !GetAtt Queue.Arn, 'arn:aws:sqs:eu-west-1:123456789012:x']")
        ),
        template(SEND.replace("Effect: Allow", "Effect: !If [Prod, Allow, Deny]")),
        template(more=policy("Condition: Prod, ")),
        template(more=policy(roles="[!If [Prod, !Ref Role, other]]")),
        template(
            managed="[!If [Prod, !Ref Policy, !Ref AWS::NoValue]]",
            more=policy(roles="[]").replace("IAM::Policy,", "IAM::ManagedPolicy,").replace("PolicyName: send, ", ""),
        ),
        template(
            more="  Access: {Type: AWS::SQS::QueuePolicy, Condition: Prod, Properties: {Queues: [!Ref Queue],"
            " PolicyDocument: {Statement: {Effect: Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: 'sqs:SendMessage',"
            " Resource: !GetAtt Queue.Arn}}}}"
        ),
    ],
    ids=["statement", "narrower", "action", "resource", "effect", "policy", "attachment", "managed", "resource-policy"],
)
def test_a_permission_under_a_condition_is_no_sure_one(text: str, said: Callable[[str], list[Reported]]) -> None:
    """Deployed the other way, the call is refused: the finding names the condition."""
    (found,) = (one for one in said(text) if "needs sqs:SendMessage" in one.message)
    assert found.severity == "cannot-tell"
    assert "on 'Queue' (index.py:3 SendMessage on QUEUE), and whether its role 'Role' allows it" in found.message
    assert re.search(
        r"only if the condition '(Prod|Big)' is true|denies it if the condition 'Prod' is false", found.message
    )


@pytest.mark.parametrize(
    "text",
    [
        template(f"!If [Prod, {SEND}, {SEND.replace('Sid: Send', 'Sid: Too')}]"),
        template(f"!If [Prod, {SEND}, !Ref AWS::NoValue]", f"!If [NotProd, {SEND}, !Ref AWS::NoValue]"),
        template(f"!If [Prod, {SEND}, !Ref AWS::NoValue]", more=policy("Condition: NotProd, ")),
        template(f"!If [Prod, {SEND}, !Ref AWS::NoValue]", SEND),
        template(f"!If [Prod, {SEND}, !Ref AWS::NoValue]", function="    Condition: Prod"),
        template(f"!If [Prod, {SEND}, !Ref AWS::NoValue]", function="    Condition: Big"),
        template(more=policy("Condition: Prod, "), function="    Condition: Prod"),
        template(f"!If [Prod, {SEND}, !Ref AWS::NoValue]", queue="!If [Prod, !Ref Queue, !Ref AWS::NoValue]"),
        template(f"!If [Prod, {SEND}, !Ref AWS::NoValue]", queue="!If [Prod, !Ref Queue, '']"),
        template(SEND, role_condition="    Condition: Prod", function="    Condition: Prod"),
        template(
            SEND.replace("!GetAtt Queue.Arn", "[!GetAtt Queue.Arn, !If [Prod, 'arn:aws:sqs:*:*:x', !Ref AWS::NoValue]]")
        ).replace("'arn:aws:sqs:*:*:x'", "!Sub '${Queue.Arn}'"),
    ],
    ids=[
        "both-branches",
        "two-statements",
        "statement-and-policy",
        "one-without",
        "function-too",
        "function-narrower",
        "policy-and-function",
        "variable-too",
        "empty-variable",
        "role-and-function",
        "more-under-a-condition",
    ],
)
def test_a_permission_in_every_branch_is_one(text: str, said: Callable[[str], list[Reported]]) -> None:
    """What is there however it is deployed, or whenever the function, its variable or its role is, is granted."""
    assert said(text) == []


def test_a_permission_of_the_other_branch_only_is_missing(said: Callable[[str], list[Reported]]) -> None:
    """Where the function is, the permission never is: that is certain, so it is an error."""
    found = said(template(f"!If [NotProd, {SEND}, !Ref AWS::NoValue]", function="    Condition: Prod"))
    assert [one.severity for one in found if "needs sqs:SendMessage" in one.message] == ["error"]


def test_a_denial_under_a_condition_is_doubted(said: Callable[[str], list[Reported]]) -> None:
    """It is neither surely in force nor surely not."""
    (found,) = said(template(SEND, f"!If [Prod, {DENY}, !Ref AWS::NoValue]"))
    assert found.severity == "cannot-tell"
    assert "statement 'Never' of 'Role' denies it if the condition 'Prod' is true" in found.message
    found, _unused = said(template(SEND, f"!If [Prod, {DENY}, !Ref AWS::NoValue]", function="    Condition: Prod"))
    assert found.severity == "error"
    assert "denies it" in found.message


@pytest.mark.parametrize(
    ("function", "grants"),
    [
        (
            "      VpcConfig: !If [Prod, {SubnetIds: [subnet-1], SecurityGroupIds: [sg-1]}, !Ref AWS::NoValue]",
            "[!If [Prod, 'arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole', !Ref AWS::NoValue]]",
        ),
        (
            "      TracingConfig: {Mode: !If [Prod, Active, PassThrough]}",
            "[!If [Prod, 'arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess', !Ref AWS::NoValue]]",
        ),
    ],
    ids=["network", "traces"],
)
def test_what_lambda_needs_under_a_condition_is_granted_under_it(
    function: str, grants: str, said: Callable[[str], list[Reported]]
) -> None:
    """One switch for the feature and for its permission is how templates are written."""
    text = template(SEND, managed=grants).replace("      LoggingConfig", f"{function}\n      LoggingConfig")
    assert said(text) == []
    without = said(text.replace(f"ManagedPolicyArns: {grants}", "ManagedPolicyArns: []"))
    assert {found.severity for found in without} == {"error"}
    turned = said(text.replace("ManagedPolicyArns: [!If [Prod", "ManagedPolicyArns: [!If [Big"))
    assert {found.severity for found in turned} == {"cannot-tell"}
    assert all("only if the condition 'Big' is true" in found.message for found in turned)


def test_a_role_that_may_be_another_is_told(said: Callable[[str], list[Reported]]) -> None:
    """`!If [Given, parameter, own role]`: what the other role allows is not in the template."""
    (found,) = said(
        template(SEND, role="!If [Prod, !GetAtt Role.Arn, !Ref Given]", role_condition="    Condition: Prod")
    )
    assert found.severity == "cannot-tell"
    assert "The role of 'Function' is not part of this run where the condition 'Prod' is false" in found.message


def test_of_two_roles_by_condition_each_is_compared(said: Callable[[str], list[Reported]]) -> None:
    """`!If [Prod, one role, another]`: what the one allows does not help where the other is."""
    trust = "{Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}}"
    other = (
        f"  Other: {{Type: AWS::IAM::Role, Properties: {{AssumeRolePolicyDocument: {trust}, Policies: [{{PolicyName: work,"
        f" PolicyDocument: {{Statement: [{LOG}, {SEND}]}}}}]}}}}"
    )
    for role, branch in (
        ("!If [Prod, !GetAtt Role.Arn, !GetAtt Other.Arn]", 2),
        ("!If [Prod, !GetAtt Other.Arn, !GetAtt Role.Arn]", 1),
    ):
        assert said(template(SEND, role=role, more=other)) == []
        (found,) = said(template(SEND, role=role, more=other.replace(f", {SEND}", "")))
        assert found.severity == "error"
        assert "needs sqs:SendMessage on 'Queue'" in found.message
        assert "no statement of its role 'Other' allows it" in found.message
        assert found.location == f"Properties.Role.Fn::If.{branch}"
