"""The UDP half of a server."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_dockconn.agent import echo
from pytest_dockconn.agent.identity import proof


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"hello", b"hello"),
        (b"", b""),
        (b"dockconn? n0nce", b"dockconn? n0nce abc"),
        (b"dockconn?", b"dockconn?"),
        (b"a dockconn? n0nce", b"a dockconn? n0nce"),
    ],
)
def test_what_goes_back(data: bytes, answer: bytes) -> None:
    assert echo.answer(data, "abc") == answer


def test_a_question_gets_a_proof_of_its_own() -> None:
    """The token itself is never said: who has heard one answer can't give the next."""
    first, second = (echo.answer(b"dockconn? " + nonce, "abc", "t0ken").split(b" ") for nonce in (b"1", b"2"))
    assert [first[:3], second[:3]] == [[b"dockconn?", b"1", b"abc"], [b"dockconn?", b"2", b"abc"]]
    assert [first[3].decode(), second[3].decode()] == [proof("t0ken", "1"), proof("t0ken", "2")]
    assert first[3] != second[3]
    assert b"t0ken" not in b"".join(first + second)


class Over(Exception):
    """The test is over."""


class Rounds:
    """A selector that ends after some datagrams."""

    def __init__(self, selector: selectors.BaseSelector, count: int) -> None:
        self._selector, self._left = selector, count

    def select(self) -> Any:
        if not self._left:
            raise Over
        self._left -= 1
        return self._selector.select(5)


@contextlib.contextmanager
def listening(ports: list[int]) -> Iterator[selectors.BaseSelector]:
    selector = echo.listen(ports)
    try:
        yield selector
    finally:
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        selector.close()


def test_it_answers_on_every_port() -> None:
    with listening([0, 0]) as selector, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        ports = [key.fileobj.getsockname()[1] for key in selector.get_map().values()]  # type: ignore[union-attr]

        def serve() -> None:
            with contextlib.suppress(Over):
                echo.serve(Rounds(selector, len(ports)), "abc")  # type: ignore[arg-type]

        server = threading.Thread(target=serve)
        server.start()
        for port in ports:
            client.sendto(b"dockconn? n0nce", ("127.0.0.1", port))
            assert client.recvfrom(100) == (b"dockconn? n0nce abc", ("127.0.0.1", port))
        server.join(5)


def test_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    class Four(socket.socket):
        def __init__(self, family: int, kind: int) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "no IPv6")
            super().__init__(family, kind)

    monkeypatch.setattr(socket, "socket", Four)
    with listening([0]) as selector:
        (key,) = selector.get_map().values()
        assert key.fileobj.getsockname()[0] == "0.0.0.0"  # type: ignore[union-attr]


def test_an_icmp_error_does_not_end_it() -> None:
    class Broken(socket.socket):
        def recvfrom(self, *_: object) -> Any:
            raise ConnectionRefusedError

    with Broken(socket.AF_INET, socket.SOCK_DGRAM) as sock:

        class Once:
            rounds = 2

            def select(self) -> Any:
                self.rounds -= 1
                if self.rounds < 0:
                    raise Over
                return [(selectors.SelectorKey(sock, sock.fileno(), 1, None), 1)]

        with pytest.raises(Over):
            echo.serve(Once(), "abc")  # type: ignore[arg-type]
