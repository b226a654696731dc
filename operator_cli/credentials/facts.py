"""Reads what this machine says about AWS credentials, and keeps no secret of it.

Environment, configuration files and sign-in caches are read as the SDKs read them. Of each secret only its presence is
kept, of a key id its kind and its last four characters: what is not here cannot be printed.
"""

from __future__ import annotations

import base64
import configparser
import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shlex
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

PRESENT: Final = "(set)"
"""Stands for a value that is not kept."""

KEY_ID: Final = "aws_access_key_id"
_KEY_ID_VARIABLES: Final = frozenset({"AWS_ACCESS_KEY_ID", "AMAZON_ACCESS_KEY_ID"})

KEPT_VARIABLES: Final = frozenset(
    {
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AMAZON_REGION",
        "AMAZON_DEFAULT_REGION",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_LOGIN_CACHE_DIRECTORY",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_CA_BUNDLE",
    }
)
"""Variables whose value is no secret. Endpoint addresses are kept without a password in them; of every other variable
that concerns AWS only its presence."""

KEPT_SETTINGS: Final = frozenset(
    {
        "region",
        "sso_session",
        "sso_start_url",
        "sso_region",
        "sso_account_id",
        "sso_role_name",
        "login_session",
        "role_arn",
        "source_profile",
        "credential_source",
        "mfa_serial",
        "duration_seconds",
        "role_session_name",
        "web_identity_token_file",
        "services",
        "ignore_configured_endpoint_urls",
    }
)
"""Settings of a profile whose value is no secret."""

_ADDRESS: Final = re.compile(r"^(endpoint_url|AWS_ENDPOINT_URL(_[A-Z0-9_]+)?)$")
_SEC1_KEY: Final = re.compile(rb"\x30.\x02\x01\x01\x04(?P<length>.)", re.DOTALL)
"""How an elliptic curve's private key begins (RFC 5915): a sequence, version 1, and the key with its length."""

_P256_BYTES: Final = 32
_LAST: Final = 4
_KIND: Final = 4

Sections = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What the disk holds of a browser sign-in: when it ends, never what it is.

    Attributes:
        path: Its file.
        expires_at: When its present token ends; `None` if the file does not say.
        can_refresh: Whether it holds what a new token is asked for with, and that has not ended as far as it says.
        complete: Whether it has everything that the SDKs ask of it.
        readable_key: Whether boto3 and the AWS command line can read its private key, without which they renew nothing.
    """

    path: Path
    expires_at: datetime | None
    can_refresh: bool
    complete: bool
    readable_key: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFacts:
    """Everything that decides which credentials an SDK takes, without one secret.

    Attributes:
        now: The local clock.
        profile: The profile that was named on the command line.
        environ: The variables that matter, as `gather` reduces them.
        home: The user's home.
        config_file: Path of the configuration file.
        credentials_file: Path of the credentials file.
        config_profiles: Its profiles, reduced.
        credentials_profiles: The credentials file's, reduced.
        sso_sessions: The configuration file's `sso-session` sections.
        services: Its `services` sections: endpoint addresses by service.
        sign_ins: Cached SSO and login sessions, by the name of their file without its end.
        unreadable: Files that could not be read or understood: path and reason.
        on_instance: Whether this machine says that it is an EC2 instance.
        sdk: The installed botocore's version.
        has_crt: Whether `awscrt` is installed, which sign-ins by `aws login` need.
    """

    now: datetime
    profile: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    home: Path = Path("~")
    config_file: Path = Path("~/.aws/config")
    credentials_file: Path = Path("~/.aws/credentials")
    config_profiles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    credentials_profiles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sso_sessions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sign_ins: Mapping[str, SignIn] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    on_instance: bool = False
    sdk: tuple[int, ...] = ()
    has_crt: bool = True

    @property
    def profiles(self) -> dict[str, dict[str, str]]:
        """The profiles of both files; where both have a setting, the credentials file's."""
        merged = {name: dict(settings) for name, settings in self.config_profiles.items()}
        for name, settings in self.credentials_profiles.items():
            merged.setdefault(name, {}).update(settings)
        return merged

    def shown(self, path: Path) -> str:
        """How to name a file to its owner."""
        return f"~/{path.relative_to(self.home)}" if path.is_relative_to(self.home) else str(path)


