"""Whoever may give a role to any service may use it through whichever service they control."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from credential_rules import iam_actions
from credential_rules.arns import HOLE, fields, has_wildcard, plain
from credential_rules.holders import holders_of
from credential_rules.narrowing import By, narrowed
from credential_rules.rule import CANNOT_TELL, IDENTITY_TYPES, Example, Finding, Hole, Index, Resource, Rule, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.rule import Text

_PASS_ROLE: Final = "iam:PassRole"  # noqa: S105 (an action, no password)
_ROLE: Final = "AWS::IAM::Role"
_HAND_ON: Final = ("Custom::", "AWS::CloudFormation::")
_UNKNOWN: Final = re.compile(f"[*?{HOLE}]")
_SERVICE: Final[frozenset[By]] = frozenset({"passed-service"})


def _roles_for_any_service(index: Index, resource: Resource) -> Iterator[Finding]:
    if holders_of(index).is_only_a_boundary(resource):
        return
    for statement in index.statements(resource):
        if statement.kind == "identity" and statement.allows and _reaches_roles(statement):
            at = _pass_role(statement)
            if at is not None:
                yield from _to_any_service(index, statement, at)


def _reaches_roles(statement: Statement) -> bool:
    """Whether some resource of the statement can be a role: `*` on a bucket's objects passes none."""
    return not statement.resources or any(_may_be_role(text) for text in statement.resources)


def _may_be_role(text: Text) -> bool:
    first = text.pieces[0] if text.pieces else ""
    if isinstance(first, Hole):
        # The ARN of a resource, or something below it; others hand on what somebody else made.
        made = first.resource
        return made is None or made.type == _ROLE or made.type.startswith(_HAND_ON) or "Role" in (first.attribute or "")
    parts = fields(plain(text))
    if parts is None:
        return has_wildcard(plain(text))
    known = _UNKNOWN.split(parts[5], maxsplit=1)[0]
    return _UNKNOWN.search(parts[2] or "*") is not None or (
        parts[2] == "iam" and (known.startswith("role/") or (known != parts[5] and "role/".startswith(known)))
    )


def _pass_role(statement: Statement) -> Text | str | None:
    """The action through which the statement lets roles be passed; `NotAction` if it does not except it."""
    for action in statement.actions:
        literal = action.literal
        if literal and literal[0] in "*iI?" and iam_actions.matches(literal, _PASS_ROLE):
            return action
    if statement.not_actions and not any(
        action.literal is None or iam_actions.matches(action.literal, _PASS_ROLE) for action in statement.not_actions
    ):
        return "NotAction"
    return None


def _to_any_service(index: Index, statement: Statement, action: Text | str) -> Iterator[Finding]:
    if _trusts_decide(index, statement):
        return
    # Every holder's own statements count: each of them has to have the Deny.
    answers = {
        narrowed(statement, _SERVICE, held, action=_PASS_ROLE)
        for held in holders_of(index).with_statements_of(statement.owner)
    }
    if answers == {"yes"}:
        return
    at = statement.element(action) if isinstance(action, str) else statement.where("Action", action)
    written = action if isinstance(action, str) else action.pattern
    how = "" if written.lower() == _PASS_ROLE.lower() else f" (by '{written}')"
    roles = ", ".join(text.pattern for text in statement.resources[:2]) or "any role"
    yield Finding(
        at,
        f"The statement lets '{roles}' be passed{how} to any service that the role trusts: no condition on"
        " iam:PassedToService says to which. Whoever controls such a service then has the role.",
        "",
        CANNOT_TELL if answers <= {"yes", "perhaps"} else "error",
    )


def _trusts_decide(index: Index, statement: Statement) -> bool:
    """Whether all that may be passed are roles of this run, each of which trusts one service and nobody else."""
    return bool(statement.resources) and all(_trusts_one_service(index, text) for text in statement.resources)


def _trusts_one_service(index: Index, text: Text) -> bool:
    role = index.roles.get(text.resource) if text.resource is not None else None
    if role is None or text.hole is None or text.hole.attribute != "Arn":
        return False
    trusted = [principal for one in role.trust if one.allows for principal in one.principals]
    names = {plain(principal.text).replace(HOLE, "amazonaws.com") for principal in trusted}
    return len(names) == 1 and all(p.kind == "Service" and "*" not in plain(p.text) for p in trusted)


