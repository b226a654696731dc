"""Which profile, region and addresses an SDK takes where nobody says it: from gathered facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operator_cli.credentials.kinds import Sdk

if TYPE_CHECKING:
    from operator_cli.credentials.facts import CredentialFacts


def profile_in_force(facts: CredentialFacts, sdk: Sdk) -> tuple[str | None, str | None]:
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


def region_in_force(facts: CredentialFacts, sdk: Sdk = Sdk.BOTO3) -> str | None:
    """Give the region that an SDK takes without being told one. Where it is `None`, boto3 stops and the CDK takes us-east-1."""
    profile, _ = profile_in_force(facts, sdk)
    own = facts.profiles.get(profile or "default", {}).get("region")
    environ = facts.environ
    if sdk is Sdk.BOTO3:
        return environ.get("AWS_DEFAULT_REGION") or own
    variables = ("AWS_REGION", "AMAZON_REGION", "AWS_DEFAULT_REGION", "AMAZON_DEFAULT_REGION")
    named = next((environ[name] for name in variables if environ.get(name)), None)
    return named or own or facts.profiles.get("default", {}).get("region")


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
