"""Runs on one machine take turns: while one asks whether two networks are isolated, no other makes a network.

Whenever somebody makes a network, docker (20.10.24) takes the jump to its isolation rules out and puts it in again: of 3121
connections between two networks 108 were answered while others made networks, of 3278 none while nobody did. Workers of
pytest-xdist would fail by that, truly and for nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from . import locks

#: Seconds to wait for others; then it is done all the same, and a failure says what may have come in between.
PATIENCE = 60.0


class Turns:
    """The turns of all runs on one engine.

    Args:
        mark: of the engine, see ``locks.mark``; looked up when it is wanted. Empty where nobody else can be on it.
    """

    def __init__(self, mark: Callable[[], str]) -> None:
        self._mark = mark

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Together with others who ask, and while nobody makes a network."""
        with self._turn("gate", alone=True):
            pass  # who waits to make one comes first: else those who ask would take turns for ever
        with self._turn("turn", alone=False):
            yield

    @contextlib.contextmanager
    def making(self) -> Iterator[None]:
        """Alone, and while nobody asks."""
        with self._turn("gate", alone=True), self._turn("turn", alone=True):
            yield

    @contextlib.contextmanager
    def _turn(self, what: str, *, alone: bool) -> Iterator[None]:
        mark = self._mark()
        lock = locks.found(locks.place(what, mark)) if mark else None
        if lock is None:
            yield
            return
        try:
            locks.awaited(lock, PATIENCE, share=not alone)
            yield
        finally:
            lock.let_go()
