"""Who called: the first, the last, and how many."""

from __future__ import annotations

import threading

from pytest_dockconn.actions.calls import MOST_BYTES, MOST_CALLS, Call, Calls


def call(data: bytes) -> Call:
    return Call("192.0.2.7", 4242, data, "192.0.2.1")


def test_nobody() -> None:
    calls = Calls()
    assert (calls.last(), calls.first(0.01), calls.count) == ((), None, 0)


def test_the_first_stays_the_first() -> None:
    calls = Calls()
    for at in range(MOST_CALLS * 2):
        calls.add(call(b"%d" % at))
    assert calls.first(0) == call(b"0")
    assert calls.count == 2 * MOST_CALLS
    assert [one.data for one in calls.last()] == [b"%d" % at for at in range(MOST_CALLS, MOST_CALLS * 2)]


def test_long_ones_are_fewer() -> None:
    calls = Calls()
    for _ in range(30):
        calls.add(call(bytes(MOST_BYTES // 10)))
    assert len(calls.last()) == 10
    calls.add(call(bytes(MOST_BYTES + 1)))
    assert calls.last() == ()
    assert calls.count == 31


def test_who_waits_is_woken() -> None:
    calls = Calls()
    threading.Timer(0.02, calls.add, (call(b"hello"),)).start()
    assert calls.first(5) == call(b"hello")
