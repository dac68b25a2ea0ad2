"""The tutorial's three tests, from the start of pytest to its exit: five containers come, answer, and go."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from . import processes
from .context import LABEL, Context
from .measure import Outcome, Target, in_turn

PEERS = Path(__file__).parent / "peers"
OURS = "pytest-dockconn"
FLOOR = "pytest alone"
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


def _variant(
    context: Context, folder: str, argv: tuple[str, ...], more: Mapping[str, str], lingering: list[float]
) -> Callable[[], float]:
    place = context.folder / folder
    shutil.copytree(PEERS / folder, place, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    extra = {
        "BENCH_LABEL": LABEL,
        "BENCH_CLIENT_IMAGE": context.image("client"),
        "BENCH_SERVER_IMAGE": context.image("server"),
        "DOCKER_HOST": context.session.services.engine.url,
        **more,
    }

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
