"""Servers on loopback that behave in one way each, for as long as a test lasts."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket, threading.Event], None]


@contextlib.contextmanager
def tcp(behaviour: Behaviour) -> Iterator[int]:
    """A server that treats each connection so; the event is set when the test is over. Yields its port."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, behaviour, over), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _accept(listener: socket.socket, behaviour: Behaviour, over: threading.Event) -> None:
    while True:
        try:
            connection, _peer = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            behaviour(connection, over)


@contextlib.contextmanager
def udp(answer: Callable[[bytes], bytes | None]) -> Iterator[int]:
    """A server that answers each datagram so, or not at all. Yields its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    data, peer = sock.recvfrom(65536)
                    if data == b"over":
                        return
                    said = answer(data)
                    if said is not None:
                        sock.sendto(said, peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"over", sock.getsockname())
            thread.join(5)


@contextlib.contextmanager
def nobody(kind: int = socket.SOCK_STREAM) -> Iterator[int]:
    """A port that is ours for as long as the test lasts, and where nobody listens."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        if kind == socket.SOCK_DGRAM:
            sock.close()  # a bound datagram socket would take what comes
        yield port


@contextlib.contextmanager
def full() -> Iterator[int]:
    """A listener whose accept queue is full: the kernel drops who comes next, as a firewall does."""
    with socket.socket() as listener, contextlib.ExitStack() as held:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def says(*pieces: bytes) -> Behaviour:
    """Reads the request, sends these pieces, closes."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        for piece in pieces:
            connection.sendall(piece)

    return behave


def greets(banner: bytes) -> Behaviour:
    """Speaks first, then waits."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(banner)
        over.wait(5)

    return behave


def closes(connection: socket.socket, over: threading.Event) -> None:
    """Accepts and closes at once."""


def resets(connection: socket.socket, over: threading.Event) -> None:
    """Accepts, reads, and closes with a reset."""
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def is_silent(connection: socket.socket, over: threading.Event) -> None:
    """Accepts and waits."""
    over.wait(5)


def drips(data: bytes, pace: float) -> Behaviour:
    """A byte at a time."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        for at in range(len(data)):
            connection.sendall(data[at : at + 1])
            if over.wait(pace):
                return

    return behave


def floods(begin: bytes, more: bytes) -> Behaviour:
    """Sends without end."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        connection.settimeout(5)
        connection.sendall(begin)
        while not over.is_set():
            connection.sendall(more)

    return behave
