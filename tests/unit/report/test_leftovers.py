"""What is left on an engine, as a table."""

from __future__ import annotations

from pytest_dockconn.model.leftover import Leftover
from pytest_dockconn.report import leftovers

LEFT = Leftover("container", "1", "dockconn-1-web", "1", "process 7 of vm", 90.0)
KEPT = Leftover("network", "2", "dockconn-2-front", "2", "process 8 of vm", 30.0, kept=1740.0)
USED = Leftover("network", "3", "dockconn-3-front", "3", "process 9 of vm", None, 1740.0, "the run of process 4711")


def test_nothing() -> None:
    assert leftovers.table([]) == []


def test_what_dead_runs_left() -> None:
    assert leftovers.table([LEFT]) == [
        "what       name            made by          how old",
        "container  dockconn-1-web  process 7 of vm  2 min",
    ]


def test_what_is_kept_and_used() -> None:
    assert leftovers.table([LEFT, KEPT, USED]) == [
        "what       name              made by          how old  kept for",
        "container  dockconn-1-web    process 7 of vm  2 min",
        "network    dockconn-2-front  process 8 of vm  30 s     29 min more",
        "network    dockconn-3-front  process 9 of vm  ?        the run of process 4711, which uses it now",
    ]
