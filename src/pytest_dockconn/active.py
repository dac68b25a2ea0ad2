"""The hooks of a run with ``--dockconn``."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from .actions.base import tar_of
from .errors import DockconnError, EngineUnavailable, ReachabilityError, SpecError
from .handles.container import Container
from .lab import Lab
from .logic import bases
from .logic.capabilities import check
from .logic.names import image
from .model.settings import Settings
from .report import summary
from .run import Run
from .selection import MARK, needs_engine
from .terminal import Progress
from .text import ending, one_line

PACKAGE = Path(__file__).parent
#: Lines of a container's output in the report of a failed test.
LOG_LINES = 30
FORKED = (
    "dockconn: this process is a fork of the one that began the run, and what that holds (connections, threads, the helper) "
    "is no fork's\n  checked: the process id\n  remedy:  run tests side by side with pytest-xdist, or without --forked"
)
#: So many of the things that could not be removed are named.
LEFT_SHOWN = 8
#: Characters of a line on the terminal at the most.
SHOWN = 2000


def opened(config: pytest.Config, settings: Settings) -> Run:
    """The run. Raises ``UsageError`` (exit status 4) with one message where an option is wrong or no engine answers."""
    progress = Progress(config)
    config.add_cleanup(progress.end)
    try:
        # a worker writes none, and may be on another machine
        if settings.report and not hasattr(config, "workerinput"):
            from .reportfiles import check as writable  # noqa: PLC0415 - only where there is to be a report

            writable(settings.report)
        base = bases.parse(settings.base)
        if base.kind == "tar":
            tar_of(base)
        for name, what in ((settings.client_image, "client"), (settings.server_image, "server")):
            if name is not None:
                image(name, f"--dockconn-{what}-image")
        return Run(settings, progress.say)
    except DockconnError as error:
        raise pytest.UsageError(f"dockconn: {error}") from None


class Active:
    """Registered where ``--dockconn`` was given."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self._config = config
        self._run = run
        self._wrong = ""
        self._interrupt = False
        self._collected: list[pytest.Item] = []
        self._session: pytest.Session | None = None
        self._early = not any(
            getattr(config.option, name, None)
            for name in ("keyword", "markexpr", "deselect", "lf", "failedfirst", "stepwise")
        )

    def pytest_report_header(self) -> list[str]:
        """Which engine, which version, which bridge; and what an earlier run left for this one."""
        try:
            return [one_line(line, SHOWN) for line in self._run.headers()]
        except DockconnError as error:
            return [one_line(f"dockconn: {error.cause}", SHOWN)]

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Remember what this test will want, unless it may still be deselected."""
        if self._early:
            self._collected.append(item)

    def pytest_collectreport(self) -> None:
        """A file, or a class, is collected: begin to start what its tests will want, all of it at once."""
        collected, self._collected = self._collected, []
        self._begin(collected)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Check the markers, before the first test."""
        try:
            for item in items:
                _requires(item)
        except pytest.UsageError as error:
            if not hasattr(config, "workerinput"):
                raise
            self._wrong = str(error)  # a worker of xdist that ends here takes the controller with it, without a word

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin to start what the selected tests will want."""
        self._begin(session.items)

    def _begin(self, items: Iterable[pytest.Item]) -> None:
        wanted = [item for item in items if not any(item.iter_markers("skip"))]
        self._run.begin(name for item in wanted for name in getattr(item, "fixturenames", ()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip, or fail, where the engine lacks what the marker requires; fail in a fork of the process that began the run."""
        if self._run.forked and needs_engine(item):
            pytest.fail(FORKED, pytrace=False)
        if self._wrong:
            item.session.shouldfail = f"dockconn: {self._wrong}"
            pytest.fail(self._wrong, pytrace=False)
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
            item.session.shouldfail = one_line(f"dockconn: {error.cause}", SHOWN)
        if report.failed and isinstance(error, ReachabilityError):
            report.sections += error.sections
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
                sections.append((one_line(f"output of {container.name} ({container.id[:12]})"), ending(output)))
        return sections

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What was used again; with ``-v``, who reached whom, how, and how fast."""
        if self._run.settings.reuse or self._run.reused().removed:
            terminalreporter.write_line(one_line(self._run.outcome(), SHOWN))
        lines = summary.lines(self._run.asked) if terminalreporter.verbosity >= 1 else []
        if lines:
            terminalreporter.write_sep("-", "dockconn: who reached whom")
        for line in lines:
            terminalreporter.write_line(line)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Somebody wants to be out. (An error in collection, and ``session.shouldstop``, end a run by the same hook.)"""
        self._interrupt = not isinstance(excinfo.value, pytest.Session.Interrupted)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Begin to remove everything: last, as fixtures that -x or Ctrl-C left open end in pytest's own part of this hook."""
        self._session = session
        try:
            self._run.start_closing(interrupted=self._interrupt)
        except KeyboardInterrupt:  # here pytest expects none; it is begun again below
            session.exitstatus = pytest.ExitCode.INTERRUPTED

    def pytest_unconfigure(self) -> None:
        """Wait for it."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        try:
            failed = [*self._run.close(), *self._run.worker_left]
        except KeyboardInterrupt:  # here neither
            failed = []
            self._interrupted(reporter)
        if self._run.late and reporter is not None:
            reporter.write_line(one_line(f"dockconn: {self._run.late}", SHOWN))
        if failed and reporter is not None:
            left = one_line(f"dockconn: left on the engine: {_few(failed)}", SHOWN)
            reporter.write_line(f"{left} (remedy: dockconn prune)", red=True)

    def _interrupted(self, reporter: pytest.TerminalReporter | None) -> None:
        whose = self._run.give_up()
        if self._session is not None:
            self._session.exitstatus = pytest.ExitCode.INTERRUPTED
        if reporter is not None:
            reporter.write_line(f"dockconn: interrupted while things were removed; {whose}", red=True)


def _few(reasons: list[str]) -> str:
    """Each once, and not all of very many: an engine that is gone says the same of every container."""
    different = list(dict.fromkeys(reasons))
    more = len(different) - LEFT_SHOWN
    return "; ".join(different[:LEFT_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _requires(item: pytest.Item) -> tuple[str, ...]:
    """The capabilities that the test's markers name. Raises ``UsageError`` for one that does not exist."""
    wanted: list[str] = []
    for mark in item.iter_markers(MARK):
        try:
            wanted += _named(mark)
        except SpecError as error:
            raise pytest.UsageError(f"{item.nodeid}: {error}") from None
    return tuple(wanted)


