"""What the ends share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_dockconn import Image, Lab
from tests.chaos.harness import GONE, Figures, Start, Suite, Witness
from tests.waiting import until

LONG = ["test_engine.py", "test_long.py", "test_side_by_side.py"]
FULL = bool(os.environ.get("DOCKCONN_CHAOS"))
collect_ignore = ["inner.py", "side_by_side_inner.py", *([] if FULL else LONG)]


@pytest.fixture(scope="package")
def url(dockconn_session: Lab) -> str:
    return dockconn_session._services.engine.url


@pytest.fixture(scope="package")
def figures() -> Iterator[Figures]:
    made = Figures()
    yield made
    print(f"\nchaos: {made} ")


@pytest.fixture(scope="package")
def witness(url: str, dockconn_client_image: Image, dockconn_server_image: Image) -> Iterator[Witness]:
    made = Witness(url, dockconn_client_image.id)
    before = made.everything()
    try:
        made.stand_by()
        yield made
        made.leave()
        if FULL:  # on an engine that nobody else uses: whatever its labels say, if it has any
            assert until(lambda: not made.everything() - before, GONE), made.everything() - before
    finally:
        made.close()


@pytest.fixture
def start(tmp_path: Path, url: str) -> Iterator[Start]:
    suites: list[Suite] = []

    def begin(*arguments: str, stop: str = "", **env: str) -> Suite:
        folder = tmp_path / str(len(suites))
        folder.mkdir()
        suites.append(Suite(folder, url, *arguments, stop=stop, env=env))
        return suites[-1]

    yield begin
    for suite in suites:
        suite.close()
