"""`outputs.json`, the contract with clients, tests and benchmarks."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from local_aws import outputs, up
from local_aws.outputs import Outputs

if TYPE_CHECKING:
    from pathlib import Path

OUTPUTS = Outputs(
    api_url="https://localhost:4566/_aws/execute-api/abc/$default",
    api_key="rb_abcdefghijkl_0123456789012345678901234567890123456789012",
    tenant="demo",
    ca_bundle="/my project/.local/tls/ca.pem",
    region="us-east-1",
    account="123456789012",
    endpoint_url="https://localhost:4566",
    emulator_pid=4711,
)


def test_the_file_has_exactly_the_agreed_names(tmp_path: Path) -> None:
    """The design's contract: these names and no others."""
    outputs.write(tmp_path / "outputs.json", OUTPUTS)
    assert json.loads((tmp_path / "outputs.json").read_text()).keys() == {
        "api_url",
        "api_key",
        "tenant",
        "ca_bundle",
        "region",
        "account",
        "endpoint_url",
        "emulator_pid",
    }


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """It holds an API key."""
    path = tmp_path / "outputs.json"
    path.write_text("{}")
    path.chmod(0o644)
    outputs.write(path, OUTPUTS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Nothing is lost, and a second write replaces the first."""
    path = tmp_path / "outputs.json"
    outputs.write(path, OUTPUTS)
    outputs.write(path, replace(OUTPUTS, emulator_pid=1))
    assert outputs.read(path) == replace(OUTPUTS, emulator_pid=1)
    assert [found.name for found in tmp_path.iterdir()] == ["outputs.json"]


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"api_url": "x"}'])
def test_a_missing_or_incomplete_file_is_none(tmp_path: Path, content: str | None) -> None:
    """Readers need not guess which half is there."""
    if content is not None:
        (tmp_path / "outputs.json").write_text(content)
    assert outputs.read(tmp_path / "outputs.json") is None


def test_the_curl_lines_can_be_pasted_into_a_shell() -> None:
    """Quoting survives spaces in the path and the `$` of the stage, and a shell's proxy is not asked."""
    lines = up.curl_lines(OUTPUTS).splitlines()
    assert all("--noproxy localhost" in line and f"--cacert '{OUTPUTS.ca_bundle}'" in line for line in lines)
    assert all(f"'{OUTPUTS.api_url}/v1/" in line for line in lines)
    assert any("content-type: application/json" in line and "/v1/events'" in line for line in lines)
