"""Requests from API Gateway, and what goes back."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_api.http_api import MalformedBody, Problem, json_response, parse_request


@given(st.binary())
def test_a_base64_body_is_decoded(body: bytes) -> None:
    """API Gateway encodes what is no text; the bytes arrive as the client sent them."""
    request = parse_request({"isBase64Encoded": True, "body": base64.b64encode(body).decode()})

    assert request.body == body


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_body_is_taken_as_utf_8(body: str) -> None:
    """The bytes arrive as the client sent them."""
    assert parse_request({"isBase64Encoded": False, "body": body}).body == body.encode()


@pytest.mark.parametrize(
    "event",
    [
        {"isBase64Encoded": True, "body": "é"},
        {"isBase64Encoded": True, "body": "a"},
        {"isBase64Encoded": True, "body": "a b="},
        {"body": "\ud800"},
    ],
    ids=["not ASCII", "wrong padding", "a space", "half a character"],
)
def test_a_body_that_cannot_be_decoded_is_the_clients_fault(event: dict[str, object]) -> None:
    """It is told as a malformed body with its cure, not as a failure of the service."""
    with pytest.raises(MalformedBody, match=r"nothing was stored\. Send UTF-8 JSON"):
        parse_request(event)


def test_tenant_and_ids_come_from_where_api_gateway_puts_them() -> None:
    """The tenant is the authorizer's word, never the client's."""
    request = parse_request(
        {
            "requestContext": {"requestId": "request-1", "authorizer": {"lambda": {"tenant_id": "acme"}}},
            "pathParameters": {"id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
            "headers": {"tenant_id": "other", "x-tenant-id": "other"},
            "queryStringParameters": {"tenant_id": "other"},
            "body": '{"tenant_id":"other"}',
        }
    )

    assert request.tenant_id == "acme"
    assert request.request_id == "request-1"
    assert request.path == {"id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"requestContext": None, "pathParameters": None, "body": None},
        {"requestContext": {"authorizer": None}},
        {"requestContext": {"authorizer": {"lambda": None}}},
        {"requestContext": {"authorizer": {"jwt": {"claims": {}}}}},
    ],
)
def test_what_api_gateway_leaves_out_is_empty(event: dict[str, object]) -> None:
    """A route without authorizer, body or parameters gives a request without them."""
    request = parse_request(event)

    assert (request.tenant_id, request.request_id, request.body, request.path) == ("", "", b"", {})


def test_a_problem_is_an_rfc_9457_document_with_the_requests_id() -> None:
    """A client can tell the kind by `type` and quote the id to the operators."""
    response = Problem("too-odd", 418, "It is too odd", "Make it even.").response("request-1")

    assert response["statusCode"] == 418
    assert response["headers"]["content-type"] == "application/problem+json"
    assert response["headers"]["cache-control"] == "no-store"
    assert "retry-after" not in response["headers"]
    assert json.loads(response["body"]) == {
        "type": "urn:rolebound:problem:too-odd",
        "title": "It is too odd",
        "status": 418,
        "detail": "Make it even.",
        "request_id": "request-1",
    }


def test_a_problem_that_passes_says_when_to_try_again() -> None:
    """A header that HTTP clients understand."""
    assert Problem("busy", 503, "Busy", retry_after=2).response("r")["headers"]["retry-after"] == "2"


def test_no_response_is_kept_by_a_cache() -> None:
    """One tenant's event must not be given to another by something in between."""
    response = json_response(202, {"id": "é"}, location="/v1/events/1", x_more="y")

    assert response["statusCode"] == 202
    assert json.loads(response["body"]) == {"id": "é"}
    assert response["headers"] == {
        "content-type": "application/json",
        "cache-control": "no-store",
        "location": "/v1/events/1",
        "x-more": "y",
    }
