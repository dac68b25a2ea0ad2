"""pytest's hooks. Thin: without ``--dockconn`` nothing but this file, the options and the fixtures is loaded."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .run import Run


@contextlib.contextmanager
def as_they_are() -> Iterator[None]:
    """Modules that are loaded meanwhile are not rewritten by pytest.

    It takes all modules of an installed plugin for tests, and where it can't write its own cache (a read-only
    site-packages, PYTHONDONTWRITEBYTECODE) it parses, rewrites and compiles them anew in every run: 0.25 s of CPU.
    """
    place = next((at for at, f in enumerate(sys.meta_path) if type(f).__name__ == "AssertionRewritingHook"), None)
    finder = None if place is None else sys.meta_path.pop(place)
    try:
        yield
    finally:
        if place is not None and finder is not None:
            sys.meta_path.insert(place, finder)


with as_they_are():
    from . import options
    from .fixtures import *  # noqa: F403 - pytest finds fixtures in the plugin's module
    from .fixtures import KEY, SKIP_REASON

#: pytest's options that only show something; those of plugins that were switched off are not there.
SHOW = ("help", "collectonly", "markers", "showfixtures", "show_fixtures_per_test", "setupplan", "cacheshow")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker; with ``--dockconn`` find the engine, or end the run with status 4 and one message."""
    config.addinivalue_line(
        "markers",
        "dockconn(requires=[...]): needs a container engine; is skipped, with the reason, where the engine lacks one of the capabilities",
    )
    if not options.enabled(config) or _runs_nothing(config):
        return
    settings = options.settings(config)
    with _lasting(), as_they_are():
        from .active import Active, opened  # noqa: PLC0415 - heavy, and only needed here

        run = opened(config, settings)
        if settings.report:
            from . import reporting  # noqa: PLC0415 - only where there is to be a report

            reporting.register(config, run)
    config.stash[KEY] = run
    config.pluginmanager.register(Active(config, run), "dockconn-active")
    if hasattr(config, "workerinput"):
        run.session.warm()
        _register_xdist(config, run)
        return
    if not getattr(config.option, "numprocesses", None):  # else it is xdist's controller, which runs no test
        run.session.warm()
    run.sweep()  # once, also where there are workers
    if hasattr(config.hook, "pytest_testnodedown"):  # of xdist, under whatever name it was loaded
        _register_xdist(config, run)


def _register_xdist(config: pytest.Config, run: Run) -> None:
    from .xdist import Controller, Worker  # noqa: PLC0415 - only where xdist is

    part = Worker(config, run) if hasattr(config, "workerinput") else Controller(run)
    config.pluginmanager.register(part, "dockconn-xdist")


@contextlib.contextmanager
def _lasting() -> Iterator[None]:
    """What is loaded meanwhile lasts as long as the process, so garbage is not looked for in it, now or later.

    pytest ends with five full collections and Python itself with more: 0.1 s of every run of three tests (0.085 s of 0.46 with all warm).
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
    # Once a process: where pytest runs again in one that goes on, its garbage must not pile up.
    if hasattr(gc, "freeze") and not gc.get_freeze_count():
        gc.freeze()


def _runs_nothing(config: pytest.Config) -> bool:
    """Whether no test will run, so that no engine is needed."""
    return any(getattr(config.option, name, None) for name in SHOW)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs an engine when there is to be none."""
    if not items or KEY in config.stash or _runs_nothing(config):
        return
    from .selection import needs_engine  # noqa: PLC0415 - only where there are tests

    for item in items:
        if needs_engine(item):
            item.add_marker(pytest.mark.skip(reason=SKIP_REASON))
