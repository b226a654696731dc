"""What the lines of a log say went wrong."""

from __future__ import annotations

import json
import time
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_cli.diagnosis.deployed_function import LogLine
from operator_cli.diagnosis.logged_errors import Kind, LoggedError, errors_in
from operator_cli.masking import masked
from tests.operator_cli.conftest import KEY_ID, MARK, SECRET, SESSION_TOKEN, TEMPORARY_KEY_ID

QUEUE: Final = "arn:aws:sqs:eu-west-1:123456789012:orders"
ROLE: Final = "arn:aws:sts::123456789012:assumed-role/events/events-api"


def only(text: str) -> LoggedError:
    """Give the one error of a line."""
    (error,) = errors_in([LogLine(1, text)])
    return error


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("An error occurred (InvalidClientTokenId) when calling", Kind.UNKNOWN_SIGNER, "InvalidClientTokenId"),
        ("The security token included in the request is invalid.", Kind.UNKNOWN_SIGNER, "InvalidClientTokenId"),
        ("(InvalidAccessKeyId) The AWS Access Key Id you provided", Kind.UNKNOWN_SIGNER, "InvalidAccessKeyId"),
        ("event_api.role_clients.SessionTokenMissing: The key", Kind.UNKNOWN_SIGNER, "SessionTokenMissing"),
        ("(ExpiredToken) The provided token has expired", Kind.EXPIRED, "ExpiredToken"),
        ("The security token included in the request is expired", Kind.EXPIRED, "ExpiredToken"),
        ("(AuthFailure) AWS was not able to validate the provided", Kind.UNKNOWN_SIGNER, "AuthFailure"),
        ("(SignatureDoesNotMatch) The request signature we", Kind.SIGNATURE, "SignatureDoesNotMatch"),
        ("(InvalidSignatureException) Signature expired: 2026", Kind.CLOCK, "RequestTimeTooSkewed"),
        ("(RequestTimeTooSkewed) The difference between", Kind.CLOCK, "RequestTimeTooSkewed"),
        ("NoCredentialsError: Unable to locate credentials", Kind.NO_CREDENTIALS, "NoCredentialsError"),
        ("PartialCredentialsError: Partial credentials", Kind.NO_CREDENTIALS, "PartialCredentialsError"),
        ("The config profile (dev) could not be found", Kind.PROFILE, "ProfileNotFound"),
        ("event_api.role_clients.LeftoverProfile: AWS_PROFILE", Kind.PROFILE, "LeftoverProfile"),
        ("event_api.role_clients.ForeignEndpoint: AWS_ENDPOINT", Kind.ENDPOINT_OVERRIDE, "ForeignEndpoint"),
        ("2026-11-25T10:00:00Z 1f Task timed out after 3.00 seconds", Kind.TIMEOUT, "Task timed out"),
        ("REPORT RequestId: 1\tDuration: 3000.00 ms\tStatus: timeout", Kind.TIMEOUT, "Task timed out"),
        (
            '{"type": "platform.report", "record": {"requestId": "1", "status": "timeout"}}',
            Kind.TIMEOUT,
            "Task timed out",
        ),
        ("ConnectTimeoutError: Connect timeout on endpoint URL", Kind.TIMEOUT, "ConnectTimeoutError"),
        ("Read timeout on endpoint URL: x", Kind.TIMEOUT, "ReadTimeoutError"),
        ("socket.gaierror: [Errno -2] Name or service not known", Kind.TIMEOUT, "EndpointConnectionError"),
        ("(UnauthorizedOperation) You are not authorized", Kind.DENIED, "UnauthorizedOperation"),
        (f"User: {ROLE} is not authorized to perform: sqs:X", Kind.DENIED, "AccessDenied"),
        ("Runtime.ImportModuleError: Unable to import", Kind.NOT_CREDENTIALS, "Runtime.ImportModuleError"),
        ("Runtime exited with error: signal: killed", Kind.NOT_CREDENTIALS, "OutOfMemory"),
        ("[ERROR] KeyError: 'ORDER_ID'\nTraceback (most recent call last):", Kind.ANOTHER, "KeyError"),
        (
            "[ERROR] OperationalError: connection to server at 10.0.0.5 failed: timed out",
            Kind.ANOTHER,
            "OperationalError",
        ),
        ("[ERROR] Throttled\nTraceback (most recent call last):", Kind.ANOTHER, "Throttled"),
        ('{"errorType": "KeyError", "errorMessage": "\'ORDER_ID\'", "level": "ERROR"}', Kind.ANOTHER, "KeyError"),
        ("[ERROR] ClientError: An error occurred (ExpiredToken) when calling", Kind.EXPIRED, "ExpiredToken"),
    ],
)
def test_an_error_points_to_its_family(text: str, kind: Kind, code: str) -> None:
    """The order of the causes follows from it."""
    error = only(text)
    assert (error.kind, error.code) == (kind, code)


