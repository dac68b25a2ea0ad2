"""Asking again and again."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
from tests.unit.agent import servers
from tests.unit.few_threads import few_threads

from pytest_dockconn.agent import http, verdict, watch
from pytest_dockconn.agent.probe import probe

TARGET: dict[str, object] = {"scheme": "http", "host": "192.0.2.1", "port": 80, "timeout": 1.0}


class Probes:
    """In place of the probe: the verdicts in turn, the last one again and again."""

    def __init__(self, *verdicts: str) -> None:
        self.verdicts = verdicts
        self.count = 0
        self._lock = threading.Lock()

    def __call__(self, _target: dict[str, object]) -> dict[str, object]:
        with self._lock:
            self.count += 1
            return {"verdict": self.verdicts[min(self.count, len(self.verdicts)) - 1], "number": self.count}


class Looks:
    """A clock that goes on by being looked at: how often is asked meanwhile depends on no machine's speed."""

    def __init__(self) -> None:
        self._now = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        with self._lock:
            self._now += 0.005
            return self._now


@pytest.fixture(autouse=True)
def _pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PACE", 0.005)


def test_without_hold_it_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    probes = Probes(verdict.TIMED_OUT)
    monkeypatch.setattr(watch, "probe", probes)
    assert watch.watch([TARGET], 0.0) == [[{"verdict": verdict.TIMED_OUT, "number": 1, "attempts": 1}]]
    assert probes.count == 1


def test_it_asks_for_as_long_as_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    probes = Probes(verdict.TIMED_OUT)
    monkeypatch.setattr(watch, "probe", probes)
    begun = time.monotonic()
    ((seen,),) = watch.watch([TARGET], 0.2)
    assert time.monotonic() - begun >= 0.2
    assert seen == {"verdict": verdict.TIMED_OUT, "number": 1, "attempts": probes.count}


def test_it_asks_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "time", Looks())
    monkeypatch.setattr(watch, "probe", Probes(verdict.TIMED_OUT))
    ((seen,),) = watch.watch([TARGET], 0.2)
    assert int(str(seen["attempts"])) >= 4


def test_it_stops_at_the_first_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    probes = Probes(verdict.TIMED_OUT, verdict.TIMED_OUT, verdict.REACHABLE)
    monkeypatch.setattr(watch, "probe", probes)
    begun = time.monotonic()
    ((answer, silence),) = watch.watch([TARGET], 60.0)
    assert time.monotonic() - begun < 5
    assert (answer["verdict"], answer["number"]) == (verdict.REACHABLE, 3)
    assert (silence["verdict"], silence["number"], silence["attempts"]) == (verdict.TIMED_OUT, 1, 2)


def test_an_answer_comes_first_and_every_kind_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        watch, "probe", Probes(verdict.REFUSED, verdict.TIMED_OUT, verdict.REFUSED, verdict.NO_ROUTE, verdict.REACHABLE)
    )
    (seen,) = watch.watch([TARGET], 60.0)
    assert seen[0]["verdict"] == verdict.REACHABLE
    assert {str(one["verdict"]): one["attempts"] for one in seen} == {
        verdict.REACHABLE: 1, verdict.REFUSED: 2, verdict.TIMED_OUT: 1, verdict.NO_ROUTE: 1,
    }  # fmt: skip


