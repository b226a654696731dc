"""What a denial says is read right, whatever it is wrapped in."""

from __future__ import annotations

import contextlib
import html
import json
import re
import textwrap
import time
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from operator_cli.denials.explanation import explain, explain_all
from operator_cli.denials.reader import readings
from operator_cli.errors import OperatorError
from tests.operator_cli.denial_texts import Examined, Labelled, composed, examined, labelled

if TYPE_CHECKING:
    from operator_cli.denials.reading import Reading

TEXTS: Final = labelled()
EXAMINED: Final = examined()
FIELDS: Final = tuple(TEXTS[0].expected)

SENTENCES: Final = [
    one
    for one in TEXTS
    if "\n" not in one.text
    and "\\" not in one.text
    and one.expected["action"]
    and one.expected["decision"] != "unspecified"
    and all((one.expected[name] or "") in one.text for name in ("principal", "resource"))
    and re.search("[0-9a-f]{32}", one.text) is None  # with what a break puts beside it, it is masked as a secret
]
"""Texts of one line that say who was denied what, and why, with whole names: whatever is done to them, they say the same."""

DENIALS: Final = composed() | st.sampled_from(SENTENCES)
"""These, and others composed from the grammar."""

MESSAGES: Final = [one for one in TEXTS if "\n" not in one.text.strip()]
"""Texts of one line."""


def _fields(reading: Reading) -> dict[str, object]:
    return {field: getattr(reading, field) for field in FIELDS}


def _read(text: str) -> dict[str, object]:
    found = readings(text)
    assert found, f"nothing was recognised in {text!r}"
    return _fields(found[0])


@pytest.mark.parametrize("one", TEXTS, ids=lambda one: one.name)
def test_a_real_text_is_read_as_people_read_it(one: Labelled) -> None:
    """Every field: category, code, operation, who, what, on what, which policy, and whether an Allow would help."""
    assert _read(one.text) == one.expected


def test_there_are_as_many_texts_as_the_score_is_told_of() -> None:
    """Else a lost file would pass."""
    assert len(TEXTS) == 47 + 206 + 110 + 92 + 91
    assert len(EXAMINED) == 120 + 100 + 99
    assert len(SENTENCES) > 20


@pytest.mark.parametrize("one", EXAMINED, ids=lambda one: one.name)
def test_the_allow_is_the_one_that_an_expert_asks_for(one: Examined) -> None:
    """No action more, no resource wider; none at all where another policy decides, or where there is no error of AWS."""
    if not one.is_error:
        with pytest.raises(OperatorError, match="No AWS error was recognised"):
            explain(one.text)
        return
    first, *others = explain_all(one.text)
    offered = first.allow
    assert one.allow == (
        None if offered is None else [(each["Action"], each["Resource"]) for each in offered.policy["Statement"]]
    )
    assert [other.reading.action for other in others if other.reading.action] == list(one.more)


def _broken(one: Labelled, width: int) -> list[str]:
    lines = [one.text[at : at + width] for at in range(0, len(one.text), width)]
    last = one.expected["policy_arn"] or one.expected["resource"] or ""
    cut = last[width - one.text.rfind(last) :] if last else ""
    # One break within the last name, and nothing but letters behind it: nobody could tell them from a word of their own.
    assume(len(lines) != 2 or not cut.isalpha())
    # The bracket that closes a placeholder, alone before a blank, is a mark of quotation.
    assume(not any(line.startswith("> ") for line in lines))
    return lines


@given(one=DENIALS, width=st.integers(24, 220))
def test_a_terminal_may_break_lines_anywhere(one: Labelled, width: int) -> None:
    """Also within a word or an ARN, as a terminal does at its last column."""
    broken = "\n".join(_broken(one, width))
    assert _read(broken) == one.expected


