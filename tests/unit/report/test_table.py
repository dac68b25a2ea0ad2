"""Aligned columns."""

from __future__ import annotations

import pytest

from pytest_dockconn.report.table import aligned


@pytest.mark.parametrize(
    ("rows", "options", "lines"),
    [
        pytest.param([["a", "bcd"], ["abc", "d"]], {}, ["a    bcd", "abc  d"], id="to the left"),
        pytest.param([["x", "1"], ["y", "10"]], {"right": (1,)}, ["x   1", "y  10"], id="to the right"),
        pytest.param([["a", "b"]], {"gap": "|"}, ["a|b"], id="another gap"),
        pytest.param([["a", ""], ["b", "c"]], {}, ["a", "b  c"], id="nothing at the end of a line"),
        pytest.param([["", "a"], ["bc", "d"]], {}, ["    a", "bc  d"], id="an empty corner"),
        pytest.param([["a"]], {}, ["a"], id="one cell"),
    ],
)
def test_lines(rows: list[list[str]], options: dict[str, object], lines: list[str]) -> None:
    assert aligned(rows, **options) == lines  # type: ignore[arg-type]


def test_rows_of_different_lengths_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="zip"):
        aligned([["a", "b"], ["c"]])
