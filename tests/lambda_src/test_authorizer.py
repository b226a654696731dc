"""The authorizer: an API key in, a tenant or a refusal out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from event_api.api_keys import mint
from event_api.telemetry import CallFailed
from tests.lambda_src.conftest import Context
from tests.lambda_src.made_up import KEY_ID, SECRET, TOKEN, told_by, traces
from tests.lambda_src.recording_server import RecordingServer, fault, ok

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from tests.lambda_src.conftest import Output

_MINTED = mint("acme", datetime(2026, 11, 1, tzinfo=UTC))


def _ask(module: ModuleType, headers: dict[str, str] | None) -> Any:  # noqa: ANN401 - what API Gateway reads
    return module.handler({"version": "2.0", "headers": headers}, Context())


def test_a_valid_key_gives_its_tenant(deployed: RecordingServer, start: Callable[[str], ModuleType]) -> None:
    """The context is what the API function reads the tenant from."""
    deployed.script("GetItem", ok({"Item": _MINTED.item}))

    answer = _ask(start("authorizer"), {"x-api-key": _MINTED.api_key})

    assert answer == {"isAuthorized": True, "context": {"tenant_id": "acme"}}
    assert deployed.requests[0].json["TableName"] == "api-keys"


@pytest.mark.parametrize("headers", [None, {}, {"x-api-key": ""}, {"x-api-key": "nonsense"}, {"authorization": "x"}])
def test_no_key_and_a_malformed_key_are_refused_without_a_request(
    headers: dict[str, str] | None, deployed: RecordingServer, start: Callable[[str], ModuleType]
) -> None:
    """Noise costs nothing."""
    assert _ask(start("authorizer"), headers) == {"isAuthorized": False}
    assert deployed.requests == []


def test_an_unknown_key_is_refused(deployed: RecordingServer, start: Callable[[str], ModuleType]) -> None:
    """As is one of the right form that the table does not have."""
    assert _ask(start("authorizer"), {"x-api-key": _MINTED.api_key}) == {"isAuthorized": False}
    assert deployed.operations == ["GetItem"]


@pytest.mark.parametrize(
    ("code", "metrics"), [("InvalidSignatureException", 1), ("ExpiredTokenException", 1), ("AccessDeniedException", 0)]
)
def test_a_table_that_cannot_be_read_fails_the_request_and_quotes_nothing(
    code: str,
    metrics: int,
    deployed: RecordingServer,
    start: Callable[[str], ModuleType],
    output: Callable[[], Output],
) -> None:
    """API Gateway answers 500 and caches no refusal; what Lambda logs of the exception holds no token and no key."""
    deployed.script("GetItem", fault(code, f"should have been 'x-amz-security-token:{TOKEN}'"))

    with pytest.raises(CallFailed, match=f"GetItem failed.*{code}") as failure:
        _ask(start("authorizer"), {"x-api-key": _MINTED.api_key})

    written = output()
    assert len(written.logs) == 1
    assert len(written.metrics) == metrics
    assert deployed.operations == ["GetItem"]
    secret = _MINTED.api_key[16:]
    assert traces(str(failure.value) + written.text, key_id=KEY_ID, secrets=(SECRET, TOKEN, secret)) == []
    assert failure.value.__suppress_context__


def test_bad_credentials_are_told_at_the_first_request(
    deployed: RecordingServer,
    start: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    output: Callable[[], Output],
) -> None:
    """Start-up does not crash; the request fails with one line and one metric, and nothing is sent."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "")
    module = start("authorizer")

    with pytest.raises(CallFailed, match="SessionTokenMissing") as failure:
        _ask(module, {"x-api-key": _MINTED.api_key})

    written = output()
    (line,) = written.logs
    assert (line["failure"], line["code"]) == ("credentials", "SessionTokenMissing")
    assert len(written.metrics) == 1
    assert deployed.requests == []
    assert traces(told_by(failure.value), key_id=KEY_ID, secrets=(SECRET,)) == []
