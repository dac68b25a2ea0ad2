"""Times as engines write them. Pure."""

from __future__ import annotations

import re
from datetime import datetime

#: Engines write nanoseconds; Python 3.10 reads three or six digits, and no ``Z``.
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


def parsed(text: str) -> datetime | None:
    """A time of RFC 3339; None for what is none, and for the zero time of what never was."""
    found = _TIME.fullmatch(text)
    if found is None or text.startswith("0001-"):
        return None
    whole, part, zone = found.groups()
    return datetime.fromisoformat(f"{whole}.{(part or '')[:6]:0<6}{'+00:00' if zone == 'Z' else zone}")


def seconds_between(begin: str, end: str) -> float | None:
    """Seconds from one time to another; None where one of them is not known."""
    first, last = parsed(begin), parsed(end)
    return (last - first).total_seconds() if first and last else None
