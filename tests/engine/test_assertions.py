"""Tables of (set-up, question, verdict, why): who can't reach whom, and what is said of it."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_dockconn import (
    Client,
    Container,
    Lab,
    Port,
    ReachabilityError,
    Server,
    Verdict,
    assert_reachable,
    assert_unreachable,
)
from pytest_dockconn.errors import DockconnError, SpecError
from tests.engine import scenes, servers
from tests.engine.helpers import has_default_route, needs, soon
from tests.shared import Stage
from tests.waiting import until

Question = tuple[Any, Any]
SetUp = Callable[[Stage], Question]


@dataclass(frozen=True)
class Case:
    """A set-up, what ``assert_reachable`` sees, and what its first line and the rest say."""

    name: str
    set_up: SetUp
    verdict: Verdict | tuple[Verdict, ...]
    cause: str
    evidence: str = ""
    timeout: float = 1.0
    requires: tuple[str, ...] = ()


def by_a_client(destination: Callable[[Stage], Any]) -> SetUp:
    """A client with which nothing is wrong asks."""
    return lambda stage: (stage.once(scenes.plain).client, destination(stage))


def no_dns_on_the_default_network(stage: Stage) -> Question:
    return stage.once(scenes.nameless), stage.once(scenes.plain).server.port(80).named("server1")


def alias_elsewhere(stage: Stage) -> Question:
    made = stage.once(scenes.apart)
    return made.client, made.server.port(80).named("db")


def page(scene: Callable[[Lab], Server]) -> Callable[[Stage], str]:
    """By its URL: nobody says whose it is."""
    return lambda stage: f"http://{stage.once(scene).ip}/"


def nobody(stage: Stage) -> str:
    return f"http://{'.'.join(stage.once(scenes.plain).client.ip.split('.')[:2])}.200.200/"


def queue_is_full(stage: Stage) -> Any:
    """Nobody accepts: the kernel takes the connection, the process never does."""
    code = "import socket,time; s=socket.create_server(('',80), backlog=5); time.sleep(600)"
    return stage.lab.server(command=["python3", "-c", code]).port(80)


two_networks, icc_off = scenes.asked(scenes.apart), scenes.asked(scenes.icc_off)
stopped, stranger_took_the_address = scenes.asked(scenes.stopped), scenes.asked(scenes.replaced)
nothing_listens = scenes.asked(scenes.plain, 81)
paused = by_a_client(lambda stage: stage.once(scenes.paused).port(80))
loopback_only = by_a_client(lambda stage: stage.once(scenes.loopback).port(8000))
bound_to_loopback = by_a_client(lambda stage: stage.once(scenes.bound).bound_port(80))
accepts_and_never_answers = by_a_client(page(scenes.silent))
closes_at_once, speaks_another_protocol = by_a_client(page(scenes.closes)), by_a_client(page(scenes.mail))
nobody_there, never_accepts = by_a_client(nobody), by_a_client(queue_is_full)


CASES = [
    Case(
        # silence at first, while the kernel still believes in its neighbour
        "stopped",
        stopped,
        (Verdict.NO_ROUTE, Verdict.TIMED_OUT),
        "server1 is not running: it exited with exit code 0",
        "its last output",
        5,
    ),
    Case("paused", paused, Verdict.TIMED_OUT, "server1 is paused"),
    Case(
        "nothing listens",
        nothing_listens,
        Verdict.REFUSED,
        "nothing listens on 81/tcp in server1",
        "0.0.0.0:80|:::80|[::]:80",
    ),
    Case("loopback only", loopback_only, Verdict.REFUSED, "server1 listens on 127.0.0.1 only"),
    Case(
        "two networks",
        two_networks,
        Verdict.TIMED_OUT,
        "client1 and server1 share no network",
        "client1 is on dockconn-",
        requires=("isolation",),
    ),
    Case(
        "icc off",
        icc_off,
        Verdict.TIMED_OUT,
        "inter-container communication (icc) off",
        "enable_icc=false",
        requires=("icc",),
    ),
    Case(
        "no dns",
        no_dns_on_the_default_network,
        Verdict.NAME_NOT_FOUND,
        "the default network has no DNS",
        "/etc/hosts of client1",
    ),
    # how it ends is up to the name server of the engine's host: silence, or a refusal
    Case(
        "alias elsewhere",
        alias_elsewhere,
        (Verdict.TIMED_OUT, Verdict.NAME_NOT_FOUND),
        "server1 has it on network",
        "client1 is on",
    ),
    Case(
        "bound to loopback",
        bound_to_loopback,
        Verdict.REFUSED,
        "is bound to 127.0.0.1 of the host",
        "bindings: 127.0.0.1:",
    ),
    Case("stranger", stranger_took_the_address, Verdict.WRONG_SERVER, "answered at ", "server1 is exited"),
    Case("silent", accepts_and_never_answers, Verdict.TIMED_OUT, "takes connections but does not answer"),
    Case("closes", closes_at_once, Verdict.RESET, "takes connections and closes them"),
    Case("not http", speaks_another_protocol, Verdict.INCONCLUSIVE, "the answer can't be read", "220 mail ready"),
    Case("nobody there", nobody_there, Verdict.NO_ROUTE, "no cause was found", "no route to host", 5),
    Case("accept queue", never_accepts, Verdict.TIMED_OUT, "takes connections but does not answer", "accept queue"),
]


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name, marks=needs(*c.requires)) for c in CASES])
def test_reachable_fails_and_says_why(stage: Stage, case: Case) -> None:
    source, destination = case.set_up(stage)

    with pytest.raises(ReachabilityError) as caught:
        assert_reachable(source, destination, within=0.2, timeout=case.timeout)

    text = str(caught.value)
    first, *rest = text.splitlines()
    assert first.startswith(f"{source.name} cannot reach ")
    assert case.cause in first
    assert any(part in text for part in case.evidence.split("|"))
    verdicts = case.verdict if isinstance(case.verdict, tuple) else (case.verdict,)
    assert any(f": {verdict}, " in text for verdict in verdicts)
    assert any(line.startswith("  remedy:   ") for line in rest)


def internal_both_ways(stage: Stage) -> Question:
    return stage.once(scenes.internal).client, stage.once(scenes.plain).server.port(80)


def udp(stage: Stage) -> Question:
    made = stage.once(scenes.apart)
    return made.client, made.server.port(53, "udp")


def foreign_server(stage: Stage) -> Question:
    """One that can't say who it is: asked from inside, its connection is found in its own namespace."""
    made = stage.once(scenes.apart)
    command = ["python3", "-m", "http.server", "8000"]
    return made.client, stage.lab.server(expose=(8000,), command=command, networks=[made.network]).port(8000)


