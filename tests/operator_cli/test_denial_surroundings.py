"""What stands around a denial is used where it is unambiguous, and claims nothing where it is source code."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_cli.denials.explanation import explain, explain_all
from operator_cli.denials.reader import readings

WHO: Final = "arn:aws:sts::111122223333:assumed-role/team-orders-deployment-role/ada.lovelace@example.com"
ROLE: Final = "arn:aws:iam::111122223333:role/service-role/team-orders-worker-ExecutionRole-1K8W0ZQ3T5M2A"
SENTENCE: Final = (
    f"User: {WHO} is not authorized to perform: iam:PassRole on resource: {ROLE} because no identity-based policy allows "
    "the iam:PassRole action"
)
DENIED: Final = "An error occurred (AccessDenied) when calling the {} operation: Access Denied"


def _allowed(text: str) -> list[tuple[str, str | list[str]]]:
    allow = explain(text).allow
    return [] if allow is None else [(each["Action"], each["Resource"]) for each in allow.policy["Statement"]]


def _fields(text: str) -> tuple[str | None, ...]:
    reading = explain(text).reading
    return reading.principal, reading.action, reading.resource, reading.decision, reading.policy_type


# Texts that were broken for something narrower than a terminal.


def _filled(text: str, width: int) -> list[str]:
    """Break a text as Python's textwrap does: at blanks, and within words that are too long for a line."""
    lines = [""]
    for word in text.split(" "):
        line = f"{lines[-1]} {word}" if lines[-1] else word
        if len(line) <= width:
            lines[-1] = line
            continue
        room = width - len(lines[-1]) - 1 if lines[-1] else width
        if len(word) <= width:
            lines.append(word)
            continue
        if lines[-1] and room > 0:
            lines[-1] += " " + word[:room]
            word = word[room:]  # noqa: PLW2901 - its rest goes on in the next lines
        elif not lines[-1]:
            lines.pop()
        lines += [word[at : at + width] for at in range(0, len(word), width)]
    return lines


@given(width=st.integers(18, 60), with_rules=st.booleans(), time=st.sampled_from(["", "2026-11-25T10:11:12.123Z "]))
def test_a_cell_of_a_narrow_table_is_read_whole(width: int, with_rules: bool, time: str) -> None:  # noqa: FBT001 - hypothesis names it
    """As `sam deploy` prints its events: three columns stand beside the message, which goes on below."""
    head = f"{'CREATE_FAILED':<{width}}   {'AWS::IAM::Role':<{width}}   {'WorkerRole':<{width}}   "
    first, *others = _filled(SENTENCE, width)
    lines = [f"{head}{first:<{width}} ", *(f"{'':<{len(head)}}{line:<{width}} " for line in others)]
    if with_rules:
        lines = ["-" * 4 * width, *lines, "-" * 4 * width]
    assert _fields("\n".join(time + line for line in lines)) == (
        WHO,
        "iam:PassRole",
        ROLE,
        "implicit",
        "identity-based",
    )


@given(
    width=st.integers(34, 84), before=st.sampled_from(["", "Received response status [FAILED] from custom resource. "])
)
def test_breaks_that_became_blanks_are_taken_off(width: int, before: str) -> None:
    """A program took a terminal's lines and joined them with blanks: one at every so many characters, also within ARNs."""
    text = before + SENTENCE + " (Log: /aws/lambda/team-orders)"
    whole = " ".join(text[at : at + width] for at in range(0, len(text), width)).replace("  ", " ")
    assert _fields(whole) == (WHO, "iam:PassRole", ROLE, "implicit", "identity-based")


def test_other_blanks_stay() -> None:
    """A name with blanks has none at a regular distance."""
    text = SENTENCE.replace(ROLE, "arn:aws:glue:us-east-1:111122223333:job/my nightly job").replace(
        "iam:PassRole", "glue:GetJob"
    )
    assert explain(text).reading.resource == "arn:aws:glue:us-east-1:111122223333:job/my nightly job"


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE.replace("iam:PassRole on", "iam: PassRole on"),
        SENTENCE.replace("iam:PassRole", "*iam:PassRole*"),
        SENTENCE.replace("iam:PassRole on", "__iam:PassRole__ on").replace(ROLE, f"_{ROLE}_"),
        SENTENCE.replace(ROLE, f"`{ROLE}'")
        .replace(f"User: {WHO}", f"User `{WHO}'")
        .replace("iam:PassRole on", "`iam:PassRole' on"),
        SENTENCE.replace("ada.lovelace@example.com", "[ada.lovelace@example.com](mailto:ada.lovelace@example.com)"),
        SENTENCE.replace("_", "\\_"),
    ],
)
def test_signs_of_markdown_and_of_quotation_are_no_part_of_a_name(text: str) -> None:
    """Bold and slanted words, links, SES's `quotes', a blank behind the colon."""
    assert _fields(text) == (WHO, "iam:PassRole", ROLE, "implicit", "identity-based")


