"""Which credentials an SDK takes, what they shadow, and whether they last: from gathered facts, without a call.

Two SDKs matter to an operator. boto3 serves Python and, as botocore, the AWS command line; the CDK command line has the
JavaScript SDK and an order of its own. `resolve` follows either through its chain and says who wins.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from operator_cli.credentials.facts import PRESENT, login_cache_key, parsed_moment, sso_cache_key
from operator_cli.moments import when

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from operator_cli.credentials.facts import CredentialFacts, SignIn

LOGIN_SINCE: Final = (1, 41)
"""The first botocore that reads what `aws login` leaves."""

CREDENTIAL_SOURCES: Final = ("Environment", "EcsContainer", "Ec2InstanceMetadata")
"""What a profile's `credential_source` may be."""


SSO_SETTINGS: Final = frozenset({"sso_start_url", "sso_account_id", "sso_session", "sso_region", "sso_role_name"})
"""Any of these makes a profile one for SSO, as the JavaScript SDK has it."""


class Sdk(StrEnum):
    """Whose order is followed."""

    BOTO3 = "boto3"
    CDK = "cdk"


class Kind(StrEnum):
    """Where credentials come from."""

    ENVIRONMENT = "environment"
    ASSUME_ROLE = "assume-role"
    WEB_IDENTITY = "web-identity"
    SSO = "sso"
    CREDENTIALS_FILE = "credentials-file"
    LOGIN = "login"
    PROCESS = "process"
    CONFIG_FILE = "config-file"
    CONTAINER = "container"
    INSTANCE = "instance"


BOTO3_METHOD: Final[Mapping[Kind, str]] = {
    Kind.ENVIRONMENT: "env",
    Kind.ASSUME_ROLE: "assume-role",
    Kind.WEB_IDENTITY: "assume-role-with-web-identity",
    Kind.SSO: "sso",
    Kind.CREDENTIALS_FILE: "shared-credentials-file",
    Kind.LOGIN: "login",
    Kind.PROCESS: "custom-process",
    Kind.CONFIG_FILE: "config-file",
    Kind.CONTAINER: "container-role",
    Kind.INSTANCE: "iam-role",
}
"""What botocore calls each kind, in the `method` of its credentials."""

STATIC: Final = frozenset({Kind.ENVIRONMENT, Kind.CREDENTIALS_FILE, Kind.CONFIG_FILE})
"""Kinds whose key lies there as it is, and stays until somebody replaces it."""


class Key(StrEnum):
    """What kind of access key a source gives."""

    LONG_LIVED = "long-lived"
    TEMPORARY = "temporary"
    UNKNOWN = "unknown"


