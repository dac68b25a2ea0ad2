"""The server in the test process, on loopback."""

from __future__ import annotations

import contextlib
import errno
import queue
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_dockconn.actions import callers
from pytest_dockconn.actions.callback import MOST, PAGE, Callback, _is_whole
from pytest_dockconn.actions.callers import AT_ONCE, PATIENCE
from pytest_dockconn.actions.calls import Call
from pytest_dockconn.agent import probe, verdict
from pytest_dockconn.agent.identity import proof
from pytest_dockconn.agent.probe import WHO
from pytest_dockconn.errors import PortInUse

IDENTITY = ("host-1", "token-1")
#: Of a question whose nonce is ``n``.
PROOF = proof("token-1", "n").encode()
POST = b"POST / HTTP/1.0\r\ncontent-length: 4\r\n\r\n"
REQUEST = b"GET /done HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Heard:
    """A callback, and the calls that it took."""

    server: Callback
    calls: queue.SimpleQueue[Call] = field(default_factory=queue.SimpleQueue)

    def next(self) -> Call:
        return self.calls.get(timeout=5)


@contextlib.contextmanager
def listening(protocol: str = "tcp", number: int = 0) -> Iterator[Heard]:
    calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
    server = Callback(number, protocol, IDENTITY, calls.put)
    try:
        yield Heard(server, calls)
    finally:
        server.close()


def said(number: int, *pieces: bytes, address: str = "127.0.0.1") -> bytes:
    """What comes back, to the end."""
    with socket.create_connection((address, number), 5) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            sock.sendall(piece)
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.mark.parametrize(
    ("pieces", "data"),
    [
        pytest.param((REQUEST,), REQUEST, id="a request"),
        pytest.param((REQUEST[:9], REQUEST[9:]), None, id="in pieces"),
        pytest.param((POST + b"body",), POST + b"body", id="with a body"),
        pytest.param((POST, b"bo", b"dy", b"and more"), POST + b"body", id="with a body that comes later"),
        pytest.param((POST, b"bo"), POST + b"bo", id="with a body that ends early"),
    ],
)
def test_http(pieces: tuple[bytes, ...], data: bytes | None) -> None:
    with listening() as heard:
        answer = said(heard.server.number, *pieces)
        call = heard.next()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == PAGE
    assert data is None or call.data.startswith(data)
    assert (call.address, call.to) == ("127.0.0.1", "127.0.0.1")
    if data is not None:
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("data", [b"hello\n", b"\0\xff", b"GET without a version\r\n"])
def test_anything_else_comes_back(data: bytes) -> None:
    with listening() as heard:
        assert said(heard.server.number, data) == data
        assert heard.next().data == data


def test_one_that_says_nothing_has_called_too() -> None:
    with listening() as heard:
        assert said(heard.server.number) == b""
        assert heard.next().data == b""


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"", False), (b"hello", True), (REQUEST, True), (REQUEST[:-2], False), (REQUEST[:18], False),
        (POST, False), (POST + b"bod", False), (POST + b"body", True), (POST + b"body and more", True),
        (b"POST / HTTP/1.1\r\nX: 9\r\nContent-Length:2\r\n\r\nab", True),
        (b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", True),
    ],
)  # fmt: skip
def test_a_request_is_waited_for_to_its_end(data: bytes, whole: bool) -> None:
    assert _is_whole(data) is whole


def test_what_is_said_after_the_answer_resets_nothing() -> None:
    """A caller whose request was longer than what was read would lose the answer."""
    with listening() as heard, socket.create_connection(("127.0.0.1", heard.server.number), 5) as sock:
        sock.sendall(REQUEST)
        while sock.recv(65536):
            pass
        for _ in range(64):
            sock.sendall(b"x" * 1024)


def test_of_a_long_story_the_beginning_is_kept() -> None:
    with listening() as heard:
        assert said(heard.server.number, b"GET / HTTP/1.1\r\n" + b"x" * (4 * MOST)).endswith(PAGE)
        assert len(heard.next().data) == MOST


