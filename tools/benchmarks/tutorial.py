"""The tutorial's three tests, from the start of pytest to its exit: five containers come, answer, and go."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_dockconn.actions import prune

from . import processes
from .context import LABEL, Context
from .measure import Outcome, Series, Target, in_turn, known, paired_difference, spread

PEERS = Path(__file__).parent / "peers"
OURS = "pytest-dockconn"
FLOOR = "pytest alone"
LIBRARY = "pytest alone, and docker-py imported"
#: Variant, folder of its tests, arguments of pytest.
PEER_RUNS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("testcontainers", "testcontainers", ()),
    ("pytest-docker-tools", "docker_tools", ("-p", "pytest_docker_tools.plugin")),
    ("docker command", "docker_command", ()),
)
RIVALS = tuple(name for name, _, _ in PEER_RUNS)
#: Each as its documentation has it; and as somebody writes it who knows where its time goes.
TUNED = {name: f"{name}, tuned" for name in RIVALS}
VARIANTS: tuple[tuple[str, str, tuple[str, ...], dict[str, str]], ...] = (
    (OURS, "dockconn", ("-p", "pytest_dockconn.plugin", "--dockconn"), {}),
    *((name, folder, argv, {}) for name, folder, argv in PEER_RUNS),
    *((TUNED[name], folder, argv, {"BENCH_TUNED": "1"}) for name, folder, argv in PEER_RUNS),
    (FLOOR, "bare", (), {}),
)
#: Seconds that a container may outlive the run that made it, before it counts as left behind.
GRACE = 10.0


def job(context: Context) -> Outcome:
    """At most 0.7 of the best of the three peers."""
    lingering: list[float] = []
    variants = {name: _variant(context, folder, argv, more, lingering) for name, folder, argv, more in VARIANTS}
    series = in_turn(variants, context.rounds)
    ours, *_ = series
    best = min((one for one in series if one.name in RIVALS), key=lambda one: one.median)
    tuned = min((one for one in series if one.name in TUNED.values()), key=lambda one: one.median)
    return Outcome(
        "tutorial",
        "the tutorial's three tests, pytest's start to its exit",
        series,
        (Target(f"of the best peer ({best.name})", ours.median / best.median, 0.7),),
        (
            f"of the best tuned peer ({tuned.name}): {ours.median / tuned.median:.2f}",
            f"after pytest's exit the last container was gone within {max(lingering):.2f} s",
        ),
    )


def warm(context: Context) -> Outcome:
    """The three tests again, with ``--dockconn-reuse``: at most 150 ms more than pytest alone."""
    folder, bare = _copied(context, "dockconn"), _copied(context, "bare")
    argv = (*VARIANTS[0][2], "--dockconn-reuse", "--dockconn-lease=10")
    outputs: list[str] = []
    _plugins(context)

    def again() -> float:
        done = processes.pytest([*argv, str(folder)], folder, _surroundings(context))
        outputs.append(done.output)
        return done.seconds

    try:
        series = in_turn(
            {
                "the second run and all after it": again,
                FLOOR: lambda: processes.pytest([str(bare)], bare).seconds,
                LIBRARY: lambda: (
                    processes.pytest(["-p", "imports_docker", str(bare)], bare, _surroundings(context)).seconds
                ),
            },
            context.rounds,
        )
    finally:
        prune.remove(context.session.services.engine, prune.find_kept(context.session.services.engine))
    if any("made" in output.partition("reuse: used again")[2] for output in outputs[1:]):
        raise RuntimeError(f"something was made anew: {outputs[-1]}")
    ours, floor, library = series
    return Outcome(
        "warm",
        "the tutorial's three tests with --dockconn-reuse, when an earlier run left the containers",
        series,
        (Target("on top of pytest alone", paired_difference(ours, floor), 0.15, "s"),),
        (f"to import docker-py, which it does without: {paired_difference(library, floor) * 1000:.0f} ms",),
    )


#: For each thing that a first test wants: the folder of the test, and its pairs of runs for each round. An engine starts a container now
#: in 0.4 s and now in 0.6, so those pairs say little of a helper's milliseconds; a network comes in an even time.
FIRST = {"one container": ("one_client", 6), "one network": ("one_network", 40)}


def helper(context: Context) -> Outcome:
    """From pytest's start to the first thing that a test has wanted: with the helper, and with nobody to clean up after a death."""
    begun = context.folder / "begun"
    surroundings = {**_surroundings(context), "BENCH_BEGUN": str(begun)}

    def variant(folder: Path, *more: str) -> Callable[[], float]:
        def once() -> float:
            start = time.monotonic()  # the same clock for all processes
            done = processes.pytest([*VARIANTS[0][2], *more, str(folder)], folder, surroundings)
            _until_gone(context, done.pid)
            return float(begun.read_text()) - start

        return once

    _plugins(context)
    series: list[Series] = []
    notes: list[str] = []
    for first, (name, pairs) in FIRST.items():
        folder = _copied(context, name)
        runs = {f"{first}, with the helper": variant(folder), f"{first}, without": variant(folder, "-p", "no_helper")}
        series += in_turn(runs, context.rounds * pairs)
        with_it, without = series[-2:]
        notes.append(
            f"{first}: it adds {paired_difference(with_it, without) * 1000:.1f} ms (median of {len(with_it.seconds)} pairs, "
            f"known to {known(with_it, without) * 1000:.1f} ms; quartiles {spread(with_it, without) * 1000:.0f} ms apart)"
        )
    target = Target("the helper adds, before one network is there", paired_difference(*series[-2:]), 0.01, "s")
    return Outcome(
        "helper",
        "pytest's start to the first thing there, with the helper and without it",
        tuple(series),
        (target,),
        tuple(notes),
    )


#: A plugin that takes the helper away.
NO_HELPER = """
def pytest_configure(config):
    from pytest_dockconn.actions.guardian import Guardian
    Guardian.start = lambda self: None
"""


def _plugins(context: Context) -> None:
    folder = context.folder / "plugins"
    folder.mkdir(exist_ok=True)
    (folder / "no_helper.py").write_text(NO_HELPER)
    (folder / "imports_docker.py").write_text("import docker\n")


def _copied(context: Context, folder: str) -> Path:
    place = context.folder / folder
    shutil.copytree(PEERS / folder, place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    return place


def _surroundings(context: Context) -> dict[str, str]:
    return {
        "BENCH_LABEL": LABEL,
        "BENCH_CLIENT_IMAGE": context.image("client"),
        "BENCH_SERVER_IMAGE": context.image("server"),
        "DOCKER_HOST": context.session.services.engine.url,
        "PYTHONPATH": str(context.folder / "plugins"),
    }


def _variant(
    context: Context, folder: str, argv: tuple[str, ...], more: Mapping[str, str], lingering: list[float]
) -> Callable[[], float]:
    place = _copied(context, folder)
    extra = {**_surroundings(context), **more}

    def once() -> float:
        done = processes.pytest([*argv, str(place)], place, extra)
        lingering.append(_until_gone(context, done.pid))
        return done.seconds

    return once


def _until_gone(context: Context, pid: int) -> float:
    """The seconds until everything that the run made is off the engine. The next one starts on a quiet engine."""
    begun = time.perf_counter()
    while left := context.left(pid):
        if time.perf_counter() - begun > GRACE:
            raise RuntimeError(f"left behind: {', '.join(one[:12] for one in left)}")
        time.sleep(0.005)
    return time.perf_counter() - begun
