"""Networks: the default bridge, bridges of one's own, internal ones, names, addresses, options."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_dockconn import Client, Lab, Network, Server, Verdict, assert_reachable, assert_unreachable
from tests.conformance.helpers import OWN_NAME_SERVER, SHORT, Call, asker, by_name, returned
from tests.conformance.others import engine_says
from tests.conformance.rows import Docker, OneOf, Row, Says, Since, Stage, params, refused
from tests.engine import scenes
from tests.engine.scenes import Placed
from tests.shared import there

NETWORK_TESTS = "moby integration-cli/docker_cli_network_unix_test.go"
RUN_TESTS = "moby integration-cli/docker_cli_run_test.go"
BRIDGE_TESTS = "moby integration/networking/bridge_linux_test.go"
LIBNETWORK = "moby libnetwork"
#: An address that is nobody's (RFC 5737); nothing answers, and nothing is disturbed.
OUTSIDE = "tcp://198.51.100.7:80"


def on_default(stage: Stage) -> tuple[Server, Client]:
    """The client hears at once of names that do not exist."""
    return stage.once(scenes.plain).server, stage.once(scenes.nameless)


# --- names -----------------------------------------------------------------------------------------------------------


def names(*wanted: Callable[[Placed], str]) -> Callable[[Stage], list[Verdict]]:
    """What comes of asking a server by each of these names."""

    def set_up(stage: Stage) -> list[Verdict]:
        pair = stage.once(scenes.named)
        return [by_name(pair.client, pair.server, name(pair)) for name in wanted]

    return set_up


def its_name(pair: Placed) -> str:
    return pair.server.engine_name


def its_network(pair: Placed) -> str:
    return pair.network.engine_name


def with_hostname(stage: Stage) -> dict[str, Verdict]:
    """A server with a hostname of its own: by that, and by its short id."""
    network = stage.once(scenes.named).network
    server = stage.lab.server(networks=[network], hostname="mail")
    client = stage.once(scenes.named).client
    return {
        "hostname": by_name(client, server, "mail"),
        "short id": by_name(client, server, server.id[:12]),
        "name": by_name(client, server, server.engine_name),
    }


def on_the_default_network(stage: Stage) -> dict[str, Verdict]:
    server, client = on_default(stage)
    found = {"name": server.engine_name, "short id": server.id[:12]}
    return {what: by_name(client, server, name) for what, name in found.items()}


def shared_alias(stage: Stage) -> bool:
    """Whether a name that two have leads to both."""
    pair = stage.once(scenes.named)
    two = [stage.lab.server(networks=[pair.network], aliases=["both"]) for _ in range(2)]
    return set(pair.client.probe("dns://both").addresses) == {server.ip for server in two}


def connected_later(stage: Stage) -> list[Verdict]:
    """Before it joins, when it has, and when it has left."""
    pair = stage.once(scenes.named)
    server = stage.lab.server()
    seen = [by_name(pair.client, server, "later")]
    pair.network.connect(server, aliases=["later"])
    seen.append(by_name(pair.client, server, "later"))
    pair.network.disconnect(server)
    return [*seen, by_name(pair.client, server, "later")]


def stopped_and_started(stage: Stage) -> list[list[Verdict]]:
    """A peer on two networks, asked by its name from both: while it is stopped, and afterwards."""
    one, two = stage.lab.network(), stage.lab.network()
    server = stage.lab.server(networks=[one, two], aliases=["peer"])
    clients = [asker(stage.lab, networks=[network]) for network in (one, two)]
    assert all(by_name(client, server, "peer") is Verdict.REACHABLE for client in clients)
    server.stop()
    gone = [client.probe("dns://peer").verdict for client in clients]
    server.start()
    return [gone, [by_name(client, server, "peer") for client in clients]]


def per_network(stage: Stage) -> list[Verdict]:
    """An alias of one network, asked on the other."""
    one, two = stage.once(scenes.apart).network, stage.once(scenes.named).network
    server = stage.lab.server(networks=[one], aliases=["only-here"])
    two.connect(server)
    client = stage.once(scenes.named).client
    return [by_name(client, server, "only-here"), by_name(client, server, server.engine_name)]


def file_of(container: Client, path: str) -> str:
    return container.run("cat", path).stdout


def name_servers(stage: Stage) -> list[list[str]]:
    """Of a client on a network of one's own, and of one on the default network."""
    clients = [stage.once(scenes.named).client, on_default(stage)[1]]
    lines = [file_of(client, "/etc/resolv.conf").splitlines() for client in clients]
    return [[line.split()[1] for line in found if line.startswith("nameserver")] for found in lines]


