"""The engine itself ends, or does not move, while a suite runs: for ``make chaos`` alone, on an engine of their own."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_dockconn import Image, Lab
from tests.chaos.harness import GONE, Figures, Suite, Witness
from tests.conformance import private
from tests.engine.helpers import docker_py
from tests.waiting import until

#: Seconds within which a run has to say that its engine is gone, or hangs.
TOLD = 30.0
#: Seconds for an engine to come, or to go; and for what a helper removes once the engine is back.
ENGINE, BACK = 30.0, 15.0


class Onlooker(Witness):
    """On an engine that is killed. Its bystanders are there, and do not run: nor would they once it is back.

    It would also give each 10 s to end before it answers, and by then a run's helper has given up.
    """

    def stand_by(self) -> None:
        super().stand_by()
        for name, one in self.bystanders.items():
            if name.startswith("container "):
                self.api.kill(one)

    def missing(self) -> list[str]:
        there = self.everything()
        return [name for name, one in self.bystanders.items() if one not in there]


class Daemon:
    """A private engine that can be ended and begun again."""

    def __init__(self, url: str, namespace: str) -> None:
        self.url = url
        self.namespace = namespace
        self.pid = int((Path(url.removeprefix("unix://")).parent / "engine").read_text().split()[0])
        self._argv = Path(f"/proc/{self.pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
        self._log = Path(url.removeprefix("unix://")).parent / "dockerd.log"
        self._again: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        """Without a word; its containers go on until it comes back."""
        process = os.pidfd_open(self.pid)
        os.kill(self.pid, signal.SIGKILL)
        assert select.select([process], [], [], ENGINE)[0], "it does not end"
        os.close(process)

    def begin(self) -> None:
        """Once more, with the same options and the same data."""
        # nobody may have waited for what was killed (its containerd dies with it), and then it counts as running
        for file in (self._after("--pidfile"), self._after("--exec-root") / "containerd" / "containerd.pid"):
            file.unlink(missing_ok=True)
        argv = ["nsenter", f"--net={self.namespace}", *self._argv]
        with self._log.open("ab") as log:
            self._again = subprocess.Popen(argv, stdout=log, stderr=log)
        self.pid = self._again.pid
        assert until(self.answers, ENGINE), f"it does not come back: {self._log.read_text()[-3000:]}"

    def _after(self, option: str) -> Path:
        return Path(self._argv[self._argv.index(option) + 1])

    def answers(self) -> bool:
        asked = subprocess.run(["docker", "-H", self.url, "version"], capture_output=True, check=False)
        return asked.returncode == 0

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)
        if self._again is not None:
            self._again.terminate()
            self._again.wait(ENGINE)


@pytest.fixture
def daemon(dockconn_session: Lab, dockconn_client_image: Image, dockconn_server_image: Image) -> Iterator[Daemon]:
    reason = private.why_not()
    if reason:
        pytest.skip(reason)
    source = docker_py(dockconn_session.engine.url)  # the real one's
    name = f"chaos-{os.getpid()}"
    with private.engine((), name) as url:
        private.copy(source, url, [dockconn_client_image, dockconn_server_image])
        made = Daemon(url, f"/run/netns/dockconn-{name}")
        try:
            yield made
        finally:
            made.end()


@pytest.fixture
def suite(
    daemon: Daemon, tmp_path: Path, dockconn_client_image: Image, dockconn_server_image: Image
) -> Iterator[Suite]:
    images = (
        f"--dockconn-client-image={dockconn_client_image.tag}",
        f"--dockconn-server-image={dockconn_server_image.tag}",
    )
    made = Suite(tmp_path, daemon.url, *images, stop="made:wait", inside=("nsenter", f"--net={daemon.namespace}"))
    yield made
    made.close()


@pytest.fixture
def onlooker(daemon: Daemon, dockconn_client_image: Image) -> Iterator[Witness]:
    with standing_by(Onlooker(daemon.url, dockconn_client_image.id)) as made:
        yield made


@pytest.fixture
def running(daemon: Daemon, dockconn_client_image: Image) -> Iterator[Witness]:
    """Its bystanders run, and have to go on."""
    with standing_by(Witness(daemon.url, dockconn_client_image.id)) as made:
        yield made


@contextlib.contextmanager
def standing_by(witness: Witness) -> Iterator[Witness]:
    try:
        witness.stand_by()
        yield witness
    finally:
        witness.api.close()  # the bystanders go with their engine, which may not answer now


def count(figures: Figures, left: list[str], missing: list[str]) -> None:
    figures.tried += 1
    figures.leftovers += left
    figures.removed += missing
    assert left == []
    assert missing == []


def settled(suite: Suite, witness: Witness, figures: Figures, seconds: float = BACK) -> None:
    """As after every end, but here the helper has to find the engine again first."""
    until(lambda: not witness.owned(suite), seconds)
    count(figures, witness.owned(suite), witness.missing())
    assert until(lambda: not suite.helper(), BACK), "its helper outlives its work"


def told(suite: Suite, words: str) -> None:
    """One clear message, no traceback, and the run is over."""
    assert suite.ended(TOLD) == 1, suite.output()
    text = suite.output()
    assert words in text
    assert "remedy:" in text
    for mark in ("Traceback", "INTERNALERROR", "pytest_dockconn/"):
        assert mark not in text, text


def test_killed_and_begun_again(daemon: Daemon, onlooker: Witness, suite: Suite, figures: Figures) -> None:
    """The helper waits for it, and removes what the run could not."""
    suite.reached("made")
    daemon.kill()
    suite.go()
    told(suite, "lost the engine")

    daemon.begin()

    settled(suite, onlooker, figures)


def test_killed_and_begun_again_much_later(
    daemon: Daemon, onlooker: Witness, suite: Suite, figures: Figures, tmp_path: Path
) -> None:
    """The helper has given up by then; the next run sweeps."""
    suite.reached("made")
    daemon.kill()
    suite.go()
    told(suite, "lost the engine")
    assert until(lambda: not suite.helper(), BACK), "its helper outlives its work"
    daemon.begin()
    assert onlooker.owned(suite) != []

    (tmp_path / "next").mkdir()
    images = [word for word in suite.command if word.startswith("--dockconn-") and "-image=" in word]
    following = Suite(tmp_path / "next", daemon.url, *images, inside=("nsenter", f"--net={daemon.namespace}"))
    try:
        assert following.ended() == 0, following.output()
        assert "removed what a dead run left behind:" in following.output()
        settled(suite, onlooker, figures, 0)  # that run's end waits for its sweep
        settled(following, onlooker, figures, GONE)
    finally:
        following.close()


def test_killed_while_an_image_is_built(
    daemon: Daemon, onlooker: Witness, figures: Figures, tmp_path: Path, dockconn_client_image: Image
) -> None:
    """What it was at comes back with it: a container of a step, and the step before that. Both are found."""
    before = onlooker.everything()
    inside = ("nsenter", f"--net={daemon.namespace}")
    base = f"--dockconn-base={dockconn_client_image.tag}"
    suite = Suite(tmp_path, daemon.url, "-s", base, env={"PYTHONUNBUFFERED": "1"}, inside=inside)
    try:
        assert until(lambda: "Step 4/" in suite.output(), 60), suite.output()
        assert until(lambda: len(onlooker.everything() - before) == 2, 10), "no step is at work"
        daemon.kill()
        told(suite, "lost the engine")
        helper = suite.helper()
        if helper:
            os.kill(helper, signal.SIGKILL)  # else it may still be there when the engine is, and leave nothing to find
    finally:
        suite.close()
    daemon.begin()

    command = [sys.executable, "-m", "pytest_dockconn.cli", "prune", "--engine", daemon.url]
    said = subprocess.run([*inside, *command], capture_output=True, text=True, check=True).stdout

    now = onlooker.everything()
    count(figures, sorted(now - before), sorted(before - now))
    assert "a build that was ended" in said


def test_frozen(daemon: Daemon, running: Witness, suite: Suite, figures: Figures) -> None:
    """It takes connections and does not answer: the run ends with a message, and the helper tidies up once it moves."""
    suite.reached("made")
    os.kill(daemon.pid, signal.SIGSTOP)
    suite.go()
    told(suite, "did not answer within 20 s")

    os.kill(daemon.pid, signal.SIGCONT)

    settled(suite, running, figures)
