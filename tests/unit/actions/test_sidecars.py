"""Who is asked by its own agent, and who by a sidecar: on an engine in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from tests.fakes.engine import FakeEngine
from tests.samples import is_harmless

from pytest_dockconn import Lab, Verdict
from pytest_dockconn.actions import agents, variables
from pytest_dockconn.actions.services import Services
from pytest_dockconn.errors import DockconnError
from pytest_dockconn.handles.container import Container
from pytest_dockconn.model.settings import Settings
from pytest_dockconn.model.spec import Bound, ContainerPlan


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    engine = FakeEngine()
    yield engine
    engine.shut_down()


@pytest.fixture
def services(engine: FakeEngine) -> Services:
    return Services(engine, Settings(), lambda _: None)


@pytest.fixture
def lab(services: Services) -> Lab:
    return Lab(services, "1")


def sidecars(engine: FakeEngine) -> int:
    return sum("sidecar" in name for name in engine.names)


def stranger(engine: FakeEngine, lab: Lab, image: str, name: str = "stranger", **changes: object) -> Container:
    plan = ContainerPlan(image=image, name=name, labels={}, command=None)
    started = engine.create(replace(plan, **changes))
    engine.start(started)
    return lab.adopt(started)


def test_a_client_has_an_agent_of_its_own(engine: FakeEngine, lab: Lab) -> None:
    client, server = lab.client(), lab.server()
    assert client.probe(server.port(80))
    assert lab.adopt(client).probe(server.port(80))
    assert sidecars(engine) == 0


def test_what_others_start_of_an_image_that_this_run_committed(
    engine: FakeEngine, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It inherits labels and command; but its stdin is not open, so its agent would hear nobody."""
    monkeypatch.setattr(agents, "GRACE", 0.2)
    lab.client().commit("img")
    adopted = stranger(engine, lab, "img:latest")
    assert adopted.probe(lab.server().port(80))
    assert sidecars(engine) == 1


def test_an_agent_that_answers_nobody_is_given_up(
    engine: FakeEngine, lab: Lab, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "GRACE", 0.2)
    client, server = lab.client(env={"A": "1"}), lab.server()
    channel = services.agents.channel(client.id)
    (stream,) = engine._containers[client.id].streams
    stream.hears = False

    first = client.probe(server.port(80), timeout=0.1)
    assert first.verdict is Verdict.INCONCLUSIVE
    assert "no reply within" in first.detail
    assert client.probe(server.port(80))
    assert sidecars(engine) == 1
    assert services.agents.channel(client.id) is not channel
    assert client.environment["A"] == "1"  # not the sidecar's


def test_variables_are_read_by_the_containers_own_cat_which_may_not_end(
    engine: FakeEngine, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = lab.server(env={"A": "x" * 100})
    assert server.environment["A"] == "x" * 100
    monkeypatch.setattr(variables, "BOUND", Bound(size=100, seconds=10.0))
    with pytest.raises(DockconnError, match="it has written more than 100 bytes"):
        _ = server.environment


def test_what_pytest_shows_of_what_others_named() -> None:
    engine = FakeEngine(version="20.10\x1b[2J")
    try:
        there = Lab(Services(engine, Settings(), lambda _: None), "1")
        named = stranger(engine, there, "ubuntu:24.04", "\x1b[2J\nmine", command=("sleep", "9"))
        for shown in (repr(named), str(named.port(80)), repr(named.port(80)), repr(there.engine), repr(there.bridge)):
            assert is_harmless(shown)
    finally:
        engine.shut_down()
