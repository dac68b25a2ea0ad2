"""What is said of things that outlive a run."""

from __future__ import annotations

import pytest

from pytest_dockconn import labels
from pytest_dockconn.logic.reuse import Offer, Place
from pytest_dockconn.model.reused import Reused
from pytest_dockconn.report import reuse


def offer(name: str, made: int) -> Offer:
    return Offer("container", name, f"dockconn-1-{name}", "1", Place("", ""), {labels.CREATED: str(made)})


def test_nothing_is_there() -> None:
    said = reuse.header([], 1800.0, 0.0)

    assert "nothing is here of an earlier run" in said
    assert "kept for 30 min after the last run, or until `dockconn prune`" in said


def test_the_oldest_tells_the_age() -> None:
    said = reuse.header([offer("server1", 400), offer("client1", 940)], 60.0, 1000.0)

    assert said.startswith("dockconn: reuse: client1, server1 of an earlier run (10 min old); kept for 1 min")


@pytest.mark.parametrize(
    ("came", "said"),
    [
        (Reused((), (), (), ()), "dockconn: reuse: nothing was needed"),
        (Reused(("b", "a"), (), (), ()), "dockconn: reuse: used again a, b"),
        (
            Reused(("a",), ("c",), ("c (it is exited)",), ("d (it had the name c on front)",)),
            "dockconn: reuse: used again a; made c; replaced c (it is exited); removed d (it had the name c on front)",
        ),
    ],
)
def test_what_came_of_it(came: Reused, said: str) -> None:
    assert reuse.outcome(came) == said
