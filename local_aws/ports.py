"""Which port a local AWS takes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

USUAL_PORT = 4566
"""The port that local AWS emulators use by convention."""

LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
"""What the name localhost may stand for."""


def choose_port(wishes: Iterable[int], is_free: Callable[[int], bool], any_free: Callable[[], int]) -> int:
    """The first wish that is free; if none is, any free port."""
    for port in wishes:
        if is_free(port):
            return port
    return any_free()


def is_free(port: int) -> bool:
    """Whether this port of 127.0.0.1 can be taken, and nobody answers there under the name localhost."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that is only winding down does not make the port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    # A server on all addresses, or on ::1 alone, leaves the port bindable and would still take our clients' calls.
    return not any(_answers(family, address, port) for family, address in LOOPBACK)


def any_free() -> int:
    """A port that the system says is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(family: socket.AddressFamily, address: str, port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            return client.connect_ex((address, port)) == 0
    except OSError:
        return False
