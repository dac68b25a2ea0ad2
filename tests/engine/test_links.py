"""Links of the default network: variables, the line in /etc/hosts, HTTP by name; and what breaks them."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_dockconn import Lab, ReachabilityError, assert_linked, assert_reachable
from pytest_dockconn.errors import SpecError
from tests.engine.helpers import take_address

links = pytest.mark.dockconn(requires=["links"])

SERVERS: list[tuple[str, dict[str, Any], str, dict[str, str]]] = [
    ("one port", {}, "web", {"WEB_PORT": "tcp://{ip}:80", "WEB_PORT_80_TCP_PROTO": "tcp"}),
    ("alias with a dash", {}, "docker-1", {"DOCKER_1_PORT_80_TCP_ADDR": "{ip}"}),
    (
        "three in a row",
        {"expose": ("6379-6381",)},
        "redis",
        {
            "REDIS_PORT_6379_TCP_START": "tcp://{ip}:6379",
            "REDIS_PORT_6379_TCP_END": "tcp://{ip}:6381",
            "REDIS_PORT_6379_TCP_PORT_START": "6379",
            "REDIS_PORT_6379_TCP_PORT_END": "6381",
            "REDIS_PORT_6380_TCP_PORT": "6380",
        },
    ),
    (
        "two protocols",
        {"expose": (80, "53/udp")},
        "dns",
        {"DNS_PORT_53_UDP": "udp://{ip}:53", "DNS_PORT_80_TCP": "tcp://{ip}:80"},
    ),
    ("variables", {"env": {"PASSWORD": "geheim"}}, "db", {"DB_ENV_PASSWORD": "geheim"}),
    ("a bound port", {"expose": (), "bind": {80: None}}, "web", {"WEB_PORT_80_TCP_PORT": "80"}),
]


@links
@pytest.mark.parametrize(("options", "alias", "expected"), [s[1:] for s in SERVERS], ids=[s[0] for s in SERVERS])
def test_link(dockconn: Lab, options: dict[str, Any], alias: str, expected: dict[str, str]) -> None:
    server = dockconn.server(**options)
    client = dockconn.client(links={alias: server})

    assert_linked(client, server, alias=alias)
    wanted = {name: value.format(ip=server.ip) for name, value in expected.items()}
    if not dockconn.engine.can("link-env"):  # off by default from Docker 29
        wanted = {}
    assert wanted.items() <= client.environment.items()


@pytest.mark.dockconn(requires=["link-env"])
def test_nothing_exposed_gives_name_and_env_only(dockconn: Lab) -> None:
    server = dockconn.server(expose=(), env={"A": "1"})
    client = dockconn.client(links={"quiet": server})

    assert_linked(client, server, alias="quiet")
    assert {n for n in client.environment if n.startswith("QUIET")} == {"QUIET_NAME", "QUIET_ENV_A"}


@pytest.mark.dockconn(requires=["link-env"])
def test_stale_after_a_restart_of_the_server_alone(dockconn: Lab) -> None:
    server = dockconn.server()
    client = dockconn.client(links=[server])
    server.stop()
    take_address(dockconn, server.ip)
    server.start()

    with pytest.raises(ReachabilityError) as caught:
        assert_linked(client, server)

    first = str(caught.value).splitlines()[0]
    assert first.startswith("client1 is not linked to server1 as 'server1': variable SERVER1_PORT")
    assert_reachable(client, server.port(80).named("server1"))  # the hosts file follows


def test_not_linked_at_all(dockconn: Lab) -> None:
    server, client = dockconn.server(), dockconn.client()

    with pytest.raises(ReachabilityError, match=r"/etc/hosts of client1 has no line for 'server1'"):
        assert_linked(client, server)


@links
def test_another_alias_is_no_link(dockconn: Lab) -> None:
    server = dockconn.server()
    client = dockconn.client(links={"db": server})

    with pytest.raises(ReachabilityError, match=r"has no line for 'server1'"):
        assert_linked(client, server)


@links
def test_linked_to_another_server(dockconn: Lab) -> None:
    one, two = dockconn.server(), dockconn.server()
    client = dockconn.client(links={"db": one})

    with pytest.raises(ReachabilityError, match=r"says .* for 'db', but the server is at"):
        assert_linked(client, two, alias="db")


@links
def test_link_to_a_stopped_server_is_refused_before_anything_is_made(dockconn: Lab) -> None:
    server = dockconn.server()
    server.stop()

    with pytest.raises(SpecError, match="links: server1 is not running"):
        dockconn.client(links=[server])
    assert [c.name for c in dockconn.containers] == ["server1"]


@pytest.mark.dockconn(requires=["network-links"])
def test_link_on_a_user_network_is_a_dns_name(dockconn: Lab) -> None:
    network = dockconn.network()
    server = dockconn.server(networks=[network])
    client = dockconn.client(networks=[network], links={"only-mine": server})

    assert_linked(client, server, alias="only-mine")
    assert "only-mine" not in client.hosts


@links
def test_link_to_a_server_on_another_network_is_refused(dockconn: Lab) -> None:
    server = dockconn.server(networks=[dockconn.network()])

    with pytest.raises(SpecError, match="server1 is not on the default network 'bridge'"):
        dockconn.client(links=[server])
