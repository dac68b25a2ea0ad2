"""What a run's end need not wait for, and what leaves a doubt."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from pytest_dockconn.actions.doubt import Doubt
from pytest_dockconn.errors import EngineError, EngineTimeout, LeftBehind


def ended_before(doubt: Doubt) -> None:
    with doubt.about():
        pass
    doubt.end()


def ends_meanwhile(doubt: Doubt) -> None:
    with doubt.about(), doubt.about():
        doubt.end()


def begins_later(doubt: Doubt) -> None:
    doubt.end()
    with doubt.about():
        pass


def refused_before(doubt: Doubt) -> None:
    with contextlib.suppress(EngineError), doubt.about():
        raise EngineError("no")
    doubt.end()


@pytest.mark.parametrize(
    ("course", "there"), [(ended_before, False), (ends_meanwhile, True), (begins_later, True), (refused_before, False)]
)
def test_the_end_of_a_run(course: Callable[[Doubt], None], there: bool) -> None:
    """Another thread makes something; by then what there is has been counted."""
    doubt = Doubt()
    course(doubt)
    assert doubt.there is there


@pytest.mark.parametrize(
    ("error", "making", "removing"),
    [
        (EngineError("no"), False, True),
        (EngineTimeout("late"), True, True),
        (LeftBehind("no"), True, True),
        (KeyboardInterrupt(), True, True),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_leaves_a_doubt(error: BaseException, making: bool, removing: bool) -> None:
    made, removed = Doubt(), Doubt()
    for block in (made.about(), removed.removing()):
        with pytest.raises(type(error)), block:
            raise error
    assert (made.there, removed.there) == (making, removing)
