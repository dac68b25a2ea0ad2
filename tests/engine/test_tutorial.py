"""The tutorial, end to end: what it does by hand, and what it shows."""

from __future__ import annotations

import ipaddress
import re

import pytest

from pytest_dockconn import (
    Bridge,
    Client,
    Connection,
    Engine,
    Host,
    Image,
    Lab,
    Server,
    Verdict,
    assert_linked,
    assert_reachable,
)
from pytest_dockconn.labels import PREFIX
from pytest_dockconn.logic.capabilities import KNOWN
from tests.engine import scenes
from tests.engine.helpers import take_address
from tests.shared import Shared


def test_exposed_is_not_published(dockconn_client: Client, dockconn_exposed_server: Server) -> None:
    facts = dockconn_exposed_server.facts()

    assert [str(port) for port in facts.exposed] == ["80/tcp"]
    assert facts.bindings == ()
    answer = assert_reachable(dockconn_client, dockconn_exposed_server.port(80))
    assert answer.status == 200
    assert "It works" in answer.text
    assert answer.answered_by == dockconn_exposed_server.id
    assert answer.address == dockconn_exposed_server.ip


def test_address_is_on_docker0(dockconn_exposed_server: Server, dockconn_bridge: Bridge) -> None:
    assert ipaddress.ip_address(dockconn_exposed_server.ip) in ipaddress.ip_network(dockconn_bridge.subnet)


def test_bound_to_a_free_port_of_loopback(dockconn_host: Host, dockconn_bound_server: Server) -> None:
    port = dockconn_bound_server.bound_port(80)

    assert port.host == "127.0.0.1"
    assert port.number >= 1024
    assert assert_reachable(dockconn_host, port).answered_by == dockconn_bound_server.id
    assert "It works" in port.get("/").text
    assert port.url == f"http://127.0.0.1:{port.number}/"


def test_link(dockconn_linked_client: Client, dockconn_linked_server: Server) -> None:
    assert_linked(dockconn_linked_client, dockconn_linked_server, alias="server3")

    answer = assert_reachable(dockconn_linked_client, "http://server3/")
    assert answer.answered_by == dockconn_linked_server.id
    assert dockconn_linked_client.run("curl", "-s", "http://server3/").stdout == answer.text


@pytest.mark.dockconn(requires=["link-env"])
def test_variables_of_the_tutorial(dockconn_linked_client: Client, dockconn_linked_server: Server) -> None:
    ip = dockconn_linked_server.ip
    seen = {n: v for n, v in dockconn_linked_client.environment.items() if n.startswith("SERVER3_")}

    assert seen == {
        "SERVER3_PORT_80_TCP_PROTO": "tcp",
        "SERVER3_PORT": f"tcp://{ip}:80",
        "SERVER3_PORT_80_TCP_PORT": "80",
        "SERVER3_NAME": f"/{dockconn_linked_client.engine_name}/server3",
        "SERVER3_PORT_80_TCP": f"tcp://{ip}:80",
        "SERVER3_PORT_80_TCP_ADDR": ip,
    }


def test_every_way(dockconn_connection: Connection) -> None:
    answer = assert_reachable(dockconn_connection.source, dockconn_connection.destination)

    assert answer.answered_by == dockconn_connection.server.id


def test_names_run_on_and_are_prefixed(dockconn: Lab) -> None:
    one, two, client = dockconn.server(expose=()), dockconn.server(expose=()), dockconn.client()

    assert [one.name, two.name, client.name] == ["server1", "server2", "client1"]
    assert all(c.engine_name.startswith(PREFIX) and c.engine_name.endswith(f"-{c.name}") for c in (one, two, client))


def test_bridge_as_ifconfig_shows_it(
    dockconn_engine: Engine, dockconn_bridge: Bridge, dockconn_exposed_server: Server
) -> None:
    assert dockconn_bridge.name == {"docker": "docker0", "podman": "podman0"}[dockconn_engine.kind]
    assert re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", dockconn_bridge.mac)
    network = ipaddress.ip_interface(dockconn_bridge.ipv4)
    assert str(network.ip) == dockconn_bridge.gateway
    assert str(network.network) == dockconn_bridge.subnet
    assert any(address.startswith("fe80::") for address in dockconn_bridge.ipv6)
    assert dockconn_bridge.is_up
    assert dockconn_bridge.icc
    assert dockconn_bridge.mtu >= 1280