@given(one=DENIALS, data=st.data())
def test_words_may_stand_on_lines_of_their_own(one: Labelled, data: st.DataObject) -> None:
    """As mail programs and people break lines, with any indentation."""
    words = one.text.split(" ")
    gaps = data.draw(
        st.lists(st.sampled_from([" ", "\n", "\r\n", "\n    ", "\n\t"]), min_size=len(words), max_size=len(words))
    )
    broken = "".join(word + gap for word, gap in zip(words, gaps, strict=True))
    # Between these two words a line break cannot be told from none, and "AccessDenied" is a code.
    assume("Access\n" not in broken)
    assert _read(broken) == one.expected


TIMES: Final = (
    "2026-11-25T10:11:12.1234567Z ",
    "2026-11-25 10:11:12,123 ",
    "[10:11:12] ",
    "11:25:58 AM | ",
    "[2026/11/25 10:11:12] ",
    "worker-1  | ",
    "│ ",
    "> ",
    "# ",
    "// ",
    "    ",
    "",
)


@given(one=DENIALS, prefix=st.sampled_from(TIMES), width=st.integers(40, 400))
def test_each_line_may_have_a_prefix(one: Labelled, prefix: str, width: int) -> None:
    """A log's time, a container's name, Terraform's box, a quotation, a comment."""
    broken = "\n".join(prefix + line for line in _broken(one, width))
    assert _read(broken) == one.expected


FRAMES: Final = (
    ("│ ", " │"),
    ("| ", " |"),
    ("║", "║"),
    ("\x1b[2m│\x1b[0m ", " \x1b[2m│\x1b[0m"),
    ("[31m│[0m ", " [31m│[0m"),
)


@given(one=DENIALS, frame=st.sampled_from(FRAMES), width=st.integers(40, 140), at_words=st.booleans())
def test_a_frame_may_stand_around_it(one: Labelled, frame: tuple[str, str], width: int, at_words: bool) -> None:  # noqa: FBT001 - hypothesis names it
    """Box characters or keyboard signs on both sides of each line, coloured, also where the escape character was lost."""
    left, right = frame
    lines = textwrap.wrap(one.text, width, break_on_hyphens=False) if at_words else _broken(one, width)
    # Between these two words a line break cannot be told from none, and "AccessDenied" is a code.
    assume(not any(line.endswith("Access") for line in lines))
    rule = "+" + "-" * (width + 2) + "+" if "|" in left else "╭" + "─" * (width + 2) + "╮"
    assert _read("\n".join([rule, *(f"{left}{line.ljust(width)}{right}" for line in lines), rule])) == one.expected


DENY: Final = textwrap.wrap(
    "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: sqs:SendMessage on resource: "
    "arn:aws:sqs:us-east-1:111122223333:q with an explicit deny in a service control policy",
    60,
    break_on_hyphens=False,
)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"* {line}" for line in DENY),
        "\n".join(f"; {line}" for line in DENY),
        "\n".join(f"> > {line}" for line in DENY),
        "\n".join(["#" * 66, *(f"# {line:62} #" for line in DENY), "#" * 66]),
        "\n".join(f"10:11:12 STDERR terraform: │ {line}" for line in ["Error: x", "", *DENY]),
        "\n".join(f"[network] terraform: │ {line}" for line in DENY),
        "\n".join(f"| {'10:11' if line is DENY[0] else '':8} | {line:60} |" for line in DENY),
        f"<p>{' '.join(DENY)}</p>".replace("sqs:SendMessage", "<code>sqs:SendMessage</code>").replace(
            "explicit", "<b>explicit</b>"
        ),
        " ".join(DENY).replace("sqs:SendMessage", "**sqs:SendMessage**"),
        " ".join(DENY).replace("sqs:SendMessage", "`sqs:SendMessage`"),
        " ".join(DENY).replace(" ", "\u00a0"),
    ],
)
def test_marks_of_quotation_and_emphasis_hide_no_deny(text: str) -> None:
    """Each line may be marked by the program that passes it on, each name set apart by the page that shows it."""
    explanation = explain(text)
    reading = explanation.reading
    assert (
        reading.principal,
        reading.action,
        reading.resource,
        reading.decision,
        reading.policy_type,
        explanation.allow,
    ) == (
        "arn:aws:iam::111122223333:user/ada",
        "sqs:SendMessage",
        "arn:aws:sqs:us-east-1:111122223333:q",
        "explicit",
        "scp",
        None,
    )