def gather(environ: Mapping[str, str], *, now: datetime, profile: str | None = None) -> CredentialFacts:
    """Read environment, files and caches. It makes no call and starts no process.

    Args:
        environ: The environment; its secrets are left behind.
        now: The local clock.
        profile: The profile that was named on the command line.
    """
    home = Path(environ.get("HOME") or Path.home())
    unreadable: dict[str, str] = {}
    config_file = _located(environ.get("AWS_CONFIG_FILE"), home / ".aws" / "config", home)
    credentials_file = _located(environ.get("AWS_SHARED_CREDENTIALS_FILE"), home / ".aws" / "credentials", home)
    config = _sections(config_file, unreadable)
    credentials = _sections(credentials_file, unreadable)
    login_caches = _located(environ.get("AWS_LOGIN_CACHE_DIRECTORY"), home / ".aws" / "login" / "cache", home)
    return CredentialFacts(
        now=now,
        profile=profile,
        environ=reduced_environment(environ),
        home=home,
        config_file=config_file,
        credentials_file=credentials_file,
        config_profiles=_profiles(config),
        credentials_profiles={name: reduced_settings(settings) for name, settings in credentials.items()},
        sso_sessions={name: reduced_settings(settings) for name, settings in _named(config, "sso-session").items()},
        services={name: _service_addresses(settings) for name, settings in _named(config, "services").items()},
        sign_ins=_sso_sign_ins(home / ".aws" / "sso" / "cache", now) | _login_sign_ins(login_caches),
        unreadable=unreadable,
        on_instance=_on_instance(),
        sdk=_sdk_version(),
        has_crt=importlib.util.find_spec("awscrt") is not None,
    )


def sso_cache_key(settings: Mapping[str, str]) -> str:
    """Give the name under which a profile's SSO session is cached."""
    # As the SDKs name it: https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
    name = settings.get("sso_session") or settings.get("sso_start_url", "")
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def login_cache_key(login_session: str) -> str:
    """Give the name under which a session of `aws login` is cached."""
    return hashlib.sha256(login_session.encode()).hexdigest()


def reduced_key_id(value: str) -> str:
    """Reduce a key id to its kind and its last four characters; one too short for that, to its presence."""
    return f"{value[:_KIND]}…{value[-_LAST:]}" if len(value) > 2 * (_KIND + _LAST) else PRESENT


def reduced_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the variables that concern AWS, without their secrets."""
    reduced = {}
    for name, value in environ.items():
        if not name.startswith(("AWS_", "AMAZON_")):
            continue
        if name in KEPT_VARIABLES or not value:
            reduced[name] = value
        elif name in _KEY_ID_VARIABLES:
            reduced[name] = reduced_key_id(value)
        else:
            reduced[name] = _without_password(value) if _ADDRESS.match(name) else PRESENT
    return reduced


def reduced_settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """Give a section's settings, without their secrets. Of a `credential_process` only the program is kept."""
    reduced = {}
    for name, value in settings.items():
        if not isinstance(value, str):
            reduced[name] = PRESENT
        elif name in KEPT_SETTINGS or not value:
            reduced[name] = value
        elif name == KEY_ID:
            reduced[name] = reduced_key_id(value)
        elif name == "credential_process":
            reduced[name] = _program(value)
        else:
            reduced[name] = _without_password(value) if _ADDRESS.match(name) else PRESENT
    return reduced


def parsed_moment(value: object) -> datetime | None:
    """Give the moment that a cache or a variable names, `None` if it names none. Without a zone it is UTC."""
    if not isinstance(value, str):
        return None
    # Old versions of the AWS CLI wrote `2026-11-25T20:00:00UTC`.
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(re.sub(r"\s*(UTC|Z)$", "+00:00", value.strip()))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return None


def _located(given: str | None, usual: Path, home: Path) -> Path:
    if not given:
        return usual
    expanded = os.path.expandvars(given)
    return home / expanded[2:] if expanded.startswith("~/") else Path(expanded)


def _program(command: str) -> str:
    try:
        return Path(shlex.split(command)[0]).name
    except (ValueError, IndexError):
        return PRESENT


