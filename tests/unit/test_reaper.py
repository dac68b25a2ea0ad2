"""The helper after its run has died: it waits for what the engine still makes, and not for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from tests.fakes.engine import FakeEngine, Fault

from pytest_dockconn import labels, reaper
from pytest_dockconn.actions import prune
from pytest_dockconn.engine import find
from pytest_dockconn.errors import EngineError, EngineUnavailable
from pytest_dockconn.model.spec import NetworkPlan

RUN = "ab12"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """What the helper finds at its URL; it waits for less than it does in earnest."""
    made = FakeEngine()

    def found(url: str, environ: object, timeout: float) -> FakeEngine:
        assert (url, environ) == ("unix:///x", {})
        assert timeout <= reaper.PATIENCE / 2  # else one question to an engine that hangs outlasts all of its time
        return made

    monkeypatch.setattr(find, "find", found)
    yield made
    made.shut_down()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper, "QUIET", 0.1)
    monkeypatch.setattr(reaper, "PATIENCE", 0.5)
    monkeypatch.setattr(reaper, "CALL", 0.1)


def network(engine: FakeEngine, run: str, name: str) -> str:
    called = f"dockconn-{run}-{name}"
    return engine.create_network(NetworkPlan(name=called, labels=labels.made(run, called, "network")))


def names(engine: FakeEngine) -> list[str]:
    return [one.name for one in engine.networks("dockconn")]


@pytest.mark.usefixtures("hurried")
def test_what_the_run_has_made_goes_and_nothing_else(engine: FakeEngine) -> None:
    network(engine, RUN, "front")
    network(engine, "cd34", "front")

    assert reaper.clean("unix:///x", RUN)
    assert names(engine) == ["dockconn-cd34-front"]


@pytest.mark.usefixtures("hurried")
def test_what_the_engine_makes_meanwhile_goes_too(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of it before the run died."""
    looks = iter(range(10**6))
    listed = engine.networks

    def late(label: str | None = None) -> object:
        if next(looks) == 2:
            network(engine, RUN, "late")
        return listed(label)

    monkeypatch.setattr(engine, "networks", late)

    assert reaper.clean("unix:///x", RUN)
    assert names(engine) == []


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("error", "call"), [(EngineError, "remove_network"), (EngineUnavailable, "")])
def test_it_gives_up(engine: FakeEngine, error: type[EngineError], call: str) -> None:
    """Where the engine does not want to, and where it is gone."""
    network(engine, RUN, "front")
    engine.faults.append(Fault(lambda: error("no"), call))
    begun = time.monotonic()

    assert not reaper.clean("unix:///x", RUN)
    assert time.monotonic() - begun >= reaper.PATIENCE


@pytest.mark.usefixtures("hurried")
def test_one_that_does_not_move_is_not_waited_for_call_by_call(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    network(engine, RUN, "front")
    over = threading.Event()
    monkeypatch.setattr(engine, "networks", lambda _: over.wait(20) and ())
    begun = time.monotonic()

    assert not reaper.clean("unix:///x", RUN)
    assert reaper.PATIENCE <= time.monotonic() - begun < 10
    over.set()


@pytest.mark.usefixtures("hurried")
def test_what_an_engine_only_says_to_remove_keeps_it_no_longer(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker is "already in progress" for ever, where a process of it can't be ended."""
    network(engine, RUN, "front")
    monkeypatch.setattr(engine, "remove_network", lambda _: None)
    begun = time.monotonic()

    assert not reaper.clean("unix:///x", RUN)
    assert time.monotonic() - begun < 10


@pytest.mark.usefixtures("hurried")
def test_as_long_as_things_go_it_goes_on(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, and slow as the engine may be."""
    monkeypatch.setattr(prune, "WIDTH", 1)
    for number in range(4):
        network(engine, RUN, f"net{number}")
    removed = engine.remove_network

    def slowly(name: str) -> None:
        threading.Event().wait(0.6 * reaper.PATIENCE)
        removed(name)

    monkeypatch.setattr(engine, "remove_network", slowly)

    assert reaper.clean("unix:///x", RUN)
    assert names(engine) == []


def test_an_engine_that_comes_back_in_time_is_tidied(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper, "QUIET", 0.1)
    network(engine, RUN, "front")
    engine.faults.append(Fault(lambda: EngineUnavailable("gone"), times=3))

    assert reaper.clean("unix:///x", RUN)
    assert names(engine) == []


@pytest.mark.parametrize("said", ["", "unix:///x", "\n\n"])
def test_it_does_nothing_where_it_was_told_nothing(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.StringIO(said))
    assert reaper.main() == 0