@pytest.mark.parametrize("between", ["*", "\nworker 12: ", " [stderr] "])
def test_a_deny_is_seen_whatever_stands_between_its_words(between: str) -> None:
    """Then its kind is not known, and no Allow is proposed all the same."""
    explanation = explain(
        " ".join(DENY).replace("explicit deny in a service", f"explicit{between}deny in a{between}service")
    )
    assert explanation.reading.decision == "explicit"
    assert explanation.allow is None


COLOURS: Final = ("\x1b[31m", "\x1b[0m", "\x1b[1;38;5;208m", "\x1b[K", "\u200b")


@given(one=st.sampled_from(MESSAGES), data=st.data())
def test_colours_may_stand_anywhere(one: Labelled, data: st.DataObject) -> None:
    """Whoever coloured the text."""
    text = one.text
    for place in sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)), reverse=True):
        text = text[:place] + data.draw(st.sampled_from(COLOURS)) + text[place:]
    assert _read(text) == one.expected


@given(one=DENIALS, rounds=st.integers(1, 3), escape_all=st.booleans())
def test_it_may_be_a_string_within_json_within_json(one: Labelled, rounds: int, escape_all: bool) -> None:  # noqa: FBT001 - hypothesis names it
    """As log services nest it."""
    text = one.text
    for _ in range(rounds):
        text = json.dumps({"level": "error", "log": text}, ensure_ascii=True)
        if escape_all:
            text = text.replace(":", "\\u003a", 1) if "log" not in text[:20] else text
    assert _read(text) == one.expected


@given(one=DENIALS)
def test_it_may_be_part_of_a_web_page(one: Labelled) -> None:
    """With entities for quotes and angle brackets."""
    assert _read(f"<pre>{html.escape(one.text)}</pre>") == one.expected


NOISE: Final = (
    "Traceback (most recent call last):",
    '  File "/var/task/index.py", line 3, in handler',
    "npm warn deprecated glob@7: no longer supported",
    "Rolebound-api |  4/22 | 10:11:12 AM | CREATE_IN_PROGRESS | AWS::Lambda::Function | Api/Function (ApiF00)",
    "✨  Synthesis time: 3.2s",
    "    at async Promise.all (index 0)",
    "[100%] success: Published 0123456789abcdef:111122223333-us-east-1",
    "Permission denied (publickey).",
    "Everything is authorised to go on.",
    "",
)


@given(
    one=DENIALS,
    before=st.lists(st.sampled_from(NOISE), max_size=40),
    after=st.lists(st.sampled_from(NOISE), max_size=40),
)
def test_it_is_found_among_other_lines(one: Labelled, before: list[str], after: list[str]) -> None:
    """Hundreds of them, that say nothing of it."""
    assert _read("\n".join([*before, one.text, *after])) == one.expected


def test_several_denials_are_each_explained_and_the_first_is_the_main_one() -> None:
    """What is repeated counts once."""
    first, second = (
        f"User: arn:aws:iam::111122223333:user/ci is not authorized to perform: {action} on resource: {resource} because no "
        f"identity-based policy allows the {action} action"
        for action, resource in (
            ("sqs:CreateQueue", "arn:aws:sqs:us-east-1:111122223333:one"),
            ("sns:CreateTopic", "arn:aws:sns:us-east-1:111122223333:two"),
        )
    )
    found = explain_all(
        f"An error occurred (AccessDenied) when calling the X operation: {first}\n{second}\n{first}\nAccess Denied"
    )
    assert [one.reading.action for one in found] == ["sqs:CreateQueue", "sns:CreateTopic"]


@pytest.mark.parametrize(
    "text", ["hello", "{", '{"a": [1, 2', "error: build failed", "the user is authorized", "\u0130" * 50]
)
def test_a_text_without_an_aws_error_is_not_explained(text: str) -> None:
    """It says so in three parts instead of making something up."""
    with pytest.raises(OperatorError) as said:
        explain(text)
    assert said.value.status == 1
    assert "No AWS error was recognised" in str(said.value)


