"""The hooks of a run with ``--dockconn-report``; nobody else loads them.

What a test said is noted where it runs, and goes with pytest's own report of it to xdist's controller, which writes the files. They are
written when everything is removed, and not before: only then it is known what is left, and which exit status pytest has.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

import pytest
from msgspec.structs import replace

from . import reportfiles
from .errors import DockconnError, ReachabilityError
from .logic.secrecy import hidden, secrets
from .model.record import Counts, EngineSeen, Failure, Record, Reuse, Section, Skip
from .report import as_html, as_json, as_markdown
from .report.fitting import fit
from .report.parts import parts
from .run import Run
from .selection import needs_engine
from .text import block, one_line, printable

#: By suffix.
FORMATS: dict[str, Callable[[Record], str]] = {
    ".html": as_html.rendered,
    ".md": as_markdown.rendered,
    ".json": as_json.rendered,
}
#: What a test said, at pytest's report of it.
SAID = "dockconn"
PHASES = ("setup", "call", "teardown")
#: How the sections of a failed test begin that are ours; what pytest captured may be anything.
OURS = ("dockconn: ", "output of ")
#: Characters of a line on the terminal at the most.
SHOWN = 2000
#: Where pytest's words are not those of ``Counts``.
COUNTS = {"error": "errors"}


def register(config: pytest.Config, run: Run) -> None:
    """Note what tests say; and where it all comes together, write."""
    hide = secrets(os.environ, filter(None, [run.settings.engine]))
    config.pluginmanager.register(Noting(run, hide), "dockconn-noting")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reporting(config, run, hide), "dockconn-reporting")


class Noting:
    """Registered wherever tests run."""

    def __init__(self, run: Run, hide: tuple[str, ...]) -> None:
        self._run = run
        self._hide = hide

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """What a test said, as plain data that xdist can send: text that can be encoded, no objects."""
        report = yield
        error = call.excinfo.value if call.excinfo else None
        if needs_engine(item) or isinstance(error, (DockconnError, ReachabilityError)):
            setattr(report, SAID, self._said(call.excinfo))
        return report

    def _said(self, info: pytest.ExceptionInfo[BaseException] | None) -> dict[str, Any]:
        if info is None:
            return {}
        error = info.value
        if isinstance(error, pytest.skip.Exception):
            reason = str(error.msg)
            return {"reason": self._fit(reason), "lacks": list(self._run.lacks.get(reason, ()))}
        ours = isinstance(error, (DockconnError, ReachabilityError))
        # of others, no line may pass for evidence or a remedy of ours
        return {"error": type(error).__name__, "text": self._fit(str(error) if ours else block(info.exconly()))}

    def _fit(self, text: str) -> str:
        return printable(hidden(text, self._hide))  # hidden first: of a secret that is cut in two a half would be left


class Reporting:
    """Registered where all reports come together: in the process itself, or in xdist's controller."""

    def __init__(self, config: pytest.Config, run: Run, hide: tuple[str, ...]) -> None:
        self._config = config
        self._run = run
        self._hide = hide
        self._began, self._clock = datetime.now(timezone.utc), time.perf_counter()
        self._session: pytest.Session | None = None
        self._engine: EngineSeen | None = None
        self._counts: Counter[str] = Counter()
        self._failures: list[Failure] = []
        self._skipped: list[Skip] = []
        self._notes: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """There is a session to tell of. Who the engine is, is asked now: it may be gone at the end."""
        self._session = session
        try:
            self._engine = _seen(self._run)
        except DockconnError as error:
            self._notes.append(f"the engine: {error.cause}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """What could not be collected is not among the tests, and nobody knows whether it needs the engine."""
        if report.failed:
            last = next((line for line in reversed(report.longreprtext.splitlines()) if line.strip()), "")
            self._notes.append(f"not collected: {report.nodeid}: {last.removeprefix('E').strip()}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test is over."""
        if report.when not in PHASES and report.failed:  # xdist's own: of a worker that crashed
            self._notes.append(f"{report.nodeid}: {report.longreprtext}")
        said: Mapping[str, Any] | None = getattr(report, SAID, None)
        if said is None:
            return
        status = self._config.hook.pytest_report_teststatus(report=report, config=self._config)
        category = status[0] if status else _category(report)
        self._counts[COUNTS.get(category, category)] += 1
        if category in ("failed", "error"):
            self._failures.append(_failure(report, said))
        elif category == "skipped":
            self._skipped.append(Skip(report.nodeid, said.get("reason", ""), tuple(said.get("lacks", ()))))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, or ``pytest.exit``."""
        self._notes.append(f"ended early: {excinfo.exconly()}")

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Of pytest, or of a plugin."""
        self._notes.append(f"internal error: {excinfo.exconly()}")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """After everything was removed: write."""
        if self._session is None or self._run.forked:
            return  # no test was to be run; or a fork: the report is its parent's
        try:
            self._write(self._session)
        except KeyboardInterrupt:  # here pytest expects none
            self._session.exitstatus = pytest.ExitCode.INTERRUPTED
            self._say("dockconn: interrupted while the report was written", bad=True)

    def _write(self, session: pytest.Session) -> None:
        record = self._record(session)
        problems = self._written(record, self._run.settings.report)
        if problems and session.exitstatus == pytest.ExitCode.OK:
            # whoever asks for a report looks at it in place of the log: without it the run must not look green. 1 and not 3
            # or 4: pytest works, and the options were right
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        done = [path for path in self._run.settings.report if path not in problems]
        if problems and done:  # they say what came of the run, so of this too
            notes = (*record.notes, *problems.values())
            status = int(session.exitstatus)
            problems |= self._written(replace(record, notes=notes, exit_status=status), done)
        for path in self._run.settings.report:
            self._say(problems.get(path, f"dockconn: report: {path}"), bad=path in problems)

    def _written(self, record: Record, paths: tuple[str, ...] | list[str]) -> dict[str, str]:
        """Why which could not be written."""
        problems = {}
        for path in paths:
            try:
                reportfiles.write(path, FORMATS[reportfiles.suffix(path)](fit(record, self._hide)))
            except Exception as error:  # whatever it is, the tests have been run, and the other reports can be written
                problems[path] = (
                    f"dockconn: the report {path} could not be written: {reportfiles.why(error)} (checked: a new file beside it; "
                    "remedy: free space there, or name another place)"
                )
        return problems

    def _record(self, session: pytest.Session) -> Record:
        run = self._run
        stopped = session.shouldfail or session.shouldstop
        notes = [*self._notes, *([f"ended early: {stopped}"] if stopped else []), run.late, run.gave_up]
        return Record(
            plugin=_version(),
            started=self._began.isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - self._clock, 3),
            exit_status=int(session.exitstatus),
            engine=self._engine,
            tests=Counts(**{name: self._counts[name] for name in Counts.__struct_fields__}),
            notes=tuple(dict.fromkeys(filter(None, notes))),
            failures=tuple(self._failures),
            skipped=tuple(self._skipped),
            questions=tuple(run.asked),
            reuse=Reuse(**run.reused()._asdict()),
            # an engine that is gone says the same of every container
            left=tuple(dict.fromkeys([*run.close(), *run.worker_left])),
        )

    def _say(self, line: str, *, bad: bool) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        text = one_line(hidden(line, self._hide), SHOWN)
        if reporter is None:
            if bad:
                sys.stderr.write(f"{text}\n")
        elif bad or reporter.verbosity >= 0:
            reporter.write_line(text, red=bad)


