"""The supervisor's end of the bridge: answers the processes of this user that ask on its socket."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from typing import TYPE_CHECKING, Final

from operator_cli.bridge.client import GIVEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REFUSED: Final = b"-"
_SEND_WITHIN_SECONDS: Final = 5
_UCRED: Final = "3i"
"""Linux's struct ucred: pid, uid, gid."""


class BridgeServer:
    """Listens on a socket until it is closed.

    Args:
        path: Where the socket will be, in a directory that only this user may enter.
        answer: Gives what to print, or raises `LookupError` with why there is nothing. It may take its time.
    """

    def __init__(self, path: Path, answer: Callable[[], str]) -> None:
        self._answer = answer
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(16)
        self.served = 0
        threading.Thread(target=self._serve, name="credential-bridge", daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        with contextlib.suppress(OSError):
            # A thread that waits in accept() is not woken by close() alone.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_one, args=(connection,), name="credential-answer", daemon=True).start()

    def _serve_one(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(_SEND_WITHIN_SECONDS)
            if not is_own(connection):
                return
            try:
                message = GIVEN + self._answer().encode()
                self.served += 1
            except LookupError as reason:
                message = REFUSED + str(reason.args[0]).encode()
            connection.sendall(message)


def is_own(connection: socket.socket) -> bool:
    """Whether this user's process is at the other end, as the kernel says.

    Where the kernel has no way to say so, the directory's mode alone keeps others out.
    """
    linux = getattr(socket, "SO_PEERCRED", None)
    if linux is not None:
        raw = connection.getsockopt(socket.SOL_SOCKET, linux, struct.calcsize(_UCRED))
        return bool(struct.unpack(_UCRED, raw)[1] == os.getuid())
    bsd = getattr(socket, "LOCAL_PEERCRED", None)
    if bsd is not None:
        # struct xucred: version, uid, … https://developer.apple.com/documentation/kernel/xucred
        return bool(struct.unpack_from("Ii", connection.getsockopt(0, bsd, 76))[1] == os.getuid())
    return True
