"""The second net: a small process that removes what a run made when the run dies without a word.

It waits at the read end of a pipe and does nothing until that closes: however this process ends, the kernel closes it. It
has a session of its own, so that Ctrl-C and a closed terminal don't reach it, and it is told the engine's URL by the pipe,
because arguments are seen by everybody.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

#: The folder that holds this package: the helper must find the same one, however it came to be on the path.
HOME = Path(__file__).parents[2]
HOME_PACKAGE = Path(__file__).parents[1].name
#: Seconds that a dismissed helper may take to end.
PATIENCE = 2.0
#: Variables that hold a path, which may be relative to where pytest was started.
PATHS = ("DOCKER_CERT_PATH", "DOCKER_CONFIG")
WAITER = Path(__file__).parents[1] / "waiter.py"
#: Without ``site`` and what it reads: 10 ms of CPU instead of 28.
WAIT = (sys.executable, "-I", "-S")
MODULE = f"{HOME_PACKAGE}.reaper"
#: It ends without waiting for threads: those that an engine keeps waiting would be joined, else, one after the other.
CODE = "import os, sys, importlib; sys.path.insert(0, sys.argv.pop(1)); os._exit(importlib.import_module(sys.argv.pop(1)).main())"


def absolute(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables by which the helper finds the engine and its libraries, in a working directory of its own."""
    changed = {name: os.path.abspath(environ[name]) for name in PATHS if environ.get(name)}  # noqa: PTH100 - it is text, perhaps of nothing there
    if environ.get("PYTHONPATH"):
        changed["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, environ["PYTHONPATH"].split(os.pathsep)))
    return {**environ, **changed}


class Guardian:
    """The helper of one run. Starting it costs this process a few milliseconds, in a thread."""

    def __init__(self, url: str, run: str) -> None:
        self._url = url
        self._run = run
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the helper, once; returns at once."""
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._start, name="dockconn-guardian", daemon=True)
                with contextlib.suppress(RuntimeError):  # the system has no more of them: then without a helper
                    thread.start()
                    self._thread = thread

    @property
    def pid(self) -> int | None:
        """The helper's process id, once it has started; None where it could not, was dismissed, or has ended."""
        with self._lock:
            thread = self._thread
        if thread is None:
            return None
        thread.join()
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def _start(self) -> None:
        with contextlib.suppress(OSError):
            process = subprocess.Popen(  # noqa: S603
                [*WAIT, str(WAITER), str(os.getpid()), sys.executable, "-c", CODE, str(HOME), MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
                env=absolute(os.environ),
            )
            self._process = process
            assert process.stdin is not None
            process.stdin.write(f"{self._url}\n{self._run}\n".encode())
            process.stdin.flush()

    def dismiss(self) -> None:
        """All is removed: the helper has nothing to do and ends."""
        self._end(b"done\n")

    def keep(self) -> None:
        """What is left is for the next run: the helper removes it when its lease is over, and outlives this process."""
        self._end(b"keep\n", wait=False)

    def abandon(self) -> None:
        """Something is left: the helper tries for a while, and this process need not wait for it."""
        self._end(b"", wait=False)

    def _end(self, word: bytes, *, wait: bool = True) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.join()
        process = self._process
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):  # it was killed
            process.stdin.write(word)
            process.stdin.flush()
        with contextlib.suppress(OSError):
            process.stdin.close()
        if wait:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
        if process.returncode is None:
            process.returncode = 0  # it may outlive this process: no warning about that when the object goes
