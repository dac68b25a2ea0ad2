"""pytest's hooks. Thin: without ``--dockconn`` nothing but this file, the options and the fixtures is loaded."""

from __future__ import annotations

import pytest

from . import options
from .fixtures import *  # noqa: F403 - pytest finds fixtures in the plugin's module
from .selection import needs_engine
from .state import KEY, SKIP_REASON


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker; with ``--dockconn`` find the engine, or end the run with status 4 and one message."""
    config.addinivalue_line(
        "markers",
        "dockconn(requires=[...]): needs a container engine; is skipped, with the reason, where the engine lacks one of the capabilities",
    )
    settings = options.settings(config)
    if not settings.enabled or config.option.help or config.option.collectonly:
        return
    from .active import Active, opened  # noqa: PLC0415 - heavy, and only needed here

    run = opened(config, settings)
    config.stash[KEY] = run
    config.pluginmanager.register(Active(config, run), "dockconn-active")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs an engine when there is to be none."""
    if KEY in config.stash or config.option.collectonly:
        return
    for item in items:
        if needs_engine(item):
            item.add_marker(pytest.mark.skip(reason=SKIP_REASON))
