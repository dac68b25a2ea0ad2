"""Long work shows: lines on the terminal that pytest writes to, also while output is captured."""

from __future__ import annotations

import io
import os
import sys
import threading

import pytest

from .text import one_line


class Progress:
    """Says what is being done. On a terminal each line replaces the one before; elsewhere plain lines, as in CI."""

    def __init__(self, config: pytest.Config) -> None:
        self._lock = threading.Lock()
        self._open = False
        self._out = _terminal(config)
        self._replace = self._out is not None and self._out.isatty()

    def say(self, line: str) -> None:
        """Show one line."""
        if self._out is None:
            return
        text = f"dockconn: {one_line(line, 500)}"
        with self._lock:
            self._out.write(f"\r\x1b[K{text[:118]}" if self._replace else f"{text}\n")
            self._out.flush()
            self._open = self._replace

    def end(self) -> None:
        """Leave the line."""
        with self._lock:
            if self._open and self._out is not None:
                self._out.write("\r\x1b[K")
                self._out.flush()
                self._open = False


def _terminal(config: pytest.Config) -> io.TextIOBase | None:
    """A duplicate of what pytest's terminal reporter writes to, made while nothing is captured; None in a worker."""
    if hasattr(config, "workerinput"):
        return None  # of xdist: its output is the channel to the controller
    try:
        return os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", errors="replace")
    except (OSError, ValueError, io.UnsupportedOperation, AttributeError):
        return sys.stdout if isinstance(sys.stdout, io.TextIOBase) else None
