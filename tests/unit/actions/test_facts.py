"""Facts are known only while events tell when they grow old."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from tests.samples import container

from pytest_dockconn import labels
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


class Listing:
    """An engine with one container, as its list shows it, beside the one that is asked about."""

    url = "fake://here"

    def __init__(self, kind: str, mode: str, **changes: Any) -> None:
        self.kind = kind
        self.there = {"id": "4567", "labels": {}, "networks": {}, "network_mode": mode, **changes}
        self.asked = 0

    def version(self) -> Any:
        return SimpleNamespace(kind=self.kind)

    def containers(self, *, running: bool) -> tuple[Mapping[str, object], ...]:
        assert running
        self.asked += 1
        return (self.there,)

    def inspect(self, _container: str) -> object:
        return container(id="4567", network_mode=f"container:{ID}")


@pytest.mark.parametrize(
    ("engine", "joined"),
    [
        pytest.param(Listing("docker", f"container:{ID}"), True, id="by id"),
        pytest.param(Listing("docker", f"container:{ID[:2]}"), True, id="by the beginning of it"),
        pytest.param(Listing("docker", "container:server1"), True, id="by name"),
        pytest.param(Listing("docker", "container:89"), False, id="another"),
        pytest.param(Listing("docker", "default"), False, id="nobody"),
        pytest.param(Listing("docker", f"container:{ID}", labels={labels.ROLE: "sidecar"}), False, id="our sidecar"),
        pytest.param(Listing("podman", "host"), True, id="podman, whose list does not tell"),
        pytest.param(Listing("podman", "host", networks={"podman": ("10.88.0.2",)}), False, id="podman, on a network"),
    ],
)
def test_whose_namespace_others_have_joined(engine: Listing, joined: bool) -> None:
    facts = Facts(engine)  # type: ignore[arg-type]
    assert facts.is_joined(container(id=ID)) is joined


def test_who_has_joined_is_known_until_something_happens() -> None:
    engine = Listing("docker", f"container:{ID}")
    facts, asked = Facts(engine), container(id=ID)  # type: ignore[arg-type]

    def events() -> Iterator[Mapping[str, object]]:
        yield {"id": "other"}
        assert [facts.is_joined(asked) for _ in range(3)] == [True] * 3
        assert engine.asked == 1
        yield {"id": "another"}
        engine.there["network_mode"] = "default"
        assert not facts.is_joined(asked)
        assert engine.asked == 2

    engine.events = events  # type: ignore[attr-defined]
    facts._watch()
    facts.is_joined(asked)
    facts.is_joined(asked)
    assert engine.asked == 4
