"""Which images are ours."""

from __future__ import annotations

import pytest

from pytest_dockconn import labels
from pytest_dockconn.logic.images import built_tag

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
