"""The only door to AWS: clients that act as the function's own role, and as nothing else.

Lambda gives a function three variables (key id, secret, session token), or, under SnapStart, a container endpoint
that hands out the same three with an expiry. Code that picks up the first two and drops the third signs requests
that every service refuses with ``InvalidClientTokenId`` or ``UnrecognizedClientException``; that was the incident.
The factory here takes no credential parameter, so there is nothing to pick up and nothing to drop.
"""

from __future__ import annotations

import ipaddress
import os
import re
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Literal, overload

import botocore.exceptions  # noqa: TID251 - this file is the door
import botocore.parsers  # noqa: TID251
import botocore.session  # noqa: TID251
from botocore.config import Config  # noqa: TID251
from botocore.credentials import (  # noqa: TID251
    CredentialProvider,
    CredentialResolver,
    Credentials,
    RefreshableCredentials,
)
from botocore.httpsession import URLLib3Session  # noqa: TID251
from botocore.loaders import Loader  # noqa: TID251
from botocore.utils import ContainerMetadataFetcher  # noqa: TID251

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.client import BaseClient  # noqa: TID251
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_s3.client import S3Client
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sts.client import STSClient

__all__ = [
    "AWS_ERRORS",
    "WORST_CALL_SECONDS",
    "AwsFailure",
    "CredentialSource",
    "CredentialSourceError",
    "CredentialsUnreachable",
    "FailureKind",
    "ForeignEndpoint",
    "IncompletePair",
    "LeftoverProfile",
    "LeftoverToken",
    "LongLivedKey",
    "NoRoleCredentials",
    "RoleClients",
    "SessionTokenMissing",
    "UnusableKey",
    "UnusableRegion",
    "classify",
    "condition_failed",
    "credential_source",
]

CONNECT_TIMEOUT_SECONDS: Final = 1
"""An endpoint in the same VPC answers in milliseconds; a second without an answer is a closed path."""

READ_TIMEOUT_SECONDS: Final = 3

MAX_ATTEMPTS: Final = 3
"""The SDK's standard mode: the first call and two retries."""

_MAX_BACKOFF_SECONDS: Final = (1 + 5) + (2 + 5)
"""Standard mode waits at most 2**i seconds before retry i (i from 0), and 5 more where a service asks for them."""

WORST_CALL_SECONDS: Final = MAX_ATTEMPTS * (CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS) + _MAX_BACKOFF_SECONDS
"""Seconds after which any single call has answered or failed. A function's time-out must be longer."""

_FETCH_TIMEOUT_SECONDS: Final = 1
"""The container endpoint is on the same machine."""

_FETCH_PAUSE_SECONDS: Final = 0.1
"""Between the SDK's three attempts, so that start-up ends well within the 10 s that Lambda gives it."""

_POOL_SIZE: Final = 10

_KEY_ID: Final = "AWS_ACCESS_KEY_ID"
_SECRET: Final = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - a variable's name
_TOKEN: Final = "AWS_SESSION_TOKEN"  # noqa: S105 - a variable's name
_CONTAINER_FULL_URI: Final = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_CONTAINER_RELATIVE_URI: Final = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
_CONTAINER_TOKEN: Final = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 - a variable's name
_CONTAINER_TOKEN_FILE: Final = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 - a variable's name

_CONTAINER_HOSTS: Final = frozenset({"169.254.170.2", "169.254.170.23", "fd00:ec2::23"})
"""The link-local addresses of the ECS and EKS credential endpoints."""

_PLAIN_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?:\[(?P<ipv6>[0-9a-f:]+)\]|(?P<name>[a-z0-9.-]+))(?::[0-9]{1,5})?(?:/[!-\[\]-~]*)?",
    re.ASCII | re.IGNORECASE,
)
"""An address that every parser reads alike: no user name, no backslash, nothing but ASCII."""

_REGION_FORM: Final = r"[a-z]+(?:-[a-z]+)+-[0-9]+"
_REGION: Final = re.compile(_REGION_FORM, re.ASCII)

_AWS_HOST: Final = re.compile(
    rf"(?:vpce-[a-z0-9-]+\.[a-z0-9-]+\.{_REGION_FORM}\.vpce|[a-z0-9-]+(?:\.dualstack)?(?:\.{_REGION_FORM})?)"
    r"\.(?:amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)",
    re.ASCII,
)
"""A service's own endpoint. Deeper names under these domains, such as those of execute-api, are other customers'."""