def test_a_star_outside_of_the_back_ticks_belongs_to_the_resource() -> None:
    """Markdown would else make it a sign of emphasis."""
    text = SENTENCE.replace(ROLE, "`arn:aws:iam::111122223333:role/`*")
    assert _fields(text)[2:] == ("arn:aws:iam::111122223333:role/*", "implicit", "identity-based")


# What the text says in words.


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        (
            "upload failed: ./a.txt to s3://a-bucket/d/a.txt " + DENIED.format("PutObject"),
            ("s3:PutObject", "arn:aws:s3:::a-bucket/d/a.txt"),
        ),
        (
            "Run aws s3 sync ./out s3://example.com\nfatal error: " + DENIED.format("ListObjectsV2"),
            ("s3:ListBucket", "arn:aws:s3:::example.com"),
        ),
        (
            "$ aws s3 cp ./out s3://a-bucket/ --recursive\nupload failed: " + DENIED.format("PutObject"),
            ("s3:PutObject", "arn:aws:s3:::a-bucket/*"),
        ),
        (
            'Unable to list objects in S3 bucket "a-bucket": ' + DENIED.format("ListObjectsV2"),
            ("s3:ListBucket", "arn:aws:s3:::a-bucket"),
        ),
        (
            "Failed to read S3 object x/y.txt from bucket a-bucket: " + DENIED.format("GetObject"),
            ("s3:GetObject", "arn:aws:s3:::a-bucket/x/y.txt"),
        ),
        (
            "GET https://a-bucket.s3.eu-west-1.amazonaws.com/x/y.txt " + DENIED.format("GetObject"),
            ("s3:GetObject", "arn:aws:s3:::a-bucket/x/y.txt"),
        ),
        (
            "s3://a-bucket/x " + DENIED.format("GetBucketVersioning"),
            ("s3:GetBucketVersioning", "arn:aws:s3:::a-bucket"),
        ),
        (
            (
                "Error: reading S3 Bucket (a-bucket) Policy: operation error S3: GetBucketPolicy, https response error StatusCode: 403, "
                "RequestID: A, HostID: b, api error AccessDenied: Access Denied"
            ),
            ("s3:GetBucketPolicy", "arn:aws:s3:::a-bucket"),
        ),
        (
            "S3UploadFailedError: Failed to upload /tmp/my file.txt to a-bucket/d/a.txt: " + DENIED.format("PutObject"),
            ("s3:PutObject", "arn:aws:s3:::a-bucket/d/a.txt"),
        ),
        (
            "sam package --template-file t.yaml --s3-bucket a-bucket\n\nError: Unable to upload artifact ./a\n"
            + DENIED.format("PutObject"),
            ("s3:PutObject", "arn:aws:s3:::a-bucket/*"),
        ),
        (
            "$ aws s3api get-object --bucket=a-bucket --key d/a.txt out\n\n" + DENIED.format("GetObject"),
            ("s3:GetObject", "arn:aws:s3:::a-bucket/d/a.txt"),
        ),
    ],
)
def test_the_bucket_that_a_text_names_in_words_is_the_one_to_ask_for(text: str, allowed: tuple[str, str]) -> None:
    """S3 says "Access Denied" and no more; it stays a guess."""
    explanation = explain(text)
    assert _allowed(text) == [allowed]
    assert explanation.is_guess
    assert explanation.reading.resource is None


@pytest.mark.parametrize("prefix", ["", "> ", "  "])
@pytest.mark.parametrize("quote", ['"', "'", "`"])
def test_a_quoted_arn_that_the_end_of_the_text_cuts_is_read_as_far_as_it_goes(prefix: str, quote: str) -> None:
    """Nothing closes the quotation; what is there is still the resource."""
    text = (
        f"{prefix}User: {WHO} is not authorized to perform: s3:PutObject on resource: {quote}arn:aws:s3:::a-bucket/d/"
    )
    assert _fields(text)[2] == "arn:aws:s3:::a-bucket/d/"
    assert _allowed(text) == [("s3:PutObject", "arn:aws:s3:::a-bucket/d/")]


def test_half_a_link_is_no_part_of_a_session_name() -> None:
    """A page made a link of the mail address, and its first bracket was lost."""
    text = SENTENCE.replace(WHO, f"{WHO}](mailto:ada.lovelace@example.com)")
    assert _fields(text) == _fields(SENTENCE)


