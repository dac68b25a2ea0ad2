"""The helper waits while its run lives, goes when it is dismissed, and says on what it heard when the run is dead."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_dockconn import waiter
from pytest_dockconn.actions.guardian import WAIT

#: What the helper becomes: it shows what it was told.
SHOW = (sys.executable, "-c", "import sys; print(sys.stdin.read(), end='became it')")
#: Seconds after which a test gives up.
PATIENCE = 20


needs_pidfd = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="only Linux tells of the end of another's process"
)


@pytest.fixture
def run() -> Iterator[subprocess.Popen[bytes]]:
    """A run that lives until it is told to end."""
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@contextlib.contextmanager
def helper(owner: int, stdin: int = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
    argv = [*WAIT, waiter.__file__, str(owner), *SHOW]
    with subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param(b"unix:///x\nabc\n", "unix:///x\nabc\nbecame it", id="died"),
        pytest.param(b"unix:///x\nabc\ndone\n", "", id="left nothing"),
        pytest.param(b"unix:///x\nabc\nkeep\n", "unix:///x\nabc\nkeep\nbecame it", id="left it for the next run"),
        pytest.param(b"unix:///x\n", "", id="died before it said whose things"),
        pytest.param(b"", "", id="died before it said anything"),
    ],
)
def test_what_the_end_of_the_pipe_means(said: bytes, shown: str) -> None:
    with helper(os.getpid()) as process:
        out, _ = process.communicate(said, timeout=PATIENCE)

    assert (out.decode(), process.returncode) == (shown, 0)


@needs_pidfd
def test_a_child_that_holds_the_pipe_does_not_hide_the_end(run: subprocess.Popen[bytes]) -> None:
    read, write = os.pipe()  # ours is the end that a child of the run would hold
    with helper(run.pid, stdin=read) as process:
        os.close(read)
        os.write(write, b"unix:///x\nabc\n")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)

        run.communicate(b"\n")
        out, _ = process.communicate(timeout=PATIENCE)

    assert out.decode() == "unix:///x\nabc\nbecame it"
    os.close(write)


@needs_pidfd
def test_an_owner_that_was_gone_before_the_helper_looked(run: subprocess.Popen[bytes]) -> None:
    run.communicate(b"\n")
    read, write = os.pipe()
    os.write(write, b"unix:///x\nabc\n")

    with helper(run.pid, stdin=read) as process:
        out, _ = process.communicate(timeout=PATIENCE)

    assert out.decode() == "unix:///x\nabc\nbecame it"
    os.close(read)
    os.close(write)


def test_it_needs_nothing_but_the_standard_library() -> None:
    """It runs without ``site``, so that what is installed is not found."""
    lines = Path(waiter.__file__).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "import " in line and not line.startswith('"')] == [
        "import os",
        "import select",
        "import sys",
    ]
