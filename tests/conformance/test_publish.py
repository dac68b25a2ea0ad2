"""Published ports: where they are bound, who reaches them, conflicts, and what survives what."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from pytest_dockconn import Lab, Port, Server, Verdict, assert_reachable, assert_unreachable
from tests.conformance.helpers import SHORT, Call, free_range, need_ipv6, returned, tcp
from tests.conformance.others import IDLE, engine_says, web
from tests.conformance.rows import Docker, OneOf, Row, Says, Since, Stage, params, refused
from tests.engine import scenes
from tests.engine.helpers import free_port, host_address

RUN_TESTS = "moby integration-cli/docker_cli_run_test.go"
MAPPING = "moby integration/networking/port_mapping_linux_test.go"
#: Of docker-py: any free port of 127.0.0.1.
LOOPBACK = {"80/tcp": ("127.0.0.1",)}


def open_to_all(lab: Lab) -> Server:
    """HTTP and UDP on any free port of every IPv4 address."""
    return lab.server(expose=(), bind={80: ("0.0.0.0", None), "53/udp": ("0.0.0.0", None)})


def answers(stage: Stage, *ports: Port) -> list[bool]:
    """Whether each is answered by its own server."""
    return [assert_reachable(stage.host, port).answered_by == port.owner.id for port in ports]


# --- one to one ------------------------------------------------------------------------------------------------------


def two_host_ports(stage: Stage) -> list[bool]:
    numbers = [free_port(), free_port()]
    server = stage.lab.server(bind={80: numbers})
    page = "http://127.0.0.1:%d/"
    return [stage.host.probe(page % number).answered_by == server.id for number in numbers]


def range_to_range(stage: Stage) -> dict[int, int]:
    first = free_range(4)
    server = stage.lab.server(expose=(), bind={"80-83": f"{first}-{first + 3}"})
    answers(stage, *(server.bound_port(number) for number in range(80, 84)))
    return {number: server.bound_port(number).number - first for number in range(80, 84)}


def one_range_of_two_protocols(stage: Stage) -> list[bool]:
    first = free_range(2)
    wish = f"{first}-{first + 1}"
    server = stage.lab.server(expose=(), bind={"8000-8001/tcp": wish, "8000-8001/udp": wish})
    return answers(stage, *(server.bound_port(n, protocol) for n in (8000, 8001) for protocol in ("tcp", "udp")))


def two_loopback_addresses(stage: Stage) -> list[bool]:
    number = free_port()
    servers = [stage.lab.server(bind={80: (address, number)}) for address in ("127.0.1.2", "127.0.1.3")]
    pages = [f"http://{address}:{number}/" for address in ("127.0.1.2", "127.0.1.3")]
    return [stage.host.probe(page).answered_by == s.id for page, s in zip(pages, servers, strict=True)]


def one_of_a_range(stage: Stage) -> tuple[bool, str]:
    """A range for one port: each takes a free one of it, until it is used up."""
    first = free_range(2)
    wish = f"{first}-{first + 1}"
    servers = [stage.lab.server(bind={80: wish}) for _ in range(2)]
    both = {server.bound_port(80).number for server in servers} == {first, first + 1}
    return both, refused(lambda: stage.lab.server(bind={80: wish}))


ONE_TO_ONE: list[Row[Any]] = [
    Row(
        name="two host ports for one",
        set_up=two_host_ports,
        probe=returned,
        expected=[True, True],
        source="moby integration-cli/docker_cli_port_test.go: TestPortList",
    ),
    Row(
        name="a range to a range",
        set_up=range_to_range,
        probe=returned,
        expected={80: 0, 81: 1, 82: 2, 83: 3},
        source="moby integration-cli/docker_cli_port_test.go: TestPortList",
        caveat="ranges of host ports fail with podman",
    ),
    Row(
        name="one range, tcp and udp",
        set_up=one_range_of_two_protocols,
        probe=returned,
        expected=[True] * 4,
        source=f"{RUN_TESTS}: TestRunAllowPortRangeThroughPublish",
    ),
    Row(
        name="one port of two addresses",
        set_up=two_loopback_addresses,
        probe=returned,
        expected=[True, True],
        source=f"{MAPPING}: TestPortMappingOnDistinctLoopbackAddrs",
    ),
]


@pytest.mark.parametrize("row", params(ONE_TO_ONE))
def test_each_reaches_its_own(row: Row[Any], stage: Stage) -> None:
    row.check(stage)


# --- from where ------------------------------------------------------------------------------------------------------


def everywhere(stage: Stage) -> dict[str, Verdict]:
    """A port of every address, asked by the host and by a neighbour."""
    port = stage.once(open_to_all).bound_port(80)
    ways = {"loopback": "127.0.0.1", "own address": host_address(), "bridge": stage.lab.bridge.gateway}
    client = stage.once(scenes.plain).client
    seen = {f"host, {name}": stage.host.probe(port.on(address)).verdict for name, address in ways.items()}
    return seen | {
        f"neighbour, {name}": client.probe(port.on(address)).verdict
        for name, address in ways.items()
        if name != "loopback"
    }


def from_another_network(stage: Stage) -> Verdict:
    port = stage.once(open_to_all).bound_port(80).on(host_address())
    return stage.once(scenes.apart).client.probe(port).verdict


def own_address_from_itself(stage: Stage) -> Verdict:
    server = stage.once(open_to_all)
    return server.probe(server.bound_port(80).on(host_address())).verdict


def udp(address: Callable[[Stage], str]) -> Callable[[Stage], Verdict]:
    """A neighbour asks UDP by an address of the host."""

    def set_up(stage: Stage) -> Verdict:
        port = stage.once(open_to_all).bound_port(53, "udp")
        return stage.once(scenes.plain).client.probe(port.on(address(stage)), timeout=SHORT).verdict

    return set_up


def udp_from_the_host(stage: Stage) -> Verdict:
    return stage.host.probe(stage.once(open_to_all).bound_port(53, "udp").on("127.0.0.1")).verdict


def ipv6_only_binding(stage: Stage) -> Verdict:
    need_ipv6()
    server = stage.lab.server(bind={80: ("::1", None)})
    assert server.ip6 == ""
    return stage.host.probe(server.bound_port(80)).verdict


def loopback_from_a_container(stage: Stage) -> Verdict:
    """The host's loopback is not the container's; by the bridge's address it is not bound."""
    port = stage.once(scenes.bound).bound_port(80)
    return assert_unreachable(stage.once(scenes.plain).client, port, timeout=SHORT).verdict


