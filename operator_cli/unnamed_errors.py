"""What an error means for which the SDK has no name of its own: told by where in the SDK it arose, and by its kind.

A broken cache, a program that prints nonsense or an address that is none come out of the SDK as whatever Python raised
there. Nothing of such an error is quoted: it may hold what was read.
"""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from operator_cli.answers import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROCESS: Final = (
    FailureKind.NO_CREDENTIALS,
    "The profile's credential_process could not be run, or did not print what a credential process has to.",
)
_SSO: Final = (FailureKind.NO_CREDENTIALS, "The SSO sign-in on this machine is damaged: its cache cannot be read.")
_LOGIN: Final = (
    FailureKind.NO_CREDENTIALS,
    "The `aws login` session on this machine is damaged: its cache cannot be read.",
)
_WEB_IDENTITY: Final = (FailureKind.NO_CREDENTIALS, "The file with the web identity's token cannot be read.")
_CONTAINER: Final = (
    FailureKind.NO_CREDENTIALS,
    "The address or the token of the container's credentials is none that the SDK takes.",
)
_SIGNATURE: Final = (FailureKind.INVALID, "The key or its session token holds what no key does.")
_ADDRESS: Final = (
    FailureKind.UNREACHABLE,
    "The address that is set in place of AWS's own, or the one of the proxy, is none.",
)
_NUMBER: Final = (FailureKind.CONFIGURATION, "A setting that has to be a number is none.")

_BY_PLACE: Final = {
    "ProcessProvider": _PROCESS,
    "SSOProvider": _SSO,
    "SSOTokenProvider": _SSO,
    "SSOTokenLoader": _SSO,
    "SSOCredentialFetcher": _SSO,
    "LoginProvider": _LOGIN,
    "LoginTokenLoader": _LOGIN,
    "LoginCredentialFetcher": _LOGIN,
    "FileWebIdentityTokenLoader": _WEB_IDENTITY,
    "ContainerProvider": _CONTAINER,
    "ContainerMetadataFetcher": _CONTAINER,
    "RequestSigner": _SIGNATURE,
    "EndpointCreator": _ADDRESS,
    "ChainProvider": _NUMBER,
}
"""Classes of botocore, each with what it means if something breaks in it."""

_SDK: Final = "botocore"
_STILL_EXPIRED: Final = "the refreshed credentials are still expired"
_IN_A_HEADER: Final = "Invalid header value"


def failure_without_name(error: Exception) -> Failure:
    """Say what an error means that is none of the SDK's own, or one of which the SDK itself says nothing."""
    kind, what = _meaning(error)
    return Failure(kind=kind, code=type(error).__name__, what=what)


def _meaning(error: Exception) -> tuple[FailureKind, str]:
    if type(error).__name__ == "HTTPClientError":
        return _of_a_request(error)
    if isinstance(error, RuntimeError) and _STILL_EXPIRED in str(error):
        return FailureKind.EXPIRED, "The source of the credentials gave some that have ended already."
    for place in _places(error):
        if place in _BY_PLACE:
            return _BY_PLACE[place]
    if isinstance(error, OSError):
        reason = f" ({os.strerror(error.errno)})" if error.errno else ""
        return FailureKind.CONFIGURATION, f"A file that the SDK needs could not be read{reason}."
    if isinstance(error, ValueError):
        return FailureKind.CONFIGURATION, "A setting, or a file that it names, is not in the form that the SDK expects."
    return FailureKind.OTHER, f"The SDK failed: {type(error).__name__}."


def _of_a_request(error: Exception) -> tuple[FailureKind, str]:
    """What kept the SDK from sending a request."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ValueError) and _IN_A_HEADER in str(cause):
        return (
            FailureKind.INVALID,
            "The key, its session token or the region holds what no request can, such as the end of a line.",
        )
    return _ADDRESS


def _places(error: Exception) -> Iterator[str]:
    """Give the SDK's classes in which an error arose, the innermost first."""
    found = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if _SDK in PurePath(code.co_filename).parts:
            found.append(code.co_qualname.partition(".")[0])
        traceback = traceback.tb_next
    yield from reversed(found)
