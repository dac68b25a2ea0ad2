"""Asking again and again, by probes that overlap, so that an opening between two of them can't be missed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from . import verdict
from .probe import probe

#: Seconds between the beginnings of two probes of one target. A probe that waits for an answer sends one packet, and the
#: kernel sends it again only after a second; so others begin meanwhile.
PACE = 0.02

#: Seconds without a new probe after which nothing is proved: the container was paused, or the machine far too busy.
GAP = 2.0


def watch(targets: list[dict[str, object]], hold: float) -> list[list[dict[str, object]]]:
    """Probe every target for ``hold`` seconds (0: once), all side by side; ends a target at its first answer.

    Returns:
        For each target one result of every kind that was seen, an answer first; ``attempts`` is how many there were. Time in
        which nobody asked is a result too: an inconclusive one.
    """
    watchers = [_Watcher(target, hold) for target in targets]
    for thread in [thread for one in watchers for thread in one.begun(one.run)]:
        thread.join()
    return [one.seen() for one in watchers]


class _Watcher:
    def __init__(self, target: dict[str, object], hold: float) -> None:
        self._target = target
        self._hold = hold
        self._lock = threading.Lock()
        self._kinds: dict[str, dict[str, object]] = {}
        self._counts: dict[str, int] = {}
        self._answered = threading.Event()

    def begun(self, work: Callable[[], None]) -> list[threading.Thread]:
        """A thread that does it; none where the system has no more of them, and then that is what was seen."""
        thread = threading.Thread(target=work, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self._doubt("a probe could not begin: {}".format(error))
            return []
        return [thread]

    def run(self) -> None:
        last = time.monotonic()
        end = last + self._hold
        under_way: list[threading.Thread] = []
        while True:
            last = self._asked_since(last)
            under_way = [thread for thread in under_way if thread.is_alive()] + self.begun(self._one)
            left = end - time.monotonic()
            if left <= 0 or self._answered.wait(min(PACE, left)):
                break
        self._asked_since(last)
        for thread in under_way:
            thread.join()

    def _asked_since(self, last: float) -> float:
        """The time; a gap in the probes is a result."""
        now = time.monotonic()
        if now - last > GAP:
            self._doubt("for {:.1f} s nobody could ask: the process did not run".format(now - last))
        return now

    def _one(self) -> None:
        self._note(probe(self._target))

    def _doubt(self, detail: str) -> None:
        self._note({"verdict": verdict.INCONCLUSIVE, "address": "", "detail": detail, "elapsed": 0.0})

    def _note(self, result: dict[str, object]) -> None:
        kind = str(result["verdict"])
        with self._lock:
            self._kinds.setdefault(kind, result)
            self._counts[kind] = self._counts.get(kind, 0) + 1
        if kind == verdict.REACHABLE:
            self._answered.set()

    def seen(self) -> list[dict[str, object]]:
        if not self._kinds:
            self._doubt("no probe came to an end")
        kinds = sorted(self._kinds, key=lambda kind: kind != verdict.REACHABLE)
        return [dict(self._kinds[kind], attempts=self._counts[kind]) for kind in kinds]
