"""The policy that is proposed is the smallest that helps, in the form that IAM matches, and none where none would help."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import given

from operator_cli.denials.allow import as_policies_match, smallest_allow
from operator_cli.denials.explanation import (
    ACCOUNT,
    NETWORK,
    ORGANISATION,
    OWNER,
    YOU,
    Explanation,
    explain,
    explain_all,
)
from operator_cli.denials.reader import readings
from operator_cli.rule_checks import iam_action
from tests.operator_cli.denial_texts import Labelled, composed, labelled

WHO = "arn:aws:sts::111122223333:assumed-role/worker/i-1"


def denied(action: str, on: str = "", *, reason: str | None = None, operation: str = "X") -> Explanation:
    """Explain a denial of an action."""
    clause = f"because no identity-based policy allows the {action} action" if reason is None else reason
    return explain(
        f"An error occurred (AccessDenied) when calling the {operation} operation: User: {WHO} is not authorized to perform: "
        f"{action}{f' on resource: {on}' if on else ''} {clause}"
    )


def statement(explanation: Explanation) -> dict[str, Any]:
    """Give the first statement of its policy."""
    assert explanation.allow is not None
    first: dict[str, Any] = explanation.allow.policy["Statement"][0]
    return first


@pytest.mark.parametrize(
    ("action", "on", "expected"),
    [
        ("sqs:sendmessage", "arn:aws:sqs:us-east-1:111122223333:q", "arn:aws:sqs:us-east-1:111122223333:q"),
        ("iam:PutRolePolicy", "role lambda_role", "arn:aws:iam::111122223333:role/lambda_role"),
        ("iam:TagPolicy", "policy p", "arn:aws:iam::111122223333:policy/p"),
        ("iam:DeleteUser", "user ada", "arn:aws:iam::111122223333:user/ada"),
        ("iam:RemoveRoleFromInstanceProfile", "instance profile p", "arn:aws:iam::111122223333:instance-profile/p"),
        ("s3:GetObject", '"arn:aws:s3:::b/a key"', "arn:aws:s3:::b/a key"),
        ("s3:ListBucket", '"arn:aws:s3:::b"', "arn:aws:s3:::b"),
        (
            "dynamodb:Query",
            "arn:aws:dynamodb:us-east-1:111122223333:table/t/index/i",
            "arn:aws:dynamodb:us-east-1:111122223333:table/t/index/i",
        ),
        (
            "lambda:InvokeFunction",
            "arn:aws:lambda:us-east-1:111122223333:function:f",
            "arn:aws:lambda:us-east-1:111122223333:function:f",
        ),
        (
            "lambda:InvokeFunction",
            "arn:aws:lambda:us-east-1:111122223333:function:f:live",
            "arn:aws:lambda:us-east-1:111122223333:function:f:live",
        ),
        (
            "lambda:InvokeFunction",
            "arn:aws:lambda:us-east-1:111122223333:function:f:17",
            "arn:aws:lambda:us-east-1:111122223333:function:f:*",
        ),
        (
            "logs:PutLogEvents",
            "arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/f:log-stream:2026/11/25",
            "arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/f:*",
        ),
        ("logs:DescribeLogGroups", "arn:aws:logs:us-east-1:111122223333:log-group::log-stream:", "*"),
        ("ecr:GetAuthorizationToken", "*", "*"),
        (
            "cloudformation:DescribeStacks",
            "arn:aws:cloudformation:us-east-1:111122223333:stack/S/5a42d3d0-3833-11ed-8a26-06f20dc37c49",
            "arn:aws:cloudformation:us-east-1:111122223333:stack/S/*",
        ),
        ("ssm:GetParameter", "arn:aws:ssm:***:***:parameter/a", "arn:aws:ssm:REGION:111122223333:parameter/a"),
        ("sqs:SendMessage", "arn:aws:sqs:us-east-1:********2222:q", "arn:aws:sqs:us-east-1:111122223333:q"),
        (
            "sqs:ReceiveMessage",
            "https://sqs.us-east-2.amazonaws.com/111122223333/q",
            "arn:aws:sqs:us-east-2:111122223333:q",
        ),
        ("sqs:ReceiveMessage", "", "arn:aws:sqs:REGION:111122223333:QUEUE_NAME"),
        (
            "secretsmanager:GetSecretValue",
            "db/main",
            "arn:aws:secretsmanager:REGION:111122223333:secret:db/main-??????",
        ),
    ],
)
def test_the_resource_has_the_form_that_policies_match(action: str, on: str, expected: str) -> None:
    """Whatever the message calls it: a name, a URL, a masked ARN, one with a version."""
    assert statement(denied(action, on))["Resource"] == expected


def test_an_action_is_spelled_as_aws_spells_it() -> None:
    """SQS and SNS print it otherwise; a policy in their spelling works, and nobody finds it again."""
    assert statement(denied("sqs:sendmessage"))["Action"] == "sqs:SendMessage"
    assert statement(denied("SNS:Publish"))["Action"] == "sns:Publish"


def test_the_action_of_the_reason_is_what_is_missing() -> None:
    """It may be another than the one that was called."""
    explanation = denied(
        "s3:PutObject", reason="because no identity-based policy allows the kms:GenerateDataKey action"
    )
    assert statement(explanation)["Action"] == "kms:GenerateDataKey"
    assert any("s3:PutObject" in note for note in explanation.allow.notes) if explanation.allow else False


def test_a_misspelt_reason_does_not_win_over_an_action_that_exists() -> None:
    """As in AWS's own example."""
    explanation = denied(
        "codecommit:ListRepositories",
        reason="because no identity-based policy allows the codecommit:ListRespositories action",
    )
    assert statement(explanation)["Action"] == "codecommit:ListRepositories"


