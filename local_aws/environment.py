"""The environment variables that each part of a local AWS gets: listed, never inherited.

A shell may hold a real AWS session, a proxy, or a company's CA bundle. The emulator hands its own environment to the
functions, and the CDK CLI reads all of these, so nothing passes that is not named here.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local_aws import certificate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local_aws.places import Places

ACCOUNT = "123456789012"
REGION = "us-east-1"

PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "TERM", "TZ", "NO_COLOR")
"""What a program may take from the caller's shell: how to speak to a person, nothing that changes what it does."""


def endpoint_url(port: int) -> str:
    """Where a local AWS answers. By name, because the queue URLs that it gives out carry this name."""
    return f"https://localhost:{port}"


def for_emulator(places: Places, port: int) -> dict[str, str]:
    """Everything the emulator sees, and through it every function.

    IAM and TLS are enforced, it listens on 127.0.0.1 only, and the only authority that the functions trust is this
    local AWS's own.
    """
    ca_bundle = str(places.ca_bundle)
    return {
        "PATH": os.pathsep.join([str(places.emulator_python.parent), os.defpath]),
        "HOME": str(places.home),
        "TMPDIR": str(places.temporary),
        "PYTHONUTF8": "1",
        "AUTH": "true",
        "USE_SSL": "1",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "MINISTACK_SSL_CERT": str(certificate.server_certificate(places)),
        "MINISTACK_SSL_KEY": str(certificate.server_key(places)),
        # Given, because the emulator otherwise looks for the system's authorities and passes none on if it finds none.
        "AWS_CA_BUNDLE": ca_bundle,
        "SSL_CERT_FILE": ca_bundle,
        "REQUESTS_CA_BUNDLE": ca_bundle,
        "NODE_EXTRA_CA_CERTS": ca_bundle,
        # Servers beside the gateway, on fixed ports: two local AWS would fight for them.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }


def for_clients(places: Places, port: int, base: Mapping[str, str]) -> dict[str, str]:
    """Everything the CDK CLI and boto3 see: this local AWS and no other, whatever session the caller's shell holds.

    Args:
        places: The local AWS that they talk to.
        port: Where it listens.
        base: The caller's environment, of which only `PATH` and `PASSED_ON` survive.
    """
    ca_bundle = str(places.ca_bundle)
    venv = places.project / ".venv"
    path = [str(venv / "node"), str(venv / "bin"), base.get("PATH") or os.defpath]
    return {name: base[name] for name in PASSED_ON if name in base} | {
        "PATH": os.pathsep.join(path),
        "HOME": str(places.home),
        "TMPDIR": str(places.temporary),
        # The emulator's root credentials, the same for everybody: they open nothing but a local AWS.
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": endpoint_url(port),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CA_BUNDLE": ca_bundle,
        "NODE_EXTRA_CA_CERTS": ca_bundle,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_HOME": str(places.cdk_home),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        # The unpacked construct library, 180 MB: shared, so that a second local AWS does not unpack it again.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(places.project / ".build" / "jsii-cache"),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def only(variables: Mapping[str, str]) -> Iterator[None]:
    """Give this process these variables and no others for the length of the block."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
