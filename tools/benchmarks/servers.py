"""A server from its creation to its first answer and away again: the lab against the engine's bare API."""

from __future__ import annotations

import http.client
import time

from pytest_dockconn.handles.own import Own

from .context import LABEL, Context
from .measure import Outcome, Series, Target, in_turn, timed

OURS, BARE = "lab.server()", "bare API"
#: Seconds between two looks of the bare API's user. Apache listens 4 ms after its start.
PACE = 0.001


def job(context: Context) -> Outcome:
    """Start and removal: at most 1.15 of the bare API."""
    removals: dict[str, list[float]] = {OURS: [], BARE: []}
    series = in_turn(
        {OURS: lambda: _ours(context, removals), BARE: lambda: _bare(context, removals)}, context.rounds * 3
    )
    gone = tuple(Series(f"removal, {name}", tuple(seconds[1:])) for name, seconds in removals.items())
    return Outcome(
        "server",
        "a wired server: create, start, first answer; then its removal",
        (*series, *gone),
        (
            Target("start, of the bare API", series[0].median / series[1].median, 1.15),
            Target("removal, of the bare API", gone[0].median / gone[1].median, 1.15),
        ),
    )


def _ours(context: Context, removals: dict[str, list[float]]) -> float:
    made: list[Own] = []
    took = timed(lambda: made.append(context.lab.server()))
    removals[OURS].append(timed(made[0].discard))
    context.lab.containers.remove(made[0])
    return took


def _bare(context: Context, removals: dict[str, list[float]]) -> float:
    made: list[str] = []
    took = timed(lambda: made.append(_started(context)))
    removals[BARE].append(timed(lambda: context.api.remove_container(made[0], force=True, v=True)))
    return took


def _started(context: Context) -> str:
    api = context.api
    made = api.create_container(
        context.image("server"), command=["dockconn-serve", "80/tcp"], ports=[80], labels={LABEL: ""}
    )
    container = str(made["Id"])
    api.start(container)
    address = api.inspect_container(container)["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    while not answers(str(address)):
        time.sleep(PACE)
    return container


def answers(address: str) -> bool:
    """Whether a server answers HTTP."""
    connection = http.client.HTTPConnection(address, 80, timeout=1)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
