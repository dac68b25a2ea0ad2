"""Networks of one's own: what they keep apart, which addresses and names lead where, and what the engine can't give."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_dockconn import Client, Lab, Network, ReachabilityError, Verdict, assert_reachable, assert_unreachable
from pytest_dockconn.actions.services import Services
from pytest_dockconn.engine import find
from pytest_dockconn.errors import DockconnError, EngineError, NotOurs, SpecError
from pytest_dockconn.model.settings import Settings
from tests.conformance import private
from tests.conformance.helpers import asker
from tests.engine import scenes
from tests.engine.helpers import needs, subnet
from tests.shared import Shared, Stage, there

MTU = "com.docker.network.driver.mtu"
Question = tuple[Any, Any]


def of_its_own_subnet(lab: Lab) -> scenes.Pair:
    on = {"networks": [lab.network(subnet=subnet())]}
    return scenes.pair(lab, on, on)


@pytest.mark.parametrize("scene", [scenes.internal, of_its_own_subnet], ids=["internal", "subnet"])
def test_peers_reach_each_other(stage: Stage, scene: Callable[[Lab], scenes.Pair]) -> None:
    made = stage.once(scene)

    assert assert_reachable(made.client, made.server.port(80)).address == made.server.ip
    assert assert_reachable(made.client, "http://server1/").answered_by == made.server.id


def test_a_network_is_what_was_asked_for(dockconn: Lab) -> None:
    wanted = subnet()
    network = dockconn.network(subnet=wanted, internal=True, icc=False, options={MTU: "1234"})
    client = dockconn.client(networks=[network])

    facts = dockconn._services.engine.network(network.id)
    assert (facts.subnets, facts.internal, facts.icc, facts.ipv6) == ((wanted,), True, False, False)
    assert ipaddress.ip_address(client.ip) in ipaddress.ip_network(wanted)
    assert client.run("cat", "/sys/class/net/eth0/mtu").stdout.strip() == "1234"
    assert network.subnets == (wanted,)
    assert ipaddress.ip_address(network.gateway) in ipaddress.ip_network(wanted)


def icc_off_udp(stage: Stage) -> Question:
    made = stage.once(scenes.icc_off)
    return made.client, made.server.port(53, "udp")


def into_internal(stage: Stage) -> Question:
    return stage.once(scenes.plain).client, stage.once(scenes.internal).server.port(80)


def after_leaving(stage: Stage) -> Question:
    made = stage.once(scenes.apart)
    client = stage.lab.client(networks=[made.network])
    assert_reachable(client, made.server.port(80))
    stage.lab.network("other").connect(client)
    made.network.disconnect(client)
    return client, made.server.port(80)


CLOSED = [
    ("icc off", scenes.asked(scenes.icc_off)),
    ("icc off, udp", icc_off_udp),
    ("into an internal network", into_internal),
    ("after leaving", after_leaving),
]


@needs("isolation", "icc")
@pytest.mark.parametrize("set_up", [c[1] for c in CLOSED], ids=[c[0] for c in CLOSED])
def test_what_is_kept_apart_times_out(stage: Stage, set_up: Callable[[Stage], Question]) -> None:
    source, destination = set_up(stage)

    assert_unreachable(source, destination, because=Verdict.TIMED_OUT, timeout=0.3)


def test_an_internal_network_has_no_way_out(stage: Stage) -> None:
    client = stage.once(scenes.internal).client

    assert client.probe("tcp://198.51.100.7:80", timeout=0.3).verdict in (Verdict.TIMED_OUT, Verdict.NO_ROUTE)


# Addresses


class Two:
    """A server on two networks, and a client on each."""

    def __init__(self, lab: Lab) -> None:
        self.front, self.back = lab.network("front"), lab.network("back")
        self.server = lab.server(networks=[self.front, self.back], aliases=["db"])
        self.clients = {network: asker(lab, networks=[network]) for network in (self.front, self.back)}


@pytest.fixture
def two(shared: Shared) -> Two:
    return shared.once(Two)


def test_all_networks_are_there_from_the_first_moment(dockconn: Lab, two: Two) -> None:
    command = ["sh", "-c", "ls /sys/class/net; exec python3 -m http.server 80"]
    server = dockconn.server(networks=[two.front, two.back], command=command)

    assert {e.network_id for e in server.facts().endpoints} == {two.front.id, two.back.id}
    assert server.ip_on(two.front) != server.ip_on(two.back)
    assert_reachable(two.clients[two.back], server.port(80))
    assert server.logs().startswith("eth0\neth1\nlo\n")


def test_the_address_is_one_that_both_share(two: Two) -> None:
    for network, client in two.clients.items():
        assert assert_reachable(client, two.server.port(80)).address == two.server.ip_on(network)


@needs("isolation")
def test_on_picks_the_network(two: Two) -> None:
    port, client = two.server.port(80), two.clients[two.front]
    for front in (two.front, "front", two.front.engine_name, two.server.ip_on("front")):
        assert assert_reachable(client, port.on(front)).address == two.server.ip_on(two.front)
    for back in (two.back, "back"):
        assert_unreachable(client, port.on(back), because=Verdict.TIMED_OUT, timeout=0.3)
        with pytest.raises(ReachabilityError, match=r"client1 cannot reach port 80/tcp of server1 \(on back\) at "):
            assert_reachable(client, port.on(back), within=0, timeout=0.2)


def test_on_a_network_that_it_is_not_on(dockconn: Lab, two: Two) -> None:
    third = dockconn.network("third")

    for network in (third, "third"):
        with pytest.raises(DockconnError, match="server1 is not on network third"):
            two.server.ip_on(network)
        seen = two.clients[two.front].probe(two.server.port(80).on(network))
        assert (seen.verdict, seen.detail) == (
            Verdict.INCONCLUSIVE,
            "server1 has no address to ask port 80/tcp of server1 (on third) by",
        )


def test_static_addresses(dockconn: Lab) -> None:
    one, two = dockconn.network(subnet=subnet()), dockconn.network(subnet=subnet())
    first, second = (str(ipaddress.ip_network(n.subnets[0])[77]) for n in (one, two))
    server = dockconn.server(networks={one: first, two: second})
    free = dockconn.client(networks={one: None})

    assert (server.ip_on(one), server.ip_on(two)) == (first, second)
    assert assert_reachable(free, server.port(80)).address == first
    server.restart()
    assert (server.ip_on(one), server.ip_on(two)) == (first, second)


def _twice(lab: Lab) -> None:
    network = lab.network(subnet=subnet())
    for _ in range(2):
        lab.client(networks={network: str(ipaddress.ip_network(network.subnets[0])[9])})


STATIC: list[tuple[str, Callable[[Lab], object], str]] = [
    ("no address", lambda lab: lab.client(networks={lab.network(): "server1"}), "is not an? (IP )?address"),
    ("no subnet of one's own", lambda lab: lab.client(networks={lab.network(): "10.9.9.9"}), "user configured subnets"),
    ("the default network", lambda lab: lab.client(networks={"bridge": "172.17.0.99"}), "user defined networks"),
    ("taken", _twice, "Address already in use"),
    ("of another subnet", lambda lab: lab.client(networks={lab.network(subnet=subnet()): "192.0.2.9"}), "192.0.2.9"),
]


@pytest.mark.parametrize(("make", "words"), [s[1:] for s in STATIC], ids=[s[0] for s in STATIC])
def test_a_static_address_that_can_not_be(dockconn: Lab, make: Callable[[Lab], object], words: str) -> None:
    with pytest.raises(DockconnError, match=words):
        make(dockconn)

    assert len(there(dockconn)) == len(dockconn.containers)


# Live


@needs("isolation")
def test_joining_and_leaving_live(dockconn: Lab) -> None:
    network = dockconn.network(subnet=subnet())
    wanted = str(ipaddress.ip_network(network.subnets[0])[200])
    server, client = dockconn.server(), asker(dockconn, networks=[network])
    assert_unreachable(client, server.port(80), because=Verdict.TIMED_OUT, timeout=0.3)

    network.connect(server, aliases=["db"], ip=wanted)

    assert server.ip_on(network) == wanted
    for name in (wanted, "db", server.name, server.engine_name, server.id[:12]):
        assert assert_reachable(client, f"http://{name}/").answered_by == server.id
    assert_reachable(client, server.port(80).named("db"))

    network.disconnect(server)

    assert client.probe("http://db/").verdict is Verdict.NAME_NOT_FOUND
    with pytest.raises(DockconnError, match="server1 is not on network"):
        server.ip_on(network)
    assert_unreachable(client, server.port(80), because=Verdict.TIMED_OUT, timeout=0.3)


WRONG: list[tuple[str, Callable[[Network, Client], object], type[Exception], str]] = [
    ("an alias that is none", lambda n, c: n.connect(c, aliases=["no name"]), SpecError, "'no name' is not an alias"),
    ("an address that is none", lambda n, c: n.connect(c, ip="10.9.9"), SpecError, "10.9.9"),
    ("leaving what it is not on", lambda n, c: n.disconnect(c), EngineError, "not connected"),
]


@pytest.mark.parametrize(("act", "error", "words"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_joining_that_can_not_be(
    stage: Stage, act: Callable[[Network, Client], object], error: type[Exception], words: str
) -> None:
    network, client = stage.once(scenes.apart).network, stage.once(scenes.plain).client

    with pytest.raises(error, match=words):
        act(network, client)


def test_joining_twice(stage: Stage) -> None:
    network, client = stage.once(scenes.apart).network, stage.lab.client()
    network.connect(client)

    with pytest.raises(EngineError, match="already exists"):
        network.connect(client)


def test_adopted_ones_are_not_moved(dockconn: Lab) -> None:
    network = dockconn.network()
    adopted = dockconn.adopt(dockconn.client(networks=[network]).id)

    with pytest.raises(NotOurs, match="refused to disconnect"):
        network.disconnect(adopted)
    with pytest.raises(NotOurs, match="refused to connect"):
        dockconn.network("other").connect(adopted)
    assert [e.network_id for e in adopted.facts().endpoints] == [network.id]


# Names


def test_names(two: Two) -> None:
    server = two.server
    for network, client in two.clients.items():
        for name in ("db", server.name, server.id[:12], server.engine_name, f"db.{network.engine_name}"):
            answer = assert_reachable(client, server.port(80).named(name))
            assert (answer.answered_by, answer.address) == (server.id, server.ip_on(network)), name
        assert client.probe("http://other/").verdict is Verdict.NAME_NOT_FOUND


@needs("isolation")
def test_names_lead_nowhere_on_another_network(dockconn: Lab, two: Two) -> None:
    stranger = asker(dockconn, networks=[dockconn.network()])

    for name in ("db", "server1"):
        assert_unreachable(stranger, two.server.port(80).named(name), because=Verdict.NAME_NOT_FOUND)


@needs("network-links")
def test_a_link_on_a_network_is_a_name_for_one(dockconn: Lab, two: Two) -> None:
    server, other = two.server, two.clients[two.front]
    linked = asker(dockconn, networks=[two.front], links={"mine": server})

    assert assert_reachable(linked, server.port(80).named("mine")).answered_by == server.id
    assert not [name for name in linked.environment if name.startswith("MINE_")]
    assert_unreachable(other, server.port(80).named("mine"), because=Verdict.NAME_NOT_FOUND)


@needs("network-links")
def test_a_link_to_one_that_is_still_to_come(dockconn: Lab) -> None:
    network = dockconn.network()
    client = asker(dockconn, networks=[network], links={"db": "later"})
    assert client.probe("dns://db").verdict is Verdict.NAME_NOT_FOUND

    server = dockconn.server(name="later", networks=[network])

    assert assert_reachable(client, server.port(80).named("db")).answered_by == server.id


# IPv6


def test_both_families(dockconn: Lab) -> None:
    """On an engine that can't choose an IPv6 subnet it is a unique local one that is free."""
    networks = [dockconn.network(ipv6=True) for _ in range(2)]
    server, client = dockconn.server(networks=[networks[0]]), dockconn.client(networks=[networks[0]])

    assert [sorted(":" in s for s in n.subnets) for n in networks] == [[False, True]] * 2
    assert not set(networks[0].subnets) & set(networks[1].subnets)
    assert ipaddress.ip_address(server.ip6) in ipaddress.ip_network("fc00::/7")
    for address in (server.ip, server.ip6):
        answer = assert_reachable(client, server.port(80).on(address))
        assert (answer.address, answer.answered_by) == (address, server.id)
    assert assert_reachable(client, server.port(80)).address == server.ip  # IPv4 first
    seen = client.probe("dns://server1")
    assert seen.addresses == (server.ip, server.ip6)


