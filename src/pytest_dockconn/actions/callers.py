"""Those who are connected to a server in the test process: each has a thread, and there are only so many at once."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

#: So many at once. When one more comes, the one that has been there longest has to go: whoever only holds the line can't keep
#: others out, as an answer takes a millisecond.
AT_ONCE = 64
#: Seconds that a caller has, from the connection to the end of the answer.
PATIENCE = 5.0


class Callers:
    """The connections that are served now."""

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._there: dict[socket.socket, None] = {}
        self._lock = threading.Lock()

    def serve(self, connection: socket.socket, answer: Callable[[Line], None]) -> None:
        """Answer it in a thread of its own, and close it."""
        if not self._free.acquire(blocking=False):
            self._end_the_oldest()
            self._free.acquire()  # what waits for the other end of a line that was cut is woken at once
        with self._lock:
            self._there[connection] = None
        try:
            threading.Thread(target=self._run, args=(connection, answer), daemon=True).start()
        except RuntimeError:  # the system has no more threads just now
            self._done(connection)

    def _end_the_oldest(self) -> None:
        with self._lock, contextlib.suppress(OSError, StopIteration):
            oldest = next(iter(self._there))
            del self._there[oldest]
            oldest.shutdown(socket.SHUT_RDWR)

    def _run(self, connection: socket.socket, answer: Callable[[Line], None]) -> None:
        try:
            with contextlib.suppress(OSError):
                answer(Line(connection))
        finally:
            self._done(connection)

    def _done(self, connection: socket.socket) -> None:
        with self._lock:  # a closed socket's number may be another's, so nobody may be about to cut it
            self._there.pop(connection, None)
            connection.close()
        self._free.release()


class Line:
    """A connection that is over after ``PATIENCE``, however slowly the other end speaks."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._end = time.monotonic() + PATIENCE

    def _left(self) -> socket.socket:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection

    def read(self, most: int) -> bytes:
        """What comes next; empty at the end. Raises ``OSError``."""
        return self._left().recv(most)

    def write(self, data: bytes) -> None:
        """Send all of it, and say no more. Raises ``OSError``."""
        self._left().sendall(data)
        self._connection.shutdown(socket.SHUT_WR)