@pytest.mark.parametrize("left_out", ["...", " ... ", " … "])
def test_an_account_that_was_left_out_does_not_end_the_arn(left_out: str) -> None:
    """The name stands behind it, and the account is a place to fill in."""
    text = f"User: {WHO} is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:{left_out}:table/notes"
    assert _fields(text)[2] == f"arn:aws:dynamodb:us-east-1:{left_out.strip()}:table/notes"
    assert _allowed(text) == [("dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:111122223333:table/notes")]


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("aw:transform/Serverless-2016-10-31", "aws:transform/Serverless-2016-10-31"),
        ("***:transform/Include", "aws:transform/Include"),
        ("aws:transform/LanguageExtensions", "aws:transform/LanguageExtensions"),
        ("444455556666:transform/Include", "444455556666:transform/Include"),
        ("***:transform/Ours", "111122223333:transform/Ours"),
    ],
)
def test_the_transforms_of_aws_are_of_the_account_aws(said: str, asked: str) -> None:
    """Macros of people's own are of theirs."""
    arn = "arn:aws:cloudformation:us-east-1:"
    text = f"User: {WHO} is not authorized to perform: cloudformation:CreateChangeSet on resource: {arn}{said}"
    assert _allowed(text) == [("cloudformation:CreateChangeSet", arn + asked)]


@pytest.mark.parametrize(
    ("action", "said", "asked"),
    [
        (
            "cloudfront:CreateInvalidation",
            "cloudfront::***:distribution/***",
            "cloudfront::111122223333:distribution/DISTRIBUTION_ID",
        ),
        ("s3:GetObject", "s3:::***/a.txt", "s3:::RESOURCE_NAME/a.txt"),
        ("sqs:SendMessage", "sqs:us-east-1:***:***-orders", "sqs:us-east-1:111122223333:RESOURCE_NAME-orders"),
        ("s3:GetObject", "s3:::a-bucket/*", "s3:::a-bucket/*"),
    ],
)
def test_a_masked_name_is_no_wildcard(action: str, said: str, asked: str) -> None:
    """In a policy, the stars of a mask would be every name; the one that AWS says is no mask."""
    text = f"User: {WHO} is not authorized to perform: {action} on resource: arn:aws:{said}"
    allow = explain(text).allow
    assert allow is not None
    assert _allowed(text) == [(action, f"arn:aws:{asked}")]
    assert all(hole in asked for hole in allow.holes)
    assert bool(allow.holes) == ("_" in asked)


def test_a_part_too_many_is_no_part_of_the_resource() -> None:
    """Whoever masked the account left a word of the principal's there."""
    text = f"User: {WHO} is not authorized to perform: dynamodb:Query on resource: arn:aws:dynamodb:eu-west-1:***:assumed:table/a/index/b"
    assert _allowed(text) == [("dynamodb:Query", "arn:aws:dynamodb:eu-west-1:111122223333:table/a/index/b")]


@pytest.mark.parametrize(
    ("before", "resource"),
    [
        ("creating IAM Policy (a-policy)", "arn:aws:iam::111122223333:policy/a-policy"),
        ("creating IAM Role (a-role)", "arn:aws:iam::111122223333:policy/POLICY_NAME_WITH_PATH"),
        ("creating IAM Policy", "arn:aws:iam::111122223333:policy/POLICY_NAME_WITH_PATH"),
    ],
)
def test_what_terraform_was_creating_is_the_resource_that_the_denial_does_not_name(before: str, resource: str) -> None:
    """It must be of the kind that the action is on."""
    text = f"{before}: AccessDenied: User: {WHO} is not authorized to perform: iam:CreatePolicy because no identity-based policy allows the iam:CreatePolicy action"
    assert _allowed(text) == [("iam:CreatePolicy", resource)]
    assert _fields(text)[2] is None


@pytest.mark.parametrize(
    "text",
    [
        "s3://one/k and s3://two/k " + DENIED.format("GetObject"),
        "upload failed: ./a to s3://***/a " + DENIED.format("PutObject"),
        "The bucket policy is fine, bucket owner too. " + DENIED.format("PutObject"),
        "aws s3api put-object --bucket $BUCKET --key k.txt\n" + DENIED.format("PutObject"),
        "aws cloudformation package --s3-bucket one --s3-bucket two\n" + DENIED.format("PutObject"),
        "Failed to upload a.txt to the store: " + DENIED.format("PutObject"),
    ],
)
def test_no_bucket_is_made_up(text: str) -> None:
    """Two buckets, a masked one, and words that are no name leave a place to fill in."""
    assert [resource for _, resource in _allowed(text)] == ["arn:aws:s3:::BUCKET_NAME/OBJECT_NAME"]


