"""Hands a checked session on to a program: by its source, never by its keys."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TextIO

from operator_cli.answers import Failure
from operator_cli.bridge import child as watch_child
from operator_cli.bridge.private_directory import private_directory
from operator_cli.bridge.server import BridgeServer
from operator_cli.credentials.in_force import region_in_force
from operator_cli.credentials.sources import resolve
from operator_cli.preflight.gathering import connect_to_aws

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from operator_cli.aws import Aws, Keys
    from operator_cli.credentials.facts import CredentialFacts
    from operator_cli.credentials.kinds import Source
    from operator_cli.preflight.gathering import Connect

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A session on its way to a program.

    Attributes:
        environ: The environment in which a program takes it.
        profile: The profile that is named to the CDK, which then looks nowhere else; `None` if none is.
        connect: Opens the same session for the check; `None` for the usual way.
        failed: Whether there is none after all: the check then says why.
    """

    environ: dict[str, str]
    profile: str | None
    connect: Connect | None
    failed: bool = False


@contextmanager
def handed_on(facts: CredentialFacts, environ: Mapping[str, str], *, region: str | None) -> Iterator[Handed]:
    """Give the session to be checked and then handed on, for as long as the block lasts.

    Usually a program takes it from where the check takes it. A session that asks a person for a code is made once and
    lent: a program would ask for another code, which the device gives only after half a minute.

    Args:
        facts: What the machine says, with the profile that was named.
        environ: The environment in which it is checked.
        region: The region that was named.
    """
    winner = resolve(facts).winner
    if winner is None or not asks_for_a_code(winner):
        yield Handed(
            environ=environment_for(environ, profile=facts.profile, region=region), profile=facts.profile, connect=None
        )
        return
    # The profile in force, by whatever it is named: the environment's keys were not what won.
    aws = connect_to_aws(facts.profile, region or region_in_force(facts))
    keys = aws if isinstance(aws, Failure) else aws.keys()
    if isinstance(aws, Failure) or isinstance(keys, Failure):
        failed = keys if isinstance(keys, Failure) else aws
        # Told by the check, which does not ask again.
        yield Handed(environ=dict(environ), profile=facts.profile, connect=lambda *_: failed, failed=True)
        return
    with private_directory(environ) as directory:
        settings = facts.profiles.get(winner.profile or "default", {})
        watch_child.write_configuration(
            directory,
            region=region or region_in_force(facts),
            endpoint_url=settings.get("endpoint_url"),
            services=facts.services.get(settings.get("services", ""), {}),
        )
        server = BridgeServer(directory / watch_child.SOCKET, lambda: _lent(aws))
        try:
            lent = watch_child.environment(environ, directory, region=region, chosen=region is not None)
            yield Handed(environ=lent, profile=watch_child.PROFILE, connect=lambda *_: aws)
        finally:
            server.close()


def asks_for_a_code(source: Source) -> bool:
    """Whether it, or what it rests on, asks a person for the code of a device."""
    return source.mfa_serial is not None or (source.basis is not None and asks_for_a_code(source.basis))


def _lent(aws: Aws) -> str:
    """What a `credential_process` prints for a session.

    Raises:
        LookupError: It has ended.
    """
    keys: Keys | Failure = aws.keys()
    if not isinstance(keys, Failure):
        given = {"Version": 1, "AccessKeyId": keys.access_key_id, "SecretAccessKey": keys.secret_access_key}
        token = {"SessionToken": keys.session_token} if keys.session_token else {}
        end = {"Expiration": keys.expires_at.isoformat()} if keys.expires_at else {}
        return json.dumps(given | token | end)
    raise LookupError(keys.what)


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
