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


@pytest.mark.parametrize("number", range(8))
def test_race(dockconn: Lab, number: int) -> None:
    network = dockconn.network("net")
    web = dockconn.server(name="web", networks=[network], bind={80: None, 81: None})
    client, stranger = dockconn.client(networks=[network]), dockconn.client()

    assert assert_reachable(client, web.port(80).named("web"))
    assert assert_reachable(dockconn.host, web.bound_port(81))
    # docker 20.10 lifts isolation for a moment while anybody makes a network: runs take turns (actions/turns.py)
    assert_unreachable(stranger, web.port(80), timeout=0.3)
    if os.environ.get("CHAOS_STOP") == "crash" and number == 3:
        os._exit(1)


def test_shared(dockconn_connection: Connection) -> None:
    assert assert_reachable(dockconn_connection.source, dockconn_connection.destination)
