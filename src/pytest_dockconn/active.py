"""The hooks of a run with ``--dockconn``."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from .actions.base import check_tar
from .errors import DockconnError, EngineUnavailable, ReachabilityError, SpecError
from .handles.container import Container
from .lab import Lab
from .logic import bases
from .logic.capabilities import check
from .logic.text import printable
from .model.settings import Settings
from .report import summary
from .selection import MARK, needs_engine
from .state import Run
from .terminal import Progress

PACKAGE = Path(__file__).parent
#: Lines of a container's output in the report of a failed test.
LOG_LINES = 30


def opened(config: pytest.Config, settings: Settings) -> Run:
    """The run. Raises ``UsageError`` (exit status 4) with one message where an option is wrong or no engine answers."""
    progress = Progress(config)
    config.add_cleanup(progress.end)
    try:
        base = bases.parse(settings.base)
        if base.kind == "tar":
            check_tar(Path(base.source).expanduser())
        return Run(settings, progress.say)
    except DockconnError as error:
        raise pytest.UsageError(f"dockconn: {error}") from None


class Active:
    """Registered where ``--dockconn`` was given."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self._config = config
        self._run = run
        self._early = not any(
            getattr(config.option, name, None)
            for name in ("keyword", "markexpr", "deselect", "lf", "failedfirst", "stepwise")
        )

    def pytest_report_header(self) -> str:
        """Which engine, which version, which bridge."""
        try:
            return self._run.header()
        except DockconnError as error:
            return f"dockconn: {error.cause}"

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Begin to start what this test will want, unless it may still be deselected."""
        if self._early:
            self._begin(item)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Check the markers, before the first test."""
        for item in items:
            _requires(item)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin to start what the selected tests will want."""
        for item in session.items:
            self._begin(item)

    def _begin(self, item: pytest.Item) -> None:
        if not any(item.iter_markers("skip")):
            self._run.begin(getattr(item, "fixturenames", ()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip, or fail, where the engine lacks what the marker requires."""
        self._run.session.services.test = item.nodeid
        capabilities = _requires(item)
        if capabilities:
            self._run.require(*capabilities)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Failures of ours without our own frames, and with the output of the test's containers."""
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, (DockconnError, ReachabilityError)):
            error.__cause__, error.__suppress_context__ = None, True
        report = yield
        if isinstance(error, (DockconnError, ReachabilityError)) and call.excinfo is not None:
            _shorten(item, call.excinfo, report, error)
        if isinstance(error, EngineUnavailable):
            item.session.shouldfail = f"dockconn: {error.cause}"
        if report.failed and needs_engine(item):
            report.sections += self._logs(item)
        return report

    def _logs(self, item: pytest.Item) -> list[tuple[str, str]]:
        sections = []
        for container in _containers(item):
            try:
                output = container.services.engine.logs(container.id, tail=LOG_LINES)
            except DockconnError:
                continue
            if output.strip():
                sections.append((f"output of {container.name} ({container.id[:12]})", printable(output)))
        return sections

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """With ``-v``: who reached whom, how, and how fast."""
        if terminalreporter.verbosity < 1 or not self._run.asked:
            return
        terminalreporter.write_sep("-", "dockconn: who reached whom")
        for line in summary.lines(self._run.asked):
            terminalreporter.write_line(line)

    def pytest_sessionfinish(self) -> None:
        """Begin to remove everything."""
        self._run.start_closing()

    def pytest_unconfigure(self) -> None:
        """Wait for it."""
        failed = self._run.close()
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if failed and reporter is not None:
            reporter.write_line(
                "dockconn: left on the engine: " + "; ".join(failed) + " (remedy: dockconn prune)", red=True
            )


def _requires(item: pytest.Item) -> tuple[str, ...]:
    """The capabilities that the test's markers name. Raises ``UsageError`` for one that does not exist."""
    wanted: list[str] = []
    for mark in item.iter_markers(MARK):
        names = mark.kwargs.get("requires", ())
        if mark.args or set(mark.kwargs) - {"requires"}:
            raise pytest.UsageError(f"{item.nodeid}: the marker dockconn takes requires=[...] only")
        try:
            wanted += check([names] if isinstance(names, str) else names)
        except SpecError as error:
            raise pytest.UsageError(f"{item.nodeid}: {error}") from None
    return tuple(wanted)


def _shorten(
    item: pytest.Item, info: pytest.ExceptionInfo[BaseException], report: pytest.TestReport, error: BaseException
) -> None:
    """Leave the frames of this package out; where only they are left, the message alone."""
    theirs = [entry for entry in info.traceback if PACKAGE not in Path(str(entry.path)).parents]
    outside = [
        entry
        for entry in theirs
        if "_pytest" not in Path(str(entry.path)).parts and "pluggy" not in Path(str(entry.path)).parts
    ]
    if not outside:
        report.longrepr = f"{type(error).__name__}: {error}"
    elif len(theirs) < len(info.traceback):
        info.traceback = info.traceback.filter(lambda entry: entry in outside)
        report.longrepr = item.repr_failure(info)


def _containers(item: pytest.Item) -> list[Container]:
    """The containers that a test had in its hands."""
    found: dict[str, Container] = {}
    values: list[Any] = list(getattr(item, "funcargs", {}).values())
    for value in values:
        inside = (
            value.containers
            if isinstance(value, Lab)
            else [value, getattr(value, "source", None), getattr(value, "server", None)]
        )
        found |= {one.id: one for one in inside if isinstance(one, Container)}
    return list(found.values())
