"""The evaluator says what IAM says, and says so when it cannot tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credential_rules.policy_evaluation import Decision, Layer, Request, Verdict, authorise, evaluate

ALLOWED, DENIED = Decision.ALLOWED, Decision.EXPLICIT_DENY
REFUSED, UNCLEAR = Decision.IMPLICIT_DENY, Decision.CANNOT_TELL

ACCOUNT: Final = "123456789012"
OTHER: Final = "999999999999"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION: Final = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/instance"
USER: Final = f"arn:aws:iam::{ACCOUNT}:user/staff/Kim"
QUEUE: Final = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders"
SEND: Final = Request("sqs:SendMessage", QUEUE, SESSION, ACCOUNT)
ALLOW_ALL: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def document(*statements: dict[str, Any], version: str | None = "2012-10-17") -> dict[str, Any]:
    """A document; each statement may leave out what is the same in all."""
    whole = [
        {
            "Effect": "Allow",
            **({} if "NotAction" in one else {"Action": "*"}),
            **({} if "NotResource" in one else {"Resource": "*"}),
            **one,
        }
        for one in statements
    ]
    return {**({"Version": version} if version else {}), "Statement": whole}


def decision(statement: dict[str, Any], request: Request = SEND) -> Decision:
    """What one statement alone says."""
    return evaluate(document(statement), request).decision


# --- Actions and resources -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"Action": "sqs:SendMessage"}, ALLOWED),
        ({"Action": "SQS:sendmessage"}, ALLOWED),
        ({"Action": ["sns:Publish", "sqs:Send*"]}, ALLOWED),
        ({"Action": "sqs:?endMessage"}, ALLOWED),
        ({"Action": "*:SendMessage"}, ALLOWED),
        ({"Action": "sqs:Send"}, REFUSED),
        ({"Action": "sqs:SendMessageBatch"}, REFUSED),
        ({"Action": []}, REFUSED),
        ({"NotAction": "sqs:SendMessage"}, REFUSED),
        ({"NotAction": ["sqs:Receive*"]}, ALLOWED),
        ({"Resource": QUEUE}, ALLOWED),
        ({"Resource": QUEUE.upper()}, REFUSED),
        ({"Resource": f"arn:aws:sqs:*:{ACCOUNT}:ord*"}, ALLOWED),
        ({"Resource": f"arn:aws:sqs:eu-west-?:{ACCOUNT}:orders"}, ALLOWED),
        ({"Resource": f"{QUEUE}-2"}, REFUSED),
        ({"Resource": "arn:aws:sqs:*"}, ALLOWED),
        ({"NotResource": QUEUE}, REFUSED),
        ({"NotResource": f"{QUEUE}-2"}, ALLOWED),
    ],
)
def test_actions_know_no_case_and_resources_do(element: dict[str, Any], expected: Decision) -> None:
    """Both take `*` and `?`; the opposite elements match what they do not name."""
    assert decision(element) is expected


def test_a_single_statement_needs_no_list() -> None:
    """IAM takes both forms."""
    assert evaluate({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}, SEND).allowed


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        ("arn:aws:sqs:eu-west-1:${aws:PrincipalAccount}:orders", "2012-10-17", ALLOWED),
        ("arn:aws:sqs:eu-west-1:${AWS:principalaccount}:orders", "2012-10-17", ALLOWED),
        ("arn:aws:sqs:eu-west-1:${aws:PrincipalAccount}:orders", "2008-10-17", REFUSED),
        ("arn:aws:sqs:eu-west-1:${aws:PrincipalAccount}:orders", None, REFUSED),
        (f"arn:aws:sqs:eu-west-1:{ACCOUNT}:${{aws:PrincipalTag/queue, 'orders'}}", "2012-10-17", ALLOWED),
        (f"arn:aws:sqs:eu-west-1:{ACCOUNT}:${{aws:PrincipalTag/queue}}", "2012-10-17", UNCLEAR),
        (f"arn:aws:sqs:eu-west-1:{ACCOUNT}:${{*}}", "2012-10-17", REFUSED),
    ],
)
def test_policy_variables_are_filled_in(text: str, version: str | None, expected: Decision) -> None:
    """Only in documents of the newer version; one without a value decides nothing, unless it has a default."""
    assert evaluate(document({"Resource": text}, version=version), SEND).decision is expected


def test_a_wildcard_that_comes_with_a_value_stands_for_itself() -> None:
    """Else whoever chooses a tag's value would choose what the statement covers."""
    tagged = replace(SEND, context={"aws:PrincipalTag/queue": "*"})
    text = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:${{aws:PrincipalTag/queue}}"
    assert decision({"Resource": text}, tagged) is REFUSED
    assert decision({"Resource": text}, replace(tagged, resource=f"arn:aws:sqs:eu-west-1:{ACCOUNT}:*")) is ALLOWED


