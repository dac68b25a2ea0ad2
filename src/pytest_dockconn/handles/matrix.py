"""Every pair at once: one request a source, all side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..actions import agents
from ..actions.containers import side_by_side
from ..actions.services import Services
from ..errors import DockconnError, SpecError
from ..logic.given import kind, listed, shown
from ..logic.matrix import Cell, Pair
from ..logic.wiring import is_loopback
from ..model.probe import ProbeResult
from ..model.spec import PortKey
from ..report import matrix as report
from ..text import one_line
from .container import Container, Port
from .listener import HostListener
from .pairs import cells, is_own
from .source import Destination, Source, check_destination, check_source, check_timeout


class Matrix:
    """What came of every pair: ``matrix[source, destination]`` is a ``ProbeResult``; by object, or by name.

    ``str`` is a table: sources are rows, destinations columns.
    """

    def __init__(
        self, sources: Mapping[str, Source], destinations: Mapping[str, Destination], cells: Mapping[Pair, Cell]
    ) -> None:
        self._sources = dict(sources)
        self._destinations = dict(destinations)
        self._cells = dict(cells)
        self._by_owner = _by_owner(self._destinations)

    @property
    def sources(self) -> dict[str, Source]:
        """Who asked, by label."""
        return dict(self._sources)

    @property
    def destinations(self) -> dict[str, Destination]:
        """Who was asked, by label: ``web:80``."""
        return dict(self._destinations)

    @property
    def cells(self) -> dict[Pair, Cell]:
        """Every pair that was asked, by the labels of source and destination."""
        return dict(self._cells)

    def pair(self, key: object) -> Pair:
        """The labels of a pair of objects or names. Raises ``SpecError`` for what is none, and for a name that means several."""
        if not isinstance(key, tuple) or len(key) != 2:
            raise SpecError(f"{shown(key)} is no pair", checked=kind(key), remedy="write matrix[source, destination]")
        source = key[0].name if isinstance(key[0], Source) else key[0] if isinstance(key[0], str) else shown(key[0])
        destination = self._column(key[1]) if isinstance(key[1], str) else label(key[1])
        return HOST.get(source, source), destination

    def _column(self, called: str) -> str:
        """A bare name is that of its owner's only destination; all else is a label."""
        labels = [] if called in self._destinations else self._by_owner.get(called, [])
        if len(labels) > 1:
            raise SpecError(
                one_line(f"{called} is {len(labels)} destinations of the matrix: {', '.join(labels)}"),
                checked="a container's bare name is its only destination",
                remedy=f"name one, such as {labels[0]}",
            )
        return labels[0] if labels else called

    @property
    def owners(self) -> list[str]:
        """The bare names of those who were asked: each stands for its owner's only destination."""
        return list(self._by_owner)

    def __getitem__(self, key: tuple[Source | str, Destination]) -> ProbeResult:
        pair = self.pair(key)
        if pair not in self._cells:
            raise SpecError(
                one_line(f"{pair[0]} -> {pair[1]} was not asked"),
                checked=f"sources: {', '.join(self._sources)}; destinations: {', '.join(self._destinations)}",
                remedy="ask it: matrix(sources, destinations); a container is asked by itself where destinations are named",
            )
        return self._cells[pair].result

    def __len__(self) -> int:
        return len(self._cells)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._cells)

    def own(self) -> list[Pair]:
        """The pairs of a container with itself, which are asked only where the destinations were named."""
        asked = self._destinations.items()
        return [(name, called) for name, s in self._sources.items() for called, d in asked if is_own(s, d)]

    def table(self, marks: Mapping[Pair, str] | None = None) -> str:
        """The table; ``marks`` are the expectations of cells that differ from them, by pair."""
        if marks is not None and not isinstance(marks, Mapping):
            raise SpecError(f"marks={shown(marks)}: a mapping is wanted", checked=kind(marks), remedy="leave it out")
        return report.table(list(self._sources), list(self._destinations), self._cells, marks)

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        return f"<Matrix {len(self._sources)} x {len(self._destinations)}>"


#: What the host is called for short.
HOST = {"host": "the host"}


