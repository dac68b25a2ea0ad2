"""What a caller gave, whatever it is."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from tests.samples import is_harmless, refused
from tests.unit.odd import HUGE, Mute

from pytest_dockconn.logic import given


class Loud:
    """Shows itself as it likes."""

    def __repr__(self) -> str:
        return "\x1b[2J\none\ttwo"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("a b", "'a b'", id="text"),
        pytest.param("\x1b", "'\\x1b'", id="an escape"),
        pytest.param("\udcff", "'\\udcff'", id="a lone surrogate"),
        pytest.param(Loud(), "\\x1b[2J one two", id="an object that steers a terminal"),
        pytest.param(Mute(), "<Mute>", id="an object that can't be shown"),
        pytest.param(-HUGE, "<int>", id="a number that Python does not write"),
        pytest.param([HUGE], "<list>", id="a list with one in it"),
        pytest.param("x" * 300, "'" + "x" * 199 + "...", id="a long one"),
    ],
)
def test_shown(value: object, text: str) -> None:
    assert given.shown(value) == text
    assert is_harmless(given.shown(value))


@pytest.mark.parametrize("value", [[80], (80,), {80}, iter([80]), range(80, 81)], ids=given.kind)
def test_a_list(value: object) -> None:
    assert given.listed(value, "ports", "numbers", "write [80]") == [80]


@pytest.mark.parametrize("value", [None, 80, "ab", b"ab", bytearray(b"ab"), {"a": "b"}, object, object()], ids=repr)
def test_no_list(value: object) -> None:
    with refused("ports=", "a list of numbers is wanted"):
        given.listed(value, "ports", "numbers", "write [80]")


def test_a_flag() -> None:
    assert given.flag(True, "icc")
    odd: tuple[object, ...] = (None, 1, "no", [], HUGE)
    for value in odd:
        with refused("icc=", "a bool is wanted"):
            given.flag(value, "icc")


@pytest.mark.parametrize("name", ["db", "d", "my db", "db-1", "näme"])
def test_a_name_for_messages(name: str) -> None:
    assert given.text(name, "name", "write a word") == name


@pytest.mark.parametrize(
    "name", ["", " ", "a\nb", " db", "a  b", "\x1b[2J", "\udcff", "\u202eab", "x" * 201, None, 5, ["x"], b"ab"]
)
def test_no_name_for_messages(name: Any) -> None:
    with refused("name=", "is no name"):
        given.text(name, "name", "write a word")


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (1, "1"), (0.5, "0.5"), (True, "True"), ("", "")])
def test_written(value: object, text: str) -> None:
    assert given.written(value) == text


@pytest.mark.parametrize("value", [None, b"a", ["a"], HUGE, "a\0", Mute()], ids=type)
def test_not_written(value: object) -> None:
    assert given.written(value) is None


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("127.0.0.1", "127.0.0.1"), ("FD00::0:1", "fd00::1"), (ipaddress.ip_address("::1"), "::1"),
        *((no, "") for no in ("", "db", "fe80::1%eth0", "fe80::1%\n6.6.6.6", "127.0.0.1/8", 5, HUGE, None, b"\x7f\0\0\1", Mute())),
    ],
    ids=given.shown,
)  # fmt: skip
def test_an_address(value: object, address: str) -> None:
    assert given.ip(value) == address
