"""The operator's one door to AWS: a session, who it is, and a few single questions.

Credentials, region, endpoint and trusted certificates come from where the SDK takes them. A question either gets its
answer or a `Failure`: what kind of failure, and words without a secret. AWS and the SDKs quote what they were given,
session tokens and a credential process's output included, so their words are passed on only where those are known.
"""

from __future__ import annotations

import getpass
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import botocore.exceptions  # noqa: TID251 - this file is operator_cli's one door to AWS
import botocore.session  # noqa: TID251 - as above
from botocore.awsrequest import AWSRequest  # noqa: TID251 - as above
from botocore.config import Config  # noqa: TID251 - as above
from botocore.httpsession import URLLib3Session  # noqa: TID251 - as above
from botocore.utils import get_environ_proxies  # noqa: TID251 - as above

from operator_cli.answers import Caller, Failure, FailureKind, LogLine
from operator_cli.credentials.facts import parsed_moment
from operator_cli.unnamed_errors import failure_without_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Aws", "Caller", "Calls", "Failure", "FailureKind", "Questions", "connect", "failure_of"]

CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 4
FUNCTION_SECONDS: Final = 15 * 60 + 10
"""Longer than any function may run."""
_MOST_ARCHIVE_BYTES: Final = 260_000_000
"""Lambda takes 250 MB."""
_MOST_AT_ONCE: Final = 16
FALLBACK_REGION: Final = "us-east-1"
"""Where STS is asked if no region is known: it names the account of any region."""


_KIND_OF_CODE: Final = {
    "ExpiredToken": FailureKind.EXPIRED,
    "ExpiredTokenException": FailureKind.EXPIRED,
    "InvalidClientTokenId": FailureKind.INVALID,
    "UnrecognizedClientException": FailureKind.INVALID,
    "InvalidAccessKeyId": FailureKind.INVALID,
    "SignatureDoesNotMatch": FailureKind.INVALID,
    "InvalidSignatureException": FailureKind.INVALID,
    "IncompleteSignature": FailureKind.INVALID,
    "AuthFailure": FailureKind.INVALID,
    "RequestExpired": FailureKind.CLOCK,
    "RequestTimeTooSkewed": FailureKind.CLOCK,
    "RequestInTheFuture": FailureKind.CLOCK,
    "AccessDenied": FailureKind.DENIED,
    "AccessDeniedException": FailureKind.DENIED,
    "UnauthorizedOperation": FailureKind.DENIED,
    "ParameterNotFound": FailureKind.NOT_FOUND,
    "ResourceNotFoundException": FailureKind.NOT_FOUND,
}

_WORDS: Final = {
    FailureKind.EXPIRED: "AWS says that the session has expired.",
    FailureKind.INVALID: "AWS does not accept the key: it does not know it, or the signature or session token does not belong to it.",
    FailureKind.CLOCK: "AWS refuses the request's time: this machine's clock is wrong.",
    FailureKind.DENIED: "AWS denied it.",
    FailureKind.NOT_FOUND: "It is not there.",
}

