"""Tests that race for ports, names and subnets. Copied into a folder of its own and run there by several workers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_dockconn import Connection, Lab, assert_reachable, assert_unreachable


@pytest.fixture(autouse=True, scope="session")
def told(dockconn_session: Lab) -> None:
    """Whose things they are: a worker's, not the controller's."""
    with Path(os.environ["CHAOS_FILE"]).open("a") as file:
        file.write(f"pid{os.getpid()} run{dockconn_session._services.run}\n")


class Race:
    """Once in each of the classes below: to ``--dist loadscope`` a class is a scope, and all functions of a module are one."""

    crashes = False

    def test_race(self, dockconn: Lab) -> None:
        network = dockconn.network("net")
        web = dockconn.server(name="web", networks=[network], bind={80: None, 81: None})
        client, stranger = dockconn.client(networks=[network]), dockconn.client()

        assert assert_reachable(client, web.port(80).named("web"))
        assert assert_reachable(dockconn.host, web.bound_port(81))
        # docker 20.10 lifts isolation for a moment while anybody makes a network: runs take turns (actions/turns.py)
        assert_unreachable(stranger, web.port(80), timeout=0.3)
        if os.environ.get("CHAOS_STOP") == "crash" and self.crashes:
            os._exit(1)


class TestRace0(Race):
    pass


class TestRace1(Race):
    pass


class TestRace2(Race):
    pass


class TestRace3(Race):
    crashes = True


class TestRace4(Race):
    pass


class TestRace5(Race):
    pass


class TestRace6(Race):
    pass


class TestRace7(Race):
    pass


def test_shared(dockconn_connection: Connection) -> None:
    assert assert_reachable(dockconn_connection.source, dockconn_connection.destination)
