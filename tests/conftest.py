"""What all tests share."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With xdist (``make test``): one worker has the engine to itself, the others do what needs none.

    docker 20.10 takes its isolation rules out for a moment while anybody creates a network, so tests of isolation must not
    run beside others that create some.
    """
    for item in items:
        names = getattr(item, "fixturenames", ())
        if item.get_closest_marker("dockconn") or any(n == "dockconn" or n.startswith("dockconn_") for n in names):
            item.add_marker(pytest.mark.xdist_group("engine"))
