"""A run's record, made fit to be passed around: the one gate that all of its text goes through, whoever wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..logic.secrecy import hidden
from ..model.record import Record
from ..text import one_line, printable

#: Fields that may have several lines; all others stay on one.
BLOCKS = ("text", "evidence", "checked", "remedy")
#: Characters of such a field, and of a line, at the most.
LONGEST, LONGEST_LINE = 20_000, 500


def fit(record: Record, secrets: Sequence[str] = ()) -> Record:
    """The record without control characters, without these secrets, and with nothing in it that is too long."""
    return msgspec.convert(_fit(msgspec.to_builtins(record), secrets, block=False), Record)


def _fit(value: Any, secrets: Sequence[str], *, block: bool) -> Any:
    # by field and not by name of the struct: a field that comes later is on one line until somebody says otherwise
    if isinstance(value, dict):
        return {key: _fit(one, secrets, block=key in BLOCKS) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_fit(one, secrets, block=block) for one in value]
    if not isinstance(value, str):
        return value
    text = hidden(value, secrets)
    return printable(text, LONGEST) if block else one_line(text, LONGEST_LINE)
