"""The labels, and what counts as ours."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_dockconn import labels

OURS = {labels.RUN: "ab12", labels.NAME: "dockconn-ab12-server1"}


@pytest.mark.parametrize(
    ("marks", "name", "ours"),
    [
        pytest.param(OURS, "dockconn-ab12-server1", True, id="made by a run"),
        pytest.param({}, "dockconn-ab12-server1", False, id="no labels"),
        pytest.param(OURS, "web", False, id="inherited of an image"),
        pytest.param(OURS, "dockconn-ab12-server2", False, id="another's labels"),
        pytest.param({**OURS, labels.RUN: ""}, "dockconn-ab12-server1", False, id="committed: the run was taken out"),
        pytest.param({labels.NAME: "dockconn-ab12-server1"}, "dockconn-ab12-server1", False, id="no run"),
        pytest.param({labels.RUN: "ab12"}, "dockconn-ab12-server1", False, id="no name"),
        pytest.param({labels.RUN: "x", labels.NAME: "web"}, "web", False, id="a name that is not of ours"),
        pytest.param({labels.RUN: "x", labels.NAME: ""}, "", False, id="empty"),
    ],
)
def test_what_is_ours(marks: dict[str, str], name: str, ours: bool) -> None:
    assert labels.is_ours(marks, name) is ours


def test_what_is_made_is_ours_and_says_whose() -> None:
    marks = labels.made("ab12", "dockconn-ab12-server1", "server")
    assert labels.is_ours(marks, "dockconn-ab12-server1")
    assert marks[labels.ROLE] == "server"
    assert (marks[labels.PID], marks[labels.HOST]) == (str(os.getpid()), socket.gethostname())
    assert all(name == labels.RUN or name.startswith(f"{labels.RUN}.") for name in marks)


def test_the_labels_of_the_owner_are_a_copy() -> None:
    labels.owner()[labels.PID] = "1"
    assert labels.owner()[labels.PID] == str(os.getpid())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_a_process_is_known_by_its_start() -> None:
    assert (labels.process_started(os.getpid()) or "").isdigit()
    assert labels.process_started(os.getpid()) == labels.process_started(os.getpid())
    assert labels.process_started(1) != labels.process_started(os.getpid())
    assert len(labels.boot_id()) == 36


def test_no_such_process() -> None:
    assert labels.process_started(2**22 + 1) == ""


def test_a_name_with_a_bracket_and_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second field of /proc/PID/stat is the name of the program, whatever is in it."""
    stat = "7 (a ) b) S " + " ".join(str(n) for n in range(4, 22)) + " 4711 23"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: stat)
    assert labels.process_started(7) == "4711"


def test_one_that_nobody_has_waited_for_has_ended() -> None:
    """As in a container whose process 1 waits for nobody."""
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert labels.process_started(process.pid) == ""


@pytest.mark.parametrize(
    ("error", "started"),
    [
        pytest.param(PermissionError, None, id="another user's, hidden by hidepid"),
        pytest.param(None, None, id="ours, and not to be seen"),
        pytest.param(ProcessLookupError, "", id="none"),
    ],
)
def test_where_proc_hides_it(monkeypatch: pytest.MonkeyPatch, error: type[OSError] | None, started: str | None) -> None:
    def asked(pid: int, number: int) -> None:
        assert number == 0
        if error is not None:
            raise error

    monkeypatch.setattr(os, "kill", asked)
    assert labels.process_started(2**22 + 1) == started


@pytest.mark.skipif(not shutil.which("ps"), reason="there is no ps")
@pytest.mark.parametrize(("pid", "there"), [(os.getpid(), True), (2**22 + 1, False)])
def test_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch, pid: int, there: bool) -> None:
    """As on macOS: ``ps`` tells."""
    without_proc(monkeypatch)
    started = labels.process_started(pid)
    assert started == labels.process_started(pid)
    assert bool(started) is there
    assert labels.boot_id() == ""


def test_where_nothing_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proc(monkeypatch)
    monkeypatch.setenv("PATH", "")
    assert labels.process_started(os.getpid()) is None


def without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", unreadable)
    monkeypatch.setattr(Path, "exists", lambda _: False)


@pytest.mark.parametrize("there", [True, False])
def test_macos_tells_its_boots_apart(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    without_proc(monkeypatch)
    monkeypatch.setattr(sys, "platform", "darwin")
    asked: list[list[str]] = []

    def run(argv: list[str], **_: object) -> SimpleNamespace:
        asked.append(argv)
        if not there:
            raise FileNotFoundError(argv[0])
        return SimpleNamespace(stdout="9B2F\n")

    monkeypatch.setattr(subprocess, "run", run)
    labels._told_by_sysctl.cache_clear()
    try:
        assert [labels.boot_id(), labels.boot_id()] == [("9B2F" if there else "")] * 2
        assert asked == [["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]]
    finally:
        labels._told_by_sysctl.cache_clear()
