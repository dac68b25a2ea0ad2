"""Links of containers that others made, as ``docker run --link`` makes them: on an engine in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit import labs

from pytest_dockconn import Container, Lab, ReachabilityError, Server, assert_linked
from pytest_dockconn.actions import variables
from pytest_dockconn.logic.variables import whole
from pytest_dockconn.model.facts import ContainerFacts
from pytest_dockconn.model.spec import ContainerPlan


@pytest.fixture
def lab() -> Iterator[Lab]:
    with labs.opened() as made:
        yield made


@pytest.fixture
def db(lab: Lab) -> Server:
    return lab.server(name="db", env={"PASSWORD": "geheim"})


def theirs(lab: Lab, *links: tuple[str, str]) -> Container:
    engine = lab._services.engine
    image = lab._services.images.get("client").id
    made = engine.create(ContainerPlan(image=image, name="theirs", labels={}, command=("sleep", "60"), links=links))
    engine.start(made)
    return lab.adopt(made)


@pytest.fixture
def is_root(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sees the processes of an engine in memory, as one does of the engine's host."""

    def seen(facts: ContainerFacts) -> dict[str, str] | None:
        return whole(lab._services.engine.execute(facts.id, ["cat", variables.FIRST], variables.BOUND).stdout)

    monkeypatch.setattr(variables, "_seen", seen)


@pytest.fixture(autouse=True)
def they_remove_it(lab: Lab) -> Iterator[None]:
    yield
    lab._services.engine.remove("theirs")


@pytest.mark.usefixtures("is_root")
def test_an_adopted_one_is_linked(lab: Lab, db: Server) -> None:
    adopted = theirs(lab, (db.engine_name, "db"))

    assert adopted.environment["DB_NAME"] == "/theirs/db"
    assert adopted.environment["DB_ENV_PASSWORD"] == "geheim"
    assert adopted.environment["HOSTNAME"] == adopted.id[:12]
    assert_linked(adopted, db)


def test_an_adopted_one_is_not(lab: Lab, db: Server) -> None:
    with pytest.raises(ReachabilityError, match="theirs is not linked to db as 'db'"):
        assert_linked(theirs(lab), db)


@pytest.mark.usefixtures("is_root")
def test_variables_are_missed(lab: Lab, db: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = labs.engine_of(lab)
    adopted = theirs(lab, (db.engine_name, "db"))
    monkeypatch.setattr(engine, "_link", lambda *_: {})

    with pytest.raises(ReachabilityError, match="variable DB_NAME is missing"):
        assert_linked(adopted, db)


def test_what_can_not_be_seen_is_no_link_and_no_lack_of_one(lab: Lab, db: Server) -> None:
    adopted = theirs(lab, (db.engine_name, "db"))
    engine = labs.engine_of(lab)
    del engine.calls[:]

    assert "DB_NAME" not in adopted.environment
    with pytest.raises(ReachabilityError, match=r"can't be seen from here .* so the link's are inconclusive"):
        assert_linked(adopted, db)
    assert [call for call in engine.calls if call.startswith("execute ") and "theirs" in call] == []
