"""A lease is one run's at a time, and says how its last user ended."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pytest_dockconn.actions.leases import Leases, clock
from pytest_dockconn.errors import DockconnError

RUN, THING = "abc", "0123"


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    return Leases(tmp_path / "leases")


def test_while_it_is_used_nobody_else_has_it(leases: Leases) -> None:
    lease = leases.make(RUN, THING)

    assert leases.is_used(RUN, THING)
    assert leases.take(RUN, THING) is None
    assert leases.take_due(RUN, THING, 1e12) is None
    assert leases.of_run(RUN) == [THING]
    lease.end()


def test_given_back_it_is_the_next_ones(leases: Leases) -> None:
    leases.make(RUN, THING).give_back(100.0)

    assert not leases.is_used(RUN, THING)
    assert leases.until(RUN, THING) == 100.0
    assert leases.take_due(RUN, THING, 99.0) is None
    lease = leases.take(RUN, THING)
    assert lease is not None
    assert lease.clean
    assert leases.is_used(RUN, THING)
    assert leases.take(RUN, THING) is None
    lease.end()


def test_its_time_is_over(leases: Leases) -> None:
    leases.make(RUN, THING).give_back(100.0)
    lease = leases.take_due(RUN, THING, 100.0)

    assert lease is not None
    lease.end()
    assert leases.of_run(RUN) == []


def test_put_back_it_is_as_it_was(leases: Leases) -> None:
    leases.make(RUN, THING).give_back(100.0)
    lease = leases.take(RUN, THING)
    assert lease is not None
    lease.put_back()
    assert leases.until(RUN, THING) == 100.0

    leases.make(RUN, "died").drop()
    lease = leases.take(RUN, "died")
    assert lease is not None
    lease.put_back()
    assert leases.until(RUN, "died") == 0.0


def test_where_nothing_can_be_written_or_removed(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = leases.make(RUN, THING)
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        with pytest.raises(DockconnError, match="can't keep its leases") as caught:
            leases.make(RUN, "other")
        assert caught.value.checked == "you may not write to it"
        patch.undo()
        patch.setattr(os, "pwrite", _full)
        patch.setattr(Path, "unlink", _full)
        with pytest.raises(DockconnError, match="can't keep a lease"):
            leases.make(RUN, "other")
        lease.end()

    assert not leases.is_used(RUN, THING)
    assert leases.until(RUN, THING) == 0.0


def test_it_says_who_uses_it(leases: Leases) -> None:
    lease = leases.make(RUN, THING)
    assert leases.user(RUN, THING) == "this very run"
    lease.give_back(100.0)
    assert leases.user(RUN, THING) == ""
    assert leases.user(RUN, "other") == ""

    read, write = os.pipe()
    ready, done = os.pipe()
    child = os.fork()
    if not child:
        os.close(write)
        taken = Leases(leases._folder).take(RUN, THING)
        os.write(done, b"1" if taken else b"0")
        os.read(read, 1)
        os._exit(0)
    assert os.read(ready, 1) == b"1"
    said = leases.user(RUN, THING)
    for end in (write, read, ready, done):
        os.close(end)
    os.waitpid(child, 0)
    assert said == f"the run of process {child}"


def test_nobody_sets_the_clock_that_leases_go_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine's time of day jumps: by NTP, by hand, after a sleep."""
    before = clock()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert before <= clock() < before + 60


def test_its_user_died(leases: Leases) -> None:
    """The kernel lets go of the lock; nobody wrote that it may be used again."""
    child = os.fork()
    if not child:
        leases.make(RUN, THING)
        os._exit(0)
    os.waitpid(child, 0)

    assert not leases.is_used(RUN, THING)
    lease = leases.take_due(RUN, THING, 0.0)
    assert lease is not None
    assert not lease.clean
    lease.end()


def test_a_forked_child_does_not_hold_it(leases: Leases) -> None:
    """It may outlive the run: a pool of workers that nobody ends."""
    lease = leases.make(RUN, THING)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    lease.drop()

    again = leases.take(RUN, THING)
    os.close(write)
    os.close(read)
    os.waitpid(child, 0)
    assert again is not None
    assert not again.clean
    again.end()