def own_line(stage: Stage) -> bool:
    """Whether /etc/hosts has the container's own hostname at its own address."""
    client = stage.once(scenes.named).client
    return client.hosts[client.id[:12]] == (client.ip,)


def own_lines_after_leaving(stage: Stage) -> set[str]:
    """On which of two networks the own lines of /etc/hosts are, once it has left one of them."""
    one, two = stage.once(scenes.apart).network, stage.once(scenes.named).network
    client = stage.lab.client(networks=[one, two])
    addresses = {client.ip_on(one): "left", client.ip_on(two): "stayed"}
    assert set(client.hosts[client.id[:12]]) == set(addresses)
    one.disconnect(client)
    return {addresses[ip] for ip in client.hosts.get(client.id[:12], ())}


def host_gateway(stage: Stage) -> bool:
    client = stage.lab.client(extra_hosts={"hg": "host-gateway"})
    return stage.lab.bridge.gateway in client.hosts["hg"]


UNKNOWN = Verdict.NAME_NOT_FOUND
NAMES: list[Row[Any]] = [
    Row(
        name="name, short id, aliases",
        set_up=names(its_name, lambda pair: pair.server.id[:12], lambda _: "db", lambda _: "mail.example"),
        probe=returned,
        expected=[Verdict.REACHABLE] * 4,
        source=f"{NETWORK_TESTS}: TestDockerNetworkAnonymousEndpoint, TestUserDefinedNetworkConnectivity",
    ),
    Row(
        name="name.network, and no further suffix",
        set_up=names(
            lambda pair: f"{its_name(pair)}.{its_network(pair)}",
            lambda pair: f"db.{its_network(pair)}",
            lambda pair: f"{its_name(pair)}.{its_network(pair)}.example",
        ),
        probe=returned,
        expected=Docker([Verdict.REACHABLE, Verdict.REACHABLE, UNKNOWN], podman=[UNKNOWN] * 3),
        source=f"{NETWORK_TESTS}: TestUserDefinedNetworkConnectivity",
    ),
    Row(
        name="a name that is nobody's",
        set_up=names(lambda _: "nobody"),
        probe=returned,
        expected=[UNKNOWN],
        source=f"{NETWORK_TESTS}: TestEmbeddedDNSInvalidInput",
    ),
    Row(
        name="a hostname of its own",
        set_up=with_hostname,
        probe=returned,
        expected=dict.fromkeys(("hostname", "short id", "name"), Verdict.REACHABLE),
        source=f"{LIBNETWORK}: DNS names of an endpoint",
    ),
    Row(
        name="the default network has no names",
        set_up=on_the_default_network,
        probe=returned,
        expected={"name": UNKNOWN, "short id": UNKNOWN},
        source=f"{NETWORK_TESTS}: TestDockerNetworkNoDiscoveryDefaultBridgeNetwork",
    ),
    Row(
        name="one alias of two",
        set_up=shared_alias,
        probe=returned,
        expected=True,
        source=f"{RUN_TESTS}: TestUserDefinedNetworkAlias; {LIBNETWORK}: service records",
    ),
    Row(
        name="an alias from joining to leaving",
        set_up=connected_later,
        probe=returned,
        expected=[UNKNOWN, Verdict.REACHABLE, UNKNOWN],
        source=f"{NETWORK_TESTS}: TestUserDefinedNetworkConnectDisconnectAlias",
    ),
    Row(
        name="an alias belongs to one network",
        set_up=per_network,
        probe=returned,
        expected=[UNKNOWN, Verdict.REACHABLE],
        source=f"{NETWORK_TESTS}: TestUserDefinedNetworkConnectDisconnectAlias",
    ),
    Row(
        name="a peer on two networks, stopped and started",
        set_up=stopped_and_started,
        probe=returned,
        expected=[[UNKNOWN] * 2, [Verdict.REACHABLE] * 2],
        source=f"{RUN_TESTS}: TestContainerRestartInMultipleNetworks",
    ),
    Row(
        name="resolv.conf",
        set_up=name_servers,
        probe=returned,
        expected=Docker([["127.0.0.11"], [*OWN_NAME_SERVER]], podman=OneOf([[*OWN_NAME_SERVER]] * 2)),
        source=f"{LIBNETWORK}: the embedded name server",
    ),
    Row(
        name="its own line of /etc/hosts",
        set_up=own_line,
        probe=returned,
        expected=True,
        source="moby integration/networking/etchosts_test.go: TestEtcHostsIpv6",
    ),
    Row(
        name="its own lines once it left one of two networks",
        set_up=own_lines_after_leaving,
        probe=returned,
        expected=Since("28.0", then={"stayed"}, before=set()),
        source="moby integration/networking/etchosts_test.go: TestEtcHostsDisconnect; seen on 20.10.24",
        caveat="before 28.0 (moby commit 354dfdb928) the lines of both go",
    ),
    Row(
        name="host-gateway",
        set_up=host_gateway,
        probe=returned,
        expected=Docker(True, podman=OneOf(True, False)),
        source="moby integration/network/network_linux_test.go: TestHostGatewayFromDocker0",
        caveat="20.10 on",
    ),
    Row(
        name="host.docker.internal is not there by itself",
        set_up=lambda stage: on_default(stage)[1],
        probe=lambda client: "host.docker.internal" in client.hosts,
        expected=Docker(False, podman=True),
        source="docs.docker.com: on Linux --add-host=host.docker.internal:host-gateway is needed",
    ),
]


