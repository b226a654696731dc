"""Each place that credentials can come from, as the facts describe it: what it gives, how long that lasts, what is wrong.

Where an SDK would raise instead of asking the next place, `Stopped` is raised; `strict` is boto3's way of looking, which
stops where the JavaScript SDK passes over what is incomplete.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Final

from operator_cli.credentials.facts import PRESENT, login_cache_key, parsed_moment, sso_cache_key
from operator_cli.credentials.kinds import Key, Kind, Problem, Sdk, Source, Trouble
from operator_cli.moments import when

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from operator_cli.credentials.facts import CredentialFacts, SignIn


LOGIN_SINCE: Final = (1, 41)
"""The first botocore that reads what `aws login` leaves."""


class Stopped(Exception):
    """The SDK raises here instead of asking the next source."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def incomplete(facts: CredentialFacts, profile: str, what: str) -> Problem:
    """What to say of a profile that lacks something, or contradicts itself."""
    return Problem(
        Trouble.PROFILE_INCOMPLETE,
        f"Profile {profile} {what}.",
        f"Mend it in {facts.shown(facts.config_file)}, or take another: --profile NAME",
    )


def of_environment(facts: CredentialFacts, *, strict: bool) -> Source | None:
    """Keys of the environment.

    Args:
        facts: What is known.
        strict: As boto3 has it: a key id without its secret is an error, and Amazon's old names do not count.
    """
    environ = facts.environ
    key_id = environ.get("AWS_ACCESS_KEY_ID") or ("" if strict else environ.get("AMAZON_ACCESS_KEY_ID", ""))
    secret = environ.get("AWS_SECRET_ACCESS_KEY") or ("" if strict else environ.get("AMAZON_SECRET_ACCESS_KEY", ""))
    if key_id and not secret and strict:
        raise Stopped(
            Problem(
                Trouble.HALF_A_PAIR,
                "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not.",
                "unset AWS_ACCESS_KEY_ID, so that your profile is used.",
            )
        )
    if not (key_id and secret):
        return None
    tokens = ("AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN") if strict else ("AWS_SESSION_TOKEN", "AMAZON_SESSION_TOKEN")
    token = any(environ.get(name) for name in tokens)
    expires_at = parsed_moment(environ.get("AWS_CREDENTIAL_EXPIRATION"))
    return _static(
        kind=Kind.ENVIRONMENT,
        where="AWS_ACCESS_KEY_ID in the environment",
        key_id=key_id,
        token=token,
        facts=facts,
        expires_at=expires_at,
    )


def in_credentials_file(facts: CredentialFacts, profile: str, *, strict: bool) -> Source | None:
    """Keys of a profile in the credentials file, which wins over the other."""
    settings = facts.credentials_profiles.get(profile, {})
    where = f"[{profile}] in {facts.shown(facts.credentials_file)}"
    return _static_of(settings, Kind.CREDENTIALS_FILE, where, profile, facts, strict=strict)


def in_config_file(facts: CredentialFacts, profile: str, *, strict: bool) -> Source | None:
    """Keys of a profile in the config file."""
    settings = facts.config_profiles.get(profile, {})
    title = profile if profile == "default" else f"profile {profile}"
    where = f"[{title}] in {facts.shown(facts.config_file)}"
    return _static_of(settings, Kind.CONFIG_FILE, where, profile, facts, strict=strict)


def in_both_files(facts: CredentialFacts, profile: str) -> Source | None:
    """Keys as the JavaScript SDK finds them: in one mapping of both files, and only where there are both halves."""
    merged = facts.profiles.get(profile, {})
    if not (merged.get("aws_access_key_id") and merged.get("aws_secret_access_key")):
        return None
    in_credentials = "aws_access_key_id" in facts.credentials_profiles.get(profile, {})
    title = profile if in_credentials or profile == "default" else f"profile {profile}"
    file = facts.credentials_file if in_credentials else facts.config_file
    kind = Kind.CREDENTIALS_FILE if in_credentials else Kind.CONFIG_FILE
    return _static_of(merged, kind, f"[{title}] in {facts.shown(file)}", profile, facts, strict=False)


def _static_of(
    settings: Mapping[str, str], kind: Kind, where: str, profile: str, facts: CredentialFacts, *, strict: bool
) -> Source | None:
    if "aws_access_key_id" not in settings:
        return None
    if "aws_secret_access_key" not in settings:
        if strict:
            raise Stopped(
                Problem(
                    Trouble.HALF_A_PAIR,
                    f"{where} has aws_access_key_id and no aws_secret_access_key.",
                    f"Remove the line aws_access_key_id from {where}, or sign in instead: aws login --profile {quote(profile)}",
                )
            )
        return None
    token = "aws_session_token" in settings or (strict and "aws_security_token" in settings)
    return _static(
        kind=kind,
        where=where,
        key_id=settings["aws_access_key_id"],
        token=token,
        facts=facts,
        profile=profile,
    )


