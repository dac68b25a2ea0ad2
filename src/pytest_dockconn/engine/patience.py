"""Work of the engine that may be silent for long, and an engine that hangs: told apart by asking it something easy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

from ..errors import EngineTimeout
from .refusal import timed_out, too_busy

T = TypeVar("T")

#: Seconds between two easy questions.
PACE = 5.0
#: How many times a call's limit an engine may take that answers easy questions meanwhile: it is busy, and does not hang. Docker
#: 20.10 took over 20 s to start a container while three engines made and removed networks on one machine: the kernel has
#: one lock for all namespaces.
BUSY = 6
#: Seconds for an easy question.
EASY = 5.0


class Limit:
    """The time limit of each call. Once an engine hung it counts for all: nobody waits 20 s again for each container to be removed.

    Args:
        url: the engine's.
        seconds: that a call may take.
        busy: how many times as long it may take where the engine answers easy questions meanwhile.
    """

    def __init__(self, url: str, seconds: float, busy: int = BUSY) -> None:
        self._url = url
        self.seconds = seconds
        self.longest = busy * seconds
        self.easy = EASY
        self._exceeded = ""

    def check(self) -> None:
        """Raises ``EngineTimeout`` where an earlier call exceeded it."""
        if self._exceeded:
            raise EngineTimeout(
                self._exceeded, remedy="see whether the engine hangs (`docker version`); then `dockconn prune`"
            )

    def exceeded(self, doing: str) -> EngineTimeout:
        """The error of a call of an engine that hangs."""
        error = timed_out(self._url, doing, self.seconds)
        self._exceeded = error.cause
        return error

    def too_busy(self, doing: str) -> EngineTimeout:
        """The error of a call of an engine that answers others: those go on.

        Where it may take no longer than any call, nobody waited to see whether others are answered: then it hangs.
        """
        if self.longest <= self.seconds:
            return self.exceeded(doing)
        return too_busy(self._url, doing, self.longest)


def patiently(call: Callable[[], T], easy: Callable[[], object], pace: float = PACE) -> T:
    """The result of a call that may take long.

    Args:
        call: the work; it goes on in a thread of its own, which is left behind where the engine hangs.
        easy: a question that an engine that is well answers at once; what it raises ends the wait.
        pace: seconds between two such questions.
    """
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    try:
        threading.Thread(target=work, name="dockconn-long", daemon=True).start()
    except RuntimeError:  # the system has no thread left for it: what tidies up must go on all the same
        return call()
    while True:
        try:
            return future.result(pace)
        except NotYet:
            # its own time-out; or it ended just after the wait did, and what it made must not be lost
            if future.done():
                return future.result()
            easy()
