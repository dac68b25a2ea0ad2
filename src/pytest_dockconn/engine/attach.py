"""The frames of an attached container: eight bytes of header (stream, length), then the payload."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

from ..model.spec import Bound
from .refusal import too_long, too_much

#: Bytes.
HEADER = 8
_NAMES = {0: "stdin", 1: "stdout", 2: "stderr"}


def payloads(data: bytes) -> bytes:
    """What the frames of an answer carry, of all streams; a frame that was cut off as far as it goes."""
    found, at = [], 0
    while at + HEADER <= len(data):
        begin, at = at + HEADER, at + HEADER + int.from_bytes(data[at + 4 : at + HEADER], "big")
        found.append(data[begin:at])
    return b"".join(found)


class SocketStream:
    """A ``Stream`` over an attached connection: a raw socket, docker-py's ``SocketIO`` around one, or a ``RawStream``."""

    def __init__(self, attached: Any) -> None:
        self._attached = attached  # keeps the HTTP response alive, whose end would close the socket
        self._socket: socket.socket = getattr(attached, "_sock", attached)
        self._socket.settimeout(None)
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Send bytes to stdin."""
        with self._lock:
            self._socket.sendall(line)

    def read(self) -> tuple[str, bytes]:
        """Wait for output; empty bytes at the end."""
        header = self._exactly(HEADER)
        if len(header) < HEADER:
            return "stdout", b""
        return _NAMES.get(header[0], "stdout"), self._exactly(int.from_bytes(header[4:], "big"))

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            try:
                more = self._socket.recv(length - len(data))
            except OSError:
                return b""
            if not more:
                return b""
            data += more
        return data

    def close(self) -> None:
        """Let go; also wakes a reader."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        for held in (self._attached, self._socket):  # a SocketIO does not close the socket that it was made of
            with contextlib.suppress(OSError):
                held.close()


def collected(stream: SocketStream, bound: Bound, doing: str) -> tuple[bytes, bytes]:
    """All of stdout and of stderr. Raises ``EngineError`` where that exceeds a bound; closes the stream."""
    late = threading.Event()

    def end() -> None:
        late.set()
        stream.close()  # wakes who reads

    timer = threading.Timer(bound.seconds, end)
    timer.start()
    try:
        said = _all(stream, bound, doing)
    finally:
        timer.cancel()
        stream.close()
    if late.is_set():
        raise too_long(doing, bound)
    return said


def _all(stream: SocketStream, bound: Bound, doing: str) -> tuple[bytes, bytes]:
    parts: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    left = bound.size
    while True:
        name, data = stream.read()
        if not data:
            return b"".join(parts["stdout"]), b"".join(parts["stderr"])
        left -= len(data)
        if left < 0:
            raise too_much(doing, bound)
        parts.setdefault(name, []).append(data)
