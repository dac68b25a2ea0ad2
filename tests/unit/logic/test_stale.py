"""What dead runs left behind: nothing that lives, nothing that is not certain, nothing of others."""

from __future__ import annotations

import pytest

from pytest_dockconn import labels
from pytest_dockconn.logic.stale import Here, image_left_behind, is_dead, left_behind

NAME = "dockconn-ab12-server1"
#: Process 7 lives here since tick 100.
HERE = Here("box", "boot-1", lambda pid: "100" if pid == 7 else "")
ALIVE = {
    labels.RUN: "ab12", labels.NAME: NAME, labels.HOST: "box", labels.BOOT: "boot-1", labels.PID: "7", labels.STARTED: "100",
}  # fmt: skip
DEAD = {**ALIVE, labels.PID: "8"}


@pytest.mark.parametrize(
    ("marks", "dead"),
    [
        pytest.param(ALIVE, False, id="its process lives"),
        pytest.param(DEAD, True, id="its process is gone"),
        pytest.param({**ALIVE, labels.STARTED: "99"}, True, id="another process has its number"),
        pytest.param({**ALIVE, labels.BOOT: "boot-0"}, True, id="the machine was started again"),
        pytest.param({**DEAD, labels.HOST: "other"}, False, id="another machine's: nobody here can know"),
        pytest.param({**DEAD, labels.HOST: "other", labels.BOOT: "boot-0"}, False, id="another machine's, other boot"),
        pytest.param({k: v for k, v in DEAD.items() if k != labels.HOST}, False, id="no machine named"),
        pytest.param({k: v for k, v in DEAD.items() if k != labels.PID}, False, id="no process named"),
        pytest.param({**DEAD, labels.PID: "-8"}, False, id="no number"),
        pytest.param({}, False, id="no labels"),
    ],
)
def test_is_it_over(marks: dict[str, str], dead: bool) -> None:
    assert is_dead(marks, HERE) is dead


@pytest.mark.parametrize(
    ("name", "marks", "left"),
    [
        pytest.param(NAME, DEAD, True, id="ours, and over"),
        pytest.param(NAME, ALIVE, False, id="ours, and alive"),
        pytest.param("web", DEAD, False, id="somebody's container of a committed image of ours"),
        pytest.param(NAME, {**DEAD, labels.RUN: ""}, False, id="no run"),
    ],
)
def test_is_it_left_behind(name: str, marks: dict[str, str], left: bool) -> None:
    assert left_behind(name, marks, HERE) is left


@pytest.mark.parametrize(
    ("tags", "changes", "left"),
    [
        pytest.param(("web:1",), {}, True, id="committed by a run that is over"),
        pytest.param(("web:1", "other:2"), {}, True, id="tagged again"),
        pytest.param(("web:1",), {labels.PID: "7"}, False, id="committed by a run that lives"),
        pytest.param(("other:2",), {}, False, id="somebody's image on top of it"),
        pytest.param((), {}, False, id="no tag"),
        pytest.param(("web:1",), {labels.ROLE: "client-image"}, False, id="built: serves the next run"),
    ],
)
def test_images(tags: tuple[str, ...], changes: dict[str, str], left: bool) -> None:
    marks = {**DEAD, labels.NAME: "web:1", labels.ROLE: "commit", **changes}
    assert image_left_behind(tags, marks, HERE) is left
