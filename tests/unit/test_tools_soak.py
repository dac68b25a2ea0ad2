"""``tools/soak``: its record adds up, and its order is any order in which a module's tests stay together."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from tests.soaking import asked_by, noting, shuffled
from tools import rounds
from tools.rounds import Round, broken, combined, missing, read, summary

ONE = Round(
    at="2026-11-26T12:00:00Z", commit="c0ffee" * 6, dirty=False, state="aaa+bbb", seed="7", engine="docker 20.10.24",
    engines=2, python="3.11.7", passed=400, failed=0, errors=0, skipped=2, retries={"await_answers": 9}, seconds=360,
    failures=(),
)  # fmt: skip
BAD = replace(
    ONE, seed="8", failed=1, errors=1, retries={"heal": 1}, failures=("tests/a.py::test_b[c - d]", "tests/a.py")
)


def half(**said: Any) -> Mapping[str, Any]:
    return {**broken("")} | {"errors": 0, "failures": [], "engine": "docker 1", "python": "3.10.0"} | said


def test_what_was_written_is_read_again() -> None:
    found = read(ONE.line() + "\n" + BAD.line())

    assert [one.line() for one in found] == [ONE.line(), BAD.line()]
    assert [one.sound for one in found] == [True, False]
    assert found[1].tests == 402


@pytest.mark.parametrize("line", ["no json", "{}", "[]", "7", ONE.line().replace('"seed"', '"sead"')])
def test_a_line_that_is_no_round_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 3 of the record is no round"):
        read(f"{ONE.line()}\n{line}\n")


def test_what_a_later_version_adds_is_no_harm() -> None:
    assert read(ONE.line().replace("{", '{"more": 1, ', 1))[0].seed == "7"


@pytest.mark.parametrize(
    ("state", "wanted", "more"), [("aaa+bbb", 30, 28), ("aaa+bbb", 2, 0), ("other", 30, 30), ("aaa+bbb", 1, 0)]
)
def test_as_many_are_missing_as_that_state_has_not(state: str, wanted: int, more: int) -> None:
    rounds = [ONE, replace(ONE, state="old"), replace(ONE, commit="another", seed="9")]

    assert missing(rounds, state, wanted) == more


def test_both_halves_add_up() -> None:
    one = half(passed=3, skipped=1, retries={"a": 1, "b": 5}, failures=["x"])
    other = half(passed=4, failed=2, retries={"a": 2}, failures=["y", "x"])

    assert combined([one, other]) == {
        "passed": 7, "failed": 2, "errors": 0, "skipped": 1, "retries": {"b": 5, "a": 3}, "failures": ["x", "y", "x"],
        "engine": "docker 1", "python": "3.10.0",
    }  # fmt: skip


def test_a_half_that_wrote_nothing_is_an_error() -> None:
    seen = combined([half(passed=3), broken("the second half: exit status 3")])

    assert (seen["passed"], seen["errors"], seen["failures"]) == (3, 1, ["the second half: exit status 3"])
    assert seen["engine"] == "docker 1"


def test_the_sums() -> None:
    text = summary([ONE, BAD, replace(ONE, commit="feed" * 10, dirty=True, state="ccc+ddd")])
    rows = {line[:44].strip(): line[44:].split() for line in text.splitlines() if line[44:].strip()}

    assert rows["in all"] == ["3", "1202", "1", "1", "6", "19", "0.3"]
    assert rows["commit c0ffeec0ffee"][:4] == ["2", "802", "1", "1"]
    assert rows["commit feedfeedfeed+changes"][:4] == ["1", "400", "0", "0"]
    assert rows["src+suite aaa+bbb"][0] == "2"
    assert rows["on docker 20.10.24, Python 3.11.7"][0] == "3"
    assert "       1  tests/a.py::test_b[c - d]" in text.splitlines()
    assert "      18  await_answers\n       1  heal" in text


def test_nothing_on_record() -> None:
    assert summary([]) == "no round is on record"
    assert "failures: none" in summary([ONE])


ITEMS = [(module, number) for module in "abcdef" for number in range(9)]


def test_any_order_but_a_modules_tests_together() -> None:
    orders = [shuffled(ITEMS, lambda item: item[0], str(seed)) for seed in range(9)]

    assert all(sorted(order) == ITEMS for order in orders)
    assert all(len(list(groupby(order, lambda item: item[0]))) == 6 for order in orders)
    assert len({tuple(order) for order in orders}) == 9
    assert len({"".join(module for module, _ in groupby(order, lambda item: item[0])) for order in orders}) > 6


def test_a_seed_is_an_order() -> None:
    assert shuffled(ITEMS, lambda item: item[0], "5") == shuffled(ITEMS, lambda item: item[0], "5")


def test_who_asks_again_is_named_also_where_it_asks_python_itself() -> None:
    """A socket's ``connect`` has no module; that the counting broke had looked like a failure of the engine's."""

    def counting(fn: Any) -> str:
        return asked_by(fn)

    with socket.socket() as sock:
        assert (
            counting(sock.connect)
            == f"{__name__}.{test_who_asks_again_is_named_also_where_it_asks_python_itself.__name__}"
        )
    assert counting(asked_by) == "tests.soaking.asked_by"


def test_what_the_suite_imports_is_of_its_state() -> None:
    """Else a change of it would leave old rounds in the count."""
    tools, root = Path(rounds.__file__).parent, Path(rounds.__file__).parents[1]
    unused = re.findall(r'"(tests/[^"]*)"', re.findall(r"^UNUSED = \((.*)\)", (tools / "soak").read_text(), re.M)[0])
    files = [*root.glob("tests/engine/*.py"), *root.glob("tests/conformance/*.py"), *root.glob("tests/*.py")]
    used = [file for file in files if not str(file.relative_to(root)).startswith(tuple(unused))]
    imported = {name for file in used for name in re.findall(r"(?:from|import) (tests[a-z_.]*)", file.read_text())}

    assert len(used) > 30
    assert len(unused) > 3
    assert not [name for name in imported if f"{name.replace('.', '/')}/".startswith(tuple(unused))]


def test_why_something_was_asked_again_is_noted() -> None:
    answers = iter([{"state": "established"}, ["80/tcp"], None])
    seen: list[str] = []

    asking = noting(lambda: next(answers), seen)
    for _ in range(3):
        asking()
    with pytest.raises(StopIteration):
        asking()

    assert seen == ["established", "1 left", "None", "StopIteration"]
