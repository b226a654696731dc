"""Some permissions are all permissions: whoever has them can give themselves the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from credential_rules import iam_actions
from credential_rules.arns import covers_every, has_wildcard, is_wild, plain
from credential_rules.holders import HOLDER_TYPES, holders_of
from credential_rules.narrowing import By, narrowed
from credential_rules.rule import CANNOT_TELL, Example, Finding, Index, Resource, Rule, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.rule import Text

Reach: TypeAlias = Literal["anyone", "anyone-or-self"]
"""On what an action has to be allowed to be dangerous: on every user or role, or also on the holder itself alone."""

# What an escalation needs, after Rhino Security Labs' "AWS IAM Privilege Escalation: Methods and Mitigation" and
# Cloudsplaining's list; https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html for boundaries.
_TAKES_OVER: Final[dict[str, Reach]] = {
    # Credentials of somebody else. One's own are no gain.
    "iam:CreateAccessKey": "anyone",
    "iam:CreateLoginProfile": "anyone",
    "iam:UpdateLoginProfile": "anyone",
    "sts:AssumeRole": "anyone",
    "lambda:UpdateFunctionCode": "anyone",
    "glue:UpdateDevEndpoint": "anyone",
    # Permissions: one's own is where it starts.
    "iam:AddUserToGroup": "anyone-or-self",
    "iam:AttachGroupPolicy": "anyone-or-self",
    "iam:AttachRolePolicy": "anyone-or-self",
    "iam:AttachUserPolicy": "anyone-or-self",
    "iam:CreatePolicyVersion": "anyone-or-self",
    "iam:DeleteRolePermissionsBoundary": "anyone-or-self",
    "iam:DeleteUserPermissionsBoundary": "anyone-or-self",
    "iam:PutGroupPolicy": "anyone-or-self",
    "iam:PutRolePolicy": "anyone-or-self",
    "iam:PutUserPolicy": "anyone-or-self",
    "iam:SetDefaultPolicyVersion": "anyone-or-self",
    "iam:UpdateAssumeRolePolicy": "anyone-or-self",
}
_PASS_ROLE: Final = "iam:PassRole"  # noqa: S105 (an action, no password)
_RUNS_AS_PASSED_ROLE: Final[tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]] = (
    (
        "lambda",
        (
            ("lambda:CreateFunction",),
            (
                "lambda:InvokeFunction",
                "lambda:InvokeAsync",
                "lambda:CreateEventSourceMapping",
                "lambda:AddPermission",
                "lambda:CreateFunctionUrlConfig",
            ),
        ),
    ),
    ("ec2", (("ec2:RunInstances", "ec2:RequestSpotInstances", "ec2:AssociateIamInstanceProfile"),)),
    ("ec2", (("autoscaling:CreateLaunchConfiguration",), ("autoscaling:CreateAutoScalingGroup",))),
    ("glue", (("glue:CreateDevEndpoint", "glue:CreateSession"),)),
    ("glue", (("glue:CreateJob", "glue:UpdateJob"), ("glue:StartJobRun", "glue:CreateTrigger"))),
    ("cloudformation", (("cloudformation:CreateStack", "cloudformation:UpdateStack"),)),
    ("cloudformation", (("cloudformation:CreateChangeSet",), ("cloudformation:ExecuteChangeSet",))),
    ("datapipeline", (("datapipeline:CreatePipeline",), ("datapipeline:PutPipelineDefinition",))),
    ("sagemaker", (("sagemaker:CreateNotebookInstance",), ("sagemaker:CreatePresignedNotebookInstanceUrl",))),
    ("sagemaker", (("sagemaker:CreateTrainingJob", "sagemaker:CreateProcessingJob"),)),
    ("codebuild", (("codebuild:CreateProject", "codebuild:UpdateProject"), ("codebuild:StartBuild",))),
    ("codestar", (("codestar:CreateProject",),)),
    (
        "ecs-tasks",
        (("ecs:RegisterTaskDefinition",), ("ecs:RunTask", "ecs:StartTask", "ecs:CreateService", "ecs:UpdateService")),
    ),
    ("states", (("states:CreateStateMachine", "states:UpdateStateMachine"), ("states:StartExecution",))),
    ("scheduler", (("scheduler:CreateSchedule",),)),
    ("apprunner", (("apprunner:CreateService",),)),
    ("elasticmapreduce", (("elasticmapreduce:RunJobFlow",),)),
)
"""Per service: what, with iam:PassRole, runs one's own code or template as the passed role; one of each group."""