def unpublished(stage: Stage) -> tuple[Verdict, Verdict]:
    """By the container's address, and on the host's loopback."""
    number = free_port()
    server = stage.lab.server(expose=(number,))
    return stage.host.probe(server.port(number)).verdict, tcp(stage.host, "127.0.0.1", number)


def accepted_by_the_proxy(stage: Stage) -> tuple[bool, Verdict]:
    """Published, and nothing listens: whether it connects, and what the plugin says."""
    other = stage.others.run(IDLE, host={"port_bindings": LOOPBACK}, ports=[80])
    port = other.bound_port(80)
    with socket.socket() as plain:
        connects = not plain.connect_ex(("127.0.0.1", port.number))
    return connects, stage.host.probe(port).verdict


def default_addresses(stage: Stage) -> set[str]:
    need_ipv6()
    other = stage.others.run(host={"port_bindings": {"80/tcp": None}}, ports=[80])
    return {binding.address for binding in other.facts().bindings}


def host_binding(stage: Stage) -> set[str]:
    """A network's own default address to bind to; the lab's networks take any option of their driver."""
    network = stage.lab.network(options={"com.docker.network.bridge.host_binding_ipv4": "127.0.0.1"})
    host = {"network_mode": network.engine_name, "port_bindings": {"80/tcp": None}}
    return {b.address for b in stage.others.run(host=host, ports=[80]).facts().bindings if ":" not in b.address}


