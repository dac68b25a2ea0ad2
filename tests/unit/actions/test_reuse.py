"""What becomes of a run's things at its end: who may have them, who removes them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_dockconn import labels
from pytest_dockconn.actions import leases
from pytest_dockconn.actions.leases import Leases
from pytest_dockconn.actions.reuse import Reuse
from pytest_dockconn.logic.reuse import Place
from pytest_dockconn.session import Session

RUN, THING = "abc", "0123"
LEASE = 600.0


class Helper:
    """In place of the helper process."""

    def __init__(self, pid: int | None = 4711) -> None:
        self.pid = pid
        self.told: list[str] = []

    def dismiss(self) -> None:
        self.told.append("dismiss")

    def keep(self) -> None:
        self.told.append("keep")

    def abandon(self) -> None:
        self.told.append("abandon")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Leases:
    monkeypatch.setattr(leases, "_folder", lambda: tmp_path / "leases")
    return Leases(tmp_path / "leases")


def reuse(helper: Helper) -> Reuse:
    guardian: Any = helper
    engine: Any = None  # not asked here
    return Reuse(engine, RUN, guardian, "/project", LEASE)


def test_what_was_made_is_the_next_runs_for_as_long_as_the_lease(folder: Leases) -> None:
    mine = reuse(Helper())
    mine.made(THING, "server1")
    assert mine.keeps(THING)
    assert folder.is_used(RUN, THING)

    assert mine.give_back()

    assert not folder.is_used(RUN, THING)
    assert folder.until(RUN, THING) == pytest.approx(leases.clock() + LEASE, abs=60)
    assert not mine.keeps(THING)


def test_where_the_helper_died_nobody_may_have_it(folder: Leases) -> None:
    """Its owner is dead, so the next run's sweep removes it."""
    helper = Helper()
    mine = reuse(helper)
    mine.made(THING, "server1")
    helper.pid = None

    assert not mine.give_back()

    left = folder.take_due(RUN, THING, 0.0)
    assert left is not None
    assert not left.clean
    left.end()


def test_without_a_helper_nothing_is_kept(folder: Leases) -> None:
    mine = reuse(Helper(None))
    marks = mine.marks(Place("use", "made of"), RUN, "dockconn-abc-server1", "server")
    mine.made(THING, "server1")

    assert labels.REUSE not in marks
    assert not mine.keeps(THING)
    assert folder.of_run(RUN) == []
    mine.end(THING)
    assert mine.outcome().made == ("server1 (not kept: there is no helper process to remove it later)",)


@pytest.mark.usefixtures("folder")
def test_with_a_helper_it_is_the_owner() -> None:
    marks = reuse(Helper()).marks(Place("use", "made of"), RUN, "dockconn-abc-server1", "server")
    assert (marks[labels.PID], marks[labels.REUSE], marks[labels.PLACE]) == ("4711", "made of", "use")


def test_what_was_dropped_is_for_its_helper_to_remove(folder: Leases) -> None:
    mine = reuse(Helper())
    mine.made(THING, "server1")

    mine.drop()

    left = folder.take_due(RUN, THING, 0.0)
    assert left is not None
    assert not left.clean
    left.end()


def test_what_was_removed_has_no_lease(folder: Leases) -> None:
    mine = reuse(Helper())
    mine.made(THING, "server1")
    mine.end(THING)
    assert folder.of_run(RUN) == []
    assert mine.outcome().made == ()
    assert not mine.give_back()


class Kept:
    """In place of what ``Reuse`` keeps."""

    def __init__(self, *, lost: bool = False, watch: bool = True) -> None:
        self.lost = lost
        self.watch = watch
        self.told: list[str] = []

    def drop(self) -> None:
        self.told.append("drop")

    def give_back(self) -> bool:
        self.told.append("give_back")
        return self.watch


@pytest.mark.parametrize(
    ("kept", "failed", "interrupted", "doubt", "reuse_told", "helper_told"),
    [
        (None, [], False, False, None, "dismiss"),
        (None, ["server1 is still there"], False, False, None, "abandon"),
        (None, [], True, False, None, "abandon"),
        (None, [], False, True, None, "abandon"),
        (Kept(), [], False, False, "give_back", "keep"),
        (Kept(watch=False), [], False, False, "give_back", "dismiss"),
        (Kept(lost=True), [], False, False, "drop", "abandon"),
        (Kept(), ["server1 is still there"], False, False, "drop", "abandon"),
        (Kept(), [], True, False, "drop", "abandon"),
        (Kept(), [], False, True, "drop", "abandon"),
    ],
)
def test_the_end_of_a_session(
    kept: Kept | None, failed: list[str], interrupted: bool, doubt: bool, reuse_told: str | None, helper_told: str
) -> None:
    """Where it is not known that all is well, the helper looks, and nothing is left for a later run."""
    helper = Helper()
    nothing = SimpleNamespace(close=lambda: None, failed=failed)
    session: Any = SimpleNamespace(
        interrupted=interrupted,
        services=SimpleNamespace(
            remover=nothing, engine=nothing, reuse=kept, guardian=helper, doubt=SimpleNamespace(there=doubt)
        ),
    )

    assert Session.close(session) == failed

    assert helper.told == [helper_told]
    if kept is not None:
        assert kept.told == [reuse_told]
