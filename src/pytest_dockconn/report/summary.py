"""Who reached whom, how, and how fast: the table at the end of a run."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.asked import Asked
from ..model.probe import ProbeResult
from ..text import one_line
from .table import aligned

#: How a way of asking reads.
WAYS = {"address": "its own address", "bound port": "the bound port", "name": "by name", "url": "as the URL says"}

#: What the table shows: cells have tables of their own, and a link is asked for by its name.
TABLED = ("reachable", "unreachable")


def way(result: ProbeResult) -> str:
    """``172.17.0.3:80, its own address``; a name with the address that it led to."""
    target = result.target
    if not target.host:
        return str(target)
    host = f"[{target.host}]" if ":" in target.host else target.host
    led = f" = {result.address}" if result.address and result.address != target.host else ""
    how = "by name" if led and target.via == "url" else WAYS[target.via]
    port = f" port {target.port}" if target.port else f" ({target.scheme})"
    return f"{host}{led}{port}, {how}"


def lines(asked: Sequence[Asked]) -> list[str]:
    """One line a question, aligned; questions that were asked alike are counted."""
    counts: dict[tuple[str, ...], list[Asked]] = {}
    for one in (one for one in asked if one.question in TABLED):
        key = (one.question, one.source, one.destination, one.way, one.verdict, str(one.passed))
        counts.setdefault(key, []).append(one)
    return aligned([_row(group) for group in counts.values()], right=(4,)) if counts else []


def _row(group: Sequence[Asked]) -> list[str]:
    one = group[0]
    fastest = min(each.elapsed for each in group)
    outcome = "" if one.passed else "FAILED"
    arrow = {"unreachable": "-x"}.get(one.question, "->")
    return [
        one_line(one.source),
        f"{arrow} {one_line(one.destination)}",
        one_line(one.way),
        f"{one.verdict}{', proved' if one.question == 'unreachable' and one.passed else ''}",
        f"{fastest * 1000:.1f} ms",
        " ".join(filter(None, (outcome, f"x{len(group)}" if len(group) > 1 else ""))),
    ]
