"""Untrusted text, made fit to be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dockconn.logic.text import one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("It works", "It works", id="plain"),
        pytest.param("a\tb\nc", "a\tb\nc", id="tab and line end stay"),
        pytest.param("a\r\nb", "a\nb", id="CRLF"),
        pytest.param("a\rb", "a\\x0db", id="a lone CR would overwrite the line"),
        pytest.param("\x1b[2J", "\\x1b[2J", id="escape"),
        pytest.param("\x9b2J", "\\x9b2J", id="escape in one byte"),
        pytest.param("a\x00b\x07", "a\\x00b\\x07", id="NUL and bell"),
        pytest.param("\u202egnp", "\\u202egnp", id="right to left"),
        pytest.param("\ud800", "\\ud800", id="a lone surrogate"),
        pytest.param("\U000e0001", "\\ue0001", id="beyond the first plane"),
        pytest.param("grüße 日本 🐳", "grüße 日本 🐳", id="other scripts stay"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_it_is_cut() -> None:
    assert printable("abcdef", 3) == "abc..."
    assert printable("abc", 3) == "abc"
    assert len(printable("x" * 30000)) == 20003


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\n  b\t c\r\n", "a b c"), ("a\u2028b\u2029c\x0bd", "a b c"), ("", "")],
    ids=["white space", "line ends of Unicode", "empty"],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text).startswith(line)
    assert len(one_line(text).splitlines()) <= 1


@given(st.text(st.characters(), max_size=60))
def test_nothing_shown_can_move_the_cursor(text: str) -> None:
    assert all(c in "\n\t" or c.isprintable() or c.isspace() or ord(c) > 0x9F for c in printable(text))
    assert "\x1b" not in printable(text)
    assert len(one_line(text).splitlines()) <= 1
