"""A thing of a run that is over."""

from __future__ import annotations

from msgspec import Struct


class Leftover(Struct, frozen=True):
    """What it is, its id and name, its run, the process that made it, and how many seconds ago (None: not known)."""

    kind: str
    id: str
    name: str
    run: str
    owner: str
    age: float | None = None
