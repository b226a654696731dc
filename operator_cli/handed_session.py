"""Hands a checked session on to a program: by its source, never by its keys."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WOULD_WIN: Final = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
        "AMAZON_ACCESS_KEY_ID",
        "AMAZON_SECRET_ACCESS_KEY",
        "AMAZON_SESSION_TOKEN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_DEFAULT_PROFILE",
    }
)
"""Variables that one SDK or the other prefers to `AWS_PROFILE`."""


def environment_for(environ: Mapping[str, str], *, profile: str | None, region: str | None) -> dict[str, str]:
    """Give the environment in which a program takes the session that was checked.

    Args:
        environ: The environment in which it was checked.
        profile: The profile that was named; then nothing that an SDK prefers to it is passed on.
        region: The region that was named.
    """
    passed = dict(environ)
    if profile is not None:
        passed = {name: value for name, value in passed.items() if name not in WOULD_WIN} | {"AWS_PROFILE": profile}
    if region is not None:
        # boto3 reads the one, the CDK the other.
        passed |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    return passed


def run_tool(command: Sequence[str], environ: Mapping[str, str], *, stdout: TextIO | None = None) -> int:
    """Run a program on this terminal and give its exit status; that of a signal as a shell gives it.

    Args:
        command: The program and its arguments.
        environ: Its whole environment.
        stdout: Where its output goes instead of this process's own.

    Raises:
        OSError: It could not be started.
    """
    with subprocess.Popen(list(command), env=dict(environ), stdout=stdout) as process:
        while True:
            try:
                status = process.wait()
            except KeyboardInterrupt:
                # The terminal has interrupted it too; it is given the time to end.
                continue
            return status if status >= 0 else 128 - status
