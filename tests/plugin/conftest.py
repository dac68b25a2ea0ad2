"""Sessions of pytest inside a test, on an engine in memory."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

# Whatever an inner session imports first is taken out of sys.modules at its end, so that the next one would get twins.
import pytest_dockconn.active
import pytest_dockconn.assertions
import pytest_dockconn.cli
import pytest_dockconn.engine.docker_sdk
import pytest_dockconn.handles.partition
import pytest_dockconn.plugin
from tests.fakes import plugin

ROOT = Path(__file__).parents[2]
#: Of the machine that the tests run on; an inner session would listen to them.
FOREIGN = ("DOCKER_HOST", "DOCKER_CONTEXT", "PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_PLUGINS")
#: By which pytest knows that it runs in CI, where its summary shows whole messages.
IN_CI = ("CI", "BUILD_NUMBER")

__all__ = ["Inner", "pytest_dockconn"]


QUIET = ("-p", "no:cacheprovider")
PLUGINS = [pytest_dockconn.plugin, plugin]


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Without the plugins that are installed, whose imports take longer than a session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        yield


@dataclass
class Inner:
    """Runs inner sessions.

    Attributes:
        pytester: that runs them.
        journal: the file that the fake engine writes what it makes and removes to.
        images: the file that holds its images, for sessions of several processes; none if empty.
    """

    pytester: pytest.Pytester
    journal: Path
    images: str = ""

    def engine(self, kind: str = "docker", version: str = "20.10.24") -> str:
        """The option for an engine in memory."""
        query = {"journal": str(self.journal)} | ({"images": self.images} if self.images else {})
        return f"--dockconn-engine=fake://{kind}/{version}?{urlencode(query)}"

    def write(self, source: str, name: str = "test_inner.py") -> None:
        """A file of the inner session."""
        Path(self.pytester.path, name).write_text(textwrap.dedent(source), encoding="utf-8")

    def run(self, source: str, *args: str, engine: str | None = None) -> pytest.RunResult:
        """A session with ``--dockconn`` in this process, of one file of tests."""
        self.write(source)
        return self.session("--dockconn", engine or self.engine(), *args)

    def session(self, *args: str) -> pytest.RunResult:
        """Any session in this process; no other plugin is loaded, whatever is installed."""
        with _alone():
            return self.pytester.runpytest_inprocess(*QUIET, *args, plugins=PLUGINS, no_reraise_ctrlc=True)

    def bare(self, *args: str) -> pytest.RunResult:
        """A session in a process of its own, without the fake engine and with no other plugin."""
        with _alone():
            return self.pytester.runpytest_subprocess(*QUIET, "-p", "pytest_dockconn.plugin", *args, timeout=30)

    def process(self, *args: str) -> pytest.RunResult:
        """A session in a process of its own, with the fake engine and xdist."""
        return self.bare("-p", "xdist.plugin", "-p", "tests.fakes.plugin", *args)

    def installed(self, *args: str) -> pytest.RunResult:
        """A session in a process of its own, with every plugin that is installed, as a user has it."""
        return self.pytester.runpytest_subprocess(*QUIET, *args, timeout=60)

    def config(self, *args: str) -> pytest.Config:
        """What options come to, without a session."""
        with _alone():
            return self.pytester.parseconfig(*QUIET, "-p", "pytest_dockconn.plugin", *args)

    def said(self, verb: str) -> list[str]:
        """What the journal says was ``made``, ``removed`` or ``built``, in order."""
        if not self.journal.exists():
            return []
        lines = [line.split() for line in self.journal.read_text(encoding="utf-8").splitlines()]
        return [name for what, name in lines if what == verb]

    def made(self) -> list[str]:
        """What was made on the engine, by the names that tests know: without run and lab."""
        return sorted(name.rpartition("-")[2] for name in self.said("made"))

    def left(self) -> list[str]:
        """What was made and not removed."""
        return sorted(set(self.said("made")) - set(self.said("removed")))


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inner]:
    """Inner sessions; nothing of this machine's engines reaches them."""
    for name in (*FOREIGN, *IN_CI):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path]))
    monkeypatch.setenv("COLUMNS", "250")  # lines of the summary are cut where a terminal ends
    # the plugin's locks are in there: nobody waits for a real session that builds at this time
    folder = pytester.mkdir("tmp")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    plugin.opened.clear()
    yield Inner(pytester, pytester.path / "journal.txt")
    for engine in plugin.opened:
        engine.shut_down()
    plugin.opened.clear()


def one_message(result: pytest.RunResult, *words: str, remedy: str = "") -> None:
    """The session ended before its first test: exit status 4, one message with cause, what was checked and remedy."""
    text = result.stdout.str() + "\n" + result.stderr.str()
    assert result.ret == pytest.ExitCode.USAGE_ERROR, text
    assert text.count("ERROR: ") == 1, text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    assert not re.search(r"\d+ (passed|failed|error|skipped)", text), text
    message = text.partition("ERROR: ")[2]
    assert "\n  checked: " in message
    assert "\n  remedy: " in message
    for word in words:
        assert word in message.splitlines()[0], message
    assert remedy in message.partition("\n  remedy: ")[2].splitlines()[0], message