def _static(
    *,
    kind: Kind,
    where: str,
    key_id: str,
    token: bool,
    facts: CredentialFacts,
    profile: str | None = None,
    expires_at: datetime | None = None,
) -> Source:
    """A key that lies there as it is."""
    prefix = key_id[:4]
    key = {"AKIA": Key.LONG_LIVED, "ASIA": Key.TEMPORARY}.get(prefix, Key.TEMPORARY if token else Key.UNKNOWN)
    problems = []
    if key is Key.TEMPORARY and not token:
        problems.append(
            Problem(
                Trouble.TOKEN_MISSING,
                f"{where} holds a temporary key without its session token: every service refuses it.",
                "Sign in again with the command of your profile, and let the SDK read the profile itself.",
            )
        )
    if expires_at is not None and expires_at <= facts.now:
        problems.append(
            Problem(
                Trouble.EXPIRED,
                f"{where} says that it expired at {when(expires_at, facts.now)}.",
                "Unset the variables, so that your profile is used, or ask for a new session.",
            )
        )
    return Source(
        kind=kind,
        where=where,
        profile=profile,
        key=key,
        key_id_end=None if key_id == PRESENT else key_id[-4:],
        refreshes=False,
        expires_at=expires_at,
        problems=tuple(problems),
    )


def by_role(settings: Mapping[str, str], profile: str, basis: Source) -> Source:
    """A role that a profile names, assumed with what it rests on."""
    mfa_serial = settings.get("mfa_serial")
    # What is assumed with a key that does not refresh can be assumed again until that key ends.
    lasting = basis.key is Key.LONG_LIVED or basis.refreshes
    return Source(
        kind=Kind.ASSUME_ROLE,
        where=f"role_arn of profile {profile}, by {basis.where}",
        profile=profile,
        refreshes=False if mfa_serial else lasting,
        expires_at=basis.expires_at,
        mfa_serial=mfa_serial,
        role_arn=settings["role_arn"],
        basis=basis,
    )


def by_web_identity(facts: CredentialFacts, profile: str, *, with_environment: bool, strict: bool) -> Source | None:
    """A role for a token in a file. boto3 takes each of the two from the environment first, then from the profile."""
    settings = facts.profiles.get(profile, {})
    environ = facts.environ if with_environment else {}
    file = environ.get("AWS_WEB_IDENTITY_TOKEN_FILE", settings.get("web_identity_token_file"))
    if not file:
        return None
    role_arn = environ.get("AWS_ROLE_ARN", settings.get("role_arn"))
    of_environment = "AWS_WEB_IDENTITY_TOKEN_FILE" in environ
    if not role_arn:
        if not strict:
            return None
        where = "AWS_WEB_IDENTITY_TOKEN_FILE" if of_environment else f"Profile {profile}"
        raise Stopped(
            Problem(
                Trouble.PROFILE_INCOMPLETE,
                f"{where} names a web identity token and no role.",
                "Set AWS_ROLE_ARN (or role_arn in the profile) to the role that the token is for.",
            )
        )
    where = "AWS_WEB_IDENTITY_TOKEN_FILE" if of_environment else f"web_identity_token_file of profile {profile}"
    return Source(
        kind=Kind.WEB_IDENTITY,
        where=where,
        profile=None if of_environment else profile,
        refreshes=True,
        role_arn=role_arn,
    )


def by_web_identity_of_environment(facts: CredentialFacts) -> Source | None:
    """A role for a token in a file, of which the environment says both."""
    role_arn = facts.environ.get("AWS_ROLE_ARN")
    if not (facts.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and role_arn):
        return None
    return Source(kind=Kind.WEB_IDENTITY, where="AWS_WEB_IDENTITY_TOKEN_FILE", refreshes=True, role_arn=role_arn)


