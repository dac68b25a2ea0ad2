"""The text of a failure, taken apart again: it crosses from an xdist worker as text."""

from __future__ import annotations

import re

from ..text import INDENT

_OURS = re.compile(r"  (evidence|checked|remedy): +(.*)")


def parts(text: str) -> dict[str, list[str]]:
    """``message``, ``evidence``, ``checked`` and ``remedy``; lines of others, which are indented, stay with what they belong to."""
    first, *others = text.split("\n")
    found: dict[str, list[str]] = {"message": [first], "evidence": [], "checked": [], "remedy": []}
    open_part = ""
    for line in others:
        ours = _OURS.fullmatch(line)
        if ours:
            open_part = ours.group(1)
            found[open_part].append(ours.group(2))
        elif open_part and line.startswith(INDENT):
            found[open_part][-1] += "\n" + line.removeprefix(INDENT)
        else:
            open_part = ""  # as the table of a matrix
    return found
