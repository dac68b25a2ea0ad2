"""One at a time builds on an engine, among all processes of this machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from ..engine.port import Engine
from ..errors import BuildFailed
from . import locks
from .base import Say

#: Seconds to wait for another process that builds; and between two looks whether it has ended.
PATIENCE = 1800.0
PACE = 0.02


@contextlib.contextmanager
def alone(engine: Engine, what: str, say: Say) -> Iterator[None]:
    """Nobody else of this machine builds on this engine meanwhile. Raises ``BuildFailed`` where that takes too long."""
    path = _path(engine)
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(
            OSError
        ):  # no such place here: then two may build the same, and one throws its own away
            stack.callback(_let_go, path, _awaited(path, what, say))
        yield


@contextlib.contextmanager
def unless_others_build(engine: Engine) -> Iterator[bool]:
    """Whether nobody of this machine builds on this engine, as far as can be seen; then nobody begins to meanwhile."""
    path = _path(engine)
    try:
        held = _take(path)
    except OSError:
        held = None
    try:
        yield held is not None
    finally:
        if held is not None:
            _let_go(path, held)


def _path(engine: Engine) -> Path:
    return locks.place("build", locks.mark(engine, engine.info()))


def _awaited(path: Path, what: str, say: Say) -> int:
    held = _take(path)
    if held is not None:
        return held
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed  # noqa: PLC0415 - seldom

    with contextlib.suppress(OSError):  # nobody reads it any more, which says nothing of the lock
        say(f"waiting for another process that builds on this engine ({path})")
    again = Retrying(
        retry=retry_if_result(lambda fd: fd is None), wait=wait_fixed(PACE), stop=stop_after_delay(PATIENCE)
    )
    try:
        held = again(_take, path)
    except RetryError as error:
        raise BuildFailed(
            f"{what}: another process has been building on this engine for {PATIENCE:g} s",
            checked=f"who holds {path}: see `fuser {path}`",
            remedy="end that process, then run again",
        ) from error
    assert held is not None
    return held


def _take(path: Path) -> int | None:
    """The lock, as an open file; None where somebody has it. Raises ``OSError`` where there can be none."""
    fd = locks.opened(path)
    if fd is None:
        return None
    try:
        locks.check(fd)
        if locks.locked(fd) and _leads_to(path, fd):
            return fd
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return None


def _leads_to(path: Path, fd: int) -> bool:
    """Whether it is still the file that others find: who had it before removes it."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.lstat(), os.fstat(fd))
    return False


def _let_go(path: Path, fd: int) -> None:
    with contextlib.suppress(OSError):  # another user's
        path.unlink()
    os.close(fd)
