"""A pytest plugin, ``-p tests.soaking``: another order, and what came of the run as JSON. For ``tools/soak``."""

from __future__ import annotations

import json
import platform
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import pytest
import tenacity

from pytest_dockconn.fixtures import session_of

T = TypeVar("T")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("soak", "any order has to do")
    group.addoption("--soak-seed", metavar="SEED", required=True, help="of the order")
    group.addoption("--soak-outcome", metavar="PATH", required=True, type=Path, help="where to write what came of it")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Outcome(config))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = shuffled(items, lambda item: item.path, config.getoption("soak_seed"))


def shuffled(items: Sequence[T], module: Callable[[T], object], seed: str) -> list[T]:
    """The modules in any order, and the tests of each: what a module's tests share is made once, as ever."""
    drawn = random.Random(seed)
    groups = [list(group) for _, group in groupby(items, module)]
    drawn.shuffle(groups)
    for group in groups:
        drawn.shuffle(group)
    return [item for group in groups for item in group]


def asked_by(fn: Callable[..., Any]) -> str:
    """Who asks again: what is asked, and where that is nothing of Python's own making (a socket's ``connect``) who asks it."""
    if getattr(fn, "__module__", None):
        return f"{fn.__module__}.{fn.__qualname__}"
    frame = sys._getframe(2)
    return f"{frame.f_globals['__name__']}.{frame.f_code.co_name}"


def noting(fn: Callable[..., T], seen: list[str]) -> Callable[..., T]:
    """The same, which notes what came of each call: of all but the last, why it was asked again."""

    def asked(*args: Any, **kwargs: Any) -> T:
        try:
            result = fn(*args, **kwargs)
        except BaseException as error:
            seen.append(type(error).__name__)
            raise
        seen.append(reason(result))
        return result

    return asked


def reason(result: object) -> str:
    """In a few words that are the same for the same reason, without the addresses and ids of one test."""
    verdict = getattr(result, "verdict", None)
    if verdict is not None:
        return str(verdict)
    if isinstance(result, Sequence) and not isinstance(result, str):
        return f"{len(result)} left" if result else "none left"
    if isinstance(result, Mapping):
        return str(result.get("state", "something"))
    return str(result) if result is None or isinstance(result, (bool, int)) else type(result).__name__


class Outcome:
    """Counts what the tests come to, and how often the plugin asked again, by what it asked and why."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._counts: Counter[str] = Counter()
        self._failures: list[str] = []
        self._retries: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._counts["failed" if report.when == "call" else "errors"] += 1
            self._failures.append(report.nodeid)
        elif report.skipped or report.when == "call":
            self._counts[report.outcome] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._counts["errors"] += 1
            self._failures.append(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tenacity.Retrying, "__call__", self._counting(tenacity.Retrying.__call__))
            return (yield)

    def _counting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """A first question is no retry."""

        def counting(retrying: tenacity.Retrying, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            seen: list[str] = []
            try:
                return original(retrying, noting(fn, seen), *args, **kwargs)
            finally:
                if (place := asked_by(fn)).startswith("pytest_dockconn"):  # what the tests wait for is theirs
                    self._retries.update(f"{place}: {reason}" for reason in seen[:-1])

        return counting

    def pytest_sessionfinish(self) -> None:
        engine = session_of(self._config).lab.engine
        said = {
            **{word: self._counts[word] for word in ("passed", "failed", "errors", "skipped")},
            "failures": self._failures,
            "retries": dict(self._retries),
            "engine": f"{engine.kind} {engine.version}",
            "python": platform.python_version(),
        }
        path: Path = self._config.getoption("soak_outcome")
        path.write_text(json.dumps(said))
