"""What stands in the way of what?"""

from __future__ import annotations

from typing import Any

import pytest
from tests.samples import container, endpoint, network, target

from pytest_dockconn.logic import room
from pytest_dockconn.model.spec import Attachment, NetworkPlan, PortKey, Publish

WEB = container(
    "dockconn-1-0-web", id="0123456789abcdef", hostname="host1", endpoints=(endpoint("front", ip="192.0.2.9", aliases=("web", "w")),)
)  # fmt: skip


@pytest.mark.parametrize("name", ["web", "W", "host1", "0123456789ab", "dockconn-1-0-web"])
def test_each_of_its_names_is_taken(name: str) -> None:
    assert room.taken(WEB, Attachment("front", (name,))) == f"it had the name {name.lower()}"
    assert room.taken(WEB, Attachment("front"), name) == f"it had the name {name.lower()}"
    assert not room.taken(WEB, Attachment("back", (name,)))


def test_an_address_is_taken() -> None:
    six = container(endpoints=(endpoint("front", ip="192.0.2.9", ip6="fd00::9"),))
    assert room.taken(six, Attachment("front", ip="192.0.2.9")) == "it had 192.0.2.9"
    assert room.taken(six, Attachment("front", ip="fd00::9")) == "it had fd00::9"
    assert not room.taken(six, Attachment("front", ("db",), ip="192.0.2.8"))
    assert not room.taken(container(endpoints=(endpoint("front", ip=""),)), Attachment("front"))


@pytest.mark.parametrize(
    ("word", "found"),
    [
        pytest.param("web", True, id="its name"),
        pytest.param("WEB", True, id="in capitals"),
        pytest.param("web.", True, id="with a dot at the end"),
        pytest.param("web.front", True, id="with the network after it"),
        pytest.param("web.back", False, id="with another network after it"),
        pytest.param("alias", True, id="by a link of who asks"),
        pytest.param("we", False, id="a part of it"),
        pytest.param("192.0.2.9", False, id="an address is no name"),
    ],
)
def test_a_name_leads_to_it(word: str, found: bool) -> None:
    asks = endpoint("front", links=(("web", "alias"),))
    assert room.called(WEB, asks, ["x", word]) == (word if found else "")
    assert not room.called(WEB, endpoint("back"), ["x", word])


def test_words_of_a_command_that_could_be_names() -> None:
    assert room.words(["sh", "-c", "curl http://web:80/x?a=b | grep 'db.front'"]) == [
        "sh", "-c", "curl", "http", "web", "80", "x", "a", "b", "grep", "db.front",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"via": "address"}, False, id="an address that its owner has"),
        pytest.param({"via": "bound port"}, False, id="a host port that its owner has"),
        pytest.param({"via": "name", "host": "web"}, True, id="a name"),
        pytest.param({"via": "url", "owner": ""}, True, id="a URL"),
    ],
)
def test_whom_anybody_may_answer(changes: dict[str, Any], expected: bool) -> None:
    assert room.is_open(target(**changes)) is expected


LOCAL, ALL, UDP = ("127.0.0.1", 8080, "tcp"), ("0.0.0.0", 8080, "tcp"), ("127.0.0.1", 8080, "udp")


@pytest.mark.parametrize(
    ("changes", "ports", "found"),
    [
        pytest.param({"host": "192.0.2.9"}, [], "192.0.2.9", id="its own address"),
        pytest.param({"host": "192.0.2.8"}, [], "", id="another address"),
        pytest.param({"host": "127.0.0.1", "port": 8080}, [LOCAL], "port 8080/tcp of the host", id="its host port"),
        pytest.param(
            {"host": "localhost", "port": 8080}, [LOCAL], "port 8080/tcp of the host", id="by a name of the host"
        ),
        pytest.param({"host": "198.51.100.1", "port": 8080}, [LOCAL], "", id="at another address of the host"),
        pytest.param(
            {"host": "198.51.100.1", "port": 8080}, [ALL], "port 8080/tcp of the host", id="bound to any address"
        ),
        pytest.param({"host": "127.0.0.1", "port": 8081}, [LOCAL], "", id="another port"),
        pytest.param({"host": "127.0.0.1", "port": 8080, "scheme": "udp"}, [LOCAL], "", id="another protocol"),
        pytest.param(
            {"host": "127.0.0.1", "port": 8080, "scheme": "udp"}, [UDP], "port 8080/udp of the host", id="udp"
        ),
        pytest.param({"host": "web", "port": 0, "scheme": "icmp"}, [("", 0, "tcp")], "", id="exposed only"),
    ],
)
def test_who_would_answer(changes: dict[str, Any], ports: list[room.HostPort], found: str) -> None:
    assert room.answers(["192.0.2.9", "fd00::9"], ports, target(**changes)) == found


@pytest.mark.parametrize(
    ("wish", "held"),
    [
        pytest.param(Publish(PortKey(80), host="8080"), True, id="the same"),
        pytest.param(Publish(PortKey(80), "0.0.0.0", "8080"), True, id="any address is wished for"),
        pytest.param(Publish(PortKey(80), "127.0.0.2", "8080"), False, id="another address"),
        pytest.param(Publish(PortKey(80), host="8079-8081"), True, id="one of a range"),
        pytest.param(Publish(PortKey(80), host="8081-8082"), False, id="none of a range"),
        pytest.param(Publish(PortKey(80, "udp"), host="8080"), False, id="another protocol"),
        pytest.param(Publish(PortKey(80)), False, id="any free one"),
    ],
)
def test_a_host_port_is_held(wish: Publish, held: bool) -> None:
    assert room.port_held([("", 0, "tcp"), LOCAL], [Publish(PortKey(81)), wish]) == (
        "it had port 8080/tcp of the host" if held else ""
    )


def plan(*subnets: str, **options: str) -> NetworkPlan:
    return NetworkPlan(
        name="back", labels={}, subnets=subnets, options={name.replace("_", "."): v for name, v in options.items()}
    )


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        pytest.param(plan(), "", id="any subnet"),
        pytest.param(plan("192.0.2.0/25"), "it had 192.0.2.0/24", id="a part of its subnet"),
        pytest.param(plan("192.0.0.0/16"), "it had 192.0.2.0/24", id="its subnet and more"),
        pytest.param(plan("198.51.100.0/24", "fd00::/48"), "it had fd00::/64", id="its other subnet"),
        pytest.param(plan("198.51.100.0/24"), "", id="another subnet"),
        pytest.param(plan(com_docker_network_bridge_name="br9"), "it had the interface br9", id="its bridge"),
        pytest.param(plan(com_docker_network_bridge_name="br8"), "", id="another bridge"),
        pytest.param(plan(parent="eth9"), "it had the interface eth9", id="its parent"),
        pytest.param(plan(mtu="1"), "", id="the same mtu"),
    ],
)
def test_a_network_is_crossed(wanted: NetworkPlan, why: str) -> None:
    options = {"com.docker.network.bridge.name": "br9", "parent": "eth9", "mtu": "1"}
    assert room.crossed(wanted, network("front", subnets=("192.0.2.0/24", "fd00::/64"), options=options)) == why