ALL_REACH = dict.fromkeys(
    ("host, loopback", "host, own address", "host, bridge", "neighbour, own address", "neighbour, bridge"),
    Verdict.REACHABLE,
)
FROM_WHERE: list[Row[Any]] = [
    Row(
        name="on every address",
        set_up=everywhere,
        probe=returned,
        expected=ALL_REACH,
        source=f"{MAPPING}: TestAccessPublishedPortFromHost, TestPortMappedHairpinTCP, with the userland proxy",
    ),
    Row(
        name="from another network, by the host's address",
        set_up=from_another_network,
        probe=returned,
        expected=Verdict.REACHABLE,
        source=f"{MAPPING}: TestAccessPublishedPortFromAnotherNetwork",
    ),
    Row(
        name="from itself, by the host's address",
        set_up=own_address_from_itself,
        probe=returned,
        expected=Verdict.REACHABLE,
        source=f"{MAPPING}: TestPortMappedHairpinTCP",
    ),
    Row(
        name="UDP, from the host",
        set_up=udp_from_the_host,
        probe=returned,
        expected=Verdict.REACHABLE,
        source=f"{MAPPING}: TestAccessPublishedPortFromHost",
    ),
    Row(
        name="UDP, from a neighbour, by the host's address",
        set_up=udp(lambda _: host_address()),
        probe=returned,
        expected=Since("28.0", then=Verdict.REACHABLE, before=Verdict.TIMED_OUT),
        source=f"{MAPPING}: TestPortMappedHairpinUDP",
        caveat="before 28.0 the proxy answers from the bridge's address, which is not the one that was asked",
    ),
    Row(
        name="UDP, from a neighbour, by the bridge's address",
        set_up=udp(lambda stage: stage.lab.bridge.gateway),
        probe=returned,
        expected=Verdict.REACHABLE,
        source=f"{MAPPING}: TestAccessPublishedPortFromCtr",
    ),
    Row(
        name="on ::1, of a container with IPv4 only",
        set_up=ipv6_only_binding,
        probe=returned,
        expected=Verdict.REACHABLE,
        source=f"{MAPPING}: TestProxy4To6, the other way round",
        caveat="through the userland proxy, which is on",
    ),
    Row(
        name="on loopback, from a container",
        set_up=loopback_from_a_container,
        probe=returned,
        expected=OneOf(Verdict.REFUSED, Verdict.TIMED_OUT),
        source=f"{MAPPING}: TestAccessPortPublishedOnLoopbackAddress",
    ),
    Row(
        name="not published, from the host",
        set_up=unpublished,
        probe=returned,
        expected=(Verdict.REACHABLE, Verdict.REFUSED),
        source=f"{MAPPING}: TestDirectRoutingOpenPorts; the host itself may in every version",
        requires=("container-addresses",),
    ),
    Row(
        name="the proxy accepts before anybody listens",
        set_up=accepted_by_the_proxy,
        probe=returned,
        expected=(True, Verdict.RESET),
        source="moby cmd/docker-proxy: it accepts, then dials",
        caveat="so a connection to a published port proves nothing",
    ),
    Row(
        name="where it is bound if nobody says",
        set_up=default_addresses,
        probe=returned,
        expected=Docker(Since("20.10.2", then={"0.0.0.0", "::"}, before={"0.0.0.0"}), podman={"0.0.0.0"}),
        source="moby release notes of 20.10.2",
        caveat="20.10.0 and .1 bind to IPv4 only, podman always",
    ),
    Row(
        name="where it is bound if the network says",
        set_up=host_binding,
        probe=returned,
        expected=Docker({"127.0.0.1"}, podman={"0.0.0.0"}),
        source="moby libnetwork: com.docker.network.bridge.host_binding_ipv4",
        caveat="podman ignores the option",
    ),
]


@pytest.mark.parametrize("row", params(FROM_WHERE))
def test_from_where(row: Row[Any], stage: Stage) -> None:
    row.check(stage)


# --- over time -------------------------------------------------------------------------------------------------------


def listed(stage: Stage) -> tuple[bool, tuple[object, ...]]:
    """Whether the engine's list shows ports of a stopped container, and the bindings that the lab sees."""
    server = stage.lab.server(bind={80: None})
    server.stop()
    (entry,) = stage.others.api.containers(all=True, filters={"id": server.id})
    return bool(entry["Ports"]), server.facts().bindings


def restarted(stage: Stage) -> tuple[bool, bool]:
    """Whether the port object goes on, and whether the number is another."""
    server = stage.lab.server(bind={80: None})
    port = server.bound_port(80)
    before = port.number
    server.restart()
    (again,) = answers(stage, port)
    return again, port.number != before


def removed(stage: Stage) -> list[Verdict]:
    other = stage.others.run(web(80), host={"port_bindings": LOOPBACK}, ports=[80])
    number = other.bound_port(80).number
    assert_reachable(stage.host, other.bound_port(80))
    stage.others.remove(other.id)
    return [tcp(stage.host, "127.0.0.1", number)]