_HEADER_VALUE: Final = re.compile(r"[!-~]*", re.ASCII)


class CredentialSourceError(Exception):
    """The runtime does not offer the role's own temporary credentials, so no client is made.

    The text says which of the possible faults it was, why calls would fail and what to do. It never holds a secret:
    of a key id it shows the last four characters at most.
    """


class NoRoleCredentials(CredentialSourceError):
    """Neither the three variables nor a container endpoint is there."""


class LongLivedKey(CredentialSourceError):
    """The key belongs to an IAM user (``AKIA…``), or is not one that STS issues."""


class SessionTokenMissing(CredentialSourceError):
    """A temporary key without the session token that makes it valid."""


class IncompletePair(CredentialSourceError):
    """A key id without its secret, or a secret or token without its key id."""


class UnusableKey(CredentialSourceError):
    """A key id, secret or token with a space, a line break or another character that cannot be signed and sent."""


class LeftoverProfile(CredentialSourceError):
    """``AWS_PROFILE`` or ``AWS_DEFAULT_PROFILE`` points at files that a function does not have."""


class LeftoverToken(CredentialSourceError):
    """``AWS_SECURITY_TOKEN``, the old name, which the SDK prefers to ``AWS_SESSION_TOKEN``."""


class ForeignEndpoint(CredentialSourceError):
    """An endpoint variable would send signed requests, or the request for credentials, outside AWS."""


class CredentialsUnreachable(CredentialSourceError):
    """The container endpoint did not answer, or answered with something that is no set of role credentials."""


class UnusableRegion(CredentialSourceError):
    """The region is empty or not a region's name, so requests would be signed for nowhere."""


class CredentialSource(StrEnum):
    """Where the role's credentials come from."""

    ENVIRONMENT = "environment"
    CONTAINER = "container"


def credential_source(environ: Mapping[str, str]) -> CredentialSource:
    """Judge the environment of a function without making a call.

    Args:
        environ: The process environment.

    Returns:
        The one source that the factory will use.

    Raises:
        CredentialSourceError: One of its subclasses, for the first fault found. Leftovers come first, because
            they spoil credentials that are otherwise good.
    """
    _refuse_leftovers(environ)
    _refuse_foreign_endpoints(environ)
    key_id, secret, token = (environ.get(name, "") for name in (_KEY_ID, _SECRET, _TOKEN))
    if key_id or secret or token:
        _refuse_unusable_key(key_id, secret, token, place="the environment")
        return CredentialSource.ENVIRONMENT
    if environ.get(_CONTAINER_FULL_URI) or environ.get(_CONTAINER_RELATIVE_URI):
        return CredentialSource.CONTAINER
    raise NoRoleCredentials(
        f"This process has no role: neither {_KEY_ID}, {_SECRET} and {_TOKEN} nor {_CONTAINER_FULL_URI} is set. "
        "Shared files, profiles and instance metadata are not looked at, because a function acts only as its own role. "
        "Run this code in Lambda, or on the local AWS with `make up`."
    )


def _refuse_leftovers(environ: Mapping[str, str]) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        if environ.get(name):
            raise LeftoverProfile(
                f"{name} is set, left over from a developer's machine. A function has no profile files: the SDK would "
                f"fail with ProfileNotFound or act as somebody else. Remove {name} from the function's environment; "
                "the role's credentials are there without it."
            )
    if environ.get("AWS_SECURITY_TOKEN"):
        raise LeftoverToken(
            "AWS_SECURITY_TOKEN is set. The SDK prefers this old name to AWS_SESSION_TOKEN and would sign with a token "
            "that does not belong to the key: every service answers InvalidClientTokenId or "
            "UnrecognizedClientException. Remove AWS_SECURITY_TOKEN from the function's environment."
        )