# --- Conditions ------------------------------------------------------------------------------------------------------

CONDITIONS: Final[list[tuple[dict[str, Any], dict[str, Any], Decision]]] = [
    ({"StringEquals": {"k": "a"}}, {"k": "a"}, ALLOWED),
    ({"StringEquals": {"K": "a"}}, {"k": "a"}, ALLOWED),
    ({"StringEquals": {"k": "A"}}, {"k": "a"}, REFUSED),
    ({"StringEquals": {"k": ["x", "a"]}}, {"k": "a"}, ALLOWED),
    ({"StringEquals": {"k": "*"}}, {"k": "a"}, REFUSED),
    ({"StringEquals": {"k": "a"}}, {}, REFUSED),
    ({"StringEqualsIfExists": {"k": "a"}}, {}, ALLOWED),
    ({"StringEqualsIfExists": {"k": "a"}}, {"k": "b"}, REFUSED),
    ({"StringNotEquals": {"k": "a"}}, {"k": "b"}, ALLOWED),
    ({"StringNotEquals": {"k": ["a", "b"]}}, {"k": "b"}, REFUSED),
    ({"StringNotEquals": {"k": "a"}}, {}, ALLOWED),
    ({"StringEqualsIgnoreCase": {"k": "A"}}, {"k": "a"}, ALLOWED),
    ({"StringNotEqualsIgnoreCase": {"k": "A"}}, {"k": "a"}, REFUSED),
    ({"StringLike": {"k": "a*c"}}, {"k": "abc"}, ALLOWED),
    ({"StringLike": {"k": "a*C"}}, {"k": "abc"}, REFUSED),
    ({"StringNotLike": {"k": ["x*", "a*"]}}, {"k": "abc"}, REFUSED),
    ({"StringNotLike": {"k": "a*"}}, {}, ALLOWED),
    ({"ArnLike": {"k": "arn:aws:sns:*:1:t"}}, {"k": "arn:aws:sns:eu-west-1:1:t"}, ALLOWED),
    ({"ArnEquals": {"k": "arn:aws:sns:*:1:t*"}}, {"k": "arn:aws:sns:eu-west-1:1:topic"}, ALLOWED),
    ({"ArnLike": {"k": "arn:aws:*:t"}}, {"k": "arn:aws:sns:eu-west-1:1:t"}, UNCLEAR),
    ({"ArnLike": {"k": "arn:aws:sns:*:1:t"}}, {"k": "arn:aws:sns:a:b:1:t"}, REFUSED),
    ({"ArnNotEquals": {"k": "arn:aws:sns:*:1:t"}}, {"k": "arn:aws:sns:eu-west-1:2:t"}, ALLOWED),
    ({"ArnNotLike": {"k": "arn:aws:sns:*:1:t"}}, {}, ALLOWED),
    ({"Bool": {"k": "true"}}, {"k": "true"}, ALLOWED),
    ({"Bool": {"k": True}}, {"k": "true"}, ALLOWED),
    ({"Bool": {"k": "false"}}, {}, REFUSED),
    ({"BoolIfExists": {"k": "false"}}, {}, ALLOWED),
    ({"Bool": {"k": "yes"}}, {"k": "true"}, UNCLEAR),
    ({"Null": {"k": "true"}}, {}, ALLOWED),
    ({"Null": {"k": "true"}}, {"k": "a"}, REFUSED),
    ({"Null": {"k": "false"}}, {"k": "a"}, ALLOWED),
    ({"Null": {"aws:UserAgent": "true"}}, {}, REFUSED),
    ({"IpAddress": {"k": "10.0.0.0/8"}}, {"k": "10.1.2.3"}, ALLOWED),
    ({"IpAddress": {"k": "10.0.0.0/8"}}, {"k": "11.1.2.3"}, REFUSED),
    ({"IpAddress": {"k": "10.0.0.0/8"}}, {"k": "2001:db8::1"}, REFUSED),
    ({"NotIpAddress": {"k": ["10.0.0.0/8", "192.0.2.7"]}}, {"k": "192.0.2.7"}, REFUSED),
    ({"IpAddress": {"k": "home"}}, {"k": "10.1.2.3"}, UNCLEAR),
    ({"NumericLessThan": {"k": "1.2"}}, {"k": "1.1"}, ALLOWED),
    ({"NumericLessThan": {"k": "10"}}, {"k": "9"}, ALLOWED),
    ({"NumericLessThanEquals": {"k": 3600}}, {"k": "3600"}, ALLOWED),
    ({"NumericGreaterThan": {"k": "1"}}, {"k": "1"}, REFUSED),
    ({"NumericNotEquals": {"k": "1"}}, {"k": "1.0"}, REFUSED),
    ({"NumericEquals": {"k": "one"}}, {"k": "1"}, UNCLEAR),
    ({"DateGreaterThan": {"k": "2026-01-01T00:00:00Z"}}, {"k": "2026-06-01T00:00:00Z"}, ALLOWED),
    ({"DateLessThan": {"k": "2026-01-01T00:00:00Z"}}, {"k": "2026-06-01T00:00:00+02:00"}, REFUSED),
    ({"DateEquals": {"k": "0"}}, {"k": "1970-01-01"}, ALLOWED),
    ({"DateLessThan": {"k": "tomorrow"}}, {"k": "1970-01-01"}, UNCLEAR),
    ({"BinaryEquals": {"k": "QmluYXJ5"}}, {"k": "QmluYXJ5"}, ALLOWED),
    ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, {"k": ("a", "b")}, ALLOWED),
    ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, {"k": ("a", "c")}, REFUSED),
    ({"ForAllValues:StringEquals": {"k": "a"}}, {}, ALLOWED),
    ({"ForAllValues:StringEquals": {"k": "a"}}, {"k": ()}, ALLOWED),
    ({"ForAllValues:StringNotEquals": {"k": "a"}}, {"k": ("a", "b")}, REFUSED),
    ({"ForAnyValue:StringEquals": {"k": "a"}}, {"k": ("a", "c")}, ALLOWED),
    ({"ForAnyValue:StringEquals": {"k": "a"}}, {"k": ("b", "c")}, REFUSED),
    ({"ForAnyValue:StringEquals": {"k": "a"}}, {}, REFUSED),
    ({"ForAnyValue:StringNotEquals": {"k": "a"}}, {"k": ("a", "c")}, ALLOWED),
    ({"ForAnyValue:StringNotEquals": {"k": "a"}}, {}, REFUSED),
    ({"StringEquals": {"k": "a"}}, {"k": ("a", "b")}, UNCLEAR),
    ({"StringEquals": {"k": "a", "l": "b"}}, {"k": "a", "l": "b"}, ALLOWED),
    ({"StringEquals": {"k": "a", "l": "b"}}, {"k": "a", "l": "c"}, REFUSED),
    ({"StringEquals": {"k": "a"}, "Bool": {"l": "true"}}, {"k": "a", "l": "false"}, REFUSED),
    ({"StringEquals": {"k": "${aws:PrincipalAccount}"}}, {"k": ACCOUNT}, ALLOWED),
    ({"StringMatches": {"k": "a"}}, {"k": "a"}, UNCLEAR),
    ({"StringMatches": {"k": "a"}, "StringEquals": {"k": "b"}}, {"k": "a"}, REFUSED),
    ({"ForSomeValues:StringEquals": {"k": "a"}}, {"k": "a"}, UNCLEAR),
    ({"ForAnyValue:StringEqualsIfExists": {"k": "a"}}, {}, UNCLEAR),
    ({"StringEquals": {"k": {"Ref": "AWS::AccountId"}}}, {"k": ACCOUNT}, UNCLEAR),
    ({"StringEquals": "k"}, {"k": "a"}, UNCLEAR),
    ({"Bool": {"aws:SecureTransport": "true"}}, {}, UNCLEAR),
    ({"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}, {}, REFUSED),
]


@pytest.mark.parametrize(("condition", "context", "expected"), CONDITIONS)
def test_a_condition_holds_as_iam_documents_it(
    condition: dict[str, Any], context: dict[str, Any], expected: Decision
) -> None:
    """All operators and keys have to hold, one of the values is enough; what is not understood is never a pass."""
    assert decision({"Condition": condition}, replace(SEND, context=context)) is expected


@pytest.mark.parametrize(("condition", "context", "expected"), CONDITIONS)
def test_a_deny_holds_under_the_same_conditions(
    condition: dict[str, Any], context: dict[str, Any], expected: Decision
) -> None:
    """What would allow denies, and a deny that may hold is no pass either."""
    denied = evaluate(document({"Effect": "Deny", "Condition": condition}, {}), replace(SEND, context=context)).decision
    assert denied is {ALLOWED: DENIED, REFUSED: ALLOWED, UNCLEAR: UNCLEAR}[expected]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:PrincipalArn", ROLE),
        ("aws:PrincipalAccount", ACCOUNT),
        ("aws:ResourceAccount", ACCOUNT),
        ("aws:PrincipalIsAWSService", "false"),
    ],
)
def test_what_follows_from_the_request_need_not_be_stated(key: str, value: str) -> None:
    """A session acts under its role's ARN."""
    assert decision({"Condition": {"StringEquals": {key: value}}}) is ALLOWED
    assert decision({"Condition": {"StringEquals": {key: "else"}}}) is REFUSED