def at_once_again(stage: Stage) -> list[bool]:
    """The last connection is in TIME_WAIT still."""
    number = free_port()
    first = stage.lab.server(bind={80: number})
    assert first.bound_port(80).get().ok
    first.stop()
    second = stage.lab.server(bind={80: number})
    return answers(stage, second.bound_port(80))


def neighbour_busy(stage: Stage) -> tuple[bool, list[bool]]:
    """The next few free ports are held by a process of the host."""
    last = stage.lab.server(bind={80: None}).bound_port(80).number
    held = []
    for number in range(last + 1, last + 5):
        sock = stage.undo.enter_context(socket.socket())
        if sock.connect_ex(("127.0.0.1", number)):
            held.append(number)
            holder = stage.undo.enter_context(socket.socket())
            holder.bind(("127.0.0.1", number))
            holder.listen()
    server = stage.lab.server(bind={80: None})
    return server.bound_port(80).number in held, answers(stage, server.bound_port(80))


def off_its_first_network(stage: Stage) -> list[bool]:
    one, two = stage.once(scenes.apart).network, stage.once(scenes.named).network
    server = stage.lab.server(networks=[one, two], bind={80: None})
    seen = answers(stage, server.bound_port(80))
    one.disconnect(server)
    return seen + answers(stage, server.bound_port(80))


def internal(stage: Stage) -> str:
    server = stage.lab.server(networks=[stage.once(scenes.internal).network], bind={80: None})
    return refused(lambda: server.bound_port(80))


OVER_TIME: list[Row[Any]] = [
    Row(
        name="stopped: no ports",
        set_up=listed,
        probe=returned,
        expected=Since(
            "28.0",
            then=(False, ()),
            before=Since("26.0", then=OneOf((False, ()), (True, ())), before=(False, ())),
        ),
        source="moby integration-cli/docker_cli_port_test.go: TestUnpublishedPortsInPsOutput; seen on 20.10.24 and 26.1.5",
        caveat="26.1 lists them still when the stop has returned",
    ),
    Row(
        name="restarted: the host port is read again",
        set_up=restarted,
        probe=returned,
        expected=(True, True),
        source="moby: an ephemeral host port is drawn anew at every start",
    ),
    Row(
        name="removed: refused",
        set_up=removed,
        probe=returned,
        expected=[Verdict.REFUSED],
        source="moby integration-cli/docker_cli_port_test.go: TestPortHostBinding",
    ),
    Row(
        name="run again during TIME_WAIT",
        set_up=at_once_again,
        probe=returned,
        expected=[True],
        source=f"{MAPPING}: TestRestartUserlandProxyUnder2MSL",
    ),
    Row(
        name="the next free port is held by a process",
        set_up=neighbour_busy,
        probe=returned,
        expected=(False, [True]),
        source=f"{RUN_TESTS}: TestRunPortFromDockerRangeInUse",
    ),
    Row(
        name="off the first of two networks",
        set_up=off_its_first_network,
        probe=returned,
        expected=[True, True],
        source="moby integration-cli/docker_cli_network_unix_test.go: TestDockerNetworkConnectDisconnectWithPortMapping",
    ),
    Row(
        name="on an internal network only",
        set_up=internal,
        probe=returned,
        expected=Says("has no bound port 80/tcp"),
        source="moby daemon: endpoints of --internal networks ignore mappings",
    ),
]


@pytest.mark.parametrize("row", params(OVER_TIME))
def test_over_time(row: Row[Any], stage: Stage) -> None:
    row.check(stage)


# --- refused ---------------------------------------------------------------------------------------------------------


def wish(bind: dict[object, object]) -> Callable[[Stage], Call]:
    return lambda stage: lambda: stage.lab.server(bind=bind)