def _refuse_foreign_endpoints(environ: Mapping[str, str]) -> None:
    for name, url in environ.items():
        if url and (name == "AWS_ENDPOINT_URL" or name.startswith("AWS_ENDPOINT_URL_")) and not _stays_with_aws(url):
            raise ForeignEndpoint(
                f"{name} points at {_shown(url)}, which is not an AWS endpoint over HTTPS, nor this machine. Every "
                "call would hand a signed request and the session token to whoever answers there. Remove the "
                f"variable {name}; private DNS of the VPC endpoints needs no override."
            )
    for name, url in (
        (_CONTAINER_FULL_URI, environ.get(_CONTAINER_FULL_URI, "")),
        (_CONTAINER_RELATIVE_URI, _url_of_relative(environ)),
    ):
        host = _host(url)
        if url and not (_is_loopback(host) or host in _CONTAINER_HOSTS):
            raise ForeignEndpoint(
                f"{name} points at {_shown(url)}. Lambda, ECS and EKS serve credentials on this machine or a "
                "link-local address only, so whoever answers there could choose the identity this code acts with. "
                f"Remove the variable {name}; the runtime sets it where it is needed."
            )


def _url_of_relative(environ: Mapping[str, str]) -> str:
    relative = environ.get(_CONTAINER_RELATIVE_URI, "")
    return f"http://{ContainerMetadataFetcher.IP_ADDRESS}{relative}" if relative else ""


def _refuse_unusable_key(key_id: str, secret: str, token: str, *, place: str) -> None:
    if not key_id or not secret:
        present = ", ".join(name for name, value in ((_KEY_ID, key_id), (_SECRET, secret), (_TOKEN, token)) if value)
        absent = ", ".join(name for name, value in ((_KEY_ID, key_id), (_SECRET, secret)) if not value)
        raise IncompletePair(
            f"In {place} {present or 'nothing'} is set but {absent} is not. Half a pair signs nothing, and the SDK "
            "would go on to look for another identity. Remove whatever sets or unsets one of them; Lambda sets all "
            "three itself."
        )
    for name, value in ((_KEY_ID, key_id), (_SECRET, secret), (_TOKEN, token)):
        if not _HEADER_VALUE.fullmatch(value):
            raise UnusableKey(
                f"In {place} {name} holds a space, a line break or another character that no HTTP header can carry. "
                "The HTTP client would refuse every request, with the header's value in its message. Remove whatever "
                "sets the variable; Lambda sets all three itself."
            )
    if key_id.startswith("AKIA"):
        raise LongLivedKey(
            f"The key in {place} (…{key_id[-4:]}) begins with AKIA: it belongs to an IAM user and lives until somebody "
            "deletes it. A function acts as its role, whose keys begin with ASIA and expire by themselves. Delete the "
            "key in IAM, find who has used it, and grant the function's role what it needs."
        )
    if not token:
        raise SessionTokenMissing(
            f"The key in {place} (…{key_id[-4:]}) has no session token. A temporary key is valid only together with "
            "its token: without it DynamoDB answers UnrecognizedClientException and SQS InvalidClientTokenId, however "
            f"often the call is repeated. Stop copying {_KEY_ID} and {_SECRET} into settings; Lambda sets {_TOKEN} "
            "beside them and the SDK uses all three by itself."
        )
    if not key_id.startswith("ASIA"):
        raise LongLivedKey(
            f"The key in {place} (…{key_id[-4:]}) is not one that STS issues: those begin with ASIA. Whatever it is, it "
            "is not this function's role. Remove it from the environment; Lambda sets the role's own."
        )


def _host(url: str) -> str:
    """Give the host, or nothing for an address that two parsers might read in two ways."""
    form = _PLAIN_URL.fullmatch(url)
    return (form["ipv6"] or form["name"]).lower() if form else ""


def _shown(url: str) -> str:
    # Never the whole address: it may hold a password.
    return _host(url) or "something that is no plain address (https://host, port and path)"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _stays_with_aws(url: str) -> bool:
    host = _host(url)
    return _is_loopback(host) or (url.lower().startswith("https:") and _AWS_HOST.fullmatch(host) is not None)