@pytest.mark.parametrize("row", params(NAMES))
def test_names(row: Row[Any], stage: Stage) -> None:
    row.check(stage)


# --- isolation -------------------------------------------------------------------------------------------------------


def across(stage: Stage) -> list[Verdict]:
    """Two bridges of one's own, and the default one."""
    pair = stage.once(scenes.named)
    server, client = on_default(stage)
    other = stage.once(scenes.apart).client
    asked = [(other, pair.server), (client, pair.server), (pair.client, server)]
    return [assert_unreachable(source, owner.port(80), timeout=SHORT).verdict for source, owner in asked]


def joined(stage: Stage) -> list[Verdict]:
    """A client of another network that joins, and leaves again."""
    pair = stage.once(scenes.named)
    client = stage.lab.client(networks=[stage.once(scenes.apart).network])
    port = pair.server.port(80).on(pair.server.ip)
    seen = [client.probe(port, timeout=SHORT).verdict]
    pair.network.connect(client)
    seen.append(client.probe(port).verdict)
    pair.network.disconnect(client)
    return [*seen, client.probe(port, timeout=SHORT).verdict]


def outside_of_internal(stage: Stage) -> Verdict:
    return stage.once(scenes.internal).client.probe(OUTSIDE, timeout=SHORT).verdict


def inside_of_internal(stage: Stage) -> dict[str, Verdict]:
    pair = stage.once(scenes.internal)
    return {
        "peer": pair.client.probe(pair.server.port(80)).verdict,
        "gateway": pair.client.probe(f"icmp://{pair.network.gateway}").verdict,
        "from the host": stage.host.probe(pair.server.port(80)).verdict,
    }


#: Answers every question for an address with 192.0.2.7, as a name server out there would; echoes what is no question.
ANSWERS = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 53))
while True:
    asked, who = server.recvfrom(512)
    if 0 not in asked[12:-4]:
        server.sendto(asked, who)
        continue
    end = asked.index(0, 12) + 5
    kind = asked[end - 3]
    head = asked[:2] + bytes((0x81, 0x80, 0, 1, 0, 1 if kind == 1 else 0, 0, 0, 0, 0)) + asked[12:end]
    server.sendto(head + (bytes((0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 7)) if kind == 1 else b""), who)
