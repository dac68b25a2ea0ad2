"""A run says that it uses the images; `dockconn prune --all` goes by it."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from pytest_dockconn.actions import inuse, locks
from pytest_dockconn.actions.inuse import InUse


def taken(mark: str) -> locks.Lock | None:
    """As by one who removes the images; None where a run uses them."""
    lock = inuse._lock(mark)
    assert lock is not None
    return lock if lock.taken() else None


def test_who_could_not_say_so_says_it_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While images are removed nobody can; later nobody may remove what this run has found."""
    mark = secrets.token_hex(8)
    monkeypatch.setattr(locks, "FOLDER", tmp_path)
    monkeypatch.setattr(inuse, "PATIENCE", 0.1)
    run, removing = InUse(lambda: mark), taken(mark)
    assert removing is not None

    run.begin()
    removing.let_go()
    again = taken(mark)
    assert again is not None
    again.let_go()

    run.begin()
    assert taken(mark) is None
