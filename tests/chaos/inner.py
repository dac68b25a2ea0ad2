"""A real suite, to be ended. Copied into a folder of its own and run there by pytest; ``point`` is where ends happen."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_dockconn import Lab, Server, assert_reachable

STOP, FILE = os.environ.get("CHAOS_STOP", ""), os.environ.get("CHAOS_FILE", "")
#: Two containers of others, to be cut off from each other.
CUT = os.environ.get("CHAOS_CUT", "")


def wait_for_the_word() -> None:
    while "go" not in Path(FILE).read_text().split():
        signal.sigtimedwait([], 0.02)


ENDS: dict[str, Callable[[], object]] = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "term": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "exit": lambda: os._exit(9),
    "wait": wait_for_the_word,
}


def point(name: str) -> None:
    """Say where we are; end here, or wait here for an end from outside, if that is wanted."""
    with Path(FILE).open("a") as file:
        file.write(f"{name}\n")
    where, _, how = STOP.partition(":")
    if where == name:
        if how in ENDS:
            ENDS[how]()
        if how != "wait":
            signal.pause()


@pytest.fixture(autouse=True, scope="session")
def told(dockconn_session: Lab) -> None:
    """Whose things they are, also where another process is their owner."""
    with Path(FILE).open("a") as file:
        file.write(f"run{dockconn_session._services.run}\npid{os.getpid()}\n")


@pytest.fixture
def half_way(dockconn: Lab) -> Server:
    dockconn.network()
    dockconn.server()
    point("fixture")
    raise RuntimeError("half-way")


@pytest.mark.skipif(STOP != "none:fixture", reason="only where it is asked for")
def test_fixture(half_way: Server) -> None:
    pass


def test_work(dockconn: Lab, dockconn_bound_server: Server) -> None:
    point("begin")
    network = dockconn.network()
    server, client = dockconn.server(networks=[network]), dockconn.client(networks=[network])
    point("made")
    server.commit(f"chaos-{os.getpid()}:1")
    point("committed")
    with dockconn.partition(server, client):
        point("partition")
    assert_reachable(client, server.port(80))
    assert_reachable(dockconn.host, dockconn_bound_server.bound_port(80))
    point("end")
    assert STOP != "none:assertion", "as it was wanted"


def test_more(dockconn: Lab) -> None:
    dockconn.server()
    assert STOP != "none:assertion", "as it was wanted"


@pytest.mark.skipif(not CUT, reason="only where it is asked for")
def test_cut(dockconn: Lab) -> None:
    one, other = (dockconn.adopt(container) for container in CUT.split(","))
    with dockconn.partition(one, other, allow_adopted=True):
        point("cut")
