"""What all tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from pytest_dockconn.fixtures import session_of
from tests.shared import Shared

pytest_plugins = ["pytester"]

# How long an example takes says how busy the machine is. In CI the same examples each time; elsewhere new ones.
settings.register_profile("dockconn", deadline=None, max_examples=40, derandomize=bool(os.environ.get("CI")))
settings.load_profile("dockconn")


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> Shared:
    """Of the engine of the run."""
    return Shared(session_of(request.config).new_lab)