def by_sso(facts: CredentialFacts, profile: str, *, strict: bool) -> Source:
    """A session of SSO, of a profile that has any setting for it."""
    settings = facts.profiles[profile]
    session = settings.get("sso_session")
    complete = dict(settings)
    if session is not None:
        if session not in facts.sso_sessions and strict:
            raise Stopped(incomplete(facts, profile, f"names the sso_session {session!r}, which does not exist"))
        for name, value in facts.sso_sessions.get(session, {}).items():
            if strict and complete.get(name, value) != value:
                raise Stopped(incomplete(facts, profile, f"and its sso-session say different things about {name}"))
            complete[name] = value
    needed = ("sso_role_name", "sso_account_id", "sso_start_url", "sso_region")
    missing = [name for name in needed if name not in complete]
    lacking = (incomplete(facts, profile, f"is for SSO and lacks {', '.join(missing)}"),) if missing else ()
    if lacking and strict:
        raise Stopped(lacking[0])
    sign_in = facts.sign_ins.get(sso_cache_key(settings))
    # A legacy profile, without sso_session, cannot renew its token even where the cache could.
    renewable = session is not None and sign_in is not None and sign_in.can_refresh
    return Source(
        kind=Kind.SSO,
        where=f"SSO of profile {profile}",
        profile=profile,
        refreshes=True,
        expires_at=None if renewable or sign_in is None else sign_in.expires_at,
        problems=lacking
        or _sign_in_problems(facts, sign_in, f"aws sso login --profile {quote(profile)}", renewable=renewable),
    )


def by_login(facts: CredentialFacts, profile: str) -> Source:
    """What `aws login` left for a profile."""
    settings = facts.profiles[profile]
    sign_in = facts.sign_ins.get(login_cache_key(settings.get("login_session", "")))
    renewable = sign_in is not None and sign_in.can_refresh
    command = "aws login" if profile == "default" else f"aws login --profile {quote(profile)}"
    problems = []
    if facts.sdk and facts.sdk < LOGIN_SINCE:
        have = ".".join(str(part) for part in facts.sdk)
        problems.append(
            Problem(
                Trouble.SDK_TOO_OLD,
                f"Profile {profile} signs in with `aws login`, which botocore {have} does not know.",
                'pip install --upgrade "boto3[crt]>=1.41"',
            )
        )
    if not facts.has_crt:
        problems.append(
            Problem(
                Trouble.CRT_MISSING,
                f"Profile {profile} signs in with `aws login`, for which boto3 needs the package awscrt.",
                'pip install "boto3[crt]"',
            )
        )
    if sign_in is not None and not sign_in.readable_key:
        problems.append(
            Problem(
                Trouble.KEY_UNREADABLE,
                "boto3 and the AWS command line cannot read the private key of this sign-in, so they cannot renew its session. "
                "It happens to one sign-in in about two hundred.",
                command,
            )
        )
    return Source(
        kind=Kind.LOGIN,
        where=f"`aws login` of profile {profile}",
        profile=profile,
        refreshes=renewable,
        expires_at=None if renewable or sign_in is None else sign_in.expires_at,
        problems=(*problems, *_sign_in_problems(facts, sign_in, command, renewable=renewable)),
    )


def _sign_in_problems(
    facts: CredentialFacts, sign_in: SignIn | None, command: str, *, renewable: bool
) -> tuple[Problem, ...]:
    if sign_in is None or not sign_in.complete:
        return (Problem(Trouble.NOT_SIGNED_IN, "There is no usable sign-in for it on this machine.", command),)
    if renewable or (sign_in.expires_at is not None and sign_in.expires_at > facts.now):
        return ()
    ended = f" at {when(sign_in.expires_at, facts.now)}" if sign_in.expires_at else ""
    return (Problem(Trouble.SIGN_IN_EXPIRED, f"Its sign-in ended{ended}.", command),)


def by_process(facts: CredentialFacts, profile: str) -> Source:
    """What a program that a profile names gives."""
    program = facts.profiles[profile]["credential_process"]
    return Source(
        kind=Kind.PROCESS,
        where=f"credential_process of profile {profile} ({program})",
        profile=profile,
        key=Key.UNKNOWN,
        # It does if it says an Expiration, which only running it tells.
        refreshes=None,
    )


def of_surroundings(facts: CredentialFacts, sdk: Sdk) -> Iterator[Source]:
    """What the container gives that this process runs in, or else the instance."""
    if container := of_container(facts, sdk):
        yield container
    elif instance := of_instance(facts, sdk):
        yield instance


def of_container(facts: CredentialFacts, sdk: Sdk) -> Source | None:
    """The role of a container."""
    for name in ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        if facts.environ.get(name) or (sdk is Sdk.BOTO3 and name in facts.environ):
            return Source(kind=Kind.CONTAINER, where=name, refreshes=True)
    return None


def of_instance(facts: CredentialFacts, sdk: Sdk) -> Source | None:
    """The role of an EC2 instance."""
    disabled = facts.environ.get("AWS_EC2_METADATA_DISABLED", "").lower()
    off = disabled == "true" if sdk is Sdk.BOTO3 else disabled not in {"", "false"}
    if off or not facts.on_instance:
        return None
    return Source(kind=Kind.INSTANCE, where="the role of this EC2 instance", refreshes=True)
