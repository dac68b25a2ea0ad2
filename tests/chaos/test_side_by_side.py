"""Workers of xdist, and whole runs, side by side on one engine: for ``make chaos`` alone. ``DOCKCONN_CHAOS_ROUNDS`` for more."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import pytest_dockconn
from tests.chaos.harness import Figures, Suite, Witness, settle
from tests.waiting import until

PACKAGE = Path(pytest_dockconn.__file__).parent
INNER = Path(__file__).with_name("side_by_side_inner.py")
ROUNDS = range(int(os.environ.get("DOCKCONN_CHAOS_ROUNDS", "1")))
TESTS = 8 + 3
DISTS = ("load", "loadscope", "worksteal")


class Several:
    """Runs at once; each has to pass, and to leave nothing."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self.suites: list[Suite] = []

    def begin(self, arguments: Sequence[str], stop: str = "", env: dict[str, str] | None = None) -> Suite:
        folder = self._folder / str(len(self.suites))
        folder.mkdir()
        self.suites.append(Suite(folder, self._url, *arguments, stop=stop, env=env, inner=INNER))
        return self.suites[-1]

    def passed(self, witness: Witness, figures: Figures, workers: int = 2) -> None:
        for suite in self.suites:
            assert suite.ended(180) == 0, suite.output()
            assert re.search(rf"\b{TESTS} passed in ", suite.output())
        for suite in self.suites:
            settle(suite, witness, figures)
            assert len(at_work(suite)) == workers, "not all workers had a test to run: nothing has raced"


def at_work(suite: Suite) -> set[int]:
    """The workers that ran tests: those say who they are. There are tests, and scopes, for more of them than are ever asked for."""
    return set(suite.owners()) - {suite.pid}


@pytest.fixture
def several(tmp_path: Path, url: str) -> Iterator[Several]:
    made = Several(tmp_path, url)
    yield made
    for suite in made.suites:
        suite.close()


@contextlib.contextmanager
def tagged(url: str, folder: Path) -> Iterator[Callable[[], list[str]]]:
    """Every tag that the engine gives to an image meanwhile, as often as it does: a build gives one at its end.

    The engine is asked, as workers have no terminal to say on that they build; and while it goes on, as it keeps few events.
    """
    file = folder / "tagged.txt"
    command = ["docker", "-H", url, "events", "--since", str(int(time.time())), "--filter", "type=image"]
    command += ["--filter", "event=tag", "--format", "{{.Actor.Attributes.name}}"]
    with file.open("wb") as out:
        watching = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield lambda: file.read_text().split()
            assert watching.poll() is None, file.read_text()
        finally:
            watching.kill()
            watching.wait()


@pytest.mark.parametrize("number", ROUNDS)
@pytest.mark.parametrize("dist", DISTS)
@pytest.mark.parametrize("workers", [2, 4, 8])
def test_workers(several: Several, witness: Witness, figures: Figures, workers: int, dist: str, number: int) -> None:
    several.begin(("-n", str(workers), "--dist", dist))
    several.passed(witness, figures, workers)


@pytest.mark.parametrize("number", ROUNDS)
def test_two_runs_at_once(several: Several, witness: Witness, figures: Figures, number: int) -> None:
    for _ in range(2):
        several.begin(("-n", "2"))
    several.passed(witness, figures)


def test_two_versions_of_the_dockerfiles_at_once(
    several: Several, witness: Witness, figures: Figures, url: str, tmp_path: Path
) -> None:
    """Each builds its own once, among its workers too, and neither takes the other's."""
    other = tmp_path / "other"
    shutil.copytree(PACKAGE, other / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    with (other / PACKAGE.name / "images" / "client.Dockerfile").open("a", encoding="utf-8") as file:
        file.write(f"ENV CHAOS={os.getpid()}\n")
    before = witness.tags()
    try:
        with tagged(url, tmp_path) as tags:
            several.begin(("-n", "2"))
            several.begin(("-n", "2"), env={"PYTHONPATH": str(other)})
            several.passed(witness, figures)

            new = witness.tags() - before
            assert sorted(tag.partition(":")[0] for tag in new) == ["dockconn-client", "dockconn-server"]
            assert until(lambda: new <= set(tags()), 5), tags()
            assert sorted(tag for tag in tags() if tag in new) == sorted(new), "one was built twice"
    finally:
        for tag in sorted(witness.tags() - before, reverse=True):
            witness.api.remove_image(tag)


@pytest.mark.parametrize("number", ROUNDS)
def test_a_worker_crashes(several: Several, witness: Witness, figures: Figures, number: int) -> None:
    """The others go on; its own helper removes what it had."""
    suite = several.begin(("-n", "2"), stop="crash")
    assert suite.ended(180) == 1, suite.output()
    text = suite.output()
    assert "1 failed" in text
    assert f"{TESTS - 1} passed" in text
    assert "INTERNALERROR" not in text
    settle(suite, witness, figures)
    assert len(at_work(suite)) > 1, "there was no other"
