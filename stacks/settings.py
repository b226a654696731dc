"""Every value that differs from one deployment to the next, typed and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from aws_cdk.aws_logs import RetentionDays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Target(StrEnum):
    """Where the application is deployed."""

    AWS = "aws"
    LOCAL = "local"


class Architecture(StrEnum):
    """The processor that the functions run on."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


class Removal(StrEnum):
    """What happens to stored data when its stack is deleted."""

    RETAIN = "retain"
    DESTROY = "destroy"


class Encryption(StrEnum):
    """Whose keys encrypt stored data."""

    AWS = "aws"
    """Keys that the services own: free of charge, and nobody has to be allowed their use."""
    CUSTOMER = "customer"
    """One key of the account's own: its use is logged, and it can be taken away."""


class Function(StrEnum):
    """The functions, by the name that their roles, log groups and entry modules share."""

    API = "api"
    AUTHORIZER = "authorizer"
    WORKER = "worker"
    SWEEPER = "sweeper"


class Service(StrEnum):
    """The AWS services that functions may reach, each through its VPC endpoint."""

    DYNAMODB = "dynamodb"
    S3 = "s3"
    SQS = "sqs"
    STS = "sts"


GATEWAY_SERVICES: Final = frozenset({Service.DYNAMODB, Service.S3})
"""Reached through a gateway endpoint: a route, free of charge. The others have interface endpoints."""

_OPTIONAL_SERVICES: Final = frozenset({Service.STS})
"""Only GET /v1/ready calls STS; a deployment may save its endpoint."""

_PRODUCTION_NAMES: Final = frozenset({"prod", "production"})

_NOTES_OF_THE_CLI: Final = frozenset({"acknowledged-issue-numbers", "cli-telemetry"})
"""What ``cdk acknowledge`` and ``cdk cli-telemetry`` write into the context, under names like those of settings."""

LOG_RETENTION: Final[Mapping[int, RetentionDays]] = {
    1: RetentionDays.ONE_DAY,
    3: RetentionDays.THREE_DAYS,
    5: RetentionDays.FIVE_DAYS,
    7: RetentionDays.ONE_WEEK,
    14: RetentionDays.TWO_WEEKS,
    30: RetentionDays.ONE_MONTH,
    60: RetentionDays.TWO_MONTHS,
    90: RetentionDays.THREE_MONTHS,
    180: RetentionDays.SIX_MONTHS,
    365: RetentionDays.ONE_YEAR,
    731: RetentionDays.TWO_YEARS,
    1827: RetentionDays.FIVE_YEARS,
    3653: RetentionDays.TEN_YEARS,
}
"""The days for which logs can be kept: a choice from what CloudWatch Logs accepts."""


class InvalidSetting(Exception):
    """A setting that is unknown, or has a value that is not allowed. The text names both, and what is allowed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The settings of one deployment.

    Attributes:
        target: ``local`` leaves out what the local AWS cannot take (see ``stacks/local_target.py``).
        environment: Part of every name; deployments of different environments share nothing.
        account: The account to deploy to; ``None`` leaves it to the credentials in use.
        region: The region to deploy to.
        az_count: Availability zones with a subnet and an address of each interface endpoint.
        event_retention_days: How long an event is kept after its acceptance.
        log_retention_days: How long logs are kept.
        architecture: The processor that the functions run on.
        removal_policy: What happens to stored data when its stack is deleted.
        endpoints: The services that have a VPC endpoint.
        alarm_topic: ARN of an SNS topic that alarms notify; ``None`` for alarms that only change colour.
        organization: Id of the AWS organisation whose principals the stores' policies do not refuse as strangers, and
            to which the endpoints are bound as well; ``None`` for the account alone.
        encryption: Whose keys encrypt tables, queues and payloads. Logs keep the keys of CloudWatch Logs: they hold ids
            and reasons, no payload.
        permissions_boundary: Name or ARN of a managed policy of the account that limits every role; ``None`` for none.
    """

    target: Target = Target.AWS
    environment: str = "dev"
    account: str | None = None
    region: str = "us-east-1"
    az_count: int = 2
    event_retention_days: int = 30
    log_retention_days: int = 30
    architecture: Architecture = Architecture.ARM64
    removal_policy: Removal = Removal.DESTROY
    endpoints: frozenset[Service] = frozenset(Service)
    alarm_topic: str | None = None
    organization: str | None = None
    encryption: Encryption = Encryption.AWS
    permissions_boundary: str | None = None

    @property
    def production(self) -> bool:
        """True for an environment whose data is worth more than a quick clean-up."""
        return self.environment in _PRODUCTION_NAMES

    @property
    def prefix(self) -> str:
        """What every physical name begins with."""
        return f"rolebound-{self.environment}"

    def function_name(self, function: Function) -> str:
        """Give the physical name of a function."""
        return f"{self.prefix}-{function}"

    def role_name(self, function: Function) -> str:
        """Give the physical name of a function's role.

        Endpoint and store policies name the roles before the roles exist, so the names are known beforehand. IAM is global:
        the region keeps two deployments of one environment apart.
        """
        return f"{self.prefix}-{self.region}-{function}"

    @classmethod
    def from_context(cls, context: Mapping[str, Any], *, regions: Callable[[], list[str]] | None = None) -> Settings:
        """Read the settings from CDK context (``cdk.json``, ``-c name=value``).

        Args:
            context: All context values. Keys with a ``:`` or ``/`` or a leading ``@`` are the CDK's own, and so are
                the notes that its CLI keeps there.
            regions: Gives the names of all regions; not asked if ``None``.

        Returns:
            The settings, with the defaults where the context has nothing (or an empty text).

        Raises:
            InvalidSetting: A setting is unknown or has a value that is not allowed.
        """
        known = {field.name for field in fields(cls)}
        given = {
            name: value
            for name, value in context.items()
            if not (name.startswith("@") or ":" in name or "/" in name or name in _NOTES_OF_THE_CLI)
        }
        unknown = sorted(given.keys() - known)
        if unknown:
            raise InvalidSetting(
                f"There is no setting {', '.join(unknown)}. A mistyped name would be ignored in silence, so nothing is "
                f"synthesised. Settings are: {', '.join(sorted(known))}. Correct the -c option or cdk.json."
            )
        values: dict[str, Any] = {
            name: _PARSERS[name](name, value) for name, value in given.items() if value not in (None, "")
        }
        if regions is not None and "region" in values and values["region"] not in regions():
            raise _invalid("region", values["region"], ", ".join(regions()))
        if values.get("environment") in _PRODUCTION_NAMES:
            values.setdefault("removal_policy", Removal.RETAIN)
        settings = cls(**values)
        if settings.alarm_topic is not None and settings.alarm_topic.split(":")[3] != settings.region:
            # CloudWatch notifies topics of its own region only, and says so in the middle of a deployment.
            raise _invalid("alarm_topic", settings.alarm_topic, f"the ARN of an SNS topic in {settings.region}")
        boundary = settings.permissions_boundary or ""
        if boundary.startswith("arn:") and settings.account not in (None, boundary.split(":")[4]):
            # IAM takes no policy of another account, and says so in the middle of a deployment.
            raise _invalid("permissions_boundary", boundary, f"a managed policy of the account {settings.account}")
        return settings


