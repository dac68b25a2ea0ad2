"""Locks that all processes of this machine see: whoever runs them, and however they write an engine's URL.

Each is a file in /tmp. It holds nothing, is only read and never followed, so that it does not matter who made it: all that others
can do to it is to wait. The kernel lets go of a lock however its holder ends.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.port import Engine
    from ..model.facts import InfoFacts

#: Not tempfile's: that looks at TMPDIR and at which disk is full just now, and all have to come to the same place.
FOLDER = Path("/tmp")  # noqa: S108 - see above
#: Seconds between two tries to have one.
PACE = 0.01


def mark(engine: Engine, info: InfoFacts) -> str:
    """An engine, by what it says of itself: to one lead many URLs."""
    # private engines of one machine share docker's id, and podman (seen on 4.3.1) draws a new one for each answer
    known = (info.name, info.root, info.id if engine.version().kind == "docker" else "")
    return hashlib.sha256(repr(known).encode()).hexdigest()[:16]


def place(what: str, of: str) -> Path:
    """Where a lock is; ``of``: an engine's mark."""
    return FOLDER / f"dockconn-{what}-{of}.lock"


class Lock:
    """A lock's file, open; let go when nobody has the object any more."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._end = weakref.finalize(self, _let_go, fd)
        _open.add(self)

    def taken(self, *, share: bool = False) -> bool:
        """Whether it is this process's now; ``share``: together with others who share it."""
        return locked(self._fd, share=share)

    def let_go(self) -> None:
        """Others may have it: at once, even where a forked child still has the file open."""
        self._end()

    def close_in_child(self) -> None:
        """A forked child would hold it for as long as it lives, or let go of what is its parent's."""
        if self._end.detach() is not None:
            os.close(self._fd)


_open: weakref.WeakSet[Lock] = weakref.WeakSet()


def _forked() -> None:
    for lock in list(_open):
        lock.close_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def _let_go(fd: int) -> None:
    unlock(fd)
    os.close(fd)


def found(path: Path) -> Lock | None:
    """A lock that stays where it is; None where there can be none, as on Windows."""
    with contextlib.suppress(OSError):
        fd = opened(path)
        fd = opened(path) if fd is None else fd  # made meanwhile
        if fd is not None:
            lock = Lock(fd)
            check(fd)
            return lock
    return None


def opened(path: Path) -> int | None:
    """The file, None where another made it just now. Without O_CREAT where it is there.

    Kernels refuse that in /tmp for another user's file (fs.protected_regular). Raises ``OSError``.
    """
    if os.name != "posix":
        raise OSError("no locks here")
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with contextlib.suppress(FileNotFoundError):
        return os.open(path, flags)
    with contextlib.suppress(FileExistsError):  # made meanwhile, and next time it will be found
        fd = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644)
        os.fchmod(fd, 0o644)  # whatever the umask: other users have to open it
        return fd
    return None


def check(fd: int) -> None:
    """Raises ``OSError`` for what is no lock's file: a pipe, a folder, another name of somebody's file."""
    there = os.fstat(fd)
    if not stat.S_ISREG(there.st_mode) or there.st_nlink > 1:
        raise OSError("it is not a lock's file")


def locked(fd: int, *, share: bool = False) -> bool:
    """Whether it is this process's now."""
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if share else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(fd: int) -> None:
    """Let go of it: at once, even where a forked child still has the file open."""
    import fcntl  # noqa: PLC0415 - as above

    with contextlib.suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_UN)


def awaited(lock: Lock, patience: float, *, share: bool = False) -> bool:
    """Whether it is this process's, after so many seconds at the most."""
    if lock.taken(share=share):
        return True
    # loaded here and not above: hardly anybody ever waits
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed  # noqa: PLC0415

    again = Retrying(retry=retry_if_result(lambda ok: not ok), wait=wait_fixed(PACE), stop=stop_after_delay(patience))
    with contextlib.suppress(RetryError):
        return again(lock.taken, share=share)
    return False