def test_an_action_that_aws_does_not_publish_is_said_to_be_doubtful() -> None:
    """It may be misspelt, or newer than the list."""
    explanation = denied("widgets:GetWidget", "my-example-widget")
    assert statement(explanation)["Resource"] == "RESOURCE_ARN"
    assert explanation.allow is not None
    assert explanation.allow.holes == ("RESOURCE_ARN",)
    assert any("no action named widgets:GetWidget" in note for note in explanation.allow.notes)


@pytest.mark.parametrize(
    ("operation", "role", "service"),
    [
        ("CreateFunction", "r", "lambda"),
        ("RegisterTaskDefinition", "r", "ecs-tasks"),
        ("X", "cdk-hnb659fds-cfn-exec-role-111122223333-us-east-1", "cloudformation"),
        ("X", "r", "SERVICE"),
    ],
)
def test_a_role_is_passed_to_one_service_only(operation: str, role: str, service: str) -> None:
    """Else it can be given to any service, which is how people become administrators."""
    explanation = denied("iam:PassRole", f"arn:aws:iam::111122223333:role/{role}", operation=operation)
    assert statement(explanation)["Condition"] == {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}


def test_a_key_is_used_through_the_service_that_was_called() -> None:
    """S3 decrypts, not the caller."""
    explanation = denied("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/1", operation="GetObject")
    assert statement(explanation)["Condition"] == {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    assert "Condition" not in statement(denied("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/1"))


def test_pulling_and_pushing_images_needs_the_login_too() -> None:
    """On *, which is the only resource that it takes."""
    explanation = denied("ecr:InitiateLayerUpload", "arn:aws:ecr:eu-west-1:111122223333:repository/r")
    assert explanation.allow is not None
    assert explanation.allow.policy["Statement"][1] == {
        "Effect": "Allow",
        "Action": "ecr:GetAuthorizationToken",
        "Resource": "*",
    }


def test_the_cdk_is_to_use_its_roles_instead_of_the_callers_permissions() -> None:
    """Granting ssm:GetParameter would only lead to the next denial."""
    explanation = denied("ssm:GetParameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/cdk-bootstrap/mine/version")
    assert statement(explanation)["Action"] == "sts:AssumeRole"
    assert statement(explanation)["Resource"] == [
        f"arn:aws:iam::111122223333:role/cdk-mine-{kind}-role-111122223333-eu-west-1"
        for kind in ("deploy", "file-publishing", "image-publishing", "lookup")
    ]


def test_without_a_reason_the_policy_is_called_a_guess() -> None:
    """In the JSON's next step, in the text, and in the message to the administrator."""
    explanation = denied("sqs:SendMessage", reason="")
    assert explanation.is_guess
    assert explanation.next_step.startswith("A guess")
    assert "check also that nothing denies it" in explanation.as_request()
    assert not denied("sqs:SendMessage").is_guess


def test_where_only_the_operation_is_known_its_permission_is_the_guess() -> None:
    """GetObject needs s3:GetObject, ListObjectsV2 needs s3:ListBucket."""
    for operation, action in (
        ("GetObject", "s3:GetObject"),
        ("ListObjectsV2", "s3:ListBucket"),
        ("HeadBucket", "s3:ListBucket"),
    ):
        explanation = explain(f"An error occurred (AccessDenied) when calling the {operation} operation: Access Denied")
        assert statement(explanation)["Action"] == action
        assert explanation.is_guess


@pytest.mark.parametrize(
    ("reason", "acts", "names"),
    [
        ("because no service control policy allows the sqs:SendMessage action", ORGANISATION, "service control policy"),
        (
            "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/p",
            ORGANISATION,
            "arn:aws:organizations::1:policy/p",
        ),
        ("with an explicit deny in a resource control policy", ORGANISATION, "resource control policy"),
        ("because no permissions boundary allows the sqs:SendMessage action", ACCOUNT, "boundary"),
        ("with an explicit deny in a permissions boundary", ACCOUNT, "permissions boundary"),
        ("because no session policy allows the sqs:SendMessage action", YOU, "session"),
        ("because no VPC endpoint policy allows the sqs:SendMessage action", NETWORK, "endpoint"),
        ("with an explicit deny in a VPC endpoint policy", NETWORK, "VPC endpoint policy"),
        ("because no resource-based policy allows the sqs:SendMessage action", OWNER, "resource policy"),
        ("with an explicit deny in an identity-based policy", ACCOUNT, "identity-based policy"),
        ("with an explicit deny", ACCOUNT, "does not name"),
        ("(denied by the gateway with an explicit deny in a policy of its own)", ACCOUNT, "does not name"),
        ("because no moon-phase policy allows the sqs:SendMessage action", ACCOUNT, "CloudTrail"),
    ],
)
def test_no_allow_is_proposed_where_another_policy_decides(reason: str, acts: str, names: str) -> None:
    """The policy to change is named, and who can change it."""
    explanation = denied("sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:q", reason=reason)
    assert explanation.allow is None
    assert explanation.acts == acts
    assert names in explanation.next_step
    assert (explanation.as_request() == "") == (acts == YOU)


@given(composed())
def test_an_allow_is_proposed_exactly_where_the_identity_lacks_one(one: Labelled) -> None:
    """For every kind of principal, action, layer and wording."""
    explanation = explain(one.text)
    lacks = one.expected["policy_type"] == "identity-based" and one.expected["decision"] == "implicit"
    assert (explanation.allow is not None) == lacks


@pytest.mark.parametrize("one", labelled(), ids=lambda one: one.name)
def test_every_proposal_is_a_policy_that_iam_takes(one: Labelled) -> None:
    """Known actions or ones that are said to be doubtful, resources that are an ARN, * or a placeholder; and code for the CDK that is Python."""
    for explanation in explain_all(one.text):
        assert explanation.title
        assert explanation.cause
        assert explanation.next_step
        answer = explanation.as_json()
        assert answer["policy"] == (explanation.allow.policy if explanation.allow else None)
        if explanation.allow is None:
            continue
        assert answer["identity_allow_would_fix"] != "no"
        assert explanation.allow.policy["Version"] == "2012-10-17"
        for each in explanation.allow.policy["Statement"]:
            assert each["Effect"] == "Allow"
            doubt = f"AWS publishes no action named {each['Action']}"
            assert iam_action(each["Action"]) is not None or any(doubt in note for note in explanation.allow.notes)
            named = each["Resource"] if isinstance(each["Resource"], list) else [each["Resource"]]
            assert all(
                resource == "*" or resource.startswith("arn:") or resource == "RESOURCE_ARN" for resource in named
            )
            if "*" in named:
                known = iam_action(each["Action"])
                resource = explanation.reading.resource or ""
                has_no_arn = ":" in resource and not resource.startswith("arn:")
                assert (known is not None and not known.arn_formats) or resource == "*" or has_no_arn
        ast.parse(explanation.allow.as_cdk())
        assert json.dumps(explanation.allow.policy, indent=2) in explanation.as_request() or explanation.acts == YOU


def test_nothing_is_proposed_for_what_is_no_denial() -> None:
    """Credentials, the clock, and what is no matter of IAM."""
    for one in labelled():
        if one.expected["category"] != "access-denied":
            assert all(smallest_allow(found.reading) is None for found in explain_all(one.text))


IDENTITY = "eu-west-1:084c17c5-b274-cde0-655d-3088d6472035"


def test_an_identity_of_cognito_has_no_arn_to_allow() -> None:
    """A certificate's ARN would be made up; the reader is told of guests."""
    explanation = denied("iot:AttachPolicy", IDENTITY)
    assert statement(explanation) == {"Effect": "Allow", "Action": "iot:AttachPolicy", "Resource": "*"}
    assert explanation.allow is not None
    assert any("have the user sign in instead" in note for note in explanation.allow.notes)


@pytest.mark.parametrize("call", ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"])
@pytest.mark.parametrize(
    "text",
    [
        "Not authorized to perform sts:{}",
        "An error occurred (AccessDenied) when calling the {} operation: Not authorized to perform sts:{}",
        "An error occurred (AccessDenied) when calling the {} operation: Access denied",
        '{{"eventSource": "sts.amazonaws.com", "eventName": "{}", "errorCode": "AccessDenied", "errorMessage": "An unknown error"}}',
        (
            "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: sts:{} on resource: "
            "arn:aws:iam::111122223333:role/r because no identity-based policy allows the sts:{} action"
        ),
    ],
)
def test_no_policy_of_a_caller_helps_where_the_call_is_not_signed(call: str, text: str) -> None:
    """Who exchanges an assertion or a token for a role has no identity yet: only the role's trust policy is asked."""
    explanation = explain(text.replace("{}", call).replace("{{", "{").replace("}}", "}"))
    assert explanation.allow is None
    assert explanation.reading.identity_allow_would_fix == "no"
    assert explanation.title.startswith("The role does not trust this")
    assert "sts:TagSession" in explanation.cause or call != "AssumeRoleWithSAML"


@pytest.mark.parametrize(
    ("action", "on", "says"),
    [
        ("sts:AssumeRole", "arn:aws:iam::111122223333:user/ada", "User/ada is no role: it cannot be assumed"),
        ("sts:AssumeRole", "arn:aws:iam::111122223333:root", "Root is no role: it cannot be assumed"),
        (
            "sts:assumerole",
            "arn:aws:sts::111122223333:assumed-role/r/s",
            "Assumed-role/r/s is no role: it cannot be assumed",
        ),
        (
            "iam:PassRole",
            "arn:aws:iam::111122223333:instance-profile/p",
            "Instance-profile/p is no role: it cannot be passed on",
        ),
    ],
)
@pytest.mark.parametrize("reason", ["", None])
def test_what_is_no_role_cannot_be_assumed_or_passed_on(action: str, on: str, says: str, reason: str | None) -> None:
    """No Allow changes that, whatever reason AWS gives."""
    explanation = denied(action, on, reason=reason)
    assert explanation.title == says
    assert explanation.allow is None
    assert explanation.reading.identity_allow_would_fix == "no"


@pytest.mark.parametrize(
    "on", ["arn:aws:iam::111122223333:role/r", "arn:aws:iam::***:role/r", "arn:aws:iam::111122223333:r"]
)
def test_a_role_can_be_assumed(on: str) -> None:
    """Also one whose ARN is masked or mistyped: that is for AWS to say."""
    assert denied("sts:AssumeRole", on).allow is not None


SMALL_WORDS = (
    "with an explicit deny in {} {}",
    "with explicit denies in {} {}",
    "because of an explicit deny in {} {}",
    "due to an explicit deny from {} {}",
)
KINDS = {
    "identity-based policy": "identity-based",
    "resource-based policy": "resource-based",
    "service control policy": "scp",
    "resource control policy": "rcp",
    "permissions boundary": "permissions-boundary",
    "session policy": "session",
    "VPC endpoint policy": "vpc-endpoint",
    "role trust policy": "role-trust",
}


@pytest.mark.parametrize(("words", "kind"), KINDS.items())
@pytest.mark.parametrize("form", SMALL_WORDS)
@pytest.mark.parametrize("article", ["a", "an", "the", "its", ""])
@pytest.mark.parametrize("many", [False, True])
def test_a_deny_is_a_deny_in_whatever_small_words(words: str, kind: str, form: str, article: str, many: bool) -> None:  # noqa: FBT001 - pytest names it
    """The kind of policy is understood too, and no Allow is ever proposed."""
    named = words.replace("policy", "policies").replace("boundary", "boundaries") if many else words
    explanation = denied("sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:q", reason=form.format(article, named))
    assert (explanation.reading.decision, explanation.reading.policy_type) == ("explicit", kind)
    assert explanation.reading.resource == "arn:aws:sqs:us-east-1:111122223333:q"
    assert explanation.allow is None


@pytest.mark.parametrize("start", ["", "  ", "│ ", "│  ", "| "])
def test_a_deny_on_everything_is_seen_where_the_star_begins_a_line(start: str) -> None:
    """A comment's star is taken off, a resource's is not."""
    explanation = denied("sqs:ListQueues", f"\n{start}*", reason="with an explicit deny in a resource control policy")
    assert (explanation.reading.decision, explanation.reading.resource) == ("explicit", "*")
    assert explanation.allow is None


@pytest.mark.parametrize(("words", "kind"), KINDS.items())
@pytest.mark.parametrize(
    "form",
    [
        "because no {} allows the {} action",
        "because there is no {} that allows the {} action",
        "because the {} does not allow the {} action",
    ],
)
def test_a_missing_allow_is_understood_in_whatever_small_words(words: str, kind: str, form: str) -> None:
    """An Allow is proposed where identity-based policies lack it, and nowhere else."""
    explanation = denied(
        "sqs:SendMessage", "arn:aws:sqs:us-east-1:111122223333:q", reason=form.format(words, "sqs:SendMessage")
    )
    assert (explanation.reading.decision, explanation.reading.policy_type) == ("implicit", kind)
    assert (explanation.allow is not None) == (kind == "identity-based")


@pytest.mark.parametrize(
    ("text", "action"),
    [
        (
            "The provided execution role does not have permissions to call ReceiveMessage on SQS (Service: Lambda, Status Code: 400)",
            "sqs:ReceiveMessage",
        ),
        (
            "InvalidParameterValueException: The function execution\nrole does not have permissions to call SendMessage on SQS",
            "sqs:SendMessage",
        ),
        ("The provided execution role does not have permissions to call Publish on SNS", "sns:Publish"),
        (
            "Role arn:aws:iam::111122223333:role/r does not have permission to call kinesis:GetRecords",
            "kinesis:GetRecords",
        ),
        (
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
            "ec2:CreateNetworkInterface",
        ),
    ],
)
def test_a_role_that_a_service_was_given_is_told_from_the_caller(text: str, action: str) -> None:
    """It is that role which lacks the permission; what is proposed for it is a guess and says so."""
    explanation = explain(text)
    assert explanation.reading.action == action
    assert explanation.title == f"The role that the service was given may not do {action}"
    assert "not the caller who lacks" in explanation.cause
    assert explanation.acts == ACCOUNT
    if explanation.allow is None:
        assert "AWSLambdaVPCAccessExecutionRole" in explanation.next_step
    else:
        assert explanation.is_guess
        assert explanation.next_step.startswith("A guess, as no reason is given")
        assert statement(explanation)["Action"] == action


@pytest.mark.parametrize(
    "wrapped",
    [
        "An error occurred (AccessDeniedException) when calling the GetParameters operation: The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
        "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: Access to KMS is not allowed",
        "An error occurred (KMSAccessDeniedException) when calling the Publish operation: no",
        "An error occurred (KMS.AccessDeniedException) when calling the SendMessage operation: no",
    ],
)
def test_what_kms_refused_is_not_the_outer_action(wrapped: str) -> None:
    """Whoever called GetParameters may call it: an Allow for that would mislead."""
    explanation = explain(wrapped)
    assert explanation.title == "The KMS key does not exist here, or you may not use it"
    assert explanation.allow is None


@pytest.mark.parametrize(
    ("called", "allowed"),
    [
        ("prod/db", "prod/db-??????"),
        ("db-master", "db-master-??????"),
        ("prod/db-AbC12d", "prod/db-AbC12d"),
        ("prod/*", "prod/*"),
        ("prod/db-??????", "prod/db-??????"),
    ],
)
def test_a_secret_is_named_as_secrets_manager_names_it(called: str, allowed: str) -> None:
    """It draws six characters for each secret; a policy without them matches none."""
    beginning = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
    assert as_policies_match(beginning + called) == beginning + allowed
    (one, *_) = readings(
        "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: secretsmanager:GetSecretValue on resource: "
        f"{beginning}{called} because no identity-based policy allows the secretsmanager:GetSecretValue action"
    )
    allow = smallest_allow(one)
    assert allow is not None
    assert allow.policy["Statement"][0]["Resource"] == beginning + allowed
