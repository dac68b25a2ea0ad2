"""Who asks about isolation and who makes a network take turns, in other threads and in other processes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.waiting import until

from pytest_dockconn.actions import turns
from pytest_dockconn.actions.turns import Turns

URL = "unix:///run/docker.sock"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "turns"


class Other:
    """Another run, in a thread: an open file of its own counts as another process does."""

    def __init__(self, folder: Path, what: str, url: str = URL) -> None:
        self.has = threading.Event()
        self.go = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(getattr(Turns(url, folder), what),), daemon=True)
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
def other(folder: Path, what: str, url: str = URL) -> Iterator[Other]:
    run = Other(folder, what, url)
    try:
        assert run.has.wait(20)
        yield run
    finally:
        run.end()


@pytest.mark.parametrize(
    ("held", "wanted", "waits"),
    [("asking", "asking", False), ("asking", "making", True), ("making", "asking", True), ("making", "making", True)],
)
def test_who_waits_for_whom(folder: Path, held: str, wanted: str, waits: bool) -> None:
    with other(folder, held) as first:
        second = Other(folder, wanted)
        try:
            assert second.has.wait(0.15 if waits else 20) is not waits
            first.end()
            assert second.has.wait(20)
        finally:
            second.end()


def test_who_waits_to_make_one_comes_before_those_who_ask_next(folder: Path) -> None:
    with other(folder, "asking") as first:
        maker = Other(folder, "making")
        late = None
        try:
            assert until(lambda: not free(folder, "gate"), 20)  # it waits
            late = Other(folder, "asking")
            assert not late.has.wait(0.15)
            first.end()
            assert maker.has.wait(20)
            assert not late.has.is_set()
        finally:
            maker.end()
            if late is not None:
                late.end()


def free(folder: Path, what: str) -> bool:
    import fcntl
    import os

    (path,) = [one for one in folder.iterdir() if one.name.startswith(what)]
    fd = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True


def test_each_engine_has_its_own(folder: Path) -> None:
    with other(folder, "making"), Turns("unix:///run/other.sock", folder).making():
        pass


def test_one_engine_by_two_paths(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "var").symlink_to(tmp_path / "run")
    with other(folder, "making", f"unix://{tmp_path}/run/d.sock"):
        second = Other(folder, "making", f"unix://{tmp_path}/var/d.sock")
        assert not second.has.wait(0.15)
    second.end()


def test_nobody_waits_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.1)
    with other(folder, "asking"), Turns(URL, folder).making():
        pass


def test_without_a_folder_there_are_no_turns(tmp_path: Path) -> None:
    (tmp_path / "turns").write_text("somebody's file")
    with Turns(URL, tmp_path / "turns").making(), Turns(URL, tmp_path / "turns").asking():
        pass
