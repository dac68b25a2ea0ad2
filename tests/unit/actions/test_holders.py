"""Who holds a host port?"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests import samples
from tests.conformance.helpers import free_range

from pytest_dockconn.actions import holders
from pytest_dockconn.agent import namespace
from pytest_dockconn.errors import NotFound, PortInUse
from pytest_dockconn.model.facts import ContainerFacts
from pytest_dockconn.model.spec import PortKey, Publish

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")


class Containers:
    """As much of an engine as is asked here."""

    def __init__(self, *ports: tuple[str, int, str], status: str = "running") -> None:
        self.ports = ports
        self.status = status
        self.asked = 0

    def containers(self, *_: object, running: bool = False) -> tuple[Mapping[str, object], ...]:
        assert running
        self.asked += 1
        return ({"id": "0123456789abcdef", "name": "web", "labels": {}, "status": "running", "ports": self.ports},)

    def inspect(self, container: str) -> ContainerFacts:
        if self.status == "removed":
            raise NotFound(f"no such container: {container}")
        return samples.container("web", id=container, status=self.status)


def wish(host: str = "8080", address: str = "127.0.0.1", kind: str = "tcp") -> Publish:
    return Publish(PortKey(80, kind), address, host)


def check(engine: Any, *wishes: Publish, same_host: bool = False) -> None:
    holders.check_free(engine, wishes, same_host=same_host)


@pytest.mark.parametrize(
    ("port", "asked", "taken"),
    [
        pytest.param(("127.0.0.1", 8080, "tcp"), wish(), True, id="the same"),
        pytest.param(("0.0.0.0", 8080, "tcp"), wish(), True, id="any address has it"),
        pytest.param(("", 8080, "tcp"), wish(), True, id="no address told"),
        pytest.param(("127.0.0.1", 8080, "tcp"), wish(address="0.0.0.0"), True, id="any address is wished for"),
        pytest.param(("127.0.0.2", 8080, "tcp"), wish(), False, id="another address"),
        pytest.param(("127.0.0.1", 8081, "tcp"), wish(), False, id="another port"),
        pytest.param(("127.0.0.1", 80, "tcp"), wish(), False, id="a shorter number"),
        pytest.param(("127.0.0.1", 8080, "udp"), wish(), False, id="another protocol"),
        pytest.param(("127.0.0.1", 8080, "udp"), wish(kind="udp"), True, id="udp"),
        pytest.param(("127.0.0.1", 8080, "tcp"), wish(host=""), False, id="any free port"),
        pytest.param(("127.0.0.1", 8080, "tcp"), wish(host="8080-8090"), False, id="any of a range"),
        pytest.param(("", 0, "tcp"), wish(), False, id="exposed only"),
    ],
)
def test_a_container_has_it(port: tuple[str, int, str], asked: Publish, taken: bool) -> None:
    engine = Containers(port)
    if not taken:
        check(engine, asked)
        return
    with pytest.raises(PortInUse) as caught:
        check(engine, asked)
    assert caught.value.cause.endswith("is in use: container web (0123456789ab) has it")
    assert f"port 8080/{asked.port.protocol} of {asked.address}" in caught.value.cause
    assert caught.value.remedy


@pytest.mark.parametrize("status", ["exited", "dead", "created", "removed"])
def test_a_list_that_is_out_of_date(status: str) -> None:
    """26.1 lists a container as running, with its ports, when its stop has returned already."""
    check(Containers(("127.0.0.1", 8080, "tcp"), status=status), wish())


@pytest.mark.parametrize("status", ["paused", "restarting"])
def test_one_that_is_paused_or_about_to_run_again_has_it(status: str) -> None:
    with pytest.raises(PortInUse):
        check(Containers(("127.0.0.1", 8080, "tcp"), status=status), wish())


def test_the_engine_is_not_asked_where_any_port_will_do() -> None:
    engine = Containers()
    check(engine, wish(host=""), wish(host="8080-8090"), same_host=True)
    assert engine.asked == 0


def test_the_second_wish_is_looked_at_too() -> None:
    with pytest.raises(PortInUse, match="8081"):
        check(Containers(("127.0.0.1", 8081, "tcp")), wish("8080"), wish("8081"))


@contextlib.contextmanager
def taken(kind: int = socket.SOCK_STREAM) -> Any:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        yield str(sock.getsockname()[1])


@linux
@pytest.mark.parametrize(("kind", "word"), [(socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")])
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_process_has_it(kind: int, word: str, address: str) -> None:
    with taken(kind) as port, pytest.raises(PortInUse, match=rf"process {os.getpid()} \(.+\) of the host has it"):
        check(Containers(), wish(port, address, word), same_host=True)


@linux
def test_a_process_that_calls_itself_something() -> None:
    """What has a port may be an enemy: its name stands in the message."""
    code = (
        "import socket, sys; open('/proc/self/comm', 'wb').write(b'\\x1b[2J\\nok'); "
        "s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as enemy:
        assert enemy.stdout
        with pytest.raises(PortInUse, match=rf"process {enemy.pid} \(\\x1b\[2J ok\) of the host has it"):
            check(Containers(), wish(enemy.stdout.readline().strip()), same_host=True)
        enemy.communicate()


@pytest.mark.parametrize("kind", ["udp", "sctp"])
def test_a_process_has_it_by_another_protocol(kind: str) -> None:
    with taken() as port:
        check(Containers(), wish(port, kind=kind), same_host=True)


def test_processes_of_another_host_do_not_matter() -> None:
    with taken() as port:
        check(Containers(), wish(port), same_host=False)
        assert holders.holder_of(Containers(), wish(port), same_host=False) == ""  # type: ignore[arg-type]


def test_a_process_that_can_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace, "listeners", lambda _: [])
    with taken() as port:
        assert holders.holder_of(Containers(), wish(port), same_host=True) == "a process of the host has it"  # type: ignore[arg-type]


@linux
def test_this_very_process_has_it_whatever_is_closed_meanwhile() -> None:
    """The list of a process's own files holds one that is closed by the time it is looked at: that of the list."""
    # a number below that of the socket comes free, which the list then takes
    with Path("/dev/null").open("rb") as low, socket.create_server(("127.0.0.1", 0)) as sock:
        low.close()
        holder = holders.holder_of(Containers(), wish(str(sock.getsockname()[1])), same_host=True)  # type: ignore[arg-type]

    assert holder.startswith(f"process {os.getpid()} (")