class Trouble(StrEnum):
    """What can be wrong with credentials before anybody is asked."""

    HALF_A_PAIR = "half-a-pair"
    PROFILE_MISSING = "profile-missing"
    PROFILE_INCOMPLETE = "profile-incomplete"
    FILE_UNREADABLE = "file-unreadable"
    NOT_SIGNED_IN = "not-signed-in"
    SIGN_IN_EXPIRED = "sign-in-expired"
    EXPIRED = "expired"
    SDK_TOO_OLD = "sdk-too-old"
    CRT_MISSING = "awscrt-missing"
    KEY_UNREADABLE = "login-key-unreadable"
    TOKEN_MISSING = "token-missing"  # noqa: S105 - a slug, not a token
    SHADOWED_PROFILE = "shadowed-profile"
    STATIC_KEYS_SHADOW = "static-keys-shadow-sign-in"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong.

    Attributes:
        trouble: What kind of thing.
        what: With names and paths.
        next_step: The command or the change that mends it.
    """

    trouble: Trouble
    what: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One place that credentials can come from.

    Attributes:
        kind: What kind of place.
        where: For people: file and profile, variable, command.
        profile: The profile that says so, if one does.
        key: What kind of key it gives.
        key_id_end: The last four characters of the key's id, where that is known without a call.
        refreshes: Whether it gets new keys by itself: no person, no code; `None` if that cannot be told.
        expires_at: When a person has to act, as far as that is known without a call. A long-lived key never expires.
        mfa_serial: The device whose code it asks for.
        role_arn: The role that it assumes.
        basis: The source whose credentials assume that role.
        problems: What is wrong with it.
    """

    kind: Kind
    where: str
    profile: str | None = None
    key: Key = Key.TEMPORARY
    key_id_end: str | None = None
    refreshes: bool | None = False
    expires_at: datetime | None = None
    mfa_serial: str | None = None
    role_arn: str | None = None
    basis: Source | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def origin(self) -> Source:
        """The source at the beginning: of a role that is assumed, the one that a person signs in to."""
        return self.basis.origin if self.basis else self

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """Its own problems and those of what it rests on."""
        return self.problems + (self.basis.all_problems if self.basis else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What one SDK does with the facts.

    Attributes:
        sdk: Whose order was followed.
        profile: The profile in force, `default` if none is named.
        profile_from: What names it: `--profile`, a variable, or `None`.
        winner: The source that it takes, if it takes one.
        stopped_by: What makes it give up although later sources might do.
        shadowed: Other sources that are there and stay unused, in the chain's order.
        problems: What is worth knowing beside the winner's own problems.
    """

    sdk: Sdk
    profile: str
    profile_from: str | None
    winner: Source | None
    stopped_by: Problem | None
    shadowed: tuple[Source, ...]
    problems: tuple[Problem, ...] = field(default=())

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """Every problem: what stopped the SDK, the winner's, and the others."""
        stopped = (self.stopped_by,) if self.stopped_by else ()
        return stopped + (self.winner.all_problems if self.winner else ()) + self.problems


class _Stopped(Exception):
    """The SDK raises here instead of asking the next source."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def resolve(facts: CredentialFacts, sdk: Sdk = Sdk.BOTO3) -> Resolution:
    """Say which source an SDK takes, and what it leaves unused."""
    profile, profile_from = _profile_in_force(facts, sdk)
    name = profile if profile is not None else "default"
    chain = _boto3_chain if sdk is Sdk.BOTO3 else _cdk_chain
    winner: Source | None = None
    stopped_by: Problem | None = None
    try:
        _require_readable(facts)
        _require_profile(facts, sdk, profile, profile_from)
        winner = next(chain(facts, name), None)
    except _Stopped as stop:
        stopped_by = stop.problem
    shadowed = tuple(source for source in _everything(facts, name) if not _same(source, winner))
    return Resolution(
        sdk=sdk,
        profile=name,
        profile_from=profile_from,
        winner=winner,
        stopped_by=stopped_by,
        shadowed=shadowed,
        problems=_ignored(facts, winner, shadowed, profile, profile_from),
    )


def agree(one: Resolution, other: Resolution) -> bool:
    """Whether two SDKs would act with the same credentials."""
    if one.winner is None or other.winner is None:
        return one.winner is other.winner
    return _same(one.winner, other.winner)


def sign_in_command(source: Source) -> str | None:
    """Give the command with which a person renews what a source rests on; `None` if no command does."""
    origin = source.origin
    by_profile = f" --profile {origin.profile}" if origin.profile not in {None, "default"} else ""
    return {Kind.SSO: f"aws sso login{by_profile}", Kind.LOGIN: f"aws login{by_profile}"}.get(origin.kind)


def endpoint_overrides(facts: CredentialFacts, profile: str) -> dict[str, str]:
    """Give the addresses that replace AWS's own: what says so, and the address. Empty where they are to be ignored."""
    settings = facts.profiles.get(profile, {})
    ignored = facts.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") or settings.get(
        "ignore_configured_endpoint_urls"
    )
    if (ignored or "").lower() == "true":
        return {}
    found = {
        name: value for name, value in sorted(facts.environ.items()) if name.startswith("AWS_ENDPOINT_URL") and value
    }
    section = settings.get("services")
    for service, address in facts.services.get(section or "", {}).items():
        found[f"{service} in [services {section}] of {facts.shown(facts.config_file)}"] = address
    if settings.get("endpoint_url"):
        found[f"endpoint_url of profile {profile}"] = settings["endpoint_url"]
    return found


def region_in_force(facts: CredentialFacts, sdk: Sdk = Sdk.BOTO3) -> str | None:
    """Give the region that an SDK takes without being told one. Where it is `None`, boto3 stops and the CDK takes us-east-1."""
    profile, _ = _profile_in_force(facts, sdk)
    own = facts.profiles.get(profile or "default", {}).get("region")
    environ = facts.environ
    if sdk is Sdk.BOTO3:
        return environ.get("AWS_DEFAULT_REGION") or own
    variables = ("AWS_REGION", "AMAZON_REGION", "AWS_DEFAULT_REGION", "AMAZON_DEFAULT_REGION")
    named = next((environ[name] for name in variables if environ.get(name)), None)
    return named or own or facts.profiles.get("default", {}).get("region")


