"""What dead runs left behind, among the things of others, whose labels may say anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from tests.fakes.engine import BASE, FakeEngine

from pytest_dockconn import labels
from pytest_dockconn.actions import prune
from pytest_dockconn.model.spec import ContainerPlan, NetworkPlan


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    yield made
    made.shut_down()


ODD = ["²", "9" * 5000, "", "-1", "1e9", " 7", "\x1b[2J"]
LABELS = [labels.PID, labels.CREATED, labels.LEASE, labels.STARTED, labels.HOST, labels.RUN]


@pytest.mark.parametrize("label", LABELS)
def test_what_others_wrote_ends_no_sweep(engine: FakeEngine, label: str) -> None:
    for at, text in enumerate(ODD):
        far: Mapping[str, str] = {labels.HOST: "elsewhere"} if label in (labels.LEASE, labels.CREATED) else {}
        name = f"dockconn-odd-{at}"
        marks = {**labels.made("ab12", name, "server"), **far, label: text}
        engine.create(ContainerPlan(image=BASE, name=name, labels=marks, command=("sleep", "9")))
        engine.create_network(NetworkPlan(name=name, labels=marks))
    dead = {**labels.made("ab12", "dockconn-dead", "server"), labels.STARTED: "another process"}
    engine.create(ContainerPlan(image=BASE, name="dockconn-dead", labels=dead, command=("sleep", "9")))

    found = prune.find(engine)

    assert "dockconn-dead" in [one.name for one in found]
    prune.of_run(engine, "ab12")
    prune.find_kept(engine)
