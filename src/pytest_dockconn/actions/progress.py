"""Work of the helper, which an engine that hangs must not keep for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ..model.leftover import Leftover


class Progress:
    """Whether removals still get on.

    Args:
        patience: seconds that they may go on without any success.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        #: when the last thing went; at first, when it began
        self.moved = time.monotonic()
        #: ids of what is gone. Each counts once: docker says yes to every wish to remove what it is removing already, stuck or not
        self.gone: set[str] = set()

    def removed(self, one: Leftover) -> None:
        """It is gone, says the engine."""
        if one.id not in self.gone:
            self.gone.add(one.id)
            self.moved = time.monotonic()

    @property
    def left(self) -> float:
        """Seconds until it is late."""
        return max(0.0, self.moved + self._patience - time.monotonic())

    @property
    def is_late(self) -> bool:
        """Whether nothing went for too long."""
        return not self.left

    def watch(self, work: Callable[[], object]) -> None:
        """Do it; returns when it is done, or late: then it is left behind in its thread, as no call to an engine can be ended."""
        thread = threading.Thread(target=work, name="dockconn-clean", daemon=True)
        thread.start()
        while thread.is_alive() and not self.is_late:
            thread.join(self.left)
