"""A run's record for machines: ``model/record.py``, field by field."""

from __future__ import annotations

import msgspec

from ..model.record import Record


def rendered(record: Record) -> str:
    """JSON, a field a line."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2).decode() + "\n"
