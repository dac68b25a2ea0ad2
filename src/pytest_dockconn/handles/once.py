"""What there is once in a run, and what every lab of it has."""

from __future__ import annotations

from ..actions.services import Services


class Once:
    """Compares by the run: that of one lab is that of all others, although each has an object of its own."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Once) and type(other) is type(self) and other.services is self.services

    def __hash__(self) -> int:
        return hash((type(self), id(self.services)))
