"""Links, each beside others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit import labs

from pytest_dockconn import Lab, Verdict, assert_linked


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

    told = [(one.destination, one.verdict) for one in lab._services.asked]
    assert told == ([(f"{asked} (by the name db)", str(Verdict.REACHABLE))] if asked else [])
