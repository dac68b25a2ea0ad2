"""Probes: one, a hundred, and the proof that something can't be reached."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from pytest_dockconn import Verdict, assert_unreachable

from .context import Context
from .measure import Outcome, Target, in_turn, timed

CURL = "docker exec curl"
#: Probes in a row, of which the median counts: one is shorter than what a disturbance takes.
ROW = 25


def in_a_row(work: Callable[[], object]) -> float:
    """The median of several calls."""
    return statistics.median(timed(work) for _ in range(ROW))


def one(context: Context) -> Outcome:
    """A probe after the source's first: at most 1/50 of ``docker exec curl``."""
    client, server = context.lab.client(), context.lab.server()
    port = server.port(80)
    assert client.probe(port)
    series = in_turn(
        {
            "probe": lambda: in_a_row(lambda: client.probe(port)),
            CURL: lambda: timed(lambda: context.docker("exec", client.id, "curl", "-sf", "-o", "/dev/null", port.url)),
        },
        context.rounds * 10,
    )
    ours, theirs = series
    return Outcome(
        "probe",
        "one probe from a container that has been asked before",
        series,
        (Target(f"of {CURL}", ours.median / theirs.median, 1 / 50),),
    )


def hundred(context: Context) -> Outcome:
    """100 probes from one source, in one call: at most 100 ms."""
    client, server = context.lab.client(), context.lab.server()
    ports = [server.port(80)] * 100

    def once() -> float:
        seen = []
        took = timed(lambda: seen.extend(client.probe_many(ports)))
        assert len(seen) == 100
        assert all(seen)
        return took

    series = in_turn({"100 probes": once}, context.rounds * 5)
    return Outcome(
        "probes", "100 probes from one source, in one call", series, (Target("100 probes", series[0].median, 0.1, "s"),)
    )


def refused(context: Context) -> Outcome:
    """The proof with its controls before and after: at most ten times a bare probe."""
    client, server = context.lab.client(), context.lab.server(bind={80: None})
    port = server.bound_port(80)  # of the host's 127.0.0.1: by the client's gateway nobody listens
    assert client.probe(port).verdict is Verdict.REFUSED
    assert_unreachable(client, port, because=Verdict.REFUSED)
    reachable = server.port(80)
    series = in_turn(
        {
            "assert_unreachable": lambda: in_a_row(lambda: assert_unreachable(client, port)),
            "bare probe": lambda: in_a_row(lambda: client.probe(port)),
            "bare probe that is answered": lambda: in_a_row(lambda: client.probe(reachable)),
        },
        context.rounds * 10,
    )
    return Outcome(
        "refused",
        "assert_unreachable where the connection is refused, sources warm",
        series,
        (Target("of a bare probe there", series[0].median / series[1].median, 10),),
    )


def silent(context: Context) -> Outcome:
    """The proof where nothing comes back: the time limit, ``hold`` and 50 ms."""
    front, back = context.lab.network(), context.lab.network()
    client, server = context.lab.client(networks=[front]), context.lab.server(networks=[back])
    port, timeout, hold = server.port(80), 0.5, 0.5
    assert_unreachable(client, port, because=Verdict.TIMED_OUT, timeout=timeout)

    def once(hold: float) -> float:
        return timed(lambda: assert_unreachable(client, port, hold=hold, timeout=timeout))

    series = in_turn(
        {"timeout 0.5 s": lambda: once(0.0), "timeout 0.5 s, hold 0.5 s": lambda: once(hold)}, context.rounds
    )
    return Outcome(
        "silent",
        "assert_unreachable where nothing answers (two bridges), sources warm",
        series,
        (
            Target("on top of timeout", series[0].median - timeout, 0.05, "s"),
            Target("on top of timeout + hold", series[1].median - timeout - hold, 0.05, "s"),
        ),
    )
