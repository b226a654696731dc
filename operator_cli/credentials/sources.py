"""Which credentials an SDK takes, what they shadow, and whether they last: from gathered facts, without a call.

Two SDKs matter to an operator. boto3 serves Python and, as botocore, the AWS command line; the CDK command line has the
JavaScript SDK and an order of its own. `resolve` follows either through its chain and says who wins.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import TYPE_CHECKING, Final

from operator_cli.credentials.in_force import profile_in_force
from operator_cli.credentials.kinds import Kind, Problem, Sdk, Source, Trouble
from operator_cli.credentials.places import (
    Stopped,
    by_login,
    by_process,
    by_role,
    by_sso,
    by_web_identity,
    by_web_identity_of_environment,
    in_both_files,
    in_config_file,
    in_credentials_file,
    incomplete,
    of_container,
    of_environment,
    of_instance,
    of_surroundings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operator_cli.credentials.facts import CredentialFacts


CREDENTIAL_SOURCES: Final = ("Environment", "EcsContainer", "Ec2InstanceMetadata")
"""What a profile's `credential_source` may be."""
SSO_SETTINGS: Final = frozenset({"sso_start_url", "sso_account_id", "sso_session", "sso_region", "sso_role_name"})
"""Any of these makes a profile one for SSO, as the JavaScript SDK has it."""


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


def resolve(facts: CredentialFacts, sdk: Sdk = Sdk.BOTO3) -> Resolution:
    """Say which source an SDK takes, and what it leaves unused."""
    profile, profile_from = profile_in_force(facts, sdk)
    name = profile if profile is not None else "default"
    chain = _boto3_chain if sdk is Sdk.BOTO3 else _cdk_chain
    winner: Source | None = None
    stopped_by: Problem | None = None
    try:
        _require_readable(facts)
        _require_profile(facts, sdk, profile, profile_from)
        winner = next(chain(facts, name), None)
    except Stopped as stop:
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


def _require_readable(facts: CredentialFacts) -> None:
    for path, reason in facts.unreadable.items():
        raise Stopped(
            Problem(
                Trouble.FILE_UNREADABLE,
                f"{path} could not be read ({reason}), so no profile is known.",
                f"Mend {path}: each line is a [section] or a name = value.",
            )
        )


def _require_profile(facts: CredentialFacts, sdk: Sdk, profile: str | None, profile_from: str | None) -> None:
    """Stop at a profile that is not there. The CDK does so only where it was named on the command line."""
    if profile is not None and profile not in facts.profiles and (sdk is Sdk.BOTO3 or facts.profile is not None):
        raise Stopped(_profile_missing(facts, profile, profile_from))


def _profile_missing(facts: CredentialFacts, profile: str, profile_from: str | None) -> Problem:
    known = ", ".join(sorted(facts.profiles)) or "none"
    return Problem(
        Trouble.PROFILE_MISSING,
        f"There is no profile {profile!r}, which {profile_from} names. There are: {known}.",
        "unset it, or name one that exists: --profile NAME"
        if profile_from != "--profile"
        else "Name one that exists, or make it: aws configure sso --profile " + quote(profile or "NAME"),
    )


# --- The two chains ---------------------------------------------------------------------------------------------------


def _boto3_chain(facts: CredentialFacts, profile: str) -> Iterator[Source]:
    """Botocore's order; a profile that was named in code or on the command line switches the environment off."""
    explicit = facts.profile is not None
    if not explicit and (environment := of_environment(facts, strict=True)):
        yield environment
    merged = facts.profiles.get(profile, {})
    if "role_arn" in merged and "web_identity_token_file" not in merged:
        yield _assumed_role_by_boto3(facts, profile, (profile,))
    yield from _boto3_profile_chain(facts, profile, with_environment=not explicit)
    yield from of_surroundings(facts, Sdk.BOTO3)


def _boto3_profile_chain(facts: CredentialFacts, profile: str, *, with_environment: bool) -> Iterator[Source]:
    merged = facts.profiles.get(profile, {})
    if web_identity := by_web_identity(facts, profile, with_environment=with_environment, strict=True):
        yield web_identity
    if "sso_role_name" in merged or "sso_account_id" in merged:
        yield by_sso(facts, profile, strict=True)
    if source := in_credentials_file(facts, profile, strict=True):
        yield source
    if "login_session" in merged:
        login = by_login(facts, profile)
        stopping = {Trouble.SDK_TOO_OLD, Trouble.CRT_MISSING, Trouble.NOT_SIGNED_IN}
        for problem in login.problems:
            if problem.trouble in stopping:
                # An SDK that is too old does not see the setting and asks the next source.
                if problem.trouble is Trouble.SDK_TOO_OLD:
                    break
                raise Stopped(problem)
        else:
            yield login
    if "credential_process" in merged:
        yield by_process(facts, profile)
    if source := in_config_file(facts, profile, strict=True):
        yield source


