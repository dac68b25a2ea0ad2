"""Who is cut off from whom, and where the rules for it are set."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from ..actions.partition import Mark, cut, heal
from ..actions.services import Services
from ..errors import CapabilityError, NotFound, NotOurs, SpecError
from ..logic import partition as logic
from ..logic.given import flag, kind, shown
from ..logic.partition import Cut, Doorway, check, doorways, why_not
from .container import Container
from .network import Network

Party = Container | Network


@contextmanager
def partitioned(
    services: Services, a: Party, b: Party, *, one_way: bool, how: str, allow_adopted: bool
) -> Iterator[None]:
    """Inside neither reaches the other (``one_way``: a does not reach b); healed on the way out, whatever happens.

    Where one of them is started anew, or joins a network, the rules are set anew before that call returns.
    """
    cuts = partial(_cuts, services, a, b, one_way=one_way, how=check(how), allow_adopted=allow_adopted)
    block = _Block(services, [party for party in (a, b) if isinstance(party, Container)], cuts)
    with ExitStack() as healing:
        healing.callback(block.heal)
        services.renewals.append(block.renew)  # a container that comes back is cut off again
        healing.callback(services.renewals.remove, block.renew)
        block.begin()
        known = logic.Partition(_party(a), _party(b), one_way)
        services.partitions.append(known)  # so that a failure inside can name it
        healing.callback(services.partitions.remove, known)
        yield


def _has_a_place(container: Container) -> bool:
    """Whether there is anything to cut it off from."""
    with suppress(NotFound):
        facts = container.facts()
        return facts.status in ("running", "paused") and (facts.network_mode == "host" or bool(facts.addresses))
    return False


class _Block:
    """What is cut from a partition's beginning to its end; ``cuts`` says what that is now."""

    def __init__(
        self, services: Services, parties: Sequence[Container], cuts: Callable[[], Mapping[Container, Cut]]
    ) -> None:
        self._services = services
        self._parties = parties
        self._cuts = cuts
        self._owner = os.getpid()
        self._marks: list[Mark] = []
        self._lock = threading.Lock()
        self._over = False

    def begin(self) -> None:
        """Set the rules. Raises before anything is changed where that can't be."""
        with self._lock:
            self._set()

    def _set(self) -> None:
        """One after the other: each that is in force is known before anything can go wrong with the next."""
        cuts = self._cuts()
        with self._services.doubt.about():
            for container, what in cuts.items():
                self._marks.append(cut(self._services, container.id, what))

    def renew(self, container: str) -> None:
        """As both are now: rules go with a container's network namespace when it ends, and addresses change. The new ones first.

        Of one without an address nothing can be cut: its start, or its network, will come here, too.
        """
        if container not in [party.id for party in self._parties]:
            return
        with self._lock:
            if self._over or not all(map(_has_a_place, self._parties)):
                return
            old = list(self._marks)
            self._set()
            for mark in old:
                heal(self._services, mark)
                self._marks.remove(mark)

    def heal(self) -> None:
        """Take the rules away, all that can be. Not in a fork that falls out of the block: its parent is still inside."""
        if os.getpid() != self._owner:  # and the lock may have been another thread's, which a fork has not
            return
        with self._lock, ExitStack() as healing:
            self._over = True
            for mark in self._marks:
                healing.callback(heal, self._services, mark)


def _party(party: Party) -> logic.Party:
    if isinstance(party, Network):
        return logic.Party(party.name, network=party.id)
    return logic.Party(party.name, container=party.id)


def _cuts(
    services: Services, a: Party, b: Party, *, one_way: bool, how: str, allow_adopted: bool
) -> dict[Container, Cut]:
    """What is cut in the namespace of which container. Raises before anything is changed."""
    flag(one_way, "one_way")
    flag(allow_adopted, "allow_adopted")
    _check(a, b, allow_adopted=allow_adopted)
    reasons = {p: why_not(p.facts()) for p in (a, b) if isinstance(p, Container)}
    places = [p for p, reason in reasons.items() if not reason]
    ours = [p for p in places if p.ours]
    places = ours or places  # what others made is touched only where nothing of ours would do
    if not places:
        told = "; ".join(f"{party.name}: {reason}" for party, reason in reasons.items())
        raise CapabilityError(
            f"{a.name} and {b.name} can't be cut off from each other: {told}",
            checked="the state and the network mode of both",
            remedy="start them, or give one a network of its own",
        )
    if one_way and a in places:
        places = [p for p in places if p == a]
    found = {}
    for place in places:
        other, begins = (b, True) if place == a else (a, not one_way)
        found[place] = Cut(
            peers=_addresses(services, other),
            doorways=_doorways(services, other) if begins else (),
            out=begins,
            into=not one_way or place == b,
            how=how,
        )
    return found


def _check(a: Party, b: Party, *, allow_adopted: bool) -> None:
    for party in (a, b):
        if not isinstance(party, (Container, Network)):
            raise SpecError(
                f"partition: {shown(party)} can't be cut off",
                checked=f"{kind(party)}; containers and networks can",
                remedy="write partition(web, db), or partition(web, network)",
            )
        if isinstance(party, Container) and not party.ours and not allow_adopted:
            raise NotOurs(
                f"refused to cut off {party.name}: it was adopted, and what others made is not touched",
                checked=f"container {party.id[:12]}",
                remedy="pass allow_adopted=True if rules may be set for the time of the partition",
            )
    if a == b or not any(isinstance(party, Container) for party in (a, b)):
        raise SpecError(
            f"partition({a.name}, {b.name}): one container and another, or a network, are wanted",
            checked="both are " + ("the same" if a == b else "networks"),
            remedy="write partition(web, db), or partition(web, network)",
        )


def _addresses(services: Services, party: Party) -> tuple[str, ...]:
    if isinstance(party, Network):
        return party.subnets
    facts = party.facts()
    if facts.network_mode == "host":
        return services.host_addresses()
    if not facts.addresses:
        raise SpecError(
            f"partition: {party.name} has no address",
            checked=f"it is {facts.status}",
            remedy="connect it to a network first",
        )
    return facts.addresses


def _doorways(services: Services, party: Party) -> tuple[Doorway, ...]:
    """Host ports lead to a container too: through them it would still be reached."""
    if isinstance(party, Network) or not party.facts().bindings:
        return ()
    return doorways(party.facts().bindings, services.host_addresses())