"""


def name_from_afar(stage: Stage) -> Verdict:
    """On an internal network, a name that a name server out there would know; nobody is there to answer."""
    client = stage.lab.client(networks=[stage.once(scenes.internal).network], dns=["198.51.100.53"])
    return client.probe("dns://somewhere.example", timeout=SHORT).verdict


def name_from_beside(internal: bool) -> Callable[[Stage], str]:
    """What a client gets for a name that the engine has to ask a name server on the same network for, which answers it."""

    def set_up(stage: Stage) -> str:
        network = stage.lab.network(internal=internal)
        server = stage.lab.server(networks=[network], expose=(), command=["python3", "-c", ANSWERS])
        assert_reachable(server, "udp://127.0.0.1:53")
        client = stage.lab.client(networks=[network], dns=[server.ip])
        found = client.probe("dns://somewhere.example", timeout=2.0)
        return ", ".join(found.addresses) or str(found.verdict)

    return set_up


def icc_off(stage: Stage) -> dict[str, Verdict]:
    pair = stage.once(scenes.icc_off)
    return {
        "peer": assert_unreachable(pair.client, pair.server.port(80), timeout=SHORT).verdict,
        "from the host": stage.host.probe(pair.server.port(80)).verdict,
    }


def without_network(stage: Stage) -> tuple[Verdict, list[str]]:
    client = stage.once(scenes.without_network)
    return client.probe(on_default(stage)[0].port(80)).verdict, client.run("ls", "/sys/class/net").stdout.split()


def in_the_hosts_namespace(stage: Stage) -> tuple[Verdict, bool]:
    """A client in host mode: the host's loopback is its own, and it sees the bridge."""
    bound, client = stage.once(scenes.bound), stage.once(scenes.on_the_hosts_network)
    names = client.run("ls", "/sys/class/net").stdout.split()
    return client.probe(bound.bound_port(80)).verdict, stage.lab.bridge.name in names


ISOLATION: list[Row[Any]] = [
    Row(
        name="bridges are apart",
        set_up=across,
        probe=returned,
        expected=[Verdict.TIMED_OUT] * 3,
        source=f"{RUN_TESTS}: TestContainersNetworkIsolation; {BRIDGE_TESTS}: TestBridgeINC",
    ),
    Row(
        name="joining and leaving",
        set_up=joined,
        probe=returned,
        expected=[Verdict.TIMED_OUT, Verdict.REACHABLE, Verdict.TIMED_OUT],
        source=f"{RUN_TESTS}: TestContainersInMultipleNetworks",
    ),
    Row(
        name="internal: outside",
        set_up=outside_of_internal,
        probe=returned,
        expected=Since("25.0", then=Verdict.NO_ROUTE, before=Verdict.TIMED_OUT),
        source=f"{BRIDGE_TESTS}: TestInternalNwConnectivity; seen on 20.10.24",
        caveat="before 25.0 its containers do have a default route, and a rule of the firewall drops what takes it",
    ),
    Row(
        name="internal: peer, gateway, host",
        set_up=inside_of_internal,
        probe=returned,
        expected=dict.fromkeys(("peer", "gateway", "from the host"), Verdict.REACHABLE),
        source=f"{BRIDGE_TESTS}: TestInternalNwConnectivity",
        requires=("container-addresses",),
    ),
    Row(
        name="internal: a name from outside",
        set_up=name_from_afar,
        probe=returned,
        expected=Since("23.0.11", then=Verdict.NAME_NOT_FOUND, before=Verdict.TIMED_OUT),
        source="moby integration/networking/resolvconf_test.go: TestInternalNetworkDNS",
        caveat="23.0.11 on says SERVFAIL at once; before, the question is dropped on its way out",
    ),
    Row(
        name="internal: a name server beside it",
        set_up=name_from_beside(internal=True),
        probe=returned,
        expected=Since(
            "26.1.3",
            then="192.0.2.7",
            before=Since("23.0.11", then=OneOf("192.0.2.7", str(UNKNOWN)), before="192.0.2.7"),
        ),
        source="moby integration/networking/resolvconf_test.go: TestInternalNetworkLocalDNS",
        caveat="for a while after 23.0.11 nobody at all was asked",
    ),
    Row(
        name="not internal: a name server beside it",
        set_up=name_from_beside(internal=False),
        probe=returned,
        expected="192.0.2.7",
        source="moby integration/networking/resolvconf_test.go: TestInternalNetworkDNS",
    ),
    Row(
        name="icc off",
        set_up=icc_off,
        probe=returned,
        expected={"peer": Verdict.TIMED_OUT, "from the host": Verdict.REACHABLE},
        source=f"{LIBNETWORK}: com.docker.network.bridge.enable_icc",
        requires=("icc", "container-addresses"),
    ),
    Row(
        name="network_mode none",
        set_up=without_network,
        probe=returned,
        expected=(Verdict.NO_ROUTE, ["lo"]),
        source=f"{RUN_TESTS}: TestRunLoopbackOnlyExistsWhenNetworkingDisabled",
    ),
    Row(
        name="network_mode host",
        set_up=in_the_hosts_namespace,
        probe=returned,
        expected=(Verdict.REACHABLE, True),
        source=f"{RUN_TESTS}: TestRunNetHost",
        requires=("host-network",),
    ),
]