def test_counters_count(dockconn_bridge: Bridge, dockconn_host: Host, dockconn_exposed_server: Server) -> None:
    before = dockconn_bridge.counters()
    assert_reachable(dockconn_host, dockconn_exposed_server.port(80))
    after = dockconn_bridge.counters()

    assert after.rx_packets > before.rx_packets
    assert after.tx_bytes > before.tx_bytes


def test_bridge_is_read_by_a_sidecar_where_the_engine_is_elsewhere(
    dockconn_bridge: Bridge, dockconn_exposed_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = dockconn_bridge.interface()
    monkeypatch.setitem(vars(dockconn_exposed_server.services), "same_host", False)

    far = dockconn_bridge.interface()

    assert (far.name, far.mac, far.mtu, far.ipv4, far.is_up) == (here.name, here.mac, here.mtu, here.ipv4, here.is_up)


def test_engine_tells_who_it_is(dockconn_engine: Engine) -> None:
    assert dockconn_engine.kind in ("docker", "podman")
    assert re.match(r"\d+\.\d+", dockconn_engine.version)
    assert re.fullmatch(r"1\.\d+", dockconn_engine.api_version)
    # podman refuses links; Docker leaves the variables out by default from 29 on
    docker = dockconn_engine.kind == "docker"
    assert ("links" in dockconn_engine.capabilities) == docker
    if docker and int(dockconn_engine.version.split(".")[0]) < 29:
        assert "link-env" in dockconn_engine.capabilities
    assert set(dockconn_engine.capabilities) <= set(KNOWN)


def test_the_tutorials_own_way(dockconn: Lab, dockconn_client_image: Image) -> None:
    """run, stop, commit: an image made by hand, and containers of it."""
    setup = dockconn.server()
    setup.run("sh", "-c", "echo made by hand > /var/www/html/index.html")
    setup.stop()
    image = setup.commit("server_img")

    server, client = dockconn.server(image=image), dockconn.client(image=dockconn_client_image)

    answer = assert_reachable(client, server.port(80))
    assert answer.text == "made by hand\n"
    assert answer.answered_by == server.id


def test_an_image_without_the_agent_can_ask(
    dockconn: Lab, dockconn_exposed_server: Server, dockconn_server_image: Image
) -> None:
    """The tutorial's client is a bare image with a shell: it asks by a sidecar."""
    client = dockconn.client(image=dockconn_server_image, command=["sleep", "infinity"])

    assert assert_reachable(client, dockconn_exposed_server.port(80)).answered_by == dockconn_exposed_server.id


def test_image_and_container_make_the_same_promise(dockconn_server_image: Image, dockconn_client_image: Image) -> None:
    assert re.fullmatch(r"(localhost/)?dockconn-server:[0-9a-f]{12}", dockconn_server_image.tag)
    assert re.fullmatch(r"(localhost/)?dockconn-client:[0-9a-f]{12}", dockconn_client_image.tag)


def test_nothing_gains_privileges(dockconn_client: Client, dockconn_exposed_server: Server) -> None:
    """Processes keep the capabilities of the table in docs, and no more."""
    server, client = dockconn_exposed_server, dockconn_client

    assert _effective(client) == 0
    assert _effective(server) == (1 << 6) | (1 << 7) | (1 << 10)  # SETGID, SETUID, NET_BIND_SERVICE
    assert "NoNewPrivs:\t1" in client.run("cat", "/proc/1/status").stdout


def _effective(container: Client | Server) -> int:
    status = container.run("cat", "/proc/1/status").stdout
    return int(status.partition("CapEff:\t")[2].split()[0], 16)


@pytest.mark.dockconn(requires=["links"])
def test_restart_gives_the_name_the_new_address(dockconn: Lab) -> None:
    server = dockconn.server()
    client = dockconn.client(links=[server])
    before = server.ip
    server.stop()
    take_address(dockconn, before)
    server.start()

    assert server.ip != before
    assert client.hosts[server.name] == (server.ip,)
    assert assert_reachable(client, server.port(80).named(server.name)).address == server.ip


def test_unlinked_name_is_not_found(shared: Shared, dockconn_linked_server: Server) -> None:
    stranger = shared.once(scenes.nameless)

    assert stranger.probe("http://server3/").verdict is Verdict.NAME_NOT_FOUND
