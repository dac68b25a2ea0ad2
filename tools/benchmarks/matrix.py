"""Every pair at once, against ``docker exec curl`` for each; and several containers made side by side."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pytest_dockconn import Server
from pytest_dockconn.actions.containers import side_by_side

from .context import LABEL, Context
from .measure import Outcome, Target, in_turn, timed
from .servers import answers

SIZE, CURVE = 16, (4, 8, 16, 32, 48)
AT_ONCE = 8
WARM, COLD, CURL = "matrix, sources warm", "matrix from nothing", f"docker exec curl, {AT_ONCE} at a time"


def stack(context: Context, size: int) -> list[Server]:
    """Servers on one network, started a few at a time."""
    network = context.lab.network()
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda _: context.lab.server(networks=[network]), range(size)))


def pairs(context: Context) -> Outcome:
    """16 containers, 256 probes: at most 250 ms warm; from nothing at most a tenth of curl in each."""
    servers = stack(context, SIZE)
    ports = [server.port(80) for server in servers]

    def warm() -> float:
        seen = []
        took = timed(lambda: seen.append(context.lab.matrix(servers, ports)))
        assert all(cell.result for cell in seen[0].cells.values())
        assert len(seen[0]) == _pairs(SIZE)
        return took

    def cold() -> float:
        agents = context.session.services.agents
        side_by_side(*(partial(agents.release, server.id) for server in servers))
        return warm()

    def curl() -> float:
        asked = [(a, b) for a in servers for b in servers]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            work = partial(_curl, context)
            return timed(lambda: list(pool.map(work, asked)))

    warm()
    series = (
        *in_turn({WARM: warm}, context.rounds * 3),
        *in_turn({COLD: cold, CURL: curl}, max(3, context.rounds // 2)),
    )
    _gone(context, servers)
    return Outcome(
        "matrix",
        f"{SIZE} containers, every pair on one port ({_pairs(SIZE)} probes)",
        series,
        (
            Target("warm", series[0].median, 0.25, "s"),
            Target(f"from nothing, of {CURL}", series[1].median / series[2].median, 0.1),
        ),
    )


def _curl(context: Context, pair: tuple[Server, Server]) -> None:
    source, destination = pair
    context.docker("exec", source.id, "curl", "-sf", "-o", "/dev/null", f"http://{destination.ip}/")


def curve(context: Context) -> Outcome:
    """The cost grows with the number of pairs, at under 1 ms a pair."""
    servers = stack(context, max(CURVE))

    def once(size: int) -> float:
        some = servers[:size]
        return timed(lambda: context.lab.matrix(some, [server.port(80) for server in some]))

    once(max(CURVE))
    variants = {f"N = {size}": partial(once, size) for size in CURVE}
    series = in_turn(variants, context.rounds)
    _gone(context, servers)
    small, large = series[0], series[-1]
    grown = (large.median - small.median) / (_pairs(CURVE[-1]) - _pairs(CURVE[0]))
    each = ", ".join(f"{s.median / _pairs(n) * 1000:.2f} ms at N = {n}" for n, s in zip(CURVE, series, strict=True))
    return Outcome(
        "curve",
        "every pair of N containers on one port, sources warm",
        series,
        (Target(f"growth from N = {CURVE[0]} to {CURVE[-1]}, a pair", grown, 0.001, "s"),),
        (
            f"all in all a pair costs {each}",
            "the kernel's table of neighbours (gc_thresh3, 1024 for all namespaces) is full from N = 32",
        ),
    )


def _pairs(size: int) -> int:
    return size * size


def four(context: Context) -> Outcome:
    """Four containers on two networks, ready: at most 0.7 of one after another by the bare API."""
    front, back = context.lab.network(), context.lab.network()
    where = [[front], [front], [back], [back]]
    names = [network[0].engine_name for network in where]

    def ours() -> float:
        made: list[Server] = []
        makers: list[Callable[[], Server]] = [partial(context.lab.server, networks=networks) for networks in where]
        took = timed(lambda: made.extend(context.lab.side_by_side(*makers)))
        _gone(context, made)
        return took

    def bare() -> float:
        made: list[str] = []
        took = timed(lambda: made.extend(_started(context, name) for name in names))
        side_by_side(*(partial(context.api.remove_container, one, force=True, v=True) for one in made))
        return took

    series = in_turn({"lab.side_by_side": ours, "bare API, one after another": bare}, context.rounds * 2)
    return Outcome(
        "four",
        "four servers on two networks: create, start, first answer",
        series,
        (Target("of the bare API", series[0].median / series[1].median, 0.7),),
    )


def _started(context: Context, network: str) -> str:
    api = context.api
    wiring = api.create_networking_config({network: api.create_endpoint_config()})
    made = api.create_container(
        context.image("server"), command=["dockconn-serve", "80/tcp"], ports=[80], labels={LABEL: ""},
        networking_config=wiring, host_config=api.create_host_config(network_mode=network),
    )  # fmt: skip
    container = str(made["Id"])
    api.start(container)
    address = str(api.inspect_container(container)["NetworkSettings"]["Networks"][network]["IPAddress"])
    while not answers(address):
        time.sleep(0.001)
    return container


def _gone(context: Context, servers: list[Server]) -> None:
    side_by_side(*(server.discard for server in servers))
    for server in servers:
        context.lab.containers.remove(server)
