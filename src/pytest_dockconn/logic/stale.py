"""What on an engine did dead runs leave behind? Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .. import labels


@dataclass(frozen=True, slots=True)
class Here:
    """This machine now.

    Attributes:
        host: its name.
        boot: the id of this boot.
        started: of a process id, when that process started; empty where there is none.
    """

    host: str
    boot: str
    started: Callable[[int], str]


def is_dead(marks: Mapping[str, str], here: Here) -> bool:
    """Whether the run that made a thing is certainly over: its process is not on this machine any more.

    What another host made on a shared engine is left alone: nobody here can know. A process id that is used again has
    another start time, so it is not the owner.
    """
    if marks.get(labels.HOST) != here.host:
        return False
    if marks.get(labels.BOOT) != here.boot:
        return True
    pid = marks.get(labels.PID, "")
    return pid.isdigit() and here.started(int(pid)) != marks.get(labels.STARTED)


def left_behind(name: str, marks: Mapping[str, str], here: Here) -> bool:
    """Whether a container or network is ours, and its run is over."""
    return labels.is_ours(marks, name) and is_dead(marks, here)


def image_left_behind(tags: tuple[str, ...], marks: Mapping[str, str], here: Here) -> bool:
    """Whether an image was committed by a run that is over. The two built images are kept: they serve the next run."""
    return marks.get(labels.ROLE) == "commit" and marks.get(labels.NAME) in tags and is_dead(marks, here)