def test_the_action_of_cloudformations_prefix_is_the_denied_one() -> None:
    """`API: service:Action Access Denied`, as it reported them for years."""
    text = "12:00:00 PM | CREATE_FAILED | AWS::S3::BucketPolicy | Site/Policy (SitePolicyE10E3262) API: s3:PutBucketPolicy Access Denied"
    assert explain(text).reading.action == "s3:PutBucketPolicy"
    assert _allowed(text) == [("s3:PutBucketPolicy", "arn:aws:s3:::BUCKET_NAME")]


VERSION: Final = "arn:aws:ssm:eu-west-1:111122223333:parameter/cdk-bootstrap/hnb659fds/version"


@pytest.mark.parametrize("action", ["ssm:PutParameter", "ssm:GetParameters", "ssm:DeleteParameter"])
@pytest.mark.parametrize(
    "around",
    [
        "CDKToolkit | 4:48:14 PM | CREATE_FAILED | AWS::SSM::Parameter | CdkBootstrapVersion {}",
        " ⏳  Bootstrapping environment aws://111122223333/eu-west-1...\n{}",
        "{}\n ❌  Environment aws://111122223333/eu-west-1 failed bootstrapping",
    ],
)
def test_who_bootstraps_needs_the_permission_itself(action: str, around: str) -> None:
    """The CDK's roles are not there yet: to assume them would be no help."""
    said = SENTENCE.replace("iam:PassRole", action).replace(ROLE, VERSION)
    allow = explain(around.format(said)).allow
    assert allow is not None
    assert [(each["Action"], each["Resource"]) for each in allow.policy["Statement"]] == [(action, VERSION)]
    assert any("Bootstrapping makes roles" in note for note in allow.notes)


def test_who_deploys_needs_the_cdks_roles() -> None:
    """The same parameter, read by a deployment."""
    text = "MyStack failed: " + SENTENCE.replace("iam:PassRole", "ssm:GetParameter").replace(ROLE, VERSION)
    assert [action for action, _ in _allowed(text)] == ["sts:AssumeRole"]


# What is proposed.


@pytest.mark.parametrize(
    ("said", "resource", "note"),
    [
        ("aws:iam::111122223333:role/x", "arn:aws:iam::111122223333:role/x", "without arn:"),
        ("iam::111122223333:role/x", "arn:aws:iam::111122223333:role/x", "iam:PassedToService"),
        ("arn:aws:iam::123456:role/x-123456", "arn:aws:iam::123456:role/x-123456", "123456 is what the text says"),
        ("arn:aws:iam::...:role/x", "arn:aws:iam::111122223333:role/x", ""),
        ("arn:aws:iam::111122223333:role/...", "arn:aws:iam::111122223333:role/ROLE_NAME_WITH_PATH", "Fill in"),
    ],
)
def test_a_resource_that_was_shortened_is_completed_as_far_as_the_text_goes(
    said: str, resource: str, note: str
) -> None:
    """What is masked is the caller's account or a place to fill in; what the text states is kept."""
    allow = explain(SENTENCE.replace(ROLE, said)).allow
    assert allow is not None
    assert allow.policy["Statement"][0]["Resource"] == resource
    assert any(note in each for each in allow.notes)


def test_the_tags_of_a_log_group_are_judged_on_its_plain_arn() -> None:
    """Other actions are matched with :* behind it."""
    group = "arn:aws:logs:eu-west-1:111122223333:log-group:/x"
    said = SENTENCE.replace(ROLE, group)
    assert _allowed(said.replace("iam:PassRole", "logs:TagResource")) == [("logs:TagResource", group)]
    assert _allowed(said.replace("iam:PassRole", "logs:PutRetentionPolicy")) == [
        ("logs:PutRetentionPolicy", [group, f"{group}:*"])
    ]


def test_all_actions_that_a_denial_lists_are_asked_for() -> None:
    """Bedrock names those of AWS Marketplace by which it gets access to a model."""
    text = (
        "AccessDeniedException: Model access is denied due to IAM user or service role is not authorized to perform the required AWS "
        "Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe) to enable access to this model."
    )
    assert _allowed(text) == [("aws-marketplace:ViewSubscriptions", "*"), ("aws-marketplace:Subscribe", "*")]
    assert len(explain_all(text)) == 1


