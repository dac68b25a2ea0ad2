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
    Host,
    Lab,
    Port,
    ReachabilityError,
    Server,
    Verdict,
    assert_reachable,
    assert_unreachable,
)
from pytest_dockconn.errors import DockconnError, SpecError
from tests.engine.helpers import docker_py, has_default_route, needs, take_address

Question = tuple[Any, Any]


@dataclass(frozen=True)
class Case:
    """A set-up, what ``assert_reachable`` sees, and what its first line and the rest say."""

    name: str
    set_up: Callable[[Lab], Question]
    verdict: Verdict | tuple[Verdict, ...]
    cause: str
    evidence: str = ""
    timeout: float = 0.4
    requires: tuple[str, ...] = ()


def stopped(lab: Lab) -> Question:
    server, client = lab.server(), lab.client()
    server.stop()
    return client, server.port(80)


def paused(lab: Lab) -> Question:
    server = lab.server()
    docker_py(lab.engine.url).pause(server.id)
    return lab.client(), server.port(80)


def nothing_listens(lab: Lab) -> Question:
    return lab.client(), lab.server().port(81)


def loopback_only(lab: Lab) -> Question:
    command = ["python3", "-m", "http.server", "8000", "--bind", "127.0.0.1"]
    return lab.client(), lab.server(expose=(8000,), command=command).port(8000)


def two_networks(lab: Lab) -> Question:
    return lab.client(networks=[lab.network()]), lab.server(networks=[lab.network()]).port(80)


def icc_off(lab: Lab) -> Question:
    network = lab.network(icc=False)
    return lab.client(networks=[network]), lab.server(networks=[network]).port(80)


def no_dns_on_the_default_network(lab: Lab) -> Question:
    server = lab.server()
    return lab.client(dns=["127.0.0.1"]), server.port(80).named("server1")


def alias_elsewhere(lab: Lab) -> Question:
    front, back = lab.network("front"), lab.network("back")
    server = lab.server(networks=[back], aliases=["db"])
    return lab.client(networks=[front], dns=["127.0.0.1"]), server.port(80).named("db")


def bound_to_loopback(lab: Lab) -> Question:
    return lab.client(), lab.server(bind={80: None}).bound_port(80)


def stranger_took_the_address(lab: Lab) -> Question:
    server, client = lab.server(), lab.client()
    server.stop()
    take_address(lab, server.ip)
    return client, server.port(80)


def accepts_and_never_answers(lab: Lab) -> Question:
    code = "import socket,time; s=socket.create_server(('',80)); c=[]\nwhile 1: c.append(s.accept())"
    server = lab.server(command=["python3", "-c", code])
    return lab.client(), f"http://{server.ip}/"


def closes_at_once(lab: Lab) -> Question:
    code = "import socket; s=socket.create_server(('',80))\nwhile 1: s.accept()[0].close()"
    server = lab.server(command=["python3", "-c", code])
    return lab.client(), f"http://{server.ip}/"


def speaks_another_protocol(lab: Lab) -> Question:
    code = "import socket; s=socket.create_server(('',80))\nwhile 1: c=s.accept()[0]; c.sendall(b'220 mail ready\\r\\n'); c.recv(999)"
    server = lab.server(command=["python3", "-c", code])
    return lab.client(), f"http://{server.ip}/"


def nobody_there(lab: Lab) -> Question:
    client = lab.client()
    return client, f"http://{'.'.join(client.ip.split('.')[:2])}.200.200/"


def queue_is_full(lab: Lab) -> Question:
    """Nobody accepts: the kernel takes the connection, the process never does."""
    code = "import socket,time; s=socket.create_server(('',80), backlog=5); time.sleep(600)"
    return lab.client(), lab.server(command=["python3", "-c", code]).port(80)


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
    Case("accept queue", queue_is_full, Verdict.TIMED_OUT, "takes connections but does not answer", "accept queue"),
]


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name, marks=needs(*c.requires)) for c in CASES])
def test_reachable_fails_and_says_why(dockconn: Lab, case: Case) -> None:
    source, destination = case.set_up(dockconn)

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


def isolated(lab: Lab) -> Question:
    return two_networks(lab)


def icc(lab: Lab) -> Question:
    return icc_off(lab)


def loopback_binding(lab: Lab) -> Question:
    return bound_to_loopback(lab)


def internal_both_ways(lab: Lab) -> Question:
    return lab.client(networks=[lab.network(internal=True)]), lab.server().port(80)


def udp(lab: Lab) -> Question:
    server = lab.server(expose=("53/udp",), networks=[lab.network()])
    return lab.client(networks=[lab.network()]), server.port(53, "udp")


def foreign_server(lab: Lab) -> Question:
    """One that can't say who it is: asked from inside, its connection is found in its own namespace."""
    server = lab.server(expose=(8000,), command=["python3", "-m", "http.server", "8000"], networks=[lab.network()])
    return lab.client(networks=[lab.network()]), server.port(8000)


def known_by_url(lab: Lab) -> Question:
    client, port = two_networks(lab)
    return client, f"http://{port.owner.ip}/"


