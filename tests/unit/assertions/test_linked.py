"""Links, each beside others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.unit import labs

from pytest_dockconn import (
    Client,
    Container,
    Lab,
    Network,
    ReachabilityError,
    Server,
    Verdict,
    assert_linked,
    assert_reachable,
)


@pytest.fixture
def lab() -> Iterator[Lab]:
    with labs.opened() as made:
        yield made


def test_neighbours_whose_variables_begin_like_ones_own(lab: Lab) -> None:
    """``DB_ENV_PORT`` is of ``db-env``, and no variable PORT that ``db`` has copied."""
    servers = {alias: lab.server(env={"NAME": "shop"}) for alias in ("db", "db-env", "db-port", "db-port-80-tcp")}
    client = lab.client(links=servers)

    for alias, server in servers.items():
        assert_linked(client, server, alias)


@pytest.mark.parametrize(
    ("expose", "asked"),
    [
        pytest.param(("53/udp", 80), "port 80/tcp of server1", id="HTTP, although DNS has the lower number"),
        pytest.param((8080, 80), "port 80/tcp of server1", id="the first of several"),
        pytest.param(("53/udp",), "port 53/udp of server1", id="a datagram where there is nothing else"),
        pytest.param((), "", id="nothing"),
    ],
)
def test_what_is_asked_by_the_name(lab: Lab, expose: tuple[int | str, ...], asked: str) -> None:
    server = lab.server(expose=expose)

    assert_linked(lab.client(links={"db": server}), server, "db")

    told = [(one.destination, one.verdict) for one in lab._services.asked if one.question == "reachable"]
    assert told == ([(f"{asked} (by the name db)", str(Verdict.REACHABLE))] if asked else [])


def as_a_list(lab: Lab, network: Network) -> tuple[Client, Container, str | None]:
    server = lab.server(networks=[network])
    return lab.client(networks=[network], links=[server]), server, None


def as_a_mapping(lab: Lab, network: Network) -> tuple[Client, Container, str | None]:
    server = lab.server(networks=[network])
    return lab.client(networks=[network], links={"db": server}), server, "db"


def by_the_alias_of_one_to_come(lab: Lab, network: Network) -> tuple[Client, Container, str | None]:
    client = lab.client(networks=[network], links=["later"])
    return client, lab.server(networks=[network], aliases=["later"]), "later"


def by_the_name_of_one_to_come(lab: Lab, network: Network) -> tuple[Client, Container, str | None]:
    client = lab.client(networks=[network], links=["later"])
    return client, lab.server(networks=[network], name="later"), None


def under_a_new_name(lab: Lab, network: Network) -> tuple[Client, Container, str | None]:
    client = lab.client(networks=[network], links={"db": "later"})
    return client, lab.server(networks=[network], name="later"), "db"


def by_its_id(lab: Lab, network: Network) -> tuple[Client, Container, str | None]:
    server = lab.server(networks=[network])
    return lab.client(networks=[network], links={"db": server.id[:12]}), server, "db"


def both_adopted(lab: Lab, network: Network) -> tuple[Client, Container, str | None]:
    client, server, alias = as_a_mapping(lab, network)
    return lab.adopt(client.id), lab.adopt(server.id), alias  # type: ignore[return-value]


def beside_the_default_network(lab: Lab, network: Network) -> tuple[Client, Container, str | None]:
    both: list[Network | str] = [lab._services.default_network, network]
    server = lab.server(networks=both)
    return lab.client(networks=both, links={"db": server}), server, "db"


Linked = Callable[[Lab, Network], tuple[Client, Container, str | None]]


@pytest.mark.parametrize(
    "made",
    [
        as_a_list, as_a_mapping, by_the_alias_of_one_to_come, by_the_name_of_one_to_come, under_a_new_name, by_its_id,
        both_adopted, beside_the_default_network,
    ],
)  # fmt: skip
def test_a_link_of_a_network_however_it_was_written(lab: Lab, made: Linked) -> None:
    assert_linked(*made(lab, lab.network()))


def without_one(lab: Lab, network: Network) -> tuple[Client, Container, str | None]:
    return lab.client(networks=[network]), lab.server(networks=[network]), None


def an_alias_for_all(lab: Lab, network: Network) -> tuple[Client, Container, str | None]:
    return lab.client(networks=[network]), lab.server(networks=[network], aliases=["db"]), "db"


def another_name(lab: Lab, network: Network) -> tuple[Client, Container, str | None]:
    client, server, _ = as_a_mapping(lab, network)
    return client, server, None


def both_adopted_without_one(lab: Lab, network: Network) -> tuple[Client, Container, str | None]:
    client, server, _ = without_one(lab, network)
    return lab.adopt(client.id, name="client1"), lab.adopt(server.id, name="server1"), None  # type: ignore[return-value]


@pytest.mark.parametrize("made", [without_one, an_alias_for_all, another_name, both_adopted_without_one])
def test_that_a_name_answers_makes_no_link(lab: Lab, made: Linked) -> None:
    """On a network of one's own every server has names that all know, its own at least."""
    client, server, alias = made(lab, lab.network("front"))
    assert_reachable(client, server.port(80).named(alias or server.name))

    with pytest.raises(ReachabilityError) as caught:
        assert_linked(client, server, alias)

    first, *more = str(caught.value).splitlines()
    called = repr(alias or server.name)
    assert first.startswith(f"client1 is not linked to server1 as {called}: there is no such link on its networks (")
    assert f"client(links={{{called}: server}})" in more[-1]


def test_a_link_to_another_of_that_network(lab: Lab) -> None:
    network = lab.network()
    one, two = lab.server(networks=[network]), lab.server(networks=[network])
    client = lab.client(networks=[network], links={"db": one})

    with pytest.raises(ReachabilityError, match=rf"where it has db to {one.engine_name} on {network.engine_name}; "):
        assert_linked(client, two, "db")


def test_a_link_of_a_network_that_the_server_has_left(lab: Lab) -> None:
    """By its own name it is still found, on another network."""
    front, back = lab.network(), lab.network()
    server: Server = lab.server(networks=[front, back])
    client = lab.client(networks=[front], links=[server])
    back.connect(client)
    front.disconnect(server)

    with pytest.raises(ReachabilityError, match=rf"the link is one of {front.engine_name}, and server1 is not on it"):
        assert_linked(client, server)


def test_where_the_engine_drops_links_of_networks() -> None:
    with labs.opened("podman", "4.3.1") as lab:
        network = lab.network()
        with pytest.raises(ReachabilityError) as caught:
            assert_linked(lab.client(networks=[network]), lab.server(networks=[network]))
    remedy = str(caught.value).splitlines()[-1]
    assert "remedy:   podman drops links on networks of one's own (capability 'network-links')" in remedy
    assert "aliases=['server1']" in remedy
