"""Deploys the two functions of the incident to local AWS, runs them, and reports."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from local_aws import environment, up
from local_aws.cdk import Cdk
from local_aws.cloud import Cloud
from local_aws.errors import LocalAwsError
from local_aws.incident import CODE_VARIABLE, FUNCTIONS, ROLE_ONLY, SEED, function_name, report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local_aws.places import Places


def run(places: Places, show: Callable[[str], None]) -> tuple[report.Observation, report.Observation]:
    """Run the incident and its cure on local AWS, which is started if it does not run.

    Args:
        places: Where this local AWS lies.
        show: Prints one line to the person.

    Returns:
        What the seed's function and the factory's function observed.

    Raises:
        LocalAwsError: They could not be deployed or did not answer.
    """
    with up.step("Local AWS and the two functions, deployed by the CDK", show):
        record = up.running_emulator(places, show)
        code = _staged_code(places)
        variables = environment.for_clients(places, record.port, os.environ)
        with environment.only(variables):
            up.ensure_bootstrapped(places, variables, show)
            Cdk(places, variables | {CODE_VARIABLE: str(code)}, show).deploy(
                app="python -m local_aws.incident.app", output=places.directory / "incident-cdk.out"
            )
    with up.step("Running them (the seed's sleeps between its attempts)", show), environment.only(variables):
        seed, role_only = (_observe(places, name) for name in FUNCTIONS)
    return seed, role_only


def _staged_code(places: Places) -> Path:
    """The folder with each function's code as Lambda gets it: the factory's comes with the factory itself."""
    here = places.project / "local_aws" / "incident"
    code = places.directory / "incident"
    shutil.rmtree(code, ignore_errors=True)
    not_code = shutil.ignore_patterns("__pycache__", "*.md")
    shutil.copytree(here / "seed_function", code / SEED, ignore=not_code)
    shutil.copytree(here / "role_only_function", code / ROLE_ONLY, ignore=not_code)
    factory = code / ROLE_ONLY / "event_api"
    factory.mkdir()
    for module in ("__init__.py", "role_clients.py"):
        shutil.copy2(places.project / "lambda_src" / "event_api" / module, factory)
    return code


def _observe(places: Places, name: str) -> report.Observation:
    """Run one function."""
    function = function_name(name)
    invocation = Cloud().invoke(function, {})
    if invocation.failed:
        raise LocalAwsError(
            f"The function {function} failed: {invocation.payload}",
            why="The incident could not be shown.",
            next_step="Run `.venv/bin/python -m local_aws logs` for what it wrote.",
            log=places.emulator_log,
        )
    payload: dict[str, Any] = invocation.payload
    return report.Observation.from_payload(payload)
