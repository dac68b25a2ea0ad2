"""The frames of an attached container: eight bytes of header (stream, length), then the payload."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterable
from typing import Any

from ..errors import EngineError
from ..model.spec import Bound
from .refusal import too_long, too_much
from .unix_http import RawStream

#: Bytes.
HEADER = 8
#: Seconds in which the far end has to read a piece of what is written, and its bytes: it fits where there is room at all.
PATIENCE = 10.0
PIECE = 4096
#: Bytes of a container's output at the most: it may have written for days, or be an enemy.
LOGS = 16 << 20
_NAMES = {0: "stdin", 1: "stdout", 2: "stderr"}


def payloads(data: bytes) -> bytes:
    """What the frames of an answer carry, of all streams; a frame that was cut off as far as it goes."""
    found, at = [], 0
    while at + HEADER <= len(data):
        begin, at = at + HEADER, at + HEADER + int.from_bytes(data[at + 4 : at + HEADER], "big")
        found.append(data[begin:at])
    return b"".join(found)


def bounded(pieces: Iterable[bytes], doing: str) -> bytes:
    """A container's output, as it comes. Raises ``EngineError`` once it is longer than ``LOGS``."""
    found, size = [], 0
    for piece in pieces:
        found.append(piece)
        size += len(piece)
        if size > LOGS:
            raise EngineError(
                f"{doing}: they are longer than {LOGS >> 20} MiB",
                checked="what came of them so far",
                remedy="look at a part of them, as `docker logs --tail 1000` does, or have it write less",
            )
    return b"".join(found)


def _read_ahead(attached: Any) -> Any:
    """The reader of the answer that docker-py has taken a socket out of; None of a plain socket.

    What came in one packet with the headers is in its buffer, and docker-py (seen on 7.1) forgets it: on a busy machine all that a
    short command says.
    """
    response = getattr(getattr(attached, "_response", None), "raw", None)
    return getattr(getattr(response, "_fp", None), "fp", None)


def _unread() -> TimeoutError:
    return TimeoutError(f"what was written to it was not read within {PATIENCE:g} s")


class SocketStream:
    """A ``Stream`` over an attached connection: a raw socket, docker-py's ``SocketIO`` around one, or a ``RawStream``."""

    def __init__(self, attached: Any) -> None:
        self._attached = attached  # keeps the HTTP response alive, whose end would close the socket
        self._socket: socket.socket = getattr(attached, "_sock", attached)
        self._socket.settimeout(None)
        #: of ssh's channels the file tells only what there is to read
        self._polls = isinstance(self._socket, (socket.socket, RawStream))
        self._ahead = _read_ahead(attached)
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Send bytes to stdin. Raises ``OSError``, ``TimeoutError`` too: an agent that is paused reads nothing, for ever."""
        with self._lock:
            if self._polls:
                self._write_pieces(line)
            else:
                self._write_watched(line)

    def _write_pieces(self, line: bytes) -> None:
        for at in range(0, len(line), PIECE):
            if not self._has_room():
                raise _unread()
            self._socket.sendall(line[at : at + PIECE])

    def _has_room(self) -> bool:
        """Whether a piece can be written without waiting, now or soon."""
        try:
            if not hasattr(select, "poll"):  # Windows
                return bool(select.select([], [self._socket], [], PATIENCE)[1])
            poller = select.poll()
            poller.register(self._socket, select.POLLOUT)
            return bool(poller.poll(PATIENCE * 1000))
        except ValueError:  # it is no file any more
            raise BrokenPipeError("its stream is closed") from None

    def _write_watched(self, line: bytes) -> None:
        """What is closed meanwhile stops waiting."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self.close()

        watch = threading.Timer(PATIENCE, end)
        watch.daemon = True
        try:
            watch.start()
            self._socket.sendall(line)
        except RuntimeError as error:  # no more threads
            raise BlockingIOError(str(error)) from error
        except OSError as error:
            raise (_unread() if late.is_set() else error) from None
        finally:
            watch.cancel()

    def read(self) -> tuple[str, bytes]:
        """Wait for output; empty bytes at the end."""
        header = self._exactly(HEADER)
        if len(header) < HEADER:
            return "stdout", b""
        return _NAMES.get(header[0], "stdout"), self._exactly(int.from_bytes(header[4:], "big"))

    def _exactly(self, length: int) -> bytes:
        if self._ahead is not None:
            try:
                return bytes(self._ahead.read(length))
            except (OSError, ValueError, AttributeError):  # closed meanwhile, by another thread
                return b""
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
    timer.daemon = True  # whoever is interrupted meanwhile need not wait for it
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
