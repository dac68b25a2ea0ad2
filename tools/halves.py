"""Two runs of pytest at once: one on the ordinary engine, one on a private engine in a network namespace of its own.

On one engine tests must not run side by side: it gives addresses of one test's containers to the next, and docker 20.10
drops the rules that isolate its networks for a moment whenever one is made. One engine alone leaves two cores idle for half
of the time. What ``tools/test`` and ``tools/soak`` need for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import docker

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.conformance import private  # noqa: E402 - a private engine is among the tests' own means

from pytest_dockconn.actions.services import Services  # noqa: E402
from pytest_dockconn.engine.find import find  # noqa: E402
from pytest_dockconn.model.settings import Settings  # noqa: E402

PYTEST = (sys.executable, "-m", "pytest", "--dockconn")
#: About half of the work, none of which builds an image or asks by the host's own address: a private engine has no way out.
SECOND = (
    "tests/conformance/test_daemon_options.py",
    "tests/conformance/test_expose.py",
    "tests/conformance/test_links.py",
    "tests/contract/test_containers.py",
    "tests/contract/test_networks.py",
    "tests/engine/test_assertions.py",
    "tests/engine/test_hostile.py",
    "tests/engine/test_liars.py",
    "tests/engine/test_links.py",
    "tests/engine/test_matrix.py",
    "tests/engine/test_networks.py",
    "tests/engine/test_partition.py",
    "tests/engine/test_why.py",
    "tests/unit/engine",
)
#: An exit status of pytest: it was interrupted.
INTERRUPTED = 2
#: Has the two images built, as a process, so that it can be interrupted: this file.
BUILD = (sys.executable, __file__)

Say = Callable[[str], None]


def why_one() -> str:
    """Why there can be one run only; empty if there can be two."""
    if os.environ.get("DOCKER_HOST"):
        return "the engine was named by DOCKER_HOST"
    return private.why_not()


def services(say: Say) -> Any:
    """Of the ordinary engine."""
    return Services(find(None), Settings(), say)


@contextlib.contextmanager
def bytecode() -> Iterator[None]:
    """Where Python is told to write no bytecode, it goes to a folder that is removed.

    Else pytest rewrites hypothesis and this plugin anew in each of some hundred runs within the tests, a second of work each.
    """
    if not os.environ.get("PYTHONDONTWRITEBYTECODE"):
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        del os.environ["PYTHONDONTWRITEBYTECODE"]
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        yield


@dataclass
class Half:
    """A run."""

    name: str
    process: subprocess.Popen[bytes]
    begun: float

    def end(self) -> tuple[int, float]:
        """Wait for it; exit status and seconds."""
        return self.process.wait(), time.monotonic() - self.begun


class Halves:
    """Both runs; an interrupt reaches both."""

    def __init__(self) -> None:
        self._running: list[Half] = []
        self.stopped = False
        self._lock = threading.Lock()

    def listen(self) -> None:
        """Hear what ends a program: none of it ends this one, which waits for both runs to tidy up."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, self.interrupt)

    def begin(
        self, name: str, argv: Sequence[str], output: IO[bytes] | None = None, env: Mapping[str, str] | None = None
    ) -> Half | None:
        """Start one; None if all is to stop."""
        with self._lock:
            if self.stopped:
                return None
            # neither is the terminal's own: an interrupt is passed on, once; the second must not read the keyboard either
            where: dict[str, Any] = {"stdout": output, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
            process = subprocess.Popen(argv, cwd=ROOT, env=env, start_new_session=True, **(where if output else {}))
            half = Half(name, process, time.monotonic())
            self._running.append(half)
            if self.stopped:  # meanwhile: the one who stopped it did not see this one
                process.send_signal(signal.SIGINT)
            return half

    def interrupt(self, *_: object) -> None:
        """As Ctrl-C: pytest tidies up."""
        self.stopped = True
        for half in self._running:
            with contextlib.suppress(ProcessLookupError):
                half.process.send_signal(signal.SIGINT)

    def finish(self) -> None:
        """End what still runs, and wait for it."""
        running = [half for half in self._running if half.process.poll() is None]
        if running:
            self.interrupt()
        for half in running:
            half.end()


@dataclass(frozen=True)
class Tagged:
    """What ``private.copy`` wants of an image."""

    tag: str


@dataclass(frozen=True)
class Second:
    """A private engine that has the images of the run."""

    url: str
    namespace: str
    client: str
    server: str

    def argv(self, *arguments: str) -> list[str]:
        """Of pytest, on it."""
        ready = (f"--dockconn-client-image={self.client}", f"--dockconn-server-image={self.server}")
        enter = ("nsenter", f"--net={self.namespace}")
        return [*enter, *PYTEST, f"--dockconn-engine={self.url}", *ready, "-p", "no:cacheprovider", *arguments]


@contextlib.contextmanager
def second_engine(say: Say) -> Iterator[Second]:
    """It ends with the block; the images are those of the ordinary one, which has to have them."""
    private.sweep()
    why = private.why_on_disk()
    if why:
        say(f"the private engine keeps its data on disk: {why}")
    ordinary = services(say)
    client, server = (ordinary.images.get(role).tags[0] for role in ("client", "server"))
    name = f"tests-{os.getpid()}"
    with (
        contextlib.closing(docker.APIClient(base_url=ordinary.engine.url, version="auto")) as source,
        private.engine((), name) as url,
    ):
        private.copy(source, url, [Tagged(client), Tagged(server)])
        yield Second(url, f"/run/netns/dockconn-{name}", client, server)


if __name__ == "__main__":
    services(lambda line: print(f"tools/halves: {line}", file=sys.stderr, flush=True)).images.get("server")
