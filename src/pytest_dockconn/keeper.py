"""What the helper becomes when its run is over and left things for the next one (``--dockconn-reuse``): ends their leases."""

from __future__ import annotations

import time
from threading import Event

from .actions.leases import Lease, Leases, clock
from .actions.progress import Progress

#: Seconds between two looks. A lease ends that late at the most, and the helper itself when all of them are gone.
PACE = 1.0
#: Seconds that an engine may refuse to remove a thing that is due, or not answer, before it is left to the next run's sweep.
PATIENCE = 10.0
#: Seconds after which it is tried again, where the helper lives on for others.
REST = 60.0


def keep(url: str, run: str, leases: Leases | None = None, pace: float = PACE) -> bool:
    """Remove what a run made when its lease is over, or when a later run died while it used it; whether nothing is left."""
    there = leases or Leases()
    pause = Event()
    failing: dict[str, float] = {}
    rests: dict[str, float] = {}
    while (things := there.of_run(run)) and not all(_given_up(failing.get(one)) for one in things):
        awake = [thing for thing in things if rests.get(thing, 0.0) <= time.monotonic()]
        due = {thing: lease for thing in awake if (lease := there.take_due(run, thing, clock())) is not None}
        progress = Progress(PATIENCE)
        left = _left_in_time(url, run, due, progress) if due else set()
        failing = {thing: failing.get(thing, progress.moved) for thing in (set(failing) - set(due)) | left}
        rests |= {thing: time.monotonic() + REST for thing in left if _given_up(failing[thing])}
        pause.wait(pace)
    return not failing


def _given_up(since: float | None) -> bool:
    return since is not None and time.monotonic() - since >= PATIENCE


def _left_in_time(url: str, run: str, due: dict[str, Lease], progress: Progress) -> set[str]:
    """As ``_left``; where the engine does not move, what it had not removed by then: it would be waited for call by call."""
    left = set(due)
    progress.watch(lambda: left.intersection_update(_left(url, run, due, progress)))
    gone = left & progress.gone
    for thing in gone:
        due[thing].end()
    for thing in left - gone:  # nobody may use it any more, and it is tried again as long as others are waited for
        due[thing].drop()
    return left - gone


def _left(url: str, run: str, due: dict[str, Lease], progress: Progress) -> set[str]:
    """Remove what is due; what of it is still there."""
    from .actions import prune  # noqa: PLC0415 - nothing heavy before it is needed
    from .engine.find import CALL_TIMEOUT, find  # noqa: PLC0415
    from .errors import DockconnError  # noqa: PLC0415

    left = set(due)
    try:
        engine = find(url, {}, CALL_TIMEOUT)
        try:
            there = [one for one in prune.of_run(engine, run, images=False) if one.id in due]
            prune.remove(engine, there, leased=True, done=progress.removed)
            left = {one.id for one in prune.of_run(engine, run, images=False) if one.id in due}
        finally:
            engine.close()
    except DockconnError:
        pass
    for thing, lease in due.items():
        if thing in left:
            lease.drop()
        else:
            lease.end()
    return left