def _titles(text: str) -> list[str]:
    return [one.title for one in explain_all(text)]


ABOUT_ERRORS: Final = (
    "If a deployment stops with AccessDenied, first find out who you are.",
    "# Troubleshooting\n\n## AccessDenied\n\nYour role lacks a permission.\n\n## ExpiredToken\n\nLog in again.",
    "Troubleshooting\n===============\n\nAccess Denied\n-------------\n\nAsk your administrator.",
    "- Fixed AccessDenied when the bucket is empty (#123)\n- ExpiredToken errors are now retried\n",
    "## 1.4.2\n\n* Handle `AccessDeniedException` from STS\n* Retry on ThrottlingException\n",
    "Hi Tom,\n\nthe nightly job fails with AccessDenied again, could you have a look at the role?\n\nThanks,\nMia",
    'try:\n    get(b, k)\nexcept ClientError as error:\n    if error.response["Error"]["Code"] == "AccessDenied":\n        return\n',
    '} catch (AccessDeniedException e) {\n  log.warn("no");\n}',
    "import { AccessDeniedException } from 'sts';\nif (e instanceof AccessDeniedException) {\n  return;\n}",
    "if (err.code === 'ExpiredToken' || err.code == 'AccessDenied') { retry(); }",
    'RETRYABLE = ["Throttling", "ThrottlingException", "RequestLimitExceeded"]',
    'class AccessDenied(Exception):\n    """The caller may not."""',
    "switch (code) {\n  case 'AccessDenied':\n    break;\n}",
    'def test_refuses():\n    with pytest.raises(ClientError, match="AccessDenied"):\n        handler({}, None)\n',
    "expect(() => call()).toThrow(AccessDeniedException)",
    "| Code | Meaning |\n|---|---|\n| `AccessDenied` | The caller lacks a permission. |",
    "The service returns an AccessDenied error if the caller does not have permission. You can see which policy applies.",
    "AccessDenied means that the role lacks a permission for the operation you called.",
    "When you see ExpiredTokenException, sign in again with `aws sso login`.",
    "S3 returns Access Denied instead of NoSuchKey when the caller may not list the bucket.",
    "denied: requested access to the resource is denied",
)
OF_OTHERS: Final = (
    "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: YES)",
    "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center><hr><center>nginx/1.18.0</center></body></html>",
    "java.nio.file.AccessDeniedException: /var/log/app.log",
    "org.springframework.security.access.AccessDeniedException: Access is denied",
    "remote: HTTP Basic: Access denied. The provided password or token is incorrect",
    (
        "<Error><Code>AccessDenied</Code><Message>Access denied.</Message><Details>a@b.iam.gserviceaccount.com does not have "
        "storage.objects.get access to the Google Cloud Storage object.</Details></Error>"
    ),
    "<Error><Code>AccessDenied</Code><Message>no</Message><HostId>b.oss-eu-central-1.aliyuncs.com</HostId></Error>",
)
TERSE: Final = (
    "AccessDenied",
    "Access Denied",
    "# Access Denied",
    "[ERROR] AccessDenied",
    "An error occurred (AccessDenied)",
    "<Code>AccessDenied</Code>",
    '{"code": "AccessDenied"}',
    "upload failed: ./a to s3://b/a AccessDenied",
    "2026-11-25T10:00:00Z ERROR worker - AccessDenied",
    "S3 said AccessDenied for key reports/1.csv",
    "The bucket could not be read (AccessDenied).",
    "error ExpiredToken while listing",
    "botocore.errorfactory.AccessDeniedException",
    "Deploy failed: UnauthorizedOperation",
    "status code: 403, AccessDenied",
    "│ Access Denied │",
    "level=error code=AccessDenied msg=x",
    "CREATE_FAILED | AWS::S3::Bucket | Data | Access Denied",
    "Hi,\n\nwe get this:\n\nAccessDenied: Access Denied\n\nThanks",
)


@pytest.mark.parametrize("text", ABOUT_ERRORS)
def test_who_writes_about_errors_has_none(text: str) -> None:
    """Documentation, changelogs, letters and source code name codes; nothing is claimed of them."""
    assert readings(text) == ()


