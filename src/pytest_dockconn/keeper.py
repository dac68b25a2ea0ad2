"""What the helper becomes when its run is over and left things for the next one (``--dockconn-reuse``): ends their leases."""

from __future__ import annotations

import time
from threading import Event

from .actions.leases import Lease, Leases

#: Seconds between two looks. A lease ends that late at the most, and the helper itself when all of them are gone.
PACE = 1.0
#: Seconds that an engine may refuse to remove what is due, or not answer, before the helper leaves it to the next run's sweep.
PATIENCE = 10.0


def keep(url: str, run: str, leases: Leases | None = None, pace: float = PACE) -> bool:
    """Remove what a run made when its lease is over, or when a later run died while it used it; whether nothing is left."""
    there = leases or Leases()
    pause = Event()
    failing_since: float | None = None
    while things := there.of_run(run):
        due = {thing: lease for thing in things if (lease := there.take_due(run, thing, time.time())) is not None}
        if not due or _removed(url, run, due):
            failing_since = None
        elif failing_since is None:
            failing_since = time.monotonic()
        elif time.monotonic() - failing_since > PATIENCE:
            return False
        pause.wait(pace)
    return True


def _removed(url: str, run: str, due: dict[str, Lease]) -> bool:
    """Remove what is due; whether all of it is gone."""
    from .actions import prune  # noqa: PLC0415 - nothing heavy before it is needed
    from .engine.find import find  # noqa: PLC0415
    from .errors import DockconnError  # noqa: PLC0415

    left = set(due)
    try:
        engine = find(url, {})
        try:
            prune.remove(engine, [one for one in prune.of_run(engine, run, images=False) if one.id in due], leased=True)
            left = {one.id for one in prune.of_run(engine, run, images=False) if one.id in due}
        finally:
            engine.close()
    except DockconnError:
        pass
    for thing, lease in due.items():
        if thing in left:
            lease.give_back(0.0)
        else:
            lease.end()
    return not left
