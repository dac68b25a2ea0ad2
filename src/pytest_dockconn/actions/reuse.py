"""``--dockconn-reuse``: what the session made outlives the run, and the next one uses it again."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable

from .. import labels
from ..engine.port import Engine
from ..errors import DockconnError, NotFound
from ..logic.reuse import Offer, Place, outdated, project_mark, short
from ..logic.stale import is_dead
from ..model.reused import Reused
from .guardian import Guardian
from .here import here
from .kept import Kept
from .leases import Lease, clock


class Reuse:
    """What of earlier runs this one uses, and what of this one the next may.

    Args:
        engine: where it is.
        run: this one.
        guardian: the helper, which owns what is made here and removes it when its lease is over.
        project: whose things.
        lease: seconds that they outlive their last use.

    Raises:
        DockconnError: the leases' folder is somebody else's.
    """

    def __init__(self, engine: Engine, run: str, guardian: Guardian, project: str, lease: float) -> None:
        self._engine = engine
        self._run = run
        self._guardian = guardian
        self._lease = lease
        #: of all projects
        self.kept = Kept(engine)
        self._leases = self.kept.leases
        self._leases.prepare()
        #: something may have been made that nobody knows of
        self.lost = False
        self._lock = threading.Lock()
        self._found: list[Offer] | None = None
        self._held: dict[str, Lease] = {}
        self._looking: set[str] = set()
        self._own: set[str] = set()
        self._reused: dict[str, str] = {}
        self._made: dict[str, str] = {}
        self._replaced: list[str] = []
        self.project = project

    def offers(self) -> list[Offer]:
        """What earlier runs left for this project, as it was when first asked."""
        with self._lock:
            if self._found is None:
                self._found = self._listed()
            return self._found

    def _listed(self) -> list[Offer]:
        mine = project_mark(self.project)
        found = [one for one in self.kept.known() if one.marks.get(labels.PROJECT) == mine]
        if not found:
            return []
        self._forget_gone(found)
        now = here(self._engine, local=True)  # what was made before the machine started anew is not used again
        return [one for one in found if not is_dead(one.marks, now) and self._leases.until(one.run, one.id) is not None]

    def _forget_gone(self, found: list[Offer]) -> None:
        """What somebody has removed by hand needs no lease, nor a helper that waits for its end."""
        there = {one.id for one in found}
        for run in {one.run for one in found}:
            for thing in set(self._leases.of_run(run)) - there:
                lease = self._leases.take(run, thing)
                if lease is not None:
                    self._end_if_gone(lease, thing)

    def _end_if_gone(self, lease: Lease, thing: str) -> None:
        """Its run may have made it after the listing: without its lease nobody would ever remove it."""
        try:
            for look in (self._engine.inspect, self._engine.network):
                with contextlib.suppress(NotFound):
                    look(thing)
                    return
            lease.end()
        finally:
            lease.put_back()

    def ready(self) -> list[Offer]:
        """Of those, what nobody uses at the moment."""
        return [one for one in self.offers() if not self._leases.is_used(one.run, one.id)]

    def take(self, place: Place, kind: str, unfit: Callable[[str], str]) -> str | None:
        """The id of what may be used in this place, for this run alone; None if nothing. What is no good goes.

        Args:
            place: what is wanted.
            kind: ``container`` or ``network``.
            unfit: of an id, why it can't be used, looked up on the engine; empty if it can. May raise ``NotFound``.
        """
        there = [one for one in self.offers() if (one.kind, one.place.use) == (kind, place.use)]
        # with several (of xdist's workers) those that were made from the same first: the others are other workers'
        for found in sorted(there, key=lambda one: one.place.made_of != place.made_of):
            if found.place.made_of != place.made_of and self._hangs_on_others(found):
                continue
            self._looking.add(found.id)
            try:
                lease = self._leases.take(found.run, found.id)
                if lease is not None and self._fits_or_back(found, lease, place, unfit):
                    return found.id
            finally:
                self._looking.discard(found.id)
        return None

    def _hangs_on_others(self, found: Offer) -> bool:
        """Whether its network, or what it is linked to, is used by another worker or run: that one is about to want it."""
        mine = {*self._held, *self._looking}  # other threads of this run look at theirs just now
        others = [one for one in self.offers() if one.id not in mine and self._leases.is_used(one.run, one.id)]
        used = {(one.kind, one.name) for one in others}
        if found.kind == "network" or not used:
            return False
        with contextlib.suppress(NotFound):
            sources = [source for source, _ in self._engine.inspect(found.id).links]
            return any(("network", name) in used for name in found.at) or any(("container", s) in used for s in sources)
        return False

    def _fits_or_back(self, found: Offer, lease: Lease, place: Place, unfit: Callable[[str], str]) -> bool:
        try:
            return self._fits(found, lease, place, unfit)
        except BaseException:  # nobody knows what it is like; a later look may tell
            lease.put_back()
            raise

    def _fits(self, found: Offer, lease: Lease, place: Place, unfit: Callable[[str], str]) -> bool:
        """Whether it is ours now; if not, it is gone, or about to go, or others are on it."""
        why = "its last user died" if not lease.clean else outdated(found, place, time.time())
        try:
            now = unfit(found.id) if not why else ""
        except NotFound:
            lease.end()
            return False
        if now and found.kind == "network":  # it can't go before they do
            lease.put_back()
            self._replaced.append(f"{short(found)} ({now}, so it stays)")
            return False
        if why or now:
            self._replace(found, lease, why or now)
            return False
        self._held[found.id] = lease
        self._reused[found.id] = short(found)
        return True

    def _replace(self, found: Offer, lease: Lease, why: str) -> None:
        if found.kind == "network":
            with contextlib.suppress(DockconnError):
                self._empty(found.id)
        gone = self.kept.remove(found, lease)
        self._replaced.append(f"{short(found)} ({why}{'' if gone else ', and is still there'})")

    def _empty(self, network: str) -> None:
        """What hangs on a network that is replaced is replaced too, so it goes first: else the network can't."""
        on = set(self._engine.network(network).containers)
        for found in self.offers():
            lease = self._leases.take(found.run, found.id) if found.id in on else None
            if lease is not None:
                self._replace(found, lease, "its network was replaced")

    def stranger(self, there: Iterable[str]) -> str:
        """Of the ids of containers, the name of one that no earlier run left, or that a run uses; empty if there is none."""
        known = {one.id for one in self.kept.known() if self.kept.is_free(one)}
        for thing in there:
            with contextlib.suppress(NotFound):
                if thing not in known and thing not in self._held:
                    return self._engine.inspect(thing).name
        return ""

    def reject(self, thing: str, why: str) -> None:
        """What was taken is no good after all; who calls this removes it."""
        self._replaced.append(f"{self._reused.pop(thing, thing[:12])} ({why})")

    def marks(self, place: Place, run: str, name: str, role: str) -> dict[str, str]:
        """The labels of what is made for this place: its owner is the helper. Without a helper it is this process's, and not kept."""
        owner = self._guardian.pid
        if owner is None:
            return labels.made(run, name, role)
        return {
            **labels.made(run, name, role, owned_by=owner), labels.REUSE: place.made_of, labels.PLACE: place.use,
            labels.PROJECT: project_mark(self.project), labels.UID: labels.uid(),
        }  # fmt: skip

    def made(self, thing: str, name: str) -> None:
        """It is there, and this run's. Raises ``DockconnError`` where its lease can't be written."""
        if self._guardian.pid is None:
            self._made[thing] = f"{name} (not kept: there is no helper process to remove it later)"
            return
        self._held[thing] = self._leases.make(self._run, thing)
        self._own.add(thing)
        self._made[thing] = name

    def keeps(self, thing: str) -> bool:
        """Whether it outlives this run."""
        return thing in self._held

    def end(self, thing: str) -> None:
        """It was removed."""
        lease = self._held.pop(thing, None)
        if lease is not None:
            self._made.pop(thing, None)
            lease.end()

    def give_back(self) -> bool:
        """All of it may serve the next run; whether this run's helper has anything to watch."""
        held, self._held = self._held, {}
        until = clock() + self._lease
        guarded = self._guardian.pid is not None
        for thing, lease in held.items():
            if thing in self._own and not guarded:
                lease.drop()  # nobody would end it: the next run's sweep removes it
            else:
                lease.give_back(until)
        return guarded and bool(self._own & set(held))

    def drop(self) -> None:
        """None of it may: the helpers that own it remove it."""
        held, self._held = self._held, {}
        for lease in held.values():
            lease.drop()

    def outcome(self) -> Reused:
        """What came of it."""
        return Reused(tuple(self._reused.values()), tuple(self._made.values()), tuple(self._replaced), ())