_ALL: Final = frozenset(
    {*_TAKES_OVER, _PASS_ROLE, *(name for _, groups in _RUNS_AS_PASSED_ROLE for group in groups for name in group)}
)
_SERVICES: Final = frozenset(name.partition(":")[0].lower() for name in _ALL)
_BY_LOWER: Final = {name.lower(): name for name in _ALL}

# Conditions that keep an action from being dangerous.
_CONFINED: Final[frozenset[By]] = frozenset({"policy", "boundary", "resource"})
_PASSED: Final[frozenset[By]] = frozenset({"passed-service"})
_MOST_NAMED: Final = 3


@dataclass(slots=True)
class _Permissions:
    """The dangerous actions of one principal: who holds which, by which statements."""

    holder: Resource
    held: list[Statement]
    by_action: dict[str, list[Statement]] = field(default_factory=dict)

    def allowed(self, name: str) -> list[Statement]:
        """The statements that allow the action on anything."""
        allowing = self.by_action.get(name)
        return [s for s in allowing if not _is_denied(self.held, s, name)] if allowing else []


def _ways_to_more(index: Index, resource: Resource) -> Iterator[Finding]:
    holders = holders_of(index)
    held = holders.of(resource)
    if held is None or holders.is_only_a_boundary(resource):
        return
    permissions = _Permissions(resource, held)
    for statement in held:
        if statement.allows:
            for name in _dangerous(statement):
                permissions.by_action.setdefault(name, []).append(statement)
    if not permissions.by_action:
        return
    found: dict[int, tuple[Statement, list[str], bool]] = {}
    for statement, way, certain in (*_take_overs(permissions), *_passed_roles(permissions)):
        _, ways, _ = found.setdefault(id(statement), (statement, [], certain))
        if way not in ways:
            ways.append(way)
        if certain:
            found[id(statement)] = (statement, ways, True)
    for statement, ways, certain in found.values():
        yield _finding(statement, ways, certain=certain)


def _finding(statement: Statement, ways: list[str], *, certain: bool) -> Finding:
    more = len(ways) - _MOST_NAMED
    listed = "; ".join(ways[:_MOST_NAMED]) + (f"; and {more} more ways" if more > 0 else "")
    whole = any(is_wild(action.literal or "") for action in statement.actions)
    what = f"every action, among them {listed}" if whole else listed
    return Finding(
        statement.element("NotAction" if statement.not_actions else "Action"),
        f"The statement allows {what}: whoever has the role or the policy can get every permission of the account by it.",
        "",
        "error" if certain else CANNOT_TELL,
    )


def _dangerous(statement: Statement) -> Iterator[str]:
    names: set[str] = set()
    for action in statement.actions:
        if action.literal:
            names |= _covered(action.literal)
    if statement.not_actions:
        names |= _ALL
        for action in statement.not_actions:
            names -= _covered(action.literal) if action.literal else _ALL
    yield from sorted(names)


@lru_cache(maxsize=4096)
def _covered(pattern: str) -> frozenset[str]:
    service, _, verb = pattern.lower().partition(":")
    if not has_wildcard(pattern):
        name = _BY_LOWER.get(pattern.lower())
        return frozenset({name}) if name else frozenset()
    if verb and not has_wildcard(service) and service not in _SERVICES:
        return frozenset()
    return frozenset(name for name in _ALL if iam_actions.matches(pattern, name))


