"""A container that is the enemy: bounded time and memory, the right verdict or none, and nothing of it reaches a terminal."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_dockconn import (
    Client,
    DockconnError,
    Host,
    Lab,
    Port,
    ReachabilityError,
    Server,
    Verdict,
    assert_reachable,
    assert_unreachable,
)
from pytest_dockconn.handles.source import Source
from tests.engine import scenes
from tests.samples import is_harmless
from tests.shared import Stage

#: MiB more that this process may take at the most.
MEMORY = 64
#: Seconds that two questions with a time limit of one second each may take.
TIME = 5.0

#: Each of its ways to answer has a port of its own, 8000 and up, in the order in which they are named.
SERVER = r"""
import socket, sys, threading, time
BIG = b"x" * (1 << 20)
LONG = b"9" * 5000
#: By the path that is asked for: numbers that are none, or that no reader has thought of.
NUMBERS = {
    b"/status": b"HTTP/1.1 " + LONG + b" OK\r\n\r\nok",
    b"/negative": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok",
    b"/long": b"HTTP/1.1 200 OK\r\nContent-Length: " + LONG + b"\r\n\r\nok",
    b"/digit": b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\nok",
    b"/python": b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\nok",
    b"/chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-" + LONG + b"\r\nok",
    b"/headers": b"HTTP/1.1 200 OK\r\nLocation: " + b"\xff" * 60000 + b"\r\n\r\nok",
    b"/text": b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1 << 18),
}
def answer(c, mode):
    asked = c.recv(65536)
    if mode == "numbers":
        c.sendall(NUMBERS[asked.split(b" ")[1]])
    elif mode == "length":
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        for _ in range(1024): c.sendall(BIG)
    elif mode == "chunked":
        c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(1024): c.sendall(b"100000\r\n" + BIG + b"\r\n")
    elif mode == "one chunk":
        c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n")
        while True: c.sendall(BIG)
    elif mode == "until the end":
        c.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        for _ in range(1024): c.sendall(BIG)
    elif mode == "headers":
        c.sendall(b"HTTP/1.1 200 OK\r\n")
        while True: c.sendall(b"X-Flood: " + b"y" * 1000 + b"\r\n")
    elif mode == "one header":
        c.sendall(b"HTTP/1.1 200 OK\r\nX-Flood: ")
        while True: c.sendall(BIG)
    elif mode == "status":
        while True: c.sendall(BIG)
    elif mode == "slow head":
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok": c.sendall(bytes([byte])); time.sleep(0.3)
    elif mode == "slow body":
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000): c.sendall(b"z"); time.sleep(0.3)
    elif mode == "escapes":
        c.sendall(b"HTTP/1.1 200 \x1b[2J\x1b]0;owned\x07\r\nX-Dockconn-Container: \x1b[31m\r\nX: \xff\xfe\r\n\r\n\x1b[2J\x9b31m\xff\xe2\x80\xae")
    c.close()
def quietly(c, mode):
    try: answer(c, mode)
    except OSError: pass
def serve(s, mode):
    while True:
        # each by a thread of its own: the last one, which nobody reads any more, must not keep the next one waiting
        threading.Thread(target=quietly, args=(s.accept()[0], mode), daemon=True).start()
for number, mode in enumerate(sys.argv[1:], 8000):
    threading.Thread(target=serve, args=(socket.create_server(("", number)), mode)).start()
"""


@dataclass(frozen=True)
class Enemy:
    """What it does, and what may be said of it."""

    mode: str
    verdicts: tuple[Verdict, ...] = (Verdict.REACHABLE,)


ENEMIES = [
    Enemy("length"),
    Enemy("chunked"),
    Enemy("one chunk"),
    Enemy("until the end"),
    Enemy("headers"),
    Enemy("one header"),
    Enemy("status", (Verdict.INCONCLUSIVE,)),
    Enemy("slow head", (Verdict.TIMED_OUT, Verdict.INCONCLUSIVE)),
    Enemy("slow body"),
    Enemy("escapes"),
]
NUMBERS = ["status", "negative", "long", "digit", "python", "chunk"]
PORTS = {mode: number for number, mode in enumerate((*(enemy.mode for enemy in ENEMIES), "numbers"), 8000)}


def peak(status: str | None = None) -> int:
    """The most memory that a process had, in MiB: this one since it was reset, or the one whose status file says this."""
    for line in (status or Path("/proc/self/status").read_text()).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    raise AssertionError("no VmHWM")


def agents_peak(source: Source) -> int:
    """The most memory that the agent in a client's container had since it was reset, in MiB; the host has none of its own."""
    return peak(source.run("cat", "/proc/1/status").stdout) if isinstance(source, Client) else 0


