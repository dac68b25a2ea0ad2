"""What on an engine did dead runs leave behind? Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from .. import labels
from .images import is_named

#: Seconds since 1970, and ids of processes.
_NUMBER = re.compile("[0-9]{1,18}")


class Here(Struct, frozen=True, kw_only=True):
    """This process's machine now.

    Attributes:
        host: its name.
        machine: the id of its installation.
        boot: the id of this boot.
        pidns: the namespace of process ids that can be seen.
        started: of a process id, when that process started; empty where there is none, None where that can't be told.
        local: whether the engine runs on this very machine.
        now: seconds since 1970.
    """

    host: str
    machine: str
    boot: str
    pidns: str
    started: Callable[[int], str | None]
    local: bool
    now: float


def is_dead(marks: Mapping[str, str], here: Here) -> bool:
    """Whether the run that made a thing is over.

    Certain where its process would be seen here: it is gone, or its number is another's now, or the machine of the engine
    was started anew since. What cannot be seen from here, another machine's things on a shared engine or another
    container's, or (with hidepid) another user's, is left alone until its lease is over.
    """
    ours = (marks.get(labels.HOST), marks.get(labels.MACHINE)) == (here.host, here.machine)
    # where neither has an id (macOS), another machine may have this one's name
    ours = ours and bool(here.machine or here.boot)
    if ours and marks.get(labels.BOOT) != here.boot and here.local:
        return True
    if not ours or (marks.get(labels.BOOT), marks.get(labels.PIDNS)) != (here.boot, here.pidns):
        return lease_is_over(marks, here.now)
    pid = number(marks, labels.PID)
    return pid is not None and _is_gone(here.started(pid), marks, here.now)


def _is_gone(started: str | None, marks: Mapping[str, str], now: float) -> bool:
    """Whether the process of the marks is: what has its number now started then."""
    if started == "":
        return True
    if started is None or not marks.get(labels.STARTED):
        return lease_is_over(marks, now)
    return started != marks[labels.STARTED]


def lease_is_over(marks: Mapping[str, str], now: float) -> bool:
    """Whether nobody claims a thing any more; one without a lease is nobody's to judge."""
    until = number(marks, labels.LEASE)
    return until is not None and until < now


def age(marks: Mapping[str, str], now: float) -> float | None:
    """Seconds since a thing was made, 0 where its clock was ahead; None where that is not known."""
    made = number(marks, labels.CREATED)
    return None if made is None else max(0.0, now - made)


def number(marks: Mapping[str, str], label: str) -> int | None:
    """What a label says, if that is a whole number: anybody may write labels, and "²" is a digit to Python, too."""
    text = marks.get(label, "")
    return int(text) if _NUMBER.fullmatch(text) else None


def left_behind(name: str, marks: Mapping[str, str], here: Here) -> bool:
    """Whether a container or network is ours, and its run is over."""
    return labels.is_ours(marks, name) and is_dead(marks, here)


def image_left_behind(tags: tuple[str, ...], marks: Mapping[str, str], here: Here) -> bool:
    """Whether an image was committed by a run that is over. The two built images are kept: they serve the next run."""
    return is_committed(tags, marks) and is_dead(marks, here)


def is_committed(tags: tuple[str, ...], marks: Mapping[str, str]) -> bool:
    """Whether an image is one that a run committed, as far as its labels tell; without a tag its comment must tell too."""
    name = marks.get(labels.NAME, "")
    if marks.get(labels.ROLE) != "commit" or not name:
        return False
    return not tags or any(is_named(tag, name) for tag in tags)