REFUSED: list[Row[Any]] = [
    Row(
        name=f"host port {host!r}",
        set_up=wish({80: host}),
        probe=refused,
        expected=Says(why),
        source="docker run -p: go-connections nat.ParsePortSpec",
    )
    for host, why in [
        ("9090-9089", "ends at 9089, before it begins at 9090"),
        ("9090-", "a range has two ends"),
        ("-9090", "a range has two ends"),
        ("0", "outside of 1 to 65535"),
        ("80000", "outside of 1 to 65535"),
        (("localhost", 80), "is not an address of the host"),
    ]
] + [
    Row(
        name="ranges of different lengths",
        set_up=wish({"80-83": "9800-9801"}),
        probe=refused,
        expected=Says("4 container ports and 2 host ports", "do not match"),
        source="docker run -p: invalid ranges specified for container and host ports",
    ),
    Row(
        name="host mode",
        set_up=lambda stage: lambda: stage.lab.server(network_mode="host", bind={80: None}),
        probe=refused,
        expected=Says("bind does not go with network_mode='host'"),
        source="docker run: published ports are discarded when using host network mode",
    ),
]


@pytest.mark.parametrize("row", params(REFUSED))
def test_refused_before_anything_is_made(row: Row[Any], stage: Stage) -> None:
    row.check(stage)
    assert stage.lab.containers == []


def bound_to(stage: Stage, number: int, **host: Any) -> Call:
    bindings = {"80/tcp": ("127.0.0.1", number)}
    return lambda: stage.others.run(host={"port_bindings": bindings, **host}, ports=[80])


def held_by_a_container(stage: Stage) -> Call:
    return bound_to(stage, stage.once(scenes.bound).bound_port(80).number)


def held_by_a_process(stage: Stage) -> Call:
    holder = stage.undo.enter_context(socket.create_server(("127.0.0.1", 0)))
    return bound_to(stage, holder.getsockname()[1])


def used_up(stage: Stage) -> Call:
    first = free_range(2)
    wanted = f"{first}-{first + 1}"
    for _ in range(2):
        stage.lab.server(bind={80: wanted})
    bindings = {"80/tcp": ("127.0.0.1", wanted)}
    return lambda: stage.others.run(host={"port_bindings": bindings}, ports=[80])


def container_mode(stage: Stage) -> Call:
    parent = stage.once(open_to_all)
    host = {"network_mode": f"container:{parent.id}", "port_bindings": {"80/tcp": None}}
    return lambda: stage.others.run(host=host, ports=[80])


def state_after(stage: Stage) -> str:
    """Of a container that is always started again, and whose port is taken."""
    number = stage.once(scenes.bound).bound_port(80).number
    policy = {"Name": "always"}
    host = {"port_bindings": {"80/tcp": ("127.0.0.1", number)}, "restart_policy": policy}
    made = stage.others.create(host=host, ports=[80])
    engine_says(lambda: stage.others.api.start(made))
    return stage.lab.adopt(made).facts().status


ENGINE_REFUSES: list[Row[Any]] = [
    Row(
        name="a container has the port",
        set_up=held_by_a_container,
        probe=engine_says,
        expected=Docker(Says("port is already allocated"), podman=Says("address already in use")),
        source=f"{RUN_TESTS}: TestRunPortInUse",
    ),
    Row(
        name="a process has the port",
        set_up=held_by_a_process,
        probe=engine_says,
        expected=Since(
            "28.0",
            then=Says("failed to bind host port", "address already in use"),
            before=Since(
                "27.0", then=Says("failed to bind port"), before=Says("listen tcp4", "bind: address already in use")
            ),
            podman=Says("address already in use"),
        ),
        source="moby libnetwork/portmapper, later drivers/bridge: the words of each version",
    ),
    Row(
        name="a range is used up",
        set_up=used_up,
        probe=engine_says,
        expected=Says("all ports are allocated"),
        source="moby libnetwork/portallocator: ErrAllPortsAllocated",
    ),
    Row(
        name="container: mode",
        set_up=container_mode,
        probe=engine_says,
        expected=Says("conflicting options: port publishing and the container type network mode"),
        source=f"{RUN_TESTS}: TestRunContainerNetModeWithExposePort",
    ),
    Row(
        name="a conflict, with restart=always",
        set_up=state_after,
        probe=returned,
        expected=Since(
            "28.0.1", then="created", before=Since("28.0", then=OneOf("created", "restarting"), before="created")
        ),
        source="moby integration/network/bridge: TestPublishedPortAlreadyInUse; seen on 20.10.24",
        caveat="28.0.0 goes on to start it",
    ),
]


@pytest.mark.parametrize("row", params(ENGINE_REFUSES))
def test_the_engine_refuses(row: Row[Any], stage: Stage) -> None:
    row.check(stage)
