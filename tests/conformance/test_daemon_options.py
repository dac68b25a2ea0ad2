"""What options of the daemon change: ``--icc=false``, ``--userland-proxy=false``, IPv6 on the default bridge.

On a private engine, in a network namespace that is not this process's: "the host" there is a client in host mode.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_dockconn import Client, Container, Lab, Server, Verdict, assert_linked, assert_reachable, assert_unreachable
from tests.conformance.helpers import SHORT, returned, tcp
from tests.conformance.others import IDLE
from tests.conformance.rows import OneOf, Row, Since, Stage, params
from tests.engine.helpers import take_address

MAPPING = "moby integration/networking/port_mapping_linux_test.go"
BRIDGE_TESTS = "moby integration/networking/bridge_linux_test.go"
LEGACY = "moby integration/network/bridge: TestLegacyLink"
#: Two servers in one container that say nothing of who they are.
TWO_PORTS = ["sh", "-c", "python3 -m http.server --bind :: 80 & python3 -m http.server --bind :: 8080 & wait"]


@dataclass(frozen=True)
class Linked:
    """A server, a client that is linked to it, and one that is not."""

    server: Server
    client: Client
    stranger: Client


def linked(lab: Lab) -> Linked:
    server = lab.server()
    return Linked(server, lab.client(links={"db": server}), lab.client())


def the_host(lab: Lab) -> Client:
    return lab.client(network_mode="host")


def bound(lab: Lab) -> Server:
    return lab.server(bind={80: [("0.0.0.0", None), ("::", None)]})


# --- icc -------------------------------------------------------------------------------------------------------------


def unlinked(stage: Stage) -> Verdict:
    pair = stage.once(linked)
    return assert_unreachable(pair.stranger, pair.server.port(80).on(pair.server.ip), timeout=SHORT).verdict


def by_every_name(stage: Stage) -> dict[str, Verdict]:
    pair = stage.once(linked)
    assert_linked(pair.client, pair.server, "db")
    port = pair.server.port(80)
    ways = {"address": port.on(pair.server.ip), "alias": port.named("db"), "name": port.named(pair.server.engine_name)}
    return {way: assert_reachable(pair.client, asked).verdict for way, asked in ways.items()}


def exposed_and_not(stage: Stage) -> dict[str, Verdict]:
    """Two ports, one of them exposed, and a client that is linked."""
    source = stage.others.run(TWO_PORTS, ports=[80])
    client = stage.lab.client(links={"db": source})
    return {
        "exposed": assert_reachable(client, source.port(80).on(source.ip)).verdict,
        "not exposed": assert_unreachable(client, source.port(8080).on(source.ip), timeout=SHORT).verdict,
    }


def published(stage: Stage) -> Verdict:
    """A port that is bound counts as exposed for whoever is linked."""
    server = stage.lab.server(expose=(), bind={8080: None})
    return assert_reachable(stage.lab.client(links={"db": server}), server.port(8080).on(server.ip)).verdict


def the_other_way(stage: Stage) -> Verdict:
    """The source of the link asks its recipient."""
    source = stage.lab.server()
    recipient = stage.lab.server(links={"db": source})
    assert_reachable(recipient, source.port(80).on(source.ip))
    return assert_unreachable(source, recipient.port(80).on(recipient.ip), timeout=SHORT).verdict


def address_of_a_former_client(stage: Stage) -> Verdict:
    """The linked client is gone, and somebody else has its address."""
    server = stage.lab.server()
    client = stage.lab.client(links={"db": server})
    assert_reachable(client, server.port(80).on(server.ip))
    address = client.ip
    client.stop()
    stranger = take_address(stage.lab, address, expose=())
    return assert_unreachable(stranger, server.port(80).on(server.ip), timeout=SHORT).verdict


def from_the_host(stage: Stage) -> Verdict:
    server = stage.once(linked).server
    return assert_reachable(stage.once(the_host), server.port(80).on(server.ip)).verdict


def on_user_network(stage: Stage) -> Verdict:
    network = stage.lab.network()
    server, client = stage.lab.server(networks=[network]), stage.lab.client(networks=[network])
    return assert_reachable(client, server.port(80)).verdict


def as_told(stage: Stage) -> bool:
    return stage.lab.bridge.icc


def ipv6_of_a_link(stage: Stage) -> Verdict:
    pair = stage.once(linked)
    return assert_unreachable(pair.client, pair.server.port(80).on(pair.server.ip6), timeout=SHORT).verdict


def ipv6_unlinked(stage: Stage) -> Verdict:
    pair = stage.once(linked)
    return assert_unreachable(pair.stranger, pair.server.port(80).on(pair.server.ip6), timeout=SHORT).verdict


ICC: list[Row[Any]] = [
    Row(
        name="the bridge says so",
        set_up=as_told,
        probe=returned,
        expected=False,
        source="docker network inspect bridge: com.docker.network.bridge.enable_icc",
    ),
    Row(
        name="not linked",
        set_up=unlinked,
        probe=returned,
        expected=Verdict.TIMED_OUT,
        source=f"{BRIDGE_TESTS}: TestBridgeICC; {LEGACY}",
    ),
    Row(
        name="not linked, by IPv6",
        set_up=ipv6_unlinked,
        probe=returned,
        expected=Verdict.TIMED_OUT,
        source=f"{BRIDGE_TESTS}: TestBridgeICC",
        caveat="before 27.0 only with --ip6tables",
    ),
    Row(
        name="linked",
        set_up=by_every_name,
        probe=returned,
        expected=dict.fromkeys(("address", "alias", "name"), Verdict.REACHABLE),
        source=LEGACY,
    ),
    Row(
        name="linked, by IPv6",
        set_up=ipv6_of_a_link,
        probe=returned,
        expected=Verdict.TIMED_OUT,
        source="moby libnetwork drivers/bridge/link.go writes rules for IPv4 only; seen on 20.10.24",
    ),
    Row(
        name="linked, a port that is not exposed",
        set_up=exposed_and_not,
        probe=returned,
        expected={"exposed": Verdict.REACHABLE, "not exposed": Verdict.TIMED_OUT},
        source=LEGACY,
    ),
    Row(
        name="linked, a published port",
        set_up=published,
        probe=returned,
        expected=Verdict.REACHABLE,
        source="moby daemon: exposed or published ports",
    ),
    Row(
        name="the other way round",
        set_up=the_other_way,
        probe=returned,
        expected=Verdict.TIMED_OUT,
        source="moby libnetwork drivers/bridge/link.go: from the source only what belongs to its own port",
    ),
    Row(
        name="the address of a client that is gone",
        set_up=address_of_a_former_client,
        probe=returned,
        expected=Verdict.TIMED_OUT,
        source="moby integration/network/bridge: TestRemoveLegacyLink",
    ),
    Row(
        name="from the host",
        set_up=from_the_host,
        probe=returned,
        expected=Verdict.REACHABLE,
        source="moby docs: packet filtering; what the host itself sends is not forwarded",
    ),
    Row(
        name="a network of one's own has it on",
        set_up=on_user_network,
        probe=returned,
        expected=Verdict.REACHABLE,
        source="dockerd --icc: the default bridge only",
    ),
]


@pytest.mark.parametrize("row", params(ICC))
def test_icc_off(row: Row[Any], private_stage: Stage) -> None:
    row.check(private_stage)


# --- no userland proxy -----------------------------------------------------------------------------------------------


def from_the_host_to(*addresses: str) -> Callable[[Stage], list[Verdict]]:
    def set_up(stage: Stage) -> list[Verdict]:
        host, port = stage.once(the_host), stage.once(bound).bound_port(80)
        asked = [address or stage.lab.bridge.gateway for address in addresses]
        return [host.probe(port.on(address)).verdict for address in asked]

    return set_up


def nothing_listens(stage: Stage) -> Verdict:
    other = stage.others.run(IDLE, host={"port_bindings": {"80/tcp": ("127.0.0.1",)}}, ports=[80])
    return tcp(stage.once(the_host), "127.0.0.1", other.bound_port(80).number)


def from_a_neighbour(stage: Stage) -> Verdict:
    """On a network where icc is on; by its gateway."""
    network = stage.lab.network()
    server = stage.lab.server(networks=[network], bind={80: ("0.0.0.0", None)})
    client = stage.lab.client(networks=[network])
    return client.probe(server.bound_port(80).on(network.gateway)).verdict


def ipv6_to_ipv4(address: str) -> Callable[[Stage], str]:
    """A container with IPv4 only, wished to be bound to every IPv6 address of the host, asked by one of them."""

    def set_up(stage: Stage) -> str:
        server: Container = stage.lab.server(networks=[stage.lab.network()], bind={80: ("::", None)})
        assert server.ip6 == ""
        host = stage.once(the_host)
        asked = address or _ipv6_of_bridge(host)
        numbers = [b.host_port for b in server.facts().bindings if ":" in b.address]
        if not numbers:
            return "not bound"
        seen = {host.probe(f"http://[{asked}]:{number}/").verdict for number in numbers}
        return "reached" if Verdict.REACHABLE in seen else "not reached"

    return set_up


def _ipv6_of_bridge(host: Client) -> str:
    """The host's own IPv6 address on docker0."""
    lines = host.run("cat", "/proc/net/if_inet6").stdout.splitlines()
    found = next(line.split()[0] for line in lines if line.endswith("docker0") and line.startswith("fd00"))
    return str(ipaddress.IPv6Address(int(found, 16)))