@pytest.mark.parametrize("row", params(ISOLATION))
def test_isolation(row: Row[Any], stage: Stage) -> None:
    row.check(stage)


# --- addresses and options -------------------------------------------------------------------------------------------


def free_subnet(lab: Lab) -> str:
    """One that no network has, of those that RFC 2544 keeps for measurements."""
    taken = [ipaddress.ip_network(s) for n in lab.host.services.engine.networks() for s in n.subnets if ":" not in s]
    fields = ipaddress.ip_network("198.18.0.0/15").subnets(new_prefix=24)
    return str(next(field for field in fields if not any(field.overlaps(other) for other in taken)))


@dataclass(frozen=True)
class Numbered:
    """A network of a subnet of one's own, and a client on it."""

    network: Network
    subnet: str
    client: Client


def numbered(lab: Lab) -> Numbered:
    wanted = free_subnet(lab)
    network = lab.network(subnet=wanted)
    return Numbered(network, wanted, lab.client(networks=[network]))


def static_address(stage: Stage) -> list[bool]:
    """Before and after a stop, while which another container comes for an address."""
    network = stage.once(numbered).network
    wanted = str(ipaddress.ip_network(network.subnets[0])[77])
    server = stage.lab.server(networks={network: wanted})
    seen = [server.ip == wanted]
    server.stop()
    stage.lab.client(networks=[network])
    server.start()
    return [*seen, server.ip_on(network) == wanted]


def joined_with_address(stage: Stage) -> bool:
    network = stage.once(numbered).network
    wanted = str(ipaddress.ip_network(network.subnets[0])[78])
    client = stage.lab.client()
    network.connect(client, ip=wanted)
    return client.ip_on(network) == wanted


def mtu(stage: Stage) -> str:
    network = stage.lab.network(options={"com.docker.network.driver.mtu": "1234"})
    return file_of(stage.lab.client(networks=[network]), "/sys/class/net/eth0/mtu").strip()


def ipv6(stage: Stage) -> tuple[bool, Verdict]:
    """The lab draws a subnet where the engine can't."""
    network = stage.lab.network(ipv6=True)
    server, client = stage.lab.server(networks=[network]), stage.lab.client(networks=[network])
    unique_local = ipaddress.ip_address(server.ip6) in ipaddress.ip_network("fd00::/8")
    return unique_local, assert_reachable(client, server.port(80).on(server.ip6)).verdict


def no_ipv6(stage: Stage) -> str:
    return stage.once(scenes.named).server.ip6


def subnet_as_asked(stage: Stage) -> bool:
    made = stage.once(numbered)
    inside = ipaddress.ip_address(made.client.ip) in ipaddress.ip_network(made.subnet)
    return made.network.subnets == (made.subnet,) and inside


