"""Asking again and again, by probes that overlap, so that an opening between two of them can't be missed."""

from __future__ import annotations

import threading
import time

from . import verdict
from .probe import probe

#: Seconds between the beginnings of two probes of one target. A probe that waits for an answer sends one packet, and the
#: kernel sends it again only after a second; so others begin meanwhile.
PACE = 0.02


def watch(targets: list[dict[str, object]], hold: float) -> list[list[dict[str, object]]]:
    """Probe every target for ``hold`` seconds (0: once), all side by side; ends a target at its first answer.

    Returns:
        For each target one result of every kind that was seen, an answer first; ``attempts`` is how many there were.
    """
    watchers = [_Watcher(target, hold) for target in targets]
    threads = [threading.Thread(target=w.run, daemon=True) for w in watchers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [w.seen() for w in watchers]


class _Watcher:
    def __init__(self, target: dict[str, object], hold: float) -> None:
        self._target = target
        self._hold = hold
        self._lock = threading.Lock()
        self._kinds: dict[str, dict[str, object]] = {}
        self._counts: dict[str, int] = {}
        self._answered = threading.Event()

    def run(self) -> None:
        end = time.monotonic() + self._hold
        under_way = []
        while True:
            thread = threading.Thread(target=self._one, daemon=True)
            thread.start()
            under_way.append(thread)
            left = end - time.monotonic()
            if left <= 0 or self._answered.wait(min(PACE, left)):
                break
        for thread in under_way:
            thread.join()

    def _one(self) -> None:
        result = probe(self._target)
        kind = str(result["verdict"])
        with self._lock:
            self._kinds.setdefault(kind, result)
            self._counts[kind] = self._counts.get(kind, 0) + 1
        if kind == verdict.REACHABLE:
            self._answered.set()

    def seen(self) -> list[dict[str, object]]:
        kinds = sorted(self._kinds, key=lambda kind: kind != verdict.REACHABLE)
        return [dict(self._kinds[kind], attempts=self._counts[kind]) for kind in kinds]