def known_by_url(stage: Stage) -> Question:
    made = stage.once(scenes.apart)
    return made.client, f"http://{made.server.ip}/"


PROVED = [
    pytest.param(two_networks, Verdict.TIMED_OUT, id="two networks", marks=needs("isolation")),
    pytest.param(icc_off, Verdict.TIMED_OUT, id="icc off", marks=needs("icc")),
    pytest.param(bound_to_loopback, Verdict.REFUSED, id="bound to loopback"),
    pytest.param(internal_both_ways, None, id="internal"),
    pytest.param(udp, Verdict.TIMED_OUT, id="udp", marks=needs("isolation")),
    pytest.param(foreign_server, Verdict.TIMED_OUT, id="a server of others", marks=needs("isolation")),
    pytest.param(known_by_url, Verdict.TIMED_OUT, id="a url of a known container", marks=needs("isolation")),
]


@pytest.mark.parametrize(("set_up", "verdict"), PROVED)
def test_unreachable_is_proved(stage: Stage, set_up: SetUp, verdict: Verdict | None) -> None:
    source, destination = set_up(stage)
    if verdict is None:  # of an internal network: 20.10 leaves the default route in, 26 and podman 4.3 do not
        verdict = Verdict.TIMED_OUT if has_default_route(source) else Verdict.NO_ROUTE

    result = assert_unreachable(source, destination, because=verdict, timeout=soon(verdict))

    assert result.verdict is verdict
    assert not result


