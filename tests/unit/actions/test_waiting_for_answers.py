"""Work side by side."""

from __future__ import annotations

import threading

import pytest
from tests.unit.few_threads import few_threads

from pytest_dockconn.actions.containers import MOST, _some, side_by_side
from pytest_dockconn.errors import DockconnError


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("left", [0, 1, 3, 9])
def test_all_of_it_is_done_however_many_threads_there_are(
    monkeypatch: pytest.MonkeyPatch, left: int, count: int
) -> None:
    few_threads(monkeypatch, left)
    done: list[int] = []

    def work(number: int) -> int:
        done.append(number)
        return number * 10

    assert side_by_side(*(lambda n=n: work(n) for n in range(count))) == [n * 10 for n in range(count)]
    assert sorted(done) == list(range(count))


def test_an_error_is_raised_after_all_have_ended() -> None:
    done: list[int] = []

    def broken() -> None:
        raise ValueError("one of them")

    with pytest.raises(ValueError, match="one of them"):
        side_by_side(broken, lambda: done.append(1), lambda: done.append(2))
    assert sorted(done) == [1, 2]


def test_of_many_lines_the_first_few() -> None:
    assert _some(["a", "b"]) == "a; b"
    assert _some([]) == ""
    assert _some(["x"] * (MOST + 50_000)) == "; ".join(["x"] * MOST) + "; and 50000 more"


def test_ctrl_c_comes_before_any_error() -> None:
    """It may reach this thread while others have failed already: a test that fails of that would be followed by the next."""
    failed = threading.Event()

    def interrupted() -> None:
        assert failed.wait(10)
        raise KeyboardInterrupt

    def broken() -> None:
        failed.set()
        raise DockconnError("broken", checked="", remedy="")

    with pytest.raises(KeyboardInterrupt):
        side_by_side(interrupted, broken)
