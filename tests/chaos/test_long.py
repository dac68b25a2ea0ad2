"""More ends, for ``make chaos`` alone: they take their time."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.chaos.harness import GONE, Figures, Start, Suite, Witness, kill_both, settle
from tests.waiting import until

ROOT = Path(__file__).parents[2]


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


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        pytest.param(
            "containers", r"can't commit server1 \([0-9a-f]{12}\): it is not there any more", id="a container"
        ),
        pytest.param(
            "networks", r"network .*(removed|not found|no such)|shares? no network|has no address", id="a network"
        ),
    ],
)
def test_what_somebody_else_took_away(start: Start, witness: Witness, figures: Figures, kind: str, said: str) -> None:
    """The test that needs it fails and names it; that it is gone is no error of the cleanup."""
    suite = start("-k", "test_work", stop="made:wait")
    suite.reached("made")
    mine = {"label": f"dockconn.owner.pid={suite.pid}"}
    for container in witness.api.containers(all=True, filters=mine):
        if kind == "containers":
            witness.api.remove_container(container["Id"], force=True)
    for network in witness.api.networks(filters=mine) if kind == "networks" else ():
        for container in witness.api.inspect_network(network["Id"])["Containers"]:
            witness.api.disconnect_container_from_network(container, network["Id"], force=True)
        witness.api.remove_network(network["Id"])
    suite.go()

    assert suite.ended() == 1, suite.output()

    text = suite.output()
    assert re.search(said, text), text
    assert "left on the engine" not in text
    assert "Traceback" not in text
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


@pytest.mark.parametrize("helper_too", [True, False], ids=["its helper too", "its helper lives"])
def test_killed_inside_the_sweep(start: Start, witness: Witness, figures: Figures, *, helper_too: bool) -> None:
    """After the first thing of several: the run after that sweeps what both have left."""
    first = start(stop="made")
    kill_both(first, "made")
    there = witness.owned(first)
    assert len(there) > 1

    second = start("-p", "tests.chaos.halted_sweep", PYTHONPATH=str(ROOT))
    second.reached("sweeping")
    assert 0 < len(witness.owned(first)) < len(there)
    if helper_too:
        os.kill(until(second.helper, 10), signal.SIGKILL)
    second.signal(signal.SIGKILL)
    assert second.ended() == -signal.SIGKILL
    third = start()
    assert third.ended() == 0, third.output()

    for suite in (first, second, third):
        settle(suite, witness, figures)


@pytest.mark.parametrize("helper_too", [True, False], ids=["its helper too", "its helper lives"])
def test_a_partition_of_others_is_healed(start: Start, witness: Witness, figures: Figures, *, helper_too: bool) -> None:
    """Whose containers live on, with what was set in them."""
    one, other = [name for name in witness.bystanders if name.startswith("container")][:2]
    assert not witness.is_cut(one, other)
    suite = start("-k", "test_cut", stop="cut", CHAOS_CUT=f"{witness.bystanders[one]},{witness.bystanders[other]}")
    suite.reached("cut")
    assert witness.is_cut(one, other)
    if helper_too:
        kill_both(suite, "cut")
        assert witness.is_cut(one, other)
        following = start()
        assert following.ended() == 0, following.output()
        settle(following, witness, figures)
    suite.signal(signal.SIGKILL)
    suite.ended()

    settle(suite, witness, figures)
    assert until(lambda: not witness.is_cut(one, other), GONE)


def test_two_runs_at_once(start: Start, witness: Witness, figures: Figures) -> None:
    """Side by side, one of them killed: the other does not lose a thing."""
    one, other = start(stop="made"), start()
    one.reached("made")
    one.signal(signal.SIGKILL)
    one.ended()

    assert other.ended() == 0, other.output()

    for suite in (one, other):
        settle(suite, witness, figures)


#: All places for temporary files are full, and the folder in which the run begins. What can be written there proves nothing: 99.
FULL = """
for place in /tmp /var/tmp; do
    mount -t tmpfs -o size=16k none $place || exit 98
    cat /dev/zero > $place/filler 2> /dev/null
    (echo word > $place/probe) 2> /dev/null && exit 99
done
cd /tmp
exec "$@"
"""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param((), 0, "2 passed", id="nothing needs it"),
        pytest.param(("--dockconn-reuse",), 1, "No space left on device", id="leases do"),
    ],
)
def test_a_full_disk(
    witness: Witness, figures: Figures, url: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Of the test process: nothing can be written, so pytest itself can't capture by files."""
    if {Path("/tmp"), Path("/var/tmp")} & {*ROOT.parents, *Path(sys.executable).parents}:
        pytest.skip(f"{ROOT} would be hidden by what is mounted over /tmp: run it elsewhere")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        inside = ("unshare", "--mount", "--propagation=private", "sh", "-c", FULL, "sh")
        suite = Suite(Path(folder), url, "--capture=sys", *arguments, inside=inside, env={"TMPDIR": "/tmp"})
        try:
            assert suite.ended() == code, suite.output()
            settle(suite, witness, figures)
            assert said in suite.output()
            assert "Traceback" not in suite.output()
            assert "INTERNALERROR" not in suite.output()
        finally:
            suite.close()