ADDRESSES: list[Row[Any]] = [
    Row(
        name="a subnet",
        set_up=subnet_as_asked,
        probe=returned,
        expected=True,
        source=f"{NETWORK_TESTS}: TestDockerNetworkCustomIPAM",
    ),
    Row(
        name="a static address, stopped and started",
        set_up=static_address,
        probe=returned,
        expected=[True, True],
        source=f"{NETWORK_TESTS}: TestDockerNetworkConnectPreferredIP",
    ),
    Row(
        name="a static address on joining",
        set_up=joined_with_address,
        probe=returned,
        expected=True,
        source=f"{NETWORK_TESTS}: TestDockerNetworkConnectPreferredIP",
    ),
    Row(
        name="MTU",
        set_up=mtu,
        probe=returned,
        expected="1234",
        source=f"{NETWORK_TESTS}: TestDockerNetworkDriverOptions",
    ),
    Row(
        name="IPv6",
        set_up=ipv6,
        probe=returned,
        expected=(True, Verdict.REACHABLE),
        source="moby integration/network/bridge: TestCreateWithIPv6DefaultsToULAPrefix",
        caveat="27.0 on by the engine itself; before, the plugin names a subnet",
    ),
    Row(
        name="no IPv6 unless it is asked for",
        set_up=no_ipv6,
        probe=returned,
        expected="",
        source=f"{BRIDGE_TESTS}: TestNonIPv6Network",
    ),
]


@pytest.mark.parametrize("row", params(ADDRESSES))
def test_addresses_and_options(row: Row[Any], stage: Stage) -> None:
    row.check(stage)


# --- refused ---------------------------------------------------------------------------------------------------------


def alias_in(**place: Any) -> Callable[[Stage], Call]:
    return lambda stage: lambda: stage.lab.server(aliases=["db"], **place)


REFUSED: list[Row[Any]] = [
    Row(
        name="an alias on the default network",
        set_up=alias_in(),
        probe=refused,
        expected=Says("the default network has no DNS"),
        source=f"{RUN_TESTS}: TestRunWithNetAliasOnDefaultNetworks",
    ),
    Row(
        name="an alias on the default network, by its name",
        set_up=alias_in(networks=["bridge"]),
        probe=refused,
        expected=Docker(Says("the default network has no DNS"), podman=Says("there is no network")),
        source=f"{RUN_TESTS}: TestRunWithNetAliasOnDefaultNetworks",
    ),
    Row(
        name="an alias in host mode",
        set_up=alias_in(network_mode="host"),
        probe=refused,
        expected=Says("aliases does not go with network_mode='host'"),
        source=f"{RUN_TESTS}: TestRunWithNetAliasOnDefaultNetworks",
    ),
    Row(
        name="an alias in none mode",
        set_up=alias_in(network_mode="none"),
        probe=refused,
        expected=Says("aliases does not go with network_mode='none'"),
        source=f"{RUN_TESTS}: TestRunWithNetAliasOnDefaultNetworks",
    ),
    Row(
        name="a network's name twice",
        set_up=lambda stage: [stage.lab.network("front"), lambda: stage.lab.network("front")][1],
        probe=refused,
        expected=Says("the name 'front' is taken in this lab"),
        source="moby integration/network/network_linux_test.go: TestForbidDuplicateNetworkNames",
    ),
]


@pytest.mark.parametrize("row", params(REFUSED))
def test_refused_before_anything_is_made(row: Row[Any], stage: Stage) -> None:
    row.check(stage)
    assert stage.lab.containers == []


def alias_on_joining(stage: Stage) -> Call:
    """The engine is asked by the network that the default one is known by."""
    api, server = stage.others.api, stage.lab.server(networks=[stage.once(scenes.apart).network])
    default = stage.host.services.default_network
    return lambda: api.connect_container_to_network(server.id, default, aliases=["db"])


def with_a_running_endpoint(stage: Stage) -> Call:
    network = stage.once(scenes.apart).network
    return lambda: stage.others.api.remove_network(network.id)


