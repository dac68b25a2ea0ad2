"""What all tests share."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tenacity
from hypothesis import settings

from pytest_dockconn.fixtures import session_of
from tests.shared import Shared

pytest_plugins = ["pytester"]

# How long an example takes says how busy the machine is. In CI the same examples each time; elsewhere new ones.
settings.register_profile("dockconn", deadline=None, max_examples=40, derandomize=bool(os.environ.get("CI")))
settings.load_profile("dockconn")

#: Of ``tools/soak``: the seed of another order, and the file for the count of retries.
SHUFFLE, RETRIES = os.environ.get("DOCKCONN_SHUFFLE", ""), os.environ.get("DOCKCONN_RETRIES", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Any order has to do."""
    if SHUFFLE:
        random.Random(SHUFFLE).shuffle(items)


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> Shared:
    """Of the engine of the run."""
    return Shared(session_of(request.config).new_lab)


@pytest.fixture(scope="session", autouse=bool(RETRIES))
def counted_retries() -> Iterator[None]:
    """How often the plugin asked again, by what it asked; a first question that does is none."""
    counts: Counter[str] = Counter()
    original = tenacity.Retrying.__call__

    def counting(self: tenacity.Retrying, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return original(self, fn, *args, **kwargs)
        finally:
            name = f"{fn.__module__}.{fn.__qualname__}"
            counts[name] += int(self.statistics.get("attempt_number", 1)) - 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tenacity.Retrying, "__call__", counting)
        yield
    Path(RETRIES).write_text(json.dumps({name: n for name, n in counts.items() if n}))
