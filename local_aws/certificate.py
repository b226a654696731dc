"""The certificate of a local AWS, and the one certificate that its clients trust.

A throw-away authority signs one server certificate; its private key is deleted at once, so trusting `ca.pem`
means trusting this one server and nothing that anybody could ever sign later.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from local_aws.errors import LocalAwsError

if TYPE_CHECKING:
    from pathlib import Path

    from local_aws.places import Places

DAYS = 800
"""Below the 825 days that Apple's TLS accepts."""

RENEW_BEFORE_SECONDS = 7 * 24 * 3600

# A configuration file instead of `-addext`: LibreSSL, which macOS calls openssl, knows the former in every version.
CONFIGURATION = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = Rolebound local AWS
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, DNS:*.localhost, IP:127.0.0.1, IP:::1
"""


def server_certificate(places: Places) -> Path:
    """The server's certificate (PEM)."""
    return places.tls / "server.pem"


def server_key(places: Places) -> Path:
    """The server's private key (PEM, readable by its owner only)."""
    return places.tls / "server.key"


def ensure_certificate(places: Places) -> None:
    """Make sure that a server certificate exists and is good for another week; a good one is kept.

    Raises:
        LocalAwsError: There is no usable `openssl`.
    """
    wanted = (places.ca_bundle, server_certificate(places), server_key(places))
    if all(path.is_file() for path in wanted) and _is_good(server_certificate(places)):
        return
    places.tls.mkdir(mode=0o700, parents=True, exist_ok=True)
    configuration = places.tls / "openssl.cnf"
    configuration.write_text(CONFIGURATION)
    authority_key = places.tls / "authority.key"
    request = places.tls / "server.csr"
    serial = places.tls / "serial"
    try:
        for key in (authority_key, server_key(places)):
            _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
            key.chmod(0o600)
        common = ("-config", str(configuration), "-sha256")
        _openssl(
            *("req", "-x509", "-new", "-key", str(authority_key), "-out", str(places.ca_bundle)),
            *("-days", str(DAYS), "-extensions", "authority", *common),
        )
        _openssl("req", "-new", "-key", str(server_key(places)), "-out", str(request), *common)
        serial.write_text("01\n")
        _openssl(
            *("x509", "-req", "-in", str(request), "-out", str(server_certificate(places)), "-days", str(DAYS)),
            *("-CA", str(places.ca_bundle), "-CAkey", str(authority_key), "-CAserial", str(serial)),
            *("-extfile", str(configuration), "-extensions", "server", "-sha256"),
        )
    finally:
        for leftover in (authority_key, request, serial):
            leftover.unlink(missing_ok=True)


def _is_good(certificate: Path) -> bool:
    """Whether a certificate is valid for another week."""
    try:
        _openssl("x509", "-in", str(certificate), "-noout", "-checkend", str(RENEW_BEFORE_SECONDS))
    except LocalAwsError:
        return False
    return True


def _openssl(*arguments: str) -> None:
    """Run one openssl command."""
    program = shutil.which("openssl")
    if program is None:
        raise LocalAwsError(
            "openssl is not installed.",
            why="Local AWS is served over TLS only, as AWS is, and openssl makes its certificate.",
            next_step="Install it (Debian, Ubuntu: `apt-get install openssl`; Fedora: `dnf install openssl`; "
            "macOS: `brew install openssl`), then run the same command again.",
        )
    try:
        subprocess.run([program, *arguments], capture_output=True, check=True, text=True)
    except subprocess.CalledProcessError as error:
        raise LocalAwsError(
            f"`openssl {arguments[0]}` failed: {error.stderr.strip()}",
            why="Without a certificate local AWS cannot be served over TLS.",
            next_step="Check `openssl version` (1.1.1 or newer, or LibreSSL 3), then run the same command again.",
        ) from None
