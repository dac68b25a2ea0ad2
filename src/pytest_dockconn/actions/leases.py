"""Leases of what may serve a later run: a file each, which is locked as long as a run uses the thing.

The kernel lets go of a lock however its holder ends. So what is not locked and still says "in use" was used by a run that
died, and nobody knows what that did to it. Imports nothing heavy: the helper keeps it in memory for half an hour.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from ..errors import DockconnError

IN_USE = b"in use"


class Lease:
    """The right to use a thing, for this process alone."""

    def __init__(self, path: Path, fd: int, *, clean: bool) -> None:
        self._path = path
        self._fd = fd
        #: whether whoever had it before gave it back
        self.clean = clean

    def give_back(self, until: float) -> None:
        """Others may have it, until then (seconds since 1970)."""
        _write(self._fd, str(until).encode())
        os.close(self._fd)

    def end(self) -> None:
        """The thing is gone."""
        self._path.unlink(missing_ok=True)
        os.close(self._fd)


class Leases:
    """The leases of this user on this machine."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(tempfile.gettempdir()) / f"dockconn-{os.getuid()}-leases"

    def make(self, run: str, thing: str) -> Lease:
        """The lease of what was just made. Raises ``DockconnError`` where the folder is somebody else's."""
        self._prepare()
        path = self._path(run, thing)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        _lock(fd, wait=True)
        _write(fd, IN_USE)
        return Lease(path, fd, clean=True)

    def take(self, run: str, thing: str) -> Lease | None:
        """The right to use it; None where somebody has it, or nobody can."""
        path = self._path(run, thing)
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None
        said = _taken(fd)
        if said is None:
            os.close(fd)
            return None
        _write(fd, IN_USE)
        return Lease(path, fd, clean=said != IN_USE)

    def take_due(self, run: str, thing: str, now: float) -> Lease | None:
        """As ``take``, but only where its time is over, or where who used it died."""
        until = self.until(run, thing)
        return self.take(run, thing) if until is not None and until <= now else None

    def until(self, run: str, thing: str) -> float | None:
        """When its time is over: 0 where it says "in use", None where there is no lease."""
        try:
            said = self._path(run, thing).read_bytes()
        except OSError:
            return None
        with contextlib.suppress(ValueError):
            return float(said)
        return 0.0

    def is_used(self, run: str, thing: str) -> bool:
        """Whether a run that lives uses it now."""
        if self.until(run, thing) != 0.0:
            return False  # not even for a moment is what is free locked here: somebody might just now want to take it
        try:
            fd = os.open(self._path(run, thing), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            return not _lock(fd, wait=False, share=True)
        finally:
            os.close(fd)

    def of_run(self, run: str) -> list[str]:
        """The ids of what a run made and there are leases of."""
        return [path.name.partition(".")[2] for path in self._folder.glob(f"{run}.*")]

    def forget(self, run: str, thing: str) -> None:
        """The thing is gone."""
        with contextlib.suppress(OSError):
            self._path(run, thing).unlink()

    def _path(self, run: str, thing: str) -> Path:
        # both are read from labels: letters and digits alone, or a name could lead out of the folder
        return self._folder / f"{''.join(filter(str.isalnum, run))}.{''.join(filter(str.isalnum, thing))}"

    def _prepare(self) -> None:
        with contextlib.suppress(FileExistsError):
            self._folder.mkdir(mode=0o700)
        there = self._folder.lstat()
        if not stat.S_ISDIR(there.st_mode) or there.st_uid != os.getuid() or there.st_mode & 0o022:
            raise DockconnError(
                f"--dockconn-reuse can't keep its leases in {self._folder}",
                checked="it must be a folder of your own that nobody else may write to",
                remedy="remove it, or set TMPDIR to another place",
            )


def _lock(fd: int, *, wait: bool, share: bool = False) -> bool:
    import fcntl  # noqa: PLC0415 - not on Windows, where this is refused before

    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if share else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _taken(fd: int) -> bytes | None:
    """Lock a lease and read it; None where it is locked, was removed meanwhile, or is just being made."""
    if not _lock(fd, wait=False) or os.fstat(fd).st_nlink == 0:
        return None
    return os.pread(fd, 64, 0) or None


def _write(fd: int, what: bytes) -> None:
    os.ftruncate(fd, 0)
    os.pwrite(fd, what, 0)