# --- The two chains ---------------------------------------------------------------------------------------------------


def _profile_in_force(facts: CredentialFacts, sdk: Sdk) -> tuple[str | None, str | None]:
    """Give the named profile and what names it. The two SDKs look at their two variables in opposite order."""
    if facts.profile is not None:
        return facts.profile, "--profile"
    order = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE") if sdk is Sdk.BOTO3 else ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
    for name in order:
        value = facts.environ.get(name)
        # boto3 takes an empty variable at its word: a profile whose name is empty, which there is not.
        if value or (value is not None and sdk is Sdk.BOTO3):
            return value, name
    return None, None


def _require_profile(facts: CredentialFacts, sdk: Sdk, profile: str | None, profile_from: str | None) -> None:
    """Stop at a profile that is not there. The CDK does so only where it was named on the command line."""
    if profile is not None and profile not in facts.profiles and (sdk is Sdk.BOTO3 or facts.profile is not None):
        raise _Stopped(_profile_missing(facts, profile, profile_from))


def _require_readable(facts: CredentialFacts) -> None:
    for path, reason in facts.unreadable.items():
        raise _Stopped(
            Problem(
                Trouble.FILE_UNREADABLE,
                f"{path} could not be read ({reason}), so no profile is known.",
                f"Mend {path}: each line is a [section] or a name = value.",
            )
        )


def _boto3_chain(facts: CredentialFacts, profile: str) -> Iterator[Source]:
    """Botocore's order; a profile that was named in code or on the command line switches the environment off."""
    explicit = facts.profile is not None
    if not explicit and (environment := _environment(facts, strict=True)):
        yield environment
    merged = facts.profiles.get(profile, {})
    if "role_arn" in merged and "web_identity_token_file" not in merged:
        yield _assumed_role_by_boto3(facts, profile, (profile,))
    yield from _boto3_profile_chain(facts, profile, with_environment=not explicit)
    yield from _surroundings(facts, Sdk.BOTO3)


def _boto3_profile_chain(facts: CredentialFacts, profile: str, *, with_environment: bool) -> Iterator[Source]:
    merged = facts.profiles.get(profile, {})
    if web_identity := _web_identity(facts, profile, with_environment=with_environment, strict=True):
        yield web_identity
    if "sso_role_name" in merged or "sso_account_id" in merged:
        yield _sso(facts, profile, strict=True)
    if source := _static_in_credentials_file(facts, profile, strict=True):
        yield source
    if "login_session" in merged:
        login = _login(facts, profile)
        stopping = {Trouble.SDK_TOO_OLD, Trouble.CRT_MISSING, Trouble.NOT_SIGNED_IN}
        for problem in login.problems:
            if problem.trouble in stopping:
                # An SDK that is too old does not see the setting and asks the next source.
                if problem.trouble is Trouble.SDK_TOO_OLD:
                    break
                raise _Stopped(problem)
        else:
            yield login
    if "credential_process" in merged:
        yield _process(facts, profile)
    if source := _static_in_config_file(facts, profile, strict=True):
        yield source


def _assumed_role_by_boto3(facts: CredentialFacts, profile: str, visited: tuple[str, ...]) -> Source:
    settings = facts.profiles[profile]
    source_profile, credential_source = settings.get("source_profile"), settings.get("credential_source")
    if (source_profile is None) == (credential_source is None):
        which = "neither" if source_profile is None else "both"
        raise _Stopped(_incomplete(facts, profile, f"names {which} of source_profile and credential_source"))
    if credential_source is not None:
        return _assumed_role(settings, profile, _named_source(facts, profile, credential_source))
    assert source_profile is not None  # noqa: S101 - one of the two is there, for the type checker
    if source_profile not in facts.profiles:
        raise _Stopped(
            _incomplete(facts, profile, f"names the source_profile {source_profile!r}, which does not exist")
        )
    source_settings = facts.profiles[source_profile]
    has_keys = "aws_access_key_id" in source_settings or "aws_secret_access_key" in source_settings
    is_role = "role_arn" in source_settings and "web_identity_token_file" not in source_settings
    if source_profile in visited and not (source_profile == profile and has_keys):
        raise _Stopped(_incomplete(facts, profile, f"comes back to {source_profile!r} by its source_profile"))
    if has_keys or not is_role:
        basis = next(_boto3_profile_chain(facts, source_profile, with_environment=False), None)
        if basis is None:
            raise _Stopped(_incomplete(facts, source_profile, "is a source_profile and has no credentials"))
    else:
        basis = _assumed_role_by_boto3(facts, source_profile, (*visited, source_profile))
    return _assumed_role(settings, profile, basis)


