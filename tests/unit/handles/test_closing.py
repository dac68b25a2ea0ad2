"""What happens around the end of a lab, or of a partition: on an engine in memory."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import pytest
from tests.unit import labs

from pytest_dockconn.errors import CapabilityError
from pytest_dockconn.handles import partition
from pytest_dockconn.lab import Lab
from pytest_dockconn.logic.partition import Cut


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


class Cuts:
    """Stands in for the rules, which an engine in memory has not: those that are in force, by container."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.there: list[tuple[str, Cut]] = []
        self.most = 0
        self.refuses = False
        monkeypatch.setattr(partition, "cut", self._cut)
        monkeypatch.setattr(partition, "heal", lambda _, mark: self.there.remove(mark))

    def _cut(self, _: Any, container: str, what: Cut) -> tuple[str, Cut]:
        if self.refuses:
            raise CapabilityError("no nft", checked="", remedy="")
        self.there.append((container, what))
        self.most = max(self.most, len(self.there))
        return self.there[-1]


def test_what_comes_back_is_cut_off_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rules went with its network namespace, and its address may be another."""
    cuts = Cuts(monkeypatch)
    with labs.opened() as lab:
        web, db, other, third = lab.server(), lab.server(), lab.network(), lab.server()
        with lab.partition(web, db):
            first = dict(cuts.there)
            assert set(first) == {web.id, db.id}
            third.restart()
            assert dict(cuts.there) == first

            web.stop()
            db.restart()  # while the other is down nothing can be cut
            web.start()
            other.connect(db)
            again = dict(cuts.there)
            assert len(cuts.there) == 2
            assert again[web.id].peers == db.facts().addresses
            assert db.ip_on(other) in again[web.id].peers
            assert cuts.most == 4, "the new rules come first"
        assert cuts.there == []
        web.restart()
        assert cuts.there == []


def test_it_is_not_set_anew_when_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a thread that had begun a start inside: nobody would take those rules away."""
    cuts = Cuts(monkeypatch)
    with labs.opened() as lab:
        web, db = lab.server(), lab.server()
        with lab.partition(web, db):
            (late,) = lab._services.renewals
        late(web.id)
        assert cuts.there == []


def test_of_one_that_is_nowhere_nothing_can_be_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = Cuts(monkeypatch)
    with labs.opened() as lab:
        network = lab.network()
        web, db = lab.server(networks=[network]), lab.server(networks=[network])
        with lab.partition(web, db):
            network.disconnect(db)
            web.restart()
            network.connect(db)
            assert db.ip in dict(cuts.there)[web.id].peers
        assert cuts.there == []


def test_where_that_can_not_be_the_test_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = Cuts(monkeypatch)
    with labs.opened() as lab:
        web, db = lab.server(), lab.server()
        with lab.partition(web, db):
            cuts.refuses = True
            with pytest.raises(CapabilityError, match="no nft"):
                web.restart()
        assert cuts.there == []
