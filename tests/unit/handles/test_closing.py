"""What happens around the end of a lab, or of a partition: on an engine in memory."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import pytest
from tests.unit import labs

from pytest_dockconn.handles import partition
from pytest_dockconn.lab import Lab


def test_an_image_whose_lab_closes_while_it_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a thread that the test has not waited for: the lab counts its images without it."""
    with labs.opened() as session:
        services = session._services
        engine: Any = services.engine
        lab = Lab(services, "1")
        commit = engine.commit

        def closing(*args: Any) -> str:
            made: str = commit(*args)
            lab.close()
            return made

        monkeypatch.setattr(engine, "commit", closing)
        before = lab.client()
        before.commit("late")
        services.remover.join()
        assert "late:latest" not in engine.tags


@pytest.mark.parametrize(("forked", "healed"), [(False, ["mark"]), (True, [])])
def test_a_fork_does_not_heal_what_its_parent_has_cut(
    monkeypatch: pytest.MonkeyPatch, forked: bool, healed: list[str]
) -> None:
    """It falls out of the block, while the parent is still inside."""
    done: list[object] = []
    monkeypatch.setattr(partition, "cut", lambda *_: "mark")
    monkeypatch.setattr(partition, "heal", lambda _, mark: done.append(mark))
    with labs.opened() as lab:
        web, street = lab.server(), lab.network()
        with contextlib.ExitStack() as later, lab.partition(web, street):
            if forked:
                later.enter_context(pytest.MonkeyPatch.context()).setattr(os, "getpid", lambda: 0)
    assert done == healed
