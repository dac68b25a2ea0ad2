"""The helper ends leases one by one: what can't be removed does not take the others' keeper away."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from pytest_dockconn import keeper
from pytest_dockconn.actions.leases import Lease, Leases
from pytest_dockconn.actions.progress import Progress
from pytest_dockconn.model.leftover import Leftover

RUN = "abc"


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    return Leases(tmp_path / "leases")


def engine(monkeypatch: pytest.MonkeyPatch, leases: Leases, stuck: set[str], rounds: int) -> list[set[str]]:
    """Removes all but what is stuck; the lease of "later" ends after some rounds."""
    seen: list[set[str]] = []

    def left(url: str, run: str, due: dict[str, Lease], _: Progress) -> set[str]:
        seen.append(set(due))
        for thing, lease in due.items():
            lease.drop() if thing in stuck else lease.end()
        if len(seen) == rounds and (later := leases.take(RUN, "later")) is not None:
            later.give_back(1.0)
        return stuck & set(due)

    monkeypatch.setattr(keeper, "_left", left)
    return seen


def test_all_goes_when_its_time_is_over(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = engine(monkeypatch, leases, set(), 0)
    leases.make(RUN, "one").give_back(1.0)
    leases.make(RUN, "died").drop()

    assert keeper.keep("url", RUN, leases, pace=0.0)
    assert seen == [{"one", "died"}]
    assert leases.of_run(RUN) == []


def test_what_is_stuck_does_not_end_the_helper(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the last other lease is over; then it goes, and says that something is left."""
    monkeypatch.setattr(keeper, "PATIENCE", 0.05)
    seen = engine(monkeypatch, leases, {"stuck"}, 3)
    leases.make(RUN, "stuck").give_back(1.0)
    leases.make(RUN, "later").give_back(1e12)

    assert not keeper.keep("url", RUN, leases, pace=0.0)
    assert seen.count({"stuck"}) >= 3
    assert any("later" in due for due in seen)
    assert leases.of_run(RUN) == ["stuck"]


def test_an_engine_that_does_not_move_is_not_waited_for(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "PATIENCE", 0.2)
    over = threading.Event()

    def frozen(*_: object) -> set[str]:
        over.wait(20)
        return set()

    monkeypatch.setattr(keeper, "_left", frozen)
    leases.make(RUN, "one").give_back(1.0)
    begun = time.monotonic()

    assert not keeper.keep("url", RUN, leases, pace=0.0)
    assert time.monotonic() - begun < 10
    taken = leases.take(RUN, "one")  # locked still, `dockconn prune` would say that the helper uses it, and leave it
    assert taken is not None
    taken.drop()
    over.set()


@pytest.mark.parametrize("stuck", [None, 2])
def test_as_long_as_things_go_it_goes_on(leases: Leases, monkeypatch: pytest.MonkeyPatch, stuck: int | None) -> None:
    """However long all of it takes; of what an engine got stuck at only that is left."""
    monkeypatch.setattr(keeper, "PATIENCE", 0.5)
    over = threading.Event()

    def slowly(_url: str, _run: str, due: dict[str, Lease], progress: Progress) -> set[str]:
        for number, thing in enumerate(sorted(due)):
            over.wait(20 if number == stuck else 0.3)
            progress.removed(Leftover("container", thing, thing, RUN, "", 0.0))
        for lease in due.values():
            lease.end()
        return set()

    monkeypatch.setattr(keeper, "_left", slowly)
    for thing in ("a", "b", "c"):
        leases.make(RUN, thing).give_back(1.0)

    assert keeper.keep("url", RUN, leases, pace=0.0) is (stuck is None)
    assert leases.of_run(RUN) == ([] if stuck is None else ["c"])
    over.set()


def test_what_it_gave_up_is_tried_again_with_the_next(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it lives no sweep takes it: its owner is not dead."""
    monkeypatch.setattr(keeper, "PATIENCE", 0.05)
    monkeypatch.setattr(keeper, "REST", 0.0)
    stuck, given_up = {"stuck"}, time.monotonic() + 0.3
    engine(monkeypatch, leases, stuck, 0)
    leases.make(RUN, "stuck").give_back(1.0)
    later = leases.make(RUN, "later")
    threading.Timer(0.6, lambda: later.give_back(1.0)).start()
    left = keeper._left

    def at_last(url: str, run: str, due: dict[str, Lease], progress: Progress) -> set[str]:
        if time.monotonic() > given_up:
            stuck.clear()
        return left(url, run, due, progress)

    monkeypatch.setattr(keeper, "_left", at_last)

    assert keeper.keep("url", RUN, leases, pace=0.01)
    assert leases.of_run(RUN) == []


def test_it_is_left_in_peace_for_a_while(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that will never go costs nobody a question a second for hours."""
    monkeypatch.setattr(keeper, "PATIENCE", 0.05)
    seen: list[set[str]] = []

    def left(url: str, run: str, due: dict[str, Lease], _: Progress) -> set[str]:
        seen.append(set(due))
        for thing, lease in due.items():
            lease.drop() if thing == "stuck" else lease.end()
        return {"stuck"} & set(due)

    monkeypatch.setattr(keeper, "_left", left)
    leases.make(RUN, "stuck").give_back(1.0)
    later = leases.make(RUN, "later")
    threading.Timer(0.6, lambda: later.give_back(1.0)).start()

    assert not keeper.keep("url", RUN, leases, pace=0.01)
    assert seen[-1] == {"later"}
    assert 1 <= seen.count({"stuck"}) < 20
