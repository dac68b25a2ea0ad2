"""Removal, side by side and off the path of the tests."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

from ..errors import DockconnError


class Remover:
    """Does removals in the background, remembers what failed, and can be waited for."""

    def __init__(self, width: int = 8) -> None:
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="dockconn-remove")
        self._under_way: list[Future[None]] = []
        self._lock = threading.Lock()
        self._given_up = False
        self.failed: list[str] = []

    def submit(self, removals: Iterable[Callable[[], None]]) -> list[Future[None]]:
        """Begin to remove; returns at once."""
        begun = [self._begun(removal) for removal in removals]
        with self._lock:
            self._under_way = [*filter(_goes_on, self._under_way), *begun]
        return begun

    def _begun(self, removal: Callable[[], None]) -> Future[None]:
        try:
            return self._pool.submit(self._one, removal)
        except RuntimeError:
            if not self._given_up:
                raise
            never: Future[None] = Future()
            never.cancel()
            return never

    def _one(self, removal: Callable[[], None]) -> None:
        try:
            removal()
        except CancelledError:  # of one that was to go before it: both are the helper's
            pass
        except DockconnError as error:
            self.failed.append(error.cause)
        except Exception as error:  # a defect of ours: nobody waits for this thread, and it must not pass in silence
            self.failed.append(f"{type(error).__name__}: {error}")

    def join(self) -> None:
        """Wait until everything that was begun has ended; others may wait for it too."""
        while waiting := [*filter(_goes_on, self._under_way)]:
            for future in waiting:  # futures.wait() would never see the end of what a pool cancels as it is shut down
                with contextlib.suppress(CancelledError):
                    future.exception()

    def give_up(self) -> None:
        """Begin no more, also of what waits for its turn: else the interpreter does all of it before it ends."""
        self._given_up = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Wait, then end the threads."""
        self.join()
        with contextlib.suppress(RuntimeError):
            self._pool.shutdown()


def _goes_on(removal: Future[None]) -> bool:
    return not removal.done()
