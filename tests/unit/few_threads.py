"""A system that has only a few threads left."""

from __future__ import annotations

import threading

import pytest


class Few(threading.Thread):
    """One of them."""

    left = 0

    def start(self) -> None:
        if type(self).left == 0:
            raise RuntimeError("can't start new thread")
        type(self).left -= 1
        super().start()


def few_threads(monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    """From now on only so many can be started."""
    monkeypatch.setattr(Few, "left", left)
    monkeypatch.setattr(threading, "Thread", Few)