def _invalid(name: str, value: object, allowed: str) -> InvalidSetting:
    return InvalidSetting(
        f"The setting {name} cannot be {value!r}. Allowed: {allowed}. Nothing was synthesised; correct it in cdk.json "
        f"or with -c {name}=…"
    )


def _choice(kind: type[StrEnum]) -> Callable[[str, object], StrEnum]:
    def parse(name: str, value: object) -> StrEnum:
        try:
            return kind(str(value))
        except ValueError:
            raise _invalid(name, value, ", ".join(kind)) from None

    return parse


def _text(pattern: str, allowed: str) -> Callable[[str, object], str]:
    def parse(name: str, value: object) -> str:
        text = str(value)
        if not re.fullmatch(pattern, text, re.ASCII):
            raise _invalid(name, value, allowed)
        return text

    return parse


def _number(*, minimum: int, maximum: int) -> Callable[[str, object], int]:
    def parse(name: str, value: object) -> int:
        text = str(value)
        if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or not minimum <= int(text) <= maximum:
            raise _invalid(name, value, f"whole numbers from {minimum} to {maximum}")
        return int(text)

    return parse


def _log_retention(name: str, value: object) -> int:
    if str(value) not in {str(days) for days in LOG_RETENTION}:
        raise _invalid(name, value, ", ".join(str(days) for days in LOG_RETENTION))
    return int(str(value))


def _services(name: str, value: object) -> frozenset[Service]:
    names = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    allowed = f"a comma-separated list of {', '.join(Service)}; only {', '.join(_OPTIONAL_SERVICES)} may be left out"
    if not isinstance(names, list) or not {str(part) for part in names} <= set(Service):
        raise _invalid(name, value, allowed)
    services = frozenset(Service(str(part)) for part in names)
    if not frozenset(Service) - services <= _OPTIONAL_SERVICES:
        # The functions call these; without an endpoint each call would hang until it times out.
        raise _invalid(name, value, allowed)
    return services


_PARSERS: Final[Mapping[str, Callable[[str, object], object]]] = {
    "target": _choice(Target),
    "environment": _text(r"[a-z][a-z0-9]{0,11}", "a lower-case letter, then up to 11 lower-case letters or digits"),
    "account": _text(r"\d{12}", "the 12 digits of an AWS account id (quote them in cdk.json)"),
    "region": _text(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}", "the name of an AWS region, such as eu-central-1"),
    "az_count": _number(minimum=1, maximum=3),
    "event_retention_days": _number(minimum=1, maximum=3650),
    "log_retention_days": _log_retention,
    "architecture": _choice(Architecture),
    "removal_policy": _choice(Removal),
    "endpoints": _services,
    "alarm_topic": _text(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+", "the ARN of an SNS topic"),
    "encryption": _choice(Encryption),
    "permissions_boundary": _text(
        r"arn:aws[a-z-]*:iam::\d{12}:policy/([!-~]{1,510}/)?[\w+=,.@-]{1,128}|[\w+=,.@-]{1,128}",
        "the name of a managed policy of the account, or its ARN",
    ),
    "organization": _text(r"o-[a-z0-9]{10,32}", "the id of an AWS organisation, such as o-exampleorgid"),
}
