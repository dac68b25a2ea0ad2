"""Docker on a unix socket without docker-py: connections that break, streams, and answers that are none."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.unit.engine.canned import Handler, Server, serving
from tests.waiting import until

from pytest_dockconn.engine import attach, direct
from pytest_dockconn.engine.direct import DirectEngine
from pytest_dockconn.engine.docker_sdk import DockerEngine
from pytest_dockconn.engine.unix_http import Connections, connected
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


def answer(body: bytes, status: str = "200 OK", *, keep: bool = False) -> bytes:
    close = "" if keep else "Connection: close\r\n"
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{close}\r\n".encode() + body


VERSION = answer(b'{"Version": "26.1.5", "ApiVersion": "1.45"}')
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def reads(thread: threading.Thread, function: str) -> bool:
    """Whether a thread waits in a function of this name: only then is it worth something that it is woken."""
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code.co_name == function


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


@pytest.mark.parametrize("name", ["", "/", ".", "..", "a/../b", "../images", "a//b", "\udcff"])
def test_a_name_that_leads_elsewhere_asks_for_nothing(engine: DirectEngine, server: Server, name: str) -> None:
    heard = len(server.heard)
    with pytest.raises(NotFound, match="there can be no such name"):
        engine.inspect(name)
    assert len(server.heard) == heard


def test_docker_itself_writes_names_with_a_slash(engine: DirectEngine, server: Server) -> None:
    server.answers["/containers/web/json"] = (200, {"Id": ID})
    assert engine.inspect("/web").id == ID


@pytest.mark.parametrize(
    ("call", "answered"),
    [
        (lambda e: e.inspect(ID), (301, {})),
        (lambda e: e.inspect(ID), (200, [])),
        (lambda e: e.inspect(ID), (200, None)),
        (lambda e: e.containers(), (200, {})),
        (lambda e: e.attach(ID), (204, None)),
    ],
)
def test_an_answer_that_is_none(
    engine: DirectEngine, server: Server, call: Callable[[DirectEngine], object], answered: tuple[int, Any]
) -> None:
    server.answers.update(
        dict.fromkeys((f"/containers/{ID}/json", "/containers/json", f"/containers/{ID}/attach"), answered)
    )
    with pytest.raises(
        EngineUnavailable, match=r"what listens at unix://\S+ answers, but not as an engine does"
    ) as caught:
        call(engine)
    assert caught.value.checked
    assert caught.value.remedy


@pytest.mark.parametrize("keep", [True, False], ids=["keep-alive", "close"])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000])
def test_what_answers_is_no_engine(path: Path, body: bytes, keep: bool) -> None:
    with (
        speaking(path, answer(body, keep=keep)),
        pytest.raises(EngineUnavailable, match=r"version: what listens at \S+ answers, but not as an engine does"),
    ):
        DirectEngine(f"unix://{path}", TIMEOUT)


def test_an_engine_that_refuses_to_say_who_it_is(path: Path) -> None:
    with (
        speaking(path, answer(b'{"message": "go away"}', "403 Forbidden")),
        pytest.raises(EngineUnavailable, match="go away"),
    ):
        DirectEngine(f"unix://{path}", TIMEOUT)


def test_a_refusal_without_json(path: Path) -> None:
    with speaking(path, VERSION, answer(b"bad gateway", "502 Bad Gateway")):
        engine = DirectEngine(f"unix://{path}", TIMEOUT)
        with pytest.raises(EngineError, match="listing networks: bad gateway"):
            engine.networks()


def test_a_command_that_is_done_before_its_answer_is_read_loses_nothing(path: Path) -> None:
    """docker-py takes the socket out of an answer, and leaves what came with its headers."""
    frame, more = b"\x01\0\0\0\0\0\0\x06hello\n", b"\x02\0\0\0\0\0\0\x04oops"
    begun = UPGRADED + frame + more
    with speaking(path, VERSION, VERSION, answer(b'{"Id": "e"}', "201 Created"), begun, answer(b'{"ExitCode": 3}')):
        done = DirectEngine(f"unix://{path}", TIMEOUT).execute(ID, ["cat", "file"])
    assert (done.stdout, done.stderr, done.returncode) == ("hello\n", "oops", 3)


def test_a_stream_loses_nothing_that_came_with_the_headers(path: Path) -> None:
    frame = b"\x01\0\0\0\0\0\0\x06hello\n"
    with speaking(path, VERSION, UPGRADED + frame, hold=True) as heard:
        stream = DirectEngine(f"unix://{path}", TIMEOUT).attach(ID)
        assert stream.read() == ("stdout", b"hello\n")
        stream.write(b"a line\n")
        stream.close()
        assert stream.read() == ("stdout", b"")
    assert heard[1].startswith(f"POST /v1.45/containers/{ID}/attach?stdin=1&".encode())
    assert heard[2] == b"a line\n"


def test_closing_a_stream_wakes_its_reader(path: Path) -> None:
    with speaking(path, VERSION, UPGRADED, hold=True):
        stream = DirectEngine(f"unix://{path}", TIMEOUT).attach(ID)
        got: list[tuple[str, bytes]] = []
        reader = threading.Thread(target=lambda: got.append(stream.read()), daemon=True)
        reader.start()
        assert until(lambda: reads(reader, "readinto"), TIMEOUT)
        stream.close()
        reader.join(TIMEOUT)
    assert got == [("stdout", b"")]


def test_no_stream_of_what_is_not_there(path: Path) -> None:
    with speaking(path, VERSION, answer(b'{"message": "No such container: x"}', "404 Not Found")):
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
        rest: list[object] = []
        reader = threading.Thread(target=lambda: rest.extend(events), daemon=True)
        reader.start()
        assert until(lambda: reads(reader, "readinto"), TIMEOUT)
        engine.close()
        reader.join(TIMEOUT)
        assert not reader.is_alive()
        assert rest == []
    assert b"GET /v1.45/events?filters=%7B%22type%22" in heard[1]


def test_events_that_are_refused_are_none(path: Path) -> None:
    with speaking(path, VERSION, answer(b'{"message": "no"}', "500 Internal Server Error")):
        assert list(DirectEngine(f"unix://{path}", TIMEOUT).events()) == []


@pytest.mark.parametrize(
    ("tty", "said"),
    [("false", b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n"), ("true", b"out\nerr\n")], ids=["framed", "terminal"]
)  # fmt: skip
def test_logs(path: Path, tty: str, said: bytes) -> None:
    inspected = answer(b'{"Id": "x", "Config": {"Tty": %s}}' % tty.encode())
    with speaking(path, VERSION, inspected, answer(said)) as heard:
        assert DirectEngine(f"unix://{path}", TIMEOUT).logs("x", 5) == "out\nerr\n"
    assert heard[2].startswith(b"GET /v1.45/containers/x/logs?stdout=1&stderr=1&tail=5 ")


@pytest.mark.parametrize("made_by", [DirectEngine, DockerEngine])
@pytest.mark.parametrize("more", [0, 1])
def test_logs_have_an_end(
    path: Path, monkeypatch: pytest.MonkeyPatch, made_by: Callable[[str, float], DirectEngine], more: int
) -> None:
    """Also where they come without one, and the connection is not used for another answer then."""
    for module in (attach, direct):
        monkeypatch.setattr(module, "LOGS", 1 << 20)
    said = b"x" * ((1 << 20) + more)

    class Wordy(Handler):
        def do_GET(self) -> None:  # noqa: N802 - its name
            if not self.path.partition("?")[0].endswith("/logs"):
                super().do_GET()
                return
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(said), said))
                self.wfile.write(b"40000000\r\n" if more else b"0\r\n\r\n")

    with serving(path, "docker") as server:
        server.RequestHandlerClass = Wordy
        engine = made_by(f"unix://{path}", TIMEOUT)
        server.answers["/containers/x/json"] = (200, {"Id": "x", "Config": {"Tty": True}})
        if more:
            with pytest.raises(
                EngineError, match=r"reading the logs of container x: they are longer than 1 MiB"
            ) as caught:
                engine.logs("x")
            assert "docker logs --tail" in caught.value.remedy
        else:
            assert engine.logs("x") == said.decode()
        assert engine.image("nobody") is None
        engine.close()


def test_a_variable_that_is_no_text(engine: DirectEngine, server: Server) -> None:
    """As os.environ has it."""
    server.answers["/containers/create"] = (201, {"Id": ID})
    engine.create(ContainerPlan(image="i", name="n", labels={}, env={"A": "\udcff"}))


def test_docker_py_that_can_not_be_loaded(engine: DirectEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where requests warns of its dependencies, and the tests made warnings errors."""
    monkeypatch.setitem(sys.modules, "pytest_dockconn.engine.docker_sdk", None)
    with pytest.raises(EngineUnavailable, match="docker-py can't be loaded: ") as caught:
        engine.execute(ID, ["true"])
    assert "import docker" in caught.value.remedy


