"""Causes, each provoked on the engine: the first line of the message alone tells it, and the evidence shows it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_dockconn import Lab, ReachabilityError, Server, assert_reachable
from tests.engine.helpers import docker_py, free_port, rule, take_address

Undo = contextlib.ExitStack
Question = tuple[Any, Any]

#: Has written something by the time it listens.
COLOURS = ["sh", "-c", "printf 'bad \\033[31m\\n'; exec python3 -m http.server 8000"]

#: Listens on every IPv6 address, and on no IPv4 address.
IPV6 = "import socket,time; s=socket.create_server(('::',80), family=socket.AF_INET6); time.sleep(600)"


@dataclass(frozen=True)
class Case:
    """A set-up, what the first line says, and what the evidence and the remedy say."""

    name: str
    set_up: Callable[[Lab, Undo], Question]
    cause: str
    words: tuple[str, ...]


def exited(lab: Lab, undo: Undo) -> Question:
    server = lab.server(
        expose=(), command=["sh", "-c", "echo out of disk; trap 'exit 7' TERM; while :; do sleep 0.05; done"]
    )
    server.stop()
    return lab.client(), server.port(80)


def removed(lab: Lab, undo: Undo) -> Question:
    server = lab.server()
    port = server.port(80)
    lab._services.engine.remove(server.id)
    return lab.client(), port


def starting(lab: Lab, undo: Undo) -> Question:
    server = lab.server(expose=(), command=["sleep", "600"])
    return lab.client(), server.port(80)


def restarting(lab: Lab, undo: Undo) -> Question:
    """Its restarts are ever further apart, so it is soon found between two of them."""
    if lab.engine.kind == "podman":
        pytest.skip("podman (seen on 4.3.1) shows no state between two restarts, and does not make them further apart")
    api = docker_py(lab.engine.url)
    image = lab._services.images.get("client").id
    policy = api.create_host_config(restart_policy={"Name": "always"})
    made = api.create_container(image, ["sh", "-c", "echo no config; exit 5"], host_config=policy)["Id"]
    undo.callback(api.remove_container, made, force=True)
    api.start(made)
    while api.inspect_container(made)["RestartCount"] < 4 or not api.inspect_container(made)["State"]["Restarting"]:
        api.wait(made)
    return lab.client(), lab.adopt(made).port(80)


def ipv6_only(lab: Lab, undo: Undo) -> Question:
    return lab.client(), lab.server(command=["python3", "-c", IPV6]).port(80)


def only_exposed(lab: Lab, undo: Undo) -> Question:
    number = free_port()
    lab.server(expose=(number,))
    return lab.host, f"http://127.0.0.1:{number}/"


def internal(lab: Lab, undo: Undo) -> Question:
    return lab.client(networks=[lab.network(internal=True)]), "tcp://198.51.100.7:80"


def no_link(lab: Lab, undo: Undo) -> Question:
    lab.server(name="web1")
    return lab.client(dns=["127.0.0.1"]), "http://web1/"


def stale_hosts(lab: Lab, undo: Undo) -> Question:
    server = lab.server()
    client = lab.client(extra_hosts={"web": server.ip})
    before = server.ip
    server.stop()
    take_address(lab, before, command=["sleep", "600"], expose=())
    server.start()
    return client, server.port(80).named("web")


def held_by_a_process(lab: Lab, undo: Undo) -> Question:
    server = lab.server(bind={80: None})
    port = server.bound_port(80)
    number = port.number
    server.stop()
    listening = undo.enter_context(socket.create_server(("127.0.0.1", number)))
    assert listening
    return lab.host, port


def dropped(lab: Lab, undo: Undo) -> Question:
    server, client = lab.server(), lab.client()
    rule(server, "-A", "INPUT", "-s", client.ip, "-p", "tcp", "--dport", "80", "-j", "DROP")
    return client, server.port(80)


def rejected(lab: Lab, undo: Undo) -> Question:
    server, client = lab.server(), lab.client()
    rule(server, "-A", "INPUT", "-s", client.ip, "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset")
    return client, server.port(80)


def dropped_on_the_way_out(lab: Lab, undo: Undo) -> Question:
    server, client = lab.server(), lab.client()
    rule(client, "-A", "OUTPUT", "-d", server.ip, "-j", "DROP")
    return client, server.port(80)


def nowhere(lab: Lab, undo: Undo) -> Question:
    server = lab.server(network_mode="none")
    return lab.client(), server.port(80)


def far_engine(lab: Lab, undo: Undo) -> Question:
    """As where the engine is another machine: its bridges are no interfaces of this one, and its addresses answer nobody."""
    server = lab.server(networks=[lab.network()])
    rule(server, "-A", "INPUT", "-s", _gateway(server), "-j", "DROP")
    patch = undo.enter_context(pytest.MonkeyPatch.context())
    patch.setitem(vars(lab._services), "same_host", False)
    return lab.host, server.port(80)


def _gateway(server: Server) -> str:
    return server.facts().endpoints[0].gateway


CASES = [
    Case("exited", exited, "server1 is not running: it exited with exit code 7", ("out of disk", "server1.start()")),
    Case("removed", removed, "server1 was removed", ("its last address: 1",)),
    Case("starting", starting, "server1 is still starting: it was started", ("nothing at all", "within=")),
    Case("restarting", restarting, "is restarting: it ended with exit code 5", ("no config", "times so far")),
    Case("one family", ipv6_only, "server1 listens on IPv6 only, and was asked by IPv4", ("sockets on 80/tcp: ::",)),
    Case("only exposed", only_exposed, "is exposed by server1, but not published, and the host was asked", ("bind={",)),
    Case("internal", internal, "client1 is on an internal network only", ("not internal",)),
    Case("no link", no_link, "the default network has no DNS, and no link made that name", ("links=[server]",)),
    Case("stale hosts", stale_hosts, "/etc/hosts of client1 is stale: it says", ("knows: ", "server1 is on bridge")),
    Case(
        "host port held",
        held_by_a_process,
        f"({Path('/proc/self/comm').read_text().strip()}) of the host has 127.0.0.1:",
        ("state exited",),
    ),
    Case(
        "dropped",
        dropped,
        "a firewall rule of server1 drops it: -A INPUT -s",
        ("-j DROP", "more packets while it was asked again", "answers on 80/tcp when it is asked from inside"),
    ),
    Case("rejected", rejected, "a firewall rule of server1 rejects it: -A INPUT", ("--reject-with tcp-reset",)),
    Case("way out", dropped_on_the_way_out, "a firewall rule of client1 drops it: -A OUTPUT -d", ("-j DROP",)),
    Case("nowhere", nowhere, "server1 has no address to ask port 80/tcp", ("network mode none", "connect it")),
    Case("far engine", far_engine, "container addresses can't be reached from here", ("bind={80: None}",)),
]


@pytest.fixture
def undo() -> Iterator[Undo]:
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_first_line_tells_the_cause(dockconn: Lab, undo: Undo, case: Case) -> None:
    source, destination = case.set_up(dockconn, undo)

    with pytest.raises(ReachabilityError) as caught:
        assert_reachable(source, destination, within=0.1, timeout=0.3)

    text = str(caught.value)
    assert case.cause in text.splitlines()[0]
    for words in case.words:
        assert words in text
    assert text.splitlines()[-1].startswith("  remedy:   ")


def test_both_ends_are_shown(dockconn: Lab) -> None:
    network = dockconn.network()
    server = dockconn.server(networks=[network], command=COLOURS, expose=(8000,))
    client = dockconn.client(networks=[network], extra_hosts={"db": "192.0.2.7"})

    with pytest.raises(ReachabilityError) as caught:
        assert_reachable(client, server.port(80), within=0, timeout=0.3)

    shown = dict(caught.value.sections)
    assert list(shown) == ["dockconn: client1", "dockconn: server1"]
    asks, owns = shown.values()
    assert f"{network.engine_name}: {client.ip}, gateway {network.gateway}" in asks
    assert "default via " in asks
    assert "192.0.2.7\tdb" in asks
    assert "nameserver 127.0.0.11" in asks
    assert "running" in owns
    assert f"eth0: {server.ip}/" in owns
    assert "bad \\x1b[31m" in owns
    assert "\x1b" not in owns


def test_a_host_that_asks_is_shown_too(dockconn: Lab) -> None:
    server = dockconn.server()

    with pytest.raises(ReachabilityError) as caught:
        assert_reachable(dockconn.host, server.port(81), within=0, timeout=0.3)

    assert [title for title, _ in caught.value.sections] == ["dockconn: the host", "dockconn: server1"]
