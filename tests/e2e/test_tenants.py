"""A tenant's key on what is deployed: made, stored and taken at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local_aws import emulator, environment
from local_aws.journey import Client
from local_aws.places import PROJECT

if TYPE_CHECKING:
    from local_aws.outputs import Outputs
    from local_aws.places import Places

pytestmark = pytest.mark.e2e

INSISTING = ("--allow-root", "--allow-long-lived")
"""A local AWS's own credentials are both."""


def tenants(places: Places, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command on the session's local AWS."""
    record = emulator.read_record(places)
    assert record is not None
    environ = environment.for_clients(places, record.port, os.environ)
    command = [sys.executable, "-m", "tenants", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def test_a_new_tenants_key_opens_the_api(places: Places, deployed: Outputs) -> None:
    """It is printed alone on standard output, and the authorizer knows it."""
    made = tenants(places, "a-new-tenant", *INSISTING)
    assert made.returncode == 0, made.stderr
    (key,) = made.stdout.splitlines()
    assert Client(deployed.api_url, deployed.ca_bundle, key).request("GET", "/v1/ready").status == 200
    assert key not in made.stderr
    said = json.loads(tenants(places, "a-new-tenant", "--json", *INSISTING).stdout)
    assert said["tenant"] == "a-new-tenant"
    assert said["api_key"] != key


def test_nothing_is_stored_that_was_not_allowed(places: Places, deployed: Outputs) -> None:
    """A session that is refused, a name that is none, a deployment that is not there, production unconfirmed."""
    del deployed
    for arguments, status, words in (
        (("a-tenant",), 1, "root"),
        (("No Tenant", *INSISTING), 2, "no tenant id"),
        (("a-tenant", "--environment", "staging", *INSISTING), 1, "Rolebound-staging-Data"),
        (("a-tenant", "--environment", "prod", *INSISTING), 1, "nobody is there to confirm it"),
    ):
        refused = tenants(places, *arguments)
        assert (refused.returncode, refused.stdout) == (status, ""), refused.stderr
        assert words in refused.stderr