def reset_agents_peak(source: Source) -> None:
    """What another enemy drove it up to must not hide what this one does."""
    if isinstance(source, Client):
        source.run("sh", "-c", "echo 5 > /proc/1/clear_refs")


@contextlib.contextmanager
def bounded(seconds: float = TIME) -> Iterator[None]:
    """Time, and memory of this process."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before, begun = peak(), time.monotonic()
    yield
    assert time.monotonic() - begun < seconds
    assert peak() - before < MEMORY


@dataclass(frozen=True)
class Siege:
    """All enemies in one container, and a client."""

    client: Client
    enemies: Server


@pytest.fixture(scope="module")
def siege(dockconn_module: Lab) -> Siege:
    command = ["python3", "-c", SERVER, *PORTS]
    return Siege(dockconn_module.client(), dockconn_module.server(expose=tuple(PORTS.values()), command=command))


@pytest.mark.parametrize("asks", ["host", "client"])
@pytest.mark.parametrize("enemy", ENEMIES, ids=lambda one: one.mode)
def test_what_answers_without_end(siege: Siege, dockconn_host: Host, enemy: Enemy, asks: str) -> None:
    source: Source = siege.client if asks == "client" else dockconn_host
    url = f"http://{siege.enemies.ip}:{PORTS[enemy.mode]}/"
    source.probe(url, timeout=1.0)  # what is loaded by a first question does not count
    reset_agents_peak(source)
    before = agents_peak(source)
    message = ""

    with bounded():
        result = source.probe(url, timeout=1.0)
        try:
            assert_reachable(source, url, within=0, timeout=1.0)
        except ReachabilityError as error:
            message = str(error)

    assert result.verdict in enemy.verdicts, result
    assert bool(message) == (Verdict.REACHABLE not in enemy.verdicts), message
    assert is_harmless(message.replace("\n", ""))
    assert is_harmless(result.detail)
    assert agents_peak(source) - before < MEMORY


@pytest.mark.parametrize("asks", ["host", "client"])
def test_numbers_that_are_none(siege: Siege, dockconn_host: Host, asks: str) -> None:
    """All in one request: none of them may take the answers to the others with it. 40 answers are 60 MiB as JSON."""
    source: Source = siege.client if asks == "client" else dockconn_host
    enemy = f"http://{siege.enemies.ip}:{PORTS['numbers']}"
    urls = [f"{enemy}/{path}" for path in (*NUMBERS, *["text", "headers"] * 20)]
    source.probe(urls[1], timeout=1.0)
    reset_agents_peak(source)
    before = agents_peak(source)

    with bounded(2 * TIME):
        seen = source.probe_many(urls, timeout=2.0)
        with pytest.raises(ReachabilityError, match=f"{source.name} can reach http://"):
            assert_unreachable(source, urls[3], timeout=1.0)
        with pytest.raises(ReachabilityError, match="inconclusive"):
            assert_unreachable(source, urls[0], timeout=1.0)

    assert [one.verdict for one in seen] == [Verdict.INCONCLUSIVE, *[Verdict.REACHABLE] * (len(urls) - 1)]
    assert agents_peak(source) - before < MEMORY


SOCKETS = """
import resource, signal, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (8000, 8000))
kept = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(6000)]
for port, s in enumerate(kept, 20000): s.bind(("", port))
s = socket.create_server(("", 80))
while True: kept.append(s.accept()[0])
"""


def test_sockets_without_end(dockconn: Lab) -> None:
    """A server that can't say who it is, among so many sockets that not all of them are told."""
    enemy = dockconn.server(command=["python3", "-c", SOCKETS])
    assert dockconn.host.probe(enemy.port(80)).answered_by == enemy.id

    with bounded(2 * TIME):
        assert dockconn.host.probe(enemy.port(80)).answered_by == enemy.id
        with pytest.raises(ReachabilityError) as caught:
            assert_reachable(dockconn.host, enemy.port(81), within=0, timeout=0.3)
        with pytest.raises(DockconnError, match="more than 5000 listeners"):
            dockconn.matrix([enemy])
        with pytest.raises(ReachabilityError, match="inconclusive"):
            assert_unreachable(dockconn.host, enemy.port(81), timeout=0.3)

    text = str(caught.value) + "".join(content for _, content in caught.value.sections)
    assert len(text) < 20_000


