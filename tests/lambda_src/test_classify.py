"""What a failed call means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore import exceptions as sdk  # noqa: TID251 - the errors that clients raise
from botocore.parsers import ResponseParserError  # noqa: TID251
from hypothesis import given
from hypothesis import strategies as st

from event_api.role_clients import (
    AWS_ERRORS,
    CredentialsUnreachable,
    FailureKind,
    LongLivedKey,
    RoleClients,
    classify,
    condition_failed,
)
from tests.lambda_src.made_up import REGION, SECRET, TOKEN
from tests.lambda_src.recording_server import RecordingServer, fault, text

if TYPE_CHECKING:
    from collections.abc import Callable

_URL = "https://sqs.us-east-1.amazonaws.com"


def _answered(code: str, status: int | None = 400, message: str = "in the service's words") -> sdk.ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}}
    if status is not None:
        response["ResponseMetadata"] = {"HTTPStatusCode": status, "RequestId": "request-7"}
    return sdk.ClientError(response, "SendMessage")


_BY_CODE: dict[FailureKind, list[tuple[str, int | None]]] = {
    FailureKind.CREDENTIALS: [
        ("UnrecognizedClientException", 400),
        ("com.amazon.coral.service#UnrecognizedClientException", 400),
        ("InvalidClientTokenId", 403),
        ("InvalidAccessKeyId", 403),
        ("InvalidSignatureException", 400),
        ("com.amazonaws.dynamodb.v20120810#InvalidSignatureException", 400),
        ("SignatureDoesNotMatch", 403),
        ("IncompleteSignature", 400),
        ("MissingAuthenticationToken", 403),
        ("MissingAuthenticationTokenException", 400),
        ("InvalidToken", 400),
        ("RequestTimeTooSkewed", 403),
        ("AuthFailure", 401),
        ("InvalidClientTokenId", None),
    ],
    FailureKind.EXPIRED: [
        ("ExpiredToken", 403),
        ("ExpiredTokenException", 400),
        ("com.amazon.coral.service#ExpiredTokenException", 400),
        ("RequestExpired", 400),
    ],
    FailureKind.DENIED: [
        ("AccessDenied", 403),
        ("AccessDeniedException", 400),
        ("com.amazon.coral.service#AccessDeniedException", 400),
        ("UnauthorizedOperation", 403),
        ("KmsAccessDenied", 400),
        ("403", 403),
        ("Forbidden", 403),
        ("SomethingNew", 401),
        ("SomethingNew", 403),
    ],
    FailureKind.THROTTLED: [
        ("ThrottlingException", 400),
        ("Throttling", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", 400),
        ("RequestLimitExceeded", 400),
        ("LimitExceededException", 400),
        ("RequestThrottled", 403),
        ("SlowDown", 503),
        ("TooManyRequestsException", 429),
        ("429", 429),
        ("SomethingNew", 429),
    ],
    FailureKind.MISSING: [
        ("ResourceNotFoundException", 400),
        ("AWS.SimpleQueueService.NonExistentQueue", 400),
        ("com.amazonaws.sqs#QueueDoesNotExist", 400),
        ("QueueDoesNotExist", 400),
        ("NoSuchBucket", 404),
        ("NoSuchKey", 404),
        ("404", 404),
        ("SomethingNew", 404),
    ],
    FailureKind.INVALID: [
        ("ConditionalCheckFailedException", 400),
        ("ValidationException", 400),
        ("com.amazon.coral.validate#ValidationException", 400),
        ("SerializationException", 400),
        ("InvalidParameterValue", 400),
        ("InvalidMessageContents", 400),
        ("SomethingNew", 400),
        ("400", 400),
        ("SomethingNew", 412),
    ],
    FailureKind.UNAVAILABLE: [
        ("InternalServerError", 500),
        ("InternalFailure", 500),
        ("InternalError", 400),
        ("ServiceUnavailable", 503),
        ("RequestTimeout", 400),
        ("500", 500),
        ("SomethingNew", 500),
        ("SomethingNew", None),
        ("SomethingNew", 200),
        ("SomethingNew", 302),
        ("", None),
    ],
}


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [(kind, code, status) for kind, answers in _BY_CODE.items() for code, status in answers],
)
def test_a_services_answer_is_read_by_its_code_then_by_its_status(
    kind: FailureKind, code: str, status: int | None
) -> None:
    """Known codes, in the forms that services give them, tell the kind; an unknown one is told by its status."""
    failure = classify(_answered(code, status))

    assert failure.kind is kind
    assert failure.operation == "SendMessage"
    assert failure.request_id == ("request-7" if status is not None else "")


_REFUSED = LongLivedKey("a refusal of ours")


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (sdk.EndpointConnectionError(endpoint_url=_URL), FailureKind.UNAVAILABLE, "EndpointConnectionError"),
        (sdk.ConnectTimeoutError(endpoint_url=_URL), FailureKind.UNAVAILABLE, "ConnectTimeoutError"),
        (sdk.ReadTimeoutError(endpoint_url=_URL), FailureKind.UNAVAILABLE, "ReadTimeoutError"),
        (sdk.ConnectionClosedError(endpoint_url=_URL), FailureKind.UNAVAILABLE, "ConnectionClosedError"),
        (sdk.SSLError(endpoint_url=_URL, error=OSError("bad")), FailureKind.UNAVAILABLE, "SSLError"),
        (ResponseParserError("<html>"), FailureKind.UNAVAILABLE, "ResponseParserError"),
        (sdk.ParamValidationError(report="no"), FailureKind.INVALID, "ParamValidationError"),
        (sdk.NoCredentialsError(), FailureKind.CREDENTIALS, "NoCredentialsError"),
        (
            sdk.PartialCredentialsError(provider="x", cred_var="y"),
            FailureKind.CREDENTIALS,
            "PartialCredentialsError",
        ),
        (
            sdk.CredentialRetrievalError(provider="x", error_msg="y"),
            FailureKind.CREDENTIALS,
            "CredentialRetrievalError",
        ),
        (_REFUSED, FailureKind.CREDENTIALS, "LongLivedKey"),
        (CredentialsUnreachable("a refusal of ours"), FailureKind.CREDENTIALS, "CredentialsUnreachable"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_without_a_services_answer_is_read_by_its_class(
    error: Exception, kind: FailureKind, code: str
) -> None:
    """A closed path, a fault of the caller and a missing identity are told apart, and all can be caught by one name."""
    failure = classify(error)

    assert isinstance(error, AWS_ERRORS)
    assert (failure.kind, failure.code) == (kind, code)
    assert (failure.operation, failure.request_id) == ("", "")
    assert failure.detail


def test_a_refusal_of_the_factory_keeps_its_cure() -> None:
    """What the factory says about cause and cure reaches the log."""
    assert classify(_REFUSED).detail == "a refusal of ours"


@pytest.mark.parametrize(
    ("kind", "fault_of_credentials"),
    [(kind, kind in {FailureKind.CREDENTIALS, FailureKind.EXPIRED}) for kind in FailureKind],
)
def test_a_credential_fault_is_an_invalid_or_an_expired_signer(
    kind: FailureKind, *, fault_of_credentials: bool
) -> None:
    """Those two cannot be mended by asking again; a denial is no fault of the credentials."""
    code, status = _BY_CODE[kind][0]

    assert classify(_answered(code, status)).is_credential_fault is fault_of_credentials


_CANONICAL_REQUEST = (
    "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this "
    f"request should have been\n'POST\n/\n\nhost:sqs.us-east-1.amazonaws.com\nx-amz-security-token:{TOKEN}\n'"
)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *_BY_CODE[FailureKind.CREDENTIALS],
        *_BY_CODE[FailureKind.EXPIRED],
        # A code that nobody has heard of, with the same words.
        ("SignatureNotToOurTaste", 403),
        ("SignatureNotToOurTaste", 400),
        ("SignatureNotToOurTaste", 500),
    ],
)
def test_what_a_service_says_about_a_signature_is_not_passed_on(code: str, status: int | None) -> None:
    """A service that rejects a signature may quote the request it saw, session token included."""
    failure = classify(_answered(code, status, _CANONICAL_REQUEST))

    assert TOKEN not in repr(failure)
    assert code.rpartition("#")[2] in failure.detail
    assert "Look" in failure.detail


def test_a_denial_keeps_the_services_words() -> None:
    """They name the principal and the action, which is what the reader has to act on."""
    sentence = "User: arn:aws:sts::123456789012:assumed-role/api/api is not authorized to perform: sqs:SendMessage"

    assert classify(_answered("AccessDenied", 403, sentence)).detail == sentence


def test_a_header_that_the_http_client_refuses_is_not_passed_on() -> None:
    """Its message quotes the header's value, which may be the session token."""
    refused = sdk.HTTPClientError(error=ValueError(f"Invalid header value b'{TOKEN}\\n'"))

    failure = classify(refused)

    assert failure.kind is FailureKind.UNAVAILABLE
    assert TOKEN not in repr(failure)
    assert "ValueError" in failure.detail


