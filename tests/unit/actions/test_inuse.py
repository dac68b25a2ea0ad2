"""A run says that it uses the images; `dockconn prune --all` goes by it."""

from __future__ import annotations

import secrets

import pytest

from pytest_dockconn.actions import inuse, locks
from pytest_dockconn.actions.inuse import InUse


def test_who_could_not_say_so_says_it_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """While images are removed nobody can; later nobody may remove what this run has found."""
    mark = secrets.token_hex(8)
    monkeypatch.setattr(inuse, "PATIENCE", 0.1)
    removing, later = inuse._lock(mark), inuse._lock(mark)
    assert removing is not None
    assert later is not None
    assert removing.taken()
    run = InUse(lambda: mark)

    run.begin()
    removing.let_go()
    assert later.taken()
    later.let_go()

    run.begin()
    assert not later.taken()
    locks.place("images", mark).unlink()