class _RoleCredentials(CredentialProvider):
    """Hands the SDK the runtime's own credentials; the only provider in the chain."""

    METHOD = "role"
    CANONICAL_NAME = "custom-role"

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._environ = environ

    def load(self) -> Credentials:
        if credential_source(self._environ) is CredentialSource.ENVIRONMENT:
            return Credentials(self._environ[_KEY_ID], self._environ[_SECRET], self._environ[_TOKEN], method="env")
        return RefreshableCredentials.create_from_metadata(
            metadata=self._fetch(), refresh_using=self._fetch, method="container-role"
        )

    def _fetch(self) -> dict[str, str]:
        fetcher = ContainerMetadataFetcher(
            session=URLLib3Session(timeout=_FETCH_TIMEOUT_SECONDS),
            sleep=lambda _seconds: time.sleep(_FETCH_PAUSE_SECONDS),
        )
        uri = _url_of_relative(self._environ) or self._environ[_CONTAINER_FULL_URI]
        found: dict[str, str] = {}
        fault = ""
        try:
            found = _role_credentials(fetcher.retrieve_full_uri(uri, headers=self._authorization()))
        except Exception as error:  # noqa: BLE001 - whatever it was, its text may hold half of a key pair
            fault = type(error).__name__
        # Out of the handler, so that the refusal does not carry the error with the endpoint's answer in it.
        if fault:
            raise CredentialsUnreachable(
                f"The credential endpoint of this runtime at {_host(uri)} gave no usable credentials ({fault}). "
                "Without them nothing can be signed. If this repeats, replace the execution environment: a new "
                "deployment of the function does."
            )
        _refuse_unusable_key(
            found["access_key"], found["secret_key"], found["token"], place="the container endpoint's answer"
        )
        if datetime.fromisoformat(found["expiry_time"]) <= datetime.now(UTC):
            raise CredentialsUnreachable(
                f"The credential endpoint of this runtime at {_host(uri)} gave credentials that expired at "
                f"{found['expiry_time']}. Services answer ExpiredToken to them. If this repeats, replace the execution "
                "environment: a new deployment of the function does."
            )
        return found

    def _authorization(self) -> dict[str, str] | None:
        # The file is read at every refresh: EKS rotates its content.
        path = self._environ.get(_CONTAINER_TOKEN_FILE)
        if path:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs cold start
                return {"Authorization": file.read().strip()}
        token = self._environ.get(_CONTAINER_TOKEN)
        return {"Authorization": token} if token else None


def _role_credentials(answer: Mapping[str, object]) -> dict[str, str]:
    """Read a container endpoint's answer.

    Raises:
        Exception: It is something else; of no particular kind.
    """
    found = {
        "access_key": answer["AccessKeyId"],
        "secret_key": answer["SecretAccessKey"],
        "token": answer.get("Token") or "",
        "expiry_time": answer["Expiration"],
    }
    if not all(isinstance(value, str) for value in found.values()):
        raise TypeError
    if datetime.fromisoformat(str(found["expiry_time"])).tzinfo is None:
        raise ValueError
    return {name: str(value) for name, value in found.items()}


class RoleClients:
    """Makes and keeps one client per service, all acting as the function's role.

    Guarantees: credentials come from Lambda's environment with its session token, or from the container endpoint
    under SnapStart (refreshed before they expire); profiles, shared files and instance metadata are never read; one
    client per service and instance, also under threads; regional endpoints; every call ends within
    ``WORST_CALL_SECONDS``, and within seven seconds more where it has to refresh credentials first; the SDK's standard
    retries, which do not repeat credential errors.

    Args:
        region: The AWS region, such as ``us-east-1``. There is no default and no look-up.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self._lock = threading.Lock()
        self._session: botocore.session.Session | None = None
        self._clients: dict[str, BaseClient] = {}

    @overload
    def client(self, service: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["sqs"]) -> SQSClient: ...
    @overload
    def client(self, service: Literal["sts"]) -> STSClient: ...
    @overload
    def client(self, service: Literal["s3"]) -> S3Client: ...
    @overload
    def client(self, service: str) -> Any: ...  # noqa: ANN401 - a client's methods are made at run time

    def client(self, service: str) -> Any:
        """Give the client of a service, made at the first request and kept.

        Args:
            service: The SDK's name of the service, such as ``sqs``.

        Returns:
            The same client at every call, for all threads.

        Raises:
            CredentialSourceError: The runtime's credentials are not the role's own; says which fault and the cure.
            botocore.exceptions.UnknownServiceError: The SDK knows no such service.
        """
        found = self._clients.get(service)
        if found is None:
            with self._lock:
                found = self._clients.get(service)
                if found is None:
                    found = self._create(service)
                    self._clients[service] = found
        return found

    def _create(self, service: str) -> BaseClient:
        if self._session is None:
            self._session = _role_session(self._region)
        return self._session.create_client(service, region_name=self._region, config=_config(self._region))


def _role_session(region: str) -> botocore.session.Session:
    if not _REGION.fullmatch(region):
        raise UnusableRegion(
            f"The region {region!r} is no AWS region. Requests are signed for one region, and the SDK's own look-up "
            "would read files that a function must not depend on. Pass the value of AWS_REGION, which Lambda sets."
        )
    # Judged before the SDK loads anything, so that a refusal is cheap and reads no file.
    credential_source(os.environ)
    session = botocore.session.Session()
    for files in ("config_file", "credentials_file"):
        session.set_config_variable(files, os.devnull)
    session.register_component("data_loader", _SERVICE_MODELS)
    # Client-side monitoring sends key id and session token in clear to the host that AWS_CSM_HOST names.
    session.set_config_variable("csm_enabled", value=False)
    # The global endpoint of STS has no way into an isolated VPC.
    session.set_config_variable("sts_regional_endpoints", "regional")
    session.register_component("credential_provider", CredentialResolver([_RoleCredentials(os.environ)]))
    return session


_SERVICE_MODELS: Final = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
"""The SDK's own: a directory of AWS_DATA_PATH, or ~/.aws/models, could redefine where a service is."""