def test_an_ipv6_subnet_of_ones_own(dockconn: Lab) -> None:
    wanted = f"fd{secrets.token_hex(1)}:{secrets.token_hex(2)}:{secrets.token_hex(2)}::/64"
    network = dockconn.network(ipv6=True, subnet=str(ipaddress.ip_network(wanted)))
    static = str(ipaddress.ip_network(wanted)[0x77])
    server, client = dockconn.server(networks={network: static}), dockconn.client(networks=[network])

    assert server.ip6 == static
    assert assert_reachable(client, server.port(80).on(static)).address == static


# What can't be made


@pytest.mark.parametrize("second", ["the same", "a part of it", "around it"])
def test_a_subnet_that_another_has(dockconn: Lab, second: str) -> None:
    wanted = ipaddress.ip_network(subnet(24))
    first = dockconn.network("front", subnet=str(wanted))
    other = {"the same": wanted, "a part of it": next(wanted.subnets(2)), "around it": wanted.supernet(2)}[second]
    engine = dockconn._services.engine
    before = {n.id for n in engine.networks()}

    with pytest.raises(SpecError) as caught:
        dockconn.network("back", subnet=str(other))

    assert f"overlaps with network {first.engine_name!r}, which has {wanted}" in caught.value.cause
    assert "choose another subnet" in caught.value.remedy
    assert {n.id for n in engine.networks()} == before
    assert dockconn.network("back").subnets  # the name is free again


