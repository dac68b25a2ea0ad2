"""The files of a run's report: whether they can be written, which is asked before the first test, and the writing."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from .errors import SpecError
from .logic.given import shown
from .text import one_line

SUFFIXES = (".html", ".md", ".json")
_REMEDY = "name a file that can be made, as in --dockconn-report=report.html"


def check(paths: Iterable[str]) -> None:
    """Raises ``SpecError`` for the first that can't be written. Makes nothing: the run may come to nothing."""
    for path in paths:
        if suffix(path) not in SUFFIXES:
            raise SpecError(
                f"--dockconn-report {shown(path)}: its suffix says no format",
                checked=f"known: {', '.join(SUFFIXES)}",
                remedy=_REMEDY,
            )
        try:
            problem, checked = _problem(Path(os.path.realpath(path)))
        except (OSError, ValueError) as error:  # a name that is too long, a loop of links, a NUL
            problem, checked = why(error), "the file and the folders above it"
        if problem:
            raise SpecError(f"--dockconn-report {shown(path)}: {problem}", checked=checked, remedy=_REMEDY)


def suffix(path: str) -> str:
    """What the format goes by."""
    return Path(path).suffix.lower()


def why(error: Exception) -> str:
    """The reason of an error, on one line."""
    return one_line((getattr(error, "strerror", None) or str(error)).lower() or type(error).__name__)


def _problem(path: Path) -> tuple[str, str]:
    """Why a file can't be written, and what was looked at; empty if it can."""
    there = _mode(path)
    if there is not None and not stat.S_ISREG(there):
        return f"it is {'a directory' if stat.S_ISDIR(there) else 'no plain file'}", str(path)
    folder = next(one for one in path.parents if _mode(one) is not None)
    if not folder.is_dir():
        return "its folder can't be made", f"{folder} is no directory"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "its folder can't be written to", f"{folder}, as user {os.getuid() if hasattr(os, 'getuid') else '?'}"
    return "", ""


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(path: str, text: str) -> None:
    """Write all of it or nothing: half a report could be taken for one. Raises ``OSError``."""
    whole = Path(os.path.realpath(path))  # what a link leads to is replaced, not the link
    whole.parent.mkdir(parents=True, exist_ok=True)
    # as long for every name: also the longest can be written
    beside = whole.with_name(f".dockconn-report-{secrets.token_hex(6)}")
    try:
        with beside.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        beside.replace(whole)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
