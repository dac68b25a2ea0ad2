"""Every pair as a table, and what differs from what was expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..logic.matrix import SELF, Cell, Pair
from ..model.evidence import Why
from ..text import block, one_line
from .table import aligned

#: Differences that are explained below a table.
EXPLAINED = 3


def table(
    sources: Sequence[str], columns: Sequence[str], cells: Mapping[Pair, Cell], marks: Mapping[Pair, str] | None = None
) -> str:
    """Sources as rows, destinations as columns; ``marks`` are the expectations of cells that differ from them."""
    rows = [["", *columns], *([s, *(_word(cells, marks or {}, (s, c)) for c in columns)] for s in sources)]
    return "\n".join(aligned([[one_line(cell) for cell in row] for row in rows]))


def _word(cells: Mapping[Pair, Cell], marks: Mapping[Pair, str], pair: Pair) -> str:
    word = cells[pair].word if pair in cells else SELF
    return f"!{word} (expected {marks[pair]})" if pair in marks else word


def failure(
    differences: Mapping[Pair, str], asked: int, shown: str, whys: Sequence[tuple[Pair, Cell, Why | None]]
) -> str:
    """What differs, the table with marks, and why for the first few."""
    (source, destination), first = next(iter(differences.items()))
    count = f"{len(differences)} of {asked} cells are not as expected"
    lines = [one_line(f"the matrix: {count}: {source} -> {destination} is {first}", 500), *shown.splitlines()]
    for pair, cell, why in whys:
        lines += _explained(pair, cell, why)
    if len(differences) > len(whys):
        lines.append(f"and {len(differences) - len(whys)} more, see the table")
    return "\n".join(lines)


def _explained(pair: Pair, cell: Cell, why: Why | None) -> list[str]:
    source, destination = pair
    head = one_line(f"{source} -> {destination}: {cell.result.verdict}")
    if why is None:
        return [
            f"{head}, and it must not be",
            f"  evidence: asked {cell.result.target}: {one_line(cell.result.detail)}",
        ]
    evidence = [*(f"missing proof: {lack}" for lack in cell.lacks), *why.evidence]
    return [
        f"{head}: {one_line(why.cause, 400)}",
        *(f"  evidence: {block(line, 2000)}" for line in evidence if line),
        f"  remedy:   {block(why.remedy)}",
    ]