@linux
def test_of_one_who_has_millions_open_only_so_many_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the one that is looked for is found, or the time is over."""
    monkeypatch.setattr(Path, "glob", lambda *_: [Path("/proc/self")])
    with socket.create_server(("127.0.0.1", 0)) as sock:
        inode = os.fstat(sock.fileno()).st_ino
        assert holders.is_of_container(inode, "nobody") is False

        read = 0
        monkeypatch.setattr(holders, "SEARCH", -1.0)

        def open_files(_: Path) -> Iterator[str]:
            nonlocal read
            for _number in range(1_000_000):
                read += 1
                yield "pipe:[1]"

        monkeypatch.setattr(holders, "_open_files", open_files)
        assert holders.is_of_container(inode, "nobody") is None
        assert read == 1


def test_nobody_has_it() -> None:
    with taken() as port:
        pass
    check(Containers(), wish(port), same_host=True)


def test_a_connection_in_time_wait_does_not_hold_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        connection, _ = server.accept()
        connection.close()  # who closes first waits
        assert client.recv(1) == b""
        client.close()
    check(Containers(), wish(str(port)), same_host=True)


def test_a_port_below_1024_is_left_to_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden(socket.socket):
        def bind(self, _address: object) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "socket", Forbidden)
    check(Containers(), wish("80"), same_host=True)


def test_an_unknown_holder() -> None:
    error = holders.in_use(wish(), "")
    assert error.cause.endswith("is in use: its holder is not known")
    assert "{80: None}" in error.remedy


# The engine's refusal

REFUSED = "starting container 0123456789ab: driver failed programming external connectivity on endpoint web: "


def told(
    words: str, *wishes: Publish, ports: Sequence[tuple[str, int, str]] = (), same_host: bool = False
) -> PortInUse:
    engine: Any = Containers(*ports)
    return holders.refused(engine, wishes, PortInUse(REFUSED + words), same_host=same_host)


def held(*numbers: int) -> list[tuple[str, int, str]]:
    return [("127.0.0.1", number, "tcp") for number in numbers]


WEB = "container web (0123456789ab) has it"


@pytest.mark.parametrize(
    ("words", "wishes", "cause"),
    [
        pytest.param("Bind for 127.0.0.1:8080 failed: port is already allocated", [wish("8080")],
                     f"port 8080/tcp of 127.0.0.1 on the host is in use: {WEB}", id="one port"),
        pytest.param("Bind for 127.0.0.1:8080 failed: port is already allocated", [wish("808"), wish("8080")],
                     f"port 8080/tcp of 127.0.0.1 on the host is in use: {WEB}", id="not one that begins like it"),
        pytest.param("all ports are allocated", [wish("8080-8082")],
                     f"ports 8080-8082/tcp of 127.0.0.1 on the host are all in use: 8080: {WEB}; 8081: {WEB}; 8082: {WEB}",
                     id="a range"),
        pytest.param("all ports are allocated", [wish("9000-9001"), wish("8081-8082")],
                     f"ports 8081-8082/tcp of 127.0.0.1 on the host are all in use: 8081: {WEB}; 8082: {WEB}",
                     id="that of two which is used up"),
        pytest.param("listen tcp4 127.0.0.1:9001: bind: address already in use", [wish("8081-8082"), wish("9001-9002")],
                     "ports 9001-9002/tcp of 127.0.0.1 on the host are all in use: their holders are not known",
                     id="that of two which is named"),
        pytest.param("all ports are allocated", [wish("8082-8083")],
                     f"ports 8082-8083/tcp of 127.0.0.1 on the host are all in use: 8082: {WEB}; 8083: its holder is not known",
                     id="one of them is somebody else's"),
        pytest.param("all ports are allocated", [wish("9000-9001"), wish("8082-8083")], REFUSED + "all ports are allocated",
                     id="nobody knows which"),
        pytest.param("all ports are allocated", [wish("")], REFUSED + "all ports are allocated", id="any free one"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_holders(words: str, wishes: list[Publish], cause: str) -> None:
    error = told(words, *wishes, ports=held(8080, 8081, 8082))

    assert error.cause == cause
    assert error.checked
    assert "takes any free one" in error.remedy


def test_each_container_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def runs(_: object, container: str) -> bool:
        looked.append(container)
        return True

    monkeypatch.setattr(holders, "_runs", runs)

    error = told("all ports are allocated", wish("9000-9001"), wish("20000-20999"), ports=held(*range(20000, 21000)))

    assert error.cause.endswith("and 996 more")
    assert looked == ["0123456789abcdef"]


def test_of_a_long_range_the_first_few_are_named() -> None:
    """And nobody looks for those of the rest."""
    ports = held(*range(20000, 30000))

    error = told("all ports are allocated", wish("20000-29999"), ports=ports)

    named = "; ".join(f"{number}: {WEB}" for number in range(20000, 20004))
    assert error.cause.endswith(f"are all in use: {named}; and 9996 more")


@linux
def test_processes_have_a_range() -> None:
    first = free_range(2)
    with (
        socket.create_server(("127.0.0.1", first)),
        socket.create_server(("127.0.0.1", first + 1)),
    ):
        error = told("all ports are allocated", wish(f"{first}-{first + 1}"), wish("9000-9001"), same_host=True)

    assert re.search(
        rf"are all in use: {first}: process {os.getpid()} .* {first + 1}: process {os.getpid()} ", error.cause
    )


def test_an_address_that_is_not_the_hosts_is_nobodys() -> None:
    """The engine has the right words for that; no process has it."""
    check(Containers(), wish("8080", "192.0.2.1"), same_host=True)
