"""The words for what an engine can do."""

from __future__ import annotations

from typing import Any

import pytest
from tests.samples import refused

from pytest_dockconn.actions.capabilities import ASK, major
from pytest_dockconn.logic.capabilities import KNOWN, check


def test_every_word_has_a_meaning_and_a_question() -> None:
    assert set(KNOWN) == set(ASK)
    assert all(KNOWN.values())


def test_known_words() -> None:
    assert check(["link-env", "links"]) == ("link-env", "links")
    assert check(()) == ()


@pytest.mark.parametrize("names", [["link_env"], ["links", "x"], [None], [7], "links"], ids=repr)
def test_unknown_words(names: Any) -> None:
    with refused("no such capability"):
        check(names)


@pytest.mark.parametrize(
    ("version", "number"), [("20.10.24+dfsg1", 20), ("29.0.0-rc.1", 29), ("28", 28), ("", 0), ("dev", 0)]
)
def test_the_major_version(version: str, number: int) -> None:
    assert major(version) == number
