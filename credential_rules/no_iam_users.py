"""Users keep their keys until somebody remembers to rotate them; roles never hold any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credential_rules.rule import Example, Finding, Index, Resource, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator


def _users_and_what_belongs_to_them(_index: Index, resource: Resource) -> Iterator[Finding]:
    name = resource.logical_id
    if resource.type == "AWS::IAM::User":
        yield Finding(
            resource, f"'{name}' is an IAM user: its keys and password are valid until somebody removes them."
        )
        if resource["LoginProfile"]:
            yield Finding(
                resource["LoginProfile"], f"The user '{name}' gets a console password, and the template knows it."
            )
    elif resource.type in {"AWS::IAM::UserPolicy", "AWS::IAM::UserToGroupAddition"}:
        yield Finding(
            resource, f"'{name}' gives an IAM user permissions: whoever holds that user's keys has them for ever."
        )
    else:
        for users in resource["Users"].each():
            yield Finding(users, f"The policy '{name}' is attached to an IAM user, whose keys never expire.")


RULE = Rule(
    slug="no-iam-users",
    group="Static credentials",
    sentence="No template creates IAM users, or gives permissions to any.",
    reason=(
        "An IAM user's access keys and password stay valid until somebody removes them, wherever they were copied to."
        " A role's credentials expire by themselves within hours."
    ),
    remedy=(
        "Let code use the role of its function, task or instance; let people sign in through IAM Identity Center;"
        " let CI assume a role by OIDC. Move the user's policies to that role and remove the user."
    ),
    applies_to=(
        "AWS::IAM::User",
        "AWS::IAM::UserPolicy",
        "AWS::IAM::UserToGroupAddition",
        "AWS::IAM::Policy",
        "AWS::IAM::ManagedPolicy",
    ),
    on_resource=_users_and_what_belongs_to_them,
    bad=(
        Example(
            "user-for-ci",
            """
Resources:
  Deployer:
    Type: AWS::IAM::User
""",
            finding="is an IAM user",
        ),
        Example(
            "user-with-console-password",
            """
Resources:
  Admin:
    Type: AWS::IAM::User
    Properties:
      LoginProfile: {Password: !Ref InitialPassword}
Parameters:
  InitialPassword: {Type: String, NoEcho: true}
""",
            finding="'Admin'",
        ),
        Example(
            "policy-attached-to-user-in-one-branch",
            """
Conditions:
  Legacy: !Equals [!Ref Mode, legacy]
Parameters:
  Mode: {Type: String, Default: modern}
Resources:
  Send:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: send
      Users: !If [Legacy, [old-service], !Ref AWS::NoValue]
      Roles: [sender]
      PolicyDocument:
        Statement: {Effect: Allow, Action: sqs:SendMessage, Resource: !Sub "arn:aws:sqs:eu-west-1:${AWS::AccountId}:events"}
""",
            finding="attached to an IAM user",
        ),
    ),
    good=(
        Example(
            "role-for-ci",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals:
                token.actions.githubusercontent.com:aud: sts.amazonaws.com
                token.actions.githubusercontent.com:sub: repo:example/project:environment:production
""",
        ),
        Example(
            "user-that-can-never-exist",
            """
Conditions:
  Never: !Equals [a, b]
Resources:
  Ghost: {Type: AWS::IAM::User, Condition: Never}
  Queue: {Type: AWS::SQS::Queue}
""",
        ),
    ),
)
