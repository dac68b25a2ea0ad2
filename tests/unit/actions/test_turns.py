"""Who asks about isolation and who makes a network take turns, in other threads and in other processes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.waiting import until

from pytest_dockconn.actions import turns
from pytest_dockconn.actions.leases import Leases
from pytest_dockconn.actions.turns import Turns

URL = "unix:///run/docker.sock"


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    return Leases(tmp_path / "leases")


class Other:
    """Another run, in a thread: an open file of its own counts as another process does."""

    def __init__(self, leases: Leases, what: str, url: str = URL) -> None:
        self.has = threading.Event()
        self.go = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(getattr(Turns(url, leases), what),), daemon=True)
        self._thread.start()

    def _run(self, turn: object) -> None:
        with turn():  # type: ignore[operator]
            self.has.set()
            assert self.go.wait(20)

    def end(self) -> None:
        self.go.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


@contextlib.contextmanager
def other(leases: Leases, what: str, url: str = URL) -> Iterator[Other]:
    run = Other(leases, what, url)
    try:
        assert run.has.wait(20)
        yield run
    finally:
        run.end()


@pytest.mark.parametrize(
    ("held", "wanted", "waits"),
    [("asking", "asking", False), ("asking", "making", True), ("making", "asking", True), ("making", "making", True)],
)
def test_who_waits_for_whom(leases: Leases, held: str, wanted: str, waits: bool) -> None:
    with other(leases, held) as first:
        second = Other(leases, wanted)
        try:
            assert second.has.wait(0.15 if waits else 20) is not waits
            first.end()
            assert second.has.wait(20)
        finally:
            second.end()


def test_who_waits_to_make_one_comes_before_those_who_ask_next(leases: Leases) -> None:
    with other(leases, "asking") as first:
        maker = Other(leases, "making")
        late = None
        try:
            assert until(lambda: not free(leases, "gate"), 20)  # it waits
            late = Other(leases, "asking")
            assert not late.has.wait(0.15)
            first.end()
            assert maker.has.wait(20)
            assert not late.has.is_set()
        finally:
            maker.end()
            if late is not None:
                late.end()


def free(leases: Leases, what: str) -> bool:
    import fcntl
    import os

    (path,) = [one for one in leases._folder.iterdir() if one.name.startswith(what)]
    fd = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True


def test_each_engine_has_its_own(leases: Leases) -> None:
    with other(leases, "making"), Turns("unix:///run/other.sock", leases).making():
        pass


def test_one_engine_by_two_paths(leases: Leases, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "var").symlink_to(tmp_path / "run")
    with other(leases, "making", f"unix://{tmp_path}/run/d.sock"):
        second = Other(leases, "making", f"unix://{tmp_path}/var/d.sock")
        assert not second.has.wait(0.15)
    second.end()


def test_nobody_waits_for_ever(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.1)
    with other(leases, "asking"), Turns(URL, leases).making():
        pass


def test_without_a_folder_there_are_no_turns(tmp_path: Path) -> None:
    (tmp_path / "leases").write_text("somebody's file")
    with Turns(URL, Leases(tmp_path / "leases")).making(), Turns(URL, Leases(tmp_path / "leases")).asking():
        pass
