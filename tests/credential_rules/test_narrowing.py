"""A condition narrows only if strangers fail it, whatever it looks like."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credential_rules.index import Index
from credential_rules.narrowing import WHO, narrowed, operator_of
from credential_rules.template import Template

if TYPE_CHECKING:
    from credential_rules.policies import Statement

ACCOUNT = "123456789012"


def statements(*written: dict[str, Any]) -> list[Statement]:
    """The statements of a queue's policy; each may leave out what every statement has."""
    whole = [
        {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*", **one} for one in written
    ]
    raw: dict[str, Any] = {
        "Parameters": {"Open": {"Type": "String"}, "Wide": {"Type": "String", "Default": "*"}},
        "Resources": {
            "Topic": {"Type": "AWS::SNS::Topic"},
            "P": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"PolicyDocument": {"Statement": whole}}},
        },
    }
    template = Template("t.json", json.loads(json.dumps(raw)))
    return Index([template]).statements(template.resources["P"])


def answer(condition: dict[str, Any]) -> str:
    """Whether a condition keeps strangers out."""
    (statement,) = statements({"Condition": condition})
    return narrowed(statement, WHO)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-example1234"}},
        {"stringequals": {"AWS:principalorgid": ["o-example1234", "o-other12345"]}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-example1234/r-ab12/*"}},
        {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        {"StringEquals": {"AWS:SourceOwner": {"Ref": "Open"}}},
        {"ArnEquals": {"aws:SourceArn": {"Ref": "Topic"}}},
        {"ArnLike": {"aws:SourceArn": {"Ref": "Open"}}},
        {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{ACCOUNT}:*"}},
        {"ArnLike": {"aws:SourceArn": {"Fn::Sub": "arn:aws:sns:*:${AWS::AccountId}:*"}}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:my-bucket"}, "StringEquals": {"aws:SourceAccount": ACCOUNT}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/app-*"}},
        {"StringLike": {"aws:userId": ["AROAEXAMPLEID12345:*", ACCOUNT]}},
        {"StringEquals": {"aws:SourceVpce": "vpce-0123"}},
        {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/48"]}},
        {"StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
        {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}, "Null": {"aws:SourceVpc": "false"}},
        {"StringLike": {"aws:SourceArn": "arn:aws:s3:::my-bucket"}},
    ],
)
def test_condition_keeps_strangers_out(condition: dict[str, Any]) -> None:
    """Only callers of a known organisation, account, source or network pass."""
    assert answer(condition) == "yes"


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-example1234"}},
        {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-example1234"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-example1234"}},
        {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
        {"StringLike": {"aws:PrincipalOrgPaths": "*/r-ab12/*"}},
        {"StringLike": {"aws:SourceAccount": "*"}},
        {"StringLike": {"aws:SourceAccount": {"Ref": "Wide"}}},
        {"StringEquals": {"aws:SourceAccount": [ACCOUNT, "*"]}},
        {"Null": {"aws:PrincipalOrgID": "false"}},
        {"Null": {"aws:SourceArn": "true"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:topic"}},
        {"ArnLike": {"aws:SourceArn": "*"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}},
        {"StringLike": {"aws:userId": "*:session"}},
        {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
        {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "::/0"]}},
        {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
        {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}},
        {"StringLike": {"aws:Referer": "https://example.com/*"}},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
        {"StringEquals": {"aws:PrincipalTag/team": "shop"}},
        {"StringEquals": {"aws:username": "root"}},
        {"StringEquals": {"sts:ExternalId": "x"}},
        {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
        {"Bool": {"aws:PrincipalIsAWSService": "true"}},
        {"StringEquals": {"aws:ResourceAccount": ACCOUNT}},
    ],
)
def test_condition_that_only_looks_narrow(condition: dict[str, Any]) -> None:
    """Strangers pass: by leaving the key out, by choosing its value, or because the value is everybody."""
    assert answer(condition) == "no"


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"aws:SourceVpce": {"Ref": "Open"}}},
        {"IpAddress": {"aws:SourceIp": {"Ref": "Open"}}},
        {"Fn::Transform": {"Name": "M"}},
    ],
)
def test_condition_that_the_template_does_not_decide(condition: dict[str, Any]) -> None:
    """Where wildcards count, an undecided value may be one."""
    assert answer(condition) == "perhaps"


@pytest.mark.parametrize(
    ("deny", "expected"),
    [
        ({"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}, "yes"),
        ({"Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-example1234"}}}, "yes"),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "Action": "*"}, "yes"),
        (
            {
                "Condition": {
                    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-example1234"},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                }
            },
            "yes",
        ),
        ({"Condition": {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}}, "yes"),
        ({}, "yes"),
        ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, "no"),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1", "aws:Referer": "x"}}}, "no"),
        ({"Condition": {"ForAnyValue:StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}, "no"),
        ({"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}, "no"),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, "no"),
        ({"Condition": {"Bool": {"aws:PrincipalIsAWSService": "false"}}}, "no"),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, "Action": "sqs:ReceiveMessage"}, "no"),
        (
            {"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, "Principal": {"AWS": ACCOUNT}},
            "no",
        ),
    ],
)
def test_deny_of_everybody_else_narrows(deny: dict[str, Any], expected: str) -> None:
    """Allow everybody and deny all but ours is a usual way to write a bucket's or private API's policy."""
    allow, denied = statements({}, {"Effect": "Deny", "Action": "sqs:*", **deny})
    assert narrowed(allow, WHO, [allow, denied]) == expected


def test_operator_is_taken_apart() -> None:
    """Prefix, negation and suffix in any case."""
    assert operator_of("ForAnyValue:StringNotLikeIfExists") == ("stringlike", True, True, "any")
    assert operator_of("arnlike") == ("arnlike", False, False, "")
    assert operator_of("ForAllValues:NotIpAddress") == ("ipaddress", True, False, "all")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.sampled_from(["*", "aws:SourceIp", "1.2.3.4/x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Ref", "a", "aws:SourceArn"]), inner, max_size=2)
    ),
    max_leaves=6,
)
OPERATORS = st.sampled_from(["StringEquals", "IpAddress", "Null", "Bool", "ForAllValues:ArnLike", "Date", ""])
KEYS = st.sampled_from(["aws:SourceIp", "aws:SourceArn", "aws:PrincipalOrgID", "aws:MultiFactorAuthAge", "x", ""])


@given(condition=st.dictionaries(OPERATORS, st.dictionaries(KEYS, JSON, max_size=2) | JSON, max_size=2))
def test_odd_condition_always_gets_an_answer(condition: dict[str, Any]) -> None:
    """People write anything; a rule never breaks on it."""
    assert answer(condition) in {"yes", "no", "perhaps"}