def _config(region: str) -> Config:
    s3_endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
    return Config(
        region_name=region,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
        tcp_keepalive=True,
        max_pool_connections=_POOL_SIZE,
        # Path style reaches a bucket on the local AWS, whose host name has no subdomains.
        s3={
            "addressing_style": "path" if _is_loopback(_host(s3_endpoint)) else "virtual",
            "us_east_1_regional_endpoint": "regional",
        },
    )


AWS_ERRORS: Final = (
    CredentialSourceError,
    botocore.exceptions.ClientError,
    botocore.exceptions.BotoCoreError,
    botocore.parsers.ResponseParserError,
)
"""All that the factory and its clients raise: what to catch, and hand to ``classify``."""


class FailureKind(StrEnum):
    """What a failed call means for whoever made it."""

    CREDENTIALS = "credentials"
    """The request was not signed by a valid identity. Repeating it cannot help."""
    EXPIRED = "expired"
    """It was signed by an identity that was valid once."""
    DENIED = "denied"
    """The identity is valid and a policy says no."""
    THROTTLED = "throttled"
    MISSING = "missing"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"
    """No answer, or the service's own fault."""


@dataclass(frozen=True, slots=True)
class AwsFailure:
    """What is known about a failed call. Holds nothing secret.

    Attributes:
        kind: What the failure means.
        code: The service's error code without its namespace, or the exception's name where no service answered.
        operation: The operation, such as ``SendMessage``; empty where no call was made.
        request_id: The id under which AWS knows the request; empty where no service answered.
        detail: The service's sentence; for a denial it names the principal and the action. Our own where the
            service's, or the HTTP client's, could quote the request.
    """

    kind: FailureKind
    code: str
    operation: str
    request_id: str
    detail: str

    @property
    def is_credential_fault(self) -> bool:
        """True where a retry in this execution environment cannot succeed."""
        return self.kind in (FailureKind.CREDENTIALS, FailureKind.EXPIRED)


def classify(error: Exception) -> AwsFailure:
    """Say what a failed AWS call means.

    Args:
        error: What a client, or this factory, raised.

    Returns:
        The reading. An error that is not known is told by its HTTP status, and without one is ``UNAVAILABLE``.
    """
    if isinstance(error, botocore.exceptions.ClientError):
        answer = _mapping(error.response)
        told, metadata = _mapping(answer.get("Error")), _mapping(answer.get("ResponseMetadata"))
        code = str(told.get("Code") or "").rpartition("#")[2] or "Unknown"
        kind = _KIND_OF_CODE.get(code) or _kind_of_status(metadata.get("HTTPStatusCode"))
        return AwsFailure(
            kind=kind,
            code=code,
            operation=error.operation_name or "",
            request_id=str(metadata.get("RequestId") or ""),
            detail=_sentence(kind, code, str(told.get("Message") or "")),
        )
    return AwsFailure(
        kind=_kind_of_exception(error),
        code=type(error).__name__,
        operation="",
        request_id="",
        detail=_sentence_of_exception(error),
    )


def _mapping(part: object) -> Mapping[str, Any]:
    return part if isinstance(part, dict) else {}


