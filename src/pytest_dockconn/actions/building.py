"""One at a time builds on an engine, among all processes of this machine: whoever runs them, and however they write its URL.

The kernel lets go of the lock however its holder ends. The file holds nothing, is only read and never followed, so that it does
not matter who made it: all that others can do to it is to wait.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..engine.port import Engine
from ..errors import BuildFailed
from .base import Say

#: Seconds to wait for another process that builds; and between two looks whether it has ended.
PATIENCE = 1800.0
PACE = 0.02
#: Not tempfile's: that looks at TMPDIR and at which disk is full just now, and all have to come to the same place.
FOLDER = Path("/tmp")  # noqa: S108 - see above


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
    """By what the engine says of itself: to one engine lead many URLs."""
    info = engine.info()
    # private engines of one machine share docker's id, and podman (seen on 4.3.1) draws a new one for each answer
    known = (info.name, info.root, info.id if engine.version().kind == "docker" else "")
    return FOLDER / f"dockconn-build-{hashlib.sha256(repr(known).encode()).hexdigest()[:16]}.lock"


def _awaited(path: Path, what: str, say: Say) -> int:
    held = _take(path)
    if held is not None:
        return held
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed  # noqa: PLC0415 - seldom

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
    fd = _opened(path)
    if fd is None:
        return None
    try:
        if _is_lock(fd) and _locked(fd) and _leads_to(path, fd):
            return fd
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return None


def _opened(path: Path) -> int | None:
    """Without O_CREAT where it is there: kernels refuse that in /tmp for another user's file (fs.protected_regular)."""
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


def _is_lock(fd: int) -> bool:
    """Raises ``OSError`` for what is no lock's file: a pipe, a folder, another name of somebody's file."""
    there = os.fstat(fd)
    if not stat.S_ISREG(there.st_mode) or there.st_nlink > 1:
        raise OSError("it is not a lock's file")
    return True


def _locked(fd: int) -> bool:
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _leads_to(path: Path, fd: int) -> bool:
    """Whether it is still the file that others find: who had it before removes it."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.lstat(), os.fstat(fd))
    return False


def _let_go(path: Path, fd: int) -> None:
    with contextlib.suppress(OSError):  # another user's
        path.unlink()
    os.close(fd)