_words = st.text(max_size=20)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=6,
)
_codes = st.sampled_from([code for answers in _BY_CODE.values() for code, _ in answers])
_errors = st.fixed_dictionaries({}, optional={"Code": _codes | _json, "Message": _json, "Type": _json})
_metadata = st.fixed_dictionaries({}, optional={"HTTPStatusCode": _json | st.integers(100, 599), "RequestId": _json})
_responses = st.fixed_dictionaries({}, optional={"Error": _errors | _json, "ResponseMetadata": _metadata | _json})


@given(response=_responses | _json, operation=_words | st.none())
def test_any_response_is_read_without_a_crash(response: object, operation: str | None) -> None:
    """What reports a failure must not fail itself, however odd the answer was."""
    error: Any = sdk.ClientError({}, "SendMessage")
    error.response = response
    error.operation_name = operation

    failure = classify(error)

    assert isinstance(failure.kind, FailureKind)
    assert failure.code
    assert {type(part) for part in (failure.code, failure.operation, failure.request_id, failure.detail)} == {str}


@given(st.builds(Exception, _words))
def test_any_other_exception_is_unavailable(error: Exception) -> None:
    """An error that nobody foresaw is not taken for a fault of the caller or the credentials."""
    assert classify(error).kind is FailureKind.UNAVAILABLE


