"""The frames of an attached container."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from pytest_dockconn.engine import attach
from pytest_dockconn.engine.attach import SocketStream, collected, payloads
from pytest_dockconn.errors import EngineError
from pytest_dockconn.model.spec import Bound


@pytest.fixture
def ends() -> Iterator[tuple[SocketStream, socket.socket]]:
    ours, theirs = socket.socketpair()
    stream = SocketStream(ours)
    with contextlib.closing(stream), theirs:
        yield stream, theirs


def frame(kind: int, data: bytes) -> bytes:
    return bytes((kind, 0, 0, 0)) + len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(("kind", "name"), [(0, "stdin"), (1, "stdout"), (2, "stderr"), (9, "stdout")])
def test_a_frame(ends: tuple[SocketStream, socket.socket], kind: int, name: str) -> None:
    ends[1].sendall(frame(kind, b"It works\n"))
    assert ends[0].read() == (name, b"It works\n")


def test_a_frame_in_pieces(ends: tuple[SocketStream, socket.socket]) -> None:
    def send() -> None:
        for byte in frame(2, b"abc") + frame(1, b"d"):
            ends[1].sendall(bytes((byte,)))

    sender = threading.Thread(target=send)
    sender.start()
    assert [ends[0].read(), ends[0].read()] == [("stderr", b"abc"), ("stdout", b"d")]
    sender.join()


@pytest.mark.parametrize("sent", [b"", b"\x01\0\0", frame(1, b"abc")[:-1]], ids=["nothing", "half a header", "half"])
def test_the_end(ends: tuple[SocketStream, socket.socket], sent: bytes) -> None:
    ends[1].sendall(sent)
    ends[1].close()
    assert ends[0].read() == ("stdout", b"")


@pytest.mark.parametrize(
    ("data", "carried"),
    [
        (b"", b""),
        (frame(1, b"a\n") + frame(2, b"b\n"), b"a\nb\n"),
        (frame(1, b""), b""),
        (frame(1, b"abc")[:-1], b"ab"),
        (frame(1, b"a") + b"\x01\0\0", b"a"),
    ],
)
def test_what_frames_carry(data: bytes, carried: bytes) -> None:
    assert payloads(data) == carried


def test_what_is_written_arrives(ends: tuple[SocketStream, socket.socket]) -> None:
    ends[0].write(b"a line\n")
    assert ends[1].recv(100) == b"a line\n"


def test_a_long_line_arrives_whole(ends: tuple[SocketStream, socket.socket]) -> None:
    line = bytes(range(256)) * 8192
    writer = threading.Thread(target=ends[0].write, args=(line,))
    writer.start()
    got = b""
    while len(got) < len(line):
        got += ends[1].recv(100_000)
    writer.join(5)
    assert got == line


@pytest.mark.parametrize("wrapped", [False, True], ids=["a socket", "something else"])
def test_what_nobody_reads_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, wrapped: bool) -> None:
    """A client that is paused: the write would wait for ever, and with it everybody who asks this agent."""

    class Wrapped:
        """Neither a socket nor ours, as a channel of ssh."""

        def __init__(self, sock: socket.socket) -> None:
            self.sendall, self.settimeout, self.shutdown, self.close = (
                sock.sendall,
                sock.settimeout,
                sock.shutdown,
                sock.close,
            )

    monkeypatch.setattr(attach, "PATIENCE", 0.2)
    ours, theirs = socket.socketpair()
    with contextlib.closing(SocketStream(Wrapped(ours) if wrapped else ours)) as stream, theirs:
        begun = time.monotonic()
        with pytest.raises(OSError, match="not read within"):
            stream.write(b"x" * (8 << 20))
        assert 0.2 <= time.monotonic() - begun < 5


def test_nothing_is_written_into_what_is_closed(ends: tuple[SocketStream, socket.socket]) -> None:
    ends[0].close()
    with pytest.raises(OSError, match="closed"):
        ends[0].write(b"a line\n")


def test_without_poll(ends: tuple[SocketStream, socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(select, "poll")  # as on Windows
    ends[0].write(b"a line\n")
    assert ends[1].recv(100) == b"a line\n"


def test_no_thread_to_watch_with(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    with pytest.raises(OSError, match="can't start new thread"):
        SocketStream(Silent()).write(b"a line\n")


class Silent:
    """Neither a socket nor ours."""

    def settimeout(self, _: float | None) -> None:
        """Nothing."""


def test_closing_wakes_a_reader(ends: tuple[SocketStream, socket.socket]) -> None:
    got: list[tuple[str, bytes]] = []
    reader = threading.Thread(target=lambda: got.append(ends[0].read()))
    reader.start()
    ends[0].close()
    reader.join(5)
    assert got == [("stdout", b"")]


def test_a_socket_inside_of_what_docker_py_returns() -> None:
    ours, theirs = socket.socketpair()
    with ours.makefile("rb", buffering=0) as wrapper, theirs:
        wrapper._sock = ours  # type: ignore[attr-defined]
        stream = SocketStream(wrapper)
        theirs.sendall(frame(1, b"x"))
        assert stream.read() == ("stdout", b"x")
        stream.close()
        assert wrapper.closed
    ours.close()


def test_all_of_both_streams(ends: tuple[SocketStream, socket.socket]) -> None:
    stream, other = ends
    other.sendall(frame(1, b"out") + frame(2, b"err") + frame(1, b" more"))
    other.shutdown(socket.SHUT_WR)
    assert collected(stream, Bound(11, 5.0), "running it") == (b"out more", b"err")


def test_more_than_is_taken(ends: tuple[SocketStream, socket.socket]) -> None:
    stream, other = ends
    other.sendall(frame(1, b"out") + frame(2, b"err") + frame(1, b" more"))
    with pytest.raises(EngineError, match="running it: it has written more than 10 bytes"):
        collected(stream, Bound(10, 5.0), "running it")
    assert other.recv(1) == b""  # it is closed


@pytest.mark.parametrize("said", [b"", frame(1, b"out"), frame(1, b"out")[:9]], ids=["silent", "out", "half a frame"])
def test_longer_than_is_waited_for(ends: tuple[SocketStream, socket.socket], said: bytes) -> None:
    stream, other = ends
    other.sendall(said)
    with pytest.raises(EngineError, match=r"running it: it has not ended within 0\.1 s"):
        collected(stream, Bound(10, 0.1), "running it")
    assert other.recv(1) == b""
