"""More ends, for ``make chaos`` alone: they take their time."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.harness import GONE, Figures, Start, Witness, kill_both, settle
from tests.waiting import until


def test_both_killed_and_pruned_by_hand(start: Start, witness: Witness, figures: Figures, url: str) -> None:
    suite = start(stop="made")
    kill_both(suite, "made")
    command = [sys.executable, "-m", "pytest_dockconn.cli", "prune", "--engine", url]

    shown = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=True).stdout
    assert f"process {suite.pid} of " in shown
    assert "nothing removed (--dry-run)" in shown
    assert witness.owned(suite) != []
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


@pytest.mark.parametrize("step", [4, 7])
def test_killed_while_an_image_is_built(start: Start, witness: Witness, figures: Figures, step: int) -> None:
    """The engine gives the build up when nobody waits for it any more (docker 20.10), and keeps the steps that were done."""
    marked = f"FROM {witness.image}\nLABEL chaos={os.getpid()}\n".encode()
    base = f"chaos-base:{os.getpid()}"
    for line in witness.api.build(fileobj=io.BytesIO(marked), tag=base, rm=True, decode=True):
        assert "error" not in line, line
    before = witness.everything()
    try:
        suite = start("-s", f"--dockconn-base={base}", PYTHONUNBUFFERED="1")
        assert until(lambda: f"Step {step}/" in suite.output(), 90), suite.output()
        suite.signal(signal.SIGKILL)
        suite.ended()

        settle(suite, witness, figures)
        assert until(lambda: witness.everything() == before, GONE), witness.everything() ^ before
    finally:
        witness.api.remove_image(base)


@pytest.mark.parametrize("moment", [0.3, 0.5, 0.7])
def test_killed_inside_the_sweep(start: Start, witness: Witness, figures: Figures, moment: float) -> None:
    """And its helper too: the run after that sweeps what both have left."""
    first = start(stop="made")
    kill_both(first, "made")

    second = start()
    with contextlib.suppress(subprocess.TimeoutExpired):
        second.process.wait(moment)
    helper = second.helper()
    second.signal(signal.SIGKILL)
    if helper:
        os.kill(helper, signal.SIGKILL)
    second.ended()
    third = start()
    assert third.ended() == 0, third.output()

    for suite in (first, second, third):
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
