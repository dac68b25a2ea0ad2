"""One HTTP GET over a connected socket, with one deadline for all of it and bounded memory.

``http.client`` has a time limit for each read only, so a server that sends a byte a second would never end;
hence this small reader. It understands what an answer to ``GET`` needs: status line, headers, a body by
length, in chunks, or to the end of the connection.
"""

from __future__ import annotations

import re
import socket
import time

from . import verdict
from .identity import NONCE

MAX_HEAD = 64 * 1024
MAX_BODY = 256 * 1024

#: What a number may look like here. Python reads more as one (``²``, ``1_0``), and refuses those of 5000 digits.
_STATUS = re.compile(rb"[0-9]{3}")
_LENGTH = re.compile(r"[0-9]{1,18}")
_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}")


class Deadline:
    """Seconds that are left, as socket timeouts."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left; ``socket.timeout`` once there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise socket.timeout("deadline")
        return left


class _Reader:
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._buffer = b""
        self.ended = False

    def more(self) -> bool:
        if self.ended:
            return False
        self._sock.settimeout(self._deadline.left())
        data = self._sock.recv(65536)
        self.ended = not data
        self._buffer += data
        return bool(data)

    def until(self, mark: bytes, limit: int) -> bytes:
        while mark not in self._buffer and len(self._buffer) <= limit and self.more():
            pass
        head, found, rest = self._buffer.partition(mark)
        if not found or len(head) > limit:
            return b""
        self._buffer = rest
        return head

    def exactly(self, length: int) -> bytes:
        while len(self._buffer) < length and self.more():
            pass
        data, self._buffer = self._buffer[:length], self._buffer[length:]
        return data

    def back(self, data: bytes) -> None:
        self._buffer = data + self._buffer

    def seen(self) -> bytes:
        return self._buffer


def get(
    sock: socket.socket, host: str, path: str, deadline: Deadline, nonce: str = ""
) -> tuple[int, dict[str, str], str]:
    """Ask for ``path`` and return status, headers (names in lower case) and text (at most 256 KiB of it)."""
    lines = ["GET {} HTTP/1.1".format(path), "Host: {}".format(host), "User-Agent: dockconn", "Accept: */*"]
    lines += ["{}: {}".format(NONCE, nonce)] if nonce else []
    sock.settimeout(deadline.left())
    sock.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("utf-8"))
    reader = _Reader(sock, deadline)
    status = _status(reader.until(b"\n", MAX_HEAD), reader)
    reader.back(b"\r\n")  # an answer without headers has its empty line at once
    try:
        headers = _headers(reader.until(b"\r\n\r\n", MAX_HEAD))
    except OSError:
        return status, {}, ""
    try:
        body = _body(reader, headers)
    except OSError:
        # The first line and the headers are the answer; a body that stops half-way changes nothing about who can
        # talk to whom.
        body = reader.seen()[:MAX_BODY]
    return status, headers, body.decode("utf-8", "replace")


def _status(line: bytes, reader: _Reader) -> int:
    parts = line.strip().split(b" ")
    if parts[0].startswith(b"HTTP/") and len(parts) > 1 and _STATUS.fullmatch(parts[1]):
        return int(parts[1])
    seen = (line or reader.seen())[:60]
    if not seen:
        raise verdict.ProbeFailed(verdict.RESET, "the connection was accepted and then closed without an answer")
    raise verdict.ProbeFailed(verdict.INCONCLUSIVE, "the answer is not HTTP: it begins with {!r}".format(seen))


def _headers(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in head.split(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    return headers


def _body(reader: _Reader, headers: dict[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _chunks(reader)
    length = headers.get("content-length", "")
    return reader.exactly(min(int(length), MAX_BODY) if _LENGTH.fullmatch(length) else MAX_BODY)


def _chunks(reader: _Reader) -> bytes:
    body = b""
    while len(body) < MAX_BODY:
        size = reader.until(b"\r\n", 1024).split(b";")[0].strip()
        length = int(size, 16) if _SIZE.fullmatch(size) else 0
        if length == 0:
            break
        body += reader.exactly(min(length, MAX_BODY))
        reader.exactly(2)
    return body[:MAX_BODY]
