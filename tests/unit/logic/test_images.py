"""Which images are ours."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pytest_dockconn import labels
from pytest_dockconn.logic.images import built_tag, committed_as
from pytest_dockconn.model.facts import ImageFacts

CLIENT = "dockconn-client:09ab"
MARKS = {labels.RUN: "ab12", labels.NAME: CLIENT, labels.ROLE: "client-image"}


@pytest.mark.parametrize(
    ("tags", "changes", "tag"),
    [
        pytest.param((CLIENT,), {}, CLIENT, id="the client"),
        pytest.param(("mine:1", CLIENT), {}, CLIENT, id="tagged by others too"),
        pytest.param((f"localhost/{CLIENT}",), {}, f"localhost/{CLIENT}", id="as podman has it"),
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
