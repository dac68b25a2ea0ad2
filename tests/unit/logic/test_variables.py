"""What /proc/PID/environ says."""

from __future__ import annotations

import pytest

from pytest_dockconn.logic.variables import whole


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("A=1\0B=x=y\0C=\0", {"A": "1", "B": "x=y", "C": ""}, id="as it was at the start"),
        pytest.param("A=a line\nand another\0", {"A": "a line\nand another"}, id="a line's end in one"),
        pytest.param("", None, id="nothing: it has ended, or may not be read"),
        pytest.param("A=1\0B=2", None, id="cut off"),
        pytest.param("daemon off;\0\0\0\0", None, id="a title, and nothing behind it"),
        pytest.param("\0\0\0\0", None, id="nothing at all"),
        pytest.param("on = off;\0A=1\0\0", None, id="a title that looks like one"),
        pytest.param("A=1\0title\0", None, id="a title behind one"),
        pytest.param("=1\0", None, id="no name"),
        pytest.param("GOMAXPROCS=2\0_LIBCONTAINER_INITPIPE=3\0", None, id="runc's own"),
    ],
)
def test_variables(text: str, found: dict[str, str] | None) -> None:
    assert whole(text) == found