#: It takes a proxy to get from IPv6 to IPv4.
NOT_BY_IPV6 = Since("23.0", then=OneOf("not bound", "not reached"), before="not bound")
NO_PROXY: list[Row[Any]] = [
    Row(
        name="IPv4, from the host: loopback and the bridge",
        set_up=from_the_host_to("127.0.0.1", ""),
        probe=returned,
        expected=[Verdict.REACHABLE] * 2,
        source=f"{MAPPING}: TestAccessPublishedPortFromHost, without the userland proxy",
    ),
    Row(
        name="::1, from the host",
        set_up=lambda stage: from_the_host_to("::1")(stage)[0] is Verdict.REACHABLE,
        probe=returned,
        expected=False,
        source=f"{MAPPING}: TestAccessPublishedPortFromHost, without the userland proxy",
    ),
    Row(
        name="::1 to a container with IPv4 only",
        set_up=ipv6_to_ipv4("::1"),
        probe=returned,
        expected=NOT_BY_IPV6,
        source=f"{MAPPING}: TestProxy4To6; seen on 20.10.24",
        caveat="20.10 does not even bind it, in silence",
    ),
    Row(
        name="the host's IPv6 address to a container with IPv4 only",
        set_up=ipv6_to_ipv4(""),
        probe=returned,
        expected=NOT_BY_IPV6,
        source=f"{MAPPING}: TestProxy4To6; seen on 20.10.24",
        caveat="20.10 does not even bind it, in silence",
    ),
    Row(
        name="nothing listens",
        set_up=nothing_listens,
        probe=returned,
        expected=Verdict.REFUSED,
        source="no proxy is there that would accept first",
    ),
    Row(
        name="from a neighbour, by the gateway",
        set_up=from_a_neighbour,
        probe=returned,
        expected=Verdict.REACHABLE,
        source=f"{MAPPING}: TestPortMappedHairpinTCP",
    ),
]


