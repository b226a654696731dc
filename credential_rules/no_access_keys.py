"""A key that a template makes is a secret that CloudFormation has to hand to somebody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from credential_rules.rule import Example, Finding, Index, Resource, Rule, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.rule import Text

# The custom resource behind CDK's AwsCustomResource, whose calls are JSON text.
_CALLS_SDK = ("Custom::AWS", "AWS::CloudFormation::CustomResource")
_CREATES_KEY = re.compile(r"(?i)[\"']?action[\"']?\s*:\s*[\"'](?:create-?access-?key|createServiceSpecificCredential)")


def _keys(_index: Index, resource: Resource) -> Iterator[Finding]:
    if resource.type == "AWS::IAM::AccessKey":
        user = next((f" for the user '{_named(text)}'" for text in resource["UserName"].texts()), "")
        yield Finding(
            resource,
            f"'{resource.logical_id}' is an access key{user}: it works from anywhere until somebody deletes it, and its"
            " secret passes through CloudFormation.",
        )
        return
    for event in ("Create", "Update"):
        for value, text in resource[event].located_texts():
            if _CREATES_KEY.search(text.pattern):
                yield _by_sdk_call(resource, value)
                break


def _named(text: Text) -> str:
    user = text.resource
    return text.pattern if user is None else user.logical_id


def _by_sdk_call(resource: Resource, value: Value) -> Finding:
    return Finding(
        value,
        f"'{resource.logical_id}' creates an access key by a call to IAM: the key works from anywhere until somebody deletes"
        " it, and its secret passes through CloudFormation.",
    )


RULE = Rule(
    slug="no-access-keys",
    group="Static credentials",
    sentence="No template creates an access key.",
    reason=(
        "An access key never expires, works from anywhere, and its secret can be read by everyone who sees what the template"
        " does with it. Inactive keys wait for somebody to activate them."
    ),
    remedy=(
        "Give the role of the function, task or instance the permissions, or let what runs outside AWS assume a role by OIDC"
        " or IAM Roles Anywhere. Delete the key."
    ),
    applies_to=("AWS::IAM::AccessKey", *_CALLS_SDK),
    on_resource=_keys,
    bad=(
        Example(
            "key-for-uploader",
            """
Resources:
  UploaderKey:
    Type: AWS::IAM::AccessKey
    Properties: {UserName: uploader}
""",
            finding="is an access key for the user 'uploader'",
        ),
        Example(
            "key-for-a-user-of-the-template",
            """
Resources:
  User: {Type: AWS::IAM::User}
  Key:
    Type: AWS::IAM::AccessKey
    Properties: {UserName: !Ref User}
""",
            finding="is an access key for the user 'User'",
        ),
        Example(
            "inactive-key-under-a-condition",
            """
Parameters:
  Legacy: {Type: String}
Conditions:
  IsLegacy: !Equals [!Ref Legacy, "yes"]
Resources:
  Key:
    Type: AWS::IAM::AccessKey
    Condition: IsLegacy
    Properties: {UserName: !Ref Legacy, Status: Inactive, Serial: 2}
""",
            finding="'Key' is an access key",
        ),
        Example(
            "key-by-custom-resource",
            """
Resources:
  Key:
    Type: Custom::AWS
    Properties:
      ServiceToken: arn:aws:lambda:eu-west-1:123456789012:function:sdk
      Create: '{"service":"IAM","action":"createAccessKey","parameters":{"UserName":"uploader"}}'
""",
            finding="creates an access key by a call to IAM",
        ),
    ),
    good=(
        Example(
            "role-for-uploader",
            """
Resources:
  Uploader:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
""",
        ),
        Example(
            "other-call-by-custom-resource",
            """
Resources:
  Bucket:
    Type: Custom::AWS
    Properties:
      ServiceToken: arn:aws:lambda:eu-west-1:123456789012:function:sdk
      Create: '{"service":"S3","action":"putBucketTagging","parameters":{"Bucket":"reports"}}'
""",
        ),
    ),
)
