"""Docker on a unix socket without docker-py: connections that break, streams, and answers that are none."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.engine.canned import Server, serving

from pytest_dockconn.engine.direct import DirectEngine
from pytest_dockconn.errors import Conflict, EngineError, EngineTimeout, EngineUnavailable, NotFound, PortInUse
from pytest_dockconn.model.spec import Attachment, ContainerPlan

ID = "0123456789abcdef" * 4
TIMEOUT = 5.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "d.sock"


@pytest.fixture
def server(path: Path) -> Iterator[Server]:
    with serving(path, "docker") as found:
        yield found


@pytest.fixture
def engine(server: Server, path: Path) -> Iterator[DirectEngine]:
    with contextlib.closing(DirectEngine(f"unix://{path}", TIMEOUT)) as found:
        yield found


@contextlib.contextmanager
def speaking(path: Path, *said: bytes, hold: bool = False) -> Iterator[list[bytes]]:
    """What listens at a path and says this to each who connects, in turn; ``hold`` keeps the last connection open."""
    heard: list[bytes] = []
    over = threading.Event()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            for words in said:
                connection, _ = listener.accept()
                with connection:
                    heard.append(connection.recv(65536))
                    connection.sendall(words)
                    if hold and words is said[-1]:
                        heard.append(connection.recv(65536))
                        over.wait(TIMEOUT)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield heard
        finally:
            over.set()
            thread.join(TIMEOUT)


def answer(body: str, status: str = "200 OK", *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers)
    return "\r\n".join((*lines, "", body)).encode()


VERSION = answer('{"Version": "26.1.5", "ApiVersion": "1.45"}')


def test_a_connection_that_was_closed_meanwhile_is_not_used_again(engine: DirectEngine, server: Server) -> None:
    """As when the engine was started anew between two tests."""
    server.answers[f"/containers/{ID}/json"] = (200, {"Id": ID})
    assert engine.inspect(ID).id == ID
    closed = threading.Event()
    server.close_after = closed
    assert engine.inspect(ID).id == ID  # this answer is the connection's last
    assert closed.wait(TIMEOUT)

    assert engine.inspect(ID).id == ID


def test_connections_are_used_again(engine: DirectEngine, server: Server) -> None:
    server.answers["/networks"] = (200, [])
    before = server.connections
    for _ in range(5):
        engine.networks()
    assert server.connections == before


@pytest.mark.parametrize(
    ("status", "words", "error"),
    [
        (404, "No such container: x", NotFound),
        (409, "Conflict. The container name is already in use", Conflict),
        (500, "driver failed: Bind for 127.0.0.1:8080 failed: port is already allocated", PortInUse),
        (500, "no space left on device", EngineError),
        (301, "", NotFound),  # to another path
    ],
)
def test_a_refusal(engine: DirectEngine, server: Server, status: int, words: str, error: type[Exception]) -> None:
    server.answers[f"/containers/{ID}/start"] = (status, {"message": words})

    with pytest.raises(error, match=rf"starting container 0123456789ab: .*{words}"):
        engine.start(ID)


def test_what_is_started_already(engine: DirectEngine, server: Server) -> None:
    server.answers[f"/containers/{ID}/start"] = (304, None)
    engine.start(ID)


def test_a_removal_that_is_under_way_is_as_good(engine: DirectEngine, server: Server) -> None:
    server.answers[f"/containers/{ID}"] = (409, {"message": f"removal of container {ID} is already in progress"})
    engine.remove(ID)


def test_any_other_conflict_of_a_removal_is_told(engine: DirectEngine, server: Server) -> None:
    server.answers[f"/containers/{ID}"] = (409, {"message": "it is kept"})
    with pytest.raises(Conflict, match="it is kept"):
        engine.remove(ID)


def test_a_wait_without_an_end(engine: DirectEngine, server: Server) -> None:
    """It is no time-out of the engine: the next question is asked."""
    server.silent.add(f"/containers/{ID}/wait")
    server.answers[f"/containers/{ID}/json"] = (200, {"Id": ID})
    assert engine.wait(ID, 0.05) is None
    assert engine.inspect(ID).id == ID


def test_a_further_network_that_can_not_be_joined_takes_the_container_along(
    engine: DirectEngine, server: Server
) -> None:
    server.answers["/containers/create"] = (201, {"Id": ID})
    server.answers["/networks/b/connect"] = (500, {"message": "no"})
    server.answers[f"/containers/{ID}"] = (204, None)
    plan = ContainerPlan(image="i", name="n", labels={}, attachments=(Attachment("a"), Attachment("b")))

    with pytest.raises(EngineError, match="creating container n: no"):
        engine.create(plan)

    assert ("DELETE", f"/containers/{ID}", None) in server.heard


@pytest.mark.parametrize("name", ["", "..", "a/../b", "../images"])
def test_a_name_that_leads_elsewhere_asks_for_nothing_else(engine: DirectEngine, server: Server, name: str) -> None:
    server.answers["/images/json"] = server.answers["/containers/b/json"] = (200, {"Id": ID})
    with pytest.raises(NotFound):
        engine.inspect(name)


@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", "null"])
def test_what_answers_is_no_engine(path: Path, body: str) -> None:
    with (
        speaking(path, answer(body)),
        pytest.raises(EngineUnavailable, match="asking for its version: it answers, but not as an engine does"),
    ):
        DirectEngine(f"unix://{path}", TIMEOUT)


def test_an_engine_that_refuses_to_say_who_it_is(path: Path) -> None:
    with (
        speaking(path, answer('{"message": "go away"}', "403 Forbidden")),
        pytest.raises(EngineUnavailable, match="go away"),
    ):
        DirectEngine(f"unix://{path}", TIMEOUT)


def test_a_refusal_without_json(path: Path) -> None:
    with speaking(path, VERSION, answer("bad gateway", "502 Bad Gateway")):
        engine = DirectEngine(f"unix://{path}", TIMEOUT)
        with pytest.raises(EngineError, match="listing networks: bad gateway"):
            engine.networks()


def test_a_stream_loses_nothing_that_came_with_the_headers(path: Path) -> None:
    upgraded = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    frame = b"\x01\0\0\0\0\0\0\x06hello\n"
    with speaking(path, VERSION, upgraded + frame, hold=True) as heard:
        stream = DirectEngine(f"unix://{path}", TIMEOUT).attach(ID)
        assert stream.read() == ("stdout", b"hello\n")
        stream.write(b"a line\n")
        stream.close()
        assert stream.read() == ("stdout", b"")
    assert heard[1].startswith(f"POST /v1.45/containers/{ID}/attach?stdin=1&".encode())
    assert heard[2] == b"a line\n"


def test_closing_a_stream_wakes_its_reader(path: Path) -> None:
    upgraded = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    with speaking(path, VERSION, upgraded, hold=True):
        stream = DirectEngine(f"unix://{path}", TIMEOUT).attach(ID)
        got: list[tuple[str, bytes]] = []
        reader = threading.Thread(target=lambda: got.append(stream.read()), daemon=True)
        reader.start()
        stream.close()
        reader.join(TIMEOUT)
    assert got == [("stdout", b"")]


def test_no_stream_of_what_is_not_there(path: Path) -> None:
    with speaking(path, VERSION, answer('{"message": "No such container: x"}', "404 Not Found")):
        engine = DirectEngine(f"unix://{path}", TIMEOUT)
        with pytest.raises(NotFound, match="attaching to container x: No such container"):
            engine.attach("x")


def test_events_until_they_are_closed(path: Path) -> None:
    line = b'{"Type": "container", "Action": "die", "Actor": {"ID": "c1"}}\n'
    chunk = f"{len(line):x}\r\n".encode() + line + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with speaking(path, VERSION, head + chunk + chunk, hold=True) as heard:
        engine = DirectEngine(f"unix://{path}", TIMEOUT)
        events = engine.events()
        died = {"type": "container", "action": "die", "id": "c1"}
        assert [next(events), next(events)] == [died, died]
        engine.close()
        assert list(events) == []
    assert b"GET /v1.45/events?filters=%7B%22type%22" in heard[1]


def test_events_that_are_refused_are_none(path: Path) -> None:
    with speaking(path, VERSION, answer('{"message": "no"}', "500 Internal Server Error")):
        assert list(DirectEngine(f"unix://{path}", TIMEOUT).events()) == []


def test_a_call_that_hangs_in_docker_py_is_the_last_here_too(server: Server, path: Path) -> None:
    with contextlib.closing(DirectEngine(f"unix://{path}", 0.2)) as engine:
        server.hangs.set()
        with pytest.raises(EngineTimeout) as first:
            engine.logs(ID)
        heard = len(server.heard)
        with pytest.raises(EngineTimeout) as second:
            engine.remove(ID)
        assert second.value.cause == first.value.cause
        assert len(server.heard) == heard
        server.over.set()
