"""Facts are known only while events tell when they grow old."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.unit.samples import container

from pytest_dockconn.actions.facts import Facts
from pytest_dockconn.errors import EngineUnavailable

ID = "0123"


class Engine:
    """Tells one event, answers what happens then, and says no more."""

    def __init__(self, end: Exception | None) -> None:
        self.end = end
        self.asked = 0
        self.facts: Facts | None = None

    def inspect(self, _container: str) -> object:
        self.asked += 1
        return container(id=ID)

    def events(self) -> Iterator[Mapping[str, object]]:
        yield {"type": "container", "action": "start", "id": "other"}
        assert self.facts is not None
        for _ in range(3):
            self.facts.get(ID)
        assert self.asked == 1  # events flow: it is known
        if self.end is not None:
            raise self.end


def test_what_is_known_grows_old_also_where_events_only_stop_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something on the way has dropped the connection, and neither end was told."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    engine: Any = Engine(None)
    facts = Facts(engine)
    facts._flowing = True
    for moment, asked in ((100.0, 1), (100.9, 1), (101.1, 2), (102.0, 2), (102.2, 3)):
        now[0] = moment
        facts.get(ID)
        assert engine.asked == asked
    facts.fresh(ID)
    assert engine.asked == 4


def test_without_a_thread_to_listen_with_each_question_goes_to_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    engine: Any = Engine(None)
    facts = Facts(engine)
    facts.watch()
    facts.get(ID)
    facts.get(ID)
    assert engine.asked == 2
    assert not facts.cheap


@pytest.mark.parametrize("end", [None, EngineUnavailable("gone"), RecursionError()], ids=["end", "engine", "bug"])
def test_once_events_have_ended_nothing_is_known(end: Exception | None) -> None:
    engine: Any = Engine(end)
    engine.facts = facts = Facts(engine)
    with pytest.raises(RecursionError) if isinstance(end, RecursionError) else contextlib.nullcontext():
        facts._watch()

    facts.get(ID)
    facts.get(ID)

    assert engine.asked == 3
