"""Who called a server in the test process: containers may call without end, so not all of it is kept."""

from __future__ import annotations

import threading
from collections import deque

from msgspec import Struct

#: Calls that are kept, and bytes of all of them: the last ones.
MOST_CALLS, MOST_BYTES = 256, 8 * 1024 * 1024


class Call(Struct, frozen=True):
    """Somebody called.

    Attributes:
        address: of the caller, as this process sees it.
        port: of the caller.
        data: the beginning of what it said; untrusted.
        to: the address of the host that it called.
    """

    address: str
    port: int
    data: bytes
    to: str


class Calls:
    """The first call, the last ones, and how many there were. Several threads may add to them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._first: Call | None = None
        self._last: deque[Call] = deque()
        self._bytes = 0
        self._count = 0

    def add(self, call: Call) -> None:
        """One more; the oldest go where there are too many."""
        with self._changed:
            self._first = self._first or call
            self._count += 1
            self._last.append(call)
            self._bytes += len(call.data)
            while len(self._last) > MOST_CALLS or self._bytes > MOST_BYTES:
                self._bytes -= len(self._last.popleft().data)
            self._changed.notify_all()

    @property
    def count(self) -> int:
        """How many there were."""
        with self._changed:
            return self._count

    def last(self) -> tuple[Call, ...]:
        """Those that are kept."""
        with self._changed:
            return tuple(self._last)

    def first(self, within: float) -> Call | None:
        """The first of all, waited for at most ``within`` seconds; None where none comes."""
        with self._changed:
            self._changed.wait_for(lambda: self._first is not None, timeout=within)
            return self._first
