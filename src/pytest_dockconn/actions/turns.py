"""Runs on one machine take turns: while one asks whether two networks are isolated, no other makes a network.

Whenever somebody makes a network, docker (20.10.24) takes the jump to its isolation rules out and puts it in again: of 3121
connections between two networks 108 were answered while others made networks, of 3278 none while nobody did. Workers of
pytest-xdist would fail by that, truly and for nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ..engine.address import socket_path
from . import folders
from .leases import OPENED

#: Seconds to wait for others; then it is done all the same, and a failure says what may have come in between.
PATIENCE = 60.0
PACE = 0.01


class Turns:
    """The turns of this user's runs on one engine. The kernel ends a turn however its holder ends."""

    def __init__(self, url: str, folder: Path | None = None) -> None:
        place = os.path.realpath(socket_path(url)) if url.startswith("unix://") else url
        self._name = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._folder = folder or folders.own("turns")

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Together with others who ask, and while nobody makes a network."""
        with self._turn("gate", alone=True):
            pass  # who waits to make one comes first: else those who ask would take turns for ever
        with self._turn("turn", alone=False):
            yield

    @contextlib.contextmanager
    def making(self) -> Iterator[None]:
        """Alone, and while nobody asks."""
        with self._turn("gate", alone=True), self._turn("turn", alone=True):
            yield

    @contextlib.contextmanager
    def _turn(self, what: str, *, alone: bool) -> Iterator[None]:
        file = self._open(f"{what}-{self._name}")
        if file is None:
            yield
            return
        try:
            _wait(file, alone=alone)
            yield
        finally:
            os.close(file)

    def _open(self, name: str) -> int | None:
        """None where there can be no such file, as on Windows: then there are no turns."""
        if folders.obstacle(self._folder):
            return None
        try:
            return os.open(self._folder / name, OPENED | os.O_CREAT, 0o600)
        except OSError:
            return None


def _wait(fd: int, *, alone: bool) -> None:
    import fcntl  # noqa: PLC0415 - not on Windows, where no file was opened

    def locked() -> bool:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(fd, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            return True
        return False

    if not locked():
        _until(locked)


def _until(done: Callable[[], bool]) -> None:
    # loaded here and not above: hardly anybody ever waits
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed  # noqa: PLC0415

    with contextlib.suppress(RetryError):
        Retrying(retry=retry_if_result(lambda ok: not ok), wait=wait_fixed(PACE), stop=stop_after_delay(PATIENCE))(done)
