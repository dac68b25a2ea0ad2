"""HTTP over a unix socket, with the standard library: connections that are kept, and one that becomes a raw stream."""

from __future__ import annotations

import contextlib
import http.client
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from io import BufferedReader
from typing import Any

#: Connections that are kept when nobody needs them.
IDLE = 64
REFUSED = 400
#: Of an answer that is a raw stream from there on.
UPGRADED = (101, 200)
JSON = {"Content-Type": "application/json"}


def connected(path: str, timeout: float) -> socket.socket:
    """A connection to what listens at a path; ``timeout`` in seconds, also for what follows. Raises ``OSError``.

    Linux does not wait where the queue of the one that listens is full, as that of a proxy may be: it says EAGAIN at once.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        try:
            sock.connect(path)
        except BlockingIOError:
            _insist(sock, path, timeout)
    except BaseException:
        sock.close()
        raise
    return sock


def _insist(sock: socket.socket, path: str, timeout: float) -> None:
    from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed  # noqa: PLC0415 - seldom

    full = retry_if_exception_type(BlockingIOError)
    try:
        Retrying(retry=full, wait=wait_fixed(0.005), stop=stop_after_delay(timeout))(sock.connect, path)
    except RetryError as error:
        raise TimeoutError(f"its queue was full for {timeout:g} s") from error


class UnixConnection(http.client.HTTPConnection):
    """A connection to what listens at a path."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("docker", timeout=timeout)
        self._path = path
        self.sock: socket.socket

    def connect(self) -> None:
        """Open it. Raises ``OSError``."""
        assert self.timeout is not None
        self.sock = connected(self._path, self.timeout)

    @property
    def is_good(self) -> bool:
        """Whether the other side still waits for a request: it has nothing to say before."""
        return not self.has_more(0)

    def has_more(self, seconds: float) -> bool:
        """Whether the other side says something within so many seconds, or closes the connection."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(seconds * 1000))


class Connections:
    """Asks what listens at a path, by as many connections as there are threads that ask at once.

    Args:
        path: of the socket.
        timeout: seconds that the other side may be silent.
    """

    def __init__(self, path: str, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._lock = threading.Lock()
        self._idle: list[UnixConnection] = []
        self._closed = False
        self._owner = os.getpid()

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        timeout: float | None = None,
        on_silence: Callable[[], object] | None = None,
        *,
        most: int | None = None,
    ) -> tuple[int, bytes]:
        """Status and body of the answer.

        ``on_silence`` is called whenever nothing has come for as long as the time limit, and then it is waited on; what it
        raises ends the wait. Without it the first silence does. Of a body that is longer than ``most`` bytes so many and one more come.

        Raises ``TimeoutError``, other kinds of ``OSError``, and ``http.client.HTTPException``.
        """
        limit = self._timeout if timeout is None else timeout
        connection = self._taken()
        try:
            connection.sock.settimeout(limit)
            connection.request(method, target, body, JSON if body is not None else {})
            while on_silence is not None and not connection.has_more(limit):
                on_silence()
            response = connection.getresponse()
            answer = response.status, response.read(None if most is None else most + 1)
            if not response.isclosed():  # the rest of it would be the next answer's beginning
                response.close()
                connection.close()
                return answer
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)
        return answer

    def upgraded(self, target: str) -> tuple[int, Any]:
        """Ask for a raw stream: status, and a ``RawStream``; or the answer's body where there is none. Raises as ``ask``."""
        connection = self._opened(self._timeout)
        try:
            connection.request("POST", target, headers={"Connection": "Upgrade", "Upgrade": "tcp"})
            sock = connection.sock  # the answer may make the connection forget it
            response = connection.getresponse()
            if response.status not in UPGRADED or response.chunked:
                body = response.read()
                connection.close()
                return response.status, body
        except BaseException:
            connection.close()
            raise
        return response.status, RawStream(connection, sock, response)

    def lines(self, target: str) -> Lines:
        """The answer's lines as they come, without a time limit. Raises as ``ask``."""
        connection = self._opened(self._timeout)
        try:
            connection.request("GET", target)
            sock, response = connection.sock, connection.getresponse()
            sock.settimeout(None)
            return Lines(connection, sock, response)
        except BaseException:
            connection.close()
            raise

    def _opened(self, timeout: float) -> UnixConnection:
        connection = UnixConnection(self._path, timeout)
        connection.connect()
        return connection

    def _taken(self) -> UnixConnection:
        while True:
            with self._lock:
                if self._owner != os.getpid():  # a forked child: these are its parent's, who would get its answers
                    self._owner, self._idle = os.getpid(), []
                if not self._idle:
                    break
                connection = self._idle.pop()
            if connection.is_good:
                return connection
            connection.close()  # the other side has: the engine was started anew
        return self._opened(self._timeout)

    def _give_back(self, connection: UnixConnection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < IDLE and getattr(connection, "sock", None) is not None:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close those that nobody uses, and the others once they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


class RawStream:
    """Both directions of a connection after its upgrade."""

    def __init__(self, connection: UnixConnection, sock: socket.socket, response: http.client.HTTPResponse) -> None:
        self._held = (response, connection, sock)
        self._raw = sock
        # what came in one packet with the headers is in the response's buffer already
        self._reader: BufferedReader = response.fp
        sock.settimeout(None)

    def sendall(self, data: bytes) -> None:
        """Send bytes. Raises ``OSError``."""
        self._raw.sendall(data)

    def recv(self, size: int) -> bytes:
        """Wait for bytes; none at the end. Raises ``OSError``."""
        try:
            return self._reader.read1(size)
        except ValueError:  # closed meanwhile
            return b""

    def shutdown(self, how: int) -> None:
        """Wake whoever reads. Raises ``OSError``."""
        self._raw.shutdown(how)

    def fileno(self) -> int:
        """Of the socket: whether there is room to write is asked of it, not whether there is something to read."""
        return self._raw.fileno()

    def settimeout(self, seconds: float | None) -> None:
        """How long to wait for bytes."""
        self._raw.settimeout(seconds)

    def close(self) -> None:
        """Close it."""
        for held in self._held:
            with contextlib.suppress(OSError):
                held.close()


class Lines:
    """An answer without an end."""

    def __init__(self, connection: UnixConnection, sock: socket.socket, response: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._sock = sock
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        """None where the request was refused."""
        while self._response.status < REFUSED and (line := self._response.readline()):
            yield line

    def close(self) -> None:
        """Close it, also while another thread reads."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Let go of it, once nobody reads any more."""
        self._response.close()
        self._connection.close()
