"""However a run ends, nothing of it is left, and nothing of others is gone. ``make chaos`` for the long form."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_dockconn import Image, Lab
from tests.chaos.harness import HELPER, Figures, Suite, Witness, until

#: Random moments for kill -9: a few here, a hundred in ``make chaos``.
KILLS = int(os.environ.get("DOCKCONN_CHAOS_KILLS", "4"))
SEED = os.environ.get("DOCKCONN_CHAOS_SEED") or str(random.randrange(10**6))


@pytest.fixture(scope="module")
def url(dockconn_session: Lab) -> str:
    return dockconn_session._services.engine.url


@pytest.fixture(scope="module")
def figures() -> Iterator[Figures]:
    made = Figures()
    yield made
    print(f"\nchaos: {made} (seed {SEED})")


@pytest.fixture(scope="module")
def witness(url: str, dockconn_client_image: Image, dockconn_server_image: Image) -> Iterator[Witness]:
    made = Witness(url, dockconn_client_image.id)
    try:
        made.stand_by()
        yield made
    finally:
        made.close()


Start = Callable[..., Suite]


@pytest.fixture
def start(tmp_path: Path, url: str) -> Iterator[Start]:
    suites: list[Suite] = []

    def begin(*arguments: str, stop: str = "", **env: str) -> Suite:
        folder = tmp_path / str(len(suites))
        folder.mkdir()
        suites.append(Suite(folder, url, *arguments, stop=stop, env=env))
        return suites[-1]

    yield begin
    for suite in suites:
        suite.close()


@dataclass(frozen=True)
class End:
    """Where the suite stops, what is done to it there, and how it ends; ``said`` is in its output."""

    name: str
    stop: str
    act: Callable[[Suite], None] | None = None
    code: int | None = None
    said: str = ""
    arguments: tuple[str, ...] = ()


def send(where: str, *numbers: int) -> Callable[[Suite], None]:
    def act(suite: Suite) -> None:
        suite.reached(where)
        for number in numbers:
            suite.signal(number)

    return act


def kill_helper(suite: Suite) -> None:
    """The run goes on without it and tidies up by itself."""
    suite.reached("made")
    os.kill(until(suite.helper, 5), signal.SIGKILL)
    suite.signal(signal.SIGINT)


def twice(where: str) -> Callable[[Suite], None]:
    """The second Ctrl-C comes while pytest is on its way out."""

    def act(suite: Suite) -> None:
        suite.reached(where)
        suite.signal(signal.SIGINT)
        until(lambda: "KeyboardInterrupt" in suite.output() or suite.process.poll() is not None, 5)
        suite.signal(signal.SIGINT)

    return act


ENDS = [
    End("all is well", "", code=0, said="2 passed"),
    End("assertion", "none:assertion", code=1, said="as it was wanted"),
    End("error in a fixture half-way", "none:fixture", code=1, said="half-way"),
    End("first failure ends it", "none:assertion", code=1, said="stopping after 1 failures", arguments=("-x",)),
    End("maxfail", "none:assertion", code=1, said="stopping after 1 failures", arguments=("--maxfail=1",)),
    End("ctrl-c", "made", send("made", signal.SIGINT), code=2),
    End("ctrl-c in a partition", "partition", send("partition", signal.SIGINT), code=2),
    End("ctrl-c twice", "made", twice("made")),
    End("sigterm", "made", send("made", signal.SIGTERM), code=-signal.SIGTERM),
    End("sighup", "committed", send("committed", signal.SIGHUP), code=-signal.SIGHUP),
    End("kill -9", "committed:kill", code=-signal.SIGKILL),
    End("kill -9 in a partition", "partition:kill", code=-signal.SIGKILL),
    End("os._exit", "partition:exit", code=9),
    End("the helper is killed", "made", kill_helper, code=2),
    End("two workers", "", code=0, said="2 passed", arguments=("-n", "2")),
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.name)
def test_nothing_is_left(start: Start, witness: Witness, figures: Figures, end: End) -> None:
    suite = start(*end.arguments, stop=end.stop)
    if end.act:
        end.act(suite)

    code = suite.ended()
    settle(suite, witness, figures)
    output = suite.output()
    assert end.code is None or code == end.code, output
    assert end.said in output
    assert "INTERNALERROR" not in output


def settle(suite: Suite, witness: Witness, figures: Figures) -> None:
    """Count, and hold it to account."""
    left, missing = witness.left(suite), witness.missing()
    figures.tried += 1
    figures.leftovers += left
    figures.removed += missing
    assert left == []
    assert missing == []
    assert until(lambda: not suite.helper(), HELPER), "its helper outlives its work"


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_a_random_moment(start: Start, witness: Witness, figures: Figures, number: int) -> None:
    """Also before it has begun, while it collects, and while it tidies up."""
    moment = random.Random(f"{SEED}-{number}").uniform(0.1, 5.0)
    suite = start()
    with contextlib.suppress(subprocess.TimeoutExpired):
        suite.process.wait(moment)
    suite.signal(signal.SIGKILL)
    suite.ended()
    settle(suite, witness, figures)


def test_both_killed_and_swept_by_the_next_run(start: Start, witness: Witness, figures: Figures) -> None:
    suite = start(stop="partition")
    suite.reached("partition")
    os.kill(until(suite.helper, 5), signal.SIGKILL)
    suite.signal(signal.SIGKILL)
    suite.ended()
    assert witness.owned(suite.pid) != []

    following = start()
    assert following.ended() == 0, following.output()

    settle(suite, witness, figures)
    assert "removed what a dead run left behind:" in following.output()
    assert f"process {suite.pid} of " in following.output()
    settle(following, witness, figures)


def test_both_killed_and_pruned_by_hand(start: Start, witness: Witness, figures: Figures, url: str) -> None:
    suite = start(stop="made")
    suite.reached("made")
    os.kill(until(suite.helper, 5), signal.SIGKILL)
    suite.signal(signal.SIGKILL)
    suite.ended()
    command = [sys.executable, "-m", "pytest_dockconn.cli", "prune", "--engine", url]

    shown = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=True).stdout
    assert f"process {suite.pid} of " in shown
    assert "nothing removed (--dry-run)" in shown
    assert witness.owned(suite.pid) != []
    subprocess.run(command, capture_output=True, text=True, check=True)

    settle(suite, witness, figures)


def test_what_was_removed_behind_our_back_is_no_error(start: Start, witness: Witness, figures: Figures) -> None:
    """A container, and a network, that somebody else took away."""
    suite = start(stop="made")
    suite.reached("made")
    mine = {"label": f"dockconn.owner.pid={suite.pid}"}
    for container in witness.api.containers(all=True, filters=mine):
        witness.api.remove_container(container["Id"], force=True)
    for network in witness.api.networks(filters=mine):
        witness.api.remove_network(network["Id"])
    suite.signal(signal.SIGINT)

    suite.ended()

    assert "left on the engine" not in suite.output()
    settle(suite, witness, figures)


def test_two_runs_at_once(start: Start, witness: Witness, figures: Figures) -> None:
    """Side by side, one of them killed: the other does not lose a thing."""
    one, other = start(stop="made"), start()
    one.reached("made")
    one.signal(signal.SIGKILL)
    one.ended()

    assert other.ended() == 0, other.output()

    for suite in (one, other):
        settle(suite, witness, figures)


def test_a_full_disk(start: Start, witness: Witness, figures: Figures, tmp_path: Path) -> None:
    """Of the test process: no temporary file can be written."""
    full = tmp_path / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(full)], check=True)
    try:
        (full / "filler").write_bytes(b"x" * 4096)
        suite = start(TMPDIR=str(full))
        suite.ended()
        settle(suite, witness, figures)
        assert "INTERNALERROR" not in suite.output()
    finally:
        subprocess.run(["umount", str(full)], check=True)
