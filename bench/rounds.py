"""Starts the contenders in turn, each time in a fresh process, and reads what each of them says."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.cold_start import Bytecode, Clock, Measurement, Stage, Start
from bench.stand_in_aws import stand_in_aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.packages import Installed

_ONE: Final = Path(__file__).with_name("one_cold_start.py")
_WITHIN_SECONDS: Final = 120

_ACCEPTED: Final = 202
_EXPECTED: Final = (range(200, 201), range(_ACCEPTED, _ACCEPTED + 1), range(404, 405), range(400, 500))
"""The statuses of the four requests: healthy, accepted, no such event, refused."""


class ContenderFailed(Exception):
    """A contender did not start, or did not do the job that all of them do; the text says which and how."""


def measure(contenders: Mapping[str, Installed], rounds: int) -> Measurement:
    """Run the rounds: in each, every contender once without bytecode, then every one with it.

    A first round is run and not counted: it brings the files into the machine's memory.

    Args:
        contenders: By slug, in the order in which they start.
        rounds: How many to count.

    Raises:
        ContenderFailed: One could not be measured.
    """
    starts: dict[Bytecode, dict[str, list[Start]]] = {
        bytecode: {slug: [] for slug in contenders} for bytecode in Bytecode
    }
    print(f"{rounds} rounds of {len(contenders) * len(Bytecode)} cold starts, and one that is not counted", end=" ")
    with stand_in_aws() as endpoint:
        environment = _environment(endpoint)
        for round_number in range(rounds + 1):
            for bytecode in Bytecode:
                for slug, contender in contenders.items():
                    start = _start(slug, contender, bytecode, environment)
                    if round_number:
                        starts[bytecode][slug].append(start)
            print(".", end="", flush=True)
    print()
    return Measurement(
        python=platform.python_version(),
        contenders={slug: contender.facts for slug, contender in contenders.items()},
        starts=starts,
    )


def _start(slug: str, contender: Installed, bytecode: Bytecode, environment: Mapping[str, str]) -> Start:
    # Isolated and without site-packages: only what is deployed can be imported.
    command = [sys.executable, "-I", "-S", "-B", str(_ONE)]
    folders = map(str, contender.paths[bytecode])
    done = subprocess.run(
        [*command, repr(time.monotonic()), contender.module, *folders],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_WITHIN_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ContenderFailed(
            f"The contender {slug} did not start ({bytecode}; exit {done.returncode}):\n{done.stderr.rstrip()}\n"
            "  Why it matters: a comparison in which one does not take part says nothing.\n"
            f"  What to do:     mend bench/handlers or bench/requirements-{slug}.txt (for our own: lambda_src)."
        )
    said = json.loads(done.stdout.splitlines()[-1])
    if not all(status in expected for status, expected in zip(said["statuses"], _EXPECTED, strict=True)):
        raise ContenderFailed(
            f"The contender {slug} answered with {said['statuses']} and not with 200, 202, 404 and a refusal:\n"
            f"{done.stdout.rstrip()}\n{done.stderr.rstrip()}\n"
            "  Why it matters: only contenders that do the same job can be compared.\n"
            f"  What to do:     mend bench/handlers (for our own: lambda_src/event_api)."
        )
    return Start(
        said["interpreter"], {clock: {stage: said["reached"][clock][stage] for stage in Stage} for clock in Clock}
    )


def _environment(endpoint: str) -> dict[str, str]:
    """What Lambda sets, made up, and what the deployment sets; nothing of this machine's shell."""
    return {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": "/nonexistent",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": "api",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "ASIAMADEUPFORBENCH00",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_SESSION_TOKEN": "made-up",
        "AWS_ENDPOINT_URL": endpoint,
        "POWERTOOLS_SERVICE_NAME": "api",
        "POWERTOOLS_METRICS_NAMESPACE": "Bench",
        "EVENTS_TABLE": "events",
        "EVENT_QUEUE_URL": f"{endpoint}/000000000000/events",
        "PAYLOAD_BUCKET": "payloads",
        "RETENTION_DAYS": "30",
        "ROLE_CHECK": "on",
    }
