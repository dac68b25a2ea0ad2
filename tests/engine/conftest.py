"""A stage for every set-up."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from pytest_dockconn import Lab
from tests.shared import Shared, Stage


@pytest.fixture
def stage(dockconn: Lab, shared: Shared) -> Iterator[Stage]:
    with contextlib.ExitStack() as undo:
        yield Stage(dockconn, undo, shared)