def test_datagrams() -> None:
    with listening("udp") as heard, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect(("127.0.0.1", heard.server.number))
        for data, answer in ((b"hello", b"hello"), (b"", b""), (WHO + b"n", WHO + b"n host-1 " + PROOF)):
            sock.send(data)
            assert sock.recv(999) == answer
            call = heard.next()
            assert (call.data, call.port) == (data, sock.getsockname()[1])


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_probe_is_told_who_answers(protocol: str) -> None:
    with listening(protocol) as heard:
        target: dict[str, object] = {
            "scheme": "http" if protocol == "tcp" else "udp", "host": "127.0.0.1", "port": heard.server.number,
            "timeout": 5.0, "nonce": "n",
        }  # fmt: skip
        seen = probe.probe(target)
    assert (seen["verdict"], seen["answered_by"], seen["proof"]) == (verdict.REACHABLE, "host-1", PROOF.decode())
    assert probe.probe(target)["verdict"] == verdict.REFUSED  # it is closed by now


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_on_as_many_addresses_as_are_asked_for_and_no_other(protocol: str) -> None:
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with listening(protocol) as heard:
        heard.server.on("127.0.0.2")
        heard.server.on("127.0.0.2")
        for address, free in (("127.0.0.1", False), ("127.0.0.2", False), ("127.0.0.3", True)):
            with socket.socket(socket.AF_INET, kind) as sock:
                if free:
                    sock.bind((address, heard.server.number))
                else:
                    with pytest.raises(OSError, match="in use"):
                        sock.bind((address, heard.server.number))
        if protocol == "tcp":
            said(heard.server.number, b"x", address="127.0.0.2")
            assert heard.next().to == "127.0.0.2"


def test_once_closed_it_opens_nothing_more() -> None:
    with listening() as heard:
        heard.server.close()
        heard.server.on("127.0.0.2")
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", heard.server.number), 5)
        heard.server.close()


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_port_that_is_taken(protocol: str) -> None:
    with listening(protocol) as heard:
        number = heard.server.number
        with pytest.raises(PortInUse, match=f"can't listen on 127.0.0.1 port {number}/{protocol}") as caught:
            Callback(number, protocol, IDENTITY, lambda _: None)
        assert caught.value.remedy


def test_an_address_that_is_not_ours() -> None:
    with listening() as heard, pytest.raises(PortInUse, match=r"can't listen on 192\.0\.2\.7 port"):
        heard.server.on("192.0.2.7")


def test_out_of_file_descriptors_it_only_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """One refusal of the system ended it for good: then nobody could call back, and it looked like the network's fault."""
    accept = socket.socket.accept
    refusals = iter([OSError(errno.EMFILE, "Too many open files"), OSError(errno.ECONNABORTED, "aborted")])

    def refusing(sock: socket.socket) -> Any:
        for error in refusals:
            raise error
        return accept(sock)

    monkeypatch.setattr(socket.socket, "accept", refusing)
    with listening() as heard:
        assert said(heard.server.number, b"hello") == b"hello"
    assert next(refusals, None) is None


def test_out_of_threads_it_only_loses_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    refusals = iter([RuntimeError("can't start new thread")])

    def refusing(thread: threading.Thread) -> None:
        for error in refusals:
            raise error
        start(thread)

    with listening() as heard:
        monkeypatch.setattr(threading.Thread, "start", refusing)
        with contextlib.suppress(ConnectionError):
            assert said(heard.server.number, b"hello") == b""
        for _ in range(AT_ONCE + 1):
            assert said(heard.server.number, b"hello") == b"hello"


def test_whoever_holds_the_line_keeps_nobody_out() -> None:
    """There are as many threads as callers at once, but no more than so many; and an answer is given at once."""
    before = threading.active_count()
    with listening() as heard, contextlib.ExitStack() as silent:
        for _ in range(3 * AT_ONCE):
            silent.enter_context(socket.create_connection(("127.0.0.1", heard.server.number), 5))
        begun = time.monotonic()
        assert said(heard.server.number, REQUEST).endswith(PAGE)
        assert time.monotonic() - begun < PATIENCE / 2
        assert threading.active_count() - before <= AT_ONCE + 2


def test_a_caller_has_so_long_however_slowly_it_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then is always in time for the next read."""
    monkeypatch.setattr(callers, "PATIENCE", 0.2)
    begun = time.monotonic()
    with listening() as heard, socket.create_connection(("127.0.0.1", heard.server.number), 5) as sock:
        sock.settimeout(0.02)
        sock.send(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - begun < 5:
                sock.send(b"X")
                with contextlib.suppress(TimeoutError):
                    if not sock.recv(99):
                        break
    assert time.monotonic() - begun < 2
