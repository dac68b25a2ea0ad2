"""Images that go, and those that stay: on the engine in memory."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from tests.fakes import process
from tests.fakes.engine import BASE, FakeEngine, Fault

from pytest_dockconn import labels
from pytest_dockconn.actions import prune
from pytest_dockconn.actions.images import CLIENT, SERVER, Images
from pytest_dockconn.errors import EngineError, EngineTimeout, NotFound
from pytest_dockconn.logic import bases
from pytest_dockconn.model.facts import ImageFacts
from pytest_dockconn.model.leftover import Leftover
from pytest_dockconn.model.settings import Settings
from pytest_dockconn.model.spec import ContainerPlan, NetworkPlan

#: A process that is not: the number is beyond what a kernel gives out.
DEAD = {labels.PID: "4194305"}
RUN = "ab12"


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    yield made
    made.shut_down()


def built(engine: FakeEngine) -> list[str]:
    """The two images, by the plugin; their tags."""
    images = Images(engine, Settings(), bases.parse(BASE), RUN, lambda _: None)
    return [images.get(role).tags[0] for role in (CLIENT, SERVER)]


def image(engine: FakeEngine, *tags: str, of: str = BASE, comment: str = "", **marks: str) -> str:
    """An image that is made of another, and so has its labels; its id."""
    below = engine.image(of)
    assert below is not None
    named = {getattr(labels, name): value for name, value in marks.items()}
    made = ImageFacts(f"sha256:{secrets.token_hex(32)}", tags, {**below.labels, **named}, ("sh",), (), comment)
    return engine._add_image(made)


def names(leftovers: list[Leftover]) -> set[str]:
    return {one.name for one in leftovers}


def test_all_takes_what_was_built_and_not_what_others_made_of_it(engine: FakeEngine) -> None:
    """``FROM dockconn-client``: it has all labels of ours, and may have any name."""
    client, server = built(engine)
    image(engine, "dockconn-base:bookworm", RUN=RUN, NAME="dockconn-base:bookworm", ROLE="base-image")
    theirs = {
        image(engine, "dockconn-myapp:1", of=client),
        image(engine, "dockconn-client:mine", "myapp:2", of=client),
        image(engine, "dockconn-base:mine", of="dockconn-base:bookworm"),
        image(engine, "dockconn-labelled:1", RUN="x"),
    }

    found = prune.built(engine)
    assert names(found) == {client, server, "dockconn-base:bookworm"}
    assert prune.remove(engine, found) == []

    assert {one.id for one in engine._images.values()} == {*theirs, engine._find_image(BASE).id}  # type: ignore[union-attr]
    assert engine.tags == sorted(
        [BASE, "dockconn-base:mine", "dockconn-client:mine", "dockconn-labelled:1", "dockconn-myapp:1", "myapp:2"]
    )


def container(engine: FakeEngine, name: str, **marks: str) -> str:
    """One that a dead run left, with more labels of ours."""
    called = f"dockconn-{RUN}-{name}"
    more = {getattr(labels, mark): value for mark, value in marks.items()}
    return engine.create(
        ContainerPlan(
            image=BASE, name=called, labels={**labels.made(RUN, called, "x"), **DEAD, **more}, command=("sleep", "600")
        )
    )


@pytest.mark.parametrize("theirs", [False, True], ids=["of the run's own", "of somebody else's"])
def test_rules_go_with_their_container(engine: FakeEngine, theirs: bool) -> None:
    """To heal what is about to go takes a sidecar each, and a run that died is to leave nothing within seconds."""
    target = (
        engine.create(ContainerPlan(image=BASE, name="theirs", labels={}, command=("sleep", "600")))
        if theirs
        else container(engine, "web")
    )
    engine.start(target)
    container(engine, "partition1", PARTITION=target, TABLE="dockconn_x")
    del engine.calls[:]

    found = prune.of_run(engine, RUN)
    assert {one.kind for one in found} == ({"partition"} if theirs else {"partition", "container"})
    prune.remove(engine, found)

    assert bool([call for call in engine.calls if call.startswith("create ")]) is theirs
    there = [str(one["name"]) for one in engine.containers()]
    assert ("theirs" in there) if theirs else there == []  # in memory there is no nft, so the witness stays


def test_two_who_heal_one_partition(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The helper of a dead run, and the sweep of the next: neither stands in the other's way."""
    monkeypatch.setattr(process, "run", lambda *_: process.Done())  # an engine whose containers have nft
    target = engine.create(ContainerPlan(image=BASE, name="theirs", labels={}, command=("sleep", "600")))
    engine.start(target)
    container(engine, "partition1", PARTITION=target, TABLE="dockconn_x")
    partitions = [one for one in prune.find_things(engine) if one.kind == "partition"]
    engine.faults.append(Fault(lambda: EngineTimeout("late"), "remove", where="-heal", times=1))
    assert prune.remove(engine, partitions) == [f"partition dockconn-{RUN}-partition1: late"]

    assert {one.kind for one in prune.of_run(engine, RUN)} == {"partition", "container"}  # who heals is known, too
    assert prune.remove(engine, partitions) == []
    assert prune.remove(engine, partitions) == []  # it is gone by now
    assert len([name for name in engine.names if "partition1" in name]) == 1


@pytest.mark.parametrize("times", [1, 2, 9])
def test_a_sidecar_that_somebody_took_away_has_healed_nothing(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """As `docker container prune` does between its creation and its start: it is tried again, and told of in the end."""
    monkeypatch.setattr(process, "run", lambda *_: process.Done())
    target = engine.create(ContainerPlan(image=BASE, name="theirs", labels={}, command=("sleep", "600")))
    engine.start(target)
    container(engine, "partition1", PARTITION=target, TABLE="dockconn_x")
    partitions = [one for one in prune.find_things(engine) if one.kind == "partition"]
    engine.faults.append(Fault(lambda: NotFound("No such container"), "start", where="-heal", times=times))

    failed = prune.remove(engine, partitions)

    assert len([call for call in engine.calls if call.startswith("create ") and "-heal" in call]) == min(times + 1, 3)
    assert bool(failed) is (times == 9)
    assert bool([name for name in engine.names if name.endswith("partition1")]) is (times == 9)


@pytest.mark.parametrize(("patience", "failed"), [(0.0, 1), (5.0, 0)])
def test_what_another_is_removing_is_tried_again(engine: FakeEngine, patience: float, failed: int) -> None:
    """The helper of a run that was just killed: a network goes a moment after the containers that are on it."""
    name = f"dockconn-{RUN}-net"
    engine.create_network(NetworkPlan(name=name, labels={**labels.made(RUN, name, "network"), **DEAD}))
    engine.faults.append(Fault(lambda: EngineError("has active endpoints"), "remove_network", times=3))
    done: list[Leftover] = []

    said = prune.remove(engine, prune.find_things(engine), patience=patience, done=done.append)

    assert len(said) == failed
    assert len(done) == 1 - failed


def test_not_for_ever(engine: FakeEngine) -> None:
    name = f"dockconn-{RUN}-net"
    engine.create_network(NetworkPlan(name=name, labels={**labels.made(RUN, name, "network"), **DEAD}))
    engine.faults.append(Fault(lambda: EngineError("has active endpoints"), "remove_network", times=10**6))

    assert prune.remove(engine, prune.find_things(engine), patience=0.1) == [f"network {name}: has active endpoints"]
