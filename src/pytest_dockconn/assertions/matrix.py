"""Every pair is as expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..errors import ReachabilityError, SpecError
from ..handles.container import Container, Port
from ..handles.matrix import Matrix, ask_matrix, label
from ..handles.source import Destination, Source
from ..logic.given import kind, listed, shown
from ..logic.matrix import ANY, NO, YES, Cell, Pair, complete, difference, once, parsed, word
from ..model.evidence import Why
from ..model.probe import Verdict
from ..report import matrix as report
from ..text import one_line
from .common import note
from .explaining import explained

#: What a cell is expected to be: a verdict, yes or no, or "*" for "don't care".
Expected = Verdict | bool | str
Expectation = str | Mapping[tuple[Source | str, Destination], Expected]


def assert_matrix(matrix: Matrix, expected: Expectation) -> None:
    """Pass when every cell is as expected; what is expected to be out of reach must be proved to be.

    Args:
        matrix: of ``lab.matrix``.
        expected: a table as text with destinations as columns (``web:80``, or ``web`` for its only one) and sources as rows,
            or a mapping of ``(source, destination)``, by object or by name. A cell is ``yes``, ``no``, the word of a verdict, or ``*``
            for one that nobody cares about; a container with itself is ``-`` or left out, or expected to be something where
            it was asked.

    Raises:
        ReachabilityError: the table with what differs marked, and why for the first few.
        SpecError: a cell that is not named, or one that was not asked.
    """
    __tracebackhide__ = True
    if not isinstance(matrix, Matrix):
        raise SpecError(
            f"{shown(matrix)} is no matrix", checked=kind(matrix), remedy="pass what lab.matrix(...) returned"
        )
    _compare(matrix, expected, "matrix")


def _compare(matrix: Matrix, expected: Expectation, question: str) -> None:
    __tracebackhide__ = True
    wanted = complete(once(_named(matrix, expected)), matrix.cells, matrix.own())
    cells = matrix.cells
    differences = {pair: words for pair, words in ((p, difference(cells[p], w)) for p, w in wanted.items()) if words}
    for pair in (pair for pair, w in wanted.items() if w != ANY):
        note(question, matrix.sources[pair[0]], pair[1], cells[pair].result, passed=pair not in differences)
    if differences:
        table = matrix.table({pair: wanted[pair] for pair in differences})
        whys = [(pair, cells[pair], _why(matrix, pair, cells[pair])) for pair in list(differences)[: report.EXPLAINED]]
        raise ReachabilityError(report.failure(differences, len(wanted), table, whys))


def _named(matrix: Matrix, expected: object) -> Iterator[tuple[Pair, str]]:
    """The cells that are named, by the labels of the matrix, and what they are expected to be."""
    if isinstance(expected, str):
        yield from ((matrix.pair(key), wanted) for key, wanted in parsed(expected, matrix.owners).items())
        return
    if not isinstance(expected, Mapping):
        raise SpecError(
            f"expected={shown(expected)}: a table as text or a mapping is wanted",
            checked=kind(expected),
            remedy="write {(source, destination): Verdict.TIMED_OUT}",
        )
    yield from ((matrix.pair(key), word(value)) for key, value in expected.items())


def _why(matrix: Matrix, pair: Pair, cell: Cell) -> Why | None:
    """Why a pair was not reached; None for one that was."""
    if cell.result:
        return None
    return explained(matrix.sources[pair[0]], matrix.destinations[pair[1]], cell.result).why


def assert_policy(
    containers: Iterable[Container],
    allow: Iterable[tuple[Source | str, Destination]],
    *,
    timeout: float = 1.0,
) -> Matrix:
    """Pass when these connections are possible and no others, among all ports that the containers expose or listen on.

    Args:
        containers: every one asks, and is asked.
        allow: pairs of a source and a destination, by object or by name: ``("web", "api:80")``; a container stands for
            its only port.
        timeout: seconds to the first line of an answer, for each probe.

    Returns:
        The matrix that was asked.

    Raises:
        ReachabilityError: a pair that is allowed and can't be reached, or one that is not and can be, or is not proved
            to be out of reach.
        SpecError: a pair that names what was not asked.
    """
    __tracebackhide__ = True
    remedy = "write assert_policy([web, api, db], allow=[(web, api)])"
    asked = listed(containers, "containers", "containers", remedy)
    if not asked or not all(isinstance(one, Container) for one in asked):
        raise SpecError("assert_policy wants containers", checked=shown(asked), remedy=remedy)
    pairs = [_port_of(pair, asked) for pair in listed(allow, "allow", "pairs", remedy)]
    matrix = ask_matrix(asked[0].services, asked, None, timeout)
    allowed = {matrix.pair(pair) for pair in pairs}
    stray = sorted(one_line(f"{s} -> {d}") for s, d in allowed - set(matrix.cells))
    if stray:
        raise SpecError(
            f"allow names what was not asked: {', '.join(stray)}",
            checked=f"containers: {', '.join(matrix.sources)}; their ports: {', '.join(matrix.destinations)}",
            remedy="correct the name; a port is one that its container exposes or listens on",
        )
    _compare(matrix, {pair: YES if pair in allowed else NO for pair in matrix.cells}, "policy")
    return matrix


def _port_of(pair: object, containers: Iterable[Container]) -> object:
    """A destination that is a container's bare name is its only port."""
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise SpecError(f"allow: {shown(pair)} is no pair", checked=kind(pair), remedy='write ("web", "api:80")')
    source, destination = pair
    named = {one.name: one for one in containers}
    if isinstance(destination, str) and destination in named:
        destination = named[destination]
    return source, label(destination) if isinstance(destination, (Container, Port)) else destination