def is_full(path: str, stack: contextlib.ExitStack) -> bool:
    """Whether one more found no room in the queue; if there was, it stays."""
    waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
    waiting.setblocking(False)
    try:
        waiting.connect(path)
    except BlockingIOError:
        return True
    return False


def test_a_full_queue_is_waited_for(path: Path) -> None:
    """Linux says EAGAIN at once, also to who has time; the queue of a proxy is short."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        listener.listen(0)
        while not is_full(str(path), stack):
            pass
        with pytest.raises(EngineTimeout, match=r"did not answer within 0.1 s"):
            DirectEngine(f"unix://{path}", 0.1)
        got: list[socket.socket] = []
        asking = threading.Thread(target=lambda: got.append(connected(str(path), TIMEOUT)), daemon=True)
        asking.start()
        assert until(lambda: any(reads(asking, name) for name in ("sleep", "wait")), TIMEOUT)
        listener.accept()[0].close()
        asking.join(TIMEOUT)
        assert len(got) == 1
        got[0].close()


def test_what_is_given_back_late_is_closed(server: Server, path: Path) -> None:
    connections = Connections(str(path), TIMEOUT)
    connection = connections._taken()
    connections.close()
    connections._give_back(connection)
    assert connection.sock is None


def test_a_forked_child_has_connections_of_its_own(server: Server, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connections = Connections(str(path), TIMEOUT)
    with contextlib.closing(connections):
        connections.ask("GET", "/_ping")
        parents = list(connections._idle)
        monkeypatch.setattr(os, "getpid", lambda: 1)
        connections.ask("GET", "/_ping")
        assert server.connections == 2
        for connection in parents:
            connection.close()


def test_many_threads_each_get_their_own_answer(engine: DirectEngine, server: Server) -> None:
    names = [f"c{number}" for number in range(200)]
    server.answers.update({f"/containers/{name}/json": (200, {"Id": name}) for name in names})
    with ThreadPoolExecutor(16) as pool:
        assert [facts.id for facts in pool.map(engine.inspect, names)] == names


def test_a_call_that_hangs_in_docker_py_is_the_last_here_too(server: Server, path: Path) -> None:
    with contextlib.closing(DirectEngine(f"unix://{path}", 0.2)) as engine:
        server.hangs.set()
        with pytest.raises(EngineTimeout) as first:
            engine.execute(ID, ["true"])
        heard = len(server.heard)
        with pytest.raises(EngineTimeout) as second:
            engine.remove(ID)
        assert second.value.cause == first.value.cause
        assert len(server.heard) == heard
        server.over.set()
