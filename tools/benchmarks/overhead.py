"""What the plugin costs those who don't use it, and a second look-up of its images."""

from __future__ import annotations

from collections.abc import Callable

from pytest_dockconn.actions.images import Images
from pytest_dockconn.logic import bases
from pytest_dockconn.model.settings import Settings

from . import processes
from .context import Context
from .measure import Outcome, Series, Target, in_turn, paired_difference, timed

NOTHING_COLLECTED = 5
WITH, EMPTY, WITHOUT = "with the plugin", "with an empty plugin", "without"
PLUGIN = ("-p", "pytest_dockconn.plugin")
#: For a plugin that it is told to load pytest reads what every installed package says of itself: that is no plugin's doing.
NOTHING = ("-p", "nothing")
#: Asked in a process of its own: what did the plugin import?
IMPORTS = (
    "import sys, pytest; pytest.main(sys.argv[1:]); print(sorted({'docker', 'requests', 'urllib3'} & set(sys.modules)))"
)


def collect(context: Context) -> Outcome:
    """``pytest --collect-only`` of an empty project: at most 5 ms more, and no import of docker."""
    folder, plugins = context.folder / "empty", context.folder / "plugins"
    folder.mkdir()
    plugins.mkdir(exist_ok=True)
    (plugins / "nothing.py").touch()
    cpu: dict[str, list[float]] = {}

    def variant(name: str, plugin: tuple[str, ...]) -> Callable[[], float]:
        def once() -> float:
            arguments = ["--collect-only", *plugin]
            done = processes.pytest(arguments, folder, {"PYTHONPATH": str(plugins)}, code=NOTHING_COLLECTED)
            cpu.setdefault(name, []).append(done.cpu)
            return done.seconds

        return once

    which = {WITH: PLUGIN, EMPTY: NOTHING, WITHOUT: ()}
    series = in_turn({name: variant(name, plugin) for name, plugin in which.items()}, context.rounds * 10)
    computed = tuple(Series(f"CPU, {name}", tuple(cpu[name][1:])) for name in which)
    ours, empty, without = series
    arguments = ["-c", IMPORTS, "--collect-only", "-q", "-p", "no:cacheprovider", *PLUGIN]
    imported = processes.run(arguments, folder, {}).output.splitlines()[-1]
    return Outcome(
        "collect",
        "pytest --collect-only of an empty project, without --dockconn",
        (*series, *computed),
        (
            Target(
                "on top of an empty plugin (median of the rounds' differences)",
                paired_difference(ours, empty),
                0.005,
                "s",
            ),
            Target("heavy modules that it imports", 0.0 if imported == "[]" else 1.0, 0.0),
        ),
        (
            f"in CPU time: {paired_difference(*computed[:2]) * 1000:.1f} ms",
            f"on top of no plugin at all: {paired_difference(ours, without) * 1000:.1f} ms",
            f"of docker, requests, urllib3 it imported: {imported}",
        ),
    )


def images(context: Context) -> Outcome:
    """Both images found by a fresh run on an engine that has them: below 50 ms."""
    services = context.session.services

    def once() -> float:
        fresh = Images(services.engine, Settings(), bases.parse(services.settings.base), services.run, print)
        return timed(lambda: [fresh.get(role) for role in ("client", "server")])

    series = in_turn({"second look-up": once}, context.rounds * 5)
    return Outcome("images", "a second look-up of both images", series, (Target("both", series[0].median, 0.05, "s"),))
