"""Who uses an engine just now."""

from __future__ import annotations

from collections.abc import Collection

from .. import labels
from ..engine.port import Engine
from ..logic.stale import Here, is_dead


def living(engine: Engine, now: Here, gone: Collection[str] = ()) -> list[str]:
    """The owners that live, as far as can be seen from here, but for this process; of all containers and networks but these."""
    found: list[tuple[str, str, dict[str, str]]] = []
    for entry in engine.containers(labels.RUN):
        marks = entry["labels"]
        assert isinstance(marks, dict)
        found.append((str(entry["id"]), str(entry["name"]), marks))
    found += [(one.id, one.name, dict(one.labels)) for one in engine.networks(labels.RUN)]
    mine = labels.owner()
    return sorted(
        {
            labels.owner_of(marks)
            for thing, name, marks in found
            if thing not in gone and labels.is_ours(marks, name) and not is_dead(marks, now)
            if any(marks.get(mark) != value for mark, value in mine.items())
        }
    )
