"""Work of the engine that may be silent for long, and an engine that hangs: told apart by asking it something easy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

T = TypeVar("T")

#: Seconds between two easy questions.
PACE = 5.0


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

    threading.Thread(target=work, name="dockconn-long", daemon=True).start()
    while True:
        try:
            return future.result(pace)
        except NotYet:
            if future.done():  # it was the call's own
                raise
            easy()
