"""A thing of a run that is over, or that it keeps for the next one."""

from __future__ import annotations

from msgspec import Struct


class Leftover(Struct, frozen=True):
    """What it is, its id and name, its run, the process that made it, and how many seconds ago (None: not known).

    ``kept``: for how many more seconds, where it is kept for a later run; ``user``: the run that uses it now, in words.
    """

    kind: str
    id: str
    name: str
    run: str
    owner: str
    age: float | None = None
    kept: float | None = None
    user: str = ""