NOT_PROVED = [
    ("stopped", stopped, "server1 is exited"),
    ("paused", paused, "server1 is paused"),
    ("nothing listens", nothing_listens, "does not answer at http://"),
    ("loopback only", loopback_only, "does not answer at tcp://"),
    ("stranger", stranger_took_the_address, "wrong-server"),
    ("nobody there", nobody_there, "is not the address of a container that is known here"),
    ("never accepts", never_accepts, "does not answer at tcp://"),
]


@pytest.mark.parametrize(("set_up", "lack"), [p[1:] for p in NOT_PROVED], ids=[p[0] for p in NOT_PROVED])
def test_unreachable_without_proof_is_inconclusive(stage: Stage, set_up: SetUp, lack: str) -> None:
    source, destination = set_up(stage)

    with pytest.raises(ReachabilityError) as caught:
        assert_unreachable(source, destination, timeout=0.3)

    first = str(caught.value).splitlines()[0]
    assert first.startswith("inconclusive: it is not proved that client1 cannot reach ")
    assert lack in str(caught.value)
    assert "missing proof: " in str(caught.value)


def test_reached_is_not_unreachable(dockconn_client: Client, dockconn_exposed_server: Server) -> None:
    with pytest.raises(ReachabilityError) as caught:
        assert_unreachable(dockconn_client, dockconn_exposed_server.port(80))

    assert re.match(
        r"client1 can reach port 80/tcp of server1 at [\d.]+:80, and server1 answered, but it must not",
        str(caught.value),
    )


@needs("isolation")
def test_reached_across_networks_says_so(stage: Stage) -> None:
    """As it comes about by itself, for a moment, on docker 20.10 while anybody makes a network."""
    if stage.lab.engine.kind != "docker":
        pytest.skip("DOCKER-USER is docker's chain for others")
    source, destination = two_networks(stage)
    both = [(source.ip, destination.owner.ip), (destination.owner.ip, source.ip)]
    with contextlib.ExitStack() as undo:
        for one, other in both:
            accept = ["DOCKER-USER", "-s", one, "-d", other, "-j", "ACCEPT"]
            subprocess.run(["iptables", "-I", *accept], check=True)
            undo.callback(subprocess.run, ["iptables", "-D", *accept], check=True)
        with pytest.raises(ReachabilityError) as caught:
            assert_unreachable(source, destination)

    assert "it was asked by server1's own address" in str(caught.value)
    assert "remedy:   make no network meanwhile" in str(caught.value)


@needs("isolation")
def test_another_reason_is_not_that_reason(stage: Stage) -> None:
    source, destination = two_networks(stage)

    with pytest.raises(
        ReachabilityError, match="but because of timed-out, not refused: client1 and server1 share no network"
    ):
        assert_unreachable(source, destination, because=Verdict.REFUSED, timeout=0.3)


@needs("isolation")
def test_several_reasons(stage: Stage) -> None:
    source, destination = two_networks(stage)

    assert_unreachable(source, destination, because=(Verdict.REFUSED, Verdict.TIMED_OUT), timeout=0.3)


@needs("isolation")
def test_hold_sees_a_server_that_comes_in_between(stage: Stage) -> None:
    """Open for a moment only, after the first probe: a single look would miss it."""
    made = stage.once(scenes.apart)
    server, one, client = made.server, made.network, stage.lab.client(networks=[stage.lab.network()])
    assert_unreachable(client, server.port(80), timeout=0.3)

    import threading

    def meet() -> None:
        one.connect(client)

    thread = threading.Timer(0.3, meet)
    thread.start()
    try:
        with pytest.raises(ReachabilityError, match="client1 can reach port 80/tcp of server1"):
            assert_unreachable(client, server.port(80).on(one), hold=20, timeout=0.5)
    finally:
        thread.join()


def test_flickering_server_is_reachable(stage: Stage) -> None:
    """Up for a part of each second."""
    server = stage.once(scenes.flickers)

    for _ in range(3):
        assert assert_reachable(stage.lab.host, f"http://{server.ip}/").text == "here"


