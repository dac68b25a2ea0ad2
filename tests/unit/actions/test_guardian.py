"""The helper's process ends when its work is over."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from pytest_dockconn.actions.guardian import CODE, Guardian, absolute


def test_it_does_not_wait_for_threads_that_an_engine_keeps_waiting(tmp_path: Path) -> None:
    """Those of a pool are joined when Python ends, however long that takes."""
    (tmp_path / "helper.py").write_text(
        textwrap.dedent("""
            import threading
            from concurrent.futures import ThreadPoolExecutor

            def main():
                ThreadPoolExecutor().submit(threading.Event().wait)
                return 3
        """)
    )

    done = subprocess.run([sys.executable, "-c", CODE, str(tmp_path), "helper"], timeout=30, check=False)

    assert done.returncode == 3


def test_what_is_relative_to_where_pytest_was_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The helper has a working directory of its own, in which there are no certificates, and no libraries."""
    monkeypatch.chdir(tmp_path)
    given = {
        "DOCKER_CERT_PATH": "certs",
        "DOCKER_CONFIG": "/etc/docker",
        "PYTHONPATH": os.pathsep.join(("lib", "/opt")),
    }

    found = absolute({**given, "HOME": "here"})

    assert found == {
        "DOCKER_CERT_PATH": str(tmp_path / "certs"),
        "DOCKER_CONFIG": "/etc/docker",
        "PYTHONPATH": os.pathsep.join((str(tmp_path / "lib"), "/opt")),
        "HOME": "here",
    }
    assert absolute({"HOME": "here"}) == {"HOME": "here"}


def test_without_threads_it_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    guardian = Guardian("unix:///nowhere", "ab12")
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none_left)
        guardian.start()
    assert guardian.pid is None
    guardian.dismiss()
