"""Links of the default network: variables, the line in /etc/hosts, HTTP by name; and what breaks them."""

from __future__ import annotations

import pytest

from pytest_dockconn import Lab, ReachabilityError, assert_linked, assert_reachable
from pytest_dockconn.errors import SpecError
from tests.engine import scenes
from tests.engine.helpers import docker_py, take_address
from tests.shared import Shared

links = pytest.mark.dockconn(requires=["links"])

#: Of servers of ``scenes.ALIASES``.
VARIABLES: list[tuple[str, str, dict[str, str]]] = [
    ("one port", "db", {"DB_PORT": "tcp://{ip}:80", "DB_PORT_80_TCP_PROTO": "tcp"}),
    ("alias with a dash", "docker-1", {"DOCKER_1_PORT_80_TCP_ADDR": "{ip}"}),
    (
        "three in a row",
        "three",
        {
            "THREE_PORT_6379_TCP_START": "tcp://{ip}:6379",
            "THREE_PORT_6379_TCP_END": "tcp://{ip}:6381",
            "THREE_PORT_6379_TCP_PORT_START": "6379",
            "THREE_PORT_6379_TCP_PORT_END": "6381",
            "THREE_PORT_6380_TCP_PORT": "6380",
        },
    ),
    ("two protocols", "tie", {"TIE_PORT_53_UDP": "udp://{ip}:53", "TIE_PORT_53_TCP": "tcp://{ip}:53"}),
    ("variables", "copied", {"COPIED_ENV_PASSWORD": "geheim"}),
    ("a bound port", "bound", {"BOUND_PORT_8080_TCP_PORT": "8080"}),
]


@links
@pytest.mark.parametrize(("alias", "expected"), [v[1:] for v in VARIABLES], ids=[v[0] for v in VARIABLES])
def test_link(dockconn: Lab, shared: Shared, alias: str, expected: dict[str, str]) -> None:
    made = shared.once(scenes.linked)[alias]

    assert_linked(made.client, made.server, alias=alias)
    wanted = {name: value.format(ip=made.server.ip) for name, value in expected.items()}
    if not dockconn.engine.can("link-env"):  # off by default from Docker 29
        wanted = {}
    assert wanted.items() <= made.client.environment.items()


@pytest.mark.dockconn(requires=["link-env"])
def test_nothing_exposed_gives_name_and_env_only(shared: Shared) -> None:
    made = shared.once(scenes.linked)["quiet"]

    assert_linked(made.client, made.server, alias="quiet")
    assert {n for n in made.client.environment if n.startswith("QUIET")} == {"QUIET_NAME", "QUIET_ENV_A"}


@pytest.mark.dockconn(requires=["link-env"])
def test_a_neighbours_variables_are_not_held_against_a_link(dockconn: Lab) -> None:
    """``DB_ENV_PORT`` is of the link ``db-env``, not a variable PORT that the link ``db`` has copied."""
    aliases = ("db", "db-env", "db-port")
    servers = dict(zip(aliases, dockconn.side_by_side(*[dockconn.server] * len(aliases)), strict=True))
    client = dockconn.client(links=servers)

    for alias, server in servers.items():
        assert_linked(client, server, alias=alias)


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


def test_not_linked_at_all(shared: Shared) -> None:
    made = shared.once(scenes.plain)

    with pytest.raises(ReachabilityError, match=r"/etc/hosts of client1 has no line for 'server1'"):
        assert_linked(made.client, made.server)


@links
def test_another_alias_is_no_link(shared: Shared) -> None:
    made = shared.once(scenes.linked)["db"]

    with pytest.raises(ReachabilityError, match=f"has no line for '{made.server.name}'"):
        assert_linked(made.client, made.server)


@links
def test_linked_to_another_server(shared: Shared) -> None:
    one, two = (shared.once(scenes.linked)[alias] for alias in ("db", "apart"))

    with pytest.raises(ReachabilityError, match=r"says .* for 'db', but the server is at"):
        assert_linked(one.client, two.server, alias="db")


@links
def test_link_to_a_stopped_server_is_refused_before_anything_is_made(dockconn: Lab) -> None:
    server = dockconn.server()
    server.stop()

    with pytest.raises(SpecError, match="links: server1 is not running"):
        dockconn.client(links=[server])
    assert [c.name for c in dockconn.containers] == ["server1"]


@pytest.mark.dockconn(requires=["network-links"])
def test_link_on_a_user_network_is_a_dns_name(dockconn: Lab, shared: Shared) -> None:
    made = shared.once(scenes.apart)
    client = dockconn.client(networks=[made.network], links={"only-mine": made.server})

    assert_linked(client, made.server, alias="only-mine")
    assert "only-mine" not in client.hosts


@pytest.mark.dockconn(requires=["network-links"])
def test_a_link_of_a_network_to_a_container_that_is_still_to_come(dockconn: Lab) -> None:
    network = dockconn.network()
    client = dockconn.client(networks=[network], links=["later"])

    assert_linked(client, dockconn.server(networks=[network], name="later"))


@pytest.mark.dockconn(requires=["network-links"])
def test_a_link_of_a_network_that_others_made(dockconn: Lab, shared: Shared) -> None:
    """``docker run --link`` leaves the alias out; the short id of the source and an alias are taken, too."""
    made = shared.once(scenes.named)
    client, server = dockconn.client(), dockconn.adopt(made.server.id)
    names = [(made.server.engine_name, None), (server.id[:12], "by-id"), ("db", "by-alias")]
    api = docker_py(dockconn._services.engine.url)
    api.connect_container_to_network(client.id, made.network.id, links=names)
    dockconn._services.facts.forget(client.id)

    for source, alias in names:
        assert_linked(client, server, alias or source)


@pytest.mark.dockconn(requires=["network-links"])
def test_that_a_name_answers_makes_no_link(shared: Shared) -> None:
    """Every server of a network has names that all know."""
    made = shared.once(scenes.named)
    assert_reachable(made.client, made.server.port(80).named("db"))

    with pytest.raises(ReachabilityError, match="as 'db': there is no such link on its networks"):
        assert_linked(made.client, made.server, alias="db")
    with pytest.raises(ReachabilityError, match="as 'server1': there is no such link on its networks"):
        assert_linked(made.client, made.server)


def test_where_links_of_networks_are_dropped_the_message_says_so(dockconn: Lab, shared: Shared) -> None:
    made = shared.once(scenes.named)
    dropped = not dockconn.engine.can("network-links")

    with pytest.raises(ReachabilityError) as caught:
        assert_linked(made.client, made.server, alias="db")

    assert ("drops links on networks of one's own" in str(caught.value)) is dropped


@links
def test_link_to_a_server_on_another_network_is_refused(dockconn: Lab, shared: Shared) -> None:
    server = shared.once(scenes.apart).server

    with pytest.raises(SpecError, match="server1 is not on the default network 'bridge'"):
        dockconn.client(links=[server])
