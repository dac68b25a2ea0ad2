"""Untrusted text, made fit to be shown. Pure."""

from __future__ import annotations

import unicodedata

#: Categories of Unicode that can change what a terminal shows: control, format (bidirectional marks), surrogate, private, line ends.
_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def printable(text: str, limit: int = 20000) -> str:
    """The text without control characters (newline and tab stay; others as ``\\x1b``), cut at ``limit`` characters."""
    cut = text if len(text) <= limit else text[:limit] + "..."
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in _UNSAFE else _escaped(c) for c in cut.replace("\r\n", "\n")
    )


def _escaped(c: str) -> str:
    return f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}"


def one_line(text: str, limit: int = 200) -> str:
    """The same on one line."""
    return " ".join(printable(text.replace("\u2028", " ").replace("\u2029", " "), limit).split())