@pytest.mark.parametrize("prefix", ["", "com.amazonaws.dynamodb.v20120810#"])
def test_a_failed_condition_is_told_from_other_refusals(prefix: str) -> None:
    """The writer's own condition is an answer, not a failure."""
    assert condition_failed(_answered(f"{prefix}ConditionalCheckFailedException"))
    assert not condition_failed(_answered(f"{prefix}ValidationException"))
    assert not condition_failed(sdk.ReadTimeoutError(endpoint_url=_URL))


_QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/events"

_OVER_HTTP: dict[str, tuple[Callable[[RoleClients], object], str, int, FailureKind]] = {
    "PutItem": (
        lambda clients: clients.client("dynamodb").put_item(TableName="events", Item={}),
        "ResourceNotFoundException",
        400,
        FailureKind.MISSING,
    ),
    "SendMessage": (
        lambda clients: clients.client("sqs").send_message(QueueUrl=_QUEUE, MessageBody="{}"),
        "QueueDoesNotExist",
        400,
        FailureKind.MISSING,
    ),
    "GetCallerIdentity": (
        lambda clients: clients.client("sts").get_caller_identity(),
        "InvalidClientTokenId",
        403,
        FailureKind.CREDENTIALS,
    ),
    "GET payloads": (
        lambda clients: clients.client("s3").get_object(Bucket="payloads", Key="tenant/id"),
        "NoSuchKey",
        404,
        FailureKind.MISSING,
    ),
    "DescribeManagedPrefixLists": (
        lambda clients: clients.client("ec2").describe_managed_prefix_lists(),
        "UnauthorizedOperation",
        403,
        FailureKind.DENIED,
    ),
}


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("operation", _OVER_HTTP)
def test_code_operation_and_request_id_survive_each_services_protocol(operation: str, aws: RecordingServer) -> None:
    """From the bytes on the wire to the reading: JSON, query, REST and EC2's own XML all give the request's id."""
    call, code, status, kind = _OVER_HTTP[operation]
    aws.script(operation, fault(code, status=status))

    with pytest.raises(sdk.ClientError) as failure:
        call(RoleClients(REGION))

    read = classify(failure.value)
    assert (read.kind, read.code, read.request_id) == (kind, code, "request-of-the-server")
    assert read.operation == {"GET payloads": "GetObject"}.get(operation, operation)


@pytest.mark.usefixtures("runtime")
def test_a_queue_that_is_missing_is_recognised_by_the_code_of_the_old_protocol(aws: RecordingServer) -> None:
    """SQS sends the old code along in a header, and the SDK prefers it."""
    header = {"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"}
    aws.script("SendMessage", fault("QueueDoesNotExist", headers=header))

    with pytest.raises(sdk.ClientError) as failure:
        RoleClients(REGION).client("sqs").send_message(QueueUrl=_QUEUE, MessageBody="{}")

    assert classify(failure.value).code == "AWS.SimpleQueueService.NonExistentQueue"
    assert classify(failure.value).kind is FailureKind.MISSING


@pytest.mark.usefixtures("runtime")
def test_a_stranger_that_answers_in_a_services_place_is_caught(aws: RecordingServer) -> None:
    """A captive page instead of XML is an error that callers catch, not a crash."""
    aws.script("GetCallerIdentity", text(f"<html>{SECRET}"))

    with pytest.raises(AWS_ERRORS) as failure:
        RoleClients(REGION).client("sts").get_caller_identity()

    assert classify(failure.value).kind is FailureKind.UNAVAILABLE
    assert SECRET not in repr(classify(failure.value))
