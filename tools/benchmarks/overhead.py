"""What the plugin costs those who don't use it, and a second look-up of its images."""

from __future__ import annotations

from pytest_dockconn.actions.images import Images
from pytest_dockconn.logic import bases
from pytest_dockconn.model.settings import Settings

from . import processes
from .context import Context
from .measure import Outcome, Series, Target, in_turn, paired_difference, timed

NOTHING_COLLECTED = 5
WITH, WITHOUT = "with the plugin", "without"
PLUGIN = ("-p", "pytest_dockconn.plugin")
#: Asked in a process of its own: what did the plugin import?
IMPORTS = (
    "import sys, pytest; pytest.main(sys.argv[1:]); print(sorted({'docker', 'requests', 'urllib3'} & set(sys.modules)))"
)


def collect(context: Context) -> Outcome:
    """``pytest --collect-only`` of an empty project: at most 5 ms more, and no import of docker."""
    folder = context.folder / "empty"
    folder.mkdir()

    cpu: dict[str, list[float]] = {WITH: [], WITHOUT: []}

    def once(*plugin: str) -> float:
        done = processes.pytest(["--collect-only", *plugin], folder, code=NOTHING_COLLECTED)
        cpu[WITH if plugin else WITHOUT].append(done.cpu)
        return done.seconds

    series = in_turn({WITH: lambda: once(*PLUGIN), WITHOUT: once}, context.rounds * 10)
    computed = tuple(Series(f"CPU, {name}", tuple(seconds[1:])) for name, seconds in cpu.items())
    arguments = ["-c", IMPORTS, "--collect-only", "-q", "-p", "no:cacheprovider", *PLUGIN]
    imported = processes.run(arguments, folder, {}).output.splitlines()[-1]
    return Outcome(
        "collect",
        "pytest --collect-only of an empty project, without --dockconn",
        (*series, *computed),
        (
            Target("on top (median of the rounds' differences)", paired_difference(*series), 0.005, "s"),
            Target("heavy modules that it imports", 0.0 if imported == "[]" else 1.0, 0.0),
        ),
        (
            f"on top in CPU time: {paired_difference(*computed) * 1000:.1f} ms",
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
