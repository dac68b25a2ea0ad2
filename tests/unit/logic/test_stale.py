"""What dead runs left behind: nothing that lives, nothing that is not certain, nothing of others."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pytest_dockconn import labels
from pytest_dockconn.logic.stale import Here, age, image_left_behind, is_dead, left_behind

NAME = "dockconn-ab12-server1"
#: Process 7 lives here since tick 100; the engine is here too.
HERE = Here(
    host="box", machine="m1", boot="boot-1", pidns="pid:[1]", started=lambda pid: "100" if pid == 7 else "", local=True,
    now=1000.0,
)  # fmt: skip
FAR = replace(HERE, local=False)
#: macOS: nothing but its name tells it from others.
NAMED = replace(HERE, machine="", boot="", pidns="", local=False)
HIDDEN = replace(HERE, started=lambda _: None)
ALIVE = {
    labels.RUN: "ab12", labels.NAME: NAME, labels.HOST: "box", labels.MACHINE: "m1", labels.BOOT: "boot-1",
    labels.PIDNS: "pid:[1]", labels.PID: "7", labels.STARTED: "100", labels.CREATED: "900", labels.LEASE: "2000",
}  # fmt: skip
DEAD = {**ALIVE, labels.PID: "8"}
OVER = {labels.LEASE: "999"}


@pytest.mark.parametrize(
    ("marks", "here", "dead"),
    [
        pytest.param(ALIVE, HERE, False, id="its process lives"),
        pytest.param({**ALIVE, **OVER}, HERE, False, id="its process lives, whatever its lease"),
        pytest.param(DEAD, HERE, True, id="its process is gone"),
        pytest.param({**ALIVE, labels.STARTED: "99"}, HERE, True, id="another process has its number"),
        pytest.param(ALIVE, HIDDEN, False, id="another user's process, which nobody here can see"),
        pytest.param({**ALIVE, **OVER}, HIDDEN, True, id="the same, and its lease is over"),
        pytest.param(
            {**ALIVE, labels.STARTED: ""}, HERE, False, id="no start is known, and some process has its number"
        ),
        pytest.param({**ALIVE, **OVER, labels.STARTED: ""}, HERE, True, id="the same, and its lease is over"),
        pytest.param({**DEAD, labels.STARTED: ""}, HERE, True, id="no start is known, and no process has its number"),
        pytest.param({**ALIVE, labels.BOOT: "boot-0"}, HERE, True, id="the machine of the engine was started again"),
        pytest.param(
            {**ALIVE, labels.BOOT: "boot-0"}, FAR, False, id="another boot, perhaps of a copy of this machine"
        ),
        pytest.param({**ALIVE, **OVER, labels.BOOT: "boot-0"}, FAR, True, id="another boot, and its lease is over"),
        pytest.param({**DEAD, labels.HOST: "other"}, HERE, False, id="another machine's: nobody here can know"),
        pytest.param({**DEAD, labels.MACHINE: "m2"}, HERE, False, id="another machine of the same name"),
        pytest.param({**DEAD, labels.HOST: "other", **OVER}, HERE, True, id="another machine's, and its lease is over"),
        pytest.param(
            {**DEAD, labels.PIDNS: "pid:[2]"}, HERE, False, id="in another container: its number means nothing"
        ),
        pytest.param(
            {**DEAD, labels.PIDNS: "pid:[2]", **OVER}, HERE, True, id="in another container, its lease is over"
        ),
        pytest.param(
            {**DEAD, labels.HOST: "other", labels.BOOT: "boot-0"}, HERE, False, id="another machine's, other boot"
        ),
        pytest.param({k: v for k, v in DEAD.items() if k != labels.HOST}, HERE, False, id="no machine named"),
        pytest.param({k: v for k, v in DEAD.items() if k != labels.PID}, HERE, False, id="no process named"),
        pytest.param({**DEAD, labels.PID: "-8"}, HERE, False, id="no number"),
        pytest.param({**ALIVE, labels.PID: "²"}, HERE, False, id="a digit that is no number"),
        pytest.param({**ALIVE, labels.PID: "9" * 5000}, HERE, False, id="more digits than Python reads"),
        pytest.param({labels.HOST: "other", labels.LEASE: "soon"}, HERE, False, id="a lease that is none"),
        pytest.param({labels.HOST: "other", labels.LEASE: "²"}, HERE, False, id="a lease of such a digit"),
        pytest.param({labels.HOST: "other", labels.LEASE: "9" * 5000}, HERE, False, id="a lease without end"),
        pytest.param({}, HERE, False, id="no labels"),
        pytest.param(
            {**DEAD, labels.MACHINE: "", labels.BOOT: ""}, NAMED, False, id="perhaps another machine of this name"
        ),
        pytest.param(
            {**DEAD, labels.MACHINE: "", labels.BOOT: "", **OVER}, NAMED, True, id="the same, its lease is over"
        ),
    ],
)
def test_is_it_over(marks: dict[str, str], here: Here, dead: bool) -> None:
    assert is_dead(marks, here) is dead


@pytest.mark.parametrize(
    ("marks", "seconds"),
    [
        (ALIVE, 100.0),
        ({}, None),
        *(({labels.CREATED: text}, None) for text in ("long ago", "²", "9" * 5000, " 1", "-1")),
    ],
)
def test_how_old(marks: dict[str, str], seconds: float | None) -> None:
    assert age(marks, HERE.now) == seconds


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
        pytest.param((), {}, True, id="no tag: its comment must tell too"),
        pytest.param(("web:1",), {labels.ROLE: "client-image"}, False, id="built: serves the next run"),
        pytest.param((), {labels.NAME: ""}, False, id="nobody knows what it was called"),
    ],
)
def test_images(tags: tuple[str, ...], changes: dict[str, str], left: bool) -> None:
    marks = {**DEAD, labels.NAME: "web:1", labels.ROLE: "commit", **changes}
    assert image_left_behind(tags, marks, HERE) is left