def _named_source(facts: CredentialFacts, profile: str, name: str) -> Source:
    if name not in CREDENTIAL_SOURCES:
        allowed = ", ".join(CREDENTIAL_SOURCES)
        raise _Stopped(_incomplete(facts, profile, f"has a credential_source that is none of {allowed}"))
    found = {
        "Environment": lambda: _environment(facts, strict=True),
        "EcsContainer": lambda: _container(facts, Sdk.BOTO3),
        "Ec2InstanceMetadata": lambda: _instance(facts, Sdk.BOTO3),
    }[name]()
    if found is None:
        raise _Stopped(_incomplete(facts, profile, f"takes its credentials from {name}, where there are none"))
    return found


def _cdk_chain(facts: CredentialFacts, profile: str) -> Iterator[Source]:
    """The CDK command line's order: keys of the environment, then the profile, then what surrounds the process."""
    explicit = facts.profile is not None
    if not explicit and (environment := _environment(facts, strict=False)):
        yield environment
    if source := _cdk_profile(facts, profile, (), in_a_role=False):
        yield source
    if explicit:
        raise _Stopped(_incomplete(facts, profile, "holds no credentials that the CDK can use"))
    if "credential_process" in facts.profiles.get(profile, {}):
        # A role that could not be assumed hid it so far.
        yield _process(facts, profile)
    if web_identity := _web_identity_of_environment(facts):
        yield web_identity
    yield from _surroundings(facts, Sdk.CDK)


def _cdk_profile(facts: CredentialFacts, profile: str, visited: tuple[str, ...], *, in_a_role: bool) -> Source | None:
    """What the JavaScript SDK finds in a profile: a role first, then keys, then what else it may name."""
    settings = facts.profiles.get(profile, {})
    static = _static_of_both_files(facts, profile)
    is_role = "role_arn" in settings and ("source_profile" in settings) != ("credential_source" in settings)
    if is_role and not (in_a_role and static):
        basis = _cdk_basis(facts, profile, visited)
        return _assumed_role(settings, profile, basis) if basis else None
    if in_a_role and not static and settings.get("credential_source") and not settings.get("role_arn"):
        # What a role rests on may name a credential_source and no role: then it is that source itself.
        return _cdk_basis(facts, profile, visited)
    found = static
    if found is None and "web_identity_token_file" in settings and "role_arn" in settings:
        found = _web_identity(facts, profile, with_environment=False, strict=False)
    if found is None and "credential_process" in settings:
        found = _process(facts, profile)
    if found is None and settings.keys() & SSO_SETTINGS:
        found = _sso(facts, profile, strict=False)
    if found is None and settings.get("login_session"):
        login = _login(facts, profile)
        found = replace(login, problems=tuple(_of_any_sdk(login.problems)))
    return found


def _cdk_basis(facts: CredentialFacts, profile: str, visited: tuple[str, ...]) -> Source | None:
    """What a profile's role rests on: another profile, or a source that it names."""
    settings = facts.profiles[profile]
    if source_profile := settings.get("source_profile"):
        if source_profile in visited:
            return None
        return _cdk_profile(facts, source_profile, (*visited, source_profile), in_a_role=True)
    return {
        "Environment": lambda: _environment(facts, strict=False),
        "EcsContainer": lambda: _container(facts, Sdk.CDK),
        "Ec2InstanceMetadata": lambda: _instance(facts, Sdk.CDK),
    }.get(settings["credential_source"], lambda: None)()


def _surroundings(facts: CredentialFacts, sdk: Sdk) -> Iterator[Source]:
    if container := _container(facts, sdk):
        yield container
    elif instance := _instance(facts, sdk):
        yield instance


# --- The sources ------------------------------------------------------------------------------------------------------