def _by_owner(destinations: Mapping[str, Destination]) -> dict[str, list[str]]:
    """The labels of the destinations, by the bare names of their owners."""
    found: dict[str, list[str]] = {}
    for called, destination in destinations.items():
        names = [destination.owner.name] if isinstance(destination, Port) else []
        for name in [*HOST, *HOST.values()] if isinstance(destination, HostListener) else names:
            found.setdefault(name, []).append(called)
    return found


def label(destination: Destination | object) -> str:
    """How a destination is called as a column: ``web:80``, ``dns:53/udp``, ``web:80/bound``, ``web:80@front``; a URL as it is."""
    if isinstance(destination, Container):
        destination = destination.only_port()
    if isinstance(destination, (str, HostListener)):
        return destination if isinstance(destination, str) else destination.label
    if not isinstance(destination, Port):
        return shown(destination)
    key, narrowed = destination.key, destination.narrowed
    kind = "" if key.protocol == "tcp" else f"/{key.protocol}"
    return f"{destination.owner.name}:{key.number}{kind}{'/bound' if destination.bound else ''}" + (
        f"@{narrowed}" if narrowed else ""
    )


def ask_matrix(
    services: Services, sources: Iterable[Source], destinations: Iterable[Destination] | None, timeout: float
) -> Matrix:
    """Ask every pair. Raises ``SpecError`` for what can't ask or can't be asked."""
    limit = check_timeout(timeout)
    asking = _labelled(_sources(sources), lambda s: s.name, "source")
    named = None if destinations is None else _labelled(_checked(destinations), label, "destination")
    if named is None and not any(isinstance(source, Container) for source in asking.values()):
        raise _without("destination")
    side_by_side(*(lambda s=s: _opened(s) for s in asking.values()))
    asked = named or _labelled(_default(list(asking.values())), label, "destination")
    return Matrix(asking, asked, cells(services, asking, asked, limit, own=named is not None))


def _sources(sources: Iterable[Source]) -> list[Source]:
    if isinstance(sources, Source):
        sources = [sources]
    found = listed(sources, "sources", "sources", _REMEDY)
    for source in found:
        check_source(source)
    return found


_REMEDY = "write matrix([client, web], [web.port(80)])"


def _checked(destinations: Iterable[Destination]) -> list[Destination]:
    """Containers become their one port, so that a bad destination is seen before anybody asks."""
    found = listed(destinations, "destinations", "ports, containers and URLs", _REMEDY)
    for destination in found:
        check_destination(destination)
    return [d.only_port() if isinstance(d, Container) else d for d in found]


def _labelled(things: Sequence[Any], named: Any, what: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for thing in things:
        name = named(thing)
        if name in found and found[name] != thing:
            raise SpecError(
                f"two {what}s of the matrix are both called {shown(name)}",
                checked="their names",
                remedy="give them different names: server(name=...), or adopt(container, name=...)",
            )
        found[name] = thing
    if not found:
        raise _without(what)
    return found


def _without(what: str) -> SpecError:
    return SpecError(f"a matrix without a {what}", checked="what was passed", remedy=f"name one {what} or more")


def _opened(source: Source) -> None:
    """Sidecars start side by side; one that can't is told by its probes."""
    try:
        source.channel()
    except DockconnError:
        return


def _default(sources: Sequence[Source]) -> list[Destination]:
    """Every port that a container among them exposes, or listens on for others."""
    containers = [s for s in sources if isinstance(s, Container)]
    listening = side_by_side(*(lambda c=c: _listening(c) for c in containers))
    return [
        Port(container, key)
        for container, keys in zip(containers, listening, strict=True)
        for key in sorted({*keys, *(k for k in container.facts().exposed if k.protocol in ("tcp", "udp"))})
    ]


def _listening(container: Container) -> set[PortKey]:
    """None of one that does not run. Raises ``DockconnError``: what can't be seen would be left out in silence."""
    if not container.facts().running:
        return set()
    rows = agents.listeners(container.channel())
    return {PortKey(r["port"], r["protocol"]) for r in rows if not is_loopback(r["local"])}
