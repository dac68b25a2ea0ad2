"""That a run uses the images of an engine: `dockconn prune --all` leaves them then, though no container tells it so."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from ..engine.port import Engine
from . import locks

#: Seconds to wait for one that looks whether they are used, which takes a moment, and that removes them if not; then nobody is
#: told until the next who needs them asks.
PATIENCE = 30.0


class InUse:
    """What a run says of the images, for as long as it has this object.

    Args:
        mark: of the engine, see ``locks.mark``. Empty where nobody else can be on it.
    """

    def __init__(self, mark: Callable[[], str]) -> None:
        self._mark = mark
        self._lock: locks.Lock | None = None
        self._mine = threading.Lock()

    def begin(self) -> None:
        """From now on they are used."""
        with self._mine:
            mark = "" if self._lock is not None else self._mark()
            if mark:
                lock = _lock(mark)
                if lock is not None and locks.awaited(lock, PATIENCE, share=True):
                    self._lock = lock


@contextlib.contextmanager
def unless_used(engine: Engine) -> Iterator[bool]:
    """Whether no run of this machine uses them, as far as can be seen; then one that begins meanwhile waits."""
    lock = _lock(locks.mark(engine, engine.info()))
    try:
        yield lock is None or lock.taken()
    finally:
        if lock is not None:
            lock.let_go()


def by_a_run(engine: Engine) -> bool:
    """Whether a run of this machine uses them, as far as can be seen."""
    with unless_used(engine) as nobody:
        return not nobody


def _lock(mark: str) -> locks.Lock | None:
    return locks.found(locks.place("images", mark))