PROVED = [
    pytest.param(isolated, Verdict.TIMED_OUT, id="two networks", marks=needs("isolation")),
    pytest.param(icc, Verdict.TIMED_OUT, id="icc off", marks=needs("icc")),
    pytest.param(loopback_binding, Verdict.REFUSED, id="bound to loopback"),
    pytest.param(internal_both_ways, None, id="internal"),
    pytest.param(udp, Verdict.TIMED_OUT, id="udp", marks=needs("isolation")),
    pytest.param(foreign_server, Verdict.TIMED_OUT, id="a server of others", marks=needs("isolation")),
    pytest.param(known_by_url, Verdict.TIMED_OUT, id="a url of a known container", marks=needs("isolation")),
]


@pytest.mark.parametrize(("set_up", "verdict"), PROVED)
def test_unreachable_is_proved(dockconn: Lab, set_up: Callable[[Lab], Question], verdict: Verdict | None) -> None:
    source, destination = set_up(dockconn)
    if verdict is None:  # of an internal network: 20.10 leaves the default route in, 26 and podman 4.3 do not
        verdict = Verdict.TIMED_OUT if has_default_route(source) else Verdict.NO_ROUTE

    result = assert_unreachable(source, destination, because=verdict, timeout=0.3)

    assert result.verdict is verdict
    assert not result


NOT_PROVED = [
    ("stopped", stopped, "server1 is exited"),
    ("paused", paused, "server1 is paused"),
    ("nothing listens", nothing_listens, "does not answer at http://"),
    ("loopback only", loopback_only, "does not answer at tcp://"),
    ("stranger", stranger_took_the_address, "wrong-server"),
    ("nobody there", nobody_there, "is not the address of a container that is known here"),
    ("never accepts", queue_is_full, "does not answer at tcp://"),
]


@pytest.mark.parametrize(("set_up", "lack"), [p[1:] for p in NOT_PROVED], ids=[p[0] for p in NOT_PROVED])
def test_unreachable_without_proof_is_inconclusive(dockconn: Lab, set_up: Callable[[Lab], Question], lack: str) -> None:
    source, destination = set_up(dockconn)

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
def test_reached_across_networks_says_so(dockconn: Lab) -> None:
    """As it comes about by itself, for a moment, on docker 20.10 while anybody makes a network."""
    if dockconn.engine.kind != "docker":
        pytest.skip("DOCKER-USER is docker's chain for others")
    source, destination = two_networks(dockconn)
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
def test_another_reason_is_not_that_reason(dockconn: Lab) -> None:
    source, destination = two_networks(dockconn)

    with pytest.raises(
        ReachabilityError, match="but because of timed-out, not refused: client1 and server1 share no network"
    ):
        assert_unreachable(source, destination, because=Verdict.REFUSED, timeout=0.3)


@needs("isolation")
def test_several_reasons(dockconn: Lab) -> None:
    source, destination = two_networks(dockconn)

    assert_unreachable(source, destination, because=(Verdict.REFUSED, Verdict.TIMED_OUT), timeout=0.3)


@needs("isolation")
def test_hold_sees_a_server_that_comes_in_between(dockconn: Lab) -> None:
    """Open for a moment only, after the first probe: a single look would miss it."""
    one, other = dockconn.network(), dockconn.network()
    server, client = dockconn.server(networks=[one]), dockconn.client(networks=[other])
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


def test_flickering_server_is_reachable(dockconn: Lab) -> None:
    """Up for a part of each second."""
    code = (
        "import socket,time\n"
        "while 1:\n"
        " s=socket.create_server(('',80)); s.settimeout(0.05); end=time.time()+0.2\n"
        " while time.time()<end:\n"
        "  try: c=s.accept()[0]; c.recv(999); c.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\nhere'); c.close()\n"
        "  except OSError: pass\n"
        " s.close(); time.sleep(0.6)\n"
    )
    server = dockconn.server(command=["python3", "-c", code])

    for _ in range(3):
        assert assert_reachable(dockconn.host, f"http://{server.ip}/").text == "here"


def test_foreign_server_is_known_by_its_connection(dockconn: Lab, dockconn_client: Client) -> None:
    server = dockconn.server(expose=(8000,), command=["python3", "-m", "http.server", "8000"], bind={8000: None})

    for source, destination in ((dockconn_client, server.port(8000)), (dockconn.host, server.bound_port(8000))):
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


def test_of_several_ports_one_must_be_named(dockconn: Lab, dockconn_client: Client) -> None:
    with pytest.raises(SpecError, match="server1 exposes 2 ports") as caught:
        dockconn_client.probe(dockconn.server(expose=(80, 81)))
    assert "80/tcp, 81/tcp" in caught.value.checked


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


def test_adopted_container_is_probed_and_left_alone(dockconn: Lab, dockconn_host: Host) -> None:
    made = dockconn.server()
    adopted = dockconn.adopt(made.engine_name)

    assert assert_reachable(dockconn.client(), adopted.port(80)).answered_by == made.id
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
