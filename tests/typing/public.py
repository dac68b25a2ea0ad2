"""The public face as a type checker sees it. Never run: ``test_public_face.py`` has mypy read it.

A line that must be an error carries the ignore for it; mypy says where one is not needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_dockconn import (
    Bridge,
    Client,
    Connection,
    Container,
    DockconnError,
    Engine,
    Host,
    Image,
    Lab,
    Network,
    Port,
    ProbeResult,
    ReachabilityError,
    Server,
    Verdict,
    assert_linked,
    assert_reachable,
    assert_unreachable,
)

if TYPE_CHECKING:
    import subprocess

    import requests
    from typing_extensions import assert_type


def test_exposed_port(dockconn_client: Client, dockconn_exposed_server: Server) -> None:
    assert_type(assert_reachable(dockconn_client, dockconn_exposed_server.port(80)), ProbeResult)
    assert_reachable(dockconn_client, dockconn_exposed_server)
    assert_reachable(dockconn_client, "http://server1/", within=2, timeout=0.5)
    assert_reachable(dockconn_client, 80)  # type: ignore[arg-type]
    assert_reachable("client1", dockconn_exposed_server)  # type: ignore[arg-type]
    assert_reachable(dockconn_exposed_server.port(80), dockconn_client)  # type: ignore[arg-type]
    assert_reachable(dockconn_client, dockconn_exposed_server, 2.0)  # type: ignore[call-arg]
    assert_reachable(dockconn_client, dockconn_exposed_server, within="5")  # type: ignore[arg-type]


def test_bound_port(dockconn_host: Host, dockconn_bound_server: Server) -> None:
    answer = assert_reachable(dockconn_host, dockconn_bound_server.bound_port(80))
    assert_type(answer.text, str)
    assert_type(answer.status, "int | None")
    assert_type(answer.verdict, Verdict)
    assert_type(answer.address, str)
    assert_type(answer.elapsed, float)
    assert_type(answer.answered_by, str)
    assert_type(answer.detail, str)
    assert_type(bool(answer), bool)
    answer.text = "changed"  # type: ignore[misc]
    print(answer.headers)  # type: ignore[attr-defined]


def test_unreachable(web: Server, db: Server, host: Host) -> None:
    assert_type(assert_unreachable(web, db.port(5432)), ProbeResult)
    assert_unreachable(web, db, because=Verdict.TIMED_OUT)
    assert_unreachable(web, db, because=[Verdict.TIMED_OUT, Verdict.NO_ROUTE], hold=2.0, timeout=1)
    assert_unreachable(host, db, because={Verdict.REFUSED})
    assert_unreachable(host, db, because=None)
    assert_unreachable(web, db, because="timed-out")  # type: ignore[arg-type]
    assert_unreachable(web, db, within=5.0)  # type: ignore[call-arg]


def test_link(dockconn_linked_client: Client, dockconn_linked_server: Server, adopted: Container) -> None:
    assert_linked(dockconn_linked_client, dockconn_linked_server, alias="server3")
    assert_linked(dockconn_linked_client, dockconn_linked_server)
    assert_linked(dockconn_linked_client, adopted, "db")
    assert_linked(adopted, dockconn_linked_server)
    assert_linked(dockconn_linked_client, dockconn_linked_server, alias=3)  # type: ignore[arg-type]
    assert_linked(dockconn_linked_client, "http://server3/")  # type: ignore[arg-type]


def test_lab(dockconn: Lab) -> None:
    front, back = dockconn.network("front"), dockconn.network("back", internal=True, icc=False, subnet="192.0.2.0/24")
    assert_type(front, Network)
    web = dockconn.server(
        expose=(80, "53/udp"), bind={80: ("0.0.0.0", 8080), "53/udp": None}, networks=[front, "other"], aliases=["web"],
        env={"A": "1"}, command=["serve"], name="web", hostname="web", dns=["192.0.2.53"], extra_hosts={"db": "192.0.2.7"},
    )  # fmt: skip
    assert_type(web, Server)
    client = dockconn.client(links=[web], networks=[front, back])
    assert_type(client, Client)
    assert_type(dockconn.client(links={"db": web}, image=web.commit("web:1")), Client)
    assert_type(dockconn.client(links=["later"]), Client)
    assert_type(dockconn.adopt("0123456789ab"), Container)
    assert_type(dockconn.host, Host)
    assert_type(dockconn.engine, Engine)
    assert_type(dockconn.bridge, Bridge)
    dockconn.server((80,))  # type: ignore[call-arg]
    dockconn.server(port=80)  # type: ignore[call-arg]
    dockconn.server(bind=[80])  # type: ignore[arg-type]
    dockconn.client(links=[80])  # type: ignore[list-item]
    dockconn.network("back", internal="yes")  # type: ignore[arg-type]


def test_network(front: Network, web: Server) -> None:
    assert_type(front.id, str)
    assert_type(front.name, str)
    assert_type(front.subnets, "tuple[str, ...]")
    assert_type(front.gateway, str)
    front.connect(web, aliases=("web",), ip="192.0.2.9")
    front.disconnect(web)
    front.connect("web")  # type: ignore[arg-type]


def test_container(web: Server, client: Client, adopted: Container, front: Network) -> None:
    assert_type(web.name, str)
    assert_type(web.id, str)
    assert_type(web.engine_name, str)
    assert_type(web.ip, str)
    assert_type(web.ip6, str)
    assert_type(web.ip_on(front), str)
    assert_type(web.run("ls", "-l"), subprocess.CompletedProcess[str])
    assert_type(web.run("false", check=False).returncode, int)
    assert_type(client.logs(), str)
    assert_type(client.environment, "dict[str, str]")
    assert_type(client.hosts, "dict[str, tuple[str, ...]]")
    assert_type(adopted.commit("x"), Image)
    everybody: list[Container] = [web, client, adopted]
    for one in everybody:
        one.stop()
        one.start()
        one.restart()
    web.run(["ls", "-l"])  # type: ignore[arg-type]
    web.run("ls", shell=True)  # type: ignore[call-arg]
    server: Server = client  # type: ignore[assignment]
    assert server


def test_port(web: Server, front: Network) -> None:
    port = web.port(80)
    assert_type(port, Port)
    assert_type(web.port(53, "udp"), Port)
    assert_type(web.bound_port(80, protocol="tcp"), Port)
    assert_type(port.url, str)
    assert_type(port.host, str)
    assert_type(port.number, int)
    assert_type(port.protocol, str)
    assert_type(port.owner, Container)
    assert_type(port.on(front), Port)
    assert_type(port.on("127.0.1.2").named("db"), Port)
    assert_type(port.get("/page", timeout=2), requests.Response)
    assert_type({port: 1, web.port(81): 2}, "dict[Port, int]")
    web.port(80.0)  # type: ignore[arg-type]
    port.named(80)  # type: ignore[arg-type]


def test_probe(client: Client, host: Host, web: Server) -> None:
    assert_type(client.probe(web.port(80)), ProbeResult)
    assert_type(host.probe("tcp://127.0.0.1:80", timeout=0.2), ProbeResult)
    assert_type(web.probe(web), ProbeResult)
    client.probe(None)  # type: ignore[arg-type]
    client.probe(web, timeout="1")  # type: ignore[arg-type]


def test_verdict(result: ProbeResult) -> None:
    assert_type(Verdict("timed-out"), Verdict)
    assert_type(str(Verdict.NO_ROUTE), str)
    assert_type(
        {
            Verdict.REACHABLE, Verdict.REFUSED, Verdict.TIMED_OUT, Verdict.NO_ROUTE, Verdict.NAME_NOT_FOUND, Verdict.RESET,
            Verdict.WRONG_SERVER, Verdict.INCONCLUSIVE,
        },
        "set[Verdict]",
    )  # fmt: skip
    print(Verdict.BLOCKED)  # type: ignore[attr-defined]
    if result.verdict == "timed-out":  # type: ignore[comparison-overlap]
        raise AssertionError


def test_connection(dockconn_connection: Connection) -> None:
    assert_type(dockconn_connection.kind, str)
    assert_type(dockconn_connection.destination, Port)
    assert_type(dockconn_connection.server, Server)
    assert_reachable(dockconn_connection.source, dockconn_connection.destination)
    dockconn_connection.kind = "link"  # type: ignore[misc]


def test_engine_and_bridge(dockconn_engine: Engine, dockconn_bridge: Bridge, dockconn_client_image: Image) -> None:
    assert_type(dockconn_engine.kind, str)
    assert_type(dockconn_engine.version, str)
    assert_type(dockconn_engine.api_version, str)
    assert_type(dockconn_engine.url, str)
    assert_type(dockconn_engine.capabilities, "frozenset[str]")
    assert_type(dockconn_bridge.name, str)
    assert_type(dockconn_bridge.subnet, str)
    assert_type(dockconn_bridge.gateway, str)
    assert_type(dockconn_bridge.mtu, int)
    assert_type(dockconn_bridge.icc, bool)
    assert_type(dockconn_bridge.mac, str)
    assert_type(dockconn_bridge.is_up, bool)
    assert_type(dockconn_bridge.counters().rx_packets, int)
    assert_type(dockconn_bridge.counters().tx_dropped, int)
    assert_type(dockconn_client_image.id, str)
    assert_type(dockconn_client_image.tag, str)
    dockconn_engine.version = "29"  # type: ignore[misc]


def test_errors(web: Server) -> None:
    try:
        web.bound_port(81)
    except DockconnError as error:
        assert_type(error.cause, str)
        assert_type(error.checked, str)
        assert_type(error.remedy, str)
    except ReachabilityError as error:
        failed: AssertionError = error
        raise failed from None
