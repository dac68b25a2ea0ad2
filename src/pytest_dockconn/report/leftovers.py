"""What dead runs left behind, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..model.leftover import Leftover
from ..text import one_line
from .table import aligned


def table(leftovers: Sequence[Leftover]) -> list[str]:
    """What, whose, how old; and where any of it is kept for a later run, for how long."""
    rows = [[one.kind, one_line(one.name), one_line(one.owner), _age(one.age), _kept(one)] for one in leftovers]
    columns = 5 if any(row[-1] for row in rows) else 4
    whole = [["what", "name", "made by", "how old", "kept for"], *rows]
    return aligned([row[:columns] for row in whole]) if rows else []


def _kept(one: Leftover) -> str:
    if one.user:
        return f"{one.user}, which uses it now"
    return "" if one.kept is None else f"{_age(one.kept)} more"


def left_alone(images: Sequence[Leftover], users: Sequence[str]) -> list[str]:
    """What would go if nobody used it now, a line each."""
    who = ", ".join(map(one_line, users))
    return [f"{one.kind} {one_line(one.name)}: a run uses it now ({who}): left alone" for one in images]


def swept(leftovers: Sequence[Leftover], failed: int) -> str:
    """One line about a sweep."""
    counts = Counter(one.kind for one in leftovers)
    what = ", ".join(f"{number} {kind}{'s' if number > 1 else ''}" for kind, number in counts.items())
    owners = ", ".join(dict.fromkeys(one_line(one.owner) for one in leftovers))
    left = f"; {failed} could not be removed: see `dockconn prune`" if failed else ""
    return f"removed what a dead run left behind: {what} (made by {owners}){left}"


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    for limit, unit in ((60, 1), (3600, 60), (86400, 3600)):
        if seconds < limit:
            return f"{seconds / unit:.0f} {'s' if unit == 1 else 'min' if unit == 60 else 'h'}"
    return f"{seconds / 86400:.0f} days"