def condition_failed(error: Exception) -> bool:
    """True where DynamoDB refused a write because the condition that came with it did not hold."""
    return classify(error).code == "ConditionalCheckFailedException"


_REFUSED_SIGNER: Final = (
    "AWS does not know who signed this request ({code}): a key without its session token, a deleted key, a wrong "
    "secret or a wrong clock. Repeating the call cannot help, since the same bytes would sign it again. Look for code "
    "or settings that pass keys to a client, and for AWS_* variables in the function's configuration."
)

_EXPIRED_SIGNER: Final = (
    "The credentials that signed this request have expired ({code}), or the clock is wrong. Repeating the call cannot "
    "help, since the same bytes would sign it again. Look for code that keeps a copy of them, and for AWS_* variables "
    "in the function's configuration: Lambda renews the role's own."
)

_WITHHELD: Final = (
    "The service's own words for {code} are not shown, since they quote the signed request. Look the code up in the "
    "service's reference, and the request id in CloudTrail."
)

_QUOTES_OF_A_REQUEST: Final = ("security-token", "securitytoken", "canonical")


def _sentence(kind: FailureKind, code: str, message: str) -> str:
    """Give the service's sentence where it cannot hold the session token.

    Some services answer a bad signature with the request they saw, header by header.
    """
    if kind is FailureKind.CREDENTIALS:
        return _REFUSED_SIGNER.format(code=code)
    if kind is FailureKind.EXPIRED:
        return _EXPIRED_SIGNER.format(code=code)
    if any(quote in message.lower() for quote in _QUOTES_OF_A_REQUEST):
        return _WITHHELD.format(code=code)
    return message


def _sentence_of_exception(error: Exception) -> str:
    if type(error) is botocore.exceptions.HTTPClientError:
        # Its text quotes whatever the HTTP client choked on: a header, for instance.
        cause = type(error.kwargs.get("error")).__name__
        return (
            f"The HTTP client failed ({cause}) before the service answered. Nothing is known about the call's effect."
        )
    if isinstance(error, botocore.parsers.ResponseParserError):
        return (
            "Something answered that does not speak as this service does. Nothing is known about the call's effect. "
            "Look for what stands between this function and the service: a proxy, a DNS rule, an endpoint variable."
        )
    return str(error)


def _kind_of_exception(error: Exception) -> FailureKind:
    if isinstance(
        error,
        CredentialSourceError
        | botocore.exceptions.NoCredentialsError
        | botocore.exceptions.PartialCredentialsError
        | botocore.exceptions.CredentialRetrievalError
        | botocore.exceptions.NoAuthTokenError,
    ):
        return FailureKind.CREDENTIALS
    if isinstance(error, botocore.exceptions.ParamValidationError):
        return FailureKind.INVALID
    return FailureKind.UNAVAILABLE


def _kind_of_status(status: object) -> FailureKind:
    match status:
        case 401 | 403:
            return FailureKind.DENIED
        case 404:
            return FailureKind.MISSING
        case 429:
            return FailureKind.THROTTLED
        case int() if 400 <= status < 500:  # noqa: PLR2004 - HTTP's own numbers
            return FailureKind.INVALID
    return FailureKind.UNAVAILABLE


_CODES_BY_KIND: Final[Mapping[FailureKind, tuple[str, ...]]] = {
    FailureKind.CREDENTIALS: (
        "AuthFailure",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ),
    FailureKind.EXPIRED: ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"),
    FailureKind.DENIED: (
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "KmsAccessDenied",
        "KMS.AccessDeniedException",
        "NotAuthorized",
        "OptInRequired",
        "UnauthorizedOperation",
    ),
    FailureKind.THROTTLED: (
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "KmsThrottled",
        "LimitExceededException",
        "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    ),
    FailureKind.MISSING: (
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchKey",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    ),
    FailureKind.INVALID: (
        "ConditionalCheckFailedException",
        "InvalidMessageContents",
        "InvalidParameterValue",
        "InvalidRequest",
        "MalformedPolicyDocument",
        "SerializationException",
        "ValidationError",
        "ValidationException",
    ),
    FailureKind.UNAVAILABLE: (
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "TransactionConflictException",
        "TransactionInProgressException",
    ),
}

_KIND_OF_CODE: Final[Mapping[str, FailureKind]] = {
    code: kind for kind, codes in _CODES_BY_KIND.items() for code in codes
}
