"""The variables that a container's first process was started with. Those of links are nowhere else: not in an ``inspect``."""

from __future__ import annotations

import contextlib
import os
import re
from functools import partial
from pathlib import Path

from ..engine.port import Engine
from ..errors import Conflict
from ..logic.variables import whole
from ..model.facts import ContainerFacts
from ..model.spec import Bound

PROC = Path("/proc")
#: For the container's own ``cat``, which may be an enemy's; Linux takes some 6 MiB of variables at the most.
BOUND = Bound(size=8 << 20, seconds=10.0)
#: In the container: of its first process, and of the one that looks.
FIRST, OWN = "/proc/1/environ", "/proc/self/environ"
_ID = re.compile(r"[0-9a-f]{64}")


def started_with(engine: Engine, facts: ContainerFacts, *, ours: bool) -> dict[str, str] | None:
    """The variables of a container's first process: seen from here, else, of one of ours, as its own ``cat`` tells.

    Of one that has written over them, or may not be looked at: those that another process in it is given now, links' included.
    None where they can't be seen, and nothing can be run in it: it does not run, it has no ``cat``, it is somebody else's.

    Raises:
        NotFound: there is no such container.
        EngineError: its ``cat`` writes more than it may, or does not end.
    """
    found = _seen(facts)
    return _told(engine, facts) if found is None and ours else found


def _seen(facts: ContainerFacts) -> dict[str, str] | None:
    """Read here; None where the process can't be seen, and where its number is another's: the engine may count elsewhere."""
    if not facts.pid:
        return None
    with contextlib.suppress(OSError):
        place = os.open(PROC / str(facts.pid), os.O_RDONLY | os.O_DIRECTORY)  # from here on no other process is meant
        try:
            if _is_of(_read(place, "cgroup"), facts.id):
                return whole(_read(place, "environ"))
        finally:
            os.close(place)
    return None


def _read(place: int, name: str) -> str:
    with open(name, "rb", opener=partial(os.open, dir_fd=place)) as file:
        return file.read(BOUND.size).decode("utf-8", "replace")


def _is_of(cgroup: str, container: str) -> bool:
    """Whether a control group is a container's own, and not that of one which runs inside of it: its path ends in their id."""
    return any(_ID.findall(line)[-1:] == [container] for line in cgroup.splitlines())


def _told(engine: Engine, facts: ContainerFacts) -> dict[str, str] | None:
    """By a command in it, which changes nothing there."""
    with contextlib.suppress(Conflict):  # it does not run, or is paused
        for file in (OWN,) if facts.shares_pids else (FIRST, OWN):
            done = engine.execute(facts.id, ["cat", file], BOUND)
            found = whole(done.stdout) if not done.returncode else None
            if found is not None:
                return found
    return None
