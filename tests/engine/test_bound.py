"""Ports bound to the host: addresses, several, ranges, UDP, and the one that is taken."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from pytest_dockconn import Client, DockconnError, Host, Lab, Server, assert_reachable
from pytest_dockconn.errors import PortInUse
from tests.conformance.helpers import free_range
from tests.engine import scenes
from tests.engine.helpers import free_port, host_address, needs
from tests.shared import Shared, Stage

WISHES = [
    pytest.param(lambda n: n, "127.0.0.1", id="a port of loopback"),
    pytest.param(lambda n: ("0.0.0.0", n), "0.0.0.0", id="an address and a port"),
    pytest.param(lambda _: ("127.0.0.1", None), "127.0.0.1", id="an address and any port"),
    pytest.param(lambda n: f"{n}-{n + 2}", "127.0.0.1", id="one of a range", marks=needs("port-ranges")),
    pytest.param(lambda n: ("127.0.1.2", n), "127.0.1.2", id="another loopback address"),
]


@pytest.mark.parametrize(("wish", "address"), WISHES)
def test_bindings(dockconn: Lab, wish: Callable[[int], Any], address: str) -> None:
    number = free_port()
    server = dockconn.server(bind={80: wish(number)})

    (binding,) = server.facts().bindings
    assert binding.address == address
    answer = assert_reachable(dockconn.host, server.bound_port(80))
    assert answer.answered_by == server.id


def test_open_to_the_network_is_reached_by_the_hosts_own_address(dockconn: Lab, dockconn_client: Client) -> None:
    server = dockconn.server(bind={80: ("0.0.0.0", free_port())})
    port = server.bound_port(80)

    by_address = assert_reachable(dockconn.host, port.on(host_address()))
    from_container = assert_reachable(dockconn_client, port)

    assert by_address.address == host_address()
    assert from_container.address == dockconn.bridge.gateway
    assert by_address.answered_by == from_container.answered_by == server.id


def test_loopback_is_not_reached_by_the_hosts_own_address(dockconn: Lab, dockconn_bound_server: Server) -> None:
    port = dockconn_bound_server.bound_port(80)

    assert dockconn.host.probe(f"http://{host_address()}:{port.number}/").verdict.value == "refused"


#: Wishes that name no address: by the port of the container, host ports beside a number that is free.
UNLESS_ASKED: dict[int | str, Callable[[int], Any]] = {
    80: lambda n: [None, n, str(n + 1)],
    "8000-8001": lambda n: f"{n + 2}-{n + 3}",
    "53/udp": lambda _: None,
    "54/udp": lambda n: n,
}
ONE_OF_A_RANGE: dict[int | str, Callable[[int], Any]] = {81: lambda n: f"{n + 4}-{n + 6}"}


def test_nothing_is_open_to_others_unless_asked_for(stage: Stage) -> None:
    """However a host port is written: it is 127.0.0.1's, and nobody is let in by another address of this machine."""
    lab, client, number = stage.lab, stage.once(scenes.plain).client, free_port()
    wishes = {**UNLESS_ASKED, **(ONE_OF_A_RANGE if "port-ranges" in lab.engine.capabilities else {})}
    server = lab.server(bind={key: wish(number) for key, wish in wishes.items()})
    bound = [(one.host_port, one.port.protocol, one.address) for one in server.facts().bindings]

    assert {address for *_, address in bound} == {"127.0.0.1"}
    assert len(bound) == 7 + len(wishes) - len(UNLESS_ASKED)
    near = lab.host.probe_many([url("127.0.0.1", *one) for one in bound])
    assert [one.answered_by for one in near] == [server.id] * len(bound)
    far = [url(address, *one) for one in bound for address in (host_address(), str(lab.bridge.gateway))]
    assert {str(one.verdict) for one in lab.host.probe_many(far)} == {"refused"}
    # to another machine the kernel says of six UDP ports at once that they are closed, then of one a second
    assert {str(one.verdict) for one in client.probe_many(far, timeout=0.3)} <= {"refused", "timed-out"}


def url(address: str, number: int, protocol: str, _: str = "") -> str:
    return f"{'http' if protocol == 'tcp' else 'udp'}://{address}:{number}/"


def test_several_ports_and_protocols(dockconn: Lab, dockconn_client: Client) -> None:
    server = dockconn.server(expose=(8080,), bind={80: None, "8000-8001": None, "53/udp": None})

    bound = [server.bound_port(80), server.bound_port(8000), server.bound_port(8001), server.bound_port(53, "udp")]
    assert [assert_reachable(dockconn.host, port).answered_by for port in bound] == [server.id] * 4
    assert len({(port.number, port.protocol) for port in bound}) == 4
    assert assert_reachable(dockconn_client, server.port(8080)).answered_by == server.id
    with pytest.raises(DockconnError, match="server1 has no bound port 8080/tcp"):
        server.bound_port(8080)


