"""What takes several questions is made whole, or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from ..errors import DockconnError, EngineUnavailable, LeftBehind


@contextlib.contextmanager
def or_nothing(name: str, removal: Callable[[], None]) -> Iterator[None]:
    """While what was made gets the rest of it; else it is removed. Raises ``LeftBehind`` where the engine refuses both.

    Args:
        name: of what was made.
        removal: removes it.
    """
    try:
        yield
    except BaseException as error:
        try:
            removal()
        except DockconnError as left:
            if isinstance(error, EngineUnavailable) or not isinstance(error, DockconnError):
                raise error from None  # of these everybody knows that something may be left
            raise _left_behind(name, error, left) from error
        raise


def _left_behind(name: str, error: DockconnError, left: DockconnError) -> LeftBehind:
    return LeftBehind(
        f"{error.cause}; and what was made of {name} by then could not be removed: {left.cause}",
        checked=error.checked or "what the engine said to both",
        remedy="it is tried again when the run is over; see `dockconn prune`, and the engine's own log",
    )
