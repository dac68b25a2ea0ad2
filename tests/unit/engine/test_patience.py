"""Work that may be silent for long, told apart from an engine that hangs."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet

import pytest
from tests.unit.few_threads import few_threads

from pytest_dockconn.engine.patience import patiently


def test_the_result_comes_at_once() -> None:
    assert patiently(lambda: 7, lambda: pytest.fail("not asked")) == 7


def test_its_own_error_is_raised() -> None:
    for error in (ValueError("no"), TimeoutError("its own")):
        with pytest.raises(type(error)) as caught:
            patiently(_raising(error), lambda: pytest.fail("not asked"))
        assert caught.value is error


def test_silence_is_fine_while_easy_questions_are_answered() -> None:
    asked: list[float] = []
    done = threading.Event()

    def easy() -> None:
        asked.append(time.monotonic())
        if len(asked) == 3:
            done.set()

    assert patiently(lambda: done.wait(10), easy, pace=0.01) is True
    assert len(asked) >= 3


def test_an_easy_question_without_an_answer_ends_the_wait() -> None:
    never = threading.Event()
    try:
        with pytest.raises(ConnectionError, match="hangs"):
            patiently(never.wait, _raising(ConnectionError("hangs")), pace=0.01)
    finally:
        never.set()  # the thread that was left behind ends


@pytest.mark.parametrize("error", [None, TimeoutError("its own")])
def test_what_ends_just_after_the_wait_is_not_lost(monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> None:
    go_on, result = threading.Event(), Future.result

    def over(future: Future[int], timeout: float | None = None) -> int:
        if timeout is None:
            return result(future)
        go_on.set()
        future.exception(10)  # it ends between the end of the wait and the look whether it has ended
        raise NotYet

    def call() -> int:
        go_on.wait(10)
        if error is not None:
            raise error
        return 7

    monkeypatch.setattr(Future, "result", over)
    if error is None:
        assert patiently(call, lambda: pytest.fail("not asked")) == 7
    else:
        with pytest.raises(TimeoutError) as caught:
            patiently(call, lambda: pytest.fail("not asked"))
        assert caught.value is error


def test_without_a_thread_for_it_the_work_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    few_threads(monkeypatch, 0)
    assert patiently(lambda: 7, lambda: pytest.fail("not asked")) == 7


def _raising(error: Exception):  # type: ignore[no-untyped-def]
    def call() -> None:
        raise error

    return call
