"""Whether the engine may have made something that nobody here knows of."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from ..errors import DockconnError, EngineUnavailable


class Doubt:
    """Once there is a doubt, the helper looks at the end of the run instead of being told that all is removed.

    What was asked of docker (20.10) is made although nobody waits for the answer any more: after Ctrl-C, a signal of
    pytest-timeout, a connection that broke, an engine that took too long.
    """

    def __init__(self) -> None:
        self.there = False

    @contextlib.contextmanager
    def about(self) -> Iterator[None]:
        """While something is made: an engine that says no has made nothing, any other end leaves a doubt."""
        try:
            yield
        except EngineUnavailable:
            self.there = True
            raise
        except DockconnError:
            raise
        except BaseException:
            self.there = True
            raise

    def undo(self, removal: Callable[[], object]) -> None:
        """Take something back beside an error that matters more; where that fails it is the helper's."""
        try:
            removal()
        except DockconnError:
            self.there = True
