"""Who asks about isolation and who makes a network take turns, in other threads and in other processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.engine import FakeEngine
from tests.waiting import until

from pytest_dockconn.actions import locks, turns
from pytest_dockconn.actions.services import Services
from pytest_dockconn.actions.turns import Turns
from pytest_dockconn.model.settings import Settings

MARK = "0123"
NOBODY = 65534


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of /tmp."""
    monkeypatch.setattr(locks, "FOLDER", tmp_path)
    return tmp_path


def turns_of(mark: str) -> Turns:
    return Turns(lambda: mark)


class Other:
    """Another run, in a thread: an open file of its own counts as another process does."""

    def __init__(self, what: str, mark: str = MARK) -> None:
        self.has = threading.Event()
        self.go = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(getattr(turns_of(mark), what),), daemon=True)
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
def other(what: str, mark: str = MARK) -> Iterator[Other]:
    run = Other(what, mark)
    try:
        assert run.has.wait(20)
        yield run
    finally:
        run.end()


@pytest.mark.parametrize(
    ("held", "wanted", "waits"),
    [("asking", "asking", False), ("asking", "making", True), ("making", "asking", True), ("making", "making", True)],
)
def test_who_waits_for_whom(held: str, wanted: str, waits: bool) -> None:
    with other(held) as first:
        second = Other(wanted)
        try:
            assert second.has.wait(0.15 if waits else 20) is not waits
            first.end()
            assert second.has.wait(20)
        finally:
            second.end()


def test_who_waits_to_make_one_comes_before_those_who_ask_next(folder: Path) -> None:
    with other("asking") as first:
        maker = Other("making")
        late = None
        try:
            assert until(lambda: not free(folder, "gate"), 20)  # it waits
            late = Other("asking")
            assert not late.has.wait(0.15)
            first.end()
            assert maker.has.wait(20)
            assert not late.has.is_set()
        finally:
            maker.end()
            if late is not None:
                late.end()


def free(folder: Path, what: str) -> bool:
    (path,) = [one for one in folder.iterdir() if one.name.startswith(f"dockconn-{what}-")]
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True


@pytest.mark.parametrize("mark", [pytest.param("4567", id="another engine"), pytest.param("", id="one of the tests")])
def test_who_need_not_wait(mark: str) -> None:
    with other("making"):
        with turns_of(mark).making():
            pass
        with turns_of(mark).asking():
            pass


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.1)
    with other("asking"), turns_of(MARK).making():
        pass


def test_without_a_place_there_are_no_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "FOLDER", tmp_path / "nowhere")
    with other("making"), turns_of(MARK).making():
        pass


def test_a_forked_child_keeps_no_turn() -> None:
    """It may outlive the turn: a pool of workers that nobody ends. Nor does it end its parent's."""
    read, write = os.pipe()
    left, leaves = os.pipe()
    with contextlib.ExitStack() as stack:
        stack.enter_context(turns_of(MARK).making())
        child = os.fork()
        if not child:
            os.close(write)
            stack.close()
            os.write(leaves, b"1")
            os.read(read, 1)
            os._exit(0)
        assert os.read(left, 1) == b"1"
        assert not free(locks.FOLDER, "turn")
    try:
        assert free(locks.FOLDER, "turn")
    finally:
        for end in (read, write, left, leaves):
            os.close(end)
        os.waitpid(child, 0)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to be two users")
def test_users_of_one_machine_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Path(tempfile.mkdtemp(dir="/tmp"))  # pytest's own are for this user alone
    shared.chmod(0o1777)
    monkeypatch.setattr(locks, "FOLDER", shared)
    old = os.umask(0o077)
    try:
        with turns_of(MARK).making():
            assert theirs(locks.place("turn", MARK)) == "False"
        assert theirs(locks.place("turn", MARK)) == "True"
    finally:
        os.umask(old)
        shutil.rmtree(shared)


TAKE = """
import fcntl, os, sys
from pathlib import Path
from pytest_dockconn.actions import locks
os.setuid(int(sys.argv[2]))
print(locks.found(Path(sys.argv[1])).taken())
"""


def theirs(path: Path) -> str:
    """Whether another user may have it now."""
    command = [sys.executable, "-c", TAKE, str(path), str(NOBODY)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("url", "another", "waits"),
    [
        pytest.param("tcp://127.0.0.1:2375", False, True, id="the same by another URL"),
        pytest.param("tcp://127.0.0.1:2375", True, False, id="another engine"),
        pytest.param("fake://here", False, False, id="one that this process has to itself"),
    ],
)
def test_by_what_an_engine_is_known(url: str, another: bool, waits: bool) -> None:
    ours, theirs = FakeEngine(url="unix:///run/docker.sock"), FakeEngine(url=url)
    if not another:
        theirs.id = ours.id
    services, others = (Services(one, Settings(), lambda _: None) for one in (ours, theirs))
    try:
        with services.turns.making():
            assert (services.mark == others.mark) is waits
    finally:
        ours.shut_down()
        theirs.shut_down()
