"""The certificate of a local AWS."""

from __future__ import annotations

import ssl
import stat
import threading
from socket import create_connection, create_server
from typing import TYPE_CHECKING

import pytest

from local_aws import certificate
from local_aws.errors import LocalAwsError
from local_aws.places import Places

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A state directory with a certificate, in a folder whose name has a space."""
    folder = tmp_path_factory.mktemp("a project")
    made = Places(project=folder, directory=folder / ".local")
    certificate.ensure_certificate(made)
    return made


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_clients_that_trust_the_ca_bundle_accept_the_server(places: Places, name: str) -> None:
    """A client that trusts `ca.pem` and nothing else completes a handshake, by name and by address."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate.server_certificate(places), certificate.server_key(places))
    client_side = ssl.create_default_context(cafile=str(places.ca_bundle))
    client_side.verify_flags |= ssl.VERIFY_X509_STRICT  # what Python 3.13 and newer ask for
    with create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(
            target=lambda: server_side.wrap_socket(listener.accept()[0], server_side=True).close()
        )
        thread.start()
        with (
            create_connection(listener.getsockname()) as plain,
            client_side.wrap_socket(plain, server_hostname=name) as secured,
        ):
            assert secured.version() in {"TLSv1.2", "TLSv1.3"}
        thread.join()


def test_nobody_can_sign_another_certificate(places: Places) -> None:
    """Of the authority only its certificate is left, and the server's key is its owner's alone."""
    assert sorted(path.name for path in places.tls.iterdir()) == ["ca.pem", "openssl.cnf", "server.key", "server.pem"]
    assert stat.S_IMODE(certificate.server_key(places).stat().st_mode) == 0o600


def test_a_good_certificate_is_kept(places: Places) -> None:
    """A client that trusts it today trusts it tomorrow."""
    before = places.ca_bundle.read_bytes()
    certificate.ensure_certificate(places)
    assert places.ca_bundle.read_bytes() == before


def test_a_damaged_certificate_is_made_anew(tmp_path: Path) -> None:
    """Half a file from an interrupted run does not stop local AWS for good."""
    damaged = Places(project=tmp_path, directory=tmp_path)
    certificate.ensure_certificate(damaged)
    certificate.server_certificate(damaged).write_text("half a cert")
    certificate.ensure_certificate(damaged)
    assert "BEGIN CERTIFICATE" in certificate.server_certificate(damaged).read_text()


def test_a_missing_openssl_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the tool and how to install it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalAwsError, match=r"(?s)openssl is not installed.*apt-get install openssl"):
        certificate.ensure_certificate(Places(project=tmp_path, directory=tmp_path))