def test_what_was_cut_short_is_of_one_that_died(leases: Leases, tmp_path: Path) -> None:
    leases.make(RUN, "other").end()
    (tmp_path / "leases" / f"{RUN}.{THING}").touch()
    lease = leases.take_due(RUN, THING, 0.0)

    assert lease is not None
    assert not lease.clean
    lease.end()


def test_dropped_it_is_nobodys(leases: Leases) -> None:
    leases.make(RUN, THING).drop()
    lease = leases.take(RUN, THING)

    assert lease is not None
    assert not lease.clean
    lease.drop()
    again = leases.take(RUN, THING)
    assert again is not None
    assert not again.clean
    again.end()


def test_a_full_disk_leaves_it_in_use(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = leases.make(RUN, THING)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", _full)
        lease.give_back(100.0)
        with pytest.raises(DockconnError, match="can't keep a lease"):
            leases.make(RUN, "other")

    assert leases.until(RUN, THING) == 0.0
    assert leases.of_run(RUN) == [THING]


def _full(*_: object, **__: object) -> int:
    raise OSError(28, "No space left on device")


def test_what_ended_meanwhile_is_not_taken(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another removed it between this one's open and its lock."""
    leases.make(RUN, THING).give_back(100.0)
    opened = os.open

    def slow(path: Path, flags: int, mode: int = 0o777) -> int:
        fd = opened(path, flags, mode)
        path.unlink()
        return fd

    monkeypatch.setattr(os, "open", slow)
    assert leases.take(RUN, THING) is None


def test_where_there_is_none(leases: Leases) -> None:
    assert leases.take(RUN, THING) is None
    assert leases.until(RUN, THING) is None
    assert not leases.is_used(RUN, THING)
    assert leases.of_run(RUN) == []


def test_a_label_does_not_lead_out_of_the_folder(leases: Leases, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("100.0")

    assert leases.take("..", "/x") is None
    assert leases.take("../x", "") is None
    assert leases.of_run("**") == []
    assert leases.of_run("/x") == []


@pytest.mark.parametrize("kind", ["a link", "open to all"])
def test_a_folder_that_others_have_a_say_in_is_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "leases"
    if kind == "a link":
        (tmp_path / "theirs").mkdir()
        folder.symlink_to(tmp_path / "theirs")
    else:
        folder.mkdir()
        folder.chmod(0o777)

    with pytest.raises(DockconnError, match="can't keep its leases"):
        Leases(folder).make(RUN, THING)


@pytest.mark.parametrize("kind", ["a link", "open to all"])
def test_what_lies_in_such_a_folder_is_no_lease(leases: Leases, tmp_path: Path, kind: str) -> None:
    """Else a locked file of somebody's would say for ever that a run uses a thing, and nobody would remove it."""
    theirs = leases.make(RUN, THING)
    folder = tmp_path / "leases"
    if kind == "a link":
        folder.rename(tmp_path / "theirs")
        folder.symlink_to(tmp_path / "theirs")
    else:
        folder.chmod(0o777)

    assert leases.take(RUN, THING) is None
    assert leases.until(RUN, THING) is None
    assert not leases.is_used(RUN, THING)
    assert leases.user(RUN, THING) == ""
    assert leases.of_run(RUN) == []
    theirs.drop()


def test_put_back_is_only_what_one_still_has(leases: Leases) -> None:
    leases.make(RUN, THING).give_back(100.0)
    lease = leases.take(RUN, THING)
    assert lease is not None
    lease.drop()
    lease.put_back()
    assert leases.until(RUN, THING) == 0.0


def test_what_can_not_be_read_is_no_lease(leases: Leases, tmp_path: Path) -> None:
    leases.prepare()
    os.mkfifo(tmp_path / "leases" / f"{RUN}.{THING}")
    assert leases.until(RUN, THING) is None
    assert not leases.is_used(RUN, THING)
    assert leases.user(RUN, THING) == ""
