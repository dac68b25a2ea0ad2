"""What is expected of every pair, as text or as a mapping, and how a cell compares with it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import dropwhile

from msgspec import Struct

from ..errors import SpecError
from ..model.probe import NEGATIVE, ProbeResult, Verdict
from ..text import one_line, printable
from .given import shown

#: A cell that nobody cares about, and one of a container with itself, of which nothing is expected.
ANY, SELF = "*", "-"
YES, NO = "yes", "no"
_WORDS = {verdict.value for verdict in Verdict}
#: Source and destination, by their labels.
Pair = tuple[str, str]


class Cell(Struct, frozen=True):
    """A pair that was asked.

    Attributes:
        result: of the probe that tells most: an answer of the owner, else a wrong server, else one that leaves it open, else
            the first failure.
        lacks: of a pair that can't be reached: why that is not proved; empty where it is.
    """

    result: ProbeResult
    lacks: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """How a table shows it: ``yes``, or the verdict, with a question mark where it is not proved."""
        if self.result:
            return YES
        return f"{self.result.verdict}{'?' if self.lacks and self.result.verdict in NEGATIVE else ''}"


def most_telling(results: Sequence[ProbeResult]) -> ProbeResult:
    """Of the addresses of one destination."""
    return sorted(results, key=lambda r: (not r, r.verdict is not Verdict.WRONG_SERVER, r.verdict in NEGATIVE))[0]


def difference(cell: Cell, expected: str) -> str:
    """What is wrong with a cell, in words; empty if nothing is."""
    seen = cell.result.verdict
    if expected == ANY:
        return ""
    if expected in (YES, Verdict.REACHABLE.value):
        return "" if cell.result else f"{seen}, expected {expected}"
    fits = seen in NEGATIVE if expected == NO else seen.value == expected
    if not fits:
        return f"{seen}, expected {expected}"
    if seen in NEGATIVE and cell.lacks:
        return f"{seen}, but inconclusive: {cell.lacks[0]}"
    return ""


def word(value: object) -> str:
    """What a cell is expected to be, as a word. Raises ``SpecError``."""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, Verdict):
        return value.value
    if isinstance(value, str) and value.strip().lower() in {YES, NO, ANY, SELF, *_WORDS}:
        return value.strip().lower()
    raise SpecError(
        f"{shown(value)} is nothing that a cell can be expected to be",
        checked=f"known: {YES}, {NO}, {ANY} (don't care), {', '.join(sorted(_WORDS))}",
        remedy="write one of these, or a Verdict",
    )


def parsed(text: str, named: Collection[str] = ()) -> dict[Pair, str]:
    """A table as text: destinations as columns, sources as rows; lines of a Markdown table are taken too.

    ``named`` are the words that are columns although no port is in them.
    """
    rows = [_cells(line) for line in text.splitlines() if line.strip() and set(line) - set("|-: +")]
    seen = printable(text, 2000)
    if not rows:
        raise SpecError("the expected matrix is empty", checked=shown(text), remedy=_EXAMPLE)
    first, *body = rows
    # the corner may have words of its own
    columns = list(dropwhile(lambda word: ":" not in word and word not in named, first))
    while columns and body and ":" not in columns[0] and len(columns) >= max(map(len, body)):
        columns.pop(0)  # one of them may be a destination's name, too
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if not columns or twice:
        what = f"the column {shown(twice)} stands twice in" if twice else "no destination is in the first line of"
        raise SpecError(f"{what} the expected matrix", checked=seen, remedy=_EXAMPLE)
    found: dict[Pair, str] = {}
    for row in body:
        label, cells = _label(row, len(columns))
        for column, cell in zip(columns, cells, strict=True):
            if (label, column) in found:
                raise SpecError(
                    f"the row {shown(label)} stands twice in the expected matrix", checked=seen, remedy=_EXAMPLE
                )
            found[label, column] = word(cell)
    if not found:
        raise SpecError("the expected matrix has no rows", checked=seen, remedy=_EXAMPLE)
    return found


_EXAMPLE = "write destinations as columns and sources as rows:\n             web:80  db:5432\n    client1  yes     no"


def _cells(line: str) -> list[str]:
    return line.replace("|", " ").split()


def _label(row: Sequence[str], width: int) -> tuple[str, list[str]]:
    """The host's label is two words, so a row is read from its end."""
    if len(row) <= width:
        raise SpecError(
            f"a row of the expected matrix has {len(row) - 1} cells, and there are {width} columns: {shown(' '.join(row))}",
            checked="every cell must be named; * is one that nobody cares about",
            remedy=_EXAMPLE,
        )
    return " ".join(row[: len(row) - width]), list(row[len(row) - width :])


def once(named: Iterable[tuple[Pair, str]]) -> dict[Pair, str]:
    """What is named, each pair once. Raises ``SpecError`` for a pair of which two things are expected."""
    found: dict[Pair, str] = {}
    for pair, wanted in named:
        if found.setdefault(pair, wanted) != wanted:
            raise SpecError(
                f"the expected matrix has both {found[pair]} and {wanted} for {_shown([pair])}",
                checked="objects, names and bare names: several may stand for one destination",
                remedy="name each cell once",
            )
    return found


def complete(expected: Mapping[Pair, str], pairs: Collection[Pair], own: Collection[Pair]) -> dict[Pair, str]:
    """The expectation of every pair. Raises ``SpecError`` for a cell without one, and for one that was not asked.

    ``own`` are the pairs of a container with itself, which need none; where they were not asked, they can have no other than
    ``-`` or ``*``.
    """
    stray = [pair for pair in expected if pair not in pairs and pair not in own]
    if stray:
        raise SpecError(
            f"the expected matrix names what was not asked: {_shown(stray)}",
            checked=f"asked were: {_shown(pairs)}",
            remedy="correct the name, or ask it: matrix(sources, destinations)",
        )
    odd = [p for p, wanted in expected.items() if wanted not in (ANY, SELF) and p in own and p not in pairs]
    odd += [p for p in pairs if expected.get(p) == SELF and p not in own]
    if odd:
        raise SpecError(
            f"the expected matrix mistakes who is asked: {_shown(odd)}",
            checked=f"a container with itself stands as {SELF}, and is asked only where destinations are named; all others are",
            remedy=f"write {SELF} for a container with itself, or ask it: matrix(sources, destinations); elsewhere {ANY} is a "
            "cell that nobody cares about",
        )
    missing = [pair for pair in pairs if pair not in expected and pair not in own]
    if missing:
        raise SpecError(
            f"the expected matrix leaves out {_shown(missing)}",
            checked="every cell must be named",
            remedy="name it; * is one that nobody cares about",
        )
    return {pair: expected[pair] for pair in pairs if expected.get(pair, SELF) != SELF}


def _shown(pairs: Iterable[Pair], most: int = 8) -> str:
    lines = [one_line(f"{source} -> {destination}") for source, destination in pairs]
    return ", ".join(lines[:most]) + (f" and {len(lines) - most} more" if len(lines) > most else "")
