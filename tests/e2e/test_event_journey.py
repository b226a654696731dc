"""The main job, as a client sees it: an event over HTTPS into the tenant's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local_aws import journey, tenant
from local_aws.journey import Client

if TYPE_CHECKING:
    from local_aws.outputs import Outputs

pytestmark = pytest.mark.e2e


def test_an_event_becomes_available_unchanged(deployed: Outputs) -> None:
    """POST, queue, worker, GET: what comes out is what went in (`travel` compares)."""
    event = {"type": "order.paid", "data": {"order": "1", "näme": "Ünïcode", "list": [1, 2.5, None, {"deep": True}]}}
    assert journey.travel(deployed, event)


def test_health_needs_no_key(deployed: Outputs) -> None:
    """A load balancer or a monitor has no key."""
    assert Client(deployed.api_url, deployed.ca_bundle).request("GET", "/v1/health").status == 200


def test_ready_names_the_functions_role(client: Client, deployed: Outputs) -> None:
    """Readiness is proved by calls as the role, and says which role that is."""
    answer = client.request("GET", "/v1/ready")
    assert answer.status == 200
    assert f"arn:aws:sts::{deployed.account}:assumed-role/" in str(answer.body)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/events"), ("GET", "/v1/events/01M7XAFCXAH4C82KP1GH4HHX62"), ("GET", "/v1/ready")]
)
def test_without_a_key_nothing_is_answered(deployed: Outputs, method: str, path: str) -> None:
    """No key is 401 on every operation but health."""
    answer = Client(deployed.api_url, deployed.ca_bundle).request(method, path, {"type": "a.b", "data": {}})
    assert answer.status == 401


@pytest.mark.parametrize(
    "key",
    [
        "nonsense",
        "rb_abcdefghijkl_0123456789012345678901234567890123456789012",
        "rb_" + "a" * 12 + "_" + "A" * 43,
    ],
)
def test_a_wrong_key_is_refused(deployed: Outputs, key: str) -> None:
    """Malformed and unknown keys are 403."""
    answer = Client(deployed.api_url, deployed.ca_bundle, key).request("GET", "/v1/ready")
    assert answer.status == 403


def test_a_known_key_id_with_another_secret_is_refused(deployed: Outputs) -> None:
    """The id alone, which may be logged, opens nothing."""
    assert deployed.tenant == tenant.DEMO_TENANT
    start = deployed.api_key[: len("rb_") + 12 + 1]
    answer = Client(deployed.api_url, deployed.ca_bundle, start + "A" * 43).request("GET", "/v1/ready")
    assert answer.status == 403


def test_an_unknown_event_is_a_problem_document(client: Client) -> None:
    """Errors are problem documents with a type and the request's id."""
    answer = client.request("GET", "/v1/events/01M7XAFCXAH4C82KP1GH4HHX62")
    assert answer.status == 404
    assert {"type", "title", "status"} <= answer.body.keys()


def test_a_body_that_is_no_event_is_refused_by_name(client: Client) -> None:
    """The client is told what is wrong with its event."""
    answer = client.request("POST", "/v1/events", {"data": {}})
    assert answer.status == 400
    assert "type" in answer.body["detail"]
