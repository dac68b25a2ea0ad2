"""Room for what this run makes and asks: what is kept for a later run, used by nobody, and stands in the way, is removed.

A kept thing that this run has not asked for is still there: by its names, its addresses, its host ports and its subnets it
could take another's place, or answer in it. What it was in the way of decides, so that most of it stays for whoever asks later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from .. import labels
from ..errors import DockconnError, EngineError, NotFound, SpecError
from ..logic import room
from ..logic.networks import is_used_up
from ..logic.reuse import Offer, short
from ..model.facts import ContainerFacts, NetworkFacts
from ..model.probe import Target
from ..model.spec import Attachment, NetworkPlan, Publish
from .facts import Facts
from .kept import Kept
from .leases import Lease


class Room:
    """Makes room.

    Args:
        kept: what there is.
        facts: of the containers that ask.
        names: what the tests call things, by id.
        used: whether this run uses a thing.
    """

    def __init__(self, kept: Kept, facts: Facts, names: Mapping[str, str], used: Callable[[str], bool]) -> None:
        self._kept = kept
        self._facts = facts
        self._names = names
        self._used = used
        self._gone: set[str] = set()
        self._seen: dict[str, ContainerFacts | None] = {}
        self._lock = threading.RLock()
        #: what was removed, with the reason
        self.removed: list[str] = []

    # Before something is asked

    def before_probe(self, source: str | None, targets: Iterable[Target]) -> None:
        """Nobody answers, or is found by a name, whom this run has not asked for."""
        asked = [target for target in targets if room.is_open(target)]
        if not asked or not self._waiting():
            return
        with self._lock:
            for found in self._waiting():
                for target in asked:
                    by = room.answers((a for at in found.at.values() for a in at), found.ports, target)
                    if by:
                        self._go(found, f"it was found by {by}")
            self._by_names(source, [target.host for target in asked])

    def before_command(self, source: str, argv: Iterable[str]) -> None:
        """Likewise for the names in a command; what a program does by itself nobody knows."""
        if self._waiting():
            with self._lock:
                self._by_names(source, room.words(argv))

    def _by_names(self, source: str | None, words: Sequence[str]) -> None:
        if source is None:
            return
        for place in self._facts.get(source).endpoints:
            for found in self._on(place.network):
                facts = self._look(found)
                by = room.called(facts, place, words) if facts is not None else ""
                if by:
                    self._go(found, f"it was found by the name {by}")

    # Before something is made

    def on_networks(self, wanted: Iterable[Attachment], hostname: str | None = None) -> None:
        """The names and addresses that a container is about to have on networks are its own."""
        with self._lock:
            for one in wanted:
                for found in self._on(one.network):
                    facts = self._look(found)
                    why = room.taken(facts, one, hostname or "") if facts is not None else ""
                    if why:
                        self._go(found, f"{why} on {self._called(facts, one.network)}")

    def addresses(self, wanted: Iterable[Attachment]) -> bool:
        """A network has no address left: who is on it and was not asked for goes; whether anybody was."""
        with self._lock:
            found = [one for place in wanted for one in self._on(place.network)]
            gone = [self._go(one, "its network had no address left") for one in found]
        return any(gone)

    def held(self, wanted: Iterable[Attachment], refusal: EngineError) -> EngineError:
        """The engine's refusal of a static address, with who has it."""
        for place in wanted:
            for thing in self._kept.engine.network(place.network).containers if place.ip else ():
                facts = self._kept.engine.inspect(thing)
                there = facts.endpoint(place.network)
                if there is not None and place.ip in (there.ip, there.ip6):
                    user = self._kept.leases.user(facts.labels.get(labels.RUN, ""), thing)
                    return EngineError(
                        f"{refusal.cause}: container {facts.name} ({thing[:12]}) has {place.ip} on "
                        f"{self._called(facts, place.network)}" + (f", and {user} uses it" if user else ""),
                        checked=refusal.checked,
                        remedy="end it, or choose another address; None takes any free one",
                    )
        return refusal

    def ports(self, wishes: Sequence[Publish]) -> bool:
        """Host ports are taken: who has them goes; whether anybody did."""
        with self._lock:
            held = ((one, room.port_held(one.ports, wishes)) for one in self._kept.now())
            gone = [self._go(one, why) for one, why in held if why]
        return any(gone)

    def network(self, plan: NetworkPlan, refusal: DockconnError) -> bool:
        """A network could not be made: what stands in its way goes; whether anything did.

        Raises:
            SpecError: something does, and can't be removed; says why.
        """
        with self._lock:
            there = self._kept.engine.networks(labels.REUSE)
            crossing = [(one, why) for one in there if (why := room.crossed(plan, one))]
            if not crossing and is_used_up(str(refusal)):
                return self._oldest_goes(there)
            gone = [self._network_goes(one, why, refusal) for one, why in crossing]
        return any(gone)

    def _oldest_goes(self, there: Sequence[NetworkFacts]) -> bool:
        by_age = sorted(there, key=lambda one: one.labels.get(labels.CREATED, ""))
        return any(not self._left(one, "the engine had no addresses left") for one in by_age)

    def _network_goes(self, there: NetworkFacts, why: str, refusal: DockconnError) -> bool:
        left = self._left(there, why)
        if left:
            raise SpecError(
                f"{refusal.cause}; that one is kept for a later run, and can't make room now: {left}",
                checked=refusal.checked,
                remedy="wait for that run's end, or choose another; what no run uses `dockconn prune` removes",
            ) from refusal
        return True

    # How it goes

    def _waiting(self) -> list[Offer]:
        """The containers that are kept, and were not asked for so far."""
        return [
            one
            for one in self._kept.known()
            if one.kind == "container" and one.id not in self._gone and not self._used(one.id)
        ]

    def _on(self, network: str) -> list[Offer]:
        return [one for one in self._waiting() if network in one.at]

    def _look(self, found: Offer) -> ContainerFacts | None:
        """Once: nobody uses it, so it does not change. None where it is gone."""
        if found.id not in self._seen:
            try:
                self._seen[found.id] = self._kept.engine.inspect(found.id)
            except NotFound:
                self._seen[found.id] = None
        return self._seen[found.id]

    def _called(self, facts: ContainerFacts | None, network: str) -> str:
        there = facts.endpoint(network) if facts is not None else None
        return self._names.get(there.network_id, network) if there is not None else network

    def _go(self, found: Offer, why: str) -> bool:
        lease = None if self._used(found.id) else self._kept.take(found)
        return lease is not None and self._removed(found, lease, why)

    def _removed(self, found: Offer, lease: Lease, why: str) -> bool:
        gone = self._kept.remove(found, lease)
        if gone:
            self._gone.add(found.id)
            self.removed.append(f"{short(found)} ({why})")
        return gone

    def _left(self, there: NetworkFacts, why: str) -> str:
        """Remove a network and who is on it, all of it or nothing; why not, empty if it is gone."""
        kept = {one.id: one for one in self._kept.now()}
        on = self._kept.engine.network(there.id).containers
        others = [thing for thing in on if thing not in kept]
        if others or there.id not in kept:
            return (
                f"container {self._kept.engine.inspect(others[0]).name} is on it"
                if others
                else "its labels are not its own"
            )
        taken: list[tuple[Offer, Lease]] = []
        try:
            for found in (*(kept[thing] for thing in on), kept[there.id]):
                lease = self._kept.take(found)
                if lease is None:
                    return self._kept.user(found)
                taken.append((found, lease))
            gone = [self._removed(found, lease, why) for found, lease in taken]
        finally:  # Ctrl-C too: those that were not come to
            for _, lease in taken:
                lease.put_back()
        return "" if all(gone) else "the engine refuses to remove it"
