"""A lab on the engine in memory, and strangers at the addresses of its containers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from tests.fakes.engine import FakeEngine

from pytest_dockconn.actions.services import Services
from pytest_dockconn.lab import Lab
from pytest_dockconn.model.settings import Settings
from pytest_dockconn.session import Session

#: From what is asked to what is said.
Answer = Callable[[bytes], bytes]


@contextlib.contextmanager
def opened(kind: str = "docker", version: str = "20.10.24") -> Iterator[Lab]:
    """A lab; its engine is ``lab._services.engine``."""
    engine = FakeEngine(kind, version)
    session = Session(Services(engine, Settings(), lambda _: None))
    try:
        yield session.lab
        session.start_closing()
        assert session.close() == []
        assert engine.names == []
    finally:
        engine.shut_down()


def engine_of(lab: Lab) -> FakeEngine:
    """Its engine, with all that the one in memory tells of itself."""
    engine = lab._services.engine
    assert isinstance(engine, FakeEngine)
    return engine


@contextlib.contextmanager
def stranger(kind: socket.SocketKind, address: str, port: int, answer: Answer) -> Iterator[None]:
    """Somebody who answers there."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        thread = threading.Thread(target=_serve, args=(sock, kind, answer), daemon=True)
        thread.start()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve(sock: socket.socket, kind: socket.SocketKind, answer: Answer) -> None:
    with contextlib.suppress(OSError):
        while True:
            if kind == socket.SOCK_DGRAM:
                data, peer = sock.recvfrom(65536)
                if peer is None:  # it was shut down
                    return
                sock.sendto(answer(data), peer)
                continue
            connection, _ = sock.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(answer(connection.recv(65536)))


def heard(kind: socket.SocketKind, address: str, port: int, question: bytes) -> bytes:
    """What somebody is told who asks."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.settimeout(5)
        sock.connect((address, port))
        sock.sendall(question)
        if kind == socket.SOCK_DGRAM:
            return sock.recv(65536)
        return b"".join(iter(lambda: sock.recv(65536), b""))
