"""Removals in the background, and the end of them where nobody waits any longer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_dockconn import run as runs
from pytest_dockconn.actions.cleanup import Remover
from pytest_dockconn.handles.holdings import _after
from pytest_dockconn.session import Session


class Slow:
    """A removal that takes until it is told to end."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        self.end.wait(30)


@pytest.fixture
def slow() -> Iterator[Slow]:
    removal = Slow()
    yield removal
    removal.end.set()


def in_time(work: Callable[[], None]) -> bool:
    """Whether it comes to an end."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(10)
    return not thread.is_alive()


def test_what_waits_for_its_turn_is_not_removed_after_all(slow: Slow) -> None:
    """The interpreter would work off all of it before it ends, beside the helper that removes the same."""
    remover = Remover(1)
    removed: list[int] = []
    remover.submit([slow, *(lambda n=n: removed.append(n) for n in range(3))])
    assert slow.begun.wait(10)

    remover.give_up()
    slow.end.set()

    assert in_time(remover.join)
    assert in_time(remover.close)
    assert removed == []
    assert remover.failed == []


def test_who_waits_meanwhile_waits_no_longer(slow: Slow) -> None:
    remover = Remover(1)
    ended: list[bool] = []
    remover.submit([slow, lambda: None])
    assert slow.begun.wait(10)

    def join() -> None:
        remover.join()
        ended.append(True)

    waiting = threading.Thread(target=join, daemon=True)
    waiting.start()
    remover.give_up()
    slow.end.set()

    waiting.join(10)
    assert ended == [True]


def test_what_was_to_go_after_it_stays_too(slow: Slow) -> None:
    remover = Remover(2)
    removed: list[str] = []
    remover.submit([slow])
    waiting, early = threading.Event(), Slow()
    remover.submit([early])
    begun = remover.submit([lambda: None])  # waits for a thread
    after = _after(begun, lambda: removed.append("network"))

    def last() -> None:
        waiting.set()
        after()

    other = Remover(1)
    other.submit([last])
    assert waiting.wait(10)
    remover.give_up()
    early.end.set()

    assert in_time(other.join)
    assert removed == []
    assert other.failed == []


def test_nothing_begins_after_it_and_nothing_is_raised() -> None:
    remover = Remover()
    removed: list[int] = []
    remover.give_up()
    (begun,) = remover.submit([lambda: removed.append(1)])
    assert begun.cancelled()
    assert in_time(remover.join)
    assert removed == []
    assert remover.failed == []


def test_a_session_that_is_given_up_removes_no_more() -> None:
    told: list[str] = []
    guardian = SimpleNamespace(pid=1, abandon=lambda: told.append("the helper begins"))
    remover = SimpleNamespace(give_up=lambda: told.append("no more here"))
    session = SimpleNamespace(services=SimpleNamespace(remover=remover, guardian=guardian, reuse=None))

    assert Session.give_up(session)  # type: ignore[arg-type]
    assert told == ["no more here", "the helper begins"]


def test_two_may_wait_for_it(slow: Slow) -> None:
    """Two threads that make things at once, each of which waits for what an earlier test had: both have to wait."""
    remover = Remover()
    remover.submit([slow])
    early: list[str] = []
    went_on = [threading.Event(), threading.Event()]

    def join(event: threading.Event) -> None:
        remover.join()
        early.extend([] if slow.end.is_set() else ["before it had ended"])
        event.set()

    for event in went_on:
        threading.Thread(target=join, args=(event,), daemon=True).start()
    assert not went_on[0].wait(0.1)
    assert not went_on[1].wait(0.1)
    slow.end.set()

    assert all(event.wait(10) for event in went_on)
    assert early == []


@pytest.mark.parametrize("interrupted", [True, False])
def test_ctrl_c_does_not_wait_for_what_is_made_in_the_background(
    slow: Slow, monkeypatch: pytest.MonkeyPatch, interrupted: bool
) -> None:
    """An image, say, which may take minutes; its thread dies with the process, and the helper looks what became of it."""
    monkeypatch.setattr(runs, "HURRY", 0.05)
    closed: list[bool] = []
    session = SimpleNamespace(interrupted=False, start_closing=lambda: closed.append(slow.end.is_set()))
    made: Any = SimpleNamespace(_closing=False, forked=False, _hurry=False, _images_due=False, session=session)
    made._wait = lambda: runs.Run._wait(made)
    made._begun = [threading.Thread(target=slow, daemon=True)]
    made._begun[0].start()
    threading.Timer(0.0 if not interrupted else 5.0, slow.end.set).start()

    runs.Run.start_closing(made, interrupted=interrupted)

    assert closed == [not interrupted]
    assert session.interrupted is interrupted