@pytest.mark.parametrize("text", OF_OTHERS)
def test_other_systems_deny_in_the_same_words(text: str) -> None:
    """A database, a web server, a file system, another cloud: it is no error of AWS."""
    assert readings(text) == ()


@pytest.mark.parametrize("text", TERSE)
def test_a_log_may_say_no_more_than_a_code(text: str) -> None:
    """Then that is the error."""
    assert readings(text)


OTHER_MATTERS: Final = {
    "Kubernetes refused it, not AWS": (
        'Error from server (Forbidden): pods is forbidden: User "arn:aws:iam::111122223333:user/a" cannot list resource "pods" in API group ""',
        '{"kind":"Status","message":"namespaces is forbidden: User \\"system:anonymous\\" cannot list","reason":"Forbidden","code":403}',
        "error: You must be logged in to the server (Unauthorized)",
        'User "system:node:a" cannot get resource "pods" in API group "" in the namespace "default": no relationship found',
    ),
    "Amazon Cognito refused the sign-in": (
        '{"__type":"NotAuthorizedException","message":"Unauthenticated access is not supported for this identity pool."}',
        "NotAuthorizedException: Incorrect username or password.",
        "An error occurred (NotAuthorizedException) when calling the InitiateAuth operation: Unable to verify secret hash for client 1a",
    ),
    "The token of the application's user has expired": ("NotAuthorizedException: Access Token has expired",),
    "The call went to an endpoint that is not this account's": (
        "AccessDeniedException: Access Denied: Invalid endpoint. Use describe-endpoint API to get valid endpoint",
    ),
    "AWS does not do this across accounts": (
        "An error occurred (AccessDeniedException) when calling the CreateFunction operation: Cross-account pass role is not allowed.",
        "api error AccessDeniedException: Cross-account log access is not allowed",
    ),
    "This kind of identity cannot make the call": (
        "An error occurred (AccessDenied) when calling the AssumeRole operation: Roles may not be assumed by root accounts.",
        "An error occurred (AccessDenied) when calling the GetSessionToken operation: Cannot call GetSessionToken with session credentials",
    ),
    "The MFA code was refused, or is missing": (
        "An error occurred (AccessDenied) when calling the AssumeRole operation: MultiFactorAuthentication failed with invalid MFA one time pass code. ",
    ),
    "The account cannot use this yet, or no longer": (
        "AccessDenied: Your account must be verified before you can add new CloudFront resources. To verify your account, please contact AWS Support",
        "An error occurred (InvalidAccessException) when calling the DescribeHub operation: Account 111122223333 is not subscribed to AWS Security Hub",
        "An error occurred (AccessDeniedException) when calling the GetCostAndUsage operation: User not enabled for cost explorer access",
    ),
    "The image or snapshot is not shared with this account": (
        "An error occurred (AuthFailure) when calling the RunInstances operation: Not authorized for images: [ami-0123456789abcdef0]",
    ),
    "Too many calls in too short a time": (
        "Throttling: Rate exceeded\n  code: 'Throttling',",
        "An error occurred (ThrottlingException) when calling the GetParameter operation (reached max retries: 4): Rate exceeded",
        "An error occurred (TooManyRequestsException) when calling the Invoke operation: Rate Exceeded.",
    ),
    "There is nothing of that name, or it is not for you to see": (
        "AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist or you do not have access to it.",
        "An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the GetQueueUrl operation: The specified queue does not exist for this wsdl version.",
    ),
    "The service was not reached": (
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from asm: RequestCanceled: "
            "request context canceled caused by: context deadline exceeded. Please check your task network configuration."
        ),
        "UnknownEndpoint: Inaccessible host: `sqs.eu-west-1.amazonaws.com' at port `443'.",
    ),
    "The request went to another region than the bucket's": (
        "AuthorizationHeaderMalformed: The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'us-east-2'",
    ),
    "What was given as the role's ARN is none": ("Error: Could not assume role with OIDC: Request ARN is invalid",),
    "The image was not pulled": (
        "CannotPullContainerError: failed to resolve ref 111122223333.dkr.ecr.eu-west-1.amazonaws.com/x:latest: not found",
    ),
    "The KMS key is disabled, or will be deleted": (
        "An error occurred (DisabledException) when calling the ReEncrypt operation: arn:aws:kms:us-west-2:111122223333:key/k is disabled.",
        "An error occurred (KMSInvalidStateException) when calling the Decrypt operation: arn:aws:kms:us-west-2:111122223333:key/k is pending deletion.",
    ),
    "The service cannot assume the role that it was given": (
        "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda.",
        "Provided role 'arn:aws:iam::111122223333:role/r' cannot be assumed by principal 'events.amazonaws.com'.",
        "InvalidArgumentException: Firehose is unable to assume role arn:aws:iam::111122223333:role/r. Please check the role provided.",
        "Service is unable to assume provided role. Please verify role's TrustPolicy.",
        "ECS was unable to assume the role 'arn:aws:iam::111122223333:role/r' that was provided for this task.",
    ),
    "The role that the service was given may not do what it is for": (
        (
            "InvalidParameterValueException: Cannot access stream arn:aws:dynamodb:eu-west-1:111122223333:table/t/stream/s. Please ensure "
            "the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM."
        ),
        "AccessDeniedException: 'arn:aws:iam::111122223333:role/r' is not authorized to create managed-rule.",
        "The state machine IAM Role is not authorized to access the Log Destination (Service: Sfn, Status Code: 400)",
        "InvalidArgumentException: Verify that the IAM role has access to the ElasticSearch domain.",
    ),
    "The resource's policy does not admit the service that is to use it": (
        "An error occurred (InsufficientS3BucketPolicyException) when calling the CreateTrail operation: Incorrect S3 bucket policy is detected for bucket: b",
        "An error occurred (InvalidArgument) when calling the PutBucketNotificationConfiguration operation: Unable to validate the following destination configurations",
        "AccessDeniedException: Lambda does not have permission to access the ECR image. Check the ECR permissions.",
    ),
}


