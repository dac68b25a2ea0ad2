"""What is said of things that outlive a run."""

from __future__ import annotations

from collections.abc import Sequence

from ..logic.reuse import Offer, short
from ..logic.stale import age
from ..model.reused import Reused


def header(ready: Sequence[Offer], lease: float, now: float) -> str:
    """What an earlier run left for this one."""
    ends = f"kept for {lease / 60:g} min after the last run, or until `dockconn prune`"
    if not ready:
        return f"dockconn: reuse: nothing is here of an earlier run; what this session makes is {ends}"
    ages = [seconds for one in ready if (seconds := age(one.marks, now)) is not None]
    old = f" ({max(ages) / 60:.0f} min old)" if ages else ""
    return f"dockconn: reuse: {', '.join(sorted(map(short, ready)))} of an earlier run{old}; {ends}"


#: For each part of what came of it.
WORDS = ("used again", "made", "replaced", "removed")


def outcome(came: Reused) -> str:
    """What came of it."""
    parts = [f"{word} {', '.join(sorted(names))}" for word, names in zip(WORDS, came, strict=True) if names]
    return f"dockconn: reuse: {'; '.join(parts) or 'nothing was needed'}"
