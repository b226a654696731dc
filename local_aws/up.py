"""`make up`: local AWS with the whole application deployed, and one event through it."""

from __future__ import annotations

import os
import shlex
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local_aws import emulator, environment, journey, outputs, ports, tenant
from local_aws.cdk import Cdk
from local_aws.cloud import Cloud
from local_aws.emulator import State
from local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local_aws.outputs import Outputs
    from local_aws.places import Places

DEPLOYMENT = "dev"
"""The environment's name, and so the middle of every stack's name."""

CONTEXT = {
    "target": "local",
    "environment": DEPLOYMENT,
    "account": environment.ACCOUNT,
    "region": environment.REGION,
}


def bring_up(places: Places, show: Callable[[str], None]) -> Outputs:
    """Start local AWS if it does not run, deploy, and send one event through the application.

    Everything is repeatable: what is there and current is kept.

    Args:
        places: Where this local AWS lies.
        show: Prints one line to the person.

    Returns:
        What was also written to `outputs.json`.

    Raises:
        LocalAwsError: A step failed; what was there before is left for a look at it.
    """
    with step("[5/6] Local AWS and the stacks, deployed by the CDK", show):
        places.deploy_log.parent.mkdir(parents=True, exist_ok=True)
        places.deploy_log.write_text("")
        record = running_emulator(places, show)
        variables = environment.for_clients(places, record.port, os.environ)
        with environment.only(variables):
            ensure_bootstrapped(places, variables, show)
            Cdk(places, variables, show).deploy(context=CONTEXT)
    with step("[6/6] A tenant, its API key, and one event through the application", show):
        with environment.only(variables):
            deployed = deployed_outputs(places, record)
        outputs.write(places.outputs, deployed)
        event_id = journey.travel(deployed)
        show(f"      event {event_id}: accepted, queued, and available to the tenant")
    return deployed


def running_emulator(places: Places, show: Callable[[str], None]) -> emulator.Record:
    """The emulator that already runs and answers, or a new one.

    Raises:
        LocalAwsError: It cannot be started, or runs and does not answer.
    """
    found, record = emulator.state(places)
    if found is State.RUNNING and record is not None:
        return record
    if found is State.SILENT:
        raise LocalAwsError(
            "The emulator runs but does not answer.",
            why="Nothing can be deployed to it.",
            next_step="Run `make down`, then `make up`; what was in it is lost, as always when local AWS stops.",
            log=places.emulator_log,
        )
    if found is State.DEAD:
        show("      the last emulator died; starting a new, empty one")
    if found is State.OUTDATED:
        show("      the emulator's packages or folder changed; starting a new, empty one")
        emulator.stop(places)
    record = emulator.start(places)
    if record.port != ports.USUAL_PORT:
        show(f"      port {ports.USUAL_PORT} is taken by another program; using {record.port}")
    return record


def ensure_bootstrapped(places: Places, variables: Mapping[str, str], show: Callable[[str], None]) -> None:
    """Make the CDK's own bucket and roles unless they are there.

    Raises:
        LocalAwsError: `cdk bootstrap` failed.
    """
    if not Cloud().is_bootstrapped():
        Cdk(places, variables, show).bootstrap()


def deployed_outputs(places: Places, record: emulator.Record) -> Outputs:
    """What clients need to know of what is deployed, with an API key that works.

    Raises:
        LocalAwsError: The stacks do not say it.
    """
    cloud = Cloud()
    data = cloud.stack_outputs(f"Rolebound-{DEPLOYMENT}-Data")
    api = cloud.stack_outputs(f"Rolebound-{DEPLOYMENT}-Api")
    missing = {"ApiKeysTableName"} - set(data) | {"ApiId"} - set(api)
    if missing:
        raise LocalAwsError(
            f"The deployed stacks have no output {', '.join(sorted(missing))}.",
            why="Without it the API and its key table cannot be found.",
            next_step="Put the output back (stacks/data_stack.py, stacks/api_stack.py), then `make up`.",
            log=places.deploy_log,
        )
    before = outputs.read(places.outputs)
    endpoint = environment.endpoint_url(record.port)
    return outputs.Outputs(
        api_url=f"{endpoint}/_aws/execute-api/{api['ApiId']}/$default",
        api_key=tenant.ensure_api_key(
            cloud,
            data["ApiKeysTableName"],
            previous=before.api_key if before else None,
            now=datetime.now(UTC),
        ),
        tenant=tenant.DEMO_TENANT,
        ca_bundle=str(places.ca_bundle),
        region=environment.REGION,
        account=environment.ACCOUNT,
        endpoint_url=endpoint,
        emulator_pid=record.pid,
    )


def curl_lines(deployed: Outputs) -> str:
    """Commands to copy: send an event, read it back, and ask without a key."""
    # A shell's proxy would be asked for localhost otherwise.
    base = ["curl", "--noproxy", "localhost", "--cacert", deployed.ca_bundle]
    key = ["-H", f"x-api-key: {deployed.api_key}"]
    event = ["-H", "content-type: application/json", "-d", '{"type": "order.created", "data": {"order": "7"}}']
    url = f"{deployed.api_url}/v1"
    return "\n".join(
        shlex.join(command)
        for command in (
            [*base, *key, *event, f"{url}/events"],
            [*base, *key, f"{url}/events/EVENT-ID"],
            [*base, f"{url}/health"],
        )
    )


@contextmanager
def step(title: str, show: Callable[[str], None]) -> Iterator[None]:
    """Announce a step, and say how long it took."""
    show(title)
    begin = time.monotonic()
    yield
    show(f"      done in {time.monotonic() - begin:.0f} s")
