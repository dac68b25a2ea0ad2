"""Which images are ours."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pytest_dockconn import labels
from pytest_dockconn.logic.images import built_tag, committed_as, is_last_step, made_by_step
from pytest_dockconn.model.facts import ImageFacts

CLIENT = "dockconn-client:09ab"
MARKS = {labels.RUN: "ab12", labels.NAME: CLIENT, labels.ROLE: "client-image"}


@pytest.mark.parametrize(
    ("tags", "changes", "tag"),
    [
        pytest.param((CLIENT,), {}, CLIENT, id="the client"),
        pytest.param(("mine:1", CLIENT), {}, CLIENT, id="tagged by others too"),
        pytest.param((f"localhost/{CLIENT}",), {}, f"localhost/{CLIENT}", id="as podman has it"),
        pytest.param((f"docker.io/library/{CLIENT}",), {}, f"docker.io/library/{CLIENT}", id="podman in docker's way"),
        pytest.param(("dockconn-myapp:1",), {}, "", id="made of it, with a name like ours"),
        pytest.param((f"elsewhere/{CLIENT}",), {}, "", id="in a registry"),
        pytest.param((), {}, "", id="no tag"),
        pytest.param((CLIENT,), {labels.ROLE: "commit"}, "", id="committed"),
        pytest.param(("web:1",), {labels.NAME: "web:1"}, "", id="a name that is not of ours"),
        pytest.param(("",), {labels.NAME: ""}, "", id="no name"),
    ],
)
def test_what_was_built(tags: tuple[str, ...], changes: dict[str, str], tag: str) -> None:
    assert built_tag(tags, {**MARKS, **changes}) == tag


COMMIT = ImageFacts(
    "sha256:1",
    ("web:1",),
    {labels.RUN: "ab12", labels.NAME: "web:1", labels.ROLE: "commit"},
    ("sh",),
    (),
    "dockconn ab12",
)


@pytest.mark.parametrize(
    ("image", "name", "run"),
    [
        pytest.param(COMMIT, "web:1", "ab12", id="by a run"),
        pytest.param(COMMIT, "web:2", "", id="under another name"),
        pytest.param(replace(COMMIT, comment=""), "web:1", "", id="built on one, with its labels"),
        pytest.param(replace(COMMIT, comment="dockconn cd34"), "web:1", "", id="a comment like ours"),
        pytest.param(replace(COMMIT, labels=MARKS), CLIENT, "", id="not committed"),
    ],
)
def test_who_committed_it(image: ImageFacts, name: str, run: str) -> None:
    assert committed_as(image, name) == run


@pytest.mark.parametrize(
    ("line", "step"),
    [
        (" ---> 1a2b3c4d5e6f", "1a2b3c4d5e6f"),
        ("--> f03606b99d4", "f03606b99d4"),  # podman 4.3.1
        (" ---> Running in 1a2b3c4d5e6f", ""),
        (" ---> Using cache", ""),
        ("Step 4/9 : RUN : dockconn", ""),
        ("echo ---> 1a2b3c4d5e6f", ""),
    ],
)
def test_what_a_step_came_to(line: str, step: str) -> None:
    assert made_by_step(line) == step


@pytest.mark.parametrize(
    ("made_by", "last"),
    [
        ("/bin/sh -c #(nop)  LABEL dockconn=ab12 dockconn.build=finished dockconn.hash=1", True),
        ('/bin/sh -c #(nop) LABEL "dockconn"="ab12" "dockconn.build"="finished"', True),  # podman 4.3.1
        ("/bin/sh -c #(nop)  LABEL dockconn.build=unfinished", False),
        ("/bin/sh -c #(nop)  LABEL chaos=1", False),
        ("/bin/sh -c echo dockconn.build=finished", False),
        ("", False),
    ],
)
def test_the_last_step(made_by: str, last: bool) -> None:
    assert is_last_step(made_by) is last
