"""A page, from servers that mean well and others that don't."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import requests
from tests.waiting import until

from pytest_dockconn.actions import page
from pytest_dockconn.errors import DockconnError

Answer = Callable[[socket.socket, bytes], None]
OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@contextlib.contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A server; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, answer), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, answer: Answer) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_quietly, args=(connection, answer), daemon=True).start()


def _quietly(connection: socket.socket, answer: Answer) -> None:
    with connection, contextlib.suppress(OSError):
        answer(connection, connection.recv(65536))


def whole(connection: socket.socket, request: bytes) -> None:
    if request.startswith(b"GET /there "):
        connection.sendall(OK + b"Content-Length: 2\r\n\r\nhi")
    else:
        connection.sendall(
            b"HTTP/1.1 302 Found\r\nConnection: close\r\nSet-Cookie: a=b\r\nLocation: /there\r\n\r\ngone"
        )


def test_a_page() -> None:
    with serving(whole) as url:
        seen = page.get(url)
        assert (seen.status_code, seen.text, seen.content, seen.ok) == (200, "hi", b"hi", True)
        assert [one.text for one in seen.history] == ["gone"]
        assert seen.history[0].cookies["a"] == "b"
        assert page.get(url, allow_redirects=False).text == "gone"


def test_who_reads_it_himself_reads_what_he_wants() -> None:
    with serving(without_end) as url, page.get(url, stream=True) as seen:
        assert next(seen.iter_content(5)) == b"xxxxx"


def without_end(connection: socket.socket, _: bytes) -> None:
    connection.sendall(OK + b"\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def redirects_without_end(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def packed(connection: socket.socket, _: bytes) -> None:
    data = gzip.compress(b"\0" * (64 << 20))
    connection.sendall(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(data) + data)


@pytest.mark.parametrize("answer", [without_end, redirects_without_end, packed])
def test_one_that_is_too_long(answer: Answer) -> None:
    with serving(answer) as url, pytest.raises(DockconnError, match="is longer than 16 MiB") as caught:
        page.get(url)
    assert "stream=True" in caught.value.remedy


def slow_body(connection: socket.socket, _: bytes) -> None:
    connection.sendall(OK + b"Content-Length: 100\r\n\r\n")
    for byte in b"x" * 100:
        connection.sendall(bytes([byte]))
        threading.Event().wait(0.05)


def slow_head(connection: socket.socket, _: bytes) -> None:
    for byte in OK + b"Content-Length: 100\r\n" + b"X: y\r\n" * 10:
        connection.sendall(bytes([byte]))
        threading.Event().wait(0.05)


@pytest.mark.parametrize("answer", [slow_body, slow_head])
def test_one_that_does_not_end(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    """Each byte comes in time."""
    monkeypatch.setattr(page, "WHOLE", 0.1)
    begun = time.monotonic()
    with serving(answer) as url, pytest.raises(requests.exceptions.ReadTimeout, match=r"within 0\.4 s"):
        page.get(url, timeout=0.3)
    assert time.monotonic() - begun < 3


def continues(connection: socket.socket, _: bytes) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def redirected(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /there\r\n\r\n")
    continues(connection, b"")


@pytest.mark.parametrize("answer", [continues, redirected, slow_head])
def test_of_one_that_was_given_up_nothing_stays(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    """A head without an end is read where nobody looks at the time."""
    monkeypatch.setattr(page, "WHOLE", 0.1)
    with serving(answer) as url, pytest.raises(requests.exceptions.ReadTimeout):
        page.get(url, timeout=0.3)
    assert until(lambda: not any(one.name == "dockconn-long" for one in threading.enumerate()), 20)


@pytest.mark.parametrize("place", [b"http://[", b"http://[\x1b[31m/", b"http://a:x/", b"http:///x"])
def test_one_that_leads_nowhere(place: bytes) -> None:
    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + place + b"\r\n\r\n")

    with serving(answer) as url, pytest.raises(requests.exceptions.RequestException):
        page.get(url)


def test_one_that_is_packed_many_times() -> None:
    """Each layer would be unpacked whole."""

    def answer(connection: socket.socket, _: bytes) -> None:
        head = b"Content-Encoding: " + b", ".join([b"gzip"] * 20) + b"\r\nContent-Length: 2\r\n\r\n"
        connection.sendall(OK + head + b"hi")

    with serving(answer) as url, pytest.raises(requests.exceptions.RequestException, match=r"[Tt]oo many"):
        page.get(url)


@pytest.mark.parametrize("timeout", [None, (1.0, None)])
def test_who_waits_for_ever(monkeypatch: pytest.MonkeyPatch, timeout: object) -> None:
    monkeypatch.setattr(page, "WHOLE", 0.0)
    with serving(whole) as url:
        assert page.get(url, timeout=timeout).text == "hi"


def silent(_: socket.socket, __: bytes) -> None:
    threading.Event().wait(1)


@pytest.mark.parametrize("timeout", [0.2, (1.0, 0.2)])
def test_one_that_is_silent(timeout: object) -> None:
    with serving(silent) as url, pytest.raises(requests.exceptions.Timeout):
        page.get(url, timeout=timeout)
