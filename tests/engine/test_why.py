"""Causes, each provoked on the engine: the first line of the message alone tells it, and the evidence shows it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_dockconn import Client, Lab, ReachabilityError, Server, assert_reachable
from tests.engine import scenes
from tests.engine.helpers import docker_py, free_port, rule, take_address
from tests.shared import Stage
from tests.waiting import until

Question = tuple[Any, Any]

#: Has written something by the time it listens.
COLOURS = ["sh", "-c", "printf 'bad \\033[31m\\n'; exec python3 -m http.server 8000"]

#: Listens on every IPv6 address, and on no IPv4 address.
IPV6 = "import socket,time; s=socket.create_server(('::',80), family=socket.AF_INET6); time.sleep(600)"


@dataclass(frozen=True)
class Case:
    """A set-up, what the first line says, and what the evidence and the remedy say."""

    name: str
    set_up: Callable[[Stage], Question]
    cause: str
    words: tuple[str, ...]


def client(stage: Stage) -> Client:
    """With which nothing is wrong."""
    return stage.once(scenes.plain).client


def apart(stage: Stage, **options: Any) -> tuple[Client, Server]:
    """A server that is about to go, and a client, on a network of their own: there nobody else gets its address.

    Nor does a client that others ask with remember, for the 3 s that its kernel does, that nobody has that address.
    """
    network = stage.lab.network()
    return stage.lab.client(networks=[network]), stage.lab.server(networks=[network], **options)


def exited(stage: Stage) -> Question:
    command = ["sh", "-c", "trap 'exit 7' TERM; echo out of disk; sleep 600 & wait"]
    asking, server = apart(stage, expose=(), command=command)
    assert until(lambda: "out of disk" in server.logs(), 20)  # before it has its trap it would be killed, in the end
    server.stop()
    return asking, server.port(80)


def removed(stage: Stage) -> Question:
    asking, server = apart(stage)
    port = server.port(80)
    server.services.engine.remove(server.id)
    return asking, port


def starting(stage: Stage) -> Question:
    server = stage.lab.server(expose=(), command=["sleep", "600"])
    return client(stage), server.port(80)


def restarting(stage: Stage) -> Question:
    """Its restarts are ever further apart, so it is soon found between two of them."""
    if stage.lab.engine.kind == "podman":
        pytest.skip("podman (seen on 4.3.1) shows no state between two restarts, and does not make them further apart")
    api = docker_py(stage.lab.engine.url)
    image = stage.lab._services.images.get("client").id
    policy = api.create_host_config(restart_policy={"Name": "always"})
    made = api.create_container(image, ["sh", "-c", "echo no config; exit 5"], host_config=policy)["Id"]
    stage.undo.callback(api.remove_container, made, force=True)
    api.start(made)
    while api.inspect_container(made)["RestartCount"] < 4 or not api.inspect_container(made)["State"]["Restarting"]:
        api.wait(made)
    return client(stage), stage.lab.adopt(made).port(80)


def ipv6_only(stage: Stage) -> Question:
    return client(stage), stage.lab.server(command=["python3", "-c", IPV6]).port(80)


def only_exposed(stage: Stage) -> Question:
    number = free_port()
    stage.lab.server(expose=(number,))
    return stage.lab.host, f"http://127.0.0.1:{number}/"


def internal(stage: Stage) -> Question:
    return stage.once(scenes.internal).client, "tcp://198.51.100.7:80"


def no_link(stage: Stage) -> Question:
    stage.lab.server(name="web1")
    return stage.once(scenes.nameless), "http://web1/"


def stale_hosts(stage: Stage) -> Question:
    server = stage.lab.server()
    asking = stage.lab.client(extra_hosts={"web": server.ip})
    before = server.ip
    server.stop()
    take_address(stage.lab, before, command=["sleep", "600"], expose=())
    server.start()
    return asking, server.port(80).named("web")


def held_by_a_process(stage: Stage) -> Question:
    server = stage.lab.server(bind={80: None})
    port = server.bound_port(80)
    number = port.number
    server.stop()
    listening = stage.undo.enter_context(socket.create_server(("127.0.0.1", number)))
    assert listening
    return stage.lab.host, port


def dropped_on_the_way_out(stage: Stage) -> Question:
    server, asking = stage.once(scenes.plain).server, stage.lab.client()
    rule(asking, "-A", "OUTPUT", "-d", server.ip, "-j", "DROP")
    return asking, server.port(80)


def nowhere(stage: Stage) -> Question:
    server = stage.lab.server(network_mode="none")
    return client(stage), server.port(80)


def far_engine(stage: Stage) -> Question:
    """As where the engine is another machine: its bridges are no interfaces of this one, and its addresses answer nobody."""
    server = stage.lab.server(networks=[stage.lab.network()])
    rule(server, "-A", "INPUT", "-s", _gateway(server), "-j", "DROP")
    patch = stage.undo.enter_context(pytest.MonkeyPatch.context())
    patch.setitem(vars(stage.lab._services), "same_host", False)
    return stage.lab.host, server.port(80)


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
        scenes.asked(scenes.dropped),
        "a firewall rule of server1 drops it: -A INPUT -s",
        ("-j DROP", "more packets while it was asked again", "answers on 80/tcp when it is asked from inside"),
    ),
    Case(
        "rejected",
        scenes.asked(scenes.rejected),
        "a firewall rule of server1 rejects it: -A INPUT",
        ("--reject-with tcp-reset",),
    ),
    Case("way out", dropped_on_the_way_out, "a firewall rule of client1 drops it: -A OUTPUT -d", ("-j DROP",)),
    Case("nowhere", nowhere, "server1 has no address to ask port 80/tcp", ("network mode none", "connect it")),
    Case("far engine", far_engine, "container addresses can't be reached from here", ("bind={80: None}",)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_first_line_tells_the_cause(stage: Stage, case: Case) -> None:
    source, destination = case.set_up(stage)

    with pytest.raises(ReachabilityError) as caught:
        assert_reachable(
            source, destination, within=0.1, timeout=1
        )  # most refuse, which takes a while on a busy machine

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
        assert_reachable(client, server.port(80), within=0, timeout=2)

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


def test_a_host_that_asks_is_shown_too(stage: Stage) -> None:
    server = stage.once(scenes.plain).server

    with pytest.raises(ReachabilityError) as caught:
        assert_reachable(stage.lab.host, server.port(81), within=0, timeout=2)

    assert [title for title, _ in caught.value.sections] == ["dockconn: the host", "dockconn: server1"]
