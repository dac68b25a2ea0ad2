"""The fixtures: they yield what the session's labs make. Loaded by everybody who runs pytest: nothing else belongs here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .handles.connection import Connection
    from .handles.engine import Bridge, Engine
    from .handles.host import Host
    from .handles.image import Image
    from .handles.own import Client, Server
    from .lab import Lab
    from .run import Run

#: Where the run is kept.
KEY = pytest.StashKey["Run"]()
SKIP_REASON = "needs --dockconn, and a container engine"
CONNECTIONS = ("expose", "bind", "link")


def session_of(config: pytest.Config) -> Run:
    """The run of this config; skips where ``--dockconn`` was not given."""
    run = config.stash.get(KEY, None)
    if run is None:
        pytest.skip(SKIP_REASON)
    return run


def _lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    session = session_of(request.config)
    lab = session.new_lab()
    yield lab
    session.close_lab(lab)


@pytest.fixture
def dockconn(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab whose containers and networks live for this test."""
    yield from _lab(request)


@pytest.fixture(scope="class")
def dockconn_class(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab whose containers and networks live for the tests of a class."""
    yield from _lab(request)


@pytest.fixture(scope="module")
def dockconn_module(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab whose containers and networks live for the tests of a module."""
    yield from _lab(request)


@pytest.fixture(scope="session")
def dockconn_session(request: pytest.FixtureRequest) -> Lab:
    """A lab whose containers and networks live for the run."""
    return session_of(request.config).lab


@pytest.fixture(scope="session")
def dockconn_engine(request: pytest.FixtureRequest) -> Engine:
    """The engine: kind, version, API version, capabilities."""
    return session_of(request.config).lab.engine


@pytest.fixture(scope="session")
def dockconn_bridge(request: pytest.FixtureRequest) -> Bridge:
    """The bridge of the default network: docker0."""
    return session_of(request.config).lab.bridge


@pytest.fixture(scope="session")
def dockconn_host(request: pytest.FixtureRequest) -> Host:
    """The machine that the tests run on, as a source of probes."""
    return session_of(request.config).lab.host


@pytest.fixture(scope="session")
def dockconn_client_image(request: pytest.FixtureRequest) -> Image:
    """The client's image: curl, Python and the agent."""
    return session_of(request.config).image("client")


@pytest.fixture(scope="session")
def dockconn_server_image(request: pytest.FixtureRequest) -> Image:
    """The server's image: Apache with its default page."""
    return session_of(request.config).image("server")


@pytest.fixture(scope="session")
def dockconn_client(request: pytest.FixtureRequest) -> Client:
    """client1, on the default bridge."""
    return session_of(request.config).tutorial.client()


@pytest.fixture(scope="session")
def dockconn_exposed_server(request: pytest.FixtureRequest) -> Server:
    """server1: port 80 exposed, nothing published."""
    return session_of(request.config).tutorial.exposed()


@pytest.fixture(scope="session")
def dockconn_bound_server(request: pytest.FixtureRequest) -> Server:
    """server2: port 80 bound to a free port of 127.0.0.1."""
    return session_of(request.config).bound_server()


@pytest.fixture(scope="session")
def dockconn_linked_server(request: pytest.FixtureRequest) -> Server:
    """server3, which client3 is linked to."""
    return session_of(request.config).tutorial.linked_server()


@pytest.fixture(scope="session")
def dockconn_linked_client(request: pytest.FixtureRequest) -> Client:
    """client3, linked to server3."""
    return session_of(request.config).linked_client()


@pytest.fixture(scope="session", params=CONNECTIONS)
def dockconn_connection(request: pytest.FixtureRequest) -> Connection:
    """Each of the three ways in turn: a test that asks for it runs three times."""
    return session_of(request.config).connection(str(request.param))
