"""The tutorial's containers, each made once: and what that comes to where making one fails."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_dockconn.errors import DockconnError
from pytest_dockconn.session import Tutorial


class Failing:
    """A lab whose first client does not come."""

    def __init__(self, error: BaseException) -> None:
        self._errors = [error]
        self.asked = 0

    def client(self, **_: Any) -> str:
        self.asked += 1
        if self._errors:
            raise self._errors.pop()
        return "client1"


def test_an_error_is_everybodys() -> None:
    """It takes long to fail, and it would fail again."""
    lab: Any = Failing(DockconnError("no image", checked="", remedy=""))
    tutorial = Tutorial(lab)
    for _ in range(2):
        with pytest.raises(DockconnError, match="no image"):
            tutorial.client()
    assert lab.asked == 1


def test_what_ended_one_fixture_is_no_word_about_the_next() -> None:
    """As pytest-timeout's signal does, whose exception is no ``Exception``."""
    lab: Any = Failing(pytest.fail.Exception("Timeout >1.0s"))
    tutorial = Tutorial(lab)
    with pytest.raises(pytest.fail.Exception, match="Timeout"):
        tutorial.client()
    assert str(tutorial.client()) == "client1"
    assert str(tutorial.client()) == "client1"
    assert lab.asked == 2
