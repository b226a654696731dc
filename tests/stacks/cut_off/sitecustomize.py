"""Python reads this at its start when the folder is on PYTHONPATH: from then on no socket connects."""

from __future__ import annotations

import os
import sys

_REFUSED = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"})


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in _REFUSED:
        raise RuntimeError(f"This process is cut off from the network: {event} {arguments[-1]!r}")


sys.addaudithook(_refuse)
with open(os.environ["ROLEBOUND_GUARDED"], "a", encoding="utf-8") as _log:  # noqa: PTH123 - before all imports
    _log.write(f"python {sys.executable}\n")