@pytest.mark.parametrize(("through", "kind"), [("service control policy", "scp"), ("resource control policy", "rcp")])
def test_a_deny_that_an_endpoint_hands_on_is_the_organisations(through: str, kind: str) -> None:
    """In a VPC endpoint policy "transitively through" another: that one denies."""
    text = (
        SENTENCE.split(" because", maxsplit=1)[0]
        + f" with an explicit deny in a VPC endpoint policy transitively through a {through}"
    )
    assert _fields(text)[3:] == ("explicit", kind)
    assert explain(text).allow is None


@pytest.mark.parametrize(
    "said",
    [
        "AccessDenied: ... public policies\nare prevented by the BlockPublicPolicy setting in S3 Block Public Access",
        "AccessDenied: access denied. public acls are blocked by s3 block public access settings",
        "api error AccessDenied: blocked by the BlockPublicAcls setting in block public access",
    ],
)
def test_block_public_access_is_known_by_its_name(said: str) -> None:
    """However the sentence was shortened."""
    explanation = explain(f"Error: putting S3 Bucket Policy: {said}")
    assert explanation.reading.policy_type == "block-public-access"
    assert explanation.allow is None


# Errors of another kind, and none.


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (
            "Error creating EIP: AddressLimitExceeded: The maximum number has been reached.\n  status code: 400, request id: 03c4f08f",
            "A quota",
        ),
        ("An error occurred (ServiceQuotaExceededException) when calling the CreateX operation: no", "A quota"),
        (
            "An error occurred (InsufficientInstanceCapacity) when calling the RunInstances operation: no",
            "AWS has none",
        ),
        ("api error VpcLimitExceeded: The maximum number of VPCs has been reached (aws_vpc.main)", "A quota"),
        (
            "Ec2Exception: Request limit exceeded. Account 111122223333 has been throttled on ec2:RunInstances",
            "Too many calls",
        ),
        ("Error: ResourceNotFoundException: Secrets Manager can't find the specified secret.", "There is nothing"),
        (
            "operation error EC2: X, https response error StatusCode: 400, RequestID: 1-2, api error InvalidVpcID.NotFound: no",
            "There is nothing",
        ),
        ("NoSuchBucket: The specified bucket does not exist\n at S3 (@aws-sdk/client-s3)", "There is nothing"),
        (
            "operation error IAM: X, https response error StatusCode: 409, RequestID: 1-2, EntityAlreadyExists: no",
            "There is one",
        ),
        (
            'Resource handler returned message: "no" (RequestToken: 1-2, HandlerErrorCode: InvalidRequest)',
            "InvalidRequest is about",
        ),
        (
            "MessageRejected: Email address is not verified. The following identities failed the check in region US-WEST-2: a",
            "Amazon SES",
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed",
            "The task did not",
        ),
    ],
)
def test_an_error_of_aws_of_another_kind_is_told_as_such(text: str, title: str) -> None:
    """A quota, a name that is not there: no policy helps, and none is proposed."""
    explanation = explain(text)
    assert explanation.title.startswith(title)
    assert explanation.reading.category == "not-iam"
    assert explanation.allow is None


@pytest.mark.parametrize(
    "text",
    [
        "java.lang.ClassNotFoundException: com.amazonaws.services.lambda.Runtime",
        'Error from server (NotFound): deployments.apps "aws-node" not found',
        "ModuleNotFoundError: No module named 'boto3'",
        "We retry ResourceNotFoundException errors when AWS is slow, and you should too.",
        "QuotaExceeded: the disk of build agent 3 is full",
        're.compile(r"User: (.+?) is not authorized to perform: (.+?) on resource: (.+) with an explicit deny")',
        'fmt.Errorf("User: %s is not authorized to perform: %s on resource: %s with an explicit deny", u, a, r)',
        'f"User: {arn} is not authorized to perform: {action} because no identity-based policy allows it"',
        "`User: ${arn} is not authorized to perform: ${action}`  // AccessDenied",
        'if "is not authorized to perform" in str(error):\n    return "AccessDenied"',
        "/is not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)/",
        "reasons = [\n  'because no identity-based policy allows the',\n  'with an explicit deny in a service control policy',\n]",
        "Look for `AccessDenied` with `S3 Block Public Access`: public policies are blocked by the block public access settings there.",
    ],
)
def test_source_code_and_prose_that_know_the_words_are_no_error(text: str) -> None:
    """Nothing is claimed of what looks for the sentence, or composes it."""
    assert readings(text) == ()


def test_a_real_denial_beside_source_code_is_read() -> None:
    """A traceback shows the line that raised."""
    assert (
        _fields(f'    raise Denied(f"User: {{arn}} is not authorized to perform: {{action}}")\nDenied: {SENTENCE}')[1]
        == "iam:PassRole"
    )
