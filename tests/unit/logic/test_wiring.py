"""Which address a source asks."""

from __future__ import annotations

import pytest
from tests.samples import container, endpoint

from pytest_dockconn.logic import wiring
from pytest_dockconn.logic.wiring import Where
from pytest_dockconn.model.facts import Binding, ContainerFacts
from pytest_dockconn.model.spec import PortKey

HTTP, UDP = PortKey(80), PortKey(53, "udp")
FRONT = endpoint("front", "172.18.0.2", ip6="fd00:18::2", gateway="172.18.0.1", gateway6="fd00:18::1")
BACK = endpoint("back", "172.19.0.2", gateway="172.19.0.1")
OWNER = container(endpoints=(FRONT, BACK))
ON_BACK = container("client1", endpoints=(endpoint("back", "172.19.0.9", gateway="172.19.0.1"),))
ON_FRONT = container(
    "client2", endpoints=(endpoint("front", "172.18.0.9", gateway="172.18.0.1", gateway6="fd00:18::1"),)
)
ON_HOST = container("client3", network_mode="host", endpoints=(endpoint("host", "", gateway=""),))
ON_BOTH = container("client5", endpoints=(*ON_FRONT.endpoints, *ON_BACK.endpoints))
NOWHERE = container("client4", network_mode="none", endpoints=(endpoint("none", "", gateway=""),))


@pytest.mark.parametrize(
    ("port", "speaks", "scheme"),
    [
        (HTTP, True, "http"),
        (HTTP, False, "tcp"),
        (UDP, True, "udp"),
        (UDP, False, "udp"),
    ],
    ids=["ours", "theirs", "udp of ours", "udp of theirs"],
)
def test_the_scheme(port: PortKey, speaks: bool, scheme: str) -> None:
    assert wiring.scheme(port, speaks=speaks) == scheme


@pytest.mark.parametrize(
    ("source", "where", "hosts"),
    [
        pytest.param(None, Where(), ["172.18.0.2", "172.19.0.2", "fd00:18::2"], id="from the host: IPv4 first"),
        pytest.param(ON_FRONT, Where(), ["172.18.0.2", "172.19.0.2", "fd00:18::2"], id="from the first network"),
        pytest.param(ON_BACK, Where(), ["172.19.0.2", "172.18.0.2", "fd00:18::2"], id="the shared network first"),
        pytest.param(ON_BACK, Where(network="front"), ["172.18.0.2", "fd00:18::2"], id="one network by name"),
        pytest.param(ON_BACK, Where(network="id-front"), ["172.18.0.2", "fd00:18::2"], id="one network by id"),
        pytest.param(ON_BACK, Where(network="side"), [], id="a network that it is not on"),
        pytest.param(ON_BACK, Where(address="172.18.0.2"), ["172.18.0.2"], id="one address"),
        pytest.param(ON_BACK, Where(name="db"), ["db"], id="a name"),
        pytest.param(ON_BACK, Where(name="db", network="front"), ["db"], id="a name before a network"),
    ],
)
def test_a_port(source: ContainerFacts | None, where: Where, hosts: list[str]) -> None:
    found = wiring.port_targets(OWNER, HTTP, where, source, speaks=True)
    assert [t.host for t in found] == hosts
    via = "name" if where.name else "address"
    assert {(t.scheme, t.port, t.inner, t.owner, t.via) for t in found} <= {("http", 80, 80, OWNER.id, via)}


@pytest.mark.parametrize(
    ("source", "hosts"),
    [
        pytest.param(None, ["127.0.0.1"], id="from the host"),
        pytest.param(ON_HOST, ["127.0.0.1"], id="from a container in host mode"),
        pytest.param(ON_BACK, ["172.19.0.1"], id="from a container: its gateway"),
        pytest.param(NOWHERE, [], id="from a container without a network: there is no way"),
    ],
)
def test_an_owner_in_host_mode(source: ContainerFacts | None, hosts: list[str]) -> None:
    owner = container(network_mode="host", endpoints=(endpoint("host", "", gateway=""),))
    assert [t.host for t in wiring.port_targets(owner, HTTP, Where(), source, speaks=True)] == hosts


def test_an_owner_without_an_address() -> None:
    assert wiring.port_targets(NOWHERE, HTTP, Where(), None, speaks=True) == []


ANY4, ANY6 = Binding(HTTP, "0.0.0.0", 8080), Binding(HTTP, "::", 8081)
LOOP4, LOOP6 = Binding(HTTP, "127.0.0.1", 8082), Binding(HTTP, "::1", 8083)
OTHER, OTHER_LOOP = Binding(HTTP, "192.0.2.1", 8084), Binding(HTTP, "127.0.1.2", 8085)