def _assumed_role_by_boto3(facts: CredentialFacts, profile: str, visited: tuple[str, ...]) -> Source:
    settings = facts.profiles[profile]
    source_profile, credential_source = settings.get("source_profile"), settings.get("credential_source")
    if (source_profile is None) == (credential_source is None):
        which = "neither" if source_profile is None else "both"
        raise Stopped(incomplete(facts, profile, f"names {which} of source_profile and credential_source"))
    if credential_source is not None:
        return by_role(settings, profile, _named_source(facts, profile, credential_source))
    assert source_profile is not None  # noqa: S101 - one of the two is there, for the type checker
    if source_profile not in facts.profiles:
        raise Stopped(incomplete(facts, profile, f"names the source_profile {source_profile!r}, which does not exist"))
    source_settings = facts.profiles[source_profile]
    has_keys = "aws_access_key_id" in source_settings or "aws_secret_access_key" in source_settings
    is_role = "role_arn" in source_settings and "web_identity_token_file" not in source_settings
    if source_profile in visited and not (source_profile == profile and has_keys):
        raise Stopped(incomplete(facts, profile, f"comes back to {source_profile!r} by its source_profile"))
    if has_keys or not is_role:
        basis = next(_boto3_profile_chain(facts, source_profile, with_environment=False), None)
        if basis is None:
            raise Stopped(incomplete(facts, source_profile, "is a source_profile and has no credentials"))
    else:
        basis = _assumed_role_by_boto3(facts, source_profile, (*visited, source_profile))
    return by_role(settings, profile, basis)


def _named_source(facts: CredentialFacts, profile: str, name: str) -> Source:
    if name not in CREDENTIAL_SOURCES:
        allowed = ", ".join(CREDENTIAL_SOURCES)
        raise Stopped(incomplete(facts, profile, f"has a credential_source that is none of {allowed}"))
    found = {
        "Environment": lambda: of_environment(facts, strict=True),
        "EcsContainer": lambda: of_container(facts, Sdk.BOTO3),
        "Ec2InstanceMetadata": lambda: of_instance(facts, Sdk.BOTO3),
    }[name]()
    if found is None:
        raise Stopped(incomplete(facts, profile, f"takes its credentials from {name}, where there are none"))
    return found


def _cdk_chain(facts: CredentialFacts, profile: str) -> Iterator[Source]:
    """The CDK command line's order: keys of the environment, then the profile, then what surrounds the process."""
    explicit = facts.profile is not None
    if not explicit and (environment := of_environment(facts, strict=False)):
        yield environment
    if source := _cdk_profile(facts, profile, (), in_a_role=False):
        yield source
    if explicit:
        raise Stopped(incomplete(facts, profile, "holds no credentials that the CDK can use"))
    if "credential_process" in facts.profiles.get(profile, {}):
        # A role that could not be assumed hid it so far.
        yield by_process(facts, profile)
    if web_identity := by_web_identity_of_environment(facts):
        yield web_identity
    yield from of_surroundings(facts, Sdk.CDK)


def _cdk_profile(facts: CredentialFacts, profile: str, visited: tuple[str, ...], *, in_a_role: bool) -> Source | None:
    """What the JavaScript SDK finds in a profile: a role first, then keys, then what else it may name."""
    settings = facts.profiles.get(profile, {})
    static = in_both_files(facts, profile)
    is_role = "role_arn" in settings and ("source_profile" in settings) != ("credential_source" in settings)
    if is_role and not (in_a_role and static):
        basis = _cdk_basis(facts, profile, visited)
        return by_role(settings, profile, basis) if basis else None
    if in_a_role and not static and settings.get("credential_source") and not settings.get("role_arn"):
        # What a role rests on may name a credential_source and no role: then it is that source itself.
        return _cdk_basis(facts, profile, visited)
    found = static
    if found is None and "web_identity_token_file" in settings and "role_arn" in settings:
        found = by_web_identity(facts, profile, with_environment=False, strict=False)
    if found is None and "credential_process" in settings:
        found = by_process(facts, profile)
    if found is None and settings.keys() & SSO_SETTINGS:
        found = by_sso(facts, profile, strict=False)
    if found is None and settings.get("login_session"):
        login = by_login(facts, profile)
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
        "Environment": lambda: of_environment(facts, strict=False),
        "EcsContainer": lambda: of_container(facts, Sdk.CDK),
        "Ec2InstanceMetadata": lambda: of_instance(facts, Sdk.CDK),
    }.get(settings["credential_source"], lambda: None)()


def _of_any_sdk(problems: tuple[Problem, ...]) -> Iterator[Problem]:
    """Leave out what is wrong with the Python SDK only."""
    its_own = {Trouble.SDK_TOO_OLD, Trouble.CRT_MISSING, Trouble.KEY_UNREADABLE}
    return (problem for problem in problems if problem.trouble not in its_own)


# --- What is said beside the winner -----------------------------------------------------------------------------------


def _everything(facts: CredentialFacts, profile: str) -> Iterator[Source]:
    """Every source that is there, whether or not an SDK would come to it."""
    if environment := of_environment(facts, strict=False):
        yield environment
    settings = facts.profiles.get(profile, {})
    if "role_arn" in settings and "web_identity_token_file" not in settings:
        with contextlib.suppress(Stopped):
            yield _assumed_role_by_boto3(facts, profile, (profile,))
    web_identities = (
        by_web_identity_of_environment(facts),
        by_web_identity(facts, profile, with_environment=False, strict=False),
    )
    yield from (source for source in web_identities if source)
    if "sso_role_name" in settings or "sso_account_id" in settings:
        yield by_sso(facts, profile, strict=False)
    if source := in_credentials_file(facts, profile, strict=False):
        yield source
    if "login_session" in settings:
        yield by_login(facts, profile)
    if "credential_process" in settings:
        yield by_process(facts, profile)
    if source := in_config_file(facts, profile, strict=False):
        yield source
    yield from of_surroundings(facts, Sdk.CDK)


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
                + (f", or name the profile: --profile {quote(profile)}" if profile else ""),
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