def test_a_server_that_is_silent_for_most_of_each_second_is_reachable(dockconn: Lab, dockconn_client: Client) -> None:
    """Each probe waits for a second: one after the other they would all be sent at the same moment of it."""
    port = dockconn.server(**servers.SELDOM).port(53, "udp")

    for _ in range(3):
        # from when it falls silent, so that all that begin a second later find it silent, too
        assert until(lambda: not dockconn_client.probe(port, timeout=0.03), 10)
        result = assert_reachable(dockconn_client, port)
        assert result.answered_by == port.owner.id
        assert result.attempts > 2


def test_foreign_server_is_known_by_its_connection(stage: Stage, dockconn_client: Client) -> None:
    server = stage.once(scenes.unsaid)

    for source, destination in ((dockconn_client, server.port(80)), (stage.lab.host, server.bound_port(80))):
        result = assert_reachable(source, destination)
        assert result.answered_by == server.id
        assert result.target.scheme == "tcp"


def test_path_is_recorded(dockconn_client: Client, dockconn_exposed_server: Server) -> None:
    result = assert_reachable(dockconn_client, dockconn_exposed_server.port(80))

    assert result.path is not None
    assert (result.path.source, result.path.destination, result.path.destination_port) == (
        dockconn_client.ip,
        dockconn_exposed_server.ip,
        80,
    )
    assert result.target.via == "address"


def test_many_at_once(dockconn_client: Client, dockconn_exposed_server: Server) -> None:
    port, closed = dockconn_exposed_server.port(80), dockconn_exposed_server.port(81)

    results = dockconn_client.probe_many([port, closed] * 50)

    assert [r.verdict for r in results] == [Verdict.REACHABLE, Verdict.REFUSED] * 50


def test_a_server_is_a_destination(dockconn_client: Client, dockconn_exposed_server: Server) -> None:
    assert_reachable(dockconn_client, dockconn_exposed_server)


def test_of_several_ports_one_must_be_named(stage: Stage) -> None:
    made = stage.once(scenes.plain)

    with pytest.raises(SpecError, match="server1 exposes 2 ports") as caught:
        made.client.probe(made.server)
    assert "53/udp, 80/tcp" in caught.value.checked


def test_proxies_of_the_environment_divert_nothing(
    dockconn: Lab, dockconn_exposed_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    client = dockconn.client(env={"http_proxy": "http://127.0.0.1:9"})

    assert_reachable(client, dockconn_exposed_server)
    assert_reachable(dockconn.host, dockconn_exposed_server)
    assert dockconn_exposed_server.port(80).get().ok


def test_ports_compare_by_owner_and_narrowing(dockconn_exposed_server: Server, dockconn_bound_server: Server) -> None:
    port = dockconn_exposed_server.port(80)

    assert {port, dockconn_exposed_server.port("80/tcp")} == {port}
    assert port != dockconn_bound_server.port(80)
    assert port != port.named("server1")
    assert isinstance(port, Port)


def test_adopted_container_is_probed_and_left_alone(dockconn: Lab, dockconn_client: Client) -> None:
    made = dockconn.server()
    adopted = dockconn.adopt(made.engine_name)

    assert assert_reachable(dockconn_client, adopted.port(80)).answered_by == made.id
    assert_reachable(adopted, made.port(80))
    for refused in (
        adopted.stop,
        adopted.start,
        adopted.restart,
        lambda: adopted.run("true"),
        lambda: adopted.commit("x"),
    ):
        with pytest.raises(DockconnError, match=r"refused to .* it was adopted"):
            refused()
    assert isinstance(adopted, Container)


def test_a_stopped_source_proves_nothing(dockconn: Lab, dockconn_exposed_server: Server) -> None:
    client = dockconn.client()
    client.stop()

    assert client.probe(dockconn_exposed_server).verdict is Verdict.INCONCLUSIVE
    with pytest.raises(ReachabilityError, match=r"inconclusive: .*client1 can't probe at all"):
        assert_unreachable(client, dockconn_exposed_server.port(80))