def _environment(facts: CredentialFacts, *, strict: bool) -> Source | None:
    """Keys of the environment.

    Args:
        facts: What is known.
        strict: As boto3 has it: a key id without its secret is an error, and Amazon's old names do not count.
    """
    environ = facts.environ
    key_id = environ.get("AWS_ACCESS_KEY_ID") or ("" if strict else environ.get("AMAZON_ACCESS_KEY_ID", ""))
    secret = environ.get("AWS_SECRET_ACCESS_KEY") or ("" if strict else environ.get("AMAZON_SECRET_ACCESS_KEY", ""))
    if key_id and not secret and strict:
        raise _Stopped(
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


def _static_in_credentials_file(facts: CredentialFacts, profile: str, *, strict: bool) -> Source | None:
    settings = facts.credentials_profiles.get(profile, {})
    where = f"[{profile}] in {facts.shown(facts.credentials_file)}"
    return _static_of(settings, Kind.CREDENTIALS_FILE, where, profile, facts, strict=strict)


def _static_in_config_file(facts: CredentialFacts, profile: str, *, strict: bool) -> Source | None:
    settings = facts.config_profiles.get(profile, {})
    title = profile if profile == "default" else f"profile {profile}"
    where = f"[{title}] in {facts.shown(facts.config_file)}"
    return _static_of(settings, Kind.CONFIG_FILE, where, profile, facts, strict=strict)


def _static_of_both_files(facts: CredentialFacts, profile: str) -> Source | None:
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
            raise _Stopped(
                Problem(
                    Trouble.HALF_A_PAIR,
                    f"{where} has aws_access_key_id and no aws_secret_access_key.",
                    f"Remove the line aws_access_key_id from {where}, or sign in instead: aws login --profile {profile}",
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


def _assumed_role(settings: Mapping[str, str], profile: str, basis: Source) -> Source:
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


def _web_identity(facts: CredentialFacts, profile: str, *, with_environment: bool, strict: bool) -> Source | None:
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
        raise _Stopped(
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


def _web_identity_of_environment(facts: CredentialFacts) -> Source | None:
    role_arn = facts.environ.get("AWS_ROLE_ARN")
    if not (facts.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and role_arn):
        return None
    return Source(kind=Kind.WEB_IDENTITY, where="AWS_WEB_IDENTITY_TOKEN_FILE", refreshes=True, role_arn=role_arn)


def _sso(facts: CredentialFacts, profile: str, *, strict: bool) -> Source:
    settings = facts.profiles[profile]
    session = settings.get("sso_session")
    complete = dict(settings)
    if session is not None:
        if session not in facts.sso_sessions and strict:
            raise _Stopped(_incomplete(facts, profile, f"names the sso_session {session!r}, which does not exist"))
        for name, value in facts.sso_sessions.get(session, {}).items():
            if strict and complete.get(name, value) != value:
                raise _Stopped(_incomplete(facts, profile, f"and its sso-session say different things about {name}"))
            complete[name] = value
    needed = ("sso_role_name", "sso_account_id", "sso_start_url", "sso_region")
    missing = [name for name in needed if name not in complete]
    lacking = (_incomplete(facts, profile, f"is for SSO and lacks {', '.join(missing)}"),) if missing else ()
    if lacking and strict:
        raise _Stopped(lacking[0])
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
        or _sign_in_problems(facts, sign_in, f"aws sso login --profile {profile}", renewable=renewable),
    )


def _login(facts: CredentialFacts, profile: str) -> Source:
    settings = facts.profiles[profile]
    sign_in = facts.sign_ins.get(login_cache_key(settings.get("login_session", "")))
    renewable = sign_in is not None and sign_in.can_refresh
    command = "aws login" if profile == "default" else f"aws login --profile {profile}"
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


def _process(facts: CredentialFacts, profile: str) -> Source:
    program = facts.profiles[profile]["credential_process"]
    return Source(
        kind=Kind.PROCESS,
        where=f"credential_process of profile {profile} ({program})",
        profile=profile,
        key=Key.UNKNOWN,
        # It does if it says an Expiration, which only running it tells.
        refreshes=None,
    )


def _container(facts: CredentialFacts, sdk: Sdk) -> Source | None:
    for name in ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        if facts.environ.get(name) or (sdk is Sdk.BOTO3 and name in facts.environ):
            return Source(kind=Kind.CONTAINER, where=name, refreshes=True)
    return None


def _instance(facts: CredentialFacts, sdk: Sdk) -> Source | None:
    disabled = facts.environ.get("AWS_EC2_METADATA_DISABLED", "").lower()
    off = disabled == "true" if sdk is Sdk.BOTO3 else disabled not in {"", "false"}
    if off or not facts.on_instance:
        return None
    return Source(kind=Kind.INSTANCE, where="the role of this EC2 instance", refreshes=True)


# --- What is said beside the winner -----------------------------------------------------------------------------------


def _everything(facts: CredentialFacts, profile: str) -> Iterator[Source]:
    """Every source that is there, whether or not an SDK would come to it."""
    if environment := _environment(facts, strict=False):
        yield environment
    settings = facts.profiles.get(profile, {})
    if "role_arn" in settings and "web_identity_token_file" not in settings:
        with contextlib.suppress(_Stopped):
            yield _assumed_role_by_boto3(facts, profile, (profile,))
    web_identities = (
        _web_identity_of_environment(facts),
        _web_identity(facts, profile, with_environment=False, strict=False),
    )
    yield from (source for source in web_identities if source)
    if "sso_role_name" in settings or "sso_account_id" in settings:
        yield _sso(facts, profile, strict=False)
    if source := _static_in_credentials_file(facts, profile, strict=False):
        yield source
    if "login_session" in settings:
        yield _login(facts, profile)
    if "credential_process" in settings:
        yield _process(facts, profile)
    if source := _static_in_config_file(facts, profile, strict=False):
        yield source
    yield from _surroundings(facts, Sdk.CDK)


def _same(one: Source, other: Source | None) -> bool:
    """Whether two descriptions are of one source; a role's basis may be described by either SDK."""
    return other is not None and (one.kind, one.profile, one.role_arn) == (other.kind, other.profile, other.role_arn)


def _ignored(
    facts: CredentialFacts,
    winner: Source | None,
    shadowed: tuple[Source, ...],
    profile: str | None,
    profile_from: str | None,
) -> tuple[Problem, ...]:
    """What is set and has no effect, which is what surprises people."""
    found = []
    environ = facts.environ
    if environ.get("AWS_SECRET_ACCESS_KEY") and not environ.get("AWS_ACCESS_KEY_ID"):
        found.append(
            Problem(
                Trouble.HALF_A_PAIR,
                "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not: it is ignored.",
                "unset AWS_SECRET_ACCESS_KEY",
            )
        )
    if winner is not None and winner.kind is Kind.ENVIRONMENT and (profile or shadowed):
        hidden = f"profile {profile}" if profile else shadowed[0].where
        found.append(
            Problem(
                Trouble.SHADOWED_PROFILE,
                f"The keys in the environment are used, and {hidden} is not"
                + (f", although {profile_from} names it." if profile else "."),
                "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"
                + (f", or name the profile: --profile {profile}" if profile else ""),
            )
        )
    signs_in = [source for source in shadowed if source.kind in {Kind.LOGIN, Kind.SSO, Kind.PROCESS}]
    if winner is not None and winner.kind in {Kind.CREDENTIALS_FILE, Kind.CONFIG_FILE} and signs_in:
        found.append(
            Problem(
                Trouble.STATIC_KEYS_SHADOW,
                f"The keys in {winner.where} are used, and {signs_in[0].where} is not.",
                f"Remove aws_access_key_id, aws_secret_access_key and aws_session_token from {winner.where}.",
            )
        )
    return tuple(found)


def _of_any_sdk(problems: tuple[Problem, ...]) -> Iterator[Problem]:
    """Leave out what is wrong with the Python SDK only."""
    its_own = {Trouble.SDK_TOO_OLD, Trouble.CRT_MISSING, Trouble.KEY_UNREADABLE}
    return (problem for problem in problems if problem.trouble not in its_own)


def _incomplete(facts: CredentialFacts, profile: str, what: str) -> Problem:
    return Problem(
        Trouble.PROFILE_INCOMPLETE,
        f"Profile {profile} {what}.",
        f"Mend it in {facts.shown(facts.config_file)}, or take another: --profile NAME",
    )


def _profile_missing(facts: CredentialFacts, profile: str, profile_from: str | None) -> Problem:
    known = ", ".join(sorted(facts.profiles)) or "none"
    return Problem(
        Trouble.PROFILE_MISSING,
        f"There is no profile {profile!r}, which {profile_from} names. There are: {known}.",
        "unset it, or name one that exists: --profile NAME"
        if profile_from != "--profile"
        else "Name one that exists, or make it: aws configure sso --profile " + profile,
    )