def _take_overs(permissions: _Permissions) -> Iterator[tuple[Statement, str, bool]]:
    for name, reach in _TAKES_OVER.items():
        for statement in permissions.allowed(name):
            if not _reaches(permissions.holder, statement, name, reach):
                continue
            answer = narrowed(statement, _CONFINED, permissions.held, action=name)
            if answer != "yes":
                yield statement, name, answer == "no"


def _passed_roles(permissions: _Permissions) -> Iterator[tuple[Statement, str, bool]]:
    for statement in permissions.allowed(_PASS_ROLE):
        if not _reaches(permissions.holder, statement, _PASS_ROLE, "anyone"):
            continue
        for service, groups in _RUNS_AS_PASSED_ROLE:
            used = [next((name for name in group if permissions.allowed(name)), None) for group in groups]
            if None not in used and _may_pass_to(statement, service):
                way = f"{_PASS_ROLE} with {' and '.join(name for name in used if name)}"
                yield statement, way, not statement.has_unknown_condition


def _may_pass_to(statement: Statement, service: str) -> bool:
    if narrowed(statement, _PASSED) == "no":
        return True
    return any(
        plain(text).lower().startswith(f"{service}.")
        for condition in statement.conditions
        if condition.key.lower() == "iam:passedtoservice"
        for text in condition.values
    )


def _reaches(holder: Resource, statement: Statement, name: str, reach: Reach) -> bool:
    """Whether the statement's resources are everybody's (or the holder's own): a named user or role confines it."""
    if statement.not_resources:
        return True
    known = iam_actions.action(name)
    kinds = known.arn_formats if known else ()
    for text in statement.resources:
        resource = plain(text)
        if is_wild(resource) or (has_wildcard(resource) and any(covers_every(resource, kind) for kind in kinds)):
            return True
        if reach == "anyone-or-self" and ("${aws:username}" in resource or _is_itself(text, resource, holder)):
            return True
    return False


def _is_itself(text: Text, resource: str, holder: Resource) -> bool:
    if any(hole.resource is holder for hole in text.holes):
        return True
    names = [name for key in ("RoleName", "UserName", "GroupName") for name in holder[key].literals()]
    return any(resource.endswith(f"/{name}") for name in names)


def _is_denied(held: list[Statement], allow: Statement, name: str) -> bool:
    """Whether a Deny without condition takes the action away again, on all that the statement allows it on."""
    allowed = {text.pattern for text in allow.resources}
    for deny in held:
        if deny.effect != "Deny" or deny.conditions or deny.has_unknown_condition:
            continue
        if deny.actions:
            covered = any(text.literal and iam_actions.matches(text.literal, name) for text in deny.actions)
        else:
            covered = not any(
                text.literal is None or iam_actions.matches(text.literal, name) for text in deny.not_actions
            )
        if covered:
            denied = {text.pattern for text in deny.resources}
            if any(is_wild(pattern) for pattern in denied) or (allowed and allowed <= denied):
                return True
    return False