def _seen(run: Run) -> EngineSeen:
    engine, version, info = run.lab.engine, run.session.services.version, run.session.services.known_info
    name, subnet = run.bridge
    return EngineSeen(
        kind=engine.kind,
        version=engine.version,
        api_version=engine.api_version,
        url=engine.url,
        platform="/".join(filter(None, (version.os, version.arch))),
        host_os=info.operating_system if info else "",
        bridge=name,
        subnet=subnet,
    )


def _category(report: pytest.TestReport) -> str:
    """pytest's word for a phase; without its terminal nobody there says it."""
    if report.failed:
        return "failed" if report.when == "call" else "error"
    return "skipped" if report.skipped else "passed" if report.when == "call" else ""


def _failure(report: pytest.TestReport, said: Mapping[str, Any]) -> Failure:
    text = said.get("text") or report.longreprtext  # of a strict xfail that passed nothing was raised
    found = parts(text)
    return Failure(
        test=report.nodeid,
        phase=report.when or "",
        error=said.get("error", ""),
        message=found["message"][0],
        evidence=tuple(found["evidence"]),
        checked="\n".join(found["checked"]),
        remedy="\n".join(found["remedy"]),
        text=text,
        sections=tuple(Section(title, body) for title, body in report.sections if title.startswith(OURS)),
    )


def _version() -> str:
    try:
        return metadata.version("pytest-dockconn")
    except metadata.PackageNotFoundError:
        return "unknown"