@pytest.mark.parametrize(("title", "text"), [(title, text) for title, texts in OTHER_MATTERS.items() for text in texts])
def test_a_code_that_sounds_of_permission_may_be_about_something_else(title: str, text: str) -> None:
    """It is named once, and no Allow is proposed for the caller."""
    assert _titles(text) == [title]
    assert explain(text).allow is None


def test_the_sessions_of_one_role_are_one_denial() -> None:
    """Each has a name of its own; a loop that fails again and again is told once."""
    text = (
        "User: arn:aws:sts::111122223333:assumed-role/worker/{} is not authorized to perform: sqs:SendMessage on resource: "
        "arn:aws:sqs:us-east-1:111122223333:q because no identity-based policy allows the sqs:SendMessage action\n"
    )
    assert len(explain_all(text.format("1700000001") + text.format("1700000002"))) == 1


@pytest.mark.parametrize("gap", ["\n", " ", "\n    "])
@pytest.mark.parametrize("with_link", [False, True])
def test_the_id_of_an_authorization_is_handed_on_unbroken(gap: str, with_link: bool) -> None:  # noqa: FBT001 - pytest names it
    """Under it AWS tells for a day which statement decided; it stands in a link and in words."""
    link = "Go to https://us-east-1.console.aws.amazon.com/iam/home?region=us-east-1#/authorization-details/abc1def2ghi3jkl4mno5 for complete details, or call"
    text = (
        "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: iam:GetUser on resource: user ada because no "
        f"identity-based policy allows the iam:GetUser action.{gap}{link if with_link else 'Call'} the GetRequestAuthorizationDetails "
        f"API with the following authorization id: abc1def2ghi3jkl4mno5{gap}next line"
    )
    explanation = explain(text)
    assert explanation.reading.authorization_id == "abc1def2ghi3jkl4mno5"
    assert "--authorization-id abc1def2ghi3jkl4mno5`" in explanation.next_step


@given(st.text(max_size=3000))
def test_any_text_is_borne(text: str) -> None:
    """Nothing raises but the answer that nothing was recognised."""
    for reading in readings(text):
        assert reading.category