RULE = Rule(
    slug="no-privilege-escalation",
    group="Roles",
    sentence="No role holds a set of permissions by which it can give itself every other.",
    reason=(
        "Whoever may attach policies, make keys for other users, change any function's code, or pass any role to a"
        " service that runs their code, has every permission of the account in a few calls, whatever else the policy"
        " leaves out. Permissions that are harmless alone do this together, across all policies of a role."
    ),
    remedy=(
        "Name the resources: one role, one function, one policy that is not attached to the holder itself. Confine"
        " attaching by a condition on iam:PolicyARN or iam:PermissionsBoundary, and passing by naming the role and"
        " iam:PassedToService. Leave managing permissions to the deployment's role."
    ),
    applies_to=HOLDER_TYPES,
    on_resource=_ways_to_more,
    bad=(
        Example(
            "attaches-policies-to-every-role",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: [iam:GetRole, iam:AttachRolePolicy]
            Resource: "*"
""",
            finding="iam:AttachRolePolicy",
        ),
        Example(
            "passes-roles-to-functions-that-it-makes",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: [iam:PassRole, lambda:CreateFunction, lambda:InvokeFunction]
            Resource: "*"
""",
            finding="iam:PassRole with lambda:CreateFunction and lambda:InvokeFunction",
        ),
        Example(
            "permissions-spread-over-two-policies",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: codebuild.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: pass
          PolicyDocument: {Statement: {Effect: Allow, Action: iam:PassRole, Resource: "arn:aws:iam::*:role/*"}}
  Run:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: run
      Roles: [!Ref Role]
      PolicyDocument: {Statement: {Effect: Allow, Action: "ec2:Run*", Resource: "*"}}
""",
            finding="iam:PassRole with ec2:RunInstances",
        ),
        Example(
            "own-role",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: worker
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: itself
          PolicyDocument:
            Statement: {Effect: Allow, Action: iam:PutRolePolicy, Resource: !Sub "arn:aws:iam::${AWS::AccountId}:role/worker"}
""",
            finding="iam:PutRolePolicy",
        ),
        Example(
            "everybody-s-keys",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Action: "iam:*AccessKey*", Resource: !Sub "arn:aws:iam::${AWS::AccountId}:user/*"}
""",
            finding="iam:CreateAccessKey",
        ),
        Example(
            "every-role-of-the-account",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Action: STS:assumerole, Resource: ["arn:aws:iam::123456789012:role/*"]}
""",
            finding="sts:AssumeRole",
        ),
        Example(
            "code-of-every-function",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Action: lambda:UpdateFunctionCode, Resource: "*"}
""",
            finding="lambda:UpdateFunctionCode",
        ),
        Example(
            "everything",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Action: "*", Resource: "*"}
""",
            finding="every action",
        ),
        Example(
            "all-but-iam",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, NotAction: "iam:*", Resource: "*"}
""",
            finding="sts:AssumeRole",
        ),
    ),
    good=(
        Example(
            "attaches-one-policy-to-one-role",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: [iam:GetRole, iam:AttachRolePolicy]
            Resource: arn:aws:iam::123456789012:role/batch
            Condition: {ArnEquals: {iam:PolicyARN: arn:aws:iam::123456789012:policy/batch}}
""",
        ),
        Example(
            "passes-one-role",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Action: [lambda:CreateFunction, lambda:InvokeFunction], Resource: "*"}
          - Effect: Allow
            Action: iam:PassRole
            Resource: arn:aws:iam::123456789012:role/worker
            Condition: {StringEquals: {iam:PassedToService: lambda.amazonaws.com}}
""",
        ),
        Example(
            "passes-roles-to-a-service-that-it-cannot-run",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Action: [lambda:CreateFunction, lambda:InvokeFunction], Resource: "*"}
          - Effect: Allow
            Action: iam:PassRole
            Resource: "*"
            Condition: {StringEquals: {iam:PassedToService: ecs-tasks.amazonaws.com}}
""",
        ),
        Example(
            "own-keys-only",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Action: [iam:CreateAccessKey, iam:DeleteAccessKey], Resource: "arn:aws:iam::*:user/${aws:username}"}
""",
        ),
        Example(
            "roles-within-a-boundary",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: [iam:CreateRole, iam:AttachRolePolicy, iam:PutRolePolicy]
            Resource: "*"
            Condition: {StringEquals: {iam:PermissionsBoundary: arn:aws:iam::123456789012:policy/boundary}}
""",
        ),
        Example(
            "taken-away-again",
            """
Resources:
  Work:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Action: ["lambda:*", "iam:*"], Resource: "*"}
          - {Effect: Deny, Action: ["iam:*", lambda:UpdateFunctionCode], Resource: "*"}
""",
        ),
    ),
)