@pytest.mark.parametrize(
    ("bindings", "source", "where", "asked"),
    [
        pytest.param([LOOP4], None, Where(), ["127.0.0.1:8082"], id="host, 127.0.0.1"),
        pytest.param([LOOP6], None, Where(), ["::1:8083"], id="host, ::1"),
        pytest.param([ANY4], None, Where(), ["127.0.0.1:8080"], id="host, any"),
        pytest.param([ANY6], None, Where(), ["::1:8081"], id="host, any of IPv6"),
        pytest.param([ANY6, ANY4], None, Where(), ["127.0.0.1:8080", "::1:8081"], id="host, both: IPv4 first"),
        pytest.param([OTHER], None, Where(), ["192.0.2.1:8084"], id="host, an address"),
        pytest.param([OTHER_LOOP], None, Where(), ["127.0.1.2:8085"], id="host, another loopback address"),
        pytest.param([ANY4], ON_HOST, Where(), ["127.0.0.1:8080"], id="host mode, any"),
        pytest.param([LOOP4], ON_HOST, Where(), ["127.0.0.1:8082"], id="host mode, 127.0.0.1"),
        pytest.param([ANY4], ON_BACK, Where(), ["172.19.0.1:8080"], id="container, any: by its own gateway"),
        pytest.param(
            [ANY4], ON_BOTH, Where(), ["172.19.0.1:8080"], id="container, any: of two, as docker chooses the way out"
        ),
        pytest.param([ANY6], ON_FRONT, Where(), ["fd00:18::1:8081"], id="container, any of IPv6"),
        pytest.param([ANY6], ON_BACK, Where(), [], id="container without IPv6, any of IPv6"),
        pytest.param([OTHER], ON_BACK, Where(), ["192.0.2.1:8084"], id="container, an address"),
        pytest.param([LOOP4], ON_BACK, Where(), ["172.19.0.1:8082"], id="container, 127.0.0.1 of the host"),
        pytest.param([OTHER_LOOP], ON_BACK, Where(), ["172.19.0.1:8085"], id="container, 127.0.1.2 of the host"),
        pytest.param([ANY4], NOWHERE, Where(), [], id="no network"),
        pytest.param([LOOP4, OTHER], None, Where(address="192.0.2.1"), ["192.0.2.1:8084"], id="on one address"),
        pytest.param([LOOP4], None, Where(address="192.0.2.1"), [], id="on an address that is not bound"),
        pytest.param([ANY4], None, Where(address="192.0.2.1"), ["192.0.2.1:8080"], id="on an address, any bound"),
        pytest.param([ANY4], None, Where(address="::1"), [], id="on IPv6, any of IPv4 bound"),
        pytest.param([ANY6], None, Where(address="fd00::1"), ["fd00::1:8081"], id="on IPv6, any of IPv6 bound"),
        pytest.param([ANY4], ON_BACK, Where(name="host.internal"), ["host.internal:8080"], id="by a name"),
        pytest.param([ANY4, ANY4], None, Where(), ["127.0.0.1:8080"], id="each once"),
        pytest.param(
            [ANY4, LOOP4],
            None,
            Where(address="127.0.0.1"),
            ["127.0.0.1:8082", "127.0.0.1:8080"],
            id="on one: its own first",
        ),
    ],
)
def test_a_bound_port(bindings: list[Binding], source: ContainerFacts | None, where: Where, asked: list[str]) -> None:
    found = wiring.bound_targets(OWNER, bindings, HTTP, where, source, speaks=True)
    assert [f"{t.host}:{t.port}" for t in found] == asked
    assert {(t.owner, t.via, t.inner) for t in found} <= {(OWNER.id, "bound port", 80)}


@pytest.mark.parametrize(
    ("bindings", "where", "far", "asked"),
    [
        pytest.param([ANY4], Where(), "docker", [("docker:8080", True)], id="any: the engine's host"),
        pytest.param([ANY4], Where(address="0.0.0.0"), "docker", [("docker:8080", True)], id="on any: so, too"),
        pytest.param([ANY6], Where(), "192.0.2.9", [], id="any of IPv6, a host by IPv4"),
        pytest.param([ANY4, ANY6], Where(), "fd00::9", [("fd00::9:8081", True)], id="both, a host by IPv6"),
        pytest.param(
            [LOOP4], Where(), "docker", [("127.0.0.1:8082", False)], id="its loopback: here there may be a tunnel"
        ),
        pytest.param([OTHER], Where(), "docker", [("192.0.2.1:8084", False)], id="an address is an address"),
        pytest.param([ANY4], Where(address="192.0.2.1"), "docker", [("192.0.2.1:8080", True)], id="on an address"),
        pytest.param([ANY4], Where(name="web"), "docker", [("web:8080", True)], id="by a name"),
    ],
)
def test_a_bound_port_of_another_machine(
    bindings: list[Binding], where: Where, far: str, asked: list[tuple[str, bool]]
) -> None:
    found = wiring.bound_targets(OWNER, bindings, HTTP, where, None, speaks=True, far=far)
    assert [(f"{t.host}:{t.port}", t.named) for t in found] == asked


@pytest.mark.parametrize(
    ("where", "far", "asked"),
    [
        pytest.param(Where(), "docker", ("docker", "name"), id="by its name"),
        pytest.param(Where(), "192.0.2.9", ("192.0.2.9", "address"), id="by its address"),
        pytest.param(Where(address="127.0.0.1"), "docker", ("127.0.0.1", "address"), id="on an address"),
        pytest.param(Where(name="web"), "docker", ("web", "name"), id="by a name"),
    ],
)
def test_an_owner_in_host_mode_of_another_machine(where: Where, far: str, asked: tuple[str, str]) -> None:
    owner = container(network_mode="host", endpoints=(endpoint("host", "", gateway=""),))
    found = wiring.port_targets(owner, HTTP, where, None, speaks=True, far=far)
    assert [(t.host, t.via) for t in found] == [asked]


def test_networks_that_both_are_on() -> None:
    assert wiring.shared_networks(OWNER, ON_BACK) == ["back"]
    assert wiring.shared_networks(ON_FRONT, ON_BACK) == []
    namesake = container(endpoints=(endpoint("back", network_id="another"),))
    assert wiring.shared_networks(namesake, ON_BACK) == []
