"""What a person is told who has no session: what is about to be done, and the three ways to supply one, safest first."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING, Final

from operator_cli.credentials.sources import SSO_SETTINGS, resolve
from operator_cli.preflight.wanted import Operation

if TYPE_CHECKING:
    from operator_cli.credentials.facts import CredentialFacts
    from operator_cli.preflight.cloud_assembly import Assembly
    from operator_cli.preflight.wanted import Wanted

SHOWN: Final = 3
"""How many profiles of a kind are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to supply a session.

    Attributes:
        title: What it is.
        because: What speaks for it, or against it.
        lines: Commands to copy, or lines for a file.
    """

    title: str
    because: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Everything that is asked of the person.

    Attributes:
        purpose: What the session is for, with stacks, account and region where they are known.
        ways: The ways, safest first.
        then: The command that goes on.
    """

    purpose: str
    ways: tuple[Way, ...]
    then: str

    def __str__(self) -> str:
        lines = [self.purpose, "", "Three ways to supply one, the safest first:"]
        for number, way in enumerate(self.ways, start=1):
            lines += ["", f"  {number}. {way.title}", f"     {way.because}", *(f"       {line}" for line in way.lines)]
        return "\n".join([*lines, "", "Then:", f"       {self.then}"])


def prompt(
    wanted: Wanted, facts: CredentialFacts, assembly: Assembly | None, *, region: str | None, command: str
) -> Prompt:
    """Make the prompt for one operation on one person's machine.

    Args:
        wanted: What the session is for.
        facts: The person's own profiles decide which commands are named.
        assembly: What is to be deployed, if there is one.
        region: The region in force, if there is one.
        command: The command that was typed; it is repeated at the end.
    """
    named = facts.profile is not None
    first = _sign_in(facts)
    profile = next((word for line in first.lines for word in _profile_of(line)), None)
    then = command if named or profile is None else _by_profile(command, profile)
    return Prompt(
        purpose=_purpose(wanted, assembly, region),
        ways=(first, _role(facts, command), _environment(facts)),
        then=then,
    )


def _purpose(wanted: Wanted, assembly: Assembly | None, region: str | None) -> str:
    stacks = ", ".join(stack.name for stack in assembly.stacks) if assembly else ""
    accounts = ", ".join(assembly.accounts) if assembly else ""
    account = wanted.account or accounts
    place = f"account {account}" if account else "the session's own account"
    regions = wanted.region or (", ".join(assembly.regions) if assembly else "") or region
    where = f"{place}, {regions}" if regions else place
    does = {
        Operation.DEPLOY: f"deploy {stacks or 'the stacks'} to {where}",
        Operation.DESTROY: f"delete {stacks or 'the stacks'} in {where}",
        Operation.BOOTSTRAP: f"make the CDK's own bucket and roles in {where}",
        Operation.WATCH: f"deploy every saved change of {stacks or 'the stacks'} to {where}, for as long as you work",
        Operation.LOGS: f"read logs in {where}",
        Operation.TENANT_KEY: f"store the hash of a tenant's API key in {where}",
        Operation.TESTS: f"run tests against what is deployed in {where}",
    }.get(wanted.operation, f"{wanted.operation} in {where}")
    return f"An AWS session is needed to {does}."


def _sign_in(facts: CredentialFacts) -> Way:
    """The browser: no key on disk that lasts, and a session that renews itself."""
    by_sso = [name for name, settings in facts.profiles.items() if settings.keys() & SSO_SETTINGS]
    by_login = [name for name, settings in facts.profiles.items() if settings.get("login_session")]
    preferred = [facts.profile] if facts.profile in {*by_sso, *by_login} else [*by_sso, *by_login][:SHOWN]
    lines = tuple(
        f"aws sso login --profile {quote(name)}" if name in by_sso else f"aws login --profile {quote(name)}"
        for name in preferred
    )
    return Way(
        title="Sign in with your browser.",
        because="No key that lasts lies on this machine, your second factor counts, and the session renews itself.",
        lines=lines
        or ("aws configure sso --profile NAME      # once; then: aws sso login --profile NAME", "aws login"),
    )


def _role(facts: CredentialFacts, command: str) -> Way:
    """A role that the SDKs assume by a profile, asking for a code."""
    roles = [name for name, settings in facts.profiles.items() if "role_arn" in settings]
    preferred = [facts.profile] if facts.profile in roles else roles[:SHOWN]
    able = [name for name in preferred if name and resolve(replace(facts, profile=name)).winner is not None]
    by_code = [name for name in able if "mfa_serial" in facts.profiles[name]]
    lines = tuple(
        _by_profile(command, name) + ("      # asks for a code" if name in by_code else "") for name in by_code or able
    )
    source = next((name for name, own in facts.credentials_profiles.items() if "aws_access_key_id" in own), "SOURCE")
    snippet = (
        f"# in {facts.shown(facts.config_file)}:",
        "[profile deploy]",
        "role_arn = arn:aws:iam::ACCOUNT:role/ROLE",
        f"source_profile = {source}",
        "mfa_serial = arn:aws:iam::ACCOUNT:mfa/USER",
    )
    return Way(
        title="Take on a role by a profile, with a code from your MFA device.",
        because="The session ends by itself and can do only what the role may; the SDKs make it, nobody copies it.",
        lines=lines or snippet,
    )


def _environment(facts: CredentialFacts) -> Way:
    """The last resort: a temporary session of another profile, with its expiry."""
    able = [
        name
        for name, settings in facts.profiles.items()
        if settings.keys() & {"role_arn", "login_session", "credential_process", "sso_session", "sso_account_id"}
    ]
    source = able[0] if able else "NAME"
    return Way(
        title="A temporary session in this shell.",
        because="It ends and cannot renew itself, and every program of this shell can read it. Never a long-lived key.",
        lines=(f'eval "$(aws configure export-credentials --profile {quote(source)} --format env)"',),
    )


def _by_profile(command: str, profile: str) -> str:
    """Repeat a command with a profile: among its own options, not among the arguments of what it runs."""
    own, dashes, rest = command.partition(" -- ")
    return f"{own} --profile {quote(profile)}{dashes}{rest}"


def _profile_of(line: str) -> tuple[str, ...]:
    words = shlex.split(line, comments=True)
    if "--profile" in words and not line.startswith("aws configure"):
        return (words[words.index("--profile") + 1],)
    return ()
