"""The pairs of a matrix: all asked at once, and what is missing to the proof of those that were not reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from msgspec import Struct

from ..actions.asking import ask
from ..actions.containers import side_by_side
from ..actions.controls import Ends, answers_inside, asked_inside, beside, doubts, source_works
from ..actions.services import Services
from ..errors import DockconnError
from ..logic import proof
from ..logic.destinations import parse
from ..logic.matrix import Cell, Pair, most_telling
from ..model.facts import ContainerFacts
from ..model.probe import ProbeResult, Target
from .container import Container, Port
from .known import owned
from .listener import HostListener
from .source import Destination, Source

Sources = Mapping[str, Source]
Destinations = Mapping[str, Destination]
#: The ways to ask of every pair.
Ways = Mapping[Pair, Sequence[Target]]


class _Seen(Struct, frozen=True):
    """The ways to ask of one pair, and what came of those that were asked: of all, unless the first was answered."""

    ways: Sequence[Target]
    results: Sequence[ProbeResult]


def cells(services: Services, asking: Sources, asked: Destinations, timeout: float, *, own: bool) -> dict[Pair, Cell]:
    """What came of every pair, by the labels of source and destination; ``own``: also of a container with itself."""
    ways = _ways(services, asking, asked, own=own)
    before = _controls(services, asking, asked, ways, timeout)
    with services.turns.asking():
        rows: list[dict[Pair, _Seen]] = side_by_side(
            *(partial(_row, services, name, source, ways, timeout) for name, source in asking.items())
        )
    seen = {pair: one for row in rows for pair, one in row.items()}
    failed = {pair for pair, one in seen.items() if not any(one.results)}
    sources, destinations = {pair[0] for pair in failed}, {pair[1] for pair in failed}
    after = _controls(
        services,
        {name: source for name, source in asking.items() if name in sources},
        {name: destination for name, destination in asked.items() if name in destinations},
        {pair: ways[pair] for pair in failed},
        timeout,
    )

    def lacks(pair: Pair) -> list[str]:
        one, source, destination = seen[pair], asking[pair[0]], asked[pair[1]]
        controls = before.lacks(pair, "before") + after.lacks(pair, "after") + after.doubts(pair, one.results)
        return controls + after.changes(pair, before) + proof.unasked(one.ways, _now(services, source, destination))

    return {
        pair: Cell(most_telling(one.results), tuple(lacks(pair)) if pair in failed else ())
        for pair, one in seen.items()
    }


def is_own(source: Source, destination: Destination) -> bool:
    """Whether a container would ask itself."""
    return isinstance(destination, Port) and destination.owner == source


def _ways(services: Services, asking: Sources, asked: Destinations, *, own: bool) -> Ways:
    """How every source asks for every destination."""

    def of(name: str, source: Source) -> Ways:
        return {
            (name, called): _targets(services, source, destination)
            for called, destination in asked.items()
            if own or not is_own(source, destination)
        }

    rows: list[Ways] = side_by_side(*(partial(of, name, source) for name, source in asking.items()))
    return {pair: targets for row in rows for pair, targets in row.items()}


def _row(services: Services, name: str, source: Source, every: Ways, timeout: float) -> dict[Pair, _Seen]:
    """All questions of one source, in one request; the other addresses of those that did not answer in a second one."""
    ways = {called: targets for (asks, called), targets in every.items() if asks == name}
    seen = {called: [result] for called, result in _answers(services, source, ways, slice(1), timeout)}
    others = {called: targets for called, targets in ways.items() if len(targets) > 1 and not seen[called][0]}
    for called, result in _answers(services, source, others, slice(1, None), timeout):
        seen[called].append(result)
    return {(name, called): _Seen(ways[called], results) for called, results in seen.items()}


def _targets(services: Services, source: Source, destination: Destination) -> list[Target]:
    targets = source.targets(destination)
    return owned(services, targets)[0] if isinstance(destination, str) else targets


def _now(services: Services, source: Source, destination: Destination) -> list[Target]:
    """The ways to ask for it now; none where it is gone, which the controls say."""
    try:
        return _targets(services, source, destination)
    except DockconnError:
        return []


def _answers(
    services: Services, source: Source, ways: Mapping[str, Sequence[Target]], which: slice, timeout: float
) -> Iterator[tuple[str, ProbeResult]]:
    questions = [(called, target) for called, targets in ways.items() for target in targets[which]]
    if questions:
        results = ask(services, source.source_id, [target for _, target in questions], timeout)
        yield from zip((called for called, _ in questions), results, strict=True)


class _Asks(Struct, frozen=True):
    """What was seen of a source: whether its probes work, what is wrong if not, and its facts (None: the host)."""

    works: bool = True
    detail: str = ""
    facts: ContainerFacts | None = None


class _Owns(Struct, frozen=True):
    """What was seen of an owner: its name, its facts (None: the host), and its answers from inside."""

    name: str = ""
    facts: ContainerFacts | None = None
    inside: tuple[ProbeResult, ...] = ()


class _Controls:
    """What was seen of both ends of every pair at one moment."""

    def __init__(
        self, services: Services, sources: Mapping[str, _Asks], owners: Mapping[str, _Owns], ways: Ways
    ) -> None:
        self._services = services
        self._sources = sources
        self._owners = owners
        self._ways = ways

    def lacks(self, pair: Pair, when: str) -> list[str]:
        """The proofs that are missing for a pair that was not reached."""
        source, destination = pair
        if destination not in self._owners:
            return [f"{destination} is nobody that is known here, so there is no owner to ask from inside"]
        asks, owns = self._sources.get(source, _Asks()), self._owners[destination]
        # where another source asks it may well answer
        wanted = asked_inside(owns.facts, self._ways[pair])
        inside = tuple(r for r in owns.inside if r.target in wanted)
        aside = [f"{reason} ({when})" for reason in beside(self._services, self._ends(pair), self._ways[pair])]
        controls = proof.Controls(asks.works, asks.detail, owns.facts, inside)
        return aside + proof.missing(controls, when, owns.name, source)

    def doubts(self, pair: Pair, results: Sequence[ProbeResult]) -> list[str]:
        """Why the results themselves prove nothing."""
        return doubts(self._services, self._ends(pair), results)

    def _ends(self, pair: Pair) -> Ends:
        asks, owns = self._sources.get(pair[0], _Asks()), self._owners.get(pair[1], _Owns())
        return Ends(asks.facts, owns.facts, owns.name)

    def changes(self, pair: Pair, before: _Controls) -> list[str]:
        """What happened to the ends of a pair since an earlier moment."""
        source, destination = pair
        asked, asks = before._sources.get(source, _Asks()), self._sources.get(source, _Asks())
        owned_, owns = before._owners.get(destination, _Owns()), self._owners.get(destination, _Owns())
        return proof.changed(asked.facts, asks.facts, source) + proof.changed(owned_.facts, owns.facts, owns.name)


def _controls(services: Services, sources: Sources, asked: Destinations, ways: Ways, timeout: float) -> _Controls:
    works = [partial(_asks, services, source) for source in sources.values()]
    inside = [
        partial(
            _inside, services, destination, [t for pair, of in ways.items() if pair[1] == called for t in of], timeout
        )
        for called, destination in asked.items()
    ]
    results = side_by_side(*works, *inside)
    owners = zip(asked, results[len(sources) :], strict=True)
    return _Controls(
        services,
        dict(zip(sources, results, strict=False)),
        {name: inside for name, inside in owners if inside is not None},
        ways,
    )


def _asks(services: Services, source: Source) -> _Asks:
    return _Asks(*source_works(services, source.source_id), source.source_facts())


def _inside(services: Services, destination: Destination, targets: Sequence[Target], timeout: float) -> _Owns | None:
    """By where the sources ask for it, each, and not by where the host would; None where nobody owns it."""
    owner: Container | HostListener | None
    if isinstance(destination, str):
        owner = owned(services, [parse(destination)])[1]
    else:
        owner = destination.owner if isinstance(destination, Port) else destination  # type: ignore[assignment]
    if owner is None:
        return None
    facts = owner.facts() if isinstance(owner, Container) else None
    try:
        return _Owns(owner.name, facts, tuple(answers_inside(services, facts, targets, timeout)))
    except DockconnError:  # it has gone meanwhile: what is missing then is a proof
        return _Owns(owner.name, facts)
