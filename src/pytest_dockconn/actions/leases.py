"""Leases of what may serve a later run: a file each, which is locked as long as a run uses the thing.

The kernel lets go of a lock however its holder ends. So what is not locked and still says "in use" was used by a run that
died, and nobody knows what that did to it. Imports nothing heavy: the helper keeps it in memory for half an hour.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
import weakref
from pathlib import Path

from ..errors import DockconnError
from . import folders
from .locks import locked, unlock

#: What a lease says while a run uses the thing, with the run's process id after it.
IN_USE = "in use by"
#: Bytes of a lease, always written as a whole: whoever is killed meanwhile leaves the old word or the new one.
WIDTH = 32
#: How a lease is opened. On Windows nobody keeps anything, but `dockconn prune` looks there too.
OPENED = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


def clock() -> float:
    """Seconds on the clock that leases go by: of this boot of the machine, sleep included; nobody sets it."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)  # Linux alone
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class Lease:
    """The right to use a thing, for this process alone.

    Attributes:
        until: when it would have been over, for who had it before; 0 where nobody gave it back.
    """

    def __init__(self, path: Path, fd: int, until: float) -> None:
        self._path = path
        self._fd = fd
        self.until = until
        _held.add(self)

    @property
    def clean(self) -> bool:
        """Whether whoever had it before gave it back."""
        return self.until > 0

    def put_back(self) -> None:
        """It was not used: as it was. Nothing happens where it was given back, dropped or ended before."""
        if self.clean and self._fd >= 0:
            self.give_back(self.until)
        self.drop()

    def give_back(self, until: float) -> None:
        """Others may have it, until then (on ``clock``)."""
        with contextlib.suppress(OSError):  # a full disk: it says "in use" then, and goes with those that died
            _write(self._fd, str(until).encode())
        self.drop()

    def drop(self) -> None:
        """Nobody may use it any more, and whoever comes first removes it."""
        fd, self._fd = self._fd, -1  # the keeper drops one that a thread of its own may come to, too
        if fd >= 0:
            unlock(fd)
            os.close(fd)

    def end(self) -> None:
        """The thing is gone."""
        with contextlib.suppress(OSError):  # it says "in use" then, of a run that is gone
            self._path.unlink(missing_ok=True)
        self.drop()

    def close_in_child(self) -> None:
        """A forked child would hold the lock as long as it lives, whatever becomes of this process."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


_held: weakref.WeakSet[Lease] = weakref.WeakSet()


def _forked() -> None:
    for lease in list(_held):
        lease.close_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def _folder() -> Path:
    return folders.own("leases")


class Leases:
    """The leases of this user on this machine."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or _folder()

    def prepare(self) -> None:
        """See to the folder. Raises ``DockconnError`` where it is somebody else's, or can't be made."""
        why = folders.obstacle(self._folder)
        if why:
            raise DockconnError(
                f"--dockconn-reuse can't keep its leases in {self._folder}",
                checked=why,
                remedy="remove it, or leave the option out",
            )

    def make(self, run: str, thing: str) -> Lease:
        """The lease of what was just made. Raises ``DockconnError`` where it can't be written."""
        self.prepare()
        path = self._path(run, thing)
        new = self._folder / f".{secrets.token_hex(8)}"  # it is locked and written before anybody else can see it
        fd = -1
        try:
            fd = os.open(new, OPENED | os.O_CREAT | os.O_EXCL, 0o600)
            locked(fd)
            _write(fd, _in_use())
            new.rename(path)
        except OSError as error:
            if fd >= 0:
                os.close(fd)
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            raise DockconnError(
                "--dockconn-reuse can't keep a lease", checked=f"{path}: {error}", remedy="leave the option out"
            ) from error
        return Lease(path, fd, float("inf"))

    def take(self, run: str, thing: str) -> Lease | None:
        """The right to use it; None where somebody has it, or nobody can."""
        return self._take(run, thing, float("inf"))

    def take_due(self, run: str, thing: str, now: float) -> Lease | None:
        """As ``take``, but only where its time is over, or where who used it died."""
        return self._take(run, thing, now)

    def _take(self, run: str, thing: str, due: float) -> Lease | None:
        fd = self._open(run, thing)
        if fd is None:
            return None
        # only what is read under the lock counts; where it is, somebody may have removed it before
        until = _until(os.pread(fd, WIDTH, 0)) if locked(fd) and os.fstat(fd).st_nlink else None
        if until is None or until > due:
            os.close(fd)
            return None
        with contextlib.suppress(OSError):
            _write(fd, _in_use())
        return Lease(self._path(run, thing), fd, until)

    def until(self, run: str, thing: str) -> float | None:
        """When its time is over: 0 where it says "in use", None where there is no lease."""
        said = self._read(run, thing)
        return None if said is None else _until(said)

    def is_used(self, run: str, thing: str) -> bool:
        """Whether a run that lives uses it now."""
        if self.until(run, thing) != 0.0:
            return False  # not even for a moment is what is free locked here: somebody might just now want to take it
        fd = self._open(run, thing)
        if fd is None:
            return False
        try:
            return not locked(fd, share=True)
        finally:
            os.close(fd)

    def user(self, run: str, thing: str) -> str:
        """The run that uses it now, in words; empty where none does."""
        if not self.is_used(run, thing):
            return ""
        said = self._read(run, thing)
        if said is None:
            return ""
        pid = said.decode("ascii", "replace").removeprefix(IN_USE).strip()
        return "this very run" if pid == str(os.getpid()) else f"the run of process {pid}"

    def of_run(self, run: str) -> list[str]:
        """The ids of what a run made and there are leases of."""
        if not folders.is_ours(self._folder):
            return []
        return [path.name.partition(".")[2] for path in self._folder.glob(f"{_bare(run)}.*")]

    def _read(self, run: str, thing: str) -> bytes | None:
        fd = self._open(run, thing)
        if fd is None:
            return None
        try:
            return os.pread(fd, WIDTH, 0)
        except OSError:
            return None
        finally:
            os.close(fd)

    def _open(self, run: str, thing: str) -> int | None:
        """None where there is no lease. What others could have put there is none: it would say "in use" for ever, or hang who reads it."""
        if not folders.is_ours(self._folder):
            return None
        try:
            return os.open(self._path(run, thing), OPENED)
        except OSError:
            return None

    def _path(self, run: str, thing: str) -> Path:
        return self._folder / f"{_bare(run)}.{_bare(thing)}"


def _bare(text: str) -> str:
    """Letters and digits alone: it is read from labels, and could lead out of the folder, or be a pattern."""
    return "".join(filter(str.isalnum, text)) or "-"


def _in_use() -> bytes:
    return f"{IN_USE} {os.getpid()}".encode()


def _until(said: bytes) -> float:
    with contextlib.suppress(ValueError):
        return float(said)
    return 0.0


def _write(fd: int, what: bytes) -> None:
    os.pwrite(fd, what.ljust(WIDTH), 0)