@pytest.mark.parametrize("row", params(NO_PROXY))
def test_without_userland_proxy(row: Row[Any], private_stage: Stage) -> None:
    row.check(private_stage)


# --- IPv6 on the default bridge --------------------------------------------------------------------------------------


def given(stage: Stage) -> bool:
    server = stage.once(linked).server
    return ipaddress.ip_address(server.ip6) in ipaddress.ip_network("fd00:d0c::/64")


def ipv6_from_the_host(stage: Stage) -> Verdict:
    server = stage.once(linked).server
    return assert_reachable(stage.once(the_host), server.port(80).on(server.ip6)).verdict


def ipv6_bound(stage: Stage) -> Verdict:
    """A port of every IPv6 address, asked by the host's own on docker0."""
    host, port = stage.once(the_host), stage.once(bound).bound_port(80)
    return assert_reachable(host, port.on(_ipv6_of_bridge(host))).verdict


def two_lines(stage: Stage) -> bool:
    pair = stage.once(linked)
    return pair.client.hosts["db"] == (pair.server.ip, pair.server.ip6)


IPV6: list[Row[Any]] = [
    Row(
        name="an address of the daemon's subnet",
        set_up=given,
        probe=returned,
        expected=True,
        source=f"{BRIDGE_TESTS}: TestDefaultBridgeIPv6",
    ),
    Row(
        name="from the host",
        set_up=ipv6_from_the_host,
        probe=returned,
        expected=Verdict.REACHABLE,
        source=f"{BRIDGE_TESTS}: TestDefaultBridgeIPv6",
    ),
    Row(
        name="a bound port, from the host",
        set_up=ipv6_bound,
        probe=returned,
        expected=Verdict.REACHABLE,
        source=f"{MAPPING}: TestAccessPublishedPortFromHost",
        caveat="before 27.0 only with --ip6tables",
    ),
    Row(
        name="a link has a line of each family",
        set_up=two_lines,
        probe=returned,
        expected=True,
        source="moby daemon: addLegacyLinks writes both",
    ),
]


@pytest.mark.parametrize("row", params(IPV6))
def test_ipv6_on_the_default_bridge(row: Row[Any], private_stage: Stage) -> None:
    row.check(private_stage)
