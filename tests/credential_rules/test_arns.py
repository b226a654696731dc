"""What an ARN pins, whatever stands in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credential_rules import arns

TABLE = "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}"
INDEX = "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}/index/${IndexName}"
OBJECT = "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
BUCKET = "arn:${Partition}:s3:::${BucketName}"
QUEUE = "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"
LOGS = "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}:log-stream:${LogStreamName}"
ROLE = "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"


@pytest.mark.parametrize(
    ("arn", "kind"),
    [
        ("*", TABLE),
        ("**", OBJECT),
        ("arn:*", QUEUE),
        ("arn:aws:*", QUEUE),
        ("arn:aws:sqs:us-east-1:*:*", QUEUE),
        ("arn:aws:sqs:us-east-1:123456789012:*", QUEUE),
        ("arn:aws:sqs:*", QUEUE),
        ("arn:*:*:*:*:*", QUEUE),
        ("arn:\0:dynamodb:\0:\0:table/*", TABLE),
        ("arn:aws:dynamodb:*:*:*", TABLE),
        ("arn:aws:dynamodb:*:*:tab*", TABLE),
        ("arn:aws:dynamodb:*:*:table/*", INDEX),
        ("arn:aws:dynamodb:*:*:table/*/index/*", INDEX),
        ("arn:aws:dynamodb:*:*:table/*/index/by-date", INDEX),
        ("arn:aws:s3:::*", BUCKET),
        ("arn:aws:s3:::*", OBJECT),
        ("arn:aws:s3:::*/*", OBJECT),
        ("arn:aws:s3:::?*/public/*", OBJECT),
        ("arn:aws:logs:*:*:*", LOGS),
        ("arn:aws:logs:us-east-1:123456789012:log-group:*", LOGS),
        ("arn:aws:logs:us-east-1:123456789012:log-group:*:*", LOGS),
        ("arn:aws:logs:us-east-1:123456789012:log-group:*:log-stream:*", LOGS),
        ("arn:aws:iam::*:role/*", ROLE),
        ("arn:aws:iam::123456789012:*", ROLE),
    ],
)
def test_wildcard_that_stands_for_every_name(arn: str, kind: str) -> None:
    """However it is written, it is every resource of the kind."""
    assert arns.covers_every(arn, kind)


@pytest.mark.parametrize(
    ("arn", "kind"),
    [
        ("arn:aws:sqs:*:*:events", QUEUE),
        ("arn:aws:sqs:*:*:events-*", QUEUE),
        ("arn:aws:sns:*:*:*", QUEUE),
        ("arn:aws:dynamodb:*:*:table/Events/index/*", INDEX),
        ("arn:aws:dynamodb:*:*:table/Events/*", TABLE),
        ("arn:aws:dynamodb:*:*:table/\0", TABLE),
        ("arn:aws:dynamodb:*:*:table/\0/index/*", INDEX),
        ("arn:aws:dynamodb:*:*:*/Events", TABLE),
        ("arn:aws:s3:::my-bucket/*", OBJECT),
        ("arn:aws:s3:::\0/*", OBJECT),
        ("arn:aws:s3:::my-*", BUCKET),
        ("\0/*", OBJECT),
        ("arn:aws:logs:*:*:log-group:/aws/lambda/fn:*", LOGS),
        ("arn:aws:logs:*:*:log-group:/aws/lambda/*", LOGS),
        ("arn:aws:iam::*:role/service-role/*", ROLE),
        ("arn:aws:iam::*:role/cdk-*", ROLE),
        ("arn:aws:iam::aws:policy/*", ROLE),
        ("", QUEUE),
    ],
)
def test_wildcard_below_or_within_a_name(arn: str, kind: str) -> None:
    """Something is named, so it is not every resource."""
    assert not arns.covers_every(arn, kind)


@pytest.mark.parametrize(
    ("arn", "pinned"),
    [
        ("arn:aws:sns:us-east-1:123456789012:*", True),
        ("arn:aws:sns:us-east-1:\0:*", True),
        ("\0", True),
        ("\0/*", True),
        ("arn:aws:s3:::my-bucket", True),
        ("arn:aws:s3:::my-bucket/*", True),
        ("arn:aws:execute-api:*:*:abc123/*/POST/x", True),
        ("arn:aws:s3:::*", False),
        ("arn:aws:s3:::my-*", False),
        ("arn:aws:sns:us-east-1:*:topic", False),
        ("arn:aws:sns:us-east-1:12345678901?:topic", False),
        ("arn:aws:execute-api:*:*:*/*/POST/x", False),
        ("*", False),
        ("arn:aws:*", False),
        ("", False),
    ],
)
def test_account_is_pinned(arn: str, pinned: bool) -> None:  # noqa: FBT001 (a parameter of the table)
    """Only what one account alone can own keeps strangers out."""
    assert arns.pins_account(arn) is pinned


ANY = st.text(st.sampled_from("arn:aws*?/\0\1${}-x1:"), max_size=40)


@given(arn=ANY, kind=st.sampled_from([TABLE, INDEX, OBJECT, BUCKET, QUEUE, LOGS, ROLE]) | ANY)
def test_odd_text_always_gets_an_answer(arn: str, kind: str) -> None:
    """People write anything as Resource; nothing without a wildcard is every resource."""
    found = arns.covers_every(arn, kind)
    assert not found or "*" in arn
    arns.pins_account(arn)


SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"


@pytest.mark.parametrize(
    ("called", "written"),
    [
        ("prod/db", "prod/db-??????"),
        ("prod/db-AbC12d", "prod/db-AbC12d"),
        ("db-master", "db-master-??????"),
        ("db-MASTER", "db-MASTER"),
        ("db-??????", "db-??????-??????"),
    ],
)
def test_a_secret_is_written_with_the_six_characters_that_it_lacks(called: str, written: str) -> None:
    """What ends like drawn characters keeps its end; a word of six small letters is the name's."""
    assert arns.with_secret_suffix(SECRET + called) == SECRET + written