PIECES: Final = (
    "User: ",
    "is not authorized to perform: ",
    "not authorized to perform",
    "on resource: ",
    "because no identity-based policy allows the ",
    "because no ",
    "with an explicit deny in a ",
    "action",
    "arn:aws:iam::1",
    "a:b",
    '"',
    "'",
    "\\",
    "\\u003",
    "\n",
    " ",
    "<",
    "<x>",
    "An error occurred (",
    ") when calling the ",
    "Access Denied",
    "AccessDenied",
    "\x1b[",
    "&#",
    "errorCode",
    "{",
    "[",
    ":",
)


@given(st.lists(st.sampled_from(PIECES), max_size=200))
def test_any_pieces_of_a_denial_are_borne(pieces: list[str]) -> None:
    """Half sentences, unclosed quotes and brackets."""
    text = "".join(pieces)
    for reading in readings(text):
        assert reading.category
    with contextlib.suppress(OperatorError):
        explain_all(text)


MEGABYTE: Final = 1_000_000


@pytest.mark.parametrize(
    "piece",
    [
        *PIECES,
        "a",
        "a ",
        "aA0/",
        "secret=",
        "0" * 79 + "\n",
        "User: a is not authorized to perform: a:b on resource: ",
        "(because[x" * 3,
        "role",
        "if AccessDenied (",
        "| a row of a table, as wide as most are |\n",
        "AccessDenied: User: x is not authorized to perform: a:b ",
        "An error occurred (AccessDenied) when calling the X operation: User: arn:aws:iam::111122223333:user/x is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k\n",
        '{"errorCode": "AccessDenied", "eventName": "X", "eventSource": "y"} ',
    ],
)
def test_a_megabyte_of_anything_is_read_in_linear_time(piece: str) -> None:
    """No pattern looks back and forth: a log with a trap in it costs no more than another.

    It takes a second of a usual processor, and three are allowed: what is not linear takes minutes, on any.
    """
    text = (piece * (MEGABYTE // len(piece) + 1))[:MEGABYTE]
    started = time.process_time()
    readings(text)
    assert time.process_time() - started < 3


SECRET: Final = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzz1234" + "5678"
TOKEN: Final = ("IQoJb3JpZ2lu" + "X2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDx") * 4
KEY: Final = "ASIA" + "ABCDEFGHIJKL" + "WXYZ"
HOLDERS: Final = (
    "aws_secret_access_key = {secret}\naws_session_token = {token}\n",
    "export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret} AWS_SESSION_TOKEN={token}\n",
    '{{"credentials": {{"accessKeyId": "{key}", "secretAccessKey": "{secret}", "sessionToken": "{token}"}}}}\n',
    "https://b.s3.amazonaws.com/k?X-Amz-Credential={key}/20261125&X-Amz-Security-Token={token}&X-Amz-Signature=0a1b2c3d4e5f\n",
    "Authorization: AWS4-HMAC-SHA256 Credential={key}/20261125/us-east-1/sqs/aws4_request, Signature=0a1b2c3d4e5f\n",
    "User: {key} is not authorized to perform: s3:GetObject on resource: {secret}\n",
    "User: arn:aws:iam::111122223333:user/{key} is not authorized to perform: s3:GetObject on resource: {token}\n",
    "An error occurred (AccessDenied) when calling the X operation: Access to the resource {token} is denied.\n",
)


@pytest.mark.parametrize("holder", HOLDERS)
def test_no_secret_of_a_text_comes_out_again(holder: str) -> None:
    """Of a key's id four characters may be shown; of a secret or a token nothing, wherever it stands."""
    text = holder.format(secret=SECRET, token=TOKEN, key=KEY) + (
        "An error occurred (AccessDenied) when calling the GetObject operation: User: arn:aws:iam::111122223333:user/x is not "
        "authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k"
    )
    said = "".join(json.dumps(one.as_json()) + one.as_request() + one.title + one.cause for one in explain_all(text))
    assert SECRET not in said
    assert TOKEN[:40] not in said
    assert KEY not in said