_NO_ENDPOINT: Final = "AWS has no address for this service in this region."
_SDK_ERRORS: Final[dict[str, tuple[FailureKind, str]]] = {
    "NoCredentialsError": (FailureKind.NO_CREDENTIALS, "The SDK found no credentials."),
    "PartialCredentialsError": (FailureKind.NO_CREDENTIALS, "Half of the credentials is missing."),
    "ProfileNotFound": (FailureKind.NO_CREDENTIALS, "The profile does not exist."),
    "SSOTokenLoadError": (FailureKind.NO_CREDENTIALS, "There is no SSO sign-in on this machine."),
    "UnauthorizedSSOTokenError": (FailureKind.EXPIRED, "The SSO sign-in has expired."),
    "TokenRetrievalError": (FailureKind.EXPIRED, "The SSO sign-in has expired and could not be renewed."),
    "LoginTokenLoadError": (FailureKind.NO_CREDENTIALS, "There is no usable `aws login` session on this machine."),
    "LoginRefreshRequired": (FailureKind.EXPIRED, "The `aws login` session has ended."),
    "LoginInsufficientPermissions": (FailureKind.DENIED, "The `aws login` session may not be renewed."),
    "LoginError": (FailureKind.EXPIRED, "The `aws login` session could not be renewed."),
    "MissingDependencyException": (
        FailureKind.CONFIGURATION,
        "boto3 lacks the package awscrt, which `aws login` needs.",
    ),
    "CredentialRetrievalError": (FailureKind.NO_CREDENTIALS, "The source of the credentials failed to give any."),
    "MetadataRetrievalError": (FailureKind.NO_CREDENTIALS, "The container's or instance's credentials did not answer."),
    "InvalidConfigError": (FailureKind.CONFIGURATION, "The profile is configured in a way that the SDK refuses."),
    "InfiniteLoopConfigError": (FailureKind.CONFIGURATION, "The profile's source_profile leads back to itself."),
    "ConfigParseError": (FailureKind.CONFIGURATION, "A configuration file could not be understood."),
    "RefreshWithMFAUnsupportedError": (FailureKind.EXPIRED, "A session with an MFA code cannot renew itself."),
    "SSLError": (
        FailureKind.UNREACHABLE,
        "AWS's certificate was not accepted, or the certificates that it is held against cannot be read.",
    ),
    "ProxyConnectionError": (FailureKind.UNREACHABLE, "The proxy did not connect."),
    "ConnectTimeoutError": (FailureKind.UNREACHABLE, f"AWS did not answer within {CONNECT_SECONDS} s."),
    "ReadTimeoutError": (FailureKind.UNREACHABLE, f"AWS did not answer within {READ_SECONDS} s."),
    "EndpointConnectionError": (FailureKind.UNREACHABLE, "AWS could not be reached."),
    "ConnectionClosedError": (FailureKind.UNREACHABLE, "The connection to AWS was closed."),
    "NoRegionError": (FailureKind.CONFIGURATION, "No region is set."),
    "InvalidRegionError": (FailureKind.CONFIGURATION, "The region's name is not one."),
    "BaseEndpointResolverError": (FailureKind.CONFIGURATION, _NO_ENDPOINT),
    "EndpointProviderError": (FailureKind.CONFIGURATION, _NO_ENDPOINT),
    **dict.fromkeys(
        (
            "InvalidChecksumConfigError",
            "InvalidDefaultsMode",
            "InvalidEndpointConfigurationError",
            "InvalidIMDSEndpointError",
            "InvalidIMDSEndpointModeError",
            "InvalidProxiesConfigError",
            "InvalidRetryConfigurationError",
            "InvalidSTSRegionalEndpointsConfigError",
        ),
        (FailureKind.CONFIGURATION, "A setting of the SDK, in a variable or the profile, has a value that it refuses."),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Credentials themselves. Whoever holds them hands them on to the SDK or the bridge, and shows them nowhere.

    Attributes:
        access_key_id: The key's id.
        secret_access_key: The key.
        session_token: What a temporary key comes with; `None` with a long-lived one.
        method: How botocore found them: `env`, `sso`, …
        expires_at: When they end, as far as their source says.
    """

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    method: str = ""
    expires_at: datetime | None = None


class CodeNotAsked(Exception):
    """An MFA code is needed and there is nobody to ask. Never leaves this file."""


@dataclass(slots=True)
class Calls:
    """Counts what goes over the wire, calls for new credentials included.

    Attributes:
        made: Service and operation of each request, in order.
    """

    made: list[str] = field(default_factory=list)

    def __call__(self, **event: Any) -> None:  # noqa: ANN401 - as botocore calls it
        """Note one request; botocore calls this before it sends."""
        self.made.append(str(event["event_name"]).removeprefix("before-send."))


_PARTS_OF_A_SESSION: Final = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")


class _AwsCliCache:
    """Sessions that the AWS command line keeps: read, so that one code serves both, and never written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: dict[str, Any] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._own or self._kept(key) is not None

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - whatever botocore put there
        if key in self._own:
            return self._own[key]
        kept = self._kept(key)
        if kept is None:
            raise KeyError(key)
        return kept

    def __setitem__(self, key: str, value: object) -> None:
        self._own[key] = value

    def __delitem__(self, key: str) -> None:
        self._own.pop(key, None)

    def _kept(self, key: str) -> dict[str, Any] | None:
        """Give a session that lies there; one that is damaged is none, and the SDK makes a new one."""
        try:
            kept = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
            session = kept["Credentials"]
            is_whole = all(isinstance(session[name], str) for name in _PARTS_OF_A_SESSION)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return kept if is_whole and parsed_moment(session["Expiration"]) is not None else None


@dataclass(frozen=True, slots=True)
class Aws:
    """One session with AWS. Make it with `connect`.

    Attributes:
        region: Where it asks, if that is known.
        calls: What it sent so far.
        held: The keys that it is bound to, if it is; else it asks their source for new ones when it needs them.
    """

    _session: botocore.session.Session = field(repr=False)
    region: str | None
    calls: Calls
    held: Keys | None = None
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def caller(self, clock: Callable[[], datetime]) -> Caller | Failure:
        """Ask STS who this is: one call, which every principal may make.

        Args:
            clock: This machine's time, to be set beside AWS's.
        """
        try:
            answer = self.client("sts", region=self.region or FALLBACK_REGION).get_caller_identity()
            credentials = self._session.get_credentials()
            frozen = credentials.get_frozen_credentials() if credentials else None
        except Exception as error:  # noqa: BLE001 - any error of the SDK becomes a result
            return failure_of(error)
        key_id = (frozen and frozen.access_key) or ""
        return Caller(
            account=answer["Account"],
            arn=answer["Arn"],
            method=self.held.method if self.held else credentials.method if credentials else "",
            key_id=f"{key_id[:4]}…{key_id[-4:]}" if len(key_id) >= 16 else "…",  # noqa: PLR2004 - the shortest that AWS gives
            temporary=bool(frozen and frozen.token),
            # botocore has no public name for it.
            expires_at=self.held.expires_at if self.held else getattr(credentials, "_expiry_time", None),
            server_time=_server_time(answer),
            local_time=clock(),
        )

    def keys(self) -> Keys | Failure:
        """Get the credentials themselves from their source, anew: it may call AWS, run a program or ask for a code."""
        try:
            credentials = self._session.get_credentials()
            if credentials is None:
                raise botocore.exceptions.NoCredentialsError  # noqa: TRY301 - becomes a result like the SDK's own
            frozen = credentials.get_frozen_credentials()
        except Exception as error:  # noqa: BLE001 - any error of the SDK becomes a result
            return failure_of(error)
        return Keys(
            access_key_id=frozen.access_key or "",
            secret_access_key=frozen.secret_key or "",
            session_token=frozen.token,
            method=credentials.method,
            # botocore has no public name for it.
            expires_at=getattr(credentials, "_expiry_time", None),
        )

    def holding(self, keys: Keys) -> Aws:
        """Give a session like this one on these keys alone."""
        session = botocore.session.Session(profile=self._session.instance_variables().get("profile"))
        session.set_credentials(keys.access_key_id, keys.secret_access_key, keys.session_token)
        session.set_config_variable("region", self.region)
        session.register("before-send", self.calls)
        return Aws(session, self.region, self.calls, keys)

    def stack_status(self, name: str, *, region: str | None = None) -> tuple[str, str] | Failure:
        """Give a stack's status, and its reason if CloudFormation says one: one call."""
        try:
            answer = self.client("cloudformation", region=region).describe_stacks(StackName=name)
        except Exception as error:  # noqa: BLE001 - any error of the SDK becomes a result
            return failure_of(error)
        stack = answer["Stacks"][0]
        return str(stack["StackStatus"]), str(stack.get("StackStatusReason", ""))

    def stack_outputs(self, name: str) -> dict[str, str] | Failure:
        """Read a deployed stack's outputs by name: one call."""
        try:
            answer = self.client("cloudformation").describe_stacks(StackName=name)
        except Exception as error:  # noqa: BLE001 - any error of the SDK becomes a result
            return failure_of(error)
        return {one["OutputKey"]: one["OutputValue"] for one in answer["Stacks"][0].get("Outputs", [])}

    def put_item(self, table: str, item: Mapping[str, Mapping[str, Any]]) -> Failure | None:
        """Write one item, in DynamoDB's attribute form: one call."""
        try:
            self.client("dynamodb").put_item(TableName=table, Item=dict(item))
        except Exception as error:  # noqa: BLE001 - any error of the SDK becomes a result
            return failure_of(error)
        return None

    def parameter(self, name: str, *, region: str | None = None) -> str | Failure:
        """Read one parameter of the Systems Manager: one call."""
        try:
            answer = self.client("ssm", region=region).get_parameter(Name=name)
        except Exception as error:  # noqa: BLE001 - any error of the SDK becomes a result
            return failure_of(error)
        return str(answer["Parameter"]["Value"])

    def parameters(self, places: Sequence[tuple[str, str]]) -> list[str | Failure]:
        """Read parameters by region and name, all at the same time: one call each."""
        with ThreadPoolExecutor(max_workers=max(1, min(len(places), _MOST_AT_ONCE))) as pool:
            return list(pool.map(lambda place: self.parameter(place[1], region=place[0]), places))

    def log_group_of(self, function: str) -> str | Failure:
        """Name the log group that a function writes to: one call."""
        try:
            answer = self.client("lambda").get_function_configuration(FunctionName=function)
        except Exception as error:  # noqa: BLE001 - any error of the SDK becomes a result
            return failure_of(error)
        return str(answer.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function}")

    def log_lines(self, group: str, *, since: datetime) -> list[LogLine] | Failure:
        """Give a log group's lines since a moment, oldest first: a call for each page."""
        try:
            pages = self.client("logs").get_paginator("filter_log_events")
            found = [
                LogLine(
                    # A local AWS may leave out both.
                    key=line.get("eventId") or f"{line.get('logStreamName')} {line['timestamp']} {line['message']}",
                    at=datetime.fromtimestamp(line["timestamp"] / 1000, tz=UTC),
                    stream=line.get("logStreamName", ""),
                    text=line["message"].rstrip(),
                )
                for page in pages.paginate(logGroupName=group, startTime=int(since.timestamp() * 1000))
                for line in page["events"]
            ]
        except Exception as error:  # noqa: BLE001 - any error of the SDK becomes a result
            return failure_of(error)
        return sorted(found, key=lambda line: line.at)

    def questions(self) -> Questions:
        """Give something that asks this session any question that only reads, from several threads."""
        return Questions(self)

    def client(self, service: str, *, region: str | None = None, attempts: int = 1) -> Any:  # noqa: ANN401 - clients are made at run time
        """Give a client of this session, with tight time-outs and, if nothing else is said, no second attempt."""
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": attempts, "mode": "standard"},
        )
        # What is made may be used in any thread; the making may not.
        with self._making:
            return self._session.create_client(service, region_name=region or self.region, config=config)

    def boto3_session(self) -> Any:  # noqa: ANN401 - boto3 comes without types
        """Give boto3's session on the same credentials."""
        import boto3  # type: ignore[import-untyped] # noqa: PLC0415, TID251 - the door; a check needs less than all of it

        return boto3.Session(botocore_session=self._session)


class Questions:
    """Asks single questions, several at the same time: clients are made one after the other, and then shared.

    Attributes:
        asked: How many questions were asked.
    """

    _ONE_PAGE: Final = frozenset({"describe_log_streams"})
    """Of these the first page is wanted: the newest."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self.asked = 0

    def __call__(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any] | Failure:
        """Ask one question, and give the answer with all its pages."""
        with self._lock:
            self.asked += 1
        try:
            client = self._client(service)
            if operation not in self._ONE_PAGE and client.can_paginate(operation):
                answer: Mapping[str, Any] = client.get_paginator(operation).paginate(**parameters).build_full_result()
            else:
                answer = getattr(client, operation)(**parameters)
        except Exception as error:  # noqa: BLE001 - any error of the SDK becomes a result
            return failure_of(error)
        return answer

    def archive(self, address: str, /) -> bytes | Failure:
        """Fetch what Lambda gave a pre-signed address for: the code of a function or a layer."""
        endpoint = urlsplit(self._client("lambda").meta.endpoint_url)
        parts = urlsplit(address)
        if parts.netloc == endpoint.netloc:
            # A local AWS may not know whether it is reached by TLS.
            parts = parts._replace(scheme=endpoint.scheme)
        try:
            trusted: Any = os.environ.get("AWS_CA_BUNDLE") or True
            session = URLLib3Session(
                verify=trusted, timeout=READ_SECONDS, proxies=get_environ_proxies(urlunsplit(parts))
            )
            request = AWSRequest("GET", urlunsplit(parts), stream_output=True).prepare()
            response = session.send(request)
            if response.status_code != HTTPStatus.OK:
                return Failure(
                    kind=FailureKind.OTHER, code=f"HTTP {response.status_code}", what="The code was not given out."
                )
            content = bytes(response.raw.read(_MOST_ARCHIVE_BYTES + 1))
        except Exception as error:  # noqa: BLE001 - as above
            return failure_of(error)
        if len(content) > _MOST_ARCHIVE_BYTES:
            return Failure(kind=FailureKind.OTHER, code="TooLarge", what="It is larger than Lambda takes.")
        return content

    def _client(self, service: str) -> Any:  # noqa: ANN401 - clients are made at run time
        with self._lock:
            if service not in self._clients:
                # Twenty questions at once are more than some services answer to one caller.
                self._clients[service] = self._aws.client(service, attempts=3)
            return self._clients[service]


def connect(
    *,
    profile: str | None = None,
    region: str | None = None,
    home: Path | None = None,
    ask: Callable[[str], str] | None = getpass.getpass,
    without: str | None = None,
) -> Aws | Failure:
    """Open a session on the process environment, by the SDK's own order. It makes no call yet.

    Args:
        profile: The profile; then keys of the environment do not count.
        region: The region; the SDK's own choice if not given.
        home: Where the AWS command line keeps its sessions; the user's home if not given.
        ask: Asks a person for the code of an MFA device; `None` where there is nobody to ask.
        without: A source to leave out, by botocore's name for it: `env`.
    """
    calls = Calls()
    try:
        session = botocore.session.Session(profile=profile)
        if region is not None:
            session.set_config_variable("region", region)
        session.register("before-send", calls)
        providers = session.get_component("credential_provider")
        cache = _AwsCliCache((home or Path.home()) / ".aws" / "cli" / "cache")
        for method in ("assume-role", "sso"):
            providers.get_provider(method).cache = cache
        providers.get_provider("assume-role")._prompter = ask or _nobody  # noqa: SLF001 - botocore has no other way in
        if without is not None:
            providers.remove(without)
        return Aws(session, session.get_config_variable("region"), calls)
    except Exception as error:  # noqa: BLE001 - any error of the SDK becomes a result
        return failure_of(error)


def invoking_client(session: Any) -> Any:  # noqa: ANN401 - boto3 comes without types
    """Give a boto3 session's client for invoking functions: it waits for as long as one may run, and starts it once.

    The SDK's own time-out is a minute, after which it would start the function again, and again.
    """
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=FUNCTION_SECONDS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        tcp_keepalive=True,
    )
    return session.client("lambda", config=config)


def failure_of(error: Exception) -> Failure:
    """Say what an error of the SDK means, in words of our own."""
    if isinstance(error, botocore.exceptions.ClientError):
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        message = str(error.response.get("Error", {}).get("Message", ""))
        kind = _KIND_OF_CODE.get(code, FailureKind.OTHER)
        # "Signature expired: 2026… is now earlier than 2026…" comes under codes that also mean a wrong secret.
        if kind is FailureKind.INVALID and ("Signature expired" in message or "Signature not yet current" in message):
            kind = FailureKind.CLOCK
        # A denial names principal, action and resource, which is what its reader needs. No other text is passed on.
        words = message if kind is FailureKind.DENIED and message else _WORDS.get(kind, f"AWS answered {code}.")
        return Failure(kind=kind, code=code, what=words, server_time=_server_time(error.response))
    if isinstance(error, CodeNotAsked):
        what = "The profile asks for an MFA code, and there is no terminal to type it on."
        return Failure(kind=FailureKind.NO_CREDENTIALS, code="MfaCodeNeeded", what=what)
    for name in (kind.__name__ for kind in type(error).__mro__):
        if name in _SDK_ERRORS:
            known, what = _SDK_ERRORS[name]
            return Failure(kind=known, code=name, what=what)
    if isinstance(error, RuntimeError) and "AWS_ERROR_CAL_UNSUPPORTED_KEY_FORMAT" in str(error):
        what = "boto3 cannot read the private key of this `aws login` sign-in."
        return Failure(kind=FailureKind.NO_CREDENTIALS, code="UnreadableLoginKey", what=what)
    return failure_without_name(error)


def _nobody(_: str) -> str:
    raise CodeNotAsked


def _server_time(answer: Mapping[str, Any]) -> datetime | None:
    """AWS's clock, from the header that every answer carries."""
    written = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return parsedate_to_datetime(written) if written else None
    except ValueError:
        return None
