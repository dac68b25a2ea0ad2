"""The command ``dockconn prune``, on the engine in memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.engine import BASE, FakeEngine

from pytest_dockconn import cli, labels
from pytest_dockconn.actions import building, inuse, leases, locks
from pytest_dockconn.actions.guardian import Guardian
from pytest_dockconn.actions.images import CLIENT, SERVER, Images
from pytest_dockconn.actions.services import Services
from pytest_dockconn.logic import bases
from pytest_dockconn.model.settings import Settings
from pytest_dockconn.model.spec import ContainerPlan, NetworkPlan

#: A process that is not: the number is beyond what a kernel gives out; and one that always is.
NOBODY, SOMEBODY = "4194305", "1"
NAME = "dockconn-cd34-thing"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeEngine]:
    made = FakeEngine()
    monkeypatch.setattr(cli, "find", lambda _: made)
    monkeypatch.setattr(locks, "FOLDER", tmp_path)
    images = Images(made, Settings(), bases.parse(BASE), "ab12", lambda _: None)
    for role in (CLIENT, SERVER):
        images.get(role)
    yield made
    made.shut_down()


def marks(owner: str, **more: str) -> dict[str, str]:
    named = {getattr(labels, name): value for name, value in more.items()}
    made = labels.made("cd34", NAME, "test")
    return {**made, labels.PID: owner, labels.STARTED: labels.process_started(int(owner)) or "1", **named}


def network(engine: FakeEngine, name: str, labelled: dict[str, str]) -> None:
    engine.create_network(NetworkPlan(name=name, labels=labelled))


def container(engine: FakeEngine, name: str, labelled: dict[str, str]) -> None:
    engine.create(ContainerPlan(image=BASE, name=name, labels=labelled, command=("sleep", "60")))


def test_all_takes_the_images_too(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    tags = engine.tags
    assert cli.main(["prune"]) == 0
    assert capsys.readouterr().out == "0 left behind\n"
    assert engine.tags == tags

    assert cli.main(["prune", "--all"]) == 0

    assert capsys.readouterr().out.endswith("\n2 removed\n")
    assert engine.tags == [BASE]
    assert len(engine._images) == 1


@pytest.mark.parametrize("make", [container, network])
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_what_a_run_uses_is_left_alone(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], make: object, more: list[str]
) -> None:
    assert callable(make)
    make(engine, NAME, marks(SOMEBODY))
    tags = engine.tags

    assert cli.main(["prune", "--all", *more]) == 0

    out = capsys.readouterr().out
    for tag in tags:
        assert (f"built image {tag}: a run uses it now (process {SOMEBODY} of " in out) is (tag != BASE)
    assert out.count("): left alone") == 2
    assert out.endswith("\n0 left behind\n")
    assert engine.tags == tags


def test_what_a_dead_run_left_goes_meanwhile(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    container(engine, NAME, marks(SOMEBODY))
    container(engine, f"{NAME}2", marks(NOBODY, NAME=f"{NAME}2"))
    tags = engine.tags

    assert cli.main(["prune", "--all"]) == 0

    assert capsys.readouterr().out.endswith("\n1 removed\n")
    assert engine.names == [NAME]
    assert engine.tags == tags


@pytest.mark.parametrize(
    "labelled",
    [
        pytest.param(marks(NOBODY), id="a run that died"),
        pytest.param({**marks(SOMEBODY), **labels.owner()}, id="this process"),
        pytest.param(marks(SOMEBODY, NAME="another"), id="somebody's, of a committed image"),
        pytest.param({labels.RUN: ""}, id="somebody's"),
    ],
)
def test_what_does_not_count_as_a_user(engine: FakeEngine, labelled: dict[str, str]) -> None:
    container(engine, NAME, labelled)
    assert cli.main(["prune", "--all"]) == 0
    assert engine.tags == [BASE]


@pytest.mark.parametrize("used", [False, True])
def test_what_is_kept_for_the_next_run_is_no_user_unless_it_is_used(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, used: bool
) -> None:
    """``--dockconn-reuse``: its owner, the helper, lives; and prune ends it."""
    monkeypatch.setattr(leases, "_folder", lambda: tmp_path / "leases")
    container(engine, NAME, marks(SOMEBODY, REUSE="hash"))
    (kept,) = engine._containers
    lease = leases.Leases().make("cd34", kept)
    if not used:
        lease.give_back(leases.clock() + 600)
    tags = engine.tags

    assert cli.main(["prune", "--all"]) == 0

    assert engine.tags == (tags if used else [BASE])
    assert engine.names == ([NAME] if used else [])


def test_a_build_that_goes_on(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    tags = engine.tags
    with building.alone(engine, "client", print):
        assert cli.main(["prune", "--all"]) == 0
    assert capsys.readouterr().out.count(": a run uses it now (a build): left alone\n") == 2
    assert engine.tags == tags


def test_a_run_that_has_no_container_now(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It collects, or is between two tests; and it will not look for the images again."""
    tags = engine.tags
    monkeypatch.setattr(engine, "_url", "unix:///run/docker.sock")  # one that others can be on
    services = Services(engine, Settings(base=BASE), lambda _: None)
    services.images.look()

    assert cli.main(["prune", "--all"]) == 0

    assert capsys.readouterr().out.count(": a run uses it now (one that has no container now): left alone\n") == 2
    assert engine.tags == tags

    del services
    gc.collect()
    assert cli.main(["prune", "--all"]) == 0
    assert engine.tags == [BASE]


@pytest.mark.parametrize("only_look", [True, False])
def test_who_has_an_image_built_has_a_helper(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, only_look: bool
) -> None:
    """Whatever wants the image: a fixture of it alone, or a question to the engine, before there is any container."""
    started: list[str] = []
    monkeypatch.setattr(engine, "_url", "unix:///run/docker.sock")
    monkeypatch.setattr(Guardian, "start", lambda _: started.append("helper"))
    services = Services(engine, Settings(base=BASE), lambda _: None)
    services.images.look() if only_look else services.images.get(CLIENT)
    assert started == ([] if only_look else ["helper"])


def test_a_run_that_begins_meanwhile(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While what a dead run left is removed, which takes seconds: it finds the images, and will not look again."""
    container(engine, NAME, marks(NOBODY))
    tags = engine.tags
    monkeypatch.setattr(engine, "_url", "unix:///run/docker.sock")  # one that others can be on
    services = Services(engine, Settings(base=BASE), lambda _: None)
    remove = engine.remove

    def removed(container: str) -> None:
        services.images.look()
        remove(container)

    monkeypatch.setattr(engine, "remove", removed)

    assert cli.main(["prune", "--all"]) == 1

    said = capsys.readouterr()
    assert said.err.count(": a run uses it now\n") == 2
    assert said.out.endswith("\n1 removed\n")
    assert engine.names == []
    assert engine.tags == tags


def test_no_run_begins_while_the_images_go(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits until they are gone, and builds them again."""
    remove_image, waits = engine.remove_image, []

    def removed(name: str) -> None:
        waits.append(inuse.by_a_run(engine))  # the lock is had
        remove_image(name)

    monkeypatch.setattr(engine, "remove_image", removed)

    assert cli.main(["prune", "--all"]) == 0

    assert waits
    assert all(waits)
    assert engine.tags == [BASE]
    assert not inuse.by_a_run(engine)