def test_what_is_stated_counts_more_than_what_follows() -> None:
    """A session's ARN lacks its role's path."""
    stated = replace(SEND, context={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/team/app"})
    assert decision({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/team/*"}}}, stated) is ALLOWED


def test_a_user_is_known_by_name() -> None:
    """`${aws:username}` is the last part of the ARN; a role has none."""
    own = {"Resource": f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"}
    asked = Request("iam:ListAccessKeys", f"arn:aws:iam::{ACCOUNT}:user/Kim", USER, ACCOUNT)
    assert decision(own, asked) is ALLOWED
    assert decision(own, replace(asked, principal_arn=SESSION)) is UNCLEAR


def test_an_unsigned_request_has_no_principal() -> None:
    """Its keys are absent, so that negated conditions hold."""
    unsigned = replace(SEND, principal_arn="", principal_account="")
    assert decision({"Condition": {"ArnNotLike": {"aws:PrincipalArn": ROLE}}}, unsigned) is ALLOWED
    assert decision({"Condition": {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}, unsigned) is ALLOWED


# --- Principals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("principal", "arn", "expected"),
    [
        ({"Principal": "*"}, SESSION, ALLOWED),
        ({"Principal": {"AWS": "*"}}, "", ALLOWED),
        ({"Principal": {"AWS": ROLE}}, SESSION, ALLOWED),
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/team/app"}}, SESSION, ALLOWED),
        ({"Principal": {"AWS": f"arn:aws:iam::{OTHER}:role/app"}}, SESSION, REFUSED),
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/apple"}}, SESSION, REFUSED),
        ({"Principal": {"AWS": SESSION}}, SESSION, ALLOWED),
        ({"Principal": {"AWS": f"{SESSION}-2"}}, SESSION, REFUSED),
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"}}, SESSION, REFUSED),
        ({"Principal": {"AWS": ACCOUNT}}, SESSION, ALLOWED),
        ({"Principal": {"AWS": [OTHER, f"arn:aws:iam::{ACCOUNT}:root"]}}, USER, ALLOWED),
        ({"Principal": {"AWS": OTHER}}, SESSION, REFUSED),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, "sns.amazonaws.com", ALLOWED),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, "s3.amazonaws.com", REFUSED),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, SESSION, REFUSED),
        ({"Principal": {"Federated": "cognito-identity.amazonaws.com"}}, SESSION, UNCLEAR),
        ({"Principal": {"AWS": ROLE, "Federated": "cognito-identity.amazonaws.com"}}, SESSION, ALLOWED),
        ({"Principal": {"Team": "ours"}}, SESSION, UNCLEAR),
        ({"Principal": "ours"}, SESSION, UNCLEAR),
        ({"Principal": "*", "NotPrincipal": "*"}, SESSION, UNCLEAR),
        ({"NotPrincipal": {"AWS": OTHER}}, SESSION, ALLOWED),
        ({"NotPrincipal": {"AWS": ACCOUNT}}, "", ALLOWED),
        ({"NotPrincipal": {"AWS": [USER, ACCOUNT]}}, USER, REFUSED),
        ({"NotPrincipal": {"AWS": USER}}, USER, UNCLEAR),
        ({"NotPrincipal": {"AWS": [ROLE, ACCOUNT]}}, SESSION, UNCLEAR),
        ({"NotPrincipal": {"AWS": [SESSION, ROLE, ACCOUNT]}}, SESSION, REFUSED),
        ({"NotPrincipal": {"Service": "sns.amazonaws.com"}}, "sns.amazonaws.com", REFUSED),
        ({}, SESSION, ALLOWED),
    ],
)
def test_a_statement_counts_for_whom_it_names(principal: dict[str, Any], arn: str, expected: Decision) -> None:
    """Names are exact; a session is its role, and whoever belongs to an account is its account."""
    asked = replace(SEND, principal_arn=arn, principal_account=ACCOUNT if ACCOUNT in arn else "")
    assert decision(principal, asked) is expected


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        {"Statement": None},
        {"Statement": ["Allow"]},
        {"Statement": [{"Effect": "Permit", "Action": "*", "Resource": "*"}]},
        {"Statement": [{"Action": "*", "Resource": "*"}]},
        {"Statement": [{"Effect": "Allow", "Resource": "*"}]},
        {"Statement": [{"Effect": "Allow", "Action": "*"}]},
        {"Statement": [{"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}]},
        {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}]},
        {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Conditions": {}}]},
    ],
)
def test_a_document_that_is_not_understood_is_no_pass(broken: Any) -> None:  # noqa: ANN401 - anything may stand there
    """Nor does it hide a deny beside it."""
    assert evaluate(broken, SEND).decision is UNCLEAR
    assert authorise(SEND, identity=[broken, DENY]).decision is DENIED


# --- Layers ----------------------------------------------------------------------------------------------------------

NOTHING: Final = document({"Action": "none:None"})
DENY: Final = document({"Sid": "Stop", "Effect": "Deny"})
TO_ROLE: Final = document({"Principal": {"AWS": ROLE}})
TO_ACCOUNT: Final = document({"Principal": {"AWS": ACCOUNT}})
TO_SESSION: Final = document({"Principal": {"AWS": SESSION}})
TO_ALL: Final = document({"Principal": "*"})
DOUBT: Final = document({"Principal": "*", "Condition": {"Unheard": {"k": "a"}}})
DOUBTFUL_DENY: Final = document({"Principal": "*", "Effect": "Deny", "Condition": {"Unheard": {"k": "a"}}})


@pytest.mark.parametrize(
    ("layers", "expected", "layer"),
    [
        ({"identity": ALLOW_ALL}, ALLOWED, Layer.IDENTITY),
        ({"identity": NOTHING}, REFUSED, Layer.IDENTITY),
        ({"identity": []}, REFUSED, Layer.IDENTITY),
        ({"identity": [NOTHING, ALLOW_ALL]}, ALLOWED, Layer.IDENTITY),
        ({"identity": [ALLOW_ALL, DENY]}, DENIED, Layer.IDENTITY),
        ({"identity": NOTHING, "resource": TO_ROLE}, ALLOWED, Layer.RESOURCE),
        ({"identity": NOTHING, "resource": TO_ALL}, ALLOWED, Layer.RESOURCE),
        ({"identity": NOTHING, "resource": TO_ACCOUNT}, REFUSED, Layer.IDENTITY),
        ({"identity": ALLOW_ALL, "resource": NOTHING}, ALLOWED, Layer.IDENTITY),
        ({"identity": ALLOW_ALL, "resource": DENY}, UNCLEAR, Layer.RESOURCE),
        ({"identity": ALLOW_ALL, "resource": DOUBT}, ALLOWED, Layer.IDENTITY),
        ({"identity": NOTHING, "resource": DOUBT}, UNCLEAR, Layer.RESOURCE),
        ({"identity": ALLOW_ALL, "resource": DOUBTFUL_DENY}, UNCLEAR, Layer.RESOURCE),
        ({"identity": NOTHING, "resource": DOUBTFUL_DENY}, UNCLEAR, Layer.RESOURCE),
        ({"identity": ALLOW_ALL, "resource": document({"Effect": "Deny", "Principal": "*"})}, DENIED, Layer.RESOURCE),
        ({"identity": ALLOW_ALL, "endpoint": TO_ALL}, ALLOWED, Layer.IDENTITY),
        (
            {"identity": ALLOW_ALL, "endpoint": document({"Principal": {"AWS": OTHER}})},
            REFUSED,
            Layer.ENDPOINT,
        ),
        ({"identity": NOTHING, "endpoint": DOUBT}, REFUSED, Layer.IDENTITY),
        ({"identity": ALLOW_ALL, "endpoint": DOUBT}, UNCLEAR, Layer.ENDPOINT),
        ({"identity": ALLOW_ALL, "boundary": NOTHING}, REFUSED, Layer.BOUNDARY),
        ({"identity": ALLOW_ALL, "boundary": ALLOW_ALL, "session": NOTHING}, REFUSED, Layer.SESSION),
        ({"identity": ALLOW_ALL, "boundary": DENY}, DENIED, Layer.BOUNDARY),
        ({"identity": NOTHING, "resource": TO_ROLE, "boundary": NOTHING}, REFUSED, Layer.BOUNDARY),
        (
            {"identity": NOTHING, "resource": TO_SESSION, "boundary": NOTHING, "session": NOTHING},
            ALLOWED,
            Layer.RESOURCE,
        ),
        ({"identity": NOTHING, "resource": TO_SESSION, "boundary": DENY}, DENIED, Layer.BOUNDARY),
    ],
)
def test_each_layer_has_its_say_within_an_account(layers: dict[str, Any], expected: Decision, layer: Layer) -> None:
    """One of identity and resource allows; endpoint, boundary and session narrow; a deny anywhere wins."""
    verdict = authorise(SEND, **layers)
    assert (verdict.decision, verdict.layer) == (expected, layer)


@pytest.mark.parametrize(
    ("layers", "expected", "layer"),
    [
        ({"identity": ALLOW_ALL}, REFUSED, Layer.RESOURCE),
        ({"identity": ALLOW_ALL, "resource": TO_ROLE}, ALLOWED, Layer.IDENTITY),
        ({"identity": ALLOW_ALL, "resource": TO_ACCOUNT}, ALLOWED, Layer.IDENTITY),
        ({"identity": NOTHING, "resource": TO_ROLE}, REFUSED, Layer.IDENTITY),
        ({"identity": ALLOW_ALL, "resource": DOUBT}, UNCLEAR, Layer.RESOURCE),
        ({"identity": ALLOW_ALL, "resource": TO_SESSION, "boundary": NOTHING}, REFUSED, Layer.BOUNDARY),
        ({"identity": ALLOW_ALL, "resource": TO_SESSION, "session": NOTHING}, REFUSED, Layer.SESSION),
    ],
)
def test_across_accounts_both_sides_have_to_allow(layers: dict[str, Any], expected: Decision, layer: Layer) -> None:
    """The owner's policy and the caller's."""
    verdict = authorise(replace(SEND, resource=QUEUE.replace(ACCOUNT, OTHER)), **layers)
    assert (verdict.decision, verdict.layer) == (expected, layer)


def test_whose_bucket_it_is_has_to_be_stated() -> None:
    """A bucket's ARN names no account; where it matters whose it is, the answer is open."""
    put = Request("s3:PutObject", "arn:aws:s3:::bucket/key", SESSION, ACCOUNT)
    assert authorise(put, identity=ALLOW_ALL).decision is UNCLEAR
    assert authorise(put, identity=NOTHING).decision is REFUSED
    assert authorise(put, identity=ALLOW_ALL, resource=TO_ALL).decision is ALLOWED
    ours = replace(put, context={"aws:ResourceAccount": ACCOUNT})
    assert authorise(ours, identity=ALLOW_ALL).decision is ALLOWED
    theirs = replace(put, context={"aws:ResourceAccount": OTHER})
    assert authorise(theirs, identity=ALLOW_ALL).decision is REFUSED


def test_a_service_and_a_stranger_need_the_resources_policy() -> None:
    """They have no policies of their own."""
    for arn, principal in (("sns.amazonaws.com", {"Service": "sns.amazonaws.com"}), ("", "*")):
        asked = replace(SEND, principal_arn=arn, principal_account="")
        assert authorise(asked, identity=[]).decision is REFUSED
        assert authorise(asked, identity=[], resource=document({"Principal": principal})).decision is ALLOWED
        assert authorise(asked, identity=[], resource=TO_ACCOUNT).decision is REFUSED


def test_a_keys_own_policy_decides() -> None:
    """Whatever the identity's policies say; to name the account leaves it to them."""
    decrypt = Request("kms:Decrypt", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1", SESSION, ACCOUNT)
    assert authorise(decrypt, identity=ALLOW_ALL).decision is UNCLEAR
    assert authorise(decrypt, identity=ALLOW_ALL, resource=document({"Principal": {"AWS": OTHER}})).decision is REFUSED
    assert authorise(decrypt, identity=ALLOW_ALL, resource=TO_ACCOUNT).decision is ALLOWED
    assert authorise(decrypt, identity=NOTHING, resource=TO_ACCOUNT).decision is REFUSED
    assert authorise(decrypt, identity=NOTHING, resource=TO_ROLE).decision is ALLOWED
    assert authorise(Request("kms:CreateKey", "*", SESSION, ACCOUNT), identity=ALLOW_ALL).decision is ALLOWED


def test_who_am_i_needs_no_permission_but_an_endpoint_that_lets_it_pass() -> None:
    """Not even an explicit deny takes it away."""
    ask = Request("sts:GetCallerIdentity", "*", SESSION, ACCOUNT)
    assert authorise(ask, identity=DENY).allowed
    refused = authorise(ask, identity=ALLOW_ALL, endpoint=document({"Principal": "*", "Action": "sts:AssumeRole"}))
    assert (refused.decision, refused.layer) == (REFUSED, Layer.ENDPOINT)


def test_the_verdict_names_the_statement_that_decided() -> None:
    """By its `Sid`, or by its place where it has none."""
    assert authorise(SEND, identity=[ALLOW_ALL, DENY]) == Verdict(
        DENIED, Layer.IDENTITY, "Stop", "a statement denies it"
    )
    assert evaluate(document({"Action": "none:None"}, {}), SEND).statement == "statement 1"
    assert authorise(SEND, identity=[NOTHING, ALLOW_ALL]).statement == "document 1 statement 0"
    assert evaluate(NOTHING, SEND).statement is None
    unclear = evaluate(document({"Sid": "Odd", "Condition": {"Unheard": {"k": "a"}}}), SEND)
    assert (unclear.statement, unclear.reason) == ("Odd", "the operator Unheard is not known")


# --- Examples of the documentation -----------------------------------------------------------------------------------

ORG_BUCKET: Final = document(
    {
        "Sid": "OnlyOurOrganisation",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Condition": {
            "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        },
    }
)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html: an identity perimeter."""

ONE_ENDPOINT: Final = document(
    {
        "Sid": "Access-to-specific-VPCE-only",
        "Principal": "*",
        "Action": "s3:*",
        "Effect": "Deny",
        "Resource": ["arn:aws:s3:::amzn-s3-demo-bucket", "arn:aws:s3:::amzn-s3-demo-bucket/*"],
        "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-0abcdef1234567890"}},
    }
)
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies-vpc-endpoint.html."""

WITHOUT_MFA: Final = document(
    {"Effect": "Deny", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}, {}
)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_deny-mfa….html: deny without MFA."""

TAGGED: Final = document(
    {
        "Action": "ec2:StartInstances",
        "Condition": {"StringEquals": {"aws:ResourceTag/Owner": "${aws:username}"}},
    }
)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_ec2_tag-owner.html."""


@pytest.mark.parametrize(
    ("policy", "request_", "expected"),
    [
        (ORG_BUCKET, Request("s3:GetObject", "arn:aws:s3:::b/k", SESSION, ACCOUNT), DENIED),
        (
            ORG_BUCKET,
            Request("s3:GetObject", "arn:aws:s3:::b/k", SESSION, ACCOUNT, {"aws:PrincipalOrgID": "o-exampleorgid"}),
            REFUSED,
        ),
        (ORG_BUCKET, Request("s3:PutObject", "arn:aws:s3:::b/k", "cloudtrail.amazonaws.com", ""), REFUSED),
        (ORG_BUCKET, Request("s3:GetObject", "arn:aws:s3:::b/k", "", ""), DENIED),
        (ONE_ENDPOINT, Request("s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket/k", USER, ACCOUNT), DENIED),
        (
            ONE_ENDPOINT,
            Request(
                "s3:GetObject",
                "arn:aws:s3:::amzn-s3-demo-bucket/k",
                USER,
                ACCOUNT,
                {"aws:SourceVpce": "vpce-0abcdef1234567890"},
            ),
            REFUSED,
        ),
        (WITHOUT_MFA, Request("s3:ListAllMyBuckets", "*", USER, ACCOUNT), DENIED),
        (
            WITHOUT_MFA,
            Request("s3:ListAllMyBuckets", "*", USER, ACCOUNT, {"aws:MultiFactorAuthPresent": "true"}),
            ALLOWED,
        ),
        (TAGGED, Request("ec2:StartInstances", "*", USER, ACCOUNT, {"aws:ResourceTag/Owner": "Kim"}), ALLOWED),
        (TAGGED, Request("ec2:StartInstances", "*", USER, ACCOUNT, {"aws:ResourceTag/Owner": "kim"}), REFUSED),
    ],
)
def test_documented_examples_do_what_they_are_documented_for(
    policy: dict[str, Any], request_: Request, expected: Decision
) -> None:
    """As AWS describes each."""
    assert evaluate(policy, request_).decision is expected


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ELEMENTS = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition")


@given(
    st.dictionaries(st.sampled_from(ELEMENTS), ANYTHING | st.sampled_from(["Allow", "Deny", "*"]), max_size=6),
    st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.tuples(st.text(max_size=8)), max_size=3),
)
def test_no_document_makes_it_crash(statement: dict[str, Any], context: dict[str, Any]) -> None:
    """Whatever stands in a document, there is a verdict, and a deny beside it holds."""
    asked = replace(SEND, context=context)
    assert isinstance(evaluate({"Statement": [statement]}, asked), Verdict)
    assert evaluate({"Statement": [statement, document({"Effect": "Deny"})["Statement"][0]]}, asked).decision is DENIED


STATEMENTS: Final[list[dict[str, Any]]] = [
    {},
    {"Action": "sqs:*"},
    {"Action": "none:None"},
    {"Resource": f"{QUEUE}-2"},
    {"Condition": {"StringEquals": {"k": "a"}}},
    {"Condition": {"StringNotEquals": {"k": "a"}}},
    {"Condition": {"Unheard": {"k": "a"}}},
    {"Principal": "*"},
    {"Principal": {"AWS": ACCOUNT}},
    {"Principal": {"AWS": ROLE}},
    {"Principal": {"AWS": SESSION}},
    {"Principal": {"AWS": OTHER}},
    {"NotPrincipal": {"AWS": SESSION}},
]
DOCUMENTS = st.lists(
    st.builds(
        lambda effect, one: {**one, "Effect": effect}, st.sampled_from(["Allow", "Deny"]), st.sampled_from(STATEMENTS)
    ),
    max_size=3,
).map(lambda statements: document(*statements))
LAYERS = st.fixed_dictionaries(
    {"identity": DOCUMENTS},
    optional={"resource": DOCUMENTS, "endpoint": DOCUMENTS, "boundary": DOCUMENTS, "session": DOCUMENTS},
)
REQUESTS = st.builds(
    lambda owner, context: replace(SEND, resource=QUEUE.replace(ACCOUNT, owner), context=context),
    st.sampled_from([ACCOUNT, OTHER]),
    st.sampled_from([{}, {"k": "a"}, {"k": "b"}]),
)


@given(LAYERS, REQUESTS, st.sampled_from(["endpoint", "boundary", "session"]))
def test_what_narrows_never_lets_more_through(layers: dict[str, Any], asked: Request, name: str) -> None:
    """Endpoint, boundary and session give nothing: what passes with one passes without it."""
    if authorise(asked, **layers).allowed:
        assert authorise(asked, **{key: value for key, value in layers.items() if key != name}).allowed


@given(LAYERS, REQUESTS, st.sampled_from(list(Layer)))
def test_a_deny_in_any_layer_ends_it(layers: dict[str, Any], asked: Request, layer: Layer) -> None:
    """Whatever else stands there, understood or not."""
    deny = document({"Effect": "Deny", "Principal": "*"})["Statement"]
    had = layers.get(layer.value, document())
    denied = {**layers, layer.value: {**had, "Statement": [*had["Statement"], *deny]}}
    assert authorise(asked, **denied).decision is DENIED


@given(LAYERS, REQUESTS)
def test_doubt_about_a_deny_is_never_a_pass(layers: dict[str, Any], asked: Request) -> None:
    """In any layer: a statement that may deny has to be understood first."""
    for layer, had in layers.items():
        doubtful = {**layers, layer: {**had, "Statement": [*had["Statement"], *DOUBTFUL_DENY["Statement"]]}}
        assert not authorise(asked, **doubtful).allowed
