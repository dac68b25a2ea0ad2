"""Times as engines write them."""

from __future__ import annotations

import pytest

from pytest_dockconn.logic.clock import seconds_between

NOON = "2026-01-02T12:00:00Z"


@pytest.mark.parametrize(
    ("begin", "end", "seconds"),
    [
        (NOON, "2026-01-02T12:00:01Z", 1.0),
        ("2026-01-02T11:59:59.999999999Z", NOON, pytest.approx(0.0, abs=1e-5)),
        ("2026-01-02T11:59:59.5Z", NOON, 0.5),
        ("2026-01-02T13:00:00.25+01:00", NOON, -0.25),
        ("2026-01-01T12:00:00Z", NOON, 86400.0),
        ("0001-01-01T00:00:00Z", NOON, None),
        ("", NOON, None),
        (NOON, "soon", None),
    ],
    ids=["whole", "nanoseconds", "one digit", "a zone", "a day", "never started", "nothing", "no time"],
)
def test_seconds_between(begin: str, end: str, seconds: float | None) -> None:
    assert seconds_between(begin, end) == seconds