RULE = Rule(
    slug="pass-role-names-its-service",
    group="Roles",
    sentence="Every iam:PassRole says to which service the role may be given.",
    reason=(
        "iam:PassRole hands a role to a service, which then acts with it. Without iam:PassedToService, whoever holds the"
        " permission chooses the service: one on which they can run code, and so use the role themselves."
    ),
    remedy=(
        "Add Condition: {StringEquals: {iam:PassedToService: ecs-tasks.amazonaws.com}} with the one service that needs"
        " the role, and name the role as Resource. A role of the same template that trusts one service only needs no"
        " condition: its trust policy decides."
    ),
    applies_to=IDENTITY_TYPES,
    on_resource=_roles_for_any_service,
    bad=(
        Example(
            "one-role-for-any-service",
            """
Resources:
  Deploy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: [iam:PassRole]
            Resource: !Sub "arn:aws:iam::${AWS::AccountId}:role/task"
""",
            finding="iam:PassedToService",
        ),
        Example(
            "condition-that-passes-without-the-key",
            """
Resources:
  Deploy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          Effect: Allow
          Action: IAM:passrole
          Resource: "*"
          Condition: {StringEqualsIfExists: {iam:PassedToService: ecs-tasks.amazonaws.com}}
""",
            finding="'*' be passed",
        ),
        Example(
            "any-service-by-wildcard",
            """
Resources:
  Deploy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          Effect: Allow
          Action: iam:Pass*
          Resource: arn:aws:iam::123456789012:role/task
          Condition: {StringLike: {iam:PassedToService: "*.amazonaws.com"}}
""",
            finding="by 'iam:Pass*'",
        ),
        Example(
            "role-that-trusts-two-services",
            """
Resources:
  Task:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: [ecs-tasks.amazonaws.com, lambda.amazonaws.com]}, Action: sts:AssumeRole}
  Deploy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement: {Effect: Allow, Action: iam:PassRole, Resource: !GetAtt Task.Arn}
""",
            finding="'${Task.Arn}' be passed",
        ),
        Example(
            "everything-except-deleting",
            """
Resources:
  Deploy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement: {Effect: Allow, NotAction: iam:Delete*, Resource: "*"}
""",
            finding="by 'NotAction'",
        ),
        Example(
            "service-pattern-from-parameter",
            """
Parameters:
  Service: {Type: String}
Resources:
  Deploy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          Effect: Allow
          Action: iam:PassRole
          Resource: arn:aws:iam::123456789012:role/task
          Condition: {StringLike: {iam:PassedToService: !Ref Service}}
""",
            severity="cannot-tell",
            finding="iam:PassedToService",
        ),
    ),
    good=(
        Example(
            "one-role-for-one-service",
            """
Resources:
  Deploy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: [iam:PassRole]
            Resource: !Sub "arn:aws:iam::${AWS::AccountId}:role/task"
            Condition: {StringEquals: {iam:PassedToService: ecs-tasks.amazonaws.com}}
""",
        ),
        Example(
            "everything-on-what-is-no-role",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - {Effect: Allow, Action: "*", Resource: ["arn:aws:s3:::reports/*", !Sub "arn:${AWS::Partition}:quicksight:*:*:dataset/*"]}
          - {Effect: Allow, Action: "iam:*", Resource: "arn:aws:iam::123456789012:user/${aws:username}"}
          - {Effect: Allow, NotAction: "s3:*", Resource: [!GetAtt Queue.Arn, !Sub "${Queue.Arn}*"]}
  Queue: {Type: AWS::SQS::Queue}
""",
        ),
        Example(
            "role-of-this-template-that-trusts-one-service",
            """
Resources:
  Task:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}
  Deploy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - {Effect: Allow, Action: [ecs:RunTask, "iam:PassRole"], Resource: !GetAtt Task.Arn}
          - {Effect: Deny, Action: "iam:*", Resource: "*"}
""",
        ),
        Example(
            "denied-for-other-services",
            """
Resources:
  Deploy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - {Effect: Allow, Action: iam:PassRole, Resource: "arn:aws:iam::123456789012:role/task"}
          - Effect: Deny
            Action: iam:PassRole
            Resource: "*"
            Condition: {StringNotEquals: {iam:PassedToService: [ecs-tasks.amazonaws.com]}}
""",
        ),
    ),
)