@pytest.mark.parametrize(
    "shell",
    [
        pytest.param("yes 'a line of a log without end'", id="lines"),
        pytest.param("cat /dev/zero | tr '\\0' y", id="one line"),
        pytest.param("printf '\\033[2J\\033]0;owned\\007\\377\\376\\n'; sleep 600", id="escapes"),
    ],
)
def test_what_writes_without_end(dockconn: Lab, shell: str) -> None:
    """Its last lines are part of the message, and of the report."""
    noisy = dockconn.server(command=["sh", "-c", f"({shell}) & exec sleep 600"], expose=())

    with bounded(), pytest.raises(ReachabilityError) as caught:
        assert_reachable(dockconn.host, noisy.port(80), within=0, timeout=0.3)

    text = str(caught.value) + "".join(content for _, content in caught.value.sections)
    assert "nothing listens on 80/tcp" in text or "still starting" in text
    assert is_harmless(text.replace("\n", "").replace("\t", ""))
    assert len(text) < 100_000


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param("head -c 50000000 /dev/zero > /proc/1/fd/1", id="without a line's end"),
        # kept, 2.5 million lines would take twice what may be taken; with ten million the engine has 10 s of work
        pytest.param("yes | head -c 5000000 > /proc/1/fd/1", id="lines"),
        pytest.param("""for i in $(seq 99); do echo '{"id": '$i', "results": [{"verdict": "reachable"}]}'; done > /proc/1/fd/1""", id="replies"),
        pytest.param("head -c 20000000 /dev/urandom > /proc/1/fd/2", id="errors"),
        pytest.param("""python3 -c 'print("{\\"a\\": [" + "[]," * 8000000 + "[]], \\"id\\": \\"0123456789abcdef\\"}")' > /proc/1/fd/1""", id="objects"),
        pytest.param("(printf '{\"a\":'; head -c 200000 /dev/zero | tr '\\0' '['; echo) > /proc/1/fd/1", id="deep"),
    ],
)  # fmt: skip
def test_what_writes_into_the_agents_stream(stage: Stage, flood: str) -> None:
    """A process of the caller's own in a client's container: no verdict comes of it, and no flood."""
    client, closed = stage.lab.client(), stage.once(scenes.plain).server.port(81)
    client.probe(closed, timeout=2)

    with bounded(60.0):  # the flood itself takes its time
        client.run("sh", "-c", flood)
    for seconds in (60.0, TIME):  # the first is asked while the engine still passes on the flood
        with bounded(seconds):
            result = client.probe(closed, timeout=2)

    assert result.verdict is Verdict.REFUSED, result


#: It has every port that a connection or a datagram of its namespace could come from.
SQUATTER = """
import socket, sys
first, last = map(int, sys.argv[1:])
kept = [socket.create_server(("", port)) for port in range(first, last + 1)]
kept += [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in kept]
for port, s in enumerate(kept[len(kept) // 2:], first): s.bind(("", port))
s = socket.create_server(("", 80))
while True: kept.append(s.accept()[0])
"""


def few_ports(server: Server, first: int, last: int) -> None:
    """In its network namespace; it goes with it."""
    setting = f"net.ipv4.ip_local_port_range={first} {last}"
    enter = ["nsenter", f"--net=/proc/{server.facts().pid}/ns/net", "sysctl", "-qw"]
    subprocess.run([*enter, setting], check=True, capture_output=True)


def test_a_neighbour_that_squats_on_ports(stage: Stage) -> None:
    """In the namespace of the agent's sidecar no port is left to ask from: that says nothing of whom it asks."""
    first, last = 40000, 40063
    theirs = stage.once(scenes.plain).server
    squatter = stage.lab.server(command=["python3", "-c", SQUATTER, str(first), str(last)])
    few_ports(squatter, first, last)
    assert_reachable(stage.lab.host, f"tcp://{squatter.ip}:80")  # has them all
    asked: list[Port | str] = [theirs.port(80), theirs.port(81), theirs.port(53, "udp"), "tcp://127.0.0.1:80"]

    with bounded():
        seen = squatter.probe_many(asked, timeout=1.0)
        with pytest.raises(ReachabilityError, match="inconclusive"):
            assert_unreachable(squatter, theirs.port(81), timeout=0.3)

    assert [one.verdict for one in seen] == [Verdict.INCONCLUSIVE] * len(asked), seen
