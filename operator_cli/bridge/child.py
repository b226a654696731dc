"""What a supervised `cdk watch` is started with: arguments, environment and a configuration that holds no secret."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Final

from operator_cli.bridge import client as credential_bridge
from operator_cli.bridge.private_directory import write_private
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PROFILE: Final = "rolebound-watch"
"""The one profile of the generated configuration."""

SOCKET: Final = "bridge"
"""The bridge's socket, in the supervisor's private directory."""

NOT_PASSED_ON: Final = re.compile(
    r"(AWS|AMAZON)_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)"
    r"|AWS_(SECURITY_TOKEN|CREDENTIAL_EXPIRATION|ACCOUNT_ID|PROFILE|DEFAULT_PROFILE|LOGIN_CACHE_DIRECTORY)"
    r"|AWS_(WEB_IDENTITY_TOKEN_FILE|ROLE_ARN|ROLE_SESSION_NAME)"
    r"|AWS_(CONTAINER_|BEARER_TOKEN_|EC2_METADATA_).*"
)
"""Variables that hold a secret, or name a source that an SDK might take instead of the bridge."""


def environment(
    base: Mapping[str, str], directory: Path, *, region: str | None, chosen: bool = False
) -> dict[str, str]:
    """Give the child's whole environment: the operator's own, with the bridge as the only source of credentials.

    Endpoints, certificates, proxies and everything that concerns other programs stay as they are.

    Args:
        base: The operator's environment.
        directory: Where `write_configuration` wrote.
        region: The region in force, if it is known.
        chosen: Whether the operator named it to us, which outranks the environment.
    """
    kept = {name: value for name, value in base.items() if not NOT_PASSED_ON.fullmatch(name)}
    if region is not None and (chosen or not (kept.get("AWS_REGION") or kept.get("AWS_DEFAULT_REGION"))):
        kept["AWS_REGION"] = region
    return kept | {
        "AWS_CONFIG_FILE": str(directory / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PROFILE": PROFILE,
        "AWS_SDK_LOAD_CONFIG": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def write_configuration(
    directory: Path, *, region: str | None, endpoint_url: str | None, services: Mapping[str, str]
) -> None:
    """Write the configuration whose one profile asks the supervisor for credentials.

    Args:
        directory: A directory that only this user may enter, and whose path needs no quoting.
        region: The operator's region.
        endpoint_url: The address that the operator's profile sets for every service.
        services: The addresses that it sets for single ones, by service.
    """
    program = directory / "ask"
    socket = directory / SOCKET
    write_private(
        program,
        f"exec {_quoted(sys.executable)} -I -S {_quoted(str(credential_bridge.__file__))} {_quoted(str(socket))}\n",
    )
    lines = [f"[profile {PROFILE}]", f"credential_process = /bin/sh {program}"]
    lines += [f"region = {region}"] if region else []
    lines += [f"endpoint_url = {endpoint_url}"] if endpoint_url else []
    if services:
        lines += [f"services = {PROFILE}", "", f"[services {PROFILE}]"]
        lines += [f"{service} =\n  endpoint_url = {address}" for service, address in sorted(services.items())]
    write_private(directory / "config", "\n".join(lines) + "\n")


def arguments(given: Sequence[str]) -> list[str]:
    """Give the arguments of the CDK command line.

    Args:
        given: What the operator wants `cdk watch` to get.

    Raises:
        OperatorError: One of them would make the CDK look for credentials elsewhere.
    """
    for argument in given:
        if argument == "--profile" or argument.startswith("--profile="):
            raise OperatorError(
                "--profile is among the arguments of `cdk watch`.",
                why="cdk watch gets its credentials from here, so that they can be renewed; a profile of its own goes past that.",
                next_step="Put it before the two dashes, or leave them out: rolebound watch --profile NAME …",
                status=ExitStatus.WRONG_USAGE,
            )
    # On the command line, a profile outranks the one of cdk.json and every variable.
    return ["watch", *given, "--profile", PROFILE]


def assembly_folder(output: str | None, project: Path) -> Path:
    """Give where `cdk watch` puts the cloud assembly.

    Args:
        output: What its argument `--output` says, if it is given.
        project: Where it runs.
    """
    if output is not None:
        return project / output
    try:
        configured = json.loads((project / "cdk.json").read_text(encoding="utf-8")).get("output")
    except (OSError, ValueError, AttributeError):
        configured = None
    return project / (configured if isinstance(configured, str) else "cdk.out")


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
