"""Folders of this user's own, for what runs on one machine tell each other."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def own(kind: str) -> Path:
    """Where it is.

    Not tempfile's place: that looks at TMPDIR and at which disk is full just now, and all runs, helpers and
    `dockconn prune` must come to the same one.
    """
    return Path(f"/tmp/dockconn-{getattr(os, 'getuid', int)()}-{kind}")  # noqa: S108 - `obstacle` looks whose it is


def obstacle(folder: Path) -> str:
    """Make it where it is not there; why it can't be used, empty if it can."""
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        ours = _is_ours(folder)
    except (OSError, AttributeError) as error:  # AttributeError: there are no users on Windows
        return str(error)
    if not ours:
        return "it must be a folder of your own that nobody else may write to"
    return "" if os.access(folder, os.W_OK | os.X_OK) else "you may not write to it"


def is_ours(folder: Path) -> bool:
    """Whether it is there, and nobody else has a say in it."""
    try:
        return _is_ours(folder)
    except (OSError, AttributeError):  # as above
        return False


def _is_ours(folder: Path) -> bool:
    there = folder.lstat()
    return stat.S_ISDIR(there.st_mode) and there.st_uid == os.getuid() and not there.st_mode & 0o022
