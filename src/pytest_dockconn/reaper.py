"""What the helper of ``actions/guardian.py`` becomes when its run has died: removes what that left."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

from .actions.leases import Leases
from .actions.progress import Progress

if TYPE_CHECKING:
    from .engine.port import Engine

#: Seconds that it works at most once the run is dead, or once the last thing could be removed.
PATIENCE = 10.0
#: Seconds without anything left after which it believes that the engine is not just now making more: what was asked of
#: docker 20.10 is made although nobody waits for it any more; on a busy machine one came later than 1 s (make chaos).
QUIET = 4.0
PACE = 0.02
#: Seconds for each call. A removal that takes longer goes on by itself, and the next look finds nothing left of it.
CALL = 5.0
#: Seconds between two looks at the images: to list them is 25 ms of work for docker 20.10.
IMAGES = 0.5


def main() -> int:
    """Read at stdin whose things: the engine's URL, the run, and ``keep`` where the next one may have them, a line each.

    Exit status: 0 nothing is left, 1 something is.
    """
    said: list[str] = [*sys.stdin.read().split("\n"), "", "", ""]
    url, run, word = said[:3]
    if word == "keep":
        from .keeper import keep  # noqa: PLC0415 - seldom

        return int(not keep(url, run))
    return int(not clean(url, run)) if url and run else 0


def clean(url: str, run: str) -> bool:
    """Remove everything of a run; whether nothing is left."""
    cleaner = _Cleaner(url, run)
    cleaner.progress.watch(cleaner.work)
    leases = Leases()
    for thing in leases.of_run(run):
        lease = leases.take(run, thing)
        if lease is not None:
            lease.end()
    return cleaner.done


class _Cleaner:
    """Looks again and again, because the engine may still be making what was asked of it last, or be just starting."""

    def __init__(self, url: str, run: str) -> None:
        self._url = url
        self._run = run
        self._engine: Engine | None = None
        self._seen = time.monotonic()
        self._looked = float("-inf")
        self.progress = Progress(PATIENCE)
        self.done = False

    def work(self) -> None:
        """Until nothing is left, or it is late."""
        from tenacity import RetryError, Retrying, retry_if_result, wait_fixed  # noqa: PLC0415

        again = Retrying(
            retry=retry_if_result(lambda quiet: not quiet), wait=wait_fixed(PACE), stop=lambda _: self.progress.is_late
        )
        with contextlib.suppress(RetryError):
            self.done = bool(again(self.once))

    def once(self) -> bool:
        """Remove what is there; whether nothing has been there for a while."""
        from .actions import prune  # noqa: PLC0415 - nothing heavy before it is needed
        from .engine.find import find  # noqa: PLC0415
        from .errors import DockconnError  # noqa: PLC0415

        images = time.monotonic() - self._looked >= IMAGES
        try:
            self._engine = self._engine or find(self._url, {}, CALL)
            leftovers = prune.of_run(self._engine, self._run, images=images)
            if images:
                self._looked = time.monotonic()
            prune.remove(self._engine, leftovers, done=self.progress.removed)
        except DockconnError:
            self._engine, leftovers = None, []
            self._seen = time.monotonic()
        if leftovers:
            self._seen = time.monotonic()
        return time.monotonic() - self._seen >= QUIET


if __name__ == "__main__":
    sys.exit(main())