def ipv6_without_a_subnet(stage: Stage) -> str:
    """Empty where the engine chooses one itself."""
    try:
        stage.others.network(enable_ipv6=True)
    except Exception as error:
        return str(error)
    return ""


def one_name_twice(stage: Stage) -> bool:
    """Whether the engine lets two networks have one name if it is not asked to look."""
    name = stage.others.name("twice")
    stage.others.network(name)
    try:
        stage.others.network(name, check_duplicate=False)
    except Exception:
        return False
    return True


def static_on_default(stage: Stage) -> Call:
    default = stage.host.services.default_network
    wanted = str(ipaddress.ip_network(stage.lab.bridge.subnet)[200])
    return lambda: stage.lab.client(networks={default: wanted})


def behind(stage: Stage) -> str:
    """The state of a container whose start was refused."""
    number = stage.once(scenes.bound).bound_port(80).number
    made = stage.others.create(host={"port_bindings": {"80/tcp": ("127.0.0.1", number)}}, ports=[80])
    engine_says(lambda: stage.others.api.start(made))
    return stage.lab.adopt(made).facts().status


def taken_address(stage: Stage) -> Call:
    made = stage.once(numbered)
    return lambda: stage.lab.client(networks={made.network: made.client.ip})


ENGINE_REFUSES: list[Row[Any]] = [
    Row(
        name="an alias on joining the default network",
        set_up=alias_on_joining,
        probe=engine_says,
        expected=OneOf(
            Says("network-scoped alias is supported only for containers in user defined networks"),
            Says("network-scoped aliases are only supported for user-defined networks"),
        ),
        source=f"{NETWORK_TESTS}: TestDockerNetworkConnectWithAliasOnDefaultNetworks",
        caveat="other words from 25.0 on",
    ),
    Row(
        name="a network that is in use",
        set_up=with_a_running_endpoint,
        probe=engine_says,
        expected=Docker(Says("has active endpoints"), podman=Says("")),
        source=f"{RUN_TESTS}: TestNetworkRmWithActiveContainers",
    ),
    Row(
        name="IPv6 without a subnet",
        set_up=ipv6_without_a_subnet,
        probe=returned,
        expected=Since("27.0", then="", before=Says("could not find an available, non-overlapping IPv6 address pool")),
        source="moby release notes of 27.0; seen on 20.10.24",
    ),
    Row(
        name="one name twice",
        set_up=one_name_twice,
        probe=returned,
        expected=Since("25.0", then=False, before=True),
        source="moby integration/network/network_linux_test.go: TestForbidDuplicateNetworkNames",
        caveat="before 25.0 only where the caller asks it to look",
    ),
    Row(
        name="a start that failed stays behind",
        set_up=behind,
        probe=returned,
        expected="created",
        source="seen on 20.10.24",
    ),
]


@pytest.mark.parametrize("row", params(ENGINE_REFUSES))
def test_the_engine_refuses(row: Row[Any], stage: Stage) -> None:
    row.check(stage)


LEAVES_NOTHING: list[Row[Any]] = [
    Row(
        name="a static address on the default network",
        set_up=static_on_default,
        probe=refused,
        expected=Docker(Says("user specified IP address is supported on user defined networks only"), podman=Says("")),
        source=f"{NETWORK_TESTS}: TestDockerNetworkUnsupportedRequiredIP",
    ),
    Row(
        name="a static address that is taken",
        set_up=taken_address,
        probe=refused,
        expected=Docker(Says("Address already in use"), podman=Says("")),
        source=f"{LIBNETWORK}: ipam",
    ),
]


@pytest.mark.parametrize("row", params(LEAVES_NOTHING))
def test_what_the_engine_refuses_to_the_lab_leaves_nothing(row: Row[Any], stage: Stage) -> None:
    call = row.set_up(stage)
    before = there(stage.lab)
    row_of_call = Row(name=row.name, set_up=lambda _: call, probe=row.probe, expected=row.expected, source=row.source)
    row_of_call.check(stage)
    assert there(stage.lab) <= before