def _named(mark: pytest.Mark) -> tuple[str, ...]:
    """The capabilities that one marker names. Raises ``SpecError``."""
    if mark.args or set(mark.kwargs) - {"requires"}:
        raise SpecError(
            "the marker dockconn takes requires=[...] only",
            checked=f"it has {', '.join([*map(repr, mark.args), *mark.kwargs])}",
            remedy='write @pytest.mark.dockconn(requires=["link-env"])',
        )
    names = mark.kwargs.get("requires", ())
    return check([names] if isinstance(names, str) else names)


def _shorten(
    item: pytest.Item, info: pytest.ExceptionInfo[BaseException], report: pytest.TestReport, error: BaseException
) -> None:
    """Leave the frames of this package out; where only they are left, the message alone."""
    # below the first of ours there may be others, of libraries that it called
    theirs = takewhile(lambda tb: PACKAGE not in Path(tb.tb_frame.f_code.co_filename).parents, _raw(info.tb))
    outside = [tb for tb in theirs if not {"_pytest", "pluggy"} & set(Path(tb.tb_frame.f_code.co_filename).parts)]
    if not outside:
        report.longrepr = info.getrepr(style="value")
        return
    # a new chain, because pytest goes back to the links of the old one when it cuts
    chain: TracebackType | None = None
    for tb in reversed(outside):
        chain = TracebackType(chain, tb.tb_frame, tb.tb_lasti, tb.tb_lineno)
    report.longrepr = item.repr_failure(pytest.ExceptionInfo.from_exception(error.with_traceback(chain)))


def _raw(tb: TracebackType | None) -> Iterator[TracebackType]:
    while tb is not None:
        yield tb
        tb = tb.tb_next


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
