"""What every lab of a run has is the run's: its host, its engine, its bridge."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.fakes.engine import FakeEngine

from pytest_dockconn import Lab, assert_linked
from pytest_dockconn.actions.services import Services
from pytest_dockconn.model.settings import Settings

WHAT: dict[str, Callable[[Lab], object]] = {
    "host": lambda lab: lab.host,
    "engine": lambda lab: lab.engine,
    "bridge": lambda lab: lab.bridge,
}


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    """One that has to be tried for what a link sets."""
    made = FakeEngine(version="29.0.0")
    yield made
    made.shut_down()


@pytest.fixture
def labs(engine: FakeEngine) -> Iterator[tuple[Lab, Lab]]:
    services = Services(engine, Settings(), lambda _: None)
    made = Lab(services, "1"), Lab(services, "2")
    yield made
    for lab in made:
        lab.close()
    services.remover.join()


@pytest.mark.parametrize("what", WHAT)
def test_that_of_one_lab_is_that_of_the_other(engine: FakeEngine, labs: tuple[Lab, Lab], what: str) -> None:
    one, two = map(WHAT[what], labs)
    assert one == two
    assert len({one, two}) == 1
    assert one != WHAT[what](Lab(Services(engine, Settings(), lambda _: None)))
    assert one not in [look(labs[1]) for name, look in WHAT.items() if name != what]


def test_the_host_of_two_labs_is_one_row(labs: tuple[Lab, Lab]) -> None:
    one, two = labs
    port = one.server().port(80)

    matrix = two.matrix([one.host, two.host], [port])

    assert list(matrix.sources) == ["the host"]
    assert matrix[one.host, port]


def test_what_an_engine_can_is_asked_once(engine: FakeEngine, labs: tuple[Lab, Lab]) -> None:
    one, two = labs
    assert not one.engine.can("link-env")
    before = list(engine.calls)
    assert any("ask-recipient" in call for call in before)

    assert not two.engine.can("link-env")
    assert engine.calls == before

    client = two.client(links=[two.server()])
    assert_linked(client, two.containers[0])
    assert sum("ask-recipient" in call for call in engine.calls) == 1


def test_what_listens_is_closed_with_its_own_lab(labs: tuple[Lab, Lab]) -> None:
    first, second = labs[0].host.listen(), labs[1].host.listen()
    assert labs[1].host.probe(first)

    labs[0].close()

    assert not labs[1].host.probe(first)
    assert labs[1].host.probe(second)
