"""The table of a matrix, and the words of one that is not as expected."""

from __future__ import annotations

import pytest
from tests.samples import result

from pytest_dockconn.logic.matrix import Cell, Pair
from pytest_dockconn.model.evidence import Why
from pytest_dockconn.model.probe import Verdict
from pytest_dockconn.report import matrix

CELLS: dict[Pair, Cell] = {
    ("web", "api:80"): Cell(result(Verdict.REACHABLE)),
    ("web", "db:5432"): Cell(result(Verdict.TIMED_OUT)),
    ("the host", "api:80"): Cell(result(Verdict.REFUSED), ("api does not answer",)),
    ("the host", "db:5432"): Cell(result(Verdict.WRONG_SERVER)),
}
SOURCES, COLUMNS = ["web", "the host"], ["api:80", "db:5432"]


@pytest.mark.parametrize(
    ("cells", "marks", "lines"),
    [
        pytest.param(
            CELLS,
            None,
            ["          api:80    db:5432", "web       yes       timed-out", "the host  refused?  wrong-server"],
            id="as it is",
        ),
        pytest.param(
            {pair: cell for pair, cell in CELLS.items() if pair != ("web", "api:80")},
            {},
            ["          api:80    db:5432", "web       -         timed-out", "the host  refused?  wrong-server"],
            id="itself",
        ),
        pytest.param(
            CELLS,
            {("web", "db:5432"): "yes", ("the host", "api:80"): "no"},
            [
                "          api:80                   db:5432",
                "web       yes                      !timed-out (expected yes)",
                "the host  !refused? (expected no)  wrong-server",
            ],
            id="marks",
        ),
    ],
)
def test_a_table(cells: dict[Pair, Cell], marks: dict[Pair, str] | None, lines: list[str]) -> None:
    assert matrix.table(SOURCES, COLUMNS, cells, marks).splitlines() == lines


WHY = Why("web and db share no network", ("web is on front",), "put both on one")
DIFFERENCES = {("web", "db:5432"): "timed-out, expected yes", ("web", "api:80"): "reachable, expected no"}


def test_a_failure() -> None:
    cells = [(pair, CELLS[pair], WHY if pair == ("web", "db:5432") else None) for pair in DIFFERENCES]

    assert matrix.failure(DIFFERENCES, 4, "THE\nTABLE", cells).splitlines() == [
        "the matrix: 2 of 4 cells are not as expected: web -> db:5432 is timed-out, expected yes",
        "THE",
        "TABLE",
        "web -> db:5432: timed-out: web and db share no network",
        "  evidence: web is on front",
        "  remedy:   put both on one",
        "web -> api:80: reachable, and it must not be",
        "  evidence: asked http://172.17.0.2:80/: as it was seen",
    ]


def test_the_proof_that_is_missing_is_told() -> None:
    pair = ("the host", "api:80")
    said = matrix.failure({pair: "refused, but inconclusive"}, 1, "", [(pair, CELLS[pair], WHY)])
    assert "  evidence: missing proof: api does not answer\n  evidence: web is on front" in said


def test_of_many_the_first_are_explained() -> None:
    many = {(f"s{n}", "d:80"): "refused, expected yes" for n in range(9)}
    whys = [(pair, CELLS["web", "db:5432"], WHY) for pair in list(many)[: matrix.EXPLAINED]]
    lines = matrix.failure(many, 12, "", whys).splitlines()
    assert lines[0].startswith("the matrix: 9 of 12 cells")
    assert lines[-1] == "and 6 more, see the table"
    assert sum(line.startswith("s") for line in lines) == 3


@pytest.mark.parametrize("evil", ["\x1b[2J", "\u202e", "a\nFAKE"], ids=["escape", "right to left", "line"])
def test_untrusted_text_stays_where_it_belongs(evil: str) -> None:
    pair = ("web", f"http://{evil}")
    cell = Cell(result(Verdict.REACHABLE, detail=evil))
    shown = matrix.table(["web"], [pair[1]], {pair: cell})
    said = shown + matrix.failure({pair: evil}, 1, shown, [(pair, cell, None), (pair, cell, Why(evil, ("x",), "x"))])
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert not any(line.startswith("FAKE") for line in said.splitlines())
