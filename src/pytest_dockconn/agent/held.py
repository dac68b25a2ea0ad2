"""Connections that stay open after their probe, so that their other end can be looked for."""

from __future__ import annotations

import socket
import threading
import time

#: Seconds that a connection is held at the most: who asked may have given up, and says nothing any more.
LONGEST = 60.0

#: By the key of the probe: the connection, and until when it is held.
_HELD: dict[str, tuple[socket.socket, float]] = {}
_LOCK = threading.Lock()


def keep(key: str, sock: socket.socket) -> None:
    """Hold a connection, and close those that were held too long."""
    now = time.monotonic()
    with _LOCK:
        forgotten = [_HELD.pop(other)[0] for other, (_, until) in list(_HELD.items()) if until < now]
        _HELD[key] = (sock, now + LONGEST)
    for one in forgotten:
        one.close()


def release(keys: list[str]) -> None:
    """Close the connections that probes with these keys held."""
    for key in keys:
        with _LOCK:
            found = _HELD.pop(key, None)
        if found is not None:
            found[0].close()
