"""Who asks through the same bound port at the same time: there a connection is known by being new, and so is another's."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence

#: The owner's id, and its own port.
Passage = tuple[str, int]


class Stay:
    """One request's questions, while they are asked."""

    def __init__(self, keys: Sequence[Passage]) -> None:
        self.keys = frozenset(keys)
        #: where it is not the only question
        self.met = {key for key in keys if keys.count(key) > 1}


class Passages:
    """The questions of this process that are under way behind bound ports."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._there: list[Stay] = []
        self._taken: set[Passage] = set()

    @contextlib.contextmanager
    def together(self, keys: Sequence[Passage]) -> Iterator[Stay]:
        """Ask side by side with others, which are noted."""
        stay = Stay(keys)
        with self._changed:
            self._changed.wait_for(lambda: self._taken.isdisjoint(stay.keys))
            for other in self._there:
                both = stay.keys & other.keys
                stay.met |= both
                other.met |= both
            self._there.append(stay)
        try:
            yield stay
        finally:
            with self._changed:
                self._there.remove(stay)
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self, key: Passage) -> Iterator[Stay]:
        """Ask when the others have done, and while none begins."""
        with self._changed:
            self._changed.wait_for(lambda: key not in self._taken)
            self._taken.add(key)
        try:
            with self._changed:
                self._changed.wait_for(lambda: all(key not in one.keys for one in self._there))
            yield Stay([key])
        finally:
            with self._changed:
                self._taken.discard(key)
                self._changed.notify_all()
