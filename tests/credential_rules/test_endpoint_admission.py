"""An endpoint's policy is asked for what the role allows, as both will be once they are deployed."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credential_rules.endpoint_admission import actions_admitted_by_name, admission
from credential_rules.index import Index
from credential_rules.template import Template

QUEUE_ARN: Final = {"Fn::GetAtt": ["Queue", "Arn"]}
BUCKET_OBJECTS: Final = {"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/*"]]}
NAMED_ROLE: Final = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/worker-${AWS::Region}"}


def asked(
    grant: dict[str, Any],
    admit: dict[str, Any] | None,
    *,
    role: dict[str, Any] | None = None,
    account: str = "",
    region: str = "",
    service: str = "",
) -> tuple[bool | None, str]:
    """What the endpoint of the granted service says to the role that has the grant."""
    if not service:
        action = grant["Action"] if isinstance(grant["Action"], str) else grant["Action"][0]
        service = action.partition(":")[0]
    door: dict[str, Any] = {"ServiceName": f"com.amazonaws.eu-west-1.{service}", "VpcId": "vpc-0123"}
    if admit is not None:
        door["PolicyDocument"] = {"Statement": [{"Effect": "Allow", "Principal": "*", "Resource": "*", **admit}]}
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}},
        "Door": {"Type": "AWS::EC2::VPCEndpoint", "Properties": door},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                **(role or {}),
                "Policies": [{"PolicyDocument": {"Statement": [{"Effect": "Allow", "Resource": "*", **grant}]}}],
            },
        },
        "Worker": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }
    raw = json.loads(json.dumps({"Parameters": {"Choice": {"Type": "String"}}, "Resources": resources}))
    index = Index([Template("t.json", raw, account=account, region=region)])
    (function,) = index.functions.values()
    return admission(index, function, index.endpoints[0], service)


SEND: Final = {"Action": "sqs:SendMessage", "Resource": QUEUE_ARN}
PUT: Final = {"Action": ["s3:PutObject", "s3:GetObject"], "Resource": BUCKET_OBJECTS}


@pytest.mark.parametrize(
    ("grant", "admit", "verdict", "says"),
    [
        (SEND, None, True, "has no policy"),
        (SEND, {"Action": "sqs:SendMessage", "Resource": QUEUE_ARN}, True, "admits sqs:SendMessage"),
        (SEND, {"Action": "sqs:*"}, True, "admits sqs:SendMessage"),
        (SEND, {"Action": "sqs:ReceiveMessage", "Resource": QUEUE_ARN}, False, "does not admit sqs:SendMessage on arn:aws:sqs:us-east-1:123456789012:Queue"),
        (SEND, {"Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-west-1:123456789012:another"}, False, "does not admit"),
        (SEND, {"Action": "sqs:SendMessage", "Condition": {"ArnEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["Role", "Arn"]}}}}, True, ""),
        (SEND, {"Action": "sqs:SendMessage", "Condition": {"ArnEquals": {"aws:PrincipalArn": NAMED_ROLE}}}, False, ""),
        (SEND, {"Action": "sqs:SendMessage", "Condition": {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}}, True, ""),
        (SEND, {"Action": "sqs:SendMessage", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}}}, None, "admits sqs:SendMessage, if aws:PrincipalOrgID is o-abc123"),
        (SEND, {"Action": "sqs:SendMessage", "Effect": "Deny", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}}}, False, "does not admit"),
        (SEND, {"Action": "sqs:ReceiveMessage", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}}}, False, "does not admit"),
        (SEND, {"Action": "sqs:SendMessage", "Resource": {"Ref": "Choice"}}, None, "depends on 'Choice'"),
        (SEND, {"Action": "sqs:SendMessage", "Effect": {"Ref": "Choice"}}, None, "depends on the statement"),
        ({"Action": "sqs:Send*", "Resource": QUEUE_ARN}, {"Action": "sqs:SendMessage"}, None, "depends on what 'sqs:Send*' stands for"),
        ({"Action": "sqs:SendMessage", "Resource": [], "NotResource": QUEUE_ARN}, {"Action": "sqs:*"}, None, "depends on what 'sqs:SendMessage' may be done to"),
        (PUT, {"Action": ["s3:PutObject", "s3:GetObject"], "Resource": BUCKET_OBJECTS}, True, "admits s3:GetObject, s3:PutObject"),
        (PUT, {"Action": "s3:PutObject", "Resource": BUCKET_OBJECTS}, False, "does not admit s3:GetObject"),
        (PUT, {"Action": ["s3:PutObject", "s3:GetObject"], "Resource": {"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/public/*"]]}}, False, "does not admit"),
    ],
)  # fmt: skip
def test_policy_admits_all_that_the_role_allows_or_says_what_it_does_not(
    grant: dict[str, Any], admit: dict[str, Any] | None, *, verdict: bool | None, says: str
) -> None:
    """References on both sides are the same thing; a near miss is refused; what is not known is open."""
    answer, said = asked(grant, admit)
    assert answer is verdict
    assert says in said


TEXTS: Final = st.sampled_from(
    [
        "sqs:SendMessage",
        "sqs:*",
        "*",
        "Allow",
        "Deny",
        "arn:aws:sqs:eu-west-1:123456789012:events",
        "210987654321",
        "",
        "${x}",
    ]
)
WRITTEN: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["AWS", "Ref", "Fn::If", "Fn::Sub", "Fn::GetAtt", "StringEquals", "aws:SourceVpce", "Null"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
ELEMENTS: Final = [
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
    "Sid",
]


@settings(max_examples=150)
@given(
    grant=st.dictionaries(st.sampled_from(ELEMENTS), WRITTEN), admit=st.dictionaries(st.sampled_from(ELEMENTS), WRITTEN)
)
def test_whatever_a_policy_says_there_is_an_answer(grant: dict[str, Any], admit: dict[str, Any]) -> None:
    """Nonsense and undecided parts are no crash, and no pass for what nobody allowed."""
    verdict, says = asked({"Action": "sqs:SendMessage", **grant}, admit, service="sqs")
    assert verdict in {True, False, None}
    assert says


def test_role_is_known_by_the_name_that_it_will_have() -> None:
    """A policy that is written before the role exists spells its ARN out."""
    admit = {"Action": "sqs:SendMessage", "Condition": {"ArnEquals": {"aws:PrincipalArn": NAMED_ROLE}}}
    by_name = {"RoleName": {"Fn::Sub": "worker-${AWS::Region}"}}
    assert asked(SEND, admit, role=by_name)[0] is True
    assert asked(SEND, admit, role=by_name, account="210987654321", region="eu-west-1")[0] is True
    assert asked(SEND, admit, role={"RoleName": "other"})[0] is False
    assert asked(SEND, admit, role={**by_name, "Path": "/team/"})[0] is False


def test_account_that_is_spelt_out_is_the_one_that_is_meant() -> None:
    """Only the stack itself says otherwise; two accounts leave the question open."""
    admit = {
        "Action": "sqs:SendMessage",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": "210987654321"}},
    }
    assert asked(SEND, admit)[0] is True
    assert asked(SEND, admit, account="210987654321")[0] is True
    assert asked(SEND, admit, account="123456789012")[0] is False
    elsewhere = {"Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-west-1:123456789012:events"}
    assert asked(elsewhere, admit) == (None, "depends on the account, which only the deployment decides")


def test_action_without_permission_is_found_where_the_role_is_named() -> None:
    """Asking STS who one is needs none: the endpoint's policy alone tells whose call it is."""
    name = "worker"
    resources = {
        "Door": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "ServiceName": "com.amazonaws.eu-west-1.sts",
                "PolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": "*",
                            "Action": ["sts:GetCallerIdentity", "sns:Publish"],
                            "Resource": "*",
                            "Condition": {
                                "ArnEquals": {
                                    "aws:PrincipalArn": {"Fn::Sub": f"arn:aws:iam::${{AWS::AccountId}}:role/{name}"}
                                }
                            },
                        }
                    ]
                },
            },
        },
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name}},
        "Other": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "other"}},
        "Worker": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}}},
        "Stranger": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["Other", "Arn"]}}},
    }
    index = Index([Template("t.json", json.loads(json.dumps({"Resources": resources})))])
    worker, stranger = index.functions.values()
    (door,) = index.endpoints
    assert actions_admitted_by_name(index, worker, door) == ["sts:GetCallerIdentity"]
    assert admission(index, worker, door, "sts") == (True, "admits sts:GetCallerIdentity")
    assert actions_admitted_by_name(index, stranger, door) == []
    assert admission(index, stranger, door, "sts")[0] is None