def test_probes_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that waits for its answer does not keep the next one from beginning: no gap is missed."""
    together = threading.Barrier(3, timeout=5)

    def waits(target: dict[str, object]) -> dict[str, object]:
        together.wait()  # breaks unless three are under way at once
        return {"verdict": verdict.REACHABLE}

    monkeypatch.setattr(watch, "probe", waits)
    ((seen,),) = watch.watch([TARGET], 5.0)
    assert seen["attempts"] == 3


def test_targets_are_asked_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(3, timeout=5)

    def waits(target: dict[str, object]) -> dict[str, object]:
        together.wait()
        return {"verdict": verdict.REFUSED, "port": target["port"]}

    monkeypatch.setattr(watch, "probe", waits)
    seen = watch.watch([{**TARGET, "port": port} for port in (1, 2, 3)], 0.0)
    assert [one["port"] for (one,) in seen] == [1, 2, 3]


def test_one_that_answers_does_not_end_the_watch_over_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(target: dict[str, object]) -> dict[str, object]:
        return {"verdict": verdict.REACHABLE if target["port"] == 1 else verdict.TIMED_OUT}

    monkeypatch.setattr(watch, "time", Looks())
    monkeypatch.setattr(watch, "probe", answers)
    (first,), (second,) = watch.watch([{**TARGET, "port": port} for port in (1, 2)], 0.2)
    assert first["attempts"] == 1
    assert int(str(second["attempts"])) >= 4


def test_what_breaks_one_probe_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a real server, whose answer no reader has thought of: a target of which nothing is said looks isolated."""

    def broken(*_: object) -> Any:
        raise ValueError("what nobody has thought of")

    monkeypatch.setattr(http, "get", broken)
    with servers.tcp(servers.says(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        ((seen,),) = watch.watch([{"scheme": "http", "host": "127.0.0.1", "port": port, "timeout": 1.0}], 0.05)
    assert seen["verdict"] == verdict.INCONCLUSIVE
    assert int(str(seen["attempts"])) >= 2


@pytest.mark.parametrize("left", [0, 1, 2, 5])
def test_a_hold_that_is_cut_short_is_no_proof(monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    """No thread at all, one for the watch, one for its first probe, and some more."""
    few_threads(monkeypatch, left)
    monkeypatch.setattr(watch, "time", Looks())
    monkeypatch.setattr(watch, "probe", Probes(verdict.TIMED_OUT))
    (seen,) = watch.watch([TARGET], 0.1)
    by_kind = {str(one["verdict"]): one for one in seen}
    assert "can't start new thread" in str(by_kind[verdict.INCONCLUSIVE]["detail"])
    assert (verdict.TIMED_OUT in by_kind) is (left > 1)


def test_an_answer_counts_also_where_threads_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    few_threads(monkeypatch, 2)
    monkeypatch.setattr(watch, "probe", Probes(verdict.REACHABLE))
    (seen,) = watch.watch([TARGET], 0.1)
    assert seen[0]["verdict"] == verdict.REACHABLE


class Clock:
    """It jumps once, as it does for a process that was stopped for a while."""

    def __init__(self, jump: float) -> None:
        self.jump = jump
        self.looks = 0

    def monotonic(self) -> float:
        self.looks += 1
        return time.monotonic() + (self.jump if self.looks > 4 else 0.0)


@pytest.mark.parametrize(("jump", "proof"), [(1.0, True), (5.0, False)])
def test_time_in_which_nobody_asked_is_no_proof(monkeypatch: pytest.MonkeyPatch, jump: float, proof: bool) -> None:
    """The container of the source was paused for a part of the time."""
    monkeypatch.setattr(watch, "time", Clock(jump))
    monkeypatch.setattr(watch, "probe", Probes(verdict.TIMED_OUT))
    (seen,) = watch.watch([TARGET], 0.3)
    doubts = [str(one["detail"]) for one in seen if one["verdict"] == verdict.INCONCLUSIVE]
    assert [("nobody could ask" in one) for one in doubts] == ([] if proof else [True])


def test_nothing_to_watch() -> None:
    assert watch.watch([], 1.0) == []


def test_a_server_that_opens_meanwhile_is_seen() -> None:
    """With real sockets: refused at first, then somebody listens there."""
    seen: list[Any] = []
    with servers.nobody() as port:
        target: dict[str, object] = {"scheme": "tcp", "host": "127.0.0.1", "port": port, "timeout": 1.0, "linger": 0.01}
        watcher = threading.Thread(target=lambda: seen.extend(watch.watch([target], 30.0)))
        first = threading.Event()
        real = probe

        def noting(one: dict[str, object]) -> dict[str, object]:
            result = real(one)
            first.set()
            return result

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(watch, "probe", noting)
            watcher.start()
            assert first.wait(5)
    with socket.create_server(("127.0.0.1", port)):
        watcher.join(10)
    assert not watcher.is_alive()
    assert {one["verdict"] for one in seen[0]} == {verdict.REACHABLE, verdict.REFUSED}
