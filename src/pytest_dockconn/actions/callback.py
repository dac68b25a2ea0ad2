"""A server in the test process, for containers that call back: HTTP and an echo on TCP, an echo on UDP."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from functools import partial

from ..agent import echo
from ..agent.identity import IDENTITY, NONCE, PROOF, proof
from ..errors import PortInUse
from .callers import PATIENCE, Callers, Line
from .calls import Call

#: Bytes of a call that are kept.
MOST = 64 * 1024
#: So many may wait to be let in, if the system allows it.
WAITING = 1024
#: Seconds until it is tried again to take a connection: where this process has no file descriptors left just now.
PAUSE = 0.05
PAGE = b"the host answers\n"
_METHOD = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) ")
#: So many times ``MOST`` is read and dropped after the answer.
DRAINED = 256
_NONCE = re.compile(rb"(?i)\r\n" + NONCE.encode() + rb":[ \t]*([0-9A-Za-z]{1,64})\b")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ \t]*(\d{1,12})\b")


class Callback:
    """The sockets of one port, on as many of the host's addresses as callers need; never on all of them at once.

    Args:
        number: of the port; 0 for any that is free.
        protocol: ``tcp`` or ``udp``.
        identity: of who answers: its id, which every answer says, and the token of which it says a proof.
        called: takes each call.
    """

    def __init__(self, number: int, protocol: str, identity: tuple[str, str], called: Callable[[Call], None]) -> None:
        self._protocol = protocol
        self._identity = identity
        self._called = called
        self._sockets: dict[str, socket.socket] = {}
        self._threads: list[threading.Thread] = []
        self._callers = Callers()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.number = number
        self.on("127.0.0.1")

    def on(self, address: str) -> None:
        """Listen on this address too. Raises ``PortInUse``."""
        with self._lock:
            if address in self._sockets or self._over.is_set():
                return
            sock = _opened(self._protocol, address, self.number)
            self.number = sock.getsockname()[1]
            self._sockets[address] = sock
        serve = self._datagrams if self._protocol == "udp" else self._connections
        thread = threading.Thread(target=serve, args=(sock, address), name=f"dockconn-host-{self.number}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        """Listen no more; also wakes the threads that wait, and returns when they have ended."""
        with self._lock:
            self._over.set()
            sockets, self._sockets = self._sockets, {}
        for sock in sockets.values():
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)  # as long as one waits there, the kernel keeps the socket: who asks gets silence
        for sock in sockets.values():
            sock.close()

    def _connections(self, sock: socket.socket, address: str) -> None:
        while not self._over.is_set():
            try:
                connection, peer = sock.accept()
            except OSError:  # it was closed; or nobody can take a connection just now
                self._over.wait(PAUSE)
            else:
                self._callers.serve(connection, partial(self._answer, peer, address))

    def _answer(self, peer: tuple[str, int], address: str, line: Line) -> None:
        data = _said(line)
        self._called(Call(peer[0], peer[1], data, address))
        line.write(self._page(data) if b" HTTP/1." in data else data)
        for _ in range(DRAINED):  # what was not read would reset the connection, and take the answer with it
            if not line.read(MOST):
                break

    def _page(self, request: bytes) -> bytes:
        identity, token = self._identity
        asked = _NONCE.search(request.partition(b"\r\n\r\n")[0])
        shown = proof(token, asked[1].decode("ascii") if asked else "")
        head = f"HTTP/1.1 200 OK\r\n{IDENTITY}: {identity}\r\n{PROOF}: {shown}\r\nContent-Length: {len(PAGE)}\r\n"
        return f"{head}Content-Type: text/plain\r\nConnection: close\r\n\r\n".encode() + PAGE

    def _datagrams(self, sock: socket.socket, address: str) -> None:
        while True:
            try:
                data, peer = sock.recvfrom(MOST)
                if peer is None:  # it was shut down
                    return
                sock.sendto(echo.answer(data, *self._identity), peer)
            except OSError:
                if sock.fileno() < 0:
                    return
                continue  # an ICMP error of an earlier answer
            self._called(Call(peer[0], peer[1], data, address))


def _said(line: Line) -> bytes:
    """What the caller says: a request with its body, or whatever came first."""
    data = b""
    while len(data) < MOST and not _is_whole(data):
        more = line.read(MOST)
        if not more:
            break
        data += more
    return data[:MOST]


def _is_whole(data: bytes) -> bool:
    """Whether a request has come to its end; of anything else the first piece is enough."""
    head, ended, body = data.partition(b"\r\n\r\n")
    line, told, _ = head.partition(b"\r\n")
    if not told and not ended and _METHOD.match(line):
        return False  # a request line that comes in pieces
    if b" HTTP/1." not in line:
        return bool(data)
    length = _LENGTH.search(head)
    return bool(ended) and len(body) >= (int(length[1]) if length else 0)


def _opened(protocol: str, address: str, number: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
    try:
        if protocol == "tcp":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, number))
        if protocol == "tcp":
            sock.listen(WAITING)  # while a crowd is let in: what finds no place there knocks again after a second
    except OSError as error:
        sock.close()
        raise PortInUse(
            f"the test process can't listen on {address} port {number or 'any'}/{protocol}: {error.strerror or error}",
            checked="bind",
            remedy="leave the port out: listen() takes a free one; below 1024 it needs root",
        ) from error
    return sock
