"""Which port a local AWS takes."""

from __future__ import annotations

import socket

from local_aws import ports


def test_the_first_free_wish_is_taken() -> None:
    """The usual port is kept as long as nobody else has it."""
    assert ports.choose_port([4566, 5000], lambda _: True, lambda: 1) == 4566
    assert ports.choose_port([4566, 5000], lambda port: port == 5000, lambda: 1) == 5000


def test_any_free_port_is_taken_when_no_wish_is_free() -> None:
    """A taken port never stops local AWS from coming up."""
    assert ports.choose_port([4566], lambda _: False, lambda: 50123) == 50123


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    """A listener on 127.0.0.1 takes the port; without it the port is free again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not ports.is_free(port)
    assert ports.is_free(port)


def test_a_listener_on_all_addresses_takes_the_port() -> None:
    """Our own listener would get none of the calls then."""
    with socket.create_server(("", 0)) as listener:
        assert not ports.is_free(listener.getsockname()[1])


def test_any_free_port_is_free() -> None:
    """What the system offers can be taken."""
    assert ports.is_free(ports.any_free())
