"""Images that runs commit, on the engine in memory: whose tag may be taken, which image is used, and what goes at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from tests.fakes.engine import BASE, FakeEngine
from tests.samples import refused

from pytest_dockconn import Image, Lab, labels
from pytest_dockconn.actions import prune
from pytest_dockconn.actions.services import Services
from pytest_dockconn.errors import SpecError
from pytest_dockconn.model.settings import Settings

#: A process that is not: the number is beyond what a kernel gives out.
NOBODY = "4194305"


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    yield made
    made.shut_down()


class Run:
    """A run on an engine, or a worker of one."""

    def __init__(self, engine: FakeEngine) -> None:
        self.services = Services(engine, Settings(base=BASE), lambda _: None)
        self.labs: list[Lab] = []

    def lab(self) -> Lab:
        self.labs.append(Lab(self.services, str(len(self.labs))))
        return self.labs[-1]

    def end(self, lab: Lab) -> list[str]:
        lab.close()
        self.services.remover.join()
        return self.services.remover.failed


@pytest.fixture
def run(engine: FakeEngine) -> Iterator[Run]:
    made = Run(engine)
    yield made
    for lab in made.labs:
        assert made.end(lab) == []


@pytest.fixture
def other(engine: FakeEngine) -> Iterator[Run]:
    made = Run(engine)
    yield made
    for lab in made.labs:
        assert made.end(lab) == []


def ids(engine: FakeEngine, tag: str = "") -> set[str]:
    """Of all images, or of those that were committed under a tag, or made of these."""
    return {one.id for one in engine._images.values() if not tag or one.labels.get(labels.NAME) == tag}


def made_of(engine: FakeEngine, image: Image, *tags: str) -> str:
    """What somebody else builds on an image: it has all labels; its id."""
    below = engine.image(image.id)
    assert below is not None
    made = replace(below, id=f"sha256:{len(ids(engine)):064x}", tags=tags, comment="", parent=below.id)
    return engine._add_image(made)


def dead(engine: FakeEngine, image: Image) -> None:
    """Its owner's process ends."""
    found = engine._images[image.id]
    assert isinstance(found.labels, dict)
    found.labels[labels.PID] = NOBODY


def test_the_same_tag_twice_leaves_neither(engine: FakeEngine, run: Run) -> None:
    lab = run.lab()
    server = lab.server()
    before = ids(engine)
    first, second = server.commit("web:1"), server.commit("web:1")
    assert first.id != second.id
    assert {first.id, second.id} <= ids(engine)

    assert run.end(lab) == []

    assert ids(engine) == before


def test_one_that_is_made_of_another_goes_first(engine: FakeEngine, run: Run) -> None:
    lab = run.lab()
    first = lab.server()
    before = ids(engine)
    for number in range(5):
        first = lab.server(image=first.commit(f"web:{number}"))

    assert run.end(lab) == []

    assert ids(engine) == before


def test_what_was_committed_is_used_whatever_its_tag_leads_to(engine: FakeEngine, run: Run) -> None:
    lab = run.lab()
    server = lab.server()
    first, second = server.commit("web:1"), server.commit("web:1")

    assert lab.server(image=first).facts().image_id == first.id
    assert lab.server(image=second).facts().image_id == second.id
    assert lab.server(image="web:1").facts().image_id == second.id


def test_what_is_gone_is_not_pulled(engine: FakeEngine, run: Run) -> None:
    lab = run.lab()
    image = lab.server().commit("web:1")
    run.end(lab)

    with refused("web:1", "is not on the engine any more"):
        run.lab().server(image=image)

    assert not [call for call in engine.calls if call.startswith("pull")]


def test_another_runs_tag_is_not_taken(engine: FakeEngine, run: Run, other: Run) -> None:
    image = run.lab().server().commit("web:1")
    theirs = other.lab().server()
    before = ids(engine)

    with pytest.raises(SpecError, match="image web:1 is there already: another run committed it") as caught:
        theirs.commit("web:1")

    assert f"process {os.getpid()} of " in caught.value.checked
    assert ids(engine) == before
    assert engine.image("web:1").id == image.id  # type: ignore[union-attr]


def test_a_tag_of_a_run_that_died_is_free(engine: FakeEngine, run: Run, other: Run) -> None:
    mine = run.lab()
    left = mine.server().commit("web:1")
    dead(engine, left)

    image = other.lab().server().commit("web:1")

    assert engine.image("web:1").id == image.id  # type: ignore[union-attr]
    assert {one.id for one in prune.find_images(engine)} == {left.id}
    assert run.end(mine) == []
    assert engine.image("web:1").id == image.id  # type: ignore[union-attr]
    assert engine.image(left.id) is None


def test_a_tag_that_was_given_to_another_image_stays(engine: FakeEngine, run: Run) -> None:
    lab = run.lab()
    image = lab.server().commit("web:1")
    theirs = made_of(engine, image, "web:1")

    assert theirs not in {one.id for one in prune.of_run(engine, run.services.run)}
    run.end(lab)

    assert engine.image("web:1").id == theirs  # type: ignore[union-attr]


@pytest.mark.parametrize("tag", ["web:1", "web:2"])
def test_what_others_make_of_it_is_not_replaced_and_not_removed(engine: FakeEngine, run: Run, tag: str) -> None:
    """It has all labels, and perhaps the very name."""
    lab = run.lab()
    server = lab.server()
    image = server.commit("web:1")
    theirs = made_of(engine, image, tag)
    dead(engine, image)

    with refused(f"image {tag} is there already and was not made here"):
        server.commit(tag)

    assert theirs not in {one.id for one in prune.find_images(engine) + prune.of_run(engine, run.services.run)}
    run.end(lab)
    assert theirs in ids(engine)


@pytest.mark.parametrize("untagged", [False, True], ids=["beside ours", "in place of ours"])
def test_a_tag_of_others_stays(engine: FakeEngine, run: Run, untagged: bool) -> None:
    lab = run.lab()
    image = lab.server().commit("web:1")
    engine.tag(image.id, "theirs:1")
    if untagged:
        engine.remove_image("web:1")

    assert run.end(lab) == []

    assert engine.image(image.id).tags == ("theirs:1",)  # type: ignore[union-attr]


def test_one_that_is_in_use_is_said_to_be_left(engine: FakeEngine, run: Run, other: Run) -> None:
    lab, theirs = run.lab(), other.lab()
    image = lab.server().commit("web:1")
    theirs.server(image=image.id)

    failed = run.end(lab)

    assert len(failed) == 1
    assert "web:1" in failed[0]
    failed.clear()
    other.end(theirs)
    assert prune.remove(engine, prune.of_run(engine, run.services.run)) == []
    assert image.id not in ids(engine)


def test_the_helper_takes_all_of_a_run(engine: FakeEngine, run: Run) -> None:
    """Two of one tag, one made of another; in whatever order they come."""
    lab = run.lab()
    server = lab.server()
    before = ids(engine)
    server.commit("web:1")
    lab.server(image=server.commit("web:1")).commit("web:2")
    lab.containers.clear()

    assert prune.remove(engine, prune.of_run(engine, run.services.run)) == []
    assert prune.remove(engine, prune.of_run(engine, run.services.run)) == []

    assert ids(engine) == before
    assert engine.names == []
