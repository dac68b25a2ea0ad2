"""More ends, for ``make chaos`` alone: they take their time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.chaos.harness import Figures, Start, Witness, settle, until


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
