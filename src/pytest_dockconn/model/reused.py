"""What ``--dockconn-reuse`` came to."""

from __future__ import annotations

from typing import NamedTuple


class Reused(NamedTuple):
    """What came of it, by names in the lab; those that were replaced, or removed because they were in the way, with the reason."""

    reused: tuple[str, ...]
    made: tuple[str, ...]
    replaced: tuple[str, ...]
    removed: tuple[str, ...]
