"""Whether the engine may have made something that nobody here knows of."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from ..errors import DockconnError, EngineUnavailable, LeftBehind


class Doubt:
    """Once there is a doubt, the helper looks at the end of the run instead of being told that all is removed.

    What was asked of docker (20.10) is made although nobody waits for the answer any more: after Ctrl-C, a signal of
    pytest-timeout, a connection that broke, an engine that took too long.
    """

    def __init__(self) -> None:
        self.there = False
        self._lock = threading.Lock()
        self._under_way = 0
        self._over = False

    @contextlib.contextmanager
    def about(self) -> Iterator[None]:
        """While something is made: an engine that says no has made nothing, any other end leaves a doubt."""
        with self._counted():
            try:
                yield
            except (EngineUnavailable, LeftBehind):
                self.there = True
                raise
            except DockconnError:
                raise
            except BaseException:
                self.there = True
                raise

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._under_way += 1
            self.there = self.there or self._over
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    @contextlib.contextmanager
    def removing(self) -> Iterator[None]:
        """While something is removed that nobody holds any more: what ends this leaves it there."""
        try:
            yield
        except BaseException:
            self.there = True
            raise

    def undo(self, removal: Callable[[], object]) -> None:
        """Take something back beside an error that matters more; where that fails it is the helper's."""
        try:
            removal()
        except DockconnError:
            self.there = True

    def end(self) -> None:
        """From now on the run removes what it knows of; what other threads make meanwhile, or later, is not among it."""
        with self._lock:
            self._over = True
            self.there = self.there or self._under_way > 0