def test_udp_is_reached_by_containers_too(shared: Shared) -> None:
    made = shared.once(scenes.plain)
    server = made.server

    answer = assert_reachable(made.client, server.port(53, "udp"))

    assert answer.answered_by == server.id
    assert server.port(53, "udp").url.startswith("udp://")


def test_two_host_ports_for_one(dockconn: Lab) -> None:
    server = dockconn.server(bind={80: [None, ("127.0.1.3", None)]})

    answers = [assert_reachable(dockconn.host, server.bound_port(80).on(a)) for a in ("127.0.0.1", "127.0.1.3")]

    assert [a.address for a in answers] == ["127.0.0.1", "127.0.1.3"]


def test_one_port_on_two_addresses_reaches_each_its_own(dockconn: Lab) -> None:
    number = free_port()
    servers = [dockconn.server(bind={80: (a, number)}) for a in ("127.0.1.2", "127.0.1.3")]

    assert [assert_reachable(dockconn.host, s.bound_port(80)).answered_by for s in servers] == [s.id for s in servers]


def test_free_port_is_read_again_after_a_restart(dockconn: Lab) -> None:
    server = dockconn.server(bind={80: None})
    port = server.bound_port(80)
    assert_reachable(dockconn.host, port)

    server.restart()

    assert assert_reachable(dockconn.host, port).answered_by == server.id


def test_port_held_by_a_process_names_it(dockconn: Lab) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        number = holder.getsockname()[1]

        with pytest.raises(PortInUse) as caught:
            dockconn.server(bind={80: number})

    assert f"port {number}/tcp of 127.0.0.1 on the host is in use: process " in caught.value.cause
    assert "pytest" in caught.value.cause or "python" in caught.value.cause
    assert caught.value.remedy
    assert dockconn.containers == []


def test_port_held_by_a_container_names_it(dockconn: Lab, dockconn_bound_server: Server) -> None:
    number = dockconn_bound_server.bound_port(80).number

    with pytest.raises(PortInUse, match=f"container {dockconn_bound_server.engine_name}"):
        dockconn.server(bind={80: number})


@needs("port-ranges")
def test_a_range_that_is_used_up_names_its_holders(dockconn: Lab) -> None:
    first = free_range(3)
    with socket.create_server(("127.0.0.1", first + 2)):
        holders = [dockconn.server(bind={80: f"{first}-{first + 1}"}) for _ in range(2)]

        with pytest.raises(PortInUse) as caught:
            dockconn.server(bind={80: f"{first}-{first + 2}"})

    cause = caught.value.cause
    assert f"ports {first}-{first + 2}/tcp of 127.0.0.1 on the host are all in use: {first}: container " in cause
    assert all(f"container {one.engine_name} ({one.id[:12]}) has it" in cause for one in holders)
    assert f"; {first + 2}: process " in cause
    assert dockconn.containers == holders


def test_conflict_at_the_start_leaves_nothing_behind(dockconn: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look before is a courtesy: a port that is taken in between is refused by the engine itself.

    Podman 4.3.1 takes the holder's rules away when it refuses, so the holder is one of this test.
    """
    holder = dockconn.server(bind={80: None})
    monkeypatch.setattr("pytest_dockconn.actions.containers.check_free", lambda *_, **__: None)
    engine = holder.services.engine
    before = {c["id"] for c in engine.containers()}
    number = holder.bound_port(80).number

    with pytest.raises(PortInUse, match=f"port {number}/tcp .* container {holder.engine_name}"):
        dockconn.server(bind={80: number})

    assert {c["id"] for c in engine.containers()} - before == set()


def test_host_is_a_source_of_container_addresses(dockconn_host: Host, dockconn_exposed_server: Server) -> None:
    assert assert_reachable(dockconn_host, dockconn_exposed_server.port(80)).address == dockconn_exposed_server.ip


def test_a_port_that_was_taken_while_its_container_was_down(dockconn: Lab) -> None:
    number = free_port()
    server = dockconn.server(bind={80: number})
    server.stop()
    holder = dockconn.server(bind={80: number})

    with pytest.raises(PortInUse, match=rf"port {number}/tcp of 127.0.0.1 .* container {holder.engine_name}"):
        server.start()

    holder.stop()
    server.start()
    assert_reachable(dockconn.host, server.bound_port(80))