def _without_password(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return PRESENT
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _sections(path: Path, unreadable: dict[str, str]) -> Sections:
    """Read an INI file as botocore does: no interpolation, one level of nesting."""
    parser = configparser.RawConfigParser()
    try:
        text = path.read_text()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        unreadable[str(path)] = _fault(error)
        return {}
    try:
        parser.read_string(text)
        return {
            section: {name: _nested(parser.get(section, name)) for name in parser.options(section)}
            for section in parser.sections()
        }
    except (configparser.Error, ValueError) as error:
        unreadable[str(path)] = _fault(error, begins_with_mark=text.startswith("\ufeff"))
        return {}


def _fault(error: Exception, *, begins_with_mark: bool = False) -> str:
    """Say what is wrong with a file. The error's own text quotes the line, which may hold a secret."""
    if begins_with_mark:
        return "it begins with a byte order mark, which no SDK takes: save it as UTF-8 without one"
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno else type(error).__name__
    return {
        "DuplicateOptionError": "a section has a name twice",
        "DuplicateSectionError": "a section stands there twice",
        "MissingSectionHeaderError": "something stands before the first section",
        "ParsingError": "a line is neither a section nor a name with its value",
        "UnicodeDecodeError": "it is not written in this machine's encoding, UTF-8 as a rule",
    }.get(type(error).__name__, type(error).__name__)


def _nested(value: str) -> Any:  # noqa: ANN401 - text, or a section within the section
    if not value.startswith("\n"):
        return value
    lines = [line.strip() for line in value.splitlines() if line.strip()]
    if any("=" not in line for line in lines):
        raise ValueError("nested")
    return {name.strip(): inner.strip() for name, _, inner in (line.partition("=") for line in lines)}


def _named(sections: Sections, kind: str) -> Sections:
    """Give the sections `[kind NAME]` by their names."""
    found = {}
    for title, settings in sections.items():
        if title.startswith(kind):
            with contextlib.suppress(ValueError):
                parts = shlex.split(title)
                if len(parts) == 2:  # noqa: PLR2004 - the kind and the name
                    found[parts[1]] = settings
    return found


def _profiles(sections: Sections) -> dict[str, dict[str, str]]:
    """Give the configuration file's profiles: `[default]`, and every `[profile NAME]`, in their order."""
    found: dict[str, dict[str, str]] = {}
    for title, settings in sections.items():
        if title == "default":
            found[title] = reduced_settings(settings)
        else:
            found |= {name: reduced_settings(own) for name, own in _named({title: settings}, "profile").items()}
    return found


def _service_addresses(settings: Mapping[str, Any]) -> dict[str, str]:
    return {
        service: _without_password(inner["endpoint_url"])
        for service, inner in settings.items()
        if isinstance(inner, dict) and "endpoint_url" in inner
    }


def _cached(folder: Path) -> dict[Path, dict[str, Any]]:
    found = {}
    with contextlib.suppress(OSError):
        for path in sorted(folder.glob("*.json")):
            with contextlib.suppress(OSError, ValueError, RecursionError):
                held = json.loads(path.read_text())
                if isinstance(held, dict):
                    found[path] = held
    return found


def _sso_sign_ins(folder: Path, now: datetime) -> dict[str, SignIn]:
    found = {}
    for path, held in _cached(folder).items():
        # Client registrations lie in the same folder; they have no access token.
        if "accessToken" not in held:
            continue
        registration = parsed_moment(held.get("registrationExpiresAt"))
        renewable = all(name in held for name in ("refreshToken", "clientId", "clientSecret"))
        found[path.stem] = SignIn(
            path=path,
            expires_at=parsed_moment(held.get("expiresAt")),
            can_refresh=renewable and registration is not None and registration > now,
            complete="expiresAt" in held,
        )
    return found


def _login_sign_ins(folder: Path) -> dict[str, SignIn]:
    found = {}
    for path, held in _cached(folder).items():
        token = held.get("accessToken")
        token = token if isinstance(token, dict) else {}
        found[path.stem] = SignIn(
            path=path,
            # Inside `accessToken`, not beside it.
            expires_at=parsed_moment(token.get("expiresAt")),
            can_refresh=all(held.get(name) for name in ("refreshToken", "dpopKey", "clientId")),
            complete=bool(token) and all(name in held for name in ("refreshToken", "dpopKey", "clientId")),
            readable_key=not _lacks_zeros(held.get("dpopKey")),
        )
    return found


def _lacks_zeros(pem: object) -> bool:
    """Whether a private key begins with zeros that were left out.

    awscrt, with which the AWS command line makes the key, leaves them out in about one key of two hundred, and cannot read
    what it wrote. A key in any other form is for the SDK to judge.
    """
    with contextlib.suppress(ValueError):
        lines = pem.splitlines() if isinstance(pem, str) else []
        der = base64.b64decode("".join(line.strip() for line in lines if not line.startswith("-----")))
        found = _SEC1_KEY.match(der)
        return found is not None and found["length"][0] < _P256_BYTES
    return False


def _on_instance() -> bool:
    """Whether the machine's firmware says that it is an EC2 instance: the CDK command line asks the same two files."""
    for path, start in (("/sys/devices/virtual/dmi/id/board_asset_tag", "i-"), ("/sys/hypervisor/uuid", "ec2")):
        with contextlib.suppress(OSError):
            if Path(path).read_text().strip().lower().startswith(start):
                return True
    return False


def _sdk_version() -> tuple[int, ...]:
    import importlib.metadata  # noqa: PLC0415 - slow, and `--help` needs none of it

    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        version = importlib.metadata.version("botocore")
        return tuple(int(part) for part in version.split(".") if part.isdigit())
    return ()