@pytest.mark.parametrize(
    "text",
    [
        "START RequestId: 1 Version: $LATEST",
        "REPORT RequestId: 1\tDuration: 3 ms",
        "accepted event 17",
        '{"level": "INFO", "message": "sent"}',
        '{"type": "platform.report", "record": {"requestId": "1", "status": "success"}}',
        "An error occurred (ConditionalCheckFailedException) when calling the PutItem operation",
        "Runtime.HandlerError",
        "",
    ],
)
def test_what_is_no_failure_of_a_call_gives_nothing(text: str) -> None:
    """Lambda's own lines, the application's words, and errors that belong to its logic."""
    assert errors_in([LogLine(1, text)]) == ()


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("sqs.eu-west-1.amazonaws.com/", "sqs"),
        ("dynamodb.us-east-1.amazonaws.com/", "dynamodb"),
        ("123456789012.ddb.eu-west-1.amazonaws.com/", "dynamodb"),
        ("payloads.s3.eu-west-1.amazonaws.com/key", "s3"),
        ("secretsmanager.eu-west-1.amazonaws.com/", "secretsmanager"),
    ],
)
def test_a_time_out_names_its_service(host: str, service: str) -> None:
    """So that a closed way to another service is not taken for its cause."""
    error = only(f'botocore.exceptions.ConnectTimeoutError: Connect timeout on endpoint URL: "https://{host}"')
    assert error.service == service


def test_a_denial_says_who_what_on_what_and_which_policy() -> None:
    """As far as AWS's own words do."""
    error = only(
        f"[ERROR] ClientError: An error occurred (AccessDenied) when calling the SendMessage operation: User: {ROLE} is not"
        f" authorized to perform: sqs:sendmessage on resource: {QUEUE} with an explicit deny in a service control policy:"
        " arn:aws:organizations::1:policy/o-1/service_control_policy/p-1"
    )
    assert (error.operation, error.action, error.resource, error.principal) == (
        "SendMessage",
        "sqs:sendmessage",
        QUEUE,
        ROLE,
    )
    assert (error.policy_type, error.is_explicit) == ("scp", True)
    assert error.policy.endswith("/p-1")


def test_a_profile_counts_before_the_time_out_that_follows_from_it() -> None:
    """A line that names the cause and its consequence is about the cause."""
    error = only("ProfileNotFound: The config profile (dev) could not be found; Task timed out after 3 s")
    assert error.kind is Kind.PROFILE


def test_a_log_in_json_is_read_as_the_texts_in_it() -> None:
    """Lambda's JSON format and Powertools put errors into fields, escaped."""
    line = json.dumps(
        {
            "level": "ERROR",
            "exception": ["Traceback", 'endpoint URL: "https://sqs.eu-west-1.amazonaws.com/"'],
            "message": "EndpointConnectionError",
        }
    )
    error = only(line)
    assert (error.code, error.service) == ("EndpointConnectionError", "sqs")


def test_the_same_error_is_told_once_with_how_often_and_when_last() -> None:
    """A loop of retries is one fault."""
    lines = [LogLine(at, "(InvalidClientTokenId) when calling the SendMessage operation") for at in (3, 9, 5)]
    (error,) = errors_in([*lines, LogLine(1, "nothing")])
    assert (error.times, error.last) == (3, 9)


def test_different_operations_are_different_errors_the_newest_first() -> None:
    """STS works and SQS does not: that is the story."""
    errors = errors_in(
        [
            LogLine(1, "(UnrecognizedClientException) when calling the PutItem operation"),
            LogLine(2, "(InvalidClientTokenId) when calling the SendMessage operation"),
        ]
    )
    assert [error.operation for error in errors] == ["SendMessage", "PutItem"]


@given(
    st.text(),
    st.sampled_from(["InvalidClientTokenId ", "AccessDenied ", "Task timed out after ", 'endpoint URL: "']),
    st.text(),
)
def test_no_line_breaks_it(before: str, words: str, after: str) -> None:
    """Whatever a function writes."""
    for error in errors_in([LogLine(1, f"{before}{words}{after}")]):
        assert len(error.excerpt) <= 242
        assert "\n" not in error.excerpt


@given(
    st.text(alphabet="ab c:=\"'\n/", max_size=60),
    st.sampled_from([KEY_ID, TEMPORARY_KEY_ID, SECRET, SESSION_TOKEN]),
    st.text(alphabet=" ,;\"'\n", min_size=1, max_size=60),
)
def test_a_secret_is_never_quoted(before: str, secret: str, after: str) -> None:
    """Wherever it stands in the line, also where the line is cut."""
    for error in errors_in([LogLine(1, f"InvalidClientTokenId {before} {secret}{after}")]):
        assert secret not in error.excerpt
        assert MARK not in error.excerpt


@pytest.mark.parametrize("secret", ["a1" * 32, "A1b2" * 12, "IQoJb3JpZ2lu" + "x1Y2" * 100])
def test_what_is_as_dense_as_a_secret_is_masked(secret: str) -> None:
    """Hashes too: nobody needs them here."""
    assert secret not in masked(f"token {secret} end")


def test_names_and_arns_are_kept() -> None:
    """They are what the reader looks for."""
    text = f"{ROLE} may not {QUEUE} at /var/task/app/handlers/orders/really/long/path/v2/index.py"
    assert ROLE in masked(text)
    assert QUEUE in masked(text)


def test_long_lines_are_read_quickly() -> None:
    """Somebody logs whole payloads."""
    lines = [LogLine(1, text) for text in ("x" * 2_000_000, "a1" * 1_000_000, '{"a": ' * 3000, "User: " * 50_000)]
    begin = time.process_time()
    errors_in(lines)
    assert time.process_time() - begin < 2
