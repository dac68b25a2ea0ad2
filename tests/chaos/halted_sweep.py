"""A pytest plugin, ``-p tests.chaos.halted_sweep``: the sweep says so when it has removed one thing, and goes no further."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from pytest_dockconn.actions import prune

remove = prune.remove


def halted(engine: Any, leftovers: list[Any], **more: Any) -> list[str]:
    remove(engine, leftovers[:1], **more)
    with Path(os.environ["CHAOS_FILE"]).open("a") as file:
        file.write("sweeping\n")
    threading.Event().wait()
    return []


prune.remove = halted