def test_a_subnet_is_free_again_for_the_next_lab(dockconn: Lab) -> None:
    """Its predecessor is removed in the background; one that names a subnet waits for that."""
    services, wanted = dockconn._services, subnet()
    for number in range(2):
        lab = Lab(services, f"{dockconn._mark}again{number}")
        assert lab.client(networks=[lab.network(subnet=wanted)]).ip
        lab.close()


@pytest.fixture
def small_engine() -> Iterator[str]:
    """An engine with addresses for few networks."""
    if not shutil.which("dockerd"):
        pytest.skip("no dockerd here: the engine of this run is podman, or elsewhere")
    with private.engine(("--default-address-pool=base=10.99.0.0/24,size=26",), f"pools-{secrets.token_hex(3)}") as url:
        yield url


def test_no_addresses_left(small_engine: str) -> None:
    services = Services(find.find(small_engine), Settings(), lambda _: None)
    lab = Lab(services)
    with contextlib.ExitStack() as undo:
        undo.callback(services.guardian.dismiss)
        undo.callback(services.engine.close)
        undo.callback(services.remover.close)
        undo.callback(lab.close)

        with pytest.raises(DockconnError, match="the engine has no addresses left for another network") as caught:
            [lab.network() for _ in range(5)]

        count = len(services.engine.networks())
        assert f"it has {count} networks" in caught.value.checked
        assert "default-address-pools" in caught.value.remedy
        assert lab.network(subnet="10.98.0.0/24").name == f"network{count - 2}"  # a free subnet is still to be had
